/* Reading what logbooks of others answer: shapes are checked, everything else is taken as it comes. */
#include "tests/unit/inzage/support.h"

#define START "2026-11-21T18:31:21.042Z"

static Source *source(void)
{
    return source_new(MUNICIPALITY, "Gemeente Waterstad");
}

static const Use *use_at(const Source *from, guint index)
{
    assert_true(index < from->uses->len);
    return from->uses->pdata[index];
}

static json_t *good(void)
{
    return record_json("0af76519-16cd-43dd-8448-eb211c80319c", 'b', 'a', START);
}

/* Read extension: traceId is typed uuid there and 32 digits in W3C Trace Context; both are the same trace. */
static void reads_trace_ids_in_both_spellings(void **state)
{
    char id[TRACE_ID_SIZE];
    assert_true(trace_id_read("0af76519-16cd-43dd-8448-eb211c80319c", id));
    assert_string_equal(id, TRACE);
    assert_true(trace_id_read("0AF7651916CD43DD8448EB211C80319C", id));
    assert_string_equal(id, TRACE);
}

static void refuses_what_is_no_trace_id(void **state)
{
    static const char *const BAD[] = {NULL,
                                      "",
                                      "0af7651916cd43dd8448eb211c80319",
                                      "0af7651916cd43dd8448eb211c80319c0",
                                      "00000000000000000000000000000000",
                                      "0af7-651916cd43dd8448eb211c80319c",
                                      "0af7651916cd43dd8448eb211c80319g",
                                      "../0af7651916cd43dd8448eb211c8031"};
    char id[TRACE_ID_SIZE];
    for (gsize i = 0; i < G_N_ELEMENTS(BAD); i++)
        assert_false(trace_id_read(BAD[i], id));
}

static void reads_a_record(void **state)
{
    g_autoptr(Source) from = source();
    json_t *record = good();
    record_activity(record, ACTIVITY);
    record_attribute(record, "nl.fundament.data_categories", json_pack("[s,s]", "naam", "leeftijd"));
    record_attribute(record, "nl.fundament.receiver", json_string(REGISTER));
    source_add(from, record);
    const Use *use = use_at(from, 0);
    assert_string_equal(use->trace_id, TRACE);
    assert_string_equal(use->span_id, "0000000000000062");
    assert_string_equal(use->parent_id, "0000000000000061");
    assert_string_equal(use->name, "action b");
    assert_int_equal(use->start_ms, 1795285881042);
    assert_string_equal(use->activity_id, ACTIVITY);
    assert_string_equal(use->receiver, REGISTER);
    assert_int_equal(g_strv_length(use->categories), 2);
    assert_false(use->failed);
    assert_int_equal(from->unreadable, 0);
}

/* Each of these is the good record with one thing wrong. It is counted, so that the page can say so, and
 * never shown. */
static void counts_records_that_are_wrong(void **state)
{
    static const struct {
        const char *member;
        const char *json; /* NULL: left out */
    } WRONG[] = {
        {"traceId", NULL},
        {"traceId", "\"x\""},
        {"traceId", "7"},
        {"spanId", NULL},
        {"spanId", "\"0000000000000000\""},
        {"spanId", "[]"},
        {"parentSpanId", "\"zz\""},
        {"parentSpanId", "12"},
        {"status", NULL},
        {"status", "\"error\""},
        {"name", NULL},
        {"name", "{}"},
        {"startTime", NULL},
        {"startTime", "\"21 november\""},
        {"startTime", "1795286400"},
        {"endTime", NULL},
        {"attributes", "[]"},
        {"attributes", "\"\""},
        {"attributes", "{\"dpl\": {\"core\": {\"processingActivityId\": 14}}}"},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(WRONG); i++) {
        g_autoptr(Source) from = source();
        json_t *record = good();
        if (WRONG[i].json == NULL)
            json_object_del(record, WRONG[i].member);
        else
            json_object_set_new(record, WRONG[i].member, json_loads(WRONG[i].json, JSON_DECODE_ANY, NULL));
        source_add(from, record);
        assert_int_equal(from->unreadable, 1);
        assert_int_equal(from->uses->len, 0);
        assert_int_equal(json_array_size(from->operations), 0);
    }
}

static void counts_a_record_that_is_no_object(void **state)
{
    g_autoptr(Source) from = source();
    source_add(from, json_string("record"));
    source_add(from, json_null());
    assert_int_equal(from->unreadable, 2);
}

