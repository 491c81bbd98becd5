#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include <glib/gstdio.h>

#include "core/base/error.h"
#include "core/format/json.h"
#include "core/net/http.h"
#include "core/net/problem.h"
#include "talk.h"

/* --- handlers --- */

/* Says what it was asked, so that a test can see what a handler sees. */
static void echo(Request *request, gpointer context)
{
    gsize length;
    const char *body = g_bytes_get_data(request_body(request), &length);
    const char *hash = request_segment(request, "hash");
    g_autofree char *text = g_strdup_printf("%s %s [%s] %.*s", request_method(request), request_path(request),
                                            hash == NULL ? "" : hash, (int)length, length == 0 ? "" : body);
    respond_text(request, 200, "text/plain", text);
}

typedef struct {
    GMutex lock;
    GCond cond;
    gboolean entered;
    gboolean released;
} Gate;

static void gate_init(Gate *gate)
{
    *gate = (Gate){0};
    g_mutex_init(&gate->lock);
    g_cond_init(&gate->cond);
}

static void gate_wait_entered(Gate *gate)
{
    g_mutex_lock(&gate->lock);
    while (!gate->entered)
        g_cond_wait(&gate->cond, &gate->lock);
    g_mutex_unlock(&gate->lock);
}

static void gate_release(Gate *gate)
{
    g_mutex_lock(&gate->lock);
    gate->released = TRUE;
    g_cond_broadcast(&gate->cond);
    g_mutex_unlock(&gate->lock);
}

/* Does not answer before the test lets it. */
static void slow(Request *request, gpointer context)
{
    Gate *gate = context;
    g_mutex_lock(&gate->lock);
    gate->entered = TRUE;
    g_cond_broadcast(&gate->cond);
    while (!gate->released)
        g_cond_wait(&gate->cond, &gate->lock);
    g_mutex_unlock(&gate->lock);
    respond_text(request, 200, "text/plain", "slow");
}

static void silent(Request *request, gpointer context)
{
}

static void chatty(Request *request, gpointer context)
{
    respond_text(request, 200, "text/plain", "first");
    respond_text(request, 201, "text/plain", "second");
}

static const Route routes[] = {
    {LISTENER_LOG, "GET", "/v1/things", echo, 0, NULL},
    {LISTENER_LOG, "POST", "/v1/things", echo, 64, NULL},
    {LISTENER_LOG, "PUT", "/v1/things/{hash}/accept", echo, 64, NULL},
    {LISTENER_LOG, "GET", "/v1/things/{hash}", echo, 0, NULL},
    {LISTENER_LOG, "GET", "/v1/things/new", echo, 0, NULL},
    {LISTENER_LOG, "POST", "/v1/large", echo, 1048576, NULL},
    {LISTENER_LOG, "GET", "/slow", slow, 0, NULL},
    {LISTENER_LOG, "GET", "/silent", silent, 0, NULL},
    {LISTENER_LOG, "GET", "/chatty", chatty, 0, NULL},
    {LISTENER_ADMIN, "GET", "/admin", echo, 0, NULL},
};

static Gate gate;

static int start(void **state)
{
    gate_init(&gate);
    *state = talk_start(NULL, routes, G_N_ELEMENTS(routes), &gate);
    return 0;
}

static int stop(void **state)
{
    gate_release(&gate);
    talk_stop(*state);
    return 0;
}

/* --- helpers --- */

static char *get(void **state, const char *target)
{
    return talk_ask(*state, LISTENER_LOG, "GET", target, "", NULL);
}

/* The answer is a problem of this status, in the shape of RFC 9457, and names its trace. */
static void assert_problem(const char *answer, guint status)
{
    assert_int_equal(talk_status(answer), status);
    g_autofree char *type = talk_header(answer, "Content-Type");
    assert_string_equal(type, "application/problem+json");
    g_autoptr(GError) error = NULL;
    g_autoptr(json_t) problem = json_parse_strict(talk_body(answer), -1, NULL, &error);
    assert_null(error);
    assert_string_equal(json_string_at(problem, "type"), "about:blank");
    assert_int_equal(json_integer_at(problem, "status"), status);
    assert_true(json_string_at(problem, "title")[0] != '\0');
    assert_true(json_string_at(problem, "detail")[0] != '\0');
    const char *instance = json_string_at(problem, "instance");
    assert_true(g_str_has_prefix(instance, "urn:trace:"));
    assert_true(trace_id_valid(instance + strlen("urn:trace:")));
}

