/* Inside core/net only: what a request is made of, and who may do what with it when.
 *
 * One request belongs to one thread at a time: to the thread of its listener while it is read and sent, to a
 * thread of the pool while its handler runs (the connection is suspended then). So it needs no lock.
 */
#pragma once

#include <glib.h>
#include <microhttpd.h>

#include "core/net/http.h"
#include "core/net/router.h"
#include "core/net/url.h"

#define TARGET_MAX 8192   /* bytes of path and query: 414 */
#define HEADERS_MAX 32768 /* bytes of names and values together: 431 */

typedef struct callers Callers;

typedef struct {
    HttpServer *server;
    ListenerKind kind;
    Router *router;
    int socket;
    char *socket_path;
    struct MHD_Daemon *daemon;
    GThreadPool *handlers;
} Listener;

typedef struct {
    gboolean made;
    guint status;
    char *content_type; /* NULL: no body */
    GBytes *body;
    GPtrArray *headers; /* of UrlField: names and values */
} Answer;

struct request {
    Listener *listener;
    struct MHD_Connection *connection;
    gint64 started_us; /* monotonic */
    gboolean admitted; /* its headers were looked at */
    gboolean counted;  /* among the server's running requests */
    gboolean wrong_media_type;

    const char *method; /* borrowed from the connection, like the headers */
    char *target;
    char *path;
    char **segments;
    GPtrArray *query;
    GArray *headers; /* of HeaderText */
    GPtrArray *cookies;
    RouterMatch match;

    char *peer_id;
    Certificate *certificate;
    TraceContext trace;
    gboolean has_caller;

    GByteArray *incoming;
    gsize discarded;
    GBytes *body;
    Answer answer;
    GHashTable *data;
};

typedef struct {
    const char *name;
    const char *value;
} HeaderText;

/* request.c */
Request *request_new(Listener *listener, struct MHD_Connection *connection, const char *target);
void request_free(Request *request);
const Route *request_route(const Request *request);
/* TRUE when a person with a browser is at the other end. */
gboolean request_has_pages(const Request *request);

/* admit.c: reads method and headers, and refuses (by answering) what is not fit for a handler. */
void request_admit(Request *request, const char *method);

/* respond.c: hands the answer that was made to the connection. */
enum MHD_Result answer_queue(Request *request);

/* problem.c: refusals of the server itself. 404, or 405 with Allow; 413; 500 for a handler that gave no
 * answer. */
void respond_unmatched(Request *request, const GString *allow);
void respond_too_large(Request *request);

/* caller.c: who is calling, by the rules of the listener. FALSE when it was answered with a refusal. */
gboolean caller_identify(Request *request);
Callers *callers_new(void);
void callers_free(Callers *callers);
Callers *server_callers(const HttpServer *server, ListenerKind kind);
const HttpServerOptions *server_options(const HttpServer *server);

/* listener.c */
int listener_open(const char *path, GError **error);
