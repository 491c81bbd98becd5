#include "components/brp/salutation.h"

#include <string.h>

#include "components/brp/mapping.h"
#include "components/brp/name.h"
#include "core/format/json.h"

typedef struct {
    BrpGender gender;
    const json_t *own, *partner; /* members `naam`; the partner's may be NULL */
    gboolean has_current_partner;
    char stated; /* 'E', 'P', 'V' or 'N' as registered */
    char usage;  /* as it can be followed: 'E' when the partner's name is not known */
    char *initials;
    const BrpNobility *noble; /* what the person may bear of their own, NULL for nothing */
    const BrpNobility
        *courtesy; /* the partner's title of which she bears the female form, NULL for nothing */
} Person;

/* --- the partner --- */

static const char *date_of(const json_t *partner, const char *event)
{
    const char *date = json_string_at(json_object_get(partner, event), "datum");
    return date != NULL ? date : "00000000";
}

gboolean brp_partner_is_current(const json_t *partner)
{
    return json_object_get(partner, "ontbindingHuwelijkPartnerschap") == NULL;
}

/* Eight digits compare as dates; unknown parts are zero and so come first. */
static gboolean is_before(const json_t *partner, const json_t *best)
{
    if (best == NULL)
        return TRUE;
    gboolean current = brp_partner_is_current(partner);
    if (current != brp_partner_is_current(best))
        return current;
    return current ? strcmp(date_of(partner, "aangaanHuwelijkPartnerschap"),
                            date_of(best, "aangaanHuwelijkPartnerschap")) < 0
                   : strcmp(date_of(partner, "ontbindingHuwelijkPartnerschap"),
                            date_of(best, "ontbindingHuwelijkPartnerschap")) > 0;
}

const json_t *brp_salutation_partner(const json_t *record)
{
    const json_t *best = NULL;
    gsize index;
    json_t *partner;
    json_array_foreach(json_object_get(record, "partners"), index, partner) if (is_before(partner, best))
        best = partner;
    return best;
}

/* --- the person --- */

static char stated_usage(const json_t *name)
{
    const char *code = brp_code(name, "aanduidingNaamgebruik");
    return code != NULL && code[0] != '\0' && code[1] == '\0' && strchr("EPVN", code[0]) != NULL ? code[0]
                                                                                                 : 'E';
}

/* A woman puts her predicate aside while she has a partner, and when she uses the name of one; who uses only
 * the partner's name bears nothing of their own. */
static const BrpNobility *own_nobility(const Person *person)
{
    const BrpNobility *nobility = brp_nobility_of(person->own);
    if (nobility == NULL || person->usage == 'P')
        return NULL;
    gboolean aside = nobility->is_predicate && person->gender == BRP_WOMAN &&
                     (person->has_current_partner || person->usage != 'E');
    return aside ? NULL : nobility;
}

/* Titre de courtoisie: a woman who uses her partner's name may bear the female form of his title. */
static const BrpNobility *courtesy_nobility(const Person *person, char usage)
{
    const BrpNobility *nobility = brp_nobility_of(person->partner);
    gboolean may =
        nobility != NULL && nobility->courtesy != NULL && person->gender == BRP_WOMAN && usage != 'E';
    return may ? nobility : NULL;
}

static Person read_person(const json_t *record)
{
    const json_t *partner = brp_salutation_partner(record);
    Person person = {.gender = brp_gender(brp_code(record, "geslacht")),
                     .own = json_object_get(record, "naam"),
                     .partner = json_object_get(partner, "naam"),
                     .has_current_partner = partner != NULL && brp_partner_is_current(partner)};
    person.stated = stated_usage(person.own);
    person.usage = brp_known(person.partner, "geslachtsnaam") != NULL ? person.stated : 'E';
    person.initials = brp_initials(json_string_at(person.own, "voornamen"));
    person.noble = own_nobility(&person);
    person.courtesy = courtesy_nobility(&person, person.usage);
    return person;
}

/* --- names --- */

static char *surname(const char *title, const json_t *name)
{
    const char *parts[] = {title, json_string_at(name, "voorvoegsel"), brp_known(name, "geslachtsnaam")};
    return brp_join(parts, G_N_ELEMENTS(parts));
}

static gboolean names_are_known(const Person *person)
{
    return person->usage == 'P' || brp_known(person->own, "geslachtsnaam") != NULL;
}

