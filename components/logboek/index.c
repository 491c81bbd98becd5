#include "components/logboek/index.h"

#include "components/logboek/decisions.h"
#include "components/logboek/journal_kinds.h"
#include "components/logboek/transaction_ids.h"
#include "components/logboek/transaction_record.h"

#define BATCH_RECORDS 500   /* in one SQL transaction: others write in the same database */
#define BATCH_ENTRIES 20000 /* read in one SQL transaction: most have no row of their own */
#define GATHER_MS                                                                                            \
    250 /* between two SQL transactions when nobody waits for one: each costs the disk two syncs */
#define RECENT_BLOCKS 16
#define IDLE_MS 500
#define RETRY_MS 1000

struct indexer {
    Store *store;
    Journal *journal;
    guint32 shard;
    Records *records;
    Transactions *transactions;
    GThread *thread;
    GMutex mutex;
    GCond changed;
    gboolean stopping;
    gboolean restart; /* wanted by indexer_restart() */
    GError *restart_error;
    guint64 position;
    guint64 passes;
    guint64 wanted; /* the highest position somebody waits for */
};

/* Transactions of one peer in one block. */
typedef struct {
    char *peer_id;
    gsize peer_length;
    gint64 block;
    gint64 first_created, last_created;
} Block;

/* One SQL transaction in the making. */
typedef struct {
    Indexer *indexer;
    Db *db;
    GHashTable *blocks;           /* "peer:block" -> Block */
    Block *recent[RECENT_BLOCKS]; /* those that were noted lately: mostly the next one is among them */
    guint n_rows, n_entries;
    guint64 last;
    GError *error;
} Pass;

static void block_free(gpointer data)
{
    Block *block = data;
    g_free(block->peer_id);
    g_free(block);
}

/* --- one record --- */

/* What cannot be read must not stop all that follows it. Nothing that this program writes comes here. */
static gboolean pass_over(const JournalRecord *entry)
{
    g_critical("logboek: journal record %" G_GUINT64_FORMAT " of kind %u cannot be read and has no index",
               entry->sequence, entry->kind);
    return TRUE;
}

static gboolean index_record(Pass *pass, const JournalRecord *entry, GError **error)
{
    RecordParts parts;
    pass->n_rows++;
    const guint8 *data = entry->data + RECORD_ENVELOPE_SIZE;
    gsize length = entry->length - RECORD_ENVELOPE_SIZE;
    if (entry->length < RECORD_ENVELOPE_SIZE || !record_split(data, length, &parts, NULL))
        return pass_over(entry);
    const WireField *fields = parts.fields;
    RecordKey key = record_parts_key(&parts);
    g_autofree char *subject =
        g_strndup((const char *)fields[FIELD_DATA_SUBJECT_ID].data, fields[FIELD_DATA_SUBJECT_ID].length);
    g_autofree char *activity = g_strndup((const char *)fields[FIELD_PROCESSING_ACTIVITY_ID].data,
                                          fields[FIELD_PROCESSING_ACTIVITY_ID].length);
    /* The same content again (sent twice around a restart) is one record; other content under a key is kept
     * and flagged. */
    return db_run(
        pass->db, error,
        "INSERT INTO logboek_records (shard, sequence, record_key, digest, flagged, trace_id, "
        "data_subject_id, "
        "processing_activity_id, start_ms, record) VALUES (?1, ?2, ?3, ?4, CASE WHEN EXISTS (SELECT 1 FROM "
        "logboek_records WHERE record_key = ?3) THEN 1 ELSE 0 END, ?5, ?6, ?7, ?8, ?9) ON CONFLICT DO "
        "NOTHING",
        value_integer(pass->indexer->shard), value_integer((gint64)entry->sequence),
        value_blob(key.bytes, sizeof key.bytes), value_integer((gint64)record_digest(data, length)),
        value_blob(fields[FIELD_TRACE_ID].data, fields[FIELD_TRACE_ID].length),
        value_text(subject[0] == '\0' ? NULL : subject), value_text(activity[0] == '\0' ? NULL : activity),
        value_integer((gint64)wire_get_u64(fields[FIELD_START_TIME].data)), value_blob(data, length));
}

