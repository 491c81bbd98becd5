/* The SQL of fsc. Functions that take a Db work inside the caller's transaction, when it has one. */
#pragma once

#include "components/fsc/contract.h"
#include "components/fsc/state.h"
#include "core/store/store.h"

/* More accepts, rejects or revokes than this by one Peer on one contract are refused: each renewal needs one.
 */
#define SIGNATURES_MAX 32

typedef struct {
    char *peer_id, *jws, *thumbprint;
    SignatureType type;
    gint64 signed_at;
    gint64 not_before, not_after; /* of the certificate */
} StoredSignature;

typedef struct {
    gint64 id;
    gint64 received_ms;
    Contract *contract;
    GPtrArray *signatures; /* StoredSignature*, in the order in which they came */
} StoredContract;

void stored_contract_free(StoredContract *stored);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(StoredContract, stored_contract_free)

ContractState stored_contract_state(const StoredContract *stored, gint64 now_s);
/* state.h, contract_state_changes_at() */
gint64 stored_contract_changes_at(const StoredContract *stored, gint64 now_s);
/* The newest signature of this kind by this Peer, or NULL. */
const StoredSignature *stored_contract_signature(const StoredContract *stored, const char *peer_id,
                                                 SignatureType type);
/* {"accept": {...}, "reject": {...}, "revoke": {...}}: the newest of each Peer. New reference. */
json_t *stored_contract_signatures(const StoredContract *stored);

/* Stores the contract unless it is there already; `id` gets its id. VERDICT_IV_USED when another contract has
 * its iv. */
gboolean fsc_store_contract(Db *db, const Contract *contract, gint64 now_ms, gint64 *id, GError **error);

typedef struct {
    gint64 contract_id;
    const char *peer_id;
    SignatureType type;
    gint64 signed_at;
    const char *thumbprint; /* its certificate must be stored already */
    const char *jws;
} NewSignature;

/* The same again is fine. VERDICT_TOO_MANY_SIGNATURES when this Peer has placed SIGNATURES_MAX of them. */
gboolean fsc_store_signature(Db *db, const NewSignature *signature, gint64 now_ms, GError **error);

/* FALSE without an error when there is none. */
gboolean fsc_store_has(Db *db, const char *content_hash, GError **error);

/* NULL with FUNDAMENT_ERROR_NOT_FOUND when there is none. */
StoredContract *fsc_store_load(Db *db, const char *content_hash, GError **error);

typedef struct {
    const char *peer_id;             /* only contracts that this Peer must sign; NULL: all */
    const char *grant_type;          /* "GRANT_TYPE_..." or NULL */
    const char *const *grant_hashes; /* NULL-terminated, or NULL; overrides type and pages */
    const char *cursor;              /* of the page before; NULL or "" for the first */
    guint limit;
    gboolean ascending; /* by created_at */
} ContractQuery;

/* Array of StoredContract* with a free function; `next_cursor` gets "" after the last page.
 * FUNDAMENT_ERROR_INVALID for a cursor that is not ours. */
GPtrArray *fsc_store_list(Db *db, const ContractQuery *query, char **next_cursor, GError **error);

/* What is read of a contract "c", and the contracts of such rows, at most `limit`: for files with other
 * questions. Array of StoredContract* with a free function. */
#define FSC_CONTRACT_COLUMNS "c.id, c.received_ms, c.content, c.created_at"
GPtrArray *fsc_store_load_rows(Db *db, Rows *rows, guint limit, GError **error);

typedef struct {
    const char *peer_id; /* contracts that this Peer must sign, and whose end has not come yet */
    gint64 after_id;     /* only those with a higher id */
    gint64 now_s;
    guint limit;
    gboolean newest_first;
    /* Only those with an accept of this Peer that is not under this certificate, and whose own certificate
     * ends before the contract does; NULL: all. */
    const char *not_under;
} SharedQuery;

/* By id. Array of StoredContract* with a free function. */
GPtrArray *fsc_store_shared(Db *db, const SharedQuery *query, GError **error);

typedef struct {
    char *hash;
    gint64 last_signature; /* row id of the newest: another one means that something changed */
} ChangedContract;

/* Contracts that got a signature at or after `since_ms`. Array of ChangedContract* with a free function. */
GPtrArray *fsc_store_changed_since(Db *db, gint64 since_ms, GError **error);

/* --- certificates --- */

/* What a certificate is here for. */
#define PURPOSE_PEER "peer"
#define PURPOSE_CONTRACT "contract"
#define PURPOSE_TOKEN "token"

gboolean fsc_store_put_certificate(Db *db, const Certificate *certificate, const char *purpose,
                                   GError **error);
/* NULL without an error when it is not there. */
Certificate *fsc_store_certificate(Db *db, const char *thumbprint, GError **error);
/* Our own that are still valid: PURPOSE_TOKEN, PURPOSE_CONTRACT, or both with NULL. Newest first, with a free
 * function. */
GPtrArray *fsc_store_own_certificates(Db *db, const char *purpose, gint64 now_s, GError **error);

/* --- Peers --- */

typedef struct {
    char *peer_id, *name, *manager_address; /* the address NULL when none is verified */
} Peer;

void peer_free(Peer *peer);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Peer, peer_free)

/* `manager_address` NULL leaves the address as it is. */
gboolean fsc_store_put_peer(Db *db, const char *peer_id, const char *name, const char *manager_address,
                            gint64 now_ms, GError **error);
/* NULL without an error when unknown. */
Peer *fsc_store_peer(Db *db, const char *peer_id, GError **error);
/* All, by Peer ID. Array of Peer* with a free function. */
GPtrArray *fsc_store_peers(Db *db, GError **error);
