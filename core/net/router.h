/* Inside core/net only: the table of routes of one listener. Immutable once built; pure to ask. */
#pragma once

#include <glib.h>

#include "core/net/http.h"

typedef struct router Router;

typedef struct {
    const Route *route;
    gpointer context;
    char **segments; /* of route->path */
} RouterEntry;

typedef struct {
    const RouterEntry *entry; /* NULL: nothing to call */
    GString *allow; /* methods that the path does have, when there is no entry; NULL: unknown path. Owned. */
} RouterMatch;

Router *router_new(void);
void router_free(Router *router);

/* FALSE with FUNDAMENT_ERROR_INTERNAL when there is a route for this method and path already (names of
 * segments do not make a difference), or the path is no path. */
gboolean router_add(Router *router, const Route *route, gpointer context, GError **error);
guint router_count(const Router *router);

/* `service` is NULL or the FSC service that the request is for: routes of other services do not exist then. A
 * literal segment goes before one in braces. */
RouterMatch router_find(const Router *router, const char *method, const char *const *segments,
                        const char *service);

/* The value of segment {name}, or NULL. */
const char *router_segment(const RouterEntry *entry, const char *const *segments, const char *name);
