/* Anti-entropy within the standard: GET /contracts of each Peer compared with what is here, both ways.
 *
 * The outbox delivers; this finds what it could not: messages that another Manager gave up, contracts that
 * never came, signatures that a backup did not hold. For each Peer with whom there is a contract, and the
 * Directory:
 *
 *   ours    its answer for our contracts with it, 50 grant hashes a call: signatures that it has and we lack
 * are merged, our own that it lacks go into the outbox again theirs  its whole list, a page a call: contracts
 * that we never got are merged
 *
 * The newest come first at every round; then as much of the rest as CALLS_MAX allows, and the next round goes
 * on there (fsc_contacts). Nothing is believed: all of it goes the way of a submission (submission.c), and
 * only signatures of Peers whom the contract names are looked at. */
#include "components/fsc/internal.h"

#include <string.h>

#include "components/fsc/contacts.h"
#include "components/fsc/verdict.h"
#include "core/base/error.h"
#include "core/format/json.h"
#include "core/node/outbox.h"

#define HASHES_A_CALL 50
#define PAGE_SIZE 100
#define CALLS_MAX 40
#define REFUSALS_MAX 50
#define CURSOR_MAX 1024
#define PARALLEL 4
#define TIMEOUT_MS 5000
#define ANSWER_MAX (16 * 1024 * 1024)

/* One Peer, one round. */
typedef struct {
    Fsc *fsc;
    const char *peer_id;
    Contact *contact;
    guint calls;    /* made */
    guint refusals; /* signatures and contracts that were not taken over */
    gboolean offered;
} Round;

static json_t *ask(Round *round, const char *path, GError **error)
{
    PeerCall call = {.peer_id = round->peer_id,
                     .role = ROLE_MANAGER,
                     .path = path,
                     .timeout_ms = TIMEOUT_MS,
                     .body_max = ANSWER_MAX};
    round->calls++;
    g_autoptr(HttpReply) reply = peers_call(round->fsc, &call, error);
    if (reply == NULL || reply->status == 200)
        return reply == NULL ? NULL : http_reply_json(reply, error);
    g_set_error(error, FUNDAMENT_ERROR, FUNDAMENT_ERROR_UNAVAILABLE, "Peer %s answered %u to GET /contracts",
                round->peer_id, reply->status);
    return NULL;
}

/* A Peer that answers nonsense is not worth more than so much work a round. */
static gboolean go_on(const Round *round)
{
    return round->calls < CALLS_MAX && round->refusals < REFUSALS_MAX && !node_is_stopping(round->fsc->node);
}

/* --- what they have and we lack --- */

static gboolean holds(const StoredContract *stored, const char *peer_id, SignatureType type, const char *jws)
{
    for (guint i = 0; stored != NULL && i < stored->signatures->len; i++) {
        const StoredSignature *signature = g_ptr_array_index(stored->signatures, i);
        if (signature->type == type && g_str_equal(signature->peer_id, peer_id) &&
            g_str_equal(signature->jws, jws))
            return TRUE;
    }
    return FALSE;
}

/* `stored` is NULL for a contract that we do not have yet. */
static void merge_signatures(Round *round, const Contract *contract, const StoredContract *stored,
                             const json_t *signatures)
{
    for (int type = 0; type < SIGNATURE_TYPE_COUNT; type++) {
        const json_t *map = json_object_get(signatures, signature_type_name((SignatureType)type));
        for (guint i = 0; i < contract->signers->len && round->refusals < REFUSALS_MAX; i++) {
            g_autoptr(GError) why = NULL;
            const char *signer = g_ptr_array_index(contract->signers, i);
            const char *jws = json_string_at(map, signer);
            if (jws == NULL || holds(stored, signer, (SignatureType)type, jws) ||
                submission_merge(round->fsc, contract, signer, (SignatureType)type, jws, &why))
                continue;
            round->refusals++;
            g_info("fsc: a signature of Peer %s on %s, found at Peer %s, is not taken over: %s", signer,
                   contract->hash, round->peer_id, why->message);
        }
    }
}

/* --- what we have and they lack --- */

/* The signature of ours that they show, as we know it; NULL when we do not. */
static const StoredSignature *shown(const StoredContract *stored, const char *own, const char *jws)
{
    for (guint i = 0; jws != NULL && i < stored->signatures->len; i++) {
        const StoredSignature *signature = g_ptr_array_index(stored->signatures, i);
        if (g_str_equal(signature->peer_id, own) && g_str_equal(signature->jws, jws))
            return signature;
    }
    return NULL;
}

static gboolean offer(Round *round, const Offer *offered, GError **error)
{
    g_autoptr(Db) db = store_take(node_store(round->fsc->node), error);
    if (db == NULL || !db_begin(db, error) || !distribute_to(round->fsc, db, offered, error) ||
        !db_commit(db, error))
        return FALSE;
    round->offered = TRUE;
    return TRUE;
}

