/* What outbox.c (the table) and outbox_sender.c (the threads) share. */
#pragma once

#include "core/node/outbox.h"

#define OUTBOX_PARALLEL 16      /* destinations at a time */
#define OUTBOX_PARALLEL_AGAIN 8 /* of those, destinations that failed before */

/* How long to wait after `tries` failures (1 or more): `first_s`, twice that, four times ... `max_s`, plus or
 * minus 20 percent by `random`, ms. Pure. */
gint64 outbox_backoff_ms(guint tries, guint32 random, gint64 first_s, gint64 max_s);

typedef struct {
    gint64 id, created_ms;
    char *kind, *destination;
    GBytes *body;
    guint tries;
} OutboxMessage;

void outbox_message_free(OutboxMessage *message);

/* Takes messages that are due, each the first of its (kind, destination), under a lease of this process: at
 * most `fresh` that never failed, and at most `again` that did. */
GPtrArray *outbox_claim(Node *node, guint fresh, guint again, GError **error);

/* Writes down what came of it: gone, tried again later, or dead. */
gboolean outbox_settle(Node *node, const OutboxMessage *message, gboolean delivered, const GError *failure,
                       GError **error);

/* When the first message is due, ms since the epoch; G_MAXINT64 when none waits. */
gint64 outbox_next_due(Node *node, GError **error);

/* Messages for this destination that failed before become due. TRUE when there are any. */
gboolean outbox_hasten(Node *node, const char *destination, GError **error);

/* At the start of the only process on a store: what an earlier one had taken is free again. */
gboolean outbox_release_leases(Node *node, GError **error);