static void assert_echo(const char *answer, const char *expected)
{
    assert_int_equal(talk_status(answer), 200);
    assert_string_equal(talk_body(answer), expected);
}

/* --- routes --- */

static void finds_the_route_by_method_and_path(void **state)
{
    g_autofree char *got = get(state, "/v1/things");
    assert_echo(got, "GET /v1/things [] ");
    g_autofree char *posted = talk_ask(*state, LISTENER_LOG, "POST", "/v1/things", "", "body");
    assert_echo(posted, "POST /v1/things [] body");
}

static void hands_over_decoded_segments(void **state)
{
    g_autofree char *encoded = get(state, "/v1/things/%241%243%24abc");
    assert_echo(encoded, "GET /v1/things/%241%243%24abc [$1$3$abc] ");
    g_autofree char *literal = get(state, "/v1/things/$1$3$abc");
    assert_echo(literal, "GET /v1/things/$1$3$abc [$1$3$abc] ");
}

static void a_plus_in_a_path_is_a_plus(void **state)
{
    g_autofree char *answer = get(state, "/v1/things/a+b");
    assert_echo(answer, "GET /v1/things/a+b [a+b] ");
}

static void a_literal_segment_goes_before_one_in_braces(void **state)
{
    g_autofree char *answer = get(state, "/v1/things/new");
    assert_echo(answer, "GET /v1/things/new [] ");
}

static void answers_404_for_an_unknown_path(void **state)
{
    static const char *const unknown[] = {"/",         "/v1",       "/v1/things/", "/v1/things//accept",
                                          "/v1/thing", "/V1/things"};
    for (gsize i = 0; i < G_N_ELEMENTS(unknown); i++) {
        g_autofree char *answer = get(state, unknown[i]);
        assert_problem(answer, 404);
    }
}

/* A route of one listener does not exist on another. */
static void a_route_is_reached_by_its_own_door_only(void **state)
{
    g_autofree char *elsewhere = get(state, "/admin");
    assert_problem(elsewhere, 404);
    g_autofree char *there = talk_ask(*state, LISTENER_ADMIN, "GET", "/admin", "", NULL);
    assert_int_equal(talk_status(there), 200);
}

/* RFC 9110 15.5.6 */
static void answers_405_with_the_methods_that_are_allowed(void **state)
{
    g_autofree char *answer = talk_ask(*state, LISTENER_LOG, "DELETE", "/v1/things", "", NULL);
    assert_problem(answer, 405);
    g_autofree char *allow = talk_header(answer, "Allow");
    assert_string_equal(allow, "GET, HEAD, POST");
}

static void answers_405_to_options(void **state)
{
    g_autofree char *answer = talk_ask(*state, LISTENER_LOG, "OPTIONS", "/v1/things/x", "", NULL);
    assert_problem(answer, 405);
    g_autofree char *allow = talk_header(answer, "Allow");
    assert_string_equal(allow, "GET, HEAD");
}

/* RFC 9110 9.3.2 */
static void answers_head_as_get_without_the_body(void **state)
{
    g_autofree char *answer = talk_ask(*state, LISTENER_LOG, "HEAD", "/v1/things", "", NULL);
    assert_int_equal(talk_status(answer), 200);
    g_autofree char *length = talk_header(answer, "Content-Length");
    assert_string_equal(length, "19"); /* of "HEAD /v1/things [] " */
    assert_string_equal(talk_body(answer), "");
}

