#include "core/node/session_private.h"
#include "tests/unit/node/support.h"

static guint runs[2];
static gboolean fails;

static gboolean run_first(Node *node, gpointer context, GError **error)
{
    assert_ptr_equal(context, runs);
    runs[0]++;
    if (!fails)
        return TRUE;
    g_set_error_literal(error, FUNDAMENT_ERROR, FUNDAMENT_ERROR_UNAVAILABLE, "not today");
    return FALSE;
}

static gboolean run_second(Node *node, gpointer context, GError **error)
{
    runs[1]++;
    return TRUE;
}

static gpointer start(Node *node, GError **error)
{
    return runs;
}

static const Job list[] = {{"test.first", 10, run_first}, {"test.second", 1000, run_second}};
static const Component component = {.name = "test", .jobs = list, .n_jobs = 2, .start = start};

#define prepare(fixture, state)                                                                              \
    fixture_or_skip(fixture, state);                                                                         \
    memset(runs, 0, sizeof runs);                                                                            \
    fails = FALSE;                                                                                           \
    {                                                                                                        \
        g_autoptr(GError) problem = NULL;                                                                    \
        node_start_component(fixture->node, &component, &problem);                                           \
        no_error(problem);                                                                                   \
    }

static void runs_at_the_start_and_then_at_each_interval(void **state)
{
    prepare(fixture, state);
    Jobs *jobs = jobs_new(fixture->node);
    assert_int_equal(jobs_run_due(jobs), 10000);
    assert_int_equal(runs[0], 1);
    assert_int_equal(runs[1], 1);
    support_advance(fixture, 9999);
    assert_int_equal(jobs_run_due(jobs), 1);
    assert_int_equal(runs[0], 1);
    support_advance(fixture, 1);
    jobs_run_due(jobs);
    assert_int_equal(runs[0], 2);
    assert_int_equal(runs[1], 1);
    jobs_free(jobs);
}

static void a_job_that_fails_runs_again_and_leaves_its_reason(void **state)
{
    prepare(fixture, state);
    Jobs *jobs = jobs_new(fixture->node);
    fails = TRUE;
    jobs_run_due(jobs);
    assert_int_equal(runs[1], 1); /* the others run all the same */
    assert_int_equal(
        support_number(fixture->store, "SELECT COUNT(*) FROM node_jobs WHERE last_error = 'not today'"), 1);
    fails = FALSE;
    support_advance(fixture, 10000);
    jobs_run_due(jobs);
    assert_int_equal(runs[0], 2);
    assert_int_equal(
        support_number(fixture->store, "SELECT COUNT(*) FROM node_jobs WHERE last_error IS NOT NULL"), 0);
    g_autoptr(GString) metrics = g_string_new(NULL);
    jobs_metrics(jobs, metrics);
    assert_non_null(
        strstr(metrics->str, "fundament_job_runs_total{job=\"test.first\",outcome=\"done\"} 1\n"));
    assert_non_null(
        strstr(metrics->str, "fundament_job_runs_total{job=\"test.first\",outcome=\"failed\"} 1\n"));
    jobs_free(jobs);
}

static void take_first_lease(NodeFixture *fixture, gint64 until_ms)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(Db) db = store_take(fixture->store, &error);
    db_run(db, &error,
           "UPDATE node_jobs SET holder = 'another', lease_until_ms = ?1 WHERE name = 'test.first'",
           value_integer(until_ms));
    no_error(error);
}

static void a_job_that_another_process_holds_is_left_alone_until_the_lease_ends(void **state)
{
    prepare(fixture, state);
    Jobs *jobs = jobs_new(fixture->node);
    take_first_lease(fixture, clock_now_ms(&fixture->clock) + 50000);
    assert_int_equal(jobs_run_due(jobs), 50000);
    assert_int_equal(runs[0], 0);
    assert_int_equal(runs[1], 1);
    support_advance(fixture, 50000);
    jobs_run_due(jobs);
    assert_int_equal(runs[0], 1);
    jobs_free(jobs);
}

