/* The server: one libmicrohttpd daemon a listener reads and sends; handlers run on other threads, while their
 * connection is suspended, so that a slow one delays nobody else.
 */
#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

#include "core/base/error.h"
#include "core/net/http_private.h"
#include "core/net/phrases.h"
#include "core/net/problem.h"

#define THREADS_DEFAULT 4
#define IDLE_TIMEOUT_DEFAULT_S 75
#define CONNECTIONS_MAX 512
#define CONNECTION_MEMORY 65536 /* holds HEADERS_MAX and TARGET_MAX: beyond them, too, the answer is ours */
#define STACK_BYTES (256 * 1024)
/* Bytes of a refused body that are read and thrown away. If we closed instead, the edge would answer 502,
 * because it was still writing. */
#define DISCARD_MAX (64 * 1024 * 1024)

#define DRAIN_MS                                                                                             \
    100 /* after the door closed: how long connections that are kept may still bring a request               \
         */
#define DRAIN_STEP_MS 5

struct http_server {
    HttpServerOptions options;
    char *run_dir;
    Listener listeners[LISTENER_COUNT];
    Callers *callers, *officers; /* each under its own anchors */
    GMutex lock;
    GCond idle;
    guint running;     /* requests between the start of their handler and the last byte of their answer */
    gboolean draining; /* no new connections; what comes over those there are is answered, and closes them */
    gboolean stopping;
};

Callers *server_callers(const HttpServer *server, ListenerKind kind)
{
    return kind == LISTENER_OFFICE ? server->officers : server->callers;
}

const HttpServerOptions *server_options(const HttpServer *server)
{
    return &server->options;
}

/* --- a request's life --- */

static void *on_request_line(void *cls, const char *target, struct MHD_Connection *connection)
{
    return request_new(cls, connection, target);
}

