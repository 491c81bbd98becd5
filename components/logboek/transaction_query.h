/* Reading the transaction log: GET /logs of FSC Logging 1.1.0. The records stay in the journal; SQL tells
 * which blocks of it hold records of the peer, and those are read, newest or oldest first. The work of one
 * request is bounded: a page may be short, even empty, and still have a next_cursor. */
#pragma once

#include "components/logboek/index.h"
#include "components/logboek/transactions.h"

typedef struct {
    Store *store;
    Journal *journal;
    Transactions *transactions;
    Indexer *indexer;
    guint32 shard;
} TransactionSource;

/* {"records": [...], "pagination": {"next_cursor": ""}}. FUNDAMENT_ERROR_INVALID for a bad cursor or limit.
 */
json_t *transaction_query(const TransactionSource *source, const TransactionQuery *query, GError **error);
