/* What a request must be before a handler sees it. Whatever is not is answered here. */
#include <string.h>

#include "core/net/http_private.h"
#include "core/net/phrases.h"
#include "core/net/problem.h"

#define LANGUAGE_COOKIE_S (365 * 24 * 3600)

/* Headers of which two can only be a mistake or a trick: each reader would believe another one. */
static const char *const single_headers[] = {
    "Host",
    "Content-Type",
    "Content-Length",
    "Transfer-Encoding",
    "Authorization",
    "Fsc-Authorization",
    "Fsc-Transaction-Id",
    "Fundament-Client-Certificate",
    "Fundament-Peer-Id",
    "Fundament-Service",
    "Fundament-Grant-Hash",
};

typedef struct {
    Request *request;
    gsize bytes;
    gboolean has_nul;
} HeaderWalk;

static enum MHD_Result collect_header(void *cls, enum MHD_ValueKind kind, const char *name, size_t name_size,
                                      const char *value, size_t value_size)
{
    HeaderWalk *walk = cls;
    HeaderText header = {name, value == NULL ? "" : value};
    walk->bytes += name_size + value_size;
    walk->has_nul = walk->has_nul || strlen(name) != name_size || strlen(header.value) != value_size;
    g_array_append_val(walk->request->headers, header);
    return MHD_YES;
}

static guint header_count(const Request *request, const char *name)
{
    guint count = 0;
    for (guint i = 0; i < request->headers->len; i++)
        count += g_ascii_strcasecmp(g_array_index(request->headers, HeaderText, i).name, name) == 0;
    return count;
}

static gboolean admit_headers(Request *request)
{
    HeaderWalk walk = {request, 0, FALSE};
    MHD_get_connection_values_n(request->connection, MHD_HEADER_KIND, collect_header, &walk);
    if (walk.bytes > HEADERS_MAX) {
        respond_problem(request, MHD_HTTP_REQUEST_HEADER_FIELDS_TOO_LARGE, "Headers too large",
                        "The headers together may have %d bytes.", HEADERS_MAX);
        return FALSE;
    }
    if (walk.has_nul) {
        respond_problem(request, MHD_HTTP_BAD_REQUEST, "Malformed header", "A header holds a NUL.");
        return FALSE;
    }
    for (gsize i = 0; i < G_N_ELEMENTS(single_headers); i++)
        if (header_count(request, single_headers[i]) > 1) {
            respond_problem(request, MHD_HTTP_BAD_REQUEST, "Repeated header",
                            "%s is there more than once; send it once.", single_headers[i]);
            return FALSE;
        }
    /* RFC 9112 6.3: both together is how requests are smuggled. */
    if (request_header(request, "Content-Length") != NULL &&
        request_header(request, "Transfer-Encoding") != NULL) {
        respond_problem(request, MHD_HTTP_BAD_REQUEST, "Ambiguous length",
                        "Send Content-Length or Transfer-Encoding, not both.");
        return FALSE;
    }
    return TRUE;
}

/* RFC 6265 4.2.1; a cookie that is not UTF-8 text is as good as none. */
static GPtrArray *parse_cookies(const Request *request)
{
    g_autoptr(GString) text = g_string_new(NULL);
    for (guint i = 0; i < request->headers->len; i++) {
        const HeaderText *header = &g_array_index(request->headers, HeaderText, i);
        if (g_ascii_strcasecmp(header->name, "Cookie") == 0)
            g_string_append_printf(text, "%s;", header->value);
    }
    GPtrArray *cookies = g_ptr_array_new_with_free_func(url_field_free);
    g_auto(GStrv) pieces = g_strsplit(text->str, ";", URL_FIELDS_MAX);
    for (guint i = 0; pieces[i] != NULL; i++) {
        const char *equals = strchr(pieces[i], '=');
        if (equals == NULL || !g_utf8_validate(pieces[i], -1, NULL))
            continue;
        UrlField *cookie = g_new(UrlField, 1);
        cookie->name = g_strstrip(g_strndup(pieces[i], (gsize)(equals - pieces[i])));
        cookie->value = g_strstrip(g_strdup(equals + 1));
        g_ptr_array_add(cookies, cookie);
    }
    return cookies;
}

/* Trace Context 3.2.1: more than one traceparent is as none. */
static void admit_trace(Request *request)
{
    const char *caller =
        header_count(request, "traceparent") == 1 ? request_header(request, "traceparent") : NULL;
    request->has_caller = trace_continue(caller, &request->trace);
}

static gboolean admit_target(Request *request)
{
    g_autoptr(GError) error = NULL;
    gsize path_length = strlen(request->path);
    const char *query = request->target + path_length;
    if (*query == '?')
        query++;
    if (strlen(request->target) > TARGET_MAX) {
        respond_problem(request, MHD_HTTP_URI_TOO_LONG, "Address too long",
                        "Path and query may have %d bytes.", TARGET_MAX);
        return FALSE;
    }
    request->segments = url_split_path(request->path, path_length, &error);
    if (request->segments != NULL)
        request->query = url_parse_fields(query, strlen(query), &error);
    if (error != NULL) {
        respond_problem(request, MHD_HTTP_BAD_REQUEST, "Malformed address", "In %s: %s.",
                        request->segments == NULL ? "the path" : "the query", error->message);
        return FALSE;
    }
    return TRUE;
}

/* TRUE when there is a route; otherwise 404 or 405 was answered. */
static gboolean admit_route(Request *request)
{
    request->match = router_find(request->listener->router, request->method,
                                 (const char *const *)request->segments, request_service(request));
    if (request->match.entry != NULL)
        return TRUE;
    g_autoptr(GString) allow = g_steal_pointer(&request->match.allow);
    respond_unmatched(request, allow);
    return FALSE;
}

/* RFC 9110 15.5.14: refused by its announced length, before a byte of it is read. */
static gboolean admit_length(Request *request)
{
    const char *text = request_header(request, "Content-Length");
    guint64 length = 0;
    if (text != NULL && !g_ascii_string_to_unsigned(text, 10, 0, G_MAXINT64, &length, NULL)) {
        respond_problem(request, MHD_HTTP_BAD_REQUEST, "Malformed length", "Content-Length is no number.");
        return FALSE;
    }
    if (length > request_route(request)->body_max) {
        respond_too_large(request);
        return FALSE;
    }
    return TRUE;
}

void request_admit(Request *request, const char *method)
{
    request->admitted = TRUE;
    request->method = method;
    gboolean headers_fit = admit_headers(request);
    request->cookies = parse_cookies(request);
    admit_trace(request);
    if (!headers_fit || !admit_target(request))
        return;
    if (request_has_pages(request) && language_find(request_query(request, "lang")) != NULL)
        respond_cookie(request, "lang", request_query(request, "lang"), LANGUAGE_COOKIE_S);
    if (caller_identify(request) && admit_route(request))
        admit_length(request);
}
