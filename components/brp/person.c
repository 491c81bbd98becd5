#include "components/brp/person.h"

#include <stdlib.h>
#include <string.h>

#include "components/brp/date.h"
#include "core/format/json.h"

typedef enum { COPY, DATE, NUMBER, TRUE_WHEN_PRESENT } Kind;

typedef struct {
    const char *from, *to;
    Kind kind;
} Mapping;

#define MAP(target, source, table) map_members((target), (source), (table), G_N_ELEMENTS(table))

static json_t *map_value(const json_t *value, Kind kind)
{
    const char *text = json_string_value(value);
    switch (kind) {
    case DATE:
        return brp_date(text);
    case NUMBER:
        return text != NULL ? json_integer(strtol(text, NULL, 10)) : json_incref((json_t *)value);
    case TRUE_WHEN_PRESENT:
        return g_strcmp0(text, "0") == 0 || json_is_false(value) ? NULL : json_true();
    case COPY:
        break;
    }
    return text != NULL && text[0] == '\0' ? NULL : json_incref((json_t *)value);
}

/* Members that are missing, empty or unreadable in the source are left out, as the API does. */
static void map_members(json_t *target, const json_t *source, const Mapping *table, gsize n)
{
    for (gsize i = 0; i < n; i++) {
        const json_t *value = json_object_get(source, table[i].from);
        json_t *mapped = value != NULL ? map_value(value, table[i].kind) : NULL;
        if (mapped != NULL)
            json_object_set_new(target, table[i].to, mapped);
    }
}

static void set_unless_empty(json_t *target, const char *name, json_t *value)
{
    if (json_object_size(value) > 0 || json_array_size(value) > 0)
        json_object_set_new(target, name, value);
    else
        json_decref(value);
}

static void set_text(json_t *target, const char *name, const char *text)
{
    if (text != NULL && text[0] != '\0')
        json_object_set_new(target, name, json_string(text));
}

/* LO GBA: a code that ends in 0000 puts the whole category under investigation; then every member that is
 * delivered is. */
static void mark_investigation(json_t *target, const json_t *source)
{
    const json_t *investigation = json_object_get(source, "inOnderzoek");
    const char *code = json_string_at(investigation, "aanduidingGegevensInOnderzoek");
    if (code == NULL || json_object_size(target) == 0)
        return;
    json_t *marks = json_object();
    const char *name;
    json_t *value;
    if (g_str_has_suffix(code, "0000")) {
        json_object_foreach(target, name, value) json_object_set_new(marks, name, json_true());
    }
    json_t *since = brp_date(json_string_at(investigation, "datumIngangOnderzoek"));
    if (since != NULL)
        json_object_set_new(marks, "datumIngangOnderzoek", since);
    set_unless_empty(target, "inOnderzoek", marks);
}

char *brp_initials(const char *given_names)
{
    if (given_names == NULL)
        return NULL;
    g_autoptr(GString) out = g_string_new(NULL);
    gboolean start = TRUE;
    for (const char *c = given_names; *c != '\0'; c = g_utf8_next_char(c)) {
        gunichar letter = g_utf8_get_char(c);
        if (start && g_unichar_isalpha(letter)) {
            g_string_append_unichar(out, g_unichar_toupper(letter));
            g_string_append_c(out, '.');
        }
        start = letter == ' ' || letter == '-';
    }
    return out->len > 0 ? g_string_free(g_steal_pointer(&out), FALSE) : NULL;
}

/* Order: predicate, given names, title, prefix, surname (a title stands before the surname, a predicate
 * before the given names). */
