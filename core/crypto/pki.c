#include "core/crypto/pki.h"

#include <fcntl.h>
#include <openssl/pem.h>
#include <openssl/pkcs12.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "core/base/bytes.h"
#include "core/base/error.h"
#include "core/crypto/file.h"
#include "core/crypto/openssl.h"

#define DAY_S 86400
#define ANCHOR_DAYS 3653 /* ten years with their leap days */
#define CRL_DAYS 30
#define SERIAL_SIZE 16
#define MAX_CRL_BYTES ((gsize)64 * 1024 * 1024)

/* The anchor of a folder, and what it signs with. */
typedef struct {
    Key *key;
    Certificate *certificate;
} Anchor;

static void anchor_clear(Anchor *anchor)
{
    key_unref(anchor->key);
    certificate_unref(anchor->certificate);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Anchor, anchor_clear)

static gboolean anchor_load(Anchor *anchor, const char *folder, GError **error)
{
    g_autofree char *key_path = g_build_filename(folder, "anchor.key", NULL);
    g_autofree char *certificate_path = g_build_filename(folder, "anchor.crt", NULL);
    anchor->key = key_load(key_path, error);
    anchor->certificate = anchor->key == NULL ? NULL : certificate_load(certificate_path, error);
    return anchor->certificate != NULL;
}

static gboolean make_folder(const char *folder, GError **error)
{
    if (g_mkdir_with_parents(folder, 0700) == 0)
        return TRUE;
    g_set_error(error, FUNDAMENT_ERROR, FUNDAMENT_ERROR_IO, "%s: cannot make the folder", folder);
    return FALSE;
}

/* Random and positive, so that nobody can predict what will be signed (CA/Browser Forum BR 7.1). */
static void set_serial(X509 *x509)
{
    guint8 bytes[SERIAL_SIZE];
    random_fill(bytes, sizeof bytes);
    bytes[0] = (guint8)((bytes[0] & 0x7f) | 0x40);
    g_autoptr(BIGNUM) number = BN_bin2bn(bytes, sizeof bytes, NULL);
    openssl_require(number != NULL && BN_to_ASN1_INTEGER(number, X509_get_serialNumber(x509)) != NULL,
                    "serial number");
}

static gboolean set_validity(X509 *x509, gint64 not_before, gint64 not_after, GError **error)
{
    if (not_before <= not_after && ASN1_TIME_set(X509_getm_notBefore(x509), (time_t)not_before) != NULL &&
        ASN1_TIME_set(X509_getm_notAfter(x509), (time_t)not_after) != NULL)
        return TRUE;
    openssl_reason();
    g_set_error(error, FUNDAMENT_ERROR, FUNDAMENT_ERROR_INVALID, "not_before and not_after are no period");
    return FALSE;
}

/* OpenSSL knows the length that each attribute may have (RFC 5280 A.1: 64 characters for most). */
static gboolean add_attribute(X509_NAME *name, int nid, const char *text, GError **error)
{
    if (text == NULL ||
        X509_NAME_add_entry_by_NID(name, nid, MBSTRING_UTF8, (const unsigned char *)text, -1, -1, 0) == 1)
        return TRUE;
    const char *reason = openssl_reason();
    g_set_error(error, FUNDAMENT_ERROR, FUNDAMENT_ERROR_INVALID, "%s cannot be in a certificate: %s",
                OBJ_nid2ln(nid), reason);
    return FALSE;
}

static void add_extension(X509 *x509, X509 *issuer, int nid, const char *value)
{
    X509V3_CTX context;
    X509V3_set_ctx(&context, issuer, x509, NULL, NULL, 0);
    g_autoptr(X509_EXTENSION) extension = X509V3_EXT_conf_nid(NULL, &context, nid, value);
    openssl_require(extension != NULL && X509_add_ext(x509, extension, -1) == 1, OBJ_nid2ln(nid));
}

static void add_domains(X509 *x509, const char *const *domains)
{
    g_autoptr(GENERAL_NAMES) names = GENERAL_NAMES_new();
    for (; domains != NULL && *domains != NULL; domains++) {
        GENERAL_NAME *name = GENERAL_NAME_new();
        ASN1_IA5STRING *text = ASN1_IA5STRING_new();
        openssl_require(name != NULL && ASN1_STRING_set(text, *domains, -1) == 1, "dNSName");
        GENERAL_NAME_set0_value(name, GEN_DNS, text);
        sk_GENERAL_NAME_push(names, name);
    }
    if (sk_GENERAL_NAME_num(names) > 0)
        openssl_require(X509_add1_ext_i2d(x509, NID_subject_alt_name, names, 0, 0), "subjectAltName");
}

