/* decisions.md 29: one table of retention, on each engine. */
#include "core/node/audit.h"
#include "core/node/retention.h"
#include "tests/unit/node/support.h"

#define DAY_MS ((gint64)86400000)

static void run_sql(NodeFixture *fixture, const char *sql)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(Db) db = store_take(fixture->store, &error);
    no_error(error);
    db_run_values(db, sql, NULL, 0, &error);
    no_error(error);
}

static void write_act(NodeFixture *fixture, const char *action)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(Db) db = store_take(fixture->store, &error);
    no_error(error);
    audit_write(db, &fixture->clock, "uid:0", "administrator", action, "x", "done", NULL, &error);
    no_error(error);
}

static GArray *run(NodeFixture *fixture, gboolean dry)
{
    g_autoptr(GError) error = NULL;
    GArray *results = retention_run(fixture->node, dry, "node", "system", &error);
    no_error(error);
    return results;
}

static gint64 count_of(const GArray *results, const char *name)
{
    for (guint i = 0; i < results->len; i++) {
        const RetentionResult *result = &g_array_index(results, RetentionResult, i);
        if (strcmp(result->name, name) == 0)
            return result->count;
    }
    return -1;
}

static void insert_message(NodeFixture *fixture, const char *kind, gboolean dead)
{
    g_autofree char *sql = g_strdup_printf("INSERT INTO node_outbox (kind, destination, body, created_ms, "
                                           "next_try_ms, tries, dead, lease_until_ms)"
                                           " VALUES ('%s', 'peer', '', %" G_GINT64_FORMAT ", 0, 1, %d, 0)",
                                           kind, clock_now_ms(&fixture->clock), dead);
    run_sql(fixture, sql);
}

static void every_row_has_a_default_that_node_conf_may_change(void **state)
{
    gsize count;
    const ConfigKey *keys = node_config_keys(&count);
    for (gsize i = 0; i < retention_count; i++) {
        const char *fallback = NULL;
        for (gsize j = 0; j < count; j++)
            if (strcmp(keys[j].section, "retention") == 0 &&
                strcmp(keys[j].key, retention_table[i].name) == 0)
                fallback = keys[j].fallback;
        if (retention_table[i].fallback == NULL)
            assert_null(fallback);
        else
            assert_string_equal(fallback, retention_table[i].fallback);
    }
}

static void removes_what_is_past_its_time_and_nothing_else(void **state)
{
    fixture_or_skip(fixture, state);
    write_act(fixture, "old");
    insert_message(fixture, "dead.old", TRUE);
    insert_message(fixture, "waiting.old", FALSE); /* what is still tried has no time */
    support_advance(fixture, 1826 * DAY_MS);
    write_act(fixture, "young");
    insert_message(fixture, "dead.young", TRUE);
    support_advance(fixture, 1);
    g_autoptr(GArray) results = run(fixture, FALSE);
    assert_int_equal(count_of(results, "audit"), 1);
    assert_int_equal(count_of(results, "dead_letters"), 1);
    assert_int_equal(count_of(results, "traffic"), -1); /* of a component that is not here */
    assert_int_equal(support_number(fixture->store, "SELECT COUNT(*) FROM node_audit WHERE action = 'old'"),
                     0);
    assert_int_equal(support_number(fixture->store, "SELECT COUNT(*) FROM node_audit WHERE action = 'young'"),
                     1);
    assert_int_equal(support_number(fixture->store, "SELECT COUNT(*) FROM node_outbox"), 2);
}

static void each_removal_is_in_the_audit_log(void **state)
{
    fixture_or_skip(fixture, state);
    for (int i = 0; i < 3; i++)
        write_act(fixture, "old");
    support_advance(fixture, 1900 * DAY_MS);
    g_array_unref(run(fixture, FALSE));
    assert_int_equal(support_number(fixture->store,
                                    "SELECT COUNT(*) FROM node_audit WHERE action = 'retention.audit' AND "
                                    "actor = 'node' AND outcome = 'removed' AND object LIKE '3 of before %'"),
                     1);
    g_array_unref(run(fixture, FALSE)); /* nothing went: nothing to tell */
    assert_int_equal(support_number(fixture->store, "SELECT COUNT(*) FROM node_audit"), 2);
}

