#include "core/crypto/jws.h"

#include <string.h>

#include "core/base/bytes.h"
#include "core/base/error.h"
#include "core/crypto/algorithm.h"
#include "core/crypto/openssl.h"
#include "core/format/json.h"

#define THUMBPRINT_BYTES 32
#define MAX_COORDINATE 66 /* of P-521 */

static const JsonLimits HEADER_LIMITS = {.bytes = 24576, .depth = 8, .values = 256};
/* As deep as a request may be: what a contract may hold as properties, its tokens hold as `prp`. */
static const JsonLimits PAYLOAD_LIMITS = {.bytes = 49152, .depth = 32, .values = 4096};

/* Header parameters that change what the rest means; who passes over them verifies another text than was
 * signed. RFC 7515 4.1.11 (crit), RFC 7797 (b64), RFC 7516 4.1.3 (zip). */
static const char *const REFUSED_PARAMETERS[] = {"crit", "b64", "zip"};

GQuark jws_error_quark(void)
{
    return g_quark_from_static_string("fundament-jws-error-quark");
}

void jws_free(Jws *jws)
{
    if (jws == NULL)
        return;
    g_free(jws->alg);
    g_free(jws->thumbprint);
    json_decref(jws->header);
    json_decref(jws->payload);
    g_clear_pointer(&jws->signing_input, g_bytes_unref);
    g_clear_pointer(&jws->signature, g_bytes_unref);
    g_free(jws);
}

static gboolean fail(GError **error, JwsError code, const char *reason)
{
    g_set_error(error, JWS_ERROR, code, "JWS: %s", reason);
    return FALSE;
}

/* One part of the three as a JSON object. The reasons of lower floors are kept, their codes are not. */
static json_t *decode_object(const char *text, gsize length, const char *part, const JsonLimits *limits,
                             GError **error)
{
    g_autoptr(GError) cause = NULL;
    g_autoptr(GBytes) bytes = base64url_decode(text, (gssize)length, &cause);
    gsize size = 0;
    const char *data = bytes == NULL ? NULL : g_bytes_get_data(bytes, &size);
    /* An empty part has no address, and a length below zero would mean "up to the NUL". */
    json_t *value =
        bytes == NULL ? NULL : json_parse_strict(size == 0 ? "" : data, (gssize)size, limits, &cause);
    if (json_is_object(value))
        return value;
    json_decref(value);
    g_set_error(error, JWS_ERROR, JWS_ERROR_SYNTAX, "JWS: %s: %s", part,
                cause == NULL ? "not a JSON object" : cause->message);
    return NULL;
}

/* RFC 7515 4.1.8: base64url of 32 bytes. */
static gboolean thumbprint_valid(const char *text)
{
    g_autoptr(GBytes) bytes = text == NULL ? NULL : base64url_decode(text, -1, NULL);
    return bytes != NULL && g_bytes_get_size(bytes) == THUMBPRINT_BYTES;
}

static gboolean read_header(Jws *jws, GError **error)
{
    for (gsize i = 0; i < G_N_ELEMENTS(REFUSED_PARAMETERS); i++)
        if (json_object_get(jws->header, REFUSED_PARAMETERS[i]) != NULL)
            return fail(error, JWS_ERROR_SYNTAX, "the header has crit, b64 or zip, which are not taken here");
    const Algorithm *algorithm = algorithm_find(json_string_value(json_object_get(jws->header, "alg")));
    if (algorithm == NULL)
        return fail(error, JWS_ERROR_ALGORITHM, "alg must be RS256, RS384, RS512, ES256, ES384 or ES512");
    const char *thumbprint = json_string_value(json_object_get(jws->header, "x5t#S256"));
    if (!thumbprint_valid(thumbprint))
        return fail(error, JWS_ERROR_SYNTAX, "x5t#S256 must be 43 characters of base64url (RFC 7515 4.1.8)");
    jws->alg = g_strdup(algorithm->alg);
    jws->thumbprint = g_strdup(thumbprint);
    return TRUE;
}

static gboolean read_signature(Jws *jws, const char *text, GError **error)
{
    g_autoptr(GError) cause = NULL;
    jws->signature = base64url_decode(text, -1, &cause);
    if (jws->signature == NULL)
        return fail(error, JWS_ERROR_SYNTAX, cause->message);
    return g_bytes_get_size(jws->signature) > 0 || fail(error, JWS_ERROR_SYNTAX, "the signature is empty");
}

Jws *jws_parse(const char *compact, GError **error)
{
    gsize length = strnlen(compact, JWS_MAX_BYTES + 1);
    if (length > JWS_MAX_BYTES) {
        fail(error, JWS_ERROR_SYNTAX, "larger than 64 KiB");
        return NULL;
    }
    const char *first = strchr(compact, '.');
    const char *second = first == NULL ? NULL : strchr(first + 1, '.');
    if (second == NULL || strchr(second + 1, '.') != NULL) {
        fail(error, JWS_ERROR_SYNTAX, "not three parts between dots (RFC 7515 7.1)");
        return NULL;
    }
    g_autoptr(Jws) jws = g_new0(Jws, 1);
    jws->header = decode_object(compact, (gsize)(first - compact), "header", &HEADER_LIMITS, error);
    if (jws->header == NULL || !read_header(jws, error))
        return NULL;
    jws->payload = decode_object(first + 1, (gsize)(second - first - 1), "payload", &PAYLOAD_LIMITS, error);
    if (jws->payload == NULL || !read_signature(jws, second + 1, error))
        return NULL;
    jws->signing_input = g_bytes_new(compact, (gsize)(second - compact));
    return g_steal_pointer(&jws);
}

