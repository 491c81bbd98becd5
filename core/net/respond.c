#include <string.h>

#include "core/format/json.h"
#include "core/net/http_private.h"
#include "core/net/openapi.h"

/* What every answer carries unless its handler says otherwise: API Design Rules, module transport
 * security 1.0.1. */
static const HeaderText standard_headers[] = {
    {"Cache-Control", "no-store"},
    {"Content-Security-Policy", "frame-ancestors 'none'"},
    {"Referrer-Policy", "no-referrer"},
    {"Strict-Transport-Security", "max-age=31536000; includeSubDomains"},
    {"X-Content-Type-Options", "nosniff"},
    {"X-Frame-Options", "DENY"},
};

/* RFC 9110 5.6.2 */
static gboolean is_token(const char *text)
{
    for (const char *c = text; *c != '\0'; c++)
        if (!g_ascii_isalnum(*c) && strchr("!#$%&'*+-.^_`|~", *c) == NULL)
            return FALSE;
    return text[0] != '\0';
}

static gboolean is_header_value(const char *text)
{
    for (const char *c = text; *c != '\0'; c++)
        if (g_ascii_iscntrl(*c) && *c != '\t')
            return FALSE;
    return TRUE;
}

/* RFC 6265 4.1.1, cookie-octet */
static gboolean is_cookie_value(const char *text)
{
    for (const char *c = text; *c != '\0'; c++)
        if (!g_ascii_isgraph(*c) || strchr("\",;\\", *c) != NULL)
            return FALSE;
    return TRUE;
}

static void add_header(Request *request, const char *name, char *value)
{
    if (request->answer.headers == NULL)
        request->answer.headers = g_ptr_array_new_with_free_func(url_field_free);
    UrlField *field = g_new(UrlField, 1);
    field->name = g_strdup(name);
    field->value = value;
    g_ptr_array_add(request->answer.headers, field);
}

static UrlField *own_header(const Request *request, const char *name)
{
    for (guint i = 0; request->answer.headers != NULL && i < request->answer.headers->len; i++) {
        UrlField *field = request->answer.headers->pdata[i];
        if (g_ascii_strcasecmp(field->name, name) == 0)
            return field;
    }
    return NULL;
}

void respond_header(Request *request, const char *name, const char *value)
{
    if (!is_token(name) || !is_header_value(value)) {
        g_critical("trace %s: a header was left out: its name or value cannot be sent",
                   request->trace.trace_id);
        return;
    }
    UrlField *present = own_header(request, name);
    if (present == NULL) {
        add_header(request, name, g_strdup(value));
        return;
    }
    g_free(present->value);
    present->value = g_strdup(value);
}

void respond_cookie(Request *request, const char *name, const char *value, gint max_age_s)
{
    if (!is_token(name) || !is_cookie_value(value)) {
        g_critical("trace %s: a cookie was left out: its name or value cannot be sent",
                   request->trace.trace_id);
        return;
    }
    g_autofree char *age = max_age_s < 0 ? g_strdup("") : g_strdup_printf("; Max-Age=%d", max_age_s);
    add_header(request, "Set-Cookie",
               g_strdup_printf("%s=%s; Path=/%s; Secure; HttpOnly; SameSite=Lax", name, value, age));
}

gboolean request_answered(const Request *request)
{
    return request->answer.made;
}

void respond_bytes(Request *request, guint status, const char *content_type, GBytes *body)
{
    Answer *answer = &request->answer;
    if (answer->made) {
        g_critical("trace %s: %s answered twice; the first answer stands", request->trace.trace_id,
                   request_route(request)->path);
        g_bytes_unref(body);
        return;
    }
    answer->made = TRUE;
    answer->status = status;
    answer->content_type = g_strdup(content_type);
    answer->body = body;
}

void respond_text(Request *request, guint status, const char *content_type, const char *text)
{
    respond_bytes(request, status, content_type, g_bytes_new(text, strlen(text)));
}

void respond_json(Request *request, guint status, json_t *body)
{
    char *text = json_write(body);
    json_decref(body);
    respond_bytes(request, status, "application/json", g_bytes_new_take(text, strlen(text)));
}

void respond_empty(Request *request, guint status)
{
    respond_bytes(request, status, NULL, g_bytes_new_static("", 0));
}

void respond_see_other(Request *request, const char *path)
{
    gboolean local = path[0] == '/' && path[1] != '/' && strchr(path, '\\') == NULL && is_header_value(path);
    if (!local)
        g_critical("trace %s: a redirect that leaves this host was sent to / instead",
                   request->trace.trace_id);
    respond_header(request, "Location", local ? path : "/");
    respond_empty(request, MHD_HTTP_SEE_OTHER);
}

static void release_body(void *bytes)
{
    g_bytes_unref(bytes);
}

/* API Design Rules, /core/version-header: on every answer of an API, whatever it is. */
static void add_version(const Request *request, struct MHD_Response *response)
{
    const char *version = openapi_request_version(request);
    if (version != NULL && own_header(request, "API-Version") == NULL)
        MHD_add_response_header(response, "API-Version", version);
}

enum MHD_Result answer_queue(Request *request)
{
    Answer *answer = &request->answer;
    gsize length;
    const void *data = g_bytes_get_data(answer->body, &length);
    struct MHD_Response *response = MHD_create_response_from_buffer_with_free_callback_cls(
        length, (void *)data, release_body, g_bytes_ref(answer->body));
    if (response == NULL)
        return MHD_NO;
    for (gsize i = 0; i < G_N_ELEMENTS(standard_headers); i++)
        if (own_header(request, standard_headers[i].name) == NULL)
            MHD_add_response_header(response, standard_headers[i].name, standard_headers[i].value);
    add_version(request, response);
    for (guint i = 0; answer->headers != NULL && i < answer->headers->len; i++) {
        const UrlField *field = answer->headers->pdata[i];
        if (field->value[0] != '\0')
            MHD_add_response_header(response, field->name, field->value);
    }
    if (answer->content_type != NULL)
        MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, answer->content_type);
    enum MHD_Result result = MHD_queue_response(request->connection, answer->status, response);
    MHD_destroy_response(response);
    return result;
}
