/* LDV 1.0.0, 3.2.2 and 3.3.1: which records are accepted. Each rule has the good record with one thing wrong.
 */
#include "tests/unit/logboek/sample.h"

#include "components/logboek/rules.h"

static RecordVerdict check(const LogboekRecord *record, gboolean foreign)
{
    const char *attribute;
    return record_check(record, foreign, &attribute);
}

#define assert_verdict(record, verdict) assert_int_equal(check(&(record), FALSE), RECORD_##verdict)

static void accepts_a_good_record(void **state)
{
    LogboekRecord record = sample_record();
    assert_verdict(record, ACCEPTED);
}

/* 3.3.1: "Een logregel kan naar 0 of 1 Betrokkenen verwijzen." */
static void accepts_a_record_without_a_subject(void **state)
{
    LogboekRecord record = sample_record();
    record.data_subject_id = record.data_subject_id_type = NULL;
    assert_verdict(record, ACCEPTED);
    record.processing_activity_id = NULL; /* 3.3.1.2: only recommended */
    assert_verdict(record, ACCEPTED);
}

static void accepts_a_record_without_a_caller(void **state)
{
    LogboekRecord record = sample_record();
    record.parent_span_id[0] = '\0';
    record.processor = NULL;
    assert_verdict(record, ACCEPTED);
}

static void requires_a_trace_id(void **state)
{
    LogboekRecord record = sample_record();
    record.trace_id[0] = '\0';
    assert_verdict(record, TRACE_ID);
    g_strlcpy(record.trace_id, "00000000000000000000000000000000", sizeof record.trace_id);
    assert_verdict(record, TRACE_ID);
    g_strlcpy(record.trace_id, "7BBA9F33312B3DABC8F8E90C7C61F194", sizeof record.trace_id);
    assert_verdict(record, TRACE_ID);
}

static void requires_a_span_id(void **state)
{
    LogboekRecord record = sample_record();
    g_strlcpy(record.span_id, "0000000000000000", sizeof record.span_id);
    assert_verdict(record, SPAN_ID);
}

static void refuses_an_action_that_calls_itself(void **state)
{
    LogboekRecord record = sample_record();
    g_strlcpy(record.parent_span_id, record.span_id, sizeof record.parent_span_id);
    assert_verdict(record, PARENT_SPAN_ID);
    g_strlcpy(record.parent_span_id, "12", sizeof record.parent_span_id);
    assert_verdict(record, PARENT_SPAN_ID);
}

static void knows_three_statuses(void **state)
{
    LogboekRecord record = sample_record();
    for (record.status = 0; record.status <= 2; record.status++)
        assert_verdict(record, ACCEPTED);
    assert_verdict(record, STATUS);
    record.status = -1;
    assert_verdict(record, STATUS);
}

static void requires_a_name(void **state)
{
    LogboekRecord record = sample_record();
    record.name = NULL;
    assert_verdict(record, NAME);
    record.name = "";
    assert_verdict(record, NAME);
    record.name = "\xff";
    assert_verdict(record, NAME);
    g_autofree char *name = g_strnfill(1025, 'n');
    record.name = name;
    assert_verdict(record, NAME);
    name[1024] = '\0';
    assert_verdict(record, ACCEPTED);
}

static void requires_both_times(void **state)
{
    LogboekRecord record = sample_record();
    record.start_ms = 0;
    assert_verdict(record, START_TIME);
    record = sample_record();
    record.end_ms = G_GINT64_CONSTANT(253402300800000);
    assert_verdict(record, END_TIME);
    record.end_ms--;
    assert_verdict(record, ACCEPTED);
}

/* 3.3.2.1: a clock that is set back during an action is no reason to lose the record. */
static void accepts_an_end_before_the_start(void **state)
{
    LogboekRecord record = sample_record();
    record.end_ms = record.start_ms - 1;
    assert_verdict(record, ACCEPTED);
}

/* 3.3.1.1: "MOET in de Logregel een verwijzing naar de juiste Verwerkingsactiviteit ... opnemen" */
static void a_record_about_a_person_must_have_an_activity(void **state)
{
    LogboekRecord record = sample_record();
    record.processing_activity_id = NULL;
    assert_verdict(record, ACTIVITY_MISSING);
}

static void the_activity_must_be_a_uri(void **state)
{
    LogboekRecord record = sample_record();
    static const char *const BAD[] = {"14", "", "activity", "https:", "1x:y", "https://a b", "https://a/{id}",
                                      ":x"};
    for (gsize i = 0; i < G_N_ELEMENTS(BAD); i++) {
        record.processing_activity_id = BAD[i];
        assert_verdict(record, ACTIVITY_NOT_URI);
    }
    record.processing_activity_id = "urn:uuid:0190a000-0000-7000-8000-000000000001";
    assert_verdict(record, ACCEPTED);
}

