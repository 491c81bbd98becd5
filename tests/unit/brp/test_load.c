/* Loading the persons: all of a file or nothing of it, and only when it changed. On both engines. */
#include <glib/gstdio.h>

#include "components/brp/load.h"
#include "core/base/asset.h"
#include "tests/unit/brp/sample.h"
#include "tests/unit/node/support.h"

#define HADDOU "{\"burgerservicenummer\": \"999990019\", \"naam\": {\"geslachtsnaam\": \"Haddou\"}}"
#define BAKKER "{\"burgerservicenummer\": \"999993653\", \"naam\": {\"geslachtsnaam\": \"Bakker\"}}"
#define JANSEN "{\"burgerservicenummer\": \"000009830\", \"naam\": {\"geslachtsnaam\": \"Jansen\"}}"

static char *write_file(NodeFixture *fixture, const char *text, gssize length)
{
    g_autoptr(GError) error = NULL;
    char *path = g_build_filename(fixture->folder, "persons.json", NULL);
    g_file_set_contents(path, text, length, &error);
    no_error(error);
    return path;
}

static BrpLoad load(NodeFixture *fixture, const char *text)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *path = write_file(fixture, text, -1);
    BrpLoad load;
    assert_true(brp_load(fixture->store, path, &load, &error));
    no_error(error);
    return load;
}

static void run(NodeFixture *fixture, const char *sql)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(Db) db = store_take(fixture->store, &error);
    assert_true(db_run_values(db, sql, NULL, 0, &error));
}

/* The surnames in the store, sorted, with spaces between. */
static void assert_held(NodeFixture *fixture, const char *surnames)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(Db) db = store_take(fixture->store, &error);
    g_autoptr(Rows) rows =
        db_query_values(db, "SELECT surname FROM brp_persons ORDER BY surname", NULL, 0, &error);
    no_error(error);
    g_autoptr(GString) held = g_string_new(NULL);
    while (rows_next(rows))
        g_string_append_printf(held, "%s%s", held->len > 0 ? " " : "", rows_text(rows, 0));
    assert_string_equal(held->str, surnames);
}

static void persons_of_a_file_are_in_the_store(void **state)
{
    fixture_or_skip(fixture, state);
    BrpLoad found = load(fixture, "[" HADDOU "," BAKKER "]");
    assert_true(found.read);
    assert_int_equal(found.persons, 2);
    assert_int_equal(found.omitted, 0);
    assert_held(fixture, "bakker haddou");
}

static void another_file_replaces_all_persons(void **state)
{
    fixture_or_skip(fixture, state);
    load(fixture, "[" HADDOU "," BAKKER "]");
    BrpLoad found = load(fixture, "[" BAKKER "," JANSEN "]");
    assert_true(found.read);
    assert_held(fixture, "bakker jansen");
    found = load(fixture, "[]");
    assert_true(found.read);
    assert_int_equal(found.persons, 0);
    assert_held(fixture, "");
}

static void the_same_file_is_not_read_again(void **state)
{
    fixture_or_skip(fixture, state);
    load(fixture, "[" HADDOU "," BAKKER "]");
    run(fixture, "DELETE FROM brp_persons WHERE surname = 'haddou'");
    BrpLoad found = load(fixture, "[" HADDOU "," BAKKER "]");
    assert_false(found.read);
    assert_int_equal(found.persons, 2);
    assert_held(fixture, "bakker"); /* what was taken away did not come back */
    found = load(fixture, "[" HADDOU ", " BAKKER "]");
    assert_true(found.read); /* one space more is another file */
    assert_held(fixture, "bakker haddou");
}

/* --- what cannot be loaded --- */

static void assert_refused(NodeFixture *fixture, const char *text, gssize length, const char *why)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *path = write_file(fixture, text, length);
    BrpLoad found;
    assert_false(brp_load(fixture->store, path, &found, &error));
    if (!g_error_matches(error, FUNDAMENT_ERROR, FUNDAMENT_ERROR_INVALID) ||
        strstr(error->message, why) == NULL || !g_str_has_prefix(error->message, path))
        fail_msg("expected \"%s\", found \"%s\"", why, error->message);
    assert_null(strstr(error->message, "9999"));
    assert_null(strstr(error->message, "Bakker"));
    assert_held(fixture, "haddou");
}

