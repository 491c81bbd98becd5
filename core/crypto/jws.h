/* JSON Web Signatures, RFC 7515, compact serialization only, with the six algorithms of FSC Core 2.0.0, 4.2.3
 * and 4.3: RS256 RS384 RS512 ES256 ES384 ES512. No `none`, no HS*, no PS*, no EdDSA, no `crit`, no `b64`, no
 * `jku`/`x5u` fetching. The algorithm must fit the key: RS* an RSA key, ES256 P-256, ES384 P-384, ES512
 * P-521; ECDSA signatures are r||s.
 */
#pragma once

#include <glib.h>
#include <jansson.h>

#include "core/crypto/certificate.h"
#include "core/crypto/key.h"

#define JWS_MAX_BYTES 65536

typedef struct {
    char *alg;             /* as in the header; one of the six */
    char *thumbprint;      /* `x5t#S256`: 43 characters of base64url */
    json_t *header;        /* object */
    json_t *payload;       /* object: JWTs and FSC signatures are always JSON objects */
    GBytes *signing_input; /* "header.payload", for jws_verify */
    GBytes *signature;
} Jws;

void jws_free(Jws *jws);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Jws, jws_free)

typedef enum {
    JWS_ERROR_SYNTAX,    /* not three parts of strict base64url holding strict JSON objects; no x5t#S256; too
                            large */
    JWS_ERROR_ALGORITHM, /* `alg` missing or not on the list: ERROR_CODE_UNKNOWN_ALGORITHM_SIGNATURE */
    JWS_ERROR_SIGNATURE  /* the signature does not fit certificate, algorithm or text */
} JwsError;
#define JWS_ERROR (jws_error_quark())
GQuark jws_error_quark(void);

/* Takes apart without trusting: nothing in the result is verified. Errors in domain JWS_ERROR. */
Jws *jws_parse(const char *compact, GError **error);

/* TRUE when `certificate` has the thumbprint the header names and its key made the signature. The chain of
 * the certificate is the caller's to check. FALSE with JWS_ERROR_SIGNATURE (or _ALGORITHM when key and alg do
 * not fit). */
gboolean jws_verify(const Jws *jws, const Certificate *certificate, GError **error);

/* Signs JCS-free compact JSON of `payload`. Header: alg by the key's kind (RSA: RS256; P-256: ES256; ...),
 * `x5t#S256` of `certificate`, and `typ` when given. Caller frees. */
char *jws_sign(const json_t *payload, const Key *key, const Certificate *certificate, const char *typ,
               GError **error);

/* RFC 7517: {"keys":[...]} with kty, use=sig, alg, kid = thumbprint, x5c without the root, x5t#S256, and the
 * key's own members. */
json_t *jwks_from_certificates(GPtrArray *certificates); /* of Certificate* */

/* Finds the key with this `x5t#S256` (also spelt `x5t#s256`, as the official OpenAPI has it) in a set of
 * another party and makes a certificate of its `x5c`; the thumbprint is recomputed, never believed. NULL with
 * FUNDAMENT_ERROR_NOT_FOUND or _INVALID. At most 100 keys are looked at. */
Certificate *jwks_find(const json_t *jwks, const char *thumbprint, GError **error);
