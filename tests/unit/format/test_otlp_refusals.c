/* What is no OTLP message, or too much of one, in both encodings. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/format/otlp_message.h"

/* --- what is skipped, and what is broken --- */

/* Protobuf: unknown fields MUST be skipped. OTLP/JSON: unknown members MUST be ignored. */
static void skips_what_it_does_not_know(void **state)
{
    GByteArray *span = span_with_ids();
    put_number(span, 200, 5);
    put_fixed64(span, 201, 5);
    put_text(span, 202, "\xff not text");
    g_byte_array_append(span, (const guint8 *)"\x85\x01????", 6); /* field 16, fixed32 */
    put_text(span, 5, "name");
    g_autoptr(GPtrArray) spans = accept_protobuf(request_with_span(span));
    assert_string_equal(((const OtlpSpan *)g_ptr_array_index(spans, 0))->name, "name");
    g_autoptr(GPtrArray) same = accept_json(
        "{\"new\":[1],\"resourceSpans\":[{\"new\":{},\"scopeSpans\":[{\"new\":1,\"spans\":[{\"new\":null,"
        "\"trace_id\":5,\"name\":\"name\"}]}]}]}");
    assert_string_equal(((const OtlpSpan *)g_ptr_array_index(same, 0))->name, "name");
}

static GByteArray *raw(const char *bytes, gsize length)
{
    return g_byte_array_append(message_new(), (const guint8 *)bytes, (guint)length);
}

static void rejects_broken_protobuf(void **state)
{
    static const struct {
        const char *bytes;
        gsize length;
        const char *message;
    } cases[] = {
        {"\x0a", 1, "byte 0: this field is cut off or too long"},
        {"\x0a\x05\x61\x62", 4, "byte 0: this field is cut off or too long"},
        {"\x0a\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", 11, "byte 0: this field is cut off or too long"},
        {"\x0a\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02", 11, "byte 0: this field is cut off or too long"},
        {"\x10\x80", 2, "byte 0: this field is cut off or too long"},
        {"\x10\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x00", 12, "byte 0: this field is cut off or too long"},
        {"\x11\x01\x02\x03", 4, "byte 0: this field is cut off or too long"},
        {"\x15\x01\x02\x03", 4, "byte 0: this field is cut off or too long"},
        {"\x10\x05\x02\x00", 4, "byte 2: no field number here"},
        {"\xff\xff\xff\xff\xff\x01", 6, "byte 0: no field number here"},
        {"\x80", 1, "byte 0: no field number here"},
        {"\x13\x14", 2, "byte 0: unknown wire type"},
        {"\x16", 1, "byte 0: unknown wire type"},
        {"\x08\x05", 2, "byte 0: wrong wire type for this field"},
        {"\x0a\x02\x0a\x07", 4, "byte 2: this field is cut off or too long"},
        {"\x0a\x03\x12\x01\x12\x00", 6, "byte 4: this field is cut off or too long"},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *message = g_strdup_printf("not OTLP protobuf: %s", cases[i].message);
        refuse_protobuf(raw(cases[i].bytes, cases[i].length), NULL, FUNDAMENT_ERROR_INVALID, message);
    }
}

static void every_cut_of_a_message_is_refused(void **state)
{
    g_autoptr(GByteArray) request = request_with_attribute("key", text_value("value"));
    for (guint n = 1; n < request->len; n++) {
        g_autofree guint8 *copy = g_memdup2(request->data, n); /* so that a sanitizer sees the end */
        assert_null(otlp_parse_protobuf(copy, n, NULL, NULL));
    }
}

static void rejects_text_that_json_cannot_hold(void **state)
{
    const char *message = "a text that is not UTF-8, or holds NUL or a Unicode noncharacter";
    refuse_protobuf(request_with_attribute("k", text_value("\xff")), NULL, FUNDAMENT_ERROR_INVALID, message);
    refuse_protobuf(request_with_attribute("k", text_value("\xef\xbf\xbf")), NULL, FUNDAMENT_ERROR_INVALID,
                    message);
    refuse_protobuf(request_with_attribute("k", put_bytes(message_new(), 1, "a\0b", 3)), NULL,
                    FUNDAMENT_ERROR_INVALID, message);
    refuse_protobuf(request_with_attribute("\xc0\x80", text_value("")), NULL, FUNDAMENT_ERROR_INVALID,
                    message);
    refuse_protobuf(request_with_span(put_text(span_with_ids(), 5, "\xff")), NULL, FUNDAMENT_ERROR_INVALID,
                    message);
    refuse_json(JSON_SPAN("\"name\":\"\\u0000\""), NULL, FUNDAMENT_ERROR_INVALID,
                "line 1, column 53: a string may not hold NUL");
}

