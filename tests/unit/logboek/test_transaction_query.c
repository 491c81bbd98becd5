/* GET /logs of FSC Logging 1.1.0: who sees which transactions, filters, order and pages. */
#include "tests/unit/logboek/fixture.h"

#define OUTWAY "00000001000000000003"
#define SERVICE "00000001000000000002"

static json_t *ask(Fixture *fixture, const TransactionQuery *query)
{
    g_autoptr(GError) error = NULL;
    json_t *answer = logboek_transactions(fixture->logboek, query, &error);
    no_error(error);
    return answer;
}

static gsize count(Fixture *fixture, TransactionQuery query)
{
    query.limit = query.limit == 0 ? 1000 : query.limit;
    g_autoptr(json_t) answer = ask(fixture, &query);
    return json_array_size(json_object_get(answer, "records"));
}

static void log_good(Fixture *fixture, const LogboekTransaction *transaction)
{
    assert_int_equal(fixture_log(fixture, transaction), TRANSACTION_LOGGED);
}

static void ignore(TransactionVerdict verdict, gpointer user_data)
{
    g_atomic_int_inc((gint *)user_data);
}

/* Many, fast: their ids in order of appending. */
static void log_many(Fixture *fixture, guint n, const char *outway, GPtrArray *ids)
{
    gint done = 0;
    guint64 before = journal_last(fixture->logboek->journal);
    for (guint i = 0; i < n; i++) {
        char id[UUID_TEXT_SIZE];
        LogboekTransaction transaction = fixture_transaction(fixture, id);
        transaction.outway_peer_id = outway;
        logboek_append_transaction(fixture->logboek, &transaction, ignore, &done);
        if (ids != NULL)
            g_ptr_array_add(ids, g_strdup(id));
    }
    while (g_atomic_int_get(&done) < (gint)n)
        journal_wait(fixture->logboek->journal, before + n - 1, 100);
}

/* FSC Logging 1.1.0, 3.2.1.1: four ways to take part, and no other. */
static void shows_a_peer_only_what_it_takes_part_in(void **state)
{
    take_fixture(state);
    char id[UUID_TEXT_SIZE];
    LogboekTransaction transaction = fixture_transaction(fixture, id);
    transaction.outway_delegator = "00000001000000000005";
    transaction.service_delegator = "00000001000000000006";
    log_good(fixture, &transaction);
    static const char *const PARTIES[] = {OUTWAY, SERVICE, "00000001000000000005", "00000001000000000006"};
    for (guint indexed = 0; indexed <= 1; indexed++) {
        for (gsize i = 0; i < G_N_ELEMENTS(PARTIES); i++)
            assert_int_equal(count(fixture, (TransactionQuery){.peer_id = PARTIES[i]}), 1);
        assert_int_equal(count(fixture, (TransactionQuery){.peer_id = "00000001000000000007"}), 0);
        assert_int_equal(count(fixture, (TransactionQuery){.peer_id = ""}), 0);
        fixture_catch_up(fixture);
    }
}

static void the_record_has_the_shape_of_the_standard(void **state)
{
    take_fixture(state);
    char id[UUID_TEXT_SIZE];
    LogboekTransaction transaction = fixture_transaction(fixture, id);
    log_good(fixture, &transaction);
    g_autoptr(json_t) answer = ask(fixture, &(TransactionQuery){.peer_id = SERVICE, .limit = 1});
    const json_t *record = json_array_get(json_object_get(answer, "records"), 0);
    assert_string_equal(json_string_at(record, "transaction_id"), id);
    assert_string_equal(json_string_at(record, "direction"), "DIRECTION_INCOMING");
    assert_string_equal(json_string_at(json_object_get(record, "source"), "type"), "SOURCE_TYPE_SOURCE");
    assert_string_equal(json_string_at(json_object_get(record, "destination"), "type"),
                        "DESTINATION_TYPE_DESTINATION");
    assert_true(json_integer_at(record, "created_at") == transaction.created_at);
    assert_null(json_object_get(record, "additional_data"));
    g_autofree char *text = json_write(answer);
    assert_null(strstr(text, transaction.trace_id)); /* ours only */
    assert_string_equal(json_string_at(json_object_get(answer, "pagination"), "next_cursor"), "");
}

