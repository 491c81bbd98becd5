#include "components/logboek/transactions.h"

#include "components/logboek/journal_kinds.h"
#include "components/logboek/transaction_ids.h"
#include "components/logboek/transaction_record.h"
#include "core/base/error.h"
#include "core/base/identifiers.h"

#define WINDOW_MINUTES 5
#define KEYS_MAX 8000000 /* in memory: over five minutes of 20,000 a second, some 350 MB */
#define NOTE_EVERY_MINUTES 10
#define LATE_QUEUE_MAX 10000 /* look-ups that wait; more are refused */
#define LATE_KEYS_MAX 1000
#define LATE_KEYS_BOUND 1000000 /* nobody needs a million ids of the future */

/* The ids of one minute. */
typedef struct {
    gint64 minute;
    KeyTable *keys;
} Bucket;

struct transactions {
    Store *store;
    Journal *journal;
    const Clock *clock;
    guint32 shard;
    GThreadPool *late_pool; /* one thread */
    gint stopping;
    void (*batch_done)(gpointer user_data);
    gpointer batch_done_data;

    GMutex sealing; /* one at a time seals; also for the next */
    gint64 noted_minute;
    GMutex mutex;
    GPtrArray *buckets;  /* of Bucket, in the order of their minutes */
    gint64 open_minute;  /* ids of earlier minutes are late */
    KeyTable *late;      /* late ids that SQL may not know yet, and those that came before their time */
    guint late_keys_max; /* before those that SQL knows are let go */
    KeyWaiters *waiters;
    TransactionCounts counts;
};

/* One record on its way. */
typedef struct {
    Transactions *transactions;
    TransactionDone done;
    gpointer user_data;
    guint8 key[KEY_SIZE];
    guint64 digest;
    GByteArray *late; /* for the late thread: the record */
} Journey;

static void bucket_free(gpointer data)
{
    Bucket *bucket = data;
    key_table_free(bucket->keys);
    g_free(bucket);
}

static gint64 minute_now(const Transactions *transactions)
{
    return clock_now_s(transactions->clock) / 60;
}

static Bucket *bucket_find(const Transactions *transactions, gint64 minute)
{
    for (guint i = transactions->buckets->len; i > 0; i--) {
        Bucket *bucket = transactions->buckets->pdata[i - 1];
        if (bucket->minute == minute)
            return bucket;
    }
    return NULL;
}

static Bucket *bucket_get(Transactions *transactions, gint64 minute)
{
    Bucket *bucket = bucket_find(transactions, minute);
    if (bucket != NULL)
        return bucket;
    guint at = transactions->buckets->len;
    while (at > 0 && ((Bucket *)transactions->buckets->pdata[at - 1])->minute > minute)
        at--;
    bucket = g_new0(Bucket, 1);
    bucket->minute = minute;
    bucket->keys = key_table_new();
    g_ptr_array_insert(transactions->buckets, (gint)at, bucket);
    return bucket;
}

static guint64 keys_in_memory(const Transactions *transactions)
{
    guint64 count = key_table_count(transactions->late);
    for (guint i = 0; i < transactions->buckets->len; i++)
        count += key_table_count(((Bucket *)transactions->buckets->pdata[i])->keys);
    return count;
}

/* --- answers --- */

static void count_verdict(Transactions *transactions, TransactionVerdict verdict, gboolean repeated)
{
    TransactionCounts *counts = &transactions->counts;
    guint64 *counter = verdict == TRANSACTION_REPLAYED ? &counts->replayed
                       : verdict == TRANSACTION_FAILED ? &counts->failed
                       : repeated                      ? &counts->repeated
                                                       : &counts->logged;
    (*counter)++;
}

static void finish(Journey *journey, TransactionVerdict verdict)
{
    journey->done(verdict, journey->user_data);
    g_clear_pointer(&journey->late, g_byte_array_unref);
    g_free(journey);
}

