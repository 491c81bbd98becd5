/* Statements, values and transactions, on both engines. */
#include "tests/unit/store/fixture.h"

#include <fcntl.h>
#include <glib/gstdio.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/support/folder.h"
#include "tests/support/postgresql.h"

static Rows *query_one(Db *db, const char *sql, Value value)
{
    g_autoptr(GError) error = NULL;
    Rows *rows = db_query(db, &error, sql, value);
    no_error(error);
    assert_true(rows_next(rows));
    return rows;
}

/* ---- values ---- */

static void integers_come_back_whole(Fixture *fixture)
{
    things_make(fixture->db);
    const gint64 numbers[] = {0, 1, -1, G_MAXINT32, G_MAXINT64, G_MININT64};
    g_autoptr(GError) error = NULL;
    for (gsize i = 0; i < G_N_ELEMENTS(numbers); i++) {
        g_autoptr(Rows) rows =
            db_query(fixture->db, &error, "INSERT INTO things (n) VALUES (?1) RETURNING n, n = ?1",
                     value_integer(numbers[i]));
        no_error(error);
        assert_int_equal(rows_count(rows), 1);
        assert_true(rows_next(rows));
        assert_true(rows_integer(rows, 0) == numbers[i]);
        assert_int_equal(rows_integer(rows, 1), 1);
        assert_false(rows_next(rows));
    }
}

static void text_comes_back_whole(Fixture *fixture)
{
    things_make(fixture->db);
    const char *texts[] = {"", "a", "'; DROP TABLE things; --",
                           "Fryslân \xf0\x9f\x8c\xb7 \"quoted\" \\ ?1 $1", "\x01\n"};
    for (gsize i = 0; i < G_N_ELEMENTS(texts); i++) {
        g_autoptr(GError) error = NULL;
        g_autoptr(Rows) rows =
            db_query(fixture->db, &error, "INSERT INTO things (n, t) VALUES (?1, ?2) RETURNING t",
                     value_integer((gint64)i), value_text(texts[i]));
        no_error(error);
        assert_true(rows_next(rows));
        assert_string_equal(rows_text(rows, 0), texts[i]);
        g_autoptr(Rows) found =
            query_one(fixture->db, "SELECT n FROM things WHERE t = ?1", value_text(texts[i]));
        assert_int_equal(rows_integer(found, 0), i);
    }
}

static void blobs_come_back_whole(Fixture *fixture)
{
    run_sql(fixture->db,
            store_is_postgresql(fixture->store) ? "CREATE TABLE b (x BYTEA)" : "CREATE TABLE b (x BLOB)");
    gsize length = 5 * 1024 * 1024;
    g_autofree guint8 *bytes = g_malloc(length);
    for (gsize i = 0; i < length; i++) {
        bytes[i] = (guint8)(i * 7);
    }
    const gsize lengths[] = {0, 1, 256, length};
    for (gsize i = 0; i < G_N_ELEMENTS(lengths); i++) {
        g_autoptr(Rows) rows = query_one(fixture->db, "INSERT INTO b (x) VALUES (?1) RETURNING x",
                                         value_blob(bytes, lengths[i]));
        gsize got = 99;
        gconstpointer data = rows_blob(rows, 0, &got);
        assert_false(rows_is_null(rows, 0));
        assert_non_null(data);
        assert_int_equal(got, lengths[i]);
        assert_memory_equal(data, bytes, lengths[i]);
    }
}

static void null_is_not_empty(Fixture *fixture)
{
    run_sql(fixture->db, store_is_postgresql(fixture->store) ? "CREATE TABLE b (n BIGINT, t TEXT, x BYTEA)"
                                                             : "CREATE TABLE b (n BIGINT, t TEXT, x BLOB)");
    g_autoptr(GError) error = NULL;
    g_autoptr(GBytes) empty = g_bytes_new(NULL, 0);
    const Value lines[][3] = {{value_null(), value_text(NULL), value_bytes(NULL)},
                              {value_integer(0), value_text(""), value_bytes(empty)}};
    for (gsize i = 0; i < G_N_ELEMENTS(lines); i++) {
        g_autoptr(Rows) rows = db_query_values(
            fixture->db, "INSERT INTO b VALUES (?1, ?2, ?3) RETURNING n, t, x", lines[i], 3, &error);
        no_error(error);
        assert_true(rows_next(rows));
        gsize length = 99;
        gconstpointer blob = rows_blob(rows, 2, &length);
        assert_int_equal(rows_integer(rows, 0), 0);
        assert_int_equal(length, 0);
        assert_true((rows_text(rows, 1) == NULL) == (i == 0));
        assert_true((blob == NULL) == (i == 0));
        for (guint column = 0; column < 3; column++) {
            assert_true(rows_is_null(rows, column) == (i == 0));
        }
    }
}