static Block *find_block(Pass *pass, const WireField *peer, gint64 number, gint64 created_at)
{
    g_autofree char *name =
        g_strdup_printf("%" G_GINT64_FORMAT ":%.*s", number, (int)peer->length, (const char *)peer->data);
    Block *block = g_hash_table_lookup(pass->blocks, name);
    if (block == NULL) {
        block = g_new(Block, 1);
        *block = (Block){.peer_id = g_strndup((const char *)peer->data, peer->length),
                         .peer_length = peer->length,
                         .block = number,
                         .first_created = created_at,
                         .last_created = created_at};
        g_hash_table_insert(pass->blocks, g_steal_pointer(&name), block);
    }
    return block;
}

static void note_block(Pass *pass, const WireField *peer, guint64 sequence, gint64 created_at)
{
    if (peer->length == 0)
        return;
    gint64 number = (gint64)(sequence / INDEX_BLOCK);
    Block **recent = &pass->recent[peer->data[peer->length - 1] % RECENT_BLOCKS];
    if (*recent == NULL || (*recent)->block != number || (*recent)->peer_length != peer->length ||
        memcmp((*recent)->peer_id, peer->data, peer->length) != 0)
        *recent = find_block(pass, peer, number, created_at);
    (*recent)->first_created = MIN((*recent)->first_created, created_at);
    (*recent)->last_created = MAX((*recent)->last_created, created_at);
}

static gboolean index_transaction(Pass *pass, const JournalRecord *entry, GError **error)
{
    static const TransactionField PEERS[] = {TRANSACTION_OUTWAY_PEER, TRANSACTION_OUTWAY_DELEGATOR,
                                             TRANSACTION_SERVICE_PEER, TRANSACTION_SERVICE_DELEGATOR};
    TransactionParts parts;
    if (!transaction_split(entry->data, entry->length, &parts))
        return pass_over(entry);
    for (gsize i = 0; i < G_N_ELEMENTS(PEERS); i++)
        note_block(pass, &parts.fields[PEERS[i]], entry->sequence, parts.created_at);
    if ((parts.flags & TRANSACTION_LATE) == 0)
        return TRUE;
    pass->n_rows++;
    KeyEntry late = {.digest = transaction_digest(entry->data, entry->length), .sequence = entry->sequence};
    memcpy(late.key, parts.key, KEY_SIZE);
    return transaction_ids_put_late(pass->db, pass->indexer->shard, &late, error);
}

static gboolean write_block(Pass *pass, const Block *block, GError **error)
{
    return db_run(
        pass->db, error,
        "INSERT INTO logboek_transaction_blocks (peer_id, shard, block, first_created, last_created) VALUES "
        "(?1, ?2, ?3, ?4, ?5) ON CONFLICT (peer_id, shard, block) DO UPDATE SET first_created = CASE WHEN "
        "excluded.first_created < logboek_transaction_blocks.first_created THEN excluded.first_created ELSE "
        "logboek_transaction_blocks.first_created END, last_created = CASE WHEN excluded.last_created > "
        "logboek_transaction_blocks.last_created THEN excluded.last_created ELSE "
        "logboek_transaction_blocks.last_created END",
        value_text(block->peer_id), value_integer(pass->indexer->shard), value_integer(block->block),
        value_integer(block->first_created), value_integer(block->last_created));
}

/* Outcomes, and kinds of later versions, have no index. */
static gboolean index_entry(const JournalRecord *entry, gpointer user_data)
{
    Pass *pass = user_data;
    gboolean good = entry->kind == KIND_RECORD        ? index_record(pass, entry, &pass->error)
                    : entry->kind == KIND_TRANSACTION ? index_transaction(pass, entry, &pass->error)
                    : entry->kind == KIND_DECISION
                        ? decisions_index(pass->db, pass->indexer->shard, entry, &pass->error)
                        : TRUE;
    if (!good)
        return FALSE;
    pass->last = entry->sequence;
    return pass->n_rows < BATCH_RECORDS && ++pass->n_entries < BATCH_ENTRIES;
}

