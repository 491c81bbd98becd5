/* What happens around each request: limits before, figures after. */
#include "core/node/node_private.h"

#include <string.h>

#include "core/base/bytes.h"
#include "core/crypto/digest.h"
#include "core/net/problem.h"
#include "core/node/log.h"
#include "core/node/outbox.h"
#include "core/node/session_private.h"

/* --- limits (decisions.md 29): a noisy one delays nobody else --- */

static const char *address_of(const Request *request)
{
    const char *address = request_header(request, "Fundament-Client-Address");
    return address != NULL ? address : "unknown";
}

/* `limits` NULL: none are set. */
static guint take_one(Limits *limits, const char *key, gint64 now_us)
{
    return limits == NULL ? 0 : limits_take(limits, key, now_us);
}

/* A made-up cookie must not buy a fresh limit, so the address counts as well, but wider: many people may
 * share one. */
static guint take_portal(Node *node, const Request *request, gint64 now_us)
{
    const char *session = request_cookie(request, SESSION_COOKIE);
    if (session == NULL)
        return take_one(node->portal_limits, address_of(request), now_us);
    guint8 digest[SHA256_SIZE]; /* the cookie itself is not kept */
    sha256(session, strlen(session), digest);
    g_autofree char *key = hex_encode(digest, sizeof digest);
    guint wait = take_one(node->address_limits, address_of(request), now_us);
    return wait > 0 ? wait : take_one(node->portal_limits, key, now_us);
}

static guint take(Node *node, const Request *request)
{
    gint64 now_us = clock_now_us(node->clock);
    switch (request_listener(request)) {
    case LISTENER_MANAGER:
    case LISTENER_SERVICE: {
        const char *peer = request_peer_id(request);
        return peer == NULL ? 0 : take_one(node->peer_limits, peer, now_us);
    }
    case LISTENER_PORTAL:
        return take_portal(node, request, now_us);
    default:
        return 0; /* applications of this organisation, and its own command line */
    }
}

gboolean node_before_request(Request *request, const Route *route, gpointer user_data)
{
    Node *node = user_data;
    log_set_trace(request_trace(request)->trace_id);
    guint wait = take(node, request);
    if (wait == 0)
        return request_listener(request) != LISTENER_OFFICE || officer_admit(node, request, route);
    g_autofree char *seconds = g_strdup_printf("%u", wait);
    respond_header(request, "Retry-After", seconds);
    respond_problem(request, 429, "Too many requests",
                    "More requests came than this node takes from one caller; try again in %u s.", wait);
    return FALSE;
}

/* --- figures --- */

/* Upper bounds of the histogram, microseconds. */
static const gint64 bounds_us[] = {1000, 5000, 25000, 100000, 500000, 2500000, 10000000};
#define BUCKETS (G_N_ELEMENTS(bounds_us) + 1)

typedef struct {
    const Route *route;
    GHashTable *statuses; /* status -> count, both as pointers */
    guint64 buckets[BUCKETS];
    guint64 total_us;
} RouteFigures;

struct request_metrics {
    GMutex lock;
    GHashTable *routes; /* const Route* -> RouteFigures* */
};

static void figures_free(gpointer pointer)
{
    RouteFigures *figures = pointer;
    g_hash_table_unref(figures->statuses);
    g_free(figures);
}

RequestMetrics *request_metrics_new(void)
{
    RequestMetrics *metrics = g_new0(RequestMetrics, 1);
    g_mutex_init(&metrics->lock);
    metrics->routes = g_hash_table_new_full(NULL, NULL, NULL, figures_free);
    return metrics;
}

void request_metrics_free(RequestMetrics *metrics)
{
    if (metrics == NULL)
        return;
    g_hash_table_unref(metrics->routes);
    g_mutex_clear(&metrics->lock);
    g_free(metrics);
}

static RouteFigures *figures_of(RequestMetrics *metrics, const Route *route)
{
    RouteFigures *figures = g_hash_table_lookup(metrics->routes, route);
    if (figures == NULL) {
        figures = g_new0(RouteFigures, 1);
        figures->route = route;
        figures->statuses = g_hash_table_new(NULL, NULL);
        g_hash_table_insert(metrics->routes, (gpointer)route, figures);
    }
    return figures;
}

