/* Delivery: what of ours has reached the other Peers, what waits, and how they are doing. For pages, commands
 * and doctor. */
#pragma once

#include "components/fsc/fsc.h"

/* Every Peer that is known, a contract names, or something waits for; by Peer ID, without ourselves. An array
 * of objects; times are milliseconds since the epoch, null where never or unknown:
 *
 *   peer_id, name, manager_address (null)
 *   waiting, dead          messages in the outbox that are tried again, and that were put aside for a person
 *   oldest_waiting_ms      when the oldest that waits was written
 *   next_try_ms            of what failed before; null: nothing waits, or it is due now
 *   last_error             why the last try failed (null)
 *   last_delivered_ms      when it took something of ours last
 *   last_reconciled_ms, reconcile_error   the last time that its contracts were compared with ours to the
 * end, and why the newest comparison failed (null: it did not) probed_ms, probe_error when it was asked who
 * it is, and why it did not answer (null) fsc_version, fsc_version_matches, enabled_extensions   as it says
 * itself (null, null, {}) clock_offset_ms        its clock minus ours, to the second (null)
 *
 * A new reference. Blocks on the store; any thread. */
json_t *delivery_of_peers(Fsc *fsc, GError **error);

/* For each other signer of the contract, in its order: {peer_id, name, delivered, waiting}. `delivered` lists
 * the kinds of our signatures that it has ("accept", "reject", "revoke"); `waiting` what it has not: {id,
 * type, as_contract, tries, since_ms, next_try_ms, last_error (null), dead}. A new reference. NULL with
 * FUNDAMENT_ERROR_NOT_FOUND when there is no such contract. */
json_t *delivery_of_contract(Fsc *fsc, const char *content_hash, GError **error);

/* Prometheus text: what waits and how Peers are doing, at most DELIVERY_LABELS_MAX of them. */
void delivery_metrics(Fsc *fsc, GString *out);

#define DELIVERY_LABELS_MAX 500
