/* The outbox: what must reach another organisation is stored with the change that caused it, and sent until
 * it arrives.
 *
 * Delivery is at least once and in order of writing per (kind, destination). Tried again after 1, 2, 4 ...
 * 300 s with jitter (Digikoppeling REST API 3.0.1; [outbox] first_retry and max_retry), until [outbox]
 * give_up (7 days), then dead: listed, counted in a metric, and retried on command; never silently dropped. A
 * message that was answered, but not taken (FUNDAMENT_ERROR_LIMIT), stands aside: those behind it pass. When
 * the destination lets hear of itself, what waits for it is tried at once. Threads are bounded, and those for
 * destinations that failed before are fewer, so that a slow one delays no other. With PostgreSQL several
 * processes share the work (SKIP LOCKED).
 */
#pragma once

#include "core/node/node.h"

/* Inside the caller's transaction. `unique` (may be NULL) makes it idempotent: while a message with it waits
 * or is dead, a second one is not stored. A dead one begins anew when it was given up for lack of an answer,
 * or when it was refused more than a day ago: whoever offers it again found out that it is still missing
 * there. */
gboolean outbox_put(Db *db, const Clock *clock, const char *kind, const char *destination, const char *unique,
                    const void *body, gsize length, GError **error);

/* Of the messages of one kind whose destination begins with `beginning`, the newest `keep` stay: for what
 * another organisation causes as often as it likes. Inside the caller's transaction. */
gboolean outbox_keep_newest(Db *db, const char *kind, const char *beginning, guint keep, GError **error);

/* After commit: wakes the sender, so that the first try is at once. */
void outbox_wake(Node *node);

/* The destination was heard of (any thread): what waits for it after a failure is tried now. Cheap: it looks
 * at most once in a few seconds a destination. */
void outbox_contact(Node *node, const char *destination);

typedef struct {
    gint64 id;
    char *kind, *destination, *last_error; /* last_error NULL before the first failure */
    char *unique;                          /* NULL: none */
    gint64 created_ms, next_try_ms;
    guint tries;
    gboolean dead;
} OutboxEntry;

void outbox_entry_free(OutboxEntry *entry);

/* What waits, oldest first; `destination` may be NULL for all. Array of OutboxEntry* with a free function. */
GPtrArray *outbox_list(Store *store, const char *destination, GError **error);

typedef struct {
    char *destination, *last_error; /* last_error NULL: none failed yet */
    gint64 waiting, dead;
    gint64 oldest_ms;   /* when the oldest that waits was written; 0: none waits */
    gint64 next_try_ms; /* of what failed before; 0: nothing waits, or it is due now */
} OutboxSummary;

/* One a destination, by destination. Array of OutboxSummary* with a free function. */
GPtrArray *outbox_summaries(Store *store, GError **error);

/* Tries dead or waiting ones again now. */
gboolean outbox_retry(Store *store, const Clock *clock, gint64 id, GError **error);
