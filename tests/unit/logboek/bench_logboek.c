/* One measurement a run, for bench/logboek: prints records (or transactions) a second, each on disk before it
 * counts.
 *
 *   journal  bytes of the size of a record straight into the journal: the limit
 *   append   records of a component of this node (rules, canonical form, idempotence, journal)
 *   otlp     OTLP/JSON messages of 100 spans (reader, BSN to pseudonym, and all of the above)
 *   transactions, transactions-journal   FSC transactions, 1000 on their way at a time, and their limit
 *   index    records into SQL, from the end of writing until the index has them all
 */
#include "tests/unit/logboek/fixture.h"

#include <stdio.h>

#include "components/logboek/journal_kinds.h"
#include "components/logboek/span.h"
#include "components/logboek/transaction_record.h"

#define THREADS 4
#define BATCH 100
#define RECORD_BYTES 450
#define ON_THEIR_WAY 1000

typedef struct {
    Fixture *fixture;
    guint thread, n_batches;
    GPtrArray *bodies; /* OTLP messages */
} Work;

/* --- counting what is on its way --- */

typedef struct {
    GMutex mutex;
    GCond changed;
    guint waiting;
} Gate;

static void gate_enter(Gate *gate, guint most)
{
    g_mutex_lock(&gate->mutex);
    while (gate->waiting >= most)
        g_cond_wait(&gate->changed, &gate->mutex);
    gate->waiting++;
    g_mutex_unlock(&gate->mutex);
}

static void gate_leave(Gate *gate)
{
    g_mutex_lock(&gate->mutex);
    gate->waiting--;
    g_cond_signal(&gate->changed);
    g_mutex_unlock(&gate->mutex);
}

static void gate_empty(Gate *gate)
{
    g_mutex_lock(&gate->mutex);
    while (gate->waiting > 0)
        g_cond_wait(&gate->changed, &gate->mutex);
    g_mutex_unlock(&gate->mutex);
}

static void on_written(guint64 sequence, const GError *error, gpointer user_data)
{
    g_assert_no_error(error);
    gate_leave(user_data);
}

static void on_logged(TransactionVerdict verdict, gpointer user_data)
{
    g_assert_cmpint(verdict, ==, TRANSACTION_LOGGED);
    gate_leave(user_data);
}

/* --- kinds of work --- */

static gpointer write_journal(gpointer data)
{
    const Work *work = data;
    g_autofree guint8 *bytes = g_malloc0(RECORD_BYTES);
    Gate gate = {.waiting = 0};
    for (guint i = 0; i < work->n_batches; i++) {
        for (guint j = 0; j < BATCH; j++) {
            gate_enter(&gate, BATCH);
            journal_append(work->fixture->logboek->journal, 100, bytes, RECORD_BYTES, on_written, &gate);
        }
        gate_empty(&gate);
    }
    return NULL;
}

static gpointer append_records(gpointer data)
{
    const Work *work = data;
    g_autoptr(GError) error = NULL;
    g_autoptr(json_t) attributes =
        json_pack("{s[ssss]}", "nl.fundament.data_categories", "naam", "geboorte", "adres", "partners");
    for (guint i = 0; i < work->n_batches; i++) {
        LogboekRecord records[BATCH];
        for (guint j = 0; j < BATCH; j++) {
            records[j] = fixture_record(work->fixture, work->thread, i * BATCH + j);
            records[j].attributes = attributes;
        }
        logboek_append(work->fixture->logboek, records, BATCH, &error);
        g_assert_no_error(error);
    }
    return NULL;
}

static char *otlp_body(const Fixture *fixture, guint thread, guint batch)
{
    GString *body =
        g_string_new("{\"resourceSpans\":[{\"resource\":{\"attributes\":[{\"key\":\"service.name\",\"value\":"
                     "{\"stringValue\":\"toeslag\"}}]},\"scopeSpans\":[{\"spans\":[");
    gint64 now_ns = clock_now_us(&fixture->clock) * 1000;
    for (guint i = 0; i < BATCH; i++)
        g_string_append_printf(
            body,
            "%s{\"traceId\":\"%024x%08x\",\"spanId\":\"%016x\",\"name\":\"Toeslag "
            "berekenen\",\"kind\":1,\"startTimeUnixNano\":"
            "\"%" G_GINT64_FORMAT "\",\"endTimeUnixNano\":\"%" G_GINT64_FORMAT
            "\",\"attributes\":[{\"key\":\"dpl.core.processing_activity_id\",\"value\":{\"stringValue\":"
            "\"toeslag\"}},"
            "{\"key\":\"dpl.core.data_subject_id\",\"value\":{\"stringValue\":\"" SAMPLE_BSN "\"}},"
            "{\"key\":\"dpl.core.data_subject_id_type\",\"value\":{\"stringValue\":\"BSN\"}}],\"status\":{}}",
            i == 0 ? "" : ",", 0xabcu, thread + 1, batch * BATCH + i + 1, now_ns - 5000000, now_ns);
    g_string_append(body, "]}]}]}");
    return g_string_free(body, FALSE);
}

