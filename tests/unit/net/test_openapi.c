/* API Design Rules 2.2.1, /core/publish-openapi and /core/version-header, with a document of the program. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "core/base/error.h"
#include "core/net/openapi.h"
#include "core/net/phrases.h"
#include "tests/unit/net/talk.h"

static const ApiDocument on_admin = {LISTENER_ADMIN, "/node/v1", "node", NULL};
static const ApiDocument on_manager = {LISTENER_MANAGER, "/logboek/v1", "logboek", NULL};

static void serves_the_document_with_a_strong_etag(void **state)
{
    gsize count;
    g_autoptr(OpenApi) api = openapi_new();
    assert_true(openapi_add(api, &on_admin, NULL));
    const Route *routes = openapi_routes(api, &count);
    const HttpServerOptions options = {.documents = api};
    Talk *talk = talk_start(&options, routes, count, api);
    g_autofree char *answer = talk_ask(talk, LISTENER_ADMIN, "GET", "/node/v1/openapi.json", "", NULL);
    assert_int_equal(talk_status(answer), 200);
    assert_non_null(strstr(talk_body(answer), "\"openapi\":\"3.0.3\""));
    g_autofree char *etag = talk_header(answer, "ETag"),
                    *origin = talk_header(answer, "Access-Control-Allow-Origin");
    assert_string_equal(origin, "*");
    g_autofree char *known = g_strdup_printf("If-None-Match: %s\r\n", etag);
    g_autofree char *again = talk_ask(talk, LISTENER_ADMIN, "GET", "/node/v1/openapi.json", known, NULL);
    assert_int_equal(talk_status(again), 304);
    g_autofree char *missing = talk_ask(talk, LISTENER_ADMIN, "GET", "/node/v1/nothing", "", NULL);
    g_autofree char *version = talk_header(missing, "API-Version");
    assert_int_equal(talk_status(missing), 404);
    assert_string_equal(version, "1.0.0");
    g_autofree char *elsewhere = talk_ask(talk, LISTENER_ADMIN, "GET", "/node/v10", "", NULL);
    assert_null(talk_header(elsewhere, "API-Version"));
    talk_stop(talk);
}

static void an_api_behind_certificates_has_a_copy_on_the_portal(void **state)
{
    gsize count;
    g_autoptr(OpenApi) api = openapi_new();
    assert_true(openapi_add(api, &on_manager, NULL));
    const Route *routes = openapi_routes(api, &count);
    assert_int_equal(count, 2);
    assert_int_equal(routes[0].listener, LISTENER_PORTAL);
    assert_int_equal(routes[1].listener, LISTENER_MANAGER);
    assert_null(openapi_version(api, LISTENER_PORTAL, "/logboek/v1/x"));
    assert_string_equal(openapi_version(api, LISTENER_MANAGER, "/logboek/v1/x"), "1.0.0");
    assert_null(openapi_version(NULL, LISTENER_MANAGER, "/logboek/v1/x"));
}

static void refuses_a_document_that_is_not_there(void **state)
{
    static const ApiDocument none = {LISTENER_ADMIN, "/x/v1", "no-such", NULL};
    g_autoptr(GError) error = NULL;
    g_autoptr(OpenApi) api = openapi_new();
    assert_false(openapi_add(api, &none, &error));
    assert_true(g_error_matches(error, FUNDAMENT_ERROR, FUNDAMENT_ERROR_INTERNAL));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(serves_the_document_with_a_strong_etag),
        cmocka_unit_test(an_api_behind_certificates_has_a_copy_on_the_portal),
        cmocka_unit_test(refuses_a_document_that_is_not_there),
    };
    phrases_init();
    return cmocka_run_group_tests_name("net openapi", tests, NULL, NULL);
}
