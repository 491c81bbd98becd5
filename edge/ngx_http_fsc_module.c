/* ngx_http_fsc_module: the FSC Inway and Outway inside nginx. Directives, variables and hooks; fsc.h says how
 * the parts stand together.
 *
 *   fsc_frames unix:PATH;      http      the socket of `fundament serve`
 *   fsc_trust ANCHORS [CRL [GRACE]]; http  the group's anchors and revocation lists, and how long a list may
 * be out of date fsc_inway;                 location  the Inway, in front of proxy_pass to an upstream with
 * fsc_balance fsc_outway NAME;           location  the Outway for the client NAME, likewise fsc_node FORM;
 * location  `serve` itself is behind it: requests wait while it is being replaced fsc_balance; upstream sends
 * each request to the address of its verdict or route fsc_error FORM;            location  writes nginx's own
 * errors: inway, outway, problem or page
 */
#include "fsc.h"

extern ngx_module_t ngx_http_proxy_module; /* nginx has no header for it */

#define LOOK_MS 2000 /* how often files are looked at */

static ngx_http_output_header_filter_pt next_header_filter;

/* Directives. */

static char *frames_directive(ngx_conf_t *conf, ngx_command_t *command, void *data)
{
    FscMain *main = data;
    const ngx_str_t *word = (ngx_str_t *)conf->args->elts + 1;
    (void)command;
    if (main->socket.len > 0)
        return (char *)"is duplicate";
    if (word->len <= 5 || ngx_strncmp(word->data, "unix:", 5) != 0 || word->len - 5 > 107)
        return (char *)"takes unix: and a path of at most 107 bytes";
    main->socket.data = word->data + 5;
    main->socket.len = word->len - 5;
    return NGX_CONF_OK;
}

static char *role_directive(ngx_conf_t *conf, ngx_command_t *command, void *data)
{
    static const struct {
        const char *name;
        FscRole role;
        FscErrorForm errors;
    } roles[] = {{"fsc_inway", FSC_ROLE_INWAY, FSC_ERROR_INWAY},
                 {"fsc_outway", FSC_ROLE_OUTWAY, FSC_ERROR_OUTWAY}};
    FscLocation *location = data;
    const ngx_str_t *words = conf->args->elts;
    (void)command;
    if (location->role != FSC_ROLE_NONE)
        return (char *)"comes after another role";
    for (size_t i = 0; i < sizeof roles / sizeof *roles; i++) {
        if (ngx_strcmp(words[0].data, roles[i].name) == 0) {
            location->role = roles[i].role;
            location->errors = roles[i].errors;
        }
    }
    if (location->role != FSC_ROLE_OUTWAY)
        return NGX_CONF_OK;
    location->client = words[1];
    FscMain *main = ngx_http_conf_get_module_main_conf(conf, ngx_http_fsc_module);
    ngx_http_upstream_conf_t **outway = ngx_array_push(&main->outways);
    if (outway == NULL)
        return (char *)NGX_CONF_ERROR;
    *outway = ngx_http_conf_get_module_loc_conf(
        conf, ngx_http_proxy_module); /* filled in later; its first member is this */
    return NGX_CONF_OK;
}

/* fsc_trust ANCHORS [CRL [GRACE]] */
static char *trust_directive(ngx_conf_t *conf, ngx_command_t *command, void *data)
{
    FscMain *main = data;
    ngx_str_t *words = conf->args->elts;
    (void)command;
    if (main->anchors.len > 0)
        return (char *)"is duplicate";
    main->anchors = words[1];
    if (conf->args->nelts > 2)
        main->crl = words[2];
    main->crl_grace = conf->args->nelts > 3 ? ngx_parse_time(&words[3], 1) : 0;
    if (main->crl_grace == (time_t)NGX_ERROR)
        return (char *)"takes a time as its third word";
    if (ngx_conf_full_name(conf->cycle, &main->anchors, 1) != NGX_OK ||
        (main->crl.len > 0 && ngx_conf_full_name(conf->cycle, &main->crl, 1) != NGX_OK))
        return (char *)NGX_CONF_ERROR;
    return NGX_CONF_OK;
}