static void sums_counts_and_arithmetic_are_integers(Fixture *fixture)
{
    things_make(fixture->db);
    run_sql(fixture->db, "INSERT INTO things (n) VALUES (3000000000), (4000000000)");
    g_autoptr(Rows) rows = query_one(fixture->db, "SELECT SUM(n), COUNT(*), ?1 + 1, MAX(n) > 5 FROM things",
                                     value_integer(G_GINT64_CONSTANT(1) << 40));
    assert_true(rows_integer(rows, 0) == 7000000000);
    assert_int_equal(rows_integer(rows, 1), 2);
    assert_true(rows_integer(rows, 2) == (G_GINT64_CONSTANT(1) << 40) + 1);
    assert_int_equal(rows_integer(rows, 3), 1);
}

static void parameters_may_repeat_and_come_in_any_order(Fixture *fixture)
{
    things_make(fixture->db);
    run_sql(fixture->db, "INSERT INTO things VALUES (1, 'one'), (2, 'two'), (3, 'three')");
    g_autoptr(GError) error = NULL;
    g_autoptr(Rows) rows = db_query(
        fixture->db, &error, "SELECT n FROM things WHERE t = ?2 OR n = ?1 OR n + 1 = ?1 ORDER BY n LIMIT ?3",
        value_integer(2), value_text("three"), value_integer(2));
    no_error(error);
    assert_int_equal(rows_count(rows), 2);
    assert_true(rows_next(rows));
    assert_int_equal(rows_integer(rows, 0), 1);
}

static void parameters_in_quotes_and_comments_are_text(Fixture *fixture)
{
    things_make(fixture->db);
    run_sql(fixture->db, "INSERT INTO things VALUES (1, '?1')");
    g_autoptr(Rows) rows = query_one(fixture->db,
                                     "SELECT '?2 it''s', t AS \"?3\", ?1 -- ?4\n"
                                     "FROM things /* ?5 '\" */ WHERE t = '?1' AND n = ?1",
                                     value_integer(1));
    assert_string_equal(rows_text(rows, 0), "?2 it's");
    assert_string_equal(rows_text(rows, 1), "?1");
    assert_int_equal(rows_integer(rows, 2), 1);
}

static void a_null_value_fits_every_type(Fixture *fixture)
{
    things_make(fixture->db);
    g_autoptr(GError) error = NULL;
    db_run(fixture->db, &error, "INSERT INTO things VALUES (?1, ?2)", value_integer(7), value_null());
    no_error(error);
    g_autoptr(Rows) rows =
        query_one(fixture->db, "SELECT COALESCE(?1, n), COALESCE(?1, n) + 1 FROM things", value_null());
    assert_int_equal(rows_integer(rows, 0), 7);
    db_run(fixture->db, &error, "UPDATE things SET t = ?1 WHERE n = 7",
           value_text("now text")); /* same text, other kinds */
    no_error(error);
    db_run(fixture->db, &error, "UPDATE things SET t = ?1 WHERE n = 7", value_null());
    no_error(error);
    assert_int_equal(query_integer(fixture->db, "SELECT COUNT(*) FROM things WHERE t IS NULL"), 1);
}

/* ---- refusals ---- */

static void refuses_a_wrong_number_of_values(Fixture *fixture)
{
    const Value values[] = {value_integer(1), value_integer(2)};
    refused(fixture->db, "SELECT ?1 + ?2", values, 1, FUNDAMENT_ERROR_INTERNAL);
    refused(fixture->db, "SELECT ?1 + 1", values, 2, FUNDAMENT_ERROR_INTERNAL);
    refused(fixture->db, "SELECT 1", values, 1, FUNDAMENT_ERROR_INTERNAL);
    g_autoptr(GError) error = NULL;
    assert_true(db_run_values(fixture->db, "SELECT ?1 + ?2", values, 2, &error));
}

