/* The journal: append-only segments with group commit. What is acknowledged here is on disk.
 *
 * Records are opaque bytes with a kind; SQL tables elsewhere are indexes over it that can be rebuilt at any
 * time (decisions.md 13). Layout of a segment file, little endian:
 *
 * - header, 64 bytes: "FNDJRNL1", u32 version, u32 shard, u64 number, u64 first sequence, u32 generation,
 *   zeros, u32 CRC-32C
 *
 * - record: u32 length, u32 CRC-32C(kind..data), u16 kind, u16 flags, u64 sequence, i64 time_us, data, zeros
 *
 * A record's length counts what its CRC covers (20 + data); zeros pad it to 8 bytes; flag 1 marks the first
 * of a batch.
 *
 * Files are preallocated (64 MiB, the first one 4) and zero-filled, so that a commit is one fdatasync without
 * a size change; a length of 0 ends the segment. A torn last batch (bad CRC at the end) is cut off at
 * opening: it was never acknowledged. A bad CRC before valid records is damage: opening fails with its place,
 * nothing is overwritten. docs/journal.md has it to the byte, with how a torn batch and damage are told
 * apart, and the measurements.
 *
 * Thread safe. One committer thread a journal: it writes at once what waits, and what arrives during a commit
 * is the next batch.
 */
#pragma once

#include <glib.h>

typedef struct journal Journal;

#define JOURNAL_RECORD_MAX 1048576 /* 1 MiB */

typedef struct {
    guint64 sequence; /* 1, 2, 3, ... over all segments of this shard, no gaps */
    guint16 kind;
    gint64 time_us; /* when it was appended */
    const guint8 *data;
    gsize length;
} JournalRecord;

/* `folder` is made when missing, and locked: a second process gets FUNDAMENT_ERROR_CONFLICT, and so does
 * another shard than the folder's; shards are folders of their own. FUNDAMENT_ERROR_IO when it cannot be used
 * or is damaged. The last segment is checked whole, the older ones when they are read. A process forked from
 * this one must not use the journal. */
Journal *journal_open(const char *folder, guint32 shard, GError **error);
/* Commits what waits, then closes. */
void journal_close(Journal *journal);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Journal, journal_close)

/* Called once per record, from the committer thread, after the fdatasync (error == NULL), or when writing
 * failed. It must be short and must not call journal_append_wait() or journal_recover(); journal_append() is
 * fine. `sequence` is 0 with an error. */
typedef void (*JournalDone)(guint64 sequence, const GError *error, gpointer user_data);

/* Called from the committer thread after the last JournalDone of a batch: for flushing what the callbacks
 * gathered. */
typedef void (*JournalBatchDone)(gpointer user_data);
void journal_set_batch_done(Journal *journal, JournalBatchDone batch_done, gpointer user_data);

/* Copies the record and returns at once; `done` may be NULL. Longer than JOURNAL_RECORD_MAX is
 * FUNDAMENT_ERROR_INVALID. Records of one caller keep their order. When the queue is over 64 MiB the record
 * is refused through `done` with FUNDAMENT_ERROR_UNAVAILABLE. After a failed write or sync the journal
 * refuses everything with FUNDAMENT_ERROR_IO until journal_recover() or a restart: it never guesses what the
 * disk holds. */
void journal_append(Journal *journal, guint16 kind, const void *data, gsize length, JournalDone done,
                    gpointer user_data);

/* As journal_append, for what nobody waits for: it starts no commit, but goes with the next one, or after 50
 * ms. */
void journal_append_later(Journal *journal, guint16 kind, const void *data, gsize length);

/* Appends and waits for the commit. `sequence` may be NULL and is only set when TRUE. */
gboolean journal_append_wait(Journal *journal, guint16 kind, const void *data, gsize length,
                             guint64 *sequence, GError **error);

/* Tries the disk again after a failure: reads back the end of the segment, cuts what was not acknowledged,
 * and goes on. The committer does this by itself once a second. */
gboolean journal_recover(Journal *journal, GError **error);

/* TRUE while the journal can write. */
gboolean journal_healthy(Journal *journal);

/* The last committed sequence, 0 when empty. */
guint64 journal_last(Journal *journal);

/* The sequence of the oldest record still kept; of the first one to come when empty. */
guint64 journal_first(Journal *journal);

/* How often this journal was restored from a backup. Every restore seals what it brought back and begins a
 * segment of the next generation, so that a sequence number that was given out twice (once before the
 * disaster, once after) is told apart: a record is known by generation and sequence (decisions.md 14). */
guint32 journal_generation(Journal *journal);

/* Commits since it was opened, each one fdatasync. */
guint64 journal_commits(Journal *journal);

/* The time of the oldest record still kept, 0 when empty: how far back the records go. */
gint64 journal_oldest_time_us(Journal *journal);

/* Calls `each` for the committed records from `sequence` on, in order, until it returns FALSE or there are no
 * more. The data is valid during the call only. FALSE with FUNDAMENT_ERROR_IO when the file cannot be read,
 * or is damaged where it reads. What is committed after the call began is left for the next. Costs a search
 * in memory and at most 256 KiB of reading before the first record; one buffer of 64 KiB, or of the longest
 * record. May be called while others append, and from several threads. */
typedef gboolean (*JournalEach)(const JournalRecord *record, gpointer user_data);
gboolean journal_read(Journal *journal, guint64 sequence, JournalEach each, gpointer user_data,
                      GError **error);

/* As journal_read, starting at the first record that was appended at or after `time_us` (found by segment,
 * then by scan). Times are those of the wall clock: when it was set back, what follows the first match is
 * delivered whatever its time. */
gboolean journal_read_since(Journal *journal, gint64 time_us, JournalEach each, gpointer user_data,
                            GError **error);

/* Waits until a record after `sequence` is committed, or `timeout_ms` passes; the last committed sequence.
 * For indexers. */
guint64 journal_wait(Journal *journal, guint64 sequence, guint timeout_ms);

/* What journal_remove_expired() took away, or would. */
typedef struct {
    guint segments;
    guint64 records;
    guint64 bytes;         /* of the files */
    guint64 first;         /* the sequence of the oldest record that is left, or of the first one to come */
    gint64 newest_time_us; /* of the newest record that went; 0 when none did */
} JournalRemoval;

/* Whether this record has to be kept; called for the records of the oldest segments, in order. */
typedef gboolean (*JournalKeep)(const JournalRecord *record, gpointer user_data);

/* Removes the oldest segments as long as `keep` is FALSE for every record of a segment, and their last
 * sequence is at most `through`. Never the active one. Oldest first, and each removal is on disk before the
 * next begins: whatever moment the process dies, what is left is a journal without gaps. Readers that are in
 * a segment finish it; others pass over it. `dry`: only counts. FALSE with FUNDAMENT_ERROR_IO when a segment
 * cannot be read or removed: what went before that is in `removal`. One call at a time. */
gboolean journal_remove_expired(Journal *journal, guint64 through, JournalKeep keep, gpointer user_data,
                                gboolean dry, JournalRemoval *removal, GError **error);