static void refuses_a_name_beyond_its_length(void **state)
{
    g_autoptr(Source) from = source();
    g_autofree char *longest = g_strnfill(1024, 'x'), *longer = g_strnfill(1025, 'x');
    json_t *record = good(), *other = record_json(TRACE, 'c', 0, START);
    json_object_set_new(record, "name", json_string(longest));
    json_object_set_new(other, "name", json_string(longer));
    source_add(from, record);
    source_add(from, other);
    assert_int_equal(from->uses->len, 1);
    assert_int_equal(from->unreadable, 1);
}

/* What is ours to know is not the standard's: a strange value is as if it were not there. */
static void passes_over_strange_attributes_of_our_own(void **state)
{
    g_autoptr(Source) from = source();
    json_t *record = good();
    record_attribute(record, "nl.fundament.data_categories", json_pack("[i,s,n]", 3, "naam"));
    record_attribute(record, "nl.fundament.receiver", json_string("javascript:alert(1)"));
    source_add(from, record);
    const Use *use = use_at(from, 0);
    assert_int_equal(g_strv_length(use->categories), 1);
    assert_string_equal(use->categories[0], "naam");
    assert_null(use->receiver);
}

static void takes_a_repeated_record_once(void **state)
{
    g_autoptr(Source) from = source();
    source_add(from, good());
    source_add(from, good());
    assert_int_equal(from->uses->len, 1);
    assert_int_equal(from->unreadable, 0);
}

/* Two different records under the same ids: one of them is not true, and a person may see both. */
static void keeps_other_content_under_the_same_ids(void **state)
{
    g_autoptr(Source) from = source();
    json_t *other = good();
    json_object_set_new(other, "name", json_string("something else"));
    source_add(from, good());
    source_add(from, other);
    assert_int_equal(from->uses->len, 2);
}

static void says_when_there_is_more_than_it_takes(void **state)
{
    g_autoptr(Source) from = source();
    for (guint i = 0; i <= USES_MAX; i++) {
        json_t *record = good();
        g_autofree char *span = g_strdup_printf("%016x", i + 1);
        json_object_set_new(record, "spanId", json_string(span));
        source_add(from, record);
    }
    assert_int_equal(from->uses->len, USES_MAX);
    assert_true(from->more);
}

/* --- whole answers --- */

static gboolean add(Source *to, const char *text, char **next)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(json_t) answer = json_loads(text, JSON_DECODE_ANY, NULL);
    gboolean added = source_add_operations(to, answer, next, &error);
    assert_true(added == (error == NULL));
    return added;
}

static void refuses_answers_of_another_shape(void **state)
{
    static const char *const BAD[] = {
        "[]",
        "3",
        "{}",
        "{\"dataProcessingOperations\": {}}",
        "{\"dataProcessingOperations\": [], \"metadata\": []}",
        "{\"dataProcessingOperations\": [], \"pagination\": 1}",
        "{\"dataProcessingOperations\": [], \"pagination\": {\"nextCursor\": 5}}"};
    g_autoptr(Source) to = source();
    for (gsize i = 0; i < G_N_ELEMENTS(BAD); i++) {
        g_autofree char *next = NULL;
        assert_false(add(to, BAD[i], &next));
        assert_null(next);
    }
}

static void follows_the_cursor_and_knows_the_end(void **state)
{
    g_autoptr(Source) to = source();
    g_autofree char *next = NULL, *end = NULL, *empty = NULL;
    assert_true(
        add(to, "{\"dataProcessingOperations\": [], \"pagination\": {\"nextCursor\": \"abc\"}}", &next));
    assert_string_equal(next, "abc");
    assert_true(add(to, "{\"dataProcessingOperations\": []}", &end));
    assert_null(end);
    assert_true(
        add(to, "{\"dataProcessingOperations\": [], \"pagination\": {\"nextCursor\": \"\"}}", &empty));
    assert_null(empty);
}

static void reads_how_far_back_a_logbook_goes(void **state)
{
    g_autoptr(Source) to = source();
    g_autoptr(json_t) start = json_pack("{s:s}", "periodStart", START), none = json_object(),
                      list = json_array(), wrong = json_pack("{s:i}", "periodStart", 3);
    assert_true(source_set_period(to, start));
    assert_int_equal(to->oldest_ms, 1795285881042);
    assert_true(source_set_period(to, none));
    assert_int_equal(to->oldest_ms, 0);
    assert_true(to->oldest_known);
    assert_false(source_set_period(to, wrong));
    assert_false(to->oldest_known);
    assert_false(source_set_period(to, list));
}

/* --- activities --- */

static json_t *version(const char *id, const char *purpose, const char *valid_from)
{
    return json_pack("{s:s, s:s, s:s, s:s}", "id", id, "name", "Vergunning", "purpose", purpose, "validFrom",
                     valid_from);
}