/* RFC 7518 3.4: r and s, each as long as the curve's coordinates, one behind the other. To the DER that
 * OpenSSL reads; NULL when the length is another. */
static GBytes *ecdsa_der_of_raw(GBytes *raw, gsize coordinate)
{
    gsize length;
    const guint8 *data = g_bytes_get_data(raw, &length);
    if (length != 2 * coordinate)
        return NULL;
    g_autoptr(ECDSA_SIG) signature = ECDSA_SIG_new();
    BIGNUM *r = BN_bin2bn(data, (int)coordinate, NULL);
    BIGNUM *s = BN_bin2bn(data + coordinate, (int)coordinate, NULL);
    openssl_require(signature != NULL && r != NULL && s != NULL && ECDSA_SIG_set0(signature, r, s) == 1,
                    "ECDSA_SIG");
    unsigned char *der = NULL;
    int der_length = i2d_ECDSA_SIG(signature, &der);
    openssl_require(der_length > 0, "i2d_ECDSA_SIG");
    GBytes *result = g_bytes_new(der, (gsize)der_length);
    OPENSSL_free(der);
    return result;
}

static GBytes *ecdsa_raw_of_der(const guint8 *der, gsize length, gsize coordinate)
{
    guint8 raw[2 * MAX_COORDINATE];
    g_autoptr(ECDSA_SIG) signature = d2i_ECDSA_SIG(NULL, &der, (long)length);
    openssl_require(signature != NULL &&
                        BN_bn2binpad(ECDSA_SIG_get0_r(signature), raw, (int)coordinate) == (int)coordinate &&
                        BN_bn2binpad(ECDSA_SIG_get0_s(signature), raw + coordinate, (int)coordinate) ==
                            (int)coordinate,
                    "d2i_ECDSA_SIG");
    return g_bytes_new(raw, 2 * coordinate);
}

static gboolean signature_fits(const Jws *jws, const Algorithm *algorithm, EVP_PKEY *pkey)
{
    gsize text_length, length;
    const guint8 *text = g_bytes_get_data(jws->signing_input, &text_length);
    g_autoptr(GBytes) signature = algorithm->curve == NULL
                                      ? g_bytes_ref(jws->signature)
                                      : ecdsa_der_of_raw(jws->signature, algorithm->coordinate);
    if (signature == NULL)
        return FALSE;
    const guint8 *data = g_bytes_get_data(signature, &length);
    g_autoptr(EVP_MD_CTX) context = EVP_MD_CTX_new();
    /* RSA: PKCS#1 v1.5 is OpenSSL's default, and what RS* means (RFC 7518 3.3). */
    gboolean ok = EVP_DigestVerifyInit_ex(context, NULL, algorithm->digest, NULL, NULL, pkey, NULL) == 1 &&
                  EVP_DigestVerify(context, data, length, text, text_length) == 1;
    openssl_reason(); /* empties the queue */
    return ok;
}

gboolean jws_verify(const Jws *jws, const Certificate *certificate, GError **error)
{
    const Algorithm *algorithm = algorithm_find(jws->alg);
    EVP_PKEY *pkey = X509_get0_pubkey(certificate_x509(certificate));
    if (strcmp(jws->thumbprint, certificate_thumbprint(certificate)) != 0)
        return fail(error, JWS_ERROR_SIGNATURE, "x5t#S256 names another certificate");
    /* RFC 8725 3.1: the key says which algorithm is possible, never the header alone. */
    if (algorithm == NULL || !algorithm_fits(algorithm, pkey))
        return fail(error, JWS_ERROR_ALGORITHM, "alg does not fit the key of the certificate");
    return signature_fits(jws, algorithm, pkey) ||
           fail(error, JWS_ERROR_SIGNATURE, "the signature is not over this text by this key");
}

/* What a thread signed with last. Finding out what a key can do, and making OpenSSL ready for it, takes half
 * as long as a signature on P-256, and a node signs thousands of tokens with one key. */
typedef struct {
    EVP_PKEY *pkey;           /* references: their addresses cannot come back as others */
    Certificate *certificate; /* whose public key is that of `pkey` */
    const Algorithm *algorithm;
    EVP_PKEY_CTX *context; /* ready for EVP_PKEY_sign() of a digest; NULL for RSA */
} Signer;

static void signer_free(gpointer data)
{
    Signer *signer = data;
    EVP_PKEY_CTX_free(signer->context);
    EVP_PKEY_free(signer->pkey);
    certificate_unref(signer->certificate);
    g_free(signer);
}

