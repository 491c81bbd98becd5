/* The protobuf encoding of OTLP: one table of fields a message, and one reader that walks a message by its
 * table. */
#include <string.h>

#include "core/base/error.h"
#include "core/format/otlp_build.h"

typedef enum { WIRE_VARINT = 0, WIRE_FIXED64 = 1, WIRE_SLICE = 2, WIRE_FIXED32 = 5 } WireType;

typedef struct {
    guint64 tag;     /* number << 3 | wire type */
    guint64 number;  /* of a varint or fixed field */
    OtlpSlice slice; /* of a length-delimited field */
} Field;

typedef struct {
    OtlpBuild build;
    const guint8 *start; /* of the message, for offsets */
    guint depth;         /* of nested values */
    gboolean logs;       /* log records, not spans */
} Reader;

typedef struct {
    guint32 number;
    WireType type;
    gboolean (*read)(Reader *reader, const Field *field, gpointer target, GError **error);
} FieldRule;

static gboolean refuse(const Reader *reader, const guint8 *at, const char *reason, GError **error)
{
    g_set_error(error, FUNDAMENT_ERROR, FUNDAMENT_ERROR_INVALID,
                "not OTLP protobuf: byte %" G_GSIZE_FORMAT ": %s", (gsize)(at - reader->start), reason);
    return FALSE;
}

/* Protocol Buffers, Encoding, "Base 128 Varints": at most ten bytes, of which the last holds one bit. */
static gboolean read_varint(const guint8 **at, const guint8 *end, guint64 *out)
{
    guint64 number = 0;
    for (guint shift = 0; shift < 64 && *at < end; shift += 7) {
        guint8 byte = *(*at)++;
        if (shift == 63 && byte > 1)
            return FALSE;
        number |= (guint64)(byte & 0x7f) << shift;
        if (byte < 0x80) {
            *out = number;
            return TRUE;
        }
    }
    return FALSE;
}

static gboolean read_fixed(const guint8 **at, const guint8 *end, gsize size, guint64 *out)
{
    if ((gsize)(end - *at) < size)
        return FALSE;
    *out = 0;
    for (gsize i = 0; i < size; i++)
        *out |= (guint64)(*at)[i] << (8 * i);
    *at += size;
    return TRUE;
}

static gboolean read_slice(const guint8 **at, const guint8 *end, OtlpSlice *out)
{
    guint64 length;
    if (!read_varint(at, end, &length) || length > (guint64)(end - *at))
        return FALSE;
    *out = (OtlpSlice){*at, (gsize)length};
    *at += length;
    return TRUE;
}

/* Groups (wire types 3 and 4) are long gone from protobuf and never were in OTLP: refused with the other
 * types. */
static gboolean read_field(const Reader *reader, const guint8 **at, const guint8 *end, Field *field,
                           GError **error)
{
    const guint8 *start = *at;
    gboolean read = FALSE;
    *field = (Field){0};
    if (!read_varint(at, end, &field->tag) || field->tag > G_MAXUINT32 || field->tag >> 3 == 0)
        return refuse(reader, start, "no field number here", error);
    switch (field->tag & 7) {
    case WIRE_VARINT:
        read = read_varint(at, end, &field->number);
        break;
    case WIRE_FIXED64:
        read = read_fixed(at, end, 8, &field->number);
        break;
    case WIRE_SLICE:
        read = read_slice(at, end, &field->slice);
        break;
    case WIRE_FIXED32:
        read = read_fixed(at, end, 4, &field->number);
        break;
    default:
        return refuse(reader, start, "unknown wire type", error);
    }
    return read || refuse(reader, start, "this field is cut off or too long", error);
}

/* Reads a message field by field. Numbers that the table does not have are skipped; a number it does have
 * with another wire type is refused. */
static gboolean read_message(Reader *reader, OtlpSlice message, const FieldRule *rules, gsize n_rules,
                             gpointer target, GError **error)
{
    const guint8 *at = message.data;
    const guint8 *end = at + message.length;
    while (at < end) {
        const guint8 *start = at;
        Field field;
        if (!read_field(reader, &at, end, &field, error))
            return FALSE;
        for (gsize i = 0; i < n_rules; i++) {
            if (rules[i].number != field.tag >> 3)
                continue;
            if (rules[i].type != (field.tag & 7))
                return refuse(reader, start, "wrong wire type for this field", error);
            if (!rules[i].read(reader, &field, target, error))
                return FALSE;
        }
    }
    return TRUE;
}
#define RULES(table) (table), G_N_ELEMENTS(table)

