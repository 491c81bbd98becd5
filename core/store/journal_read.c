/* Reading what is committed, also while others append: each call has its own file descriptor and one small
 * buffer. */
#include "core/store/journal_private.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "core/base/error.h"

/* One call: from where, up to which sequence. */
typedef struct {
    Journal *journal;
    guint64 expected;    /* the sequence of the next record */
    guint64 last;        /* what was committed when the call began */
    guint64 from;        /* records before this sequence, */
    gint64 from_time_us; /* or before the first at or after this time, are passed over */
    JournalEach each;
    gpointer user_data;
    gboolean wanted; /* FALSE once `each` had enough */
} Reading;

static gboolean damaged(const Segment *segment, guint64 offset, GError **error)
{
    char name[SEGMENT_NAME_SIZE];
    segment_name(segment->number, name);
    g_set_error(error, FUNDAMENT_ERROR, FUNDAMENT_ERROR_IO,
                "journal: %s is damaged at byte %" G_GUINT64_FORMAT
                "; check the disk and restore this file from a backup",
                name, offset);
    return FALSE;
}

/* Passes one record on, or over it. */
static void deliver(Reading *reading, const JournalRecord *record)
{
    if (record->sequence < reading->from || record->time_us < reading->from_time_us) {
        return;
    }
    reading->from_time_us = G_MININT64; /* a clock that went back hides no later records */
    reading->wanted = reading->each(record, reading->user_data);
}

static gboolean read_records(Reading *reading, Segment *segment, SegmentReader *reader, guint64 stop,
                             GError **error)
{
    guint64 marked = reader->offset;
    while (reading->wanted && reading->expected <= stop) {
        JournalRecord record;
        guint64 offset = reader->offset;
        RecordState state = segment_reader_next(reader, &record, error);
        if (state == RECORD_FAILED) {
            return FALSE;
        }
        if (state != RECORD_VALID || record.sequence != reading->expected) {
            return damaged(segment, offset, error);
        }
        if (offset >= marked + MARK_EVERY) {
            g_mutex_lock(&reading->journal->mutex);
            segment_mark(segment, record.sequence, offset);
            g_mutex_unlock(&reading->journal->mutex);
            marked = offset;
        }
        reading->expected++;
        deliver(reading, &record);
    }
    return TRUE;
}

static gboolean was_removed(Journal *journal, const Segment *segment)
{
    g_mutex_lock(&journal->mutex);
    gboolean removed = segment->removed;
    g_mutex_unlock(&journal->mutex);
    return removed;
}

/* The records of one segment, from reading->expected up to `stop`. */
static gboolean read_segment(Reading *reading, Segment *segment, guint64 stop, GError **error)
{
    Journal *journal = reading->journal;
    guint64 offset = SEGMENT_HEADER_SIZE;
    g_mutex_lock(&journal->mutex);
    for (guint i = segment->marks->len; i > 0; i--) {
        const Mark *mark = &g_array_index(segment->marks, Mark, i - 1);
        if (mark->sequence <= reading->expected) {
            reading->expected = mark->sequence;
            offset = mark->offset;
            break;
        }
    }
    g_mutex_unlock(&journal->mutex);
    char name[SEGMENT_NAME_SIZE];
    segment_name(segment->number, name);
    int fd = openat(journal->folder_fd, name, O_RDONLY | O_CLOEXEC);
    if (fd < 0 && errno == ENOENT && was_removed(journal, segment)) {
        return TRUE; /* its time was over (journal_remove_expired) */
    }
    if (fd < 0) {
        g_set_error(error, FUNDAMENT_ERROR, FUNDAMENT_ERROR_IO, "journal: cannot open %s: %s", name,
                    g_strerror(errno));
        return FALSE;
    }
    SegmentReader reader;
    segment_reader_init(&reader, fd, segment->size, offset);
    gboolean good = read_records(reading, segment, &reader, stop, error);
    segment_reader_clear(&reader);
    close(fd);
    return good;
}

/* The segment in which reading starts: the last that begins at or before what is asked for. By time it is the
 * one before the first that begins at or after it, since that one may end with records of that time too.
 * Under the mutex. */
static guint start_segment(const Reading *reading)
{
    const GPtrArray *segments = reading->journal->segments;
    guint start = 0;
    for (guint i = 1; i < segments->len; i++) {
        const Segment *segment = segments->pdata[i];
        gboolean by_time = reading->from_time_us != G_MININT64;
        gboolean before = by_time ? segment->first_time_us < reading->from_time_us
                                  : segment->first_sequence <= reading->from;
        if (!before || segment->first_sequence > reading->last) {
            break;
        }
        start = i;
    }
    return start;
}

/* The last sequence to read from the segment at `i`. */
static guint64 last_in(const GPtrArray *segments, guint i, guint64 last)
{
    if (i + 1 == segments->len) {
        return last;
    }
    const Segment *after = segments->pdata[i + 1];
    return MIN(last, after->first_sequence - 1);
}

static gboolean read_from(Reading *reading, GError **error)
{
    Journal *journal = reading->journal;
    g_autoptr(GPtrArray) segments = g_ptr_array_new_with_free_func(segment_unref);
    g_mutex_lock(&journal->mutex);
    reading->last = journal->last;
    for (guint i = start_segment(reading); i < journal->segments->len; i++) {
        g_ptr_array_add(segments, segment_ref(journal->segments->pdata[i]));
    }
    g_mutex_unlock(&journal->mutex);
    reading->wanted = TRUE;
    for (guint i = 0; i < segments->len && reading->wanted; i++) {
        Segment *segment = segments->pdata[i];
        guint64 stop = last_in(segments, i, reading->last);
        reading->expected = MAX(reading->from, segment->first_sequence);
        if (reading->expected <= stop && !read_segment(reading, segment, stop, error)) {
            return FALSE;
        }
    }
    return TRUE;
}

gboolean journal_read(Journal *journal, guint64 sequence, JournalEach each, gpointer user_data,
                      GError **error)
{
    Reading reading = {.journal = journal,
                       .from = sequence,
                       .from_time_us = G_MININT64,
                       .each = each,
                       .user_data = user_data};
    return read_from(&reading, error);
}

gboolean journal_read_since(Journal *journal, gint64 time_us, JournalEach each, gpointer user_data,
                            GError **error)
{
    Reading reading = {
        .journal = journal, .from = 0, .from_time_us = time_us, .each = each, .user_data = user_data};
    return read_from(&reading, error);
}
