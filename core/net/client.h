/* HTTP client on libcurl: calls to other Managers (mTLS), through our own Outway (loopback), and to admin
 * sockets.
 *
 * Thread safe. Connections are kept and shared; TLS sessions and connections are never mixed between own
 * identities. TLS 1.2 or newer, https and http only, no redirects, no proxies from the environment, answers
 * bounded in size.
 */
#pragma once

#include <glib.h>
#include <jansson.h>

typedef struct http_client HttpClient;

typedef struct {
    const char *certificate_path; /* PEM, leaf first; NULL: no client certificate */
    const char *key_path;
    const char *anchors_path; /* the only trust anchors */
    const char *crl_path;     /* may be NULL */
} TlsIdentity;

typedef struct {
    const char *method; /* NULL is GET */
    const char *url;
    const char *const *headers; /* "Name: value", NULL-terminated; may be NULL */
    const void *body;
    gsize body_length;
    const TlsIdentity *tls; /* required for https */
    /* When set, the server's certificate must carry this Peer ID; checked before anything is sent. */
    const char *expected_peer_id;
    const char *unix_socket;    /* connect here whatever the URL says; may be NULL */
    const char *const *resolve; /* "host:port:address" of node.conf's names, NULL-terminated; may be NULL */
    /* For addresses that others name: FUNDAMENT_ERROR_DENIED, before a connection is tried, when the address
     * points inwards (inward.h), unless `inward_allowed` holds it or `resolve` names the host. */
    gboolean outward;
    const char *const *inward_allowed;
    guint timeout_ms; /* for all of it; 0 is 10,000 */
    gsize body_max;   /* of the answer; 0 is 4 MiB */
} HttpCall;

typedef struct {
    guint status;
    char *content_type;  /* NULL when absent */
    GHashTable *headers; /* lower-case name -> value (the last one) */
    GBytes *body;
} HttpReply;

void http_reply_free(HttpReply *reply);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(HttpReply, http_reply_free)

/* The first one makes the process ignore SIGPIPE. */
HttpClient *http_client_new(void);
void http_client_free(HttpClient *client);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(HttpClient, http_client_free)

/* NULL with FUNDAMENT_ERROR_UNAVAILABLE (name, connect, time-out, closed: the message says which), _DENIED
 * (TLS: the certificate or its Peer ID), _LIMIT (answer too large), _INVALID (bad URL). Any HTTP status is a
 * reply. */
HttpReply *http_client_call(HttpClient *client, const HttpCall *call, GError **error);

/* Runs all calls at the same time. `replies[i]` and `errors[i]` are set, one of the two each. */
void http_client_call_all(HttpClient *client, const HttpCall *calls, gsize n_calls, HttpReply **replies,
                          GError **errors);

/* The body as strict JSON. NULL with FUNDAMENT_ERROR_INVALID. */
json_t *http_reply_json(const HttpReply *reply, GError **error);

/* A moment as HTTP writes it (RFC 9110, 5.6.7), seconds since the epoch; -1 when it is none. */
gint64 http_date_read(const char *text);
