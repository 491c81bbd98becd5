#include "fsc_trust.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509_vfy.h>
#include <sys/stat.h>

#define LOOK_AGAIN_S 60
#define DEPTH 4

/* A file and what it was when it was read last. */
typedef struct {
    ngx_str_t path; /* with a NUL */
    struct timespec changed;
    ino_t inode;
    off_t size;
} File;

typedef enum {
    CRL_NONE,    /* not configured */
    CRL_COUNTS,  /* in date, or so far out of date that it refuses everyone */
    CRL_IN_GRACE /* out of date, but not by much: chains are checked without it, serials of the node's list
                    still are */
} CrlState;

/* A TLS context of nginx. */
typedef struct {
    ngx_ssl_t *ssl;
    ngx_flag_t checks;
    ngx_flag_t asks; /* the proxy of an Outway */
    File certificate, key;
} Context;

struct fsc_trust {
    File anchors, crl;
    time_t grace;
    time_t crl_until; /* the earliest nextUpdate of the lists; 0: none says */
    CrlState crl_state;
    X509_STORE *store; /* what `crl_state` says */
    ngx_uint_t generation;
    ngx_msec_t since; /* of this generation */
    ngx_array_t contexts;
};

/* Files. */

static ngx_int_t file_set(ngx_pool_t *pool, File *file, const ngx_str_t *path)
{
    if (path->len == 0)
        return NGX_OK;
    file->path.data = ngx_pnalloc(pool, path->len + 1);
    if (file->path.data == NULL)
        return NGX_ERROR;
    file->path.len = path->len;
    *ngx_cpymem(file->path.data, path->data, path->len) = '\0';
    return NGX_OK;
}

/* TRUE when it is another than was noted; notes it. A file that is gone for a moment has not changed. */
static ngx_flag_t file_changed(File *file)
{
    struct stat now;
    if (file->path.len == 0 || stat((const char *)file->path.data, &now) != 0)
        return 0;
    ngx_flag_t same = now.st_mtim.tv_sec == file->changed.tv_sec &&
                      now.st_mtim.tv_nsec == file->changed.tv_nsec && now.st_ino == file->inode &&
                      now.st_size == file->size;
    file->changed = now.st_mtim;
    file->inode = now.st_ino;
    file->size = now.st_size;
    return !same;
}

static BIO *file_open(const File *file)
{
    return BIO_new_file((const char *)file->path.data, "r");
}

static void complain(const File *file, const char *what)
{
    unsigned long code = ERR_peek_last_error();
    ngx_log_error(NGX_LOG_ERR, ngx_cycle->log, 0, "fsc: %V: %s (%s); what was read before stays in force",
                  &file->path, what, code != 0 ? ERR_reason_error_string(code) : "no details");
    ERR_clear_error();
}

/* Anchors and lists. */

static time_t time_of(const ASN1_TIME *time)
{
    struct tm parts;
    return time != NULL && ASN1_TIME_to_tm(time, &parts) == 1 ? timegm(&parts) : 0;
}

static ngx_int_t store_add_anchors(X509_STORE *store, const File *file)
{
    BIO *bio = file_open(file);
    ngx_uint_t n = 0;
    for (X509 *x509; bio != NULL && (x509 = PEM_read_bio_X509_AUX(bio, NULL, NULL, NULL)) != NULL;
         X509_free(x509))
        n += X509_STORE_add_cert(store, x509) == 1;
    BIO_free(bio);
    if (n > 0)
        ERR_clear_error(); /* the end of the file counts as one */
    return n > 0 ? NGX_OK : NGX_ERROR;
}

static ngx_int_t store_add_lists(X509_STORE *store, const File *file, time_t *until)
{
    BIO *bio = file_open(file);
    ngx_uint_t n = 0;
    *until = 0;
    for (X509_CRL *crl; bio != NULL && (crl = PEM_read_bio_X509_CRL(bio, NULL, NULL, NULL)) != NULL;
         X509_CRL_free(crl)) {
        time_t next = time_of(X509_CRL_get0_nextUpdate(crl));
        if (next != 0 && (*until == 0 || next < *until))
            *until = next;
        n += X509_STORE_add_crl(store, crl) == 1;
    }
    BIO_free(bio);
    if (n > 0)
        ERR_clear_error();
    return n > 0 ? NGX_OK : NGX_ERROR;
}

static CrlState crl_state_now(const FscTrust *trust)
{
    time_t now = ngx_time();
    if (trust->crl.path.len == 0)
        return CRL_NONE;
    return trust->crl_until != 0 && now >= trust->crl_until && now < trust->crl_until + trust->grace
               ? CRL_IN_GRACE
               : CRL_COUNTS;
}

