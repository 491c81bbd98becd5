/* The committer: one thread a journal that owns the active segment. It writes whatever waits in one go, syncs
 * once, and then tells everyone; what arrives meanwhile is the next batch (measured against waiting for more:
 * docs/journal.md). */
#include "core/store/journal_private.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include "core/base/error.h"

#define BATCH_RECORDS 1000 /* with the header below IOV_MAX, 1024 */
#define BATCH_BYTES ((gsize)4 * 1024 * 1024)
#define RETRY_US G_USEC_PER_SEC

typedef struct {
    Entry *first; /* all that is reported together, the refused ones included */
    Entry *last;
    guint64 next_sequence;
    gsize bytes;
    int n_parts;
    struct iovec parts[BATCH_RECORDS + 1];
    guint8 header[SEGMENT_HEADER_SIZE];
} Batch;

static gboolean is_failing(const Journal *journal)
{
    return journal->failure != NULL; /* only the committer writes it, so it may read it without the mutex */
}

/* From now on nothing is written until a recovery. */
static void fail(Journal *journal, GError *reason)
{
    g_mutex_lock(&journal->mutex);
    g_clear_error(&journal->failure);
    journal->failure = reason;
    g_mutex_unlock(&journal->mutex);
}

static gpointer make_next(gpointer data)
{
    Journal *journal = data;
    gboolean made = segment_make(journal->folder_fd, journal->next_number, journal->segment_size, NULL);
    g_mutex_lock(&journal->mutex);
    journal->next = made ? NEXT_READY : NEXT_NONE;
    g_mutex_unlock(&journal->mutex);
    return NULL;
}

static void next_join(Journal *journal)
{
    if (journal->next_maker != NULL) {
        g_thread_join(g_steal_pointer(&journal->next_maker));
    }
}

/* Half way the next segment is made, in the background; when that fails it is tried again at the switch,
 * where it counts. */
static void next_start(Journal *journal)
{
    if (journal->next == NEXT_NONE && journal->next_maker == NULL &&
        journal->end > journal->active->size / 2) {
        journal->next = NEXT_MAKING;
        journal->next_number = journal->active->number + 1;
        journal->next_maker = g_thread_new("journal-next", make_next, journal);
    }
}

static gboolean next_ready(Journal *journal, GError **error)
{
    next_join(journal);
    if (journal->next != NEXT_READY) {
        guint64 number = journal->active != NULL ? journal->active->number + 1 : 1;
        if (!segment_make(journal->folder_fd, number, journal->segment_size, error)) {
            return FALSE;
        }
        journal->next = NEXT_READY;
    }
    return TRUE;
}

/* The next segment becomes the active one. Its header goes to disk with its first batch. */
static gboolean switch_segment(Journal *journal, GError **error)
{
    if (!next_ready(journal, error)) {
        return FALSE;
    }
    guint64 number = journal->active != NULL ? journal->active->number + 1 : 1;
    char name[SEGMENT_NAME_SIZE];
    segment_name(number, name);
    int fd = openat(journal->folder_fd, name, O_RDWR | O_CLOEXEC);
    struct stat status;
    if (fd < 0 || fstat(fd, &status) != 0) {
        g_set_error(error, FUNDAMENT_ERROR, FUNDAMENT_ERROR_IO, "journal: cannot open %s: %s", name,
                    g_strerror(errno));
        return FALSE;
    }
    if (journal->fd >= 0) {
        close(journal->fd);
    }
    journal->fd = fd;
    guint32 generation = journal->active != NULL ? journal->active->generation : 0;
    journal->active = segment_new(number, (guint64)status.st_size, journal->last + 1, generation);
    journal->end = journal->dirty_end = 0;
    journal->next = NEXT_NONE;
    return TRUE;
}

static gboolean fits(const Journal *journal, const Batch *batch, const Entry *entry)
{
    if (journal->active == NULL) {
        return FALSE;
    }
    guint64 position = journal->end + batch->bytes;
    position = MAX(position, SEGMENT_HEADER_SIZE);
    return position + record_size(entry->length) <= journal->active->size;
}

static void batch_add_part(Batch *batch, void *data, gsize length)
{
    batch->parts[batch->n_parts++] = (struct iovec){.iov_base = data, .iov_len = length};
    batch->bytes += length;
}

static void batch_add(const Journal *journal, Batch *batch, Entry *entry)
{
    gboolean is_first = batch->n_parts == 0;
    if (is_first && journal->end == 0) {
        SegmentHeader header = {journal->shard, journal->active->number, journal->active->first_sequence,
                                journal->active->generation};
        segment_header_write(&header, batch->header);
        batch_add_part(batch, batch->header, sizeof batch->header);
    }
    entry->sequence = batch->next_sequence++;
    record_seal(entry->bytes, entry->length, entry->kind, is_first ? RECORD_FLAG_FIRST : 0, entry->sequence,
                entry->time_us);
    batch_add_part(batch, entry->bytes, record_size(entry->length));
}