static void refuses_to_start_with_the_same_route_twice(void **state)
{
    static const Route twice[] = {
        {LISTENER_LOG, "GET", "/v1/things/{hash}", echo, 0, NULL},
        {LISTENER_LOG, "GET", "/v1/things/{id}", echo, 0, NULL},
    };
    const Route *table = twice;
    gsize count = G_N_ELEMENTS(twice);
    gpointer context = NULL;
    HttpServerOptions options = {.run_dir = "/nonexistent"};
    g_autoptr(GError) error = NULL;
    assert_null(http_server_start(&options, &table, &count, &context, 1, &error));
    assert_true(g_error_matches(error, FUNDAMENT_ERROR, FUNDAMENT_ERROR_INTERNAL));
    assert_string_equal(error->message, "two routes for GET /v1/things/{id} on listener log: remove one");
}

/* --- addresses that no honest client sends --- */

static void refuses_paths_that_mean_another_path(void **state)
{
    static const char *const crooked[] = {
        "/v1/things/..",    "/v1/things/../things", "/v1/things/%2e%2e", "/v1/things/%2E",
        "/v1/./things",     "/v1/things/a%2Fb",     "/v1/things/a%5cb",  "/v1/things/a%00",
        "/v1/things/a%0ab", "/v1/things/%7f",       "/v1/things/%c3%28", "/v1/things/%ff",
        "/v1/things/%4",    "/v1/things/%zz",       "/v1/things/%",      "/..%2f..%2fetc/passwd",
        "//v1/../things",
    };
    for (gsize i = 0; i < G_N_ELEMENTS(crooked); i++) {
        g_autofree char *answer = get(state, crooked[i]);
        assert_problem(answer, 400);
    }
}

static void refuses_a_malformed_query(void **state)
{
    static const char *const crooked[] = {"/v1/things?a=%", "/v1/things?%zz=1", "/v1/things?a=%00",
                                          "/v1/things?a=%ff"};
    for (gsize i = 0; i < G_N_ELEMENTS(crooked); i++) {
        g_autofree char *answer = get(state, crooked[i]);
        assert_problem(answer, 400);
    }
}

static void refuses_an_address_over_8192_bytes(void **state)
{
    g_autofree char *fill = g_strnfill(8192 - strlen("/v1/things?a="), 'x');
    g_autofree char *fits = g_strconcat("/v1/things?a=", fill, NULL);
    g_autofree char *largest = get(state, fits);
    assert_int_equal(talk_status(largest), 200);
    g_autofree char *over = g_strconcat(fits, "x", NULL);
    g_autofree char *refused = get(state, over);
    assert_problem(refused, 414);
}

/* A header line of `length` bytes, as the server counts them: without colon, space and line end. */
static char *long_header(gsize length)
{
    g_autofree char *fill = g_strnfill(length - strlen("X-Fill"), 'x');
    return g_strconcat("X-Fill: ", fill, "\r\n", NULL);
}

static void refuses_headers_over_32_kilobytes(void **state)
{
    gsize most = 32768 - strlen("Host"
                                "node"
                                "Connection"
                                "close");
    g_autofree char *fits = long_header(most);
    g_autofree char *largest = talk_ask(*state, LISTENER_LOG, "GET", "/v1/things", fits, NULL);
    assert_int_equal(talk_status(largest), 200);
    g_autofree char *over = long_header(most + 1);
    g_autofree char *refused = talk_ask(*state, LISTENER_LOG, "GET", "/v1/things", over, NULL);
    assert_problem(refused, 431);
}

/* --- headers --- */

static void refuses_a_repeated_header_that_may_be_there_once(void **state)
{
    g_autofree char *twice = talk_ask(*state, LISTENER_LOG, "POST", "/v1/things",
                                      "Content-Type: text/plain\r\nContent-Type: application/json\r\n", "x");
    assert_problem(twice, 400);
    g_autofree char *lists =
        talk_ask(*state, LISTENER_LOG, "POST", "/v1/things", "Accept: a/b\r\nAccept: c/d\r\n", "x");
    assert_int_equal(talk_status(lists), 200);
}

