/* The journal's front: opening, the queue, and waiting. The rest is in journal_open.c (what a folder holds),
 * journal_commit.c (the committer's thread), journal_read.c, journal_recovery.c (the end of a segment after a
 * crash) and journal_segment.c (the bytes). */
#include "core/store/journal_private.h"

#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "core/base/error.h"

#define QUEUE_MAX ((gsize)64 * 1024 * 1024)
#define LATER_BYTES ((gsize)1024 * 1024)
#define LATER_US (50 * G_TIME_SPAN_MILLISECOND)

Segment *segment_new(guint64 number, guint64 size, guint64 first_sequence, guint32 generation)
{
    Segment *segment = g_atomic_rc_box_new0(Segment);
    segment->generation = generation;
    segment->number = number;
    segment->size = size;
    segment->first_sequence = first_sequence;
    segment->marks = g_array_new(FALSE, FALSE, sizeof(Mark));
    Mark start = {.sequence = first_sequence, .offset = SEGMENT_HEADER_SIZE};
    g_array_append_val(segment->marks, start);
    return segment;
}

static void segment_clear_marks(gpointer data)
{
    g_array_unref(((Segment *)data)->marks);
}

Segment *segment_ref(Segment *segment)
{
    return g_atomic_rc_box_acquire(segment);
}

void segment_unref(gpointer segment)
{
    g_atomic_rc_box_release_full(segment, segment_clear_marks);
}

void segment_mark(Segment *segment, guint64 sequence, guint64 offset)
{
    const Mark *last = &g_array_index(segment->marks, Mark, segment->marks->len - 1);
    if (offset >= last->offset + MARK_EVERY) {
        Mark mark = {.sequence = sequence, .offset = offset};
        g_array_append_val(segment->marks, mark);
    }
}

static void journal_free(Journal *journal)
{
    if (journal->fd >= 0) {
        close(journal->fd);
    }
    if (journal->lock_fd >= 0) {
        close(journal->lock_fd);
    }
    if (journal->folder_fd >= 0) {
        close(journal->folder_fd);
    }
    gboolean unpublished =
        journal->active != NULL && !g_ptr_array_find(journal->segments, journal->active, NULL);
    if (unpublished) {
        segment_unref(journal->active);
    }
    g_ptr_array_unref(journal->segments);
    g_clear_error(&journal->failure);
    g_mutex_clear(&journal->mutex);
    g_cond_clear(&journal->work);
    g_cond_clear(&journal->committed);
    g_free(journal->folder);
    g_free(journal);
}

/* Signals are for the program's own threads; and a file-size limit (SIGXFSZ) must end in an error, not in
 * death. */
static GThread *start_quiet(const char *name, GThreadFunc function, gpointer data)
{
    sigset_t all;
    sigset_t before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    GThread *thread = g_thread_new(name, function, data);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return thread;
}

Journal *journal_open_sized(const char *folder, guint32 shard, guint64 segment_size, GError **error)
{
    Journal *journal = g_new0(Journal, 1);
    journal->folder = g_strdup(folder);
    journal->folder_fd = journal->lock_fd = journal->fd = -1;
    journal->shard = shard;
    journal->segment_size = segment_size;
    journal->segments = g_ptr_array_new_with_free_func(segment_unref);
    g_mutex_init(&journal->mutex);
    g_cond_init(&journal->work);
    g_cond_init(&journal->committed);
    if (!journal_load(journal, error)) {
        journal_free(journal);
        return NULL;
    }
    journal->committer = start_quiet("journal", journal_committer, journal);
    return journal;
}

Journal *journal_open(const char *folder, guint32 shard, GError **error)
{
    return journal_open_sized(folder, shard, SEGMENT_SIZE, error);
}

void journal_close(Journal *journal)
{
    if (journal == NULL) {
        return;
    }
    g_mutex_lock(&journal->mutex);
    journal->stopping = TRUE;
    g_cond_signal(&journal->work);
    g_mutex_unlock(&journal->mutex);
    g_thread_join(journal->committer);
    journal_free(journal);
}

void journal_set_batch_done(Journal *journal, JournalBatchDone batch_done, gpointer user_data)
{
    g_mutex_lock(&journal->mutex);
    journal->batch_done = batch_done;
    journal->batch_user_data = user_data;
    g_mutex_unlock(&journal->mutex);
}

void entry_free(Entry *entry)
{
    g_clear_error(&entry->refused);
    g_free(entry);
}

/* Why this record cannot be taken; NULL when it can. Under the mutex. */
static GError *refusal(const Journal *journal, gsize length)
{
    guint64 room = journal->segment_size - SEGMENT_HEADER_SIZE;
    if (length > JOURNAL_RECORD_MAX || record_size(length) > room) {
        return g_error_new(FUNDAMENT_ERROR, FUNDAMENT_ERROR_INVALID,
                           "journal: a record of %" G_GSIZE_FORMAT " bytes is too large (at most %d)", length,
                           JOURNAL_RECORD_MAX);
    }
    if (journal->failure != NULL) {
        return g_error_copy(journal->failure);
    }
    if (journal->queued + record_size(length) > QUEUE_MAX) {
        return g_error_new_literal(FUNDAMENT_ERROR, FUNDAMENT_ERROR_UNAVAILABLE,
                                   "journal: too many records wait for the disk; try again");
    }
    return NULL;
}

static Entry *entry_new(guint16 kind, const void *data, gsize length)
{
    gboolean copies = length <= JOURNAL_RECORD_MAX;
    Entry *entry = g_malloc(sizeof(Entry) + (copies ? record_size(length) : 0));
    *entry = (Entry){.kind = kind, .length = length};
    if (copies && length > 0) {
        memcpy(entry->bytes + RECORD_HEADER_SIZE, data, length);
    }
    return entry;
}