/* --- one SQL transaction --- */

static gboolean run_pass(Pass *pass, guint64 from, GError **error)
{
    Indexer *indexer = pass->indexer;
    GHashTableIter iter;
    gpointer block;
    if (!db_begin(pass->db, error) || !journal_read(indexer->journal, from, index_entry, pass, error))
        return FALSE;
    if (pass->error != NULL) {
        g_propagate_error(error, pass->error);
        return FALSE;
    }
    g_hash_table_iter_init(&iter, pass->blocks);
    while (g_hash_table_iter_next(&iter, NULL, &block))
        if (!write_block(pass, block, error))
            return FALSE;
    return db_run(pass->db, error, "UPDATE logboek_position SET sequence = ?2 WHERE shard = ?1",
                  value_integer(indexer->shard), value_integer((gint64)pass->last)) &&
           db_commit(pass->db, error);
}

static void set_position(Indexer *indexer, guint64 position)
{
    g_mutex_lock(&indexer->mutex);
    indexer->position = position;
    indexer->passes++;
    g_cond_broadcast(&indexer->changed);
    g_mutex_unlock(&indexer->mutex);
    records_indexed(indexer->records, position);
    transactions_indexed(indexer->transactions, position);
}

static gboolean index_some(Indexer *indexer, guint64 position, gboolean *full, GError **error)
{
    g_autoptr(Db) db = store_take(indexer->store, error);
    if (db == NULL)
        return FALSE;
    g_autoptr(GHashTable) blocks = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, block_free);
    Pass pass = {.indexer = indexer, .db = db, .blocks = blocks, .last = position};
    if (!run_pass(&pass, position + 1, error))
        return FALSE; /* db_release() rolls back */
    *full = pass.n_rows >= BATCH_RECORDS || pass.n_entries >= BATCH_ENTRIES;
    set_position(indexer, pass.last);
    return TRUE;
}

/* --- the thread --- */

static gboolean empty_tables(Indexer *indexer, GError **error)
{
    static const char *const STATEMENTS[] = {
        "DELETE FROM logboek_records WHERE shard = ?1",
        "DELETE FROM logboek_transaction_blocks WHERE shard = ?1",
        "DELETE FROM logboek_decisions WHERE shard = ?1",
        "DELETE FROM logboek_decision_policies WHERE shard = ?1",
        "UPDATE logboek_position SET sequence = 0 WHERE shard = ?1",
    };
    g_autoptr(Db) db = store_take(indexer->store, error);
    if (db == NULL || !db_begin(db, error))
        return FALSE;
    for (gsize i = 0; i < G_N_ELEMENTS(STATEMENTS); i++)
        if (!db_run(db, error, STATEMENTS[i], value_integer(indexer->shard)))
            return FALSE;
    return db_commit(db, error);
}

static void answer_restart(Indexer *indexer)
{
    g_autoptr(GError) error = NULL;
    if (empty_tables(indexer, &error))
        set_position(indexer, 0);
    g_mutex_lock(&indexer->mutex);
    indexer->restart = FALSE;
    indexer->restart_error = g_steal_pointer(&error);
    g_cond_broadcast(&indexer->changed);
    g_mutex_unlock(&indexer->mutex);
}

/* After a fault: waits, so that a database that is away is not asked all the time. FALSE when the thread has
 * to end. */
static gboolean pause_a_while(Indexer *indexer, gint64 ms, gboolean *restart)
{
    gint64 until = g_get_monotonic_time() + ms * 1000;
    g_mutex_lock(&indexer->mutex);
    while (!indexer->stopping && !indexer->restart &&
           g_cond_wait_until(&indexer->changed, &indexer->mutex, until))
        ;
    gboolean go_on = !indexer->stopping;
    *restart = indexer->restart;
    g_mutex_unlock(&indexer->mutex);
    return go_on;
}

