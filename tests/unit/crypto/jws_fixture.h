/* What the tests of JWS share: signers of each kind, and JWS made by OpenSSL itself or put together by hand.
 */
#pragma once

#include "tests/unit/crypto/fixture.h"

#include <openssl/rsa.h>

#include "core/base/bytes.h"
#include "core/crypto/jws.h"
#include "core/format/json.h"

static inline char *compact_of(const char *header, const char *payload, const char *signature)
{
    g_autofree char *first = base64url_encode(header, strlen(header));
    g_autofree char *second = base64url_encode(payload, strlen(payload));
    return g_strjoin(".", first, second, signature, NULL);
}

static inline void assert_parse_refused(const char *compact, JwsError code, const char *part)
{
    g_autoptr(GError) error = NULL;
    assert_null(jws_parse(compact, &error));
    assert_refused(error, JWS_ERROR, code, part);
}

static inline void assert_header_refused(const char *header, JwsError code, const char *part)
{
    g_autofree char *compact = compact_of(header, "{}", "AAAA");
    assert_parse_refused(compact, code, part);
}

static inline void assert_verifies(const char *compact, const Certificate *certificate)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(Jws) jws = jws_parse(compact, &error);
    assert_ok(jws != NULL, error);
    assert_ok(jws_verify(jws, certificate, &error), error);
}

static inline void assert_verify_refused(const char *compact, const Certificate *certificate, JwsError code,
                                         const char *part)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(Jws) jws = jws_parse(compact, &error);
    assert_ok(jws != NULL, error);
    assert_false(jws_verify(jws, certificate, &error));
    assert_refused(error, JWS_ERROR, code, part);
}

/* A key of one kind, a certificate over it, and what they sign with. */
typedef struct {
    EVP_PKEY *pkey;
    Key *key;
    Certificate *certificate;
} Signer;

static inline void signer_clear(Signer *signer)
{
    EVP_PKEY_free(signer->pkey);
    key_unref(signer->key);
    certificate_unref(signer->certificate);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Signer, signer_clear)

/* Takes `pkey`. */
static inline Signer signer_of(void **state, EVP_PKEY *pkey)
{
    Signer signer = {pkey, key_of_pkey(state, pkey), certificate_of_pkey(pkey)};
    return signer;
}

static inline char *sign_text(const Signer *signer, const char *payload)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(json_t) value = json_parse_strict(payload, -1, NULL, &error);
    assert_ok(value != NULL, error);
    char *compact = jws_sign(value, signer->key, signer->certificate, NULL, &error);
    assert_ok(compact != NULL, error);
    return compact;
}

static inline char *header_for(const Signer *signer, const char *alg)
{
    return g_strdup_printf("{\"alg\":\"%s\",\"x5t#S256\":\"%s\"}", alg,
                           certificate_thumbprint(signer->certificate));
}

/* A signature made by OpenSSL itself, DER or PKCS#1 v1.5, over header and payload; PSS when asked. */
static inline GBytes *raw_signature(EVP_PKEY *pkey, const char *digest, gboolean pss, const char *text)
{
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    EVP_PKEY_CTX *parameters;
    gsize length = 0;
    assert_int_equal(EVP_DigestSignInit_ex(context, &parameters, digest, NULL, NULL, pkey, NULL), 1);
    if (pss)
        assert_int_equal(EVP_PKEY_CTX_set_rsa_padding(parameters, RSA_PKCS1_PSS_PADDING), 1);
    assert_int_equal(EVP_DigestSign(context, NULL, &length, (const guint8 *)text, strlen(text)), 1);
    guint8 *signature = g_malloc(length);
    assert_int_equal(EVP_DigestSign(context, signature, &length, (const guint8 *)text, strlen(text)), 1);
    EVP_MD_CTX_free(context);
    return g_bytes_new_take(signature, length);
}

/* DER to r||s, written here once more so that a mistake in the code is not repeated in the test's eyes: by
 * hand. */
static inline GBytes *concatenated(GBytes *der, gsize coordinate)
{
    gsize length;
    const guint8 *data = g_bytes_get_data(der, &length);
    guint8 *out = g_malloc0(2 * coordinate);
    gsize at = data[1] == 0x81 ? 3 : 2;
    for (gsize i = 0; i < 2; i++) {
        gsize size = data[at + 1];
        const guint8 *number = data + at + 2;
        at += 2 + size;
        for (; size > 0 && *number == 0; size--)
            number++;
        memcpy(out + (i + 1) * coordinate - size, number, size);
    }
    assert_int_equal(at, length);
    return g_bytes_new_take(out, 2 * coordinate);
}

static inline char *join_signature(const char *signing_input, GBytes *signature)
{
    g_autofree char *encoded =
        base64url_encode(g_bytes_get_data(signature, NULL), g_bytes_get_size(signature));
    return g_strjoin(".", signing_input, encoded, NULL);
}

static inline char *signing_input_of(const char *header, const char *payload)
{
    char *compact = compact_of(header, payload, "");
    compact[strlen(compact) - 1] = '\0';
    return compact;
}

/* r||s back to DER for the command, by its own reader of ASN.1 and not by ours. */
static inline GBytes *der_of_raw(GBytes *raw)
{
    gsize coordinate = g_bytes_get_size(raw) / 2;
    const guint8 *data = g_bytes_get_data(raw, NULL);
    g_autoptr(GByteArray) body = g_byte_array_new();
    for (gsize i = 0; i < 2; i++) {
        const guint8 *number = data + i * coordinate;
        gsize size = coordinate;
        for (; size > 1 && *number == 0; size--)
            number++;
        guint8 head[3] = {0x02, (guint8)(size + (*number >= 0x80)), 0};
        g_byte_array_append(body, head, *number >= 0x80 ? 3 : 2);
        g_byte_array_append(body, number, (guint)size);
    }
    guint8 head[3] = {0x30, 0x81, (guint8)body->len};
    if (body->len < 0x80) {
        head[1] = (guint8)body->len;
        g_byte_array_prepend(body, head, 2);
    } else {
        g_byte_array_prepend(body, head, 3);
    }
    return g_byte_array_free_to_bytes(g_steal_pointer(&body));
}

static inline char *with_signature(const char *compact, const void *data, gsize length)
{
    g_autofree char *input = g_strndup(compact, (gsize)(strrchr(compact, '.') - compact));
    g_autoptr(GBytes) signature = g_bytes_new(data, length);
    return join_signature(input, signature);
}
