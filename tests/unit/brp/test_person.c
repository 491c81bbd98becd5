#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "components/brp/fields.h"
#include "components/brp/person.h"
#include "core/base/identifiers.h"
#include "core/format/json.h"

#define TODAY "20261121"

static json_t *parsed(const char *text)
{
    g_autoptr(GError) error = NULL;
    json_t *value = json_parse_strict(text, -1, NULL, &error);
    if (value == NULL)
        fail_msg("%s", error->message);
    return value;
}

static void assert_json(const json_t *value, const char *expected)
{
    g_autoptr(json_t) wanted = parsed(expected);
    g_autofree char *text = json_write(value);
    if (!json_equal(value, wanted))
        fail_msg("expected %s\n   found %s", expected, text);
}

static void assert_part(const char *record_text, const char *part, const char *expected)
{
    g_autoptr(json_t) record = parsed(record_text);
    g_autoptr(json_t) person = brp_person(record, TODAY);
    const json_t *value = json_object_get(person, part);
    if (expected == NULL)
        assert_null(value);
    else
        assert_json(value, expected);
}

static void a_name_gets_its_initials_and_its_written_form(void **state)
{
    assert_part(
        "{\"naam\":{\"voornamen\":\"Theodoor-Jan R. Philip \",\"voorvoegsel\":\"van "
        "der\",\"geslachtsnaam\":\"Ven\","
        "\"adellijkeTitelPredicaat\":{\"soort\":\"titel\",\"code\":\"G\",\"omschrijving\":\"graaf\"}}}",
        "naam",
        "{\"voornamen\":\"Theodoor-Jan R. Philip \",\"voorvoegsel\":\"van der\",\"geslachtsnaam\":\"Ven\","
        "\"adellijkeTitelPredicaat\":{\"soort\":\"titel\",\"code\":\"G\",\"omschrijving\":\"graaf\"},"
        "\"voorletters\":\"T.J.R.P.\",\"volledigeNaam\":\"Theodoor-Jan R. Philip graaf van der Ven\"}");
}

static void a_predicate_stands_before_the_given_names(void **state)
{
    g_autoptr(json_t) name =
        parsed("{\"voornamen\":\"Anna\",\"geslachtsnaam\":\"Groen\",\"adellijkeTitelPredicaat\":"
               "{\"soort\":\"predicaat\",\"code\":\"JV\",\"omschrijving\":\"jonkvrouw\"}}");
    g_autofree char *full = brp_full_name(name);
    assert_string_equal(full, "jonkvrouw Anna Groen");
}

static void an_address_in_the_country_is_an_adres(void **state)
{
    assert_part("{\"verblijfplaats\":{\"straat\":\"Lange "
                "Kade\",\"huisnummer\":\"12\",\"huisletter\":\"A\",\"postcode\":\"9901AB\","
                "\"woonplaats\":\"Waterstad\",\"datumAanvangAdreshouding\":\"20261102\"}}",
                "verblijfplaats",
                "{\"type\":\"Adres\",\"datumVan\":{\"type\":\"Datum\",\"datum\":\"2026-11-02\","
                "\"langFormaat\":\"2 november 2026\"},"
                "\"verblijfadres\":{\"korteStraatnaam\":\"Lange "
                "Kade\",\"huisnummer\":12,\"huisletter\":\"A\",\"postcode\":\"9901AB\","
                "\"woonplaats\":\"Waterstad\"}}");
}

static void a_place_abroad_a_location_and_an_unknown_place_have_their_own_kinds(void **state)
{
    assert_part("{\"verblijfplaats\":{\"regel1\":\"Kerkstraat "
                "9\",\"land\":{\"code\":\"5010\",\"omschrijving\":\"België\"}}}",
                "verblijfplaats",
                "{\"type\":\"VerblijfplaatsBuitenland\",\"verblijfadres\":{\"regel1\":\"Kerkstraat 9\","
                "\"land\":{\"code\":\"5010\",\"omschrijving\":\"België\"}}}");
    assert_part(
        "{\"verblijfplaats\":{\"locatiebeschrijving\":\"woonboot bij de brug\"}}", "verblijfplaats",
        "{\"type\":\"Locatie\",\"verblijfadres\":{\"locatiebeschrijving\":\"woonboot bij de brug\"}}");
    assert_part("{\"verblijfplaats\":{\"land\":{\"code\":\"0000\"}}}", "verblijfplaats",
                "{\"type\":\"VerblijfplaatsOnbekend\"}");
}

static void an_address_without_a_postcode_still_has_its_lines(void **state)
{
    assert_part("{\"verblijfplaats\":{\"straat\":\"Kaya "
                "Flamboyan\",\"huisnummer\":\"7\",\"woonplaats\":\"Kralendijk\"}}",
                "adressering", "{\"adresregel1\":\"Kaya Flamboyan 7\",\"adresregel2\":\"Kralendijk\"}");
    assert_part("{\"verblijfplaats\":{\"straat\":\"Sluisstraat\",\"huisnummer\":\"45\","
                "\"huisnummertoevoeging\":\"B\","
                "\"postcode\":\"9901EF\",\"woonplaats\":\"Waterstad\"}}",
                "adressering",
                "{\"adresregel1\":\"Sluisstraat 45-B\",\"adresregel2\":\"9901 EF Waterstad\"}");
}

