/* The running node: everything started in order, and stopped in reverse. */
#include "core/node/node_private.h"

#include <errno.h>
#include <glib-unix.h>
#include <signal.h>
#include <string.h>

#include "core/base/error.h"
#include "core/net/page.h"
#include "core/net/phrases.h"
#include "core/node/audit.h"
#include "core/node/log.h"
#include "core/node/notify.h"
#include "core/node/outbox.h"
#include "core/node/standby.h"
#include "core/node/place.h"

#define STOP_TIMEOUT_MS 5000
#define REFRESH_INTERVAL_S 2
#define CSRF_KEY_LENGTH 32

typedef struct {
    Node *node;
    GPtrArray *components; /* const Component*: those that are on */
    HttpServer *http;
    GPtrArray *route_tables;
    GArray *route_counts;
    GPtrArray *route_contexts;
    OpenApi *documents;
    GMainLoop *loop;
} Serving;

/* --- frames --- */

static void handle_frame(FrameCall *call, gpointer user_data)
{
    Node *node = user_data;
    guint8 type = frame_call_type(call);
    g_rw_lock_reader_lock(&node->frames_lock);
    if (!node->frames_serving)
        frame_call_refuse(call, FRAME_STATUS_NOT_READY, "the node is starting or stopping; try again");
    else if (node->frame_handlers[type] == NULL)
        frame_call_refuse(call, FRAME_STATUS_BAD_FRAME, "no component of this node answers that");
    else
        node->frame_handlers[type](call, node->frame_contexts[type]);
    g_rw_lock_reader_unlock(&node->frames_lock);
}

static gboolean start_frames(Node *node, GError **error)
{
    g_autofree char *path = g_build_filename(node_run_dir(node), "frames.sock", NULL);
    FramesServerOptions options = {
        .socket_path = path, .group_id = node_group_id(node), .peer_id = node_oin(node), .user_data = node};
    options.handlers[FRAME_LOG] = handle_frame;
    options.handlers[FRAME_VERIFY] = handle_frame;
    options.handlers[FRAME_ROUTE] = handle_frame;
    options.handlers[FRAME_OUTCOME] = handle_frame;
    options.handlers[FRAME_TRAFFIC] = handle_frame;
    options.handlers[FRAME_EDGE] = handle_frame;
    node->frames = frames_server_start(&options, error);
    if (node->frames == NULL)
        return FALSE;
    node_tell_revoked(node);
    return TRUE;
}

static void serve_frames(Node *node)
{
    g_rw_lock_writer_lock(&node->frames_lock);
    node->frames_serving = TRUE;
    g_rw_lock_writer_unlock(&node->frames_lock);
    frames_server_forget(node->frames); /* what was refused while starting */
}

/* --- HTTP --- */

static void add_routes(Serving *serving, const Route *routes, gsize count, gpointer context)
{
    if (count == 0)
        return;
    g_ptr_array_add(serving->route_tables, (gpointer)routes);
    g_array_append_val(serving->route_counts, count);
    g_ptr_array_add(serving->route_contexts, context);
}

static const TrustAnchors *current_anchors(gpointer node)
{
    return node_anchors(node);
}

static const TrustAnchors *current_officer_anchors(gpointer node)
{
    return node_officer_anchors(node);
}

static gboolean add_documents(Serving *serving, GError **error)
{
    gsize count;
    serving->documents = openapi_new();
    if (!openapi_add(serving->documents, &node_document, error))
        return FALSE;
    for (guint i = 0; i < serving->components->len; i++) {
        const Component *component = serving->components->pdata[i];
        for (gsize j = 0; j < component->n_documents; j++)
            if (!openapi_add(serving->documents, &component->documents[j], error))
                return FALSE;
    }
    const Route *routes = openapi_routes(serving->documents, &count);
    add_routes(serving, routes, count, serving->documents);
    return TRUE;
}

