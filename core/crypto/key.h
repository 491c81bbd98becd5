/* Private keys. A file today, a PKCS#11 token later: nobody outside core/crypto sees the key itself.
 * Immutable, reference counted, usable from several threads at once. */
#pragma once

#include <glib.h>
#include <openssl/evp.h>

typedef struct key Key;

/* PEM, PKCS#8. RSA of 2048 bits or more, or EC on P-256, P-384, P-521. Refuses a file that others than the
 * owner can read (mode & 077), with the mend in the message. NULL with FUNDAMENT_ERROR_NOT_FOUND, _IO,
 * _LIMIT, _DENIED (the mode) or _INVALID (no such key). */
Key *key_load(const char *path, GError **error);
Key *key_generate_p256(void);
gboolean key_save(const Key *key, const char *path, GError **error); /* mode 0600, atomically */
Key *key_ref(const Key *key);
void key_unref(Key *key);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Key, key_unref)

EVP_PKEY *key_pkey(const Key *key); /* borrowed; for core/crypto and TLS set-up only */

/* A secret of `length` random bytes kept in a file of mode 0600, made when it is not there yet; processes
 * that make it at the same time get the same one. NULL with _INVALID when the file has another length,
 * _DENIED when others can read it. */
GBytes *secret_load_or_create(const char *path, gsize length, GError **error);