/* Our newest of each kind, when they show none or an older one. */
static gboolean offer_missing(Round *round, const StoredContract *stored, const json_t *theirs,
                              GError **error)
{
    const char *own = node_oin(round->fsc->node);
    const json_t *signatures = json_object_get(theirs, "signatures");
    gboolean as_contract = theirs == NULL;
    for (int type = 0; type < SIGNATURE_TYPE_COUNT; type++) {
        const json_t *map = json_object_get(signatures, signature_type_name((SignatureType)type));
        const char *jws = json_string_at(map, own);
        const StoredSignature *ours = stored_contract_signature(stored, own, (SignatureType)type);
        const StoredSignature *known = shown(stored, own, jws);
        if (ours == NULL || (jws != NULL && (known == NULL || known->signed_at >= ours->signed_at)))
            continue;
        Offer offered = {.peer_id = round->peer_id,
                         .contract = stored->contract,
                         .type = (SignatureType)type,
                         .jws = ours->jws,
                         .as_contract = as_contract && type == SIGNATURE_ACCEPT};
        if (!offer(round, &offered, error))
            return FALSE;
    }
    return TRUE;
}

/* --- ours --- */

static json_t *ask_for(Round *round, const GPtrArray *batch, GError **error)
{
    g_autoptr(GString) path = g_string_new("/v1/contracts?grant_hash=");
    for (guint i = 0; i < batch->len; i++) {
        const StoredContract *stored = g_ptr_array_index(batch, i);
        g_string_append_printf(path, "%s%s", i > 0 ? "," : "", stored->contract->grants[0].hash);
    }
    return ask(round, path->str, error);
}

/* Content hash -> the contract as they have it, borrowed from the answer. */
static GHashTable *by_hash(const json_t *answer)
{
    GHashTable *found = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    const json_t *contracts = json_object_get(answer, "contracts");
    for (gsize i = 0; i < json_array_size(contracts); i++) {
        json_t *contract = json_array_get(contracts, i);
        char *hash = fsc_content_hash(json_object_get(contract, "content"), NULL);
        if (hash != NULL)
            g_hash_table_replace(found, hash, contract);
    }
    return found;
}

static gboolean compare(Round *round, const GPtrArray *batch, GError **error)
{
    g_autoptr(json_t) answer = ask_for(round, batch, error);
    if (answer == NULL)
        return FALSE;
    g_autoptr(GHashTable) theirs = by_hash(answer);
    for (guint i = 0; i < batch->len; i++) {
        const StoredContract *stored = g_ptr_array_index(batch, i);
        const json_t *contract = g_hash_table_lookup(theirs, stored->contract->hash);
        merge_signatures(round, stored->contract, stored, json_object_get(contract, "signatures"));
        if (!offer_missing(round, stored, contract, error))
            return FALSE;
    }
    return TRUE;
}

static GPtrArray *load_batch(const Round *round, gint64 after_id, gboolean newest_first, GError **error)
{
    SharedQuery query = {.peer_id = round->peer_id,
                         .after_id = after_id,
                         .now_s = fsc_now_s(round->fsc),
                         .limit = HASHES_A_CALL,
                         .newest_first = newest_first};
    g_autoptr(Db) db = store_take(node_store(round->fsc->node), error);
    return db == NULL ? NULL : fsc_store_shared(db, &query, error);
}

/* TRUE in `*done` when there is nothing of ours that was not compared since the walk began. */
static gboolean walk_ours(Round *round, gboolean *done, GError **error)
{
    *done = FALSE;
    g_autoptr(GPtrArray) newest = load_batch(round, 0, TRUE, error);
    if (newest == NULL || (newest->len > 0 && !compare(round, newest, error)))
        return FALSE;
    if (newest->len < HASHES_A_CALL) {
        round->contact->our_cursor = 0;
        *done = TRUE;
    }
    while (!*done && go_on(round)) {
        g_autoptr(GPtrArray) batch = load_batch(round, round->contact->our_cursor, FALSE, error);
        if (batch == NULL || (batch->len > 0 && !compare(round, batch, error)))
            return FALSE;
        *done = batch->len < HASHES_A_CALL;
        const StoredContract *last = batch->len == 0 ? NULL : g_ptr_array_index(batch, batch->len - 1);
        round->contact->our_cursor = *done || last == NULL ? 0 : last->id;
    }
    return TRUE;
}

/* --- theirs --- */

static gboolean is_known(Fsc *fsc, const char *content_hash)
{
    g_autoptr(Db) db = store_take(node_store(fsc->node), NULL);
    return db == NULL || fsc_store_has(db, content_hash, NULL);
}

/* Those that we have were compared in walk_ours(). */
static void take_over(Round *round, const json_t *listed)
{
    g_autoptr(GError) why = NULL;
    json_t *content = json_object_get(listed, "content");
    g_autofree char *hash = fsc_content_hash(content, NULL);
    if (hash == NULL || is_known(round->fsc, hash))
        return;
    g_autoptr(Contract) contract = contract_parse(content, &why);
    if (contract == NULL || !submission_may_be_merged(round->fsc, contract, round->peer_id, &why)) {
        round->refusals++;
        g_info("fsc: contract %s, found at Peer %s, is not taken over: %s", hash, round->peer_id,
               why->message);
        return;
    }
    merge_signatures(round, contract, NULL, json_object_get(listed, "signatures"));
}

