/* decisions.md 29: limits per peer, client and person; a noisy one delays nobody else. */
#include "core/net/client.h"
#include "tests/unit/node/support.h"

static void fine(Request *request, gpointer context)
{
    respond_text(request, 200, "text/plain", "fine");
}

static const Route routes[] = {
    {LISTENER_PORTAL, "GET", "/page", fine, 0, NULL},
    {LISTENER_LOG, "GET", "/log", fine, 0, NULL},
    {LISTENER_SERVICE, "GET", "/service/{id}", fine, 0, "a-service"},
};

typedef struct {
    NodeFixture *node;
    HttpServer *server;
    HttpClient *client;
} Edge;

static Edge *edge_new(const char *limits)
{
    g_autoptr(GError) error = NULL;
    Edge *edge = g_new0(Edge, 1);
    edge->node = node_fixture_new(FALSE, FALSE, limits);
    const Route *tables[] = {routes};
    const gsize counts[] = {G_N_ELEMENTS(routes)};
    const gpointer contexts[] = {edge->node->node};
    HttpServerOptions options = {.run_dir = node_run_dir(edge->node->node),
                                 .threads = 2,
                                 .node = edge->node->node,
                                 .before = node_before_request,
                                 .after = node_after_request};
    edge->server = http_server_start(&options, tables, counts, contexts, 1, &error);
    no_error(error);
    edge->client = http_client_new();
    return edge;
}

static int setup(void **state)
{
    *state =
        edge_new("[limits]\npeer_per_second = 2\npeer_burst = 3\nportal_per_second = 1\nportal_burst = 2\n");
    return 0;
}

static int setup_without_limits(void **state)
{
    *state = edge_new("[limits]\npeer_per_second = 0\nportal_per_second = 0\n");
    return 0;
}

static int teardown(void **state)
{
    Edge *edge = *state;
    http_client_free(edge->client);
    http_server_stop(edge->server, 1000);
    node_fixture_free(edge->node);
    g_free(edge);
    return 0;
}

/* The status; `retry_after` (may be NULL) gets the header or "". */
static guint get(Edge *edge, const char *listener, const char *path, const char *const *headers,
                 char **retry_after)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *name = g_strconcat(listener, ".sock", NULL);
    g_autofree char *socket = g_build_filename(node_run_dir(edge->node->node), name, NULL);
    g_autofree char *url = g_strconcat("http://node", path, NULL);
    HttpCall call = {.url = url, .unix_socket = socket, .headers = headers};
    g_autoptr(HttpReply) reply = http_client_call(edge->client, &call, &error);
    no_error(error);
    if (reply->status == 429)
        assert_string_equal(reply->content_type,
                            listener[0] == 'p' ? "text/html; charset=utf-8" : "application/problem+json");
    if (retry_after != NULL) {
        const char *value = g_hash_table_lookup(reply->headers, "retry-after");
        *retry_after = g_strdup(value == NULL ? "" : value);
    }
    return reply->status;
}

static guint get_as_peer(Edge *edge, const char *oin, char **retry_after)
{
    g_autofree char *peer = g_strconcat("Fundament-Peer-Id: ", oin, NULL);
    const char *headers[] = {peer, "Fundament-Service: a-service", "Fundament-Grant-Hash: $1$3$abc", NULL};
    return get(edge, "service", "/service/7", headers, retry_after);
}

static guint get_page(Edge *edge, const char *address, const char *session)
{
    g_autofree char *from = g_strconcat("Fundament-Client-Address: ", address, NULL);
    g_autofree char *cookie = g_strconcat("Cookie: __Host-session=", session, NULL);
    const char *headers[] = {from, session == NULL ? NULL : cookie, NULL};
    return get(edge, "portal", "/page", headers, NULL);
}

