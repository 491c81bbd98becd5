/* What the command line asks over the admin socket: /fsc/v1/... Who may open that socket is this node's own
 * user; every change is audited under that name. */
#include "components/fsc/internal.h"

#include <string.h>
#include <unistd.h>

#include "components/fsc/verdict.h"
#include "core/base/error.h"
#include "core/base/identifiers.h"
#include "core/format/json.h"
#include "core/net/problem.h"
#include "core/node/outbox.h"

#define LIST_LIMIT 1000
#define YEAR_S (365 * 24 * 60 * 60)

/* Who is at the other end of the admin socket: only our own user can open it. Caller frees. */
static char *actor(void)
{
    return g_strdup_printf("uid:%u", getuid());
}

/* The admin API answers problems only, never FSC's own error object. */
static void respond_failure(Request *request, const GError *error)
{
    if (error->domain == FSC_VERDICT)
        respond_problem(request, verdict_row((Verdict)error->code)->http_status, "Refused by a rule of FSC",
                        "%s", error->message);
    else
        respond_error(request, error);
}

static json_t *state_json(Fsc *fsc, const StoredContract *stored)
{
    const Contract *contract = stored->contract;
    json_t *grants = json_array();
    for (gsize i = 0; i < contract->n_grants; i++)
        json_array_append_new(grants, json_pack("{s:s, s:O}", "hash", contract->grants[i].hash, "data",
                                                contract->grants[i].data));
    json_t *peers = json_array();
    for (guint i = 0; i < contract->signers->len; i++) {
        const char *peer_id = g_ptr_array_index(contract->signers, i);
        g_autofree char *name = fsc_peer_name(fsc, peer_id);
        json_t *peer = json_pack("{s:s, s:s}", "peer_id", peer_id, "name", name);
        for (int type = 0; type < SIGNATURE_TYPE_COUNT; type++) {
            const StoredSignature *signature =
                stored_contract_signature(stored, peer_id, (SignatureType)type);
            if (signature != NULL)
                json_object_set_new(peer, signature_type_name((SignatureType)type),
                                    json_integer(signature->signed_at));
        }
        json_array_append_new(peers, peer);
    }
    /* In capitals, as every enumeration of FSC's own documents. */
    g_autofree char *state =
        g_ascii_strup(contract_state_name(stored_contract_state(stored, fsc_now_s(fsc))), -1);
    return json_pack("{s:s, s:s, s:I, s:I, s:I, s:o, s:o}", "hash", contract->hash, "state", state,
                     "created_at", (json_int_t)contract->created_at, "not_before",
                     (json_int_t)contract->not_before, "not_after", (json_int_t)contract->not_after, "grants",
                     grants, "peers", peers);
}

void fsc_admin_contracts(Request *request, gpointer context)
{
    Fsc *fsc = context;
    g_autoptr(GError) error = NULL;
    g_autofree char *next_cursor = NULL;
    ContractQuery query = {.limit = LIST_LIMIT};
    const char *grant_hashes[] = {request_query(request, "grant_hash"), NULL};
    query.peer_id = request_query(request, "peer_id");
    query.grant_hashes = grant_hashes[0] != NULL ? grant_hashes : NULL;
    g_autoptr(Db) db = store_take(node_store(fsc->node), &error);
    g_autoptr(GPtrArray) contracts = db == NULL ? NULL : fsc_store_list(db, &query, &next_cursor, &error);
    if (contracts == NULL) {
        respond_failure(request, error);
        return;
    }
    g_clear_pointer(&db, db_release);
    json_t *list = json_array();
    for (guint i = 0; i < contracts->len; i++)
        json_array_append_new(list, state_json(fsc, g_ptr_array_index(contracts, i)));
    respond_json(request, 200, json_pack("{s:o}", "contracts", list));
}

/* The messages about this contract that wait for delivery: what the other side has not got yet. */
static json_t *waiting_json(Fsc *fsc, const Contract *contract)
{
    json_t *list = json_array();
    for (guint i = 0; i < contract->signers->len; i++) {
        g_autoptr(GPtrArray) entries =
            outbox_list(node_store(fsc->node), g_ptr_array_index(contract->signers, i), NULL);
        for (guint j = 0; entries != NULL && j < entries->len; j++) {
            const OutboxEntry *entry = g_ptr_array_index(entries, j);
            json_array_append_new(list, json_pack("{s:s, s:s, s:i, s:b, s:s?}", "kind", entry->kind,
                                                  "peer_id", entry->destination, "tries", (int)entry->tries,
                                                  "dead", (int)entry->dead, "last_error", entry->last_error));
        }
    }
    return list;
}

