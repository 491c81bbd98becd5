#include "core/crypto/certificate.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <string.h>

#include "core/base/bytes.h"
#include "core/base/error.h"
#include "core/base/identifiers.h"
#include "core/crypto/certificate_chain.h"
#include "core/crypto/digest.h"
#include "core/crypto/file.h"
#include "core/crypto/openssl.h"

#define MAX_CERTIFICATES 10
#define MAX_BYTES 65536

struct certificate {
    gatomicrefcount references;
    GPtrArray *chain; /* of X509*, the leaf first */
    char *thumbprint;
    char *public_key_thumbprint;
    char *peer_id;
    char *peer_name;
    char *serial;
    gint64 not_before, not_after;
};

static void x509_free(gpointer x509)
{
    X509_free(x509);
}

static gboolean invalid(GError **error, const char *reason)
{
    g_set_error(error, FUNDAMENT_ERROR, FUNDAMENT_ERROR_INVALID, "certificate: %s", reason);
    return FALSE;
}

/* The text of the only attribute of this kind in the subject; NULL when there is none, there are two, or it
 * is not clean UTF-8 (a NUL inside would make two readers see two names). */
static char *subject_attribute(const X509 *x509, int nid)
{
    const X509_NAME *subject = X509_get_subject_name(x509);
    int index = X509_NAME_get_index_by_NID(subject, nid, -1);
    if (index < 0 || X509_NAME_get_index_by_NID(subject, nid, index) >= 0)
        return NULL;
    unsigned char *utf8 = NULL;
    int length = ASN1_STRING_to_UTF8(&utf8, X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, index)));
    char *text = length > 0 && g_utf8_validate((const char *)utf8, length, NULL)
                     ? g_strndup((const char *)utf8, (gsize)length)
                     : NULL;
    OPENSSL_free(utf8);
    return text;
}

static char *peer_id_of(const X509 *x509)
{
    g_autofree char *text = subject_attribute(x509, NID_serialNumber);
    return oin_valid(text) ? g_steal_pointer(&text) : NULL;
}

static char *serial_of(X509 *x509)
{
    g_autoptr(BIO) out = BIO_new(BIO_s_mem());
    char *text;
    openssl_require(out != NULL && i2a_ASN1_INTEGER(out, X509_get0_serialNumber(x509)) > 0,
                    "i2a_ASN1_INTEGER");
    long length = BIO_get_mem_data(out, &text);
    return g_strndup(text, (gsize)length);
}

static char *thumbprint_of(X509 *x509)
{
    guint8 hash[SHA256_SIZE];
    unsigned char *der = NULL;
    int length = i2d_X509(x509, &der);
    openssl_require(length > 0, "i2d_X509");
    sha256(der, (gsize)length, hash);
    OPENSSL_free(der);
    return base64url_encode(hash, sizeof hash);
}

static char *public_key_thumbprint_of(X509 *x509)
{
    guint8 hash[SHA256_SIZE];
    unsigned char *der = NULL;
    int length = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(x509), &der);
    openssl_require(length > 0, "i2d_X509_PUBKEY");
    sha256(der, (gsize)length, hash);
    OPENSSL_free(der);
    return hex_encode(hash, sizeof hash);
}

/* Exactly one certificate and nothing behind it, in DER and not merely BER: two encodings of one certificate
 * would have two thumbprints. */
static X509 *x509_from_der(const guint8 *der, gsize length, GError **error)
{
    const unsigned char *position = der;
    unsigned char *again = NULL;
    g_autoptr(X509) x509 = length > MAX_BYTES ? NULL : d2i_X509(NULL, &position, (long)length);
    if (x509 == NULL || position != der + length) {
        invalid(error, x509 == NULL ? openssl_reason() : "bytes behind the end");
        return NULL;
    }
    int again_length = i2d_X509(x509, &again);
    gboolean same = again_length > 0 && (gsize)again_length == length && memcmp(again, der, length) == 0;
    OPENSSL_free(again);
    if (!same) {
        invalid(error, "not in DER (X.690 section 10)");
        return NULL;
    }
    X509_check_purpose(x509, -1, 0); /* fills the caches of extensions now, on one thread */
    X509_get0_pubkey(x509);
    openssl_reason();
    return g_steal_pointer(&x509);
}