static void rejects_a_status_that_does_not_exist(void **state)
{
    const char *reason = "a status code that OTLP does not have (at most 2)";
    for (guint code = 0; code <= 2; code++) {
        GByteArray *span = put_message(message_new(), 15, put_number(message_new(), 3, code));
        g_autoptr(GPtrArray) spans = accept_protobuf(request_with_span(span));
        assert_int_equal(((const OtlpSpan *)g_ptr_array_index(spans, 0))->status, code);
    }
    refuse_protobuf(request_with_span(put_message(message_new(), 15, put_number(message_new(), 3, 3))), NULL,
                    FUNDAMENT_ERROR_INVALID, reason);
    refuse_json(JSON_SPAN("\"status\":{\"code\":-1}"), NULL, FUNDAMENT_ERROR_INVALID,
                AT_SPAN "a status code that OTLP does not have (at most 2)");
    /* OTLP/JSON: "the enum name strings MUST NOT be used" */
    refuse_json(JSON_SPAN("\"status\":{\"code\":\"STATUS_CODE_OK\"}"), NULL, FUNDAMENT_ERROR_INVALID,
                AT_SPAN "status.code must be an integer");
}

static void rejects_json_of_the_wrong_shape(void **state)
{
    static const struct {
        const char *text;
        const char *message;
    } cases[] = {
        {"[]", "the message must be an object"},
        {"{\"resourceSpans\":{}}", "resourceSpans must be an array"},
        {"{\"resourceSpans\":[{},1]}", "resourceSpans[1]: this must be an object"},
        {"{\"resourceSpans\":[{\"resource\":[]}]}", "resourceSpans[0]: resource must be an object"},
        {"{\"resourceSpans\":[{\"scopeSpans\":5}]}", "resourceSpans[0]: scopeSpans must be an array"},
        {JSON_SPAN("\"name\":5"), AT_SPAN "name must be a string"},
        {JSON_SPAN("\"status\":2"), AT_SPAN "status must be an object"},
        {JSON_SPAN("\"attributes\":{}"), AT_SPAN "attributes must be an array"},
        {JSON_SPAN("\"attributes\":[{\"key\":5}]"), AT_ATTRIBUTE "key must be a string"},
        {JSON_ATTRIBUTE("\"x\""), AT_ATTRIBUTE "value must be an object"},
        {JSON_ATTRIBUTE("{\"stringValue\":5}"), AT_ATTRIBUTE "stringValue must be a string"},
        {JSON_ATTRIBUTE("{\"boolValue\":\"true\"}"), AT_ATTRIBUTE "boolValue must be true or false"},
        {JSON_ATTRIBUTE("{\"intValue\":1.5}"),
         AT_ATTRIBUTE "intValue must be a 64-bit integer, as decimal text"},
        {JSON_ATTRIBUTE("{\"intValue\":\"9223372036854775808\"}"),
         AT_ATTRIBUTE "intValue must be a 64-bit integer, as decimal text"},
        {JSON_ATTRIBUTE("{\"intValue\":\"0x10\"}"),
         AT_ATTRIBUTE "intValue must be a 64-bit integer, as decimal text"},
        {JSON_ATTRIBUTE("{\"doubleValue\":\"x\"}"),
         AT_ATTRIBUTE "doubleValue must be a number, \"NaN\", \"Infinity\" or \"-Infinity\""},
        {JSON_ATTRIBUTE("{\"bytesValue\":\"a\"}"),
         AT_ATTRIBUTE "bytesValue: not base64url: the last character is cut off or has stray bits"},
        {JSON_ATTRIBUTE("{\"arrayValue\":[]}"), AT_ATTRIBUTE "arrayValue or kvlistValue must be an object"},
        {JSON_ATTRIBUTE("{\"arrayValue\":{\"values\":[5]}}"),
         AT_ATTRIBUTE "values[0]: this must be an object"},
        {JSON_SPAN("\"name\":\"a\",\"name\":\"b\""), "line 1, column 56: duplicate member \"name\""},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++)
        refuse_json(cases[i].text, NULL, FUNDAMENT_ERROR_INVALID, cases[i].message);
}

