#include "components/brp/residence.h"

#include <string.h>

#include "components/brp/investigation.h"
#include "components/brp/mapping.h"
#include "core/format/json.h"

#define CATEGORY "08"
#define SINCE "datumIngangOnderzoek"

/* One kind of residence: what identifies it, and its members with the elements of the source behind them. */
typedef struct {
    const char *type;
    gboolean domestic;
    const BrpMapping *members;
    gsize n_members;
    const BrpMapping *address;
    gsize n_address;
    const BrpElements *elements;
    gsize n_elements;
    const BrpElements *address_elements;
    gsize n_address_elements;
} Residence;

#define TABLE(table) table, G_N_ELEMENTS(table)

static const BrpMapping ADDRESS_MEMBERS[] = {
    {"functieAdres", "functieAdres", BRP_CODE},
    {"datumAanvangAdreshouding", "datumVan", BRP_DATE},
    {"datumIngangGeldigheid", "datumIngangGeldigheid", BRP_DATE},
    {"adresseerbaarObjectIdentificatie", "adresseerbaarObjectIdentificatie", BRP_BAG_ID},
    {"nummeraanduidingIdentificatie", "nummeraanduidingIdentificatie", BRP_BAG_ID},
};
static const BrpElements ADDRESS_MEMBER_ELEMENTS[] = {
    {"type", "1110 9999"},
    {"functieAdres", "1010 9999"},
    {"datumVan", "1030 9999"},
    {"datumIngangGeldigheid", "8510 9999"},
    {"adresseerbaarObjectIdentificatie", "1180 9999"},
    {"nummeraanduidingIdentificatie", "1190 9999"},
};
static const BrpMapping ADDRESS[] = {
    {"naamOpenbareRuimte", "officieleStraatnaam", BRP_TEXT},
    {"straat", "korteStraatnaam", BRP_TEXT},
    {"huisnummer", "huisnummer", BRP_NUMBER},
    {"huisletter", "huisletter", BRP_TEXT},
    {"huisnummertoevoeging", "huisnummertoevoeging", BRP_TEXT},
    {"aanduidingBijHuisnummer", "aanduidingBijHuisnummer", BRP_CODE},
    {"postcode", "postcode", BRP_TEXT},
    {"woonplaats", "woonplaats", BRP_TEXT},
};
static const BrpElements ADDRESS_ELEMENTS[] = {
    {"officieleStraatnaam", "1115 9999"},
    {"korteStraatnaam", "1110 9999"},
    {"huisnummer", "1120 9999"},
    {"huisletter", "1130 9999"},
    {"huisnummertoevoeging", "1140 9999"},
    {"aanduidingBijHuisnummer", "1150 9999"},
    {"postcode", "1160 9999"},
    {"woonplaats", "1170 9999"},
};

static const BrpMapping PLACE_MEMBERS[] = {
    {"functieAdres", "functieAdres", BRP_CODE},
    {"datumAanvangAdreshouding", "datumVan", BRP_DATE},
    {"datumIngangGeldigheid", "datumIngangGeldigheid", BRP_DATE},
};
static const BrpElements PLACE_MEMBER_ELEMENTS[] = {
    {"type", "1210 9999"},
    {"functieAdres", "1010 9999"},
    {"datumVan", "1030 9999"},
    {"datumIngangGeldigheid", "8510 9999"},
};
static const BrpMapping PLACE[] = {{"locatiebeschrijving", "locatiebeschrijving", BRP_TEXT}};
static const BrpElements PLACE_ELEMENTS[] = {{"locatiebeschrijving", "1210 9999"}};

static const BrpMapping ABROAD_MEMBERS[] = {
    {"datumAanvangAdresBuitenland", "datumVan", BRP_DATE},
    {"datumIngangGeldigheid", "datumIngangGeldigheid", BRP_DATE},
};
static const BrpElements ABROAD_MEMBER_ELEMENTS[] = {
    {"type", "1310"}, {"datumVan", "1320"}, {"datumIngangGeldigheid", "8510"}};
static const BrpMapping ABROAD[] = {
    {"regel1", "regel1", BRP_TEXT},
    {"regel2", "regel2", BRP_TEXT},
    {"regel3", "regel3", BRP_TEXT},
    {"land", "land", BRP_CODE},
};
static const BrpElements ABROAD_ELEMENTS[] = {
    {"regel1", "1330"}, {"regel2", "1340"}, {"regel3", "1350"}, {"land", "1310"}};

