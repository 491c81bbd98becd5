/* The steps that a request takes before nginx's proxy module forwards it. Each step lets it pass, refuses it,
 * or has it wait; their order is the order in which faults are found, the same every time (docs/edge.md lists
 * it). */
#include "fsc.h"

#define DOOR_MS 50       /* how often a socket of the node is tried */
#define DOOR_MAX_MS 5000 /* decisions.md 30 */

typedef enum { STEP_NEXT, STEP_WAIT, STEP_REFUSE, STEP_AGAIN /* from the step that was set */ } StepResult;

typedef StepResult (*Step)(FscRequest *request);

/* The steps of each role, NULL-terminated; below. */
static const Step *const steps_of[FSC_ROLE_COUNT];

static StepResult refuse(FscRequest *request, ngx_uint_t frame_status)
{
    request->refusal = fsc_refusal_of(frame_status);
    return STEP_REFUSE;
}

static StepResult refuse_with(FscRequest *request, const FscRefusal *refusal)
{
    request->refusal = refusal;
    return STEP_REFUSE;
}

/* Ends the wait of the current step: the next one if all is well. */
static void step_done(FscRequest *request)
{
    request->waiting = 0;
    if (request->refusal == NULL)
        request->step++;
    fsc_request_resume(request);
}

/* Headers. */

static void header_take(FscRequest *request, ngx_str_t *place, const ngx_str_t *value, ngx_uint_t repeated)
{
    if (place->data != NULL)
        request->repeated |= repeated;
    *place = *value;
}

static ngx_flag_t header_is(const ngx_table_elt_t *header, const char *name, size_t length)
{
    return header->key.len == length && ngx_memcmp(header->lowcase_key, name, length) == 0;
}
#define HEADER_IS(header, name) header_is(header, name, sizeof name - 1)

/* Headers that begin with "Fundament-" carry what the edge vouches for (peer, service, certificate): from
 * outside they are taken off, also when written with an underscore, which some services read as the same.
 * nginx has no way to take a header off its list; under this name its proxy module never forwards one. */
static void header_drop(ngx_table_elt_t *header)
{
    static u_char never[] = "keep-alive";
    header->key.data = header->lowcase_key = never;
    header->key.len = sizeof never - 1;
    header->hash = ngx_hash_key(never, sizeof never - 1);
}

static void header_look(FscRequest *request, ngx_table_elt_t *header)
{
    const u_char *name = header->lowcase_key;
    if (header->key.len > 9 && ngx_memcmp(name, "fundament", 9) == 0 && (name[9] == '-' || name[9] == '_'))
        header_drop(header);
    else if (HEADER_IS(header, "fsc-authorization"))
        header_take(request, &request->authorization, &header->value, FSC_REPEATED_AUTHORIZATION);
    else if (HEADER_IS(header, "fsc-transaction-id"))
        header_take(request, &request->client_transaction, &header->value, FSC_REPEATED_TRANSACTION);
    else if (HEADER_IS(header, "fsc-grant-hash"))
        header_take(request, &request->grant_hash, &header->value, FSC_REPEATED_GRANT_HASH);
}

static StepResult step_headers(FscRequest *request)
{
    for (ngx_list_part_t *part = &request->http->headers_in.headers.part; part != NULL; part = part->next) {
        ngx_table_elt_t *headers = part->elts;
        for (ngx_uint_t i = 0; i < part->nelts; i++) {
            u_char first =
                headers[i].lowcase_key != NULL && headers[i].key.len > 0 ? headers[i].lowcase_key[0] : 0;
            if (first == 'f')
                header_look(request, &headers[i]);
            else if (first == 't' && HEADER_IS(&headers[i], "traceparent") &&
                     fsc_traceparent_valid(&headers[i].value))
                request->traceparent = headers[i].value;
        }
    }
    return STEP_NEXT;
}

/* RFC 9110, 15.5.20: a connection is for the name for which TLS was made. nginx checks that only where it
 * asks for a client certificate. */
static StepResult step_name(FscRequest *request)
{
    static const FscRefusal misdirected = {421, "", "this connection is for another host name"};
    const ngx_str_t *asked = request->http->http_connection->ssl_servername;
    const ngx_str_t *host = &request->http->headers_in.server;
    if (request->http->connection->ssl == NULL)
        return STEP_NEXT;
    if (asked == NULL || asked->len != host->len || ngx_strncasecmp(asked->data, host->data, host->len) != 0)
        return refuse_with(request, &misdirected);
    return STEP_NEXT;
}

