#include "core/node/housekeeping.h"

#include "core/node/keys.h"
#include "core/node/node.h"
#include "core/node/session_private.h"

#define INTERVAL_S 300
#define ALARM_INTERVAL_S 3600
#define RETENTION_INTERVAL_S 21600 /* 6 hours */
#define STATEMENT_MARGIN_S 60      /* beyond the tolerance of statement_verify() */

static gboolean clean_sessions(Node *node, gpointer context, GError **error)
{
    gint64 now = clock_now_ms(node_clock(node));
    g_autoptr(Db) db = store_take(node_store(node), error);
    return db != NULL &&
           db_run(db, error, "DELETE FROM node_sessions WHERE seen_ms < ?1 OR created_ms < ?2",
                  value_integer(now - SESSION_IDLE_MS), value_integer(now - SESSION_LONGEST_MS));
}

static gboolean clean_statements(Node *node, gpointer context, GError **error)
{
    gint64 now = clock_now_s(node_clock(node));
    g_autoptr(Db) db = store_take(node_store(node), error);
    return db != NULL && db_run(db, error, "DELETE FROM node_statements WHERE expires_s < ?1",
                                value_integer(now - STATEMENT_MARGIN_S));
}

const Job housekeeping_jobs[] = {
    {"node.sessions", INTERVAL_S, clean_sessions},
    {"node.statements", INTERVAL_S, clean_statements},
    {"node.certificates", ALARM_INTERVAL_S, keys_alarm},
    {"node.retention", RETENTION_INTERVAL_S, retention_job},
};
const gsize housekeeping_jobs_count = G_N_ELEMENTS(housekeeping_jobs);
