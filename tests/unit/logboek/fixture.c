#include "tests/unit/logboek/fixture.h"

#include "core/base/identifiers.h"
#include "tests/support/folder.h"
#include "tests/support/postgresql.h"
#include "tests/unit/node/support.h"

static const Component *const COMPONENTS[] = {&logboek_component};

void fixture_start(Fixture *fixture)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *text =
        g_strdup_printf("[node]\ngroup = test\nanchors = pki/anchor.crt\n[logboek]\naddress = "
                        "https://manager.test:8443\n%s",
                        fixture->more == NULL ? "" : fixture->more);
    fixture->config = node_config_for_test(fixture->folder, text, COMPONENTS, 1);
    fixture->store = store_open(fixture->url, &error);
    no_error(error);
    fixture->node = node_new_for_test(fixture->config, fixture->store, &fixture->clock, &error);
    no_error(error);
    node_start_component(fixture->node, &logboek_component, &error);
    no_error(error);
    fixture->logboek = logboek_of(fixture->node);
    assert_non_null(fixture->logboek);
}

void fixture_stop(Fixture *fixture)
{
    g_clear_pointer(&fixture->node, node_free);
    g_clear_pointer(&fixture->store, store_close);
    g_clear_pointer(&fixture->config, config_free);
    fixture->logboek = NULL;
}

void fixture_restart(Fixture *fixture)
{
    fixture_stop(fixture);
    fixture_start(fixture);
}

void fixture_lose_database(Fixture *fixture)
{
    static const char *const TABLES[] = {"logboek_position",           "logboek_records",
                                         "logboek_transaction_blocks", "logboek_transaction_ids",
                                         "logboek_transaction_late",   "logboek_activities",
                                         "logboek_decisions",          "logboek_decision_policies"};
    g_autoptr(GError) error = NULL;
    g_autoptr(Store) store = store_open(fixture->url, &error);
    no_error(error);
    g_autoptr(Db) db = store_take(store, &error);
    no_error(error);
    for (gsize i = 0; i < G_N_ELEMENTS(TABLES); i++) {
        g_autofree char *sql = g_strconcat("DELETE FROM ", TABLES[i], NULL);
        db_run_values(db, sql, NULL, 0, &error);
        no_error(error);
    }
    db_release(g_steal_pointer(&db));
}

Fixture *fixture_new(gboolean postgresql, gboolean keys, const char *more)
{
    g_autofree char *folder = test_folder_new();
    g_autofree char *url =
        postgresql ? test_postgresql_start() : g_strdup_printf("sqlite:%s/node.db", folder);
    if (url == NULL) {
        print_message("skipped: PostgreSQL is not installed\n");
        return NULL;
    }
    Fixture *fixture = g_new0(Fixture, 1);
    fixture->folder = g_steal_pointer(&folder);
    fixture->url = g_steal_pointer(&url);
    fixture->more = g_strdup(more);
    fixture->clock = clock_fixed(keys ? SUPPORT_NOW : clock_now_s(clock_system()));
    if (keys) {
        support_issue(fixture->folder, "manager", SUPPORT_OIN);
        support_issue(fixture->folder, "token", SUPPORT_OIN);
    }
    fixture_start(fixture);
    return fixture;
}

void fixture_free(Fixture *fixture)
{
    fixture_stop(fixture);
    g_free(fixture->folder);
    g_free(fixture->url);
    g_free(fixture->more);
    g_free(fixture);
}

void fixture_advance(Fixture *fixture, gint64 seconds)
{
    fixture->clock.fixed_us += seconds * G_USEC_PER_SEC;
}

void fixture_catch_up(Fixture *fixture)
{
    assert_true(indexer_wait(fixture->logboek->indexer, journal_last(fixture->logboek->journal), 30000));
}

gint64 fixture_number(Fixture *fixture, const char *sql)
{
    return support_number(fixture->store, sql);
}

LogboekRecord fixture_record(const Fixture *fixture, guint trace_number, guint number)
{
    LogboekRecord record = sample_record();
    gint64 now_ms = clock_now_ms(&fixture->clock);
    g_snprintf(record.trace_id, sizeof record.trace_id, "%024x%08x", 0xabcu, trace_number + 1);
    g_snprintf(record.span_id, sizeof record.span_id, "%08x%08x", 0xdefu, number + 1);
    record.start_ms = now_ms - 10;
    record.end_ms = now_ms;
    return record;
}

LogboekTransaction fixture_transaction(const Fixture *fixture, char id[UUID_TEXT_SIZE])
{
    uuid7_new(&fixture->clock, id);
    return (LogboekTransaction){.transaction_id = id,
                                .incoming = TRUE,
                                .grant_hash = "$1$3$grant",
                                .outway_peer_id = "00000001000000000003",
                                .service_peer_id = "00000001000000000002",
                                .service_name = "brp-personen-bevragen",
                                .trace_id = "7bba9f33312b3dabc8f8e90c7c61f194",
                                .created_at = clock_now_s(&fixture->clock)};
}

typedef struct {
    GMutex mutex;
    GCond changed;
    guint calls;
    TransactionVerdict verdict;
} Waiting;

static void on_done(TransactionVerdict verdict, gpointer user_data)
{
    Waiting *waiting = user_data;
    g_mutex_lock(&waiting->mutex);
    waiting->calls++;
    waiting->verdict = verdict;
    g_cond_signal(&waiting->changed);
    g_mutex_unlock(&waiting->mutex);
}

TransactionVerdict fixture_log(Fixture *fixture, const LogboekTransaction *transaction)
{
    Waiting waiting = {.calls = 0};
    g_mutex_init(&waiting.mutex);
    g_cond_init(&waiting.changed);
    logboek_append_transaction(fixture->logboek, transaction, on_done, &waiting);
    gint64 until = g_get_monotonic_time() + 30 * G_USEC_PER_SEC;
    g_mutex_lock(&waiting.mutex);
    while (waiting.calls == 0 && g_cond_wait_until(&waiting.changed, &waiting.mutex, until))
        ;
    g_mutex_unlock(&waiting.mutex);
    assert_int_equal(waiting.calls, 1);
    g_mutex_clear(&waiting.mutex);
    g_cond_clear(&waiting.changed);
    return waiting.verdict;
}

int fixture_sqlite(void **state)
{
    *state = fixture_new(FALSE, FALSE, NULL);
    return 0;
}

int fixture_postgresql(void **state)
{
    *state = fixture_new(TRUE, FALSE, NULL);
    return 0;
}

int fixture_teardown(void **state)
{
    if (*state != NULL)
        fixture_free(*state);
    return 0;
}