/* FSC Core 2.0.0, 4.7.1.1, and decisions.md 5: a certificate can be revoked while its TLS connection is open.
 * nginx has checked the chain. */
static StepResult step_certificate(FscRequest *request)
{
    if (request->location->errors == FSC_ERROR_PAGE)
        return STEP_NEXT; /* officers' certificates are of another authority; `serve` checks them itself */
    FscCertificate *certificate = fsc_certificate_of(request->http);
    if (certificate == NULL)
        return request->location->role == FSC_ROLE_INWAY ? refuse_with(request, &fsc_refusal_certificate)
                                                         : STEP_NEXT;
    if (fsc_revoked_check(request->main->revoked, certificate))
        return refuse_with(request, &fsc_refusal_revoked);
    FscTrust *trust = request->main->trust;
    if (trust != NULL && !fsc_trust_holds(trust, request->http->connection, &certificate->trust))
        return refuse_with(request, &fsc_refusal_untrusted);
    return STEP_NEXT;
}

/* Verdicts and routes. */

static void answer_take(FscRequest *request, FscAnswer *answer)
{
    request->answer = answer;
    fsc_target_ref(answer->target);
    if (request->target != NULL)
        fsc_target_unref(request->target);
    request->target = answer->target;
}

static void ticket_done(FscTicket *ticket, ngx_uint_t status, FscAnswer *answer, const ngx_str_t *message)
{
    FscRequest *request = ticket->data;
    if (answer != NULL)
        answer_take(request, answer);
    if (status != FRAME_STATUS_OK) {
        request->refusal = fsc_refusal_of(status);
        request->refusal_message.data = ngx_pstrdup(request->http->pool, (ngx_str_t *)message);
        request->refusal_message.len = request->refusal_message.data != NULL ? message->len : 0;
    }
    step_done(request);
}

static StepResult ask(FscRequest *request, FscCache *cache, FscFrame *frame, enum frame_type type)
{
    request->ticket.done = ticket_done;
    request->ticket.data = request;
    FscAnswer *answer = NULL;
    ngx_int_t rc = fsc_cache_ask(cache, fsc_frame_end(frame, type), &request->ticket, &answer);
    if (rc == NGX_OK)
        answer_take(request, answer);
    return rc == NGX_OK ? STEP_NEXT : rc == NGX_AGAIN ? STEP_WAIT : refuse(request, FRAME_STATUS_NOT_READY);
}

/* With or without "Bearer ": the standard's text has the one, its implementations the other. */
static ngx_str_t token_of(ngx_str_t value)
{
    if (value.len >= 7 && ngx_strncasecmp(value.data, (u_char *)"Bearer ", 7) == 0) {
        value.data += 7;
        value.len -= 7;
    }
    while (value.len > 0 && value.data[0] == ' ') {
        value.data++;
        value.len--;
    }
    return value;
}

/* FSC Core 2.0.0, 4.7.1.2: the token, bound to this certificate (RFC 8705, 3.1). */
static StepResult step_verify(FscRequest *request)
{
    if (request->repeated & FSC_REPEATED_AUTHORIZATION)
        return refuse(request, FRAME_STATUS_ACCESS_TOKEN_INVALID);
    ngx_str_t token = token_of(request->authorization);
    if (token.len == 0 || (token.len == 6 && ngx_strncasecmp(token.data, (u_char *)"Bearer", 6) == 0))
        return refuse(request, FRAME_STATUS_ACCESS_TOKEN_MISSING);
    FscCertificate *certificate = fsc_certificate_of(request->http);
    if (certificate == NULL)
        return refuse(request, FRAME_STATUS_ACCESS_TOKEN_INVALID);
    u_char bytes[20 * 1024]; /* large_client_header_buffers bounds a header at 16 KiB */
    const ngx_str_t thumbprint = {FSC_THUMBPRINT_SIZE, certificate->thumbprint};
    FscFrame frame;
    fsc_frame_begin(&frame, bytes, sizeof bytes);
    fsc_frame_text(&frame, &token);
    fsc_frame_text(&frame, &thumbprint);
    if (frame.length == 0)
        return refuse(request, FRAME_STATUS_ACCESS_TOKEN_INVALID);
    return ask(request, request->main->verdicts, &frame, FRAME_VERIFY);
}