static gboolean start_http(Serving *serving, GError **error)
{
    Node *node = serving->node;
    if (!add_documents(serving, error))
        return FALSE;
    add_routes(serving, node_routes, node_routes_count, node);
    add_routes(serving, retention_routes, retention_routes_count, node);
    add_routes(serving, page_routes, page_routes_count, node);
    add_routes(serving, audit_routes, audit_routes_count, node);
    for (guint i = 0; i < node->running->len; i++) {
        const Running *running = &g_array_index(node->running, Running, i);
        add_routes(serving, running->component->routes, running->component->n_routes, running->context);
    }
    HttpServerOptions options = {
        .run_dir = node_run_dir(node),
        .threads = (guint)config_integer(node->config, "node", "threads"),
        .anchors = current_anchors,
        .officer_anchors = current_officer_anchors,
        .node = node,
        .before = node_before_request,
        .after = node_after_request,
        .documents = serving->documents,
    };
    serving->http = http_server_start(&options, (const Route *const *)serving->route_tables->pdata,
                                      (const gsize *)(gpointer)serving->route_counts->data,
                                      (const gpointer *)serving->route_contexts->pdata,
                                      serving->route_tables->len, error);
    return serving->http != NULL;
}

/* --- from configuration to a node --- */

/* Before anything is made in the place where a restore will put its own. */
static gboolean restore_is_over(const Config *config, GError **error)
{
    g_autofree char *restoring = place_restoring(config);
    if (!g_file_test(restoring, G_FILE_TEST_EXISTS))
        return TRUE;
    g_set_error(error, FUNDAMENT_ERROR, FUNDAMENT_ERROR_CONFLICT,
                "%s is there: a restore was cut short; run it again, or remove that folder", restoring);
    return FALSE;
}

static Store *store_from_config(const Config *config, GError **error)
{
    const char *data = config_text(config, "node", "data");
    g_autofree char *url = place_store_url(config);
    if (g_mkdir_with_parents(data, 0700) != 0) {
        g_set_error(error, FUNDAMENT_ERROR, FUNDAMENT_ERROR_IO, "cannot make the folder %s: %s", data,
                    g_strerror(errno));
        return NULL;
    }
    disk_free(disk_new(config)); /* a store does not open on a full disk: the reserve goes first */
    return store_open(url, error);
}

static gboolean set_csrf_key(const Config *config, GError **error)
{
    g_autofree char *path = g_build_filename(config_text(config, "node", "keys"), "csrf.key", NULL);
    GBytes *key = secret_load_or_create(path, CSRF_KEY_LENGTH, error);
    if (key == NULL)
        return FALSE;
    page_set_csrf_key(key);
    g_bytes_unref(key);
    return TRUE;
}

static Node *node_open(const Config *config, const Component *const *components, gsize n_components,
                       GError **error)
{
    Store *store = store_from_config(config, error);
    if (store == NULL)
        return NULL;
    Node *node = NULL;
    if (node_migrate(store, components, n_components, error))
        node = node_new(config, store, clock_system(), FALSE, error);
    if (node == NULL) {
        store_close(store);
        return NULL;
    }
    node->own_store = store;
    node->disk = disk_new(config);
    if (set_csrf_key(config, error))
        return node;
    node_free(node);
    return NULL;
}

/* --- signals --- */

static gboolean on_stop(gpointer data)
{
    Serving *serving = data;
    g_main_loop_quit(serving->loop);
    return G_SOURCE_CONTINUE;
}

static gboolean on_reload(gpointer data)
{
    Serving *serving = data;
    node_refresh_identity(serving->node, TRUE);
    node_refresh_anchors(serving->node, TRUE);
    return G_SOURCE_CONTINUE;
}

static gboolean on_tick(gpointer data)
{
    Serving *serving = data;
    node_refresh_identity(serving->node, FALSE);
    node_refresh_anchors(serving->node, FALSE);
    disk_tick(serving->node->disk);
    notify_watchdog();
    return G_SOURCE_CONTINUE;
}

/* --- start, serve, stop --- */

static gboolean serving_start(Serving *serving, GError **error)
{
    Node *node = serving->node;
    page_set_site(node_name(node), strcmp(config_text(node->config, "node", "mode"), "test") == 0);
    if (!start_frames(node, error) ||
        !node_start_components(node, (const Component *const *)serving->components->pdata,
                               serving->components->len, error))
        return FALSE;
    serve_frames(node);
    if (!start_http(serving, error))
        return FALSE;
    OutboxSender *outbox = outbox_sender_start(node);
    Jobs *jobs = jobs_start(node);
    g_rw_lock_writer_lock(&node->threads_lock);
    node->outbox = outbox;
    node->jobs = jobs;
    g_rw_lock_writer_unlock(&node->threads_lock);
    outbox_wake(node); /* a component may have called that before there was anybody to wake */
    return TRUE;
}

