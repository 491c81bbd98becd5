#include <openssl/err.h>
#include <openssl/pem.h>

#include "core/base/error.h"
#include "core/crypto/algorithm.h"
#include "core/crypto/certificate.h"
#include "core/crypto/certificate_chain.h"
#include "core/crypto/file.h"
#include "core/crypto/openssl.h"

#define MAX_ANCHORS_BYTES ((gsize)1024 * 1024)
#define MAX_CRL_BYTES ((gsize)64 * 1024 * 1024) /* those of a national PKI are several megabytes */
#define MAX_DEPTH 10

struct trust_anchors {
    gatomicrefcount references;
    X509_STORE *store;
    gint64 crl_grace_s;
    gint64 crl_next_update; /* 0 without a CRL */
};

/* What the callback of one verification needs. */
typedef struct {
    gint64 crl_grace_s;
    gint64 now_s;
} Verification;

/* RFC 8017 and RFC 5758 with SHA-256, SHA-384 or SHA-512; EdDSA has no digest of its own and is not among
 * them. */
static gboolean digest_is_sha2(int nid)
{
    return nid == NID_sha256 || nid == NID_sha384 || nid == NID_sha512;
}

static gboolean fail(GError **error, const char *reason)
{
    g_set_error(error, FUNDAMENT_ERROR, FUNDAMENT_ERROR_INVALID, "%s", reason);
    return FALSE;
}

static gboolean add_anchor(TrustAnchors *anchors, X509 *x509, GError **error)
{
    if (X509_self_signed(x509, 1) != 1)
        return fail(error, "holds a certificate that is not self-signed; trust anchors are roots");
    if (X509_check_ca(x509) == 0)
        return fail(error, "holds a certificate that may not issue others (no CA:TRUE)");
    if (algorithm_of_key(X509_get0_pubkey(x509)) == NULL)
        return fail(error, "holds a root with a weak key; RSA of 2048 bits or EC P-256/384/521 is needed");
    if (X509_STORE_add_cert(anchors->store, x509) != 1)
        return fail(error, openssl_reason());
    return TRUE;
}

/* TRUE when the reader of PEM stopped because the text was at its end, and not at a damaged block. */
static gboolean pem_at_end(void)
{
    gboolean at_end = ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;
    ERR_clear_error();
    return at_end;
}

/* Without a callback OpenSSL would ask for the password of an encrypted block on the terminal. */
static int no_password(char *buffer, int size, int writing, void *user_data)
{
    return -1;
}

static gboolean read_anchors(TrustAnchors *anchors, const FileText *text, GError **error)
{
    g_autoptr(BIO) in = BIO_new_mem_buf(text->data, (int)text->length);
    guint count = 0;
    ERR_clear_error();
    for (;;) {
        g_autoptr(X509) x509 = PEM_read_bio_X509(in, NULL, no_password, NULL);
        if (x509 == NULL)
            break;
        if (!add_anchor(anchors, x509, error))
            return FALSE;
        count++;
    }
    if (!pem_at_end())
        return fail(error, "holds a damaged certificate");
    return count > 0 || fail(error, "holds no certificate in PEM");
}

/* OpenSSL checks the CRL's signature when it is used, but not how strong it is. */
static gboolean add_crl(TrustAnchors *anchors, X509_CRL *crl, GHashTable *issuers, GError **error)
{
    int digest = NID_undef;
    gint64 next_update;
    if (!openssl_time_to_unix(X509_CRL_get0_nextUpdate(crl), &next_update))
        return fail(error, "holds a CRL without nextUpdate (RFC 5280 5.1.2.5)");
    if (OBJ_find_sigid_algs(X509_CRL_get_signature_nid(crl), &digest, NULL) != 1 || !digest_is_sha2(digest))
        return fail(error, "holds a CRL that is not signed with SHA-2");
    if (!g_hash_table_add(issuers, X509_NAME_oneline(X509_CRL_get_issuer(crl), NULL, 0)))
        return fail(error, "holds two CRLs of one issuer; keep the newest");
    if (X509_STORE_add_crl(anchors->store, crl) != 1)
        return fail(error, openssl_reason());
    if (anchors->crl_next_update == 0 || next_update < anchors->crl_next_update)
        anchors->crl_next_update = next_update;
    return TRUE;
}

static void openssl_text_free(gpointer text)
{
    OPENSSL_free(text);
}

static gboolean read_crls(TrustAnchors *anchors, const FileText *text, GError **error)
{
    g_autoptr(GHashTable) issuers = g_hash_table_new_full(g_str_hash, g_str_equal, openssl_text_free, NULL);
    g_autoptr(BIO) in = BIO_new_mem_buf(text->data, (int)text->length);
    ERR_clear_error();
    for (;;) {
        g_autoptr(X509_CRL) crl = PEM_read_bio_X509_CRL(in, NULL, no_password, NULL);
        if (crl == NULL)
            break;
        if (!add_crl(anchors, crl, issuers, error))
            return FALSE;
    }
    if (!pem_at_end())
        return fail(error, "holds a damaged CRL");
    if (g_hash_table_size(issuers) == 0)
        return fail(error, "holds no CRL in PEM");
    X509_STORE_set_flags(anchors->store, X509_V_FLAG_CRL_CHECK | X509_V_FLAG_CRL_CHECK_ALL);
    return TRUE;
}

typedef gboolean (*Reader)(TrustAnchors *anchors, const FileText *text, GError **error);

