#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <glib/gstdio.h>

#include "core/base/error.h"
#include "core/format/json.h"
#include "core/net/client.h"
#include "core/net/problem.h"
#include "talk.h"

#define AT_ONCE 8

/* --- the other side --- */

static void echo(Request *request, gpointer context)
{
    gsize length;
    const char *body = g_bytes_get_data(request_body(request), &length);
    const char *type = request_header(request, "Content-Type");
    g_autofree char *text = g_strdup_printf(
        "%s %s type=%s a=%s agent=%s expect=%s body=%.*s", request_method(request), request_path(request),
        type == NULL ? "-" : type, request_header(request, "X-A"), request_header(request, "User-Agent"),
        request_header(request, "Expect") == NULL ? "-" : "there", (int)length, length == 0 ? "" : body);
    respond_text(request, 200, "text/plain", text);
}

static void get_json(Request *request, gpointer context)
{
    respond_header(request, "X-Mixed-Case", "Value");
    respond_json(request, 201, json_pack("{s:i}", "n", 1));
}

static void redirect(Request *request, gpointer context)
{
    respond_see_other(request, "/json");
}

static void large(Request *request, gpointer context)
{
    char *fill = g_strnfill(5 * 1024 * 1024, 'x');
    respond_bytes(request, 200, "text/plain", g_bytes_new_take(fill, 5 * 1024 * 1024));
}

typedef struct {
    GMutex lock;
    GCond cond;
    guint waiting;
    gboolean open;
} Meeting;

/* Answers when AT_ONCE requests are here, so only when they really come at the same time. */
static void meet(Request *request, gpointer context)
{
    Meeting *meeting = context;
    g_mutex_lock(&meeting->lock);
    meeting->open = meeting->open || ++meeting->waiting == AT_ONCE;
    g_cond_broadcast(&meeting->cond);
    while (!meeting->open)
        g_cond_wait(&meeting->cond, &meeting->lock);
    g_mutex_unlock(&meeting->lock);
    respond_empty(request, 204);
}

static const Route routes[] = {
    {LISTENER_ADMIN, "GET", "/echo", echo, 0, NULL},
    {LISTENER_ADMIN, "POST", "/echo", echo, 1048576, NULL},
    {LISTENER_ADMIN, "PUT", "/echo", echo, 1024, NULL},
    {LISTENER_ADMIN, "DELETE", "/echo", echo, 0, NULL},
    {LISTENER_ADMIN, "GET", "/json", get_json, 0, NULL},
    {LISTENER_ADMIN, "GET", "/redirect", redirect, 0, NULL},
    {LISTENER_ADMIN, "GET", "/large", large, 0, NULL},
    {LISTENER_ADMIN, "GET", "/meet", meet, 0, NULL},
};

typedef struct {
    Talk *talk;
    char *socket;
    HttpClient *client;
    Meeting meeting;
} Fixture;

static int start(void **state)
{
    Fixture *fixture = g_new0(Fixture, 1);
    HttpServerOptions options = {.threads = AT_ONCE};
    g_mutex_init(&fixture->meeting.lock);
    g_cond_init(&fixture->meeting.cond);
    fixture->talk = talk_start(&options, routes, G_N_ELEMENTS(routes), &fixture->meeting);
    fixture->socket = talk_socket(fixture->talk, LISTENER_ADMIN);
    fixture->client = http_client_new();
    *state = fixture;
    return 0;
}

static int stop(void **state)
{
    Fixture *fixture = *state;
    g_mutex_lock(&fixture->meeting.lock);
    fixture->meeting.open = TRUE;
    g_cond_broadcast(&fixture->meeting.cond);
    g_mutex_unlock(&fixture->meeting.lock);
    http_client_free(fixture->client);
    talk_stop(fixture->talk);
    g_free(fixture->socket);
    g_free(fixture);
    return 0;
}

/* --- helpers --- */

static HttpReply *call(void **state, HttpCall asked)
{
    const Fixture *fixture = *state;
    g_autoptr(GError) error = NULL;
    asked.unix_socket = fixture->socket;
    HttpReply *reply = http_client_call(fixture->client, &asked, &error);
    if (reply == NULL)
        fail_msg("%s", error->message);
    return reply;
}

static void assert_body(const HttpReply *reply, const char *expected)
{
    gsize length;
    const char *bytes = g_bytes_get_data(reply->body, &length);
    assert_int_equal(length, strlen(expected));
    if (length > 0)
        assert_memory_equal(bytes, expected, length);
}