static void refuses_other_parameters(Fixture *fixture)
{
    const Value value = value_integer(1);
    const char *statements[] = {"SELECT ?",  "SELECT ?0", "SELECT ?1000",
                                "SELECT :a", "SELECT @a", "SELECT ?1, ?"};
    for (gsize i = 0; i < G_N_ELEMENTS(statements); i++) {
        refused(fixture->db, statements[i], &value, 1, FUNDAMENT_ERROR_INTERNAL);
    }
}

static void refuses_a_second_statement(Fixture *fixture)
{
    things_make(fixture->db);
    refused(fixture->db, "INSERT INTO things VALUES (1, 'a'); DELETE FROM things", NULL, 0,
            FUNDAMENT_ERROR_INTERNAL);
    assert_int_equal(query_integer(fixture->db, "SELECT COUNT(*) FROM things; "), 0);
}

static void refuses_bad_sql(Fixture *fixture)
{
    refused(fixture->db, "SELEKT 1", NULL, 0, FUNDAMENT_ERROR_INTERNAL);
    refused(fixture->db, "SELECT * FROM nowhere", NULL, 0, FUNDAMENT_ERROR_INTERNAL);
    refused(fixture->db, "SELECT \"a string?\"", NULL, 0, FUNDAMENT_ERROR_INTERNAL);
}

static void refuses_text_that_is_not_utf8(Fixture *fixture)
{
    things_make(fixture->db);
    const Value values[] = {value_text("\xff\xfe" SECRET), {.kind = VALUE_TEXT, .data = "a\0b", .length = 3}};
    refused(fixture->db, "INSERT INTO things VALUES (1, ?1)", &values[0], 1, FUNDAMENT_ERROR_INVALID);
    refused(fixture->db, "INSERT INTO things VALUES (1, ?1)", &values[1], 1, FUNDAMENT_ERROR_INVALID);
    assert_int_equal(query_integer(fixture->db, "SELECT COUNT(*) FROM things"), 0);
}

static void broken_constraints_are_conflicts(Fixture *fixture)
{
    run_sql(fixture->db, "CREATE TABLE parents (t TEXT PRIMARY KEY)");
    run_sql(fixture->db,
            "CREATE TABLE children (t TEXT NOT NULL UNIQUE REFERENCES parents (t), n BIGINT CHECK (n > 0))");
    run_sql(fixture->db, "INSERT INTO parents VALUES ('" SECRET "')");
    run_sql(fixture->db, "INSERT INTO children VALUES ('" SECRET "', 1)");
    const Value text = value_text(SECRET);
    const Value other = value_text(SECRET "0");
    const Value missing = value_null();
    refused(fixture->db, "INSERT INTO children VALUES (?1, 2)", &text, 1, FUNDAMENT_ERROR_CONFLICT);
    refused(fixture->db, "INSERT INTO children VALUES (?1, 2)", &other, 1, FUNDAMENT_ERROR_CONFLICT);
    refused(fixture->db, "INSERT INTO children VALUES (?1, 2)", &missing, 1, FUNDAMENT_ERROR_CONFLICT);
    refused(fixture->db, "DELETE FROM parents WHERE t = ?1", &text, 1, FUNDAMENT_ERROR_CONFLICT);
    refused(fixture->db, "UPDATE children SET n = 0 WHERE t = ?1", &text, 1, FUNDAMENT_ERROR_CONFLICT);
    assert_int_equal(query_integer(fixture->db, "SELECT COUNT(*) FROM children WHERE n = 1"), 1);
}

/* ---- changes, rows ---- */

static void counts_changed_rows(Fixture *fixture)
{
    things_make(fixture->db);
    static const struct {
        const char *sql;
        int changes;
    } steps[] = {
        {"INSERT INTO things VALUES (1, 'a'), (2, 'b'), (3, 'c')", 3},
        {"SELECT * FROM things", 3},
        {"UPDATE things SET t = t || 'x' WHERE n >= 2", 2},
        {"INSERT INTO things VALUES (1, 'z') ON CONFLICT DO NOTHING", 0},
        {"INSERT INTO things VALUES (1, 'z') ON CONFLICT (n) DO UPDATE SET t = excluded.t", 1},
        {"UPDATE things SET t = 'never' WHERE n = 99", 0},
        {"DELETE FROM things", 3},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(steps); i++) {
        run_sql(fixture->db, steps[i].sql);
        assert_int_equal(db_changes(fixture->db), steps[i].changes);
    }
}