static void rejects_times_that_are_not_whole_nanoseconds(void **state)
{
    static const char *const wrong[] = {
        "-1", "1.5", "\"-1\"", "\"1.5\"", "\"\"", "\"1e9\"", "\" 1\"", "true", "\"18446744073709551616\""};
    g_autoptr(GPtrArray) most = accept_json(JSON_SPAN("\"endTimeUnixNano\":\"18446744073709551615\""));
    assert_true(((const OtlpSpan *)g_ptr_array_index(most, 0))->end_ns == G_MAXUINT64);
    for (gsize i = 0; i < G_N_ELEMENTS(wrong); i++) {
        g_autofree char *text = g_strdup_printf(JSON_SPAN("\"startTimeUnixNano\":%s"), wrong[i]);
        refuse_json(text, NULL, FUNDAMENT_ERROR_INVALID,
                    AT_SPAN "startTimeUnixNano must be nanoseconds since 1970, as decimal text");
    }
}

/* --- limits --- */

static void bounds_the_size_of_the_message(void **state)
{
    OtlpLimits limits = OTLP_LIMITS_DEFAULT;
    GByteArray *request = request_with_span(span_with_ids());
    limits.bytes = request->len;
    g_autoptr(GPtrArray) spans = otlp_parse_protobuf(request->data, request->len, &limits, NULL);
    assert_non_null(spans);
    limits.bytes--;
    g_autofree char *message =
        g_strdup_printf("the message has too many bytes; send smaller batches (at most %zu)", limits.bytes);
    refuse_protobuf(request, &limits, FUNDAMENT_ERROR_LIMIT, message);
    limits.bytes = 1;
    refuse_json("{}", &limits, FUNDAMENT_ERROR_LIMIT,
                "the message has too many bytes; send smaller batches (at most 1)");
}

static void bounds_the_number_of_spans(void **state)
{
    OtlpLimits limits = OTLP_LIMITS_DEFAULT;
    limits.spans = 1;
    GByteArray *scope = put_message(put_message(message_new(), 2, message_new()), 2, message_new());
    GByteArray *two = put_message(message_new(), 1, put_message(message_new(), 2, scope));
    refuse_protobuf(two, &limits, FUNDAMENT_ERROR_LIMIT, "too many spans; send smaller batches (at most 1)");
    refuse_json(
        "{\"resourceSpans\":[{\"scopeSpans\":[{\"spans\":[{},{}]}]}]}", &limits, FUNDAMENT_ERROR_LIMIT,
        "resourceSpans[0]: scopeSpans[0]: spans[1]: too many spans; send smaller batches (at most 1)");
    const char *one = "{\"resourceSpans\":[{\"scopeSpans\":[{\"spans\":[{}]}]}]}";
    g_autoptr(GPtrArray) spans = otlp_parse_json(one, strlen(one), &limits, NULL);
    assert_int_equal(spans->len, 1);
}

static void bounds_the_number_of_attributes(void **state)
{
    OtlpLimits limits = OTLP_LIMITS_DEFAULT;
    limits.attributes = 1;
    GByteArray *span = put_message(span_with_ids(), 9, key_value("a", text_value("")));
    put_message(span, 9, key_value("a", text_value("")));
    refuse_protobuf(request_with_span(span), &limits, FUNDAMENT_ERROR_LIMIT,
                    "too many attributes (at most 1)");
    refuse_json(JSON_SPAN("\"attributes\":[{\"key\":\"a\"},{\"key\":\"b\"}]"), &limits, FUNDAMENT_ERROR_LIMIT,
                AT_SPAN "attributes[1]: too many attributes (at most 1)");
    refuse_json("{\"resourceSpans\":[{\"resource\":{\"attributes\":[{},{}]}}]}", &limits,
                FUNDAMENT_ERROR_LIMIT, "resourceSpans[0]: attributes[1]: too many attributes (at most 1)");
}

