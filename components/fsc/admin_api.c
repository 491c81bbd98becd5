/* What the command line asks over the admin socket: /fsc/v1/... Who may open that socket is this node's own
 * user; every change is audited under that name. The routes, in the order of fsc.c:
 *
 *   GET  /node                     who we are: peer_id, name, group, directory, services,
 * outway_public_key_thumbprint POST /announce                 202 POST /publications             {service,
 * directory?, protocol?, delegator?, properties?, not_before?, not_after?} POST /connections {service,
 * peer_id, properties?, not_before?, not_after?} POST /contracts                {grants: [{data}],
 * not_before?, not_after?}: up to 10 grants of FSC's own shape GET  /contracts                ?state= type=
 * peerId= service= grantHash= limit= cursor= GET  /contracts/{hash}         with content, signatures, and
 * what each Peer got POST /contracts/{hash}/{accept|reject|revoke} GET  /services                 ?name=
 * (exactly, kept for a minute) or ?filter= peerId= limit= cursor= (asks now) GET  /peers ?name= peerId= GET
 * /peers/{peer_id}          address, also when only the Directory knows it GET  /logs ?peerId= (asks that
 * Peer for its part) and the filters of FSC Logging POST /token-tests              {grant_hash}: what the
 * provider's Manager answers; claims, never the token
 *
 * Proposals answer 201 {hash, grant_hash, grant_hashes, waits_for_second_signer}, 202 when they wait for a
 * second signer. Errors are problem+json. */
#include "components/fsc/admin_private.h"

#include <string.h>
#include <unistd.h>

#include "components/fsc/verdict.h"
#include "core/base/error.h"
#include "core/net/problem.h"

char *admin_actor(void)
{
    return g_strdup_printf("uid:%u", getuid());
}

void admin_failure(Request *request, const GError *error)
{
    if (error->domain == FSC_VERDICT)
        respond_problem(request, verdict_row((Verdict)error->code)->http_status, "Refused by a rule of FSC",
                        "%s", error->message);
    else
        respond_error(request, error);
}

json_t *admin_body(Request *request, const JsonField *fields, gsize n_fields)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(json_t) body = request_json(request, &error);
    if (body != NULL && json_check_object(body, "", fields, n_fields, &error))
        return g_steal_pointer(&body);
    admin_failure(request, error);
    return NULL;
}

gboolean admin_query_is_known(Request *request, const char *const *known)
{
    const char *unknown = request_query_unknown(request, known);
    if (unknown == NULL)
        return TRUE;
    respond_problem(request, 400, "Bad query", "%s: there is no such parameter here", unknown);
    return FALSE;
}

gboolean admin_query_number(Request *request, const char *name, guint most, guint *out)
{
    guint64 number = 0;
    const char *text = request_query(request, name);
    if (text == NULL)
        return TRUE;
    if (!g_ascii_string_to_unsigned(text, 10, 1, most, &number, NULL)) {
        respond_problem(request, 400, "Bad query", "%s: a number from 1 to %u is needed", name, most);
        return FALSE;
    }
    *out = (guint)number;
    return TRUE;
}

void fsc_admin_decide(Request *request, gpointer context)
{
    Fsc *fsc = context;
    SignatureType type;
    g_autoptr(GError) error = NULL;
    g_autofree char *who = admin_actor();
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
        admin_failure(request, error);
}

/* Who this node is, as far as a proposal needs it. */
void fsc_admin_node(Request *request, gpointer context)
{
    Fsc *fsc = context;
    json_t *services = json_array();
    const Certificate *outway = node_certificate(fsc->node, ROLE_OUTWAY);
    for (const char *const *name = fsc->services; *name != NULL; name++)
        json_array_append_new(services, json_string(*name));
    respond_json(request, 200,
                 json_pack("{s:s, s:s, s:s, s:s, s:s*, s:s*, s:s*, s:o}", "peer_id", node_oin(fsc->node),
                           "name", node_name(fsc->node), "group", node_group_id(fsc->node), "manager_address",
                           node_manager_address(fsc->node), "inway_address", fsc->inway_address, "directory",
                           fsc->directory, "outway_public_key_thumbprint",
                           outway != NULL ? certificate_public_key_thumbprint(outway) : NULL, "services",
                           services));
}
