#include "core/format/otlp.h"

#include <math.h>
#include <string.h>

#include "core/base/error.h"
#include "core/format/otlp_build.h"

#define VALUES_MAX 200000u
#define LARGEST_INTEGER G_GINT64_CONSTANT(9007199254740991) /* 2^53-1 */

const OtlpLimits OTLP_LIMITS_DEFAULT = {
    .bytes = 4 * 1024 * 1024, .spans = 10000, .attributes = 128, .text = 16 * 1024};

void otlp_span_free(OtlpSpan *span)
{
    if (span == NULL)
        return;
    g_free(span->name);
    json_decref(span->attributes);
    json_decref(span->resource);
    json_decref(span->body);
    g_free(span);
}

/* Always FALSE, so that a check can end with it. */
static gboolean refuse(FundamentError code, GError **error, const char *reason, guint64 limit)
{
    g_set_error(error, FUNDAMENT_ERROR, (int)code, "%s (at most %" G_GUINT64_FORMAT ")", reason, limit);
    return FALSE;
}

gboolean otlp_build_begin(OtlpBuild *build, gsize length, const OtlpLimits *limits, GError **error)
{
    *build = (OtlpBuild){.limits = limits != NULL ? limits : &OTLP_LIMITS_DEFAULT};
    if (length > build->limits->bytes)
        return refuse(FUNDAMENT_ERROR_LIMIT, error, "the message has too many bytes; send smaller batches",
                      build->limits->bytes);
    build->spans = g_ptr_array_new_with_free_func((GDestroyNotify)otlp_span_free);
    return TRUE;
}

OtlpSpan *otlp_build_span(OtlpBuild *build, json_t *resource, GError **error)
{
    if (build->spans->len >= build->limits->spans) {
        refuse(FUNDAMENT_ERROR_LIMIT, error, "too many spans; send smaller batches", build->limits->spans);
        return NULL;
    }
    OtlpSpan *span = g_new0(OtlpSpan, 1);
    span->name = g_strdup("");
    span->attributes = json_object();
    span->resource = json_incref(resource);
    g_ptr_array_add(build->spans, span);
    return span;
}

static gboolean is_zero(const guint8 *data, gsize length)
{
    for (gsize i = 0; i < length; i++)
        if (data[i] != 0)
            return FALSE;
    return TRUE;
}

/* Copies an id of the right length; FALSE, and zeros, for any other. */
static gboolean copy_id(guint8 *out, gsize size, OtlpSlice id)
{
    if (id.length != size)
        return FALSE;
    memcpy(out, id.data, size);
    return TRUE;
}

/* Some exporters write "no parent" as eight zeros. */
void otlp_build_ids(OtlpSpan *span, OtlpSlice trace, OtlpSlice id, OtlpSlice parent)
{
    gboolean valid = copy_id(span->trace_id, sizeof span->trace_id, trace) &&
                     copy_id(span->span_id, sizeof span->span_id, id) &&
                     !is_zero(span->trace_id, sizeof span->trace_id) &&
                     !is_zero(span->span_id, sizeof span->span_id);
    gboolean parent_fits = copy_id(span->parent_span_id, sizeof span->parent_span_id, parent);
    span->has_parent = parent_fits && !is_zero(span->parent_span_id, sizeof span->parent_span_id);
    span->ids_valid = valid && (parent_fits || parent.length == 0);
}

gboolean otlp_build_status(OtlpSpan *span, gint64 code, GError **error)
{
    if (code < 0 || code > 2)
        return refuse(FUNDAMENT_ERROR_INVALID, error, "a status code that OTLP does not have", 2);
    span->status = (int)code;
    return TRUE;
}

gboolean otlp_build_text(const OtlpBuild *build, OtlpSlice text, GError **error)
{
    if (text.length > build->limits->text)
        return refuse(FUNDAMENT_ERROR_LIMIT, error, "a text with too many bytes", build->limits->text);
    if (text.length > 0 && !json_text_valid((const char *)text.data, (gssize)text.length)) {
        g_set_error_literal(error, FUNDAMENT_ERROR, FUNDAMENT_ERROR_INVALID,
                            "a text that is not UTF-8, or holds NUL or a Unicode noncharacter");
        return FALSE;
    }
    return TRUE;
}

gboolean otlp_build_count(OtlpBuild *build, GError **error)
{
    if (++build->values > VALUES_MAX)
        return refuse(FUNDAMENT_ERROR_LIMIT, error, "too many values; send smaller batches", VALUES_MAX);
    return TRUE;
}

void otlp_build_member(json_t *object, OtlpSlice key, json_t *value)
{
    const char *name = key.length > 0 ? (const char *)key.data : "";
    if (json_object_getn(object, name, key.length) == NULL)
        json_object_setn_new_nocheck(object, name, key.length, value);
    else
        json_decref(value);
}

gboolean otlp_build_attribute(OtlpBuild *build, OtlpAttributes *attributes, OtlpSlice key, json_t *value,
                              GError **error)
{
    otlp_build_member(attributes->object, key, value);
    if (++attributes->count > build->limits->attributes)
        return refuse(FUNDAMENT_ERROR_LIMIT, error, "too many attributes", build->limits->attributes);
    return TRUE;
}

json_t *otlp_build_integer(gint64 number)
{
    if (number >= -LARGEST_INTEGER && number <= LARGEST_INTEGER)
        return json_integer(number);
    return json_sprintf("%" G_GINT64_FORMAT, number);
}

json_t *otlp_build_real(double number)
{
    if (isfinite(number))
        return json_real(number);
    return json_string(isnan(number) ? "NaN" : number > 0 ? "Infinity" : "-Infinity");
}

json_t *otlp_build_bytes(OtlpSlice bytes)
{
    g_autofree char *text = g_base64_encode(bytes.data, bytes.length);
    return json_string(text);
}

static void append_varint(GByteArray *out, guint64 number)
{
    for (; number >= 0x80; number >>= 7)
        g_byte_array_append(out, &(guint8){(guint8)(number | 0x80)}, 1);
    g_byte_array_append(out, &(guint8){(guint8)number}, 1);
}

static void append_slice(GByteArray *out, guint8 field, const void *data, gsize length)
{
    guint8 tag = (guint8)(field << 3 | 2);
    g_byte_array_append(out, &tag, 1);
    append_varint(out, length);
    g_byte_array_append(out, data, (guint)length);
}

/* ExportTraceServiceResponse { partial_success = 1 { rejected_spans = 1, error_message = 2 } } */
GBytes *otlp_response_protobuf(gint64 rejected, const char *message)
{
    GByteArray *response = g_byte_array_new();
    if (rejected > 0) {
        g_autoptr(GByteArray) partial = g_byte_array_new();
        append_varint(partial, 1 << 3);
        append_varint(partial, (guint64)rejected);
        if (message != NULL)
            append_slice(partial, 2, message, strlen(message));
        append_slice(response, 1, partial->data, partial->len);
    }
    return g_byte_array_free_to_bytes(response);
}

/* 64-bit integers are decimal text in OTLP/JSON. */
json_t *otlp_response_json(gint64 rejected, const char *message)
{
    json_t *response = json_object();
    if (rejected > 0) {
        json_t *partial = json_object();
        json_object_set_new(partial, "rejectedSpans", json_sprintf("%" G_GINT64_FORMAT, rejected));
        if (message != NULL)
            json_object_set_new(partial, "errorMessage", json_string(message));
        json_object_set_new(response, "partialSuccess", partial);
    }
    return response;
}
