/* What OTLP messages mean, in both encodings. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/format/otlp_message.h"

/* --- whole messages --- */

static void check_whole_span(const OtlpSpan *span)
{
    g_autofree char *attributes = json_write(span->attributes);
    g_autofree char *resource = json_write(span->resource);
    assert_memory_equal(span->trace_id, TRACE, 16);
    assert_memory_equal(span->span_id, SPAN, 8);
    assert_memory_equal(span->parent_span_id, PARENT, 8);
    assert_true(span->has_parent);
    assert_true(span->ids_valid);
    assert_string_equal(span->name, "opvragen");
    assert_true(span->start_ns == G_GUINT64_CONSTANT(1544712660000000000));
    assert_true(span->end_ns == G_GUINT64_CONSTANT(1544712661000000000));
    assert_int_equal(span->status, 2);
    assert_string_equal(attributes, "{\"a\":\"1\",\"b\":2}");
    assert_string_equal(resource, "{\"service.name\":\"balie\"}");
}

static void reads_a_whole_span_from_protobuf(void **state)
{
    GByteArray *span = span_with_ids();
    put_text(span, 3, "state=1");
    put_bytes(span, 4, PARENT, 8);
    put_text(span, 5, "opvragen");
    put_number(span, 6, 2);
    put_fixed64(span, 7, G_GUINT64_CONSTANT(1544712660000000000));
    put_fixed64(span, 8, G_GUINT64_CONSTANT(1544712661000000000));
    put_message(span, 9, key_value("a", text_value("1")));
    put_message(span, 9, key_value("b", put_number(message_new(), 3, 2)));
    put_number(span, 10, 7);
    put_message(span, 11, put_text(message_new(), 2, "an event"));
    put_message(span, 15, put_number(put_text(message_new(), 2, "mis"), 3, 2));
    GByteArray *resource = put_message(message_new(), 1, key_value("service.name", text_value("balie")));
    GByteArray *scope = put_message(put_message(message_new(), 1, text_value("scope")), 2, span);
    GByteArray *resource_spans = put_message(put_message(message_new(), 1, resource), 2, scope);
    g_autoptr(GPtrArray) spans = accept_protobuf(put_message(message_new(), 1, resource_spans));
    assert_int_equal(spans->len, 1);
    check_whole_span(g_ptr_array_index(spans, 0));
}

static void reads_a_whole_span_from_json(void **state)
{
    g_autoptr(GPtrArray) spans = accept_json(
        "{\"resourceSpans\":[{\"resource\":{\"attributes\":[{\"key\":\"service.name\","
        "\"value\":{\"stringValue\":\"balie\"}}]},\"scopeSpans\":[{\"scope\":{\"name\":\"scope\"},\"spans\":["
        "{\"traceId\":\"0AF7651916CD43DD8448EB211C80319C\",\"spanId\":\"" SPAN_HEX
        "\",\"traceState\":\"s=1\","
        "\"parentSpanId\":\"00f067aa0ba902b7\",\"name\":\"opvragen\",\"kind\":2,"
        "\"startTimeUnixNano\":\"1544712660000000000\",\"endTimeUnixNano\":1544712661000000000,"
        "\"attributes\":[{\"key\":\"a\",\"value\":{\"stringValue\":\"1\"}},"
        "{\"key\":\"b\",\"value\":{\"intValue\":\"2\"}}],\"droppedAttributesCount\":7,"
        "\"events\":[{\"name\":\"an event\"}],\"status\":{\"message\":\"mis\",\"code\":2}}]}]}]}");
    assert_int_equal(spans->len, 1);
    check_whole_span(g_ptr_array_index(spans, 0));
}

static void an_empty_message_has_no_spans(void **state)
{
    g_autoptr(GPtrArray) none = accept_protobuf(message_new());
    assert_int_equal(none->len, 0);
    static const char *const texts[] = {"{}", "{\"resourceSpans\":[]}", "{\"resourceSpans\":null}",
                                        "{\"resourceSpans\":[{\"scopeSpans\":[{\"spans\":[]}]}]}"};
    for (gsize i = 0; i < G_N_ELEMENTS(texts); i++) {
        g_autoptr(GPtrArray) spans = accept_json(texts[i]);
        assert_int_equal(spans->len, 0);
    }
}