static void bounds_the_length_of_text(void **state)
{
    OtlpLimits limits = OTLP_LIMITS_DEFAULT;
    limits.text = 4;
    GByteArray *fits = request_with_attribute("four", text_value("four"));
    g_autoptr(GPtrArray) spans = otlp_parse_protobuf(fits->data, fits->len, &limits, NULL);
    assert_non_null(spans);
    g_byte_array_unref(fits);
    const char *reason = "a text with too many bytes (at most 4)";
    refuse_protobuf(request_with_attribute("a", text_value("fives")), &limits, FUNDAMENT_ERROR_LIMIT, reason);
    refuse_protobuf(request_with_attribute("fives", text_value("")), &limits, FUNDAMENT_ERROR_LIMIT, reason);
    refuse_protobuf(request_with_span(put_text(message_new(), 5, "fives")), &limits, FUNDAMENT_ERROR_LIMIT,
                    reason);
    refuse_protobuf(request_with_attribute("a", put_bytes(message_new(), 7, "fives", 5)), &limits,
                    FUNDAMENT_ERROR_LIMIT, "an attribute with too many bytes (at most 4)");
    refuse_json(JSON_SPAN("\"name\":\"fives\""), &limits, FUNDAMENT_ERROR_LIMIT,
                AT_SPAN "name: a text with too many bytes (at most 4)");
    refuse_json(JSON_ATTRIBUTE("{\"stringValue\":\"fives\"}"), &limits, FUNDAMENT_ERROR_LIMIT,
                AT_ATTRIBUTE "a text with too many bytes (at most 4)");
}

static GByteArray *nested_array(int levels)
{
    GByteArray *value = text_value("x");
    for (int i = 0; i < levels; i++)
        value = put_message(message_new(), 5, put_message(message_new(), 1, value));
    return request_with_attribute("k", value);
}

static char *nested_json(int levels)
{
    GString *text = g_string_new("{\"stringValue\":\"x\"}");
    for (int i = 0; i < levels; i++) {
        g_string_prepend(text, "{\"arrayValue\":{\"values\":[");
        g_string_append(text, "]}}");
    }
    char *message = g_strdup_printf(JSON_ATTRIBUTE("%s"), text->str);
    g_string_free(text, TRUE);
    return message;
}

static void bounds_the_depth_of_values(void **state)
{
    const char *expected = "{\"k\":[[[[[[[\"x\"]]]]]]]}";
    const char *reason = "an attribute is nested more than 8 deep";
    g_autoptr(GError) error = NULL;
    g_autofree char *fits = nested_json(7);
    g_autofree char *deeper = nested_json(8);
    expect_attributes(accept_protobuf(nested_array(7)), expected);
    expect_attributes(accept_json(fits), expected);
    refuse_protobuf(nested_array(8), NULL, FUNDAMENT_ERROR_LIMIT, reason);
    assert_null(otlp_parse_json(deeper, strlen(deeper), NULL, &error));
    assert_true(g_error_matches(error, FUNDAMENT_ERROR, FUNDAMENT_ERROR_LIMIT));
    assert_true(g_str_has_suffix(error->message, reason));
}

static void bounds_the_number_of_values(void **state)
{
    GByteArray *array = message_new();
    for (int i = 0; i < 200000; i++)
        put_message(array, 1, message_new());
    refuse_protobuf(request_with_attribute("k", put_message(message_new(), 5, array)), NULL,
                    FUNDAMENT_ERROR_LIMIT, "too many values; send smaller batches (at most 200000)");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(skips_what_it_does_not_know),
        cmocka_unit_test(rejects_broken_protobuf),
        cmocka_unit_test(every_cut_of_a_message_is_refused),
        cmocka_unit_test(rejects_text_that_json_cannot_hold),
        cmocka_unit_test(rejects_a_status_that_does_not_exist),
        cmocka_unit_test(rejects_json_of_the_wrong_shape),
        cmocka_unit_test(rejects_times_that_are_not_whole_nanoseconds),
        cmocka_unit_test(bounds_the_size_of_the_message),
        cmocka_unit_test(bounds_the_number_of_spans),
        cmocka_unit_test(bounds_the_number_of_attributes),
        cmocka_unit_test(bounds_the_length_of_text),
        cmocka_unit_test(bounds_the_depth_of_values),
        cmocka_unit_test(bounds_the_number_of_values),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
