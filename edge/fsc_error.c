#include "fsc.h"

const FscRefusal fsc_refusal_revoked = {400, "", "the client certificate has been revoked"};
#define UNTRUSTED                                                                                            \
    "the client certificate is not valid in this group: it has expired, was revoked, or is of another "      \
    "authority"
const FscRefusal fsc_refusal_untrusted = {400, "", UNTRUSTED};
const FscRefusal fsc_refusal_certificate = {400, "", "a client certificate is required"};

/* What the node says. */

static const struct {
    ngx_uint_t status;
    FscRefusal refusal;
} frame_refusals[] = {
#define X(name, number, http, code, message) {number, {http, code, message}},
    FRAME_STATUS_TABLE(X)
#undef X
};

const FscRefusal *fsc_refusal_of(ngx_uint_t frame_status)
{
    if (frame_status == FSC_CALL_SILENT)
        frame_status = FRAME_STATUS_NOT_READY;
    const FscRefusal *unknown = NULL;
    for (size_t i = 0; i < sizeof frame_refusals / sizeof *frame_refusals; i++) {
        if (frame_refusals[i].status == frame_status && frame_status != FRAME_STATUS_OK)
            return &frame_refusals[i].refusal;
        if (frame_refusals[i].status == FRAME_STATUS_BAD_FRAME)
            unknown = &frame_refusals[i].refusal;
    }
    return unknown;
}

/* What nginx finds by itself, by its own numbers. Those from 494 on stand for others outside. */

static const struct {
    ngx_uint_t status;
    FscRefusal refusal;
} nginx_refusals[] = {
    {400, {400, "", "the request is malformed"}},
    {405, {405, "", "this method is not supported"}},
    {408, {408, "", "the request took too long to arrive"}},
    {411, {411, "", "the length of the body must be given"}},
    {413, {413, "", "the body is larger than this listener accepts"}},
    {414, {414, "", "the request line is longer than this listener accepts"}},
    {421, {421, "", "nothing here answers for that host name"}},
    {494, {431, "", "the headers are larger than this listener accepts"}},
    {495, {400, "", UNTRUSTED}},
    {496, {400, "", "a client certificate is required"}},
    {497, {400, "", "this port speaks TLS"}},
    {500, {500, "", "the edge could not handle the request"}},
    {501, {501, "", "this transfer coding is not supported"}},
    {502, {502, "", "what is behind this listener cannot be reached"}},
    {503, {503, "", "busy; try again"}},
    {504, {504, "", "no answer came in time"}},
    {505, {505, "", "this version of HTTP is not supported"}},
};

/* FSC Core 2.0.0, 4.6.1.4.1: CONNECT gets 405. nginx refuses its target ("host:port") as malformed before it
 * looks at the method, so the bytes of the request line are looked at. */
static ngx_flag_t is_connect(const ngx_http_request_t *http)
{
    return http->request_start != NULL && http->stream == NULL && http->method_end != NULL &&
           http->method_end - http->request_start == (ptrdiff_t)sizeof "CONNECT" - 2 &&
           ngx_memcmp(http->request_start, "CONNECT", 7) == 0;
}

/* TRUE when the other side was never connected to: unlike a slow answer, that is "unreachable". */
static ngx_flag_t never_connected(const ngx_http_request_t *http)
{
    return http->upstream != NULL && http->upstream->state != NULL &&
           http->upstream->state->connect_time == (ngx_msec_t)-1;
}

static const FscRefusal *unreachable(FscErrorForm form)
{
    static const enum frame_status by_form[] = {
        [FSC_ERROR_PROBLEM] = FRAME_STATUS_NOT_READY, /* behind it is the node itself */
        [FSC_ERROR_INWAY] = FRAME_STATUS_SERVICE_UNREACHABLE,
        [FSC_ERROR_OUTWAY] = FRAME_STATUS_PEER_UNREACHABLE,
        [FSC_ERROR_PAGE] = FRAME_STATUS_NOT_READY,
    };
    return fsc_refusal_of(by_form[form]);
}

/* nginx hands its own 494 to 497 over as 400; the configuration tells them apart by arguments
 * ("//error?494"). */
static ngx_uint_t nginx_status(const ngx_http_request_t *http)
{
    ngx_int_t given = ngx_atoi(http->args.data, http->args.len);
    return given != NGX_ERROR ? (ngx_uint_t)given : http->err_status;
}

