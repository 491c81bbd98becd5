/* From OTLP span to LDV record: names of earlier versions, units, the BSN, and what is left out. */
#include "tests/unit/logboek/sample.h"

#include "components/logboek/span.h"
#include "core/crypto/pseudonym.h"
#include "tests/support/error.h"
#include "tests/support/folder.h"

#define BASE "https://manager.test/logboek/v1/processing-activities/"

static Pseudonymizer *pseudonymizer;

static int setup(void **state)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *folder = test_folder_new();
    pseudonymizer = pseudonymizer_load(folder, "00000001000000000003", &error);
    no_error(error);
    return 0;
}

static int teardown(void **state)
{
    pseudonymizer_free(pseudonymizer);
    return 0;
}

/* Takes `attributes`. */
static OtlpSpan *span_new(json_t *attributes)
{
    OtlpSpan *span = g_new0(OtlpSpan, 1);
    memset(span->trace_id, 0xab, sizeof span->trace_id);
    memset(span->span_id, 0xcd, sizeof span->span_id);
    span->ids_valid = TRUE;
    span->name = g_strdup("Toeslag berekenen");
    span->start_ns = G_GUINT64_CONSTANT(1764000000123999999);
    span->end_ns = G_GUINT64_CONSTANT(1764000000456000000);
    span->attributes = attributes;
    span->resource = json_pack("{ss}", "service.name", "toeslag");
    return span;
}

static json_t *person(const char *subject, const char *type)
{
    return json_pack("{ss ss ss}", "dpl.core.processing_activity_id", "berekenen", "dpl.core.data_subject_id",
                     subject, "dpl.core.data_subject_id_type", type);
}

static Record *accept_span(json_t *attributes)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(OtlpSpan) span = span_new(attributes);
    Record *record = record_from_span(span, pseudonymizer, BASE, &error);
    no_error(error);
    return record;
}

static void refuse_span(json_t *attributes, const char *reason)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(OtlpSpan) span = span_new(attributes);
    g_autoptr(Record) record = record_from_span(span, pseudonymizer, BASE, &error);
    assert_null(record);
    assert_non_null(strstr(error->message, reason));
    assert_null(strstr(error->message, SAMPLE_BSN));
    expect_error(&error, FUNDAMENT_ERROR_INVALID);
}

static void maps_the_fields(void **state)
{
    g_autoptr(Record) record =
        accept_span(json_pack("{ss ss si}", "dpl.core.foreign_operation.processor", "https://x.test/a",
                              "dpl.core.processing_activity_id", "urn:x:1", "http.status", 200));
    const LogboekRecord *fields = &record->fields;
    assert_string_equal(fields->trace_id, "abababababababababababababababab");
    assert_string_equal(fields->span_id, "cdcdcdcdcdcdcdcd");
    assert_string_equal(fields->parent_span_id, "");
    assert_string_equal(fields->name, "Toeslag berekenen");
    assert_true(fields->start_ms == G_GINT64_CONSTANT(1764000000123)); /* 3.2.2.5: milliseconds */
    assert_true(fields->end_ms == G_GINT64_CONSTANT(1764000000456));
    assert_string_equal(fields->processing_activity_id, "urn:x:1");
    assert_string_equal(fields->processor, "https://x.test/a");
    assert_int_equal(json_object_size(fields->attributes), 1);
    assert_int_equal(json_integer_at(fields->attributes, "http.status"), 200);
    assert_string_equal(json_string_at(fields->resource, "service.name"), "toeslag");
}

/* decisions.md 18: "Whoever receives it maps it" */
static void a_bsn_becomes_a_pseudonym(void **state)
{
    static const char *const TYPES[] = {"BSN", "bsn"};
    g_autofree char *expected = pseudonym_of_bsn(pseudonymizer, SAMPLE_BSN);
    for (gsize i = 0; i < G_N_ELEMENTS(TYPES); i++) {
        g_autoptr(Record) record = accept_span(person(SAMPLE_BSN, TYPES[i]));
        assert_string_equal(record->fields.data_subject_id, expected);
        assert_string_equal(record->fields.data_subject_id_type, "BSN");
        g_autoptr(GBytes) bytes = record_encode(&record->fields, NULL);
        gsize length;
        const void *data = g_bytes_get_data(bytes, &length);
        assert_null(memmem(data, length, SAMPLE_BSN, 9));
    }
}