/* RFC 9112 6.3: how requests are smuggled past an edge. */
static void refuses_a_length_beside_a_transfer_encoding(void **state)
{
    int fd = talk_connect(*state, LISTENER_LOG);
    talk_send(fd,
              "POST /v1/things HTTP/1.1\r\nHost: node\r\nConnection: close\r\nContent-Length: 4\r\n"
              "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
              -1);
    g_autofree char *answer = talk_read_all(fd);
    assert_int_equal(talk_status(answer), 400);
}

static void every_answer_carries_the_standard_headers(void **state)
{
    static const char *const expected[][2] = {
        {"Cache-Control", "no-store"},
        {"Content-Security-Policy", "frame-ancestors 'none'"},
        {"Referrer-Policy", "no-referrer"},
        {"Strict-Transport-Security", "max-age=31536000; includeSubDomains"},
        {"X-Content-Type-Options", "nosniff"},
        {"X-Frame-Options", "DENY"},
    };
    static const char *const targets[] = {"/v1/things", "/unknown"};
    for (gsize t = 0; t < G_N_ELEMENTS(targets); t++) {
        g_autofree char *answer = get(state, targets[t]);
        for (gsize i = 0; i < G_N_ELEMENTS(expected); i++) {
            g_autofree char *value = talk_header(answer, expected[i][0]);
            assert_non_null(value);
            assert_string_equal(value, expected[i][1]);
        }
    }
}

/* --- bodies --- */

static void takes_a_body_up_to_the_limit_of_its_route(void **state)
{
    g_autofree char *most = g_strnfill(64, 'x');
    g_autofree char *fits = talk_ask(*state, LISTENER_LOG, "POST", "/v1/things", "", most);
    assert_int_equal(talk_status(fits), 200);
    g_autofree char *more = g_strnfill(65, 'x');
    g_autofree char *refused = talk_ask(*state, LISTENER_LOG, "POST", "/v1/things", "", more);
    assert_problem(refused, 413);
}

static void takes_no_body_where_none_is_allowed(void **state)
{
    g_autofree char *answer = talk_ask(*state, LISTENER_LOG, "GET", "/v1/things", "", "x");
    assert_problem(answer, 413);
    g_autofree char *empty = talk_ask(*state, LISTENER_LOG, "GET", "/v1/things", "", "");
    assert_int_equal(talk_status(empty), 200);
}

/* The announced length is enough: the answer comes although not a byte of the body was sent. */
static void refuses_a_large_body_before_it_is_sent(void **state)
{
    int fd = talk_connect(*state, LISTENER_LOG);
    talk_send(fd, "POST /v1/things HTTP/1.1\r\nHost: node\r\nContent-Length: 1000000000\r\n\r\n", -1);
    g_autofree char *answer = talk_read_all(fd);
    assert_problem(answer, 413);
}

static void refuses_at_once_who_asks_whether_to_go_on(void **state)
{
    int fd = talk_connect(*state, LISTENER_LOG);
    talk_send(fd,
              "POST /v1/things HTTP/1.1\r\nHost: node\r\nContent-Length: 65\r\nExpect: 100-continue\r\n\r\n",
              -1);
    g_autofree char *answer = talk_read_all(fd);
    assert_problem(answer, 413);
}

static void takes_chunked_bodies_up_to_the_limit(void **state)
{
    static const char *const head =
        "POST /v1/things HTTP/1.1\r\nHost: node\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n";
    int fd = talk_connect(*state, LISTENER_LOG);
    talk_send(fd, head, -1);
    talk_send(fd, "4\r\nabcd\r\n3\r\nefg\r\n0\r\n\r\n", -1);
    g_autofree char *fits = talk_read_all(fd);
    assert_echo(fits, "POST /v1/things [] abcdefg");
    fd = talk_connect(*state, LISTENER_LOG);
    g_autofree char *most = g_strnfill(65, 'x');
    g_autofree char *chunk = g_strdup_printf("41\r\n%s\r\n0\r\n\r\n", most);
    talk_send(fd, head, -1);
    talk_send(fd, chunk, -1);
    g_autofree char *refused = talk_read_all(fd);
    assert_problem(refused, 413);
}

