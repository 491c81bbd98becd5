/* Reading decision records from SQL. */
#include "components/logboek/decisions.h"
#include "components/logboek/internal.h"
#include "components/logboek/journal_kinds.h"
#include "components/logboek/transaction_record.h"
#include "core/base/bytes.h"
#include "core/base/error.h"
#include "core/base/identifiers.h"
#include "core/format/json.h"

#define LIMIT_MAX 1000

/* "1.TIMESTAMP.SHARD.SEQUENCE" of the last record of a page. */
typedef struct {
    gint64 timestamp_ms, shard, sequence;
} Place;

static gboolean cursor_read(const char *text, Place *place, GError **error)
{
    *place = (Place){G_MAXINT64, G_MAXINT64, G_MAXINT64};
    if (text == NULL || *text == '\0')
        return TRUE;
    g_auto(GStrv) parts = g_strsplit(text, ".", 5);
    gint64 *numbers[] = {&place->timestamp_ms, &place->shard, &place->sequence};
    gboolean good = g_strv_length(parts) == 4 && g_str_equal(parts[0], "1");
    for (gsize i = 0; good && i < G_N_ELEMENTS(numbers); i++)
        good = g_ascii_string_to_signed(parts[i + 1], 10, 0, G_MAXINT64, numbers[i], NULL);
    if (!good)
        g_set_error(error, FUNDAMENT_ERROR, FUNDAMENT_ERROR_INVALID,
                    "cursor: not one that this log gave; leave it out for the first page");
    return good;
}

static gboolean query_is_sound(const DecisionQuery *query, GError **error)
{
    const char *fault = NULL;
    if (query->trace_id != NULL && !trace_id_valid(query->trace_id))
        fault = "traceId: expected 32 lower-case hexadecimal digits";
    else if (query->transaction_id != NULL && !uuid7_valid(query->transaction_id))
        fault = "transactionId: expected a UUIDv7";
    else if (query->limit < 1 || query->limit > LIMIT_MAX)
        fault = "limit: expected 1 to 1000";
    if (fault != NULL)
        g_set_error_literal(error, FUNDAMENT_ERROR, FUNDAMENT_ERROR_INVALID, fault);
    return fault == NULL;
}

/* Each filter that is absent compares its parameter with itself, so that the numbers stay. */
static char *statement_for(const DecisionQuery *query, const char *joined_trace)
{
    return g_strconcat(
        "SELECT timestamp_ms, shard, sequence, record FROM logboek_decisions WHERE timestamp_ms >= ?1 AND "
        "timestamp_ms <= ?2 AND (timestamp_ms, shard, sequence) < (?3, ?4, ?5)",
        query->trace_id != NULL ? " AND trace_id = ?7" : " AND ?7 = ?7",
        query->transaction_id == NULL ? " AND ?8 = ?8 AND ?9 = ?9"
        : joined_trace != NULL        ? " AND (transaction_id = ?8 OR trace_id = ?9)"
                                      : " AND transaction_id = ?8 AND ?9 = ?9",
        query->decision != NULL ? " AND decision = ?10" : " AND ?10 = ?10",
        query->rule != NULL ? " AND rule = ?11" : " AND ?11 = ?11",
        query->policy != NULL
            ? " AND EXISTS (SELECT 1 FROM logboek_decision_policies p WHERE p.shard = "
              "logboek_decisions.shard AND p.sequence = logboek_decisions.sequence AND (p.source "
              "= ?12 OR p.edition = ?12))"
            : " AND ?12 = ?12",
        " ORDER BY timestamp_ms DESC, shard DESC, sequence DESC LIMIT ?6", NULL);
}

static const char *or_empty(const char *text)
{
    return text != NULL ? text : "";
}

static Rows *ask(Db *db, const DecisionQuery *query, const char *joined_trace, const Place *after,
                 GError **error)
{
    g_autofree char *sql = statement_for(query, joined_trace);
    return db_query(db, error, sql, value_integer(query->from_ms),
                    value_integer(query->until_ms == 0 ? G_MAXINT64 : query->until_ms),
                    value_integer(after->timestamp_ms), value_integer(after->shard),
                    value_integer(after->sequence), value_integer((gint64)query->limit + 1),
                    value_text(or_empty(query->trace_id)), value_text(or_empty(query->transaction_id)),
                    value_text(or_empty(joined_trace)), value_text(or_empty(query->decision)),
                    value_text(or_empty(query->rule)), value_text(or_empty(query->policy)));
}

json_t *decisions_query(Store *store, const DecisionQuery *query, const char *joined_trace,
                        char **next_cursor, GError **error)
{
    Place after, last = {0};
    *next_cursor = NULL;
    if (!query_is_sound(query, error) || !cursor_read(query->cursor, &after, error))
        return NULL;
    g_autoptr(Db) db = store_take(store, error);
    g_autoptr(Rows) rows = db == NULL ? NULL : ask(db, query, joined_trace, &after, error);
    if (rows == NULL)
        return NULL;
    g_autoptr(json_t) records = json_array();
    while (rows_next(rows)) {
        gsize length;
        const char *text = rows_blob(rows, 3, &length);
        if (json_array_size(records) == query->limit) {
            *next_cursor = g_strdup_printf("1.%" G_GINT64_FORMAT ".%" G_GINT64_FORMAT ".%" G_GINT64_FORMAT,
                                           last.timestamp_ms, last.shard, last.sequence);
            break;
        }
        json_t *record = json_parse_strict(text, (gssize)length, NULL, error);
        if (record == NULL)
            return NULL;
        json_array_append_new(records, record);
        last = (Place){rows_integer(rows, 0), rows_integer(rows, 1), rows_integer(rows, 2)};
    }
    return g_steal_pointer(&records);
}

/* --- joined with the FSC transaction log --- */

static gboolean take_trace(const JournalRecord *entry, gpointer user_data)
{
    TransactionParts parts;
    char **trace = user_data;
    static const guint8 none[TRACE_BYTES] = {0};
    if (entry->kind == KIND_TRANSACTION && transaction_split(entry->data, entry->length, &parts) &&
        memcmp(parts.trace_id, none, sizeof none) != 0)
        *trace = hex_encode(parts.trace_id, TRACE_BYTES);
    return FALSE;
}

/* The trace in which this transaction was logged; NULL without an error when it was not, or without a trace.
 */
static gboolean trace_of(Logboek *logboek, const char *transaction_id, char **trace, GError **error)
{
    for (guint incoming = 0; incoming <= 1 && *trace == NULL; incoming++) {
        guint8 key[KEY_SIZE];
        guint64 sequence = 0;
        if (!transaction_key(transaction_id, incoming != 0, key))
            return TRUE;
        if (!transactions_locate(logboek->transactions, key, &sequence, error) ||
            (sequence != 0 && !journal_read(logboek->journal, sequence, take_trace, trace, error)))
            return FALSE;
    }
    return TRUE;
}

json_t *logboek_decisions_query(Logboek *logboek, const DecisionQuery *query, char **next_cursor,
                                GError **error)
{
    g_autofree char *trace = NULL;
    *next_cursor = NULL;
    logboek_let_index_catch_up(logboek);
    if (query->transaction_id != NULL && !trace_of(logboek, query->transaction_id, &trace, error))
        return NULL;
    return decisions_query(logboek->store, query, trace, next_cursor, error);
}
