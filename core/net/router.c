#include "core/net/router.h"

#include <string.h>

#include "core/base/error.h"
#include "core/net/url.h"

struct router {
    GPtrArray *entries; /* of RouterEntry */
};

static void entry_free(gpointer data)
{
    RouterEntry *entry = data;
    g_strfreev(entry->segments);
    g_free(entry);
}

Router *router_new(void)
{
    Router *router = g_new(Router, 1);
    router->entries = g_ptr_array_new_with_free_func(entry_free);
    return router;
}

void router_free(Router *router)
{
    if (router == NULL)
        return;
    g_ptr_array_unref(router->entries);
    g_free(router);
}

guint router_count(const Router *router)
{
    return router->entries->len;
}

static gboolean is_parameter(const char *segment)
{
    return segment[0] == '{';
}

/* The same path but for the names in braces. */
static gboolean same_shape(char **a, char **b)
{
    guint i = 0;
    for (; a[i] != NULL && b[i] != NULL; i++) {
        if (is_parameter(a[i]) != is_parameter(b[i]))
            return FALSE;
        if (!is_parameter(a[i]) && strcmp(a[i], b[i]) != 0)
            return FALSE;
    }
    return a[i] == NULL && b[i] == NULL;
}

gboolean router_add(Router *router, const Route *route, gpointer context, GError **error)
{
    g_auto(GStrv) segments = url_split_path(route->path, strlen(route->path), error);
    if (segments == NULL) {
        g_prefix_error(error, "route %s %s: ", route->method, route->path);
        (*error)->code = FUNDAMENT_ERROR_INTERNAL;
        return FALSE;
    }
    for (guint i = 0; i < router->entries->len; i++) {
        const RouterEntry *other = router->entries->pdata[i];
        if (strcmp(other->route->method, route->method) == 0 &&
            g_strcmp0(other->route->service, route->service) == 0 && same_shape(other->segments, segments)) {
            g_set_error(error, FUNDAMENT_ERROR, FUNDAMENT_ERROR_INTERNAL,
                        "two routes for %s %s on listener %s: remove one", route->method, route->path,
                        listener_name(route->listener));
            return FALSE;
        }
    }
    RouterEntry *entry = g_new(RouterEntry, 1);
    entry->route = route;
    entry->context = context;
    entry->segments = g_steal_pointer(&segments);
    g_ptr_array_add(router->entries, entry);
    return TRUE;
}

static gboolean path_matches(const RouterEntry *entry, const char *const *segments)
{
    guint i = 0;
    for (; entry->segments[i] != NULL && segments[i] != NULL; i++) {
        if (is_parameter(entry->segments[i])) {
            if (segments[i][0] == '\0')
                return FALSE;
        } else if (strcmp(entry->segments[i], segments[i]) != 0) {
            return FALSE;
        }
    }
    return entry->segments[i] == NULL && segments[i] == NULL;
}

/* Both match the same path: the one with a literal where the other has braces, looked at from the left. */
static gboolean is_closer(const RouterEntry *a, const RouterEntry *b)
{
    for (guint i = 0; a->segments[i] != NULL; i++)
        if (is_parameter(a->segments[i]) != is_parameter(b->segments[i]))
            return !is_parameter(a->segments[i]);
    return FALSE;
}

static void add_allow(GString *allow, const char *method)
{
    if (strstr(allow->str, method) != NULL)
        return;
    if (allow->len > 0)
        g_string_append(allow, ", ");
    g_string_append(allow, method);
    if (strcmp(method, "GET") == 0)
        g_string_append(allow, ", HEAD");
}

RouterMatch router_find(const Router *router, const char *method, const char *const *segments,
                        const char *service)
{
    RouterMatch match = {NULL, NULL};
    g_autoptr(GString) allow = g_string_new(NULL);
    const char *wanted = strcmp(method, "HEAD") == 0 ? "GET" : method;
    for (guint i = 0; i < router->entries->len; i++) {
        const RouterEntry *entry = router->entries->pdata[i];
        if (service != NULL && g_strcmp0(service, entry->route->service) != 0)
            continue;
        if (!path_matches(entry, segments))
            continue;
        add_allow(allow, entry->route->method);
        if (strcmp(entry->route->method, wanted) == 0 &&
            (match.entry == NULL || is_closer(entry, match.entry)))
            match.entry = entry;
    }
    if (match.entry == NULL && allow->len > 0)
        match.allow = g_steal_pointer(&allow);
    return match;
}

const char *router_segment(const RouterEntry *entry, const char *const *segments, const char *name)
{
    gsize length = strlen(name);
    for (guint i = 0; entry->segments[i] != NULL; i++) {
        const char *own = entry->segments[i];
        if (is_parameter(own) && strlen(own) == length + 2 && strncmp(own + 1, name, length) == 0)
            return segments[i];
    }
    return NULL;
}
