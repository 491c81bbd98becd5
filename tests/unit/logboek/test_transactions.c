/* The FSC transaction log: each record on disk before its request goes on, each id used once (FSC
 * Logging 1.1.0, 2.1 and 3.3.1; decisions.md 10). */
#include "tests/unit/logboek/fixture.h"

#include "components/logboek/transaction_ids.h"
#include "components/logboek/transaction_record.h"
#include "core/base/bytes.h"

static guint64 last(const Fixture *fixture)
{
    return journal_last(fixture->logboek->journal);
}

/* A UUIDv7 whose time is so many seconds from now. */
static void id_at(const Fixture *fixture, gint64 seconds, char id[UUID_TEXT_SIZE])
{
    Clock clock = fixture->clock;
    clock.fixed_us += seconds * G_USEC_PER_SEC;
    uuid7_new(&clock, id);
}

/* --- the form in the journal --- */

static void the_record_is_as_documented(void **state)
{
    LogboekTransaction transaction = {.transaction_id = "01990000-0000-7abc-8def-0123456789ab",
                                      .incoming = FALSE,
                                      .grant_hash = "$1$3$g",
                                      .outway_peer_id = "00000001000000000003",
                                      .outway_delegator = "00000001000000000005",
                                      .service_peer_id = "00000001000000000002",
                                      .service_name = "brp",
                                      .trace_id = "7bba9f33312b3dabc8f8e90c7c61f194",
                                      .created_at = 1764000000,
                                      .additional_data = "{\"a\":1}"};
    g_autoptr(GByteArray) encoded = transaction_encode(&transaction, FALSE);
    assert_non_null(encoded);
    g_autofree char *hex = hex_encode(encoded->data, encoded->len);
    assert_string_equal(
        hex, "0100000000000000692481000199000000008abc8def0123456789ab7bba9f33312b3dabc8f8e90c7c61f194"
             "0000000624312433246700000014303030303030303130303030303030303030303300000014303030303030"
             "3031303030303030303030303035000000143030303030303031303030303030303030303032000000000000"
             "0003627270000000077b2261223a317d");
    TransactionParts parts;
    assert_true(transaction_split(encoded->data, encoded->len, &parts));
    g_autoptr(json_t) record = transaction_json(&parts);
    g_autofree char *text = json_write(record);
    assert_string_equal(
        text,
        "{\"transaction_id\":\"01990000-0000-7abc-8def-0123456789ab\",\"direction\":\"DIRECTION_OUTGOING\","
        "\"grant_hash\":\"$1$3$g\",\"source\":{\"type\":\"SOURCE_TYPE_DELEGATED_SOURCE\",\"outway_peer_id\":"
        "\"00000001000000000003\",\"delegator_peer_id\":\"00000001000000000005\"},\"destination\":{\"type\":"
        "\"DESTINATION_TYPE_DESTINATION\",\"service_peer_id\":\"00000001000000000002\"},\"service_name\":"
        "\"brp\",\"additional_data\":{\"a\":1},\"created_at\":1764000000}");
}

static void a_record_that_is_cut_short_is_refused(void **state)
{
    LogboekTransaction transaction = {.transaction_id = "01990000-0000-7abc-8def-0123456789ab",
                                      .grant_hash = "g",
                                      .outway_peer_id = "o",
                                      .service_peer_id = "s",
                                      .service_name = "n"};
    g_autoptr(GByteArray) encoded = transaction_encode(&transaction, FALSE);
    TransactionParts parts;
    assert_true(transaction_split(encoded->data, encoded->len, &parts));
    for (guint cut = 0; cut < encoded->len; cut++) {
        g_autofree guint8 *part = g_memdup2(encoded->data, cut);
        assert_false(transaction_split(part, cut, &parts));
    }
    encoded->data[1] = 1; /* incoming, while the id says outgoing */
    assert_false(transaction_split(encoded->data, encoded->len, &parts));
}

