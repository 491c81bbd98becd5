/* Signatures on contracts: compact JWS over {contract_content_hash, type, signed_at} (FSC Core 2.0.0, 4.2.3).
 * Pure.
 *
 * Order of the checks: shape and algorithm of the JWS, shape of its payload, content hash, type, signed_at;
 * then, with the certificate that x5t#S256 names: chain, Peer ID, signature.
 */
#pragma once

#include "core/crypto/jws.h"

/* FSC Core 2.0.0, 4.2.3.2. */
typedef enum { SIGNATURE_ACCEPT, SIGNATURE_REJECT, SIGNATURE_REVOKE, SIGNATURE_TYPE_COUNT } SignatureType;

/* "accept", "reject", "revoke": in payloads, in paths and in the maps of GET /contracts. */
const char *signature_type_name(SignatureType type);
gboolean signature_type_find(const char *name, SignatureType *type);

typedef struct {
    Jws *jws;
    SignatureType type;
    gint64 signed_at;
} Signature;

void signature_free(Signature *signature);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Signature, signature_free)

/* Everything that can be said of a signature without a certificate. NULL with a verdict. */
Signature *signature_parse(const char *compact, const char *content_hash, SignatureType expected,
                           gint64 now_s, GError **error);

/* The rest: the chain at `now_s`, that it is the submitter's, and that its key made the signature. FALSE with
 * a verdict. */
gboolean signature_verify(const Signature *signature, const Certificate *certificate,
                          const TrustAnchors *anchors, const char *submitter, gint64 now_s, GError **error);

/* A new one by us. Caller frees. */
char *signature_make(const char *content_hash, SignatureType type, gint64 now_s, const Key *key,
                     const Certificate *certificate, GError **error);
