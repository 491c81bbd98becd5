/* The outbox: what must reach another organisation is stored with the change that caused it, and sent until
 * it arrives.
 *
 * Delivery is at least once and in order of writing per (kind, destination). Tried again after 1, 2, 4 ...
 * 300 s with jitter (Digikoppeling REST API 3.0.1), for ever until [outbox] give_up (7 days), then dead:
 * listed, counted in a metric, and retried on command; never silently dropped. With PostgreSQL several
 * processes share the work (SKIP LOCKED).
 */
#pragma once

#include "core/node/node.h"

/* Inside the caller's transaction. `unique` (may be NULL) makes it idempotent: while a message with it waits
 * or is dead, a second one is not stored. */
gboolean outbox_put(Db *db, const Clock *clock, const char *kind, const char *destination, const char *unique,
                    const void *body, gsize length, GError **error);

/* After commit: wakes the sender, so that the first try is at once. */
void outbox_wake(Node *node);

typedef struct {
    gint64 id;
    char *kind, *destination, *last_error; /* last_error NULL before the first failure */
    gint64 created_ms, next_try_ms;
    guint tries;
    gboolean dead;
} OutboxEntry;

void outbox_entry_free(OutboxEntry *entry);

/* What waits, oldest first; `destination` may be NULL for all. Array of OutboxEntry* with a free function. */
GPtrArray *outbox_list(Store *store, const char *destination, GError **error);

/* Tries dead or waiting ones again now. */
gboolean outbox_retry(Store *store, const Clock *clock, gint64 id, GError **error);
