#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "core/base/error.h"
#include "core/base/trace.h"
#include "core/format/json.h"
#include "core/net/http.h"
#include "core/net/problem.h"
#include "talk.h"

#define TRACE_ID "0af7651916cd43dd8448eb211c80319c"
#define SPAN_ID "b7ad6b7169203331"

/* --- handlers: each says what one function gave --- */

static const char *or_none(const char *text)
{
    return text == NULL ? "(none)" : text;
}

static void queries(Request *request, gpointer context)
{
    static const char *const known[] = {"a", "b", "lang", NULL};
    g_autofree char *text =
        g_strdup_printf("a=%s b=%s count=%u unknown=%s", or_none(request_query(request, "a")),
                        or_none(request_query(request, "b")), request_query_count(request, "a"),
                        or_none(request_query_unknown(request, known)));
    respond_text(request, 200, "text/plain", text);
}

static void cookies(Request *request, gpointer context)
{
    g_autofree char *text =
        g_strdup_printf("a=%s b=%s header=%s", or_none(request_cookie(request, "a")),
                        or_none(request_cookie(request, "b")), or_none(request_header(request, "x-b")));
    respond_text(request, 200, "text/plain", text);
}

static void form(Request *request, gpointer context)
{
    g_autoptr(GError) error = NULL;
    json_t *fields = request_form(request, &error);
    if (fields == NULL)
        respond_error(request, error);
    else
        respond_json(request, 200, fields);
}

static void json(Request *request, gpointer context)
{
    g_autoptr(GError) error = NULL;
    json_t *value = request_json(request, &error);
    if (value == NULL)
        respond_error(request, error);
    else
        respond_json(request, 200, value);
}

static void trace(Request *request, gpointer context)
{
    const TraceContext *own = request_trace(request);
    g_autofree char *text = g_strdup_printf(
        "trace=%s parent=%s caller=%d new=%d", own->trace_id, own->parent_id, request_has_caller(request),
        span_id_valid(own->span_id) && strcmp(own->span_id, own->parent_id) != 0);
    respond_text(request, 200, "text/plain", text);
}

static void language(Request *request, gpointer context)
{
    respond_text(request, 200, "text/plain", request_language(request));
}

static void count_destroyed(gpointer counter)
{
    g_atomic_int_inc((gint *)counter);
}

static void attach(Request *request, gpointer context)
{
    static char borrowed[] = "borrowed";
    assert_null(request_get_data(request, "a"));
    request_set_data(request, "a", context, count_destroyed);
    assert_ptr_equal(request_get_data(request, "a"), context);
    request_set_data(request, "a", context, count_destroyed);
    request_set_data(request, "b", borrowed, NULL);
    respond_text(request, 200, "text/plain", request_get_data(request, "b"));
}

static void see_other(Request *request, gpointer context)
{
    respond_see_other(request, request_query(request, "to"));
}

static void headers(Request *request, gpointer context)
{
    respond_header(request, "X-A", "first");
    respond_header(request, "x-a", "second");
    respond_header(request, "X-Split", "a\r\nX-Injected: yes");
    respond_header(request, "X Name", "space");
    respond_header(request, "Cache-Control", "max-age=60");
    respond_header(request, "X-Frame-Options", "");
    respond_empty(request, 204);
}

static void set_cookies(Request *request, gpointer context)
{
    respond_cookie(request, "kept", "v1", 3600);
    respond_cookie(request, "until-closed", "v2", -1);
    respond_cookie(request, "gone", "", 0);
    respond_cookie(request, "split", "a; Domain=evil.test", 60);
    respond_cookie(request, "na=me", "a", 60);
    respond_empty(request, 204);
}

static gint destroyed;

#define BOTH(path, handler)                                                                                  \
    {LISTENER_ADMIN, "GET", path, handler, 0, NULL},                                                         \
    {                                                                                                        \
        LISTENER_PORTAL, "GET", path, handler, 0, NULL                                                       \
    }
