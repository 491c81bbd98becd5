/* The node's side of Inway and Outway: what the edge asks in frames (core/node/frames.h).
 *
 * LOG runs on the thread of the frames server and does nothing but hand the record to the journal. VERIFY and
 * ROUTE run on a small pool, so that a flood of bad tokens cannot hold up the confirmation of log records.
 * Neither waits for the network: tokens.c answers later.
 *
 * A template is what stands in every log record of one token, so that LOG is a copy of pointers: the fields
 * of `enum template_field`, each ending with a NUL inside the field.
 */
#include "components/fsc/gateway.h"

#include <string.h>

#include "components/fsc/edge_counters.h"
#include "components/fsc/external.h"
#include "components/fsc/internal.h"
#include "components/fsc/recent.h"
#include "components/fsc/traffic.h"
#include "components/logboek/logboek.h"
#include "core/base/identifiers.h"
#include "core/base/trace.h"

#define DECIDERS 2
#define DECIDERS_QUEUE_MAX 10000
#define DIRECTION_INCOMING 1
#define DIRECTION_OUTGOING 2

/* --- templates --- */

gboolean gateway_template_write(const GatewayTemplate *template, guint8 *out, gsize size, gsize *length)
{
    const char *const fields[] = {template->grant_hash,        template->outway_peer_id,
                                  template->outway_delegator,  template->service_peer_id,
                                  template->service_delegator, template->service_name,
                                  template->additional_data};
    *length = 0;
    for (gsize i = 0; i < G_N_ELEMENTS(fields); i++) {
        const char *text = fields[i] != NULL ? fields[i] : "";
        *length = frame_field_put(out, size, *length, text, strlen(text) + 1);
        if (*length == 0)
            return FALSE;
    }
    return TRUE;
}

static const char *read_text(const guint8 *data, gsize length, gsize *position)
{
    const uint8_t *text;
    size_t n;
    if (frame_field_get(data, length, position, &text, &n) != 0 || n == 0 ||
        memchr(text, '\0', n) != text + n - 1)
        return NULL;
    return (const char *)text;
}

static const char *or_null(const char *text)
{
    return *text != '\0' ? text : NULL;
}

gboolean gateway_template_read(const guint8 *data, gsize length, GatewayTemplate *template)
{
    const char *fields[7];
    gsize position = 0;
    for (gsize i = 0; i < G_N_ELEMENTS(fields); i++) {
        fields[i] = read_text(data, length, &position);
        if (fields[i] == NULL)
            return FALSE;
    }
    *template = (GatewayTemplate){fields[0],          fields[1], or_null(fields[2]), fields[3],
                                  or_null(fields[4]), fields[5], or_null(fields[6])};
    return position == length;
}

/* --- LOG --- */

static void on_logged(TransactionVerdict verdict, gpointer user_data)
{
    FrameCall *call = user_data;
    if (verdict == TRANSACTION_LOGGED)
        frame_call_answer(call, FRAME_STATUS_OK, NULL, 0);
    else if (verdict == TRANSACTION_REPLAYED)
        frame_call_refuse(call, FRAME_STATUS_LOG_ID_INVALID,
                          "the Fsc-Transaction-Id was used before; each request needs a new one");
    else
        frame_call_refuse(call, FRAME_STATUS_LOG_WRITE_ERROR,
                          "the transaction log record could not be written");
    frame_call_unref(call);
}

/* A text field as a C string in `out`; FALSE when it is missing or longer than fits. */
static gboolean copy_text(const guint8 *payload, gsize length, gsize *position, char *out, gsize size)
{
    const uint8_t *text;
    size_t n;
    if (frame_field_get(payload, length, position, &text, &n) != 0 || n >= size ||
        memchr(text, '\0', n) != NULL)
        return FALSE;
    memcpy(out, text, n);
    out[n] = '\0';
    return TRUE;
}

