/* Which contracts wait for a person here, for the first page. */
#pragma once

#include "core/store/store.h"

#define WAITING_LOOKED_AT                                                                                    \
    2000 /* the newest contracts that have not ended: a flat cost, however many there are */

/* Hashes of contracts, newest first, that `own_peer_id` must sign and has not, and that nobody has rejected
 * or revoked; at most `limit`. Array of strings with a free function. */
GPtrArray *waiting_for(Db *db, const char *own_peer_id, gint64 now_s, guint limit, GError **error);