static const Route routes[] = {
    BOTH("/query", queries),
    BOTH("/cookies", cookies),
    {LISTENER_ADMIN, "POST", "/form", form, 65536, NULL},
    {LISTENER_ADMIN, "POST", "/json", json, 65536, NULL},
    BOTH("/trace", trace),
    BOTH("/language", language),
    {LISTENER_ADMIN, "GET", "/attach", attach, 0, NULL},
    BOTH("/see-other", see_other),
    BOTH("/headers", headers),
    BOTH("/set-cookies", set_cookies),
};

static int start(void **state)
{
    destroyed = 0;
    *state = talk_start(NULL, routes, G_N_ELEMENTS(routes), &destroyed);
    return 0;
}

static int stop(void **state)
{
    talk_stop(*state);
    return 0;
}

/* --- helpers --- */

static char *get(void **state, const char *target, const char *header_lines)
{
    return talk_ask(*state, LISTENER_ADMIN, "GET", target, header_lines, NULL);
}

static void assert_get(void **state, const char *target, const char *header_lines, const char *expected)
{
    g_autofree char *answer = get(state, target, header_lines);
    assert_int_equal(talk_status(answer), 200);
    assert_string_equal(talk_body(answer), expected);
}

static char *post(void **state, const char *target, const char *type, const char *body)
{
    g_autofree char *header = type == NULL ? g_strdup("") : g_strdup_printf("Content-Type: %s\r\n", type);
    return talk_ask(*state, LISTENER_ADMIN, "POST", target, header, body);
}

static void assert_refused(const char *answer, guint status, const char *detail)
{
    assert_int_equal(talk_status(answer), status);
    g_autoptr(json_t) problem = json_parse_strict(talk_body(answer), -1, NULL, NULL);
    assert_string_equal(json_string_at(problem, "detail"), detail);
}

/* --- query and headers --- */

static void decodes_the_query(void **state)
{
    assert_get(state, "/query?a=1%20%2b+%26&b=%C3%A9", "", "a=1 + & b=é count=1 unknown=(none)");
    assert_get(state, "/query", "", "a=(none) b=(none) count=0 unknown=(none)");
    assert_get(state, "/query?", "", "a=(none) b=(none) count=0 unknown=(none)");
    assert_get(state, "/query?a&b=", "", "a= b= count=1 unknown=(none)");
    assert_get(state, "/query?a=b=c&&b=?/", "", "a=b=c b=?/ count=1 unknown=(none)");
}

static void gives_the_first_of_a_repeated_parameter_and_counts(void **state)
{
    assert_get(state, "/query?a=1&a=2&%61=3", "", "a=1 b=(none) count=3 unknown=(none)");
}

static void finds_a_parameter_that_is_not_known(void **state)
{
    assert_get(state, "/query?a=1&c=2&d=3", "", "a=1 b=(none) count=1 unknown=c");
}

static void finds_headers_in_any_case(void **state)
{
    assert_get(state, "/cookies", "X-B: v\r\n", "a=(none) b=(none) header=v");
}

static void reads_cookies(void **state)
{
    assert_get(state, "/cookies", "Cookie: a=1; b=x=y\r\n", "a=1 b=x=y header=(none)");
    assert_get(state, "/cookies", "Cookie: aa=2;b=1 ; a=3\r\n", "a=3 b=1 header=(none)");
    assert_get(state, "/cookies", "Cookie: a=1\r\nCookie: b=2\r\n", "a=1 b=2 header=(none)");
    assert_get(state, "/cookies", "Cookie: a; =; ;;\r\n", "a=(none) b=(none) header=(none)");
    assert_get(state, "/cookies", "Cookie: a=\xff; b=2\r\n", "a=(none) b=2 header=(none)");
}

/* --- forms --- */

#define FORM "application/x-www-form-urlencoded"