static X509 *x509_new(EVP_PKEY *pkey)
{
    X509 *x509 = X509_new();
    openssl_require(x509 != NULL && X509_set_version(x509, X509_VERSION_3) == 1 &&
                        X509_set_pubkey(x509, pkey) == 1,
                    "X509_new");
    set_serial(x509);
    return x509;
}

static gboolean write_pem(BIO *pem, const char *path, gboolean exclusive, GError **error)
{
    char *text;
    long length = BIO_get_mem_data(pem, &text);
    return exclusive ? file_create(path, text, (gsize)length, 0644, error)
                     : file_replace(path, text, (gsize)length, 0644, error);
}

static gboolean write_certificate(X509 *x509, const char *path, gboolean exclusive, GError **error)
{
    g_autoptr(BIO) pem = BIO_new(BIO_s_mem());
    openssl_require(PEM_write_bio_X509(pem, x509), "PEM_write_bio_X509");
    return write_pem(pem, path, exclusive, error);
}

static gboolean write_crl(X509_CRL *crl, const char *path, gboolean exclusive, GError **error)
{
    g_autoptr(BIO) pem = BIO_new(BIO_s_mem());
    openssl_require(PEM_write_bio_X509_CRL(pem, crl), "PEM_write_bio_X509_CRL");
    return write_pem(pem, path, exclusive, error);
}

static X509 *anchor_x509_new(const Key *key, const char *name, gint64 now_s, GError **error)
{
    g_autofree char *common_name = g_strconcat("Fundament TEST anchor ", name, NULL);
    g_autoptr(X509) x509 = x509_new(key_pkey(key));
    X509_NAME *subject = X509_get_subject_name(x509);
    if (!set_validity(x509, now_s, now_s + (gint64)ANCHOR_DAYS * DAY_S, error) ||
        !add_attribute(subject, NID_commonName, common_name, error))
        return NULL;
    openssl_require(X509_set_issuer_name(x509, subject), "X509_set_issuer_name");
    add_extension(x509, x509, NID_basic_constraints, "critical,CA:TRUE,pathlen:0");
    add_extension(x509, x509, NID_key_usage, "critical,keyCertSign,cRLSign");
    add_extension(x509, x509, NID_subject_key_identifier, "hash");
    add_extension(x509, x509, NID_authority_key_identifier, "keyid:always");
    openssl_require(X509_sign(x509, key_pkey(key), EVP_sha256()) > 0, "X509_sign");
    return g_steal_pointer(&x509);
}

/* RFC 5280 5.1.2.4 and 5.1.2.5, and 5.2.3: the number goes up by one with every CRL. Signs. */
static gboolean crl_finish(X509_CRL *crl, const Key *key, gint64 number, gint64 now_s, gint64 next_s,
                           GError **error)
{
    g_autoptr(ASN1_TIME) now = ASN1_TIME_set(NULL, (time_t)now_s);
    g_autoptr(ASN1_TIME) next = ASN1_TIME_set(NULL, (time_t)next_s);
    g_autoptr(ASN1_INTEGER) crl_number = ASN1_INTEGER_new();
    if (now == NULL || next == NULL) {
        openssl_reason();
        g_set_error(error, FUNDAMENT_ERROR, FUNDAMENT_ERROR_INVALID, "now and next update are no times");
        return FALSE;
    }
    openssl_require(crl_number != NULL && ASN1_INTEGER_set_int64(crl_number, number) == 1 &&
                        X509_CRL_set1_lastUpdate(crl, now) == 1 && X509_CRL_set1_nextUpdate(crl, next) == 1 &&
                        X509_CRL_add1_ext_i2d(crl, NID_crl_number, crl_number, 0, X509V3_ADD_REPLACE) == 1 &&
                        X509_CRL_sign(crl, key_pkey(key), EVP_sha256()) > 0,
                    "X509_CRL_sign");
    return TRUE;
}

static X509_CRL *crl_new(X509 *issuer)
{
    X509_CRL *crl = X509_CRL_new();
    X509V3_CTX context;
    X509V3_set_ctx(&context, issuer, NULL, NULL, crl, 0);
    g_autoptr(X509_EXTENSION) identifier =
        X509V3_EXT_conf_nid(NULL, &context, NID_authority_key_identifier, "keyid:always");
    openssl_require(crl != NULL && X509_CRL_set_version(crl, X509_CRL_VERSION_2) == 1 &&
                        X509_CRL_set_issuer_name(crl, X509_get_subject_name(issuer)) == 1 &&
                        identifier != NULL && X509_CRL_add_ext(crl, identifier, -1) == 1,
                    "X509_CRL_new");
    return crl;
}

