/* HTTP behind the edge: requests, answers, and the table of routes.
 *
 * nginx (the edge) speaks TLS and mTLS to the world and HTTP/1.1 over Unix sockets to this server, one socket
 * a kind of listener, so that a route can only be reached by the door it was made for. The edge overwrites
 * every header whose name begins with "Fundament-"; what they say of who is calling can be believed, because
 * nobody else can open the sockets (mode 0600).
 *
 * A handler runs on a thread of the server's pool, with the whole body in memory (at most `body_max`). It
 * must give exactly one answer. Everything a Request lends lives until the handler returns.
 */
#pragma once

#include <glib.h>
#include <jansson.h>

#include "core/base/clock.h"
#include "core/base/trace.h"
#include "core/crypto/certificate.h"

typedef enum {
    LISTENER_MANAGER, /* run/manager.sock: other organisations' Managers and Outways; mTLS at the edge */
    LISTENER_SERVICE, /* run/service.sock: behind our own Inway; the token was checked by the edge */
    LISTENER_PORTAL,  /* run/portal.sock: citizens' pages; TLS at the edge */
    LISTENER_LOG,     /* run/log.sock: applications of this organisation that write the log (OTLP) */
    LISTENER_ADMIN,   /* run/admin.sock: this node's command line, same user only; /health and /metrics */
    LISTENER_OFFICE,  /* run/office.sock: officers of this organisation; a certificate of its internal
                         authority */
    LISTENER_COUNT
} ListenerKind;

/* "manager", "service", ... as in the names of the sockets. */
const char *listener_name(ListenerKind kind);

typedef struct request Request;
typedef struct http_server HttpServer;

typedef void (*RouteHandler)(Request *request, gpointer context);

typedef struct {
    ListenerKind listener;
    const char *method; /* "GET" also answers HEAD */
    const char *path;   /* "/v1/contracts/{hash}/accept": braces match one segment, URL-decoded */
    RouteHandler handler;
    gsize body_max;      /* bytes; 0 means that no body is allowed */
    const char *service; /* LISTENER_SERVICE only: the FSC service this route belongs to; others get 404 */
    /* TRUE when `handler` would wait for nothing this time: then it runs on the thread that reads for this
     * listener, because handing over to another one would cost more than the answer. Usually NULL: never. */
    gboolean (*is_quick)(Request *request, gpointer context);
} Route;

/* --- what was asked --- */
ListenerKind request_listener(const Request *request);
const char *request_method(const Request *request);
const char *request_path(const Request *request); /* as sent: still percent-encoded, without the query */
/* "hash" for {hash}; never NULL for a name in the path. */
const char *request_segment(const Request *request, const char *name);
/* NULL when absent; any case; the first when repeated. */
const char *request_header(const Request *request, const char *name);
/* NULL when absent; the first when repeated. */
const char *request_query(const Request *request, const char *name);
guint request_query_count(const Request *request, const char *name);
/* Names of query parameters that are not in the NULL-terminated list `known`: the first one, or NULL. */
const char *request_query_unknown(const Request *request, const char *const *known);
const char *request_cookie(const Request *request, const char *name);
GBytes *request_body(const Request *request);
/* application/x-www-form-urlencoded body as an object of strings; NULL with FUNDAMENT_ERROR_INVALID when it
 * is not that, has a name twice, more than 100 fields, or is not UTF-8. */
json_t *request_form(const Request *request, GError **error);
/* The body as strict JSON (content type application/json required). */
json_t *request_json(const Request *request, GError **error);
/* The action of this request in its trace: continued from `traceparent`, or new. */
const TraceContext *request_trace(const Request *request);
/* TRUE when the caller sent a valid traceparent, so that our action has a caller. */
gboolean request_has_caller(const Request *request);
/* The organisation at the other end: from its certificate (LISTENER_MANAGER) or the verified token
 * (LISTENER_SERVICE). NULL elsewhere. */