/* A body without an end costs no memory: the connection is closed. */
static void closes_on_a_refused_body_that_does_not_end(void **state)
{
    int fd = talk_connect(*state, LISTENER_LOG);
    talk_send(fd, "POST /v1/things HTTP/1.1\r\nHost: node\r\nTransfer-Encoding: chunked\r\n\r\n", -1);
    g_autofree char *fill = g_strnfill(65536, 'x');
    g_autofree char *chunk = g_strdup_printf("10000\r\n%s\r\n", fill);
    for (int i = 0; i < 1100; i++)
        talk_send(fd, chunk, -1);
    g_autofree char *answer = talk_read_all(fd);
    assert_string_equal(answer, "");
}

/* The edge would answer 502 if the connection broke while it still writes. */
static void reads_a_refused_body_to_its_end(void **state)
{
    g_autofree char *body = g_strnfill(5 * 1024 * 1024, 'x');
    for (int i = 0; i < 5; i++) {
        g_autofree char *answer = talk_ask(*state, LISTENER_LOG, "POST", "/v1/things", "", body);
        assert_problem(answer, 413);
    }
}

static void puts_together_a_body_that_comes_in_pieces(void **state)
{
    int fd = talk_connect(*state, LISTENER_LOG);
    talk_send(fd, "POST /v1/things HTTP/1.1\r\nHo", -1);
    talk_send(fd, "st: node\r\nConnection: close\r\nContent-Length: 6\r\n", -1);
    talk_send(fd, "\r\nab", -1);
    talk_send(fd, "cd", -1);
    talk_send(fd, "ef", -1);
    g_autofree char *answer = talk_read_all(fd);
    assert_echo(answer, "POST /v1/things [] abcdef");
}

static void takes_a_body_of_a_megabyte(void **state)
{
    g_autofree char *body = g_strnfill(1048576, 'y');
    g_autofree char *answer = talk_ask(*state, LISTENER_LOG, "POST", "/v1/large", "", body);
    assert_int_equal(talk_status(answer), 200);
    assert_int_equal(strlen(talk_body(answer)), strlen("POST /v1/large [] ") + 1048576);
}

/* --- connections --- */

static void answers_pipelined_requests_in_their_order(void **state)
{
    int fd = talk_connect(*state, LISTENER_LOG);
    talk_send(fd,
              "GET /v1/things/a HTTP/1.1\r\nHost: node\r\n\r\n"
              "POST /v1/things HTTP/1.1\r\nHost: node\r\nContent-Length: 1\r\n\r\nb"
              "GET /unknown HTTP/1.1\r\nHost: node\r\n\r\n"
              "GET /v1/things/c HTTP/1.1\r\nHost: node\r\nConnection: close\r\n\r\n",
              -1);
    g_autofree char *first = talk_read_answer(fd, FALSE);
    assert_echo(first, "GET /v1/things/a [a] ");
    g_autofree char *second = talk_read_answer(fd, FALSE);
    assert_echo(second, "POST /v1/things [] b");
    g_autofree char *third = talk_read_answer(fd, FALSE);
    assert_problem(third, 404);
    g_autofree char *last = talk_read_all(fd);
    assert_echo(last, "GET /v1/things/c [c] ");
}

static void keeps_the_connection_after_refusing_a_short_body(void **state)
{
    int fd = talk_connect(*state, LISTENER_LOG);
    g_autofree char *body = g_strnfill(65, 'x');
    talk_send(fd, "POST /v1/things HTTP/1.1\r\nHost: node\r\nContent-Length: 65\r\n\r\n", -1);
    talk_send(fd, body, -1);
    g_autofree char *refused = talk_read_answer(fd, FALSE);
    assert_problem(refused, 413);
    talk_send(fd, "GET /v1/things HTTP/1.1\r\nHost: node\r\nConnection: close\r\n\r\n", -1);
    g_autofree char *answer = talk_read_all(fd);
    assert_echo(answer, "GET /v1/things [] ");
}

