#include <string.h>

#include "core/base/error.h"
#include "core/format/json.h"
#include "core/net/http_private.h"
#include "core/net/openapi.h"
#include "core/net/phrases.h"

static const Route no_route[LISTENER_COUNT] = {
    {LISTENER_MANAGER, "", "", NULL, 0, NULL}, {LISTENER_SERVICE, "", "", NULL, 0, NULL},
    {LISTENER_PORTAL, "", "", NULL, 0, NULL},  {LISTENER_LOG, "", "", NULL, 0, NULL},
    {LISTENER_ADMIN, "", "", NULL, 0, NULL},   {LISTENER_OFFICE, "", "", NULL, 0, NULL},
};

typedef struct {
    gpointer data;
    GDestroyNotify destroy;
} Attachment;

static void attachment_free(gpointer value)
{
    Attachment *attachment = value;
    if (attachment->destroy != NULL && attachment->data != NULL)
        attachment->destroy(attachment->data);
    g_free(attachment);
}

Request *request_new(Listener *listener, struct MHD_Connection *connection, const char *target)
{
    Request *request = g_new0(Request, 1);
    request->listener = listener;
    request->connection = connection;
    request->started_us = g_get_monotonic_time();
    request->method = "";
    request->target = g_strdup(target);
    request->path = g_strndup(target, strcspn(target, "?"));
    request->headers = g_array_new(FALSE, FALSE, sizeof(HeaderText));
    trace_new(&request->trace);
    return request;
}

void request_free(Request *request)
{
    if (request == NULL)
        return;
    g_clear_pointer(&request->data, g_hash_table_unref);
    g_clear_pointer(&request->incoming, g_byte_array_unref);
    g_clear_pointer(&request->body, g_bytes_unref);
    g_clear_pointer(&request->answer.body, g_bytes_unref);
    g_clear_pointer(&request->answer.headers, g_ptr_array_unref);
    g_free(request->answer.content_type);
    g_clear_pointer(&request->certificate, certificate_unref);
    g_clear_pointer(&request->query, g_ptr_array_unref);
    g_clear_pointer(&request->cookies, g_ptr_array_unref);
    g_array_unref(request->headers);
    g_strfreev(request->segments);
    g_free(request->peer_id);
    g_free(request->path);
    g_free(request->target);
    g_free(request);
}

const Route *request_route(const Request *request)
{
    return request->match.entry != NULL ? request->match.entry->route : &no_route[request->listener->kind];
}

gboolean request_has_pages(const Request *request)
{
    return (request->listener->kind == LISTENER_PORTAL || request->listener->kind == LISTENER_OFFICE) &&
           openapi_request_version(request) == NULL; /* an API among the pages */
}

ListenerKind request_listener(const Request *request)
{
    return request->listener->kind;
}

const char *request_method(const Request *request)
{
    return request->method;
}

const char *request_path(const Request *request)
{
    return request->path;
}

const char *request_segment(const Request *request, const char *name)
{
    if (request->match.entry == NULL)
        return NULL;
    return router_segment(request->match.entry, (const char *const *)request->segments, name);
}

const char *request_header(const Request *request, const char *name)
{
    for (guint i = 0; i < request->headers->len; i++) {
        const HeaderText *header = &g_array_index(request->headers, HeaderText, i);
        if (g_ascii_strcasecmp(header->name, name) == 0)
            return header->value;
    }
    return NULL;
}

const char *request_query(const Request *request, const char *name)
{
    return request->query == NULL ? NULL : url_field_find(request->query, name);
}

guint request_query_count(const Request *request, const char *name)
{
    return request->query == NULL ? 0 : url_field_count(request->query, name);
}

const char *request_query_unknown(const Request *request, const char *const *known)
{
    for (guint i = 0; request->query != NULL && i < request->query->len; i++) {
        const UrlField *field = request->query->pdata[i];
        if (!g_strv_contains(known, field->name))
            return field->name;
    }
    return NULL;
}

const char *request_cookie(const Request *request, const char *name)
{
    return request->cookies == NULL ? NULL : url_field_find(request->cookies, name);
}

GBytes *request_body(const Request *request)
{
    return request->body;
}

