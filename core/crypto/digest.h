/* Digests and keyed digests, on OpenSSL EVP. All functions are thread safe and do not fail: an OpenSSL
 * without these algorithms ends the process at first use. */
#pragma once

#include <glib.h>

#define SHA256_SIZE 32
#define SHA3_512_SIZE 64

void sha256(const void *data, gsize length, guint8 out[SHA256_SIZE]);
/* Of `prefix` and then the data: how hashes of different meaning are kept apart. */
void sha256_prefixed(guint8 prefix, const void *data, gsize length, guint8 out[SHA256_SIZE]);
void sha3_512(const void *data, gsize length, guint8 out[SHA3_512_SIZE]);
void hmac_sha256(GBytes *key, const void *data, gsize length, guint8 out[SHA256_SIZE]);

/* HKDF-SHA-256, RFC 5869, empty salt. */
void hkdf_sha256(const void *secret, gsize secret_length, const char *info, guint8 *out, gsize length);

/* AES-256-GCM with a random nonce: nonce(12) || ciphertext || tag(16). `context` is authenticated, not
 * encrypted. */
GBytes *seal(const guint8 key[32], const char *context, const void *data, gsize length);

/* NULL with FUNDAMENT_ERROR_DENIED when key, context or bytes are not those of seal(). The result is wiped on
 * free. */
GBytes *unseal(const guint8 key[32], const char *context, GBytes *sealed, GError **error);