static void the_dead_have_no_age(void **state)
{
    assert_part("{\"geboorte\":{\"datum\":\"19520811\"}}", "leeftijd", "74");
    assert_part("{\"geboorte\":{\"datum\":\"19520811\"},\"overlijden\":{\"datum\":\"20240214\"}}", "leeftijd",
                NULL);
}

static void secrecy_is_said_only_when_it_is_there(void **state)
{
    assert_part("{\"geheimhoudingPersoonsgegevens\":\"1\"}", "geheimhoudingPersoonsgegevens", "true");
    assert_part("{\"geheimhoudingPersoonsgegevens\":\"0\"}", "geheimhoudingPersoonsgegevens", NULL);
}

static void a_category_under_investigation_marks_all_that_it_delivers(void **state)
{
    assert_part("{\"verblijfplaats\":{\"locatiebeschrijving\":\"x\",\"inOnderzoek\":{"
                "\"aanduidingGegevensInOnderzoek\":\"080000\","
                "\"datumIngangOnderzoek\":\"20261001\"}}}",
                "verblijfplaats",
                "{\"type\":\"Locatie\",\"verblijfadres\":{\"locatiebeschrijving\":\"x\",\"inOnderzoek\":{"
                "\"locatiebeschrijving\":true,"
                "\"datumIngangOnderzoek\":{\"type\":\"Datum\",\"datum\":\"2026-10-01\",\"langFormaat\":\"1 "
                "oktober 2026\"}}},"
                "\"inOnderzoek\":{\"type\":true,\"verblijfadres\":true,"
                "\"datumIngangOnderzoek\":{\"type\":\"Datum\",\"datum\":\"2026-10-01\",\"langFormaat\":\"1 "
                "oktober 2026\"}}}");
}

static void three_nationality_codes_are_no_nationality(void **state)
{
    static const char *const CASES[][2] = {{"0001", "Nationaliteit"},
                                           {"0000", "NationaliteitOnbekend"},
                                           {"0499", "Staatloos"},
                                           {"0500", "VastgesteldNietNederlander"}};
    for (gsize i = 0; i < G_N_ELEMENTS(CASES); i++) {
        g_autofree char *record =
            g_strdup_printf("{\"nationaliteiten\":[{\"nationaliteit\":{\"code\":\"%s\"}}]}", CASES[i][0]);
        g_autofree char *expected = g_strdup_printf("[{\"type\":\"%s\",\"nationaliteit\":{\"code\":\"%s\"}}]",
                                                    CASES[i][1], CASES[i][0]);
        assert_part(record, "nationaliteiten", expected);
    }
}

/* --- fields --- */

static const char *const PERSON = "{\"burgerservicenummer\":\"999910000\",\"geslacht\":{\"code\":\"V\"},"
                                  "\"naam\":{\"voornamen\":\"A\",\"geslachtsnaam\":\"B\"},"
                                  "\"geboorte\":{\"datum\":{\"type\":\"JaarDatum\",\"jaar\":1990},\"plaats\":"
                                  "{\"code\":\"1\"}},\"opschortingBijhouding\":{\"reden\":{"
                                  "\"code\":\"O\"}},\"verblijfplaats\":{\"type\":\"Adres\",\"verblijfadres\":"
                                  "{\"postcode\":\"9901AB\",\"huisnummer\":1}},"
                                  "\"partners\":[{\"burgerservicenummer\":\"999910048\",\"naam\":{"
                                  "\"voornamen\":\"C\"}},{\"naam\":{\"voornamen\":\"D\"}}]}";

static void assert_fields(const char *const *fields, const char *expected)
{
    g_autoptr(json_t) person = parsed(PERSON);
    g_autoptr(json_t) before = json_deep_copy(person);
    g_autoptr(json_t) filtered = brp_fields_apply(person, fields);
    assert_json(filtered, expected);
    assert_true(json_equal(person, before));
}

#define OPSCHORTING "\"opschortingBijhouding\":{\"reden\":{\"code\":\"O\"}}"

static void only_what_was_asked_is_delivered_with_what_always_goes_along(void **state)
{
    assert_fields((const char *const[]){"naam.voornamen", NULL},
                  "{\"naam\":{\"voornamen\":\"A\"}," OPSCHORTING "}");
    assert_fields(
        (const char *const[]){"verblijfplaats.verblijfadres.postcode", NULL},
        "{\"verblijfplaats\":{\"type\":\"Adres\",\"verblijfadres\":{\"postcode\":\"9901AB\"}}," OPSCHORTING
        "}");
}

static void a_member_of_a_date_or_code_delivers_the_whole(void **state)
{
    assert_fields((const char *const[]){"geboorte.datum.jaar", "geslacht.code", NULL},
                  "{\"geboorte\":{\"datum\":{\"type\":\"JaarDatum\",\"jaar\":1990}},\"geslacht\":{\"code\":"
                  "\"V\"}," OPSCHORTING "}");
}

