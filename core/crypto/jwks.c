#include <openssl/core_names.h>
#include <string.h>

#include "core/base/bytes.h"
#include "core/base/error.h"
#include "core/crypto/algorithm.h"
#include "core/crypto/jws.h"
#include "core/crypto/openssl.h"

#define MAX_KEYS 100
#define MAX_X5C 10

/* A number as big-endian bytes in base64url: `size` bytes for a coordinate (RFC 7518 6.2.1.2), or as few as
 * it takes for `size` 0 (RFC 7518 2, Base64urlUInt). */
static json_t *encode_number(const EVP_PKEY *pkey, const char *parameter, gsize size)
{
    BIGNUM *value = NULL;
    openssl_require(EVP_PKEY_get_bn_param(pkey, parameter, &value), parameter);
    gsize length = size == 0 ? (gsize)BN_num_bytes(value) : size;
    g_autofree guint8 *bytes = g_malloc(length);
    openssl_require(BN_bn2binpad(value, bytes, (int)length) == (int)length, parameter);
    BN_free(value);
    g_autofree char *text = base64url_encode(bytes, length);
    return json_string(text);
}

static json_t *x5c_of(const Certificate *certificate)
{
    g_autoptr(GPtrArray) chain = certificate_x5c(certificate);
    json_t *array = json_array();
    for (guint i = 0; i < chain->len; i++)
        json_array_append_new(array, json_string(g_ptr_array_index(chain, i)));
    return array;
}

static json_t *jwk_of(const Certificate *certificate, const Algorithm *algorithm)
{
    const EVP_PKEY *pkey = X509_get0_pubkey(certificate_x509(certificate));
    const char *thumbprint = certificate_thumbprint(certificate);
    json_t *jwk = json_object();
    json_object_set_new(jwk, "kty", json_string(algorithm->curve == NULL ? "RSA" : "EC"));
    json_object_set_new(jwk, "use", json_string("sig"));
    json_object_set_new(jwk, "alg", json_string(algorithm->alg));
    json_object_set_new(jwk, "kid", json_string(thumbprint));
    if (algorithm->curve == NULL) {
        json_object_set_new(jwk, "n", encode_number(pkey, OSSL_PKEY_PARAM_RSA_N, 0));
        json_object_set_new(jwk, "e", encode_number(pkey, OSSL_PKEY_PARAM_RSA_E, 0));
    } else {
        json_object_set_new(jwk, "crv", json_string(algorithm->curve));
        json_object_set_new(jwk, "x", encode_number(pkey, OSSL_PKEY_PARAM_EC_PUB_X, algorithm->coordinate));
        json_object_set_new(jwk, "y", encode_number(pkey, OSSL_PKEY_PARAM_EC_PUB_Y, algorithm->coordinate));
    }
    json_object_set_new(jwk, "x5c", x5c_of(certificate));
    json_object_set_new(jwk, "x5t#S256", json_string(thumbprint));
    return jwk;
}

json_t *jwks_from_certificates(GPtrArray *certificates)
{
    json_t *keys = json_array();
    for (guint i = 0; i < certificates->len; i++) {
        const Certificate *certificate = g_ptr_array_index(certificates, i);
        const Algorithm *algorithm = algorithm_of_key(X509_get0_pubkey(certificate_x509(certificate)));
        /* A key that signs nothing here has no place in the set. */
        if (algorithm != NULL)
            json_array_append_new(keys, jwk_of(certificate, algorithm));
    }
    json_t *set = json_object();
    json_object_set_new(set, "keys", keys);
    return set;
}

/* RFC 7517 4.9 spells it x5t#S256; the OpenAPI document of FSC Core 2.0.0 x5t#s256. */
static gboolean is_named(const json_t *jwk, const char *thumbprint)
{
    return g_strcmp0(json_string_value(json_object_get(jwk, "x5t#S256")), thumbprint) == 0 ||
           g_strcmp0(json_string_value(json_object_get(jwk, "x5t#s256")), thumbprint) == 0;
}

static Certificate *certificate_of_jwk(const json_t *jwk, GError **error)
{
    const json_t *x5c = json_object_get(jwk, "x5c");
    const char *texts[MAX_X5C];
    gsize count = json_array_size(x5c);
    for (gsize i = 0; i < MIN(count, MAX_X5C); i++) {
        const json_t *text = json_array_get(x5c, i);
        texts[i] = json_string_value(text);
        /* A NUL inside would end the text early for us and not for others. */
        if (texts[i] == NULL || strlen(texts[i]) != json_string_length(text)) {
            g_set_error(error, FUNDAMENT_ERROR, FUNDAMENT_ERROR_INVALID,
                        "JWKS: x5c must be an array of strings");
            return NULL;
        }
    }
    return certificate_from_x5c(texts, count, error);
}

Certificate *jwks_find(const json_t *jwks, const char *thumbprint, GError **error)
{
    const json_t *keys = json_object_get(jwks, "keys");
    if (!json_is_array(keys)) {
        g_set_error(error, FUNDAMENT_ERROR, FUNDAMENT_ERROR_INVALID, "JWKS: no array \"keys\" (RFC 7517 5)");
        return NULL;
    }
    const json_t *found = NULL;
    for (gsize i = 0; found == NULL && i < MIN(json_array_size(keys), MAX_KEYS); i++)
        if (is_named(json_array_get(keys, i), thumbprint))
            found = json_array_get(keys, i);
    if (found == NULL) {
        g_set_error(error, FUNDAMENT_ERROR, FUNDAMENT_ERROR_NOT_FOUND,
                    "JWKS: none of the first %d keys has this x5t#S256: %s", MAX_KEYS, thumbprint);
        return NULL;
    }
    g_autoptr(Certificate) certificate = certificate_of_jwk(found, error);
    if (certificate == NULL)
        return NULL;
    if (strcmp(certificate_thumbprint(certificate), thumbprint) != 0) {
        g_set_error(error, FUNDAMENT_ERROR, FUNDAMENT_ERROR_INVALID,
                    "JWKS: the certificate in x5c is not the one that x5t#S256 names: %s", thumbprint);
        return NULL;
    }
    return g_steal_pointer(&certificate);
}
