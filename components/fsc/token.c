#include "components/fsc/token.h"

#include <string.h>

#include "core/base/bytes.h"
#include "core/base/error.h"
#include "core/format/json.h"

static const TokenRefusalRow refusals[TOKEN_REFUSAL_COUNT] = {{NULL, NULL},
#define X(name, code, message) {code, message},
                                                              TOKEN_REFUSAL_TABLE(X)
#undef X
};

const TokenRefusalRow *token_refusal_row(TokenRefusal refusal)
{
    return &refusals[refusal];
}

static gboolean scope_is_connection(const char *scope)
{
    HashType type;
    return fsc_hash_parse(scope, &type) && (type == HASH_TYPE_SERVICE_CONNECTION_GRANT ||
                                            type == HASH_TYPE_DELEGATED_SERVICE_CONNECTION_GRANT);
}

static gboolean empty(const char *text)
{
    return text == NULL || *text == '\0';
}

static TokenRefusal check_form(const TokenRequest *request)
{
    if (empty(request->grant_type))
        return TOKEN_REFUSED_GRANT_TYPE_MISSING;
    if (!g_str_equal(request->grant_type, "client_credentials"))
        return TOKEN_REFUSED_GRANT_TYPE;
    if (empty(request->client_id))
        return TOKEN_REFUSED_CLIENT_ID_MISSING;
    if (g_strcmp0(request->client_id, certificate_peer_id(request->certificate)) != 0)
        return TOKEN_REFUSED_CLIENT_ID;
    if (empty(request->scope))
        return TOKEN_REFUSED_SCOPE_MISSING;
    return scope_is_connection(request->scope) ? TOKEN_GRANTED : TOKEN_REFUSED_SCOPE_FORMAT;
}

/* 4.4.1.6: the validations before issuing, from "The Manager is provided by a Peer with the same PeerID" on.
 */
static TokenRefusal check_grant(const TokenRequest *request)
{
    const Grant *grant = request->grant;
    if (grant == NULL || grant_type_row(grant->type)->publication)
        return TOKEN_REFUSED_GRANT_UNKNOWN;
    if (!g_str_equal(grant->service_peer_id, request->own_peer_id))
        return TOKEN_REFUSED_NOT_PROVIDER;
    if (!g_str_equal(grant->outway_peer_id, request->client_id))
        return TOKEN_REFUSED_NOT_OUTWAY;
    if (grant->public_key_thumbprint != NULL &&
        !g_str_equal(grant->public_key_thumbprint, certificate_public_key_thumbprint(request->certificate)))
        return TOKEN_REFUSED_PUBLIC_KEY;
    if (grant->domain_name != NULL && !certificate_matches_domain(request->certificate, grant->domain_name))
        return TOKEN_REFUSED_DOMAIN_NAME;
    if (request->state != CONTRACT_VALID)
        return TOKEN_REFUSED_CONTRACT_STATE;
    if (request->inway_address == NULL || !g_strv_contains(request->offered_services, grant->service_name))
        return TOKEN_REFUSED_SERVICE;
    return TOKEN_GRANTED;
}

TokenRefusal token_request_check(const TokenRequest *request)
{
    TokenRefusal refusal = check_form(request);
    return refusal != TOKEN_GRANTED ? refusal : check_grant(request);
}

json_t *token_claims(const TokenClaims *claims)
{
    const Grant *grant = claims->grant;
    gint64 expires_at = MIN(claims->now_s + TOKEN_LIFETIME_S, claims->contract_not_after);
    json_t *payload =
        json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:I, s:I, s:{s:s}}", "gth", grant->hash, "gid",
                  claims->group_id, "sub", grant->outway_peer_id, "iss", claims->own_peer_id, "svc",
                  grant->service_name, "aud", claims->inway_address, "exp", (json_int_t)expires_at, "nbf",
                  (json_int_t)claims->now_s, "cnf", "x5t#S256", claims->thumbprint);
    /* 4.4.1.6: "The act claim MUST be set when ... on behalf of another Peer", pdi and prp likewise. */
    if (grant->delegator != NULL)
        json_object_set_new(payload, "act", json_pack("{s:s}", "sub", grant->delegator));
    if (grant->service_delegator != NULL)
        json_object_set_new(payload, "pdi", json_string(grant->service_delegator));
    if (grant->properties != NULL)
        json_object_set(payload, "prp", (json_t *)grant->properties);
    json_object_set_new(payload, "add", json_object());
    return payload;
}

/* Where each text claim goes. */
typedef struct {
    const char *name;
    gsize offset;
} TextClaim;

static const TextClaim text_claims[] = {
    {"gth", offsetof(Token, grant_hash)},     {"gid", offsetof(Token, group_id)},
    {"sub", offsetof(Token, outway_peer_id)}, {"iss", offsetof(Token, service_peer_id)},
    {"svc", offsetof(Token, service_name)},   {"aud", offsetof(Token, audience)},
};

static gboolean claim_missing(const char *name, GError **error)
{
    g_set_error(error, FUNDAMENT_ERROR, FUNDAMENT_ERROR_INVALID, "the claim %s is missing or of another kind",
                name);
    return FALSE;
}