static gboolean add_der(GPtrArray *chain, const guint8 *der, gsize length, GError **error)
{
    if (chain->len == MAX_CERTIFICATES)
        return invalid(error, "more than 10 in one chain");
    X509 *x509 = x509_from_der(der, length, error);
    if (x509 == NULL)
        return FALSE;
    g_ptr_array_add(chain, x509);
    return TRUE;
}

/* One block of PEM that holds a certificate; other kinds (a key that stands in the same file) are passed
 * over. */
static gboolean add_pem_block(GPtrArray *chain, const char *name, const char *header, const guint8 *der,
                              long length, GError **error)
{
    if (strcmp(name, PEM_STRING_X509) != 0)
        return TRUE;
    if (header[0] != '\0')
        return invalid(error, "PEM with headers (encrypted?)");
    return add_der(chain, der, (gsize)length, error);
}

static gboolean add_pem(GPtrArray *chain, const void *data, gsize length, GError **error)
{
    g_autoptr(BIO) in = BIO_new_mem_buf(data, (int)length);
    char *name = NULL, *header = NULL;
    unsigned char *der = NULL;
    long der_length = 0;
    gboolean ok = TRUE;
    ERR_clear_error();
    while (ok && PEM_read_bio(in, &name, &header, &der, &der_length) == 1) {
        ok = add_pem_block(chain, name, header, der, der_length, error);
        OPENSSL_free(name);
        OPENSSL_free(header);
        OPENSSL_clear_free(der, (gsize)der_length);
    }
    if (!ok)
        return FALSE;
    /* PEM_R_NO_START_LINE is how the end looks; anything else is a damaged block. */
    gboolean at_end = ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;
    const char *reason = openssl_reason();
    if (!at_end)
        return invalid(error, reason);
    return chain->len > 0 || invalid(error, "no BEGIN CERTIFICATE in the text");
}

/* Takes the chain. */
static Certificate *certificate_of_chain(GPtrArray *chain, GError **error)
{
    g_autoptr(Certificate) certificate = g_new0(Certificate, 1);
    g_atomic_ref_count_init(&certificate->references);
    certificate->chain = chain;
    X509 *leaf = g_ptr_array_index(chain, 0);
    if (!openssl_time_to_unix(X509_get0_notBefore(leaf), &certificate->not_before) ||
        !openssl_time_to_unix(X509_get0_notAfter(leaf), &certificate->not_after)) {
        invalid(error, "its validity is not in times (RFC 5280 4.1.2.5)");
        return NULL;
    }
    certificate->thumbprint = thumbprint_of(leaf);
    certificate->public_key_thumbprint = public_key_thumbprint_of(leaf);
    certificate->serial = serial_of(leaf);
    certificate->peer_id = peer_id_of(leaf);
    certificate->peer_name = subject_attribute(leaf, NID_organizationName);
    return g_steal_pointer(&certificate);
}

Certificate *certificate_parse(const void *data, gsize length, GError **error)
{
    const guint8 *bytes = data;
    if (length == 0 || length > MAX_BYTES) {
        invalid(error, length == 0 ? "empty" : "larger than 64 KiB");
        return NULL;
    }
    g_autoptr(GPtrArray) chain = g_ptr_array_new_with_free_func(x509_free);
    /* DER is a SEQUENCE of more than 127 bytes, so the second byte is no character. */
    gboolean der = length > 1 && bytes[0] == 0x30 && bytes[1] >= 0x80;
    if (!(der ? add_der(chain, bytes, length, error) : add_pem(chain, data, length, error)))
        return NULL;
    return certificate_of_chain(g_steal_pointer(&chain), error);
}

Certificate *certificate_load(const char *path, GError **error)
{
    g_autoptr(FileText) text = file_text_read(path, MAX_BYTES, FALSE, error);
    if (text == NULL)
        return NULL;
    Certificate *certificate = certificate_parse(text->data, text->length, error);
    if (certificate == NULL)
        g_prefix_error(error, "%s: ", path);
    return certificate;
}

