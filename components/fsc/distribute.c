/* What other Peers must get from us, through the outbox: contracts, signatures, announcements (FSC
 * Core 2.0.0, 4.4.1.3 and 4.4.2). */
#include "components/fsc/internal.h"

#include <string.h>

#include "components/fsc/contacts.h"
#include "core/base/bytes.h"
#include "core/base/error.h"
#include "core/crypto/digest.h"
#include "core/format/json.h"
#include "core/node/outbox.h"

/* One signature of ours for one Peer is one message, whoever offers it how often. */
static char *key_of(const char *peer_id, const Contract *contract, SignatureType type, const char *jws)
{
    guint8 digest[SHA256_SIZE];
    sha256(jws, strlen(jws), digest);
    g_autofree char *hex = hex_encode(digest, sizeof digest / 2);
    return g_strdup_printf("signature %s %s %s %s", peer_id, contract->hash, signature_type_name(type), hex);
}

/* The content is read from the store when it is sent. */
gboolean distribute_to(Fsc *fsc, Db *db, const Offer *offer, GError **error)
{
    g_autoptr(json_t) message = json_pack("{s:s, s:s, s:s}", "hash", offer->contract->hash, "type",
                                          signature_type_name(offer->type), "signature", offer->jws);
    g_autofree char *body = json_write(message);
    g_autofree char *unique = key_of(offer->peer_id, offer->contract, offer->type, offer->jws);
    return outbox_put(db, node_clock(fsc->node), offer->as_contract ? "fsc.contract" : "fsc.signature",
                      offer->peer_id, unique, body, strlen(body), error);
}

static gboolean put_for_others(Fsc *fsc, Db *db, Offer offer, GError **error)
{
    for (guint i = 0; i < offer.contract->signers->len; i++) {
        offer.peer_id = g_ptr_array_index(offer.contract->signers, i);
        if (!g_str_equal(offer.peer_id, node_oin(fsc->node)) && !distribute_to(fsc, db, &offer, error))
            return FALSE;
    }
    return TRUE;
}

gboolean distribute_contract(Fsc *fsc, Db *db, const Contract *contract, const char *jws, GError **error)
{
    Offer offer = {.contract = contract, .type = SIGNATURE_ACCEPT, .jws = jws, .as_contract = TRUE};
    return put_for_others(fsc, db, offer, error);
}

gboolean distribute_signature(Fsc *fsc, Db *db, const Contract *contract, SignatureType type, const char *jws,
                              GError **error)
{
    Offer offer = {.contract = contract, .type = type, .jws = jws};
    return put_for_others(fsc, db, offer, error);
}

gboolean distribute_announcement(Fsc *fsc, Db *db, const char *peer_id, GError **error)
{
    g_autofree char *unique = g_strconcat("fsc.announce ", peer_id, NULL);
    return outbox_put(db, node_clock(fsc->node), "fsc.announce", peer_id, unique, "", 0, error);
}

/* What a refusal means for the message: all that is not here it will give again. A Peer that is busy, or
 * whose edge finds nobody behind it, takes nothing now: what waits behind waits on. One that could not reach
 * our JWKS, or breaks on this very contract, may well take the next one. */
static const struct {
    guint from, to; /* HTTP status */
    FundamentError meaning;
} refusals[] = {
    {408, 408, FUNDAMENT_ERROR_UNAVAILABLE},
    {429, 429, FUNDAMENT_ERROR_UNAVAILABLE},
    {502, 504, FUNDAMENT_ERROR_UNAVAILABLE},
    {500, 599, FUNDAMENT_ERROR_LIMIT},
};

static FundamentError meaning_of(const HttpReply *reply)
{
    const char *code = g_hash_table_lookup(reply->headers, "fsc-error-code");
    if (g_strcmp0(code, "ERROR_CODE_SIGNATURE_VERIFICATION_FAILED") == 0)
        return FUNDAMENT_ERROR_LIMIT;
    for (gsize i = 0; i < G_N_ELEMENTS(refusals); i++)
        if (reply->status >= refusals[i].from && reply->status <= refusals[i].to)
            return refusals[i].meaning;
    return FUNDAMENT_ERROR_RULE;
}

static gboolean judge(const HttpReply *reply, const char *peer_id, GError **error)
{
    if (reply->status >= 200 && reply->status < 300)
        return TRUE;
    g_autoptr(json_t) body = http_reply_json(reply, NULL);
    const char *message = json_string_at(body, "message"), *detail = json_string_at(body, "detail");
    g_set_error(error, FUNDAMENT_ERROR, meaning_of(reply), "Peer %s answered %u: %s", peer_id, reply->status,
                message != NULL  ? message
                : detail != NULL ? detail
                                 : "no reason given");
    return FALSE;
}

/* For people only: that it cannot be written down does not make it undelivered. */
static void note_delivered(Fsc *fsc, const char *peer_id)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(Db) db = store_take(node_store(fsc->node), &error);
    if (db == NULL || !contacts_delivered(db, peer_id, fsc_now_ms(fsc), &error))
        g_info("fsc: that Peer %s took a message is not written down: %s", peer_id, error->message);
}

static char *request_body_for(Fsc *fsc, const char *content_hash, const char *jws, GError **error)
{
    g_autoptr(Db) db = store_take(node_store(fsc->node), error);
    g_autoptr(StoredContract) stored = db == NULL ? NULL : fsc_store_load(db, content_hash, error);
    if (stored == NULL)
        return NULL;
    g_autoptr(json_t) body = json_pack("{s:O, s:s}", "content", stored->contract->content, "signature", jws);
    return json_write(body);
}

