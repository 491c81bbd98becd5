/* The register's answer in plain words: everything that it holds, in groups, with the marks of an
 * investigation. */
#include "components/inzage/own_data.h"

#include "core/format/json.h"
#include "tests/unit/inzage/support.h"

static json_t *sections_of(const char *text, const char *language)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(json_t) person = json_parse_strict(text, -1, NULL, &error);
    no_error(error);
    return own_data_sections(person, language);
}

/* "label=value" of a row, with "!" when it is under investigation; NULL when there is no such row. */
static char *row(const json_t *sections, gsize section, gsize item, gsize index)
{
    const json_t *items = json_object_get(json_array_get(sections, section), "items");
    const json_t *at = json_array_get(json_object_get(json_array_get(items, item), "rows"), index);
    if (at == NULL)
        return NULL;
    return g_strdup_printf("%s=%s%s", json_string_at(at, "label"),
                           json_string_at(json_object_get(at, "value"), "text"),
                           json_boolean_at(at, "investigated") ? "!" : "");
}

static void assert_row(const json_t *sections, gsize section, gsize item, gsize index, const char *expected)
{
    g_autofree char *found = row(sections, section, item, index);
    assert_non_null(found);
    assert_string_equal(found, expected);
}

static void groups_and_names_what_the_register_holds(void **state)
{
    g_autoptr(json_t) sections = sections_of("{\"verblijfplaats\": {\"type\": \"Adres\", \"verblijfadres\": "
                                             "{\"huisnummer\": 12, \"woonplaats\": \"W\"}},"
                                             " \"naam\": {\"voornamen\": \"Samira\"}, \"geslacht\": "
                                             "{\"code\": \"V\", \"omschrijving\": \"vrouw\"},"
                                             " \"geheimhoudingPersoonsgegevens\": true}",
                                             "nl");
    assert_int_equal(json_array_size(sections), 2);
    assert_string_equal(json_string_at(json_array_get(sections, 0), "title"), "U zelf");
    assert_row(sections, 0, 0, 0, "Voornamen=Samira");
    assert_row(sections, 0, 0, 1, "Geslacht=vrouw");
    assert_row(sections, 1, 0, 0, "Huisnummer=12");
    assert_row(sections, 1, 0, 1, "Woonplaats=W");
    assert_row(sections, 1, 0, 2, "Gegevens geheim=ja");
    assert_null(row(sections, 1, 0, 3));
}

static void writes_dates_as_far_as_they_are_known(void **state)
{
    static const struct {
        const char *date, *dutch, *english;
    } DATES[] = {
        {"{\"type\": \"Datum\", \"datum\": \"1948-04-01\", \"langFormaat\": \"1 april 1948\"}",
         "1 april 1948", "1 April 1948"},
        {"{\"type\": \"JaarMaandDatum\", \"jaar\": 1948, \"maand\": 3, \"langFormaat\": \"maart 1948\"}",
         "maart 1948", "March 1948"},
        {"{\"type\": \"JaarDatum\", \"jaar\": 1948, \"langFormaat\": \"1948\"}", "1948", "1948"},
        {"{\"type\": \"DatumOnbekend\", \"onbekend\": true, \"langFormaat\": \"onbekend\"}", "onbekend",
         "unknown"},
        {"{\"type\": \"Datum\", \"datum\": \"nooit\", \"langFormaat\": \"nooit\"}", "nooit", "nooit"},
        {"{\"type\": \"JaarMaandDatum\", \"jaar\": 1948, \"maand\": 13, \"langFormaat\": \"?\"}", "?", "?"},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(DATES); i++) {
        g_autofree char *text = g_strdup_printf("{\"geboorte\": {\"datum\": %s}}", DATES[i].date);
        g_autofree char *dutch = g_strconcat("Geboren op=", DATES[i].dutch, NULL);
        g_autofree char *english = g_strconcat("Born on=", DATES[i].english, NULL);
        g_autoptr(json_t) nl = sections_of(text, "nl"), en = sections_of(text, "en");
        assert_row(nl, 0, 0, 0, dutch);
        assert_row(en, 0, 0, 0, english);
    }
}

static void gives_each_child_a_place_of_its_own(void **state)
{
    g_autoptr(json_t) sections =
        sections_of("{\"kinderen\": [{\"leeftijd\": 9, \"naam\": {\"voornamen\": \"Noor\"}}, {},"
                    " {\"naam\": {\"voornamen\": \"Adam\"}}]}",
                    "nl");
    const json_t *items = json_object_get(json_array_get(sections, 0), "items");
    assert_int_equal(json_array_size(items), 2);
    assert_string_equal(json_string_at(json_array_get(items, 0), "heading"), "Kind 1");
    assert_row(sections, 0, 0, 0, "Voornamen=Noor");
    assert_row(sections, 0, 0, 1, "Leeftijd=9");
    assert_row(sections, 0, 1, 0, "Voornamen=Adam");
}

