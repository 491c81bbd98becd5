/* The state of a contract: a function of its signatures and the time, nothing else (FSC Core 2.0.0, 3.2.1).
 * Pure; the rules are a table.
 *
 * Of each Peer the newest accept counts. It counts as long as the certificate under it is valid (4.2.7:
 * "Without a valid certificate, Peers cannot verify the signature, rendering the Contract invalid"); a reject
 * or a revoke, once verified, stays.
 */
#pragma once

#include "components/fsc/signature.h"

typedef enum {
    CONTRACT_PROPOSED, /* not everybody has accepted yet, or an accept's certificate ran out */
    CONTRACT_ACCEPTED, /* by everybody, but not_before has not come yet */
    CONTRACT_VALID,
    CONTRACT_REJECTED, /* by somebody, or never accepted by all before not_after */
    CONTRACT_REVOKED,
    CONTRACT_EXPIRED,
    CONTRACT_STATE_COUNT
} ContractState;

const char *contract_state_name(ContractState state); /* "proposed" */

typedef struct {
    const char *peer_id;
    SignatureType type;
    gint64 signed_at;
    gint64 not_before, not_after; /* of the certificate that made it */
} PlacedSignature;

typedef struct {
    const char *const *signers; /* Peer IDs that must accept */
    gsize n_signers;
    gint64 not_before, not_after; /* of the contract, both inclusive */
    const PlacedSignature *signatures;
    gsize n_signatures;
} StateInput;

ContractState contract_state(const StateInput *input, gint64 now_s);

/* The next second after `now_s` at which the state can be another one without a new signature; G_MAXINT64
 * when never. */
gint64 contract_state_changes_at(const StateInput *input, gint64 now_s);

/* The table of rules as lines of text, for documentation and tests. Caller frees. */
char *contract_state_table(void);