static void rows_outlive_their_connection(Fixture *fixture)
{
    g_autoptr(GError) error = NULL;
    Db *db = store_take(fixture->store, &error);
    no_error(error);
    g_autoptr(Rows) rows = query_one(db, "SELECT CAST(?1 AS TEXT)", value_text("kept"));
    db_release(db);
    run_sql(fixture->db, "SELECT 1");
    assert_string_equal(rows_text(rows, 0), "kept");
}

static void no_rows_are_empty_rows(Fixture *fixture)
{
    g_autoptr(GError) error = NULL;
    const char *statements[] = {"CREATE TABLE e (n BIGINT)", "SELECT * FROM e", "INSERT INTO e VALUES (1)"};
    for (gsize i = 0; i < G_N_ELEMENTS(statements); i++) {
        g_autoptr(Rows) rows = db_query_values(fixture->db, statements[i], NULL, 0, &error);
        no_error(error);
        assert_int_equal(rows_count(rows), 0);
        assert_false(rows_next(rows));
    }
}

static void more_statements_than_the_cache_holds_work(Fixture *fixture)
{
    for (int round = 0; round < 2; round++) {
        for (int i = 0; i < 600; i++) {
            g_autofree char *sql = g_strdup_printf("SELECT %d + ?1", i);
            g_autoptr(Rows) rows = query_one(fixture->db, sql, value_integer(1));
            assert_int_equal(rows_integer(rows, 0), i + 1);
        }
    }
}

/* ---- transactions ---- */

static void commit_keeps_and_rollback_forgets(Fixture *fixture)
{
    g_autoptr(GError) error = NULL;
    things_make(fixture->db);
    for (int n = 0; n < 4; n++) {
        assert_true(db_begin(fixture->db, &error));
        db_run(fixture->db, &error, "INSERT INTO things VALUES (?1, NULL)", value_integer(n));
        no_error(error);
        if (n % 2 == 0) {
            assert_true(db_commit(fixture->db, &error));
        } else {
            db_rollback(fixture->db);
        }
    }
    assert_int_equal(query_integer(fixture->db, "SELECT SUM(n * 10 + 1) FROM things"), 22);
}

static void release_rolls_back(Fixture *fixture)
{
    g_autoptr(GError) error = NULL;
    things_make(fixture->db);
    Db *db = store_take(fixture->store, &error);
    assert_true(db_begin(db, &error));
    run_sql(db, "INSERT INTO things VALUES (1, NULL)");
    db_release(db);
    assert_int_equal(query_integer(fixture->db, "SELECT COUNT(*) FROM things"), 0);
    run_sql(fixture->db, "INSERT INTO things VALUES (1, NULL)"); /* and nothing stays locked */
}

static void transactions_do_not_nest(Fixture *fixture)
{
    g_autoptr(GError) error = NULL;
    assert_true(db_begin(fixture->db, &error));
    assert_false(db_begin(fixture->db, &error));
    expect_error(&error, FUNDAMENT_ERROR_INTERNAL);
    assert_true(db_commit(fixture->db, &error));
    assert_false(db_commit(fixture->db, &error));
    expect_error(&error, FUNDAMENT_ERROR_INTERNAL);
}

static void a_failed_statement_fails_its_transaction(Fixture *fixture)
{
    g_autoptr(GError) error = NULL;
    things_make(fixture->db);
    run_sql(fixture->db, "INSERT INTO things VALUES (1, NULL)");
    for (int round = 0; round < 2; round++) {
        assert_true(db_begin(fixture->db, &error));
        run_sql(fixture->db, "INSERT INTO things VALUES (2, NULL)");
        refused(fixture->db, "INSERT INTO things VALUES (1, NULL)", NULL, 0, FUNDAMENT_ERROR_CONFLICT);
        refused(fixture->db, "SELECT 1", NULL, 0, FUNDAMENT_ERROR_INTERNAL);
        if (round == 0) {
            assert_false(db_commit(fixture->db, &error));
            expect_error(&error, FUNDAMENT_ERROR_INTERNAL);
        } else {
            db_rollback(fixture->db);
        }
        assert_int_equal(query_integer(fixture->db, "SELECT COUNT(*) FROM things"), 1);
    }
}