static void a_damaged_file_leaves_the_persons_that_were_there(void **state)
{
    static const struct {
        const char *text, *why;
    } CASES[] = {
        {"", "no JSON value"},
        {"[" BAKKER, "ends too early"},
        {"[" BAKKER "]]", "text after the end"},
        {"[" BAKKER ",]", "line 1"},
        {"{\"personen\": [" BAKKER "]}", "not a list of persons"},
        {"[" BAKKER ", 5]", "record 2: its burgerservicenummer is not nine digits"},
        {"[{\"naam\": {\"geslachtsnaam\": \"Bakker\"}}]", "record 1: its burgerservicenummer"},
        {"[{\"burgerservicenummer\": 999993653}]", "record 1: its burgerservicenummer"},
        {"[{\"burgerservicenummer\": \"99999365\"}]", "record 1: its burgerservicenummer"},
        {"[{\"burgerservicenummer\": \"9999936530\"}]", "record 1: its burgerservicenummer"},
        {"[{\"burgerservicenummer\": \"99999365x\"}]", "record 1: its burgerservicenummer"},
        {"[" BAKKER "," JANSEN "," BAKKER "]",
         "record 3: an earlier record has the same burgerservicenummer"},
        {"[{\"naam\": 1, \"naam\": 2}]", "duplicate member"},
        {"[\"\xff\"]", "line 1"},
    };
    fixture_or_skip(fixture, state);
    load(fixture, "[" HADDOU "]");
    for (gsize i = 0; i < G_N_ELEMENTS(CASES); i++)
        assert_refused(fixture, CASES[i].text, -1, CASES[i].why);
    assert_refused(fixture, "[" BAKKER "]\0", sizeof "[" BAKKER "]", "line 1");
}

static void a_file_that_is_not_there_is_an_error_that_names_it(void **state)
{
    fixture_or_skip(fixture, state);
    load(fixture, "[" HADDOU "]");
    g_autofree char *path = g_build_filename(fixture->folder, "elsewhere.json", NULL);
    GError *error = NULL;
    BrpLoad found;
    assert_false(brp_load(fixture->store, path, &found, &error));
    assert_non_null(strstr(error->message, path));
    expect_error(&error, FUNDAMENT_ERROR_IO);
    assert_held(fixture, "haddou");
}

static void a_store_that_refuses_halfway_keeps_the_persons_that_were_there(void **state)
{
    fixture_or_skip(fixture, state);
    load(fixture, "[" HADDOU "]");
    run(fixture, "CREATE UNIQUE INDEX once ON brp_persons (gender, deceased)");
    const char *second_fails = "[{\"burgerservicenummer\": \"999993653\", \"geslacht\": {\"code\": \"V\"}},"
                               "{\"burgerservicenummer\": \"000009830\", \"geslacht\": {\"code\": \"V\"}}]";
    g_autofree char *path = write_file(fixture, second_fails, -1);
    GError *error = NULL;
    BrpLoad found;
    assert_false(brp_load(fixture->store, path, &found, &error));
    expect_error(&error, FUNDAMENT_ERROR_CONFLICT);
    assert_held(fixture, "haddou");
    assert_false(load(fixture, "[" HADDOU "]").read); /* it is still the file that is held */
    run(fixture, "DROP INDEX once");
    assert_true(load(fixture, second_fails).read);
}

/* --- who is left out --- */

static void who_may_not_be_given_out_is_left_out_and_counted(void **state)
{
    fixture_or_skip(fixture, state);
    BrpLoad found =
        load(fixture, "[" HADDOU ","
                      /* its number fails the 11-test, twice */
                      "{\"burgerservicenummer\": \"999999245\"}, {\"burgerservicenummer\": \"999999245\"},"
                      /* made by mistake, erased */
                      "{\"burgerservicenummer\": \"999993653\", \"opschortingBijhouding\": {\"reden\": "
                      "{\"code\": \"F\"}}},"
                      "{\"burgerservicenummer\": \"000009842\", \"opschortingBijhouding\": {\"reden\": "
                      "{\"code\": \"W\"}}},"
                      /* emigrated: still in the register */
                      "{\"burgerservicenummer\": \"000009830\", \"naam\": {\"geslachtsnaam\": \"Jansen\"},"
                      " \"opschortingBijhouding\": {\"reden\": {\"code\": \"E\"}}}]");
    assert_int_equal(found.persons, 2);
    assert_int_equal(found.omitted, 4);
    assert_held(fixture, "haddou jansen");
}

/* --- several at once --- */

typedef struct {
    Store *store;
    const char *path;
    BrpLoad load;
} Loader;

static gpointer run_loader(gpointer data)
{
    Loader *loader = data;
    g_autoptr(GError) error = NULL;
    if (!brp_load(loader->store, loader->path, &loader->load, &error))
        g_printerr("# %s\n", error->message);
    return GINT_TO_POINTER(error == NULL);
}

static void processes_that_load_at_once_leave_the_persons_of_one_file(void **state)
{
    fixture_or_skip(fixture, state);
    g_autofree char *first = write_file(fixture, "[" HADDOU "," BAKKER "]", -1);
    g_autofree char *second = g_build_filename(fixture->folder, "other.json", NULL);
    assert_true(g_file_set_contents(second, "[" BAKKER "," JANSEN "]", -1, NULL));
    for (int round = 0; round < 5; round++) {
        Loader loaders[6];
        GThread *threads[G_N_ELEMENTS(loaders)];
        for (gsize i = 0; i < G_N_ELEMENTS(loaders); i++) {
            loaders[i] = (Loader){fixture->store, i % 2 == 0 ? first : second, {0}};
            threads[i] = g_thread_new("loader", run_loader, &loaders[i]);
        }
        for (gsize i = 0; i < G_N_ELEMENTS(loaders); i++)
            assert_true(GPOINTER_TO_INT(g_thread_join(threads[i])));
        assert_int_equal(support_number(fixture->store, "SELECT count(*) FROM brp_source"), 1);
        assert_int_equal(support_number(fixture->store, "SELECT count(*) FROM brp_persons"), 2);
        BrpLoad same, other;
        assert_true(brp_load(fixture->store, first, &same, NULL));
        assert_true(brp_load(fixture->store, second, &other, NULL));
        assert_held(fixture, "bakker jansen");
    }
}

