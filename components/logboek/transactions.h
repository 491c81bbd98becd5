/* The FSC transaction log: tens of thousands of records a second, each on disk before its request goes on,
 * each id used once (decisions.md 10).
 *
 * Which ids were used is kept by the minute inside the UUIDv7. Minutes from five minutes ago to five minutes
 * ahead are in memory. When a minute is past it is sealed: its ids, sorted, become a few rows in SQL. An id
 * of a sealed minute, or of one far ahead, is late: it is looked up and logged by a thread of its own, so
 * that the hot path never waits for a database. docs/logboek.md tells why. Thread safe. */
#pragma once

#include "components/logboek/keys.h"
#include "components/logboek/logboek.h"
#include "core/store/journal.h"
#include "core/store/store.h"

typedef struct transactions Transactions;

/* `sealed_minute`: up to here SQL knows the ids; those after it come from transactions_remember(). */
Transactions *transactions_new(Store *store, Journal *journal, const Clock *clock, guint32 shard,
                               gint64 sealed_minute);
/* At the start: ids in SQL that came before their time. */
gboolean transactions_load(Transactions *transactions, GError **error);
/* Before journal_close(): refuses what waits for a look-up. */
void transactions_stop(Transactions *transactions);
void transactions_free(Transactions *transactions); /* after journal_close() */

void transactions_append(Transactions *transactions, const LogboekTransaction *transaction,
                         TransactionDone done, gpointer user_data);
void transactions_outcome(Transactions *transactions, const char *transaction_id, gboolean incoming,
                          gboolean sent, guint status, guint64 bytes);

/* Called after a late record was answered by its own thread, as after a batch of the journal. */
void transactions_set_batch_done(Transactions *transactions, void (*batch_done)(gpointer user_data),
                                 gpointer user_data);

/* At the start: a record that the journal holds, in the order of the journal; seals when memory would be
 * full. */
gboolean transactions_remember(Transactions *transactions, const JournalRecord *record, GError **error);

/* Called now and then by the indexer: seals the minutes that are past. */
gboolean transactions_seal(Transactions *transactions, GError **error);

/* Told by the indexer: up to here SQL knows the late ones. */
void transactions_indexed(Transactions *transactions, guint64 sequence);

/* Where an id is in the journal: 0 when it is nowhere. For GET /logs?transaction_ids=. */
gboolean transactions_locate(Transactions *transactions, const guint8 key[KEY_SIZE], guint64 *sequence,
                             GError **error);

/* For metrics. */
typedef struct {
    guint64 logged, repeated, replayed, failed, late;
    guint64 keys; /* in memory */
} TransactionCounts;
void transactions_count(Transactions *transactions, TransactionCounts *counts);