static void on_other_settled(gboolean logged, gpointer user_data)
{
    finish(user_data, logged ? TRANSACTION_LOGGED : TRANSACTION_FAILED);
}

static void on_journal(guint64 sequence, const GError *error, gpointer user_data)
{
    Journey *journey = user_data;
    Transactions *transactions = journey->transactions;
    guint64 place = error == NULL ? sequence : 0;
    g_mutex_lock(&transactions->mutex);
    Bucket *bucket = bucket_find(transactions, transaction_minute(journey->key));
    if (bucket == NULL || !key_table_settle(bucket->keys, journey->key, place))
        key_table_settle(transactions->late, journey->key, place);
    GArray *waiters = key_waiters_take(transactions->waiters, journey->key);
    count_verdict(transactions, error == NULL ? TRANSACTION_LOGGED : TRANSACTION_FAILED, FALSE);
    g_mutex_unlock(&transactions->mutex);
    key_waiters_tell(waiters, error == NULL);
    finish(journey, error == NULL ? TRANSACTION_LOGGED : TRANSACTION_FAILED);
}

typedef enum { ANSWER_NOW, ANSWER_WAITS, ANSWER_APPEND } Answer;

/* Under the lock: what an entry in memory says of a record. */
static Answer answer_from(Transactions *transactions, const KeyEntry *entry, Journey *journey,
                          TransactionVerdict *verdict)
{
    *verdict = entry->digest == journey->digest ? TRANSACTION_LOGGED : TRANSACTION_REPLAYED;
    count_verdict(transactions, *verdict, TRUE);
    if (entry->sequence != KEY_PENDING || *verdict == TRANSACTION_REPLAYED)
        return ANSWER_NOW;
    key_waiters_add(transactions->waiters, journey->key, on_other_settled, journey);
    return ANSWER_WAITS;
}

/* Under the lock. `bucket` is that of the id's minute, or NULL. */
static const KeyEntry *find_in_memory(const Transactions *transactions, const Bucket *bucket,
                                      const guint8 key[KEY_SIZE])
{
    const KeyEntry *entry = bucket == NULL ? NULL : key_table_find(bucket->keys, key);
    return entry != NULL || key_table_count(transactions->late) == 0
               ? entry
               : key_table_find(transactions->late, key);
}

/* --- ids of now --- */

/* Under the lock. Time passes, so minutes become late; a clock that is set back opens none again. */
static gboolean is_late(Transactions *transactions, gint64 minute)
{
    gint64 now = minute_now(transactions);
    transactions->open_minute = MAX(transactions->open_minute, now - WINDOW_MINUTES);
    return minute < transactions->open_minute || minute > now + WINDOW_MINUTES;
}

static void append_late(Transactions *transactions, Journey *journey, GByteArray *encoded)
{
    if (g_atomic_int_get(&transactions->stopping) ||
        g_thread_pool_unprocessed(transactions->late_pool) >= LATE_QUEUE_MAX) {
        finish(journey, TRANSACTION_FAILED);
        return;
    }
    transaction_set_late(encoded);
    journey->late = g_byte_array_ref(encoded);
    g_thread_pool_push(transactions->late_pool, journey, NULL);
}

