/* The JSON encoding of OTLP: the proto3 JSON mapping, with ids in hexadecimal and enumerations as integers
 * (OTLP 1.x, "JSON Protobuf Encoding"). As in that mapping, null stands for an absent member. */
#include <string.h>

#include "core/base/bytes.h"
#include "core/base/error.h"
#include "core/format/json_scan.h"
#include "core/format/otlp_build.h"

#define TEXT_DEPTH 64     /* spans begin at 7; each level of nested values takes up to 4 */
#define BYTES_PER_VALUE 6 /* the densest real message has more bytes a value than this */
#define ID_SIZE_MAX 16

static gboolean refuse(const char *name, const char *reason, GError **error)
{
    g_set_error(error, FUNDAMENT_ERROR, FUNDAMENT_ERROR_INVALID, "%s %s", name, reason);
    return FALSE;
}

/* A member, or NULL when it is absent or null. */
static json_t *member_of(const json_t *object, const char *name)
{
    json_t *value = json_object_get(object, name);
    return json_is_null(value) ? NULL : value;
}

typedef gboolean (*ElementReader)(OtlpBuild *build, json_t *element, gpointer target, GError **error);

/* Calls back for each object in an array that may be absent. */
static gboolean each_element(OtlpBuild *build, const json_t *object, const char *name, ElementReader read,
                             gpointer target, GError **error)
{
    const json_t *array = member_of(object, name);
    gsize index;
    json_t *element;
    if (array == NULL)
        return TRUE;
    if (!json_is_array(array))
        return refuse(name, "must be an array", error);
    json_array_foreach(array, index, element)
    {
        gboolean is_object = json_is_object(element);
        if (is_object && read(build, element, target, error))
            continue;
        if (!is_object)
            refuse("this", "must be an object", error);
        g_prefix_error(error, "%s[%" G_GSIZE_FORMAT "]: ", name, index);
        return FALSE;
    }
    return TRUE;
}

/* Text that may be absent, which is the empty text. */
static gboolean read_text(const OtlpBuild *build, const json_t *object, const char *name, OtlpSlice *out,
                          GError **error)
{
    const json_t *value = member_of(object, name);
    *out = (OtlpSlice){(const guint8 *)"", 0};
    if (value == NULL)
        return TRUE;
    if (!json_is_string(value))
        return refuse(name, "must be a string", error);
    *out = (OtlpSlice){(const guint8 *)json_string_value(value), json_string_length(value)};
    if (otlp_build_text(build, *out, error))
        return TRUE;
    g_prefix_error(error, "%s: ", name);
    return FALSE;
}

/* Upper or lower case. What is not an id at all has length 0 or is all zero, so that only its span is
 * rejected. */
static gboolean read_id(const OtlpBuild *build, const json_t *object, const char *name,
                        guint8 buffer[ID_SIZE_MAX], OtlpSlice *out, GError **error)
{
    OtlpSlice text;
    if (!read_text(build, object, name, &text, error))
        return FALSE;
    g_autofree char *lower = g_ascii_strdown((const char *)text.data, (gssize)text.length);
    gsize size = text.length / 2;
    if (size > ID_SIZE_MAX || !hex_decode(lower, buffer, size))
        size = 1; /* an id has 8 or 16 bytes */
    *out = (OtlpSlice){buffer, text.length == 0 ? 0 : size};
    return TRUE;
}

/* proto3 JSON: 64-bit integers are decimal text; numbers are taken as well. */
static gboolean read_time(const json_t *object, const char *name, guint64 *out, GError **error)
{
    const json_t *value = member_of(object, name);
    if (value == NULL)
        return TRUE;
    if (json_is_integer(value) && json_integer_value(value) >= 0) {
        *out = (guint64)json_integer_value(value);
        return TRUE;
    }
    if (json_is_string(value) &&
        g_ascii_string_to_unsigned(json_string_value(value), 10, 0, G_MAXUINT64, out, NULL))
        return TRUE;
    return refuse(name, "must be nanoseconds since 1970, as decimal text", error);
}

/* --- AnyValue --- */

static json_t *any_value_from(OtlpBuild *build, const json_t *object, guint depth, GError **error);

