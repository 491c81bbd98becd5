/* What keeps contracts alive by itself: accepts under a new certificate, and signatures that others did not
 * manage to send. */
#include "components/fsc/internal.h"

#include <string.h>

#include "core/base/error.h"
#include "core/format/json.h"

#define HASHES_A_CALL 50

/* --- renewal --- */

/* FSC Core 2.0.0, 4.2.7: "The certificate used to add an accept signature expires before the Contract
 * expires. In this scenario the Peer has to create a new accept signature using the new certificate and
 * resend it to the other Peers". */
static gboolean needs_renewal(Fsc *fsc, const StoredContract *stored)
{
    const Certificate *current = node_certificate(fsc->node, ROLE_CONTRACT);
    const StoredSignature *accept = stored_contract_signature(stored, node_oin(fsc->node), SIGNATURE_ACCEPT);
    ContractState state = stored_contract_state(stored, fsc_now_s(fsc));
    return current != NULL && accept != NULL && accept->not_after < stored->contract->not_after &&
           certificate_not_after(current) > accept->not_after && state != CONTRACT_REVOKED &&
           state != CONTRACT_REJECTED && state != CONTRACT_EXPIRED;
}

static gboolean renew(Fsc *fsc, const StoredContract *stored, GError **error)
{
    g_autoptr(Db) db = store_take(node_store(fsc->node), error);
    if (db == NULL || !db_begin(db, error) ||
        !signing_place(fsc, db, stored->contract, stored->id, SIGNATURE_ACCEPT, error) ||
        !db_commit(db, error))
        return FALSE;
    g_clear_pointer(&db, db_release);
    g_info("fsc: contract %s is accepted again, under the new certificate", stored->contract->hash);
    fsc_contract_changed(fsc, stored->contract->hash);
    return TRUE;
}

static GPtrArray *current_contracts(Fsc *fsc, GError **error)
{
    g_autoptr(Db) db = store_take(node_store(fsc->node), error);
    return db == NULL ? NULL : fsc_store_current(db, fsc_now_s(fsc), error);
}

gboolean upkeep_renew(Node *node, gpointer context, GError **error)
{
    Fsc *fsc = context;
    g_autoptr(GPtrArray) all = current_contracts(fsc, error);
    if (all == NULL)
        return FALSE;
    for (guint i = 0; i < all->len; i++) {
        const StoredContract *stored = g_ptr_array_index(all, i);
        if (needs_renewal(fsc, stored) && !renew(fsc, stored, error))
            return FALSE;
    }
    return TRUE;
}

/* --- reconciliation --- */

/* A Manager that gives up sending leaves a contract proposed on one side and valid on the other. So what
 * waits for signatures of others is asked for, with GET /contracts, at everybody in it. */

/* Contracts that wait, by Peer: Peer ID -> GPtrArray of StoredContract*, borrowed from `all`. */
static GHashTable *waiting_by_peer(Fsc *fsc, const GPtrArray *all)
{
    GHashTable *by_peer =
        g_hash_table_new_full(g_str_hash, g_str_equal, NULL, (GDestroyNotify)g_ptr_array_unref);
    for (guint i = 0; i < all->len; i++) {
        StoredContract *stored = g_ptr_array_index(all, i);
        if (stored_contract_state(stored, fsc_now_s(fsc)) != CONTRACT_PROPOSED)
            continue;
        for (guint j = 0; j < stored->contract->signers->len; j++) {
            char *peer_id = g_ptr_array_index(stored->contract->signers, j);
            GPtrArray *list = g_hash_table_lookup(by_peer, peer_id);
            if (g_str_equal(peer_id, node_oin(fsc->node)))
                continue;
            if (list == NULL) {
                list = g_ptr_array_new();
                g_hash_table_insert(by_peer, peer_id, list);
            }
            g_ptr_array_add(list, stored);
        }
    }
    return by_peer;
}

static json_t *ask_contracts(Fsc *fsc, const char *peer_id, const GPtrArray *waiting, guint from,
                             GError **error)
{
    g_autoptr(GString) path = g_string_new("/v1/contracts?grant_hash=");
    for (guint i = from; i < MIN(waiting->len, from + HASHES_A_CALL); i++) {
        const StoredContract *stored = g_ptr_array_index(waiting, i);
        g_string_append_printf(path, "%s%s", i > from ? "," : "", stored->contract->grants[0].hash);
    }
    PeerCall call = {.peer_id = peer_id, .role = ROLE_MANAGER, .path = path->str, .timeout_ms = 5000};
    g_autoptr(HttpReply) reply = peers_call(fsc, &call, error);
    if (reply == NULL || reply->status == 200)
        return reply == NULL ? NULL : http_reply_json(reply, error);
    g_set_error(error, FUNDAMENT_ERROR, FUNDAMENT_ERROR_UNAVAILABLE, "Peer %s answered %u", peer_id,
                reply->status);
    return NULL;
}

/* The signatures of others that this contract does not have yet. */
static void merge(Fsc *fsc, const StoredContract *stored, const json_t *signatures)
{
    for (int type = 0; type < SIGNATURE_TYPE_COUNT; type++) {
        const json_t *map = json_object_get(signatures, signature_type_name((SignatureType)type));
        for (guint i = 0; i < stored->contract->signers->len; i++) {
            g_autoptr(GError) why = NULL;
            const char *signer = g_ptr_array_index(stored->contract->signers, i);
            const char *jws = json_string_at(map, signer);
            if (jws == NULL || g_str_equal(signer, node_oin(fsc->node)) ||
                stored_contract_signature(stored, signer, (SignatureType)type) != NULL)
                continue;
            if (!submission_merge(fsc, stored->contract, signer, (SignatureType)type, jws, &why))
                g_info("fsc: a signature of Peer %s on %s is not taken over: %s", signer,
                       stored->contract->hash, why->message);
        }
    }
}

static void merge_answer(Fsc *fsc, const GPtrArray *waiting, const json_t *answer)
{
    const json_t *contracts = json_object_get(answer, "contracts");
    for (gsize i = 0; i < json_array_size(contracts); i++) {
        const json_t *contract = json_array_get(contracts, i);
        g_autofree char *hash = fsc_content_hash(json_object_get(contract, "content"), NULL);
        for (guint j = 0; hash != NULL && j < waiting->len; j++) {
            const StoredContract *stored = g_ptr_array_index(waiting, j);
            if (g_str_equal(stored->contract->hash, hash))
                merge(fsc, stored, json_object_get(contract, "signatures"));
        }
    }
}

gboolean upkeep_reconcile(Node *node, gpointer context, GError **error)
{
    Fsc *fsc = context;
    GHashTableIter iter;
    gpointer peer_id, waiting;
    g_autoptr(GPtrArray) all = current_contracts(fsc, error);
    if (all == NULL)
        return FALSE;
    g_autoptr(GHashTable) by_peer = waiting_by_peer(fsc, all);
    g_hash_table_iter_init(&iter, by_peer);
    while (g_hash_table_iter_next(&iter, &peer_id, &waiting)) {
        const GPtrArray *list = waiting;
        for (guint from = 0; from < list->len; from += HASHES_A_CALL) {
            g_autoptr(GError) why = NULL;
            g_autoptr(json_t) answer = ask_contracts(fsc, peer_id, list, from, &why);
            if (answer == NULL) {
                g_info("fsc: signatures that may be missing were not found out: %s", why->message);
                break;
            }
            merge_answer(fsc, list, answer);
        }
    }
    return TRUE;
}
