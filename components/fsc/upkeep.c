/* What keeps contracts alive by itself: accepts under a new certificate. */
#include "components/fsc/internal.h"

#include <string.h>

#define BATCH 200
#define DAY_MS (24 * 60 * 60 * 1000)

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

static GPtrArray *next_batch(Fsc *fsc, gint64 after_id, GError **error)
{
    SharedQuery query = {.peer_id = node_oin(fsc->node),
                         .after_id = after_id,
                         .now_s = fsc_now_s(fsc),
                         .limit = BATCH,
                         .not_under = certificate_thumbprint(node_certificate(fsc->node, ROLE_CONTRACT))};
    g_autoptr(Db) db = store_take(node_store(fsc->node), error);
    return db == NULL ? NULL : fsc_store_shared(db, &query, error);
}

/* Only a new certificate makes work: when all was looked through under this one, there is nothing to do but
 * to look once a day for what was signed while it came, or came back from elsewhere. */
static gboolean is_renewed(const Fsc *fsc, const Certificate *current)
{
    return g_strcmp0(fsc->renewed_under, certificate_thumbprint(current)) == 0 &&
           fsc_now_ms(fsc) - fsc->renewed_ms < DAY_MS;
}

gboolean upkeep_renew(Node *node, gpointer context, GError **error)
{
    Fsc *fsc = context;
    const Certificate *current = node_certificate(node, ROLE_CONTRACT);
    gint64 after_id = 0;
    guint found = BATCH;
    if (current == NULL || is_renewed(fsc, current))
        return TRUE;
    while (found == BATCH && !node_is_stopping(node)) {
        g_autoptr(GPtrArray) batch = next_batch(fsc, after_id, error);
        if (batch == NULL)
            return FALSE;
        found = batch->len;
        for (guint i = 0; i < batch->len; i++) {
            const StoredContract *stored = g_ptr_array_index(batch, i);
            after_id = stored->id;
            if (needs_renewal(fsc, stored) && !renew(fsc, stored, error))
                return FALSE;
        }
    }
    if (found < BATCH) {
        g_free(fsc->renewed_under);
        fsc->renewed_under = g_strdup(certificate_thumbprint(current));
        fsc->renewed_ms = fsc_now_ms(fsc);
    }
    return TRUE;
}