static void processes_that_load_the_same_file_at_once_read_it_in_once(void **state)
{
    fixture_or_skip(fixture, state);
    g_autofree char *path = write_file(fixture, "[" HADDOU "," BAKKER "]", -1);
    Loader loaders[6];
    GThread *threads[G_N_ELEMENTS(loaders)];
    guint read = 0;
    for (gsize i = 0; i < G_N_ELEMENTS(loaders); i++) {
        loaders[i] = (Loader){fixture->store, path, {0}};
        threads[i] = g_thread_new("loader", run_loader, &loaders[i]);
    }
    for (gsize i = 0; i < G_N_ELEMENTS(loaders); i++) {
        assert_true(GPOINTER_TO_INT(g_thread_join(threads[i])));
        assert_int_equal(loaders[i].load.persons, 2);
        read += loaders[i].load.read ? 1 : 0;
    }
    assert_int_equal(read, 1);
}

/* --- an older store, and the whole set --- */

static void a_store_of_before_plain_names_gets_them_at_the_next_start(void **state)
{
    fixture_or_skip(fixture, state);
    g_autoptr(GError) error = NULL;
    const char *person =
        "[{\"burgerservicenummer\": \"999990019\", \"naam\": {\"geslachtsnaam\": \"Gündoğan\"}}]";
    load(fixture, person);
    g_autofree char *held = g_strdup("SELECT count(*) FROM brp_persons WHERE surname_plain = 'gundogan'");
    assert_int_equal(support_number(fixture->store, held), 1);
    run(fixture, "ALTER TABLE brp_persons DROP COLUMN surname_plain");
    run(fixture, "ALTER TABLE brp_persons DROP COLUMN given_plain");
    run(fixture, "DELETE FROM schema_migrations WHERE component = 'brp' AND number = 2");
    const Migration migrations[] = {{"brp", 1, asset_find("schema/brp/0001.sql", NULL)},
                                    {"brp", 2, asset_find("schema/brp/0002.sql", NULL)}};
    store_migrate(fixture->store, migrations, G_N_ELEMENTS(migrations), &error);
    no_error(error);
    assert_int_equal(support_number(fixture->store, held), 0);
    assert_true(load(fixture, person).read);
    assert_int_equal(support_number(fixture->store, held), 1);
}

/* Start to ready must stay small: this is done before a node says that it is ready. */
static void the_official_persons_are_loaded_quickly_and_then_not_again(void **state)
{
    fixture_or_skip(fixture, state);
    g_autofree char *path = official_path();
    if (path == NULL)
        skip();
    BrpLoad found;
    gint64 start = g_get_monotonic_time();
    assert_true(brp_load(fixture->store, path, &found, NULL));
    gint64 between = g_get_monotonic_time();
    assert_true(found.read);
    assert_int_equal(found.persons, 1175);
    assert_int_equal(found.omitted, 1);
    assert_true(brp_load(fixture->store, path, &found, NULL));
    gint64 end = g_get_monotonic_time();
    assert_false(found.read);
    assert_int_equal(found.persons, 1175);
    print_message("loaded in %" G_GINT64_FORMAT " ms, looked at again in %" G_GINT64_FORMAT " ms\n",
                  (between - start) / 1000, (end - between) / 1000);
    assert_true(between - start < 20 * G_USEC_PER_SEC); /* with sanitizers on a busy machine; 0.1 s without */
    assert_true(end - between < (between - start) / 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        on_both_engines(persons_of_a_file_are_in_the_store),
        on_both_engines(another_file_replaces_all_persons),
        on_both_engines(the_same_file_is_not_read_again),
        on_both_engines(a_damaged_file_leaves_the_persons_that_were_there),
        on_both_engines(a_file_that_is_not_there_is_an_error_that_names_it),
        on_both_engines(a_store_that_refuses_halfway_keeps_the_persons_that_were_there),
        on_both_engines(who_may_not_be_given_out_is_left_out_and_counted),
        on_both_engines(processes_that_load_at_once_leave_the_persons_of_one_file),
        on_both_engines(processes_that_load_the_same_file_at_once_read_it_in_once),
        on_both_engines(a_store_of_before_plain_names_gets_them_at_the_next_start),
        on_both_engines(the_official_persons_are_loaded_quickly_and_then_not_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