static char *node_directive(ngx_conf_t *conf, ngx_command_t *command, void *data)
{
    FscLocation *location = data;
    (void)command;
    if (location->role != FSC_ROLE_NONE)
        return (char *)"comes after another role";
    ngx_str_t *words = conf->args->elts;
    location->role = FSC_ROLE_NODE;
    location->node = words[2];
    return fsc_error_form(&words[1], &location->errors);
}

static ngx_command_t commands[] = {
    {ngx_string("fsc_frames"), NGX_HTTP_MAIN_CONF | NGX_CONF_TAKE1, frames_directive,
     NGX_HTTP_MAIN_CONF_OFFSET, 0, NULL},
    {ngx_string("fsc_trust"), NGX_HTTP_MAIN_CONF | NGX_CONF_TAKE123, trust_directive,
     NGX_HTTP_MAIN_CONF_OFFSET, 0, NULL},
    {ngx_string("fsc_inway"), NGX_HTTP_LOC_CONF | NGX_CONF_NOARGS, role_directive, NGX_HTTP_LOC_CONF_OFFSET,
     0, NULL},
    {ngx_string("fsc_outway"), NGX_HTTP_LOC_CONF | NGX_CONF_TAKE1, role_directive, NGX_HTTP_LOC_CONF_OFFSET,
     0, NULL},
    {ngx_string("fsc_node"), NGX_HTTP_LOC_CONF | NGX_CONF_TAKE2, node_directive, NGX_HTTP_LOC_CONF_OFFSET, 0,
     NULL},
    {ngx_string("fsc_balance"), NGX_HTTP_UPS_CONF | NGX_CONF_NOARGS, fsc_balance_directive, 0, 0, NULL},
    {ngx_string("fsc_error"), NGX_HTTP_LOC_CONF | NGX_CONF_TAKE1, fsc_error_directive,
     NGX_HTTP_LOC_CONF_OFFSET, 0, NULL},
    ngx_null_command};

static void *main_create(ngx_conf_t *conf)
{
    FscMain *main = ngx_pcalloc(conf->pool, sizeof *main);
    if (main == NULL ||
        ngx_array_init(&main->outways, conf->pool, 4, sizeof(ngx_http_upstream_conf_t *)) != NGX_OK)
        return NULL;
    return main;
}

/* Not inherited: a role belongs to its own location. */
static void *location_create(ngx_conf_t *conf)
{
    return ngx_pcalloc(conf->pool, sizeof(FscLocation));
}

/* Variables, for proxy_set_header and the access log. */

typedef enum {
    VAR_TRANSACTION,
    VAR_TRACEPARENT,
    VAR_TOKEN,
    VAR_SERVICE,
    VAR_PEER,
    VAR_GRANT,
    VAR_NAME,
    VAR_HOST
} Variable;

static const ngx_str_t *variable_text(const FscRequest *request, Variable variable)
{
    const FscAnswer *answer = request->answer;
    switch (variable) {
    case VAR_TRANSACTION:
        return &request->transaction_id;
    case VAR_TRACEPARENT:
        return &request->traceparent;
    case VAR_TOKEN:
        return answer != NULL ? &answer->token : NULL;
    case VAR_SERVICE:
        return answer != NULL ? &answer->service : NULL;
    case VAR_PEER:
        return answer != NULL ? &answer->peer_id : NULL;
    case VAR_GRANT:
        return answer != NULL ? &answer->grant_hash : NULL;
    case VAR_NAME:
        return request->target != NULL ? &request->target->name : NULL;
    case VAR_HOST:
        return request->target != NULL ? &request->target->host : NULL;
    }
    return NULL;
}