static json_t *string_from(OtlpBuild *build, const json_t *value, guint depth, GError **error)
{
    if (!json_is_string(value)) {
        refuse("stringValue", "must be a string", error);
        return NULL;
    }
    OtlpSlice text = {(const guint8 *)json_string_value(value), json_string_length(value)};
    return otlp_build_text(build, text, error) ? json_incref((json_t *)value) : NULL;
}

static json_t *bool_from(OtlpBuild *build, const json_t *value, guint depth, GError **error)
{
    if (json_is_boolean(value))
        return json_incref((json_t *)value);
    refuse("boolValue", "must be true or false", error);
    return NULL;
}

static json_t *int_from(OtlpBuild *build, const json_t *value, guint depth, GError **error)
{
    gint64 number;
    if (json_is_integer(value))
        return otlp_build_integer(json_integer_value(value));
    if (json_is_string(value) &&
        g_ascii_string_to_signed(json_string_value(value), 10, G_MININT64, G_MAXINT64, &number, NULL))
        return otlp_build_integer(number);
    refuse("intValue", "must be a 64-bit integer, as decimal text", error);
    return NULL;
}

/* proto3 JSON has NaN and infinity as text. */
static json_t *double_from(OtlpBuild *build, const json_t *value, guint depth, GError **error)
{
    static const char *const names[] = {"NaN", "Infinity", "-Infinity"};
    if (json_is_number(value))
        return otlp_build_real(json_number_value(value));
    for (gsize i = 0; i < G_N_ELEMENTS(names); i++)
        if (g_strcmp0(json_string_value(value), names[i]) == 0)
            return json_incref((json_t *)value);
    refuse("doubleValue", "must be a number, \"NaN\", \"Infinity\" or \"-Infinity\"", error);
    return NULL;
}

/* proto3 JSON: standard or URL-safe base64, with or without padding; kept as standard base64. */
static json_t *bytes_from(OtlpBuild *build, const json_t *value, guint depth, GError **error)
{
    if (!json_is_string(value) || json_string_length(value) / 4 * 3 > build->limits->text) {
        refuse("bytesValue", "must be base64 within the limit for text", error);
        return NULL;
    }
    g_autofree char *text = g_strdup(json_string_value(value));
    gsize length = strlen(text);
    for (int i = 0; i < 2 && length > 0 && text[length - 1] == '='; i++)
        text[--length] = '\0';
    g_strdelimit(text, "+", '-');
    g_strdelimit(text, "/", '_');
    g_autoptr(GBytes) bytes = base64url_decode(text, -1, error);
    if (bytes == NULL) {
        g_prefix_error(error, "bytesValue: ");
        return NULL;
    }
    OtlpSlice slice;
    slice.data = g_bytes_get_data(bytes, &slice.length);
    return otlp_build_bytes(slice);
}

typedef struct {
    json_t *collected; /* borrowed array, object or OtlpAttributes */
    guint depth;
} Collector;

static gboolean collect_element(OtlpBuild *build, json_t *element, gpointer target, GError **error)
{
    Collector *collector = target;
    json_t *value = any_value_from(build, element, collector->depth, error);
    if (value == NULL)
        return FALSE;
    json_array_append_new(collector->collected, value);
    return TRUE;
}

/* The value of a KeyValue, a new reference; `key` is borrowed. */
static json_t *key_value_from(OtlpBuild *build, const json_t *pair, guint depth, OtlpSlice *key,
                              GError **error)
{
    const json_t *value = member_of(pair, "value");
    if (!read_text(build, pair, "key", key, error))
        return NULL;
    if (value == NULL)
        return json_null();
    if (!json_is_object(value)) {
        refuse("value", "must be an object", error);
        return NULL;
    }
    return any_value_from(build, value, depth, error);
}

static gboolean collect_member(OtlpBuild *build, json_t *pair, gpointer target, GError **error)
{
    Collector *collector = target;
    OtlpSlice key;
    json_t *value = key_value_from(build, pair, collector->depth, &key, error);
    if (value == NULL)
        return FALSE;
    otlp_build_member(collector->collected, key, value);
    return otlp_build_count(build, error);
}

