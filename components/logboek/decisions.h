/* The way in of decision records (decision.h), and their index: appended to the journal, acknowledged when on
 * disk, each kept once (ADL 1.0.0, 3.2.4).
 *
 * A key (trace, span) that is on disk already with the same content is a repetition; with other content the
 * second is refused, because a record is immutable (1.2). Keys that SQL does not know yet are in memory.
 * Thread safe. */
#pragma once

#include "components/logboek/decision.h"
#include "components/logboek/index.h"
#include "core/store/journal.h"
#include "core/store/store.h"

typedef struct decisions Decisions;

Decisions *decisions_new(Store *store, Journal *journal);
void decisions_free(Decisions *decisions); /* after journal_close() */
/* How far SQL is, so that memory can be given back; NULL before the index runs. */
void decisions_set_indexer(Decisions *decisions, Indexer *indexer);

typedef enum {
    DECISION_STORED,
    DECISION_REPEATED,
    DECISION_CONFLICT, /* not stored */
    DECISION_OUTCOME_COUNT
} DecisionOutcome;

/* Canonical forms; waits for the disk. FALSE: at least one is not on disk and none is acknowledged
 * (FUNDAMENT_ERROR_UNAVAILABLE or _IO); sending the same again is fine. */
gboolean decisions_append(Decisions *decisions, GBytes *const *canonical, gsize n, DecisionOutcome *outcomes,
                          GError **error);

/* At the start: a record that the journal holds. */
void decisions_remember(Decisions *decisions, const JournalRecord *record);

/* Since the start, by outcome; for metrics. */
void decisions_count(Decisions *decisions, guint64 counts[DECISION_OUTCOME_COUNT]);

/* The indexer's part: the rows of one record, in its SQL transaction. A record that cannot be read is passed
 * over with a critical line. */
gboolean decisions_index(Db *db, guint32 shard, const JournalRecord *record, GError **error);

/* As logboek_decisions_query(); `joined_trace` (may be NULL) is the trace of query->transaction_id, whose
 * decisions count as well. */
json_t *decisions_query(Store *store, const DecisionQuery *query, const char *joined_trace,
                        char **next_cursor, GError **error);
