#include "core/net/probe.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

G_DEFINE_AUTOPTR_CLEANUP_FUNC(SSL_CTX, SSL_CTX_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SSL, SSL_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(BIO, BIO_free_all)

void tls_probe_free(TlsProbe *probe)
{
    if (probe == NULL)
        return;
    g_free(probe->error);
    g_free(probe->version);
    g_free(probe->cipher);
    g_clear_pointer(&probe->certificate, certificate_unref);
    g_free(probe);
}

/* --- TCP --- */

static socklen_t address_of(const char *ip, guint port, struct sockaddr_storage *out)
{
    struct sockaddr_in *v4 = (struct sockaddr_in *)(void *)out;
    struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)(void *)out;
    memset(out, 0, sizeof *out);
    if (inet_pton(AF_INET, ip, &v4->sin_addr) == 1) {
        v4->sin_family = AF_INET;
        v4->sin_port = htons((guint16)port);
        return sizeof *v4;
    }
    if (inet_pton(AF_INET6, ip, &v6->sin6_addr) == 1) {
        v6->sin6_family = AF_INET6;
        v6->sin6_port = htons((guint16)port);
        return sizeof *v6;
    }
    return 0;
}

/* 0, or the errno of a connection that was begun. */
static int wait_for_connection(int fd, guint timeout_ms)
{
    struct pollfd wanted = {.fd = fd, .events = POLLOUT};
    int result, fault = 0;
    socklen_t length = sizeof fault;
    do
        result = poll(&wanted, 1, (int)timeout_ms);
    while (result < 0 && errno == EINTR);
    if (result == 0)
        return ETIMEDOUT;
    if (result < 0 || getsockopt(fd, SOL_SOCKET, SO_ERROR, &fault, &length) != 0)
        return errno;
    return fault;
}

/* After the connection stands reads and writes block, each for the time-out at most. */
static void set_blocking(int fd, guint timeout_ms)
{
    struct timeval patience = {.tv_sec = timeout_ms / 1000,
                               .tv_usec = (suseconds_t)(timeout_ms % 1000) * 1000};
    int flags = fcntl(fd, F_GETFL);
    if (flags >= 0)
        fcntl(fd, F_SETFL, flags & ~O_NONBLOCK);
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
}

/* -1 with errno set. */
static int connect_to(const char *ip, guint port, guint timeout_ms)
{
    struct sockaddr_storage address;
    socklen_t length = address_of(ip, port, &address);
    int fd = length == 0 ? -1 : socket(address.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (length == 0)
        errno = EINVAL;
    if (fd < 0)
        return -1;
    int fault = connect(fd, (struct sockaddr *)&address, length) == 0 ? 0 : errno;
    if (fault == EINPROGRESS)
        fault = wait_for_connection(fd, timeout_ms);
    if (fault == 0)
        return fd;
    close(fd);
    errno = fault;
    return -1;
}

/* --- TLS --- */

/* Everything is accepted here: who judges wants to see it first. */
static SSL_CTX *context_new(const TlsIdentity *identity)
{
    SSL_CTX *context = SSL_CTX_new(TLS_client_method());
    if (context == NULL)
        return NULL;
    SSL_CTX_set_verify(context, SSL_VERIFY_NONE, NULL);
    SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
    if (identity != NULL && identity->certificate_path != NULL && identity->key_path != NULL) {
        SSL_CTX_use_certificate_chain_file(context, identity->certificate_path);
        SSL_CTX_use_PrivateKey_file(context, identity->key_path, SSL_FILETYPE_PEM);
    }
    ERR_clear_error();
    return context;
}

static Certificate *certificate_of(SSL *ssl)
{
    STACK_OF(X509) *chain = SSL_get_peer_cert_chain(ssl);
    g_autoptr(BIO) pem = BIO_new(BIO_s_mem());
    for (int i = 0; pem != NULL && i < sk_X509_num(chain); i++)
        PEM_write_bio_X509(pem, sk_X509_value(chain, i));
    char *text = NULL;
    long length = pem == NULL ? 0 : BIO_get_mem_data(pem, &text);
    return length <= 0 ? NULL : certificate_parse(text, (gsize)length, NULL);
}

static char *reason_of(const SSL *ssl, int result)
{
    int kind = SSL_get_error(ssl, result), fault = errno;
    unsigned long code = ERR_peek_last_error();
    const char *reason = code == 0 ? NULL : ERR_reason_error_string(code);
    if (kind == SSL_ERROR_SSL && reason != NULL)
        return g_strdup(reason);
    if (fault == EAGAIN || fault == EWOULDBLOCK)
        return g_strdup("no answer to the TLS handshake");
    return g_strdup("the connection was closed during the TLS handshake");
}

static void shake_hands(TlsProbe *probe, int fd, const char *name, const TlsIdentity *identity)
{
    g_autoptr(SSL_CTX) context = context_new(identity);
    g_autoptr(SSL) ssl = context == NULL ? NULL : SSL_new(context);
    if (ssl == NULL || SSL_set_fd(ssl, fd) != 1) {
        probe->error = g_strdup("OpenSSL has no memory");
        return;
    }
    SSL_set_tlsext_host_name(ssl, name);
    ERR_clear_error();
    errno = 0;
    int result = SSL_connect(ssl);
    probe->handshake = result == 1;
    if (probe->handshake) {
        probe->version = g_strdup(SSL_get_version(ssl));
        probe->cipher = g_strdup(SSL_get_cipher_name(ssl));
        probe->certificate = certificate_of(ssl);
        SSL_shutdown(ssl);
    } else {
        probe->error = reason_of(ssl, result);
    }
    ERR_clear_error();
}

TlsProbe *tls_probe(const char *ip, guint port, const char *name, const TlsIdentity *identity,
                    guint timeout_ms)
{
    TlsProbe *probe = g_new0(TlsProbe, 1);
    int fd = connect_to(ip, port, timeout_ms);
    probe->connected = fd >= 0;
    if (fd < 0) {
        probe->error = g_strdup(g_strerror(errno));
        return probe;
    }
    set_blocking(fd, timeout_ms);
    shake_hands(probe, fd, name, identity);
    close(fd);
    return probe;
}
