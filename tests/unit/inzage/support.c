#include "tests/unit/inzage/support.h"

char *span_of(char letter)
{
    return g_strdup_printf("%016x", (guint)letter);
}

json_t *record_json(const char *trace_id, char span, char parent, const char *start_time)
{
    g_autofree char *span_id = span_of(span);
    g_autofree char *parent_id = parent == 0 ? NULL : span_of(parent);
    g_autofree char *name = g_strdup_printf("action %c", span);
    return json_pack("{s:s, s:s, s:s*, s:s, s:s, s:s, s:s, s:{}}", "traceId", trace_id, "spanId", span_id,
                     "parentSpanId", parent_id, "status", "Unset", "name", name, "startTime", start_time,
                     "endTime", start_time, "attributes");
}

void record_attribute(json_t *record, const char *name, json_t *value)
{
    json_object_set_new(json_object_get(record, "attributes"), name, value);
}

void record_activity(json_t *record, const char *activity)
{
    record_attribute(record, "dpl", json_pack("{s:{s:s}}", "core", "processingActivityId", activity));
}

void source_add(Source *source, json_t *record)
{
    g_autoptr(json_t) items = json_pack("[o]", record);
    source_add_items(source, items);
}
