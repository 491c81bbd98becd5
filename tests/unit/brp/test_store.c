/* Who is found. On both engines. */
#include "components/brp/load.h"
#include "components/brp/store.h"
#include "tests/unit/brp/sample.h"
#include "tests/unit/node/support.h"

#define PERSON(bsn, rest) "{\"burgerservicenummer\": \"" bsn "\", " rest "}"
#define NAMED(given, surname)                                                                                \
    "\"naam\": {\"voornamen\": \"" given "\", \"geslachtsnaam\": \"" surname                                 \
    "\"}, \"geboorte\": {\"datum\": "                                                                        \
    "\"19830526\"}"

static const char PERSONS[] = "[" PERSON(
    "000009830",
    NAMED("Jan Piet", "Jansen") ", \"geslacht\": {\"code\": \"M\"},"
                                " \"gemeenteVanInschrijving\": {\"code\": "
                                "\"0599\"}") "," PERSON("000009842",
                                                        NAMED("Anna", "Jansen") ", "
                                                                                "\"geslach"
                                                                                "t\": "
                                                                                "{\"code\""
                                                                                ": \"V\"},"
                                                                                " \"gemeen"
                                                                                "teVanInsc"
                                                                                "hrijving"
                                                                                "\": "
                                                                                "{\"code\""
                                                                                ": "
                                                                                "\"0518\""
                                                                                "}") "," PERSON("000009866", NAMED("Ayşe",
                                                                                                                   "Gündoğan")) "," PERSON("000009878", NAMED("Ayse", "Gundogan")) "," PERSON("000009891", "\"naam\": {\"geslachtsnaam\": \"Berg\", \"voorvoegsel\": \"van den\"},"
                                                                                                                                                                                                           " \"geboorte\": {\"datum\": \"19830526\"}") "," PERSON("000009908", "\"naam\": {\"geslachtsnaam\": \"Berg\"}, \"geboorte\": {\"datum\": \"19830526\"},"
                                                                                                                                                                                                                                                                               " \"overlijden\": {\"datum\": \"20200101\"}") "," PERSON("000009921",
                                                                                                                                                                                                                                                                                                                                        "\"naam\": {\"geslachtsnaam\": \"Berg\"}, \"geboorte\": {\"datum\": \"19830526\"},"
                                                                                                                                                                                                                                                                                                                                        " \"opschortingBijhouding\": {\"reden\": {\"code\": \"O\"}}") "," PERSON("000009933",
                                                                                                                                                                                                                                                                                                                                                                                                                 "\"naam\": {\"geslachtsnaam\": \"Jansen\"}, \"geboorte\": {\"datum\": \"19830500\"}") "," PERSON("000009945",
                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                  "\"naam\": {\"geslachtsnaam\": \"100% _Eng*\"}, \"geboorte\": {\"datum\": \"19830526\"}") "," PERSON("000009957", "\"geboorte\": {\"datum\": \"19830526\"}") "," PERSON("000009969",
                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                          NAMED(
                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                              "Çelik-Étienne", "Ägren")) "]";

static void hold(NodeFixture *fixture, const char *persons)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *path = g_build_filename(fixture->folder, "persons.json", NULL);
    assert_true(g_file_set_contents(path, persons, -1, NULL));
    BrpLoad load;
    brp_load(fixture->store, path, &load, &error);
    no_error(error);
}

static gint by_text(gconstpointer left, gconstpointer right)
{
    return strcmp(*(const char *const *)left, *(const char *const *)right);
}

