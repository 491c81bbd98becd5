#include "tests/unit/store/fixture.h"

#include <string.h>

#include "tests/support/folder.h"
#include "tests/support/postgresql.h"

typedef struct {
    Case test;
    int engine;
} Run;

void run_sql(Db *db, const char *sql)
{
    g_autoptr(GError) error = NULL;
    db_run_values(db, sql, NULL, 0, &error);
    no_error(error);
}

gint64 query_integer(Db *db, const char *sql)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(Rows) rows = db_query_values(db, sql, NULL, 0, &error);
    no_error(error);
    assert_true(rows_next(rows));
    return rows_integer(rows, 0);
}

void things_make(Db *db)
{
    run_sql(db, "CREATE TABLE things (n BIGINT PRIMARY KEY, t TEXT UNIQUE)");
}

void refused(Db *db, const char *sql, const Value *values, gsize n_values, FundamentError code)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(Rows) rows = db_query_values(db, sql, values, n_values, &error);
    assert_null(rows);
    assert_non_null(error);
    assert_null(strstr(error->message, SECRET));
    expect_error(&error, code);
}

static char *fresh_url(int engine)
{
    if (engine == ON_POSTGRESQL) {
        return test_postgresql_start();
    }
    g_autofree char *folder = test_folder_new();
    return g_strdup_printf("sqlite:%s/test.db", folder);
}

static void fixture_clear(Fixture *fixture)
{
    db_release(fixture->db);
    store_close(fixture->store);
    g_free(fixture->url);
}

void fixture_skip(Fixture *fixture, const char *why)
{
    fixture_clear(fixture);
    print_message("skipped: %s\n", why);
    skip();
}

static void run_one(void **state)
{
    const Run *run = *state;
    g_autoptr(GError) error = NULL;
    Fixture fixture = {.url = fresh_url(run->engine)};
    if (fixture.url == NULL) {
        print_message("skipped: PostgreSQL is not installed\n");
        skip();
    }
    fixture.store = store_open(fixture.url, &error);
    no_error(error);
    assert_true(store_is_postgresql(fixture.store) == (run->engine == ON_POSTGRESQL));
    fixture.db = store_take(fixture.store, &error);
    no_error(error);
    run->test.body(&fixture);
    fixture_clear(&fixture);
}

int cases_run(const char *name, const Case *cases, gsize n_cases)
{
    static const char *const suffixes[] = {[ON_SQLITE] = "sqlite", [ON_POSTGRESQL] = "postgresql"};
    g_autofree struct CMUnitTest *tests = g_new0(struct CMUnitTest, n_cases * 2);
    g_autofree Run *runs = g_new0(Run, n_cases * 2);
    gsize n_runs = 0;
    for (int engine = ON_SQLITE; engine <= ON_POSTGRESQL; engine++) {
        for (gsize i = 0; i < n_cases; i++) {
            if ((cases[i].engines & engine) == 0) {
                continue;
            }
            runs[n_runs] = (Run){cases[i], engine};
            tests[n_runs] =
                (struct CMUnitTest){.name = g_strdup_printf("%s (%s)", cases[i].name, suffixes[engine]),
                                    .test_func = run_one,
                                    .initial_state = &runs[n_runs]};
            n_runs++;
        }
    }
    int failed = _cmocka_run_group_tests(name, tests, n_runs, NULL, NULL);
    for (gsize i = 0; i < n_runs; i++) {
        g_free((char *)tests[i].name);
    }
    return failed;
}