static gboolean read_optional(const json_t *payload, Token *token, GError **error)
{
    const json_t *act = json_object_get(payload, "act");
    const json_t *pdi = json_object_get(payload, "pdi");
    token->properties = json_object_get(payload, "prp");
    token->delegator = json_string_value(json_object_get(act, "sub"));
    token->service_delegator = json_string_value(pdi);
    if (act != NULL && token->delegator == NULL)
        return claim_missing("act.sub", error);
    if (pdi != NULL && token->service_delegator == NULL)
        return claim_missing("pdi", error);
    if (token->properties != NULL && !json_is_object(token->properties))
        return claim_missing("prp", error);
    return TRUE;
}

gboolean token_read(const json_t *payload, Token *token, GError **error)
{
    memset(token, 0, sizeof *token);
    for (gsize i = 0; i < G_N_ELEMENTS(text_claims); i++) {
        const char *text = json_string_value(json_object_get(payload, text_claims[i].name));
        if (text == NULL)
            return claim_missing(text_claims[i].name, error);
        *(const char **)(void *)((char *)token + text_claims[i].offset) = text;
    }
    const json_t *exp = json_object_get(payload, "exp"), *nbf = json_object_get(payload, "nbf");
    if (!json_is_integer(exp) || !json_is_integer(nbf))
        return claim_missing("exp or nbf", error);
    token->expires_at = json_integer_value(exp);
    token->not_before = json_integer_value(nbf);
    token->thumbprint = json_string_value(json_object_get(json_object_get(payload, "cnf"), "x5t#S256"));
    if (token->thumbprint == NULL)
        return claim_missing("cnf.x5t#S256", error);
    return read_optional(payload, token, error);
}

static enum frame_status refuse(enum frame_status status, GError **error, const char *message)
{
    g_set_error_literal(error, FUNDAMENT_ERROR, FUNDAMENT_ERROR_DENIED, message);
    return status;
}

/* 4.7.1.2: "The access token is signed by the same Peer that owns Inway": only certificates of our own are
 * looked at, so no chain and no other Peer's Manager is ever asked. */
static enum frame_status verify_signature(const char *text, const TokenVerification *verification, Jws **jws,
                                          GError **error)
{
    if (g_ascii_strncasecmp(text, "Bearer ", 7) == 0)
        text += 7;
    if (*text == '\0')
        return refuse(FRAME_STATUS_ACCESS_TOKEN_MISSING, error,
                      "the header Fsc-Authorization holds no token");
    g_autoptr(Jws) parsed = jws_parse(text, error);
    if (parsed == NULL) {
        g_prefix_error(error, "the access token: ");
        return FRAME_STATUS_ACCESS_TOKEN_INVALID;
    }
    for (guint i = 0; i < verification->own_certificates->len; i++) {
        const Certificate *certificate = g_ptr_array_index(verification->own_certificates, i);
        if (!g_str_equal(certificate_thumbprint(certificate), parsed->thumbprint))
            continue;
        if (!jws_verify(parsed, certificate, error))
            return FRAME_STATUS_ACCESS_TOKEN_INVALID;
        *jws = g_steal_pointer(&parsed);
        return FRAME_STATUS_OK;
    }
    return refuse(FRAME_STATUS_ACCESS_TOKEN_INVALID, error,
                  "the access token was not signed by this organisation");
}

static enum frame_status verify_claims(const TokenVerification *verification, const Token *token,
                                       GError **error)
{
    if (!g_str_equal(token->service_peer_id, verification->own_peer_id))
        return refuse(FRAME_STATUS_ACCESS_TOKEN_INVALID, error, "iss is another Peer");
    /* RFC 8705, 3.1. */
    if (!secret_equal(token->thumbprint, strlen(token->thumbprint), verification->thumbprint,
                      strlen(verification->thumbprint)))
        return refuse(FRAME_STATUS_ACCESS_TOKEN_INVALID, error,
                      "the access token is bound to another certificate");
    if (!g_str_equal(token->group_id, verification->group_id))
        return refuse(FRAME_STATUS_WRONG_GROUP_ID, error, "the access token is for another group");
    if (verification->now_s < token->not_before - TOKEN_CLOCK_TOLERANCE_S)
        return refuse(FRAME_STATUS_ACCESS_TOKEN_INVALID, error,
                      "the access token is not valid yet: nbf is in the future");
    if (verification->now_s >= token->expires_at + TOKEN_CLOCK_TOLERANCE_S)
        return refuse(FRAME_STATUS_ACCESS_TOKEN_EXPIRED, error, "the access token has expired");
    if (g_strcmp0(token->audience, verification->inway_address) != 0)
        return refuse(FRAME_STATUS_ACCESS_TOKEN_INVALID, error, "aud is another Inway");
    if (!g_strv_contains(verification->offered_services, token->service_name))
        return refuse(FRAME_STATUS_SERVICE_NOT_FOUND, error, "this Inway does not offer that service");
    return FRAME_STATUS_OK;
}

enum frame_status token_verify(const char *text, const TokenVerification *verification, Jws **jws,
                               Token *token, GError **error)
{
    g_autoptr(Jws) verified = NULL;
    enum frame_status status = verify_signature(text, verification, &verified, error);
    if (status != FRAME_STATUS_OK)
        return status;
    if (!token_read(verified->payload, token, error))
        return FRAME_STATUS_ACCESS_TOKEN_INVALID;
    status = verify_claims(verification, token, error);
    if (status == FRAME_STATUS_OK)
        *jws = g_steal_pointer(&verified);
    return status;
}
