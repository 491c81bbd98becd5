/* Other Managers: where they are, what they answer, and which certificates they sign with. */
#include "components/fsc/internal.h"

#include <string.h>

#include "components/fsc/address.h"
#include "components/fsc/verdict.h"
#include "core/base/error.h"
#include "core/format/json.h"
#include "core/node/outbox.h"

#define JWKS_TIMEOUT_MS 3000
#define FETCHES_MAX 2
/* For how long an address that a Peer named is tried before it is forgotten. */
#define ADDRESS_PATIENCE_MS (60 * 60 * 1000)
#define ADDRESSES_MAX 3 /* that one Peer named and that wait to be verified */

/* Of node.conf, so that it may be anywhere; all others were named by somebody else. */
static gboolean address_is_ours(const Fsc *fsc, const char *address)
{
    return g_strcmp0(address, fsc->directory_address) == 0 ||
           g_strcmp0(address, node_manager_address(fsc->node)) == 0;
}

static HttpReply *call_at(Fsc *fsc, const char *address, const PeerCall *call, GError **error)
{
    const Config *config = node_config(fsc->node);
    TlsIdentity tls = node_tls(fsc->node, call->role);
    g_autofree char *url = g_strconcat(address, call->path, NULL);
    g_autofree char *own = g_strdup_printf("Fsc-Manager-Address: %s", node_manager_address(fsc->node));
    g_autofree char *type = g_strdup_printf(
        "Content-Type: %s", call->content_type != NULL ? call->content_type : "application/json");
    /* FSC Core 2.0.0, 4.4.4: "in each POST or PUT request sent to another Manager". */
    const char *const with_body[] = {own, type, NULL};
    HttpCall http = {.method = call->method,
                     .url = url,
                     .headers = call->method != NULL && !g_str_equal(call->method, "GET") ? with_body : NULL,
                     .body = call->body,
                     .body_length = call->body_length,
                     .tls = &tls,
                     .expected_peer_id = call->peer_id,
                     .resolve = config_resolve(config),
                     .outward = !address_is_ours(fsc, address),
                     .inward_allowed = config_list(config, "fsc", "peer_networks"),
                     .timeout_ms = call->timeout_ms,
                     .body_max = call->body_max};
    return http_client_call(node_client(fsc->node), &http, error);
}

static Peer *known_peer(Fsc *fsc, const char *peer_id, GError **error)
{
    g_autoptr(Db) db = store_take(node_store(fsc->node), error);
    return db == NULL ? NULL : fsc_store_peer(db, peer_id, error);
}

/* The address was proven by a TLS connection in which the certificate carried the Peer ID (decisions.md 12).
 */
static gboolean keep_address(Fsc *fsc, const char *peer_id, const char *name, const char *address,
                             GError **error)
{
    g_autoptr(Peer) known = known_peer(fsc, peer_id, NULL);
    if (known != NULL && g_strcmp0(known->manager_address, address) == 0)
        return TRUE;
    g_autoptr(Db) db = store_take(node_store(fsc->node), error);
    if (db == NULL)
        return FALSE;
    if (name == NULL)
        name = known != NULL ? known->name : NULL;
    return fsc_store_put_peer(db, peer_id, name, address, fsc_now_ms(fsc), error);
}

/* GET /peers?peer_id= at the Directory. */
static char *ask_directory(Fsc *fsc, const char *peer_id, GError **error)
{
    g_autofree char *path = g_strconcat("/v1/peers?peer_id=", peer_id, NULL);
    PeerCall call = {.peer_id = fsc->directory, .role = ROLE_MANAGER, .path = path, .timeout_ms = 5000};
    g_autoptr(HttpReply) reply = call_at(fsc, fsc->directory_address, &call, error);
    g_autoptr(json_t) body = reply == NULL ? NULL : http_reply_json(reply, error);
    if (body == NULL) {
        g_prefix_error(error, "the Directory was asked where Peer %s is: ", peer_id);
        return NULL;
    }
    const json_t *peers = json_object_get(body, "peers");
    for (gsize i = 0; i < json_array_size(peers); i++) {
        const json_t *peer = json_array_get(peers, i);
        const char *found = json_string_at(peer, "manager_address");
        g_auto(Address) address = {0};
        if (g_strcmp0(json_string_at(peer, "id"), peer_id) == 0 && address_parse(found, &address, NULL)) {
            g_autoptr(Db) db = store_take(node_store(fsc->node), NULL);
            if (db != NULL)
                fsc_store_put_peer(db, peer_id, json_string_at(peer, "name"), NULL, fsc_now_ms(fsc), NULL);
            return g_strdup(found);
        }
    }
    g_set_error(error, FUNDAMENT_ERROR, FUNDAMENT_ERROR_UNAVAILABLE, "the Directory does not know Peer %s",
                peer_id);
    return NULL;
}

