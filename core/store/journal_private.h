/* What the files of the journal share. Not for other folders. */
#pragma once

#include "core/store/journal_segment.h"

#define MARK_EVERY ((guint64)256 * 1024)

/* Where a record is, every so many bytes, so that a reader need not start at the start of a segment. */
typedef struct {
    guint64 sequence;
    guint64 offset;
} Mark;

typedef struct {
    guint64 number;
    guint64 size;
    guint64 first_sequence;
    gint64 first_time_us; /* 0 while it has no record */
    GArray *marks;        /* of Mark, in order */
    guint32 generation;   /* how often the journal had been restored when it was made */
    gboolean removed;     /* its file is gone, or about to be; under the mutex */
} Segment;

/* One record in the queue, already in the shape in which it goes to disk. */
typedef struct entry Entry;
struct entry {
    Entry *next;
    JournalDone done;
    gpointer user_data;
    GError *refused; /* never written, only reported */
    gboolean queued; /* counts in journal->queued */
    gint64 time_us;
    guint64 sequence; /* once it is in a batch */
    gsize length;     /* of the data */
    guint16 kind;
    guint8 bytes[];
};

typedef enum { NEXT_NONE, NEXT_MAKING, NEXT_READY } NextState;

struct journal {
    char *folder;
    int folder_fd;
    int lock_fd;
    guint32 shard;
    guint64 segment_size;
    GThread *committer;

    GMutex mutex;    /* for what follows, to the next group */
    GCond work;      /* for the committer */
    GCond committed; /* for journal_wait() and journal_recover() */
    Entry *first;    /* the queue */
    Entry *last_entry;
    gsize queued;       /* bytes */
    gboolean urgent;    /* somebody waits for what is in the queue */
    gint64 later_until; /* monotonic: when the queue is committed even so; 0 while it is empty */
    gboolean stopping;
    gboolean recover_wanted;
    guint64 recover_attempts;
    GError *failure;     /* why it cannot write; NULL while it can */
    GPtrArray *segments; /* of Segment with a header on disk, oldest first; readers hold references */
    guint64 last;        /* the last committed sequence */
    guint64 commits;
    JournalBatchDone batch_done;
    gpointer batch_user_data;
    NextState next; /* the segment after the active one */
    GThread *next_maker;

    int fd; /* of the committer alone (and of journal_open()): the active segment, -1 when there is none yet
             */
    Segment *active;
    guint64 end;         /* where the next record goes; 0 while the active segment has no header */
    guint64 dirty_end;   /* a failed write may have left bytes from `end` up to here */
    gboolean no_next;    /* what failed was making the next segment */
    guint64 next_number; /* for the thread that makes it */
};

Segment *segment_new(guint64 number, guint64 size, guint64 first_sequence, guint32 generation);
Segment *segment_ref(Segment *segment);
void segment_unref(gpointer segment);
/* Under the mutex. Ignores what is too close to the mark before, or before it. */
void segment_mark(Segment *segment, guint64 sequence, guint64 offset);

/* journal_open.c: locks the folder, reads what is there, cuts what was not acknowledged. */
gboolean journal_load(Journal *journal, GError **error);

/* journal_commit.c: the committer's thread, and the queue's entries. */
gpointer journal_committer(gpointer journal);
void entry_free(Entry *entry);

/* As journal_open, with another size of new segments: for tests. A record must fit in one. */
Journal *journal_open_sized(const char *folder, guint32 shard, guint64 segment_size, GError **error);
