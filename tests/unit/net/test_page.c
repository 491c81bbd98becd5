#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "core/format/json.h"
#include "core/net/page.h"
#include "talk.h"

#define PAGE_MAX 30000 /* the whole of a page, architecture.md */
#define OWN_COOKIE "AAECAwQFBgcICQoLDA0ODw"
#define FORM_TYPE "Content-Type: application/x-www-form-urlencoded\r\n"

/* --- handlers --- */

static void page(Request *request, gpointer context)
{
    respond_page(request, 200, "problem", "layout",
                 json_pack("{s:s, s:s, s:s, s:[{s:s, s:s, s:b}, {s:s, s:s}], s:[{s:s, s:s}], s:{s:s, s:s}}",
                           "title", "Wie & <wat>", "text", "\"tekst\"", "lede", "Eén zin.", "navigation",
                           "href", "/a", "text", "Eerste", "current", 1, "href", "/b", "text", "Tweede",
                           "breadcrumb", "href", "/", "text", "Begin", "session", "name", "J. Test",
                           "sign_out", "/uit"));
}

static void bare(Request *request, gpointer context)
{
    respond_page(request, 201, "problem", "layout", json_pack("{s:s}", "title", "Kaal"));
}

static void without_template(Request *request, gpointer context)
{
    respond_page(request, 200, "absent", "layout", json_pack("{s:s}", "title", "Titel"));
}

static void post(Request *request, gpointer context)
{
    g_autoptr(json_t) form = request_form(request, NULL);
    if (page_check_csrf(request, form))
        respond_text(request, 200, "text/plain", "taken in");
}

static const Route routes[] = {
    {LISTENER_PORTAL, "GET", "/page", page, 0, NULL},
    {LISTENER_PORTAL, "GET", "/bare", bare, 0, NULL},
    {LISTENER_PORTAL, "GET", "/without-template", without_template, 0, NULL},
    {LISTENER_PORTAL, "POST", "/post", post, 4096, NULL},
    {LISTENER_ADMIN, "GET", "/page", page, 0, NULL},
};

static int start(void **state)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GBytes) key = g_bytes_new_static("0123456789abcdef0123456789abcdef", 32);
    page_set_csrf_key(key);
    page_set_site("Gemeente <Test>", FALSE);
    const Route *tables[] = {routes, page_routes};
    gsize counts[] = {G_N_ELEMENTS(routes), page_routes_count};
    gpointer contexts[] = {NULL, NULL};
    Talk *talk = g_new0(Talk, 1);
    talk->folder = g_dir_make_tmp("fundament-net-XXXXXX", NULL);
    HttpServerOptions options = {.run_dir = talk->folder};
    talk->server = http_server_start(&options, tables, counts, contexts, G_N_ELEMENTS(tables), &error);
    assert_null(error);
    *state = talk;
    return 0;
}

static int stop(void **state)
{
    talk_stop(*state);
    return 0;
}

/* --- helpers --- */

static char *get(void **state, const char *target, const char *headers)
{
    return talk_ask(*state, LISTENER_PORTAL, "GET", target, headers, NULL);
}

static void assert_header(const char *answer, const char *name, const char *expected)
{
    g_autofree char *value = talk_header(answer, name);
    if (value == NULL)
        fail_msg("no %s", name);
    assert_string_equal(value, expected);
}

static void assert_has(const char *answer, const char *text)
{
    if (strstr(answer, text) == NULL)
        fail_msg("no %s in %s", text, answer);
}

static guint occurrences(const char *text, const char *part)
{
    guint count = 0;
    for (const char *at = text; (at = strstr(at, part)) != NULL; at++)
        count++;
    return count;
}

/* --- the page around --- */

