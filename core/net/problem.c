#include "core/net/problem.h"

#include <string.h>

#include "core/format/json.h"
#include "core/net/http_private.h"
#include "core/net/page.h"

typedef struct {
    guint status;
    const char *title;
} StatusTitle;

static const guint status_of_code[] = {
    [FUNDAMENT_ERROR_INVALID] = MHD_HTTP_BAD_REQUEST,
    [FUNDAMENT_ERROR_RULE] = MHD_HTTP_UNPROCESSABLE_CONTENT,
    [FUNDAMENT_ERROR_DENIED] = MHD_HTTP_FORBIDDEN,
    [FUNDAMENT_ERROR_NOT_FOUND] = MHD_HTTP_NOT_FOUND,
    [FUNDAMENT_ERROR_CONFLICT] = MHD_HTTP_CONFLICT,
    [FUNDAMENT_ERROR_LIMIT] = MHD_HTTP_TOO_MANY_REQUESTS,
    [FUNDAMENT_ERROR_UNAVAILABLE] = MHD_HTTP_SERVICE_UNAVAILABLE,
    [FUNDAMENT_ERROR_IO] = MHD_HTTP_INTERNAL_SERVER_ERROR,
    [FUNDAMENT_ERROR_USAGE] = MHD_HTTP_BAD_REQUEST,
    [FUNDAMENT_ERROR_INTERNAL] = MHD_HTTP_INTERNAL_SERVER_ERROR,
};

static const StatusTitle titles[] = {
    {MHD_HTTP_BAD_REQUEST, "Bad request"},
    {MHD_HTTP_FORBIDDEN, "Not allowed"},
    {MHD_HTTP_NOT_FOUND, "Not found"},
    {MHD_HTTP_CONFLICT, "Conflict"},
    {MHD_HTTP_UNSUPPORTED_MEDIA_TYPE, "Unsupported media type"},
    {MHD_HTTP_UNPROCESSABLE_CONTENT, "Refused by a rule"},
    {MHD_HTTP_TOO_MANY_REQUESTS, "Too many requests"},
    {MHD_HTTP_INTERNAL_SERVER_ERROR, "Internal error"},
    {MHD_HTTP_SERVICE_UNAVAILABLE, "Not available now"},
};

static const char *title_of(guint status)
{
    for (gsize i = 0; i < G_N_ELEMENTS(titles); i++)
        if (titles[i].status == status)
            return titles[i].title;
    return "Error";
}

/* A string value of text that may quote what someone sent. */
static json_t *json_text(const char *text)
{
    g_autofree char *valid = g_utf8_make_valid(text, -1);
    return json_string(valid);
}

/* RFC 9457 3.1; `instance` is what a person can quote and we can find in the log. */
static void send_problem(Request *request, guint status, const char *title, const char *detail)
{
    if (request_has_pages(request) && !request_answered(request)) {
        page_problem(request, status);
        return;
    }
    g_autofree char *instance = g_strconcat("urn:trace:", request_trace(request)->trace_id, NULL);
    g_autoptr(json_t) problem =
        json_pack("{s:s, s:o, s:i, s:o, s:s}", "type", "about:blank", "title", json_text(title), "status",
                  (int)status, "detail", json_text(detail), "instance", instance);
    char *text = json_write(problem);
    respond_bytes(request, status, "application/problem+json", g_bytes_new_take(text, strlen(text)));
}

void respond_problem(Request *request, guint status, const char *title, const char *detail, ...)
{
    va_list arguments;
    va_start(arguments, detail);
    g_autofree char *text = g_strdup_vprintf(detail, arguments);
    va_end(arguments);
    send_problem(request, status, title, text);
}

guint problem_status(const GError *error)
{
    if (error->domain != FUNDAMENT_ERROR || error->code < 0 ||
        error->code >= (int)G_N_ELEMENTS(status_of_code))
        return MHD_HTTP_INTERNAL_SERVER_ERROR;
    return status_of_code[error->code];
}

void respond_error(Request *request, const GError *error)
{
    guint status = request->wrong_media_type ? MHD_HTTP_UNSUPPORTED_MEDIA_TYPE : problem_status(error);
    if (status < MHD_HTTP_INTERNAL_SERVER_ERROR) {
        send_problem(request, status, title_of(status), error->message);
        return;
    }
    g_warning("trace %s: %s %s: %s", request->trace.trace_id, request->method, request_route(request)->path,
              error->message);
    respond_problem(request, status, title_of(status), "%s Quote trace %s when you report this.",
                    status == MHD_HTTP_SERVICE_UNAVAILABLE
                        ? "Something that this needs is not available now; try again later."
                        : "This is our mistake, and it is in our log.",
                    request->trace.trace_id);
}

void respond_fsc_error(Request *request, guint status, const char *domain, const char *code,
                       const char *message)
{
    respond_header(request, "Fsc-Error-Code", code);
    respond_json(request, status,
                 json_pack("{s:o, s:s, s:s}", "message", json_text(message), "domain", domain, "code", code));
}

void respond_unmatched(Request *request, const GString *allow)
{
    if (allow == NULL) {
        respond_problem(request, MHD_HTTP_NOT_FOUND, "Not found", "There is nothing at this path.");
        return;
    }
    respond_header(request, "Allow", allow->str);
    respond_problem(request, MHD_HTTP_METHOD_NOT_ALLOWED, "Method not allowed", "This path has: %s.",
                    allow->str);
}

void respond_too_large(Request *request)
{
    gsize most = request_route(request)->body_max;
    if (most == 0)
        respond_problem(request, MHD_HTTP_CONTENT_TOO_LARGE, "Body not allowed",
                        "Send this request without a body.");
    else
        respond_problem(request, MHD_HTTP_CONTENT_TOO_LARGE, "Body too large", "The body may have %zu bytes.",
                        most);
}
