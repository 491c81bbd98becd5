#include <openssl/ssl.h>
#include <string.h>
#include <sys/socket.h>

#include "core/base/error.h"
#include "core/crypto/certificate.h"
#include "core/net/client_private.h"
#include "core/net/inward.h"

#define TIMEOUT_DEFAULT_MS 10000
#define CONNECT_TIMEOUT_MS 5000
#define BODY_MAX_DEFAULT (4 * 1024 * 1024)
#define HEADERS_MAX 65536

/* What is not here is FUNDAMENT_ERROR_UNAVAILABLE: trying again may help. */
static const struct {
    CURLcode curl;
    FundamentError error;
} error_codes[] = {
    {CURLE_UNSUPPORTED_PROTOCOL, FUNDAMENT_ERROR_INVALID},
    {CURLE_URL_MALFORMAT, FUNDAMENT_ERROR_INVALID},
    {CURLE_LOGIN_DENIED, FUNDAMENT_ERROR_INVALID},
    {CURLE_PEER_FAILED_VERIFICATION, FUNDAMENT_ERROR_DENIED},
    {CURLE_SSL_ISSUER_ERROR, FUNDAMENT_ERROR_DENIED},
    {CURLE_SSL_INVALIDCERTSTATUS, FUNDAMENT_ERROR_DENIED},
    {CURLE_SSL_CERTPROBLEM, FUNDAMENT_ERROR_DENIED},
    {CURLE_SSL_CACERT_BADFILE, FUNDAMENT_ERROR_DENIED},
    {CURLE_SSL_CRL_BADFILE, FUNDAMENT_ERROR_DENIED},
    {CURLE_FILESIZE_EXCEEDED, FUNDAMENT_ERROR_LIMIT},
};

/* The address for messages: what comes after "?" can hold more than a log may. */
static char *address_of(const Transfer *transfer)
{
    return g_strndup(transfer->call->url, strcspn(transfer->call->url, "?#"));
}

static void refuse(Transfer *transfer, FundamentError code, const char *reason)
{
    g_autofree char *address = address_of(transfer);
    if (transfer->refusal == NULL)
        g_set_error(&transfer->refusal, FUNDAMENT_ERROR, (int)code, "%s: %s", address, reason);
}

/* --- what libcurl calls --- */

static size_t on_body(char *data, size_t size, size_t count, void *user_data)
{
    Transfer *transfer = user_data;
    gsize most = transfer->call->body_max == 0 ? BODY_MAX_DEFAULT : transfer->call->body_max;
    if (size * count > most - transfer->body->len) {
        g_autofree char *reason = g_strdup_printf("the answer is larger than %zu bytes", most);
        refuse(transfer, FUNDAMENT_ERROR_LIMIT, reason);
        return 0;
    }
    g_byte_array_append(transfer->body, (const guint8 *)data, (guint)(size * count));
    return size * count;
}

static size_t on_header(char *line, size_t size, size_t count, void *user_data)
{
    Transfer *transfer = user_data;
    gsize length = size * count;
    transfer->header_bytes += length;
    if (transfer->header_bytes > HEADERS_MAX) {
        refuse(transfer, FUNDAMENT_ERROR_LIMIT, "the headers of the answer are larger than 65536 bytes");
        return 0;
    }
    if (length >= 5 && memcmp(line, "HTTP/", 5) == 0) {
        g_hash_table_remove_all(transfer->reply->headers); /* those before were of a 1xx */
        return length;
    }
    const char *colon = memchr(line, ':', length);
    if (colon == NULL)
        return length;
    g_hash_table_replace(transfer->reply->headers, g_ascii_strdown(line, colon - line),
                         g_strstrip(g_strndup(colon + 1, length - (gsize)(colon + 1 - line))));
    return length;
}

static Certificate *peer_certificate(CURL *easy)
{
    struct curl_tlssessioninfo *session = NULL;
    if (curl_easy_getinfo(easy, CURLINFO_TLS_SSL_PTR, &session) != CURLE_OK || session == NULL ||
        session->internals == NULL)
        return NULL;
    X509 *x509 = SSL_get0_peer_certificate(session->internals);
    unsigned char *der = NULL;
    int length = x509 == NULL ? -1 : i2d_X509(x509, &der);
    Certificate *certificate = length < 0 ? NULL : certificate_parse(der, (gsize)length, NULL);
    OPENSSL_free(der);
    return certificate;
}

/* What node.conf's [hosts] says of a name is our own choice. */
static gboolean host_is_fixed(const HttpCall *call)
{
    const char *host = strstr(call->url, "://");
    gsize length = host == NULL ? 0 : strcspn(host + 3, "/?#");
    for (gsize i = 0; length > 0 && call->resolve != NULL && call->resolve[i] != NULL; i++)
        if (g_ascii_strncasecmp(call->resolve[i], host + 3, length) == 0 && call->resolve[i][length] == ':')
            return TRUE;
    return FALSE;
}