void transactions_append(Transactions *transactions, const LogboekTransaction *transaction,
                         TransactionDone done, gpointer user_data)
{
    TransactionParts parts;
    g_autoptr(GByteArray) encoded = transaction_encode(transaction, FALSE);
    if (encoded == NULL || !transaction_split(encoded->data, encoded->len, &parts)) {
        /* FSC Logging 1.1.0, 3.3.1.3: INVALID_LOG_RECORD_ID is also for an id of another shape. */
        done(uuid7_valid(transaction->transaction_id) ? TRANSACTION_FAILED : TRANSACTION_REPLAYED, user_data);
        return;
    }
    Journey *journey = g_new0(Journey, 1);
    *journey = (Journey){.transactions = transactions,
                         .done = done,
                         .user_data = user_data,
                         .digest = transaction_digest(encoded->data, encoded->len)};
    memcpy(journey->key, parts.key, KEY_SIZE);
    gint64 minute = transaction_minute(parts.key);
    TransactionVerdict verdict = TRANSACTION_FAILED;
    Answer answer = ANSWER_APPEND;
    g_mutex_lock(&transactions->mutex);
    gboolean late = is_late(transactions, minute);
    if (late) {
        transactions->counts.late++;
    } else {
        Bucket *bucket = bucket_get(transactions, minute);
        const KeyEntry *entry = find_in_memory(transactions, bucket, parts.key);
        if (entry != NULL)
            answer = answer_from(transactions, entry, journey, &verdict);
        else
            key_table_put(bucket->keys, parts.key, journey->digest, KEY_PENDING);
    }
    g_mutex_unlock(&transactions->mutex);
    if (late)
        append_late(transactions, journey, encoded);
    else if (answer == ANSWER_NOW)
        finish(journey, verdict);
    else if (answer == ANSWER_APPEND)
        journal_append(transactions->journal, KIND_TRANSACTION, encoded->data, encoded->len, on_journal,
                       journey);
}

/* --- late ids, on their own thread --- */

static Answer late_answer(Transactions *transactions, Journey *journey, TransactionVerdict *verdict)
{
    KeyEntry known = {.sequence = 0};
    g_autoptr(GError) error = NULL;
    g_mutex_lock(&transactions->mutex);
    /* The minute may be on its way to SQL. */
    Bucket *bucket = bucket_find(transactions, transaction_minute(journey->key));
    const KeyEntry *entry = find_in_memory(transactions, bucket, journey->key);
    Answer answer = entry == NULL ? ANSWER_APPEND : answer_from(transactions, entry, journey, verdict);
    g_mutex_unlock(&transactions->mutex);
    if (answer != ANSWER_APPEND)
        return answer;
    gboolean asked =
        transaction_ids_find(transactions->store, transactions->shard, journey->key, &known, &error);
    g_mutex_lock(&transactions->mutex);
    gboolean full = key_table_count(transactions->late) >= LATE_KEYS_BOUND;
    if (!asked || full || g_atomic_int_get(&transactions->stopping)) {
        *verdict = TRANSACTION_FAILED;
        count_verdict(transactions, *verdict, FALSE);
        answer = ANSWER_NOW;
    } else if (known.sequence != 0) {
        answer = answer_from(transactions, &known, journey, verdict);
    } else {
        key_table_put(transactions->late, journey->key, journey->digest, KEY_PENDING);
    }
    g_mutex_unlock(&transactions->mutex);
    if (error != NULL)
        g_warning("logboek: a late transaction was refused, its id could not be looked up: %s",
                  error->message);
    return answer;
}

static void late_thread(gpointer data, gpointer user_data)
{
    Transactions *transactions = user_data;
    Journey *journey = data;
    TransactionVerdict verdict = TRANSACTION_FAILED;
    Answer answer = late_answer(transactions, journey, &verdict);
    if (answer == ANSWER_APPEND) {
        GByteArray *record = journey->late;
        journal_append(transactions->journal, KIND_TRANSACTION, record->data, record->len, on_journal,
                       journey);
    } else if (answer == ANSWER_NOW) {
        finish(journey, verdict);
        if (transactions->batch_done != NULL)
            transactions->batch_done(transactions->batch_done_data);
    }
}

/* --- sealing --- */

/* Closes the oldest minute when it is past, or when memory is full, and gives its ids; NULL when there is
 * nothing to seal now. */
