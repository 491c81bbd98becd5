/* The persons of the test sign-in: made-up ones from a file, in an order that helps. */
#include "components/inzage/testers.h"

#include "tests/support/folder.h"
#include "tests/unit/inzage/support.h"

#define TODAY "20261121"

static const char PERSONS[] =
    "[{\"burgerservicenummer\": \"999990019\", \"naam\": {\"voornamen\": \"Zoë\", \"geslachtsnaam\": "
    "\"Aarts\"},"
    "  \"geboorte\": {\"datum\": \"20081122\"}},"
    " {\"burgerservicenummer\": \"999910000\", \"naam\": {\"voornamen\": \"Samira \", \"voorvoegsel\": "
    "\"van\","
    "  \"geslachtsnaam\": \"Öztürk\"}, \"geboorte\": {\"datum\": \"20081121\"}, \"verblijfplaats\": "
    "{\"woonplaats\": \"W\"}},"
    " {\"burgerservicenummer\": \"999990021\", \"naam\": {\"geslachtsnaam\": \"Fout\"}},"
    " {\"burgerservicenummer\": \"999910012\", \"naam\": {}},"
    " {\"naam\": {\"geslachtsnaam\": \"Zonder\"}}, 3,"
    " {\"burgerservicenummer\": \"999910024\", \"naam\": {\"geslachtsnaam\": \"Bakker\"}, \"geboorte\": "
    "{\"datum\": \"19000000\"}},"
    " {\"burgerservicenummer\": \"999910036\", \"naam\": {\"geslachtsnaam\": \"Aal\"}, \"overlijden\": {}}]";

static GPtrArray *load(const char *text, GError **error)
{
    g_autofree char *folder = test_folder_new();
    g_autofree char *path = g_build_filename(folder, "persons.json", NULL);
    assert_true(g_file_set_contents(path, text, -1, NULL));
    GPtrArray *testers = testers_load(path, TODAY, error);
    return testers;
}

static const char *name_at(const GPtrArray *testers, guint index)
{
    assert_true(index < testers->len);
    return ((const Tester *)testers->pdata[index])->name;
}

static GPtrArray *load_persons(void)
{
    g_autoptr(GError) error = NULL;
    GPtrArray *testers = load(PERSONS, &error);
    no_error(error);
    return testers;
}

static void puts_living_adults_first(void **state)
{
    g_autoptr(GPtrArray) testers = load_persons();
    assert_int_equal(testers->len, 4);
    assert_string_equal(name_at(testers, 0), "Bakker");
    assert_string_equal(name_at(testers, 1), "Samira van Öztürk");
    assert_string_equal(name_at(testers, 2), "Aal");
    assert_string_equal(name_at(testers, 3), "Zoë Aarts");
    assert_false(((const Tester *)testers->pdata[2])->alive);
    assert_false(((const Tester *)testers->pdata[3])->adult);
}

static void searches_by_the_beginning_of_words_without_accents(void **state)
{
    g_autoptr(GPtrArray) testers = load_persons();
    static const struct {
        const char *words;
        guint count;
    } SEARCHES[] = {{NULL, 4},  {"", 4},          {"sam", 1}, {"OZT sam", 1},
                    {"zoe", 1}, {"sam aarts", 0}, {"mira", 0}};
    for (gsize i = 0; i < G_N_ELEMENTS(SEARCHES); i++) {
        g_autoptr(GPtrArray) found = testers_search(testers, SEARCHES[i].words);
        assert_int_equal(found->len, SEARCHES[i].count);
    }
}

static void finds_only_who_is_in_the_file(void **state)
{
    g_autoptr(GPtrArray) testers = load_persons();
    assert_string_equal(testers_find(testers, "999910000")->town, "W");
    assert_null(testers_find(testers, "123456782"));
    assert_null(testers_find(testers, NULL));
    assert_null(testers_find(NULL, "999910000"));
}

static void refuses_a_file_that_is_no_list(void **state)
{
    g_autoptr(GError) error = NULL;
    assert_null(load("{}", &error));
    expect_error(&error, FUNDAMENT_ERROR_INVALID);
}

/* The official test persons (RvIG, personen-mock). */
static void loads_the_official_test_persons(void **state)
{
    g_autoptr(GError) error = NULL;
    const char *data = g_getenv("FUNDAMENT_DATA");
    g_autofree char *path =
        g_build_filename(data == NULL ? "" : data, "brp", "personen-mock-test-data.2024-06-11.json", NULL);
    if (!g_file_test(path, G_FILE_TEST_EXISTS)) {
        print_message("skipped: no ../shared/data\n");
        skip();
    }
    g_autoptr(GPtrArray) testers = testers_load(path, TODAY, &error);
    no_error(error);
    assert_true(testers->len > 1100);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(puts_living_adults_first),
        cmocka_unit_test(searches_by_the_beginning_of_words_without_accents),
        cmocka_unit_test(finds_only_who_is_in_the_file),
        cmocka_unit_test(refuses_a_file_that_is_no_list),
        cmocka_unit_test(loads_the_official_test_persons),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