/* OpenAPI document of FSC Logging 1.1.0: these are required. */
static void a_record_without_a_required_text_is_refused(void **state)
{
    const LogboekTransaction good = {.transaction_id = "01990000-0000-7abc-8def-0123456789ab",
                                     .grant_hash = "g",
                                     .outway_peer_id = "o",
                                     .service_peer_id = "s",
                                     .service_name = "n"};
    const gsize offsets[] = {G_STRUCT_OFFSET(LogboekTransaction, grant_hash),
                             G_STRUCT_OFFSET(LogboekTransaction, outway_peer_id),
                             G_STRUCT_OFFSET(LogboekTransaction, service_peer_id),
                             G_STRUCT_OFFSET(LogboekTransaction, service_name)};
    for (gsize i = 0; i < G_N_ELEMENTS(offsets); i++) {
        LogboekTransaction bad = good;
        G_STRUCT_MEMBER(const char *, &bad, offsets[i]) = "";
        assert_null(transaction_encode(&bad, FALSE));
        G_STRUCT_MEMBER(const char *, &bad, offsets[i]) = NULL;
        assert_null(transaction_encode(&bad, FALSE));
        G_STRUCT_MEMBER(const char *, &bad, offsets[i]) = "\xff";
        assert_null(transaction_encode(&bad, FALSE));
    }
}

/* --- logging --- */

static void a_transaction_is_on_disk_when_it_is_acknowledged(void **state)
{
    take_fixture(state);
    char id[UUID_TEXT_SIZE];
    LogboekTransaction transaction = fixture_transaction(fixture, id);
    assert_int_equal(fixture_log(fixture, &transaction), TRANSACTION_LOGGED);
    assert_int_equal(last(fixture), 1);
    fixture_restart(fixture);
    assert_int_equal(last(fixture), 1);
}

static void a_resent_frame_is_logged_once(void **state)
{
    take_fixture(state);
    char id[UUID_TEXT_SIZE];
    LogboekTransaction transaction = fixture_transaction(fixture, id);
    assert_int_equal(fixture_log(fixture, &transaction), TRANSACTION_LOGGED);
    assert_int_equal(fixture_log(fixture, &transaction), TRANSACTION_LOGGED);
    assert_int_equal(last(fixture), 1);
}

/* A dishonest Outway that uses an id again, for a request that is the same in all but its time. */
static void a_later_request_under_the_same_id_is_a_replay(void **state)
{
    take_fixture(state);
    char id[UUID_TEXT_SIZE];
    LogboekTransaction transaction = fixture_transaction(fixture, id);
    assert_int_equal(fixture_log(fixture, &transaction), TRANSACTION_LOGGED);
    transaction.created_at++;
    assert_int_equal(fixture_log(fixture, &transaction), TRANSACTION_REPLAYED);
    assert_int_equal(last(fixture), 1);
}

static void an_id_in_another_case_is_the_same_id(void **state)
{
    take_fixture(state);
    char id[UUID_TEXT_SIZE];
    LogboekTransaction transaction = fixture_transaction(fixture, id);
    assert_int_equal(fixture_log(fixture, &transaction), TRANSACTION_LOGGED);
    g_autofree char *upper = g_ascii_strup(id, -1);
    transaction.transaction_id = upper;
    assert_int_equal(fixture_log(fixture, &transaction), TRANSACTION_LOGGED);
    assert_int_equal(last(fixture), 1);
}

static void an_id_with_other_content_is_a_replay(void **state)
{
    take_fixture(state);
    char id[UUID_TEXT_SIZE];
    LogboekTransaction transaction = fixture_transaction(fixture, id);
    assert_int_equal(fixture_log(fixture, &transaction), TRANSACTION_LOGGED);
    LogboekTransaction others[6];
    for (gsize i = 0; i < G_N_ELEMENTS(others); i++)
        others[i] = transaction;
    others[0].grant_hash = "$1$3$other";
    others[1].outway_peer_id = "00000001000000000009";
    others[2].service_name = "other";
    others[3].outway_delegator = "00000001000000000009";
    others[4].trace_id = NULL;
    others[5].additional_data = "{}";
    for (gsize i = 0; i < G_N_ELEMENTS(others); i++)
        assert_int_equal(fixture_log(fixture, &others[i]), TRANSACTION_REPLAYED);
    assert_int_equal(last(fixture), 1);
}

