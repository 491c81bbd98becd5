#include "core/crypto/digest.h"

#include <openssl/core_names.h>
#include <openssl/params.h>
#include <string.h>

#include "core/base/bytes.h"
#include "core/base/error.h"
#include "core/crypto/openssl.h"

#define NONCE_SIZE 12
#define TAG_SIZE 16

/* Fetched once: a fetch by name takes a lock and longer than the digest of a short text. Never freed. */
static const EVP_MD *fetch_digest(gsize *once, const char *name)
{
    if (g_once_init_enter(once)) {
        EVP_MD *type = EVP_MD_fetch(NULL, name, NULL);
        if (type == NULL)
            g_error("this OpenSSL has no %s: %s", name, openssl_reason());
        g_once_init_leave(once, (gsize)type);
    }
    return (const EVP_MD *)*once;
}

static void context_free(gpointer context)
{
    EVP_MD_CTX_free(context);
}

/* One context a thread, reused: making one costs as much as hashing a hundred bytes. */
static EVP_MD_CTX *thread_context(void)
{
    static GPrivate key = G_PRIVATE_INIT(context_free);
    EVP_MD_CTX *context = g_private_get(&key);
    if (context == NULL) {
        context = EVP_MD_CTX_new();
        openssl_require(context != NULL, "EVP_MD_CTX_new");
        g_private_set(&key, context);
    }
    return context;
}

static void digest(const EVP_MD *type, const void *data, gsize length, guint8 *out)
{
    EVP_MD_CTX *context = thread_context();
    openssl_require(EVP_DigestInit_ex2(context, type, NULL) == 1 &&
                        EVP_DigestUpdate(context, data, length) == 1 &&
                        EVP_DigestFinal_ex(context, out, NULL) == 1,
                    "a digest");
}

static const EVP_MD *sha256_type(void)
{
    static gsize once;
    return fetch_digest(&once, "SHA256");
}

void sha256(const void *data, gsize length, guint8 out[SHA256_SIZE])
{
    digest(sha256_type(), data, length, out);
}

void sha256_prefixed(guint8 prefix, const void *data, gsize length, guint8 out[SHA256_SIZE])
{
    EVP_MD_CTX *context = thread_context();
    openssl_require(
        EVP_DigestInit_ex2(context, sha256_type(), NULL) == 1 && EVP_DigestUpdate(context, &prefix, 1) == 1 &&
            EVP_DigestUpdate(context, data, length) == 1 && EVP_DigestFinal_ex(context, out, NULL) == 1,
        "SHA-256");
}

void sha3_512(const void *data, gsize length, guint8 out[SHA3_512_SIZE])
{
    static gsize once;
    digest(fetch_digest(&once, "SHA3-512"), data, length, out);
}

static void mac_context_free(gpointer context)
{
    EVP_MAC_CTX_free(context);
}

/* One context a thread with its digest chosen: choosing is a fetch by name. */
static EVP_MAC_CTX *thread_mac_context(void)
{
    static GPrivate key = G_PRIVATE_INIT(mac_context_free);
    EVP_MAC_CTX *context = g_private_get(&key);
    if (context != NULL)
        return context;
    EVP_MAC *mac = EVP_MAC_fetch(NULL, OSSL_MAC_NAME_HMAC, NULL);
    context = mac == NULL ? NULL : EVP_MAC_CTX_new(mac);
    EVP_MAC_free(mac); /* the context holds its own reference */
    OSSL_PARAM params[] = {OSSL_PARAM_utf8_string(OSSL_MAC_PARAM_DIGEST, (char[]){"SHA256"}, 0),
                           OSSL_PARAM_END};
    openssl_require(context != NULL && EVP_MAC_CTX_set_params(context, params) == 1, "HMAC-SHA-256");
    g_private_set(&key, context);
    return context;
}

static void hmac(const void *key, gsize key_length, const void *data, gsize length, guint8 out[SHA256_SIZE])
{
    EVP_MAC_CTX *context = thread_mac_context();
    gsize written;
    /* A NULL key would mean "the key of last time". */
    const void *some_key = key == NULL ? "" : key;
    openssl_require(EVP_MAC_init(context, some_key, key_length, NULL) == 1 &&
                        EVP_MAC_update(context, data, length) == 1 &&
                        EVP_MAC_final(context, out, &written, SHA256_SIZE) == 1 && written == SHA256_SIZE,
                    "HMAC-SHA-256");
}

void hmac_sha256(GBytes *key, const void *data, gsize length, guint8 out[SHA256_SIZE])
{
    gsize key_length;
    const void *key_data = g_bytes_get_data(key, &key_length);
    hmac(key_data, key_length, data, length, out);
}

