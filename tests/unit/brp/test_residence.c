#include "tests/unit/brp/sample.h"

#include "components/brp/residence.h"

#define SINCE_DAY "{\"type\":\"Datum\",\"datum\":\"2026-10-01\",\"langFormaat\":\"1 oktober 2026\"}"
#define DOUBT(code)                                                                                          \
    "\"inOnderzoek\":{\"aanduidingGegevensInOnderzoek\":\"" code "\",\"datumIngangOnderzoek\":\"20261001\"}"

static void an_address_in_a_street_is_an_adres(void **state)
{
    assert_part(
        "{\"verblijfplaats\":{\"straat\":\"Lange Kade\",\"naamOpenbareRuimte\":\"Lange "
        "Kade\",\"huisnummer\":\"12\","
        "\"huisletter\":\"A\",\"huisnummertoevoeging\":\"bis\",\"postcode\":\"9901AB\",\"woonplaats\":"
        "\"Waterstad\","
        "\"datumAanvangAdreshouding\":\"20261102\",\"datumIngangGeldigheid\":\"20261100\",\"functieAdres\":{"
        "\"code\":"
        "\"W\",\"omschrijving\":\"woonadres\"},\"adresseerbaarObjectIdentificatie\":\"9001010000000012\","
        "\"nummeraanduidingIdentificatie\":\"9001200000000012\"}}",
        "verblijfplaats",
        "{\"type\":\"Adres\",\"datumVan\":{\"type\":\"Datum\",\"datum\":\"2026-11-02\",\"langFormaat\":\"2 "
        "november "
        "2026\"},\"datumIngangGeldigheid\":{\"type\":\"JaarMaandDatum\",\"jaar\":2026,\"maand\":11,"
        "\"langFormaat\":"
        "\"november 2026\"},\"functieAdres\":{\"code\":\"W\",\"omschrijving\":\"woonadres\"},"
        "\"adresseerbaarObjectIdentificatie\":\"9001010000000012\",\"nummeraanduidingIdentificatie\":"
        "\"9001200000000012\",\"verblijfadres\":{\"officieleStraatnaam\":\"Lange "
        "Kade\",\"korteStraatnaam\":\"Lange "
        "Kade\",\"huisnummer\":12,\"huisletter\":\"A\",\"huisnummertoevoeging\":\"bis\",\"postcode\":"
        "\"9901AB\","
        "\"woonplaats\":\"Waterstad\"}}");
}

static void a_described_place_a_place_abroad_and_an_unknown_place_have_their_own_kinds(void **state)
{
    assert_part(
        "{\"verblijfplaats\":{\"locatiebeschrijving\":\"woonboot bij de brug\"}}", "verblijfplaats",
        "{\"type\":\"Locatie\",\"verblijfadres\":{\"locatiebeschrijving\":\"woonboot bij de brug\"}}");
    assert_part(
        "{\"verblijfplaats\":{\"regel1\":\"Kerkstraat 9\",\"datumAanvangAdresBuitenland\":\"20200000\","
        "\"land\":{\"code\":\"5010\",\"omschrijving\":\"België\"}}}",
        "verblijfplaats",
        "{\"type\":\"VerblijfplaatsBuitenland\",\"datumVan\":{\"type\":\"JaarDatum\",\"jaar\":2020,"
        "\"langFormaat\":\"2020\"},\"verblijfadres\":{\"regel1\":\"Kerkstraat "
        "9\",\"land\":{\"code\":\"5010\","
        "\"omschrijving\":\"België\"}}}");
    assert_part("{\"verblijfplaats\":{\"land\":{\"code\":\"0000\"},\"regel1\":\"x\"}}", "verblijfplaats",
                "{\"type\":\"VerblijfplaatsOnbekend\"}");
}

static void nobody_lives_where_nothing_is_said(void **state)
{
    assert_part("{\"verblijfplaats\":{\"datumAanvangAdreshouding\":\"20170423\"}}", "verblijfplaats", NULL);
    assert_part("{\"verblijfplaats\":{\"straat\":\"\"}}", "verblijfplaats", NULL);
    assert_part("{}", "verblijfplaats", NULL);
}

static void values_that_stand_for_unknown_are_not_delivered(void **state)
{
    assert_part("{\"verblijfplaats\":{\"straat\":\".\",\"huisnummer\":\"0\",\"woonplaats\":\".\","
                "\"adresseerbaarObjectIdentificatie\":\"0000000000000000\",\"nummeraanduidingIdentificatie\":"
                "\"24200000123456  \"}}",
                "verblijfplaats", "{\"type\":\"Adres\",\"verblijfadres\":{}}");
}