static Source *source_with(json_t *activities)
{
    Source *from = source();
    json_t *record = good();
    record_activity(record, ACTIVITY);
    source_add(from, record);
    from->activities = activities;
    source_match_activities(from);
    return from;
}

/* LDV 1.0.0, 3.4.1: each change is a new version with its time, so id and time name the version. */
static void matches_the_version_that_was_valid_then(void **state)
{
    g_autoptr(Source) from = source_with(json_pack(
        "[o,o,o,o]", version(ACTIVITY, "newest", "2026-12-01T00:00:00Z"),
        version(ACTIVITY, "then", "2026-11-01T00:00:00Z"), version(ACTIVITY, "older", "2026-01-01T00:00:00Z"),
        version("https://other.example/", "other", "2026-11-20T00:00:00Z")));
    const Use *use = use_at(from, 0);
    assert_string_equal(json_string_value(json_object_get(use->activity, "purpose")), "then");
    assert_false(use->activity_newer);
}

static void says_when_only_a_later_version_is_known(void **state)
{
    g_autoptr(Source) from = source_with(json_pack("[o,o]", version(ACTIVITY, "last", "2027-12-01T00:00:00Z"),
                                                   version(ACTIVITY, "next", "2026-12-01T00:00:00Z")));
    const Use *use = use_at(from, 0);
    assert_string_equal(json_string_value(json_object_get(use->activity, "purpose")), "next");
    assert_true(use->activity_newer);
}

static void leaves_a_use_unexplained_without_its_activity(void **state)
{
    g_autoptr(Source) from =
        source_with(json_pack("[o]", version(ACTIVITY "/other", "other", "2026-01-01T00:00:00Z")));
    assert_null(use_at(from, 0)->activity);
    g_autoptr(Source) never_seen = source_with(NULL);
    assert_null(use_at(never_seen, 0)->activity);
}

static void reads_a_register_and_leaves_out_what_is_wrong(void **state)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(json_t) answer = json_pack("{s:[o,s,{s:i},{s:s,s:i},{s:s,s:[]}]}", "processingActivities",
                                         version(ACTIVITY, "then", "2026-11-01T00:00:00Z"), "activity", "id",
                                         3, "id", "a", "purpose", 4, "id", "b", "translations");
    g_autoptr(json_t) activities = activities_read(answer, &error);
    no_error(error);
    assert_int_equal(json_array_size(activities), 1);
    g_autoptr(json_t) wrong = json_pack("{s:s}", "processingActivities", "none");
    assert_null(activities_read(wrong, &error));
    expect_error(&error, FUNDAMENT_ERROR_INVALID);
}

static void gives_texts_in_the_language_of_the_page(void **state)
{
    const char *language;
    g_autoptr(json_t) activity = json_pack("{s:s, s:s, s:{s:{s:s}}}", "name", "Vergunning", "purpose", "Doel",
                                           "translations", "en", "name", "Permit");
    assert_string_equal(activity_text(activity, "name", "en", &language), "Permit");
    assert_string_equal(language, "en");
    assert_string_equal(activity_text(activity, "name", "nl", &language), "Vergunning");
    assert_string_equal(activity_text(activity, "purpose", "en", &language), "Doel");
    assert_string_equal(language, "nl");
    assert_null(activity_text(activity, "decision", "en", &language));
    assert_null(activity_text(NULL, "decision", "en", &language));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_trace_ids_in_both_spellings),
        cmocka_unit_test(refuses_what_is_no_trace_id),
        cmocka_unit_test(reads_a_record),
        cmocka_unit_test(counts_records_that_are_wrong),
        cmocka_unit_test(counts_a_record_that_is_no_object),
        cmocka_unit_test(refuses_a_name_beyond_its_length),
        cmocka_unit_test(passes_over_strange_attributes_of_our_own),
        cmocka_unit_test(takes_a_repeated_record_once),
        cmocka_unit_test(keeps_other_content_under_the_same_ids),
        cmocka_unit_test(says_when_there_is_more_than_it_takes),
        cmocka_unit_test(refuses_answers_of_another_shape),
        cmocka_unit_test(follows_the_cursor_and_knows_the_end),
        cmocka_unit_test(reads_how_far_back_a_logbook_goes),
        cmocka_unit_test(matches_the_version_that_was_valid_then),
        cmocka_unit_test(says_when_only_a_later_version_is_known),
        cmocka_unit_test(leaves_a_use_unexplained_without_its_activity),
        cmocka_unit_test(reads_a_register_and_leaves_out_what_is_wrong),
        cmocka_unit_test(gives_texts_in_the_language_of_the_page),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
