/* One file of postings: sequence numbers by key, sorted, never changed once it has its name. Not for others
 * than postings.c; docs/postings.md has the bytes.
 *
 * Little endian. A header of 128 bytes; blocks of about 4 KiB, each with its CRC; the first key of each
 * block; a Bloom filter in pieces of 64 bytes, each with its CRC, because a filter that says "no" by mistake
 * would hide records. */
#pragma once

#include "core/store/postings.h"

typedef struct run Run;

/* --- writing --- */

typedef struct run_writer RunWriter;

/* Writes `path`.making; `keys` is how many there will be at most. FUNDAMENT_ERROR_IO. */
RunWriter *run_writer_new(const char *path, guint64 keys, GError **error);
/* In order of key, then of sequence; the same pair not twice. */
gboolean run_writer_add(RunWriter *writer, const PostingsKey *key, guint64 sequence, GError **error);
/* On disk under its name when it returns TRUE. `first` and `last`: the sequences that it covers, also those
 * that have no posting. */
gboolean run_writer_finish(RunWriter *writer, guint64 first, guint64 last, GError **error);
/* Removes what is not finished. */
void run_writer_free(RunWriter *writer);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(RunWriter, run_writer_free)

/* --- reading; thread safe --- */

/* FUNDAMENT_ERROR_IO when it cannot be read or is no such file. Keeps the first key of each block in memory:
 * 28 bytes for some 4 KiB. */
Run *run_open(const char *path, GError **error);
Run *run_ref(Run *run);
void run_unref(Run *run);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Run, run_unref)

const char *run_path(const Run *run);
guint64 run_first(const Run *run);
guint64 run_last(const Run *run);
guint64 run_keys(const Run *run);
guint64 run_entries(const Run *run);

/* Calls `each` for the sequences under a key from the highest below `before` downwards, until it returns
 * FALSE. FALSE with FUNDAMENT_ERROR_IO when the file cannot be read or is damaged. */
typedef gboolean (*RunEach)(guint64 sequence, gpointer data);
gboolean run_find(const Run *run, const PostingsKey *key, guint64 before, RunEach each, gpointer data,
                  gboolean *stopped, GError **error);

/* All entries in order, for merging. */
typedef struct run_cursor RunCursor;
RunCursor *run_cursor_new(Run *run);
void run_cursor_free(RunCursor *cursor);
/* FALSE at the end, and with an error. */
gboolean run_cursor_next(RunCursor *cursor, PostingsKey *key, guint64 *sequence, GError **error);