static void check_empty_span(GPtrArray *spans)
{
    static const guint8 zeros[16];
    const OtlpSpan *span = g_ptr_array_index(spans, 0);
    assert_int_equal(spans->len, 1);
    assert_memory_equal(span->trace_id, zeros, 16);
    assert_memory_equal(span->parent_span_id, zeros, 8);
    assert_false(span->ids_valid);
    assert_false(span->has_parent);
    assert_string_equal(span->name, "");
    assert_int_equal(span->start_ns, 0);
    assert_int_equal(span->status, 0);
    assert_int_equal(json_object_size(span->attributes), 0);
    assert_int_equal(json_object_size(span->resource), 0);
    g_ptr_array_unref(spans);
}

static void absent_fields_have_their_defaults(void **state)
{
    check_empty_span(accept_protobuf(request_with_span(message_new())));
    check_empty_span(accept_json(JSON_SPAN("")));
    check_empty_span(accept_json(JSON_SPAN(
        "\"traceId\":null,\"name\":null,\"startTimeUnixNano\":null,\"status\":null,\"attributes\":null")));
}

static void keeps_the_order_and_shares_the_resource(void **state)
{
    GByteArray *scope = message_new();
    put_message(scope, 2, put_text(message_new(), 5, "one"));
    put_message(scope, 2, put_text(message_new(), 5, "two"));
    GByteArray *first = put_message(message_new(), 2, scope);
    /* protobuf fields may come in any order: here the resource stands behind its spans */
    put_message(first, 1, put_message(message_new(), 1, key_value("r", text_value("first"))));
    GByteArray *second =
        put_message(message_new(), 2, put_message(message_new(), 2, put_text(message_new(), 5, "three")));
    g_autoptr(GPtrArray) spans =
        accept_protobuf(put_message(put_message(message_new(), 1, first), 1, second));
    const OtlpSpan *one = g_ptr_array_index(spans, 0);
    const OtlpSpan *two = g_ptr_array_index(spans, 1);
    const OtlpSpan *three = g_ptr_array_index(spans, 2);
    assert_int_equal(spans->len, 3);
    assert_string_equal(one->name, "one");
    assert_string_equal(two->name, "two");
    assert_string_equal(three->name, "three");
    assert_string_equal(json_string_at(one->resource, "r"), "first");
    assert_ptr_equal(one->resource, two->resource);
    assert_int_equal(json_object_size(three->resource), 0);
}

/* --- ids --- */

static gboolean protobuf_ids(const char *trace, gsize trace_length, const char *span, gsize span_length,
                             const char *parent, gsize parent_length)
{
    GByteArray *message = message_new();
    put_bytes(message, 1, trace, trace_length);
    put_bytes(message, 2, span, span_length);
    put_bytes(message, 4, parent, parent_length);
    g_autoptr(GPtrArray) spans = accept_protobuf(request_with_span(message));
    return ((const OtlpSpan *)g_ptr_array_index(spans, 0))->ids_valid;
}

/* trace.proto: "The ID is a 16-byte array. An ID with all zeroes OR of length other than 16 bytes is
 * considered invalid"; 8 bytes for a span. */
