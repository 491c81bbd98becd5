/* What was acknowledged is there after a kill; what could not be written was not acknowledged, and can be
 * sent again. */
#include "tests/unit/logboek/web.h"

#include <errno.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#define WRITERS 4
#define ROUNDS 4
#define ACKNOWLEDGED_A_ROUND 300

/* One acknowledged record or transaction, told to the parent before the next is written. */
typedef struct {
    guint32 trace, span; /* span G_MAXUINT32: a transaction */
    char id[UUID_TEXT_SIZE];
} Acknowledged;

typedef struct {
    Fixture *fixture;
    guint32 trace;
    int out;
} Writer;

static void tell(const Writer *writer, Acknowledged acknowledged)
{
    if (write(writer->out, &acknowledged, sizeof acknowledged) != sizeof acknowledged)
        _exit(3);
}

/* Batches of three records, and a transaction after each, for ever. */
static gpointer write_for_ever(gpointer data)
{
    const Writer *writer = data;
    for (guint32 span = 0;; span += 3) {
        LogboekRecord records[3];
        for (guint i = 0; i < 3; i++)
            records[i] = fixture_record(writer->fixture, writer->trace, span + i);
        if (!logboek_append(writer->fixture->logboek, records, 3, NULL))
            _exit(4);
        for (guint i = 0; i < 3; i++)
            tell(writer, (Acknowledged){.trace = writer->trace, .span = span + i});
        Acknowledged transaction = {.span = G_MAXUINT32};
        LogboekTransaction log = fixture_transaction(writer->fixture, transaction.id);
        if (fixture_log(writer->fixture, &log) != TRANSACTION_LOGGED)
            _exit(5);
        tell(writer, transaction);
    }
    return NULL;
}

static void run_child(Fixture *fixture, guint32 round, int out)
{
    Writer writers[WRITERS];
    fixture_start(fixture);
    for (guint32 i = 0; i < WRITERS; i++) {
        writers[i] = (Writer){fixture, round * WRITERS + i, out};
        g_thread_new("writer", write_for_ever, &writers[i]);
    }
    for (;;)
        pause();
}

/* Kills the child in the middle of its work; what it acknowledged until then. */
static GArray *kill_in_the_middle(Fixture *fixture, guint32 round)
{
    int ends[2];
    GArray *acknowledged = g_array_new(FALSE, FALSE, sizeof(Acknowledged));
    assert_int_equal(pipe(ends), 0);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        close(ends[0]);
        run_child(fixture, round, ends[1]);
    }
    close(ends[1]);
    Acknowledged one;
    while (read(ends[0], &one, sizeof one) == sizeof one) {
        g_array_append_val(acknowledged, one);
        if (acknowledged->len == ACKNOWLEDGED_A_ROUND)
            kill(child, SIGKILL);
    }
    close(ends[0]);
    int status;
    assert_true(waitpid(child, &status, 0) == child);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
    return acknowledged;
}

static void assert_record_is_there(Fixture *fixture, const Acknowledged *acknowledged)
{
    LogboekRecord record = fixture_record(fixture, acknowledged->trace, acknowledged->span);
    RecordKey key = record_key(record.trace_id, record.span_id, record.data_subject_id);
    g_autoptr(Db) db = store_take(fixture->store, NULL);
    g_autoptr(Rows) rows = db_query(db, NULL, "SELECT flagged FROM logboek_records WHERE record_key = ?1",
                                    value_blob(key.bytes, sizeof key.bytes));
    assert_int_equal(rows_count(rows), 1);
    assert_true(rows_next(rows));
    assert_int_equal(rows_integer(rows, 0), 0);
}

static void assert_transaction_is_there(Fixture *fixture, const Acknowledged *acknowledged)
{
    const char *ids[] = {acknowledged->id, NULL};
    TransactionQuery query = {.peer_id = "00000001000000000003", .transaction_ids = ids};
    g_autoptr(json_t) answer = logboek_transactions(fixture->logboek, &query, NULL);
    assert_int_equal(json_array_size(json_object_get(answer, "records")), 1);
}

static void what_was_acknowledged_survives_kill_9(void **state)
{
    take_fixture(state);
    for (guint32 round = 0; round < ROUNDS; round++) {
        fixture_stop(fixture);
        g_autoptr(GArray) acknowledged = kill_in_the_middle(fixture, round);
        assert_true(acknowledged->len >= ACKNOWLEDGED_A_ROUND);
        fixture_start(fixture);
        fixture_catch_up(fixture);
        for (guint i = 0; i < acknowledged->len; i++) {
            const Acknowledged *one = &g_array_index(acknowledged, Acknowledged, i);
            if (one->span == G_MAXUINT32)
                assert_transaction_is_there(fixture, one);
            else
                assert_record_is_there(fixture, one);
        }
    }
}

/* --- a disk that takes nothing --- */