void fsc_admin_contract(Request *request, gpointer context)
{
    Fsc *fsc = context;
    g_autoptr(GError) error = NULL;
    g_autoptr(Db) db = store_take(node_store(fsc->node), &error);
    g_autoptr(StoredContract) stored =
        db == NULL ? NULL : fsc_store_load(db, request_segment(request, "hash"), &error);
    if (stored == NULL) {
        respond_failure(request, error);
        return;
    }
    g_clear_pointer(&db, db_release);
    json_t *answer = state_json(fsc, stored);
    json_object_set(answer, "content", stored->contract->content);
    json_object_set_new(answer, "signatures", stored_contract_signatures(stored));
    json_object_set_new(answer, "waiting", waiting_json(fsc, stored->contract));
    respond_json(request, 200, answer);
}

void fsc_admin_decide(Request *request, gpointer context)
{
    Fsc *fsc = context;
    SignatureType type;
    g_autoptr(GError) error = NULL;
    g_autofree char *who = actor();
    SigningActor by = {who, "administrator", request_trace(request)};
    SigningOutcome outcome;
    const char *hash = request_segment(request, "hash");
    if (!signature_type_find(request_segment(request, "decision"), &type))
        respond_problem(
            request, 404, "Not found",
            "a contract can be accepted, rejected or revoked: .../accept, .../reject, .../revoke");
    else if (signing_decide(fsc, hash, type, &by, &outcome, &error))
        respond_json(request, outcome == SIGNING_PLACED ? 200 : 202,
                     json_pack("{s:s, s:s}", "hash", hash, outcome == SIGNING_PLACED ? "placed" : "intended",
                               signature_type_name(type)));
    else
        respond_failure(request, error);
}

/* --- proposals --- */

static const JsonField publish_fields[] = {
    {"service", JSON_KIND_STRING, TRUE},     {"directory", JSON_KIND_STRING, FALSE},
    {"protocol", JSON_KIND_STRING, FALSE},   {"not_before", JSON_KIND_INTEGER, FALSE},
    {"not_after", JSON_KIND_INTEGER, FALSE},
};
static const JsonField connect_fields[] = {
    {"service", JSON_KIND_STRING, TRUE},      {"peer_id", JSON_KIND_STRING, TRUE},
    {"not_before", JSON_KIND_INTEGER, FALSE}, {"not_after", JSON_KIND_INTEGER, FALSE},
    {"properties", JSON_KIND_OBJECT, FALSE},
};

static void propose(Request *request, Fsc *fsc, const json_t *body, json_t *grant_data)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *who = actor();
    SigningActor by = {who, "administrator", request_trace(request)};
    SigningOutcome outcome;
    gint64 now_s = fsc_now_s(fsc);
    gint64 not_before =
        json_object_get(body, "not_before") != NULL ? json_integer_at(body, "not_before") : now_s;
    gint64 not_after =
        json_object_get(body, "not_after") != NULL ? json_integer_at(body, "not_after") : not_before + YEAR_S;
    g_autoptr(Contract) contract = signing_propose(fsc, grant_data, not_before, not_after, &by, &outcome, &error);
    if (contract != NULL)
        respond_json(request, outcome == SIGNING_PLACED ? 201 : 202,
                     json_pack("{s:s, s:s, s:b}", "hash", contract->hash, "grant_hash", contract->grants[0].hash,
                               "waits_for_second_signer", outcome == SIGNING_INTENDED));
    else
        respond_failure(request, error);
}

/* The body as strict JSON with these fields; NULL when it has answered. */
static json_t *body_of(Request *request, const JsonField *fields, gsize n_fields)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(json_t) body = request_json(request, &error);
    if (body != NULL && json_check_object(body, "", fields, n_fields, &error))
        return g_steal_pointer(&body);
    respond_failure(request, error);
    return NULL;
}

