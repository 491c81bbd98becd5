/* The way in of LDV records: told apart from what was there before, appended to the journal, acknowledged
 * when on disk.
 *
 * The same key (trace, span, subject) with the same content is the same record, stored once. With other
 * content it is kept too, and the index flags it. Keys of the last ten minutes are in memory. Older ones are
 * in SQL, but that is asked only for a record whose end time is more than five minutes from now: a fresh
 * record cannot have been sent before that. Thread safe. */
#pragma once

#include "components/logboek/record.h"
#include "core/store/journal.h"
#include "core/store/store.h"

typedef struct records Records;

Records *records_new(Store *store, Journal *journal, const Clock *clock);
void records_free(Records *records); /* after journal_close() */

typedef enum {
    RECORD_STORED,   /* new, on disk */
    RECORD_REPEATED, /* it was on disk already */
    RECORD_CONFLICT  /* another record has its key; this one is on disk as well, flagged */
} RecordOutcome;

/* Canonical forms of one batch; waits for the disk. FALSE: at least one is not on disk, so none is
 * acknowledged (FUNDAMENT_ERROR_UNAVAILABLE or _IO); sending the batch again is fine. */
gboolean records_append(Records *records, GBytes *const *canonical, gsize n_records, RecordOutcome *outcomes,
                        GError **error);

/* At the start: a record that the journal holds. In the order of the journal. */
void records_remember(Records *records, const JournalRecord *record);

/* Told by the indexer: up to here SQL knows everything. */
void records_indexed(Records *records, guint64 sequence);

/* Since the start: records on disk, repeated ones, conflicts. For metrics. */
void records_count(Records *records, guint64 *stored, guint64 *repeated, guint64 *conflicts);