/* --- address lines --- */

static void assert_lines(const char *record, const char *expected)
{
    g_autoptr(json_t) source = parsed(record);
    g_autoptr(json_t) lines = json_object();
    brp_residence_add_lines(lines, source);
    assert_json(lines, expected);
}

static void the_first_line_is_street_and_number(void **state)
{
    static const struct {
        const char *members, *line;
    } CASES[] = {
        {"", "Spui 9"},
        {",\"huisletter\":\"c\"", "Spui 9 c"},
        {",\"huisnummertoevoeging\":\"III\"", "Spui 9 III"},
        {",\"huisnummertoevoeging\":\"2\"", "Spui 9-2"},
        {",\"huisletter\":\"L\",\"huisnummertoevoeging\":\"Toe\"", "Spui 9 LToe"},
        {",\"huisletter\":\"B\",\"huisnummertoevoeging\":\"73c\"", "Spui 9 B73c"},
        {",\"aanduidingBijHuisnummer\":{\"code\":\"by\"}", "Spui bij 9"},
        {",\"aanduidingBijHuisnummer\":{\"code\":\"to\"},\"huisletter\":\"B\"", "Spui t/o 9 B"},
        {",\"aanduidingBijHuisnummer\":{\"code\":\"by\"},\"huisnummertoevoeging\":\"2\"", "Spui bij 9-2"}};
    for (gsize i = 0; i < G_N_ELEMENTS(CASES); i++) {
        g_autofree char *record = g_strdup_printf(
            "{\"verblijfplaats\":{\"straat\":\"Spui\",\"huisnummer\":\"9\"%s}}", CASES[i].members);
        g_autofree char *expected = g_strdup_printf("{\"adresregel1\":\"%s\"}", CASES[i].line);
        assert_lines(record, expected);
    }
}

static void the_second_line_is_postcode_and_place_in_capitals(void **state)
{
    assert_lines("{\"verblijfplaats\":{\"straat\":\"Spui\",\"huisnummer\":\"9\",\"postcode\":\"2583XL\","
                 "\"woonplaats\":\"Sint-Annapärk\"}}",
                 "{\"adresregel1\":\"Spui 9\",\"adresregel2\":\"2583 XL  SINT-ANNAPÄRK\"}");
    assert_lines("{\"gemeenteVanInschrijving\":{\"code\":\"0518\",\"omschrijving\":\"'s-Gravenhage\"},"
                 "\"verblijfplaats\":{\"straat\":\"Spui\",\"huisnummer\":\"9\",\"postcode\":\"2583XL\","
                 "\"woonplaats\":\".\"}}",
                 "{\"adresregel1\":\"Spui 9\",\"adresregel2\":\"2583 XL  'S-GRAVENHAGE\"}");
}

/* The islands have no postcodes. */
static void an_address_on_bonaire_has_its_lines_as_well(void **state)
{
    assert_lines("{\"verblijfplaats\":{\"straat\":\"Kaya Flamboyan\",\"huisnummer\":\"7\",\"woonplaats\":"
                 "\"Kralendijk\"}}",
                 "{\"adresregel1\":\"Kaya Flamboyan 7\",\"adresregel2\":\"KRALENDIJK\"}");
}

static void a_described_place_is_a_line_of_its_own(void **state)
{
    assert_lines("{\"gemeenteVanInschrijving\":{\"omschrijving\":\"Waterstad\"},\"verblijfplaats\":"
                 "{\"locatiebeschrijving\":\"Woonboot tegenover de sloot\"}}",
                 "{\"adresregel1\":\"Woonboot tegenover de sloot\",\"adresregel2\":\"WATERSTAD\"}");
}

static void lines_abroad_are_those_of_the_source(void **state)
{
    assert_lines(
        "{\"verblijfplaats\":{\"regel1\":\"Rue 26\",\"regel2\":\"Bruxelles\",\"regel3\":\"1000\",\"land\":"
        "{\"code\":\"5010\",\"omschrijving\":\"België\"}}}",
        "{\"adresregel1\":\"Rue 26\",\"adresregel2\":\"Bruxelles\",\"adresregel3\":\"1000\",\"land\":"
        "{\"code\":\"5010\",\"omschrijving\":\"België\"}}");
}