/* Shared by arrayValue and kvlistValue, which both hold "values". */
static json_t *collection_from(OtlpBuild *build, const json_t *value, json_t *empty, ElementReader read,
                               guint depth, GError **error)
{
    g_autoptr(json_t) collected = empty;
    Collector collector = {collected, depth};
    if (!json_is_object(value)) {
        refuse("arrayValue or kvlistValue", "must be an object", error);
        return NULL;
    }
    if (!each_element(build, value, "values", read, &collector, error))
        return NULL;
    return g_steal_pointer(&collected);
}

static json_t *array_from(OtlpBuild *build, const json_t *value, guint depth, GError **error)
{
    return collection_from(build, value, json_array(), collect_element, depth, error);
}

static json_t *list_from(OtlpBuild *build, const json_t *value, guint depth, GError **error)
{
    return collection_from(build, value, json_object(), collect_member, depth, error);
}

static const struct {
    const char *name;
    json_t *(*from)(OtlpBuild *build, const json_t *value, guint depth, GError **error);
} any_value_kinds[] = {
    {"stringValue", string_from}, {"boolValue", bool_from},   {"intValue", int_from},
    {"doubleValue", double_from}, {"arrayValue", array_from}, {"kvlistValue", list_from},
    {"bytesValue", bytes_from},
};

/* A new reference, json_null() for an AnyValue without a value. It is a oneof: two values at once are a
 * mistake. */
static json_t *any_value_from(OtlpBuild *build, const json_t *object, guint depth, GError **error)
{
    g_autoptr(json_t) found = NULL;
    if (depth == OTLP_VALUE_DEPTH) {
        g_set_error(error, FUNDAMENT_ERROR, FUNDAMENT_ERROR_LIMIT, "an attribute is nested more than %d deep",
                    OTLP_VALUE_DEPTH);
        return NULL;
    }
    if (!otlp_build_count(build, error))
        return NULL;
    for (gsize i = 0; i < G_N_ELEMENTS(any_value_kinds); i++) {
        const json_t *value = member_of(object, any_value_kinds[i].name);
        if (value == NULL)
            continue;
        if (found != NULL) {
            refuse("value", "must hold one value, not two", error);
            return NULL;
        }
        found = any_value_kinds[i].from(build, value, depth + 1, error);
        if (found == NULL)
            return NULL;
    }
    return found != NULL ? g_steal_pointer(&found) : json_null();
}

/* --- Span --- */

static gboolean read_attribute(OtlpBuild *build, json_t *pair, gpointer target, GError **error)
{
    OtlpSlice key;
    json_t *value = key_value_from(build, pair, 0, &key, error);
    return value != NULL && otlp_build_attribute(build, target, key, value, error);
}

static gboolean read_ids(const OtlpBuild *build, const json_t *object, OtlpSpan *span, GError **error)
{
    guint8 buffers[3][ID_SIZE_MAX];
    OtlpSlice trace, id, parent;
    if (!read_id(build, object, "traceId", buffers[0], &trace, error) ||
        !read_id(build, object, "spanId", buffers[1], &id, error) ||
        !read_id(build, object, "parentSpanId", buffers[2], &parent, error))
        return FALSE;
    otlp_build_ids(span, trace, id, parent);
    return TRUE;
}

/* OTLP: "the enum name strings MUST NOT be used". */
static gboolean read_status(const json_t *object, OtlpSpan *span, GError **error)
{
    const json_t *status = member_of(object, "status");
    if (status == NULL)
        return TRUE;
    if (!json_is_object(status))
        return refuse("status", "must be an object", error);
    const json_t *code = member_of(status, "code");
    if (code != NULL && !json_is_integer(code))
        return refuse("status.code", "must be an integer", error);
    return otlp_build_status(span, json_integer_value(code), error);
}