/* --- AnyValue: target is json_t **, the value so far; the last one of a oneof wins --- */

static gboolean read_any_value(Reader *reader, OtlpSlice message, json_t **value, GError **error);

static void set_value(gpointer target, json_t *value)
{
    json_t **slot = target;
    json_decref(*slot);
    *slot = value;
}

static gboolean read_string_value(Reader *reader, const Field *field, gpointer target, GError **error)
{
    if (!otlp_build_text(&reader->build, field->slice, error))
        return FALSE;
    set_value(target, json_stringn((const char *)field->slice.data, field->slice.length));
    return TRUE;
}

static gboolean read_bool_value(Reader *reader, const Field *field, gpointer target, GError **error)
{
    set_value(target, json_boolean(field->number != 0));
    return TRUE;
}

static gboolean read_int_value(Reader *reader, const Field *field, gpointer target, GError **error)
{
    set_value(target, otlp_build_integer((gint64)field->number));
    return TRUE;
}

static gboolean read_double_value(Reader *reader, const Field *field, gpointer target, GError **error)
{
    double number;
    memcpy(&number, &field->number, sizeof number);
    set_value(target, otlp_build_real(number));
    return TRUE;
}

static gboolean read_bytes_value(Reader *reader, const Field *field, gpointer target, GError **error)
{
    if (field->slice.length > reader->build.limits->text) {
        g_set_error(error, FUNDAMENT_ERROR, FUNDAMENT_ERROR_LIMIT,
                    "an attribute with too many bytes (at most %" G_GSIZE_FORMAT ")",
                    reader->build.limits->text);
        return FALSE;
    }
    set_value(target, otlp_build_bytes(field->slice));
    return TRUE;
}

static gboolean read_element(Reader *reader, const Field *field, gpointer target, GError **error)
{
    json_t *element = NULL;
    if (!read_any_value(reader, field->slice, &element, error))
        return FALSE;
    json_array_append_new(target, element);
    return TRUE;
}

static gboolean read_array_value(Reader *reader, const Field *field, gpointer target, GError **error)
{
    static const FieldRule rules[] = {{1, WIRE_SLICE, read_element}};
    set_value(target, json_array());
    return read_message(reader, field->slice, RULES(rules), *(json_t **)target, error);
}

typedef struct {
    OtlpSlice key;
    json_t *value; /* owned; NULL until read */
} KeyValue;

static gboolean read_key(Reader *reader, const Field *field, gpointer target, GError **error)
{
    KeyValue *pair = target;
    pair->key = field->slice;
    return otlp_build_text(&reader->build, field->slice, error);
}

static gboolean read_value(Reader *reader, const Field *field, gpointer target, GError **error)
{
    KeyValue *pair = target;
    json_t *value = NULL;
    if (!read_any_value(reader, field->slice, &value, error))
        return FALSE;
    set_value(&pair->value, value);
    return TRUE;
}

static gboolean read_key_value(Reader *reader, OtlpSlice message, KeyValue *pair, GError **error)
{
    static const FieldRule rules[] = {{1, WIRE_SLICE, read_key}, {2, WIRE_SLICE, read_value}};
    *pair = (KeyValue){0};
    if (!read_message(reader, message, RULES(rules), pair, error)) {
        json_decref(pair->value);
        return FALSE;
    }
    if (pair->value == NULL)
        pair->value = json_null();
    return TRUE;
}

static gboolean read_list_member(Reader *reader, const Field *field, gpointer target, GError **error)
{
    KeyValue pair;
    if (!read_key_value(reader, field->slice, &pair, error))
        return FALSE;
    otlp_build_member(target, pair.key, pair.value);
    return otlp_build_count(&reader->build, error);
}

static gboolean read_list_value(Reader *reader, const Field *field, gpointer target, GError **error)
{
    static const FieldRule rules[] = {{1, WIRE_SLICE, read_list_member}};
    set_value(target, json_object());
    return read_message(reader, field->slice, RULES(rules), *(json_t **)target, error);
}

