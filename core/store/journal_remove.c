/* Removing what need not be kept any longer: whole segments, from the oldest on. */
#include "core/store/journal_private.h"

#include <errno.h>
#include <unistd.h>

#include "core/base/error.h"

/* One segment that may go. */
typedef struct {
    JournalKeep keep;
    gpointer user_data;
    guint64 stop; /* its last sequence */
    gboolean kept;
    gint64 newest_time_us;
} Candidate;

static gboolean look(const JournalRecord *record, gpointer user_data)
{
    Candidate *candidate = user_data;
    if (record->sequence > candidate->stop)
        return FALSE;
    candidate->kept = candidate->keep(record, candidate->user_data);
    candidate->newest_time_us = MAX(candidate->newest_time_us, record->time_us);
    return !candidate->kept;
}

/* The segment at `i` with its last sequence; NULL when it is the last one, or there are no more. */
static Segment *segment_at(Journal *journal, guint i, guint64 *stop)
{
    g_mutex_lock(&journal->mutex);
    const GPtrArray *segments = journal->segments;
    Segment *segment = NULL;
    if (i + 1 < segments->len) {
        segment = segment_ref(segments->pdata[i]);
        *stop = ((const Segment *)segments->pdata[i + 1])->first_sequence - 1;
    }
    g_mutex_unlock(&journal->mutex);
    return segment;
}

/* The oldest segment: first nobody finds it any more, then its file goes. */
static gboolean remove_oldest(Journal *journal, const Segment *segment, GError **error)
{
    char name[SEGMENT_NAME_SIZE];
    segment_name(segment->number, name);
    g_mutex_lock(&journal->mutex);
    ((Segment *)journal->segments->pdata[0])->removed = TRUE;
    g_ptr_array_remove_index(journal->segments, 0);
    g_mutex_unlock(&journal->mutex);
    if (unlinkat(journal->folder_fd, name, 0) == 0 && fsync(journal->folder_fd) == 0)
        return TRUE;
    g_set_error(error, FUNDAMENT_ERROR, FUNDAMENT_ERROR_IO, "journal: cannot remove %s: %s", name,
                g_strerror(errno));
    return FALSE;
}

static void count(JournalRemoval *removal, const Segment *segment, const Candidate *candidate)
{
    removal->segments++;
    removal->records += candidate->stop + 1 - segment->first_sequence;
    removal->bytes += segment->size;
    removal->first = candidate->stop + 1;
    removal->newest_time_us = MAX(removal->newest_time_us, candidate->newest_time_us);
}

gboolean journal_remove_expired(Journal *journal, guint64 through, JournalKeep keep, gpointer user_data,
                                gboolean dry, JournalRemoval *removal, GError **error)
{
    *removal = (JournalRemoval){.first = journal_first(journal)};
    gboolean good = TRUE, more = TRUE;
    for (guint i = 0; good && more; i += dry ? 1 : 0) {
        Candidate candidate = {.keep = keep, .user_data = user_data};
        Segment *segment = segment_at(journal, i, &candidate.stop);
        more = segment != NULL && candidate.stop <= through;
        good = !more || journal_read(journal, segment->first_sequence, look, &candidate, error);
        more = more && good && !candidate.kept;
        good = good && (!more || dry || remove_oldest(journal, segment, error));
        if (good && more)
            count(removal, segment, &candidate);
        if (segment != NULL)
            segment_unref(segment);
    }
    return good;
}