static void sets_the_headers_that_keep_a_browser_to_the_page(void **state)
{
    static const char *const targets[] = {"/page", "/unknown", "/without-template"};
    for (gsize i = 0; i < G_N_ELEMENTS(targets); i++) {
        g_autofree char *answer = get(state, targets[i], "");
        assert_header(answer, "Content-Type", "text/html; charset=utf-8");
        assert_header(answer, "Content-Security-Policy",
                      "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; "
                      "frame-ancestors 'none'; "
                      "base-uri 'none'");
        assert_header(answer, "Referrer-Policy", "no-referrer");
        assert_header(answer, "X-Content-Type-Options", "nosniff");
        assert_header(answer, "Cache-Control", "no-store");
        assert_header(answer, "Cross-Origin-Opener-Policy", "same-origin");
        assert_header(answer, "Content-Language", "nl");
    }
}

static void holds_the_template_in_the_layout(void **state)
{
    g_autofree char *answer = get(state, "/page", "");
    assert_int_equal(talk_status(answer), 200);
    assert_has(answer, "<title>Wie &amp; &lt;wat&gt; - Gemeente &lt;Test&gt;</title>");
    assert_has(answer, "<h1>Wie &amp; &lt;wat&gt;</h1>");
    assert_has(answer, "<p class=\"fn-lead\">Eén zin.</p>");
    assert_has(answer, "&quot;tekst&quot;");
    assert_has(answer, "<li><a href=\"/a\" aria-current=\"page\">Eerste</a></li>");
    assert_has(answer, "<li><a href=\"/b\">Tweede</a></li>");
    assert_has(answer, "<li><a href=\"/\">Begin</a></li>");
    assert_has(answer, "<strong>J. Test</strong>");
    assert_has(answer, "<form method=\"post\" action=\"/uit\"><input type=\"hidden\" name=\"csrf\"");
    assert_null(strstr(answer, "{{"));
}

static void leaves_out_what_a_page_does_not_have(void **state)
{
    g_autofree char *answer = get(state, "/bare", "");
    assert_int_equal(talk_status(answer), 201);
    static const char *const absent[] = {"fn-lead\">Eén", "fn-main-nav",    "fn-breadcrumb-nav",
                                         "fn-session",    "fn-test-banner", "<form"};
    for (gsize i = 0; i < G_N_ELEMENTS(absent); i++)
        assert_null(strstr(answer, absent[i]));
}

/* WCAG 2.2: 1.3.1, 2.4.1, 2.4.2, 3.1.1, 3.1.2; and no script, ever. */
static void has_landmarks_one_heading_and_no_script(void **state)
{
    g_autofree char *answer = get(state, "/page", "");
    static const char *const once[] = {"<h1>",     "<main id=\"main\"", "<header ",
                                       "<footer ", "href=\"#main\"",    "<html lang=\"nl\">"};
    for (gsize i = 0; i < G_N_ELEMENTS(once); i++)
        assert_int_equal(occurrences(answer, once[i]), 1);
    assert_int_equal(occurrences(answer, "<nav "), occurrences(answer, " aria-label=\""));
    assert_null(strstr(answer, "<script"));
    assert_null(strstr(answer, " style="));
    assert_null(strstr(answer, "javascript:"));
    assert_true(strlen(answer) < PAGE_MAX);
}

static void offers_this_page_in_the_other_languages(void **state)
{
    g_autofree char *answer = get(state, "/page?a=1%262&lang=nl&b=", "");
    assert_has(answer, "<a href=\"/page?lang=nl&amp;a=1%262&amp;b=\" lang=\"nl\" hreflang=\"nl\" "
                       "aria-current=\"true\">Nederlands</a>");
    assert_has(answer,
               "<a href=\"/page?lang=en&amp;a=1%262&amp;b=\" lang=\"en\" hreflang=\"en\">English</a>");
}

static void speaks_the_language_of_the_request(void **state)
{
    g_autofree char *answer = get(state, "/page?lang=en", "");
    assert_header(answer, "Content-Language", "en");
    assert_has(answer, "<html lang=\"en\">");
    assert_has(answer, "Skip to the content");
}

