/* The canonical form of a record, to the byte: docs/logboek.md and these vectors must agree for ever, since
 * proofs stand on them. */
#include "tests/unit/logboek/sample.h"

#include "components/logboek/record.h"
#include "core/base/bytes.h"

#define VECTOR_FULL                                                                                          \
    "4c445631000000107bba9f33312b3dabc8f8e90c7c61f194000000082a3f5c8d1e6b4a090000000800f067aa0ba902b7"       \
    "000000010100000027506572736f6f6e736765676576656e7320676572616164706c6565676420e2809320c3a9c3a96e"       \
    "000000080000019ab697e87b000000080000019ab697e9c80000005068747470733a2f2f6d616e616765722e72656769"       \
    "737465722e6673632e746573743a383434332f6c6f67626f656b2f76312f70726f63657373696e672d61637469766974"       \
    "6965732f626576726167656e0000002e70312e4141414141414141414141414141414141414141414141414141414141"       \
    "41414141414141414141414141410000000342534e0000002c68747470733a2f2f696e7761792e67656d65656e74652e"       \
    "6673632e746573742f76657267756e6e696e67656e000000547b22687474702e726573706f6e73652e7374617475735f"       \
    "636f6465223a3230302c226e6c2e66756e64616d656e742e646174615f63617465676f72696573223a5b226e61616d22"       \
    "2c226765626f6f727465225d7d0000002e7b22736572766963652e6e616d65223a22627270222c22736572766963652e"       \
    "76657273696f6e223a22312e30227d"
#define VECTOR_FULL_DIGEST G_GUINT64_CONSTANT(0x25fd77e1ead71d61)
#define VECTOR_LEAST                                                                                         \
    "4c445631000000100000000000000000000000000000000f00000008000000000000000a00000000000000010000000001"     \
    "780000000800000000000000010000000800000000000000010000000000000000000000000000000000000000000000"       \
    "00"
#define VECTOR_LEAST_DIGEST G_GUINT64_CONSTANT(0x0fc7c360f0f86a1d)
#define VECTOR_KEY "ef5ce33b50658df3c707487fee1fe2a9"

static LogboekRecord least_record(void)
{
    return (LogboekRecord){.trace_id = "0000000000000000000000000000000f",
                           .span_id = "000000000000000a",
                           .name = "x",
                           .start_ms = 1,
                           .end_ms = 1};
}

static GBytes *encode_full(void)
{
    LogboekRecord record = sample_record();
    g_autoptr(json_t) attributes = json_pack("{s[ss]si}", "nl.fundament.data_categories", "naam", "geboorte",
                                             "http.response.status_code", 200);
    g_autoptr(json_t) resource = json_pack("{ssss}", "service.version", "1.0", "service.name", "brp");
    record.attributes = attributes;
    record.resource = resource;
    return record_encode(&record, NULL);
}

static void assert_vector(GBytes *bytes, const char *hex, guint64 digest)
{
    gsize length;
    const guint8 *data = g_bytes_get_data(bytes, &length);
    g_autofree char *text = hex_encode(data, length);
    assert_string_equal(text, hex);
    assert_true(record_digest(data, length) == digest);
}

static void encodes_a_full_record_as_the_vector(void **state)
{
    g_autoptr(GBytes) bytes = encode_full();
    assert_vector(bytes, VECTOR_FULL, VECTOR_FULL_DIGEST);
}

static void encodes_the_least_record_as_the_vector(void **state)
{
    LogboekRecord record = least_record();
    g_autoptr(GBytes) bytes = record_encode(&record, NULL);
    assert_vector(bytes, VECTOR_LEAST, VECTOR_LEAST_DIGEST);
}

static void an_empty_object_is_the_same_as_none(void **state)
{
    LogboekRecord record = least_record();
    g_autoptr(json_t) empty = json_object();
    record.attributes = empty;
    record.resource = empty;
    g_autoptr(GBytes) bytes = record_encode(&record, NULL);
    assert_vector(bytes, VECTOR_LEAST, VECTOR_LEAST_DIGEST);
}

static void decodes_what_was_encoded(void **state)
{
    g_autoptr(GBytes) bytes = encode_full();
    gsize length;
    const guint8 *data = g_bytes_get_data(bytes, &length);
    g_autoptr(GError) error = NULL;
    g_autoptr(Record) record = record_decode(data, length, &error);
    assert_null(error);
    LogboekRecord expected = sample_record();
    assert_string_equal(record->fields.trace_id, expected.trace_id);
    assert_string_equal(record->fields.span_id, expected.span_id);
    assert_string_equal(record->fields.parent_span_id, expected.parent_span_id);
    assert_int_equal(record->fields.status, expected.status);
    assert_string_equal(record->fields.name, expected.name);
    assert_true(record->fields.start_ms == expected.start_ms && record->fields.end_ms == expected.end_ms);
    assert_string_equal(record->fields.processing_activity_id, expected.processing_activity_id);
    assert_string_equal(record->fields.data_subject_id, expected.data_subject_id);
    assert_string_equal(record->fields.data_subject_id_type, expected.data_subject_id_type);
    assert_string_equal(record->fields.processor, expected.processor);
    assert_int_equal(json_integer_value(json_object_get(record->attributes, "http.response.status_code")),
                     200);
    assert_string_equal(json_string_at(record->resource, "service.name"), "brp");
    g_autoptr(GBytes) again = record_encode(&record->fields, NULL);
    assert_true(g_bytes_equal(bytes, again));
}