gboolean pki_create(const char *folder, const char *name, gint64 now_s, GError **error)
{
    g_autofree char *key_path = g_build_filename(folder, "anchor.key", NULL);
    g_autofree char *certificate_path = g_build_filename(folder, "anchor.crt", NULL);
    g_autofree char *crl_path = g_build_filename(folder, "crl.pem", NULL);
    const char *const paths[] = {key_path, certificate_path, crl_path};
    for (gsize i = 0; i < G_N_ELEMENTS(paths); i++) {
        if (g_file_test(paths[i], G_FILE_TEST_EXISTS)) {
            g_set_error(error, FUNDAMENT_ERROR, FUNDAMENT_ERROR_CONFLICT,
                        "%s: exists already; use another folder for another trust anchor", paths[i]);
            return FALSE;
        }
    }
    g_autoptr(Key) key = key_generate_p256();
    g_autoptr(X509) x509 = anchor_x509_new(key, name, now_s, error);
    if (x509 == NULL)
        return FALSE;
    g_autoptr(X509_CRL) crl = crl_new(x509);
    /* The certificate first, and only if nobody else has made one in the meantime. */
    return crl_finish(crl, key, 1, now_s, now_s + (gint64)CRL_DAYS * DAY_S, error) &&
           make_folder(folder, error) && write_certificate(x509, certificate_path, TRUE, error) &&
           key_save(key, key_path, error) && write_crl(crl, crl_path, TRUE, error);
}

static X509 *leaf_x509_new(const PkiLeaf *leaf, const Key *key, const Anchor *anchor, GError **error)
{
    X509 *issuer = certificate_x509(anchor->certificate);
    g_autoptr(X509) x509 = x509_new(key_pkey(key));
    X509_NAME *subject = X509_get_subject_name(x509);
    if (!set_validity(x509, leaf->not_before, leaf->not_after, error) ||
        !add_attribute(subject, NID_organizationName, leaf->organization, error) ||
        !add_attribute(subject, NID_commonName, leaf->common_name, error) ||
        !add_attribute(subject, NID_serialNumber, leaf->oin, error))
        return NULL;
    openssl_require(X509_set_issuer_name(x509, X509_get_subject_name(issuer)), "X509_set_issuer_name");
    add_extension(x509, issuer, NID_basic_constraints, "critical,CA:FALSE");
    add_extension(x509, issuer, NID_key_usage, "critical,digitalSignature");
    add_extension(x509, issuer, NID_ext_key_usage, "serverAuth,clientAuth");
    add_extension(x509, issuer, NID_subject_key_identifier, "hash");
    add_extension(x509, issuer, NID_authority_key_identifier, "keyid:always");
    add_domains(x509, leaf->domains);
    openssl_require(X509_sign(x509, key_pkey(anchor->key), EVP_sha256()) > 0, "X509_sign");
    return g_steal_pointer(&x509);
}

gboolean pki_issue(const char *folder, const PkiLeaf *leaf, const char *out_folder, const char *name,
                   GError **error)
{
    g_auto(Anchor) anchor = {NULL, NULL};
    g_autofree char *key_file = g_strconcat(name, ".key", NULL);
    g_autofree char *certificate_file = g_strconcat(name, ".crt", NULL);
    g_autofree char *key_path = g_build_filename(out_folder, key_file, NULL);
    g_autofree char *certificate_path = g_build_filename(out_folder, certificate_file, NULL);
    if (!anchor_load(&anchor, folder, error))
        return FALSE;
    g_autoptr(Key) key = leaf->key == NULL ? key_generate_p256() : key_ref(leaf->key);
    g_autoptr(X509) x509 = leaf_x509_new(leaf, key, &anchor, error);
    return x509 != NULL && make_folder(out_folder, error) && key_save(key, key_path, error) &&
           write_certificate(x509, certificate_path, FALSE, error);
}

/* AES-256 and SHA-256, OpenSSL's own choice; all current browsers read it. */
static PKCS12 *pkcs12_new(const Key *key, const Certificate *leaf, const Certificate *anchor,
                          const char *name, const char *password)
{
    STACK_OF(X509) *chain = sk_X509_new_null();
    openssl_require(chain != NULL && sk_X509_push(chain, certificate_x509(anchor)) > 0, "sk_X509_push");
    PKCS12 *bundle =
        PKCS12_create(password, name, key_pkey(key), certificate_x509(leaf), chain, 0, 0, 0, 0, 0);
    sk_X509_free(chain);
    openssl_require(bundle != NULL, "PKCS12_create");
    return bundle;
}

