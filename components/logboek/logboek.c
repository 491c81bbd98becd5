#include "components/logboek/logboek.h"

#include "components/logboek/activities.h"
#include "components/logboek/internal.h"
#include "components/logboek/query.h"
#include "components/logboek/retention.h"
#include "components/logboek/rules.h"
#include "components/logboek/journal_kinds.h"
#include "components/logboek/transaction_query.h"
#include "core/base/error.h"
#include "core/format/json.h"
#include "core/node/health.h"

#define INDEX_PATIENCE_MS 1000

Logboek *logboek_of(const Node *node)
{
    return node_component(node, logboek_component.name);
}

/* --- writing, for other components of this node --- */

static GBytes *encode_own(const Logboek *logboek, const LogboekRecord *record, GError **error)
{
    LogboekRecord completed = *record;
    g_autofree char *activity = activity_id_complete(logboek->register_base, record->processing_activity_id);
    completed.processing_activity_id = activity;
    const char *attribute;
    RecordVerdict verdict = record_check(&completed, FALSE, &attribute);
    if (verdict == RECORD_ACCEPTED)
        return record_encode(&completed, error);
    record_verdict_error(verdict, attribute, error);
    return NULL;
}

gboolean logboek_append(Logboek *logboek, const LogboekRecord *records, gsize n_records, GError **error)
{
    g_autoptr(GPtrArray) encoded = g_ptr_array_new_with_free_func((GDestroyNotify)g_bytes_unref);
    g_autofree RecordOutcome *outcomes = g_new0(RecordOutcome, n_records);
    for (gsize i = 0; i < n_records; i++) {
        GBytes *bytes = encode_own(logboek, &records[i], error);
        if (bytes == NULL) {
            g_prefix_error(error, "record %zu of %zu: ", i + 1, n_records);
            return FALSE;
        }
        g_ptr_array_add(encoded, bytes);
    }
    if (!records_append(logboek->records, (GBytes *const *)encoded->pdata, n_records, outcomes, error))
        return FALSE;
    for (gsize i = 0; i < n_records; i++)
        if (outcomes[i] == RECORD_CONFLICT) {
            g_set_error(error, FUNDAMENT_ERROR, FUNDAMENT_ERROR_CONFLICT,
                        "record %zu of %zu: another record with this trace, span and subject is in the log "
                        "already; both are kept",
                        i + 1, n_records);
            return FALSE;
        }
    return TRUE;
}

void logboek_append_transaction(Logboek *logboek, const LogboekTransaction *transaction, TransactionDone done,
                                gpointer user_data)
{
    transactions_append(logboek->transactions, transaction, done, user_data);
}

void logboek_append_outcome(Logboek *logboek, const char *transaction_id, gboolean incoming, gboolean sent,
                            guint status, guint64 bytes)
{
    transactions_outcome(logboek->transactions, transaction_id, incoming, sent, status, bytes);
}

void logboek_set_batch_done(Logboek *logboek, void (*batch_done)(gpointer user_data), gpointer user_data)
{
    logboek->batch_done_data = user_data;
    g_atomic_pointer_set(&logboek->batch_done, batch_done);
}

/* --- reading, for other components of this node --- */

json_t *logboek_transactions(Logboek *logboek, const TransactionQuery *query, GError **error)
{
    TransactionSource source = {.store = logboek->store,
                                .journal = logboek->journal,
                                .transactions = logboek->transactions,
                                .indexer = logboek->indexer,
                                .shard = JOURNAL_SHARD};
    return transaction_query(&source, query, error);
}

void logboek_let_index_catch_up(Logboek *logboek)
{
    indexer_wait(logboek->indexer, journal_last(logboek->journal), INDEX_PATIENCE_MS);
}

json_t *logboek_operations_of(Logboek *logboek, const char *bsn, gint64 from_ms, gint64 until_ms, guint limit,
                              gboolean *more, GError **error)
{
    g_auto(GStrv) subjects = pseudonyms_of_bsn(node_pseudonymizer(logboek->node), bsn);
    g_autofree char *next = NULL;
    OperationQuery query = {.subjects = (const char *const *)subjects,
                            .from_ms = from_ms,
                            .until_ms = until_ms,
                            .limit = CLAMP(limit, 1, OPERATIONS_LIMIT_MAX)};
    logboek_let_index_catch_up(logboek);
    json_t *operations = operations_query(logboek->store, &query, &next, error);
    *more = next != NULL;
    return operations;
}

json_t *logboek_activities(Logboek *logboek, GError **error)
{
    return activities_list(logboek->store, error);
}

gint64 logboek_oldest_ms(Logboek *logboek)
{
    return journal_last(logboek->journal) == 0 ? 0 : logboek->begins_ms;
}

json_t *logboek_period(const Logboek *logboek)
{
    g_autofree char *start = clock_format_rfc3339(logboek->begins_ms);
    return json_pack("{ss}", "periodStart", start);
}

/* --- registration --- */

static gpointer start(Node *node, GError **error)
{
    return logboek_open(node, error);
}

static void metric(GString *out, const char *name, const char *type, const char *help, guint64 value)
{
    g_string_append_printf(out, "# HELP %s %s\n# TYPE %s %s\n%s %" G_GUINT64_FORMAT "\n", name, help, name,
                           type, name, value);
}