static GArray *next_to_seal(Transactions *transactions, gint64 *minute)
{
    GArray *sorted = NULL;
    g_mutex_lock(&transactions->mutex);
    gboolean full = keys_in_memory(transactions) > KEYS_MAX;
    if (transactions->buckets->len > 0) {
        Bucket *oldest = transactions->buckets->pdata[0];
        if (full || oldest->minute < minute_now(transactions) - WINDOW_MINUTES) {
            transactions->open_minute = MAX(transactions->open_minute, oldest->minute + 1);
            if (key_table_pending(oldest->keys) == 0) {
                *minute = oldest->minute;
                sorted = key_table_sorted(oldest->keys);
            }
        }
    }
    g_mutex_unlock(&transactions->mutex);
    return sorted;
}

/* Minutes without ids are sealed by noting it, now and then. */
static gboolean note_sealed(Transactions *transactions, GError **error)
{
    g_mutex_lock(&transactions->mutex);
    gint64 minute = minute_now(transactions) - WINDOW_MINUTES - 1;
    if (transactions->buckets->len > 0)
        minute = MIN(minute, ((Bucket *)transactions->buckets->pdata[0])->minute - 1);
    gboolean due = minute >= transactions->noted_minute + NOTE_EVERY_MINUTES;
    if (due)
        transactions->open_minute = MAX(transactions->open_minute, minute + 1);
    g_mutex_unlock(&transactions->mutex);
    if (!due)
        return TRUE;
    if (!transaction_ids_note_sealed(transactions->store, transactions->shard, minute, error))
        return FALSE;
    transactions->noted_minute = minute;
    return TRUE;
}

static gboolean seal_all(Transactions *transactions, GError **error)
{
    gint64 minute;
    for (;;) {
        g_autoptr(GArray) sorted = next_to_seal(transactions, &minute);
        if (sorted == NULL)
            return note_sealed(transactions, error);
        if (!transaction_ids_seal(transactions->store, transactions->shard, minute, sorted, error))
            return FALSE;
        g_mutex_lock(&transactions->mutex);
        g_ptr_array_remove_index(transactions->buckets, 0);
        g_mutex_unlock(&transactions->mutex);
    }
}

gboolean transactions_seal(Transactions *transactions, GError **error)
{
    g_mutex_lock(&transactions->sealing);
    gboolean sealed = seal_all(transactions, error);
    g_mutex_unlock(&transactions->sealing);
    return sealed;
}

/* --- the rest --- */

Transactions *transactions_new(Store *store, Journal *journal, const Clock *clock, guint32 shard,
                               gint64 sealed_minute)
{
    Transactions *transactions = g_new0(Transactions, 1);
    transactions->store = store;
    transactions->journal = journal;
    transactions->clock = clock;
    transactions->shard = shard;
    transactions->open_minute = sealed_minute + 1;
    transactions->noted_minute = sealed_minute;
    g_mutex_init(&transactions->sealing);
    g_mutex_init(&transactions->mutex);
    transactions->buckets = g_ptr_array_new_with_free_func(bucket_free);
    transactions->late = key_table_new();
    transactions->late_keys_max = LATE_KEYS_MAX;
    transactions->waiters = key_waiters_new();
    transactions->late_pool = g_thread_pool_new(late_thread, transactions, 1, TRUE, NULL);
    return transactions;
}

void transactions_stop(Transactions *transactions)
{
    g_atomic_int_set(&transactions->stopping, TRUE);
    g_thread_pool_free(g_steal_pointer(&transactions->late_pool), FALSE, TRUE);
}

void transactions_free(Transactions *transactions)
{
    if (transactions == NULL)
        return;
    if (transactions->late_pool != NULL)
        transactions_stop(transactions);
    g_ptr_array_unref(transactions->buckets);
    key_table_free(transactions->late);
    key_waiters_free(transactions->waiters);
    g_mutex_clear(&transactions->sealing);
    g_mutex_clear(&transactions->mutex);
    g_free(transactions);
}

void transactions_set_batch_done(Transactions *transactions, void (*batch_done)(gpointer user_data),
                                 gpointer user_data)
{
    transactions->batch_done_data = user_data;
    transactions->batch_done = batch_done;
}

