/* The way in of records: on disk before it is acknowledged, once for the same content, kept and flagged for
 * other content. */
#include "tests/unit/logboek/fixture.h"

#include "core/crypto/pseudonym.h"

static void append_one(Fixture *fixture, const LogboekRecord *record)
{
    g_autoptr(GError) error = NULL;
    logboek_append(fixture->logboek, record, 1, &error);
    no_error(error);
}

static void append_conflict(Fixture *fixture, const LogboekRecord *record)
{
    g_autoptr(GError) error = NULL;
    assert_false(logboek_append(fixture->logboek, record, 1, &error));
    expect_error(&error, FUNDAMENT_ERROR_CONFLICT);
}

static guint64 last(const Fixture *fixture)
{
    return journal_last(fixture->logboek->journal);
}

static gint64 count(Fixture *fixture)
{
    fixture_catch_up(fixture);
    return fixture_number(fixture, "SELECT COUNT(*) FROM logboek_records");
}

static gint64 count_flagged(Fixture *fixture)
{
    fixture_catch_up(fixture);
    return fixture_number(fixture, "SELECT COUNT(*) FROM logboek_records WHERE flagged = 1");
}

/* LDV 1.0.0, 3.2.1: "Het Logboek MOET het wegschrijven van elke logregel bevestigen." */
static void a_record_is_on_disk_when_it_is_acknowledged(void **state)
{
    take_fixture(state);
    LogboekRecord record = fixture_record(fixture, 1, 1);
    append_one(fixture, &record);
    assert_int_equal(last(fixture), 1);
    fixture_restart(fixture);
    assert_int_equal(last(fixture), 1);
    assert_int_equal(count(fixture), 1);
}

static void the_same_record_again_is_stored_once(void **state)
{
    take_fixture(state);
    LogboekRecord record = fixture_record(fixture, 1, 1);
    append_one(fixture, &record);
    append_one(fixture, &record);
    assert_int_equal(last(fixture), 1);
    assert_int_equal(count(fixture), 1);
}

static void other_content_under_the_same_key_is_kept_and_flagged(void **state)
{
    take_fixture(state);
    LogboekRecord record = fixture_record(fixture, 1, 1);
    append_one(fixture, &record);
    record.name = "something else";
    append_conflict(fixture, &record);
    assert_int_equal(count(fixture), 2);
    assert_int_equal(count_flagged(fixture), 1);
    append_conflict(fixture, &record); /* again: still a conflict, kept once */
    assert_int_equal(count(fixture), 2);
    LogboekRecord first = fixture_record(fixture, 1, 1);
    append_one(fixture, &first);
    assert_int_equal(count(fixture), 2);
}

static void another_subject_in_the_same_action_is_another_record(void **state)
{
    take_fixture(state);
    LogboekRecord record = fixture_record(fixture, 1, 1);
    append_one(fixture, &record);
    record.data_subject_id = "p1.BBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBA";
    append_one(fixture, &record);
    assert_int_equal(count(fixture), 2);
    assert_int_equal(count_flagged(fixture), 0);
}

static void repeats_and_conflicts_are_known_after_a_restart(void **state)
{
    take_fixture(state);
    LogboekRecord record = fixture_record(fixture, 1, 1), other = record;
    other.name = "something else";
    append_one(fixture, &record);
    append_conflict(fixture, &other);
    fixture_restart(fixture);
    append_one(fixture, &record);
    append_conflict(fixture, &other);
    assert_int_equal(last(fixture), 2);
}

/* Older than what memory holds: SQL knows. */
static void repeats_and_conflicts_are_known_after_hours(void **state)
{
    take_fixture(state);
    LogboekRecord record = fixture_record(fixture, 1, 1), other = record;
    other.name = "something else";
    append_one(fixture, &record);
    append_conflict(fixture, &other);
    fixture_catch_up(fixture);
    fixture_advance(fixture, 3 * 3600);
    fixture_restart(fixture);
    append_one(fixture, &record);
    append_conflict(fixture, &other);
    assert_int_equal(last(fixture), 2);
}