/* With PostgreSQL the other process lives on; with SQLite there is no other. */
static void a_start_takes_over_leases_only_where_it_is_alone(void **state)
{
    prepare(fixture, state);
    jobs_free(jobs_new(fixture->node));
    take_first_lease(fixture, clock_now_ms(&fixture->clock) + 50000);
    Jobs *jobs = jobs_new(fixture->node);
    jobs_run_due(jobs);
    assert_int_equal(runs[0], store_is_postgresql(fixture->store) ? 0 : 1);
    jobs_free(jobs);
}

static void two_processes_run_a_job_once(void **state)
{
    prepare(fixture, state);
    Jobs *one = jobs_new(fixture->node);
    Jobs *other = jobs_new(fixture->node);
    jobs_run_due(one);
    jobs_run_due(other);
    assert_int_equal(runs[0], 1);
    assert_int_equal(runs[1], 1);
    jobs_free(one);
    jobs_free(other);
}

static void the_thread_runs_jobs_and_stops(void **state)
{
    prepare(fixture, state);
    Jobs *jobs = jobs_start(fixture->node);
    for (int i = 0; i < 20000; i++) {
        if (support_number(fixture->store, "SELECT COUNT(*) FROM node_jobs WHERE name LIKE 'test.%' AND "
                                           "holder <> '' AND lease_until_ms = 0") == 2)
            break;
        g_usleep(1000);
    }
    jobs_stop(jobs);
    assert_int_equal(runs[0], 1);
    assert_int_equal(runs[1], 1);
}

static void what_has_run_out_is_thrown_away(void **state)
{
    prepare(fixture, state);
    g_autoptr(GError) error = NULL;
    gint64 now = clock_now_ms(&fixture->clock);
    const struct {
        const char *id;
        gint64 created, seen;
    } sessions[] = {{"lives", now, now - SESSION_IDLE_MS},
                    {"idle", now - SESSION_IDLE_MS - 1, now - SESSION_IDLE_MS - 1},
                    {"old", now - SESSION_LONGEST_MS - 1, now}};
    Db *db = store_take(fixture->store, &error);
    for (gsize i = 0; i < G_N_ELEMENTS(sessions); i++)
        db_run(db, &error,
               "INSERT INTO node_sessions (id, sealed, created_ms, seen_ms) VALUES (?1, ?2, ?3, ?4)",
               value_blob(sessions[i].id, strlen(sessions[i].id)), value_blob("", 0),
               value_integer(sessions[i].created), value_integer(sessions[i].seen));
    db_run(db, &error,
           "INSERT INTO node_statements (issuer, jti, expires_s) VALUES ('a', 'old', ?1), ('a', 'new', ?2)",
           value_integer(SUPPORT_NOW - 61), value_integer(SUPPORT_NOW - 60));
    db_release(db);
    no_error(error);
    Jobs *jobs = jobs_new(fixture->node);
    jobs_run_due(jobs);
    assert_int_equal(support_number(fixture->store, "SELECT COUNT(*) FROM node_sessions"), 1);
    assert_int_equal(support_number(fixture->store, "SELECT COUNT(*) FROM node_statements WHERE jti = 'new'"),
                     1);
    assert_int_equal(support_number(fixture->store, "SELECT COUNT(*) FROM node_statements"), 1);
    jobs_free(jobs);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        on_both_engines(runs_at_the_start_and_then_at_each_interval),
        on_both_engines(a_job_that_fails_runs_again_and_leaves_its_reason),
        on_both_engines(a_job_that_another_process_holds_is_left_alone_until_the_lease_ends),
        on_both_engines(a_start_takes_over_leases_only_where_it_is_alone),
        on_both_engines(two_processes_run_a_job_once),
        on_both_engines(the_thread_runs_jobs_and_stops),
        on_both_engines(what_has_run_out_is_thrown_away),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