/* The last two digits of whom is found, with spaces between; sorted when `sort`. */
static char *found_by(NodeFixture *fixture, const char *question, gboolean sort)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(json_t) body = parsed(question);
    json_t *fault = NULL;
    g_autoptr(BrpQuery) query = brp_query_parse(body, "/here", &fault);
    if (query == NULL)
        fail_msg("%s is no question", question);
    g_autoptr(json_t) found = brp_store_find(fixture->store, query, &error);
    no_error(error);
    g_autoptr(GPtrArray) ends = g_ptr_array_new();
    for (gsize i = 0; i < json_array_size(found); i++)
        g_ptr_array_add(ends,
                        (gpointer)(json_string_at(json_array_get(found, i), "burgerservicenummer") + 7));
    if (sort)
        g_ptr_array_sort(ends, by_text);
    g_ptr_array_add(ends, NULL);
    return g_strjoinv(" ", (char **)ends->pdata);
}

static void assert_numbers(NodeFixture *fixture, const char *more, const char *expected)
{
    g_autofree char *question =
        g_strdup_printf("{\"type\": \"RaadpleegMetBurgerservicenummer\", \"fields\": [\"naam\"], %s}", more);
    g_autofree char *found = found_by(fixture, question, FALSE);
    assert_string_equal(found, expected);
}

static void assert_search(NodeFixture *fixture, const char *surname, const char *more, const char *expected)
{
    g_autofree char *question = g_strdup_printf(
        "{\"type\": \"ZoekMetGeslachtsnaamEnGeboortedatum\", \"fields\": [\"naam\"], \"geboortedatum\": "
        "\"1983-05-26\", \"geslachtsnaam\": \"%s\"%s}",
        surname, more);
    g_autofree char *found = found_by(fixture, question, TRUE);
    if (strcmp(found, expected) != 0)
        fail_msg("%s%s: expected \"%s\", found \"%s\"", surname, more, expected, found);
}

/* --- by number --- */

static void persons_come_in_the_order_of_their_numbers_in_the_question(void **state)
{
    fixture_or_skip(fixture, state);
    hold(fixture, PERSONS);
    assert_numbers(fixture, "\"burgerservicenummer\": [\"000009878\", \"000009830\", \"000009908\"]",
                   "78 30 08");
}

static void a_number_asked_twice_is_answered_once(void **state)
{
    fixture_or_skip(fixture, state);
    hold(fixture, PERSONS);
    assert_numbers(fixture, "\"burgerservicenummer\": [\"000009878\", \"000009830\", \"000009878\"]",
                   "78 30");
}

static void a_number_that_nobody_has_finds_nobody(void **state)
{
    fixture_or_skip(fixture, state);
    assert_numbers(fixture, "\"burgerservicenummer\": [\"000009878\"]", "");
    hold(fixture, PERSONS);
    assert_numbers(fixture, "\"burgerservicenummer\": [\"999990019\"]", "");
    assert_numbers(fixture, "\"burgerservicenummer\": [\"999990019\", \"000009830\"]", "30");
}

static void a_municipality_narrows_numbers_to_its_inhabitants(void **state)
{
    fixture_or_skip(fixture, state);
    hold(fixture, PERSONS);
    const char *both = "\"burgerservicenummer\": [\"000009830\", \"000009842\", \"000009866\"],"
                       " \"gemeenteVanInschrijving\": \"0518\"";
    assert_numbers(fixture, both, "42");
}

/* --- by name and birth --- */

static void capitals_and_spaces_around_make_no_difference(void **state)
{
    fixture_or_skip(fixture, state);
    hold(fixture, PERSONS);
    assert_search(fixture, "jansen", "", "30 42");
    assert_search(fixture, "JANSEN", "", "30 42");
    assert_search(fixture, "Jansen  ", "", "30 42");
    assert_search(fixture, "JanSen", ", \"voornamen\": \"aNNa\"", "42");
    assert_search(fixture, "Janse", "", "");
    assert_search(fixture, "ÄGREN", "", "69");
}

