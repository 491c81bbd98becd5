/* Decisions come in: from components of this node, and from applications of this organisation over OTLP/HTTP
 * (ADL 1.0.0, 3.1: "It is RECOMMENDED to use the OpenTelemetry Protocol"). */
#include "components/logboek/ingest.h"
#include "core/base/bytes.h"
#include "core/base/error.h"
#include "core/format/json.h"
#include "core/format/otlp.h"

static const char *const statuses[] = {"Unset", "Ok", "Error"};

/* 3.3.9: "the producing organisation MUST set resource such that records can be unambiguously attributed to
 * their producer". docs/logboek.md lists the keys. */
static json_t *own_resource(const Logboek *logboek)
{
    return json_pack("{s:s, s:s, s:s}", "service.name", "fundament", "service.version", FUNDAMENT_VERSION,
                     "nl.fundament.organization_id", node_oin(logboek->node));
}

static json_t *record_of(const Logboek *logboek, const LogboekDecision *decision)
{
    json_t *record = json_pack("{s:s, s:s, s:s, s:I, s:s, s:o}", "trace_id", decision->trace->trace_id,
                               "span_id", decision->trace->span_id, "event_name", decision->event_name,
                               "timestamp", (json_int_t)decision->timestamp_ms, "status",
                               statuses[CLAMP(decision->status, 0, 2)], "resource", own_resource(logboek));
    if (decision->trace->parent_id[0] != '\0') /* 3.3.3 */
        json_object_set_new(record, "parent_span_id", json_string(decision->trace->parent_id));
    if (decision->attributes != NULL)
        json_object_set(record, "attributes", (json_t *)decision->attributes);
    if (decision->body != NULL)
        json_object_set(record, "body", (json_t *)decision->body);
    return record;
}

gboolean logboek_decision_append(Logboek *logboek, const LogboekDecision *decision, GError **error)
{
    DecisionOutcome outcome;
    g_autoptr(json_t) record = record_of(logboek, decision);
    if (!decision_check(record, error)) {
        g_prefix_error(error, "decision log: ");
        return FALSE;
    }
    g_autoptr(GBytes) canonical = decision_encode(record, error);
    if (canonical == NULL || !decisions_append(logboek->decisions, &canonical, 1, &outcome, error))
        return FALSE;
    if (outcome != DECISION_CONFLICT)
        return TRUE;
    g_set_error_literal(error, FUNDAMENT_ERROR, FUNDAMENT_ERROR_CONFLICT,
                        "decision log: another record has this trace and span; records do not change");
    return FALSE;
}

/* --- from applications --- */

/* A log record of OTLP has no parent and no status; ADL 1.0.0 does not say where they go then. Here:
 * attributes with those names (docs/logboek.md). */
static void take_attribute(json_t *record, json_t *attributes, const char *name)
{
    json_t *value = json_object_get(attributes, name);
    if (value == NULL)
        return;
    json_object_set(record, name, value);
    json_object_del(attributes, name);
}

/* The record as ADL 1.0.0, 3.3 has it, still to be checked. New reference. */
static json_t *record_from_otlp(const OtlpSpan *log)
{
    g_autofree char *trace_id = hex_encode(log->trace_id, sizeof log->trace_id);
    g_autofree char *span_id = hex_encode(log->span_id, sizeof log->span_id);
    g_autoptr(json_t) attributes = json_copy(log->attributes);
    json_t *record =
        json_pack("{s:s, s:s, s:s, s:I, s:s}", "trace_id", trace_id, "span_id", span_id, "event_name",
                  log->name, "timestamp", (json_int_t)(log->start_ns / 1000000), "status", statuses[0]);
    take_attribute(record, attributes, "status");
    take_attribute(record, attributes, "parent_span_id");
    if (json_object_size(attributes) > 0)
        json_object_set(record, "attributes", attributes);
    if (json_object_size(log->resource) > 0)
        json_object_set(record, "resource", log->resource);
    if (log->body != NULL)
        json_object_set(record, "body", log->body);
    return record;
}

static GBytes *encode_log(const OtlpSpan *log, GError **error)
{
    if (!log->ids_valid) {
        g_set_error_literal(error, FUNDAMENT_ERROR, FUNDAMENT_ERROR_INVALID,
                            "trace_id and span_id must be 16 and 8 bytes, not all zero");
        return NULL;
    }
    g_autoptr(json_t) record = record_from_otlp(log);
    return decision_check(record, error) ? decision_encode(record, error) : NULL;
}

/* ExportLogsServiceResponse: in protobuf the same fields as for traces; in JSON an int64 is decimal text. */
static void respond_accepted(Request *request, BodyKind kind, const Rejections *rejections)
{
    g_autofree char *count = g_strdup_printf("%" G_GINT64_FORMAT, rejections->count);
    if (kind == BODY_PROTOBUF)
        respond_bytes(request, 200, "application/x-protobuf",
                      otlp_response_protobuf(rejections->count, rejections->reasons->str));
    else if (rejections->count == 0)
        respond_json(request, 200, json_object());
    else
        respond_json(request, 200,
                     json_pack("{s:{s:s, s:s}}", "partialSuccess", "rejectedLogRecords", count,
                               "errorMessage", rejections->reasons->str));
}

static void store_logs(Logboek *logboek, Request *request, BodyKind kind, const GPtrArray *logs,
                       Rejections *rejections)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GArray) places = g_array_new(FALSE, FALSE, sizeof(guint));
    g_autoptr(GPtrArray) encoded = g_ptr_array_new_with_free_func((GDestroyNotify)g_bytes_unref);
    for (guint i = 0; i < logs->len; i++) {
        g_autoptr(GError) why = NULL;
        GBytes *bytes = encode_log(logs->pdata[i], &why);
        if (bytes == NULL) {
            ingest_reject(rejections, "record", i, why->message);
            continue;
        }
        g_ptr_array_add(encoded, bytes);
        g_array_append_val(places, i);
    }
    g_autofree DecisionOutcome *outcomes = g_new0(DecisionOutcome, encoded->len);
    if (!decisions_append(logboek->decisions, (GBytes *const *)encoded->pdata, encoded->len, outcomes,
                          &error)) {
        ingest_respond_unavailable(request, kind, error);
        return;
    }
    for (guint i = 0; i < places->len; i++)
        if (outcomes[i] == DECISION_CONFLICT)
            ingest_reject(rejections, "record", g_array_index(places, guint, i),
                          "another record has this trace and span; records do not change");
    respond_accepted(request, kind, rejections);
}

/* POST /v1/logs: 200 means that the records are on disk, except those that the answer names. */
void handle_logs(Request *request, gpointer context)
{
    BodyKind kind;
    g_autoptr(GPtrArray) logs = ingest_read(request, TRUE, &kind);
    if (logs == NULL)
        return;
    Rejections rejections = {.reasons = g_string_new(NULL)};
    store_logs(context, request, kind, logs, &rejections);
    g_string_free(rejections.reasons, TRUE);
}