static void marks_what_is_under_investigation(void **state)
{
    g_autoptr(json_t) sections = sections_of(
        "{\"verblijfplaats\": {\"verblijfadres\": {\"postcode\": \"1234AB\", \"woonplaats\": \"W\"}, "
        "\"inOnderzoek\":"
        " {\"functieAdres\": true}, \"functieAdres\": {\"code\": \"W\", \"omschrijving\": \"woonadres\"}},"
        " \"naam\": {\"voornamen\": \"S\"}}",
        "nl");
    assert_row(sections, 0, 0, 0, "Voornamen=S");
    assert_row(sections, 1, 0, 0, "Postcode=1234AB");
    assert_row(sections, 1, 0, 2, "Soort adres=woonadres!");
    assert_true(own_data_investigated(sections));
}

static void marks_everything_below_a_group_under_investigation(void **state)
{
    g_autoptr(json_t) sections = sections_of("{\"verblijfplaats\": {\"verblijfadres\": {\"postcode\": "
                                             "\"1234AB\"}, \"inOnderzoek\": {\"verblijfadres\":"
                                             " true, \"datumIngangOnderzoek\": {\"type\": \"Datum\", "
                                             "\"datum\": \"2026-11-10\", \"langFormaat\": \"x\"}}}}",
                                             "nl");
    assert_row(sections, 0, 0, 0, "Postcode=1234AB!");
    assert_row(sections, 0, 0, 1, "Onderzoek begonnen op=10 november 2026!");
}

static void sees_no_investigation_where_there_is_none(void **state)
{
    g_autoptr(json_t) sections =
        sections_of("{\"naam\": {\"voornamen\": \"S\", \"inOnderzoek\": {\"voornamen\": false}}}", "nl");
    assert_row(sections, 0, 0, 0, "Voornamen=S");
    assert_false(own_data_investigated(sections));
}

/* What this program has no words for is shown all the same. */
static void hides_nothing_that_it_does_not_know(void **state)
{
    g_autoptr(json_t) sections =
        sections_of("{\"ietsNieuws\": {\"raarVeld\": [1, {\"dieperVeld\": false}]}, \"los\": \"x\"}", "nl");
    assert_string_equal(json_string_at(json_array_get(sections, 0), "title"), "Andere gegevens");
    assert_row(sections, 0, 0, 0, "raar veld=1");
    assert_row(sections, 0, 0, 1, "dieper veld=nee");
    assert_row(sections, 0, 0, 2, "los=x");
}

static void puts_values_of_the_api_in_words(void **state)
{
    g_autoptr(json_t) nl = sections_of("{\"gezag\": [{\"type\": \"TweehoofdigOuderlijkGezag\"}]}", "nl");
    g_autoptr(json_t) en = sections_of("{\"gezag\": [{\"type\": \"NieuwSoortGezag\"}]}", "en");
    assert_row(nl, 0, 0, 0, "Soort gezag=beide ouders samen");
    assert_row(en, 0, 0, 0, "Kind of authority=Nieuw soort gezag");
}

static const json_t *first_value(const json_t *sections)
{
    const json_t *items = json_object_get(json_array_get(sections, 0), "items");
    return json_object_get(json_array_get(json_object_get(json_array_get(items, 0), "rows"), 0), "value");
}

/* WCAG 2.2, 3.1.2: text in another language than the page says so. */
static void says_what_is_dutch_on_an_english_page(void **state)
{
    g_autoptr(json_t) en =
        sections_of("{\"geslacht\": {\"code\": \"V\", \"omschrijving\": \"vrouw\"}}", "en");
    g_autoptr(json_t) nl =
        sections_of("{\"geslacht\": {\"code\": \"V\", \"omschrijving\": \"vrouw\"}}", "nl");
    assert_string_equal(json_string_at(first_value(en), "lang"), "nl");
    assert_null(json_object_get(first_value(nl), "lang"));
}

static void is_empty_for_an_empty_person(void **state)
{
    g_autoptr(json_t) sections = sections_of("{\"kinderen\": [], \"naam\": {}}", "nl");
    assert_int_equal(json_array_size(sections), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(groups_and_names_what_the_register_holds),
        cmocka_unit_test(writes_dates_as_far_as_they_are_known),
        cmocka_unit_test(gives_each_child_a_place_of_its_own),
        cmocka_unit_test(marks_what_is_under_investigation),
        cmocka_unit_test(marks_everything_below_a_group_under_investigation),
        cmocka_unit_test(sees_no_investigation_where_there_is_none),
        cmocka_unit_test(hides_nothing_that_it_does_not_know),
        cmocka_unit_test(puts_values_of_the_api_in_words),
        cmocka_unit_test(says_what_is_dutch_on_an_english_page),
        cmocka_unit_test(is_empty_for_an_empty_person),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
