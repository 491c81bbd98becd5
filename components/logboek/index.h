/* The indexer: one thread that follows the journal and brings what it holds into SQL. The position is written
 * in the same SQL transaction as the rows, so nothing is indexed twice or passed over, whatever happens in
 * between. */
#pragma once

#include "components/logboek/records.h"
#include "components/logboek/transactions.h"

/* Transactions of a peer are found by blocks of so many journal records. */
#define INDEX_BLOCK 4096

typedef struct indexer Indexer;

/* Starts the thread. `position` is how far SQL has come. */
Indexer *indexer_start(Store *store, Journal *journal, guint32 shard, guint64 position, Records *records,
                       Transactions *transactions);
void indexer_stop(Indexer *indexer);

/* How far it is. */
guint64 indexer_position(Indexer *indexer);

/* SQL transactions since the start. */
guint64 indexer_passes(Indexer *indexer);

/* Waits until it has come to `sequence`, or the time is over; FALSE then. */
gboolean indexer_wait(Indexer *indexer, guint64 sequence, guint timeout_ms);

/* Empties the tables of records and blocks, and begins again at the first record of the journal. Returns when
 * the tables are empty. */
gboolean indexer_restart(Indexer *indexer, GError **error);
