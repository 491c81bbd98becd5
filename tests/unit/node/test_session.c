
#include "core/base/bytes.h"
#include "core/crypto/digest.h"
#include "core/net/client.h"
#include "core/net/problem.h"
#include "core/node/session.h"
#include "core/node/session_private.h"
#include "tests/unit/node/support.h"

/* --- a server with pages that sign in, greet and sign out --- */

static void sign_in(Request *request, gpointer context)
{
    g_autoptr(GError) error = NULL;
    const Session session = {.subject = (char *)SUPPORT_BSN,
                             .actor = (char *)request_query(request, "actor"),
                             .mandate = (char *)request_query(request, "mandate"),
                             .role = SESSION_STAFF,
                             .level = 3,
                             .test_means = TRUE,
                             .display_name = (char *)"Jos\xc3\xa9"};
    if (!session_start(context, request, &session, &error)) {
        respond_error(request, error);
        return;
    }
    const Session *now = session_of(context, request);
    respond_text(request, 200, "text/plain", now == NULL ? "nobody" : now->display_name);
}

static void greet(Request *request, gpointer context)
{
    const Session *session = session_of(context, request);
    if (session == NULL) {
        respond_text(request, 200, "text/plain", "nobody");
        return;
    }
    assert_ptr_equal(session, session_of(context, request));
    g_autofree char *text = g_strdup_printf(
        "%s|%s|%s|%d|%d|%d|%s", session->subject, session->actor == NULL ? "-" : session->actor,
        session->mandate == NULL ? "-" : session->mandate, session->role, session->level, session->test_means,
        session->display_name == NULL ? "-" : session->display_name);
    respond_text(request, 200, "text/plain", text);
}

static void sign_out(Request *request, gpointer context)
{
    g_autoptr(GError) error = NULL;
    if (!session_end(context, request, &error)) {
        respond_error(request, error);
        return;
    }
    respond_text(request, 200, "text/plain", session_of(context, request) == NULL ? "nobody" : "somebody");
}

static const Route routes[] = {
    {LISTENER_PORTAL, "GET", "/in", sign_in, 0, NULL},
    {LISTENER_PORTAL, "GET", "/who", greet, 0, NULL},
    {LISTENER_PORTAL, "GET", "/out", sign_out, 0, NULL},
};

typedef struct {
    NodeFixture *node;
    HttpServer *server;
    HttpClient *client;
    char *socket;
    char *cookie;     /* as the browser keeps it; NULL for none */
    char *set_cookie; /* of the last answer; NULL for none */
} Browser;

static int setup_on(void **state, gboolean postgresql)
{
    g_autoptr(GError) error = NULL;
    NodeFixture *node = node_fixture_new(postgresql, FALSE, "");
    if (node == NULL)
        return 0;
    Browser *browser = g_new0(Browser, 1);
    browser->node = node;
    const Route *tables[] = {routes};
    const gsize counts[] = {G_N_ELEMENTS(routes)};
    const gpointer contexts[] = {browser->node->node};
    HttpServerOptions options = {.run_dir = node_run_dir(browser->node->node), .threads = 2};
    browser->server = http_server_start(&options, tables, counts, contexts, 1, &error);
    no_error(error);
    browser->client = http_client_new();
    browser->socket = g_build_filename(options.run_dir, "portal.sock", NULL);
    *state = browser;
    return 0;
}

static int setup(void **state)
{
    return setup_on(state, FALSE);
}

static int setup_pg(void **state)
{
    return setup_on(state, TRUE);
}

static int teardown(void **state)
{
    Browser *browser = *state;
    if (browser == NULL)
        return 0;
    http_client_free(browser->client);
    http_server_stop(browser->server, 1000);
    node_fixture_free(browser->node);
    g_free(browser->socket);
    g_free(browser->cookie);
    g_free(browser->set_cookie);
    g_free(browser);
    return 0;
}

/* The text of the page. */
static char *get(Browser *browser, const char *path)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *url = g_strconcat("http://portal", path, NULL);
    g_autofree char *header = g_strconcat("Cookie: other=1; ", browser->cookie, NULL);
    const char *headers[] = {header, NULL};
    HttpCall call = {
        .url = url, .unix_socket = browser->socket, .headers = browser->cookie == NULL ? NULL : headers};
    g_autoptr(HttpReply) reply = http_client_call(browser->client, &call, &error);
    no_error(error);
    assert_int_equal(reply->status, 200);
    g_free(browser->set_cookie);
    browser->set_cookie = g_strdup(g_hash_table_lookup(reply->headers, "set-cookie"));
    return g_strndup(g_bytes_get_data(reply->body, NULL), g_bytes_get_size(reply->body));
}