/* Moves as many entries as may go together from the list to the batch. */
static void batch_fill(Journal *journal, Batch *batch, Entry **entries)
{
    batch->first = batch->last = NULL;
    batch->n_parts = 0;
    batch->bytes = 0;
    batch->next_sequence = journal->last + 1;
    while (*entries != NULL && batch->n_parts < BATCH_RECORDS && batch->bytes < BATCH_BYTES) {
        Entry *entry = *entries;
        gboolean wanted = entry->refused == NULL && !is_failing(journal);
        if (wanted && !fits(journal, batch, entry)) {
            if (batch->n_parts > 0) {
                return;
            }
            GError *problem = NULL;
            if (!switch_segment(journal, &problem)) {
                journal->no_next = TRUE;
                fail(journal, problem);
            }
        }
        if (entry->refused == NULL && is_failing(journal)) {
            entry->refused = g_error_copy(journal->failure);
        } else if (entry->refused == NULL) {
            batch_add(journal, batch, entry);
        }
        *entries = entry->next;
        entry->next = NULL;
        if (batch->first == NULL) {
            batch->first = entry;
        } else {
            batch->last->next = entry;
        }
        batch->last = entry;
    }
}

/* All parts, one after the other, at an offset of the file; errno otherwise. */
static gboolean write_parts(int fd, struct iovec *parts, int n_parts, guint64 offset)
{
    while (n_parts > 0) {
        ssize_t n = pwritev(fd, parts, n_parts, (off_t)offset);
        if (n < 0 && errno != EINTR) {
            return FALSE;
        }
        gsize written = n > 0 ? (gsize)n : 0;
        offset += written;
        while (n_parts > 0 && written >= parts->iov_len) {
            written -= parts->iov_len;
            parts++;
            n_parts--;
        }
        if (n_parts > 0) {
            parts->iov_base = (guint8 *)parts->iov_base + written;
            parts->iov_len -= written;
        }
    }
    return TRUE;
}

/* On disk when TRUE. When FALSE some of it may be on disk: it is cut off at once if the disk lets us, so that
 * a restart does not find what was reported as failed. */
static gboolean batch_write(Journal *journal, Batch *batch)
{
    if (write_parts(journal->fd, batch->parts, batch->n_parts, journal->end) && fdatasync(journal->fd) == 0) {
        return TRUE;
    }
    fail(journal, g_error_new(FUNDAMENT_ERROR, FUNDAMENT_ERROR_IO,
                              "journal: cannot write to %s: %s; check the disk and the room on it",
                              journal->folder, g_strerror(errno)));
    journal->dirty_end = journal->end + batch->bytes;
    segment_clear(journal->fd, journal->end, journal->dirty_end, NULL);
    return FALSE;
}

/* Makes what was written visible to readers. */
static void batch_publish(Journal *journal, const Batch *batch)
{
    Segment *segment = journal->active;
    g_mutex_lock(&journal->mutex);
    guint64 offset = journal->end;
    if (offset == 0) {
        g_ptr_array_add(journal->segments, segment);
        offset = SEGMENT_HEADER_SIZE;
    }
    for (const Entry *entry = batch->first; entry != NULL; entry = entry->next) {
        if (entry->refused == NULL) {
            segment->first_time_us = offset == SEGMENT_HEADER_SIZE ? entry->time_us : segment->first_time_us;
            segment_mark(segment, entry->sequence, offset);
            offset += record_size(entry->length);
        }
    }
    journal->end = journal->dirty_end = offset;
    journal->last = batch->next_sequence - 1;
    journal->commits++;
    next_start(journal);
    g_cond_broadcast(&journal->committed);
    g_mutex_unlock(&journal->mutex);
}

static void batch_report(Journal *journal, const Batch *batch)
{
    gsize bytes = 0;
    for (Entry *entry = batch->first; entry != NULL;) {
        Entry *next = entry->next;
        if (entry->done != NULL) {
            entry->done(entry->refused == NULL ? entry->sequence : 0, entry->refused, entry->user_data);
        }
        bytes += entry->queued ? record_size(entry->length) : 0;
        entry_free(entry);
        entry = next;
    }
    g_mutex_lock(&journal->mutex);
    journal->queued -= bytes;
    JournalBatchDone batch_done = journal->batch_done;
    gpointer user_data = journal->batch_user_data;
    g_mutex_unlock(&journal->mutex);
    if (batch_done != NULL) {
        batch_done(user_data);
    }
}