void hkdf_sha256(const void *secret, gsize secret_length, const char *info, guint8 *out, gsize length)
{
    static const guint8 no_salt[SHA256_SIZE]; /* RFC 5869 2.2: "if not provided, a string of HashLen zeros" */
    if (length > (gsize)255 * SHA256_SIZE)
        g_error("HKDF-SHA-256 gives no more than 8160 bytes (RFC 5869 2.3)");
    guint8 pseudorandom_key[SHA256_SIZE], block[SHA256_SIZE];
    hmac(no_salt, sizeof no_salt, secret, secret_length, pseudorandom_key);
    g_autoptr(GByteArray) input = g_byte_array_new();
    for (guint8 counter = 1; length > 0; counter++) {
        g_byte_array_append(input, (const guint8 *)info, (guint)strlen(info));
        g_byte_array_append(input, &counter, 1);
        hmac(pseudorandom_key, sizeof pseudorandom_key, input->data, input->len, block);
        gsize part = MIN(length, sizeof block);
        memcpy(out, block, part);
        out += part;
        length -= part;
        secret_wipe(input->data, input->len);
        g_byte_array_set_size(input, 0);
        g_byte_array_append(input, block, sizeof block);
    }
    secret_wipe(input->data, input->len);
    secret_wipe(pseudorandom_key, sizeof pseudorandom_key);
    secret_wipe(block, sizeof block);
}

static const EVP_CIPHER *aes_256_gcm(void)
{
    static gsize once;
    if (g_once_init_enter(&once)) {
        EVP_CIPHER *cipher = EVP_CIPHER_fetch(NULL, "AES-256-GCM", NULL);
        if (cipher == NULL)
            g_error("this OpenSSL has no AES-256-GCM: %s", openssl_reason());
        g_once_init_leave(&once, (gsize)cipher);
    }
    return (const EVP_CIPHER *)once;
}

/* OpenSSL counts cipher text in int. Nothing that is sealed comes near it. */
static int int_length(gsize length)
{
    if (length > G_MAXINT / 2)
        g_error("more than a gibibyte to seal at once");
    return (int)length;
}

GBytes *seal(const guint8 key[32], const char *context, const void *data, gsize length)
{
    g_autoptr(EVP_CIPHER_CTX) cipher = EVP_CIPHER_CTX_new();
    guint8 *out = g_malloc(NONCE_SIZE + length + TAG_SIZE);
    int n, size = int_length(length);
    random_fill(out, NONCE_SIZE);
    gboolean ok =
        cipher != NULL && EVP_EncryptInit_ex2(cipher, aes_256_gcm(), key, out, NULL) == 1 &&
        EVP_EncryptUpdate(cipher, NULL, &n, (const guint8 *)context, int_length(strlen(context))) == 1 &&
        (size == 0 || EVP_EncryptUpdate(cipher, out + NONCE_SIZE, &n, data, size) == 1) &&
        EVP_EncryptFinal_ex(cipher, out + NONCE_SIZE + length, &n) == 1 &&
        EVP_CIPHER_CTX_ctrl(cipher, EVP_CTRL_GCM_GET_TAG, TAG_SIZE, out + NONCE_SIZE + length) == 1;
    openssl_require(ok, "AES-256-GCM");
    return g_bytes_new_take(out, NONCE_SIZE + length + TAG_SIZE);
}

/* TRUE when the tag fits; only then may `out` be used. */
static gboolean open_sealed(const guint8 key[32], const char *context, const guint8 *sealed, gsize length,
                            guint8 *out)
{
    g_autoptr(EVP_CIPHER_CTX) cipher = EVP_CIPHER_CTX_new();
    guint8 tag[TAG_SIZE];
    int n;
    memcpy(tag, sealed + NONCE_SIZE + length, TAG_SIZE);
    openssl_require(
        cipher != NULL && EVP_DecryptInit_ex2(cipher, aes_256_gcm(), key, sealed, NULL) == 1 &&
            EVP_CIPHER_CTX_ctrl(cipher, EVP_CTRL_GCM_SET_TAG, TAG_SIZE, tag) == 1 &&
            EVP_DecryptUpdate(cipher, NULL, &n, (const guint8 *)context, int_length(strlen(context))) == 1,
        "AES-256-GCM");
    if (length > 0)
        openssl_require(EVP_DecryptUpdate(cipher, out, &n, sealed + NONCE_SIZE, int_length(length)) == 1,
                        "AES-256-GCM");
    return EVP_DecryptFinal_ex(cipher, out + length, &n) == 1;
}

GBytes *unseal(const guint8 key[32], const char *context, GBytes *sealed, GError **error)
{
    gsize size;
    const guint8 *data = g_bytes_get_data(sealed, &size);
    if (size < NONCE_SIZE + TAG_SIZE) {
        g_set_error(error, FUNDAMENT_ERROR, FUNDAMENT_ERROR_DENIED,
                    "sealed bytes are too short: %" G_GSIZE_FORMAT, size);
        return NULL;
    }
    gsize length = size - NONCE_SIZE - TAG_SIZE;
    g_autofree guint8 *plain = g_malloc(length + 1);
    gboolean opened = open_sealed(key, context, data, length, plain);
    GBytes *result = opened ? secret_bytes_new(plain, length) : NULL;
    secret_wipe(plain, length);
    if (result == NULL) {
        openssl_reason(); /* empties the queue */
        g_set_error(error, FUNDAMENT_ERROR, FUNDAMENT_ERROR_DENIED,
                    "sealed bytes do not open: another key, another context, or changed");
    }
    return result;
}