static gboolean deliver(Fsc *fsc, const char *peer_id, GBytes *message, gboolean as_contract, GError **error)
{
    gsize length;
    const char *text = g_bytes_get_data(message, &length);
    g_autoptr(json_t) parsed = json_parse_strict(text, (gssize)length, NULL, error);
    if (parsed == NULL)
        return FALSE;
    const char *hash = json_string_at(parsed, "hash");
    g_autofree char *body = request_body_for(fsc, hash, json_string_at(parsed, "signature"), error);
    if (body == NULL)
        return FALSE;
    g_autofree char *path =
        as_contract ? g_strdup("/v1/contracts")
                    : g_strdup_printf("/v1/contracts/%s/%s", hash, json_string_at(parsed, "type"));
    PeerCall call = {.peer_id = peer_id,
                     .role = ROLE_MANAGER,
                     .method = as_contract ? "POST" : "PUT",
                     .path = path,
                     .body = body,
                     .body_length = strlen(body)};
    g_autoptr(GError) why = NULL;
    g_autoptr(HttpReply) reply = peers_call(fsc, &call, &why);
    if (reply != NULL) {
        gboolean taken = judge(reply, peer_id, error);
        if (taken)
            note_delivered(fsc, peer_id);
        return taken;
    }
    /* A wrong certificate there is theirs to mend: never final here. */
    g_set_error_literal(error, FUNDAMENT_ERROR, FUNDAMENT_ERROR_UNAVAILABLE, why->message);
    return FALSE;
}

gboolean deliver_contract(Node *node, gpointer context, const char *destination, GBytes *body, GError **error)
{
    return deliver(context, destination, body, TRUE, error);
}

gboolean deliver_signature(Node *node, gpointer context, const char *destination, GBytes *body,
                           GError **error)
{
    return deliver(context, destination, body, FALSE, error);
}

/* PUT /announce. To the Directory always at the configured address: it may be that its certificate was seen
 * elsewhere before. */
gboolean deliver_announcement(Node *node, gpointer context, const char *destination, GBytes *body,
                              GError **error)
{
    Fsc *fsc = context;
    PeerCall call = {.peer_id = destination,
                     .address = g_strcmp0(destination, fsc->directory) == 0 ? fsc->directory_address : NULL,
                     .role = ROLE_MANAGER,
                     .method = "PUT",
                     .path = "/v1/announce"};
    g_autoptr(GError) why = NULL;
    g_autoptr(HttpReply) reply = peers_call(fsc, &call, &why);
    if (reply != NULL)
        return judge(reply, destination, error);
    g_set_error_literal(error, FUNDAMENT_ERROR, FUNDAMENT_ERROR_UNAVAILABLE, why->message);
    return FALSE;
}

/* FSC Core 2.0.0, 4.4.2: "Each Peer MUST call the announce endpoint of a Directory". At the start and now and
 * then: it is idempotent, and a Directory that lost its store learns of us again. */
gboolean distribute_job(Node *node, gpointer context, GError **error)
{
    Fsc *fsc = context;
    if (fsc->directory == NULL || fsc->directory_address == NULL ||
        g_str_equal(fsc->directory, node_oin(node)))
        return TRUE;
    g_autoptr(Db) db = store_take(node_store(node), error);
    if (db == NULL || !distribute_announcement(fsc, db, fsc->directory, error))
        return FALSE;
    outbox_wake(node);
    return TRUE;
}

static gboolean announce_to_all(Fsc *fsc, Db *db, GError **error)
{
    g_autoptr(GPtrArray) peers = fsc_store_peers(db, error);
    for (guint i = 0; peers != NULL && i < peers->len; i++) {
        const Peer *peer = g_ptr_array_index(peers, i);
        if (peer->manager_address != NULL && !g_str_equal(peer->peer_id, node_oin(fsc->node)) &&
            !distribute_announcement(fsc, db, peer->peer_id, error))
            return FALSE;
    }
    return peers != NULL;
}

/* FSC Core 2.0.0, 4.4.2: "a Manager SHOULD call the announce endpoint of the Peers with whom the Peer has
 * negotiated Contracts when the address of Manager changes". What our address was stands in our own row of
 * the table of Peers. */
gboolean distribute_address(Fsc *fsc, GError **error)
{
    const char *own = node_oin(fsc->node), *address = node_manager_address(fsc->node);
    g_autoptr(GError) why = NULL;
    g_autoptr(Db) db = store_take(node_store(fsc->node), error);
    if (db == NULL || !db_begin(db, error))
        return FALSE;
    g_autoptr(Peer) before = fsc_store_peer(db, own, &why);
    gboolean moved = before != NULL && g_strcmp0(before->manager_address, address) != 0;
    if (why != NULL) {
        g_propagate_error(error, g_steal_pointer(&why));
        return FALSE;
    }
    return fsc_store_put_peer(db, own, node_name(fsc->node), address, fsc_now_ms(fsc), error) &&
           (!moved || announce_to_all(fsc, db, error)) &&
           (fsc->directory == NULL || g_str_equal(fsc->directory, own) ||
            distribute_announcement(fsc, db, fsc->directory, error)) &&
           db_commit(db, error);
}
