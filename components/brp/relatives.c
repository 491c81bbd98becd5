#include "components/brp/relatives.h"

#include <string.h>

#include "components/brp/groups.h"
#include "components/brp/investigation.h"
#include "components/brp/mapping.h"
#include "components/brp/salutation.h"
#include "core/format/json.h"

#define SINCE "datumIngangOnderzoek"

/* TRUE when the source says anything of the relative themselves; documents and dates of validity do not
 * count. */
static gboolean says_something(const json_t *source, const char *const *members)
{
    for (; *members != NULL; members++) {
        const json_t *value = json_object_get(source, *members);
        const char *text = json_string_value(value);
        if (json_object_size(value) > 0 || (text != NULL && text[0] != '\0'))
            return TRUE;
    }
    return FALSE;
}

static void set_name_and_birth(json_t *relative, const json_t *source, BrpDoubt doubt)
{
    brp_set(relative, "naam", brp_relative_name(json_object_get(source, "naam"), doubt));
    brp_set(relative, "geboorte", brp_event(json_object_get(source, "geboorte"), "03", doubt));
}

static json_t *parent(const json_t *source)
{
    static const char *const SAYING[] = {"burgerservicenummer",
                                         "naam",
                                         "geboorte",
                                         "geslacht",
                                         "datumIngangFamilierechtelijkeBetrekking",
                                         NULL};
    static const BrpMapping MEMBERS[] = {
        {"burgerservicenummer", "burgerservicenummer", BRP_TEXT},
        {"ouderAanduiding", "ouderAanduiding", BRP_TEXT},
        {"geslacht", "geslacht", BRP_STATED},
        {"datumIngangFamilierechtelijkeBetrekking", "datumIngangFamilierechtelijkeBetrekking", BRP_DATE}};
    static const BrpElements ELEMENTS[] = {{"burgerservicenummer", "0120"},
                                           {"geslacht", "0410"},
                                           {"datumIngangFamilierechtelijkeBetrekking", "6210"}};
    if (!says_something(source, SAYING))
        return NULL;
    BrpDoubt doubt = {json_object_get(source, "inOnderzoek"), "02 03"};
    json_t *out = json_object();
    BRP_MAP(out, source, MEMBERS);
    brp_investigation_mark(out, doubt.investigation, doubt.categories, ELEMENTS, G_N_ELEMENTS(ELEMENTS),
                           SINCE);
    set_name_and_birth(out, source, doubt);
    return out;
}

static json_t *child(const json_t *source)
{
    static const char *const SAYING[] = {"burgerservicenummer", "naam", "geboorte", NULL};
    static const BrpMapping MEMBERS[] = {{"burgerservicenummer", "burgerservicenummer", BRP_TEXT}};
    static const BrpElements ELEMENTS[] = {{"burgerservicenummer", "0120"}};
    if (!says_something(source, SAYING))
        return NULL;
    BrpDoubt doubt = {json_object_get(source, "inOnderzoek"), "09"};
    json_t *out = json_object();
    BRP_MAP(out, source, MEMBERS);
    brp_investigation_mark(out, doubt.investigation, doubt.categories, ELEMENTS, G_N_ELEMENTS(ELEMENTS),
                           SINCE);
    set_name_and_birth(out, source, doubt);
    return out;
}

static json_t *partner(const json_t *source)
{
    static const char *const SAYING[] = {"burgerservicenummer",
                                         "naam",
                                         "geboorte",
                                         "soortVerbintenis",
                                         "aangaanHuwelijkPartnerschap",
                                         "ontbindingHuwelijkPartnerschap",
                                         NULL};
    static const BrpMapping MEMBERS[] = {{"burgerservicenummer", "burgerservicenummer", BRP_TEXT},
                                         {"geslacht", "geslacht", BRP_STATED},
                                         {"soortVerbintenis", "soortVerbintenis", BRP_CODE}};
    static const BrpElements ELEMENTS[] = {
        {"burgerservicenummer", "0120"}, {"geslacht", "0410"}, {"soortVerbintenis", "1510"}};
    static const BrpMapping END[] = {{"datum", "datum", BRP_DATE}};
    static const BrpElements END_ELEMENTS[] = {{"datum", "0710"}};
    if (!says_something(source, SAYING))
        return NULL;
    BrpDoubt doubt = {json_object_get(source, "inOnderzoek"), "05"};
    json_t *out = json_object();
    BRP_MAP(out, source, MEMBERS);
    brp_investigation_mark(out, doubt.investigation, doubt.categories, ELEMENTS, G_N_ELEMENTS(ELEMENTS),
                           SINCE);
    set_name_and_birth(out, source, doubt);
    brp_set(out, "aangaanHuwelijkPartnerschap",
            brp_event(json_object_get(source, "aangaanHuwelijkPartnerschap"), "06", doubt));
    const json_t *end = json_object_get(source, "ontbindingHuwelijkPartnerschap");
    g_autoptr(json_t) ended = json_object();
    BRP_MAP(ended, end, END);
    brp_investigation_mark(ended, doubt.investigation, doubt.categories, END_ELEMENTS,
                           G_N_ELEMENTS(END_ELEMENTS), SINCE);
    if (json_object_size(end) > 0 || json_object_size(ended) > 0)
        json_object_set(out, "ontbindingHuwelijkPartnerschap", ended);
    return out;
}

static json_t *all_of(const json_t *record, const char *member, json_t *(*make)(const json_t *source))
{
    json_t *out = json_array();
    gsize index;
    json_t *source;
    json_array_foreach(json_object_get(record, member), index, source)
    {
        json_t *item = make(source);
        if (item != NULL)
            json_array_append_new(out, item);
    }
    return out;
}

json_t *brp_parents(const json_t *record)
{
    return all_of(record, "ouders", parent);
}

json_t *brp_children(const json_t *record)
{
    return all_of(record, "kinderen", child);
}

json_t *brp_partners(const json_t *record)
{
    g_autoptr(json_t) counted = json_pack("{s:[]}", "partners");
    json_t *list = json_object_get(counted, "partners");
    gsize index;
    json_t *source;
    json_array_foreach(json_object_get(record, "partners"), index, source) if (brp_partner_is_current(source))
        json_array_append(list, source);
    const json_t *last = brp_salutation_partner(record);
    if (json_array_size(list) == 0 && last != NULL)
        json_array_append(list, (json_t *)last);
    return all_of(counted, "partners", partner);
}

/* A deep copy with only those members, at every level. */
static json_t *only_members(const json_t *value, const char *const *members)
{
    if (json_is_array(value)) {
        json_t *list = json_array();
        for (gsize i = 0; i < json_array_size(value); i++)
            json_array_append_new(list, only_members(json_array_get(value, i), members));
        return list;
    }
    if (!json_is_object(value))
        return json_incref((json_t *)value);
    json_t *object = json_object();
    for (const char *const *name = members; *name != NULL; name++) {
        const json_t *member = json_object_get(value, *name);
        if (member != NULL)
            json_object_set_new(object, *name, only_members(member, members));
    }
    return object;
}

json_t *brp_authority(const json_t *record)
{
    static const char *const MEMBERS[] = {"type",  "minderjarige", "ouders",      "ouder",
                                          "derde", "derden",       "leeftijd",    "burgerservicenummer",
                                          "naam",  "toelichting",  "inOnderzoek", "volledigeNaam",
                                          NULL};
    const json_t *source = json_object_get(record, "gezag");
    return json_is_array(source) ? only_members(source, MEMBERS) : json_array();
}