static void a_constraint_checked_at_commit_is_a_conflict(Fixture *fixture)
{
    g_autoptr(GError) error = NULL;
    run_sql(fixture->db, "CREATE TABLE parents (n BIGINT PRIMARY KEY)");
    run_sql(fixture->db,
            "CREATE TABLE children (n BIGINT REFERENCES parents (n) DEFERRABLE INITIALLY DEFERRED)");
    assert_true(db_begin(fixture->db, &error));
    run_sql(fixture->db, "INSERT INTO children VALUES (5)");
    assert_false(db_commit(fixture->db, &error));
    expect_error(&error, FUNDAMENT_ERROR_CONFLICT);
    assert_int_equal(query_integer(fixture->db, "SELECT COUNT(*) FROM children"), 0);
    assert_true(db_begin(fixture->db, &error));
    run_sql(fixture->db, "INSERT INTO children VALUES (5)");
    run_sql(fixture->db, "INSERT INTO parents VALUES (5)");
    assert_true(db_commit(fixture->db, &error));
}

/* ---- opening ---- */

static void refuses_other_urls(Fixture *fixture)
{
    const char *urls[] = {"",        "mysql://x:" SECRET "@y", "/x/plain.db",
                          "sqlite:", "sqlite::memory:",        "SQLITE:x"};
    for (gsize i = 0; i < G_N_ELEMENTS(urls); i++) {
        g_autoptr(GError) error = NULL;
        assert_null(store_open(urls[i], &error));
        assert_null(strstr(error->message, SECRET));
        expect_error(&error, FUNDAMENT_ERROR_INVALID);
    }
}

/* ---- SQLite alone ---- */

static const char *file_of(const Fixture *fixture)
{
    return fixture->url + strlen("sqlite:");
}

static void sqlite_keeps_every_commit_on_disk(Fixture *fixture)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(Rows) rows = db_query_values(fixture->db, "PRAGMA journal_mode", NULL, 0, &error);
    assert_true(rows_next(rows));
    assert_string_equal(rows_text(rows, 0), "wal");
    assert_int_equal(query_integer(fixture->db, "PRAGMA synchronous"), 2); /* FULL */
    assert_int_equal(query_integer(fixture->db, "PRAGMA foreign_keys"), 1);
}

static void sqlite_files_are_for_their_owner_alone(Fixture *fixture)
{
    things_make(fixture->db);
    const char *suffixes[] = {"", "-wal", "-shm"};
    for (gsize i = 0; i < G_N_ELEMENTS(suffixes); i++) {
        g_autofree char *path = g_strconcat(file_of(fixture), suffixes[i], NULL);
        GStatBuf status;
        assert_int_equal(g_stat(path, &status), 0);
        assert_int_equal(status.st_mode & 0777, 0600);
    }
}

static void sqlite_refuses_what_is_not_a_database(Fixture *fixture)
{
    g_autofree char *folder = test_folder_new();
    g_autofree char *file = g_build_filename(folder, "letter.txt", NULL);
    g_autofree char *text = g_strnfill(5000, 'x');
    assert_true(g_file_set_contents(file, text, -1, NULL));
    const char *paths[] = {file, folder, "/nowhere/at/all.db"};
    for (gsize i = 0; i < G_N_ELEMENTS(paths); i++) {
        g_autoptr(GError) error = NULL;
        g_autofree char *url = g_strconcat("sqlite:", paths[i], NULL);
        assert_null(store_open(url, &error));
        expect_error(&error, FUNDAMENT_ERROR_IO);
    }
    g_autofree char *after = NULL;
    assert_true(g_file_get_contents(file, &after, NULL, NULL));
    assert_string_equal(after, text);
}

