#include "components/logboek/retention.h"

#include "components/logboek/internal.h"
#include "components/logboek/journal_kinds.h"
#include "components/logboek/position.h"

#define MINUTE_MS 60000
#define IDS_MARGIN_MINUTES 10 /* ids of a minute may come that much later (transactions.h) */
#define CHUNK 1000            /* journal records whose rows go in one transaction */

/* Until when each kind is kept. */
typedef struct {
    gint64 processing_us, transactions_us, decisions_us;
} Limits;

static gint64 limit_of(const Limits *limits, guint16 kind)
{
    switch (kind) {
    case KIND_RECORD:
        return limits->processing_us;
    case KIND_TRANSACTION:
    case KIND_OUTCOME:
        return limits->transactions_us;
    default: /* decisions, and kinds of a later version: as long as anything */
        return MIN(limits->decisions_us, MIN(limits->processing_us, limits->transactions_us));
    }
}

static gboolean has_to_stay(const JournalRecord *record, gpointer user_data)
{
    return record->time_us >= limit_of(user_data, record->kind);
}

/* --- indexes --- */

/* Rows of records before `first`, bit by bit: others write in the same database. */
static gboolean delete_records(Db *db, gint64 first, GError **error)
{
    static const char *const statements[] = {
        "DELETE FROM logboek_records WHERE shard = ?1 AND sequence < ?2",
        "DELETE FROM logboek_decisions WHERE shard = ?1 AND sequence < ?2",
        "DELETE FROM logboek_decision_policies WHERE shard = ?1 AND sequence < ?2",
    };
    g_autoptr(Rows) rows =
        db_query(db, error,
                 "SELECT MIN(sequence) FROM (SELECT MIN(sequence) AS sequence FROM logboek_records WHERE "
                 "shard = ?1 UNION "
                 "ALL SELECT MIN(sequence) FROM logboek_decisions WHERE shard = ?1) AS lowest",
                 value_integer(JOURNAL_SHARD));
    if (rows == NULL)
        return FALSE;
    gint64 from = rows_next(rows) && !rows_is_null(rows, 0) ? rows_integer(rows, 0) : first;
    for (gint64 to = MIN(first, from + CHUNK); from < first; from = to, to = MIN(first, to + CHUNK))
        for (gsize i = 0; i < G_N_ELEMENTS(statements); i++)
            if (!db_run(db, error, statements[i], value_integer(JOURNAL_SHARD), value_integer(to)))
                return FALSE;
    return TRUE;
}

static gboolean delete_transactions(Db *db, gint64 first, gint64 oldest_ms, GError **error)
{
    gint64 minute = oldest_ms / MINUTE_MS - IDS_MARGIN_MINUTES;
    return db_run(db, error, "DELETE FROM logboek_transaction_blocks WHERE shard = ?1 AND block < ?2",
                  value_integer(JOURNAL_SHARD), value_integer(first / INDEX_BLOCK)) &&
           db_run(db, error, "DELETE FROM logboek_transaction_late WHERE shard = ?1 AND sequence < ?2",
                  value_integer(JOURNAL_SHARD), value_integer(first)) &&
           db_run(db, error, "DELETE FROM logboek_transaction_ids WHERE shard = ?1 AND minute < ?2",
                  value_integer(JOURNAL_SHARD), value_integer(minute));
}

static gboolean clean_indexes(Logboek *logboek, GError **error)
{
    gint64 first = (gint64)journal_first(logboek->journal);
    gint64 oldest_ms = journal_oldest_time_us(logboek->journal) / 1000;
    if (first <= 1)
        return TRUE;
    oldest_ms = oldest_ms > 0 ? oldest_ms : logboek->begins_ms;
    g_autoptr(Db) db = store_take(logboek->store, error);
    if (db == NULL || !delete_records(db, first, error) ||
        !delete_transactions(db, first, oldest_ms, error) ||
        !db_run(db, error, "UPDATE logboek_position SET begins_ms = ?2 WHERE shard = ?1 AND begins_ms < ?2",
                value_integer(JOURNAL_SHARD), value_integer(oldest_ms)))
        return FALSE;
    logboek->begins_ms = MAX(logboek->begins_ms, oldest_ms);
    return TRUE;
}

/* --- */

gboolean logboek_expire(gpointer context, const RetentionRun *run, GError **error)
{
    Logboek *logboek = context;
    Limits limits = {.processing_us = retention_before_ms(run, "processing") * 1000,
                     .transactions_us = retention_before_ms(run, "transactions") * 1000,
                     .decisions_us = retention_before_ms(run, "decisions") * 1000};
    gint64 newest_us = MAX(limits.processing_us, MAX(limits.transactions_us, limits.decisions_us));
    JournalRemoval removal;
    if (!journal_remove_expired(logboek->journal, indexer_position(logboek->indexer), has_to_stay, &limits,
                                run->dry, &removal, error))
        return FALSE;
    retention_found(run, "transactions+processing+decisions", newest_us / 1000, (gint64)removal.records,
                    (gint64)removal.bytes);
    return run->dry || clean_indexes(logboek, error);
}