static gboolean directory_is_another(const Fsc *fsc, const char *peer_id)
{
    return fsc->directory != NULL && fsc->directory_address != NULL &&
           !g_str_equal(fsc->directory, node_oin(fsc->node)) && !g_str_equal(fsc->directory, peer_id);
}

char *peers_address(Fsc *fsc, const char *peer_id, GError **error)
{
    if (g_str_equal(peer_id, node_oin(fsc->node)))
        return g_strdup(node_manager_address(fsc->node));
    g_autoptr(Peer) known = known_peer(fsc, peer_id, NULL);
    if (known != NULL && known->manager_address != NULL)
        return g_strdup(known->manager_address);
    if (g_strcmp0(peer_id, fsc->directory) == 0 && fsc->directory_address != NULL)
        return g_strdup(fsc->directory_address);
    if (directory_is_another(fsc, peer_id))
        return ask_directory(fsc, peer_id, error);
    g_set_error(error, FUNDAMENT_ERROR, FUNDAMENT_ERROR_UNAVAILABLE,
                "the address of the Manager of Peer %s is not known here", peer_id);
    return NULL;
}

/* When a Peer is not where it was: the Directory may know better. NULL when it does not. */
static char *newer_address(Fsc *fsc, const char *peer_id, const char *old)
{
    if (!directory_is_another(fsc, peer_id))
        return NULL;
    char *address = ask_directory(fsc, peer_id, NULL);
    if (address != NULL && g_str_equal(address, old))
        g_clear_pointer(&address, g_free);
    return address;
}

HttpReply *peers_call(Fsc *fsc, const PeerCall *call, GError **error)
{
    g_autofree char *address =
        call->address != NULL ? g_strdup(call->address) : peers_address(fsc, call->peer_id, error);
    if (address == NULL)
        return NULL;
    g_autoptr(GError) why = NULL;
    HttpReply *reply = call_at(fsc, address, call, &why);
    g_autofree char *newer =
        reply == NULL && call->address == NULL ? newer_address(fsc, call->peer_id, address) : NULL;
    if (newer != NULL) {
        g_clear_error(&why);
        reply = call_at(fsc, newer, call, &why);
    }
    if (reply == NULL) {
        g_propagate_prefixed_error(error, g_steal_pointer(&why), "Peer %s: ", call->peer_id);
        return NULL;
    }
    keep_address(fsc, call->peer_id, NULL, newer != NULL ? newer : address, NULL);
    return reply;
}

/* A Peer whose address does not answer holds up a thread for seconds: two at a time, so that the others
 * always find one free. */
static gboolean fetch_begin(Fsc *fsc, const char *peer_id)
{
    g_mutex_lock(&fsc->fetching_lock);
    guint running = GPOINTER_TO_UINT(g_hash_table_lookup(fsc->fetching, peer_id));
    if (running < FETCHES_MAX)
        g_hash_table_replace(fsc->fetching, g_strdup(peer_id), GUINT_TO_POINTER(running + 1));
    g_mutex_unlock(&fsc->fetching_lock);
    return running < FETCHES_MAX;
}

static void fetch_end(Fsc *fsc, const char *peer_id)
{
    g_mutex_lock(&fsc->fetching_lock);
    guint running = GPOINTER_TO_UINT(g_hash_table_lookup(fsc->fetching, peer_id));
    if (running > 1)
        g_hash_table_replace(fsc->fetching, g_strdup(peer_id), GUINT_TO_POINTER(running - 1));
    else
        g_hash_table_remove(fsc->fetching, peer_id);
    g_mutex_unlock(&fsc->fetching_lock);
}

static Certificate *ask_jwks(Fsc *fsc, const char *peer_id, const char *address, const char *thumbprint,
                             GError **error)
{
    PeerCall call = {.peer_id = peer_id,
                     .address = address,
                     .role = ROLE_MANAGER,
                     .path = "/v1/.well-known/jwks.json",
                     .timeout_ms = JWKS_TIMEOUT_MS};
    g_autoptr(HttpReply) reply = peers_call(fsc, &call, error);
    g_autoptr(json_t) jwks = reply == NULL ? NULL : http_reply_json(reply, error);
    return jwks == NULL ? NULL : jwks_find(jwks, thumbprint, error);
}

/* Under a signature of our own that came back from elsewhere. */
static Certificate *own_certificate(const Fsc *fsc, const char *thumbprint, GError **error)
{
    const Certificate *current = node_certificate(fsc->node, ROLE_CONTRACT);
    if (current != NULL && g_str_equal(certificate_thumbprint(current), thumbprint))
        return certificate_ref(current);
    verdict_set(error, VERDICT_CERTIFICATE_UNKNOWN, NULL);
    return NULL;
}