/* Canonical base64 only: g_base64_decode passes over what it does not know, so the text must come back the
 * same. */
static gboolean add_base64(GPtrArray *chain, const char *text, GError **error)
{
    gsize length;
    g_autofree guchar *der = g_base64_decode(text, &length);
    g_autofree char *again = g_base64_encode(der, length);
    if (strcmp(text, again) != 0)
        return invalid(error, "x5c is not plain base64 (RFC 7517 4.7)");
    return add_der(chain, der, length, error);
}

Certificate *certificate_from_x5c(const char *const *der_base64, gsize count, GError **error)
{
    gsize total = 0;
    if (count == 0 || count > MAX_CERTIFICATES) {
        invalid(error, "x5c must hold 1 to 10 certificates");
        return NULL;
    }
    g_autoptr(GPtrArray) chain = g_ptr_array_new_with_free_func(x509_free);
    for (gsize i = 0; i < count; i++) {
        total += strlen(der_base64[i]);
        if (total > MAX_BYTES) {
            invalid(error, "x5c is larger than 64 KiB");
            return NULL;
        }
        if (!add_base64(chain, der_base64[i], error))
            return NULL;
    }
    return certificate_of_chain(g_steal_pointer(&chain), error);
}

Certificate *certificate_ref(const Certificate *certificate)
{
    Certificate *same = (Certificate *)certificate; /* only the count changes */
    g_atomic_ref_count_inc(&same->references);
    return same;
}

void certificate_unref(Certificate *certificate)
{
    if (certificate == NULL || !g_atomic_ref_count_dec(&certificate->references))
        return;
    g_ptr_array_unref(certificate->chain);
    g_free(certificate->thumbprint);
    g_free(certificate->public_key_thumbprint);
    g_free(certificate->peer_id);
    g_free(certificate->peer_name);
    g_free(certificate->serial);
    g_free(certificate);
}

X509 *certificate_x509(const Certificate *certificate)
{
    return g_ptr_array_index(certificate->chain, 0);
}

X509 *const *certificate_chain(const Certificate *certificate, guint *count)
{
    *count = certificate->chain->len;
    return (X509 *const *)certificate->chain->pdata;
}

const char *certificate_thumbprint(const Certificate *certificate)
{
    return certificate->thumbprint;
}

const char *certificate_public_key_thumbprint(const Certificate *certificate)
{
    return certificate->public_key_thumbprint;
}

const char *certificate_peer_id(const Certificate *certificate)
{
    return certificate->peer_id;
}

const char *certificate_peer_name(const Certificate *certificate)
{
    return certificate->peer_name;
}

gboolean certificate_matches_domain(const Certificate *certificate, const char *domain)
{
    /* To X509_check_host a leading dot means "any host below", and a wildcard would match itself. */
    if (domain == NULL || domain[0] == '.' || strchr(domain, '*') != NULL)
        return FALSE;
    return X509_check_host(certificate_x509(certificate), domain, strlen(domain),
                           X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS | X509_CHECK_FLAG_NEVER_CHECK_SUBJECT,
                           NULL) == 1;
}

gint64 certificate_not_before(const Certificate *certificate)
{
    return certificate->not_before;
}

gint64 certificate_not_after(const Certificate *certificate)
{
    return certificate->not_after;
}

const char *certificate_serial(const Certificate *certificate)
{
    return certificate->serial;
}

GPtrArray *certificate_x5c(const Certificate *certificate)
{
    GPtrArray *result = g_ptr_array_new_with_free_func(g_free);
    for (guint i = 0; i < certificate->chain->len; i++) {
        X509 *x509 = g_ptr_array_index(certificate->chain, i);
        unsigned char *der = NULL;
        if (i > 0 && X509_self_signed(x509, 0) == 1)
            continue; /* a root that stands in the file: who trusts it has it already */
        int length = i2d_X509(x509, &der);
        openssl_require(length > 0, "i2d_X509");
        g_ptr_array_add(result, g_base64_encode(der, (gsize)length));
        OPENSSL_free(der);
    }
    return result;
}