static void reads_a_form(void **state)
{
    g_autofree char *answer =
        post(state, "/form", FORM, "name=J.+Test&city=%27s-Hertogenbosch&empty=&text=a%0D%0Ab");
    assert_int_equal(talk_status(answer), 200);
    assert_string_equal(
        talk_body(answer),
        "{\"name\":\"J. Test\",\"city\":\"'s-Hertogenbosch\",\"empty\":\"\",\"text\":\"a\\r\\nb\"}");
    g_autofree char *with_charset =
        post(state, "/form", "Application/X-WWW-Form-Urlencoded ; charset=UTF-8", "a=1");
    assert_string_equal(talk_body(with_charset), "{\"a\":\"1\"}");
    g_autofree char *empty = post(state, "/form", FORM, "");
    assert_string_equal(talk_body(empty), "{}");
}

static void refuses_a_form_with_a_name_twice(void **state)
{
    g_autofree char *answer = post(state, "/form", FORM, "a=1&b=2&a=1");
    assert_refused(answer, 400, "the form: field 3 has the name of an earlier one");
}

static void refuses_a_form_of_more_than_100_fields(void **state)
{
    g_autoptr(GString) body = g_string_new("f0=");
    for (int i = 1; i < 100; i++)
        g_string_append_printf(body, "&f%d=", i);
    g_autofree char *most = post(state, "/form", FORM, body->str);
    assert_int_equal(talk_status(most), 200);
    g_string_append(body, "&f100=");
    g_autofree char *more = post(state, "/form", FORM, body->str);
    assert_refused(more, 400, "the form: more than 100 fields");
}

static void refuses_a_form_that_is_not_utf_8(void **state)
{
    static const char *const bodies[] = {"a=1&b=%ff", "a=1&b=%c3", "a=1&b=%00",
                                         "a=1&b=%4",  "a=1&%zz=2", "a=1&b=\xc3"};
    for (gsize i = 0; i < G_N_ELEMENTS(bodies); i++) {
        g_autofree char *answer = post(state, "/form", FORM, bodies[i]);
        assert_refused(answer, 400, "the form: field 2 is not percent-encoded UTF-8");
    }
}

/* RFC 9110 15.5.16 */
static void answers_415_when_a_form_is_something_else(void **state)
{
    static const char *const types[] = {NULL, "text/plain", "multipart/form-data; boundary=x", FORM "x"};
    for (gsize i = 0; i < G_N_ELEMENTS(types); i++) {
        g_autofree char *answer = post(state, "/form", types[i], "a=1");
        assert_refused(answer, 415, "the body must be " FORM "; say so in Content-Type");
    }
}

/* --- JSON --- */

static void reads_json(void **state)
{
    g_autofree char *answer = post(state, "/json", "application/json", "{\"a\":[1,true]}");
    assert_int_equal(talk_status(answer), 200);
    g_autofree char *type = talk_header(answer, "Content-Type");
    assert_string_equal(type, "application/json");
    assert_string_equal(talk_body(answer), "{\"a\":[1,true]}");
    g_autofree char *with_charset = post(state, "/json", "application/json;charset=utf-8", "1");
    assert_int_equal(talk_status(with_charset), 200);
}

static void refuses_json_that_is_not_strict(void **state)
{
    static const char *const bodies[] = {"", "{", "{\"a\":1,\"a\":2}", "{} {}"};
    for (gsize i = 0; i < G_N_ELEMENTS(bodies); i++) {
        g_autofree char *answer = post(state, "/json", "application/json", bodies[i]);
        assert_int_equal(talk_status(answer), 400);
        assert_non_null(strstr(talk_body(answer), "the body: "));
    }
}

static void answers_415_when_json_is_something_else(void **state)
{
    static const char *const types[] = {NULL, "text/json", "application/jsonx", "application/problem+json"};
    for (gsize i = 0; i < G_N_ELEMENTS(types); i++) {
        g_autofree char *answer = post(state, "/json", types[i], "{}");
        assert_refused(answer, 415, "the body must be application/json; say so in Content-Type");
    }
}

/* --- trace: W3C Trace Context --- */