char *brp_full_name(const json_t *name)
{
    const json_t *nobility = json_object_get(name, "adellijkeTitelPredicaat");
    const char *title = json_string_at(nobility, "omschrijving");
    gboolean is_title = g_strcmp0(json_string_at(nobility, "soort"), "titel") == 0;
    const char *parts[] = {is_title ? NULL : title, json_string_at(name, "voornamen"),
                           is_title ? title : NULL, json_string_at(name, "voorvoegsel"),
                           json_string_at(name, "geslachtsnaam")};
    g_autoptr(GString) out = g_string_new(NULL);
    for (gsize i = 0; i < G_N_ELEMENTS(parts); i++) {
        g_autofree char *part = g_strstrip(g_strdup(parts[i] != NULL ? parts[i] : ""));
        if (part[0] == '\0')
            continue;
        if (out->len > 0)
            g_string_append_c(out, ' ');
        g_string_append(out, part);
    }
    return out->len > 0 ? g_string_free(g_steal_pointer(&out), FALSE) : NULL;
}

static const Mapping NAME[] = {{"voornamen", "voornamen", COPY},
                               {"adellijkeTitelPredicaat", "adellijkeTitelPredicaat", COPY},
                               {"voorvoegsel", "voorvoegsel", COPY},
                               {"geslachtsnaam", "geslachtsnaam", COPY},
                               {"aanduidingNaamgebruik", "aanduidingNaamgebruik", COPY}};

static json_t *person_name(const json_t *record, gboolean whole)
{
    const json_t *source = json_object_get(record, "naam");
    json_t *name = json_object();
    MAP(name, source, NAME);
    g_autofree char *initials = brp_initials(json_string_at(source, "voornamen"));
    set_text(name, "voorletters", initials);
    g_autofree char *full = whole ? brp_full_name(source) : NULL;
    set_text(name, "volledigeNaam", full);
    return name;
}

static const Mapping BIRTH[] = {{"datum", "datum", DATE}, {"land", "land", COPY}, {"plaats", "plaats", COPY}};

static json_t *event(const json_t *source)
{
    json_t *out = json_object();
    MAP(out, source, BIRTH);
    return out;
}

static const Mapping NATIONALITY[] = {{"nationaliteit", "nationaliteit", COPY},
                                      {"datumIngangGeldigheid", "datumIngangGeldigheid", DATE},
                                      {"redenOpname", "redenOpname", COPY}};

/* Table 32: three codes stand for something else than a nationality. */
static const char *nationality_type(const char *code)
{
    static const struct {
        const char *code, *type;
    } SPECIAL[] = {
        {"0000", "NationaliteitOnbekend"}, {"0499", "Staatloos"}, {"0500", "VastgesteldNietNederlander"}};
    for (gsize i = 0; i < G_N_ELEMENTS(SPECIAL); i++)
        if (g_strcmp0(code, SPECIAL[i].code) == 0)
            return SPECIAL[i].type;
    return "Nationaliteit";
}

static json_t *nationalities(const json_t *record)
{
    json_t *out = json_array();
    gsize index;
    json_t *source;
    json_array_foreach(json_object_get(record, "nationaliteiten"), index, source)
    {
        json_t *item = json_object();
        json_object_set_new(
            item, "type",
            json_string(nationality_type(json_string_at(json_object_get(source, "nationaliteit"), "code"))));
        MAP(item, source, NATIONALITY);
        mark_investigation(item, source);
        json_array_append_new(out, item);
    }
    return out;
}

static const Mapping RESIDENCE[] = {
    {"functieAdres", "functieAdres", COPY},
    {"datumAanvangAdreshouding", "datumVan", DATE},
    {"datumAanvangAdresBuitenland", "datumVan", DATE},
    {"datumIngangGeldigheid", "datumIngangGeldigheid", DATE},
    {"adresseerbaarObjectIdentificatie", "adresseerbaarObjectIdentificatie", COPY},
    {"nummeraanduidingIdentificatie", "nummeraanduidingIdentificatie", COPY}};