/* Memory lets go of keys that SQL knows, and nothing is stored twice while it does. */
static void keys_leave_memory_when_they_are_indexed(void **state)
{
    take_fixture(state);
    LogboekRecord record = fixture_record(fixture, 1, 1);
    append_one(fixture, &record);
    fixture_catch_up(fixture);
    for (guint i = 2; i < 8; i++) {
        fixture_advance(fixture, 301);
        LogboekRecord next = fixture_record(fixture, 1, i);
        append_one(fixture, &next);
        fixture_catch_up(fixture);
        append_one(fixture, &record);
    }
    assert_int_equal(last(fixture), 7);
}

/* The index has the last word: what the way in did not see as a conflict is flagged there. */
static void a_forged_end_time_does_not_hide_a_conflict(void **state)
{
    take_fixture(state);
    LogboekRecord record = fixture_record(fixture, 1, 1);
    append_one(fixture, &record);
    for (guint i = 2; i < 4; i++) {
        fixture_catch_up(fixture);
        fixture_advance(fixture, 3600);
        LogboekRecord next = fixture_record(fixture, 1, i);
        append_one(fixture, &next);
    }
    record.end_ms += 2 * 3600 * 1000;
    append_one(fixture, &record);
    assert_int_equal(count_flagged(fixture), 1);
}

static void a_repeat_within_one_batch_is_stored_once(void **state)
{
    take_fixture(state);
    g_autoptr(GError) error = NULL;
    LogboekRecord records[] = {fixture_record(fixture, 1, 1), fixture_record(fixture, 1, 2),
                               fixture_record(fixture, 1, 1)};
    logboek_append(fixture->logboek, records, G_N_ELEMENTS(records), &error);
    no_error(error);
    assert_int_equal(count(fixture), 2);
}

static void one_bad_record_refuses_the_whole_batch(void **state)
{
    take_fixture(state);
    g_autoptr(GError) error = NULL;
    LogboekRecord records[] = {fixture_record(fixture, 1, 1), fixture_record(fixture, 1, 2)};
    records[1].processing_activity_id = NULL;
    assert_false(logboek_append(fixture->logboek, records, G_N_ELEMENTS(records), &error));
    assert_non_null(strstr(error->message, "record 2 of 2"));
    expect_error(&error, FUNDAMENT_ERROR_INVALID);
    assert_int_equal(last(fixture), 0);
}

static void a_short_activity_id_is_completed(void **state)
{
    take_fixture(state);
    LogboekRecord record = fixture_record(fixture, 1, 1);
    record.processing_activity_id = "bevragen";
    append_one(fixture, &record);
    assert_int_equal(count(fixture), 1);
    assert_int_equal(fixture_number(fixture,
                                    "SELECT COUNT(*) FROM logboek_records WHERE processing_activity_id = "
                                    "'https://manager.test:8443/logboek/v1/processing-activities/bevragen'"),
                     1);
}

/* --- in parallel --- */

#define THREADS 8
#define BATCHES 20
#define BATCH 10

typedef struct {
    Fixture *fixture;
    guint number;
} Writer;

/* All threads write the same records, so each is written by one and joined by the others. */
static gpointer write_all(gpointer data)
{
    Writer *writer = data;
    for (guint batch = 0; batch < BATCHES; batch++) {
        LogboekRecord records[BATCH];
        for (guint i = 0; i < BATCH; i++)
            records[i] = fixture_record(writer->fixture, batch, i);
        if (!logboek_append(writer->fixture->logboek, records, BATCH, NULL))
            return GINT_TO_POINTER(1);
    }
    return NULL;
}