/* The media type without its parameters, RFC 9110 8.3.1. */
static gboolean has_media_type(const Request *request, const char *type)
{
    const char *value = request_header(request, "Content-Type");
    if (value == NULL)
        return FALSE;
    gsize length = strcspn(value, "; \t");
    return length == strlen(type) && g_ascii_strncasecmp(value, type, length) == 0;
}

/* FALSE, and respond_error() will answer 415, when the body is of another type. */
static gboolean require_media_type(const Request *request, const char *type, GError **error)
{
    if (has_media_type(request, type))
        return TRUE;
    ((Request *)request)->wrong_media_type = TRUE;
    g_set_error(error, FUNDAMENT_ERROR, FUNDAMENT_ERROR_INVALID,
                "the body must be %s; say so in Content-Type", type);
    return FALSE;
}

json_t *request_form(const Request *request, GError **error)
{
    if (!require_media_type(request, "application/x-www-form-urlencoded", error))
        return NULL;
    gsize length;
    const char *text = g_bytes_get_data(request->body, &length);
    g_autoptr(GPtrArray) fields = url_parse_fields(text, length, error);
    if (fields == NULL) {
        g_prefix_error(error, "the form: ");
        if (error != NULL)
            (*error)->code = FUNDAMENT_ERROR_INVALID;
        return NULL;
    }
    g_autoptr(json_t) form = json_object();
    for (guint i = 0; i < fields->len; i++) {
        const UrlField *field = fields->pdata[i];
        if (json_object_get(form, field->name) != NULL) {
            g_set_error(error, FUNDAMENT_ERROR, FUNDAMENT_ERROR_INVALID,
                        "the form: field %u has the name of an earlier one", i + 1);
            return NULL;
        }
        json_object_set_new(form, field->name, json_string(field->value));
    }
    return g_steal_pointer(&form);
}

json_t *request_json(const Request *request, GError **error)
{
    if (!require_media_type(request, "application/json", error))
        return NULL;
    gsize length;
    const char *text = g_bytes_get_data(request->body, &length);
    JsonLimits limits = JSON_LIMITS_DEFAULT;
    limits.bytes = MAX(limits.bytes, request_route(request)->body_max);
    json_t *value = json_parse_strict(length == 0 ? "" : text, (gssize)length, &limits, error);
    if (value == NULL)
        g_prefix_error(error, "the body: ");
    return value;
}

const TraceContext *request_trace(const Request *request)
{
    return &request->trace;
}

gboolean request_has_caller(const Request *request)
{
    return request->has_caller;
}

const char *request_peer_id(const Request *request)
{
    return request->peer_id;
}

const Certificate *request_certificate(const Request *request)
{
    return request->certificate;
}

/* The edge overwrites these on its way to run/service.sock; on another listener they mean nothing. */
static const char *service_header(const Request *request, const char *name)
{
    return request->listener->kind == LISTENER_SERVICE ? request_header(request, name) : NULL;
}

const char *request_service(const Request *request)
{
    return service_header(request, "Fundament-Service");
}

const char *request_grant_hash(const Request *request)
{
    return service_header(request, "Fundament-Grant-Hash");
}

const char *request_transaction_id(const Request *request)
{
    return service_header(request, "Fsc-Transaction-Id");
}

const char *request_language(const Request *request)
{
    const char *chosen = language_find(request_query(request, "lang"));
    if (chosen == NULL)
        chosen = language_find(request_cookie(request, "lang"));
    return chosen != NULL ? chosen : language_negotiate(request_header(request, "Accept-Language"));
}

void request_set_data(Request *request, const char *key, gpointer data, GDestroyNotify destroy)
{
    if (request->data == NULL)
        request->data = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, attachment_free);
    Attachment *attachment = g_new(Attachment, 1);
    attachment->data = data;
    attachment->destroy = destroy;
    g_hash_table_replace(request->data, g_strdup(key), attachment);
}

gpointer request_get_data(const Request *request, const char *key)
{
    Attachment *attachment = request->data == NULL ? NULL : g_hash_table_lookup(request->data, key);
    return attachment == NULL ? NULL : attachment->data;
}