static void says_on_every_page_that_it_is_a_test(void **state)
{
    page_set_site("Test", TRUE);
    g_autofree char *answer = get(state, "/bare", "");
    assert_has(answer, "fn-test-banner");
    assert_has(answer, "Testomgeving");
    g_autofree char *unknown = get(state, "/unknown", "");
    assert_has(unknown, "fn-test-banner");
}

static void answers_500_plainly_when_a_template_fails(void **state)
{
    g_autofree char *answer = get(state, "/without-template", "");
    assert_int_equal(talk_status(answer), 500);
    assert_has(answer, "<h1>Er ging bij ons iets mis</h1>");
    assert_null(strstr(answer, "absent"));
}

/* --- CSRF --- */

/* The value of the hidden field in a page. */
static char *token_of(const char *answer)
{
    static const char *const start_of_field = "name=\"csrf\" value=\"";
    const char *value = strstr(answer, start_of_field);
    assert_non_null(value);
    value += strlen(start_of_field);
    return g_strndup(value, strcspn(value, "\""));
}

/* The csrf cookie that an answer sets, as "csrf=value". */
static char *cookie_of(const char *answer)
{
    const char *cookie = strstr(answer, "Set-Cookie: csrf=");
    if (cookie == NULL)
        return NULL;
    cookie += strlen("Set-Cookie: ");
    return g_strndup(cookie, strcspn(cookie, ";"));
}

static char *post_form(void **state, const char *cookie, const char *token, const char *more_headers)
{
    g_autofree char *headers =
        g_strdup_printf(FORM_TYPE "%s%s%s%s", cookie == NULL ? "" : "Cookie: ", cookie == NULL ? "" : cookie,
                        cookie == NULL ? "" : "\r\n", more_headers);
    g_autofree char *body = token == NULL ? g_strdup("a=1") : g_strdup_printf("a=1&csrf=%s", token);
    return talk_ask(*state, LISTENER_PORTAL, "POST", "/post", headers, body);
}

static void takes_in_a_form_of_its_own_page(void **state)
{
    g_autofree char *shown = get(state, "/page", "");
    g_autofree char *cookie = cookie_of(shown);
    g_autofree char *token = token_of(shown);
    g_autofree char *answer = post_form(state, cookie, token, "Sec-Fetch-Site: same-origin\r\n");
    assert_int_equal(talk_status(answer), 200);
    assert_string_equal(talk_body(answer), "taken in");
}

static void keeps_the_cookie_that_a_browser_has(void **state)
{
    g_autofree char *first = get(state, "/page", "Cookie: csrf=" OWN_COOKIE "\r\n");
    g_autofree char *cookie = cookie_of(first);
    assert_null(cookie);
    g_autofree char *second = get(state, "/page", "Cookie: csrf=" OWN_COOKIE "\r\n");
    g_autofree char *token = token_of(first);
    g_autofree char *again = token_of(second);
    assert_string_equal(token, again);
    g_autofree char *crooked = get(state, "/page", "Cookie: csrf=short\r\n");
    g_autofree char *fresh = cookie_of(crooked);
    assert_non_null(fresh);
}

static void refuses_a_form_of_another_site(void **state)
{
    g_autofree char *shown = get(state, "/page", "");
    g_autofree char *cookie = cookie_of(shown);
    g_autofree char *token = token_of(shown);
    g_autofree char *other = get(state, "/page", "");
    g_autofree char *other_cookie = cookie_of(other);
    g_autofree char *flipped = g_strdup(token);
    flipped[0] = flipped[0] == 'A' ? 'B' : 'A';
    const struct {
        const char *cookie;
        const char *token;
        const char *headers;
    } cases[] = {
        {cookie, NULL, ""},
        {NULL, token, ""},
        {cookie, "", ""},
        {cookie, flipped, ""},
        {other_cookie, token, ""},
        {"csrf=", token, ""},
        {cookie, cookie + strlen("csrf="), ""},
        {cookie, token, "Sec-Fetch-Site: cross-site\r\n"},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *answer = post_form(state, cases[i].cookie, cases[i].token, cases[i].headers);
        assert_int_equal(talk_status(answer), 403);
        assert_has(answer, "<h1>Dit mag niet</h1>");
    }
}

