/* OpenTelemetry Protocol 1.x: ExportTraceServiceRequest from protobuf or JSON into one flat list of spans,
 * and ExportLogsServiceRequest into one of log records, which are read into the same struct.
 *
 * Own bounded reader: no generated code, no recursion beyond the depth of the message, limits on spans,
 * attributes and string sizes. Unknown protobuf fields are skipped as the protocol demands; unknown JSON
 * members likewise. Span events, links and dropped counts are read past. Fuzzed.
 *
 * One wrong id does not cost an exporter its whole batch: that span stays in the list, with ids_valid FALSE,
 * and the caller rejects it in the response. Broken encoding, text that JSON cannot hold and anything over a
 * limit refuse the whole message. Of attributes with the same key the first one counts. Nested values may go
 * 8 deep and a message may hold 200,000 of them.
 */
#pragma once

#include <glib.h>
#include <jansson.h>

typedef struct {
    guint8 trace_id[16];
    guint8 span_id[8];
    guint8 parent_span_id[8]; /* all zero when absent */
    gboolean has_parent;
    gboolean ids_valid; /* trace and span id have the right length and are not all zero; a parent has that
                           length */
    char *name;         /* "" when absent */
    guint64 start_ns, end_ns;
    int status;         /* 0 Unset, 1 Ok, 2 Error */
    json_t *attributes; /* object; AnyValue as JSON: string, boolean, integer, real, array, object, bytes as
                         * base64; what JSON cannot hold as a number is text, as in OTLP/JSON: integers beyond
                         * 2^53-1, "NaN", "Infinity", "-Infinity"; an AnyValue without a value is null */
    json_t *resource;   /* object with the attributes of the resource; shared between spans of it */
    json_t *body;       /* of a log record; NULL when absent. Its event_name is `name`, its time `start_ns` */
} OtlpSpan;

typedef struct {
    gsize bytes;      /* default 4 MiB */
    guint spans;      /* default 10,000 */
    guint attributes; /* a span; default 128 */
    gsize text;       /* one string; default 16 KiB */
} OtlpLimits;

extern const OtlpLimits OTLP_LIMITS_DEFAULT;

void otlp_span_free(OtlpSpan *span);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(OtlpSpan, otlp_span_free)

/* Array of OtlpSpan* with a free function, in the order of the message; NULL with FUNDAMENT_ERROR_INVALID or
 * _LIMIT. `limits` may be NULL for the defaults. */
GPtrArray *otlp_parse_protobuf(const guint8 *data, gsize length, const OtlpLimits *limits, GError **error);
GPtrArray *otlp_parse_json(const char *text, gsize length, const OtlpLimits *limits, GError **error);

/* The same for log records. Severity, flags and the time of observation are read past. */
GPtrArray *otlp_parse_logs_protobuf(const guint8 *data, gsize length, const OtlpLimits *limits,
                                    GError **error);
GPtrArray *otlp_parse_logs_json(const char *text, gsize length, const OtlpLimits *limits, GError **error);

/* ExportTraceServiceResponse with partial_success when `rejected` > 0 (else the empty message), in either
 * encoding. */
GBytes *otlp_response_protobuf(gint64 rejected, const char *message);
json_t *otlp_response_json(gint64 rejected, const char *message);