gboolean pki_export(const char *anchor_folder, const char *folder, const char *name, const char *password,
                    GError **error)
{
    g_auto(Anchor) anchor = {NULL, NULL};
    g_autofree char *base = g_build_filename(folder, name, NULL);
    g_autofree char *key_path = g_strconcat(base, ".key", NULL), *leaf_path = g_strconcat(base, ".crt", NULL),
                    *path = g_strconcat(base, ".p12", NULL);
    g_autoptr(Key) key = anchor_load(&anchor, anchor_folder, error) ? key_load(key_path, error) : NULL;
    g_autoptr(Certificate) leaf = key == NULL ? NULL : certificate_load(leaf_path, error);
    if (leaf == NULL)
        return FALSE;
    PKCS12 *bundle = pkcs12_new(key, leaf, anchor.certificate, name, password);
    guint8 *der = NULL;
    int length = i2d_PKCS12(bundle, &der);
    PKCS12_free(bundle);
    openssl_require(length > 0, "i2d_PKCS12");
    gboolean written = file_replace(path, der, (gsize)length, 0600, error);
    OPENSSL_clear_free(der, (size_t)length);
    return written;
}

/* NULL with the error set. The signature is checked: what it says has to be carried over to the next one. */
static X509_CRL *crl_load(const char *path, const Key *key, GError **error)
{
    g_autoptr(FileText) text = file_text_read(path, MAX_CRL_BYTES, FALSE, error);
    if (text == NULL)
        return NULL;
    g_autoptr(BIO) in = BIO_new_mem_buf(text->data, (int)text->length);
    g_autoptr(X509_CRL) crl = PEM_read_bio_X509_CRL(in, NULL, NULL, NULL);
    if (crl != NULL && X509_CRL_verify(crl, key_pkey(key)) == 1)
        return g_steal_pointer(&crl);
    const char *reason = openssl_reason();
    g_set_error(error, FUNDAMENT_ERROR, FUNDAMENT_ERROR_INVALID, "%s: not a CRL of this anchor: %s", path,
                reason);
    return NULL;
}

static gint64 crl_number_of(X509_CRL *crl)
{
    gint64 number = 0;
    g_autoptr(ASN1_INTEGER) value = X509_CRL_get_ext_d2i(crl, NID_crl_number, NULL, NULL);
    if (value != NULL)
        openssl_require(ASN1_INTEGER_get_int64(&number, value), "CRL number");
    return number;
}

/* A serial number stands in a CRL once, with the time of the first time. */
static void crl_add(X509_CRL *crl, X509 *x509, gint64 now_s)
{
    X509_REVOKED *known = NULL;
    if (X509_CRL_get0_by_cert(crl, &known, x509) == 1)
        return;
    g_autoptr(ASN1_TIME) now = ASN1_TIME_set(NULL, (time_t)now_s);
    X509_REVOKED *revoked = X509_REVOKED_new();
    openssl_require(now != NULL && revoked != NULL &&
                        X509_REVOKED_set_serialNumber(revoked, X509_get_serialNumber(x509)) == 1 &&
                        X509_REVOKED_set_revocationDate(revoked, now) == 1 &&
                        X509_CRL_add0_revoked(crl, revoked) == 1,
                    "X509_CRL_add0_revoked");
}

static gboolean reissue_crl(const Anchor *anchor, const char *crl_path, X509 *x509, gint64 now_s,
                            gint64 next_s, GError **error)
{
    if (X509_verify(x509, key_pkey(anchor->key)) != 1) {
        openssl_reason();
        g_set_error(error, FUNDAMENT_ERROR, FUNDAMENT_ERROR_INVALID,
                    "the certificate to revoke was not issued by this trust anchor");
        return FALSE;
    }
    g_autoptr(X509_CRL) crl = crl_load(crl_path, anchor->key, error);
    if (crl == NULL)
        return FALSE;
    crl_add(crl, x509, now_s);
    return crl_finish(crl, anchor->key, crl_number_of(crl) + 1, now_s, next_s, error) &&
           write_crl(crl, crl_path, FALSE, error);
}

gboolean pki_revoke(const char *folder, const Certificate *certificate, gint64 now_s, gint64 valid_s,
                    GError **error)
{
    g_auto(Anchor) anchor = {NULL, NULL};
    g_autofree char *crl_path = g_build_filename(folder, "crl.pem", NULL);
    if (!anchor_load(&anchor, folder, error))
        return FALSE;
    /* Of two that revoke at the same time the second must see what the first has written. */
    int lock = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (lock < 0 || flock(lock, LOCK_EX) != 0) {
        g_set_error(error, FUNDAMENT_ERROR, FUNDAMENT_ERROR_IO, "%s: cannot lock the folder", folder);
        if (lock >= 0)
            close(lock);
        return FALSE;
    }
    gboolean ok =
        reissue_crl(&anchor, crl_path, certificate_x509(certificate), now_s, now_s + valid_s, error);
    close(lock);
    return ok;
}