static void a_field_of_a_list_is_taken_of_every_item(void **state)
{
    assert_fields((const char *const[]){"partners.burgerservicenummer", NULL},
                  "{\"partners\":[{\"burgerservicenummer\":\"999910048\"},{}]," OPSCHORTING "}");
}

static void the_whole_and_a_part_together_give_the_whole(void **state)
{
    const char *expected = "{\"naam\":{\"voornamen\":\"A\",\"geslachtsnaam\":\"B\"}," OPSCHORTING "}";
    assert_fields((const char *const[]){"naam", "naam.voornamen", NULL}, expected);
    assert_fields((const char *const[]){"naam.voornamen", "naam", NULL}, expected);
}

static void paths_that_do_not_exist_are_known_as_such(void **state)
{
    assert_true(brp_field_exists("naam.voornamen", TRUE));
    assert_true(brp_field_exists("geboorte.datum.langFormaat", FALSE));
    assert_true(brp_field_exists("geslacht.omschrijving", FALSE));
    assert_false(brp_field_exists("naam.voornamen.code", FALSE));
    assert_false(brp_field_exists("naam.", FALSE));
    assert_false(brp_field_exists("", FALSE));
    assert_false(brp_field_exists("Naam", FALSE));
    assert_false(brp_field_exists("geslacht.code.code", FALSE));
    assert_false(brp_field_exists("inOnderzoek", FALSE));
}

static void a_search_may_ask_less(void **state)
{
    assert_true(brp_field_exists("burgerservicenummer", TRUE));
    assert_false(brp_field_exists("partners", TRUE));
    assert_false(brp_field_exists("nationaliteiten", TRUE));
    g_autoptr(json_t) person = parsed(PERSON);
    g_autoptr(json_t) limited = brp_fields_limited(person);
    assert_json(
        limited,
        "{\"burgerservicenummer\":\"999910000\",\"geslacht\":{\"code\":\"V\"},\"naam\":{\"voornamen\":\"A\","
        "\"geslachtsnaam\":\"B\"},\"geboorte\":{\"datum\":{\"type\":\"JaarDatum\",\"jaar\":1990}}"
        "," OPSCHORTING "}");
}

/* Every official test person becomes something sensible. */
static void all_official_test_persons_are_delivered(void **state)
{
    const char *data = g_getenv("FUNDAMENT_DATA");
    g_autofree char *path =
        g_build_filename(data != NULL ? data : "", "brp", "personen-mock-test-data.2024-06-11.json", NULL);
    if (data == NULL || !g_file_test(path, G_FILE_TEST_EXISTS)) {
        print_message("# skipped: no ../shared/data\n");
        g_clear_pointer(&path, g_free);
        skip();
    }
    const JsonLimits limits = {64 * 1024 * 1024, 32, 4000000};
    g_autoptr(GError) error = NULL;
    g_autoptr(json_t) records = json_read_file(path, &limits, &error);
    assert_non_null(records);
    assert_int_equal(json_array_size(records), 1176);
    gsize index;
    json_t *record;
    guint valid = 0, ages = 0;
    json_array_foreach(records, index, record)
    {
        g_autoptr(json_t) person = brp_person(record, TODAY);
        const char *bsn = json_string_at(person, "burgerservicenummer");
        assert_non_null(bsn);
        valid += bsn_valid(bsn);
        ages += json_object_get(person, "leeftijd") != NULL;
        assert_non_null(json_string_at(json_object_get(person, "naam"), "geslachtsnaam"));
        if (json_object_get(record, "verblijfplaats") != NULL)
            assert_non_null(json_string_at(json_object_get(person, "verblijfplaats"), "type"));
    }
    assert_int_equal(valid, 1175); /* one fails the 11-test on purpose */
    assert_true(ages > 1000 && ages <= 1176 - 40);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_name_gets_its_initials_and_its_written_form),
        cmocka_unit_test(a_predicate_stands_before_the_given_names),
        cmocka_unit_test(an_address_in_the_country_is_an_adres),
        cmocka_unit_test(a_place_abroad_a_location_and_an_unknown_place_have_their_own_kinds),
        cmocka_unit_test(an_address_without_a_postcode_still_has_its_lines),
        cmocka_unit_test(the_dead_have_no_age),
        cmocka_unit_test(secrecy_is_said_only_when_it_is_there),
        cmocka_unit_test(a_category_under_investigation_marks_all_that_it_delivers),
        cmocka_unit_test(three_nationality_codes_are_no_nationality),
        cmocka_unit_test(only_what_was_asked_is_delivered_with_what_always_goes_along),
        cmocka_unit_test(a_member_of_a_date_or_code_delivers_the_whole),
        cmocka_unit_test(a_field_of_a_list_is_taken_of_every_item),
        cmocka_unit_test(the_whole_and_a_part_together_give_the_whole),
        cmocka_unit_test(paths_that_do_not_exist_are_known_as_such),
        cmocka_unit_test(a_search_may_ask_less),
        cmocka_unit_test(all_official_test_persons_are_delivered),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
