#include "tls_peer.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <openssl/ssl.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

struct tls_peer {
    SSL_CTX *context;
    int listening;
    guint16 port;
    GThread *acceptor;
    GMutex lock;
    GPtrArray *threads;
    GArray *sockets;
    guint connections;
    guint requests;
};

typedef struct {
    TlsPeer *peer;
    int fd;
} Visit;

/* The serialNumber in the subject of the client's certificate, or "". */
static char *client_serial_number(SSL *ssl)
{
    X509 *x509 = SSL_get0_peer_certificate(ssl);
    char text[64] = "";
    if (x509 != NULL)
        X509_NAME_get_text_by_NID(X509_get_subject_name(x509), NID_serialNumber, text, sizeof text);
    return g_strdup(text);
}

static void count(TlsPeer *peer, guint *counter)
{
    g_mutex_lock(&peer->lock);
    (*counter)++;
    g_mutex_unlock(&peer->lock);
}

static gboolean answer_one(TlsPeer *peer, SSL *ssl)
{
    g_autoptr(GString) request = g_string_new(NULL);
    char c;
    while (strstr(request->str, "\r\n\r\n") == NULL) {
        if (SSL_read(ssl, &c, 1) != 1)
            return FALSE;
        g_string_append_c(request, c);
    }
    count(peer, &peer->requests);
    g_autofree char *client = client_serial_number(ssl);
    g_autofree char *answer = g_strdup_printf(
        "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 2\r\nX-Client: %s\r\n\r\nok", client);
    return SSL_write(ssl, answer, (int)strlen(answer)) > 0;
}

static gpointer visit(gpointer data)
{
    Visit *own = data;
    SSL *ssl = SSL_new(own->peer->context);
    SSL_set_fd(ssl, own->fd);
    if (SSL_accept(ssl) == 1) {
        count(own->peer, &own->peer->connections);
        while (answer_one(own->peer, ssl))
            continue;
    }
    SSL_free(ssl);
    shutdown(own->fd, SHUT_RDWR);
    g_free(own);
    return NULL;
}

static gpointer accept_all(gpointer data)
{
    TlsPeer *peer = data;
    for (int fd; (fd = accept(peer->listening, NULL, NULL)) >= 0;) {
        Visit *own = g_new(Visit, 1);
        *own = (Visit){peer, fd};
        g_mutex_lock(&peer->lock);
        g_array_append_val(peer->sockets, fd);
        g_ptr_array_add(peer->threads, g_thread_new("visit", visit, own));
        g_mutex_unlock(&peer->lock);
    }
    return NULL;
}

static SSL_CTX *make_context(const TlsPeerOptions *options)
{
    SSL_CTX *context = SSL_CTX_new(TLS_server_method());
    if (options->max_version != 0) {
        SSL_CTX_set_security_level(context, 0);
        SSL_CTX_set_min_proto_version(context, TLS1_VERSION);
        SSL_CTX_set_max_proto_version(context, options->max_version);
    }
    if (SSL_CTX_use_certificate_chain_file(context, options->certificate) != 1 ||
        SSL_CTX_use_PrivateKey_file(context, options->key, SSL_FILETYPE_PEM) != 1)
        g_error("%s: no certificate and key", options->certificate);
    if (options->client_anchors != NULL) {
        SSL_CTX_load_verify_file(context, options->client_anchors);
        SSL_CTX_set_verify(context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
        SSL_CTX_set_session_id_context(context, (const unsigned char *)"peer", 4);
    }
    return context;
}

TlsPeer *tls_peer_start(const TlsPeerOptions *options)
{
    TlsPeer *peer = g_new0(TlsPeer, 1);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof address;
    g_mutex_init(&peer->lock);
    peer->context = make_context(options);
    peer->threads = g_ptr_array_new();
    peer->sockets = g_array_new(FALSE, FALSE, sizeof(int));
    peer->listening = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (bind(peer->listening, (struct sockaddr *)&address, length) != 0 || listen(peer->listening, 16) != 0 ||
        getsockname(peer->listening, (struct sockaddr *)&address, &length) != 0)
        g_error("no port on loopback");
    peer->port = ntohs(address.sin_port);
    peer->acceptor = g_thread_new("accept", accept_all, peer);
    return peer;
}

void tls_peer_stop(TlsPeer *peer)
{
    shutdown(peer->listening, SHUT_RDWR);
    g_thread_join(peer->acceptor);
    close(peer->listening);
    for (guint i = 0; i < peer->sockets->len; i++)
        shutdown(g_array_index(peer->sockets, int, i), SHUT_RDWR);
    for (guint i = 0; i < peer->threads->len; i++)
        g_thread_join(peer->threads->pdata[i]);
    for (guint i = 0; i < peer->sockets->len; i++)
        close(g_array_index(peer->sockets, int, i));
    g_ptr_array_unref(peer->threads);
    g_array_unref(peer->sockets);
    SSL_CTX_free(peer->context);
    g_mutex_clear(&peer->lock);
    g_free(peer);
}

guint16 tls_peer_port(const TlsPeer *peer)
{
    return peer->port;
}

static guint read_counter(TlsPeer *peer, const guint *counter)
{
    g_mutex_lock(&peer->lock);
    guint value = *counter;
    g_mutex_unlock(&peer->lock);
    return value;
}

guint tls_peer_connections(TlsPeer *peer)
{
    return read_counter(peer, &peer->connections);
}

guint tls_peer_requests(TlsPeer *peer)
{
    return read_counter(peer, &peer->requests);
}
