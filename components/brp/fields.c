#include "components/brp/fields.h"

#include <string.h>

#include "components/brp/catalogue.h"
#include "components/brp/residence.h"
#include "core/format/json.h"

#define MARKS "inOnderzoek"
#define ABSENT "indicatieVastgesteldVerblijftNietOpAdres"

typedef enum { NOT_WANTED, WANTED_DOMESTIC, WANTED } Wanted;

/* --- what was asked: the rows without rows below them --- */

static void want(Wanted *wanted, const BrpField *asked, gboolean domestic, gboolean limited)
{
    for (gsize i = 0; i < BRP_FIELD_COUNT; i++) {
        const BrpField *field = &BRP_FIELDS[i];
        gboolean delivered = field->shape != BRP_GROUP && brp_field_is_below(field->path, asked->path) &&
                             (!limited || field->limited) && (!domestic || field->domestic);
        if (delivered)
            wanted[i] = MAX(wanted[i], domestic ? WANTED_DOMESTIC : WANTED);
    }
}

static Wanted *wanted_rows(const char *const *fields, gboolean limited)
{
    Wanted *wanted = g_new0(Wanted, BRP_FIELD_COUNT);
    for (; *fields != NULL; fields++) {
        const BrpField *field;
        gboolean domestic;
        if (brp_field_find(*fields, limited, &field, &domestic) == BRP_FIELD_KNOWN)
            want(wanted, field, domestic, limited);
    }
    return wanted;
}

/* --- copying --- */

static json_t *member_object(json_t *object, const char *name)
{
    json_t *member = json_object_get(object, name);
    if (member == NULL) {
        member = json_object();
        json_object_set_new(object, name, member);
    }
    return member;
}

static void copy_mark(json_t *target, const json_t *source, const char *name)
{
    if (json_object_get(json_object_get(source, MARKS), name) != NULL)
        json_object_set_new(member_object(target, MARKS), name, json_true());
}

/* What kind of thing a group is goes along with anything of it. */
static void copy_companions(json_t *target, const json_t *source)
{
    static const char *const COMPANIONS[] = {"type"};
    for (gsize i = 0; i < G_N_ELEMENTS(COMPANIONS); i++) {
        json_t *value = json_object_get(source, COMPANIONS[i]);
        if (value != NULL)
            json_object_set(target, COMPANIONS[i], value);
        copy_mark(target, source, COMPANIONS[i]);
    }
}

static void copy_path(json_t *target, const json_t *source, const char *path);

static void copy_list(json_t *target, const json_t *source, const char *rest)
{
    for (gsize i = 0; i < json_array_size(source); i++) {
        if (json_array_size(target) <= i)
            json_array_append_new(target, json_object());
        copy_companions(json_array_get(target, i), json_array_get(source, i));
        copy_path(json_array_get(target, i), json_array_get(source, i), rest);
    }
}

static void copy_below(json_t *target, const char *name, json_t *value, const char *rest)
{
    json_t *below = json_object_get(target, name);
    if (below == NULL) {
        below = json_is_array(value) ? json_array() : json_object();
        json_object_set_new(target, name, below);
    }
    if (json_is_array(value)) {
        copy_list(below, value, rest);
        return;
    }
    copy_companions(below, value);
    copy_path(below, value, rest);
}

static void copy_path(json_t *target, const json_t *source, const char *path)
{
    const char *dot = strchr(path, '.');
    g_autofree char *name = dot != NULL ? g_strndup(path, (gsize)(dot - path)) : g_strdup(path);
    json_t *value = json_object_get(source, name);
    copy_mark(target, source, name);
    if (value == NULL)
        return;
    if (dot == NULL)
        json_object_set(target, name, value);
    else
        copy_below(target, name, value, dot + 1);
}

/* A residence abroad does not exist for who asked by the alias; of `adressering` only the lines do not. */
static void copy_field(json_t *target, const json_t *person, const BrpField *field, gboolean domestic_only)
{
    static const char *const LINES[] = {"adressering.adresregel1", "adressering.adresregel2", NULL};
    gboolean domestic = brp_residence_is_domestic(json_object_get(person, "verblijfplaats"));
    if (domestic_only && !domestic && brp_field_is_below(field->path, "verblijfplaats"))
        return;
    if (domestic_only && !domestic && g_strv_contains(LINES, field->path)) {
        member_object(target, "adressering");
        return;
    }
    copy_path(target, person, field->path);
}

/* --- what goes along --- */