static const Residence IN_A_STREET = {"Adres",
                                      TRUE,
                                      TABLE(ADDRESS_MEMBERS),
                                      TABLE(ADDRESS),
                                      TABLE(ADDRESS_MEMBER_ELEMENTS),
                                      TABLE(ADDRESS_ELEMENTS)};
static const Residence AT_A_PLACE = {
    "Locatie", TRUE, TABLE(PLACE_MEMBERS), TABLE(PLACE), TABLE(PLACE_MEMBER_ELEMENTS), TABLE(PLACE_ELEMENTS)};
static const Residence IN_ANOTHER_COUNTRY = {"VerblijfplaatsBuitenland",    FALSE,
                                             TABLE(ABROAD_MEMBERS),         TABLE(ABROAD),
                                             TABLE(ABROAD_MEMBER_ELEMENTS), TABLE(ABROAD_ELEMENTS)};
static const Residence UNKNOWN = {
    "VerblijfplaatsOnbekend", FALSE, TABLE(ABROAD_MEMBERS), NULL, 0, TABLE(ABROAD_MEMBER_ELEMENTS), NULL, 0};

static gboolean is_there(const json_t *source, const char *name)
{
    const char *text = json_string_at(source, name);
    return text != NULL && text[0] != '\0';
}

/* A street "." is a street that is not known: an address all the same. */
static const Residence *kind_of(const json_t *source)
{
    const char *country = brp_code(source, "land");
    if (country != NULL && strcmp(country, "0000") == 0)
        return &UNKNOWN;
    if (country != NULL)
        return &IN_ANOTHER_COUNTRY;
    if (is_there(source, "straat"))
        return &IN_A_STREET;
    return is_there(source, "locatiebeschrijving") ? &AT_A_PLACE : NULL;
}

static void set_absent(json_t *target, const json_t *investigation)
{
    if (brp_investigation_is_absent(investigation))
        json_object_set_new(target, "indicatieVastgesteldVerblijftNietOpAdres", json_true());
}

json_t *brp_residence(const json_t *record)
{
    const json_t *source = json_object_get(record, "verblijfplaats");
    const json_t *investigation = json_object_get(source, "inOnderzoek");
    const Residence *kind = kind_of(source);
    if (kind == NULL)
        return NULL;
    json_t *out = json_pack("{s:s}", "type", kind->type);
    brp_map(out, source, kind->members, kind->n_members);
    if (kind->domestic)
        set_absent(out, investigation);
    brp_investigation_mark(out, investigation, CATEGORY, kind->elements, kind->n_elements, SINCE);
    if (kind->address != NULL) {
        json_t *address = json_object();
        brp_map(address, source, kind->address, kind->n_address);
        brp_investigation_mark(address, investigation, CATEGORY, kind->address_elements,
                               kind->n_address_elements, SINCE);
        json_object_set_new(out, "verblijfadres", address);
    }
    return out;
}

gboolean brp_residence_is_domestic(const json_t *residence)
{
    const char *type = json_string_at(residence, "type");
    return g_strcmp0(type, IN_A_STREET.type) == 0 || g_strcmp0(type, AT_A_PLACE.type) == 0;
}

/* --- address lines --- */

static const char *beside(const json_t *source)
{
    const char *code = brp_code(source, "aanduidingBijHuisnummer");
    if (g_strcmp0(code, "by") == 0)
        return "bij ";
    return g_strcmp0(code, "to") == 0 ? "t/o " : "";
}

/* "Cronus 555 B73c", "Spui 9-2", "Spui 9 III": an addition that begins with a digit must not run into the
 * number. */
static char *street_line(const json_t *source, json_int_t number)
{
    const char *letter = brp_known(source, "huisletter"),
               *addition = brp_known(source, "huisnummertoevoeging");
    const char *joint = addition == NULL || letter != NULL ? "" : g_ascii_isdigit(addition[0]) ? "-" : " ";
    return g_strdup_printf("%s %s%" JSON_INTEGER_FORMAT "%s%s%s%s", brp_known(source, "straat"),
                           beside(source), number, letter != NULL ? " " : "", letter != NULL ? letter : "",
                           joint, addition != NULL ? addition : "");
}

static char *place_line(const json_t *record, const json_t *source)
{
    const char *postcode = brp_known(source, "postcode"), *place = brp_known(source, "woonplaats");
    if (place == NULL)
        place = json_string_at(json_object_get(record, "gemeenteVanInschrijving"), "omschrijving");
    g_autofree char *capitals = g_utf8_strup(place != NULL ? place : "", -1);
    if (postcode == NULL || strlen(postcode) != 6)
        return g_steal_pointer(&capitals);
    return g_strdup_printf("%.4s %s%s%s", postcode, postcode + 4, capitals[0] != '\0' ? "  " : "", capitals);
}

