/* A statement of the sign-in provider: "this person is signed in here, now, and asks you, this organisation"
 * (decisions.md 18). A logbook or a register answers about a person to a person only on such a statement; a
 * contract alone opens nothing.
 *
 * Form: {"jws": compact JWS, "x5c": [chain of the signer]}, the JWS over {"iss": OIN of the provider, "aud":
 * OIN asked, "sub": BSN, "act": {"sub": BSN} when somebody acts for the subject, "iat", "exp" (at most 60 s
 * later), "jti": UUIDv7}. It holds a BSN: it stands in bodies under mTLS only. Each jti is accepted once.
 */
#pragma once

#include <jansson.h>

#include "core/node/session.h"

/* Signed with ROLE_TOKEN of this node. New reference. */
json_t *statement_new(Node *node, const Session *session, const char *audience_oin, GError **error);

typedef struct {
    char *issuer;
    char *subject; /* BSN; wiped on free */
    char *actor;   /* or NULL */
} Statement;

void statement_free(Statement *statement);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Statement, statement_free)

/* Checks signature, chain to the trust anchors, that the signer's Peer ID is `iss` and one of `issuers`
 * (NULL-terminated OINs), audience, times (10 s tolerance), shape, and that the jti is new.
 * FUNDAMENT_ERROR_INVALID for shape, _DENIED for the rest. */
Statement *statement_verify(Node *node, const json_t *statement, const char *const *issuers, GError **error);