/* 3.3.1.1: "en aan te duiden welk soort identificerende code wordt gebruikt" */
static void a_subject_must_have_a_type(void **state)
{
    LogboekRecord record = sample_record();
    record.data_subject_id_type = NULL;
    assert_verdict(record, SUBJECT_TYPE_MISSING);
}

static void a_bsn_is_never_a_subject_id(void **state)
{
    LogboekRecord record = sample_record();
    record.data_subject_id = SAMPLE_BSN;
    assert_verdict(record, SUBJECT_NOT_PSEUDONYM);
    record.data_subject_id_type = "bsn";
    assert_verdict(record, SUBJECT_NOT_PSEUDONYM);
    record.data_subject_id_type = "personeelsnummer";
    assert_verdict(record, SUBJECT_LIKE_BSN);
}

static void an_unkeyed_hash_is_never_a_subject_id(void **state)
{
    LogboekRecord record = sample_record();
    record.data_subject_id = "b94d27b9934d3e08a52e52d7da7dabfac484efe37a5380ee9088f7ace2efcde9";
    assert_verdict(record, SUBJECT_NOT_PSEUDONYM);
}

static void other_types_of_subject_keep_their_id(void **state)
{
    LogboekRecord record = sample_record();
    record.data_subject_id = "KVK-12345678";
    record.data_subject_id_type = "https://register.example/kvk";
    assert_verdict(record, ACCEPTED);
    g_autofree char *longest = g_strnfill(257, 'i');
    record.data_subject_id = longest;
    assert_verdict(record, SUBJECT_TEXT);
    record.data_subject_id = "\xff";
    assert_verdict(record, SUBJECT_TEXT);
}

static void the_processor_must_be_a_url(void **state)
{
    LogboekRecord record = sample_record();
    static const char *const BAD[] = {"", "inway", "ftp://x/", "https:///x", "javascript:x", "https://"};
    for (gsize i = 0; i < G_N_ELEMENTS(BAD); i++) {
        record.processor = BAD[i];
        assert_verdict(record, PROCESSOR_NOT_URL);
    }
}

static RecordVerdict check_attribute(const char *name, json_t *value, gboolean foreign, gboolean *named)
{
    LogboekRecord record = sample_record();
    g_autoptr(json_t) attributes = json_object();
    json_object_set_new(attributes, name, value);
    record.attributes = attributes;
    const char *attribute;
    RecordVerdict verdict = record_check(&record, foreign, &attribute);
    if (named != NULL)
        *named = g_strcmp0(attribute, name) == 0;
    return verdict;
}

/* 3.2.2.9: "Extensies moeten vastgesteld zijn, alvorens een attribuut mag worden gebruikt." */
static void our_own_records_use_no_extension_that_is_not_established(void **state)
{
    gboolean named;
    assert_int_equal(check_attribute("dpl.read.nextLogbookId", json_string("https://x"), FALSE, &named),
                     RECORD_EXTENSION);
    assert_true(named);
    assert_int_equal(check_attribute("dpl.read.nextLogbookId", json_string("https://x"), TRUE, NULL),
                     RECORD_ACCEPTED);
    assert_int_equal(check_attribute("nl.fundament.data_categories", json_array(), FALSE, NULL),
                     RECORD_ACCEPTED);
}

static void refuses_a_bsn_in_any_attribute(void **state)
{
    json_t *values[] = {
        json_string("voor " SAMPLE_BSN " opgevraagd"),
        json_string("bsn" SAMPLE_BSN),
        json_string("/persons/" SAMPLE_BSN "?x"),
        json_integer(111222333),
        json_real(111222333.0),
        json_pack("[s]", SAMPLE_BSN),
        json_pack("{s{ss}}", "a", "b", SAMPLE_BSN),
        json_pack("{ss}", SAMPLE_BSN, "x"),
    };
    for (gsize i = 0; i < G_N_ELEMENTS(values); i++) {
        gboolean named;
        assert_int_equal(check_attribute("app.note", values[i], TRUE, &named), RECORD_BSN);
        assert_true(named);
    }
}

static void accepts_numbers_that_are_no_bsn(void **state)
{
    json_t *values[] = {
        json_string(SAMPLE_NOT_BSN),
        json_string("1" SAMPLE_BSN),
        json_string(SAMPLE_BSN "0"),
        json_string("00000001001112223330"),     /* inside an OIN */
        json_string("a" SAMPLE_BSN "bcdef0123"), /* inside a hexadecimal id */
        json_string("0190f3a2-7000-7abc-8a11-0a" SAMPLE_BSN "b"),
        json_integer(111222334),
        json_integer(1112223330),
        json_real(0.111222333),
        json_null(),
    };
    for (gsize i = 0; i < G_N_ELEMENTS(values); i++)
        assert_int_equal(check_attribute("app.note", values[i], TRUE, NULL), RECORD_ACCEPTED);
}