static gpointer ingest_otlp(gpointer data)
{
    const Work *work = data;
    const Logboek *logboek = work->fixture->logboek;
    g_autoptr(GError) error = NULL;
    for (guint i = 0; i < work->n_batches; i++) {
        const char *body = work->bodies->pdata[i];
        g_autoptr(GPtrArray) spans = otlp_parse_json(body, strlen(body), NULL, &error);
        g_assert_no_error(error);
        g_autoptr(GPtrArray) encoded = g_ptr_array_new_with_free_func((GDestroyNotify)g_bytes_unref);
        RecordOutcome outcomes[BATCH];
        for (guint j = 0; j < spans->len; j++) {
            g_autoptr(Record) record = record_from_span(spans->pdata[j], node_pseudonymizer(logboek->node),
                                                        logboek->register_base, &error);
            g_assert_no_error(error);
            g_ptr_array_add(encoded, record_encode(&record->fields, &error));
        }
        records_append(logboek->records, (GBytes *const *)encoded->pdata, encoded->len, outcomes, &error);
        g_assert_no_error(error);
    }
    return NULL;
}

static gpointer log_transactions(gpointer data)
{
    const Work *work = data;
    Gate gate = {.waiting = 0};
    for (guint i = 0; i < work->n_batches * BATCH; i++) {
        char id[UUID_TEXT_SIZE];
        LogboekTransaction transaction = fixture_transaction(work->fixture, id);
        gate_enter(&gate, ON_THEIR_WAY);
        logboek_append_transaction(work->fixture->logboek, &transaction, on_logged, &gate);
    }
    gate_empty(&gate);
    return NULL;
}

static gpointer write_transactions_journal(gpointer data)
{
    const Work *work = data;
    Gate gate = {.waiting = 0};
    for (guint i = 0; i < work->n_batches * BATCH; i++) {
        char id[UUID_TEXT_SIZE];
        LogboekTransaction transaction = fixture_transaction(work->fixture, id);
        g_autoptr(GByteArray) bytes = transaction_encode(&transaction, FALSE);
        gate_enter(&gate, ON_THEIR_WAY);
        journal_append(work->fixture->logboek->journal, KIND_TRANSACTION, bytes->data, bytes->len, on_written,
                       &gate);
    }
    gate_empty(&gate);
    return NULL;
}

static const struct {
    const char *name;
    GThreadFunc work;
    guint threads, batches; /* batches a thread */
} KINDS[] = {
    {"journal", write_journal, THREADS, 500},
    {"append", append_records, THREADS, 500},
    {"otlp", ingest_otlp, THREADS, 250},
    {"transactions-journal", write_transactions_journal, 1, 2000},
    {"transactions", log_transactions, 1, 2000},
    {"index", append_records, THREADS, 100},
};

static double run(Fixture *fixture, gsize kind)
{
    GThread *threads[THREADS];
    Work works[THREADS];
    for (guint i = 0; i < KINDS[kind].threads; i++) {
        works[i] = (Work){fixture, i, KINDS[kind].batches, g_ptr_array_new_with_free_func(g_free)};
        for (guint j = 0; KINDS[kind].work == ingest_otlp && j < works[i].n_batches; j++)
            g_ptr_array_add(works[i].bodies, otlp_body(fixture, i, j));
    }
    gint64 begin = g_get_monotonic_time();
    for (guint i = 0; i < KINDS[kind].threads; i++)
        threads[i] = g_thread_new("bench", KINDS[kind].work, &works[i]);
    for (guint i = 0; i < KINDS[kind].threads; i++)
        g_thread_join(threads[i]);
    if (strcmp(KINDS[kind].name, "index") == 0)
        while (!indexer_wait(fixture->logboek->indexer, journal_last(fixture->logboek->journal), 1000))
            ;
    double seconds = (double)(g_get_monotonic_time() - begin) / G_USEC_PER_SEC;
    for (guint i = 0; i < KINDS[kind].threads; i++)
        g_ptr_array_unref(works[i].bodies);
    return KINDS[kind].threads * (double)KINDS[kind].batches * BATCH / seconds;
}

int main(int argc, char **argv)
{
    for (gsize i = 0; argc == 2 && i < G_N_ELEMENTS(KINDS); i++) {
        if (strcmp(KINDS[i].name, argv[1]) != 0)
            continue;
        Fixture *fixture = fixture_new(FALSE, FALSE, NULL);
        printf("%.0f\n", run(fixture, i));
        fixture_free(fixture);
        return 0;
    }
    fprintf(stderr, "usage: bench-logboek journal|append|otlp|transactions-journal|transactions|index\n");
    return 2;
}
