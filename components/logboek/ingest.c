/* POST /v1/traces: OTLP/HTTP 1.x from applications of this organisation, protobuf or JSON, plain or gzip. The
 * answer 200 means that the records are on disk (LDV 1.0.0, 3.2.1: "Het Logboek MOET het wegschrijven van
 * elke logregel bevestigen"). */
#include <gio/gio.h>

#include "components/logboek/ingest.h"
#include "components/logboek/span.h"
#include "core/base/error.h"
#include "core/format/otlp.h"
#include "core/net/problem.h"

#define BODY_MAX (4 * 1024 * 1024)
#define RETRY_AFTER_S "1"

static BodyKind body_kind(const Request *request)
{
    const char *type = request_header(request, "Content-Type");
    g_autofree char *media = g_strndup(type == NULL ? "" : type, type == NULL ? 0 : strcspn(type, "; \t"));
    return g_ascii_strcasecmp(media, "application/x-protobuf") == 0 ? BODY_PROTOBUF
           : g_ascii_strcasecmp(media, "application/json") == 0     ? BODY_JSON
                                                                    : BODY_OTHER;
}

/* OTLP 1.x, "OTLP/HTTP Response": an error is a google.rpc.Status in the encoding of the request; field 2 is
 * the message. */
void ingest_respond_status(Request *request, BodyKind kind, guint status, const char *message)
{
    if (kind == BODY_JSON) {
        respond_json(request, status, json_pack("{ss}", "message", message));
        return;
    }
    g_autoptr(GByteArray) out = g_byte_array_new();
    gsize length = MIN(strlen(message), 1000);
    guint8 head[] = {2 << 3 | 2, (guint8)(length & 0x7f), (guint8)(length >> 7)};
    if (length > 0x7f)
        head[1] |= 0x80;
    g_byte_array_append(out, head, length > 0x7f ? 3 : 2);
    g_byte_array_append(out, (const guint8 *)message, (guint)length);
    respond_bytes(request, status, "application/x-protobuf",
                  g_byte_array_free_to_bytes(g_steal_pointer(&out)));
}

/* Bounded: a small body that swells is refused. */
static GBytes *gunzip(GBytes *body, GError **error)
{
    g_autoptr(GZlibDecompressor) gzip = g_zlib_decompressor_new(G_ZLIB_COMPRESSOR_FORMAT_GZIP);
    gsize length, given = 0, made = 0;
    const guint8 *data = g_bytes_get_data(body, &length);
    g_autofree guint8 *out = g_malloc(BODY_MAX + 1);
    GConverterResult result = G_CONVERTER_CONVERTED;
    while (result == G_CONVERTER_CONVERTED && made <= BODY_MAX) {
        gsize read = 0, written = 0;
        result = g_converter_convert(G_CONVERTER(gzip), data + given, length - given, out + made,
                                     BODY_MAX + 1 - made, G_CONVERTER_INPUT_AT_END, &read, &written, NULL);
        given += read;
        made += written;
    }
    if (result != G_CONVERTER_FINISHED || made > BODY_MAX) {
        g_set_error(error, FUNDAMENT_ERROR, FUNDAMENT_ERROR_INVALID,
                    "the body is not gzip, is cut short, or is more than 4 MiB when unpacked");
        return NULL;
    }
    return g_bytes_new_take(g_steal_pointer(&out), made);
}

static GBytes *plain_body(Request *request, GError **error)
{
    const char *encoding = request_header(request, "Content-Encoding");
    GBytes *body = request_body(request);
    if (encoding == NULL || g_ascii_strcasecmp(encoding, "identity") == 0)
        return g_bytes_ref(body);
    if (g_ascii_strcasecmp(encoding, "gzip") == 0)
        return gunzip(body, error);
    g_set_error(error, FUNDAMENT_ERROR, FUNDAMENT_ERROR_INVALID, "Content-Encoding must be gzip or identity");
    return NULL;
}

/* --- rejected spans --- */

void ingest_reject(Rejections *rejections, const char *what, guint number, const char *reason)
{
    if (rejections->count++ < 5)
        g_string_append_printf(rejections->reasons, "%s%s %u: %s", rejections->reasons->len > 0 ? "; " : "",
                               what, number + 1, reason);
    else if (rejections->count == 6)
        g_string_append(rejections->reasons, "; ...");
}