static void continues_the_trace_of_its_caller(void **state)
{
    assert_get(state, "/trace", "traceparent: 00-" TRACE_ID "-" SPAN_ID "-01\r\n",
               "trace=" TRACE_ID " parent=" SPAN_ID " caller=1 new=1");
}

static void starts_a_trace_when_there_is_none_to_continue(void **state)
{
    static const char *const lines[] = {
        "",
        "traceparent: 00-" TRACE_ID "-" SPAN_ID "\r\n",
        "traceparent: 00-00000000000000000000000000000000-" SPAN_ID "-01\r\n",
        "traceparent: 00-" TRACE_ID "-" SPAN_ID "-01\r\ntraceparent: 00-" TRACE_ID "-" SPAN_ID "-01\r\n",
    };
    for (gsize i = 0; i < G_N_ELEMENTS(lines); i++) {
        g_autofree char *answer = get(state, "/trace", lines[i]);
        assert_non_null(strstr(talk_body(answer), " parent= caller=0 new=1"));
        assert_null(strstr(talk_body(answer), TRACE_ID));
    }
}

static void a_refusal_names_the_trace_of_its_caller(void **state)
{
    g_autofree char *answer = get(state, "/unknown", "traceparent: 00-" TRACE_ID "-" SPAN_ID "-01\r\n");
    assert_non_null(strstr(talk_body(answer), "\"instance\":\"urn:trace:" TRACE_ID "\""));
}

/* --- language --- */

static void speaks_dutch_unless_asked_otherwise(void **state)
{
    assert_get(state, "/language", "", "nl");
    assert_get(state, "/language", "Accept-Language: de, fr;q=0.8\r\n", "nl");
    assert_get(state, "/language", "Accept-Language: *\r\n", "nl");
    assert_get(state, "/language", "Accept-Language: ;;q=,,\r\n", "nl");
}

/* RFC 9110 12.5.4 */
static void speaks_the_language_that_the_browser_prefers(void **state)
{
    assert_get(state, "/language", "Accept-Language: en\r\n", "en");
    assert_get(state, "/language", "Accept-Language: de-DE, EN-gb;q=0.7, nl;q=0.3\r\n", "en");
    assert_get(state, "/language", "Accept-Language: en;q=0.2, nl-BE;q=0.5\r\n", "nl");
    assert_get(state, "/language", "Accept-Language: en;q=0\r\n", "nl");
}

static void a_choice_goes_before_what_the_browser_prefers(void **state)
{
    assert_get(state, "/language", "Cookie: lang=en\r\nAccept-Language: nl\r\n", "en");
    assert_get(state, "/language?lang=nl", "Cookie: lang=en\r\nAccept-Language: en\r\n", "nl");
    assert_get(state, "/language?lang=xx", "Cookie: lang=en\r\n", "en");
    assert_get(state, "/language", "Cookie: lang=<b>\r\n", "nl");
}

static void keeps_the_choice_in_a_cookie_on_pages_only(void **state)
{
    g_autofree char *page = talk_ask(*state, LISTENER_PORTAL, "GET", "/language?lang=en", "", NULL);
    g_autofree char *cookie = talk_header(page, "Set-Cookie");
    assert_string_equal(cookie, "lang=en; Path=/; Max-Age=31536000; Secure; HttpOnly; SameSite=Lax");
    g_autofree char *unknown = talk_ask(*state, LISTENER_PORTAL, "GET", "/language?lang=xx", "", NULL);
    g_autofree char *none = talk_header(unknown, "Set-Cookie");
    assert_null(none);
    g_autofree char *api = get(state, "/language?lang=en", "");
    g_autofree char *api_cookie = talk_header(api, "Set-Cookie");
    assert_null(api_cookie);
}

/* --- what is hung on a request --- */

static void frees_what_was_hung_on_a_request(void **state)
{
    assert_get(state, "/attach", "", "borrowed");
    talk_stop(*state);
    assert_int_equal(destroyed, 2);
    start(state);
}

