#include "components/logboek/decisions.h"

#include "components/logboek/batch.h"
#include "components/logboek/journal_kinds.h"
#include "core/base/error.h"
#include "core/format/json.h"

/* Keys in one generation of memory before the one that SQL knows already is given back. */
#define GENERATION_KEYS 10000

struct decisions {
    Store *store;
    Journal *journal;
    Indexer *indexer;
    GMutex mutex;
    KeyTable *recent, *older;
    KeyWaiters *waiters;
    guint64 counts[DECISION_OUTCOME_COUNT];
};

typedef struct {
    Batch *batch;
    guint8 key[KEY_SIZE];
} Journey;

typedef struct {
    guint8 key[KEY_SIZE];
    guint64 digest;
    gboolean in_sql, same_in_sql;
    Journey *journey; /* NULL: nothing to append */
} Candidate;

Decisions *decisions_new(Store *store, Journal *journal)
{
    Decisions *decisions = g_new0(Decisions, 1);
    decisions->store = store;
    decisions->journal = journal;
    g_mutex_init(&decisions->mutex);
    decisions->recent = key_table_new();
    decisions->older = key_table_new();
    decisions->waiters = key_waiters_new();
    return decisions;
}

void decisions_free(Decisions *decisions)
{
    if (decisions == NULL)
        return;
    key_table_free(decisions->recent);
    key_table_free(decisions->older);
    key_waiters_free(decisions->waiters);
    g_mutex_clear(&decisions->mutex);
    g_free(decisions);
}

void decisions_set_indexer(Decisions *decisions, Indexer *indexer)
{
    g_mutex_lock(&decisions->mutex);
    decisions->indexer = indexer;
    g_mutex_unlock(&decisions->mutex);
}

/* --- the end of a record's way --- */

static void on_journal(guint64 sequence, const GError *error, gpointer user_data)
{
    Journey *journey = user_data;
    Decisions *decisions = journey->batch->owner;
    guint64 place = error == NULL ? sequence : 0;
    g_mutex_lock(&decisions->mutex);
    if (!key_table_settle(decisions->recent, journey->key, place))
        key_table_settle(decisions->older, journey->key, place);
    GArray *waiters = key_waiters_take(decisions->waiters, journey->key);
    g_mutex_unlock(&decisions->mutex);
    key_waiters_tell(waiters, error == NULL);
    batch_settle(journey->batch, error);
    g_free(journey);
}

/* --- what is known of a record --- */

static gboolean ask_sql(Db *db, Candidate *candidate, GError **error)
{
    g_autoptr(Rows) rows = db_query(db, error, "SELECT digest FROM logboek_decisions WHERE decision_key = ?1",
                                    value_blob(candidate->key, KEY_SIZE));
    if (rows == NULL)
        return FALSE;
    candidate->in_sql = rows_next(rows);
    candidate->same_in_sql = candidate->in_sql && (guint64)rows_integer(rows, 0) == candidate->digest;
    return TRUE;
}

static gboolean prepare(Decisions *decisions, GBytes *const *canonical, Candidate *candidates, gsize n,
                        GError **error)
{
    g_autoptr(Db) db = store_take(decisions->store, error);
    for (gsize i = 0; db != NULL && i < n; i++) {
        gsize length;
        const guint8 *data = g_bytes_get_data(canonical[i], &length);
        g_autoptr(json_t) record = json_parse_strict((const char *)data, (gssize)length, NULL, error);
        if (record == NULL)
            return FALSE;
        decision_key(record, candidates[i].key);
        candidates[i].digest = decision_digest(data, length);
        if (!ask_sql(db, &candidates[i], error))
            return FALSE;
    }
    return db != NULL;
}

/* --- decisions, all under the lock --- */

static const KeyEntry *find(const Decisions *decisions, const guint8 key[KEY_SIZE])
{
    const KeyEntry *entry = key_table_find(decisions->recent, key);
    return entry != NULL ? entry : key_table_find(decisions->older, key);
}

static void turn_generations(Decisions *decisions)
{
    if (decisions->indexer == NULL || key_table_count(decisions->recent) < GENERATION_KEYS ||
        key_table_pending(decisions->older) > 0 ||
        key_table_highest(decisions->older) > indexer_position(decisions->indexer))
        return;
    key_table_free(decisions->older);
    decisions->older = decisions->recent;
    decisions->recent = key_table_new();
}

static DecisionOutcome decide(Decisions *decisions, Batch *batch, Candidate *candidate)
{
    const KeyEntry *entry = find(decisions, candidate->key);
    if (entry == NULL && !candidate->in_sql) {
        key_table_put(decisions->recent, candidate->key, candidate->digest, KEY_PENDING);
        candidate->journey = g_new(Journey, 1);
        candidate->journey->batch = batch;
        memcpy(candidate->journey->key, candidate->key, KEY_SIZE);
        batch->waiting++;
        return DECISION_STORED;
    }
    if (entry != NULL ? entry->digest != candidate->digest : !candidate->same_in_sql)
        return DECISION_CONFLICT;
    if (entry != NULL && entry->sequence == KEY_PENDING) {
        batch->waiting++;
        key_waiters_add(decisions->waiters, entry->key, batch_other_settled, batch);
    }
    return DECISION_REPEATED;
}

