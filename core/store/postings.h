/* Postings: which records belong to a key, for hundreds of millions of them, at a cost for each that does not
 * grow.
 *
 * Sequence numbers are added in order. What is new is in memory; a million at a time it is sorted and written
 * to a file that is never changed (a run), and runs of like size are merged. So adding costs a place in a
 * table and its share of some sequential writing, where a tree on disk in random order costs a page for each.
 * Reading asks memory and then the runs, the newest first; a filter in each run says of most keys that they
 * are not there.
 *
 * Nothing here is acknowledged: what was in memory when the process died is added again from the journal,
 * from postings_through() on. One thread adds; any thread reads. */
#pragma once

#include <glib.h>

typedef struct {
    guint8 bytes[16]; /* evenly spread: a digest, cut off */
} PostingsKey;

typedef struct postings Postings;

typedef struct {
    guint memory_max; /* entries in memory before they are written; 0: a million, 40 MB */
    guint fan;        /* so many runs of like size are merged; 0: eight */
} PostingsOptions;

/* The folder is made when missing. FUNDAMENT_ERROR_IO when it cannot be used, or holds a file that is none of
 * ours or damaged. Files that were not finished, and those that a merge has replaced, are removed. */
Postings *postings_open(const char *folder, const PostingsOptions *options, GError **error);
/* Without writing what is in memory. Waits for a merge that is going on. */
void postings_close(Postings *postings);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Postings, postings_close)

/* The highest sequence that is on disk here; 0 for none. What comes after it has to be added again. */
guint64 postings_through(Postings *postings);

/* `sequence` is higher than every one before it, or the same with another key, 64 at most. FUNDAMENT_ERROR_IO
 * when what was full could not be written: nothing is lost, the next call tries again. */
gboolean postings_add(Postings *postings, const PostingsKey *key, guint64 sequence, GError **error);
/* Notes that everything up to this sequence is known, whether it had a key or not. */
void postings_note(Postings *postings, guint64 sequence);

/* The sequences under a key that are below `before` (0: all) and not below `from`, the highest first, at most
 * `max`. Their number, or -1 with FUNDAMENT_ERROR_IO. */
gssize postings_find(Postings *postings, const PostingsKey *key, guint64 before, guint64 from, guint64 *out,
                     gsize max, GError **error);

/* Writes what is in memory. */
gboolean postings_flush(Postings *postings, GError **error);

/* Removes the runs that have nothing from this sequence on. */
gboolean postings_forget(Postings *postings, guint64 below, GError **error);

typedef struct {
    guint runs;
    guint64 entries; /* in runs */
    guint64 in_memory;
    guint64 bytes;  /* of runs, on disk */
    guint64 merged; /* entries that were written again by merges, since it was opened */
} PostingsFigures;

void postings_figures(Postings *postings, PostingsFigures *out);