/* On failure nothing is owed to the caller; on success *value is a new reference. */
static gboolean read_any_value(Reader *reader, OtlpSlice message, json_t **value, GError **error)
{
    static const FieldRule rules[] = {
        {1, WIRE_SLICE, read_string_value}, {2, WIRE_VARINT, read_bool_value},
        {3, WIRE_VARINT, read_int_value},   {4, WIRE_FIXED64, read_double_value},
        {5, WIRE_SLICE, read_array_value},  {6, WIRE_SLICE, read_list_value},
        {7, WIRE_SLICE, read_bytes_value},
    };
    if (reader->depth == OTLP_VALUE_DEPTH) {
        g_set_error(error, FUNDAMENT_ERROR, FUNDAMENT_ERROR_LIMIT, "an attribute is nested more than %d deep",
                    OTLP_VALUE_DEPTH);
        return FALSE;
    }
    *value = json_null();
    reader->depth++;
    gboolean read =
        otlp_build_count(&reader->build, error) && read_message(reader, message, RULES(rules), value, error);
    reader->depth--;
    if (!read)
        json_decref(*value);
    return read;
}

static gboolean read_attribute(Reader *reader, const Field *field, OtlpAttributes *attributes, GError **error)
{
    KeyValue pair;
    return read_key_value(reader, field->slice, &pair, error) &&
           otlp_build_attribute(&reader->build, attributes, pair.key, pair.value, error);
}

/* --- Span: target is SpanTarget --- */

typedef struct {
    OtlpSpan *span; /* borrowed from the list */
    OtlpAttributes attributes;
    OtlpSlice trace_id, span_id, parent_span_id;
} SpanTarget;

static gboolean read_trace_id(Reader *reader, const Field *field, gpointer target, GError **error)
{
    ((SpanTarget *)target)->trace_id = field->slice;
    return TRUE;
}

static gboolean read_span_id(Reader *reader, const Field *field, gpointer target, GError **error)
{
    ((SpanTarget *)target)->span_id = field->slice;
    return TRUE;
}

static gboolean read_parent_span_id(Reader *reader, const Field *field, gpointer target, GError **error)
{
    ((SpanTarget *)target)->parent_span_id = field->slice;
    return TRUE;
}

static gboolean read_name(Reader *reader, const Field *field, gpointer target, GError **error)
{
    OtlpSpan *span = ((SpanTarget *)target)->span;
    if (!otlp_build_text(&reader->build, field->slice, error))
        return FALSE;
    g_free(span->name);
    span->name = g_strndup((const char *)field->slice.data, field->slice.length);
    return TRUE;
}

static gboolean read_start(Reader *reader, const Field *field, gpointer target, GError **error)
{
    ((SpanTarget *)target)->span->start_ns = field->number;
    return TRUE;
}

static gboolean read_end(Reader *reader, const Field *field, gpointer target, GError **error)
{
    ((SpanTarget *)target)->span->end_ns = field->number;
    return TRUE;
}

static gboolean read_span_attribute(Reader *reader, const Field *field, gpointer target, GError **error)
{
    return read_attribute(reader, field, &((SpanTarget *)target)->attributes, error);
}

static gboolean read_status_code(Reader *reader, const Field *field, gpointer target, GError **error)
{
    return otlp_build_status(((SpanTarget *)target)->span, (gint64)field->number, error);
}

static gboolean read_status(Reader *reader, const Field *field, gpointer target, GError **error)
{
    static const FieldRule rules[] = {{3, WIRE_VARINT, read_status_code}};
    return read_message(reader, field->slice, RULES(rules), target, error);
}

static gboolean read_span(Reader *reader, const Field *field, gpointer target, GError **error)
{
    static const FieldRule rules[] = {
        {1, WIRE_SLICE, read_trace_id},       {2, WIRE_SLICE, read_span_id},
        {4, WIRE_SLICE, read_parent_span_id}, {5, WIRE_SLICE, read_name},
        {7, WIRE_FIXED64, read_start},        {8, WIRE_FIXED64, read_end},
        {9, WIRE_SLICE, read_span_attribute}, {15, WIRE_SLICE, read_status},
    };
    SpanTarget span = {.span = otlp_build_span(&reader->build, target, error)};
    if (span.span == NULL)
        return FALSE;
    span.attributes.object = span.span->attributes;
    if (!read_message(reader, field->slice, RULES(rules), &span, error))
        return FALSE;
    otlp_build_ids(span.span, span.trace_id, span.span_id, span.parent_span_id);
    return TRUE;
}