static void filters_of_hash_and_service_are_ored(void **state)
{
    take_fixture(state);
    char ids[3][UUID_TEXT_SIZE];
    for (guint i = 0; i < 3; i++) {
        LogboekTransaction transaction = fixture_transaction(fixture, ids[i]);
        transaction.grant_hash = i == 0 ? "$1$3$first" : "$1$3$other";
        transaction.service_name = i == 1 ? "second" : "other";
        log_good(fixture, &transaction);
    }
    const char *hashes[] = {"$1$3$first", NULL}, *services[] = {"second", "third", NULL};
    assert_int_equal(count(fixture, (TransactionQuery){.peer_id = SERVICE, .grant_hashes = hashes}), 1);
    assert_int_equal(count(fixture, (TransactionQuery){.peer_id = SERVICE, .service_names = services}), 1);
    assert_int_equal(
        count(fixture,
              (TransactionQuery){.peer_id = SERVICE, .grant_hashes = hashes, .service_names = services}),
        2);
    assert_int_equal(count(fixture, (TransactionQuery){.peer_id = SERVICE}), 3);
}

static void after_and_before_narrow(void **state)
{
    take_fixture(state);
    gint64 start = clock_now_s(&fixture->clock);
    for (guint i = 0; i < 3; i++) {
        char id[UUID_TEXT_SIZE];
        LogboekTransaction transaction = fixture_transaction(fixture, id);
        log_good(fixture, &transaction);
        fixture_advance(fixture, 10);
    }
    for (guint indexed = 0; indexed <= 1; indexed++) {
        assert_int_equal(count(fixture, (TransactionQuery){.peer_id = SERVICE, .after = start}), 2);
        assert_int_equal(count(fixture, (TransactionQuery){.peer_id = SERVICE, .after = start - 1}), 3);
        assert_int_equal(count(fixture, (TransactionQuery){.peer_id = SERVICE, .before = start + 20}), 2);
        assert_int_equal(
            count(fixture, (TransactionQuery){.peer_id = SERVICE, .after = start, .before = start + 20}), 1);
        assert_int_equal(count(fixture, (TransactionQuery){.peer_id = SERVICE, .after = start + 20}), 0);
        assert_int_equal(count(fixture, (TransactionQuery){.peer_id = SERVICE, .before = start}), 0);
        fixture_catch_up(fixture);
    }
}

/* Walks all pages and checks that they hold exactly these ids, in this order. */
static void assert_pages(Fixture *fixture, const GPtrArray *ids, guint limit, gboolean ascending)
{
    g_autofree char *cursor = NULL;
    guint seen = 0, pages = 0;
    do {
        g_autoptr(json_t) answer = ask(
            fixture,
            &(TransactionQuery){.peer_id = OUTWAY, .limit = limit, .ascending = ascending, .cursor = cursor});
        const json_t *records = json_object_get(answer, "records");
        assert_true(json_array_size(records) <= limit);
        for (gsize i = 0; i < json_array_size(records); i++, seen++) {
            assert_true(seen < ids->len);
            const char *expected = ids->pdata[ascending ? seen : ids->len - 1 - seen];
            assert_string_equal(json_string_at(json_array_get(records, i), "transaction_id"), expected);
        }
        g_free(cursor);
        cursor = g_strdup(json_string_at(json_object_get(answer, "pagination"), "next_cursor"));
        assert_true(++pages < 1000);
    } while (cursor[0] != '\0');
    assert_int_equal(seen, ids->len);
}