static const Mapping ADDRESS[] = {{"naamOpenbareRuimte", "officieleStraatnaam", COPY},
                                  {"straat", "korteStraatnaam", COPY},
                                  {"huisnummer", "huisnummer", NUMBER},
                                  {"huisletter", "huisletter", COPY},
                                  {"huisnummertoevoeging", "huisnummertoevoeging", COPY},
                                  {"aanduidingBijHuisnummer", "aanduidingBijHuisnummer", COPY},
                                  {"postcode", "postcode", COPY},
                                  {"woonplaats", "woonplaats", COPY},
                                  {"locatiebeschrijving", "locatiebeschrijving", COPY},
                                  {"regel1", "regel1", COPY},
                                  {"regel2", "regel2", COPY},
                                  {"regel3", "regel3", COPY},
                                  {"land", "land", COPY}};

static const char *residence_type(const json_t *source)
{
    const char *country = json_string_at(json_object_get(source, "land"), "code");
    if (country != NULL)
        return strcmp(country, "0000") == 0 ? "VerblijfplaatsOnbekend" : "VerblijfplaatsBuitenland";
    return json_object_get(source, "locatiebeschrijving") != NULL ? "Locatie" : "Adres";
}

static json_t *residence(const json_t *record)
{
    const json_t *source = json_object_get(record, "verblijfplaats");
    json_t *out = json_object();
    if (json_object_size(source) == 0)
        return out;
    const char *type = residence_type(source);
    json_object_set_new(out, "type", json_string(type));
    MAP(out, source, RESIDENCE);
    json_t *address = json_object();
    if (strcmp(type, "VerblijfplaatsOnbekend") != 0)
        MAP(address, source, ADDRESS);
    mark_investigation(address, source);
    set_unless_empty(out, "verblijfadres", address);
    mark_investigation(out, source);
    return out;
}

/* Two lines for an envelope; abroad the lines are those of the source. */
static json_t *address_lines(const json_t *record)
{
    const json_t *source = json_object_get(record, "verblijfplaats");
    json_t *out = json_object();
    if (json_string_at(source, "huisnummer") == NULL) {
        static const Mapping ABROAD[] = {{"regel1", "adresregel1", COPY},
                                         {"locatiebeschrijving", "adresregel1", COPY},
                                         {"regel2", "adresregel2", COPY},
                                         {"regel3", "adresregel3", COPY},
                                         {"land", "land", COPY}};
        MAP(out, source, ABROAD);
        return out;
    }
    g_autoptr(GString) street = g_string_new(json_string_at(source, "straat"));
    g_string_append_printf(street, " %s", json_string_at(source, "huisnummer"));
    const char *letter = json_string_at(source, "huisletter"),
               *addition = json_string_at(source, "huisnummertoevoeging");
    g_string_append_printf(street, "%s%s%s", letter != NULL ? letter : "", addition != NULL ? "-" : "",
                           addition != NULL ? addition : "");
    set_text(out, "adresregel1", street->str);
    const char *postcode = json_string_at(source, "postcode");
    const char *town = json_string_at(source, "woonplaats");
    if (town == NULL)
        town = json_string_at(json_object_get(record, "gemeenteVanInschrijving"), "omschrijving");
    g_autofree char *line =
        postcode != NULL && strlen(postcode) == 6
            ? g_strdup_printf("%.4s %s %s", postcode, postcode + 4, town != NULL ? town : "")
            : g_strdup(town);
    set_text(out, "adresregel2", line);
    return out;
}

static const Mapping RELATIVE[] = {
    {"burgerservicenummer", "burgerservicenummer", COPY},
    {"ouderAanduiding", "ouderAanduiding", COPY},
    {"geslacht", "geslacht", COPY},
    {"soortVerbintenis", "soortVerbintenis", COPY},
    {"datumIngangFamilierechtelijkeBetrekking", "datumIngangFamilierechtelijkeBetrekking", DATE}};