static void serving_stop(Serving *serving)
{
    Node *node = serving->node;
    if (serving->http != NULL)
        http_server_stop(serving->http, STOP_TIMEOUT_MS);
    g_rw_lock_writer_lock(&node->threads_lock);
    Jobs *jobs = g_steal_pointer(&node->jobs);
    OutboxSender *outbox = g_steal_pointer(&node->outbox);
    g_rw_lock_writer_unlock(&node->threads_lock);
    g_clear_pointer(&jobs, jobs_stop);
    g_clear_pointer(&outbox, outbox_sender_stop);
    node_free(node);
    openapi_free(serving->documents);
    g_ptr_array_unref(serving->route_tables);
    g_array_unref(serving->route_counts);
    g_ptr_array_unref(serving->route_contexts);
}

static void say_ready(const Serving *serving)
{
    GString *names = g_string_new(NULL);
    for (guint i = 0; i < serving->components->len; i++) {
        const Component *component = serving->components->pdata[i];
        g_string_append_printf(names, " %s", component->name);
    }
    g_message("node: ready, fundament %s, OIN %s, components%s", FUNDAMENT_VERSION, serving->node->oin,
              names->len > 0 ? names->str : " none");
    g_string_free(names, TRUE);
    notify_systemd("READY=1");
}

static void serve_until_stopped(Serving *serving)
{
    serving->loop = g_main_loop_new(NULL, FALSE);
    guint sources[] = {
        g_unix_signal_add(SIGTERM, on_stop, serving),
        g_unix_signal_add(SIGINT, on_stop, serving),
        g_unix_signal_add(SIGHUP, on_reload, serving),
        g_timeout_add_seconds(REFRESH_INTERVAL_S, on_tick, serving),
    };
    say_ready(serving);
    g_main_loop_run(serving->loop);
    notify_systemd("STOPPING=1");
    g_message("node: stopping");
    for (gsize i = 0; i < G_N_ELEMENTS(sources); i++)
        g_source_remove(sources[i]);
    g_main_loop_unref(serving->loop);
}

static int serve(Config *config, const GPtrArray *components)
{
    g_autoptr(GError) error = NULL;
    Serving serving = {.components = (GPtrArray *)components};
    if (!restore_is_over(config, &error) ||
        standby_take(config, &error) < 0) { /* held until the process ends */
        g_critical("node: cannot start: %s", error->message);
        return 1;
    }
    serving.node = node_open(config, (const Component *const *)components->pdata, components->len, &error);
    if (serving.node == NULL) {
        g_critical("node: cannot start: %s", error->message);
        return 1;
    }
    serving.route_tables = g_ptr_array_new();
    serving.route_counts = g_array_new(FALSE, FALSE, sizeof(gsize));
    serving.route_contexts = g_ptr_array_new();
    gboolean started = serving_start(&serving, &error);
    if (started)
        serve_until_stopped(&serving);
    else
        g_critical("node: cannot start: %s", error->message);
    serving_stop(&serving);
    return started ? 0 : 1;
}

static LogThreshold threshold_of(const Config *config)
{
    const char *name = config_text(config, "node", "log");
    return strcmp(name, "debug") == 0 ? LOG_DEBUG : strcmp(name, "warning") == 0 ? LOG_WARNING : LOG_INFO;
}

int node_serve(const char *path, const Component *const *components, gsize n_components)
{
    g_autoptr(Config) config = node_load_config(path, components, n_components);
    if (config == NULL)
        return 1;
    log_start();
    log_set_threshold(threshold_of(config));
    signal(SIGPIPE, SIG_IGN);
    signal(SIGXFSZ, SIG_IGN); /* a file that may not grow is an error to handle, in SQLite's writes too */
    phrases_init();
    g_autoptr(GPtrArray) on = g_ptr_array_new();
    for (gsize i = 0; i < n_components; i++) {
        if (node_component_on(config, components[i]))
            g_ptr_array_add(on, (gpointer)components[i]);
    }
    return serve(config, on);
}