/* An organisation that calls itself logs one id twice: as Outway and as Inway. */
static void both_directions_of_an_id_are_two_records(void **state)
{
    take_fixture(state);
    char id[UUID_TEXT_SIZE];
    LogboekTransaction transaction = fixture_transaction(fixture, id);
    assert_int_equal(fixture_log(fixture, &transaction), TRANSACTION_LOGGED);
    transaction.incoming = FALSE;
    assert_int_equal(fixture_log(fixture, &transaction), TRANSACTION_LOGGED);
    assert_int_equal(last(fixture), 2);
}

/* FSC Logging 1.1.0, 3.3.1.3: INVALID_LOG_RECORD_ID; Digikoppeling REST API 3.0.1: a UUIDv7. */
static void an_id_that_is_no_uuid7_is_refused(void **state)
{
    take_fixture(state);
    char id[UUID_TEXT_SIZE];
    LogboekTransaction transaction = fixture_transaction(fixture, id);
    static const char *const BAD[] = {"", "x", "0190f3a2-7000-4abc-8a11-0a1112223330",
                                      "01990000-0000-7abc-8def-0123456789a"};
    for (gsize i = 0; i < G_N_ELEMENTS(BAD); i++) {
        transaction.transaction_id = BAD[i];
        assert_int_equal(fixture_log(fixture, &transaction), TRANSACTION_REPLAYED);
    }
    assert_int_equal(last(fixture), 0);
}

static void replays_are_known_after_a_restart(void **state)
{
    take_fixture(state);
    char id[UUID_TEXT_SIZE];
    LogboekTransaction transaction = fixture_transaction(fixture, id);
    assert_int_equal(fixture_log(fixture, &transaction), TRANSACTION_LOGGED);
    fixture_restart(fixture);
    assert_int_equal(fixture_log(fixture, &transaction), TRANSACTION_LOGGED);
    transaction.service_name = "other";
    assert_int_equal(fixture_log(fixture, &transaction), TRANSACTION_REPLAYED);
    assert_int_equal(last(fixture), 1);
}

static guint64 keys(Fixture *fixture)
{
    TransactionCounts counts;
    transactions_count(fixture->logboek->transactions, &counts);
    return counts.keys;
}

static void seal(Fixture *fixture)
{
    g_autoptr(GError) error = NULL;
    transactions_seal(fixture->logboek->transactions, &error);
    no_error(error);
}

static void replays_are_known_after_their_minute_is_sealed(void **state)
{
    take_fixture(state);
    char ids[3][UUID_TEXT_SIZE];
    LogboekTransaction transactions[3];
    for (guint i = 0; i < 3; i++) {
        transactions[i] = fixture_transaction(fixture, ids[i]);
        assert_int_equal(fixture_log(fixture, &transactions[i]), TRANSACTION_LOGGED);
        fixture_advance(fixture, 61);
    }
    fixture_advance(fixture, 600);
    seal(fixture);
    assert_int_equal(keys(fixture), 0);
    for (guint round = 0; round < 2; round++) {
        for (guint i = 0; i < 3; i++) {
            assert_int_equal(fixture_log(fixture, &transactions[i]), TRANSACTION_LOGGED);
            LogboekTransaction other = transactions[i];
            other.service_name = "other";
            assert_int_equal(fixture_log(fixture, &other), TRANSACTION_REPLAYED);
        }
        fixture_restart(fixture);
    }
    assert_int_equal(last(fixture), 3);
}

