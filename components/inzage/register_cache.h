/* The registers of processing activities of other organisations, kept for a while: they change seldom, and an
 * organisation that does not answer now may have told before what it uses data for. Thread safe. */
#pragma once

#include <glib.h>
#include <jansson.h>

typedef struct register_cache RegisterCache;

/* `fresh_ms`: how old one may be before it is asked again. */
RegisterCache *register_cache_new(gint64 fresh_ms);
void register_cache_free(RegisterCache *cache);

/* The last known activities of an organisation, a copy of their own, or NULL; `*fresh` tells whether they
 * need no asking. */
json_t *register_cache_find(RegisterCache *cache, const char *oin, gint64 now_ms, gboolean *fresh);

/* Remembers a copy. */
void register_cache_put(RegisterCache *cache, const char *oin, const json_t *activities, gint64 now_ms);
