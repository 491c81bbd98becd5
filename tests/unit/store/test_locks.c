/* Those who wait: for another writer, for a lock, for a connection of the pool. Some wait as long as the real
 * limits. */
#include "tests/unit/store/fixture.h"

#define COUNTING_THREADS 8
#define COUNTING_ROUNDS 40

static gboolean count_once(Store *store, GError **error)
{
    g_autoptr(Db) db = store_take(store, error);
    if (db == NULL || !db_begin(db, error)) {
        return FALSE;
    }
    g_autoptr(Rows) rows = db_query_values(db, "UPDATE counter SET n = n + 1 RETURNING n", NULL, 0, error);
    return rows != NULL && rows_next(rows) &&
           db_run(db, error, "INSERT INTO things VALUES (?1, NULL)", value_integer(rows_integer(rows, 0))) &&
           db_commit(db, error);
}

static gpointer count_up(gpointer store)
{
    GError *error = NULL;
    for (int i = 0; i < COUNTING_ROUNDS && error == NULL; i++) {
        count_once(store, &error);
    }
    return error;
}

static void writers_wait_for_each_other(Fixture *fixture)
{
    things_make(fixture->db);
    run_sql(fixture->db, "CREATE TABLE counter (n BIGINT)");
    run_sql(fixture->db, "INSERT INTO counter VALUES (0)");
    g_autoptr(GError) error = NULL;
    g_autoptr(Store) other = store_open(fixture->url, &error); /* as another process would */
    no_error(error);
    GThread *threads[COUNTING_THREADS];
    for (int i = 0; i < COUNTING_THREADS; i++) {
        threads[i] = g_thread_new("count", count_up, i % 2 == 0 ? fixture->store : other);
    }
    for (int i = 0; i < COUNTING_THREADS; i++) {
        g_autoptr(GError) problem = g_thread_join(threads[i]);
        no_error(problem);
    }
    assert_int_equal(query_integer(fixture->db, "SELECT n FROM counter"), COUNTING_THREADS * COUNTING_ROUNDS);
    assert_int_equal(query_integer(fixture->db, "SELECT COUNT(*) FROM things"),
                     COUNTING_THREADS * COUNTING_ROUNDS);
}

/* The same row, or the same database, is locked by somebody for longer than one waits. */
static void a_lock_that_stays_is_unavailable(Fixture *fixture)
{
    g_autoptr(GError) error = NULL;
    things_make(fixture->db);
    run_sql(fixture->db, "INSERT INTO things VALUES (1, NULL)");
    g_autoptr(Store) other = store_open(fixture->url, &error);
    g_autoptr(Db) holder = store_take(other, &error);
    assert_true(db_begin(holder, &error));
    run_sql(holder, "UPDATE things SET t = 'held'");
    assert_int_equal(query_integer(fixture->db, "SELECT COUNT(*) FROM things WHERE t IS NULL"),
                     1); /* readers go on */
    refused(fixture->db, "UPDATE things SET t = 'mine'", NULL, 0, FUNDAMENT_ERROR_UNAVAILABLE);
    db_rollback(holder);
    run_sql(fixture->db, "UPDATE things SET t = 'mine'");
}

static void a_lock_that_stays_in_this_process_is_unavailable(Fixture *fixture)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(Db) holder = store_take(fixture->store, &error);
    assert_true(db_begin(holder, &error));
    assert_false(db_begin(fixture->db, &error));
    expect_error(&error, FUNDAMENT_ERROR_UNAVAILABLE);
    assert_true(db_commit(holder, &error));
    assert_true(db_begin(fixture->db, &error));
}

static gboolean update_one(Db *db, int first, GError **error)
{
    return db_run(db, error, "UPDATE things SET t = ?2 WHERE n = ?1", value_integer(first), value_null());
}

static gpointer update_second(gpointer db)
{
    GError *error = NULL;
    update_one(db, 1, &error);
    return error;
}

static void a_deadlock_is_unavailable_to_one(Fixture *fixture)
{
    g_autoptr(GError) error = NULL;
    things_make(fixture->db);
    run_sql(fixture->db, "INSERT INTO things VALUES (1, NULL), (2, NULL)");
    g_autoptr(Db) other = store_take(fixture->store, &error);
    assert_true(db_begin(fixture->db, &error) && db_begin(other, &error));
    assert_true(update_one(fixture->db, 1, &error) && update_one(other, 2, &error));
    GThread *thread = g_thread_new("second", update_second, other);
    update_one(fixture->db, 2, &error);
    GError *other_error = g_thread_join(thread);
    assert_true((error == NULL) != (other_error == NULL));
    if (other_error != NULL) {
        expect_error(&other_error, FUNDAMENT_ERROR_UNAVAILABLE);
    } else {
        expect_error(&error, FUNDAMENT_ERROR_UNAVAILABLE);
    }
}

static gpointer take_and_release(gpointer store)
{
    GError *error = NULL;
    db_release(store_take(store, &error));
    return error;
}

static void the_seventeenth_waits_for_a_connection(Fixture *fixture)
{
    g_autoptr(GError) error = NULL;
    Db *taken[15]; /* the fixture has one too */
    for (gsize i = 0; i < G_N_ELEMENTS(taken); i++) {
        taken[i] = store_take(fixture->store, &error);
        no_error(error);
        assert_int_equal(query_integer(taken[i], "SELECT 1"), 1);
    }
    GThread *thread = g_thread_new("waits", take_and_release, fixture->store);
    for (gsize i = 0; i < G_N_ELEMENTS(taken); i++) {
        db_release(taken[i]);
    }
    g_autoptr(GError) problem = g_thread_join(thread);
    no_error(problem);
}

static void a_pool_that_stays_empty_is_unavailable(Fixture *fixture)
{
    g_autoptr(GError) error = NULL;
    Db *taken[15];
    for (gsize i = 0; i < G_N_ELEMENTS(taken); i++) {
        taken[i] = store_take(fixture->store, &error);
        no_error(error);
    }
    assert_null(store_take(fixture->store, &error));
    expect_error(&error, FUNDAMENT_ERROR_UNAVAILABLE);
    for (gsize i = 0; i < G_N_ELEMENTS(taken); i++) {
        db_release(taken[i]);
    }
}

int main(void)
{
    static const Case cases[] = {
        CASE(writers_wait_for_each_other, ON_BOTH),
        CASE(a_lock_that_stays_is_unavailable, ON_BOTH),
        CASE(a_lock_that_stays_in_this_process_is_unavailable, ON_SQLITE),
        CASE(a_deadlock_is_unavailable_to_one, ON_POSTGRESQL),
        CASE(the_seventeenth_waits_for_a_connection, ON_BOTH),
        CASE(a_pool_that_stays_empty_is_unavailable, ON_SQLITE),
    };
    return cases_run("locks", cases, G_N_ELEMENTS(cases));
}