/* A repeated record is accepted, since an exporter sends again what it got no answer for. One that differs is
 * kept and flagged, and rejected: the application has to know that it gave one action two faces. */
static void reject_conflicts(const GArray *places, const RecordOutcome *outcomes, Rejections *rejections)
{
    for (guint i = 0; i < places->len; i++)
        if (outcomes[i] == RECORD_CONFLICT)
            ingest_reject(
                rejections, "span", g_array_index(places, guint, i),
                "another record with this trace, span and subject is in the log already; both are kept");
}

static void respond_accepted(Request *request, BodyKind kind, const Rejections *rejections)
{
    if (kind == BODY_JSON)
        respond_json(request, 200, otlp_response_json(rejections->count, rejections->reasons->str));
    else
        respond_bytes(request, 200, "application/x-protobuf",
                      otlp_response_protobuf(rejections->count, rejections->reasons->str));
}

/* --- the records --- */

static GPtrArray *encode_spans(const Logboek *logboek, const GPtrArray *spans, GArray *places,
                               Rejections *rejections)
{
    GPtrArray *encoded = g_ptr_array_new_with_free_func((GDestroyNotify)g_bytes_unref);
    for (guint i = 0; i < spans->len; i++) {
        g_autoptr(GError) error = NULL;
        g_autoptr(Record) record = record_from_span(spans->pdata[i], node_pseudonymizer(logboek->node),
                                                    logboek->register_base, &error);
        GBytes *bytes = record == NULL ? NULL : record_encode(&record->fields, &error);
        if (bytes == NULL) {
            ingest_reject(rejections, "span", i, error->message);
            continue;
        }
        g_ptr_array_add(encoded, bytes);
        g_array_append_val(places, i);
    }
    return encoded;
}

static void store_spans(Logboek *logboek, Request *request, BodyKind kind, const GPtrArray *spans)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GArray) places = g_array_new(FALSE, FALSE, sizeof(guint));
    Rejections rejections = {.reasons = g_string_new(NULL)};
    g_autoptr(GPtrArray) encoded = encode_spans(logboek, spans, places, &rejections);
    g_autofree RecordOutcome *outcomes = g_new0(RecordOutcome, encoded->len);
    if (!records_append(logboek->records, (GBytes *const *)encoded->pdata, encoded->len, outcomes, &error)) {
        ingest_respond_unavailable(request, kind, error);
    } else {
        reject_conflicts(places, outcomes, &rejections);
        g_atomic_int_add(&logboek->rejected, (gint)rejections.count);
        respond_accepted(request, kind, &rejections);
    }
    g_string_free(rejections.reasons, TRUE);
}

void ingest_respond_unavailable(Request *request, BodyKind kind, const GError *error)
{
    g_warning("%s", error->message);
    respond_header(request, "Retry-After", RETRY_AFTER_S);
    ingest_respond_status(request, kind, 503, "the log cannot be written now; send the same again");
}

static GPtrArray *parse(BodyKind kind, gboolean logs, GBytes *body, GError **error)
{
    gsize length;
    const void *data = g_bytes_get_data(body, &length);
    if (kind == BODY_JSON)
        return logs ? otlp_parse_logs_json(data, length, NULL, error)
                    : otlp_parse_json(data, length, NULL, error);
    return logs ? otlp_parse_logs_protobuf(data, length, NULL, error)
                : otlp_parse_protobuf(data, length, NULL, error);
}

GPtrArray *ingest_read(Request *request, gboolean logs, BodyKind *kind)
{
    *kind = body_kind(request);
    if (*kind == BODY_OTHER) {
        respond_problem(request, 415, "Unsupported Media Type",
                        "the content type must be application/x-protobuf or application/json");
        return NULL;
    }
    g_autoptr(GError) error = NULL;
    g_autoptr(GBytes) body = plain_body(request, &error);
    GPtrArray *spans = body == NULL ? NULL : parse(*kind, logs, body, &error);
    if (spans == NULL) /* 400, also for what is too large: an exporter must not send it again */
        ingest_respond_status(request, *kind, 400, error == NULL ? "this is no OTLP" : error->message);
    return spans;
}

void handle_traces(Request *request, gpointer context)
{
    BodyKind kind;
    g_autoptr(GPtrArray) spans = ingest_read(request, FALSE, &kind);
    if (spans != NULL)
        store_spans(context, request, kind, spans);
}
