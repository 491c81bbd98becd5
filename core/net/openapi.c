#include "core/net/openapi.h"

#include <string.h>

#include "core/base/asset.h"
#include "core/base/bytes.h"
#include "core/base/error.h"
#include "core/crypto/digest.h"
#include "core/format/json.h"
#include "core/net/http_private.h"

typedef struct {
    const ApiDocument *document;
    const char *bytes; /* the asset */
    gsize length;
    char *version, *etag, *path;
} Entry;

struct open_api {
    GPtrArray *entries; /* of Entry */
    GArray *routes;     /* of Route: of the listener itself, and of the copy on the portal */
    GPtrArray *served;  /* of Entry, borrowed: what each of the routes serves */
};

static void entry_free(gpointer data)
{
    Entry *entry = data;
    g_free(entry->version);
    g_free(entry->etag);
    g_free(entry->path);
    g_free(entry);
}

OpenApi *openapi_new(void)
{
    OpenApi *api = g_new(OpenApi, 1);
    api->entries = g_ptr_array_new_with_free_func(entry_free);
    api->routes = g_array_new(FALSE, FALSE, sizeof(Route));
    api->served = g_ptr_array_new();
    return api;
}

void openapi_free(OpenApi *api)
{
    if (api == NULL)
        return;
    g_ptr_array_unref(api->entries);
    g_array_unref(api->routes);
    g_ptr_array_unref(api->served);
    g_free(api);
}

/* A path belongs to one document of a listener only: bases do not lie within each other. */
static gboolean is_below(const char *base, const char *path)
{
    gsize length = strlen(base);
    return strncmp(path, base, length) == 0 && (path[length] == '/' || path[length] == '\0');
}

const char *openapi_version(const OpenApi *api, ListenerKind listener, const char *path)
{
    for (guint i = 0; api != NULL && i < api->entries->len; i++) {
        const Entry *entry = api->entries->pdata[i];
        if (entry->document->listener == listener && is_below(entry->document->base, path))
            return entry->version;
    }
    return NULL;
}

const char *openapi_request_version(const Request *request)
{
    const OpenApi *api = server_options(request->listener->server)->documents;
    const char *version = openapi_version(api, request->listener->kind, request_route(request)->path);
    return version != NULL ? version : openapi_version(api, request->listener->kind, request->path);
}

static void get_document(Request *request, gpointer context)
{
    const OpenApi *api = context;
    gsize row = (gsize)(request_route(request) - (const Route *)(gpointer)api->routes->data);
    const Entry *entry = api->served->pdata[row];
    respond_header(request, "API-Version", entry->version);
    respond_header(request, "Access-Control-Allow-Origin", "*");
    respond_header(request, "Access-Control-Expose-Headers", "API-Version, ETag");
    respond_header(request, "Cache-Control", "no-cache"); /* it may be kept, but is asked for again */
    respond_header(request, "ETag", entry->etag);
    if (g_strcmp0(request_header(request, "If-None-Match"), entry->etag) == 0)
        respond_empty(request, 304);
    else
        respond_bytes(request, 200, "application/json", g_bytes_new_static(entry->bytes, entry->length));
}

/* Read leniently: it is our own, and it has members that our strict reader limits in others' documents. */
static char *version_of(const char *bytes, gsize length)
{
    g_autoptr(json_t) document = json_loadb(bytes, length, 0, NULL);
    return g_strdup(json_string_at(json_object_get(document, "info"), "version"));
}

static void add_route(OpenApi *api, ListenerKind listener, Entry *entry, const char *service)
{
    const Route route = {listener, "GET", entry->path, get_document, 0, service};
    g_array_append_val(api->routes, route);
    g_ptr_array_add(api->served, entry);
}

gboolean openapi_add(OpenApi *api, const ApiDocument *document, GError **error)
{
    guint8 digest[SHA256_SIZE];
    g_autofree char *asset = g_strconcat("openapi/", document->name, ".json", NULL);
    Entry *entry = g_new0(Entry, 1);
    entry->document = document;
    entry->bytes = asset_find(asset, &entry->length);
    entry->version = entry->bytes == NULL ? NULL : version_of(entry->bytes, entry->length);
    if (entry->version == NULL) {
        entry_free(entry);
        g_set_error(error, FUNDAMENT_ERROR, FUNDAMENT_ERROR_INTERNAL,
                    "openapi/%s.yaml: no such API document in this program, or without info.version",
                    document->name);
        return FALSE;
    }
    sha256(entry->bytes, entry->length, digest);
    g_autofree char *hex = hex_encode(digest, sizeof digest);
    entry->etag = g_strdup_printf("\"%s\"", hex);
    entry->path = g_strconcat(document->base, "/openapi.json", NULL);
    if (document->listener == LISTENER_MANAGER || document->listener == LISTENER_SERVICE)
        add_route(api, LISTENER_PORTAL, entry, NULL);
    add_route(api, document->listener, entry, document->service);
    g_ptr_array_add(api->entries, entry);
    return TRUE;
}

const Route *openapi_routes(const OpenApi *api, gsize *count)
{
    *count = api->routes->len;
    return (const Route *)(gpointer)api->routes->data;
}
