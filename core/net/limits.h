/* Token buckets per key (a peer, a client address, a person's pseudonym): a noisy one delays nobody else.
 * Thread safe, bounded memory (the least recently used key goes first). */
#pragma once

#include <glib.h>

typedef struct limits Limits;

/* `per_second` tokens are added up to `burst`; at most `keys` keys are remembered. */
Limits *limits_new(double per_second, double burst, guint keys);
void limits_free(Limits *limits);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Limits, limits_free)

/* 0 when one token could be taken, else after how many seconds (rounded up) to try again: for 429 and
 * Retry-After. */
guint limits_take(Limits *limits, const char *key, gint64 now_us);