void fsc_admin_publish(Request *request, gpointer context)
{
    Fsc *fsc = context;
    g_autoptr(json_t) body = body_of(request, JSON_FIELDS(publish_fields));
    if (body == NULL)
        return;
    const char *service = json_string_at(body, "service"), *protocol = json_string_at(body, "protocol");
    const char *directory =
        json_string_at(body, "directory") != NULL ? json_string_at(body, "directory") : fsc->directory;
    if (!g_strv_contains(fsc->services, service))
        respond_problem(request, 404, "Not found", "this node has no [service.%s] in node.conf", service);
    else if (directory == NULL)
        respond_problem(request, 422, "No Directory",
                        "set [fsc] directory and directory_address in node.conf");
    else
        propose(request, fsc, body,
                json_pack("{s:s, s:{s:s}, s:{s:s, s:s, s:s}}", "type", "GRANT_TYPE_SERVICE_PUBLICATION",
                          "directory", "peer_id", directory, "service", "peer_id", node_oin(fsc->node),
                          "name", service, "protocol", protocol != NULL ? protocol : FSC_PROTOCOL_HTTP_1));
}

void fsc_admin_connect(Request *request, gpointer context)
{
    Fsc *fsc = context;
    g_autoptr(json_t) body = body_of(request, JSON_FIELDS(connect_fields));
    if (body == NULL)
        return;
    const Certificate *outway = node_certificate(fsc->node, ROLE_OUTWAY);
    if (outway == NULL) {
        respond_problem(request, 422, "No Outway",
                        "this node has no Outway key; put outway.key and outway.crt in its folder of keys");
        return;
    }
    json_t *data =
        json_pack("{s:s, s:{s:s, s:{s:s, s:s}}, s:{s:s, s:s, s:s}}", "type", "GRANT_TYPE_SERVICE_CONNECTION",
                  "outway", "peer_id", node_oin(fsc->node), "identification", "type",
                  "OUTWAY_IDENTIFICATION_TYPE_PUBLIC_KEY_THUMBPRINT", "public_key_thumbprint",
                  certificate_public_key_thumbprint(outway), "service", "type", "SERVICE_TYPE_SERVICE",
                  "peer_id", json_string_at(body, "peer_id"), "name", json_string_at(body, "service"));
    if (json_object_get(body, "properties") != NULL)
        json_object_set(data, "properties", json_object_get(body, "properties"));
    propose(request, fsc, body, data);
}

/* --- the rest --- */

void fsc_admin_announce(Request *request, gpointer context)
{
    Fsc *fsc = context;
    g_autoptr(GError) error = NULL;
    if (fsc->directory == NULL || g_str_equal(fsc->directory, node_oin(fsc->node)))
        respond_problem(request, 422, "No Directory",
                        "this node is the Directory itself, or [fsc] directory is not set");
    else if (distribute_job(fsc->node, fsc, &error))
        respond_json(request, 202,
                     json_pack("{s:s, s:s}", "directory", fsc->directory, "manager_address",
                               node_manager_address(fsc->node)));
    else
        respond_failure(request, error);
}

/* What the Directory lists under a name, or all when this node is the Directory. */
void fsc_admin_services(Request *request, gpointer context)
{
    Fsc *fsc = context;
    gboolean stale = FALSE;
    g_autoptr(GError) error = NULL;
    const char *name = request_query(request, "name");
    if (name == NULL || *name == '\0') {
        respond_json(request, 200, json_pack("{s:o}", "services", directory_services(fsc, NULL, NULL)));
        return;
    }
    if (!fsc_service_name_valid(name)) {
        respond_problem(request, 400, "Bad query", "name: a service name is 1 to 100 of a-z A-Z 0-9 - . _");
        return;
    }
    json_t *services = fsc_services_named(fsc, name, &stale, &error);
    if (services != NULL)
        respond_json(request, 200, json_pack("{s:o, s:b}", "offered_by", services, "stale", (int)stale));
    else
        respond_failure(request, error);
}

void fsc_admin_peers(Request *request, gpointer context)
{
    Fsc *fsc = context;
    g_autoptr(GError) error = NULL;
    g_autoptr(Db) db = store_take(node_store(fsc->node), &error);
    g_autoptr(GPtrArray) peers = db == NULL ? NULL : fsc_store_peers(db, &error);
    if (peers == NULL) {
        respond_failure(request, error);
        return;
    }
    json_t *list = json_array();
    for (guint i = 0; i < peers->len; i++) {
        const Peer *peer = g_ptr_array_index(peers, i);
        json_array_append_new(list, json_pack("{s:s, s:s, s:s?}", "peer_id", peer->peer_id, "name",
                                              peer->name, "manager_address", peer->manager_address));
    }
    respond_json(request, 200, json_pack("{s:o}", "peers", list));
}