static void add_street_lines(json_t *addressing, const json_t *record, const json_t *source)
{
    g_autoptr(json_t) numbers = json_object();
    static const BrpMapping NUMBER[] = {{"huisnummer", "huisnummer", BRP_NUMBER}};
    BRP_MAP(numbers, source, NUMBER);
    json_int_t number = json_integer_at(numbers, "huisnummer");
    if (number == 0 || brp_known(source, "straat") == NULL)
        return;
    g_autofree char *first = street_line(source, number);
    g_autofree char *second = place_line(record, source);
    brp_set_text(addressing, "adresregel1", first);
    brp_set_text(addressing, "adresregel2", second);
}

static void add_place_lines(json_t *addressing, const json_t *record, const json_t *source)
{
    g_autofree char *second = place_line(record, source);
    brp_set_text(addressing, "adresregel1", brp_known(source, "locatiebeschrijving"));
    brp_set_text(addressing, "adresregel2", second);
}

static void add_lines_abroad(json_t *addressing, const json_t *source)
{
    static const BrpMapping LINES[] = {{"regel1", "adresregel1", BRP_TEXT},
                                       {"regel2", "adresregel2", BRP_TEXT},
                                       {"regel3", "adresregel3", BRP_TEXT}};
    static const BrpMapping COUNTRY[] = {{"land", "land", BRP_CODE}};
    g_autoptr(json_t) lines = json_object();
    BRP_MAP(lines, source, LINES);
    if (json_object_size(lines) == 0)
        return;
    json_object_update(addressing, lines);
    BRP_MAP(addressing, source, COUNTRY);
}

void brp_residence_add_lines(json_t *addressing, const json_t *record)
{
    static const BrpElements LINES[] = {
        {"adresregel1", "1110 1120 1130 1140 1150 1210 1330 9999"},
        {"adresregel2", "0910 1160 1170 1340 9999"},
        {"adresregel3", "1350 9999"},
        {"land", "1310 9999"},
    };
    const json_t *source = json_object_get(record, "verblijfplaats");
    const json_t *investigation = json_object_get(source, "inOnderzoek");
    const Residence *kind = kind_of(source);
    if (kind == &IN_A_STREET)
        add_street_lines(addressing, record, source);
    else if (kind == &AT_A_PLACE)
        add_place_lines(addressing, record, source);
    else if (kind == &IN_ANOTHER_COUNTRY)
        add_lines_abroad(addressing, source);
    if (kind != NULL && kind->domestic)
        set_absent(addressing, investigation);
    brp_investigation_mark(addressing, investigation, CATEGORY, LINES, G_N_ELEMENTS(LINES),
                           "datumIngangOnderzoekVerblijfplaats");
}

/* --- immigration --- */

json_t *brp_immigration(const json_t *record)
{
    static const BrpMapping MEMBERS[] = {{"datumVestigingInNederland", "datumVestigingInNederland", BRP_DATE},
                                         {"landVanwaarIngeschreven", "landVanwaarIngeschreven", BRP_CODE}};
    static const BrpElements ELEMENTS[] = {{"datumVestigingInNederland", "1420"},
                                           {"indicatieVestigingVanuitBuitenland", "1420"},
                                           {"landVanwaarIngeschreven", "1410"},
                                           {"vanuitVerblijfplaatsOnbekend", "1410"}};
    const json_t *source = json_object_get(record, "immigratie");
    json_t *out = json_object();
    BRP_MAP(out, source, MEMBERS);
    if (json_object_get(out, "datumVestigingInNederland") != NULL)
        json_object_set_new(out, "indicatieVestigingVanuitBuitenland", json_true());
    if (g_strcmp0(brp_code(source, "landVanwaarIngeschreven"), "0000") == 0)
        json_object_set_new(out, "vanuitVerblijfplaatsOnbekend", json_true());
    const json_t *investigation = json_object_get(json_object_get(record, "verblijfplaats"), "inOnderzoek");
    brp_investigation_mark(out, investigation, CATEGORY, ELEMENTS, G_N_ELEMENTS(ELEMENTS), SINCE);
    if (json_object_size(source) == 0 && json_object_size(out) == 0)
        g_clear_pointer(&out, json_decref);
    return out;
}