static void append(Decisions *decisions, GBytes *canonical, Journey *journey)
{
    static const guint8 envelope[RECORD_ENVELOPE_SIZE] = {1, 0, 0, 0};
    g_autoptr(GByteArray) bytes = g_byte_array_new();
    g_byte_array_append(bytes, envelope, sizeof envelope);
    g_byte_array_append(bytes, g_bytes_get_data(canonical, NULL), (guint)g_bytes_get_size(canonical));
    journal_append(decisions->journal, KIND_DECISION, bytes->data, bytes->len, on_journal, journey);
}

gboolean decisions_append(Decisions *decisions, GBytes *const *canonical, gsize n, DecisionOutcome *outcomes,
                          GError **error)
{
    g_autofree Candidate *candidates = g_new0(Candidate, n);
    if (!prepare(decisions, canonical, candidates, n, error))
        return FALSE;
    Batch batch;
    batch_init(&batch, decisions);
    g_mutex_lock(&decisions->mutex);
    turn_generations(decisions);
    g_mutex_lock(&batch.mutex);
    for (gsize i = 0; i < n; i++)
        outcomes[i] = decide(decisions, &batch, &candidates[i]);
    g_mutex_unlock(&batch.mutex);
    g_mutex_unlock(&decisions->mutex);
    for (gsize i = 0; i < n; i++)
        if (candidates[i].journey != NULL)
            append(decisions, canonical[i], candidates[i].journey);
    if (!batch_wait(&batch, "decision log: ", error))
        return FALSE;
    g_mutex_lock(&decisions->mutex);
    for (gsize i = 0; i < n; i++)
        decisions->counts[outcomes[i]]++;
    g_mutex_unlock(&decisions->mutex);
    return TRUE;
}

void decisions_count(Decisions *decisions, guint64 counts[DECISION_OUTCOME_COUNT])
{
    g_mutex_lock(&decisions->mutex);
    memcpy(counts, decisions->counts, sizeof decisions->counts);
    g_mutex_unlock(&decisions->mutex);
}

/* --- what the journal holds --- */

static json_t *record_of(const JournalRecord *entry)
{
    return entry->length < RECORD_ENVELOPE_SIZE ? NULL
                                                : decision_decode(entry->data + RECORD_ENVELOPE_SIZE,
                                                                  entry->length - RECORD_ENVELOPE_SIZE, NULL);
}

void decisions_remember(Decisions *decisions, const JournalRecord *entry)
{
    guint8 key[KEY_SIZE];
    g_autoptr(json_t) record = record_of(entry);
    if (record == NULL)
        return;
    decision_key(record, key);
    guint64 digest =
        decision_digest(entry->data + RECORD_ENVELOPE_SIZE, entry->length - RECORD_ENVELOPE_SIZE);
    g_mutex_lock(&decisions->mutex);
    if (find(decisions, key) == NULL)
        key_table_put(decisions->recent, key, digest, entry->sequence);
    g_mutex_unlock(&decisions->mutex);
}

/* Editions are text as they are, anything else canonical JSON. */
static gboolean index_policies(Db *db, guint32 shard, guint64 sequence, const json_t *policies,
                               GError **error)
{
    const char *source;
    json_t *edition;
    json_object_foreach((json_t *)policies, source, edition)
    {
        g_autofree char *text =
            json_is_string(edition) ? g_strdup(json_string_value(edition)) : json_write(edition);
        if (!db_run(db, error,
                    "INSERT INTO logboek_decision_policies (shard, sequence, source, edition) VALUES (?1, "
                    "?2, ?3, "
                    "?4) ON CONFLICT DO NOTHING",
                    value_integer(shard), value_integer((gint64)sequence), value_text(source),
                    value_text(text)))
            return FALSE;
    }
    return TRUE;
}

gboolean decisions_index(Db *db, guint32 shard, const JournalRecord *entry, GError **error)
{
    guint8 key[KEY_SIZE];
    const guint8 *data = entry->data + RECORD_ENVELOPE_SIZE;
    gsize length = entry->length - RECORD_ENVELOPE_SIZE;
    g_autoptr(json_t) record = record_of(entry);
    if (record == NULL) {
        g_critical("logboek: journal record %" G_GUINT64_FORMAT " is no decision record and has no index",
                   entry->sequence);
        return TRUE;
    }
    decision_key(record, key);
    /* The same again around a restart is one record: the key decides. */
    return db_run(db, error,
                  "INSERT INTO logboek_decisions (shard, sequence, decision_key, digest, trace_id, span_id, "
                  "timestamp_ms, event_name, decision, rule, transaction_id, record) VALUES (?1, ?2, ?3, ?4, "
                  "?5, ?6, "
                  "?7, ?8, ?9, ?10, ?11, ?12) ON CONFLICT DO NOTHING",
                  value_integer(shard), value_integer((gint64)entry->sequence), value_blob(key, KEY_SIZE),
                  value_integer((gint64)decision_digest(data, length)),
                  value_text(json_string_at(record, "trace_id")),
                  value_text(json_string_at(record, "span_id")),
                  value_integer(json_integer_at(record, "timestamp")),
                  value_text(json_string_at(record, "event_name")), value_text(decision_word(record)),
                  value_text(decision_rule(record)), value_text(decision_transaction_id(record)),
                  value_blob(data, length)) &&
           (db_changes(db) == 0 ||
            index_policies(db, shard, entry->sequence,
                           json_object_get(json_object_get(record, "attributes"), "adl.core.policies"),
                           error));
}