/* Whoever is killed in the midst of it has not removed anything in silence. */
static void the_intention_is_in_the_audit_log_before_the_removal(void **state)
{
    fixture_or_skip(fixture, state);
    write_act(fixture, "old");
    support_advance(fixture, 1900 * DAY_MS);
    g_array_unref(run(fixture, FALSE));
    assert_int_equal(
        support_number(fixture->store,
                       "SELECT COUNT(*) FROM node_audit b, node_audit r WHERE b.outcome = 'begun' AND "
                       "r.outcome = 'removed' AND b.object = r.object AND b.id < r.id"),
        1);
}

static void a_dry_run_counts_and_removes_nothing(void **state)
{
    fixture_or_skip(fixture, state);
    for (int i = 0; i < 1500; i++) /* more than go in one transaction */
        insert_message(fixture, "dead", TRUE);
    support_advance(fixture, 91 * DAY_MS);
    g_autoptr(GArray) dry = run(fixture, TRUE);
    assert_int_equal(count_of(dry, "dead_letters"), 1500);
    assert_int_equal(support_number(fixture->store, "SELECT COUNT(*) FROM node_outbox"), 1500);
    assert_int_equal(support_number(fixture->store, "SELECT COUNT(*) FROM node_audit"), 0);
    g_autoptr(GArray) real = run(fixture, FALSE);
    assert_int_equal(count_of(real, "dead_letters"), 1500);
    assert_int_equal(support_number(fixture->store, "SELECT COUNT(*) FROM node_outbox"), 0);
}

static void sessions_and_statements_go_by_their_own_clock(void **state)
{
    fixture_or_skip(fixture, state);
    g_autofree char *sql = g_strdup_printf(
        "INSERT INTO node_statements (issuer, jti, expires_s) VALUES ('a', 'b', %" G_GINT64_FORMAT ")",
        clock_now_s(&fixture->clock));
    run_sql(fixture, sql);
    support_advance(fixture, 60000);
    g_autoptr(GArray) early = run(fixture, FALSE);
    assert_int_equal(count_of(early, "statements"), 0);
    support_advance(fixture, 2000);
    g_autoptr(GArray) late = run(fixture, FALSE);
    assert_int_equal(count_of(late, "statements"), 1);
    assert_int_equal(count_of(late, "sessions"), 0);
    assert_int_equal(support_number(fixture->store, "SELECT COUNT(*) FROM node_audit"),
                     0); /* of every minute */
}

static gboolean expire(gpointer context, const RetentionRun *run, GError **error)
{
    g_set_error_literal(error, FUNDAMENT_ERROR, FUNDAMENT_ERROR_IO, "the disk does not let go");
    return FALSE;
}

static gpointer start(Node *node, GError **error)
{
    return node;
}

static void what_cannot_be_removed_is_an_error(void **state)
{
    static const Component component = {.name = "test", .start = start, .expire = expire};
    fixture_or_skip(fixture, state);
    g_autoptr(GError) error = NULL;
    assert_true(node_start_component(fixture->node, &component, &error));
    assert_null(retention_run(fixture->node, FALSE, "node", "system", &error));
    expect_error(&error, FUNDAMENT_ERROR_IO);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_row_has_a_default_that_node_conf_may_change),
        on_both_engines(removes_what_is_past_its_time_and_nothing_else),
        on_both_engines(each_removal_is_in_the_audit_log),
        on_both_engines(the_intention_is_in_the_audit_log_before_the_removal),
        on_both_engines(a_dry_run_counts_and_removes_nothing),
        on_both_engines(sessions_and_statements_go_by_their_own_clock),
        on_both_engines(what_cannot_be_removed_is_an_error),
    };
    return cmocka_run_group_tests_name("retention", tests, NULL, NULL);
}