static gboolean read_span(OtlpBuild *build, json_t *object, gpointer target, GError **error)
{
    OtlpSpan *span = otlp_build_span(build, target, error);
    OtlpSlice name;
    if (span == NULL || !read_ids(build, object, span, error) ||
        !read_text(build, object, "name", &name, error))
        return FALSE;
    g_free(span->name);
    span->name = g_strndup((const char *)name.data, name.length);
    OtlpAttributes attributes = {.object = span->attributes};
    return read_time(object, "startTimeUnixNano", &span->start_ns, error) &&
           read_time(object, "endTimeUnixNano", &span->end_ns, error) && read_status(object, span, error) &&
           each_element(build, object, "attributes", read_attribute, &attributes, error);
}

/* --- LogRecord --- */

static gboolean read_body(OtlpBuild *build, const json_t *object, OtlpSpan *record, GError **error)
{
    const json_t *body = member_of(object, "body");
    if (body == NULL)
        return TRUE;
    if (!json_is_object(body))
        return refuse("body", "must be an object", error);
    record->body = any_value_from(build, body, 0, error);
    return record->body != NULL;
}

static gboolean read_log_record(OtlpBuild *build, json_t *object, gpointer target, GError **error)
{
    OtlpSpan *record = otlp_build_span(build, target, error);
    OtlpSlice name;
    if (record == NULL || !read_ids(build, object, record, error) ||
        !read_text(build, object, "eventName", &name, error))
        return FALSE;
    g_free(record->name);
    record->name = g_strndup((const char *)name.data, name.length);
    OtlpAttributes attributes = {.object = record->attributes};
    return read_time(object, "timeUnixNano", &record->start_ns, error) &&
           read_body(build, object, record, error) &&
           each_element(build, object, "attributes", read_attribute, &attributes, error);
}

static gboolean read_scope_logs(OtlpBuild *build, json_t *object, gpointer target, GError **error)
{
    return each_element(build, object, "logRecords", read_log_record, target, error);
}

/* --- what stands around them --- */

static gboolean read_scope_spans(OtlpBuild *build, json_t *object, gpointer target, GError **error)
{
    return each_element(build, object, "spans", read_span, target, error);
}

static gboolean read_resource(OtlpBuild *build, const json_t *object, const char *scopes, ElementReader read,
                              GError **error)
{
    g_autoptr(json_t) attributes = json_object();
    OtlpAttributes collected = {.object = attributes};
    const json_t *resource = member_of(object, "resource");
    if (resource != NULL && !json_is_object(resource))
        return refuse("resource", "must be an object", error);
    return each_element(build, resource, "attributes", read_attribute, &collected, error) &&
           each_element(build, object, scopes, read, attributes, error);
}

static gboolean read_resource_spans(OtlpBuild *build, json_t *object, gpointer target, GError **error)
{
    return read_resource(build, object, "scopeSpans", read_scope_spans, error);
}

static gboolean read_resource_logs(OtlpBuild *build, json_t *object, gpointer target, GError **error)
{
    return read_resource(build, object, "scopeLogs", read_scope_logs, error);
}

static GPtrArray *parse(const char *text, gsize length, const OtlpLimits *limits, const char *resources,
                        ElementReader read, GError **error)
{
    OtlpBuild build;
    if (!otlp_build_begin(&build, length, limits, error))
        return NULL;
    g_autoptr(GPtrArray) spans = build.spans;
    const JsonLimits json_limits = {.bytes = build.limits->bytes,
                                    .depth = TEXT_DEPTH,
                                    .values = (guint)(build.limits->bytes / BYTES_PER_VALUE)};
    g_autoptr(json_t) message =
        json_parse_flags(text, (gssize)length, &json_limits, JSON_SCAN_BIG_INTEGERS, error);
    if (message == NULL)
        return NULL;
    if (!json_is_object(message)) {
        refuse("the message", "must be an object", error);
        return NULL;
    }
    if (!each_element(&build, message, resources, read, NULL, error))
        return NULL;
    return g_steal_pointer(&spans);
}

GPtrArray *otlp_parse_json(const char *text, gsize length, const OtlpLimits *limits, GError **error)
{
    return parse(text, length, limits, "resourceSpans", read_resource_spans, error);
}

GPtrArray *otlp_parse_logs_json(const char *text, gsize length, const OtlpLimits *limits, GError **error)
{
    return parse(text, length, limits, "resourceLogs", read_resource_logs, error);
}
