/* Copies of a journal: for backups, while it is appended to, and for what is made of them (docs/journal.md,
 * "Copies"). None of this needs the journal to be open, and none of it writes in the folder it reads. */
#pragma once

#include "core/store/journal.h"

typedef struct {
    guint32 shard;
    guint32 generation; /* of the last segment */
    guint64 first;      /* the sequence of the oldest record; of the first one to come when there is none */
    guint64 last;       /* of the newest, 0 when there is none */
    gint64 newest_time_us;
    guint64 bytes;
} JournalExtent;

/* Called now and then with how far it is. */
typedef void (*JournalProgress)(guint64 bytes, gpointer user_data);

/* Copies what is committed in `from` to the new folder `to`: at least all that was acknowledged before the
 * call. Each segment is cut behind its last record, which seals it: nothing can be appended to it any more.
 * Every record is checked on the way. On disk when this returns. FUNDAMENT_ERROR_IO when a file cannot be
 * read or written, or is damaged. `progress` may be NULL. */
gboolean journal_copy(const char *from, const char *to, JournalProgress progress, gpointer user_data,
                      JournalExtent *extent, GError **error);

/* Reads every record of a copy: whole, in order, and nothing behind the last one. */
gboolean journal_copy_check(const char *folder, JournalExtent *extent, GError **error);

/* Makes a copy fit to be opened: behind the last record begins an empty segment of the next generation, so
 * that the shard as it was is never continued (decisions.md 14). */
gboolean journal_copy_seal(const char *folder, guint32 shard, GError **error);