static void a_span_with_wrong_ids_stays_in_the_list(void **state)
{
    assert_true(protobuf_ids(TRACE, 16, SPAN, 8, "", 0));
    assert_true(protobuf_ids(TRACE, 16, SPAN, 8, PARENT, 8));
    assert_false(protobuf_ids(TRACE, 15, SPAN, 8, "", 0));
    assert_false(protobuf_ids(TRACE "x", 17, SPAN, 8, "", 0));
    assert_false(protobuf_ids("\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 16, SPAN, 8, "", 0));
    assert_false(protobuf_ids(TRACE, 16, SPAN, 7, "", 0));
    assert_false(protobuf_ids(TRACE, 16, "\0\0\0\0\0\0\0\0", 8, "", 0));
    assert_false(protobuf_ids(TRACE, 16, "", 0, "", 0));
    assert_false(protobuf_ids(TRACE, 16, SPAN, 8, PARENT, 7));
}

static gboolean json_ids(const char *trace, const char *span, const char *parent)
{
    g_autofree char *text = g_strdup_printf(
        JSON_SPAN("\"traceId\":\"%s\",\"spanId\":\"%s\",\"parentSpanId\":\"%s\""), trace, span, parent);
    g_autoptr(GPtrArray) spans = accept_json(text);
    return ((const OtlpSpan *)g_ptr_array_index(spans, 0))->ids_valid;
}

static void ids_in_json_are_hexadecimal_of_either_case(void **state)
{
    assert_true(json_ids(TRACE_HEX, SPAN_HEX, ""));
    assert_true(json_ids("0AF7651916CD43DD8448EB211C80319C", "B7AD6B7169203331", "00F067aa0ba902b7"));
    assert_false(json_ids("0af7651916cd43dd8448eb211c80319", SPAN_HEX, ""));
    assert_false(json_ids(TRACE_HEX "00", SPAN_HEX, ""));
    assert_false(json_ids("0af7651916cd43dd8448eb211c80319g", SPAN_HEX, ""));
    assert_false(json_ids("00000000000000000000000000000000", SPAN_HEX, ""));
    assert_false(json_ids(TRACE_HEX, "b7ad6b716920333", ""));
    assert_false(json_ids(TRACE_HEX, "", ""));
    assert_false(json_ids(TRACE_HEX, SPAN_HEX, "x"));
    assert_false(json_ids(TRACE_HEX, SPAN_HEX, "00f067aa0ba902b"));
    assert_false(
        json_ids("CvdlGRbNQ92ESOshHIAxnA==", SPAN_HEX, "")); /* base64, as plain proto3 JSON has it */
    refuse_json(JSON_SPAN("\"traceId\":5"), NULL, FUNDAMENT_ERROR_INVALID,
                AT_SPAN "traceId must be a string");
}

static void a_parent_of_zeros_is_no_parent(void **state)
{
    GByteArray *message = put_bytes(span_with_ids(), 4, "\0\0\0\0\0\0\0\0", 8);
    g_autoptr(GPtrArray) spans = accept_protobuf(request_with_span(message));
    const OtlpSpan *span = g_ptr_array_index(spans, 0);
    assert_false(span->has_parent);
    assert_true(span->ids_valid);
}

/* --- attributes --- */

static void reads_every_kind_of_value_from_protobuf(void **state)
{
    gint64 negative = -5;
    guint64 half;
    memcpy(&half, &(double){0.5}, 8);
    GByteArray *span = span_with_ids();
    put_message(span, 9, key_value("s", text_value("\xc3\xa9")));
    put_message(span, 9, key_value("t", put_number(message_new(), 2, 1)));
    put_message(span, 9, key_value("f", put_number(message_new(), 2, 0)));
    put_message(span, 9, key_value("i", put_number(message_new(), 3, (guint64)negative)));
    put_message(span, 9, key_value("d", put_fixed64(message_new(), 4, half)));
    put_message(span, 9, key_value("b", put_bytes(message_new(), 7, "\xff\x00\xfe", 3)));
    put_message(span, 9, key_value("n", message_new()));
    put_message(span, 9, put_text(message_new(), 1, "none"));
    put_message(span, 9, key_value("e", text_value("")));
    expect_attributes(
        accept_protobuf(request_with_span(span)),
        "{\"s\":\"\xc3\xa9\",\"t\":true,\"f\":false,\"i\":-5,\"d\":0.5,\"b\":\"/wD+\",\"n\":null,"
        "\"none\":null,\"e\":\"\"}");
}

static void reads_every_kind_of_value_from_json(void **state)
{
    expect_attributes(
        accept_json(
            JSON_SPAN("\"attributes\":[{\"key\":\"s\",\"value\":{\"stringValue\":\"\xc3\xa9\"}},"
                      "{\"key\":\"t\",\"value\":{\"boolValue\":true}},"
                      "{\"key\":\"f\",\"value\":{\"boolValue\":false}},"
                      "{\"key\":\"i\",\"value\":{\"intValue\":\"-5\"}},"
                      "{\"key\":\"j\",\"value\":{\"intValue\":7}},"
                      "{\"key\":\"d\",\"value\":{\"doubleValue\":0.5}},"
                      "{\"key\":\"w\",\"value\":{\"doubleValue\":2}},"
                      "{\"key\":\"b\",\"value\":{\"bytesValue\":\"/wD+\"}},"
                      "{\"key\":\"u\",\"value\":{\"bytesValue\":\"_w\"}},"
                      "{\"key\":\"p\",\"value\":{\"bytesValue\":\"_w==\"}},"
                      "{\"key\":\"n\",\"value\":{}},{\"key\":\"none\"},{\"key\":\"null\",\"value\":null},"
                      "{\"key\":\"later\",\"value\":{\"newKindValue\":1}}]")),
        "{\"s\":\"\xc3\xa9\",\"t\":true,\"f\":false,\"i\":-5,\"j\":7,\"d\":0.5,\"w\":2,\"b\":\"/wD+\","
        "\"u\":\"/w==\",\"p\":\"/w==\",\"n\":null,\"none\":null,\"null\":null,\"later\":null}");
}

static void reads_arrays_and_lists(void **state)
{
    const char *expected = "{\"k\":[\"a\",[1],{\"x\":\"y\"},null]}";
    GByteArray *array = put_message(message_new(), 1, text_value("a"));
    GByteArray *inner = put_message(message_new(), 1, put_number(message_new(), 3, 1));
    put_message(array, 1, put_message(message_new(), 5, inner));
    GByteArray *list = put_message(message_new(), 1, key_value("x", text_value("y")));
    put_message(array, 1, put_message(message_new(), 6, list));
    put_message(array, 1, message_new());
    expect_attributes(accept_protobuf(request_with_attribute("k", put_message(message_new(), 5, array))),
                      expected);
    expect_attributes(
        accept_json(JSON_ATTRIBUTE(
            "{\"arrayValue\":{\"values\":[{\"stringValue\":\"a\"},"
            "{\"arrayValue\":{\"values\":[{\"intValue\":1}]}},"
            "{\"kvlistValue\":{\"values\":[{\"key\":\"x\",\"value\":{\"stringValue\":\"y\"}}]}},{}]}}")),
        expected);
    expect_attributes(accept_json(JSON_ATTRIBUTE("{\"arrayValue\":{}}")), "{\"k\":[]}");
    expect_attributes(accept_json(JSON_ATTRIBUTE("{\"kvlistValue\":{}}")), "{\"k\":{}}");
}

/* What is kept must survive being written as JSON and read again, which is strict about 2^53-1. */
static void large_integers_and_nan_become_text(void **state)
{
    guint64 infinity = G_GUINT64_CONSTANT(0x7ff0000000000000);
    gint64 least = G_MININT64;
    GByteArray *span = span_with_ids();
    put_message(span, 9, key_value("fits", put_number(message_new(), 3, 9007199254740991)));
    put_message(span, 9, key_value("large", put_number(message_new(), 3, 9007199254740992)));
    put_message(span, 9, key_value("least", put_number(message_new(), 3, (guint64)least)));
    put_message(span, 9, key_value("inf", put_fixed64(message_new(), 4, infinity)));
    put_message(span, 9, key_value("minus", put_fixed64(message_new(), 4, infinity | 1ull << 63)));
    put_message(span, 9, key_value("nan", put_fixed64(message_new(), 4, infinity | 1)));
    const char *expected = "{\"fits\":9007199254740991,\"large\":\"9007199254740992\","
                           "\"least\":\"-9223372036854775808\",\"inf\":\"Infinity\",\"minus\":\"-Infinity\","
                           "\"nan\":\"NaN\"}";
    expect_attributes(accept_protobuf(request_with_span(span)), expected);
    expect_attributes(accept_json(JSON_SPAN(
                          "\"attributes\":[{\"key\":\"fits\",\"value\":{\"intValue\":\"9007199254740991\"}},"
                          "{\"key\":\"large\",\"value\":{\"intValue\":9007199254740992}},"
                          "{\"key\":\"least\",\"value\":{\"intValue\":\"-9223372036854775808\"}},"
                          "{\"key\":\"inf\",\"value\":{\"doubleValue\":\"Infinity\"}},"
                          "{\"key\":\"minus\",\"value\":{\"doubleValue\":\"-Infinity\"}},"
                          "{\"key\":\"nan\",\"value\":{\"doubleValue\":\"NaN\"}}]")),
                      expected);
    g_autoptr(json_t) again = json_parse_strict(expected, -1, NULL, NULL);
    assert_non_null(again);
}

static void of_equal_keys_the_first_counts(void **state)
{
    GByteArray *span = span_with_ids();
    put_message(span, 9, key_value("k", text_value("first")));
    put_message(span, 9, key_value("k", text_value("second")));
    expect_attributes(accept_protobuf(request_with_span(span)), "{\"k\":\"first\"}");
    expect_attributes(
        accept_json(JSON_SPAN("\"attributes\":[{\"key\":\"k\",\"value\":{\"stringValue\":\"first\"}},"
                              "{\"key\":\"k\",\"value\":{\"stringValue\":\"second\"}}]")),
        "{\"k\":\"first\"}");
}

/* Protobuf, oneof: "only the last member seen is used"; a JSON object with two of them is a mistake. */
static void of_a_oneof_the_last_counts_in_protobuf(void **state)
{
    GByteArray *value = put_number(text_value("x"), 3, 5);
    expect_attributes(accept_protobuf(request_with_attribute("k", value)), "{\"k\":5}");
    refuse_json(JSON_ATTRIBUTE("{\"stringValue\":\"x\",\"intValue\":5}"), NULL, FUNDAMENT_ERROR_INVALID,
                AT_ATTRIBUTE "value must hold one value, not two");
}

/* --- responses --- */

static void check_response(gint64 rejected, const char *message, const char *bytes, gsize length,
                           const char *json)
{
    g_autoptr(GBytes) protobuf = otlp_response_protobuf(rejected, message);
    g_autoptr(GBytes) expected = g_bytes_new(bytes, length);
    assert_true(g_bytes_equal(protobuf, expected));
    g_autoptr(json_t) value = otlp_response_json(rejected, message);
    g_autofree char *text = json_write(value);
    assert_string_equal(text, json);
}

/* OTLP, "Full Success": partial_success MUST be left unset; "Partial Success": rejected_spans MUST be set. */
static void responses_say_what_was_rejected(void **state)
{
    check_response(0, "never mind", "", 0, "{}");
    check_response(2, "no", "\x0a\x06\x08\x02\x12\x02no", 8,
                   "{\"partialSuccess\":{\"rejectedSpans\":\"2\",\"errorMessage\":\"no\"}}");
    check_response(300, NULL, "\x0a\x03\x08\xac\x02", 5, "{\"partialSuccess\":{\"rejectedSpans\":\"300\"}}");
}

static void a_long_message_has_a_long_length(void **state)
{
    g_autofree char *message = g_strnfill(200, 'm');
    g_autoptr(GBytes) response = otlp_response_protobuf(1, message);
    gsize length;
    const guint8 *data = g_bytes_get_data(response, &length);
    assert_int_equal(length, 3 + 2 + 3 + 200);
    assert_memory_equal(data, "\x0a\xcd\x01\x08\x01\x12\xc8\x01m", 9);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_a_whole_span_from_protobuf),
        cmocka_unit_test(reads_a_whole_span_from_json),
        cmocka_unit_test(an_empty_message_has_no_spans),
        cmocka_unit_test(absent_fields_have_their_defaults),
        cmocka_unit_test(keeps_the_order_and_shares_the_resource),
        cmocka_unit_test(a_span_with_wrong_ids_stays_in_the_list),
        cmocka_unit_test(ids_in_json_are_hexadecimal_of_either_case),
        cmocka_unit_test(a_parent_of_zeros_is_no_parent),
        cmocka_unit_test(reads_every_kind_of_value_from_protobuf),
        cmocka_unit_test(reads_every_kind_of_value_from_json),
        cmocka_unit_test(reads_arrays_and_lists),
        cmocka_unit_test(large_integers_and_nan_become_text),
        cmocka_unit_test(of_equal_keys_the_first_counts),
        cmocka_unit_test(of_a_oneof_the_last_counts_in_protobuf),
        cmocka_unit_test(responses_say_what_was_rejected),
        cmocka_unit_test(a_long_message_has_a_long_length),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
