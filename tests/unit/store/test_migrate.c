/* Migrations, on both engines. */
#include "tests/unit/store/fixture.h"

#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static const Migration base[] = {
    {"brp", 1,
     "-- persons\n"
     "CREATE TABLE persons (\n  id {id},\n  photo {blob},\n  name TEXT NOT NULL\n);\n"
     "CREATE INDEX persons_name ON persons (name);\n"},
    {"fsc", 1, "CREATE TABLE contracts (hash TEXT PRIMARY KEY);\n"},
    {"brp", 2, "ALTER TABLE persons ADD COLUMN place TEXT;\nUPDATE persons SET place = 'a;b';\n"},
};

static void migrate(Store *store, const Migration *migrations, gsize n_migrations)
{
    g_autoptr(GError) error = NULL;
    store_migrate(store, migrations, n_migrations, &error);
    no_error(error);
}

/* Must fail, naming `file`. */
static void migrate_refused(Store *store, const Migration *migrations, gsize n_migrations,
                            FundamentError code, const char *file)
{
    g_autoptr(GError) error = NULL;
    assert_false(store_migrate(store, migrations, n_migrations, &error));
    assert_non_null(strstr(error->message, file));
    expect_error(&error, code);
}

static gint64 migrations_recorded(Db *db)
{
    return query_integer(db, "SELECT COUNT(*) FROM schema_migrations");
}

static void runs_each_once_and_records_it(Fixture *fixture)
{
    for (int start = 0; start < 3; start++) {
        migrate(fixture->store, base, G_N_ELEMENTS(base));
        assert_int_equal(migrations_recorded(fixture->db), 3);
    }
    run_sql(fixture->db, "INSERT INTO persons (name, place) VALUES ('a', 'b')");
    g_autoptr(GError) error = NULL;
    g_autoptr(Rows) rows = db_query_values(
        fixture->db,
        "SELECT component, number, digest, applied_ms FROM schema_migrations ORDER BY component, number",
        NULL, 0, &error);
    no_error(error);
    assert_true(rows_next(rows));
    assert_string_equal(rows_text(rows, 0), "brp");
    assert_int_equal(rows_integer(rows, 1), 1);
    g_autofree char *digest = g_compute_checksum_for_string(G_CHECKSUM_SHA256, base[0].sql, -1);
    assert_string_equal(rows_text(rows, 2), digest);
    assert_true(rows_integer(rows, 3) > 0);
}

static void a_database_without_migrations_gets_the_table_alone(Fixture *fixture)
{
    migrate(fixture->store, NULL, 0);
    assert_int_equal(migrations_recorded(fixture->db), 0);
}

static void new_ones_run_on_top_of_old_data(Fixture *fixture)
{
    migrate(fixture->store, base, 2);
    run_sql(fixture->db, "INSERT INTO persons (name) VALUES ('kept')");
    migrate(fixture->store, base, 3);
    assert_int_equal(
        query_integer(fixture->db, "SELECT COUNT(*) FROM persons WHERE name = 'kept' AND place = 'a;b'"), 1);
}

static void an_older_program_accepts_a_newer_database(Fixture *fixture)
{
    migrate(fixture->store, base, 3);
    migrate(fixture->store, base, 2);
    assert_int_equal(migrations_recorded(fixture->db), 3);
}

static void id_grows_and_is_never_used_again(Fixture *fixture)
{
    g_autoptr(GError) error = NULL;
    migrate(fixture->store, base, 1);
    gint64 last = 0;
    for (int i = 0; i < 4; i++) {
        g_autoptr(Rows) rows = db_query(
            fixture->db, &error, "INSERT INTO persons (photo, name) VALUES (?1, ?2) RETURNING id, photo",
            value_blob("\0\xff", 2), value_text("a"));
        no_error(error);
        assert_true(rows_next(rows));
        assert_true(rows_integer(rows, 0) > last);
        last = rows_integer(rows, 0);
        gsize length = 0;
        assert_memory_equal(rows_blob(rows, 1, &length), "\0\xff", 2);
        run_sql(fixture->db, "DELETE FROM persons");
    }
}