static void page_is(Browser *browser, const char *path, const char *expected)
{
    g_autofree char *text = get(browser, path);
    assert_string_equal(text, expected);
}

static void keep_cookie(Browser *browser)
{
    assert_non_null(browser->set_cookie);
    g_free(browser->cookie);
    browser->cookie = g_strndup(browser->set_cookie, strcspn(browser->set_cookie, ";"));
}

static gint64 rows_of(const Browser *browser)
{
    return support_number(browser->node->store, "SELECT COUNT(*) FROM node_sessions");
}

#define WHO SUPPORT_BSN "|-|-|1|3|1|Jos\xc3\xa9"

/* --- tests --- */

static void nobody_is_signed_in_without_a_cookie(void **state)
{
    page_is(*state, "/who", "nobody");
    page_is(*state, "/out", "nobody");
}

static void who_signs_in_is_known_from_then_on(void **state)
{
    Browser *browser = *state;
    if (browser == NULL)
        skip();
    page_is(browser, "/in", "Jos\xc3\xa9");
    keep_cookie(browser);
    page_is(browser, "/who", WHO);
    assert_null(browser->set_cookie);
    page_is(browser, "/who", WHO);
}

static void keeps_who_acts_for_whom_by_which_mandate(void **state)
{
    Browser *browser = *state;
    page_is(browser, "/in?actor=999993653&mandate=m-1", "Jos\xc3\xa9");
    keep_cookie(browser);
    page_is(browser, "/who", SUPPORT_BSN "|999993653|m-1|1|3|1|Jos\xc3\xa9");
}

/* RFC 6265bis 4.1.3.2: a __Host- cookie is Secure, has Path=/ and no Domain. */
static void the_cookie_is_for_this_host_over_tls_and_not_for_scripts(void **state)
{
    Browser *browser = *state;
    g_free(get(browser, "/in"));
    const char *cookie = browser->set_cookie;
    assert_true(g_str_has_prefix(cookie, "__Host-session="));
    assert_int_equal(strchr(cookie, ';') - strchr(cookie, '='), 1 + 43);
    assert_non_null(strstr(cookie, "; Secure"));
    assert_non_null(strstr(cookie, "; HttpOnly"));
    assert_non_null(strstr(cookie, "; SameSite=Lax"));
    assert_non_null(strstr(cookie, "; Path=/"));
    assert_null(strstr(cookie, "Domain"));
}

static void signing_out_ends_it_also_for_a_copy_of_the_cookie(void **state)
{
    Browser *browser = *state;
    if (browser == NULL)
        skip();
    g_free(get(browser, "/in"));
    keep_cookie(browser);
    page_is(browser, "/out", "nobody");
    assert_non_null(strstr(browser->set_cookie, "Max-Age=0"));
    page_is(browser, "/who", "nobody");
    assert_int_equal(rows_of(browser), 0);
}

static void signing_in_again_ends_the_session_before(void **state)
{
    Browser *browser = *state;
    g_free(get(browser, "/in"));
    keep_cookie(browser);
    g_autofree char *first = g_strdup(browser->cookie);
    g_free(get(browser, "/in"));
    keep_cookie(browser);
    assert_string_not_equal(browser->cookie, first);
    assert_int_equal(rows_of(browser), 1);
    page_is(browser, "/who", WHO);
    g_free(browser->cookie);
    browser->cookie = g_steal_pointer(&first);
    page_is(browser, "/who", "nobody");
}

static void ends_after_fifteen_idle_minutes(void **state)
{
    Browser *browser = *state;
    g_free(get(browser, "/in"));
    keep_cookie(browser);
    support_advance(browser->node, SESSION_IDLE_MS);
    page_is(browser, "/who", WHO);
    support_advance(browser->node, SESSION_IDLE_MS);
    page_is(browser, "/who", WHO);
    support_advance(browser->node, SESSION_IDLE_MS + 1);
    page_is(browser, "/who", "nobody");
}