static void a_bsn_that_was_sent_as_a_number_too(void **state)
{
    g_autofree char *expected = pseudonym_of_bsn(pseudonymizer, "012345672");
    json_t *attributes = person("x", "BSN");
    json_object_set_new(attributes, "dpl.core.data_subject_id", json_integer(12345672));
    g_autoptr(Record) record = accept_span(attributes);
    assert_string_equal(record->fields.data_subject_id, expected);
}

static void a_pseudonym_of_ours_stays(void **state)
{
    g_autoptr(Record) record = accept_span(person(SAMPLE_SUBJECT, "BSN"));
    assert_string_equal(record->fields.data_subject_id, SAMPLE_SUBJECT);
}

static void anything_else_as_bsn_is_refused_without_repeating_it(void **state)
{
    refuse_span(person(SAMPLE_NOT_BSN, "BSN"), "dpl.core.data_subject_id of type BSN");
    refuse_span(person("2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824", "BSN"),
                "dpl.core.data_subject_id of type BSN");
    refuse_span(person(SAMPLE_BSN, "personeelsnummer"), "while its type says otherwise");
}

static void a_bsn_elsewhere_is_refused_by_the_name_of_the_attribute(void **state)
{
    refuse_span(json_pack("{ss}", "http.target", "/persons/" SAMPLE_BSN), "attribute http.target:");
    refuse_span(json_pack("{s[s]}", "app.list", SAMPLE_BSN), "attribute app.list:");
    refuse_span(json_pack("{ss}", "app." SAMPLE_BSN, "x"), "a name in the record");
}

/* 3.3.1.1 */
static void a_person_without_an_activity_is_refused(void **state)
{
    json_t *attributes = person(SAMPLE_BSN, "BSN");
    json_object_del(attributes, "dpl.core.processing_activity_id");
    refuse_span(attributes, "must have dpl.core.processing_activity_id");
}

static void no_subject_is_fine(void **state)
{
    g_autoptr(Record) record = accept_span(json_object());
    assert_null(record->fields.data_subject_id);
}

/* 3.3.2.1: "als name leeg is, moet deze automatisch worden gevuld" */
static void an_empty_name_is_filled(void **state)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(OtlpSpan) span = span_new(json_object());
    span->name[0] = '\0';
    g_autoptr(Record) record = record_from_span(span, pseudonymizer, BASE, &error);
    no_error(error);
    assert_string_equal(record->fields.name, "naamloze actie");
}

static void a_short_activity_is_completed(void **state)
{
    g_autoptr(Record) record = accept_span(person(SAMPLE_BSN, "BSN"));
    assert_string_equal(record->fields.processing_activity_id, BASE "berekenen");
    json_t *attributes = person(SAMPLE_BSN, "BSN");
    json_object_set_new(attributes, "dpl.core.processing_activity_id",
                        json_integer(14)); /* example 2 of the standard */
    g_autoptr(Record) numbered = accept_span(attributes);
    assert_string_equal(numbered->fields.processing_activity_id, BASE "14");
}

static void a_core_attribute_that_is_no_text_is_refused(void **state)
{
    json_t *attributes = person(SAMPLE_BSN, "BSN");
    json_object_set_new(attributes, "dpl.core.data_subject_id", json_pack("[s]", SAMPLE_BSN));
    refuse_span(attributes, "attribute dpl.core.data_subject_id: must be text");
}

/* LDV 0.7 and 0.8 */
static void older_names_become_those_of_1_0_0(void **state)
{
    g_autoptr(Record) record = accept_span(
        json_pack("{ss ss ss ss}", "dpl.rva.activity.id", "urn:x:1", "dpl.core.foreign_operation.entity",
                  "https://caller.test/", "dpl.core.foreign_operation.operation_id", "00f067aa0ba902b7",
                  "dpl.core.foreign_operation.trace_id", "abababababababababababababababab"));
    assert_string_equal(record->fields.processing_activity_id, "urn:x:1");
    assert_string_equal(record->fields.processor, "https://caller.test/");
    assert_string_equal(record->fields.parent_span_id, "00f067aa0ba902b7");
    assert_int_equal(json_object_size(record->attributes), 0);
}

