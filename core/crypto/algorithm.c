#include "core/crypto/algorithm.h"

#include <openssl/core_names.h>
#include <string.h>

#define RSA_MIN_BITS 2048

/* RS256 stands first: it is the one that an RSA key signs with here. */
static const Algorithm ALGORITHMS[] = {
    {"RS256", "SHA256", NULL, NULL, 0},
    {"RS384", "SHA384", NULL, NULL, 0},
    {"RS512", "SHA512", NULL, NULL, 0},
    {"ES256", "SHA256", "P-256", "prime256v1", 32},
    {"ES384", "SHA384", "P-384", "secp384r1", 48},
    {"ES512", "SHA512", "P-521", "secp521r1", 66},
};

const Algorithm *algorithm_find(const char *alg)
{
    for (gsize i = 0; i < G_N_ELEMENTS(ALGORITHMS); i++)
        if (g_strcmp0(alg, ALGORITHMS[i].alg) == 0)
            return &ALGORITHMS[i];
    return NULL;
}

static gboolean key_is_on(const EVP_PKEY *pkey, const char *group)
{
    /* RFC 5480 2.1.1 allows named curves only: explicit parameters are how CVE-2020-0601 forged certificates.
     */
    int explicit_parameters = 0;
    char name[64];
    if (EVP_PKEY_get_int_param(pkey, OSSL_PKEY_PARAM_EC_DECODED_FROM_EXPLICIT_PARAMS, &explicit_parameters) ==
            1 &&
        explicit_parameters != 0)
        return FALSE;
    return EVP_PKEY_get_group_name(pkey, name, sizeof name, NULL) == 1 && strcmp(name, group) == 0;
}

gboolean algorithm_fits(const Algorithm *algorithm, const EVP_PKEY *pkey)
{
    if (pkey == NULL)
        return FALSE;
    if (algorithm->curve == NULL)
        return EVP_PKEY_is_a(pkey, "RSA") && EVP_PKEY_get_bits(pkey) >= RSA_MIN_BITS;
    return EVP_PKEY_is_a(pkey, "EC") && key_is_on(pkey, algorithm->group);
}

const Algorithm *algorithm_of_key(const EVP_PKEY *pkey)
{
    for (gsize i = 0; i < G_N_ELEMENTS(ALGORITHMS); i++)
        if (algorithm_fits(&ALGORITHMS[i], pkey))
            return &ALGORITHMS[i];
    return NULL;
}
