#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "core/base/error.h"
#include "core/format/json.h"
#include "core/net/http.h"
#include "core/net/problem.h"
#include "talk.h"

#define TRACE_ID "0af7651916cd43dd8448eb211c80319c"
#define TRACEPARENT "traceparent: 00-" TRACE_ID "-b7ad6b7169203331-01\r\n"

static const struct {
    const char *path;
    FundamentError code;
    guint status;
} table[] = {
    {"/invalid", FUNDAMENT_ERROR_INVALID, 400},
    {"/rule", FUNDAMENT_ERROR_RULE, 422},
    {"/denied", FUNDAMENT_ERROR_DENIED, 403},
    {"/not-found", FUNDAMENT_ERROR_NOT_FOUND, 404},
    {"/conflict", FUNDAMENT_ERROR_CONFLICT, 409},
    {"/limit", FUNDAMENT_ERROR_LIMIT, 429},
    {"/unavailable", FUNDAMENT_ERROR_UNAVAILABLE, 503},
    {"/io", FUNDAMENT_ERROR_IO, 500},
    {"/usage", FUNDAMENT_ERROR_USAGE, 400},
    {"/internal", FUNDAMENT_ERROR_INTERNAL, 500},
};

static void fail_with_code(Request *request, gpointer context)
{
    for (gsize i = 0; i < G_N_ELEMENTS(table); i++)
        if (strcmp(table[i].path, request_path(request)) == 0) {
            g_autoptr(GError) error =
                g_error_new(FUNDAMENT_ERROR, (int)table[i].code, "/var/lib/node.db: what went wrong");
            respond_error(request, error);
        }
}

static void crooked(Request *request, gpointer context)
{
    respond_problem(request, 400, "Bad \"title\"", "quotes \"%s\" and \xff bytes, %d%%",
                    request_query(request, "q"), 5);
}

static void fsc(Request *request, gpointer context)
{
    respond_fsc_error(request, 422, "ERROR_DOMAIN_MANAGER", "ERROR_CODE_SIGNATURE_VERIFICATION_FAILED",
                      "the signature does not fit");
}

#define BOTH(path)                                                                                           \
    {LISTENER_ADMIN, "GET", path, fail_with_code, 0, NULL},                                                  \
    {                                                                                                        \
        LISTENER_PORTAL, "GET", path, fail_with_code, 0, NULL                                                \
    }
static const Route routes[] = {
    BOTH("/invalid"),
    BOTH("/rule"),
    BOTH("/denied"),
    BOTH("/not-found"),
    BOTH("/conflict"),
    BOTH("/limit"),
    BOTH("/unavailable"),
    BOTH("/io"),
    BOTH("/usage"),
    BOTH("/internal"),
    {LISTENER_ADMIN, "GET", "/crooked", crooked, 0, NULL},
    {LISTENER_ADMIN, "GET", "/fsc", fsc, 0, NULL},
    {LISTENER_PORTAL, "POST", "/post", fail_with_code, 10, NULL},
};

static int start(void **state)
{
    *state = talk_start(NULL, routes, G_N_ELEMENTS(routes), NULL);
    return 0;
}

static int stop(void **state)
{
    talk_stop(*state);
    return 0;
}

static json_t *problem_of(const char *answer)
{
    g_autofree char *type = talk_header(answer, "Content-Type");
    assert_string_equal(type, "application/problem+json");
    json_t *problem = json_parse_strict(talk_body(answer), -1, NULL, NULL);
    assert_non_null(problem);
    return problem;
}

static void each_code_has_its_status(void **state)
{
    for (gsize i = 0; i < G_N_ELEMENTS(table); i++) {
        g_autofree char *answer = talk_ask(*state, LISTENER_ADMIN, "GET", table[i].path, TRACEPARENT, NULL);
        assert_int_equal(talk_status(answer), table[i].status);
        g_autoptr(json_t) problem = problem_of(answer);
        assert_int_equal(json_integer_at(problem, "status"), table[i].status);
    }
}

static void errors_of_other_domains_are_ours(void **state)
{
    g_autoptr(GError) error = g_error_new(G_FILE_ERROR, G_FILE_ERROR_NOENT, "no such file");
    assert_int_equal(problem_status(error), 500);
    g_autoptr(GError) unknown = g_error_new(FUNDAMENT_ERROR, 99, "a code that is not in the table");
    assert_int_equal(problem_status(unknown), 500);
}

/* RFC 9457 3.1 */
static void has_the_members_of_a_problem_and_no_others(void **state)
{
    g_autofree char *answer = talk_ask(*state, LISTENER_ADMIN, "GET", "/invalid", TRACEPARENT, NULL);
    assert_string_equal(talk_body(answer),
                        "{\"type\":\"about:blank\",\"title\":\"Bad request\",\"status\":400,"
                        "\"detail\":\"/var/lib/node.db: what went wrong\",\"instance\":\"urn:trace:" TRACE_ID
                        "\"}");
}

/* What went wrong on our side is for the log; who asked gets the number to quote. */
static void tells_nothing_of_our_inside(void **state)
{
    static const char *const paths[] = {"/unavailable", "/io", "/internal"};
    for (gsize i = 0; i < G_N_ELEMENTS(paths); i++) {
        g_autofree char *answer = talk_ask(*state, LISTENER_ADMIN, "GET", paths[i], TRACEPARENT, NULL);
        assert_null(strstr(answer, "node.db"));
        g_autoptr(json_t) problem = problem_of(answer);
        assert_non_null(strstr(json_string_at(problem, "detail"), "Quote trace " TRACE_ID));
    }
}