/* Otherwise each start would read the journal from its beginning. */
static void minutes_without_ids_are_sealed_too(void **state)
{
    take_fixture(state);
    for (guint i = 0; i < 3; i++) {
        fixture_advance(fixture, 1200);
        seal(fixture);
        gint64 now_minute = clock_now_s(&fixture->clock) / 60;
        assert_int_equal(fixture_number(fixture, "SELECT sealed_minute FROM logboek_position"),
                         now_minute - 6);
    }
    char id[UUID_TEXT_SIZE];
    LogboekTransaction transaction = fixture_transaction(fixture, id);
    assert_int_equal(fixture_log(fixture, &transaction), TRANSACTION_LOGGED);
    gint64 logged_minute = clock_now_s(&fixture->clock) / 60;
    fixture_advance(fixture, 240);
    seal(fixture);
    assert_true(fixture_number(fixture, "SELECT sealed_minute FROM logboek_position") < logged_minute);
    TransactionCounts counts;
    transactions_count(fixture->logboek->transactions, &counts);
    assert_int_equal(counts.late, 0);
}

static void late_ids_are_logged_once_too(void **state)
{
    take_fixture(state);
    static const gint64 SECONDS[] = {-3600, -86400, 3600, 86400 * 365};
    for (gsize i = 0; i < G_N_ELEMENTS(SECONDS); i++) {
        char id[UUID_TEXT_SIZE], other_id[UUID_TEXT_SIZE];
        LogboekTransaction transaction = fixture_transaction(fixture, id);
        id_at(fixture, SECONDS[i], id);
        assert_int_equal(fixture_log(fixture, &transaction), TRANSACTION_LOGGED);
        assert_int_equal(fixture_log(fixture, &transaction), TRANSACTION_LOGGED);
        LogboekTransaction other = fixture_transaction(fixture, other_id);
        other.transaction_id = id;
        other.service_name = "other";
        assert_int_equal(fixture_log(fixture, &other), TRANSACTION_REPLAYED);
        assert_int_equal(last(fixture), i + 1);
        fixture_catch_up(fixture);
        fixture_restart(fixture);
        assert_int_equal(fixture_log(fixture, &transaction), TRANSACTION_LOGGED);
        assert_int_equal(fixture_log(fixture, &other), TRANSACTION_REPLAYED);
        assert_int_equal(last(fixture), i + 1);
    }
    assert_int_equal(fixture_number(fixture, "SELECT COUNT(*) FROM logboek_transaction_late"),
                     G_N_ELEMENTS(SECONDS));
}

/* An id from the future is late; when its time comes, it is still known. */
static void an_id_of_the_future_is_known_when_its_minute_opens(void **state)
{
    take_fixture(state);
    char id[UUID_TEXT_SIZE];
    LogboekTransaction transaction = fixture_transaction(fixture, id);
    id_at(fixture, 3600, id);
    assert_int_equal(fixture_log(fixture, &transaction), TRANSACTION_LOGGED);
    fixture_catch_up(fixture);
    fixture_advance(fixture, 3600);
    transaction.service_name = "other";
    assert_int_equal(fixture_log(fixture, &transaction), TRANSACTION_REPLAYED);
    assert_int_equal(last(fixture), 1);
}

static void a_lost_database_forgets_no_id(void **state)
{
    take_fixture(state);
    char old[UUID_TEXT_SIZE], late[UUID_TEXT_SIZE], recent[UUID_TEXT_SIZE];
    LogboekTransaction transactions[] = {fixture_transaction(fixture, old),
                                         fixture_transaction(fixture, late),
                                         fixture_transaction(fixture, recent)};
    id_at(fixture, -7200, late);
    assert_int_equal(fixture_log(fixture, &transactions[0]), TRANSACTION_LOGGED);
    assert_int_equal(fixture_log(fixture, &transactions[1]), TRANSACTION_LOGGED);
    fixture_advance(fixture, 900);
    seal(fixture);
    uuid7_new(&fixture->clock, recent);
    assert_int_equal(fixture_log(fixture, &transactions[2]), TRANSACTION_LOGGED);
    fixture_stop(fixture);
    fixture_lose_database(fixture);
    fixture_start(fixture);
    for (guint round = 0; round < 2; round++) {
        for (gsize i = 0; i < G_N_ELEMENTS(transactions); i++) {
            LogboekTransaction other = transactions[i];
            other.service_name = "other";
            assert_int_equal(fixture_log(fixture, &transactions[i]), TRANSACTION_LOGGED);
            assert_int_equal(fixture_log(fixture, &other), TRANSACTION_REPLAYED);
        }
        fixture_catch_up(fixture);
        seal(fixture);
    }
    assert_int_equal(last(fixture), 3);
}