static Certificate *fetch_certificate(Fsc *fsc, const char *peer_id, const char *address,
                                      const char *thumbprint, GError **error)
{
    g_autoptr(GError) why = NULL;
    if (!fetch_begin(fsc, peer_id)) {
        g_set_error_literal(error, FUNDAMENT_ERROR, FUNDAMENT_ERROR_LIMIT,
                            "your JWKS is being asked for already, twice; send signatures under a new "
                            "certificate one by one");
        return NULL;
    }
    Certificate *certificate = ask_jwks(fsc, peer_id, address, thumbprint, &why);
    fetch_end(fsc, peer_id);
    if (certificate == NULL)
        verdict_because(error, VERDICT_CERTIFICATE_UNKNOWN, why);
    return certificate;
}

Certificate *peers_certificate(Fsc *fsc, const char *peer_id, const char *address, const char *thumbprint,
                               GError **error)
{
    g_autoptr(GError) why = NULL;
    g_autoptr(Db) db = store_take(node_store(fsc->node), error);
    if (db == NULL)
        return NULL;
    g_autoptr(Certificate) certificate = fsc_store_certificate(db, thumbprint, &why);
    g_clear_pointer(&db, db_release);
    if (why != NULL) {
        g_propagate_error(error, g_steal_pointer(&why));
        return NULL;
    }
    if (certificate != NULL)
        return g_steal_pointer(&certificate);
    return g_str_equal(peer_id, node_oin(fsc->node))
               ? own_certificate(fsc, thumbprint, error)
               : fetch_certificate(fsc, peer_id, address, thumbprint, error);
}

gboolean peers_seen(Fsc *fsc, Db *db, const Certificate *certificate, const char *address, GError **error)
{
    const char *peer_id = certificate_peer_id(certificate);
    if (!fsc_store_put_peer(db, peer_id, certificate_peer_name(certificate), NULL, fsc_now_ms(fsc), error))
        return FALSE;
    g_autoptr(Peer) known = fsc_store_peer(db, peer_id, error);
    if (known == NULL)
        return FALSE;
    if (g_strcmp0(known->manager_address, address) == 0)
        return TRUE;
    /* Each address is a destination of its own: one that nobody answers at does not hold up the next. A Peer
     * that names many has the last few tried. */
    g_autofree char *beginning = g_strconcat(peer_id, " ", NULL);
    g_autofree char *destination = g_strdup_printf("%s %s", peer_id, address);
    g_autofree char *unique = g_strdup_printf("fsc.address %s", destination);
    g_autofree char *since = g_strdup_printf("%" G_GINT64_FORMAT, fsc_now_ms(fsc));
    return outbox_put(db, node_clock(fsc->node), "fsc.address", destination, unique, since, strlen(since),
                      error) &&
           outbox_keep_newest(db, "fsc.address", beginning, ADDRESSES_MAX, error);
}

static void make_passing(GError **error)
{
    if (error != NULL && *error != NULL)
        (*error)->code = FUNDAMENT_ERROR_UNAVAILABLE;
}

gboolean peers_verify_address(Node *node, gpointer context, const char *destination, GBytes *body,
                              GError **error)
{
    Fsc *fsc = context;
    g_auto(GStrv) parts = g_strsplit(destination, " ", 2);
    g_autofree char *since = g_strndup(g_bytes_get_data(body, NULL), g_bytes_get_size(body));
    PeerCall call = {.peer_id = parts[0],
                     .address = parts[1],
                     .role = ROLE_MANAGER,
                     .path = "/v1/peer",
                     .timeout_ms = 5000};
    g_autoptr(HttpReply) reply = peers_call(fsc, &call, error);
    if (reply != NULL) {
        outbox_contact(node, parts[0]); /* peers_call() has kept the address: what waited can go there */
        return TRUE;
    }
    if (fsc_now_ms(fsc) - g_ascii_strtoll(since, NULL, 10) > ADDRESS_PATIENCE_MS) {
        g_warning("fsc: Peer %s named %s as its Manager, where its certificate was not seen for an hour",
                  parts[0], parts[1]);
        g_clear_error(error);
        return TRUE;
    }
    /* Also a wrong certificate may be mended within the hour, so no error here is final. */
    make_passing(error);
    return FALSE;
}

char *fsc_peer_name(Fsc *fsc, const char *peer_id)
{
    if (g_str_equal(peer_id, node_oin(fsc->node)))
        return g_strdup(node_name(fsc->node));
    g_autoptr(Peer) known = known_peer(fsc, peer_id, NULL);
    return g_strdup(known != NULL ? known->name : peer_id);
}

char *fsc_peer_address(Fsc *fsc, const char *peer_id)
{
    if (g_str_equal(peer_id, node_oin(fsc->node)))
        return g_strdup(node_manager_address(fsc->node));
    g_autoptr(Peer) known = known_peer(fsc, peer_id, NULL);
    return g_strdup(known != NULL ? known->manager_address : NULL);
}
