#include "components/brp/fields.h"

#include <string.h>

typedef enum { GROUP, LEAF, DATE, CODE } Kind;

typedef struct {
    const char *path;
    Kind kind;
    gboolean limited; /* also in a PersoonBeperkt, the answer to a search */
} Field;

#define EVENT(name, beperkt)                                                                                 \
    {name, GROUP, beperkt}, {name ".datum", DATE, beperkt}, {name ".land", CODE, FALSE},                     \
    {                                                                                                        \
        name ".plaats", CODE, FALSE                                                                          \
    }
#define NAME(name, beperkt)                                                                                  \
    {name, GROUP, beperkt}, {name ".voornamen", LEAF, beperkt},                                              \
        {name ".adellijkeTitelPredicaat", CODE, beperkt}, {name ".voorvoegsel", LEAF, beperkt},              \
        {name ".geslachtsnaam", LEAF, beperkt},                                                              \
    {                                                                                                        \
        name ".voorletters", LEAF, beperkt                                                                   \
    }

static const Field FIELDS[] = {
    {"aNummer", LEAF, FALSE},
    {"burgerservicenummer", LEAF, TRUE},
    {"datumEersteInschrijvingGBA", DATE, FALSE},
    {"datumInschrijvingInGemeente", DATE, FALSE},
    {"geslacht", CODE, TRUE},
    {"leeftijd", LEAF, TRUE},
    {"gemeenteVanInschrijving", CODE, TRUE},
    {"indicatieCurateleRegister", LEAF, FALSE},
    {"indicatieGezagMinderjarige", CODE, FALSE},
    {"gezag", LEAF, TRUE},
    {"europeesKiesrecht", LEAF, FALSE},
    {"uitsluitingKiesrecht", LEAF, FALSE},
    NAME("naam", TRUE),
    {"naam.volledigeNaam", LEAF, TRUE},
    {"naam.aanduidingNaamgebruik", CODE, FALSE},
    EVENT("geboorte", TRUE),
    EVENT("overlijden", FALSE),
    {"nationaliteiten", GROUP, FALSE},
    {"nationaliteiten.type", LEAF, FALSE},
    {"nationaliteiten.nationaliteit", CODE, FALSE},
    {"nationaliteiten.datumIngangGeldigheid", DATE, FALSE},
    {"nationaliteiten.redenOpname", CODE, FALSE},
    {"verblijfplaats", GROUP, FALSE},
    {"verblijfplaats.type", LEAF, FALSE},
    {"verblijfplaats.functieAdres", CODE, FALSE},
    {"verblijfplaats.datumVan", DATE, FALSE},
    {"verblijfplaats.datumIngangGeldigheid", DATE, FALSE},
    {"verblijfplaats.adresseerbaarObjectIdentificatie", LEAF, FALSE},
    {"verblijfplaats.nummeraanduidingIdentificatie", LEAF, FALSE},
    {"verblijfplaats.verblijfadres", GROUP, FALSE},
    {"verblijfplaats.verblijfadres.officieleStraatnaam", LEAF, FALSE},
    {"verblijfplaats.verblijfadres.korteStraatnaam", LEAF, FALSE},
    {"verblijfplaats.verblijfadres.huisnummer", LEAF, FALSE},
    {"verblijfplaats.verblijfadres.huisletter", LEAF, FALSE},
    {"verblijfplaats.verblijfadres.huisnummertoevoeging", LEAF, FALSE},
    {"verblijfplaats.verblijfadres.aanduidingBijHuisnummer", CODE, FALSE},
    {"verblijfplaats.verblijfadres.postcode", LEAF, FALSE},
    {"verblijfplaats.verblijfadres.woonplaats", LEAF, FALSE},
    {"verblijfplaats.verblijfadres.locatiebeschrijving", LEAF, FALSE},
    {"verblijfplaats.verblijfadres.regel1", LEAF, FALSE},
    {"verblijfplaats.verblijfadres.regel2", LEAF, FALSE},
    {"verblijfplaats.verblijfadres.regel3", LEAF, FALSE},
    {"verblijfplaats.verblijfadres.land", CODE, FALSE},
    {"adressering", GROUP, TRUE},
    {"adressering.adresregel1", LEAF, TRUE},
    {"adressering.adresregel2", LEAF, TRUE},
    {"adressering.adresregel3", LEAF, TRUE},
    {"adressering.land", CODE, TRUE},
    {"ouders", GROUP, FALSE},
    {"ouders.burgerservicenummer", LEAF, FALSE},
    {"ouders.ouderAanduiding", LEAF, FALSE},
    {"ouders.geslacht", CODE, FALSE},
    {"ouders.datumIngangFamilierechtelijkeBetrekking", DATE, FALSE},
    NAME("ouders.naam", FALSE),
    EVENT("ouders.geboorte", FALSE),
    {"partners", GROUP, FALSE},
    {"partners.burgerservicenummer", LEAF, FALSE},
    {"partners.geslacht", CODE, FALSE},
    {"partners.soortVerbintenis", CODE, FALSE},
    NAME("partners.naam", FALSE),
    EVENT("partners.geboorte", FALSE),
    EVENT("partners.aangaanHuwelijkPartnerschap", FALSE),
    EVENT("partners.ontbindingHuwelijkPartnerschap", FALSE),
    {"kinderen", GROUP, FALSE},
    {"kinderen.burgerservicenummer", LEAF, FALSE},
    NAME("kinderen.naam", FALSE),
    EVENT("kinderen.geboorte", FALSE),
    {"immigratie", GROUP, FALSE},
    {"immigratie.datumVestigingInNederland", DATE, FALSE},
    {"immigratie.landVanwaarIngeschreven", CODE, FALSE},
    {"verblijfstitel", GROUP, FALSE},
    {"verblijfstitel.aanduiding", CODE, FALSE},
    {"verblijfstitel.datumIngang", DATE, FALSE},
    {"verblijfstitel.datumEinde", DATE, FALSE},
    {"verificatie", GROUP, FALSE},
    {"verificatie.datum", DATE, FALSE},
    {"verificatie.omschrijving", LEAF, FALSE},
};