/* A new store, or NULL after a line in the log. */
static X509_STORE *store_read(FscTrust *trust)
{
    X509_STORE *store = X509_STORE_new();
    if (store == NULL)
        return NULL;
    if (store_add_anchors(store, &trust->anchors) != NGX_OK) {
        complain(&trust->anchors, "holds no trust anchor");
        X509_STORE_free(store);
        return NULL;
    }
    if (trust->crl.path.len > 0 && store_add_lists(store, &trust->crl, &trust->crl_until) != NGX_OK) {
        complain(&trust->crl, "holds no revocation list");
        X509_STORE_free(store);
        return NULL;
    }
    trust->crl_state = crl_state_now(trust);
    if (trust->crl_state == CRL_COUNTS)
        X509_STORE_set_flags(store, X509_V_FLAG_CRL_CHECK | X509_V_FLAG_CRL_CHECK_ALL);
    if (trust->crl_state == CRL_IN_GRACE)
        ngx_log_error(NGX_LOG_WARN, ngx_cycle->log, 0,
                      "fsc: %V is out of date; it counts until its grace ends", &trust->crl.path);
    return store;
}

/* As nginx's own: what was found is looked at after the handshake, when an answer can say so. Its traces in
 * OpenSSL's queue of errors would be taken for those of a later call. */
static int verify_callback(int good, X509_STORE_CTX *ctx)
{
    (void)good;
    (void)ctx;
    ERR_clear_error();
    return 1;
}

/* Sessions made under other anchors are not resumed: the id context is part of a session. */
static void context_trust(const FscTrust *trust, const Context *context)
{
    if (!context->checks)
        return;
    SSL_CTX *ctx = context->ssl->ctx;
    SSL_CTX_set1_cert_store(ctx, trust->store);
    SSL_CTX_set_verify(ctx, SSL_CTX_get_verify_mode(ctx), verify_callback);
    STACK_OF(X509_NAME) *names = SSL_load_client_CA_file((const char *)trust->anchors.path.data);
    if (names != NULL)
        SSL_CTX_set_client_CA_list(ctx, names);
    u_char id[8];
    for (size_t i = 0; i < sizeof id; i++)
        id[i] = (u_char)(trust->generation >> (8 * i));
    if (trust->generation > 1)
        (void)SSL_CTX_set_session_id_context(ctx, id, sizeof id);
    ERR_clear_error();
}

static ngx_int_t trust_refresh_store(FscTrust *trust)
{
    ngx_flag_t changed = file_changed(&trust->anchors);
    changed |= file_changed(&trust->crl);
    if (!changed && trust->store != NULL && trust->crl_state == crl_state_now(trust))
        return NGX_DECLINED;
    X509_STORE *store = store_read(trust);
    if (store == NULL)
        return NGX_ERROR;
    X509_STORE_free(trust->store);
    trust->store = store;
    trust->generation++;
    trust->since = ngx_current_msec;
    const Context *contexts = trust->contexts.elts;
    for (ngx_uint_t i = 0; i < trust->contexts.nelts; i++)
        context_trust(trust, &contexts[i]);
    return NGX_OK;
}

/* Our own certificates. */

static STACK_OF(X509) * chain_read(const File *file)
{
    BIO *bio = file_open(file);
    STACK_OF(X509) *chain = sk_X509_new_null();
    for (X509 *x509;
         bio != NULL && chain != NULL && (x509 = PEM_read_bio_X509_AUX(bio, NULL, NULL, NULL)) != NULL;)
        if (sk_X509_push(chain, x509) == 0)
            X509_free(x509);
    BIO_free(bio);
    ERR_clear_error();
    return chain;
}

/* All or nothing: a key that does not fit leaves the context as it was. Two kinds of key at once are one too
 * many: the old one would stay. */
static ngx_int_t context_show(const Context *context, STACK_OF(X509) * chain, EVP_PKEY *key)
{
    SSL_CTX *ctx = context->ssl->ctx;
    EVP_PKEY *old = SSL_CTX_get0_privatekey(ctx);
    X509 *leaf = sk_X509_shift(chain);
    ngx_int_t rc = leaf != NULL && key != NULL && X509_check_private_key(leaf, key) == 1 &&
                           (old == NULL || EVP_PKEY_get_base_id(old) == EVP_PKEY_get_base_id(key)) &&
                           SSL_CTX_use_cert_and_key(ctx, leaf, key, chain, 1) == 1
                       ? NGX_OK
                       : NGX_ERROR;
    X509_free(leaf);
    return rc;
}

