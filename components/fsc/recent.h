/* The transaction ids of the last few seconds, to tell a resent log record from a replayed one (decisions.md
 * 2 and 10).
 *
 * A resend has the same `made` as the record before it; a replay, which is another request, has another one.
 * The log itself sees only the seconds of `made`, in created_at: what differs there it refuses by itself. So
 * this need only remember what was made within one second. Used by one thread at a time.
 */
#pragma once

#include <glib.h>

typedef struct recent Recent;

Recent *recent_new(void);
void recent_free(Recent *recent);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Recent, recent_free)

/* TRUE when this id and direction (1 incoming, 2 outgoing) was not seen before, or was with this same
 * `made_us`; FALSE for a replay. The id is a UUID in lower case. */
gboolean recent_admits(Recent *recent, const char *transaction_id, guint64 direction, guint64 made_us);
