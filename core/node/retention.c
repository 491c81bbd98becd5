#include "core/node/retention.h"

#include <string.h>

#include "core/base/error.h"
#include "core/node/audit.h"
#include "core/node/node_private.h"
#include "core/node/session_private.h"

#define CHUNK "1000" /* rows in one transaction: others write in the same database */
#define STATEMENT_MARGIN "60"

const Retention retention_table[] = {
    {"transactions", "1826d", "FSC transactions and what came of them: segments of the journal, their index",
     "logboek", NULL, NULL, NULL, 0},
    {"processing", "1826d", "records of data processing: segments of the journal, their index", "logboek",
     NULL, NULL, NULL, 0},
    {"decisions", "1826d", "records of authorisation decisions: segments of the journal, their index",
     "logboek", NULL, NULL, NULL, 0},
    {"audit", "1826d", "acts of administrators and officers", NULL, "node_audit", "id", "time_ms < ?1", 1},
    {"dead_letters", "90d", "messages that could not be delivered", NULL, "node_outbox", "id",
     "dead = 1 AND created_ms < ?1", 1},
    {"traffic", "400d", "sums of the traffic, by minute and by hour", "fsc", "fsc_traffic", NULL,
     "start_s < ?1", 1000},
    {"sessions", NULL, "sessions that were not used for 15 minutes, or are 8 hours old", NULL,
     "node_sessions", NULL,
     "seen_ms < ?1 - " G_STRINGIFY(SESSION_IDLE_MS) " OR created_ms < ?1 - " G_STRINGIFY(SESSION_LONGEST_MS),
     1},
    {"statements", NULL, "ids of statements that were used and have expired", NULL, "node_statements", NULL,
     "expires_s < ?1 - " STATEMENT_MARGIN, 1000},
};
const gsize retention_count = G_N_ELEMENTS(retention_table);

gint64 retention_before_ms(const RetentionRun *run, const char *name)
{
    for (gsize i = 0; i < retention_count; i++)
        if (strcmp(retention_table[i].name, name) == 0 && retention_table[i].fallback != NULL)
            return run->now_ms - config_integer(run->config, "retention", name) * 1000;
    return run->now_ms;
}

static void result_clear(gpointer result)
{
    g_free(((RetentionResult *)result)->name);
}

void retention_found(const RetentionRun *run, const char *name, gint64 before_ms, gint64 count, gint64 bytes)
{
    RetentionResult result = {.name = g_strdup(name), .before_ms = before_ms, .count = count, .bytes = bytes};
    g_array_append_val(run->results, result);
}

/* --- rows of the store --- */

static gint64 count_rows(Db *db, const Retention *row, gint64 before, GError **error)
{
    g_autofree char *sql = g_strdup_printf("SELECT COUNT(*) FROM %s WHERE %s", row->table, row->where);
    g_autoptr(Rows) rows = db_query(db, error, sql, value_integer(before));
    return rows != NULL && rows_next(rows) ? rows_integer(rows, 0) : -1;
}

/* The number that went, -1 with an error. */
static gint64 delete_rows(Db *db, const Retention *row, gint64 before, GError **error)
{
    g_autofree char *sql =
        row->key == NULL
            ? g_strdup_printf("DELETE FROM %s WHERE %s", row->table, row->where)
            : g_strdup_printf(
                  "DELETE FROM %s WHERE %s IN (SELECT %s FROM %s WHERE %s ORDER BY %s LIMIT " CHUNK ")",
                  row->table, row->key, row->key, row->table, row->where, row->key);
    gint64 total = 0, went;
    do {
        if (!db_run(db, error, sql, value_integer(before)))
            return -1;
        went = db_changes(db);
        total += went;
    } while (row->key != NULL && went > 0);
    return total;
}

static gboolean expire_rows(Node *node, const Retention *row, const RetentionRun *run, GError **error)
{
    gint64 before_ms = retention_before_ms(run, row->name);
    g_autoptr(Db) db = store_take(node->store, error);
    gint64 count = db == NULL ? -1
                   : run->dry ? count_rows(db, row, before_ms / row->unit_ms, error)
                              : delete_rows(db, row, before_ms / row->unit_ms, error);
    if (count < 0) {
        g_prefix_error(error, "retention of %s: ", row->name);
        return FALSE;
    }
    retention_found(run, row->name, before_ms, count, 0);
    return TRUE;
}

/* --- all of it --- */

static gboolean expire_components(Node *node, const RetentionRun *run, GError **error)
{
    for (guint i = 0; i < node->running->len; i++) {
        const Running *running = &g_array_index(node->running, Running, i);
        if (running->component->expire != NULL && !running->component->expire(running->context, run, error))
            return FALSE;
    }
    return TRUE;
}

static gboolean expire_all(Node *node, const RetentionRun *run, GError **error)
{
    if (!expire_components(node, run, error))
        return FALSE;
    for (gsize i = 0; i < retention_count; i++) {
        const Retention *row = &retention_table[i];
        gboolean present = row->component == NULL || node_component(node, row->component) != NULL;
        if (row->table != NULL && present && !expire_rows(node, row, run, error))
            return FALSE;
    }
    return TRUE;
}

/* The clock of sessions and statements runs in minutes: what goes of those is no news. */
static gboolean is_news(const RetentionResult *result)
{
    for (gsize i = 0; i < retention_count; i++)
        if (strcmp(retention_table[i].name, result->name) == 0)
            return result->count > 0 && retention_table[i].fallback != NULL;
    return result->count > 0;
}

typedef struct {
    const char *name, *role;
} Actor;

static gboolean write_audit(Node *node, const RetentionRun *run, const Actor *actor, const char *outcome,
                            GError **error)
{
    g_autoptr(Db) db = store_take(node->store, error);
    for (guint i = 0; db != NULL && i < run->results->len; i++) {
        const RetentionResult *result = &g_array_index(run->results, RetentionResult, i);
        g_autofree char *before = clock_format_rfc3339(result->before_ms);
        g_autofree char *action = g_strconcat("retention.", result->name, NULL);
        g_autofree char *object = g_strdup_printf("%" G_GINT64_FORMAT " of before %s", result->count, before);
        if (is_news(result) &&
            !audit_write(db, node->clock, actor->name, actor->role, action, object, outcome, NULL, error))
            return FALSE;
    }
    return db != NULL;
}

static RetentionRun run_new(const Node *node, gint64 now_ms, gboolean dry)
{
    RetentionRun run = {.config = node->config,
                        .now_ms = now_ms,
                        .dry = dry,
                        .results = g_array_new(FALSE, TRUE, sizeof(RetentionResult))};
    g_array_set_clear_func(run.results, result_clear);
    return run;
}

/* The intention is written down first: a process that is killed in the midst of it has not removed anything
 * in silence. */
static gboolean announce(Node *node, gint64 now_ms, const Actor *actor, GError **error)
{
    RetentionRun run = run_new(node, now_ms, TRUE);
    gboolean good = expire_all(node, &run, error) && write_audit(node, &run, actor, "begun", error);
    g_array_unref(run.results);
    return good;
}

GArray *retention_run(Node *node, gboolean dry, const char *name, const char *role, GError **error)
{
    Actor actor = {.name = name, .role = role};
    gint64 now_ms = clock_now_ms(node->clock);
    if (!dry && !announce(node, now_ms, &actor, error))
        return NULL;
    RetentionRun run = run_new(node, now_ms, dry);
    g_autoptr(GArray) results = run.results;
    if (!expire_all(node, &run, error) || (!dry && !write_audit(node, &run, &actor, "removed", error)))
        return NULL;
    return g_steal_pointer(&results);
}
