/* Proposals that this organisation makes. */
#include "components/fsc/admin_private.h"

#include <string.h>

#include "core/base/error.h"
#include "core/net/problem.h"

#define YEAR_S (365 * 24 * 60 * 60)

static const JsonField publish_fields[] = {
    {"service", JSON_KIND_STRING, TRUE},     {"directory", JSON_KIND_STRING, FALSE},
    {"protocol", JSON_KIND_STRING, FALSE},   {"delegator", JSON_KIND_STRING, FALSE},
    {"properties", JSON_KIND_OBJECT, FALSE}, {"not_before", JSON_KIND_INTEGER, FALSE},
    {"not_after", JSON_KIND_INTEGER, FALSE},
};
static const JsonField propose_fields[] = {
    {"grants", JSON_KIND_ARRAY, TRUE},
    {"not_before", JSON_KIND_INTEGER, FALSE},
    {"not_after", JSON_KIND_INTEGER, FALSE},
};
static const JsonField connect_fields[] = {
    {"service", JSON_KIND_STRING, TRUE},      {"peer_id", JSON_KIND_STRING, TRUE},
    {"not_before", JSON_KIND_INTEGER, FALSE}, {"not_after", JSON_KIND_INTEGER, FALSE},
    {"properties", JSON_KIND_OBJECT, FALSE},
};

/* Takes the grants. */
static void propose(Request *request, Fsc *fsc, const json_t *body, json_t *grants)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *who = admin_actor();
    SigningActor by = {who, "administrator", request_trace(request)};
    SigningOutcome outcome;
    gint64 now_s = fsc_now_s(fsc);
    gint64 not_before =
        json_object_get(body, "not_before") != NULL ? json_integer_at(body, "not_before") : now_s;
    gint64 not_after =
        json_object_get(body, "not_after") != NULL ? json_integer_at(body, "not_after") : not_before + YEAR_S;
    g_autoptr(Contract) contract =
        signing_propose_grants(fsc, grants, not_before, not_after, &by, &outcome, &error);
    if (contract == NULL) {
        admin_failure(request, error);
        return;
    }
    json_t *hashes = json_array();
    for (gsize i = 0; i < contract->n_grants; i++)
        json_array_append_new(hashes, json_string(contract->grants[i].hash));
    respond_json(request, outcome == SIGNING_PLACED ? 201 : 202,
                 json_pack("{s:s, s:s, s:o, s:b}", "hash", contract->hash, "grant_hash",
                           contract->grants[0].hash, "grant_hashes", hashes, "waits_for_second_signer",
                           outcome == SIGNING_INTENDED));
}

static void propose_one(Request *request, Fsc *fsc, const json_t *body, json_t *data)
{
    if (json_object_get(body, "properties") != NULL)
        json_object_set(data, "properties", json_object_get(body, "properties"));
    propose(request, fsc, body, json_pack("[{s:o}]", "data", data));
}

void fsc_admin_propose(Request *request, gpointer context)
{
    g_autoptr(json_t) body = admin_body(request, JSON_FIELDS(propose_fields));
    if (body == NULL)
        return;
    /* What else must be right about them, contract_parse() says. */
    if (json_array_size(json_object_get(body, "grants")) == 0)
        respond_problem(request, 422, "No grants", "grants: a contract holds at least one grant");
    else
        propose(request, context, body, json_incref(json_object_get(body, "grants")));
}

/* What this node publishes: its own service, for itself or on behalf of another. */
static json_t *publication(Fsc *fsc, const json_t *body, const char *directory)
{
    const char *protocol = json_string_at(body, "protocol"), *delegator = json_string_at(body, "delegator");
    json_t *data = json_pack(
        "{s:s, s:{s:s}, s:{s:s, s:s, s:s}}", "type",
        delegator != NULL ? "GRANT_TYPE_DELEGATED_SERVICE_PUBLICATION" : "GRANT_TYPE_SERVICE_PUBLICATION",
        "directory", "peer_id", directory, "service", "peer_id", node_oin(fsc->node), "name",
        json_string_at(body, "service"), "protocol", protocol != NULL ? protocol : FSC_PROTOCOL_HTTP_1);
    if (delegator != NULL)
        json_object_set_new(data, "delegator", json_pack("{s:s}", "peer_id", delegator));
    return data;
}

void fsc_admin_publish(Request *request, gpointer context)
{
    Fsc *fsc = context;
    g_autoptr(json_t) body = admin_body(request, JSON_FIELDS(publish_fields));
    if (body == NULL)
        return;
    const char *service = json_string_at(body, "service");
    const char *directory =
        json_string_at(body, "directory") != NULL ? json_string_at(body, "directory") : fsc->directory;
    if (!g_strv_contains(fsc->services, service))
        respond_problem(request, 404, "Not found", "this node has no [service.%s] in node.conf", service);
    else if (directory == NULL)
        respond_problem(request, 422, "No Directory",
                        "set [fsc] directory and directory_address in node.conf");
    else
        propose_one(request, fsc, body, publication(fsc, body, directory));
}

void fsc_admin_connect(Request *request, gpointer context)
{
    Fsc *fsc = context;
    g_autoptr(json_t) body = admin_body(request, JSON_FIELDS(connect_fields));
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
    propose_one(request, fsc, body, data);
}
