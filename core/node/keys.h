/* The keys of an organisation as docs/keys.md lists them: where each is, until when, and whether something
 * must be done about it (decisions.md 29). */
#pragma once

#include <jansson.h>

#include "core/node/component.h"

typedef enum {
    KEY_VALID,
    KEY_RENEW,   /* valid, but not for long: within the first alarm */
    KEY_EXPIRED, /* or not valid yet, by our clock */
    KEY_ABSENT,  /* neither key nor certificate: this node has no such role */
    KEY_BROKEN   /* one of the two cannot be read, or they do not belong together */
} KeyState;

const char *key_state_name(KeyState state); /* "valid" */

/* The state of a certificate. Pure. */
KeyState key_state(gint64 not_before, gint64 not_after, gint64 now_s);

/* Which alarm is due: the smallest of 60, 30 and 7 days that is not shorter than what is left, 0 when nothing
 * is left, -1 when there is more time than that. Pure. */
int key_alarm_days(gint64 not_after, gint64 now_s);

/* Every key of this node, in the order of docs/keys.md: array of
 * {name, use, file, state, fault (null), thumbprint (null), public_key_thumbprint (null), not_before (null),
 * not_after (null), days_left (null)}; times in seconds since the epoch. Secrets have no certificate: their
 * nulls are in place. Reads the files; a new reference. */
json_t *keys_list(const Config *config, gint64 now_s);

/* Job: a line in the log for each certificate at 60, 30 and 7 days before its end, and after it. */
gboolean keys_alarm(Node *node, gpointer context, GError **error);
