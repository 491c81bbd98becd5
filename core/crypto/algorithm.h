/* Inside core/crypto only: which keys are strong enough to be trusted, and which JWS algorithms go with
 * which. One table serves keys, certificates and signatures, so that they cannot disagree. */
#pragma once

#include <glib.h>
#include <openssl/evp.h>

typedef struct {
    const char *alg;    /* RFC 7518 3.1 */
    const char *digest; /* as OpenSSL names it */
    const char *curve;  /* RFC 7518 6.2.1.1; NULL for RSA */
    const char *group;  /* the same as OpenSSL names it */
    gsize coordinate;   /* bytes of r, s, x and y; 0 for RSA */
} Algorithm;

/* NULL when `alg` is NULL or not one of the six of FSC Core 2.0.0, 4.2.3. */
const Algorithm *algorithm_find(const char *alg);

/* The algorithm that this key signs with: RS256 for RSA of 2048 bits or more, ES256/384/512 for EC on the
 * named curves P-256/384/521. NULL for every other key, RSA-PSS and curves by explicit parameters included.
 */
const Algorithm *algorithm_of_key(const EVP_PKEY *pkey);

/* TRUE when a signature with `algorithm` can have been made by this key. */
gboolean algorithm_fits(const Algorithm *algorithm, const EVP_PKEY *pkey);
