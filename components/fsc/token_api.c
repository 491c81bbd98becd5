/* POST /token: the authorization server (FSC Core 2.0.0, 4.4.1.6; RFC 6749, 4.4 and 5.2; RFC 8705, 2.1 and
 * 3). */
#include "components/fsc/internal.h"

#include "components/fsc/token.h"
#include "core/base/error.h"
#include "core/format/json.h"
#include "core/net/problem.h"

static void refuse(Request *request, TokenRefusal refusal, const char *detail)
{
    const TokenRefusalRow *row = token_refusal_row(refusal);
    respond_header(request, "Cache-Control", "no-store");
    respond_json(request, 400,
                 json_pack("{s:s, s:s}", "error", row->code, "error_description",
                           detail != NULL ? detail : row->message));
}

static void grant_token(Request *request, Fsc *fsc, const TokenRequest *asked, const Contract *contract)
{
    g_autoptr(GError) error = NULL;
    TokenClaims claims = {.group_id = node_group_id(fsc->node),
                          .own_peer_id = node_oin(fsc->node),
                          .inway_address = fsc->inway_address,
                          .grant = asked->grant,
                          .contract_not_after = contract->not_after,
                          .thumbprint = certificate_thumbprint(asked->certificate),
                          .now_s = fsc_now_s(fsc)};
    g_autoptr(json_t) payload = token_claims(&claims);
    const Key *key = node_key(fsc->node, ROLE_TOKEN);
    g_autofree char *token = NULL;
    if (key == NULL)
        g_set_error_literal(&error, FUNDAMENT_ERROR, FUNDAMENT_ERROR_INTERNAL,
                            "this node has no token key; put token.key and token.crt in its folder of keys");
    else if (fsc_keep_own_certificates(fsc, &error))
        token = jws_sign(payload, key, node_certificate(fsc->node, ROLE_TOKEN), "JWT", &error);
    if (token == NULL) {
        respond_error(request, error);
        return;
    }
    respond_header(request, "Cache-Control", "no-store");
    respond_json(request, 200,
                 json_pack("{s:s, s:s, s:I}", "access_token", token, "token_type", "bearer", "expires_in",
                           (json_int_t)(json_integer_at(payload, "exp") - claims.now_s)));
}

void manager_token(Request *request, gpointer context)
{
    Fsc *fsc = context;
    g_autoptr(GError) error = NULL;
    g_autoptr(json_t) form = request_form(request, &error);
    if (form == NULL) {
        refuse(request, TOKEN_REFUSED_FORM, error->message);
        return;
    }
    TokenRequest asked = {.grant_type = json_string_at(form, "grant_type"),
                          .client_id = json_string_at(form, "client_id"),
                          .scope = json_string_at(form, "scope"),
                          .certificate = request_certificate(request),
                          .own_peer_id = node_oin(fsc->node),
                          .offered_services = fsc->services,
                          .inway_address = fsc->inway_address};
    g_autoptr(Agreement) agreement = fsc_hash_parse(asked.scope, NULL)
                                         ? agreements_load(fsc->agreements, asked.scope, &asked.grant, &error)
                                         : NULL;
    if (error != NULL) {
        respond_error(request, error);
        return;
    }
    if (agreement != NULL)
        asked.state = agreement_state(agreement, fsc_now_s(fsc));
    TokenRefusal refusal = token_request_check(&asked);
    if (refusal == TOKEN_GRANTED && agreement != NULL) {
        grant_token(request, fsc, &asked, agreement_contract(agreement)->contract);
        return;
    }
    g_autofree char *state =
        refusal == TOKEN_REFUSED_CONTRACT_STATE
            ? g_strdup_printf("the contract that holds that grant is %s", contract_state_name(asked.state))
            : NULL;
    refuse(request, refusal, state);
}

gboolean manager_token_is_quick(Request *request, gpointer context)
{
    Fsc *fsc = context;
    g_autoptr(json_t) form = request_form(request, NULL);
    const char *scope = form != NULL ? json_string_at(form, "scope") : NULL;
    g_autoptr(Agreement) known = scope != NULL ? agreements_known(fsc->agreements, scope, NULL) : NULL;
    return known != NULL;
}