static void a_noisy_peer_is_told_when_to_come_back(void **state)
{
    Edge *edge = *state;
    g_autofree char *before = NULL;
    g_autofree char *after = NULL;
    for (int i = 0; i < 3; i++)
        assert_int_equal(get_as_peer(edge, "00000001000000000003", NULL), 200);
    assert_int_equal(get_as_peer(edge, "00000001000000000003", &before), 429);
    assert_string_equal(before, "1");
    assert_int_equal(get_as_peer(edge, "00000001000000000004", NULL), 200); /* another has its own bucket */
    support_advance(edge->node, 500);
    assert_int_equal(get_as_peer(edge, "00000001000000000003", &after), 200);
    assert_string_equal(after, "");
    assert_int_equal(get_as_peer(edge, "00000001000000000003", NULL), 429);
}

static void visitors_are_told_apart_by_address(void **state)
{
    Edge *edge = *state;
    assert_int_equal(get_page(edge, "192.0.2.1", NULL), 200);
    assert_int_equal(get_page(edge, "192.0.2.1", NULL), 200);
    assert_int_equal(get_page(edge, "192.0.2.1", NULL), 429);
    assert_int_equal(get_page(edge, "192.0.2.2", NULL), 200);
}

static void who_has_a_session_is_not_held_up_by_others_at_the_same_address(void **state)
{
    Edge *edge = *state;
    for (int i = 0; i < 3; i++)
        get_page(edge, "192.0.2.1", NULL);
    assert_int_equal(get_page(edge, "192.0.2.1", "mine"), 200);
    assert_int_equal(get_page(edge, "192.0.2.1", "mine"), 200);
    assert_int_equal(get_page(edge, "192.0.2.1", "mine"), 429);
    assert_int_equal(get_page(edge, "192.0.2.1", "yours"), 200);
}

static void made_up_sessions_do_not_buy_endless_requests(void **state)
{
    Edge *edge = *state;
    guint fine_ones = 0;
    for (int i = 0; i < 50; i++) {
        g_autofree char *session = g_strdup_printf("made-up-%d", i);
        fine_ones += get_page(edge, "192.0.2.1", session) == 200 ? 1 : 0;
    }
    assert_int_equal(fine_ones, 20); /* ten times the burst of one */
}

static void our_own_applications_are_not_limited(void **state)
{
    for (int i = 0; i < 20; i++)
        assert_int_equal(get(*state, "log", "/log", NULL, NULL), 200);
}

static void nought_is_no_limit(void **state)
{
    for (int i = 0; i < 20; i++) {
        assert_int_equal(get_as_peer(*state, "00000001000000000003", NULL), 200);
        assert_int_equal(get_page(*state, "192.0.2.1", NULL), 200);
    }
}

/* The figures are written after the answer has left. */
static char *metrics_with(Edge *edge, const char *line)
{
    for (int i = 0; i < 5000; i++) {
        GString *out = g_string_new(NULL);
        request_metrics_write(edge->node->node->metrics, out);
        if (strstr(out->str, line) != NULL)
            return g_string_free(out, FALSE);
        g_string_free(out, TRUE);
        g_usleep(1000);
    }
    fail_msg("never written: %s", line);
    return NULL;
}

/* A metric is by route, never by path: paths hold ids. */
static void counts_by_route_and_status(void **state)
{
    Edge *edge = *state;
    for (int i = 0; i < 5; i++)
        get_as_peer(edge, "00000001000000000003", NULL);
#define LABELS "listener=\"service\",method=\"GET\",route=\"/service/{id}\""
    g_free(metrics_with(edge, "fundament_http_requests_total{" LABELS ",status=\"429\"} 2\n"));
    g_autofree char *text = metrics_with(edge, "fundament_http_request_seconds_count{" LABELS "} 5\n");
    assert_non_null(strstr(text, "fundament_http_requests_total{" LABELS ",status=\"200\"} 3\n"));
    assert_non_null(strstr(text, "fundament_http_request_seconds_bucket{" LABELS ",le=\"+Inf\"} 5\n"));
    assert_null(strstr(text, "/service/7"));
}

#define test(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        test(a_noisy_peer_is_told_when_to_come_back),
        test(visitors_are_told_apart_by_address),
        test(who_has_a_session_is_not_held_up_by_others_at_the_same_address),
        test(made_up_sessions_do_not_buy_endless_requests),
        test(our_own_applications_are_not_limited),
        cmocka_unit_test_setup_teardown(nought_is_no_limit, setup_without_limits, teardown),
        test(counts_by_route_and_status),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
