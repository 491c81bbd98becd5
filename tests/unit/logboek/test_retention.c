/* What is past its time goes from the journal and from the indexes over it, on each engine. */
#include "components/logboek/retention.h"
#include "tests/unit/logboek/fixture.h"

#define DAY_S ((gint64)86400)
#define PADDING ((gsize)900 * 1024)

/* The first segment has 4 MiB: a few of these fill it. */
static void fill_segment(Fixture *fixture)
{
    g_autofree guint8 *bytes = g_malloc0(PADDING);
    g_autoptr(GError) error = NULL;
    for (int i = 0; i < 5; i++) {
        journal_append_wait(fixture->logboek->journal, 999, bytes, PADDING, NULL, &error);
        no_error(error);
    }
    fixture_catch_up(fixture);
}

static gint64 removed(Fixture *fixture, gboolean dry)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GArray) results = retention_run(fixture->node, dry, "node", "system", &error);
    no_error(error);
    const RetentionResult *first = &g_array_index(results, RetentionResult, 0);
    return first->count;
}

static char *write_some(Fixture *fixture)
{
    char id[UUID_TEXT_SIZE];
    g_autoptr(GError) error = NULL;
    LogboekTransaction transaction = fixture_transaction(fixture, id);
    assert_int_equal(fixture_log(fixture, &transaction), TRANSACTION_LOGGED);
    for (guint i = 1; i <= 3; i++) {
        LogboekRecord record = fixture_record(fixture, 1, i);
        logboek_append(fixture->logboek, &record, 1, &error);
        no_error(error);
    }
    return g_strdup(id);
}

static gsize found_transactions(Fixture *fixture, const char *id)
{
    const char *const ids[] = {id, NULL};
    g_autoptr(GError) error = NULL;
    TransactionQuery query = {.peer_id = node_oin(fixture->node), .transaction_ids = ids};
    json_t *answer = logboek_transactions(fixture->logboek, &query, &error);
    no_error(error);
    gsize count = json_array_size(json_object_get(answer, "records"));
    json_decref(answer);
    return count;
}

static void a_segment_past_its_time_goes_with_its_rows(void **state)
{
    take_fixture(state);
    g_autofree char *id = write_some(fixture);
    fill_segment(fixture);
    gint64 records = fixture_number(fixture, "SELECT COUNT(*) FROM logboek_records");
    assert_int_equal(records, 3);
    assert_int_equal(removed(fixture, FALSE), 0); /* nothing is old yet */
    fixture_advance(fixture, 1827 * DAY_S);
    gint64 would = removed(fixture, TRUE);
    assert_true(would >= 4);
    assert_int_equal(fixture_number(fixture, "SELECT COUNT(*) FROM logboek_records"), records);
    gint64 begins_ms = logboek_oldest_ms(fixture->logboek);
    assert_int_equal(removed(fixture, FALSE), would);
    assert_int_equal(journal_first(fixture->logboek->journal), would + 1);
    assert_int_equal(fixture_number(fixture, "SELECT COUNT(*) FROM logboek_records"), 0);
    assert_true(logboek_oldest_ms(fixture->logboek) >= begins_ms);
    assert_int_equal(found_transactions(fixture, id), 0); /* and not the record that is first now */
    fixture_restart(fixture);
    assert_int_equal(journal_first(fixture->logboek->journal), would + 1);
    assert_int_equal(removed(fixture, FALSE), 0);
}

static gboolean keep_none(const JournalRecord *record, gpointer user_data)
{
    return FALSE;
}

static void rows_that_an_earlier_run_left_behind_go_with_the_next(void **state)
{
    take_fixture(state);
    g_autofree char *id = write_some(fixture);
    fill_segment(fixture);
    fixture_advance(fixture, 1827 * DAY_S);
    /* As if the process was killed between the file and its rows. */
    JournalRemoval removal;
    g_autoptr(GError) error = NULL;
    assert_true(journal_remove_expired(fixture->logboek->journal, G_MAXUINT64, keep_none, NULL, FALSE,
                                       &removal, &error));
    assert_true(removal.segments == 1);
    assert_int_equal(fixture_number(fixture, "SELECT COUNT(*) FROM logboek_records"), 3);
    fixture_restart(fixture);
    assert_int_equal(found_transactions(fixture, id), 0);
    removed(fixture, FALSE);
    assert_int_equal(fixture_number(fixture, "SELECT COUNT(*) FROM logboek_records"), 0);
}

static void an_index_made_anew_holds_what_is_left(void **state)
{
    take_fixture(state);
    g_autofree char *id = write_some(fixture);
    fill_segment(fixture);
    fixture_advance(fixture, 1827 * DAY_S);
    removed(fixture, FALSE);
    g_autoptr(GError) error = NULL;
    LogboekRecord record = fixture_record(fixture, 2, 1);
    logboek_append(fixture->logboek, &record, 1, &error);
    no_error(error);
    fixture_stop(fixture);
    fixture_lose_database(fixture);
    fixture_start(fixture);
    fixture_catch_up(fixture);
    assert_int_equal(fixture_number(fixture, "SELECT COUNT(*) FROM logboek_records"), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        on_both(a_segment_past_its_time_goes_with_its_rows),
        on_both(rows_that_an_earlier_run_left_behind_go_with_the_next),
        on_both(an_index_made_anew_holds_what_is_left),
    };
    return cmocka_run_group_tests_name("logboek_retention", tests, NULL, NULL);
}