static void refuses_a_body_that_is_no_form(void **state)
{
    g_autofree char *answer =
        talk_ask(*state, LISTENER_PORTAL, "POST", "/post", "Content-Type: text/plain\r\n", "csrf=x");
    assert_int_equal(talk_status(answer), 403);
}

/* --- files --- */

static void gives_the_embedded_files_to_be_kept(void **state)
{
    g_autofree char *address = page_static("fundament.css");
    g_autofree char *answer = get(state, address, "");
    assert_int_equal(talk_status(answer), 200);
    assert_header(answer, "Content-Type", "text/css; charset=utf-8");
    assert_header(answer, "Cache-Control", "public, max-age=31536000, immutable");
    assert_header(answer, "X-Content-Type-Options", "nosniff");
    assert_has(talk_body(answer), ":root {");
    g_autofree char *shown = get(state, "/page", "");
    g_autofree char *link = g_strdup_printf("<link rel=\"stylesheet\" href=\"%s\">", address);
    assert_has(shown, link);
}

static void asks_again_for_a_file_without_its_version(void **state)
{
    static const char *const addresses[] = {"/static/fundament.css", "/static/fundament.css?v=0",
                                            "/static/icon.svg"};
    for (gsize i = 0; i < G_N_ELEMENTS(addresses); i++) {
        g_autofree char *answer = get(state, addresses[i], "");
        assert_int_equal(talk_status(answer), 200);
        assert_header(answer, "Cache-Control", "no-cache");
    }
}

static void answers_304_to_who_has_the_file(void **state)
{
    g_autofree char *first = get(state, "/static/icon.svg", "");
    assert_header(first, "Content-Type", "image/svg+xml");
    g_autofree char *etag = talk_header(first, "ETag");
    assert_true(etag[0] == '"');
    g_autofree char *header = g_strdup_printf("If-None-Match: %s\r\n", etag);
    g_autofree char *second = get(state, "/static/icon.svg", header);
    assert_int_equal(talk_status(second), 304);
    assert_string_equal(talk_body(second), "");
    assert_header(second, "ETag", etag);
}

static void gives_no_other_files(void **state)
{
    static const char *const unknown[] = {"/static/absent.css", "/static/", "/static",
                                          "/static/..%2ftemplates%2flayout.mustache"};
    static const guint status[] = {404, 404, 404, 400};
    for (gsize i = 0; i < G_N_ELEMENTS(unknown); i++) {
        g_autofree char *answer = get(state, unknown[i], "");
        assert_int_equal(talk_status(answer), status[i]);
    }
}

int main(void)
{
#define EACH(test) cmocka_unit_test_setup_teardown(test, start, stop)
    const struct CMUnitTest tests[] = {
        EACH(sets_the_headers_that_keep_a_browser_to_the_page),
        EACH(holds_the_template_in_the_layout),
        EACH(leaves_out_what_a_page_does_not_have),
        EACH(has_landmarks_one_heading_and_no_script),
        EACH(offers_this_page_in_the_other_languages),
        EACH(speaks_the_language_of_the_request),
        EACH(says_on_every_page_that_it_is_a_test),
        EACH(answers_500_plainly_when_a_template_fails),
        EACH(takes_in_a_form_of_its_own_page),
        EACH(keeps_the_cookie_that_a_browser_has),
        EACH(refuses_a_form_of_another_site),
        EACH(refuses_a_body_that_is_no_form),
        EACH(gives_the_embedded_files_to_be_kept),
        EACH(asks_again_for_a_file_without_its_version),
        EACH(answers_304_to_who_has_the_file),
        EACH(gives_no_other_files),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
