/* Messages for the tests of OTLP. Protobuf is put together field by field, so that each test shows the bytes
 * that it is about; its JSON twin says the same in text. Include after cmocka.h. */
#pragma once

#include "core/base/error.h"
#include "core/format/json.h"
#include "core/format/otlp.h"

#define TRACE "\x0a\xf7\x65\x19\x16\xcd\x43\xdd\x84\x48\xeb\x21\x1c\x80\x31\x9c"
#define SPAN "\xb7\xad\x6b\x71\x69\x20\x33\x31"
#define PARENT "\x00\xf0\x67\xaa\x0b\xa9\x02\xb7"
#define TRACE_HEX "0af7651916cd43dd8448eb211c80319c"
#define SPAN_HEX "b7ad6b7169203331"

/* --- writing protobuf --- */

static inline void put_varint(GByteArray *out, guint64 number)
{
    do {
        guint8 byte = (guint8)(number & 0x7f) | (number >= 0x80 ? 0x80 : 0);
        g_byte_array_append(out, &byte, 1);
        number >>= 7;
    } while (number > 0);
}

static inline GByteArray *put_number(GByteArray *out, guint field, guint64 number)
{
    put_varint(out, field << 3);
    put_varint(out, number);
    return out;
}

static inline GByteArray *put_fixed64(GByteArray *out, guint field, guint64 number)
{
    put_varint(out, field << 3 | 1);
    guint64 little = GUINT64_TO_LE(number);
    return g_byte_array_append(out, (const guint8 *)&little, 8);
}

static inline GByteArray *put_bytes(GByteArray *out, guint field, const void *data, gsize length)
{
    put_varint(out, field << 3 | 2);
    put_varint(out, length);
    return g_byte_array_append(out, data, (guint)length);
}

static inline GByteArray *put_text(GByteArray *out, guint field, const char *text)
{
    return put_bytes(out, field, text, strlen(text));
}

/* Takes `inner`. */
static inline GByteArray *put_message(GByteArray *out, guint field, GByteArray *inner)
{
    put_bytes(out, field, inner->data, inner->len);
    g_byte_array_unref(inner);
    return out;
}

static inline GByteArray *message_new(void)
{
    return g_byte_array_new();
}

static inline GByteArray *text_value(const char *text)
{
    return put_text(message_new(), 1, text);
}

static inline GByteArray *key_value(const char *key, GByteArray *value)
{
    return put_message(put_text(message_new(), 1, key), 2, value);
}

static inline GByteArray *span_with_ids(void)
{
    GByteArray *span = message_new();
    put_bytes(span, 1, TRACE, 16);
    return put_bytes(span, 2, SPAN, 8);
}

/* ExportTraceServiceRequest { ResourceSpans { ScopeSpans { Span } } } */
static inline GByteArray *request_with_span(GByteArray *span)
{
    GByteArray *scope = put_message(message_new(), 2, span);
    GByteArray *resource = put_message(message_new(), 2, scope);
    return put_message(message_new(), 1, resource);
}

static inline GByteArray *request_with_attribute(const char *key, GByteArray *value)
{
    return request_with_span(put_message(span_with_ids(), 9, key_value(key, value)));
}

/* --- expecting --- */

static inline GPtrArray *accept_protobuf(GByteArray *request)
{
    g_autoptr(GError) error = NULL;
    GPtrArray *spans = otlp_parse_protobuf(request->data, request->len, NULL, &error);
    g_byte_array_unref(request);
    if (spans == NULL)
        fail_msg("%s", error->message);
    return spans;
}

static inline void refuse_protobuf(GByteArray *request, const OtlpLimits *limits, int code,
                                   const char *message)
{
    g_autoptr(GError) error = NULL;
    GPtrArray *spans = otlp_parse_protobuf(request->data, request->len, limits, &error);
    g_byte_array_unref(request);
    if (spans != NULL)
        fail_msg("accepted, expected: %s", message);
    assert_string_equal(error->message, message);
    assert_true(g_error_matches(error, FUNDAMENT_ERROR, code));
}

static inline GPtrArray *accept_json(const char *text)
{
    g_autoptr(GError) error = NULL;
    GPtrArray *spans = otlp_parse_json(text, strlen(text), NULL, &error);
    if (spans == NULL)
        fail_msg("%s", error->message);
    return spans;
}

static inline void refuse_json(const char *text, const OtlpLimits *limits, int code, const char *message)
{
    g_autoptr(GError) error = NULL;
    GPtrArray *spans = otlp_parse_json(text, strlen(text), limits, &error);
    if (spans != NULL)
        fail_msg("accepted, expected: %s", message);
    assert_string_equal(error->message, message);
    assert_true(g_error_matches(error, FUNDAMENT_ERROR, code));
}

#define JSON_SPAN(members) "{\"resourceSpans\":[{\"scopeSpans\":[{\"spans\":[{" members "}]}]}]}"
#define JSON_ATTRIBUTE(value) JSON_SPAN("\"attributes\":[{\"key\":\"k\",\"value\":" value "}]")
#define AT_SPAN "resourceSpans[0]: scopeSpans[0]: spans[0]: "
#define AT_ATTRIBUTE AT_SPAN "attributes[0]: "

/* The attributes of the only span as JSON; frees the spans. */
static inline void expect_attributes(GPtrArray *spans, const char *expected)
{
    assert_int_equal(spans->len, 1);
    const OtlpSpan *span = g_ptr_array_index(spans, 0);
    g_autofree char *text = json_write(span->attributes);
    assert_string_equal(text, expected);
    g_ptr_array_unref(spans);
}