static void a_text_that_changed_after_it_ran_is_refused(Fixture *fixture)
{
    migrate(fixture->store, base, 3);
    Migration changed[3];
    memcpy(changed, base, sizeof changed);
    changed[2].sql = "ALTER TABLE persons ADD COLUMN place TEXT;\n";
    migrate_refused(fixture->store, changed, 3, FUNDAMENT_ERROR_CONFLICT, "schema/brp/0002.sql");
    migrate(fixture->store, base, 3); /* the old text is still good */
}

static void numbers_must_run_without_gaps(Fixture *fixture)
{
    const Migration gap[] = {{"a", 1, "CREATE TABLE a (n BIGINT);\n"},
                             {"a", 3, "CREATE TABLE b (n BIGINT);\n"}};
    const Migration twice[] = {{"a", 1, "CREATE TABLE a (n BIGINT);\n"},
                               {"a", 1, "CREATE TABLE b (n BIGINT);\n"}};
    const Migration zero[] = {{"a", 0, "CREATE TABLE a (n BIGINT);\n"}};
    migrate_refused(fixture->store, gap, 2, FUNDAMENT_ERROR_INTERNAL, "schema/a/0003.sql");
    migrate_refused(fixture->store, twice, 2, FUNDAMENT_ERROR_INTERNAL, "schema/a/0001.sql");
    migrate_refused(fixture->store, zero, 1, FUNDAMENT_ERROR_INTERNAL, "schema/a/0000.sql");
    refused(fixture->db, "SELECT * FROM a", NULL, 0, FUNDAMENT_ERROR_INTERNAL); /* nothing ran */
}

static void a_gap_in_the_database_is_refused(Fixture *fixture)
{
    migrate(fixture->store, base, 3);
    run_sql(fixture->db, "DELETE FROM schema_migrations WHERE component = 'brp' AND number = 1");
    migrate_refused(fixture->store, base, 3, FUNDAMENT_ERROR_CONFLICT, "schema/brp/0001.sql");
}

static void one_that_fails_leaves_nothing(Fixture *fixture)
{
    const Migration bad[] = {
        {"a", 1, "CREATE TABLE a (n BIGINT);\n"},
        {"a", 2, "CREATE TABLE b (n BIGINT);\nINSERT INTO b VALUES (1);\nINSERT INTO nowhere VALUES (1);\n"},
        {"a", 3, "CREATE TABLE c (n BIGINT);\n"},
    };
    migrate_refused(fixture->store, bad, 3, FUNDAMENT_ERROR_INTERNAL, "schema/a/0002.sql");
    assert_int_equal(migrations_recorded(fixture->db), 1);
    refused(fixture->db, "SELECT * FROM b", NULL, 0, FUNDAMENT_ERROR_INTERNAL);
    Migration mended[3];
    memcpy(mended, bad, sizeof mended);
    mended[1].sql = "CREATE TABLE b (n BIGINT);\n";
    migrate(fixture->store, mended, 3);
    assert_int_equal(query_integer(fixture->db, "SELECT COUNT(*) FROM b"), 0);
}

static void one_that_commits_by_itself_is_refused(Fixture *fixture)
{
    const Migration bad[] = {{"a", 1, "CREATE TABLE a (n BIGINT);\nCOMMIT;\n"}};
    migrate_refused(fixture->store, bad, 1, FUNDAMENT_ERROR_INTERNAL, "schema/a/0001.sql");
    assert_int_equal(migrations_recorded(fixture->db), 0);
}

static const Migration family[] = {
    {"a", 1,
     "CREATE TABLE parents (n BIGINT PRIMARY KEY);\n"
     "CREATE TABLE children (n BIGINT REFERENCES parents (n) ON DELETE CASCADE);\n"
     "INSERT INTO parents VALUES (1);\nINSERT INTO children VALUES (1);\n"},
    {"a", 2,
     "CREATE TABLE parents_new (n BIGINT PRIMARY KEY, t TEXT);\n"
     "INSERT INTO parents_new (n) SELECT n FROM parents;\n"
     "DROP TABLE parents;\nALTER TABLE parents_new RENAME TO parents;\n"},
};