/* A clock that was a year ahead must not make all ids late for a year: a start puts it right. */
static void a_start_after_the_clock_was_ahead_opens_the_minutes_of_now(void **state)
{
    take_fixture(state);
    char ahead[UUID_TEXT_SIZE], now[UUID_TEXT_SIZE];
    gint64 true_us = fixture->clock.fixed_us;
    fixture_advance(fixture, 365 * 86400);
    LogboekTransaction transaction = fixture_transaction(fixture, ahead);
    assert_int_equal(fixture_log(fixture, &transaction), TRANSACTION_LOGGED);
    fixture_advance(fixture, 3600);
    seal(fixture);
    fixture->clock.fixed_us = true_us;
    fixture_restart(fixture);
    LogboekTransaction next = fixture_transaction(fixture, now);
    assert_int_equal(fixture_log(fixture, &next), TRANSACTION_LOGGED);
    TransactionCounts counts;
    transactions_count(fixture->logboek->transactions, &counts);
    assert_int_equal(counts.late, 0);
    transaction.service_name = "other";
    assert_int_equal(fixture_log(fixture, &transaction), TRANSACTION_REPLAYED);
}

static void a_minute_of_many_ids_is_sealed_in_several_rows(void **state)
{
    take_fixture(state);
    g_autoptr(GError) error = NULL;
    g_autoptr(KeyTable) table = key_table_new();
    char id[UUID_TEXT_SIZE];
    guint8 key[KEY_SIZE];
    gint64 minute = 0;
    for (guint64 i = 0; i < 3 * IDS_PER_ROW + 1; i++) {
        uuid7_new(&fixture->clock, id);
        assert_true(transaction_key(id, i % 2 == 0, key));
        minute = transaction_minute(key);
        key_table_put(table, key, i * 7, i + 1);
    }
    g_autoptr(GArray) sorted = key_table_sorted(table);
    assert_true(transaction_ids_seal(fixture->store, 1, minute, sorted, &error));
    no_error(error);
    assert_int_equal(fixture_number(fixture, "SELECT COUNT(*) FROM logboek_transaction_ids"), 4);
    for (guint i = 0; i < sorted->len; i += 97) {
        const KeyEntry *expected = &g_array_index(sorted, KeyEntry, i);
        KeyEntry found;
        assert_true(transaction_ids_find(fixture->store, 1, expected->key, &found, &error));
        assert_true(found.sequence == expected->sequence && found.digest == expected->digest);
    }
    KeyEntry none;
    uuid7_new(&fixture->clock, id);
    transaction_key(id, TRUE, key);
    assert_true(transaction_ids_find(fixture->store, 1, key, &none, &error));
    assert_true(none.sequence == 0);
}

/* --- many at once --- */

#define MANY 5000

typedef struct {
    GMutex mutex;
    GCond changed;
    guint calls[TRANSACTION_FAILED + 1], all;
} Tally;

static void on_tally(TransactionVerdict verdict, gpointer user_data)
{
    Tally *tally = user_data;
    g_mutex_lock(&tally->mutex);
    tally->calls[verdict]++;
    tally->all++;
    g_cond_signal(&tally->changed);
    g_mutex_unlock(&tally->mutex);
}