/* The committer is woken when it has something new to know: that somebody waits, or how long it may wait
 * itself. */
static void enqueue(Journal *journal, Entry *entry, gboolean urgent)
{
    g_mutex_lock(&journal->mutex);
    entry->refused = refusal(journal, entry->length);
    entry->time_us = g_get_real_time();
    entry->queued = entry->refused == NULL;
    if (entry->queued) {
        journal->queued += record_size(entry->length);
    }
    gboolean wakes = journal->first == NULL || (urgent && !journal->urgent);
    if (journal->first == NULL) {
        journal->first = entry;
        journal->later_until = g_get_monotonic_time() + LATER_US;
    } else {
        journal->last_entry->next = entry;
    }
    journal->last_entry = entry;
    journal->urgent |= urgent || journal->queued > LATER_BYTES;
    if (wakes) {
        g_cond_signal(&journal->work);
    }
    g_mutex_unlock(&journal->mutex);
}

void journal_append(Journal *journal, guint16 kind, const void *data, gsize length, JournalDone done,
                    gpointer user_data)
{
    Entry *entry = entry_new(kind, data, length);
    entry->done = done;
    entry->user_data = user_data;
    enqueue(journal, entry, TRUE);
}

void journal_append_later(Journal *journal, guint16 kind, const void *data, gsize length)
{
    enqueue(journal, entry_new(kind, data, length), FALSE);
}

typedef struct {
    GMutex mutex;
    GCond cond;
    gboolean done;
    guint64 sequence;
    GError *error;
} Waiter;

static void waiter_done(guint64 sequence, const GError *error, gpointer user_data)
{
    Waiter *waiter = user_data;
    g_mutex_lock(&waiter->mutex);
    waiter->sequence = sequence;
    waiter->error = error != NULL ? g_error_copy(error) : NULL;
    waiter->done = TRUE;
    g_cond_signal(&waiter->cond);
    g_mutex_unlock(&waiter->mutex);
}

gboolean journal_append_wait(Journal *journal, guint16 kind, const void *data, gsize length,
                             guint64 *sequence, GError **error)
{
    Waiter waiter = {0};
    g_mutex_init(&waiter.mutex);
    g_cond_init(&waiter.cond);
    journal_append(journal, kind, data, length, waiter_done, &waiter);
    g_mutex_lock(&waiter.mutex);
    while (!waiter.done) {
        g_cond_wait(&waiter.cond, &waiter.mutex);
    }
    g_mutex_unlock(&waiter.mutex);
    g_mutex_clear(&waiter.mutex);
    g_cond_clear(&waiter.cond);
    if (waiter.error != NULL) {
        g_propagate_error(error, waiter.error);
        return FALSE;
    }
    if (sequence != NULL) {
        *sequence = waiter.sequence;
    }
    return TRUE;
}

gboolean journal_recover(Journal *journal, GError **error)
{
    g_mutex_lock(&journal->mutex);
    guint64 before = journal->recover_attempts;
    if (journal->failure != NULL) {
        journal->recover_wanted = TRUE;
        g_cond_signal(&journal->work);
        while (journal->recover_attempts == before) {
            g_cond_wait(&journal->committed, &journal->mutex);
        }
    }
    gboolean healthy = journal->failure == NULL;
    if (!healthy) {
        g_propagate_error(error, g_error_copy(journal->failure));
    }
    g_mutex_unlock(&journal->mutex);
    return healthy;
}

gboolean journal_healthy(Journal *journal)
{
    g_mutex_lock(&journal->mutex);
    gboolean healthy = journal->failure == NULL;
    g_mutex_unlock(&journal->mutex);
    return healthy;
}

guint64 journal_last(Journal *journal)
{
    g_mutex_lock(&journal->mutex);
    guint64 last = journal->last;
    g_mutex_unlock(&journal->mutex);
    return last;
}

guint64 journal_first(Journal *journal)
{
    g_mutex_lock(&journal->mutex);
    guint64 first =
        journal->segments->len > 0 ? ((const Segment *)journal->segments->pdata[0])->first_sequence : 1;
    g_mutex_unlock(&journal->mutex);
    return first;
}

guint32 journal_generation(Journal *journal)
{
    g_mutex_lock(&journal->mutex);
    const GPtrArray *segments = journal->segments;
    guint32 generation =
        segments->len > 0 ? ((const Segment *)segments->pdata[segments->len - 1])->generation : 0;
    g_mutex_unlock(&journal->mutex);
    return generation;
}

guint64 journal_commits(Journal *journal)
{
    g_mutex_lock(&journal->mutex);
    guint64 commits = journal->commits;
    g_mutex_unlock(&journal->mutex);
    return commits;
}

gint64 journal_oldest_time_us(Journal *journal)
{
    g_mutex_lock(&journal->mutex);
    const Segment *oldest = journal->segments->len > 0 ? journal->segments->pdata[0] : NULL;
    gint64 time_us = oldest != NULL ? oldest->first_time_us : 0;
    g_mutex_unlock(&journal->mutex);
    return time_us;
}

guint64 journal_wait(Journal *journal, guint64 sequence, guint timeout_ms)
{
    gint64 deadline = g_get_monotonic_time() + (gint64)timeout_ms * G_TIME_SPAN_MILLISECOND;
    g_mutex_lock(&journal->mutex);
    gboolean waiting = TRUE;
    while (journal->last <= sequence && waiting) {
        waiting = g_cond_wait_until(&journal->committed, &journal->mutex, deadline);
    }
    guint64 last = journal->last;
    g_mutex_unlock(&journal->mutex);
    return last;
}