static ngx_int_t context_refresh_key(Context *context)
{
    ngx_flag_t changed = file_changed(&context->certificate);
    changed |= file_changed(&context->key);
    if (!changed)
        return NGX_DECLINED;
    STACK_OF(X509) *chain = chain_read(&context->certificate);
    BIO *bio = file_open(&context->key);
    EVP_PKEY *key = bio != NULL ? PEM_read_bio_PrivateKey(bio, NULL, NULL, NULL) : NULL;
    ngx_int_t rc = context_show(context, chain, key);
    if (rc != NGX_OK)
        complain(&context->certificate,
                 "and its key do not belong together, or are of another kind than before (then reload)");
    else
        ngx_log_error(NGX_LOG_NOTICE, ngx_cycle->log, 0, "fsc: %V was read again",
                      &context->certificate.path);
    BIO_free(bio);
    EVP_PKEY_free(key);
    sk_X509_pop_free(chain, X509_free);
    return rc;
}

/* Together. */

FscTrust *fsc_trust_create(ngx_cycle_t *cycle, const ngx_str_t *anchors, const ngx_str_t *crl, time_t grace)
{
    FscTrust *trust = ngx_pcalloc(cycle->pool, sizeof *trust);
    if (trust == NULL || file_set(cycle->pool, &trust->anchors, anchors) != NGX_OK ||
        file_set(cycle->pool, &trust->crl, crl) != NGX_OK ||
        ngx_array_init(&trust->contexts, cycle->pool, 8, sizeof(Context)) != NGX_OK)
        return NULL;
    trust->grace = grace;
    return trust;
}

ngx_int_t fsc_trust_add(FscTrust *trust, ngx_ssl_t *ssl, ngx_flag_t checks, ngx_flag_t asks,
                        const ngx_str_t *certificate, const ngx_str_t *key)
{
    Context *context = ngx_array_push(&trust->contexts);
    if (context == NULL)
        return NGX_ERROR;
    ngx_memzero(context, sizeof *context);
    context->ssl = ssl;
    context->checks = checks;
    context->asks = asks;
    if (file_set(trust->contexts.pool, &context->certificate, certificate) != NGX_OK ||
        file_set(trust->contexts.pool, &context->key, key) != NGX_OK)
        return NGX_ERROR;
    (void)file_changed(&context->certificate); /* nginx has just read them */
    (void)file_changed(&context->key);
    return NGX_OK;
}

ngx_int_t fsc_trust_refresh(FscTrust *trust)
{
    ngx_int_t any = trust_refresh_store(trust);
    Context *contexts = trust->contexts.elts;
    for (ngx_uint_t i = 0; i < trust->contexts.nelts; i++)
        if (!contexts[i].asks && context_refresh_key(&contexts[i]) == NGX_OK)
            any = NGX_OK;
    return any == NGX_OK ? NGX_OK : NGX_DECLINED;
}

ngx_int_t fsc_trust_refresh_outways(FscTrust *trust)
{
    ngx_int_t any = NGX_DECLINED;
    Context *contexts = trust->contexts.elts;
    for (ngx_uint_t i = 0; i < trust->contexts.nelts; i++)
        if (contexts[i].asks && context_refresh_key(&contexts[i]) == NGX_OK)
            any = NGX_OK;
    return any;
}

static ngx_flag_t chain_verify(const FscTrust *trust, SSL *ssl, X509 *leaf)
{
    X509_STORE_CTX *ctx = X509_STORE_CTX_new();
    ngx_flag_t good = ctx != NULL &&
                      X509_STORE_CTX_init(ctx, trust->store, leaf, SSL_get_peer_cert_chain(ssl)) == 1 &&
                      X509_STORE_CTX_set_default(ctx, "ssl_client") == 1;
    if (good) {
        X509_STORE_CTX_set_depth(ctx, DEPTH);
        good = X509_verify_cert(ctx) == 1;
    }
    X509_STORE_CTX_free(ctx);
    ERR_clear_error();
    return good;
}

/* TRUE when the handshake was a whole one, and under these anchors: nginx has just found the chain to be
 * good. */
static ngx_flag_t fresh(const FscTrust *trust, const ngx_connection_t *connection, const FscTrustMark *mark)
{
    return mark->generation == 0 && !SSL_session_reused(connection->ssl->connection) &&
           (ngx_msec_int_t)(connection->start_time - trust->since) > 0 &&
           ngx_current_msec - connection->start_time < LOOK_AGAIN_S * 1000;
}

ngx_flag_t fsc_trust_holds(FscTrust *trust, const ngx_connection_t *connection, FscTrustMark *mark)
{
    SSL *ssl = connection->ssl->connection;
    X509 *leaf = SSL_get0_peer_certificate(ssl);
    if (trust->store == NULL || leaf == NULL)
        return 0;
    if (mark->generation == trust->generation && ngx_time() - mark->when < LOOK_AGAIN_S)
        return mark->holds;
    mark->holds = fresh(trust, connection, mark) || chain_verify(trust, ssl, leaf) ? 1 : 0;
    mark->generation = trust->generation;
    mark->when = ngx_time();
    return mark->holds;
}
