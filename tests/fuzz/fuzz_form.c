/* Forms, queries and paths: what comes out is UTF-8 without NUL, within its limits, and the same when it is
 * written and read again. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "core/net/router.h"
#include "core/net/url.h"

static void require(int ok)
{
    if (!ok)
        abort();
}

static void check_fields(const char *text, size_t length)
{
    g_autoptr(GPtrArray) fields = url_parse_fields(text, length, NULL);
    if (fields == NULL)
        return;
    require(fields->len <= URL_FIELDS_MAX);
    g_autoptr(GString) again = g_string_new(NULL);
    for (guint i = 0; i < fields->len; i++) {
        const UrlField *field = fields->pdata[i];
        require(g_utf8_validate(field->name, -1, NULL) && g_utf8_validate(field->value, -1, NULL));
        require(url_field_count(fields, field->name) >= 1 && url_field_find(fields, field->name) != NULL);
        g_autofree char *name = g_uri_escape_string(field->name, NULL, FALSE);
        g_autofree char *value = g_uri_escape_string(field->value, NULL, FALSE);
        g_string_append_printf(again, "%s=%s&", name, value);
    }
    g_autoptr(GPtrArray) same = url_parse_fields(again->str, again->len, NULL);
    require(same != NULL && same->len == fields->len);
    for (guint i = 0; i < fields->len; i++) {
        const UrlField *a = fields->pdata[i];
        const UrlField *b = same->pdata[i];
        require(strcmp(a->name, b->name) == 0 && strcmp(a->value, b->value) == 0);
    }
}

static void handler(Request *request, gpointer context)
{
}

static const Route routes[] = {
    {LISTENER_PORTAL, "GET", "/", handler, 0, NULL},
    {LISTENER_PORTAL, "GET", "/a/{b}", handler, 0, NULL},
    {LISTENER_PORTAL, "GET", "/a/new", handler, 0, NULL},
    {LISTENER_PORTAL, "GET", "/a/{b}/c/{d}", handler, 0, NULL},
    {LISTENER_PORTAL, "PUT", "/{x}/{y}", handler, 0, NULL},
};

static void check_path(const Router *router, const char *text, size_t length)
{
    g_auto(GStrv) segments = url_split_path(text, length, NULL);
    if (segments == NULL)
        return;
    for (guint i = 0; segments[i] != NULL; i++) {
        require(g_utf8_validate(segments[i], -1, NULL));
        require(strpbrk(segments[i], "/\\\n\r") == NULL);
        require(strcmp(segments[i], ".") != 0 && strcmp(segments[i], "..") != 0);
    }
    RouterMatch match = router_find(router, "GET", (const char *const *)segments, NULL);
    require(match.entry == NULL || match.allow == NULL);
    if (match.entry != NULL && strcmp(match.entry->route->path, "/a/{b}") == 0)
        require(router_segment(match.entry, (const char *const *)segments, "b")[0] != '\0');
    if (match.allow != NULL)
        g_string_free(match.allow, TRUE);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static Router *router;
    if (router == NULL) {
        router = router_new();
        for (gsize i = 0; i < G_N_ELEMENTS(routes); i++)
            require(router_add(router, &routes[i], NULL, NULL));
    }
    check_fields((const char *)data, size);
    check_path(router, (const char *)data, size);
    return 0;
}