static void a_slow_handler_delays_nobody_else(void **state)
{
    int waiting = talk_connect(*state, LISTENER_LOG);
    talk_send(waiting, "GET /slow HTTP/1.1\r\nHost: node\r\nConnection: close\r\n\r\n", -1);
    gate_wait_entered(&gate);
    for (int i = 0; i < 10; i++) {
        g_autofree char *answer = get(state, "/v1/things");
        assert_int_equal(talk_status(answer), 200);
    }
    gate_release(&gate);
    g_autofree char *late = talk_read_all(waiting);
    assert_echo(late, "slow");
}

/* Who goes away while his answer is made takes nothing with him. */
static void survives_a_client_that_goes_away(void **state)
{
    int fd = talk_connect(*state, LISTENER_LOG);
    talk_send(fd, "GET /slow HTTP/1.1\r\nHost: node\r\n\r\n", -1);
    gate_wait_entered(&gate);
    close(fd);
    gate_release(&gate);
    g_autofree char *answer = get(state, "/v1/things");
    assert_int_equal(talk_status(answer), 200);
}

static void survives_half_a_request(void **state)
{
    static const char *const halves[] = {
        "", "GET", "GET /v1/things HTTP/1.1\r\nHost: no",
        "POST /v1/things HTTP/1.1\r\nHost: node\r\nContent-Length: 10\r\n\r\nab"};
    for (int i = 0; i < 600; i++) { /* more than there may be connections */
        int fd = talk_connect(*state, LISTENER_LOG);
        talk_send(fd, halves[i % (int)G_N_ELEMENTS(halves)], -1);
        close(fd);
    }
    g_autofree char *answer = get(state, "/v1/things");
    assert_int_equal(talk_status(answer), 200);
}

static void closes_a_connection_on_which_nothing_moves(void **state)
{
    HttpServerOptions options = {.idle_timeout_s = 1};
    Talk *talk = talk_start(&options, routes, G_N_ELEMENTS(routes), &gate);
    int fd = talk_connect(talk, LISTENER_LOG);
    talk_send(fd, "POST /v1/things HTTP/1.1\r\nHost: node\r\nContent-Length: 10\r\n\r\nab", -1);
    g_autofree char *answer = talk_read_all(fd);
    assert_true(talk_status(answer) == 0 || talk_status(answer) == 408);
    talk_stop(talk);
}

/* --- handlers that do it wrong --- */

static void answers_500_for_a_handler_without_an_answer(void **state)
{
    g_autofree char *answer = get(state, "/silent");
    assert_problem(answer, 500);
}

static void sends_the_first_of_two_answers(void **state)
{
    g_autofree char *answer = get(state, "/chatty");
    assert_echo(answer, "first");
}

/* --- before and after --- */

static gboolean turn_away(Request *request, const Route *route, gpointer node)
{
    if (strcmp(route->path, "/v1/things/{hash}") != 0)
        return TRUE;
    respond_problem(request, 429, "Too many requests", "Try again after %d s.", 3);
    return FALSE;
}

typedef struct {
    GMutex lock;
    GString *lines;
} Measured;