static void a_foreign_trace_of_its_own_is_kept(void **state)
{
    g_autoptr(Record) record =
        accept_span(json_pack("{ss ss}", "dpl.core.foreign_operation.span_id", "00f067aa0ba902b7",
                              "dpl.core.foreign_operation.trace_id", "7bba9f33312b3dabc8f8e90c7c61f194"));
    assert_string_equal(record->fields.parent_span_id, "00f067aa0ba902b7");
    assert_string_equal(json_string_at(record->attributes, ATTRIBUTE_FOREIGN_TRACE),
                        "7bba9f33312b3dabc8f8e90c7c61f194");
}

static void the_newest_name_counts(void **state)
{
    g_autoptr(Record) record = accept_span(json_pack("{ss ss}", "dpl.rva.activity.id", "urn:x:old",
                                                     "dpl.core.processing_activity_id", "urn:x:new"));
    assert_string_equal(record->fields.processing_activity_id, "urn:x:new");
}

/* 3.2.2.9: attributes of other extensions, established or not: kept, since a lost record is worse. */
static void attributes_of_other_extensions_are_kept(void **state)
{
    g_autoptr(Record) record = accept_span(json_pack("{ss}", "dpl.read.nextLogbookId", "https://next.test/"));
    assert_string_equal(json_string_at(record->attributes, "dpl.read.nextLogbookId"), "https://next.test/");
}

/* 2.3.4: no employee in a record. A stack trace may hold data of a person. */
static void what_may_tell_too_much_is_left_out_and_said(void **state)
{
    g_autoptr(Record) record = accept_span(json_pack(
        "{ss ss ss ss ss}", "exception.message", "time-out", "exception.stacktrace", "at f(" SAMPLE_BSN ")",
        "enduser.id", "jansen", "user.email", "j@x", "user_agent.original", "curl"));
    assert_int_equal(json_object_size(record->attributes), 3);
    assert_string_equal(json_string_at(record->attributes, "exception.message"), "time-out");
    assert_string_equal(json_string_at(record->attributes, "user_agent.original"), "curl");
    assert_int_equal(json_array_size(json_object_get(record->attributes, ATTRIBUTE_DROPPED)), 3);
}

static void numbers_that_json_cannot_carry_become_text(void **state)
{
    g_autoptr(Record) record =
        accept_span(json_pack("{sI sf}", "thread.id", (json_int_t)G_MAXINT64, "t", 1.764e18));
    assert_string_equal(json_string_at(record->attributes, "thread.id"), "9223372036854775807");
    assert_string_equal(json_string_at(record->attributes, "t"), "1.764e+18");
    g_autoptr(GBytes) bytes = record_encode(&record->fields, NULL);
    gsize length;
    const guint8 *data = g_bytes_get_data(bytes, &length);
    g_autoptr(Record) again = record_decode(data, length, NULL);
    assert_non_null(again);
}

static void ids_must_be_there(void **state)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(OtlpSpan) span = span_new(json_object());
    span->ids_valid = FALSE;
    assert_null(record_from_span(span, pseudonymizer, BASE, &error));
    expect_error(&error, FUNDAMENT_ERROR_INVALID);
    span->ids_valid = TRUE;
    span->start_ns = 0;
    assert_null(record_from_span(span, pseudonymizer, BASE, &error));
    assert_non_null(strstr(error->message, "start_time"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(maps_the_fields),
        cmocka_unit_test(a_bsn_becomes_a_pseudonym),
        cmocka_unit_test(a_bsn_that_was_sent_as_a_number_too),
        cmocka_unit_test(a_pseudonym_of_ours_stays),
        cmocka_unit_test(anything_else_as_bsn_is_refused_without_repeating_it),
        cmocka_unit_test(a_bsn_elsewhere_is_refused_by_the_name_of_the_attribute),
        cmocka_unit_test(a_person_without_an_activity_is_refused),
        cmocka_unit_test(no_subject_is_fine),
        cmocka_unit_test(an_empty_name_is_filled),
        cmocka_unit_test(a_short_activity_is_completed),
        cmocka_unit_test(a_core_attribute_that_is_no_text_is_refused),
        cmocka_unit_test(older_names_become_those_of_1_0_0),
        cmocka_unit_test(a_foreign_trace_of_its_own_is_kept),
        cmocka_unit_test(the_newest_name_counts),
        cmocka_unit_test(attributes_of_other_extensions_are_kept),
        cmocka_unit_test(what_may_tell_too_much_is_left_out_and_said),
        cmocka_unit_test(numbers_that_json_cannot_carry_become_text),
        cmocka_unit_test(ids_must_be_there),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