static void request_metrics_count(RequestMetrics *metrics, const Route *route, guint status,
                                  gint64 duration_us)
{
    gsize bucket = 0;
    while (bucket < G_N_ELEMENTS(bounds_us) && duration_us > bounds_us[bucket])
        bucket++;
    g_mutex_lock(&metrics->lock);
    RouteFigures *figures = figures_of(metrics, route);
    gpointer key = GUINT_TO_POINTER(status);
    gsize count = GPOINTER_TO_SIZE(g_hash_table_lookup(figures->statuses, key)) + 1;
    g_hash_table_insert(figures->statuses, key, GSIZE_TO_POINTER(count));
    figures->buckets[bucket]++;
    figures->total_us += (guint64)MAX(duration_us, 0);
    g_mutex_unlock(&metrics->lock);
}

void node_after_request(const Request *request, const Route *route, guint status, gint64 duration_us,
                        gpointer user_data)
{
    Node *node = user_data;
    if (route != NULL)
        request_metrics_count(node->metrics, route, status, duration_us);
    g_debug("http: %s %s %s: %u in %" G_GINT64_FORMAT " us", listener_name(request_listener(request)),
            request_method(request), route == NULL ? "(no route)" : route->path, status, duration_us);
    if (request_listener(request) == LISTENER_MANAGER && status < 500 && request_peer_id(request) != NULL)
        outbox_contact(node, request_peer_id(request)); /* who calls can be called again, perhaps */
    log_set_trace(NULL);
}

static void write_statuses(const RouteFigures *figures, GString *out)
{
    GHashTableIter iterator;
    gpointer status, count;
    g_hash_table_iter_init(&iterator, figures->statuses);
    while (g_hash_table_iter_next(&iterator, &status, &count))
        g_string_append_printf(
            out,
            "fundament_http_requests_total{listener=\"%s\",method=\"%s\",route=\"%s\",status=\"%u\"} "
            "%" G_GSIZE_FORMAT "\n",
            listener_name(figures->route->listener), figures->route->method, figures->route->path,
            GPOINTER_TO_UINT(status), GPOINTER_TO_SIZE(count));
}

static void write_histogram(const RouteFigures *figures, GString *out)
{
    g_autofree char *labels =
        g_strdup_printf("listener=\"%s\",method=\"%s\",route=\"%s\"", listener_name(figures->route->listener),
                        figures->route->method, figures->route->path);
    guint64 sum = 0;
    for (gsize i = 0; i < BUCKETS; i++) {
        sum += figures->buckets[i];
        g_string_append_printf(out, "fundament_http_request_seconds_bucket{%s,le=\"", labels);
        if (i < G_N_ELEMENTS(bounds_us))
            g_string_append_printf(out, "%g", (double)bounds_us[i] / 1e6);
        else
            g_string_append(out, "+Inf");
        g_string_append_printf(out, "\"} %" G_GUINT64_FORMAT "\n", sum);
    }
    g_string_append_printf(out, "fundament_http_request_seconds_sum{%s} %.6f\n", labels,
                           (double)figures->total_us / 1e6);
    g_string_append_printf(out, "fundament_http_request_seconds_count{%s} %" G_GUINT64_FORMAT "\n", labels,
                           sum);
}

void request_metrics_write(RequestMetrics *metrics, GString *out)
{
    g_mutex_lock(&metrics->lock);
    g_autoptr(GList) all = g_hash_table_get_values(metrics->routes);
    g_string_append(out, "# HELP fundament_http_requests_total Requests answered, by route and status.\n"
                         "# TYPE fundament_http_requests_total counter\n");
    for (const GList *item = all; item != NULL; item = item->next)
        write_statuses(item->data, out);
    g_string_append(out, "# HELP fundament_http_request_seconds Time from the request to its answer.\n"
                         "# TYPE fundament_http_request_seconds histogram\n");
    for (const GList *item = all; item != NULL; item = item->next)
        write_histogram(item->data, out);
    g_mutex_unlock(&metrics->lock);
}
