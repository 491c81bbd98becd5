#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "core/base/error.h"
#include "core/net/router.h"
#include "core/net/url.h"

static void handler(Request *request, gpointer context)
{
}

static const Route routes[] = {
    {LISTENER_SERVICE, "GET", "/", handler, 0, "s"},
    {LISTENER_SERVICE, "GET", "/v1/{a}/{b}", handler, 0, "s"},
    {LISTENER_SERVICE, "GET", "/v1/x/{b}", handler, 0, "s"},
    {LISTENER_SERVICE, "GET", "/v1/{a}/y", handler, 0, "s"},
    {LISTENER_SERVICE, "POST", "/v1/x/y", handler, 0, "s"},
    {LISTENER_SERVICE, "GET", "/v1/x/y/", handler, 0, "s"},
    {LISTENER_SERVICE, "GET", "/v1/x/{b}", handler, 0, "t"},
};

static int start(void **state)
{
    g_autoptr(GError) error = NULL;
    Router *router = router_new();
    for (gsize i = 0; i < G_N_ELEMENTS(routes); i++)
        assert_true(router_add(router, &routes[i], (gpointer)&routes[i], &error));
    assert_int_equal(router_count(router), G_N_ELEMENTS(routes));
    *state = router;
    return 0;
}

static int stop(void **state)
{
    router_free(*state);
    return 0;
}

/* The route that is found, by its path; "405 ..." with what is allowed; or "404". Caller frees. */
static char *found(void **state, const char *method, const char *path, const char *service)
{
    g_auto(GStrv) segments = url_split_path(path, strlen(path), NULL);
    assert_non_null(segments);
    RouterMatch match = router_find(*state, method, (const char *const *)segments, service);
    if (match.entry != NULL) {
        assert_null(match.allow);
        assert_ptr_equal(match.entry->context, match.entry->route);
        return g_strdup(match.entry->route->path);
    }
    if (match.allow == NULL)
        return g_strdup("404");
    char *text = g_strconcat("405 ", match.allow->str, NULL);
    g_string_free(match.allow, TRUE);
    return text;
}

static void assert_found(void **state, const char *method, const char *path, const char *service,
                         const char *expected)
{
    g_autofree char *text = found(state, method, path, service);
    assert_string_equal(text, expected);
}

static void prefers_literals_from_the_left(void **state)
{
    assert_found(state, "GET", "/v1/q/r", "s", "/v1/{a}/{b}");
    assert_found(state, "GET", "/v1/x/r", "s", "/v1/x/{b}");
    assert_found(state, "GET", "/v1/q/y", "s", "/v1/{a}/y");
    assert_found(state, "GET", "/v1/x/y", "s", "/v1/x/{b}");
    assert_found(state, "HEAD", "/v1/x/y", "s", "/v1/x/{b}");
    assert_found(state, "POST", "/v1/x/y", "s", "/v1/x/y");
    assert_found(state, "GET", "/", "s", "/");
}

static void a_slash_at_the_end_makes_another_path(void **state)
{
    assert_found(state, "GET", "/v1/x/y/", "s", "/v1/x/y/");
    assert_found(state, "GET", "/v1/x/z/", "s", "404");
}

static void no_parameter_is_empty(void **state)
{
    assert_found(state, "GET", "/v1//b", "s", "404");
    assert_found(state, "GET", "/v1/x/", "s", "404");
}

static void lists_the_methods_of_a_path_once_each(void **state)
{
    assert_found(state, "PUT", "/v1/x/y", "s", "405 GET, HEAD, POST");
    assert_found(state, "PUT", "/v1/q/r", "s", "405 GET, HEAD");
    assert_found(state, "get", "/v1/q/r", "s", "405 GET, HEAD");
    assert_found(state, "", "/", "s", "405 GET, HEAD");
}

static void sees_the_routes_of_one_service_only(void **state)
{
    assert_found(state, "GET", "/v1/x/r", "t", "/v1/x/{b}");
    assert_found(state, "GET", "/v1/q/r", "t", "404");
    assert_found(state, "GET", "/", "u", "404");
}

static void gives_the_value_of_a_segment_by_its_name(void **state)
{
    g_auto(GStrv) segments = url_split_path("/v1/%C3%A9/b", strlen("/v1/%C3%A9/b"), NULL);
    RouterMatch match = router_find(*state, "GET", (const char *const *)segments, "s");
    assert_string_equal(router_segment(match.entry, (const char *const *)segments, "a"), "é");
    assert_string_equal(router_segment(match.entry, (const char *const *)segments, "b"), "b");
    assert_null(router_segment(match.entry, (const char *const *)segments, "c"));
    assert_null(router_segment(match.entry, (const char *const *)segments, "v1"));
    assert_null(router_segment(match.entry, (const char *const *)segments, ""));
}

static void refuses_a_second_route_of_the_same_shape(void **state)
{
    static const Route same = {LISTENER_SERVICE, "GET", "/v1/{other}/{names}", handler, 0, "s"};
    static const Route elsewhere = {LISTENER_SERVICE, "GET", "/v1/{other}/{names}", handler, 0, "v"};
    static const Route crooked = {LISTENER_SERVICE, "GET", "v1", handler, 0, "s"};
    g_autoptr(GError) error = NULL;
    assert_false(router_add(*state, &same, NULL, &error));
    assert_true(g_error_matches(error, FUNDAMENT_ERROR, FUNDAMENT_ERROR_INTERNAL));
    g_clear_error(&error);
    assert_true(router_add(*state, &elsewhere, NULL, &error));
    assert_false(router_add(*state, &crooked, NULL, &error));
    assert_true(g_error_matches(error, FUNDAMENT_ERROR, FUNDAMENT_ERROR_INTERNAL));
}

int main(void)
{
#define EACH(test) cmocka_unit_test_setup_teardown(test, start, stop)
    const struct CMUnitTest tests[] = {
        EACH(prefers_literals_from_the_left),
        EACH(a_slash_at_the_end_makes_another_path),
        EACH(no_parameter_is_empty),
        EACH(lists_the_methods_of_a_path_once_each),
        EACH(sees_the_routes_of_one_service_only),
        EACH(gives_the_value_of_a_segment_by_its_name),
        EACH(refuses_a_second_route_of_the_same_shape),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
