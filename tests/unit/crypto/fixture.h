/* What several tests of core/crypto need: a folder of their own, keys and certificates of any shape, the
 * `openssl` command as an oracle. Functions assert: a test that cannot prepare itself has failed. */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <glib/gstdio.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <string.h>
#include <sys/stat.h>

#include "core/base/error.h"
#include "core/crypto/certificate.h"
#include "core/crypto/key.h"
#include "core/crypto/pki.h"

#define NOW 1795286400 /* 2026-11-21 16:00 UTC */
#define DAY (24 * 3600)
#define OIN "00000001823288444000"

G_DEFINE_AUTOPTR_CLEANUP_FUNC(EVP_PKEY, EVP_PKEY_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(X509, X509_free)

#define assert_ok(expression, error)                                                                         \
    do {                                                                                                     \
        if (!(expression))                                                                                   \
            fail_msg("%s: %s", #expression, (error) == NULL ? "no reason" : (error)->message);               \
    } while (0)

/* The domain, the code, and a part of the message: so that a refusal for another reason fails the test.
 * Clears. */
#define assert_refused(refusal, quark, wanted, part)                                                         \
    do {                                                                                                     \
        assert_non_null(refusal);                                                                            \
        if (!g_error_matches((refusal), (quark), (wanted)) || strstr((refusal)->message, (part)) == NULL)    \
            fail_msg("refused for another reason: %s %d %s", g_quark_to_string((refusal)->domain),           \
                     (refusal)->code, (refusal)->message);                                                   \
        g_clear_error(&(refusal));                                                                           \
    } while (0)

static inline void folder_remove(const char *folder)
{
    g_autoptr(GDir) entries = g_dir_open(folder, 0, NULL);
    const char *name;
    while (entries != NULL && (name = g_dir_read_name(entries)) != NULL) {
        g_autofree char *path = g_build_filename(folder, name, NULL);
        if (g_file_test(path, G_FILE_TEST_IS_DIR) && !g_file_test(path, G_FILE_TEST_IS_SYMLINK))
            folder_remove(path);
        else
            g_unlink(path);
    }
    g_rmdir(folder);
}

/* cmocka set-up and teardown: *state is the path of an empty folder. */
static inline int folder_setup(void **state)
{
    *state = g_dir_make_tmp("fundament-crypto-XXXXXX", NULL);
    return *state == NULL ? -1 : 0;
}

static inline int folder_teardown(void **state)
{
    folder_remove(*state);
    g_free(*state);
    return 0;
}

#define with_folder(test) cmocka_unit_test_setup_teardown(test, folder_setup, folder_teardown)

static inline char *in_folder(void **state, const char *name)
{
    return g_build_filename(*state, name, NULL);
}

/* The path of something in the folder of external data, or NULL: then the caller has been marked as skipped.
 */
static inline char *external_data(const char *name)
{
    const char *root = g_getenv("FUNDAMENT_DATA");
    if (root == NULL || !g_file_test(root, G_FILE_TEST_IS_DIR)) {
        print_message("skipped: no ../shared/data\n");
        return NULL;
    }
    return g_build_filename(root, name, NULL);
}

static inline void write_text(const char *path, const char *text, int mode)
{
    assert_true(g_file_set_contents(path, text, -1, NULL));
    assert_int_equal(g_chmod(path, mode), 0);
}

static inline guint mode_of(const char *path)
{
    struct stat status;
    assert_int_equal(g_stat(path, &status), 0);
    return status.st_mode & 07777;
}

/* `openssl ...` inside `folder`; the words up to NULL. TRUE when it ends with 0. */
static inline gboolean openssl_command(const char *folder, ...)
{
    g_autoptr(GPtrArray) words = g_ptr_array_new();
    va_list list;
    g_ptr_array_add(words, (char[]){"openssl"});
    va_start(list, folder);
    for (char *word = va_arg(list, char *); word != NULL; word = va_arg(list, char *))
        g_ptr_array_add(words, word);
    va_end(list);
    g_ptr_array_add(words, NULL);
    int status = -1;
    g_autofree char *out = NULL, *err = NULL;
    return g_spawn_sync(folder, (char **)words->pdata, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL, &out, &err,
                        &status, NULL) &&
           g_spawn_check_wait_status(status, NULL);
}

static inline gboolean openssl_is_there(void)
{
    g_autofree char *path = g_find_program_in_path("openssl");
    return path != NULL;
}

static inline char *pem_of_key(EVP_PKEY *pkey)
{
    BIO *out = BIO_new(BIO_s_mem());
    char *text;
    assert_int_equal(PEM_write_bio_PKCS8PrivateKey(out, pkey, NULL, NULL, 0, NULL, NULL), 1);
    long length = BIO_get_mem_data(out, &text);
    char *pem = g_strndup(text, (gsize)length);
    BIO_free(out);
    return pem;
}

/* Through a file, since that is the only way to make a Key of another kind. */
static inline Key *key_of_pkey(void **state, EVP_PKEY *pkey)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *path = in_folder(state, "some.key");
    g_autofree char *pem = pem_of_key(pkey);
    write_text(path, pem, 0600);
    Key *key = key_load(path, &error);
    assert_ok(key != NULL, error);
    return key;
}

static inline GBytes *der_of_x509(X509 *x509)
{
    unsigned char *der = NULL;
    int length = i2d_X509(x509, &der);
    assert_true(length > 0);
    GBytes *bytes = g_bytes_new(der, (gsize)length);
    OPENSSL_free(der);
    return bytes;
}

/* A certificate of version 3 for `subject_key`, signed by `issuer_key`; names and extensions are for the
 * caller. */
static inline X509 *x509_blank(EVP_PKEY *subject_key)
{
    X509 *x509 = X509_new();
    assert_int_equal(X509_set_version(x509, X509_VERSION_3), 1);
    ASN1_INTEGER_set(X509_get_serialNumber(x509), 4711);
    ASN1_TIME_set(X509_getm_notBefore(x509), NOW - DAY);
    ASN1_TIME_set(X509_getm_notAfter(x509), NOW + 365 * DAY);
    assert_int_equal(X509_set_pubkey(x509, subject_key), 1);
    return x509;
}

static inline void x509_add_name(X509 *x509, int nid, const char *text, int length)
{
    assert_int_equal(X509_NAME_add_entry_by_NID(X509_get_subject_name(x509), nid, MBSTRING_UTF8,
                                                (const unsigned char *)text, length, -1, 0),
                     1);
}

static inline void x509_add_extension(X509 *x509, X509 *issuer, int nid, const char *value)
{
    X509V3_CTX context;
    X509V3_set_ctx(&context, issuer, x509, NULL, NULL, 0);
    X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, &context, nid, value);
    assert_non_null(extension);
    assert_int_equal(X509_add_ext(x509, extension, -1), 1);
    X509_EXTENSION_free(extension);
}

