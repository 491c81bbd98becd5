/* What the doctor asks of the running node: where a Peer is, and whether its Manager gives a token. */
#include "components/fsc/internal.h"

#include <string.h>

#include "components/fsc/token.h"
#include "core/base/error.h"
#include "core/base/identifiers.h"
#include "core/format/json.h"
#include "core/net/problem.h"

#define TOKEN_TIMEOUT_MS 10000

/* GET /fsc/v1/peers/{peer_id}: {"peer_id", "name"?, "manager_address"?, "address_error"?}. Asks the Directory
 * when the address is not known here. */
void fsc_admin_peer(Request *request, gpointer context)
{
    Fsc *fsc = context;
    g_autoptr(GError) error = NULL;
    const char *peer_id = request_segment(request, "peer_id");
    if (!oin_valid(peer_id)) {
        respond_problem(request, 400, "Bad Peer ID", "a Peer ID in this group is an OIN: 20 digits");
        return;
    }
    g_autofree char *address = peers_address(fsc, peer_id, &error);
    g_autofree char *name = fsc_peer_name(fsc, peer_id);
    respond_json(request, 200,
                 json_pack("{s:s, s:s*, s:s*, s:s*}", "peer_id", peer_id, "name",
                           g_str_equal(name, peer_id) ? NULL : name, "manager_address", address,
                           "address_error", error != NULL ? error->message : NULL));
}

/* --- POST /fsc/v1/token-tests --- */

static HttpReply *ask(Fsc *fsc, const Grant *grant, GError **error)
{
    g_autofree char *scope = g_uri_escape_string(grant->hash, NULL, FALSE);
    g_autofree char *body =
        g_strdup_printf("grant_type=client_credentials&scope=%s&client_id=%s", scope, node_oin(fsc->node));
    PeerCall call = {.peer_id = grant->service_peer_id,
                     .role = ROLE_OUTWAY,
                     .method = "POST",
                     .path = "/v1/token",
                     .content_type = "application/x-www-form-urlencoded",
                     .body = body,
                     .body_length = strlen(body),
                     .timeout_ms = TOKEN_TIMEOUT_MS};
    return peers_call(fsc, &call, error);
}

/* The claims alone: with its signature a token would be a secret, without it it is not. */
static void add_claims(json_t *answer, const char *token)
{
    Token read;
    g_autoptr(GError) error = NULL;
    g_autoptr(Jws) jws = jws_parse(token, &error);
    if (jws != NULL && token_read(jws->payload, &read, &error))
        json_object_set(answer, "claims", jws->payload);
    else
        json_object_set_new(answer, "claims_error", json_string(error->message));
}

static json_t *test_token(Fsc *fsc, const Grant *grant)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(HttpReply) reply = ask(fsc, grant, &error);
    if (reply == NULL)
        return json_pack("{s:i, s:s}", "status", 0, "error", error->message);
    g_autoptr(json_t) body = http_reply_json(reply, NULL);
    const char *token = json_string_at(body, "access_token"), *code = json_string_at(body, "error"),
               *why = json_string_at(body, "error_description");
    json_t *answer = json_pack("{s:i}", "status", (int)reply->status);
    if (reply->status == 200 && token != NULL) {
        add_claims(answer, token);
        return answer;
    }
    g_autofree char *text =
        g_strdup_printf("POST /token: %u%s%s%s%s", reply->status, code != NULL ? " " : "",
                        code != NULL ? code : "", why != NULL ? ": " : "", why != NULL ? why : "");
    json_object_set_new(answer, "error", json_string(text));
    return answer;
}

/* {"grant_hash"}: asks the provider for a token on this grant and tells what came of it, never the token:
 * {"status" (0: no answer), "error"?, "claims_error"?, "claims"?}. */
void fsc_admin_token_test(Request *request, gpointer context)
{
    static const JsonField fields[] = {{"grant_hash", JSON_KIND_STRING, TRUE}};
    Fsc *fsc = context;
    const Grant *grant = NULL;
    g_autoptr(GError) error = NULL;
    g_autoptr(json_t) body = request_json(request, &error);
    if (body == NULL || !json_check_object(body, "", JSON_FIELDS(fields), &error)) {
        respond_error(request, error);
        return;
    }
    g_autoptr(Agreement) agreement =
        agreements_find(fsc->agreements, json_string_at(body, "grant_hash"), &grant);
    if (agreement == NULL || grant_type_row(grant->type)->publication)
        respond_problem(request, 404, "Not found",
                        "no contract here that has not ended holds that connection grant");
    else if (node_certificate(fsc->node, ROLE_OUTWAY) == NULL)
        respond_problem(request, 422, "No Outway",
                        "this node has no Outway key; put outway.key and outway.crt in its folder of keys");
    else
        respond_json(request, 200, test_token(fsc, grant));
}