const char *request_peer_id(const Request *request);
/* LISTENER_MANAGER and LISTENER_OFFICE only: the verified client certificate. Borrowed. */
const Certificate *request_certificate(const Request *request);
/* LISTENER_SERVICE only: verified by the edge. */
const char *request_service(const Request *request);
const char *request_grant_hash(const Request *request);
const char *request_transaction_id(const Request *request);
/* "nl" or "en" (more later): ?lang= (kept in a cookie), cookie, Accept-Language, Dutch. */
const char *request_language(const Request *request);
/* Things that other floors hang on a request (a session); freed with it. */
void request_set_data(Request *request, const char *key, gpointer data, GDestroyNotify destroy);
gpointer request_get_data(const Request *request, const char *key);

/* --- what is answered: exactly one of these, once --- */
/* Takes the bytes. */
void respond_bytes(Request *request, guint status, const char *content_type, GBytes *body);
void respond_text(Request *request, guint status, const char *content_type, const char *text);
/* Takes the reference; application/json. */
void respond_json(Request *request, guint status, json_t *body);
void respond_empty(Request *request, guint status);
/* 303 to a path of this host (must begin with a single "/"). */
void respond_see_other(Request *request, const char *path);
/* Before answering. Names and values are checked for line breaks. Replaces a header of the same name, the
 * standard ones included: Cache-Control no-store, Content-Security-Policy, Referrer-Policy,
 * Strict-Transport-Security, X-Content-Type-Options, X-Frame-Options (API Design Rules, transport security).
 * "" as value leaves it out. */
void respond_header(Request *request, const char *name, const char *value);
/* Secure HttpOnly SameSite=Lax; "" and 0 delete; below 0: until the browser closes. */
void respond_cookie(Request *request, const char *name, const char *value, gint max_age_s);
gboolean request_answered(const Request *request);

/* --- the server --- */
typedef struct {
    const char *run_dir; /* sockets are made here, mode 0600, stale ones replaced */
    guint threads;       /* a listener; default 4 */
    /* The current ones, a new reference: client certificates are checked again here. With NULL every client
     * of LISTENER_MANAGER is refused. */
    const TrustAnchors *(*anchors)(gpointer node);
    /* The same for LISTENER_OFFICE: the organisation's internal authority. */
    const TrustAnchors *(*officer_anchors)(gpointer node);
    gpointer node;
    /* Called before each handler; FALSE when it answered itself (a refusal). For limits and sessions. May be
     * NULL. */
    gboolean (*before)(Request *request, const Route *route, gpointer node);
    /* Called after the answer was made, for metrics; also for the server's own refusals, with a route whose
     * path is "" when none was found. May be called from several threads. May be NULL. */
    void (*after)(const Request *request, const Route *route, guint status, gint64 duration_us,
                  gpointer node);
    /* When a connection is closed on which nothing moves; default 75: longer than the edge keeps one. */
    guint idle_timeout_s;
    const Clock *clock; /* default the system's; client certificates must be valid now */
    const struct open_api
        *documents; /* core/net/openapi.h: answers carry the version of their API; or NULL */
} HttpServerOptions;

/* Routes are borrowed and must outlive the server; `contexts[i]` is given to the handlers of table i.
 * Two routes for the same listener, method and path are FUNDAMENT_ERROR_INTERNAL. */
HttpServer *http_server_start(const HttpServerOptions *options, const Route *const *tables,
                              const gsize *counts, const gpointer *contexts, gsize n_tables, GError **error);
/* Refuses new connections, answers what still comes over those there are (for a tenth of a second, and then
 * closes them), waits for running handlers up to `timeout_ms`, stops. */
void http_server_stop(HttpServer *server, guint timeout_ms);

/* The server answers by itself: 404 unknown path, 405 with Allow, 413 body over the limit, 414, 431, 400
 * malformed, 415 where a JSON or form handler asked for another type; on LISTENER_MANAGER also 400
 * ERROR_CODE_PEER_CERTIFICATE_VERIFICATION_FAILED when the certificate holds no valid Peer ID. Every answer
 * is problem+json, on LISTENER_PORTAL and LISTENER_OFFICE a page. */
