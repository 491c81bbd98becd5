/* The SQL behind agreements.c: contracts by what is in their grants, without walking over all of them. */
#pragma once

#include "components/fsc/store.h"

/* The contract that holds this grant, ended or not (the hash of a contract is in those of its grants: there
 * is but one). NULL with FUNDAMENT_ERROR_NOT_FOUND when there is none. */
StoredContract *fsc_store_by_grant(Db *db, const char *grant_hash, GError **error);

/* Those with a publication (or a connection) whose end has not come yet, by id; at most `limit`, the newest
 * then. Array of StoredContract* with a free function. */
GPtrArray *fsc_store_with_grants(Db *db, gboolean publication, gint64 now_s, guint limit, GError **error);

/* Content hashes of contracts, whose end has not come yet, with a connection of that Outway to that service
 * (without regard to case). Array of strings with a free function. */
GPtrArray *fsc_store_connections(Db *db, const char *service_name, const char *service_peer_id,
                                 const char *outway_peer_id, gint64 now_s, GError **error);

/* How many contracts, whose end has not come yet, are in each state. Takes some 4 s for a million. */
gboolean fsc_store_count_states(Db *db, gint64 now_s, guint counts[CONTRACT_STATE_COUNT], GError **error);

/* Fills in whom grants are about where a version before did not (schema/fsc/0007.sql). Once, at the start. */
gboolean fsc_store_fill_grants(Db *db, GError **error);