static ngx_int_t variable_get(ngx_http_request_t *http, ngx_http_variable_value_t *value, uintptr_t data)
{
    const FscRequest *request = fsc_request_of(http->main);
    const ngx_str_t *text = request != NULL ? variable_text(request, (Variable)data) : NULL;
    if (text == NULL || text->len == 0) {
        value->not_found = 1;
        return NGX_OK;
    }
    value->data = text->data;
    value->len = (unsigned)text->len & 0xfffffff; /* a bit field of 28 bits */
    value->valid = 1;
    value->no_cacheable = 1; /* a flush can bring another answer */
    value->not_found = 0;
    return NGX_OK;
}

static ngx_int_t variables_add(ngx_conf_t *conf)
{
    static struct {
        ngx_str_t name;
        Variable variable;
    } variables[] = {
        {ngx_string("fsc_transaction_id"), VAR_TRANSACTION},
        {ngx_string("fsc_traceparent"), VAR_TRACEPARENT},
        {ngx_string("fsc_token"), VAR_TOKEN},
        {ngx_string("fsc_service"), VAR_SERVICE},
        {ngx_string("fsc_peer_id"), VAR_PEER},
        {ngx_string("fsc_grant_hash"), VAR_GRANT},
        {ngx_string("fsc_tls_name"), VAR_NAME},
        {ngx_string("fsc_host"), VAR_HOST},
    };
    for (size_t i = 0; i < sizeof variables / sizeof *variables; i++) {
        ngx_http_variable_t *variable =
            ngx_http_add_variable(conf, &variables[i].name, NGX_HTTP_VAR_NOCACHEABLE);
        if (variable == NULL)
            return NGX_ERROR;
        variable->get_handler = variable_get;
        variable->data = variables[i].variable;
    }
    return NGX_OK;
}

/* Hooks. */

/* FSC Logging 1.1.0, 3.4.1.1: the answer to the client carries the transaction id, once, whoever else put one
 * there. */
static ngx_int_t answer_add_transaction(ngx_http_request_t *http, const ngx_str_t *id)
{
    static ngx_str_t name = ngx_string("Fsc-Transaction-Id");
    for (ngx_list_part_t *part = &http->headers_out.headers.part; part != NULL; part = part->next) {
        ngx_table_elt_t *headers = part->elts;
        for (ngx_uint_t i = 0; i < part->nelts; i++)
            if (headers[i].key.len == name.len &&
                ngx_strncasecmp(headers[i].key.data, name.data, name.len) == 0)
                headers[i].hash = 0;
    }
    ngx_table_elt_t *header = ngx_list_push(&http->headers_out.headers);
    if (header == NULL)
        return NGX_ERROR;
    header->hash = 1;
    header->key = name;
    header->value = *id;
    return NGX_OK;
}

/* What does not begin with a status line nginx would pass on as HTTP/0.9, without any header: to the client
 * that is no HTTP at all. */
static ngx_flag_t answer_is_http(ngx_http_request_t *http)
{
    if (http->upstream == NULL || http->http_version >= NGX_HTTP_VERSION_10)
        return 1;
    http->http_version =
        http->stream != NULL ? NGX_HTTP_VERSION_20 : http->http_major * 1000 + http->http_minor;
    return http->http_version < NGX_HTTP_VERSION_10;
}

/* A stream of events (WHATWG HTML, 9.2) comes in drops, each of which somebody waits for: none is kept back
 * to fill a buffer. nginx looks at this right after the headers went out. */
static void stream_events(ngx_http_request_t *http)
{
    static const ngx_str_t type = ngx_string("text/event-stream");
    const ngx_str_t *given = &http->headers_out.content_type;
    if (http->upstream != NULL && given->len >= type.len &&
        ngx_strncasecmp(given->data, type.data, type.len) == 0)
        http->upstream->buffering = 0;
}

static ngx_int_t header_filter(ngx_http_request_t *http)
{
    FscRequest *request = http == http->main ? fsc_request_of(http) : NULL;
    if (request == NULL)
        return next_header_filter(http);
    if (!answer_is_http(http))
        return ngx_http_filter_finalize_request(http, &ngx_http_fsc_module, NGX_HTTP_BAD_GATEWAY);
    if (request->location->role == FSC_ROLE_OUTWAY && request->transaction_id.len > 0 &&
        answer_add_transaction(http, &request->transaction_id) != NGX_OK)
        return NGX_ERROR;
    stream_events(http);
    return next_header_filter(http);
}