/* "Host: SERVICE.PEERID", as the client wrote it but for the port: names of services tell case apart. */
static ngx_str_t host_of(const ngx_http_request_t *http)
{
    ngx_str_t host = ngx_null_string;
    if (http->headers_in.host == NULL)
        return host;
    host = http->headers_in.host->value;
    u_char *colon = ngx_strlchr(host.data, host.data + host.len, ':');
    if (colon != NULL)
        host.len = (size_t)(colon - host.data);
    return host;
}

/* FSC Core 2.0.0, 4.6.1.2. decisions.md 8: a service is named by grant hash or host, never by a path. */
static StepResult step_route(FscRequest *request)
{
    const uint64_t by_hash = 1, by_host = 2;
    ngx_flag_t hash = request->grant_hash.data != NULL;
    ngx_str_t selector = hash ? request->grant_hash : host_of(request->http);
    if (selector.len == 0 || (request->repeated & FSC_REPEATED_GRANT_HASH))
        return refuse(request, FRAME_STATUS_GRANT_NOT_NAMED);
    u_char bytes[1024];
    FscFrame frame;
    fsc_frame_begin(&frame, bytes, sizeof bytes);
    fsc_frame_text(&frame, &request->location->client);
    fsc_frame_number(&frame, hash ? by_hash : by_host);
    fsc_frame_text(&frame, &selector);
    if (frame.length == 0)
        return refuse(request, FRAME_STATUS_GRANT_UNKNOWN);
    return ask(request, request->main->routes, &frame, FRAME_ROUTE);
}

/* Transactions. */

/* FSC Logging 1.1.0, 3.3.1.1: the Inway uses the id that the Outway gave. */
static StepResult step_incoming_id(FscRequest *request)
{
    if (request->client_transaction.len == 0 && !(request->repeated & FSC_REPEATED_TRANSACTION))
        return refuse(request, FRAME_STATUS_LOG_ID_MISSING);
    if ((request->repeated & FSC_REPEATED_TRANSACTION) ||
        !fsc_transaction_valid(&request->client_transaction))
        return refuse(request, FRAME_STATUS_LOG_ID_INVALID);
    request->transaction_id = request->client_transaction;
    return STEP_NEXT;
}

/* FSC Logging 1.1.0, 3.4.1.1: the Outway makes one. A client that needs to know it beforehand may bring its
 * own. */
static StepResult step_outgoing_id(FscRequest *request)
{
    if (request->client_transaction.data != NULL)
        return step_incoming_id(request);
    if (fsc_transaction_new(request->transaction) != NGX_OK)
        return refuse(request, FRAME_STATUS_LOG_WRITE_ERROR);
    request->transaction_id.data = request->transaction;
    request->transaction_id.len = FSC_TRANSACTION_SIZE;
    return STEP_NEXT;
}

static void log_answered(FscCall *call, ngx_uint_t status, const u_char *payload, size_t length)
{
    FscRequest *request = call->data;
    (void)payload;
    (void)length;
    if (status == FRAME_STATUS_OK)
        request->logged = 1;
    else
        request->refusal =
            fsc_refusal_of(status == FRAME_STATUS_LOG_ID_INVALID ? status : FRAME_STATUS_LOG_WRITE_ERROR);
    step_done(request);
}

/* FSC Logging 1.1.0, 3.3.1.1 and 3.4.1.1: no request goes on before its record is known to be on disk. */
static StepResult step_log(FscRequest *request)
{
    if (request->logged)
        return STEP_NEXT;
    FscDirection direction = request->location->role == FSC_ROLE_INWAY ? FSC_INCOMING : FSC_OUTGOING;
    request->call.frame = fsc_transaction_record(request->http->pool, direction, &request->transaction_id,
                                                 &request->answer->template, &request->traceparent);
    request->call.answered = log_answered;
    request->call.data = request;
    if (request->call.frame.len == 0 || fsc_frames_call(request->main->frames, &request->call) != NGX_OK)
        return refuse(request, FRAME_STATUS_LOG_WRITE_ERROR);
    return STEP_WAIT;
}

/* decisions.md 1: a verdict dies when it is flushed, also for a request that waited for its log record
 * meanwhile: it goes back to the step that asks. Its record stays, and tells of an attempt. */