static void sqlite_schema_cannot_be_written_directly(Fixture *fixture)
{
    things_make(fixture->db);
    refused(fixture->db, "DELETE FROM sqlite_schema", NULL, 0, FUNDAMENT_ERROR_INTERNAL);
    refused(fixture->db, "ATTACH ':memory:' AS other", NULL, 0, FUNDAMENT_ERROR_INTERNAL);
}

/* In a child process whose files may grow no further: what was committed before stays, what fails says so. */
static int write_until_full(const char *url)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(Store) store = store_open(url, &error);
    g_autoptr(Db) db = store != NULL ? store_take(store, &error) : NULL;
    struct rlimit limit = {256 * 1024, 256 * 1024};
    signal(SIGXFSZ, SIG_IGN);
    if (db == NULL || setrlimit(RLIMIT_FSIZE, &limit) != 0) {
        return 100;
    }
    g_autofree char *text = g_strnfill(20000, 'x');
    for (int n = 1; n < 100; n++) {
        g_autofree char *unique = g_strdup_printf("%d%s", n, text);
        if (!db_run(db, &error, "INSERT INTO things VALUES (?1, ?2)", value_integer(n), value_text(unique))) {
            return g_error_matches(error, FUNDAMENT_ERROR, FUNDAMENT_ERROR_IO) ? n - 1 : 101;
        }
    }
    return 102;
}

static void sqlite_on_a_full_disk_keeps_what_was_committed(Fixture *fixture)
{
    things_make(fixture->db);
    pid_t child = fork();
    if (child == 0) {
        _exit(write_until_full(fixture->url));
    }
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    assert_in_range(WEXITSTATUS(status), 1, 99);
    assert_int_equal(query_integer(fixture->db, "SELECT COUNT(*) FROM things"), WEXITSTATUS(status));
    run_sql(fixture->db, "INSERT INTO things VALUES (1000, NULL)");
}

/* Reports each committed number through the pipe, until it is killed. */
static void commit_and_tell(const char *url, int pipe_fd)
{
    g_autoptr(Store) store = store_open(url, NULL);
    g_autoptr(Db) db = store_take(store, NULL);
    for (gint64 n = query_integer(db, "SELECT COALESCE(MAX(n), 0) FROM things") + 1;; n++) {
        if (!db_run(db, NULL, "INSERT INTO things VALUES (?1, NULL)", value_integer(n)) ||
            write(pipe_fd, &n, sizeof n) != sizeof n) {
            _exit(1);
        }
    }
}

static void sqlite_keeps_what_was_committed_before_a_kill(Fixture *fixture)
{
    things_make(fixture->db);
    gint64 told = 0;
    for (int round = 0; round < 5; round++) {
        int ends[2];
        assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
        pid_t child = fork();
        if (child == 0) {
            close(ends[0]);
            commit_and_tell(fixture->url, ends[1]);
        }
        close(ends[1]);
        for (int i = 0; i < 20 + round; i++) {
            assert_int_equal(read(ends[0], &told, sizeof told), sizeof told);
        }
        kill(child, SIGKILL);
        assert_int_equal(waitpid(child, NULL, 0), child);
        while (read(ends[0], &told, sizeof told) == sizeof told) {
        }
        close(ends[0]);
        gint64 kept = query_integer(fixture->db, "SELECT COUNT(*) FROM things");
        assert_in_range(kept, told, told + 1); /* the last one may not have been told */
    }
}

/* ---- PostgreSQL alone ---- */

static void postgresql_connections_that_broke_are_replaced(Fixture *fixture)
{
    if (!test_postgresql_is_own()) {
        fixture_skip(fixture, "the PostgreSQL server is not ours to restart");
    }
    g_autoptr(GError) error = NULL;
    things_make(fixture->db);
    run_sql(fixture->db, "INSERT INTO things VALUES (1, NULL)");
    Db *idle = store_take(fixture->store, &error);
    db_release(idle);
    assert_true(db_begin(fixture->db, &error));
    test_postgresql_restart();
    refused(fixture->db, "SELECT COUNT(*) FROM things", NULL, 0, FUNDAMENT_ERROR_UNAVAILABLE);
    db_release(fixture->db);
    fixture->db = store_take(fixture->store, &error); /* the idle one broke too */
    no_error(error);
    assert_int_equal(query_integer(fixture->db, "SELECT COUNT(*) FROM things"), 1);
}