static ngx_int_t log_handler(ngx_http_request_t *http)
{
    fsc_request_outcome(http);
    return NGX_OK;
}

static ngx_int_t phase_add(ngx_http_core_main_conf_t *core, ngx_http_phases phase,
                           ngx_http_handler_pt handler)
{
    ngx_http_handler_pt *place = ngx_array_push(&core->phases[phase].handlers);
    if (place == NULL)
        return NGX_ERROR;
    *place = handler;
    return NGX_OK;
}

static ngx_int_t hooks_add(ngx_conf_t *conf)
{
    FscMain *main = ngx_http_conf_get_module_main_conf(conf, ngx_http_fsc_module);
    if (main->socket.len == 0)
        return NGX_OK; /* loaded but not used */
    ngx_http_core_main_conf_t *core = ngx_http_conf_get_module_main_conf(conf, ngx_http_core_module);
    if (phase_add(core, NGX_HTTP_ACCESS_PHASE, fsc_request_access) != NGX_OK ||
        phase_add(core, NGX_HTTP_LOG_PHASE, log_handler) != NGX_OK)
        return NGX_ERROR;
    next_header_filter = ngx_http_top_header_filter;
    ngx_http_top_header_filter = header_filter;
    return fsc_certificate_init();
}

/* A worker. */

static void node_flushed(void *data)
{
    FscMain *main = data;
    fsc_frames_counters(main->frames)[FRAME_EDGE_FLUSHES]++;
    fsc_cache_flush(main->verdicts);
    fsc_cache_flush(main->routes);
    if (main->trust != NULL && fsc_trust_refresh_outways(main->trust) == NGX_OK)
        fsc_targets_renew(main->targets);
}

/* An Inway that we speak with may be on the new list: its connections are made, and its certificate checked,
 * anew. */
static void node_revoked(void *data, const u_char *payload, size_t length)
{
    FscMain *main = data;
    fsc_revoked_take(main->revoked, payload, length);
    fsc_targets_renew(main->targets);
}

/* Files of keys, anchors and lists. */

static void files_look(ngx_event_t *event)
{
    FscMain *main = event->data;
    if (fsc_trust_refresh(main->trust) == NGX_OK)
        fsc_targets_renew(main->targets);
    ngx_add_timer(event, LOOK_MS);
}

/* TRUE when this server takes certificates of the group; those of officers are of another authority. */
static ngx_flag_t checks_group(const FscMain *main, const ngx_http_ssl_srv_conf_t *tls)
{
    return tls->verify != 0 && tls->client_certificate.len == main->anchors.len &&
           ngx_memcmp(tls->client_certificate.data, main->anchors.data, main->anchors.len) == 0;
}

/* The servers that have TLS, and the proxies of the Outway. */
static ngx_int_t trust_add_contexts(FscMain *main, ngx_http_core_main_conf_t *core)
{
    static const ngx_str_t none = ngx_null_string;
    ngx_http_core_srv_conf_t **servers = core->servers.elts;
    for (ngx_uint_t i = 0; i < core->servers.nelts; i++) {
        ngx_http_ssl_srv_conf_t *tls = servers[i]->ctx->srv_conf[ngx_http_ssl_module.ctx_index];
        const ngx_str_t *certificate = tls->certificates != NULL ? tls->certificates->elts : NULL;
        const ngx_str_t *key = tls->certificate_keys != NULL ? tls->certificate_keys->elts : NULL;
        ngx_flag_t shows = certificate != NULL && key != NULL && tls->certificates->nelts == 1;
        if (tls->ssl.ctx != NULL && fsc_trust_add(main->trust, &tls->ssl, checks_group(main, tls), 0,
                                                  shows ? certificate : &none, shows ? key : &none) != NGX_OK)
            return NGX_ERROR;
    }
    ngx_http_upstream_conf_t **outways = main->outways.elts;
    for (ngx_uint_t i = 0; i < main->outways.nelts; i++) {
        const ngx_http_upstream_conf_t *proxy = outways[i];
        ngx_flag_t shows = proxy->ssl_certificate != NULL && proxy->ssl_certificate_key != NULL;
        if (proxy->ssl != NULL &&
            fsc_trust_add(main->trust, proxy->ssl, 1, 1, shows ? &proxy->ssl_certificate->value : &none,
                          shows ? &proxy->ssl_certificate_key->value : &none) != NGX_OK)
            return NGX_ERROR;
    }
    return NGX_OK;
}