static void assert_fails(void **state, HttpCall asked, int code, const char *message)
{
    const Fixture *fixture = *state;
    g_autoptr(GError) error = NULL;
    g_autoptr(HttpReply) reply = http_client_call(fixture->client, &asked, &error);
    if (reply != NULL)
        fail_msg("answered with %u, expected: %s", reply->status, message);
    if (strstr(error->message, message) == NULL || !g_error_matches(error, FUNDAMENT_ERROR, code))
        fail_msg("code %d: %s", error->code, error->message);
}

static void assert_refused(void **state, HttpCall asked, int code, const char *message)
{
    asked.unix_socket = ((const Fixture *)*state)->socket;
    assert_fails(state, asked, code, message);
}

/* --- what is sent --- */

static void sends_get_by_default(void **state)
{
    g_autoptr(HttpReply) reply = call(state, (HttpCall){.url = "http://node/echo"});
    assert_int_equal(reply->status, 200);
    assert_body(reply, "GET /echo type=- a=(null) agent=fundament/" FUNDAMENT_VERSION " expect=- body=");
}

static void sends_method_headers_and_body(void **state)
{
    const char *const headers[] = {"Content-Type: application/json", "X-A: b", NULL};
    g_autoptr(HttpReply) reply = call(
        state,
        (HttpCall){
            .method = "POST", .url = "http://node/echo", .headers = headers, .body = "{}", .body_length = 2});
    assert_body(reply, "POST /echo type=application/json a=b agent=fundament/" FUNDAMENT_VERSION
                       " expect=- body={}");
}

static void adds_no_content_type_of_its_own(void **state)
{
    g_autoptr(HttpReply) reply =
        call(state, (HttpCall){.method = "PUT", .url = "http://node/echo", .body = "x", .body_length = 1});
    assert_body(reply, "PUT /echo type=- a=(null) agent=fundament/" FUNDAMENT_VERSION " expect=- body=x");
}

static void sends_post_without_a_body(void **state)
{
    g_autoptr(HttpReply) reply = call(state, (HttpCall){.method = "POST", .url = "http://node/echo"});
    assert_int_equal(reply->status, 200);
    g_autoptr(HttpReply) deleted = call(state, (HttpCall){.method = "DELETE", .url = "http://node/echo"});
    assert_int_equal(deleted->status, 200);
}

/* No waiting for 100 (Continue), whatever the size. */
static void sends_a_large_body_at_once(void **state)
{
    g_autofree char *body = g_strnfill(1048576, 'x');
    g_autoptr(HttpReply) reply = call(
        state, (HttpCall){.method = "POST", .url = "http://node/echo", .body = body, .body_length = 1048576});
    assert_int_equal(reply->status, 200);
    assert_non_null(g_strstr_len(g_bytes_get_data(reply->body, NULL), 200, "expect=- body=xxx"));
}

static void a_method_does_not_stick_to_the_next_call(void **state)
{
    g_autoptr(HttpReply) head = call(state, (HttpCall){.method = "HEAD", .url = "http://node/json"});
    assert_int_equal(head->status, 201);
    assert_body(head, "");
    g_autoptr(HttpReply) get = call(state, (HttpCall){.url = "http://node/json"});
    assert_body(get, "{\"n\":1}");
}

/* --- what comes back --- */

static void gives_any_status_as_a_reply(void **state)
{
    g_autoptr(HttpReply) reply = call(state, (HttpCall){.url = "http://node/unknown"});
    assert_int_equal(reply->status, 404);
    assert_string_equal(reply->content_type, "application/problem+json");
}

static void gives_headers_by_lower_case_name(void **state)
{
    g_autoptr(HttpReply) reply = call(state, (HttpCall){.url = "http://node/json"});
    assert_string_equal(g_hash_table_lookup(reply->headers, "x-mixed-case"), "Value");
    assert_string_equal(g_hash_table_lookup(reply->headers, "content-length"), "7");
    assert_null(g_hash_table_lookup(reply->headers, "X-Mixed-Case"));
}

static void reads_a_body_as_json(void **state)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(HttpReply) reply = call(state, (HttpCall){.url = "http://node/json"});
    g_autoptr(json_t) value = http_reply_json(reply, &error);
    assert_int_equal(json_integer_at(value, "n"), 1);
    g_autoptr(HttpReply) text = call(state, (HttpCall){.url = "http://node/echo"});
    assert_null(http_reply_json(text, &error));
    assert_true(g_error_matches(error, FUNDAMENT_ERROR, FUNDAMENT_ERROR_INVALID));
    assert_true(g_str_has_prefix(error->message, "the answer (status 200): "));
}