static void ends_after_eight_hours_however_busy(void **state)
{
    Browser *browser = *state;
    g_free(get(browser, "/in"));
    keep_cookie(browser);
    for (gint64 passed = 0; passed < SESSION_LONGEST_MS; passed += 600000) {
        page_is(browser, "/who", WHO);
        support_advance(browser->node, 600000);
    }
    page_is(browser, "/who", WHO);
    support_advance(browser->node, 1);
    page_is(browser, "/who", "nobody");
}

static void made_up_cookies_are_nobody(void **state)
{
    static const char *const cookies[] = {"__Host-session=", "__Host-session=x", "__Host-session=AAAA",
                                          "__Host-session=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
                                          "session=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"};
    Browser *browser = *state;
    for (gsize i = 0; i < G_N_ELEMENTS(cookies); i++) {
        g_free(browser->cookie);
        browser->cookie = g_strdup(cookies[i]);
        page_is(browser, "/who", "nobody");
    }
}

/* Who reads the database learns neither the cookie nor the person. */
static void the_store_alone_reveals_nothing(void **state)
{
    Browser *browser = *state;
    g_autoptr(GError) error = NULL;
    g_free(get(browser, "/in"));
    keep_cookie(browser);
    const char *value = strchr(browser->cookie, '=') + 1;
    g_autoptr(GBytes) secret = base64url_decode(value, -1, &error);
    guint8 digest[SHA256_SIZE];
    sha256(g_bytes_get_data(secret, NULL), g_bytes_get_size(secret), digest);
    g_autoptr(Db) db = store_take(browser->node->store, &error);
    g_autoptr(Rows) rows = db_query_values(db, "SELECT id, sealed FROM node_sessions", NULL, 0, &error);
    no_error(error);
    assert_true(rows_next(rows));
    gsize length = 0;
    gconstpointer id = rows_blob(rows, 0, &length);
    assert_int_equal(length, sizeof digest);
    assert_memory_equal(id, digest, sizeof digest);
    gconstpointer sealed = rows_blob(rows, 1, &length);
    assert_null(memmem(sealed, length, SUPPORT_BSN, strlen(SUPPORT_BSN)));
    assert_null(memmem(sealed, length, "subject", strlen("subject")));
}

static void a_sealed_part_moved_to_another_row_does_not_open(void **state)
{
    Browser *browser = *state;
    g_autoptr(GError) error = NULL;
    g_free(get(browser, "/in"));
    keep_cookie(browser);
    g_autofree char *first = g_steal_pointer(&browser->cookie);
    g_free(get(browser, "/in"));
    g_autoptr(Db) db = store_take(browser->node->store, &error);
    db_run_values(db,
                  "UPDATE node_sessions SET sealed = (SELECT sealed FROM node_sessions ORDER BY id LIMIT 1)",
                  NULL, 0, &error);
    no_error(error);
    guint known = 0;
    keep_cookie(browser);
    g_autofree char *second = g_strdup(browser->cookie);
    const char *const cookies[] = {first, second};
    for (gsize i = 0; i < G_N_ELEMENTS(cookies); i++) {
        g_free(browser->cookie);
        browser->cookie = g_strdup(cookies[i]);
        g_autofree char *text = get(browser, "/who");
        known += strcmp(text, WHO) == 0 ? 1 : 0;
    }
    assert_int_equal(known, 1);
}

#define on_postgresql(name)                                                                                  \
    {                                                                                                        \
#name " on postgresql", name, setup_pg, teardown, NULL                                               \
    }
#define test(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        test(nobody_is_signed_in_without_a_cookie),
        test(who_signs_in_is_known_from_then_on),
        test(keeps_who_acts_for_whom_by_which_mandate),
        test(the_cookie_is_for_this_host_over_tls_and_not_for_scripts),
        test(signing_out_ends_it_also_for_a_copy_of_the_cookie),
        test(signing_in_again_ends_the_session_before),
        test(ends_after_fifteen_idle_minutes),
        test(ends_after_eight_hours_however_busy),
        on_postgresql(who_signs_in_is_known_from_then_on),
        on_postgresql(signing_out_ends_it_also_for_a_copy_of_the_cookie),
        test(made_up_cookies_are_nobody),
        test(the_store_alone_reveals_nothing),
        test(a_sealed_part_moved_to_another_row_does_not_open),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