/* After the name was looked up, so that no name that resolves inwards gets past. */
static curl_socket_t on_socket(void *user_data, curlsocktype purpose, struct curl_sockaddr *address)
{
    Transfer *transfer = user_data;
    const HttpCall *call = transfer->call;
    if (call->outward && !host_is_fixed(call) &&
        inward_address(&address->addr, address->addrlen, call->inward_allowed)) {
        refuse(
            transfer, FUNDAMENT_ERROR_DENIED,
            "the address points inwards, at this machine or a private network; when that is right, put the "
            "name in [hosts] or the network in [fsc] peer_networks");
        return CURL_SOCKET_BAD;
    }
    return socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

/* The connection stands (a new one, or one that was kept) and nothing of the request has been sent yet. */
static int on_connected(void *user_data, char *remote_address, char *local_address, int remote_port,
                        int local_port)
{
    Transfer *transfer = user_data;
    const char *expected = transfer->call->expected_peer_id;
    if (expected == NULL)
        return CURL_PREREQFUNC_OK;
    g_autoptr(Certificate) certificate = peer_certificate(transfer->easy);
    const char *found = certificate == NULL ? NULL : certificate_peer_id(certificate);
    if (g_strcmp0(found, expected) == 0)
        return CURL_PREREQFUNC_OK;
    g_autofree char *reason = g_strdup_printf("the certificate there is of Peer %s, not of %s",
                                              found == NULL ? "(none)" : found, expected);
    refuse(transfer, FUNDAMENT_ERROR_DENIED, reason);
    return CURL_PREREQFUNC_ABORT;
}

/* --- setting up --- */

static gboolean add_line(struct curl_slist **list, const char *line, GError **error)
{
    if (strpbrk(line, "\r\n") != NULL) {
        g_set_error(error, FUNDAMENT_ERROR, FUNDAMENT_ERROR_INVALID,
                    "a header of the call holds a line break");
        return FALSE;
    }
    *list = curl_slist_append(*list, line);
    return TRUE;
}

/* "Expect:" and, unless the call names one, "Content-Type:" keep libcurl from adding its own. */
static gboolean set_headers(Transfer *transfer, GError **error)
{
    const char *const *headers = transfer->call->headers;
    gboolean has_type = FALSE;
    for (gsize i = 0; headers != NULL && headers[i] != NULL; i++) {
        has_type = has_type || g_ascii_strncasecmp(headers[i], "Content-Type:", strlen("Content-Type:")) == 0;
        if (!add_line(&transfer->headers, headers[i], error))
            return FALSE;
    }
    if (!has_type)
        transfer->headers = curl_slist_append(transfer->headers, "Content-Type:");
    transfer->headers = curl_slist_append(transfer->headers, "Expect:");
    curl_easy_setopt(transfer->easy, CURLOPT_HTTPHEADER, transfer->headers);
    return TRUE;
}

static void set_method(Transfer *transfer)
{
    CURL *easy = transfer->easy;
    const HttpCall *call = transfer->call;
    const char *method = call->method == NULL ? "GET" : call->method;
    static const char *const with_body[] = {"POST", "PUT", "PATCH", NULL};
    if (strcmp(method, "HEAD") == 0) {
        curl_easy_setopt(easy, CURLOPT_NOBODY, 1L);
    } else if (call->body != NULL || g_strv_contains(with_body, method)) {
        curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)call->body_length);
        curl_easy_setopt(easy, CURLOPT_POSTFIELDS, call->body == NULL ? "" : call->body);
    }
    curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, method);
}

/* Only our own anchors count: CAPATH would add those of the machine. */
static void set_tls(CURL *easy, const TlsIdentity *tls)
{
    curl_easy_setopt(easy, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, 1L);
    curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, 2L);
    curl_easy_setopt(easy, CURLOPT_CAPATH, NULL);
    curl_easy_setopt(easy, CURLOPT_CAINFO, tls->anchors_path);
    curl_easy_setopt(easy, CURLOPT_CRLFILE, tls->crl_path);
    curl_easy_setopt(easy, CURLOPT_SSLCERT, tls->certificate_path);
    curl_easy_setopt(easy, CURLOPT_SSLKEY, tls->key_path);
}

static void set_limits(Transfer *transfer)
{
    CURL *easy = transfer->easy;
    guint timeout_ms = transfer->call->timeout_ms == 0 ? TIMEOUT_DEFAULT_MS : transfer->call->timeout_ms;
    gsize most = transfer->call->body_max == 0 ? BODY_MAX_DEFAULT : transfer->call->body_max;
    curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, (long)timeout_ms);
    curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, (long)MIN(timeout_ms, CONNECT_TIMEOUT_MS));
    curl_easy_setopt(easy, CURLOPT_MAXFILESIZE_LARGE, (curl_off_t)most);
}