/* --- LogRecord: target is SpanTarget --- */

static gboolean read_body(Reader *reader, const Field *field, gpointer target, GError **error)
{
    OtlpSpan *record = ((SpanTarget *)target)->span;
    json_t *body = NULL;
    if (!read_any_value(reader, field->slice, &body, error))
        return FALSE;
    json_decref(record->body);
    record->body = body;
    return TRUE;
}

static gboolean read_log_record(Reader *reader, const Field *field, gpointer target, GError **error)
{
    static const FieldRule rules[] = {
        {1, WIRE_FIXED64, read_start},  {5, WIRE_SLICE, read_body},     {6, WIRE_SLICE, read_span_attribute},
        {9, WIRE_SLICE, read_trace_id}, {10, WIRE_SLICE, read_span_id}, {12, WIRE_SLICE, read_name},
    };
    SpanTarget record = {.span = otlp_build_span(&reader->build, target, error)};
    if (record.span == NULL)
        return FALSE;
    record.attributes.object = record.span->attributes;
    if (!read_message(reader, field->slice, RULES(rules), &record, error))
        return FALSE;
    otlp_build_ids(record.span, record.trace_id, record.span_id, record.parent_span_id);
    return TRUE;
}

/* --- what stands around spans and log records: the same fields --- */

static gboolean read_scope_spans(Reader *reader, const Field *field, gpointer target, GError **error)
{
    static const FieldRule span_rules[] = {{2, WIRE_SLICE, read_span}};
    static const FieldRule log_rules[] = {{2, WIRE_SLICE, read_log_record}};
    return reader->logs ? read_message(reader, field->slice, RULES(log_rules), target, error)
                        : read_message(reader, field->slice, RULES(span_rules), target, error);
}

static gboolean read_resource_attribute(Reader *reader, const Field *field, gpointer target, GError **error)
{
    return read_attribute(reader, field, target, error);
}

static gboolean read_resource(Reader *reader, const Field *field, gpointer target, GError **error)
{
    static const FieldRule rules[] = {{1, WIRE_SLICE, read_resource_attribute}};
    return read_message(reader, field->slice, RULES(rules), target, error);
}

/* Twice over the message, because the resource may stand behind its spans. */
static gboolean read_resource_spans(Reader *reader, const Field *field, gpointer target, GError **error)
{
    static const FieldRule resource_rules[] = {{1, WIRE_SLICE, read_resource}};
    static const FieldRule spans_rules[] = {{2, WIRE_SLICE, read_scope_spans}};
    g_autoptr(json_t) resource = json_object();
    OtlpAttributes attributes = {.object = resource};
    return read_message(reader, field->slice, RULES(resource_rules), &attributes, error) &&
           read_message(reader, field->slice, RULES(spans_rules), resource, error);
}

static GPtrArray *parse(const guint8 *data, gsize length, gboolean logs, const OtlpLimits *limits,
                        GError **error)
{
    static const FieldRule rules[] = {{1, WIRE_SLICE, read_resource_spans}};
    Reader reader = {.start = data, .logs = logs};
    if (!otlp_build_begin(&reader.build, length, limits, error))
        return NULL;
    g_autoptr(GPtrArray) spans = reader.build.spans;
    if (!read_message(&reader, (OtlpSlice){data, length}, RULES(rules), NULL, error))
        return NULL;
    return g_steal_pointer(&spans);
}

GPtrArray *otlp_parse_protobuf(const guint8 *data, gsize length, const OtlpLimits *limits, GError **error)
{
    return parse(data, length, FALSE, limits, error);
}

GPtrArray *otlp_parse_logs_protobuf(const guint8 *data, gsize length, const OtlpLimits *limits,
                                    GError **error)
{
    return parse(data, length, TRUE, limits, error);
}