static void metrics(gpointer context, GString *out)
{
    Logboek *logboek = context;
    guint64 stored, repeated, conflicts, last = journal_last(logboek->journal);
    guint64 decisions[DECISION_OUTCOME_COUNT];
    TransactionCounts counts;
    decisions_count(logboek->decisions, decisions);
    records_count(logboek->records, &stored, &repeated, &conflicts);
    transactions_count(logboek->transactions, &counts);
    const struct {
        const char *name, *type, *help;
        guint64 value;
    } rows[] = {
        {"logboek_records_total", "counter", "Records of data processing put on disk.", stored},
        {"logboek_records_repeated_total", "counter", "Records that were on disk already.", repeated},
        {"logboek_records_conflicting_total", "counter", "Records whose key another record has.", conflicts},
        {"logboek_spans_rejected_total", "counter", "Spans that break a rule.",
         (guint64)g_atomic_int_get(&logboek->rejected)},
        {"logboek_decisions_total", "counter", "Records of authorisation decisions put on disk.",
         decisions[DECISION_STORED]},
        {"logboek_decisions_repeated_total", "counter", "Decision records that were on disk already.",
         decisions[DECISION_REPEATED]},
        {"logboek_decisions_conflicting_total", "counter",
         "Decision records refused: another record has the trace and span.", decisions[DECISION_CONFLICT]},
        {"logboek_transactions_total", "counter", "FSC transactions put on disk.", counts.logged},
        {"logboek_transactions_repeated_total", "counter", "FSC transactions sent again.", counts.repeated},
        {"logboek_transactions_replayed_total", "counter", "FSC transactions refused: id used before.",
         counts.replayed},
        {"logboek_transactions_failed_total", "counter", "FSC transactions refused: not on disk.",
         counts.failed},
        {"logboek_transactions_late_total", "counter", "FSC transactions whose id is not of now.",
         counts.late},
        {"logboek_transaction_ids_in_memory", "gauge", "Ids of FSC transactions kept in memory.",
         counts.keys},
        {"logboek_journal_healthy", "gauge", "1 while the journal can write.",
         journal_healthy(logboek->journal) ? 1 : 0},
        {"logboek_journal_commits_total", "counter", "Commits of the journal, each one sync of the disk.",
         journal_commits(logboek->journal)},
        {"logboek_index_passes_total", "counter", "SQL transactions of the index.",
         indexer_passes(logboek->indexer)},
        {"logboek_journal_last", "gauge", "Sequence of the last record on disk.", last},
        {"logboek_index_lag", "gauge", "Records on disk that are not indexed yet.",
         last - MIN(last, indexer_position(logboek->indexer))},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autofree char *name = g_strconcat("fundament_", rows[i].name, NULL);
        metric(out, name, rows[i].type, rows[i].help, rows[i].value);
    }
}

static const ConfigKey CONFIG[] = {
    {"logboek", "listen", CONFIG_ADDRESS, FALSE, NULL,
     "loopback address where applications of this organisation write the log (OTLP/HTTP)"},
    {"logboek", "statement_issuers", CONFIG_LIST, FALSE, NULL,
     "OINs of sign-in providers whose statements open the log to a person"},
    {"logboek", "register", CONFIG_FILE, FALSE, NULL,
     "register of processing activities (JSON), loaded at start"},
    {"logboek", "address", CONFIG_URL, FALSE, NULL,
     "what ids of this logbook and its register begin with; default: the address of the Manager"},
};

#define SERVICE "logboek-lezen"
#define TRACES_MAX (4 * 1024 * 1024)
#define QUERY_MAX (64 * 1024)

static const Route ROUTES[] = {
    {LISTENER_LOG, "POST", "/v1/traces", handle_traces, TRACES_MAX, NULL},
    {LISTENER_LOG, "POST", "/v1/logs", handle_logs, TRACES_MAX, NULL},
    {LISTENER_SERVICE, "POST", "/logboek/v1/data-processing-operations", handle_operations, QUERY_MAX,
     SERVICE},
    {LISTENER_SERVICE, "GET", "/logboek/v1/processing-activities", handle_activities, 0, SERVICE},
    {LISTENER_SERVICE, "GET", "/logboek/v1/processing-activities/{id}", handle_activity, 0, SERVICE},
    {LISTENER_SERVICE, "GET", "/logboek/v1/usage-period", handle_usage_period, 0, SERVICE},
    {LISTENER_ADMIN, "POST", "/logboek/v1/reindex", handle_reindex, 0, NULL},
    {LISTENER_ADMIN, "GET", "/logboek/v1/status", handle_status, 0, NULL},
    {LISTENER_ADMIN, "GET", "/logboek/v1/decisions", handle_decisions, 0, NULL},
};

static const ApiDocument DOCUMENTS[] = {
    {LISTENER_SERVICE, "/logboek/v1", "logboek", SERVICE},
    {LISTENER_ADMIN, "/logboek/v1", "logboek-admin", NULL},
    {LISTENER_LOG, "/v1", "otlp", NULL},
};

static void health(gpointer context, json_t *checks)
{
    const Logboek *logboek = context;
    gboolean healthy = journal_healthy(logboek->journal);
    health_add(checks, "logboek:journal", healthy ? HEALTH_PASS : HEALTH_FAIL,
               healthy ? NULL : "the journal cannot be written, so no data flows; look at its disk");
}

const Component logboek_component = {
    .name = "logboek",
    .config = CONFIG,
    .n_config = G_N_ELEMENTS(CONFIG),
    .routes = ROUTES,
    .n_routes = G_N_ELEMENTS(ROUTES),
    .documents = DOCUMENTS,
    .n_documents = G_N_ELEMENTS(DOCUMENTS),
    .commands = logboek_commands,
    .n_commands = LOGBOEK_COMMANDS,
    .start = start,
    .stop = logboek_close,
    .metrics = metrics,
    .health = health,
    .expire = logboek_expire,
};