/* Signs and goes through DER, as a certificate from elsewhere would. `digest` NULL for EdDSA. */
static inline Certificate *certificate_signed(X509 *x509, EVP_PKEY *issuer_key, const EVP_MD *digest)
{
    g_autoptr(GError) error = NULL;
    assert_true(X509_sign(x509, issuer_key, digest) > 0);
    g_autoptr(GBytes) der = der_of_x509(x509);
    Certificate *certificate = certificate_parse(g_bytes_get_data(der, NULL), g_bytes_get_size(der), &error);
    assert_ok(certificate != NULL, error);
    return certificate;
}

/* Self-signed over this key, with nothing in it but a common name. */
static inline Certificate *certificate_of_pkey(EVP_PKEY *pkey)
{
    g_autoptr(X509) x509 = x509_blank(pkey);
    x509_add_name(x509, NID_commonName, "test", -1);
    assert_int_equal(X509_set_issuer_name(x509, X509_get_subject_name(x509)), 1);
    return certificate_signed(x509, pkey, EVP_sha256());
}

/* A test PKI in the folder, and one leaf "peer" that is valid from yesterday for a year. */
static inline PkiLeaf leaf_of(const char *oin, const char *const *domains)
{
    PkiLeaf leaf = {.oin = oin,
                    .organization = "Gemeente Voorbeeld",
                    .common_name = "peer.test",
                    .domains = domains,
                    .not_before = NOW - DAY,
                    .not_after = NOW + 365 * DAY};
    return leaf;
}

static inline Certificate *issue(void **state, const PkiLeaf *leaf, const char *name)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *file = g_strconcat(name, ".crt", NULL);
    g_autofree char *path = in_folder(state, file);
    assert_ok(pki_issue(*state, leaf, *state, name, &error), error);
    Certificate *certificate = certificate_load(path, &error);
    assert_ok(certificate != NULL, error);
    return certificate;
}

/* As folder_setup, with a PKI in it. */
static inline int pki_setup(void **state)
{
    return folder_setup(state) == 0 && pki_create(*state, "unit", NOW - 10 * DAY, NULL) ? 0 : -1;
}

#define with_pki(test) cmocka_unit_test_setup_teardown(test, pki_setup, folder_teardown)