/* The surnames in the order that is wished, each with the title before it (or NULL). */
static char *surnames(const Person *person, const char *own_title, const char *partner_title)
{
    g_autofree char *own = surname(own_title, person->own);
    g_autofree char *partner = surname(partner_title, person->partner);
    switch (person->usage) {
    case 'P':
        return g_steal_pointer(&partner);
    case 'V':
        return g_strconcat(partner, "-", own, NULL);
    case 'N':
        return g_strconcat(own, "-", partner, NULL);
    default:
        return g_steal_pointer(&own);
    }
}

static char *capitalised(const char *text)
{
    g_autoptr(GString) out = g_string_new(NULL);
    g_string_append_unichar(out, g_unichar_toupper(g_utf8_get_char(text)));
    g_string_append(out, g_utf8_next_char(text));
    return g_string_free(g_steal_pointer(&out), FALSE);
}

/* "heer Van Velzen", "J.R. van Velzen": only directly after a word of address, or at the beginning, a prefix
 * has a capital. `words` are those for a man and a woman. */
static char *addressed(const Person *person, const char *const words[2], const char *names)
{
    if (person->gender == BRP_GENDER_UNKNOWN && person->initials != NULL)
        return g_strconcat(person->initials, " ", names, NULL);
    g_autofree char *capital = capitalised(names);
    return person->gender == BRP_GENDER_UNKNOWN ? g_steal_pointer(&capital)
                                                : g_strconcat(words[person->gender], " ", capital, NULL);
}

/* --- the three forms --- */

static char *salutation(const Person *person)
{
    static const char *const WORDS[] = {"heer", "mevrouw"};
    const BrpNobility *courtesy = courtesy_nobility(person, person->stated);
    const char *noble = courtesy != NULL        ? brp_nobility_salutation(courtesy->rank, person->gender)
                        : person->noble != NULL ? brp_nobility_salutation(person->noble->rank, person->gender)
                                                : NULL;
    if (noble != NULL)
        return g_strdup(noble);
    if (!names_are_known(person))
        return NULL;
    g_autofree char *names = surnames(person, NULL, NULL);
    g_autofree char *rest = addressed(person, WORDS, names);
    return g_strconcat("Geachte ", rest, NULL);
}

static const char *courtesy_title(const Person *person)
{
    return person->courtesy != NULL ? person->courtesy->courtesy : NULL;
}

/* A predicate stands before the initials, unless the partner's name comes first. */
static char *envelope_name(const Person *person)
{
    const char *form = brp_nobility_form(person->noble, person->gender);
    gboolean before =
        form != NULL && person->noble != NULL && person->noble->is_predicate && person->usage != 'V';
    g_autofree char *names = surnames(person, before ? NULL : form, courtesy_title(person));
    const char *parts[] = {before ? form : NULL, person->initials, names};
    g_autofree char *name = brp_join(parts, G_N_ELEMENTS(parts));
    return capitalised(name);
}

static const char *envelope_line(const Person *person)
{
    if (person->courtesy != NULL)
        return brp_nobility_envelope(person->courtesy->rank, person->gender);
    if (person->noble == NULL)
        return NULL;
    gboolean has_form =
        brp_nobility_form(person->noble, person->gender) != NULL || person->noble->rank == BRP_HOOGHEID;
    return has_form ? brp_nobility_envelope(person->noble->rank, person->gender) : NULL;
}

static char *running_text(const Person *person)
{
    static const char *const WORDS[] = {"de heer", "mevrouw"};
    const char *own_title = brp_nobility_form(person->noble, person->gender);
    g_autofree char *names = surnames(person, own_title, courtesy_title(person));
    gboolean own_first = person->usage == 'E' || person->usage == 'N';
    if ((own_first ? own_title : courtesy_title(person)) != NULL)
        return g_steal_pointer(&names);
    return addressed(person, WORDS, names);
}

void brp_salutation_add(json_t *addressing, const json_t *record)
{
    Person person = read_person(record);
    g_autofree char *initials = person.initials;
    g_autofree char *opening = salutation(&person);
    brp_set_text(addressing, "aanhef", opening);
    if (!names_are_known(&person))
        return;
    g_autofree char *name = envelope_name(&person);
    json_t *envelope = json_object();
    brp_set_text(envelope, "naam", name);
    brp_set_text(envelope, "aanspreekvorm", envelope_line(&person));
    json_object_set_new(addressing, "aanschrijfwijze", envelope);
    g_autofree char *text = running_text(&person);
    brp_set_text(addressing, "gebruikInLopendeTekst", text);
}