static StepResult again_unless_stands(FscRequest *request, const FscCache *cache, Step asks)
{
    if (fsc_cache_stands(cache, request->answer))
        return STEP_NEXT;
    fsc_answer_unref(request->answer);
    request->answer = NULL;
    while (steps_of[request->location->role][request->step] != asks)
        request->step--;
    return STEP_AGAIN;
}

static StepResult step_verdict_stands(FscRequest *request)
{
    return again_unless_stands(request, request->main->verdicts, step_verify);
}

static StepResult step_route_stands(FscRequest *request)
{
    return again_unless_stands(request, request->main->routes, step_route);
}

/* decisions.md 30: requests for the node itself wait while it is being replaced. */

static void node_there(FscCall *call, ngx_uint_t status, const u_char *payload, size_t length)
{
    FscRequest *request = call->data;
    (void)payload;
    (void)length;
    if (status != FRAME_STATUS_OK)
        request->refusal = fsc_refusal_of(FRAME_STATUS_NOT_READY);
    step_done(request);
}

static StepResult step_node(FscRequest *request)
{
    static const ngx_str_t no_name = ngx_string("");
    request->target = fsc_target_get(request->main->targets, &request->location->node, &no_name);
    if (request->target == NULL)
        return refuse(request, FRAME_STATUS_NOT_READY);
    if (fsc_frames_ready(request->main->frames))
        return STEP_NEXT;
    request->call.answered = node_there;
    request->call.data = request;
    return fsc_frames_call(request->main->frames, &request->call) == NGX_OK
               ? STEP_WAIT
               : refuse(request, FRAME_STATUS_NOT_READY);
}

static void look_again(ngx_event_t *event)
{
    FscRequest *request = event->data;
    request->waiting = 0;
    fsc_request_resume(request); /* the same step again */
}

/* A node that ends closes its doors before its socket of frames, and one that begins opens them one after the
 * other: what goes to one of its own sockets waits until somebody is behind it. Looked at only when there is
 * no open connection. */
static StepResult step_door(FscRequest *request)
{
    if (!fsc_target_is_beside(request->target, &request->main->socket) || fsc_target_answers(request->target))
        return STEP_NEXT;
    if (request->held == 0)
        request->held = ngx_current_msec;
    if (ngx_current_msec - request->held >= DOOR_MAX_MS)
        return STEP_NEXT; /* nginx will say what is wrong */
    request->again.handler = look_again;
    request->again.data = request;
    request->again.log = request->http->connection->log;
    ngx_add_timer(&request->again, DOOR_MS);
    return STEP_WAIT;
}

static const Step inway_steps[] = {step_headers,        step_name,        step_certificate,
                                   step_verify,         step_incoming_id, step_log,
                                   step_verdict_stands, step_door,        NULL};
static const Step outway_steps[] = {step_headers, step_outgoing_id,  step_route,
                                    step_log,     step_route_stands, NULL};
static const Step node_steps[] = {step_headers, step_name, step_certificate, step_node, step_door, NULL};

static const Step *const steps_of[FSC_ROLE_COUNT] = {
    [FSC_ROLE_INWAY] = inway_steps, [FSC_ROLE_OUTWAY] = outway_steps, [FSC_ROLE_NODE] = node_steps};

/* Life of a request. */

static void request_stop_waiting(void *data)
{
    FscRequest *request = data;
    fsc_ticket_cancel(&request->ticket);
    fsc_frames_cancel(request->main->frames, &request->call);
    if (request->again.timer_set)
        ngx_del_timer(&request->again);
}

static void request_free(void *data)
{
    FscRequest *request = data;
    request_stop_waiting(data);
    fsc_answer_unref(request->answer);
    request->answer = NULL;
    if (request->target != NULL)
        fsc_target_unref(request->target);
    request->target = NULL;
}

static FscRequest *request_create(ngx_http_request_t *http, const FscLocation *location)
{
    FscRequest *request = ngx_pcalloc(http->pool, sizeof *request);
    ngx_http_cleanup_t *stop = ngx_http_cleanup_add(http, 0);
    ngx_pool_cleanup_t *free = ngx_pool_cleanup_add(http->pool, 0);
    if (request == NULL || stop == NULL || free == NULL)
        return NULL;
    request->http = http;
    request->main = fsc_main_of(http);
    request->location = location;
    request->began_us = fsc_traffic_now_us();
    stop->handler = request_stop_waiting; /* when nginx gives the request up */
    stop->data = request;
    free->handler = request_free; /* after nginx's upstream gave its connection back */
    free->data = request;
    ngx_http_set_ctx(http, request, ngx_http_fsc_module);
    return request;
}