/* A pass is put off while more arrives, unless somebody waits for it. */
static void gather(Indexer *indexer, guint64 position, gint64 until)
{
    g_mutex_lock(&indexer->mutex);
    while (!indexer->stopping && !indexer->restart && indexer->wanted <= position &&
           g_cond_wait_until(&indexer->changed, &indexer->mutex, until))
        ;
    g_mutex_unlock(&indexer->mutex);
}

static gpointer index_thread(gpointer data)
{
    Indexer *indexer = data;
    gboolean failing = FALSE, restart = FALSE;
    gint64 next_us = 0;
    while (pause_a_while(indexer, failing ? RETRY_MS : 0, &restart)) {
        g_autoptr(GError) error = NULL;
        if (restart)
            answer_restart(indexer);
        guint64 position = indexer_position(indexer);
        gboolean good = transactions_seal(indexer->transactions, &error);
        if (good && journal_wait(indexer->journal, position, IDLE_MS) > position) {
            gboolean full = FALSE;
            gather(indexer, position, next_us);
            good = index_some(indexer, position, &full, &error);
            next_us = full ? 0 : g_get_monotonic_time() + GATHER_MS * G_TIME_SPAN_MILLISECOND;
        }
        if (!good && !failing)
            g_warning("logboek: the index stands still at %" G_GUINT64_FORMAT " and will try again: %s",
                      position, error->message);
        failing = !good;
    }
    return NULL;
}

Indexer *indexer_start(Store *store, Journal *journal, guint32 shard, guint64 position, Records *records,
                       Transactions *transactions)
{
    Indexer *indexer = g_new0(Indexer, 1);
    indexer->store = store;
    indexer->journal = journal;
    indexer->shard = shard;
    indexer->records = records;
    indexer->transactions = transactions;
    indexer->position = position;
    g_mutex_init(&indexer->mutex);
    g_cond_init(&indexer->changed);
    indexer->thread = g_thread_new("logboek-index", index_thread, indexer);
    return indexer;
}

void indexer_stop(Indexer *indexer)
{
    if (indexer == NULL)
        return;
    g_mutex_lock(&indexer->mutex);
    indexer->stopping = TRUE;
    g_cond_broadcast(&indexer->changed);
    g_mutex_unlock(&indexer->mutex);
    g_thread_join(indexer->thread);
    g_mutex_clear(&indexer->mutex);
    g_cond_clear(&indexer->changed);
    g_clear_error(&indexer->restart_error);
    g_free(indexer);
}

guint64 indexer_position(Indexer *indexer)
{
    g_mutex_lock(&indexer->mutex);
    guint64 position = indexer->position;
    g_mutex_unlock(&indexer->mutex);
    return position;
}

guint64 indexer_passes(Indexer *indexer)
{
    g_mutex_lock(&indexer->mutex);
    guint64 passes = indexer->passes;
    g_mutex_unlock(&indexer->mutex);
    return passes;
}

gboolean indexer_wait(Indexer *indexer, guint64 sequence, guint timeout_ms)
{
    gint64 until = g_get_monotonic_time() + timeout_ms * (gint64)1000;
    g_mutex_lock(&indexer->mutex);
    indexer->wanted = MAX(indexer->wanted, sequence);
    g_cond_broadcast(&indexer->changed);
    while (indexer->position < sequence && g_cond_wait_until(&indexer->changed, &indexer->mutex, until))
        ;
    gboolean reached = indexer->position >= sequence;
    g_mutex_unlock(&indexer->mutex);
    return reached;
}

gboolean indexer_restart(Indexer *indexer, GError **error)
{
    g_mutex_lock(&indexer->mutex);
    indexer->restart = TRUE;
    g_cond_broadcast(&indexer->changed);
    while (indexer->restart && !indexer->stopping)
        g_cond_wait(&indexer->changed, &indexer->mutex);
    GError *fault = g_steal_pointer(&indexer->restart_error);
    g_mutex_unlock(&indexer->mutex);
    if (fault == NULL)
        return TRUE;
    g_propagate_error(error, fault);
    return FALSE;
}