static Signer *signer_new(EVP_PKEY *pkey, const Certificate *certificate)
{
    Signer *signer = g_new0(Signer, 1);
    EVP_PKEY_up_ref(pkey);
    signer->pkey = pkey;
    signer->certificate = certificate_ref(certificate);
    signer->algorithm = algorithm_of_key(pkey);
    if (signer->algorithm != NULL && signer->algorithm->curve != NULL) {
        signer->context = EVP_PKEY_CTX_new_from_pkey(NULL, pkey, NULL);
        openssl_require(signer->context != NULL && EVP_PKEY_sign_init(signer->context) == 1,
                        "EVP_PKEY_sign_init");
    }
    return signer;
}

/* NULL when key and certificate are no pair. Of this thread; valid until the next call. */
static const Signer *signer_get(const Key *key, const Certificate *certificate)
{
    static GPrivate last = G_PRIVATE_INIT(signer_free);
    EVP_PKEY *pkey = key_pkey(key);
    const Signer *signer = g_private_get(&last);
    if (signer != NULL && signer->pkey == pkey && signer->certificate == certificate)
        return signer;
    int same = EVP_PKEY_eq(pkey, X509_get0_pubkey(certificate_x509(certificate)));
    openssl_reason();
    if (same != 1)
        return NULL;
    g_private_replace(&last, signer_new(pkey, certificate));
    return g_private_get(&last);
}

static GBytes *sign_digest(const Signer *signer, const GString *text)
{
    guint8 digest[EVP_MAX_MD_SIZE], der[2 * MAX_COORDINATE + 16];
    gsize digest_length = 0, length = sizeof der;
    openssl_require(EVP_Q_digest(NULL, signer->algorithm->digest, NULL, text->str, text->len, digest,
                                 &digest_length) == 1 &&
                        EVP_PKEY_sign(signer->context, der, &length, digest, digest_length) == 1,
                    "EVP_PKEY_sign");
    return ecdsa_raw_of_der(der, length, signer->algorithm->coordinate);
}

static GBytes *sign_text(const Signer *signer, const GString *text)
{
    gsize length = 0;
    g_autoptr(EVP_MD_CTX) context = EVP_MD_CTX_new();
    const guint8 *data = (const guint8 *)text->str;
    openssl_require(EVP_DigestSignInit_ex(context, NULL, signer->algorithm->digest, NULL, NULL, signer->pkey,
                                          NULL) == 1 &&
                        EVP_DigestSign(context, NULL, &length, data, text->len) == 1,
                    "EVP_DigestSignInit");
    g_autofree guint8 *signature = g_malloc(length);
    openssl_require(EVP_DigestSign(context, signature, &length, data, text->len) == 1, "EVP_DigestSign");
    return g_bytes_new(signature, length);
}

static GBytes *sign(const Signer *signer, const GString *text)
{
    return signer->context != NULL ? sign_digest(signer, text) : sign_text(signer, text);
}

static void append_encoded(GString *out, const void *data, gsize length)
{
    g_autofree char *text = base64url_encode(data, length);
    g_string_append(out, text);
}

static void append_object(GString *out, const json_t *value)
{
    g_autofree char *text = json_write(value);
    append_encoded(out, text, strlen(text));
}

static json_t *header_new(const Algorithm *algorithm, const Certificate *certificate, const char *typ)
{
    json_t *header = json_object();
    json_object_set_new(header, "alg", json_string(algorithm->alg));
    if (typ != NULL)
        json_object_set_new(header, "typ", json_string(typ));
    json_object_set_new(header, "x5t#S256", json_string(certificate_thumbprint(certificate)));
    return header;
}

char *jws_sign(const json_t *payload, const Key *key, const Certificate *certificate, const char *typ,
               GError **error)
{
    if (!json_is_object(payload)) {
        g_set_error(error, FUNDAMENT_ERROR, FUNDAMENT_ERROR_INTERNAL, "a JWS is made of a JSON object only");
        return NULL;
    }
    const Signer *signer = signer_get(key, certificate);
    if (signer == NULL) {
        g_set_error(error, FUNDAMENT_ERROR, FUNDAMENT_ERROR_INVALID,
                    "the key does not belong to certificate %s; check the pair in the configuration",
                    certificate_thumbprint(certificate));
        return NULL;
    }
    g_autoptr(json_t) header = header_new(signer->algorithm, certificate, typ);
    g_autoptr(GString) compact = g_string_new(NULL);
    append_object(compact, header);
    g_string_append_c(compact, '.');
    append_object(compact, payload);
    g_autoptr(GBytes) signature = sign(signer, compact);
    g_string_append_c(compact, '.');
    append_encoded(compact, g_bytes_get_data(signature, NULL), g_bytes_get_size(signature));
    if (compact->len > JWS_MAX_BYTES) {
        g_set_error(error, FUNDAMENT_ERROR, FUNDAMENT_ERROR_LIMIT, "the JWS is larger than 64 KiB");
        return NULL;
    }
    return g_string_free(g_steal_pointer(&compact), FALSE);
}
