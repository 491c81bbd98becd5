/* The embedded files that a browser fetches beside a page. */
#include <string.h>

#include "core/base/asset.h"
#include "core/base/bytes.h"
#include "core/crypto/digest.h"
#include "core/net/page.h"
#include "core/net/problem.h"

#define VERSION_DIGITS 12

static const struct {
    const char *suffix;
    const char *type;
} types[] = {
    {".css", "text/css; charset=utf-8"},
    {".svg", "image/svg+xml"},
    {".png", "image/png"},
    {".woff2", "font/woff2"},
};

static const char *asset_of(const char *name, gsize *length)
{
    g_autofree char *path = g_strconcat("static/", name, NULL);
    return asset_find(path, length);
}

/* The first digits of the SHA-256 of the file: another file has another address. */
static char *version_of(const char *bytes, gsize length)
{
    guint8 digest[SHA256_SIZE];
    sha256(bytes, length, digest);
    return hex_encode(digest, VERSION_DIGITS / 2);
}

char *page_static(const char *name)
{
    gsize length = 0;
    const char *bytes = asset_of(name, &length);
    g_autofree char *version = version_of(bytes == NULL ? "" : bytes, length);
    return g_strdup_printf("/static/%s?v=%s", name, version);
}

static const char *type_of(const char *name)
{
    for (gsize i = 0; i < G_N_ELEMENTS(types); i++)
        if (g_str_has_suffix(name, types[i].suffix))
            return types[i].type;
    return "application/octet-stream";
}

static void get_static(Request *request, gpointer context)
{
    const char *name = request_segment(request, "name");
    gsize length;
    const char *bytes = asset_of(name, &length);
    if (bytes == NULL) {
        respond_problem(request, 404, "Not found", "There is no such file.");
        return;
    }
    g_autofree char *version = version_of(bytes, length);
    g_autofree char *etag = g_strdup_printf("\"%s\"", version);
    gboolean versioned = g_strcmp0(request_query(request, "v"), version) == 0;
    respond_header(request, "Cache-Control", versioned ? "public, max-age=31536000, immutable" : "no-cache");
    respond_header(request, "ETag", etag);
    if (g_strcmp0(request_header(request, "If-None-Match"), etag) == 0)
        respond_empty(request, 304);
    else
        respond_bytes(request, 200, type_of(name), g_bytes_new_static(bytes, length));
}

const Route page_routes[] = {
    {LISTENER_PORTAL, "GET", "/static/{name}", get_static, 0, NULL},
    {LISTENER_OFFICE, "GET", "/static/{name}", get_static, 0, NULL},
};
const gsize page_routes_count = G_N_ELEMENTS(page_routes);