static void without_the_half_of_an_address_there_are_no_lines(void **state)
{
    static const char *const CASES[] = {
        "\"straat\":\".\",\"huisnummer\":\"88\",\"postcode\":\"2583XL\"",
        "\"straat\":\"Spui\",\"huisnummer\":\"0\",\"postcode\":\"2583XL\"", "\"straat\":\"Spui\"",
        "\"land\":{\"code\":\"0000\"},\"regel1\":\"Rue 26\"", "\"land\":{\"code\":\"5010\"}"};
    for (gsize i = 0; i < G_N_ELEMENTS(CASES); i++) {
        g_autofree char *record = g_strdup_printf("{\"verblijfplaats\":{%s}}", CASES[i]);
        assert_lines(record, "{}");
    }
}

/* --- under investigation --- */

static int compare_names(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* The marks of `group` ("verblijfplaats", "verblijfadres", "adressering" or "immigratie") in alphabetical
 * order. */
static void assert_marks(const char *members, const char *code, const char *group, const char *expected)
{
    g_autofree char *record = g_strdup_printf(
        "{\"immigratie\":{\"datumVestigingInNederland\":\"20200101\"},\"verblijfplaats\":{%s,\"inOnderzoek\":"
        "{\"aanduidingGegevensInOnderzoek\":\"%s\",\"datumIngangOnderzoek\":\"20261001\"}}}",
        members, code);
    g_autoptr(json_t) person = person_of(record);
    const json_t *owner = strcmp(group, "verblijfadres") == 0
                              ? json_object_get(json_object_get(person, "verblijfplaats"), group)
                              : json_object_get(person, group);
    g_autoptr(GPtrArray) names = g_ptr_array_new();
    const char *name;
    json_t *value;
    json_object_foreach(json_object_get(owner, "inOnderzoek"), name, value) if (json_is_true(value))
        g_ptr_array_add(names, (gpointer)name);
    g_ptr_array_sort(names, compare_names);
    g_ptr_array_add(names, NULL);
    g_autofree char *found = g_strjoinv(" ", (char **)names->pdata);
    if (strcmp(found, expected) != 0)
        fail_msg("%s of %s: expected %s, found %s", group, code, expected, found);
}

#define STREET "\"straat\":\"Spui\",\"huisnummer\":\"9\""
#define PLACE "\"locatiebeschrijving\":\"woonboot\""
#define ABROAD "\"regel1\":\"Rue 26\",\"land\":{\"code\":\"5010\"}"

static void each_element_under_investigation_marks_what_is_made_from_it(void **state)
{
    static const struct {
        const char *members, *code, *residence, *address, *lines;
    } CASES[] = {
        {STREET, "080000",
         "adresseerbaarObjectIdentificatie datumIngangGeldigheid datumVan functieAdres "
         "nummeraanduidingIdentificatie type",
         "aanduidingBijHuisnummer huisletter huisnummer huisnummertoevoeging korteStraatnaam "
         "officieleStraatnaam "
         "postcode woonplaats",
         "adresregel1 adresregel2 adresregel3 land"},
        {STREET, "081000", "datumVan functieAdres", "", ""},
        {STREET, "081100", "adresseerbaarObjectIdentificatie nummeraanduidingIdentificatie type",
         "aanduidingBijHuisnummer huisletter huisnummer huisnummertoevoeging korteStraatnaam "
         "officieleStraatnaam "
         "postcode woonplaats",
         "adresregel1 adresregel2"},
        {STREET, "081110", "type", "korteStraatnaam", "adresregel1"},
        {STREET, "081115", "", "officieleStraatnaam", ""},
        {STREET, "081120", "", "huisnummer", "adresregel1"},
        {STREET, "081160", "", "postcode", "adresregel2"},
        {STREET, "081180", "adresseerbaarObjectIdentificatie", "", ""},
        {STREET, "080900", "", "", "adresregel2"},
        {STREET, "080920", "", "", ""},
        {STREET, "088500", "datumIngangGeldigheid", "", ""},
        {PLACE, "081200", "type", "locatiebeschrijving", "adresregel1"},
        {PLACE, "081030", "datumVan", "", ""},
        {ABROAD, "081300", "datumVan type", "land regel1 regel2 regel3",
         "adresregel1 adresregel2 adresregel3 land"},
        {ABROAD, "081310", "type", "land", "land"},
        {ABROAD, "081320", "datumVan", "", ""},
        {ABROAD, "081340", "", "regel2", "adresregel2"},
        {STREET, "010000", "", "", ""},
        {STREET, "0811", "", "", ""},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(CASES); i++) {
        assert_marks(CASES[i].members, CASES[i].code, "verblijfplaats", CASES[i].residence);
        assert_marks(CASES[i].members, CASES[i].code, "verblijfadres", CASES[i].address);
        assert_marks(CASES[i].members, CASES[i].code, "adressering", CASES[i].lines);
    }
}

static void immigration_is_investigated_with_the_residence(void **state)
{
    assert_marks(STREET, "081400", "immigratie",
                 "datumVestigingInNederland indicatieVestigingVanuitBuitenland landVanwaarIngeschreven "
                 "vanuitVerblijfplaatsOnbekend");
    assert_marks(STREET, "081410", "immigratie", "landVanwaarIngeschreven vanuitVerblijfplaatsOnbekend");
    assert_marks(STREET, "081110", "immigratie", "");
}

/* LO BRP 83.10, 089999 */
static void who_does_not_live_there_is_told_with_every_part_of_the_address(void **state)
{
    assert_marks(STREET, "089999", "verblijfadres",
                 "aanduidingBijHuisnummer huisletter huisnummer huisnummertoevoeging korteStraatnaam "
                 "officieleStraatnaam postcode woonplaats");
    assert_marks(STREET, "089999", "immigratie", "");
    assert_asked(
        "{\"verblijfplaats\":{" PLACE "," DOUBT("089999") "}}", "adressering.adresregel1,verblijfplaats.type",
        "{\"verblijfplaats\":{\"type\":\"Locatie\",\"indicatieVastgesteldVerblijftNietOpAdres\":true,"
        "\"inOnderzoek\":{\"type\":true,\"datumIngangOnderzoek\":" SINCE_DAY "}},\"adressering\":{"
        "\"adresregel1\":\"woonboot\",\"indicatieVastgesteldVerblijftNietOpAdres\":true,\"inOnderzoek\":{"
        "\"adresregel1\":true,\"datumIngangOnderzoekVerblijfplaats\":" SINCE_DAY "}}}");
    assert_asked("{\"burgerservicenummer\":\"999910000\",\"verblijfplaats\":{" PLACE "," DOUBT("089999") "}}",
                 "burgerservicenummer", "{\"burgerservicenummer\":\"999910000\"}");
}

static void an_investigation_that_has_ended_marks_nothing(void **state)
{
    assert_part("{\"verblijfplaats\":{" PLACE ",\"inOnderzoek\":{\"aanduidingGegevensInOnderzoek\":"
                "\"080000\",\"datumIngangOnderzoek\":\"20260101\","
                "\"datumEindeOnderzoek\":\"20260201\"}}}",
                "verblijfplaats",
                "{\"type\":\"Locatie\",\"verblijfadres\":{\"locatiebeschrijving\":\"woonboot\"}}");
}

/* --- immigration --- */

static void immigration_tells_what_follows_from_its_date_and_country(void **state)
{
    assert_part(
        "{\"immigratie\":{\"datumVestigingInNederland\":\"00000000\"}}", "immigratie",
        "{\"datumVestigingInNederland\":{\"type\":\"DatumOnbekend\",\"onbekend\":true,\"langFormaat\":"
        "\"onbekend\"},\"indicatieVestigingVanuitBuitenland\":true}");
    assert_part("{\"immigratie\":{\"landVanwaarIngeschreven\":{\"code\":\"0000\"}}}", "immigratie",
                "{\"vanuitVerblijfplaatsOnbekend\":true}");
    assert_part("{}", "immigratie", NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_address_in_a_street_is_an_adres),
        cmocka_unit_test(a_described_place_a_place_abroad_and_an_unknown_place_have_their_own_kinds),
        cmocka_unit_test(nobody_lives_where_nothing_is_said),
        cmocka_unit_test(values_that_stand_for_unknown_are_not_delivered),
        cmocka_unit_test(the_first_line_is_street_and_number),
        cmocka_unit_test(the_second_line_is_postcode_and_place_in_capitals),
        cmocka_unit_test(an_address_on_bonaire_has_its_lines_as_well),
        cmocka_unit_test(a_described_place_is_a_line_of_its_own),
        cmocka_unit_test(lines_abroad_are_those_of_the_source),
        cmocka_unit_test(without_the_half_of_an_address_there_are_no_lines),
        cmocka_unit_test(each_element_under_investigation_marks_what_is_made_from_it),
        cmocka_unit_test(immigration_is_investigated_with_the_residence),
        cmocka_unit_test(who_does_not_live_there_is_told_with_every_part_of_the_address),
        cmocka_unit_test(an_investigation_that_has_ended_marks_nothing),
        cmocka_unit_test(immigration_tells_what_follows_from_its_date_and_country),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