static gboolean read_file(TrustAnchors *anchors, const char *path, gsize max_bytes, Reader reader,
                          GError **error)
{
    g_autoptr(FileText) text = file_text_read(path, max_bytes, FALSE, error);
    if (text == NULL)
        return FALSE;
    if (reader(anchors, text, error))
        return TRUE;
    g_prefix_error(error, "%s: ", path);
    return FALSE;
}

TrustAnchors *trust_anchors_load(const char *anchors_path, const char *crl_path, gint64 crl_grace_s,
                                 GError **error)
{
    g_autoptr(TrustAnchors) anchors = g_new0(TrustAnchors, 1);
    g_atomic_ref_count_init(&anchors->references);
    anchors->crl_grace_s = crl_grace_s;
    anchors->store = X509_STORE_new();
    openssl_require(anchors->store != NULL && X509_STORE_set_depth(anchors->store, MAX_DEPTH) == 1,
                    "X509_STORE_new");
    if (!read_file(anchors, anchors_path, MAX_ANCHORS_BYTES, read_anchors, error))
        return NULL;
    if (crl_path != NULL && !read_file(anchors, crl_path, MAX_CRL_BYTES, read_crls, error))
        return NULL;
    return g_steal_pointer(&anchors);
}

TrustAnchors *trust_anchors_ref(const TrustAnchors *anchors)
{
    TrustAnchors *same = (TrustAnchors *)anchors; /* only the count changes */
    g_atomic_ref_count_inc(&same->references);
    return same;
}

void trust_anchors_unref(TrustAnchors *anchors)
{
    if (anchors == NULL || !g_atomic_ref_count_dec(&anchors->references))
        return;
    X509_STORE_free(anchors->store);
    g_free(anchors);
}

/* decisions.md 5: an expired CRL refuses everyone, but only when the grace is over as well. */
static int forgive_within_grace(int ok, X509_STORE_CTX *context)
{
    const Verification *verification = X509_STORE_CTX_get_app_data(context);
    const X509_CRL *crl = X509_STORE_CTX_get0_current_crl(context);
    gint64 next_update;
    if (ok == 1 || X509_STORE_CTX_get_error(context) != X509_V_ERR_CRL_HAS_EXPIRED || crl == NULL)
        return ok;
    if (!openssl_time_to_unix(X509_CRL_get0_nextUpdate(crl), &next_update) ||
        verification->now_s > next_update + verification->crl_grace_s)
        return 0;
    X509_STORE_CTX_set_error(context, X509_V_OK);
    return 1;
}

static gboolean denied(GError **error, int reason, int depth)
{
    g_set_error(error, FUNDAMENT_ERROR, FUNDAMENT_ERROR_DENIED,
                "certificate refused: %s (depth %d of its chain)", X509_verify_cert_error_string(reason),
                depth);
    return FALSE;
}

/* The signature of the root over itself proves nothing and is not looked at. */
static gboolean check_strength(const X509_STORE_CTX *context, GError **error)
{
    STACK_OF(X509) *chain = X509_STORE_CTX_get0_chain(context);
    int length = sk_X509_num(chain);
    for (int depth = 0; depth < length; depth++) {
        X509 *x509 = sk_X509_value(chain, depth);
        int digest = NID_undef;
        if (algorithm_of_key(X509_get0_pubkey(x509)) == NULL)
            return denied(error, depth == 0 ? X509_V_ERR_EE_KEY_TOO_SMALL : X509_V_ERR_CA_KEY_TOO_SMALL,
                          depth);
        if (depth < length - 1 &&
            (X509_get_signature_info(x509, &digest, NULL, NULL, NULL) != 1 || !digest_is_sha2(digest)))
            return denied(error, X509_V_ERR_CA_MD_TOO_WEAK, depth);
    }
    return TRUE;
}

/* The chain as it came: a leaf and what it says are its intermediates, none of them trusted. */
static STACK_OF(X509) * stack_of_intermediates(const Certificate *certificate)
{
    STACK_OF(X509) *stack = sk_X509_new_null();
    guint count;
    X509 *const *chain = certificate_chain(certificate, &count);
    for (guint i = 1; i < count; i++)
        openssl_require(sk_X509_push(stack, chain[i]) > 0, "sk_X509_push");
    return stack;
}

gboolean trust_anchors_verify(const TrustAnchors *anchors, const Certificate *certificate, gint64 now_s,
                              GError **error)
{
    Verification verification = {anchors->crl_grace_s, now_s};
    STACK_OF(X509) *intermediates = stack_of_intermediates(certificate);
    g_autoptr(X509_STORE_CTX) context = X509_STORE_CTX_new();
    openssl_require(context != NULL && X509_STORE_CTX_init(context, anchors->store,
                                                           certificate_x509(certificate), intermediates) == 1,
                    "X509_STORE_CTX_init");
    X509_STORE_CTX_set_time(context, 0, (time_t)now_s);
    X509_STORE_CTX_set_app_data(context, &verification);
    X509_STORE_CTX_set_verify_cb(context, forgive_within_grace);
    gboolean ok = X509_verify_cert(context) == 1 ? check_strength(context, error)
                                                 : denied(error, X509_STORE_CTX_get_error(context),
                                                          X509_STORE_CTX_get_error_depth(context));
    openssl_reason(); /* empties the queue */
    sk_X509_free(intermediates);
    return ok;
}

gint64 trust_anchors_crl_next_update(const TrustAnchors *anchors)
{
    return anchors->crl_next_update;
}