/* More than two blocks of the index, mostly of others. */
static void pages_hold_each_record_once_in_order(void **state)
{
    take_fixture(state);
    g_autoptr(GPtrArray) ids = g_ptr_array_new_with_free_func(g_free);
    for (guint round = 0; round < 5; round++) {
        log_many(fixture, 20, OUTWAY, ids);
        log_many(fixture, 2000, "00000001000000000009", NULL);
    }
    for (guint indexed = 0; indexed <= 1; indexed++) {
        static const guint LIMITS[] = {1, 7, 20, 100, 1000};
        for (gsize i = 0; i < G_N_ELEMENTS(LIMITS); i++) {
            assert_pages(fixture, ids, LIMITS[i], FALSE);
            assert_pages(fixture, ids, LIMITS[i], TRUE);
        }
        fixture_catch_up(fixture);
    }
}

/* The work of one request is bounded; what is left comes with the next cursor. */
static void a_short_page_goes_on_where_it_stopped(void **state)
{
    take_fixture(state);
    g_autoptr(GPtrArray) ids = g_ptr_array_new_with_free_func(g_free);
    log_many(fixture, 3, OUTWAY, ids);
    log_many(fixture, 66 * INDEX_BLOCK, "00000001000000000009", NULL);
    fixture_stop(fixture); /* nothing is indexed: all blocks have to be read */
    fixture_lose_database(fixture);
    fixture->clock.fixed_us += 1;
    fixture_start(fixture);
    assert_pages(fixture, ids, 10, FALSE);
    assert_pages(fixture, ids, 10, TRUE);
}

static void transaction_ids_override_everything_else(void **state)
{
    take_fixture(state);
    char ids[3][UUID_TEXT_SIZE];
    for (guint i = 0; i < 3; i++) {
        LogboekTransaction transaction = fixture_transaction(fixture, ids[i]);
        if (i == 1)
            transaction.outway_peer_id = "00000001000000000009";
        log_good(fixture, &transaction);
        fixture_advance(fixture, 400);
    }
    fixture_catch_up(fixture);
    const char *asked[] = {ids[2], ids[0], "no id", "01990000-0000-7abc-8def-0123456789ab", ids[1], NULL};
    const char *services[] = {"none", NULL};
    TransactionQuery query = {.peer_id = OUTWAY,
                              .transaction_ids = asked,
                              .limit = 1,
                              .cursor = "nonsense",
                              .service_names = services,
                              .after = 1};
    for (guint round = 0; round < 2; round++) {
        g_autoptr(json_t) answer = ask(fixture, &query);
        const json_t *records = json_object_get(answer, "records");
        assert_int_equal(json_array_size(records), 2);
        assert_string_equal(json_string_at(json_array_get(records, 0), "transaction_id"), ids[2]);
        assert_string_equal(json_string_at(json_array_get(records, 1), "transaction_id"), ids[0]);
        fixture_advance(fixture, 1200); /* then they are sealed */
        transactions_seal(fixture->logboek->transactions, NULL);
    }
}

static void refuses_a_bad_cursor_and_a_bad_limit(void **state)
{
    take_fixture(state);
    const TransactionQuery bad[] = {
        {.peer_id = OUTWAY, .limit = 10, .cursor = "x"},
        {.peer_id = OUTWAY, .limit = 10, .cursor = "-1"},
        {.peer_id = OUTWAY, .limit = 10, .cursor = "0"},
        {.peer_id = OUTWAY, .limit = 10, .cursor = "99999999999999999999"},
        {.peer_id = OUTWAY, .limit = 0},
        {.peer_id = OUTWAY, .limit = 1001},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(bad); i++) {
        g_autoptr(GError) error = NULL;
        assert_null(logboek_transactions(fixture->logboek, &bad[i], &error));
        expect_error(&error, FUNDAMENT_ERROR_INVALID);
    }
    assert_int_equal(count(fixture, (TransactionQuery){.peer_id = OUTWAY, .cursor = "9", .ascending = TRUE}),
                     0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        on_both(shows_a_peer_only_what_it_takes_part_in),  on_both(the_record_has_the_shape_of_the_standard),
        on_both(filters_of_hash_and_service_are_ored),     on_both(after_and_before_narrow),
        on_both(pages_hold_each_record_once_in_order),     on_both(a_short_page_goes_on_where_it_stopped),
        on_both(transaction_ids_override_everything_else), on_both(refuses_a_bad_cursor_and_a_bad_limit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