/* Which day belongs to which mark; a group that is not here has one day for all its marks. */
static const struct {
    const char *group, *mark, *since;
} SINCE[] = {
    {"", "burgerservicenummer", "datumIngangOnderzoekPersoon"},
    {"", "geslacht", "datumIngangOnderzoekPersoon"},
    {"", "leeftijd", "datumIngangOnderzoekPersoon"},
    {"", "gemeenteVanInschrijving", "datumIngangOnderzoekGemeente"},
    {"", "datumInschrijvingInGemeente", "datumIngangOnderzoekGemeente"},
    {"", "indicatieCurateleRegister", "datumIngangOnderzoekGezag"},
    {"", "indicatieGezagMinderjarige", "datumIngangOnderzoekGezag"},
    {"adressering", "aanhef", "datumIngangOnderzoekPersoon"},
    {"adressering", "aanhef", "datumIngangOnderzoekPartner"},
    {"adressering", "aanschrijfwijze", "datumIngangOnderzoekPersoon"},
    {"adressering", "aanschrijfwijze", "datumIngangOnderzoekPartner"},
    {"adressering", "gebruikInLopendeTekst", "datumIngangOnderzoekPersoon"},
    {"adressering", "gebruikInLopendeTekst", "datumIngangOnderzoekPartner"},
    {"adressering", "adresregel1", "datumIngangOnderzoekVerblijfplaats"},
    {"adressering", "adresregel2", "datumIngangOnderzoekVerblijfplaats"},
    {"adressering", "adresregel3", "datumIngangOnderzoekVerblijfplaats"},
    {"adressering", "land", "datumIngangOnderzoekVerblijfplaats"},
};

static void copy_since(json_t *target, const json_t *source, const char *since)
{
    json_t *day = json_object_get(json_object_get(source, MARKS), since);
    if (day != NULL)
        json_object_set(json_object_get(target, MARKS), since, day);
}

static void copy_days(json_t *target, const json_t *source, const char *group)
{
    const json_t *marks = json_object_get(target, MARKS);
    if (marks == NULL)
        return;
    copy_since(target, source, "datumIngangOnderzoek");
    for (gsize i = 0; i < G_N_ELEMENTS(SINCE); i++)
        if (strcmp(SINCE[i].group, group) == 0 && json_object_get(marks, SINCE[i].mark) != NULL)
            copy_since(target, source, SINCE[i].since);
}

/* The first day of each investigation that is told of, at every level. */
static void copy_all_days(json_t *target, const json_t *source, const char *group)
{
    if (json_is_array(target)) {
        for (gsize i = 0; i < json_array_size(target); i++)
            copy_all_days(json_array_get(target, i), json_array_get(source, i), group);
        return;
    }
    const char *name;
    json_t *value;
    json_object_foreach(target, name, value)
    {
        if (strcmp(name, MARKS) != 0 && (json_is_object(value) || json_is_array(value)))
            copy_all_days(value, json_object_get(source, name), name);
    }
    copy_days(target, source, group);
}

/* Goes along with anything of the residence, and with any address line. */
static void copy_absence(json_t *out, const json_t *person, const Wanted *wanted)
{
    for (gsize i = 0; i < BRP_FIELD_COUNT; i++) {
        if (wanted[i] == NOT_WANTED || BRP_FIELDS[i].category != BRP_OF_RESIDENCE)
            continue;
        static const char *const GROUPS[] = {"verblijfplaats", "adressering"};
        for (gsize j = 0; j < G_N_ELEMENTS(GROUPS); j++)
            if (brp_field_is_below(BRP_FIELDS[i].path, GROUPS[j]) &&
                json_object_get(json_object_get(person, GROUPS[j]), ABSENT) != NULL)
                json_object_set_new(member_object(out, GROUPS[j]), ABSENT, json_true());
    }
}

static void copy_participants(json_t *out, const json_t *person, const Wanted *wanted)
{
    static const char *const NAMES[] = {[BRP_OF_PERSON] = "Persoon",
                                        [BRP_OF_NATIONALITY] = "Nationaliteit",
                                        [BRP_OF_DEATH] = "Overlijden",
                                        [BRP_OF_RESIDENCE] = "Verblijfplaats"};
    gboolean asked[G_N_ELEMENTS(NAMES)] = {FALSE};
    for (gsize i = 0; i < BRP_FIELD_COUNT; i++)
        asked[BRP_FIELDS[i].category] |= wanted[i] != NOT_WANTED;
    g_autoptr(json_t) told = json_array();
    gsize index;
    json_t *participant;
    json_array_foreach(json_object_get(person, "rni"), index, participant)
    {
        const char *category = json_string_at(participant, "categorie");
        for (gsize i = BRP_OF_PERSON; i < G_N_ELEMENTS(NAMES); i++)
            if (asked[i] && g_strcmp0(category, NAMES[i]) == 0)
                json_array_append(told, participant);
    }
    if (json_array_size(told) > 0)
        json_object_set(out, "rni", told);
}

static void copy_notices(json_t *out, const json_t *person)
{
    static const char *const ALWAYS[] = {"geheimhoudingPersoonsgegevens", "opschortingBijhouding",
                                         "verificatie"};
    for (gsize i = 0; i < G_N_ELEMENTS(ALWAYS); i++) {
        json_t *value = json_object_get(person, ALWAYS[i]);
        if (value != NULL)
            json_object_set(out, ALWAYS[i], value);
    }
}

json_t *brp_fields_apply(const json_t *person, const char *const *fields, gboolean limited)
{
    g_autofree Wanted *wanted = wanted_rows(fields, limited);
    json_t *out = json_object();
    for (gsize i = 0; i < BRP_FIELD_COUNT; i++)
        if (wanted[i] != NOT_WANTED)
            copy_field(out, person, &BRP_FIELDS[i], wanted[i] == WANTED_DOMESTIC);
    copy_absence(out, person, wanted);
    copy_all_days(out, person, "");
    copy_participants(out, person, wanted);
    copy_notices(out, person);
    return out;
}