static void who_writes_diacritics_means_them_and_who_writes_none_may_mean_either(void **state)
{
    fixture_or_skip(fixture, state);
    hold(fixture, PERSONS);
    assert_search(fixture, "Gündoğan", "", "66");
    assert_search(fixture, "Gundogan", "", "66 78");
    assert_search(fixture, "GÜNDOĞAN", "", "66");
    assert_search(fixture, "Gündogan", "", ""); /* neither as it is nor without any */
    assert_search(fixture, "Gundogan", ", \"voornamen\": \"Ayşe\"", "66");
    assert_search(fixture, "Gundogan", ", \"voornamen\": \"ayse\"", "66 78");
    assert_search(fixture, "agren", ", \"voornamen\": \"celik-etienne\"", "69");
}

static void an_asterisk_at_the_end_stands_for_whatever_follows(void **state)
{
    fixture_or_skip(fixture, state);
    hold(fixture, PERSONS);
    assert_search(fixture, "jan*", "", "30 42");
    assert_search(fixture, "Jansen*", "", "30 42"); /* also for nothing */
    assert_search(fixture, "Jansens*", "", "");
    assert_search(fixture, "gün*", "", "66");
    assert_search(fixture, "gun*", "", "66 78");
    assert_search(fixture, "Jansen", ", \"voornamen\": \"J*\"", "30");
    assert_search(fixture, "Jansen", ", \"voornamen\": \"jan p*\"", "30");
    assert_search(fixture, "Jansen", ", \"voornamen\": \"Piet*\"", "");
    assert_search(fixture, "Jansen", ", \"voornamen\": \"Jan\"", ""); /* all of them or an asterisk */
}

static void white_space_before_an_asterisk_finds_not_everybody(void **state)
{
    fixture_or_skip(fixture, state);
    hold(fixture, PERSONS);
    assert_search(fixture, "   *", "", "");
    assert_search(fixture, "Jansen", ", \"voornamen\": \" *\"", "");
}

static void signs_that_mean_something_in_a_database_mean_nothing_here(void **state)
{
    fixture_or_skip(fixture, state);
    hold(fixture, PERSONS);
    static const char *const NAMES[] = {"J%", "Janse_", "___*", "%%%*", "' OR 1=1 --", "\\*"};
    for (gsize i = 0; i < G_N_ELEMENTS(NAMES); i++) {
        g_autoptr(GError) error = NULL;
        const BrpQuery query = {
            .type = BRP_BY_NAME_AND_BIRTH, .surname = (char *)NAMES[i], .birth = (char *)"19830526"};
        g_autoptr(json_t) found = brp_store_find(fixture->store, &query, &error);
        no_error(error);
        assert_int_equal(json_array_size(found), 0);
    }
    const BrpQuery query = {
        .type = BRP_BY_NAME_AND_BIRTH, .surname = (char *)"100% _*", .birth = (char *)"19830526"};
    g_autoptr(json_t) found = brp_store_find(fixture->store, &query, NULL);
    assert_int_equal(json_array_size(found), 1);
}

static void a_prefix_narrows_and_who_leaves_it_out_means_any(void **state)
{
    fixture_or_skip(fixture, state);
    hold(fixture, PERSONS);
    assert_search(fixture, "Berg", "", "91");
    assert_search(fixture, "Berg", ", \"voorvoegsel\": \"VAN den\"", "91");
    assert_search(fixture, "Berg", ", \"voorvoegsel\": \"van\"", "");
    assert_search(fixture, "Jansen", ", \"voorvoegsel\": \"van\"", "");
}

static void gender_and_municipality_narrow(void **state)
{
    fixture_or_skip(fixture, state);
    hold(fixture, PERSONS);
    assert_search(fixture, "Jansen", ", \"geslacht\": \"M\"", "30");
    assert_search(fixture, "Jansen", ", \"geslacht\": \"v\"", "42");
    assert_search(fixture, "Jansen", ", \"geslacht\": \"O\"", "");
    assert_search(fixture, "Jansen", ", \"gemeenteVanInschrijving\": \"0599\"", "30");
    assert_search(fixture, "Jansen", ", \"gemeenteVanInschrijving\": \"0600\"", "");
}