static ngx_int_t trust_start(FscMain *main, ngx_cycle_t *cycle)
{
    if (main->anchors.len == 0)
        return NGX_OK;
    ngx_http_core_main_conf_t *core = ngx_http_cycle_get_module_main_conf(cycle, ngx_http_core_module);
    main->trust = fsc_trust_create(cycle, &main->anchors, &main->crl, main->crl_grace);
    if (main->trust == NULL || trust_add_contexts(main, core) != NGX_OK)
        return NGX_ERROR;
    (void)fsc_trust_refresh(main->trust);
    main->look.handler = files_look;
    main->look.data = main;
    main->look.log = cycle->log;
    main->look.cancelable = 1;
    ngx_add_timer(&main->look, LOOK_MS);
    return NGX_OK;
}

static FscMain *worker_main(ngx_cycle_t *cycle)
{
    FscMain *main = ngx_get_conf(cycle->conf_ctx, ngx_http_module) != NULL
                        ? ngx_http_cycle_get_module_main_conf(cycle, ngx_http_fsc_module)
                        : NULL;
    ngx_flag_t worker = ngx_process == NGX_PROCESS_WORKER || ngx_process == NGX_PROCESS_SINGLE;
    return worker && main != NULL && main->socket.len > 0 ? main : NULL;
}

static ngx_int_t worker_start(ngx_cycle_t *cycle)
{
    FscMain *main = worker_main(cycle);
    if (main == NULL)
        return NGX_OK;
    const FscFramesEvents events = {.flush = node_flushed, .revoked = node_revoked, .data = main};
    main->frames = fsc_frames_create(cycle, &main->socket, &events);
    main->targets = fsc_targets_create(cycle);
    main->revoked = fsc_revoked_create(cycle);
    main->traffic = main->frames != NULL ? fsc_traffic_create(cycle, main->frames) : NULL;
    if (main->traffic == NULL || main->targets == NULL || main->revoked == NULL)
        return NGX_ERROR;
    main->verdicts = fsc_cache_create(cycle, FRAME_VERIFY, main->frames, main->targets);
    main->routes = fsc_cache_create(cycle, FRAME_ROUTE, main->frames, main->targets);
    if (main->verdicts == NULL || main->routes == NULL)
        return NGX_ERROR;
    fsc_frames_connect(main->frames);
    return trust_start(main, cycle);
}

static void worker_end(ngx_cycle_t *cycle)
{
    FscMain *main = worker_main(cycle);
    if (main == NULL || main->frames == NULL)
        return;
    if (main->traffic != NULL)
        fsc_traffic_close(main->traffic);
    fsc_frames_close(main->frames);
}

static ngx_http_module_t module_context = {
    .preconfiguration = variables_add,
    .postconfiguration = hooks_add,
    .create_main_conf = main_create,
    .create_loc_conf = location_create,
};

/* What nginx looks up in a dynamic module. */
#define EXPORTED __attribute__((visibility("default")))

EXPORTED ngx_module_t ngx_http_fsc_module = {
    NGX_MODULE_V1, &module_context, commands, NGX_HTTP_MODULE,      NULL, NULL, worker_start, NULL,
    NULL,          worker_end,      NULL,     NGX_MODULE_V1_PADDING};

EXPORTED ngx_module_t *ngx_modules[] = {&ngx_http_fsc_module, NULL};
EXPORTED char *ngx_module_names[] = {(char *)"ngx_http_fsc_module", NULL};
EXPORTED char *ngx_module_order[] = {NULL};