void transactions_outcome(Transactions *transactions, const char *transaction_id, gboolean incoming,
                          gboolean sent, guint status, guint64 bytes)
{
    guint8 key[KEY_SIZE], out[OUTCOME_SIZE];
    if (!transaction_key(transaction_id, incoming, key))
        return;
    outcome_encode(key, sent, status, bytes, out);
    journal_append_later(transactions->journal, KIND_OUTCOME, out, sizeof out);
}

gboolean transactions_remember(Transactions *transactions, const JournalRecord *record, GError **error)
{
    TransactionParts parts;
    if (!transaction_split(record->data, record->length, &parts))
        return TRUE;
    gint64 minute = transaction_minute(parts.key);
    guint64 digest = transaction_digest(record->data, record->length);
    g_mutex_lock(&transactions->mutex);
    gboolean full = FALSE;
    if ((parts.flags & TRANSACTION_LATE) != 0)
        key_table_put(transactions->late, parts.key, digest, record->sequence);
    else if (minute >= transactions->open_minute)
        key_table_put(bucket_get(transactions, minute)->keys, parts.key, digest, record->sequence);
    full = record->sequence % 4096 == 0 && keys_in_memory(transactions) > KEYS_MAX;
    g_mutex_unlock(&transactions->mutex);
    return !full || transactions_seal(transactions, error);
}

/* SQL knows the late ones: memory keeps those whose minute is still to come. */
static KeyTable *still_to_come(const Transactions *transactions)
{
    KeyTable *kept = key_table_new();
    g_autoptr(GArray) entries = key_table_sorted(transactions->late);
    for (guint i = 0; i < entries->len; i++) {
        const KeyEntry *entry = &g_array_index(entries, KeyEntry, i);
        if (transaction_minute(entry->key) >= transactions->open_minute)
            key_table_put(kept, entry->key, entry->digest, entry->sequence);
    }
    return kept;
}

void transactions_indexed(Transactions *transactions, guint64 sequence)
{
    g_mutex_lock(&transactions->mutex);
    KeyTable *late = transactions->late;
    if (key_table_count(late) > transactions->late_keys_max && key_table_pending(late) == 0 &&
        key_table_highest(late) <= sequence) {
        transactions->late = still_to_come(transactions);
        transactions->late_keys_max = LATE_KEYS_MAX + key_table_count(transactions->late);
        key_table_free(late);
    }
    g_mutex_unlock(&transactions->mutex);
}

gboolean transactions_load(Transactions *transactions, GError **error)
{
    g_autoptr(GArray) entries =
        transaction_ids_late_from(transactions->store, transactions->shard, transactions->open_minute, error);
    for (guint i = 0; entries != NULL && i < entries->len; i++) {
        const KeyEntry *entry = &g_array_index(entries, KeyEntry, i);
        key_table_put(transactions->late, entry->key, entry->digest, entry->sequence);
    }
    return entries != NULL;
}

gboolean transactions_locate(Transactions *transactions, const guint8 key[KEY_SIZE], guint64 *sequence,
                             GError **error)
{
    KeyEntry known = {.sequence = 0};
    g_mutex_lock(&transactions->mutex);
    const KeyEntry *entry =
        find_in_memory(transactions, bucket_find(transactions, transaction_minute(key)), key);
    gboolean found = entry != NULL && entry->sequence != KEY_PENDING;
    *sequence = found ? entry->sequence : 0;
    g_mutex_unlock(&transactions->mutex);
    if (found)
        return TRUE;
    if (!transaction_ids_find(transactions->store, transactions->shard, key, &known, error))
        return FALSE;
    *sequence = known.sequence;
    return TRUE;
}

void transactions_count(Transactions *transactions, TransactionCounts *counts)
{
    g_mutex_lock(&transactions->mutex);
    *counts = transactions->counts;
    counts->keys = keys_in_memory(transactions);
    g_mutex_unlock(&transactions->mutex);
}