static const char *const DATE_MEMBERS[] = {"type", "datum", "jaar", "maand", "onbekend", "langFormaat", NULL};
static const char *const CODE_MEMBERS[] = {"code", "omschrijving", "soort", NULL};

/* The field that stands for `path`: itself, or the date or code that it is a member of. */
static const Field *field_find(const char *path)
{
    const char *last_dot = strrchr(path, '.');
    gsize parent_length = last_dot != NULL ? (gsize)(last_dot - path) : 0;
    for (gsize i = 0; i < G_N_ELEMENTS(FIELDS); i++) {
        if (strcmp(FIELDS[i].path, path) == 0)
            return &FIELDS[i];
        if (FIELDS[i].kind != DATE && FIELDS[i].kind != CODE)
            continue;
        const char *const *members = FIELDS[i].kind == DATE ? DATE_MEMBERS : CODE_MEMBERS;
        if (parent_length > 0 && strlen(FIELDS[i].path) == parent_length &&
            strncmp(FIELDS[i].path, path, parent_length) == 0 && g_strv_contains(members, last_dot + 1))
            return &FIELDS[i];
    }
    return NULL;
}

gboolean brp_field_exists(const char *path, gboolean limited)
{
    const Field *field = field_find(path);
    return field != NULL && (!limited || field->limited);
}

static void copy_path(json_t *target, const json_t *source, const char *path);

/* What always goes along with any member of a group. */
static void copy_companions(json_t *target, const json_t *source)
{
    static const char *const COMPANIONS[] = {"type", "inOnderzoek"};
    for (gsize i = 0; i < G_N_ELEMENTS(COMPANIONS); i++) {
        json_t *value = json_object_get(source, COMPANIONS[i]);
        if (value != NULL && json_object_get(target, COMPANIONS[i]) == NULL)
            json_object_set(target, COMPANIONS[i], value);
    }
}

static void copy_list(json_t *target, const json_t *source, const char *rest)
{
    for (gsize i = 0; i < json_array_size(source); i++) {
        if (json_array_size(target) <= i)
            json_array_append_new(target, json_object());
        json_t *item = json_array_get(target, i);
        copy_path(item, json_array_get(source, i), rest);
        copy_companions(item, json_array_get(source, i));
    }
}

static void copy_path(json_t *target, const json_t *source, const char *path)
{
    const char *dot = strchr(path, '.');
    g_autofree char *name = dot != NULL ? g_strndup(path, (gsize)(dot - path)) : g_strdup(path);
    json_t *value = json_object_get(source, name);
    if (value == NULL)
        return;
    if (dot == NULL) {
        json_object_set(target, name, value);
        return;
    }
    json_t *below = json_object_get(target, name);
    if (below == NULL) {
        below = json_is_array(value) ? json_array() : json_object();
        json_object_set_new(target, name, below);
    } else if (below == value) {
        return; /* the whole was asked as well */
    }
    if (json_is_array(value)) {
        copy_list(below, value, dot + 1);
        return;
    }
    copy_path(below, value, dot + 1);
    if (json_object_size(below) == 0)
        json_object_del(target, name);
    else
        copy_companions(below, value);
}

json_t *brp_fields_apply(const json_t *person, const char *const *fields)
{
    json_t *out = json_object();
    for (; *fields != NULL; fields++) {
        const Field *field = field_find(*fields);
        if (field != NULL)
            copy_path(out, person, field->path);
    }
    static const char *const ALWAYS[] = {"geheimhoudingPersoonsgegevens", "opschortingBijhouding",
                                         "inOnderzoek"};
    for (gsize i = 0; i < G_N_ELEMENTS(ALWAYS); i++)
        copy_path(out, person, ALWAYS[i]);
    return out;
}

json_t *brp_fields_limited(const json_t *person)
{
    const char *paths[G_N_ELEMENTS(FIELDS) + 1];
    gsize n = 0;
    for (gsize i = 0; i < G_N_ELEMENTS(FIELDS); i++)
        if (FIELDS[i].limited && FIELDS[i].kind != GROUP)
            paths[n++] = FIELDS[i].path;
    paths[n] = NULL;
    return brp_fields_apply(person, paths);
}
