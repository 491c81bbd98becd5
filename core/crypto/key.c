#include "core/crypto/key.h"

#include <openssl/pem.h>
#include <string.h>

#include "core/base/bytes.h"
#include "core/base/error.h"
#include "core/crypto/algorithm.h"
#include "core/crypto/file.h"
#include "core/crypto/openssl.h"

#define MAX_BYTES 65536

struct key {
    gatomicrefcount references;
    EVP_PKEY *pkey;
};

/* Takes the reference. */
static Key *key_of(EVP_PKEY *pkey)
{
    Key *key = g_new0(Key, 1);
    g_atomic_ref_count_init(&key->references);
    key->pkey = pkey;
    return key;
}

static EVP_PKEY *invalid(GError **error, const char *path, const char *reason)
{
    g_set_error(error, FUNDAMENT_ERROR, FUNDAMENT_ERROR_INVALID, "%s: %s", path, reason);
    return NULL;
}

static EVP_PKEY *pkey_from_pkcs8(const unsigned char *der, long length, const char *path, GError **error)
{
    const unsigned char *position = der;
    g_autoptr(PKCS8_PRIV_KEY_INFO) info = d2i_PKCS8_PRIV_KEY_INFO(NULL, &position, length);
    g_autoptr(EVP_PKEY) pkey = info == NULL || position != der + length ? NULL : EVP_PKCS82PKEY(info);
    if (pkey == NULL) {
        const char *reason = openssl_reason();
        g_set_error(error, FUNDAMENT_ERROR, FUNDAMENT_ERROR_INVALID, "%s: not a PKCS#8 key: %s", path,
                    reason);
        return NULL;
    }
    if (algorithm_of_key(pkey) == NULL)
        return invalid(error, path, "use RSA of 2048 bits or more, or EC on P-256, P-384 or P-521");
    return g_steal_pointer(&pkey);
}

/* The first block of the file must be the key. */
static EVP_PKEY *pkey_from_pem(const FileText *text, const char *path, GError **error)
{
    g_autoptr(BIO) in = BIO_new_mem_buf(text->data, (int)text->length);
    char *name = NULL, *header = NULL;
    unsigned char *der = NULL;
    long length = 0;
    if (PEM_read_bio(in, &name, &header, &der, &length) != 1) {
        openssl_reason();
        return invalid(error, path, "no key in PEM");
    }
    EVP_PKEY *pkey;
    if (strcmp(name, PEM_STRING_PKCS8INF) == 0)
        pkey = pkey_from_pkcs8(der, length, path, error);
    else if (strcmp(name, PEM_STRING_PKCS8) == 0)
        pkey = invalid(error, path, "the key is encrypted; run: openssl pkey -in FILE -out PLAIN");
    else
        pkey = invalid(error, path, "not PKCS#8 (BEGIN PRIVATE KEY); run: openssl pkey -in FILE -out PKCS8");
    OPENSSL_free(name);
    OPENSSL_free(header);
    OPENSSL_clear_free(der, (gsize)length);
    return pkey;
}

Key *key_load(const char *path, GError **error)
{
    g_autoptr(FileText) text = file_text_read(path, MAX_BYTES, TRUE, error);
    EVP_PKEY *pkey = text == NULL ? NULL : pkey_from_pem(text, path, error);
    return pkey == NULL ? NULL : key_of(pkey);
}

Key *key_generate_p256(void)
{
    EVP_PKEY *pkey = EVP_EC_gen("P-256");
    openssl_require(pkey != NULL, "EVP_EC_gen");
    return key_of(pkey);
}

gboolean key_save(const Key *key, const char *path, GError **error)
{
    char *pem;
    g_autoptr(BIO) out = BIO_new(BIO_s_secmem());
    openssl_require(out != NULL &&
                        PEM_write_bio_PKCS8PrivateKey(out, key->pkey, NULL, NULL, 0, NULL, NULL) == 1,
                    "PEM_write_bio_PKCS8PrivateKey");
    long length = BIO_get_mem_data(out, &pem);
    return file_replace(path, pem, (gsize)length, 0600, error);
}

Key *key_ref(const Key *key)
{
    Key *same = (Key *)key; /* only the count changes */
    g_atomic_ref_count_inc(&same->references);
    return same;
}

void key_unref(Key *key)
{
    if (key == NULL || !g_atomic_ref_count_dec(&key->references))
        return;
    EVP_PKEY_free(key->pkey);
    g_free(key);
}

EVP_PKEY *key_pkey(const Key *key)
{
    return key->pkey;
}

static GBytes *secret_load(const char *path, gsize length, GError **error)
{
    g_autoptr(FileText) text = file_text_read(path, MAX_BYTES, TRUE, error);
    if (text == NULL)
        return NULL;
    if (text->length == length)
        return secret_bytes_new(text->data, text->length);
    g_set_error(error, FUNDAMENT_ERROR, FUNDAMENT_ERROR_INVALID,
                "%s: a secret of %" G_GSIZE_FORMAT " bytes was expected, not %" G_GSIZE_FORMAT
                "; put the right file back from the backup",
                path, length, text->length);
    return NULL;
}

/* FALSE only when it can be neither made nor found: when another process was first, its secret counts. */
static gboolean secret_create(const char *path, gsize length, GError **error)
{
    g_autoptr(GError) failure = NULL;
    guint8 *data = g_malloc(length);
    random_fill(data, length);
    gboolean created = file_create(path, data, length, 0600, &failure);
    secret_wipe(data, length);
    g_free(data);
    if (created || g_error_matches(failure, FUNDAMENT_ERROR, FUNDAMENT_ERROR_CONFLICT))
        return TRUE;
    g_propagate_error(error, g_steal_pointer(&failure));
    return FALSE;
}

GBytes *secret_load_or_create(const char *path, gsize length, GError **error)
{
    if (!g_file_test(path, G_FILE_TEST_EXISTS) && !secret_create(path, length, error))
        return NULL;
    return secret_load(path, length, error);
}