/* --- answers --- */

static void sends_elsewhere_on_this_host_only(void **state)
{
    static const char *const cases[][2] = {
        {"/a/b?c=d", "/a/b?c=d"},
        {"//evil.test/", "/"},
        {"https://evil.test/", "/"},
        {"/\\evil.test", "/"},
        {"/a%0d%0aX-Injected:%20yes", "/"},
        {"", "/"},
        {"/", "/"},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *target = g_strconcat("/see-other?to=", cases[i][0], NULL);
        g_autofree char *answer = get(state, target, "");
        assert_int_equal(talk_status(answer), 303);
        g_autofree char *location = talk_header(answer, "Location");
        assert_string_equal(location, cases[i][1]);
        assert_null(strstr(answer, "X-Injected"));
    }
}

static void sets_headers_without_line_breaks(void **state)
{
    g_autofree char *answer = get(state, "/headers", "");
    assert_int_equal(talk_status(answer), 204);
    g_autofree char *last = talk_header(answer, "X-A");
    assert_string_equal(last, "second");
    assert_null(strstr(answer, "first"));
    assert_null(strstr(answer, "X-Injected"));
    assert_null(strstr(answer, "space"));
}

static void a_handler_may_replace_or_leave_out_a_standard_header(void **state)
{
    g_autofree char *answer = get(state, "/headers", "");
    g_autofree char *caching = talk_header(answer, "Cache-Control");
    assert_string_equal(caching, "max-age=60");
    g_autofree char *framing = talk_header(answer, "X-Frame-Options");
    assert_null(framing);
}

static void sets_cookies_that_scripts_and_other_sites_cannot_use(void **state)
{
    g_autofree char *answer = get(state, "/set-cookies", "");
    assert_non_null(
        strstr(answer, "Set-Cookie: kept=v1; Path=/; Max-Age=3600; Secure; HttpOnly; SameSite=Lax\r\n"));
    assert_non_null(
        strstr(answer, "Set-Cookie: until-closed=v2; Path=/; Secure; HttpOnly; SameSite=Lax\r\n"));
    assert_non_null(
        strstr(answer, "Set-Cookie: gone=; Path=/; Max-Age=0; Secure; HttpOnly; SameSite=Lax\r\n"));
    assert_null(strstr(answer, "evil.test"));
    assert_null(strstr(answer, "na=me"));
}

int main(void)
{
#define EACH(test) cmocka_unit_test_setup_teardown(test, start, stop)
    const struct CMUnitTest tests[] = {
        EACH(decodes_the_query),
        EACH(gives_the_first_of_a_repeated_parameter_and_counts),
        EACH(finds_a_parameter_that_is_not_known),
        EACH(finds_headers_in_any_case),
        EACH(reads_cookies),
        EACH(reads_a_form),
        EACH(refuses_a_form_with_a_name_twice),
        EACH(refuses_a_form_of_more_than_100_fields),
        EACH(refuses_a_form_that_is_not_utf_8),
        EACH(answers_415_when_a_form_is_something_else),
        EACH(reads_json),
        EACH(refuses_json_that_is_not_strict),
        EACH(answers_415_when_json_is_something_else),
        EACH(continues_the_trace_of_its_caller),
        EACH(starts_a_trace_when_there_is_none_to_continue),
        EACH(a_refusal_names_the_trace_of_its_caller),
        EACH(speaks_dutch_unless_asked_otherwise),
        EACH(speaks_the_language_that_the_browser_prefers),
        EACH(a_choice_goes_before_what_the_browser_prefers),
        EACH(keeps_the_choice_in_a_cookie_on_pages_only),
        EACH(frees_what_was_hung_on_a_request),
        EACH(sends_elsewhere_on_this_host_only),
        EACH(sets_headers_without_line_breaks),
        EACH(a_handler_may_replace_or_leave_out_a_standard_header),
        EACH(sets_cookies_that_scripts_and_other_sites_cannot_use),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