static void follows_no_redirect(void **state)
{
    g_autoptr(HttpReply) reply = call(state, (HttpCall){.url = "http://node/redirect"});
    assert_int_equal(reply->status, 303);
    assert_string_equal(g_hash_table_lookup(reply->headers, "location"), "/json");
}

/* --- what fails --- */

static void refuses_an_answer_over_the_limit(void **state)
{
    assert_refused(state, (HttpCall){.url = "http://node/large"}, FUNDAMENT_ERROR_LIMIT,
                   "http://node/large: ");
    assert_refused(state, (HttpCall){.url = "http://node/json", .body_max = 6}, FUNDAMENT_ERROR_LIMIT, "");
    g_autoptr(HttpReply) fits = call(state, (HttpCall){.url = "http://node/json", .body_max = 7});
    assert_int_equal(fits->status, 201);
}

static void gives_up_after_the_time_out(void **state)
{
    assert_refused(state, (HttpCall){.url = "http://node/meet", .timeout_ms = 100},
                   FUNDAMENT_ERROR_UNAVAILABLE, "http://node/meet: Operation timed out");
}

static void says_that_nobody_listens(void **state)
{
    assert_fails(state, (HttpCall){.url = "http://node/", .unix_socket = "/nonexistent/admin.sock"},
                 FUNDAMENT_ERROR_UNAVAILABLE, "http://node/: ");
    assert_fails(state, (HttpCall){.url = "http://name.invalid/"}, FUNDAMENT_ERROR_UNAVAILABLE,
                 "http://name.invalid/: ");
}

static void a_message_leaves_out_the_query(void **state)
{
    const Fixture *fixture = *state;
    g_autoptr(GError) error = NULL;
    HttpCall asked = {.url = "http://node/?secret=1", .unix_socket = "/nonexistent/admin.sock"};
    assert_null(http_client_call(fixture->client, &asked, &error));
    assert_null(strstr(error->message, "secret"));
}

static void refuses_calls_that_cannot_be_made(void **state)
{
    const char *const split[] = {"X-A: b\r\nX-C: d", NULL};
    assert_fails(state, (HttpCall){.url = "ftp://node/"}, FUNDAMENT_ERROR_INVALID,
                 "must begin with https://");
    assert_fails(state, (HttpCall){.url = "file:///etc/passwd"}, FUNDAMENT_ERROR_INVALID,
                 "must begin with https://");
    assert_fails(state, (HttpCall){.url = NULL}, FUNDAMENT_ERROR_INVALID, "(no address)");
    assert_fails(state, (HttpCall){.url = "https://node/"}, FUNDAMENT_ERROR_INVALID,
                 "https needs trust anchors");
    assert_fails(state, (HttpCall){.url = "http://node/", .expected_peer_id = "00000001000000000001"},
                 FUNDAMENT_ERROR_INVALID, "only over https");
    assert_fails(state, (HttpCall){.url = "http://node/", .headers = split}, FUNDAMENT_ERROR_INVALID,
                 "line break");
    assert_refused(state, (HttpCall){.url = "http://user@node/echo"}, FUNDAMENT_ERROR_INVALID, "");
    assert_refused(state, (HttpCall){.url = "http://no de/echo"}, FUNDAMENT_ERROR_INVALID, "");
}

static void uses_no_proxy_of_the_environment(void **state)
{
    g_setenv("http_proxy", "http://127.0.0.1:9", TRUE);
    g_setenv("ALL_PROXY", "http://127.0.0.1:9", TRUE);
    g_autoptr(HttpReply) reply = call(state, (HttpCall){.url = "http://node/json"});
    g_unsetenv("http_proxy");
    g_unsetenv("ALL_PROXY");
    assert_int_equal(reply->status, 201);
}

/* --- many at once --- */

static void runs_all_calls_at_the_same_time(void **state)
{
    const Fixture *fixture = *state;
    HttpCall calls[AT_ONCE];
    HttpReply *replies[AT_ONCE];
    GError *errors[AT_ONCE];
    for (int i = 0; i < AT_ONCE; i++)
        calls[i] = (HttpCall){.url = "http://node/meet", .unix_socket = fixture->socket};
    http_client_call_all(fixture->client, calls, AT_ONCE, replies, errors);
    for (int i = 0; i < AT_ONCE; i++) {
        assert_null(errors[i]);
        assert_int_equal(replies[i]->status, 204);
        http_reply_free(replies[i]);
    }
}