static const FscRefusal *nginx_refusal(const ngx_http_request_t *http, FscErrorForm form)
{
    static const FscRefusal no_method = {405, "", "the method CONNECT is not supported"};
    static const FscRefusal other = {500, "", "the edge could not handle the request"};
    ngx_uint_t status = nginx_status(http);
    if (status == 502 || (status == 504 && never_connected(http)))
        return unreachable(form);
    if (status == 405 || (status == 400 && is_connect(http)))
        return form == FSC_ERROR_OUTWAY ? fsc_refusal_of(FRAME_STATUS_METHOD_UNSUPPORTED) : &no_method;
    for (size_t i = 0; i < sizeof nginx_refusals / sizeof *nginx_refusals; i++)
        if (nginx_refusals[i].status == status)
            return &nginx_refusals[i].refusal;
    return &other;
}

/* Writing. */

static u_char *json_string(u_char *out, const u_char *text, size_t length)
{
    static const u_char hex[] = "0123456789abcdef";
    *out++ = '"';
    for (size_t i = 0; i < length; i++) {
        u_char c = text[i];
        if (c == '"' || c == '\\') {
            *out++ = '\\';
            *out++ = c;
        } else if (c < 0x20 || c == 0x7f) {
            out = ngx_cpymem(out, "\\u00", 4);
            *out++ = hex[c >> 4];
            *out++ = hex[c & 15];
        } else {
            *out++ = c;
        }
    }
    *out++ = '"';
    return out;
}

static u_char *put(u_char *out, const char *text)
{
    return ngx_cpymem(out, text, ngx_strlen(text));
}

typedef struct {
    const FscRefusal *refusal;
    const u_char *message;
    size_t message_length;
    FscErrorForm form;
} Error;

static u_char *fsc_body(u_char *out, const Error *error)
{
    out = json_string(put(out, "{\"message\":"), error->message, error->message_length);
    out = put(out, error->form == FSC_ERROR_INWAY ? ",\"domain\":\"ERROR_DOMAIN_INWAY\",\"code\":\""
                                                  : ",\"domain\":\"ERROR_DOMAIN_OUTWAY\",\"code\":\"");
    return put(put(out, error->refusal->code), "\"}\n");
}

/* RFC 9457, 4.2.1: without `type` the title is that of the status. */
static u_char *problem_body(u_char *out, const Error *error)
{
    out = ngx_sprintf(out, "{\"status\":%ui,\"title\":", error->refusal->http);
    out = json_string(out, (const u_char *)error->refusal->message, ngx_strlen(error->refusal->message));
    if (error->message_length > 0 && error->message != (const u_char *)error->refusal->message)
        out = json_string(put(out, ",\"detail\":"), error->message, error->message_length);
    return put(out, "}\n");
}

static u_char *page_body(u_char *out, const Error *error)
{
    out = put(
        out,
        "<!doctype html>\n<html lang=\"nl\">\n<meta charset=\"utf-8\">\n"
        "<meta name=\"viewport\" content=\"width=device-width\">\n<title>Dit lukt nu niet</title>\n<main>\n"
        "<h1>Dit lukt nu niet</h1>\n");
    return put(
        out,
        error->refusal->http >= 500
            ? "<p>Probeer het over een paar minuten opnieuw.</p>\n"
              "<p lang=\"en\">This does not work right now. Try again in a few "
              "minutes.</p>\n</main>\n</html>\n"
            : "<p>Uw browser stuurde iets wat wij niet kunnen verwerken. Ga terug en probeer het "
              "opnieuw.</p>\n"
              "<p lang=\"en\">Your browser sent something that we cannot handle. Go back and try again.</p>\n"
              "</main>\n</html>\n");
}

static ngx_int_t header_add(ngx_http_request_t *http, const char *key, const char *value)
{
    ngx_table_elt_t *header = ngx_list_push(&http->headers_out.headers);
    if (header == NULL)
        return NGX_ERROR;
    header->hash = 1;
    header->key.data = (u_char *)key;
    header->key.len = ngx_strlen(key);
    header->value.data = (u_char *)value;
    header->value.len = ngx_strlen(value);
    return NGX_OK;
}