static void quotes_what_it_was_sent_safely(void **state)
{
    g_autofree char *answer = talk_ask(*state, LISTENER_ADMIN, "GET", "/crooked?q=%22%7d%0a", "", NULL);
    g_autoptr(json_t) problem = problem_of(answer);
    assert_string_equal(json_string_at(problem, "title"), "Bad \"title\"");
    assert_string_equal(json_string_at(problem, "detail"), "quotes \"\"}\n\" and \xef\xbf\xbd bytes, 5%");
}

/* FSC Core 2.0.0, 4.1.7 */
static void answers_in_the_shape_of_fsc(void **state)
{
    g_autofree char *answer = talk_ask(*state, LISTENER_ADMIN, "GET", "/fsc", "", NULL);
    assert_int_equal(talk_status(answer), 422);
    g_autofree char *type = talk_header(answer, "Content-Type");
    assert_string_equal(type, "application/json");
    g_autofree char *code = talk_header(answer, "Fsc-Error-Code");
    assert_string_equal(code, "ERROR_CODE_SIGNATURE_VERIFICATION_FAILED");
    assert_string_equal(talk_body(answer),
                        "{\"message\":\"the signature does not fit\",\"domain\":\"ERROR_DOMAIN_MANAGER\","
                        "\"code\":\"ERROR_CODE_SIGNATURE_VERIFICATION_FAILED\"}");
}

/* --- to people --- */

static void assert_page(const char *answer, guint status, const char *language, const char *heading)
{
    assert_int_equal(talk_status(answer), status);
    g_autofree char *type = talk_header(answer, "Content-Type");
    assert_string_equal(type, "text/html; charset=utf-8");
    g_autofree char *html = g_strdup_printf("<html lang=\"%s\">", language);
    g_autofree char *h1 = g_strdup_printf("<h1>%s</h1>", heading);
    assert_non_null(strstr(answer, html));
    if (strstr(answer, h1) == NULL)
        fail_msg("no %s in %s", h1, answer);
}

static void a_person_gets_a_page_in_his_language(void **state)
{
    g_autofree char *dutch = talk_ask(*state, LISTENER_PORTAL, "GET", "/unknown", "", NULL);
    assert_page(dutch, 404, "nl", "Deze pagina bestaat niet");
    g_autofree char *english =
        talk_ask(*state, LISTENER_PORTAL, "GET", "/unknown", "Accept-Language: en\r\n", NULL);
    assert_page(english, 404, "en", "This page does not exist");
}

static void a_person_reads_no_technical_detail(void **state)
{
    for (gsize i = 0; i < G_N_ELEMENTS(table); i++) {
        g_autofree char *answer = talk_ask(*state, LISTENER_PORTAL, "GET", table[i].path, TRACEPARENT, NULL);
        assert_int_equal(talk_status(answer), table[i].status);
        assert_null(strstr(answer, "node.db"));
        assert_non_null(strstr(answer, "<code>" TRACE_ID "</code>"));
        assert_null(strstr(answer, "layout.problem"));
    }
}

static void the_servers_own_refusals_are_pages_too(void **state)
{
    g_autofree char *method = talk_ask(*state, LISTENER_PORTAL, "GET", "/post", "", NULL);
    assert_page(method, 405, "nl", "Zo werkt deze pagina niet");
    g_autofree char *allow = talk_header(method, "Allow");
    assert_string_equal(allow, "POST");
    g_autofree char *large = talk_ask(*state, LISTENER_PORTAL, "POST", "/post", "", "12345678901");
    assert_page(large, 413, "nl", "Dat is te veel");
    g_autofree char *path = talk_ask(*state, LISTENER_PORTAL, "GET", "/..", "", NULL);
    assert_page(path, 400, "nl", "Deze aanvraag begrijpen wij niet");
    g_autofree char *query = talk_ask(*state, LISTENER_PORTAL, "GET", "/post?a=%", "", NULL);
    assert_page(query, 400, "nl", "Deze aanvraag begrijpen wij niet");
}

static void a_status_without_words_of_its_own_gets_general_ones(void **state)
{
    g_autofree char *conflict = talk_ask(*state, LISTENER_PORTAL, "GET", "/conflict", "", NULL);
    assert_page(conflict, 409, "nl", "Deze aanvraag begrijpen wij niet");
}

int main(void)
{
#define EACH(test) cmocka_unit_test_setup_teardown(test, start, stop)
    const struct CMUnitTest tests[] = {
        EACH(each_code_has_its_status),
        cmocka_unit_test(errors_of_other_domains_are_ours),
        EACH(has_the_members_of_a_problem_and_no_others),
        EACH(tells_nothing_of_our_inside),
        EACH(quotes_what_it_was_sent_safely),
        EACH(answers_in_the_shape_of_fsc),
        EACH(a_person_gets_a_page_in_his_language),
        EACH(a_person_reads_no_technical_detail),
        EACH(the_servers_own_refusals_are_pages_too),
        EACH(a_status_without_words_of_its_own_gets_general_ones),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
