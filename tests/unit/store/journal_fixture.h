/* Journals with small segments, and records whose bytes follow from their sequence. */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "core/store/journal_private.h"
#include "tests/support/error.h"

#define SMALL_SEGMENT (64 * 1024)

/* Shard 7, small segments; must work. */
Journal *journal_new(const char *folder);

/* The bytes of record `n`: their number and values differ from one to the next, most are up to `longest`. */
GBytes *record_bytes(guint64 n, gsize longest);

/* Appends record `n` and waits; it must become sequence `n`. */
void append_record(Journal *journal, guint64 n, gsize longest);

/* Appends records `first` to `last` and waits: `first` is committed alone, the others in one batch. */
void append_batch(Journal *journal, guint64 first, guint64 last, gsize longest);

/* Appends record `n` and returns when it is committed; the committer then stands still until `gate` is
 * unlocked. */
void append_held(Journal *journal, guint64 n, gsize longest, GMutex *gate);

/* Everything from sequence 1 on must be record_bytes(); returns how many there are, and that must be
 * journal_last(). */
guint64 check_all(Journal *journal, gsize longest);

/* "FOLDER/000000000001.segment" */
char *segment_path(const char *folder, guint64 number);

/* The whole file. */
GBytes *file_read(const char *path);
void file_write(const char *path, GBytes *bytes);

/* Changes bytes in place. */
void file_patch(const char *path, guint64 offset, const void *bytes, gsize length);