typedef struct {
    uint64_t direction, made_us;
    char transaction_id[UUID_TEXT_SIZE];
    char traceparent[TRACEPARENT_SIZE];
    GatewayTemplate template;
} LogFrame;

static gboolean log_read(const guint8 *payload, gsize length, LogFrame *frame)
{
    gsize position = 0;
    const uint8_t *template;
    size_t template_length;
    return frame_field_get_u64(payload, length, &position, &frame->direction) == 0 &&
           (frame->direction == DIRECTION_INCOMING || frame->direction == DIRECTION_OUTGOING) &&
           copy_text(payload, length, &position, frame->transaction_id, sizeof frame->transaction_id) &&
           frame_field_get(payload, length, &position, &template, &template_length) == 0 &&
           gateway_template_read(template, template_length, &frame->template) &&
           copy_text(payload, length, &position, frame->traceparent, sizeof frame->traceparent) &&
           frame_field_get_u64(payload, length, &position, &frame->made_us) == 0 &&
           frame->made_us < G_MAXINT64;
}

void gateway_log(FrameCall *call, gpointer user_data)
{
    Fsc *fsc = user_data;
    LogFrame frame;
    TraceContext trace;
    gsize length;
    const guint8 *payload = frame_call_payload(call, &length);
    if (!log_read(payload, length, &frame)) {
        frame_call_refuse(call, FRAME_STATUS_BAD_FRAME, "the log record is malformed");
        return;
    }
    if (!uuid7_valid(frame.transaction_id)) {
        frame_call_refuse(call, FRAME_STATUS_LOG_ID_INVALID, "the Fsc-Transaction-Id must be a UUIDv7");
        return;
    }
    if (!recent_admits(fsc->recent, frame.transaction_id, frame.direction, frame.made_us)) {
        on_logged(TRANSACTION_REPLAYED, frame_call_ref(call));
        return;
    }
    gboolean traced = *frame.traceparent != '\0' && trace_continue(frame.traceparent, &trace);
    LogboekTransaction record = {.transaction_id = frame.transaction_id,
                                 .incoming = frame.direction == DIRECTION_INCOMING,
                                 .grant_hash = frame.template.grant_hash,
                                 .outway_peer_id = frame.template.outway_peer_id,
                                 .outway_delegator = frame.template.outway_delegator,
                                 .service_peer_id = frame.template.service_peer_id,
                                 .service_delegator = frame.template.service_delegator,
                                 .service_name = frame.template.service_name,
                                 .trace_id = traced ? trace.trace_id : NULL,
                                 .created_at = (gint64)(frame.made_us / G_USEC_PER_SEC),
                                 .additional_data = frame.template.additional_data};
    logboek_append_transaction(logboek_of(fsc->node), &record, on_logged, frame_call_ref(call));
}

void gateway_outcome(FrameCall *call, gpointer user_data)
{
    Fsc *fsc = user_data;
    char transaction_id[UUID_TEXT_SIZE];
    uint64_t direction, sent, status, bytes;
    gsize length, position = 0;
    const guint8 *payload = frame_call_payload(call, &length);
    if (frame_field_get_u64(payload, length, &position, &direction) != 0 ||
        !copy_text(payload, length, &position, transaction_id, sizeof transaction_id) ||
        frame_field_get_u64(payload, length, &position, &sent) != 0 ||
        frame_field_get_u64(payload, length, &position, &status) != 0 ||
        frame_field_get_u64(payload, length, &position, &bytes) != 0 || !uuid7_valid(transaction_id))
        return;
    logboek_append_outcome(logboek_of(fsc->node), transaction_id, direction == DIRECTION_INCOMING, sent != 0,
                           (guint)status, bytes);
}

/* --- numbers --- */

/* Text that may stand in a label of the metrics as it is. */
static gboolean is_plain(const char *text)
{
    for (; *text != '\0'; text++)
        if (!g_ascii_isgraph(*text) || *text == '"' || *text == '\\')
            return FALSE;
    return TRUE;
}

