#include "fsc_certificate.h"

#include <openssl/evp.h>
#include <openssl/x509.h>

/* Serials are kept as a table of hashes with the texts; CRLs of a group are short. */
typedef struct {
    ngx_queue_t chain;
    size_t length;
    u_char serial[];
} Serial;

#define BUCKETS 1024

typedef struct {
    ngx_queue_t buckets[BUCKETS];
    ngx_pool_t *pool;
} SerialSet;

struct fsc_revoked {
    SerialSet *set;      /* the list in force, NULL before the first */
    SerialSet *incoming; /* the parts of a list that is coming in */
    ngx_uint_t number;   /* of the list in force */
};

static int certificate_index = -1; /* of our data in an SSL object */

ngx_int_t fsc_certificate_init(void)
{
    if (certificate_index == -1)
        certificate_index = SSL_get_ex_new_index(0, NULL, NULL, NULL, NULL);
    return certificate_index == -1 ? NGX_ERROR : NGX_OK;
}

static ngx_int_t thumbprint_make(X509 *x509, u_char out[FSC_THUMBPRINT_SIZE])
{
    u_char digest[EVP_MAX_MD_SIZE];
    unsigned length;
    u_char text[64];
    if (X509_digest(x509, EVP_sha256(), digest, &length) != 1)
        return NGX_ERROR;
    ngx_str_t from = {length, digest}, to = {0, text};
    ngx_encode_base64url(&to, &from);
    if (to.len != FSC_THUMBPRINT_SIZE)
        return NGX_ERROR;
    ngx_memcpy(out, text, FSC_THUMBPRINT_SIZE);
    return NGX_OK;
}

static ngx_int_t serial_make(X509 *x509, ngx_pool_t *pool, ngx_str_t *out)
{
    BIGNUM *number = ASN1_INTEGER_to_BN(X509_get0_serialNumber(x509), NULL);
    char *hex = number != NULL ? BN_bn2hex(number) : NULL;
    BN_free(number);
    if (hex == NULL)
        return NGX_ERROR;
    ngx_str_t text = {ngx_strlen(hex), (u_char *)hex};
    out->len = text.len;
    out->data = ngx_pstrdup(pool, &text);
    OPENSSL_free(hex);
    return out->data != NULL ? NGX_OK : NGX_ERROR;
}

FscCertificate *fsc_certificate_of(ngx_http_request_t *http)
{
    if (http->connection->ssl == NULL)
        return NULL;
    SSL *ssl = http->connection->ssl->connection;
    FscCertificate *certificate = SSL_get_ex_data(ssl, certificate_index);
    if (certificate != NULL)
        return certificate;
    X509 *x509 = SSL_get0_peer_certificate(ssl);
    if (x509 == NULL)
        return NULL;
    /* A stream of HTTP/2 has a connection of its own that ends with it: ours is the real one, which outlives
     * the SSL object. */
    ngx_connection_t *connection =
        http->stream != NULL ? http->stream->connection->connection : http->connection;
    certificate = ngx_pcalloc(connection->pool, sizeof *certificate);
    if (certificate == NULL || thumbprint_make(x509, certificate->thumbprint) != NGX_OK ||
        serial_make(x509, connection->pool, &certificate->serial) != NGX_OK ||
        SSL_set_ex_data(ssl, certificate_index, certificate) != 1)
        return NULL;
    return certificate;
}

/* The list of revoked certificates. */

FscRevoked *fsc_revoked_create(ngx_cycle_t *cycle)
{
    return ngx_pcalloc(cycle->pool, sizeof(FscRevoked));
}

static SerialSet *set_create(void)
{
    ngx_pool_t *pool = ngx_create_pool(16384, ngx_cycle->log);
    SerialSet *set = pool != NULL ? ngx_palloc(pool, sizeof *set) : NULL;
    if (set == NULL) {
        if (pool != NULL)
            ngx_destroy_pool(pool);
        return NULL;
    }
    set->pool = pool;
    for (ngx_uint_t i = 0; i < BUCKETS; i++) {
        ngx_queue_init(&set->buckets[i]);
    }
    return set;
}

static ngx_queue_t *set_bucket(SerialSet *set, const u_char *serial, size_t length)
{
    return &set->buckets[ngx_crc32_short((u_char *)serial, length) % BUCKETS];
}

static ngx_int_t set_add(SerialSet *set, const u_char *serial, size_t length)
{
    Serial *entry = ngx_palloc(set->pool, sizeof *entry + length);
    if (entry == NULL)
        return NGX_ERROR;
    entry->length = length;
    ngx_memcpy(entry->serial, serial, length);
    ngx_queue_insert_head(set_bucket(set, serial, length), &entry->chain);
    return NGX_OK;
}

static ngx_flag_t set_has(SerialSet *set, const ngx_str_t *serial)
{
    ngx_queue_t *bucket = set_bucket(set, serial->data, serial->len);
    for (ngx_queue_t *q = ngx_queue_head(bucket); q != ngx_queue_sentinel(bucket); q = ngx_queue_next(q)) {
        const Serial *entry = ngx_queue_data(q, Serial, chain);
        if (entry->length == serial->len && ngx_memcmp(entry->serial, serial->data, serial->len) == 0)
            return 1;
    }
    return 0;
}

void fsc_revoked_take(FscRevoked *revoked, const u_char *payload, size_t length)
{
    size_t position = 0, n;
    uint64_t more;
    const u_char *serial;
    if (frame_field_get_u64(payload, length, &position, &more) != 0)
        return;
    if (revoked->incoming == NULL && (revoked->incoming = set_create()) == NULL)
        return;
    while (frame_field_get(payload, length, &position, &serial, &n) == 0)
        if (set_add(revoked->incoming, serial, n) != NGX_OK)
            ngx_log_error(NGX_LOG_CRIT, ngx_cycle->log, 0,
                          "fsc: no memory for the list of revoked certificates");
    if (more)
        return;
    if (revoked->set != NULL)
        ngx_destroy_pool(revoked->set->pool);
    revoked->set = revoked->incoming;
    revoked->incoming = NULL;
    revoked->number++;
}

ngx_flag_t fsc_revoked_check(const FscRevoked *revoked, FscCertificate *certificate)
{
    if (certificate->checked != revoked->number) {
        certificate->revoked = set_has(revoked->set, &certificate->serial) ? 1 : 0;
        certificate->checked = revoked->number;
    }
    return certificate->revoked;
}