/* One page; its next cursor in `*next`, "" after the last. Caller frees. */
static gboolean read_page(Round *round, const char *order, const char *cursor, char **next, GError **error)
{
    g_autofree char *escaped = g_uri_escape_string(cursor, NULL, FALSE);
    g_autofree char *path = g_strdup_printf("/v1/contracts?limit=%d&sort_order=%s%s%s", PAGE_SIZE, order,
                                            *cursor != '\0' ? "&cursor=" : "", escaped);
    g_autoptr(json_t) answer = ask(round, path, error);
    if (answer == NULL)
        return FALSE;
    const json_t *contracts = json_object_get(answer, "contracts");
    for (gsize i = 0; i < json_array_size(contracts) && round->refusals < REFUSALS_MAX; i++)
        take_over(round, json_array_get(contracts, i));
    const char *found = json_string_at(json_object_get(answer, "pagination"), "next_cursor");
    gboolean usable = found != NULL && strlen(found) <= CURSOR_MAX && !g_str_equal(found, cursor);
    *next = g_strdup(usable ? found : "");
    return TRUE;
}

static gboolean walk_theirs(Round *round, gboolean *done, GError **error)
{
    *done = FALSE;
    g_autofree char *after_newest = NULL;
    if (!read_page(round, "SORT_ORDER_DESCENDING", "", &after_newest, error))
        return FALSE;
    if (*after_newest == '\0') {
        g_free(round->contact->their_cursor);
        round->contact->their_cursor = g_strdup("");
        *done = TRUE;
    }
    while (!*done && go_on(round)) {
        char *next = NULL;
        if (!read_page(round, "SORT_ORDER_ASCENDING", round->contact->their_cursor, &next, error)) {
            /* Their cursors may mean nothing to them any more: from the beginning, next time. */
            g_free(round->contact->their_cursor);
            round->contact->their_cursor = g_strdup("");
            return FALSE;
        }
        *done = *next == '\0';
        g_free(round->contact->their_cursor);
        round->contact->their_cursor = next;
    }
    return TRUE;
}

/* --- a round --- */

static gboolean compare_both(Round *round, GError **error)
{
    gboolean ours_done = FALSE, theirs_done = FALSE;
    if (!walk_theirs(round, &theirs_done, error))
        return FALSE;
    round->calls = 0; /* each direction has its own measure */
    if (!walk_ours(round, &ours_done, error))
        return FALSE;
    round->contact->reconciled_ms = ours_done && theirs_done ? fsc_now_ms(round->fsc) : 0;
    return TRUE;
}

static gboolean keep(const Round *round, GError **error)
{
    g_autoptr(Db) db = store_take(node_store(round->fsc->node), error);
    return db != NULL && contacts_reconciled(db, round->contact, error);
}

static Contact *contact_of(Fsc *fsc, const char *peer_id, GError **error)
{
    g_autoptr(Db) db = store_take(node_store(fsc->node), error);
    return db == NULL ? NULL : contacts_find(db, peer_id, error);
}

static void reconcile_peer(gpointer data, gpointer user_data)
{
    Fsc *fsc = user_data;
    g_autofree char *peer_id = data;
    g_autoptr(GError) why = NULL;
    g_autoptr(GError) error = NULL;
    g_autoptr(Contact) contact = contact_of(fsc, peer_id, &error);
    if (contact == NULL || node_is_stopping(fsc->node)) {
        if (error != NULL)
            g_warning("fsc: contracts are not compared with those of Peer %s: %s", peer_id, error->message);
        return;
    }
    Round round = {.fsc = fsc, .peer_id = peer_id, .contact = contact};
    contact->reconciled_ms = 0;
    g_clear_pointer(&contact->reconcile_error, g_free);
    if (!compare_both(&round, &why)) {
        contact->reconcile_error = g_strdup(why->message);
        g_info("fsc: contracts were not compared with those of Peer %s: %s", peer_id, why->message);
    }
    if (round.offered)
        outbox_wake(fsc->node);
    if (!keep(&round, &error))
        g_warning("fsc: how far contracts were compared with those of Peer %s is not kept: %s", peer_id,
                  error->message);
}

gboolean upkeep_reconcile(Node *node, gpointer context, GError **error)
{
    Fsc *fsc = context;
    g_autoptr(GPtrArray) partners = probe_partners(fsc, error);
    if (partners == NULL)
        return FALSE;
    GThreadPool *pool = g_thread_pool_new(reconcile_peer, fsc, PARALLEL, FALSE, NULL);
    for (guint i = partners->len; i > 0; i--) { /* in another order each time */
        guint at = (guint)g_random_int_range(0, (gint32)i);
        g_thread_pool_push(pool, g_ptr_array_steal_index_fast(partners, at), NULL);
    }
    g_thread_pool_free(pool, FALSE, TRUE);
    return TRUE;
}
