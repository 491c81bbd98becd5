/* Decisions come in: from components of this node, and from applications of this organisation over OTLP/HTTP
 * (ADL 1.0.0, 3.1: "It is RECOMMENDED to use the OpenTelemetry Protocol"). */
#include "components/logboek/internal.h"
#include "core/base/error.h"
#include "core/format/json.h"

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