static void set_callbacks(Transfer *transfer)
{
    CURL *easy = transfer->easy;
    curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, transfer->message);
    curl_easy_setopt(easy, CURLOPT_PRIVATE, transfer);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, transfer);
    curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_header);
    curl_easy_setopt(easy, CURLOPT_HEADERDATA, transfer);
    curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, on_socket);
    curl_easy_setopt(easy, CURLOPT_OPENSOCKETDATA, transfer);
    curl_easy_setopt(easy, CURLOPT_PREREQFUNCTION, on_connected);
    curl_easy_setopt(easy, CURLOPT_PREREQDATA, transfer);
}

/* Where to, and by no other way: no proxy of the environment, no redirect, no other protocol, no user in the
 * address. */
static void set_target(Transfer *transfer)
{
    CURL *easy = transfer->easy;
    const HttpCall *call = transfer->call;
    for (gsize i = 0; call->resolve != NULL && call->resolve[i] != NULL; i++)
        transfer->resolve = curl_slist_append(transfer->resolve, call->resolve[i]);
    curl_easy_setopt(easy, CURLOPT_URL, call->url);
    curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(easy, CURLOPT_PROXY, "");
    curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
    curl_easy_setopt(easy, CURLOPT_PATH_AS_IS, 1L);
    curl_easy_setopt(easy, CURLOPT_DISALLOW_USERNAME_IN_URL, 1L);
    curl_easy_setopt(easy, CURLOPT_RESOLVE, transfer->resolve);
    curl_easy_setopt(easy, CURLOPT_UNIX_SOCKET_PATH, call->unix_socket);
    curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_USERAGENT, "fundament/" FUNDAMENT_VERSION);
}

static gboolean check_call(const HttpCall *call, GError **error)
{
    gboolean https = call->url != NULL && g_ascii_strncasecmp(call->url, "https://", strlen("https://")) == 0;
    gboolean http = call->url != NULL && g_ascii_strncasecmp(call->url, "http://", strlen("http://")) == 0;
    const char *fault = NULL;
    if (!https && !http)
        fault = "the address must begin with https:// or http://";
    else if (https && (call->tls == NULL || call->tls->anchors_path == NULL))
        fault = "https needs trust anchors";
    else if (http && call->expected_peer_id != NULL)
        fault = "only over https can a Peer ID be expected";
    if (fault == NULL)
        return TRUE;
    g_set_error(error, FUNDAMENT_ERROR, FUNDAMENT_ERROR_INVALID, "%s: %s",
                call->url == NULL ? "(no address)" : call->url, fault);
    return FALSE;
}

gboolean transfer_prepare(Transfer *transfer, CURL *easy, const HttpCall *call, GError **error)
{
    *transfer = (Transfer){.call = call, .easy = easy};
    if (!check_call(call, error))
        return FALSE;
    transfer->reply = g_new0(HttpReply, 1);
    transfer->reply->headers = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    transfer->body = g_byte_array_new();
    curl_easy_reset(easy);
    if (!set_headers(transfer, error))
        return FALSE;
    set_target(transfer);
    set_method(transfer);
    set_limits(transfer);
    set_callbacks(transfer);
    if (call->tls != NULL)
        set_tls(easy, call->tls);
    return TRUE;
}

/* --- the end --- */

/* A refusal by TLS is told apart from a connection that broke by OpenSSL's own words, which libcurl passes
 * on: "error:0A..." */
static FundamentError error_code(const Transfer *transfer, CURLcode code)
{
    for (gsize i = 0; i < G_N_ELEMENTS(error_codes); i++)
        if (error_codes[i].curl == code)
            return error_codes[i].error;
    gboolean transport =
        code == CURLE_SSL_CONNECT_ERROR || code == CURLE_RECV_ERROR || code == CURLE_SEND_ERROR;
    return transport && strstr(transfer->message, "error:0A") != NULL ? FUNDAMENT_ERROR_DENIED
                                                                      : FUNDAMENT_ERROR_UNAVAILABLE;
}

HttpReply *transfer_finish(Transfer *transfer, CURLcode code, GError **error)
{
    if (transfer->refusal != NULL) {
        g_propagate_error(error, g_steal_pointer(&transfer->refusal));
        return NULL;
    }
    if (code != CURLE_OK) {
        g_autofree char *address = address_of(transfer);
        g_set_error(error, FUNDAMENT_ERROR, (int)error_code(transfer, code), "%s: %s", address,
                    transfer->message[0] != '\0' ? transfer->message : curl_easy_strerror(code));
        return NULL;
    }
    HttpReply *reply = g_steal_pointer(&transfer->reply);
    long status = 0;
    curl_easy_getinfo(transfer->easy, CURLINFO_RESPONSE_CODE, &status);
    reply->status = (guint)status;
    reply->content_type = g_strdup(g_hash_table_lookup(reply->headers, "content-type"));
    reply->body = g_byte_array_free_to_bytes(g_steal_pointer(&transfer->body));
    return reply;
}

void transfer_clear(Transfer *transfer)
{
    curl_slist_free_all(transfer->headers);
    curl_slist_free_all(transfer->resolve);
    g_clear_pointer(&transfer->reply, http_reply_free);
    g_clear_pointer(&transfer->body, g_byte_array_unref);
    g_clear_error(&transfer->refusal);
}
