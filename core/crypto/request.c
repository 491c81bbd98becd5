#include "core/crypto/request.h"

#include <openssl/pem.h>

#include "core/base/error.h"
#include "core/crypto/openssl.h"

G_DEFINE_AUTOPTR_CLEANUP_FUNC(X509_REQ, X509_REQ_free)

static gboolean add_attribute(X509_NAME *name, int nid, const char *text, GError **error)
{
    if (X509_NAME_add_entry_by_NID(name, nid, MBSTRING_UTF8, (const unsigned char *)text, -1, -1, 0) == 1)
        return TRUE;
    const char *reason = openssl_reason();
    g_set_error(error, FUNDAMENT_ERROR, FUNDAMENT_ERROR_INVALID, "%s cannot be in a certificate: %s",
                OBJ_nid2ln(nid), reason);
    return FALSE;
}

static void add_extension(STACK_OF(X509_EXTENSION) * extensions, int nid, const char *value)
{
    X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, NULL, nid, value);
    openssl_require(extension != NULL && sk_X509_EXTENSION_push(extensions, extension) > 0, OBJ_nid2ln(nid));
}

static void add_extensions(X509_REQ *x509, const char *const *domains)
{
    STACK_OF(X509_EXTENSION) *extensions = sk_X509_EXTENSION_new_null();
    g_autoptr(GString) names = g_string_new(NULL);
    for (; domains != NULL && *domains != NULL; domains++)
        g_string_append_printf(names, "%sDNS:%s", names->len > 0 ? "," : "", *domains);
    add_extension(extensions, NID_key_usage, "critical,digitalSignature");
    add_extension(extensions, NID_ext_key_usage, "serverAuth,clientAuth");
    if (names->len > 0)
        add_extension(extensions, NID_subject_alt_name, names->str);
    openssl_require(X509_REQ_add_extensions(x509, extensions), "X509_REQ_add_extensions");
    sk_X509_EXTENSION_pop_free(extensions, X509_EXTENSION_free);
}

char *certificate_request_make(const CertificateRequest *request, const Key *key, GError **error)
{
    g_autoptr(X509_REQ) x509 = X509_REQ_new();
    g_autoptr(BIO) pem = BIO_new(BIO_s_mem());
    X509_NAME *subject = X509_REQ_get_subject_name(x509);
    char *text = NULL;
    openssl_require(X509_REQ_set_version(x509, X509_REQ_VERSION_1) == 1 &&
                        X509_REQ_set_pubkey(x509, key_pkey(key)) == 1,
                    "X509_REQ_new");
    if (!add_attribute(subject, NID_organizationName, request->organization, error) ||
        !add_attribute(subject, NID_commonName, request->common_name, error) ||
        !add_attribute(subject, NID_serialNumber, request->oin, error))
        return NULL;
    add_extensions(x509, request->domains);
    openssl_require(X509_REQ_sign(x509, key_pkey(key), EVP_sha256()) > 0 &&
                        PEM_write_bio_X509_REQ(pem, x509) == 1,
                    "X509_REQ_sign");
    long length = BIO_get_mem_data(pem, &text);
    return g_strndup(text, (gsize)length);
}