static void absent_fields_stay_absent(void **state)
{
    LogboekRecord record = least_record();
    g_autoptr(GBytes) bytes = record_encode(&record, NULL);
    gsize length;
    const guint8 *data = g_bytes_get_data(bytes, &length);
    g_autoptr(Record) decoded = record_decode(data, length, NULL);
    assert_string_equal(decoded->fields.parent_span_id, "");
    assert_null(decoded->fields.processing_activity_id);
    assert_null(decoded->fields.data_subject_id);
    assert_null(decoded->fields.data_subject_id_type);
    assert_null(decoded->fields.processor);
    assert_null(decoded->fields.attributes);
    assert_null(decoded->fields.resource);
}

static void assert_refused(const guint8 *data, gsize length, const char *where)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(Record) record = record_decode(data, length, &error);
    assert_null(record);
    assert_true(g_error_matches(error, FUNDAMENT_ERROR, FUNDAMENT_ERROR_INVALID));
    if (where != NULL)
        assert_non_null(strstr(error->message, where));
}

static void refuses_every_record_that_is_cut_short(void **state)
{
    g_autoptr(GBytes) bytes = encode_full();
    gsize length;
    const guint8 *data = g_bytes_get_data(bytes, &length);
    for (gsize cut = 0; cut < length; cut++) {
        g_autofree guint8 *part = g_memdup2(data, cut);
        assert_refused(part, cut, NULL);
    }
}

/* Changes the bytes at `offset` of the full vector. */
static void assert_spoiled(gsize offset, const char *bytes, gsize n_bytes, const char *where)
{
    g_autoptr(GBytes) good = encode_full();
    gsize length;
    const guint8 *data = g_bytes_get_data(good, &length);
    g_autofree guint8 *spoiled = g_memdup2(data, length);
    memcpy(spoiled + offset, bytes, n_bytes);
    assert_refused(spoiled, length, where);
}

#define OFFSET_STATUS 52 /* 4 + (4+16) + (4+8) + (4+8) + 4 */
#define OFFSET_NAME 57
#define OFFSET_START 100
#define OFFSET_ATTRIBUTES 313

static void refuses_another_form(void **state)
{
    assert_spoiled(3, "2", 1, "LDV1");
}

static void refuses_an_unknown_status(void **state)
{
    assert_spoiled(OFFSET_STATUS, "\x03", 1, "status");
}

static void refuses_text_that_is_not_utf8(void **state)
{
    assert_spoiled(OFFSET_NAME, "\xff", 1, "name");
}

static void refuses_a_nul_in_text(void **state)
{
    assert_spoiled(OFFSET_NAME, "\0", 1, "name");
}

static void refuses_a_time_beyond_all_times(void **state)
{
    assert_spoiled(OFFSET_START, "\x80", 1, "start_time");
}

static void refuses_json_that_is_not_canonical(void **state)
{
    assert_spoiled(OFFSET_ATTRIBUTES, "{\"zttp", 6, "attributes");
}

static void refuses_bytes_after_the_last_field(void **state)
{
    g_autoptr(GBytes) good = encode_full();
    gsize length;
    const guint8 *data = g_bytes_get_data(good, &length);
    g_autofree guint8 *longer = g_malloc0(length + 1);
    memcpy(longer, data, length);
    assert_refused(longer, length + 1, "end");
}

static void refuses_to_encode_more_than_64_kib(void **state)
{
    LogboekRecord record = least_record();
    g_autofree char *text = g_strnfill(RECORD_MAX - 98 - 9, 'a');
    g_autoptr(json_t) attributes = json_pack("{ss}", "t", text);
    record.attributes = attributes;
    g_autoptr(GError) error = NULL;
    g_autoptr(GBytes) most = record_encode(&record, &error);
    assert_non_null(most); /* {"t":"..."} takes 8 more bytes: one byte is left */
    json_object_set_new(attributes, "more", json_true());
    g_autoptr(GBytes) more = record_encode(&record, &error);
    assert_null(more);
    assert_true(g_error_matches(error, FUNDAMENT_ERROR, FUNDAMENT_ERROR_INVALID));
}

static void the_key_is_of_trace_span_and_subject_alone(void **state)
{
    LogboekRecord record = sample_record();
    RecordKey key = record_key(record.trace_id, record.span_id, record.data_subject_id);
    g_autofree char *hex = hex_encode(key.bytes, sizeof key.bytes);
    assert_string_equal(hex, VECTOR_KEY);
    g_autoptr(GBytes) bytes = encode_full();
    gsize length;
    const guint8 *data = g_bytes_get_data(bytes, &length);
    RecordParts parts;
    assert_true(record_split(data, length, &parts, NULL));
    RecordKey same = record_parts_key(&parts);
    assert_memory_equal(same.bytes, key.bytes, sizeof key.bytes);
    RecordKey other = record_key(record.trace_id, record.span_id, NULL);
    assert_memory_not_equal(other.bytes, key.bytes, sizeof key.bytes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(encodes_a_full_record_as_the_vector),
        cmocka_unit_test(encodes_the_least_record_as_the_vector),
        cmocka_unit_test(an_empty_object_is_the_same_as_none),
        cmocka_unit_test(decodes_what_was_encoded),
        cmocka_unit_test(absent_fields_stay_absent),
        cmocka_unit_test(refuses_every_record_that_is_cut_short),
        cmocka_unit_test(refuses_another_form),
        cmocka_unit_test(refuses_an_unknown_status),
        cmocka_unit_test(refuses_text_that_is_not_utf8),
        cmocka_unit_test(refuses_a_nul_in_text),
        cmocka_unit_test(refuses_a_time_beyond_all_times),
        cmocka_unit_test(refuses_json_that_is_not_canonical),
        cmocka_unit_test(refuses_bytes_after_the_last_field),
        cmocka_unit_test(refuses_to_encode_more_than_64_kib),
        cmocka_unit_test(the_key_is_of_trace_span_and_subject_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