static void many_writers_of_the_same_records_store_each_once(void **state)
{
    take_fixture(state);
    GThread *threads[THREADS];
    Writer writers[THREADS];
    for (guint i = 0; i < THREADS; i++) {
        writers[i] = (Writer){fixture, i};
        threads[i] = g_thread_new("writer", write_all, &writers[i]);
    }
    for (guint i = 0; i < THREADS; i++)
        assert_null(g_thread_join(threads[i]));
    assert_int_equal(last(fixture), BATCHES * BATCH);
    assert_int_equal(count(fixture), BATCHES * BATCH);
    assert_int_equal(count_flagged(fixture), 0);
}

/* --- the index --- */

static void the_index_is_made_again_from_the_journal(void **state)
{
    take_fixture(state);
    g_autoptr(GError) error = NULL;
    for (guint i = 0; i < 30; i++) {
        LogboekRecord record = fixture_record(fixture, 1, i);
        append_one(fixture, &record);
    }
    LogboekRecord other = fixture_record(fixture, 1, 3);
    other.status = 2;
    append_conflict(fixture, &other);
    assert_int_equal(count(fixture), 31);
    indexer_restart(fixture->logboek->indexer, &error);
    no_error(error);
    assert_int_equal(count(fixture), 31);
    assert_int_equal(count_flagged(fixture), 1);
    fixture_stop(fixture);
    fixture_lose_database(fixture);
    fixture_start(fixture);
    assert_int_equal(count(fixture), 31);
    assert_int_equal(count_flagged(fixture), 1);
    append_conflict(fixture, &other);
    assert_int_equal(last(fixture), 31);
}

static void a_journal_that_is_older_than_the_database_is_refused(void **state)
{
    take_fixture(state);
    LogboekRecord record = fixture_record(fixture, 1, 1);
    append_one(fixture, &record);
    fixture_catch_up(fixture);
    fixture_number(fixture, "UPDATE logboek_position SET sequence = 9 RETURNING 1");
    g_clear_pointer(&fixture->node, node_free);
    g_autoptr(GError) error = NULL;
    fixture->node = node_new_for_test(fixture->config, fixture->store, &fixture->clock, &error);
    no_error(error);
    assert_false(node_start_component(fixture->node, &logboek_component, &error));
    expect_error(&error, FUNDAMENT_ERROR_CONFLICT);
}

static void the_usage_period_begins_when_the_logbook_began(void **state)
{
    take_fixture(state);
    assert_true(logboek_oldest_ms(fixture->logboek) == 0);
    gint64 begin_ms = clock_now_ms(&fixture->clock);
    LogboekRecord record = fixture_record(fixture, 1, 1);
    append_one(fixture, &record);
    fixture_advance(fixture, 86400);
    fixture_restart(fixture);
    assert_true(logboek_oldest_ms(fixture->logboek) == begin_ms);
    g_autoptr(json_t) period = logboek_period(fixture->logboek);
    gint64 period_ms;
    assert_true(clock_parse_rfc3339(json_string_at(period, "periodStart"), &period_ms, NULL));
    assert_true(period_ms == begin_ms);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        on_both(a_record_is_on_disk_when_it_is_acknowledged),
        on_both(the_same_record_again_is_stored_once),
        on_both(other_content_under_the_same_key_is_kept_and_flagged),
        on_both(another_subject_in_the_same_action_is_another_record),
        on_both(repeats_and_conflicts_are_known_after_a_restart),
        on_both(repeats_and_conflicts_are_known_after_hours),
        on_both(keys_leave_memory_when_they_are_indexed),
        on_both(a_forged_end_time_does_not_hide_a_conflict),
        on_both(a_repeat_within_one_batch_is_stored_once),
        on_both(one_bad_record_refuses_the_whole_batch),
        on_both(a_short_activity_id_is_completed),
        on_both(many_writers_of_the_same_records_store_each_once),
        on_both(the_index_is_made_again_from_the_journal),
        on_both(a_journal_that_is_older_than_the_database_is_refused),
        on_both(the_usage_period_begins_when_the_logbook_began),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