static void on_completed(void *cls, struct MHD_Connection *connection, void **state,
                         enum MHD_RequestTerminationCode reason)
{
    Request *request = *state;
    *state = NULL;
    if (request == NULL)
        return;
    HttpServer *server = request->listener->server;
    if (request->counted) {
        g_autoptr(GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new(&server->lock);
        server->running--;
        g_cond_broadcast(&server->idle);
    }
    request_free(request);
}

static void measure(const Request *request)
{
    const HttpServerOptions *options = &request->listener->server->options;
    if (options->after != NULL)
        options->after(request, request_route(request), request->answer.status,
                       g_get_monotonic_time() - request->started_us, options->node);
}

static enum MHD_Result send_refusal(Request *request)
{
    measure(request);
    return answer_queue(request);
}

static void handle(Request *request)
{
    const HttpServerOptions *options = &request->listener->server->options;
    const RouterEntry *entry = request->match.entry;
    if (options->before == NULL || options->before(request, entry->route, options->node))
        entry->route->handler(request, entry->context);
    if (!request->answer.made) {
        g_critical("trace %s: %s %s gave no answer", request->trace.trace_id, entry->route->method,
                   entry->route->path);
        respond_problem(request, MHD_HTTP_INTERNAL_SERVER_ERROR, "Internal error",
                        "This is our mistake. Quote trace %s when you report this.", request->trace.trace_id);
    }
    measure(request);
}

/* On a thread of the pool. The request is the handler's until the connection is resumed. */
static void run_handler(gpointer data, gpointer user_data)
{
    Request *request = data;
    handle(request);
    MHD_resume_connection(request->connection);
}

/* FALSE once the server is stopping. `last`: nothing more may come over this connection. */
static gboolean count_in(Request *request, gboolean *last)
{
    HttpServer *server = request->listener->server;
    g_autoptr(GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new(&server->lock);
    if (server->stopping)
        return FALSE;
    *last = server->draining;
    server->running++;
    request->counted = TRUE;
    return TRUE;
}

static gboolean is_quick(Request *request)
{
    const RouterEntry *entry = request->match.entry;
    return entry->route->is_quick != NULL && entry->route->is_quick(request, entry->context);
}

static enum MHD_Result dispatch(Request *request)
{
    request->body = request->incoming == NULL
                        ? g_bytes_new_static("", 0)
                        : g_byte_array_free_to_bytes(g_steal_pointer(&request->incoming));
    gboolean last = TRUE;
    gboolean counted = count_in(request, &last);
    if (last)
        respond_header(request, "Connection", "close");
    if (!counted) {
        respond_header(request, "Retry-After", "1");
        respond_problem(request, MHD_HTTP_SERVICE_UNAVAILABLE, "Stopping",
                        "This node is stopping; try again later.");
        return send_refusal(request);
    }
    if (is_quick(request)) {
        handle(request);
        return answer_queue(request);
    }
    MHD_suspend_connection(request->connection);
    g_thread_pool_push(request->listener->handlers, request, NULL);
    return MHD_YES;
}

/* A refusal waits until a short body has been read, because whoever is still writing it may not be reading
 * yet. */
static gboolean refuse_at_once(const Request *request)
{
    const char *length = request_header(request, "Content-Length");
    if (!request->answer.made)
        return FALSE;
    return request_header(request, "Expect") != NULL ||
           (length != NULL && g_ascii_strtoull(length, NULL, 10) > DISCARD_MAX);
}

static enum MHD_Result receive(Request *request, const char *data, size_t *length)
{
    gsize arrived = *length;
    *length = 0;
    if (!request->answer.made) {
        if (request->incoming == NULL)
            request->incoming = g_byte_array_new();
        if (request->incoming->len + arrived <= request_route(request)->body_max) {
            g_byte_array_append(request->incoming, (const guint8 *)data, (guint)arrived);
            return MHD_YES;
        }
        g_clear_pointer(&request->incoming, g_byte_array_unref);
        respond_too_large(request);
    }
    request->discarded += arrived;
    return request->discarded <= DISCARD_MAX ? MHD_YES : MHD_NO;
}

/* libmicrohttpd calls this when the headers are there, for each part of the body, at the end of it, and after
 * a resume. */
static enum MHD_Result on_request(void *cls, struct MHD_Connection *connection, const char *url,
                                  const char *method, const char *version, const char *upload_data,
                                  size_t *upload_data_size, void **state)
{
    Request *request = *state;
    if (!request->admitted) {
        request_admit(request, method);
        return refuse_at_once(request) ? send_refusal(request) : MHD_YES;
    }
    if (*upload_data_size != 0)
        return receive(request, upload_data, upload_data_size);
    if (request->counted)
        return answer_queue(request);
    return request->answer.made ? send_refusal(request) : dispatch(request);
}

/* --- starting and stopping --- */

/* libmicrohttpd must leave escapes alone: the path is split before it is decoded. */
static size_t keep_escapes(void *cls, struct MHD_Connection *connection, char *text)
{
    return strlen(text);
}

__attribute__((format(printf, 2, 0))) static void log_line(void *cls, const char *format, va_list arguments)
{
    g_autofree char *line = g_strdup_vprintf(format, arguments);
    g_debug("%s", g_strchomp(line));
}

static gboolean start_listener(HttpServer *server, Listener *listener, GError **error)
{
    g_autofree char *name = g_strconcat(listener_name(listener->kind), ".sock", NULL);
    listener->socket_path = g_build_filename(server->run_dir, name, NULL);
    listener->socket = listener_open(listener->socket_path, error);
    if (listener->socket < 0)
        return FALSE;
    listener->handlers = g_thread_pool_new(run_handler, NULL, (gint)server->options.threads, FALSE, NULL);
    listener->daemon = MHD_start_daemon(
        MHD_USE_EPOLL_INTERNAL_THREAD | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ITC | MHD_USE_ERROR_LOG, 0, NULL,
        NULL, on_request, NULL, MHD_OPTION_EXTERNAL_LOGGER, log_line, NULL, MHD_OPTION_LISTEN_SOCKET,
        listener->socket, MHD_OPTION_URI_LOG_CALLBACK, on_request_line, listener, MHD_OPTION_NOTIFY_COMPLETED,
        on_completed, NULL, MHD_OPTION_UNESCAPE_CALLBACK, keep_escapes, NULL, MHD_OPTION_CONNECTION_LIMIT,
        (unsigned int)CONNECTIONS_MAX, MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)CONNECTION_MEMORY,
        MHD_OPTION_CONNECTION_TIMEOUT, server->options.idle_timeout_s, MHD_OPTION_THREAD_STACK_SIZE,
        (size_t)STACK_BYTES, MHD_OPTION_STRICT_FOR_CLIENT, 1, MHD_OPTION_END);
    if (listener->daemon == NULL) {
        g_set_error(error, FUNDAMENT_ERROR, FUNDAMENT_ERROR_IO, "%s: the HTTP server does not start",
                    listener->socket_path);
        return FALSE;
    }
    return TRUE;
}

static gboolean add_routes(HttpServer *server, const Route *const *tables, const gsize *counts,
                           const gpointer *contexts, gsize n_tables, GError **error)
{
    for (gsize i = 0; i < n_tables; i++)
        for (gsize j = 0; j < counts[i]; j++) {
            const Route *route = &tables[i][j];
            if (!router_add(server->listeners[route->listener].router, route, contexts[i], error))
                return FALSE;
        }
    return TRUE;
}

static void server_free(HttpServer *server)
{
    for (gsize i = 0; i < LISTENER_COUNT; i++) {
        Listener *listener = &server->listeners[i];
        if (listener->handlers != NULL)
            g_thread_pool_free(listener->handlers, FALSE, TRUE);
        if (listener->daemon != NULL)
            MHD_stop_daemon(listener->daemon);
        if (listener->socket >= 0) {
            close(listener->socket);
            g_unlink(listener->socket_path);
        }
        g_free(listener->socket_path);
        router_free(listener->router);
    }
    callers_free(server->callers);
    callers_free(server->officers);
    g_mutex_clear(&server->lock);
    g_cond_clear(&server->idle);
    g_free(server->run_dir);
    g_free(server);
}

static HttpServer *server_new(const HttpServerOptions *options)
{
    HttpServer *server = g_new0(HttpServer, 1);
    server->options = *options;
    server->run_dir = g_strdup(options->run_dir);
    server->options.run_dir = server->run_dir;
    if (server->options.threads == 0)
        server->options.threads = THREADS_DEFAULT;
    if (server->options.idle_timeout_s == 0)
        server->options.idle_timeout_s = IDLE_TIMEOUT_DEFAULT_S;
    if (server->options.clock == NULL)
        server->options.clock = clock_system();
    server->callers = callers_new();
    server->officers = callers_new();
    g_mutex_init(&server->lock);
    g_cond_init(&server->idle);
    for (gsize i = 0; i < LISTENER_COUNT; i++) {
        server->listeners[i] = (Listener){.server = server, .kind = (ListenerKind)i, .socket = -1};
        server->listeners[i].router = router_new();
    }
    return server;
}

HttpServer *http_server_start(const HttpServerOptions *options, const Route *const *tables,
                              const gsize *counts, const gpointer *contexts, gsize n_tables, GError **error)
{
    phrases_init();
    HttpServer *server = server_new(options);
    gboolean started = add_routes(server, tables, counts, contexts, n_tables, error);
    for (gsize i = 0; started && i < LISTENER_COUNT; i++)
        if (router_count(server->listeners[i].router) > 0)
            started = start_listener(server, &server->listeners[i], error);
    if (started)
        return server;
    server_free(server);
    return NULL;
}

/* The listening sockets are ours, so that they close after the daemon let go of them. */
static void refuse_connections(HttpServer *server)
{
    for (gsize i = 0; i < LISTENER_COUNT; i++) {
        Listener *listener = &server->listeners[i];
        if (listener->daemon == NULL)
            continue;
        listener->socket = MHD_quiesce_daemon(listener->daemon);
        close(listener->socket);
        listener->socket = -1;
        g_unlink(listener->socket_path);
    }
}

static guint connections(HttpServer *server)
{
    guint count = 0;
    for (gsize i = 0; i < LISTENER_COUNT; i++) {
        struct MHD_Daemon *daemon = server->listeners[i].daemon;
        const union MHD_DaemonInfo *info =
            daemon == NULL ? NULL : MHD_get_daemon_info(daemon, MHD_DAEMON_INFO_CURRENT_CONNECTIONS);
        count += info == NULL ? 0 : info->num_connections;
    }
    return count;
}

/* Who keeps a connection may have sent a request over it at this very moment: it is answered, once more.
 * Under the lock. */
static void drain(HttpServer *server, gint64 deadline)
{
    gint64 until = g_get_monotonic_time() + DRAIN_MS * G_TIME_SPAN_MILLISECOND;
    gint64 now = g_get_monotonic_time();
    while (now < deadline && (server->running > 0 || (now < until && connections(server) > 0))) {
        gint64 step = server->running > 0 ? deadline : now + DRAIN_STEP_MS * G_TIME_SPAN_MILLISECOND;
        g_cond_wait_until(&server->idle, &server->lock, MIN(step, deadline));
        now = g_get_monotonic_time();
    }
}

void http_server_stop(HttpServer *server, guint timeout_ms)
{
    if (server == NULL)
        return;
    gint64 deadline = g_get_monotonic_time() + (gint64)timeout_ms * G_TIME_SPAN_MILLISECOND;
    g_mutex_lock(&server->lock);
    server->draining = TRUE;
    g_mutex_unlock(&server->lock);
    refuse_connections(server);
    g_mutex_lock(&server->lock);
    drain(server, deadline);
    server->stopping = TRUE;
    guint left = server->running;
    g_mutex_unlock(&server->lock);
    if (left > 0) {
        /* Their threads still use it all: it is left as it is, for the end of the process to clear. */
        g_warning("%u requests were still running when the server stopped", left);
        return;
    }
    server_free(server);
}