/* Numbers of a list that may be shorter or longer than is known here: another version of the edge made it. */
static gboolean read_counts(const guint8 *payload, gsize length, gsize *position, guint64 *counts, gsize n,
                            gsize size)
{
    const uint8_t *data;
    size_t bytes;
    if (frame_field_get(payload, length, position, &data, &bytes) != 0 || bytes % size != 0)
        return FALSE;
    for (gsize i = 0; i < MIN(n, bytes / size); i++)
        counts[i] = size == sizeof(guint64) ? frame_get_u64(data + i * size) : frame_get_u32(data + i * size);
    return TRUE;
}

void gateway_traffic(FrameCall *call, gpointer user_data)
{
    Fsc *fsc = user_data;
    char peer_id[64], service[128];
    uint64_t direction;
    TrafficSum sum = {0};
    gsize length, position = 0;
    const guint8 *payload = frame_call_payload(call, &length);
    if (frame_field_get_u64(payload, length, &position, &direction) != 0 ||
        (direction != DIRECTION_INCOMING && direction != DIRECTION_OUTGOING) ||
        !copy_text(payload, length, &position, peer_id, sizeof peer_id) || !is_plain(peer_id) ||
        !copy_text(payload, length, &position, service, sizeof service) || !is_plain(service) ||
        !read_counts(payload, length, &position, sum.counts, FRAME_TRAFFIC_COUNT, sizeof(guint64)) ||
        !read_counts(payload, length, &position, sum.latency, FRAME_LATENCY_BUCKETS, sizeof(guint32)))
        return;
    const TrafficKey key = {direction == DIRECTION_INCOMING ? TRAFFIC_INCOMING : TRAFFIC_OUTGOING, peer_id,
                            service};
    traffic_add(fsc->traffic, &key, &sum);
}

void gateway_edge(FrameCall *call, gpointer user_data)
{
    Fsc *fsc = user_data;
    gsize length;
    const guint8 *payload = frame_call_payload(call, &length);
    if (!edge_counters_take(fsc->edge, payload, length, g_get_monotonic_time()))
        g_debug("fsc: a worker said something about itself that cannot be read");
}

/* --- VERIFY --- */

/* The contract behind the token, which may have been revoked since: a token dies with it (decisions.md 1). */
static Agreement *contract_behind(Fsc *fsc, const Token *token, gint64 now_s)
{
    const Grant *grant = NULL;
    g_autoptr(Agreement) agreement = agreements_find(fsc->agreements, token->grant_hash, &grant);
    if (agreement == NULL || agreement_state(agreement, now_s) != CONTRACT_VALID ||
        grant->outway_peer_id == NULL || !g_str_equal(grant->outway_peer_id, token->outway_peer_id) ||
        !g_str_equal(grant->service_name, token->service_name))
        return NULL;
    return g_steal_pointer(&agreement);
}

static void answer_verdict(Fsc *fsc, FrameCall *call, const Token *token, const Agreement *agreement,
                           gint64 now_s)
{
    guint8 template[GATEWAY_TEMPLATE_MAX], out[2 * GATEWAY_TEMPLATE_MAX];
    gsize template_length = 0, n = 0;
    /* External Contract 1.0.0, 3.4: "The Inway MUST include External Contract Reference properties in the
     * Transaction Log records as additional_data". */
    g_autofree char *additional = external_additional_data(token->properties);
    GatewayTemplate fields = {
        token->grant_hash,        token->outway_peer_id, token->delegator, token->service_peer_id,
        token->service_delegator, token->service_name,   additional};
    gint64 until = MIN(token->expires_at + TOKEN_CLOCK_TOLERANCE_S, agreement_changes_at(agreement, now_s));
    g_autofree char *upstream = fsc_service_upstream(fsc, token->service_name);
    if (gateway_template_write(&fields, template, sizeof template, &template_length)) {
        n = frame_field_put_u64(out, sizeof out, 0, (guint64)until);
        n = frame_field_put(out, sizeof out, n, token->service_name, strlen(token->service_name));
        n = frame_field_put(out, sizeof out, n, upstream, strlen(upstream));
        n = frame_field_put(out, sizeof out, n, token->outway_peer_id, strlen(token->outway_peer_id));
        n = frame_field_put(out, sizeof out, n, token->grant_hash, strlen(token->grant_hash));
        n = frame_field_put(out, sizeof out, n, template, template_length);
    }
    if (n == 0)
        frame_call_refuse(call, FRAME_STATUS_BAD_FRAME, "the verdict does not fit in a frame");
    else
        frame_call_answer(call, FRAME_STATUS_OK, out, n);
}