static void refuses_a_bsn_in_the_texts_of_the_core(void **state)
{
    LogboekRecord record = sample_record();
    record.name = "Persoon " SAMPLE_BSN;
    assert_verdict(record, BSN);
    record = sample_record();
    record.processing_activity_id = "https://x/" SAMPLE_BSN;
    assert_verdict(record, BSN);
    record = sample_record();
    record.processor = "https://x/" SAMPLE_BSN;
    assert_verdict(record, BSN);
    record = sample_record();
    g_autoptr(json_t) resource = json_pack("{ss}", "service.instance.id", SAMPLE_BSN);
    record.resource = resource;
    assert_verdict(record, BSN);
}

static void an_error_never_repeats_the_number(void **state)
{
    LogboekRecord record = sample_record();
    g_autoptr(json_t) attributes = json_pack("{ss}", "user" SAMPLE_BSN, "x");
    record.attributes = attributes;
    const char *attribute;
    RecordVerdict verdict = record_check(&record, TRUE, &attribute);
    assert_int_equal(verdict, RECORD_BSN);
    assert_null(attribute);
    g_autoptr(GError) error = NULL;
    record_verdict_error(verdict, attribute, &error);
    assert_null(strstr(error->message, SAMPLE_BSN));
    assert_non_null(strstr(error->message, "a name in the record"));
}

static void refuses_values_that_json_cannot_carry(void **state)
{
    json_t *deep = json_string("x");
    for (guint i = 0; i < 8; i++) {
        json_t *list = json_array();
        json_array_append_new(list, deep);
        deep = list;
    }
    json_t *values[] = {
        json_integer(G_GINT64_CONSTANT(9007199254740992)),
        json_integer(G_GINT64_CONSTANT(-9007199254740992)),
        json_real(1764000000123456789.0),
        json_stringn("a\0b", 3),
        deep,
    };
    for (gsize i = 0; i < G_N_ELEMENTS(values); i++)
        assert_int_equal(check_attribute("app.value", values[i], TRUE, NULL), RECORD_VALUE);
    assert_int_equal(
        check_attribute("app.value", json_integer(G_GINT64_CONSTANT(9007199254740991)), TRUE, NULL),
        RECORD_ACCEPTED);
    assert_int_equal(check_attribute("app.value", json_real(1e300), TRUE, NULL), RECORD_ACCEPTED);
}

static void bounds_the_number_of_attributes(void **state)
{
    LogboekRecord record = sample_record();
    g_autoptr(json_t) many = json_object();
    for (guint i = 0; i < 128; i++) {
        g_autofree char *name = g_strdup_printf("a%u", i);
        json_object_set_new(many, name, json_true());
    }
    record.attributes = record.resource = many;
    assert_verdict(record, ACCEPTED);
    json_object_set_new(many, "one.more", json_true());
    assert_verdict(record, ATTRIBUTES);
    record.attributes = NULL;
    assert_verdict(record, RESOURCE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(accepts_a_good_record),
        cmocka_unit_test(accepts_a_record_without_a_subject),
        cmocka_unit_test(accepts_a_record_without_a_caller),
        cmocka_unit_test(requires_a_trace_id),
        cmocka_unit_test(requires_a_span_id),
        cmocka_unit_test(refuses_an_action_that_calls_itself),
        cmocka_unit_test(knows_three_statuses),
        cmocka_unit_test(requires_a_name),
        cmocka_unit_test(requires_both_times),
        cmocka_unit_test(accepts_an_end_before_the_start),
        cmocka_unit_test(a_record_about_a_person_must_have_an_activity),
        cmocka_unit_test(the_activity_must_be_a_uri),
        cmocka_unit_test(a_subject_must_have_a_type),
        cmocka_unit_test(a_bsn_is_never_a_subject_id),
        cmocka_unit_test(an_unkeyed_hash_is_never_a_subject_id),
        cmocka_unit_test(other_types_of_subject_keep_their_id),
        cmocka_unit_test(the_processor_must_be_a_url),
        cmocka_unit_test(our_own_records_use_no_extension_that_is_not_established),
        cmocka_unit_test(refuses_a_bsn_in_any_attribute),
        cmocka_unit_test(accepts_numbers_that_are_no_bsn),
        cmocka_unit_test(refuses_a_bsn_in_the_texts_of_the_core),
        cmocka_unit_test(an_error_never_repeats_the_number),
        cmocka_unit_test(refuses_values_that_json_cannot_carry),
        cmocka_unit_test(bounds_the_number_of_attributes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