static void the_dead_are_only_found_when_asked(void **state)
{
    fixture_or_skip(fixture, state);
    hold(fixture, PERSONS);
    assert_search(fixture, "Berg", ", \"inclusiefOverledenPersonen\": false", "91");
    assert_search(fixture, "Berg", ", \"inclusiefOverledenPersonen\": true", "08 21 91");
}

static void a_date_of_birth_is_that_date_and_no_other(void **state)
{
    fixture_or_skip(fixture, state);
    hold(fixture, PERSONS);
    /* 33 is born in May 1983, on a day that is not known. */
    assert_search(fixture, "Jansen", "", "30 42");
    g_autofree char *found =
        found_by(fixture,
                 "{\"type\": \"ZoekMetGeslachtsnaamEnGeboortedatum\", \"fields\": [\"naam\"],"
                 " \"geboortedatum\": \"1983-05-27\", \"geslachtsnaam\": \"Jansen\"}",
                 TRUE);
    assert_string_equal(found, "");
}

static void a_search_gives_one_more_than_may_be_found_and_then_stops(void **state)
{
    fixture_or_skip(fixture, state);
    static const char *const NUMBERS[] = {"100600116", "100600128", "100600141", "100600153", "100600165",
                                          "100600177", "100600189", "100600190", "100600207", "100600219",
                                          "100600220", "100600232", "100600244"};
    g_autoptr(GString) persons = g_string_new("[");
    for (gsize i = 0; i < G_N_ELEMENTS(NUMBERS); i++)
        g_string_append_printf(persons, "%s{\"burgerservicenummer\": \"%s\", " NAMED("A", "Visser") "}",
                               i > 0 ? "," : "", NUMBERS[i]);
    g_string_append_c(persons, ']');
    hold(fixture, persons->str);
    assert_search(fixture, "Visser", "", "07 16 19 20 28 41 53 65 77 89 90");
}

/* --- names as they are compared --- */

static void names_are_folded_to_one_form(void **state)
{
    static const struct {
        const char *name, *folded, *plain;
    } CASES[] = {
        {NULL, "", ""},
        {"", "", ""},
        {"  Jansen ", "jansen", "jansen"},
        {"Gündoğan", "gündoğan", "gundogan"},
        {"Gu\xcc\x88"
         "ndog\xcc\x86"
         "an",
         "gündoğan", "gundogan"},
        {"STRAẞE", "strasse", "strasse"},
        {"van 't Hoff", "van 't hoff", "van 't hoff"},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(CASES); i++) {
        g_autofree char *folded = brp_fold(CASES[i].name), *plain = brp_fold_plain(CASES[i].name);
        assert_string_equal(folded, CASES[i].folded);
        assert_string_equal(plain, CASES[i].plain);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        on_both_engines(persons_come_in_the_order_of_their_numbers_in_the_question),
        on_both_engines(a_number_asked_twice_is_answered_once),
        on_both_engines(a_number_that_nobody_has_finds_nobody),
        on_both_engines(a_municipality_narrows_numbers_to_its_inhabitants),
        on_both_engines(capitals_and_spaces_around_make_no_difference),
        on_both_engines(who_writes_diacritics_means_them_and_who_writes_none_may_mean_either),
        on_both_engines(an_asterisk_at_the_end_stands_for_whatever_follows),
        on_both_engines(white_space_before_an_asterisk_finds_not_everybody),
        on_both_engines(signs_that_mean_something_in_a_database_mean_nothing_here),
        on_both_engines(a_prefix_narrows_and_who_leaves_it_out_means_any),
        on_both_engines(gender_and_municipality_narrow),
        on_both_engines(the_dead_are_only_found_when_asked),
        on_both_engines(a_date_of_birth_is_that_date_and_no_other),
        on_both_engines(a_search_gives_one_more_than_may_be_found_and_then_stops),
        cmocka_unit_test(names_are_folded_to_one_form),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