/* Each is sent three times before the first answer can be there: same, same, other. */
static void each_of_many_is_answered_exactly_once(void **state)
{
    take_fixture(state);
    Tally tally = {.all = 0};
    g_mutex_init(&tally.mutex);
    g_cond_init(&tally.changed);
    for (guint i = 0; i < MANY; i++) {
        char id[UUID_TEXT_SIZE];
        LogboekTransaction transaction = fixture_transaction(fixture, id);
        logboek_append_transaction(fixture->logboek, &transaction, on_tally, &tally);
        logboek_append_transaction(fixture->logboek, &transaction, on_tally, &tally);
        transaction.service_name = "other";
        logboek_append_transaction(fixture->logboek, &transaction, on_tally, &tally);
    }
    g_mutex_lock(&tally.mutex);
    while (tally.all < 3 * MANY)
        g_cond_wait(&tally.changed, &tally.mutex);
    g_mutex_unlock(&tally.mutex);
    assert_int_equal(tally.calls[TRANSACTION_LOGGED], 2 * MANY);
    assert_int_equal(tally.calls[TRANSACTION_REPLAYED], MANY);
    assert_int_equal(last(fixture), MANY);
    g_mutex_clear(&tally.mutex);
    g_cond_clear(&tally.changed);
}

static void an_outcome_stands_beside_its_transaction(void **state)
{
    take_fixture(state);
    char id[UUID_TEXT_SIZE];
    LogboekTransaction transaction = fixture_transaction(fixture, id);
    assert_int_equal(fixture_log(fixture, &transaction), TRANSACTION_LOGGED);
    logboek_append_outcome(fixture->logboek, id, TRUE, TRUE, 200, 1234);
    logboek_append_outcome(fixture->logboek, "no id", TRUE, TRUE, 200, 1234);
    assert_true(journal_wait(fixture->logboek->journal, 1, 10000) == 2);
    fixture_restart(fixture);
    assert_int_equal(last(fixture), 2);
}

/* What nobody waits for costs the disk no sync of its own: an outcome goes with a later record, or after 50
 * ms, and the index gathers for 250 ms. */
static void requests_one_by_one_cost_one_sync_each(void **state)
{
    take_fixture(state);
    enum { REQUESTS = 200 };
    Logboek *logboek = fixture->logboek;
    guint64 commits = journal_commits(logboek->journal), passes = indexer_passes(logboek->indexer);
    gint64 began_us = g_get_monotonic_time();
    for (guint i = 0; i < REQUESTS; i++) {
        char id[UUID_TEXT_SIZE];
        LogboekTransaction transaction = fixture_transaction(fixture, id);
        assert_int_equal(fixture_log(fixture, &transaction), TRANSACTION_LOGGED);
        logboek_append_outcome(logboek, id, transaction.incoming, TRUE, 200, 1000);
    }
    commits = journal_commits(logboek->journal) - commits;
    passes = indexer_passes(logboek->indexer) - passes;
    gint64 took_ms = (g_get_monotonic_time() - began_us) / G_TIME_SPAN_MILLISECOND;
    assert_in_range(commits, REQUESTS, (guint64)(REQUESTS + 2 + took_ms / 50));
    assert_in_range(passes, 0, (guint64)(2 + took_ms / 250));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_record_is_as_documented),
        cmocka_unit_test(a_record_that_is_cut_short_is_refused),
        cmocka_unit_test(a_record_without_a_required_text_is_refused),
        on_both(a_transaction_is_on_disk_when_it_is_acknowledged),
        on_both(a_resent_frame_is_logged_once),
        on_both(a_later_request_under_the_same_id_is_a_replay),
        on_both(an_id_in_another_case_is_the_same_id),
        on_both(an_id_with_other_content_is_a_replay),
        on_both(both_directions_of_an_id_are_two_records),
        on_both(an_id_that_is_no_uuid7_is_refused),
        on_both(replays_are_known_after_a_restart),
        on_both(replays_are_known_after_their_minute_is_sealed),
        on_both(minutes_without_ids_are_sealed_too),
        on_both(late_ids_are_logged_once_too),
        on_both(an_id_of_the_future_is_known_when_its_minute_opens),
        on_both(a_lost_database_forgets_no_id),
        on_both(a_start_after_the_clock_was_ahead_opens_the_minutes_of_now),
        on_both(a_minute_of_many_ids_is_sealed_in_several_rows),
        on_both(each_of_many_is_answered_exactly_once),
        on_both(an_outcome_stands_beside_its_transaction),
        on_both(requests_one_by_one_cost_one_sync_each),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