static void a_call_that_fails_leaves_the_others_alone(void **state)
{
    const Fixture *fixture = *state;
    HttpCall calls[] = {
        {.url = "http://node/json", .unix_socket = fixture->socket},
        {.url = "gopher://node/", .unix_socket = fixture->socket},
        {.url = "http://node/json", .unix_socket = "/nonexistent/admin.sock"},
        {.url = "http://node/meet", .unix_socket = fixture->socket, .timeout_ms = 100},
        {.url = "http://node/unknown", .unix_socket = fixture->socket},
    };
    HttpReply *replies[G_N_ELEMENTS(calls)];
    GError *errors[G_N_ELEMENTS(calls)];
    http_client_call_all(fixture->client, calls, G_N_ELEMENTS(calls), replies, errors);
    assert_int_equal(replies[0]->status, 201);
    assert_int_equal(replies[4]->status, 404);
    static const int codes[] = {-1, FUNDAMENT_ERROR_INVALID, FUNDAMENT_ERROR_UNAVAILABLE,
                                FUNDAMENT_ERROR_UNAVAILABLE, -1};
    for (gsize i = 0; i < G_N_ELEMENTS(calls); i++) {
        assert_true((replies[i] == NULL) != (errors[i] == NULL));
        if (codes[i] >= 0)
            assert_int_equal(errors[i]->code, codes[i]);
        http_reply_free(replies[i]);
        g_clear_error(&errors[i]);
    }
}

static void runs_a_hundred_calls(void **state)
{
    const Fixture *fixture = *state;
    enum { MANY = 100 };
    HttpCall calls[MANY];
    HttpReply *replies[MANY];
    GError *errors[MANY];
    for (int i = 0; i < MANY; i++)
        calls[i] = (HttpCall){.url = "http://node/json", .unix_socket = fixture->socket};
    for (int round = 0; round < 2; round++) {
        http_client_call_all(fixture->client, calls, MANY, replies, errors);
        for (int i = 0; i < MANY; i++) {
            assert_null(errors[i]);
            assert_body(replies[i], "{\"n\":1}");
            http_reply_free(replies[i]);
        }
    }
}

static void runs_no_calls(void **state)
{
    http_client_call_all(((const Fixture *)*state)->client, NULL, 0, NULL, NULL);
}

static gpointer call_in_thread(gpointer data)
{
    Fixture *fixture = data;
    HttpCall asked = {.url = "http://node/json", .unix_socket = fixture->socket};
    guint good = 0;
    for (int i = 0; i < 50; i++) {
        g_autoptr(HttpReply) reply = http_client_call(fixture->client, &asked, NULL);
        good += reply != NULL && reply->status == 201;
    }
    return GUINT_TO_POINTER(good);
}

static void may_be_used_by_several_threads(void **state)
{
    GThread *threads[4];
    for (gsize i = 0; i < G_N_ELEMENTS(threads); i++)
        threads[i] = g_thread_new("caller", call_in_thread, *state);
    for (gsize i = 0; i < G_N_ELEMENTS(threads); i++)
        assert_int_equal(GPOINTER_TO_UINT(g_thread_join(threads[i])), 50);
}

int main(void)
{
#define EACH(test) cmocka_unit_test_setup_teardown(test, start, stop)
    const struct CMUnitTest tests[] = {
        EACH(sends_get_by_default),
        EACH(sends_method_headers_and_body),
        EACH(adds_no_content_type_of_its_own),
        EACH(sends_post_without_a_body),
        EACH(sends_a_large_body_at_once),
        EACH(a_method_does_not_stick_to_the_next_call),
        EACH(gives_any_status_as_a_reply),
        EACH(gives_headers_by_lower_case_name),
        EACH(reads_a_body_as_json),
        EACH(follows_no_redirect),
        EACH(refuses_an_answer_over_the_limit),
        EACH(gives_up_after_the_time_out),
        EACH(says_that_nobody_listens),
        EACH(a_message_leaves_out_the_query),
        EACH(refuses_calls_that_cannot_be_made),
        EACH(uses_no_proxy_of_the_environment),
        EACH(runs_all_calls_at_the_same_time),
        EACH(a_call_that_fails_leaves_the_others_alone),
        EACH(runs_a_hundred_calls),
        EACH(runs_no_calls),
        EACH(may_be_used_by_several_threads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