static ngx_int_t headers_make(ngx_http_request_t *http, const Error *error, ngx_flag_t coded, size_t length)
{
    static const char *const types[] = {"application/problem+json", "application/json", "application/json",
                                        "text/html; charset=utf-8"};
    const FscRefusal *refusal = error->refusal;
    const char *type = types[error->form == FSC_ERROR_PAGE || coded ? error->form : FSC_ERROR_PROBLEM];
    ngx_http_clean_header(http);
    http->err_status = refusal->http;
    http->headers_out.status = refusal->http;
    http->headers_out.content_length_n = (off_t)length;
    http->headers_out.content_type.data = (u_char *)type;
    http->headers_out.content_type.len = http->headers_out.content_type_len = ngx_strlen(type);
    if (coded && header_add(http, "Fsc-Error-Code", refusal->code) != NGX_OK)
        return NGX_ERROR;
    /* FSC Core 2.0.0, 4.7.2.2.1: MUST on the access token errors. */
    if (refusal->http == 401 && header_add(http, "WWW-Authenticate", "Bearer") != NGX_OK)
        return NGX_ERROR;
    /* RFC 9110, 15.5.6. */
    if (refusal->http == 405 &&
        header_add(http, "Allow", "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS") != NGX_OK)
        return NGX_ERROR;
    if (refusal->http == 503 && header_add(http, "Retry-After", "1") != NGX_OK)
        return NGX_ERROR;
    return NGX_OK;
}

ngx_int_t fsc_error_send(ngx_http_request_t *http, FscErrorForm form, const FscRefusal *refusal,
                         const ngx_str_t *message)
{
    Error error = {.refusal = refusal,
                   .form = form,
                   .message = message->data,
                   .message_length = ngx_min(message->len, 1000)};
    if (message->len == 0) {
        error.message = (const u_char *)refusal->message;
        error.message_length = ngx_strlen(refusal->message);
    }
    ngx_flag_t coded = refusal->code[0] != '\0' && (form == FSC_ERROR_INWAY || form == FSC_ERROR_OUTWAY);

    fsc_traffic_refused(fsc_main_of(http)->traffic, refusal);
    http->expect_tested = 1; /* no 100 Continue for a body that nobody wants */
    if (ngx_http_discard_request_body(http) != NGX_OK)
        http->keepalive = 0;
    ngx_buf_t *body =
        ngx_create_temp_buf(http->pool, 1024 + 6 * error.message_length + ngx_strlen(refusal->message));
    if (body == NULL)
        return NGX_ERROR;
    body->last = form == FSC_ERROR_PAGE ? page_body(body->pos, &error)
                 : coded                ? fsc_body(body->pos, &error)
                                        : problem_body(body->pos, &error);
    body->last_buf = 1;
    body->last_in_chain = 1;
    if (headers_make(http, &error, coded, (size_t)(body->last - body->pos)) != NGX_OK)
        return NGX_ERROR;
    ngx_int_t rc = ngx_http_send_header(http);
    if (rc == NGX_ERROR || rc > NGX_OK || http->header_only)
        return rc;
    ngx_chain_t out = {body, NULL};
    return ngx_http_output_filter(http, &out);
}

static ngx_int_t error_handler(ngx_http_request_t *http)
{
    static const ngx_str_t none = ngx_null_string;
    const FscLocation *location = ngx_http_get_module_loc_conf(http, ngx_http_fsc_module);
    return fsc_error_send(http, location->errors, nginx_refusal(http, location->errors), &none);
}

char *fsc_error_form(const ngx_str_t *word, FscErrorForm *form)
{
    static const char *const forms[] = {"problem", "inway", "outway", "page"};
    for (FscErrorForm at = FSC_ERROR_PROBLEM; at <= FSC_ERROR_PAGE; at++) {
        if (word->len == ngx_strlen(forms[at]) && ngx_strncmp(word->data, forms[at], word->len) == 0) {
            *form = at;
            return NGX_CONF_OK;
        }
    }
    return (char *)"takes inway, outway, problem or page";
}

char *fsc_error_directive(ngx_conf_t *conf, ngx_command_t *command, void *location)
{
    (void)command;
    ngx_http_core_loc_conf_t *core = ngx_http_conf_get_module_loc_conf(conf, ngx_http_core_module);
    core->handler = error_handler;
    return fsc_error_form((ngx_str_t *)conf->args->elts + 1, &((FscLocation *)location)->errors);
}