static void a_table_can_be_rebuilt_without_losing_what_refers_to_it(Fixture *fixture)
{
    g_autoptr(GError) error = NULL;
    migrate(fixture->store, family, 2);
    assert_int_equal(query_integer(fixture->db, "SELECT COUNT(*) FROM children"), 1);
    g_autoptr(Db) db =
        store_take(fixture->store, &error); /* the connection that migrated checks references again */
    refused(db, "INSERT INTO children VALUES (2)", NULL, 0, FUNDAMENT_ERROR_CONFLICT);
    refused(fixture->db, "INSERT INTO children VALUES (2)", NULL, 0, FUNDAMENT_ERROR_CONFLICT);
}

static void one_that_leaves_a_broken_reference_is_refused(Fixture *fixture)
{
    migrate(fixture->store, family, 1);
    const Migration bad[] = {family[0], {"a", 2, "INSERT INTO children VALUES (77);\n"}};
    migrate_refused(fixture->store, bad, 2, FUNDAMENT_ERROR_CONFLICT, "schema/a/0002.sql");
    assert_int_equal(query_integer(fixture->db, "SELECT COUNT(*) FROM children"), 1);
}

#define PROCESSES 5

/* 0 when it worked. */
static int migrate_in_child(const char *url)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(Store) store = store_open(url, &error);
    if (store == NULL || !store_migrate(store, base, G_N_ELEMENTS(base), &error)) {
        print_error("%s\n", error->message);
        return 1;
    }
    return 0;
}

static void start_at_once(const char *url)
{
    pid_t children[PROCESSES];
    int gate[2];
    assert_int_equal(pipe(gate), 0);
    for (int i = 0; i < PROCESSES; i++) {
        children[i] = fork();
        if (children[i] == 0) {
            char byte = 0;
            close(gate[1]);
            _exit(read(gate[0], &byte, 1) != 0 ? 2 : migrate_in_child(url)); /* starts when the gate closes */
        }
    }
    close(gate[0]);
    close(gate[1]);
    for (int i = 0; i < PROCESSES; i++) {
        int status = 0;
        assert_int_equal(waitpid(children[i], &status, 0), children[i]);
        assert_int_equal(status, 0);
    }
}

static void several_processes_may_start_at_once(Fixture *fixture)
{
    start_at_once(fixture->url);
    assert_int_equal(migrations_recorded(fixture->db), 3);
}

static void several_processes_may_make_the_database_at_once(Fixture *fixture)
{
    for (int round = 0; round < 10; round++) {
        g_autoptr(GError) error = NULL;
        g_autofree char *url = g_strdup_printf("%s.%d", fixture->url, round);
        start_at_once(url);
        g_autoptr(Store) store = store_open(url, &error);
        g_autoptr(Db) db = store_take(store, &error);
        assert_int_equal(migrations_recorded(db), 3);
    }
}

int main(void)
{
    static const Case cases[] = {
        CASE(runs_each_once_and_records_it, ON_BOTH),
        CASE(a_database_without_migrations_gets_the_table_alone, ON_BOTH),
        CASE(new_ones_run_on_top_of_old_data, ON_BOTH),
        CASE(an_older_program_accepts_a_newer_database, ON_BOTH),
        CASE(id_grows_and_is_never_used_again, ON_BOTH),
        CASE(a_text_that_changed_after_it_ran_is_refused, ON_BOTH),
        CASE(numbers_must_run_without_gaps, ON_BOTH),
        CASE(a_gap_in_the_database_is_refused, ON_BOTH),
        CASE(one_that_fails_leaves_nothing, ON_BOTH),
        CASE(one_that_commits_by_itself_is_refused, ON_BOTH),
        CASE(a_table_can_be_rebuilt_without_losing_what_refers_to_it, ON_SQLITE),
        CASE(one_that_leaves_a_broken_reference_is_refused, ON_BOTH),
        CASE(several_processes_may_start_at_once, ON_BOTH),
        CASE(several_processes_may_make_the_database_at_once, ON_SQLITE),
    };
    return cases_run("migrate", cases, G_N_ELEMENTS(cases));
}