static json_t *relatives(const json_t *record, const char *kind)
{
    json_t *out = json_array();
    gsize index;
    json_t *source;
    json_array_foreach(json_object_get(record, kind), index, source)
    {
        json_t *item = json_object();
        MAP(item, source, RELATIVE);
        set_unless_empty(item, "naam", person_name(source, FALSE));
        set_unless_empty(item, "geboorte", event(json_object_get(source, "geboorte")));
        set_unless_empty(item, "aangaanHuwelijkPartnerschap",
                         event(json_object_get(source, "aangaanHuwelijkPartnerschap")));
        set_unless_empty(item, "ontbindingHuwelijkPartnerschap",
                         event(json_object_get(source, "ontbindingHuwelijkPartnerschap")));
        mark_investigation(item, source);
        json_array_append_new(out, item);
    }
    return out;
}

static const Mapping PERSON[] = {
    {"aNummer", "aNummer", COPY},
    {"burgerservicenummer", "burgerservicenummer", COPY},
    {"datumEersteInschrijvingGBA", "datumEersteInschrijvingGBA", DATE},
    {"datumInschrijvingInGemeente", "datumInschrijvingInGemeente", DATE},
    {"geheimhoudingPersoonsgegevens", "geheimhoudingPersoonsgegevens", TRUE_WHEN_PRESENT},
    {"geslacht", "geslacht", COPY},
    {"gemeenteVanInschrijving", "gemeenteVanInschrijving", COPY},
    {"indicatieCurateleRegister", "indicatieCurateleRegister", TRUE_WHEN_PRESENT},
    {"indicatieGezagMinderjarige", "indicatieGezagMinderjarige", COPY},
    {"uitsluitingKiesrecht", "uitsluitingKiesrecht", COPY},
    {"europeesKiesrecht", "europeesKiesrecht", COPY}};

/* Groups of which only dates differ from the source. */
static const struct {
    const char *name;
    Mapping members[3];
} GROUPS[] = {
    {"opschortingBijhouding", {{"reden", "reden", COPY}, {"datum", "datum", DATE}}},
    {"verblijfstitel",
     {{"aanduiding", "aanduiding", COPY},
      {"datumEinde", "datumEinde", DATE},
      {"datumIngang", "datumIngang", DATE}}},
    {"immigratie",
     {{"datumVestigingInNederland", "datumVestigingInNederland", DATE},
      {"landVanwaarIngeschreven", "landVanwaarIngeschreven", COPY}}},
    {"verificatie", {{"datum", "datum", DATE}, {"omschrijving", "omschrijving", COPY}}},
};

static void map_groups(json_t *person, const json_t *record)
{
    for (gsize i = 0; i < G_N_ELEMENTS(GROUPS); i++) {
        json_t *group = json_object();
        for (gsize j = 0; j < G_N_ELEMENTS(GROUPS[i].members) && GROUPS[i].members[j].from != NULL; j++)
            map_members(group, json_object_get(record, GROUPS[i].name), &GROUPS[i].members[j], 1);
        set_unless_empty(person, GROUPS[i].name, group);
    }
}

json_t *brp_person(const json_t *record, const char *today)
{
    json_t *person = json_object();
    MAP(person, record, PERSON);
    set_unless_empty(person, "naam", person_name(record, TRUE));
    set_unless_empty(person, "geboorte", event(json_object_get(record, "geboorte")));
    set_unless_empty(person, "overlijden", event(json_object_get(record, "overlijden")));
    set_unless_empty(person, "nationaliteiten", nationalities(record));
    set_unless_empty(person, "verblijfplaats", residence(record));
    set_unless_empty(person, "adressering", address_lines(record));
    static const char *const RELATIVES[] = {"ouders", "partners", "kinderen"};
    for (gsize i = 0; i < G_N_ELEMENTS(RELATIVES); i++)
        set_unless_empty(person, RELATIVES[i], relatives(record, RELATIVES[i]));
    set_unless_empty(person, "gezag", json_deep_copy(json_object_get(record, "gezag")));
    map_groups(person, record);
    int age = json_object_get(record, "overlijden") == NULL
                  ? brp_age(json_string_at(json_object_get(record, "geboorte"), "datum"), today)
                  : -1;
    if (age >= 0)
        json_object_set_new(person, "leeftijd", json_integer(age));
    return person;
}