static void set_file_limit(rlim_t bytes)
{
    struct rlimit limit;
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
    limit.rlim_cur = bytes;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

static void make_disk_full(void)
{
    signal(SIGXFSZ, SIG_IGN);
    set_file_limit(0);
}

static void make_disk_free(Fixture *fixture)
{
    g_autoptr(GError) error = NULL;
    set_file_limit(RLIM_INFINITY);
    journal_recover(fixture->logboek->journal, &error);
    no_error(error);
}

/* Fail closed: "If the log cannot be written, the data does not flow." */
static void a_full_disk_refuses_records_and_they_can_be_sent_again(void **state)
{
    take_fixture(state);
    g_autoptr(GError) error = NULL;
    LogboekRecord record = fixture_record(fixture, 1, 1);
    make_disk_full();
    gboolean stored = logboek_append(fixture->logboek, &record, 1, &error);
    gboolean healthy = journal_healthy(fixture->logboek->journal);
    g_autoptr(GError) second = NULL;
    gboolean stored_again = logboek_append(fixture->logboek, &record, 1, &second);
    make_disk_free(fixture);
    assert_false(stored);
    assert_false(healthy);
    assert_false(stored_again);
    assert_true(g_error_matches(error, FUNDAMENT_ERROR, FUNDAMENT_ERROR_IO) ||
                g_error_matches(error, FUNDAMENT_ERROR, FUNDAMENT_ERROR_UNAVAILABLE));
    g_clear_error(&error);
    logboek_append(fixture->logboek, &record, 1, &error);
    no_error(error);
    fixture_catch_up(fixture);
    assert_int_equal(fixture_number(fixture, "SELECT COUNT(*) FROM logboek_records"), 1);
}

/* FSC Logging 1.1.0, 3.3.1.1: "The Inway MUST deny the request if the record to the TransactionLog could not
 * be written." */
static void a_full_disk_refuses_transactions_and_they_can_be_sent_again(void **state)
{
    take_fixture(state);
    char id[UUID_TEXT_SIZE];
    LogboekTransaction transaction = fixture_transaction(fixture, id);
    make_disk_full();
    TransactionVerdict refused = fixture_log(fixture, &transaction);
    make_disk_free(fixture);
    assert_int_equal(refused, TRANSACTION_FAILED);
    assert_int_equal(fixture_log(fixture, &transaction), TRANSACTION_LOGGED);
    transaction.service_name = "other";
    assert_int_equal(fixture_log(fixture, &transaction), TRANSACTION_REPLAYED);
}

static void a_full_disk_is_503_with_retry_after(void **state)
{
    take_fixture(state);
    static const char *const HEADERS[] = {"Content-Type: application/json", NULL};
    Web *web = web_new(fixture);
    gint64 now_ns = clock_now_us(&fixture->clock) * 1000;
    g_autofree char *body =
        g_strdup_printf("{\"resourceSpans\":[{\"scopeSpans\":[{\"spans\":[{\"traceId\":"
                        "\"7bba9f33312b3dabc8f8e90c7c61f194\",\"spanId\":"
                        "\"2a3f5c8d1e6b4a09\",\"name\":\"n\",\"startTimeUnixNano\":\"%" G_GINT64_FORMAT
                        "\",\"endTimeUnixNano\":\"%" G_GINT64_FORMAT "\"}]}]}]}",
                        now_ns, now_ns);
    make_disk_full();
    g_autoptr(HttpReply) refused =
        web_call(web, LISTENER_LOG, "POST", "/v1/traces", HEADERS, body, strlen(body));
    make_disk_free(fixture);
    assert_int_equal(refused->status, 503);
    assert_string_equal(g_hash_table_lookup(refused->headers, "retry-after"), "1");
    g_autoptr(HttpReply) accepted =
        web_call(web, LISTENER_LOG, "POST", "/v1/traces", HEADERS, body, strlen(body));
    assert_int_equal(accepted->status, 200);
    fixture_catch_up(fixture);
    assert_int_equal(fixture_number(fixture, "SELECT COUNT(*) FROM logboek_records"), 1);
    web_free(web);
}

/* The journal goes on without the database; the index catches up when it is back. */
static void a_database_that_is_away_stops_only_the_index(void **state)
{
    take_fixture(state);
    g_autoptr(GError) error = NULL;
    fixture_catch_up(fixture);
    fixture_number(fixture, "SELECT COUNT(*) FROM logboek_records");
    {
        g_autoptr(Db) db = store_take(fixture->store, &error);
        no_error(error);
        db_run_values(db, "ALTER TABLE logboek_records RENAME TO logboek_records_away", NULL, 0, &error);
        no_error(error);
    }
    for (guint i = 0; i < 10; i++) {
        LogboekRecord record = fixture_record(fixture, 1, i);
        logboek_append(fixture->logboek, &record, 1, &error);
        no_error(error);
    }
    assert_false(indexer_wait(fixture->logboek->indexer, 1, 200));
    {
        g_autoptr(Db) db = store_take(fixture->store, &error);
        no_error(error);
        db_run_values(db, "ALTER TABLE logboek_records_away RENAME TO logboek_records", NULL, 0, &error);
        no_error(error);
    }
    fixture_catch_up(fixture);
    assert_int_equal(fixture_number(fixture, "SELECT COUNT(*) FROM logboek_records"), 10);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        on_both(what_was_acknowledged_survives_kill_9),
        on_both(a_full_disk_refuses_records_and_they_can_be_sent_again),
        on_both(a_full_disk_refuses_transactions_and_they_can_be_sent_again),
        on_both(a_full_disk_is_503_with_retry_after),
        on_both(a_database_that_is_away_stops_only_the_index),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