static void postgresql_that_is_not_there_is_unavailable(Fixture *fixture)
{
    g_autoptr(GError) error = NULL;
    assert_null(store_open("postgresql://someone:" SECRET "@127.0.0.1:1/nothing", &error));
    assert_null(strstr(error->message, SECRET));
    expect_error(&error, FUNDAMENT_ERROR_UNAVAILABLE);
}

static void postgresql_plans_survive_a_changed_table(Fixture *fixture)
{
    g_autoptr(GError) error = NULL;
    things_make(fixture->db);
    Db *other = store_take(fixture->store, &error);
    run_sql(other, "SELECT * FROM things");
    run_sql(fixture->db, "ALTER TABLE things ADD COLUMN extra TEXT");
    refused(other, "SELECT * FROM things", NULL, 0, FUNDAMENT_ERROR_UNAVAILABLE);
    db_release(other);
    g_autoptr(Db) again = store_take(fixture->store, &error);
    run_sql(again, "SELECT * FROM things");
}

static void postgresql_values_out_of_range_are_invalid(Fixture *fixture)
{
    run_sql(fixture->db, "CREATE TABLE small (n SMALLINT)");
    const Value value = value_integer(G_GINT64_CONSTANT(123456782));
    refused(fixture->db, "INSERT INTO small VALUES (?1)", &value, 1, FUNDAMENT_ERROR_INVALID);
    const Value text = value_text(SECRET "x");
    refused(fixture->db, "SELECT CAST(?1 AS BIGINT)", &text, 1, FUNDAMENT_ERROR_INVALID);
}

int main(void)
{
    static const Case cases[] = {
        CASE(integers_come_back_whole, ON_BOTH),
        CASE(text_comes_back_whole, ON_BOTH),
        CASE(blobs_come_back_whole, ON_BOTH),
        CASE(null_is_not_empty, ON_BOTH),
        CASE(sums_counts_and_arithmetic_are_integers, ON_BOTH),
        CASE(parameters_may_repeat_and_come_in_any_order, ON_BOTH),
        CASE(parameters_in_quotes_and_comments_are_text, ON_BOTH),
        CASE(a_null_value_fits_every_type, ON_BOTH),
        CASE(refuses_a_wrong_number_of_values, ON_BOTH),
        CASE(refuses_other_parameters, ON_BOTH),
        CASE(refuses_a_second_statement, ON_BOTH),
        CASE(refuses_bad_sql, ON_BOTH),
        CASE(refuses_text_that_is_not_utf8, ON_BOTH),
        CASE(broken_constraints_are_conflicts, ON_BOTH),
        CASE(counts_changed_rows, ON_BOTH),
        CASE(rows_outlive_their_connection, ON_BOTH),
        CASE(no_rows_are_empty_rows, ON_BOTH),
        CASE(more_statements_than_the_cache_holds_work, ON_BOTH),
        CASE(commit_keeps_and_rollback_forgets, ON_BOTH),
        CASE(release_rolls_back, ON_BOTH),
        CASE(transactions_do_not_nest, ON_BOTH),
        CASE(a_failed_statement_fails_its_transaction, ON_BOTH),
        CASE(a_constraint_checked_at_commit_is_a_conflict, ON_BOTH),
        CASE(refuses_other_urls, ON_SQLITE),
        CASE(sqlite_keeps_every_commit_on_disk, ON_SQLITE),
        CASE(sqlite_files_are_for_their_owner_alone, ON_SQLITE),
        CASE(sqlite_refuses_what_is_not_a_database, ON_SQLITE),
        CASE(sqlite_schema_cannot_be_written_directly, ON_SQLITE),
        CASE(sqlite_on_a_full_disk_keeps_what_was_committed, ON_SQLITE),
        CASE(sqlite_keeps_what_was_committed_before_a_kill, ON_SQLITE),
        CASE(postgresql_connections_that_broke_are_replaced, ON_POSTGRESQL),
        CASE(postgresql_that_is_not_there_is_unavailable, ON_POSTGRESQL),
        CASE(postgresql_plans_survive_a_changed_table, ON_POSTGRESQL),
        CASE(postgresql_values_out_of_range_are_invalid, ON_POSTGRESQL),
    };
    return cases_run("store", cases, G_N_ELEMENTS(cases));
}