FscRequest *fsc_request_of(ngx_http_request_t *http)
{
    FscRequest *request = ngx_http_get_module_ctx(http, ngx_http_fsc_module);
    if (request != NULL || !(http->internal || http->filter_finalize))
        return request;
    for (ngx_pool_cleanup_t *cleanup = http->pool->cleanup; cleanup != NULL; cleanup = cleanup->next)
        if (cleanup->handler == request_free)
            return cleanup->data;
    return NULL;
}

ngx_int_t fsc_request_access(ngx_http_request_t *http)
{
    const FscLocation *location = ngx_http_get_module_loc_conf(http, ngx_http_fsc_module);
    if (location->role == FSC_ROLE_NONE)
        return NGX_DECLINED;
    FscRequest *request = fsc_request_of(http);
    if (request == NULL && (request = request_create(http, location)) == NULL)
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    if (request->waiting)
        return NGX_AGAIN;
    const Step *steps = steps_of[location->role];
    while (request->refusal == NULL && steps[request->step] != NULL) {
        StepResult result = steps[request->step](request);
        if (result == STEP_WAIT) {
            request->waiting = 1;
            return NGX_AGAIN;
        }
        if (result == STEP_NEXT)
            request->step++;
    }
    if (request->refusal == NULL)
        return NGX_OK;
    ngx_http_finalize_request(
        http, fsc_error_send(http, location->errors, request->refusal, &request->refusal_message));
    return NGX_DONE;
}

void fsc_request_resume(FscRequest *request)
{
    ngx_connection_t *connection = request->http->connection;
    ngx_http_set_log_request(connection->log, request->http);
    ngx_http_core_run_phases(request->http);
    ngx_http_run_posted_requests(connection);
}

/* nginx has set the time of the header only when a whole one came. */
static ngx_flag_t was_answered(const ngx_http_request_t *http)
{
    return http->upstream != NULL && http->upstream->state != NULL &&
           http->upstream->state->header_time != (ngx_msec_t)-1;
}

static enum frame_traffic outcome_of(const FscRequest *request)
{
    const ngx_http_request_t *http = request->http;
    if (!was_answered(http))
        return request->refusal != NULL || http->upstream == NULL ? FRAME_TRAFFIC_REFUSED
                                                                  : FRAME_TRAFFIC_UNDELIVERED;
    ngx_uint_t class = http->headers_out.status / 100;
    return class >= 2 && class <= 4 ? (enum frame_traffic)(FRAME_TRAFFIC_STATUS_2XX + (class - 2))
                                    : FRAME_TRAFFIC_STATUS_5XX;
}

static void count(const FscRequest *request)
{
    const ngx_http_request_t *http = request->http;
    FscPassage passage = {
        .direction = request->location->role == FSC_ROLE_INWAY ? FSC_INCOMING : FSC_OUTGOING,
        .outcome = outcome_of(request),
        .bytes_in = http->request_length > 0 ? (uint64_t)http->request_length : 0,
        .bytes_out = http->connection->sent > 0 ? (uint64_t)http->connection->sent : 0,
        .us = fsc_traffic_now_us() - request->began_us,
    };
    if (request->answer != NULL) {
        passage.peer_id = request->answer->peer_id;
        passage.service = request->answer->service;
    }
    fsc_traffic_count(request->main->traffic, &passage);
}

static void tell_outcome(const FscRequest *request)
{
    const ngx_http_request_t *http = request->http;
    u_char bytes[FSC_OUTCOME_SIZE];
    ngx_flag_t sent = http->upstream != NULL && http->upstream->request_sent;
    off_t body = http->connection->sent - (off_t)http->header_size;
    fsc_frames_tell(request->main->frames,
                    fsc_transaction_outcome(bytes, FSC_OUTGOING, &request->transaction_id, sent,
                                            http->headers_out.status, body));
}

void fsc_request_outcome(ngx_http_request_t *http)
{
    FscRequest *request = fsc_request_of(http);
    if (request == NULL || request->location->role == FSC_ROLE_NODE)
        return;
    count(request);
    if (request->logged && request->location->role == FSC_ROLE_OUTWAY)
        tell_outcome(request);
}
