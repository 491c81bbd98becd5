/* Access tokens: when a Manager gives one, what stands in it, and what an Inway asks of it. FSC
 * Core 2.0.0, 4.3, 4.4.1.6 and 4.7.1.2. Pure.
 *
 * Issuing checks, in this order: grant_type, client_id, scope; grant known, we are its provider; the caller
 * is its Outway's Peer, by Peer ID and by identification; contract valid; service offered. Verifying checks,
 * in this order: token there, JWS and algorithm, key of our own, signature, shape of the claims, issuer,
 * bound certificate, group, nbf and exp, audience, service; then (agreements.h) the contract behind gth.
 */
#pragma once

#include "components/fsc/contract.h"
#include "components/fsc/state.h"
#include "core/crypto/jws.h"
#include "core/node/frames.h"

#define TOKEN_LIFETIME_S 300
/* decisions.md 11. */
#define TOKEN_CLOCK_TOLERANCE_S 10

/* RFC 6749, 5.2: what /token refuses with, always with status 400 (the OpenAPI document knows no other). */
#define TOKEN_REFUSAL_TABLE(X)                                                                               \
    X(GRANT_TYPE_MISSING, "invalid_request", "grant_type is missing")                                        \
    X(GRANT_TYPE, "unsupported_grant_type", "grant_type must be client_credentials")                         \
    X(CLIENT_ID_MISSING, "invalid_request", "client_id is missing")                                          \
    X(CLIENT_ID, "invalid_client", "client_id is not the Peer ID of the certificate of this connection")     \
    X(SCOPE_MISSING, "invalid_request", "scope is missing: it takes the hash of a connection grant")         \
    X(SCOPE_FORMAT, "invalid_scope", "scope is not the hash of a connection grant ($1$3$... or $1$4$...)")   \
    X(GRANT_UNKNOWN, "invalid_scope", "no contract here holds that grant")                                   \
    X(NOT_PROVIDER, "invalid_scope", "the service of that grant is provided by another Peer")                \
    X(NOT_OUTWAY, "unauthorized_client", "that grant is for another Peer")                                   \
    X(PUBLIC_KEY, "unauthorized_client", "the public key of your certificate is not that of the grant")      \
    X(DOMAIN_NAME, "unauthorized_client", "your certificate does not hold the domain name of the grant")     \
    X(CONTRACT_STATE, "invalid_grant", "the contract that holds that grant is not valid now")                \
    X(SERVICE, "invalid_grant", "no Inway here offers that service now")                                     \
    X(FORM, "invalid_request", "the body must be application/x-www-form-urlencoded, each name once")

typedef enum {
    TOKEN_GRANTED,
#define X(name, code, message) TOKEN_REFUSED_##name,
    TOKEN_REFUSAL_TABLE(X)
#undef X
        TOKEN_REFUSAL_COUNT
} TokenRefusal;

typedef struct {
    const char *code;    /* RFC 6749, 5.2 */
    const char *message; /* error_description */
} TokenRefusalRow;

const TokenRefusalRow *token_refusal_row(TokenRefusal refusal); /* not for TOKEN_GRANTED */

typedef struct {
    const char *grant_type, *client_id, *scope; /* of the form; NULL when absent */
    const Certificate *certificate;             /* of the TLS connection */
    const char *own_peer_id;
    const Grant *grant;  /* with the hash `scope`, or NULL */
    ContractState state; /* of its contract */
    const char *const *offered_services;
    const char *inway_address; /* NULL: no Inway */
} TokenRequest;

TokenRefusal token_request_check(const TokenRequest *request);

typedef struct {
    const char *group_id, *own_peer_id, *inway_address;
    const Grant *grant;
    gint64 contract_not_after; /* no token outlives its contract */
    const char *thumbprint;    /* x5t#S256 of the client certificate */
    gint64 now_s;
} TokenClaims;

/* New reference. */
json_t *token_claims(const TokenClaims *claims);

/* --- the Inway's side, and what an Outway reads --- */

/* Strings are borrowed from the payload. */
typedef struct {
    const char *grant_hash, *group_id, *outway_peer_id, *service_peer_id, *service_name, *audience,
        *thumbprint;
    const char *delegator;         /* act.sub, or NULL */
    const char *service_delegator; /* pdi, or NULL */
    const json_t *properties;      /* prp, or NULL */
    gint64 expires_at, not_before;
} Token;

/* Reads the claims of a payload. FALSE with FUNDAMENT_ERROR_INVALID. Unknown claims are left alone, as RFC
 * 7519, 4 demands. */
gboolean token_read(const json_t *payload, Token *token, GError **error);

typedef struct {
    const char *thumbprint; /* of the TLS client certificate */
    const char *group_id, *own_peer_id, *inway_address;
    GPtrArray *own_certificates; /* of Certificate*: those that sign or signed our tokens */
    const char *const *offered_services;
    gint64 now_s;
} TokenVerification;

/* FRAME_STATUS_OK with `jws` (caller frees) and `token` (borrowing from it) filled in, or the status that
 * says why not, with a message for people in `error` (FUNDAMENT_ERROR_DENIED). `text` may carry "Bearer " in
 * front (docs/fsc-readings.md, 5). */
enum frame_status token_verify(const char *text, const TokenVerification *verification, Jws **jws,
                               Token *token, GError **error);