static void commit(Journal *journal, Entry *entries)
{
    Batch batch;
    while (entries != NULL) {
        batch_fill(journal, &batch, &entries);
        if (batch.n_parts > 0 && batch_write(journal, &batch)) {
            batch_publish(journal, &batch);
        } else if (batch.n_parts > 0) {
            for (Entry *entry = batch.first; entry != NULL; entry = entry->next) {
                entry->refused = entry->refused != NULL ? entry->refused : g_error_copy(journal->failure);
            }
        }
        batch_report(journal, &batch);
    }
}

static void ignore_record(const JournalRecord *record, guint64 offset, gpointer user_data)
{
}

/* After a failed sync the kernel may hold pages as clean that never reached the disk. What is kept in memory
 * of the tail is dropped, and what the disk says must be what was acknowledged, up to there and no further.
 */
static gboolean tail_holds(Journal *journal, GError **error)
{
    if (journal->end == 0) {
        return TRUE; /* no header yet: nothing in this segment was acknowledged */
    }
    Segment *segment = journal->active;
    g_mutex_lock(&journal->mutex); /* readers may add marks */
    Mark mark = g_array_index(segment->marks, Mark, segment->marks->len - 1);
    g_mutex_unlock(&journal->mutex);
    char name[SEGMENT_NAME_SIZE];
    segment_name(segment->number, name);
    posix_fadvise(journal->fd, (off_t)(mark.offset & ~(guint64)4095), 0, POSIX_FADV_DONTNEED);
    SegmentEnd end;
    if (!segment_find_end(journal->fd, name, segment->size, mark.offset, mark.sequence, ignore_record, NULL,
                          &end, error)) {
        return FALSE;
    }
    if (end.end != journal->end || end.next_sequence != journal->last + 1 || end.dirty_end != end.end) {
        g_set_error(error, FUNDAMENT_ERROR, FUNDAMENT_ERROR_IO,
                    "journal: %s does not hold what was acknowledged; check the disk and restore a backup",
                    name);
        return FALSE;
    }
    return TRUE;
}

static gboolean recover(Journal *journal, GError **error)
{
    if (journal->no_next && !next_ready(journal, error)) {
        return FALSE;
    }
    if (journal->fd >= 0) {
        guint64 to = MAX(journal->dirty_end, MIN(journal->end + 8, journal->active->size));
        if (!segment_clear(journal->fd, journal->end, to, error) || !tail_holds(journal, error)) {
            return FALSE;
        }
    }
    journal->dirty_end = journal->end;
    journal->no_next = FALSE;
    return TRUE;
}

static void try_recovery(Journal *journal)
{
    GError *problem = NULL;
    gboolean recovered = recover(journal, &problem);
    fail(journal, recovered ? NULL : problem);
    g_mutex_lock(&journal->mutex);
    journal->recover_wanted = FALSE;
    journal->recover_attempts++;
    g_cond_broadcast(&journal->committed);
    g_mutex_unlock(&journal->mutex);
}

/* Under the mutex: until when to wait for work; 0: it is there, G_MAXINT64: for ever. */
static gint64 idle_until(const Journal *journal, gint64 retry_at)
{
    gboolean now =
        journal->stopping || journal->recover_wanted || (journal->first != NULL && journal->urgent);
    gint64 later = journal->first != NULL ? journal->later_until : G_MAXINT64;
    return now ? 0 : is_failing(journal) ? MIN(later, retry_at) : later;
}

/* Takes the whole queue; NULL when it is time to try the disk again, or to end. Under the mutex. */
static Entry *wait_for_work(Journal *journal, gint64 retry_at)
{
    gboolean waiting = TRUE;
    while (waiting) {
        gint64 until = idle_until(journal, retry_at);
        if (until == G_MAXINT64) {
            g_cond_wait(&journal->work, &journal->mutex);
        } else {
            waiting = until > 0 && g_cond_wait_until(&journal->work, &journal->mutex, until);
        }
    }
    Entry *entries = journal->first;
    journal->first = journal->last_entry = NULL;
    journal->urgent = FALSE;
    return entries;
}

gpointer journal_committer(gpointer data)
{
    Journal *journal = data;
    gint64 retry_at = 0;
    gboolean stopping = FALSE;
    while (!stopping) {
        g_mutex_lock(&journal->mutex);
        Entry *entries = wait_for_work(journal, retry_at);
        stopping = journal->stopping && entries == NULL;
        gboolean recover_now = journal->recover_wanted || stopping || g_get_monotonic_time() >= retry_at;
        g_mutex_unlock(&journal->mutex);
        gboolean was_failing = is_failing(journal);
        if (was_failing && recover_now) {
            try_recovery(journal);
            retry_at = g_get_monotonic_time() + RETRY_US;
        }
        commit(journal, entries);
        if (!was_failing && is_failing(journal)) {
            retry_at = g_get_monotonic_time() + RETRY_US;
        }
    }
    next_join(journal);
    return NULL;
}