static void note(const Request *request, const Route *route, guint status, gint64 duration_us, gpointer node)
{
    Measured *measured = node;
    g_autoptr(GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new(&measured->lock);
    g_string_append_printf(measured->lines, "%s %u %s;", route->path, status, duration_us >= 0 ? "ok" : "?");
}

static void calls_before_and_after_each_handler(void **state)
{
    Measured measured = {.lines = g_string_new(NULL)};
    g_mutex_init(&measured.lock);
    HttpServerOptions options = {.before = turn_away, .after = note, .node = &measured};
    Talk *talk = talk_start(&options, routes, G_N_ELEMENTS(routes), &gate);
    g_autofree char *passed = talk_ask(talk, LISTENER_LOG, "GET", "/v1/things", "", NULL);
    assert_int_equal(talk_status(passed), 200);
    g_autofree char *turned = talk_ask(talk, LISTENER_LOG, "GET", "/v1/things/x", "", NULL);
    assert_problem(turned, 429);
    g_autofree char *unknown = talk_ask(talk, LISTENER_LOG, "GET", "/unknown", "", NULL);
    assert_problem(unknown, 404);
    talk_stop(talk);
    assert_string_equal(measured.lines->str, "/v1/things 200 ok;/v1/things/{hash} 429 ok; 404 ok;");
    g_string_free(measured.lines, TRUE);
    g_mutex_clear(&measured.lock);
}

/* --- sockets --- */

static void its_sockets_are_for_their_owner_only(void **state)
{
    g_autofree char *path = talk_socket(*state, LISTENER_LOG);
    struct stat status;
    assert_int_equal(stat(path, &status), 0);
    assert_true(S_ISSOCK(status.st_mode));
    assert_int_equal(status.st_mode & 07777, 0600);
}

static HttpServer *start_in(const char *folder, GError **error)
{
    const Route *table = routes;
    gsize count = G_N_ELEMENTS(routes);
    gpointer context = &gate;
    HttpServerOptions options = {.run_dir = folder};
    return http_server_start(&options, &table, &count, &context, 1, error);
}

static void does_not_take_the_socket_of_a_running_server(void **state)
{
    const Talk *talk = *state;
    g_autoptr(GError) error = NULL;
    assert_null(start_in(talk->folder, &error));
    assert_true(g_error_matches(error, FUNDAMENT_ERROR, FUNDAMENT_ERROR_CONFLICT));
    g_autofree char *answer = get(state, "/v1/things");
    assert_int_equal(talk_status(answer), 200);
}

static void replaces_a_socket_that_a_dead_server_left(void **state)
{
    g_autofree char *folder = g_dir_make_tmp("fundament-net-XXXXXX", NULL);
    Talk own = {.folder = folder};
    g_autofree char *path = talk_socket(&own, LISTENER_LOG);
    g_autofree char *kept = g_strconcat(path, ".kept", NULL);
    g_autoptr(GError) error = NULL;
    own.server = start_in(folder, &error);
    assert_non_null(own.server);
    assert_int_equal(link(path, kept), 0);
    http_server_stop(own.server, 1000);
    assert_int_equal(rename(kept, path), 0); /* as after kill -9 */
    own.server = start_in(folder, &error);
    assert_non_null(own.server);
    g_autofree char *answer = talk_ask(&own, LISTENER_LOG, "GET", "/v1/things", "", NULL);
    assert_int_equal(talk_status(answer), 200);
    http_server_stop(own.server, 1000);
    talk_remove_folder(folder);
}

static void does_not_remove_a_file_that_is_no_socket(void **state)
{
    g_autofree char *folder = g_dir_make_tmp("fundament-net-XXXXXX", NULL);
    Talk there = {.folder = folder};
    g_autofree char *path = talk_socket(&there, LISTENER_LOG);
    g_autoptr(GError) error = NULL;
    assert_true(g_file_set_contents(path, "precious", -1, NULL));
    assert_null(start_in(folder, &error));
    assert_true(g_error_matches(error, FUNDAMENT_ERROR, FUNDAMENT_ERROR_CONFLICT));
    assert_true(g_file_test(path, G_FILE_TEST_IS_REGULAR));
    talk_remove_folder(folder);
}

/* --- stopping --- */

static gpointer stop_server(gpointer data)
{
    http_server_stop(data, 10000);
    return NULL;
}

/* What was taken in is answered; who comes later finds no door. */
static void stops_after_the_running_handlers(void **state)
{
    Gate own;
    gate_init(&own);
    Talk *talk = talk_start(NULL, routes, G_N_ELEMENTS(routes), &own);
    g_autofree char *path = talk_socket(talk, LISTENER_LOG);
    int fd = talk_connect(talk, LISTENER_LOG);
    talk_send(fd, "GET /slow HTTP/1.1\r\nHost: node\r\n\r\n", -1);
    gate_wait_entered(&own);
    GThread *stopping = g_thread_new("stop", stop_server, talk->server);
    while (g_file_test(path, G_FILE_TEST_EXISTS))
        g_thread_yield();
    gate_release(&own);
    g_autofree char *answer = talk_read_answer(fd, FALSE);
    assert_echo(answer, "slow");
    g_thread_join(stopping);
    close(fd);
    talk_remove_folder(talk->folder);
    g_free(talk->folder);
    g_free(talk);
}

/* decisions.md 30: the edge holds what comes while a node is replaced; what it sent over a connection that it
 * keeps, just before, is answered as ever. */
static void answers_what_comes_over_kept_connections_while_it_stops(void **state)
{
    Gate own;
    gate_init(&own);
    Talk *talk = talk_start(NULL, routes, G_N_ELEMENTS(routes), &own);
    g_autofree char *path = talk_socket(talk, LISTENER_LOG);
    int slow = talk_connect(talk, LISTENER_LOG), kept = talk_connect(talk, LISTENER_LOG);
    talk_send(slow, "GET /slow HTTP/1.1\r\nHost: node\r\n\r\n", -1);
    gate_wait_entered(&own);
    GThread *stopping = g_thread_new("stop", stop_server, talk->server);
    while (g_file_test(path, G_FILE_TEST_EXISTS))
        g_thread_yield();
    talk_send(kept, "GET /v1/things HTTP/1.1\r\nHost: node\r\n\r\n", -1);
    g_autofree char *answer = talk_read_all(kept); /* and the connection is closed after it */
    assert_int_equal(talk_status(answer), 200);
    gate_release(&own);
    g_thread_join(stopping);
    close(slow);
    talk_remove_folder(talk->folder);
    g_free(talk->folder);
    g_free(talk);
}

int main(void)
{
#define EACH(test) cmocka_unit_test_setup_teardown(test, start, stop)
    const struct CMUnitTest tests[] = {
        EACH(finds_the_route_by_method_and_path),
        EACH(hands_over_decoded_segments),
        EACH(a_plus_in_a_path_is_a_plus),
        EACH(a_literal_segment_goes_before_one_in_braces),
        EACH(answers_404_for_an_unknown_path),
        EACH(a_route_is_reached_by_its_own_door_only),
        EACH(answers_405_with_the_methods_that_are_allowed),
        EACH(answers_405_to_options),
        EACH(answers_head_as_get_without_the_body),
        cmocka_unit_test(refuses_to_start_with_the_same_route_twice),
        EACH(refuses_paths_that_mean_another_path),
        EACH(refuses_a_malformed_query),
        EACH(refuses_an_address_over_8192_bytes),
        EACH(refuses_headers_over_32_kilobytes),
        EACH(refuses_a_repeated_header_that_may_be_there_once),
        EACH(refuses_a_length_beside_a_transfer_encoding),
        EACH(every_answer_carries_the_standard_headers),
        EACH(takes_a_body_up_to_the_limit_of_its_route),
        EACH(takes_no_body_where_none_is_allowed),
        EACH(refuses_a_large_body_before_it_is_sent),
        EACH(refuses_at_once_who_asks_whether_to_go_on),
        EACH(takes_chunked_bodies_up_to_the_limit),
        EACH(closes_on_a_refused_body_that_does_not_end),
        EACH(reads_a_refused_body_to_its_end),
        EACH(puts_together_a_body_that_comes_in_pieces),
        EACH(takes_a_body_of_a_megabyte),
        EACH(answers_pipelined_requests_in_their_order),
        EACH(keeps_the_connection_after_refusing_a_short_body),
        EACH(a_slow_handler_delays_nobody_else),
        EACH(survives_a_client_that_goes_away),
        EACH(survives_half_a_request),
        EACH(closes_a_connection_on_which_nothing_moves),
        EACH(answers_500_for_a_handler_without_an_answer),
        EACH(sends_the_first_of_two_answers),
        EACH(calls_before_and_after_each_handler),
        EACH(its_sockets_are_for_their_owner_only),
        EACH(does_not_take_the_socket_of_a_running_server),
        EACH(replaces_a_socket_that_a_dead_server_left),
        EACH(does_not_remove_a_file_that_is_no_socket),
        EACH(stops_after_the_running_handlers),
        cmocka_unit_test(answers_what_comes_over_kept_connections_while_it_stops),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