static void verify(Fsc *fsc, FrameCall *call)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(Jws) jws = NULL;
    Token token;
    gsize length, position = 0;
    gint64 now_s = fsc_now_s(fsc);
    const guint8 *payload = frame_call_payload(call, &length);
    g_autofree char *text = g_malloc(length + 1);
    char thumbprint[CERTIFICATE_THUMBPRINT_SIZE];
    if (!copy_text(payload, length, &position, text, length + 1) ||
        !copy_text(payload, length, &position, thumbprint, sizeof thumbprint)) {
        frame_call_refuse(call, FRAME_STATUS_BAD_FRAME, "the question about a token is malformed");
        return;
    }
    g_autoptr(GPtrArray) own = fsc_token_certificates(fsc);
    TokenVerification verification = {.thumbprint = thumbprint,
                                      .group_id = node_group_id(fsc->node),
                                      .own_peer_id = node_oin(fsc->node),
                                      .inway_address = fsc->inway_address,
                                      .own_certificates = own,
                                      .offered_services = fsc->services,
                                      .now_s = now_s};
    enum frame_status status = token_verify(text, &verification, &jws, &token, &error);
    if (status != FRAME_STATUS_OK) {
        frame_call_refuse(call, (guint16)status, error->message);
        return;
    }
    g_autoptr(Agreement) agreement = contract_behind(fsc, &token, now_s);
    if (agreement == NULL)
        frame_call_refuse(call, FRAME_STATUS_ACCESS_TOKEN_INVALID,
                          "the contract behind this access token is not valid any more");
    else
        answer_verdict(fsc, call, &token, agreement, now_s);
}

/* --- ROUTE --- */

static void route(Fsc *fsc, FrameCall *call)
{
    char client[256], selector[512];
    uint64_t kind;
    gsize length, position = 0;
    const guint8 *payload = frame_call_payload(call, &length);
    if (copy_text(payload, length, &position, client, sizeof client) &&
        frame_field_get_u64(payload, length, &position, &kind) == 0 &&
        copy_text(payload, length, &position, selector, sizeof selector))
        outway_route(fsc, call, client, kind, selector);
    else
        frame_call_refuse(call, FRAME_STATUS_BAD_FRAME, "the question about a route is malformed");
}

/* --- the pool --- */

static void decide(gpointer data, gpointer user_data)
{
    FrameCall *call = data;
    Fsc *fsc = user_data;
    if (frame_call_type(call) == FRAME_VERIFY)
        verify(fsc, call);
    else
        route(fsc, call);
    frames_server_flush(node_frames(fsc->node));
    frame_call_unref(call);
}

GThreadPool *gateway_deciders_new(Fsc *fsc)
{
    return g_thread_pool_new(decide, fsc, DECIDERS, FALSE, NULL);
}

void gateway_decide(FrameCall *call, gpointer user_data)
{
    Fsc *fsc = user_data;
    if (g_thread_pool_unprocessed(fsc->deciders) > DECIDERS_QUEUE_MAX)
        frame_call_refuse(call, FRAME_STATUS_NOT_READY,
                          "too many requests are waiting for a decision; try again");
    else
        g_thread_pool_push(fsc->deciders, frame_call_ref(call), NULL);
}
