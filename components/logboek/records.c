#include "components/logboek/records.h"

#include "components/logboek/batch.h"
#include "components/logboek/journal_kinds.h"
#include "components/logboek/keys.h"
#include "core/base/error.h"
#include "core/crypto/digest.h"

#define FRESH_MS (5 * 60 * 1000)
#define GENERATION_MS (5 * 60 * 1000)
#define KEYS_MAX 4000000 /* in both generations: some 200 MB */

struct records {
    Store *store;
    Journal *journal;
    const Clock *clock;
    GMutex mutex;
    KeyTable *recent, *older; /* what was logged in these five minutes, and in those before */
    gint64 recent_since_ms;
    guint64 indexed;
    KeyWaiters *waiters;
    guint64 outcomes[RECORD_CONFLICT + 1];
};

/* One record of it on its way to the disk. */
typedef struct {
    Batch *batch;
    guint8 key[KEY_SIZE];
} Journey;

/* What is known of one record before it is appended. */
typedef struct {
    guint8 key[KEY_SIZE];
    guint8 conflict_key[KEY_SIZE]; /* of this content under this key: a conflict that is sent again is kept
                                      once */
    guint64 digest;
    gboolean in_sql;     /* another record has the key, */
    gboolean same_first; /* which is this one; */
    gboolean same_any;   /* or this one was flagged then */
    gboolean append;
    Journey *journey;
} Candidate;

Records *records_new(Store *store, Journal *journal, const Clock *clock)
{
    Records *records = g_new0(Records, 1);
    records->store = store;
    records->journal = journal;
    records->clock = clock;
    g_mutex_init(&records->mutex);
    records->recent = key_table_new();
    records->older = key_table_new();
    records->recent_since_ms = clock_now_ms(clock);
    records->waiters = key_waiters_new();
    return records;
}

void records_free(Records *records)
{
    if (records == NULL)
        return;
    key_table_free(records->recent);
    key_table_free(records->older);
    key_waiters_free(records->waiters);
    g_mutex_clear(&records->mutex);
    g_free(records);
}

/* --- the end of a record's way --- */

static void on_journal(guint64 sequence, const GError *error, gpointer user_data)
{
    Journey *journey = user_data;
    Records *records = journey->batch->owner;
    guint64 place = error == NULL ? sequence : 0;
    g_mutex_lock(&records->mutex);
    if (!key_table_settle(records->recent, journey->key, place))
        key_table_settle(records->older, journey->key, place);
    GArray *waiters = key_waiters_take(records->waiters, journey->key);
    g_mutex_unlock(&records->mutex);
    key_waiters_tell(waiters, error == NULL);
    batch_settle(journey->batch, error);
    g_free(journey);
}

/* --- what is known of a record --- */

static gboolean is_fresh(const Records *records, const RecordParts *parts)
{
    gint64 age = clock_now_ms(records->clock) - (gint64)wire_get_u64(parts->fields[FIELD_END_TIME].data);
    return age < FRESH_MS && age > -FRESH_MS;
}

static void set_keys(Candidate *candidate, const RecordParts *parts, const guint8 *data, gsize length)
{
    guint8 input[KEY_SIZE + sizeof(guint64)], digest[SHA256_SIZE];
    RecordKey key = record_parts_key(parts);
    memcpy(candidate->key, key.bytes, KEY_SIZE);
    candidate->digest = record_digest(data, length);
    memcpy(input, candidate->key, KEY_SIZE);
    memcpy(input + KEY_SIZE, &candidate->digest, sizeof candidate->digest);
    sha256(input, sizeof input, digest);
    memcpy(candidate->conflict_key, digest, KEY_SIZE);
}

static gboolean ask_sql(Db *db, Candidate *candidate, GError **error)
{
    g_autoptr(Rows) rows =
        db_query(db, error,
                 "SELECT digest FROM logboek_records WHERE record_key = ?1 ORDER BY flagged, shard, sequence",
                 value_blob(candidate->key, KEY_SIZE));
    if (rows == NULL)
        return FALSE;
    while (rows_next(rows)) {
        gboolean same = (guint64)rows_integer(rows, 0) == candidate->digest;
        if (!candidate->in_sql)
            candidate->same_first = same;
        candidate->same_any |= same;
        candidate->in_sql = TRUE;
    }
    return TRUE;
}

static gboolean prepare(Records *records, GBytes *const *canonical, Candidate *candidates, gsize n,
                        GError **error)
{
    g_autoptr(Db) db = NULL;
    for (gsize i = 0; i < n; i++) {
        gsize length;
        const guint8 *data = g_bytes_get_data(canonical[i], &length);
        RecordParts parts;
        if (!record_split(data, length, &parts, error))
            return FALSE;
        set_keys(&candidates[i], &parts, data, length);
        if (is_fresh(records, &parts))
            continue;
        if (db == NULL && (db = store_take(records->store, error)) == NULL)
            return FALSE;
        if (!ask_sql(db, &candidates[i], error))
            return FALSE;
    }
    return TRUE;
}

/* --- decisions, all under the lock --- */

static const KeyEntry *find(const Records *records, const guint8 key[KEY_SIZE])
{
    const KeyEntry *entry = key_table_find(records->recent, key);
    return entry != NULL ? entry : key_table_find(records->older, key);
}

/* The older keys go when SQL knows them, or when there are too many: then a difference is seen by the index,
 * later. */
static void turn_generations(Records *records)
{
    gint64 now_ms = clock_now_ms(records->clock);
    guint count = key_table_count(records->recent) + key_table_count(records->older);
    gboolean due = now_ms - records->recent_since_ms >= GENERATION_MS || now_ms < records->recent_since_ms;
    gboolean known = key_table_highest(records->older) <= records->indexed;
    if (key_table_pending(records->older) > 0 || !((due && known) || count > KEYS_MAX))
        return;
    key_table_free(records->older);
    records->older = records->recent;
    records->recent = key_table_new();
    records->recent_since_ms = now_ms;
}

static void join(Records *records, Batch *batch, const KeyEntry *entry)
{
    if (entry == NULL || entry->sequence != KEY_PENDING)
        return;
    batch->waiting++;
    key_waiters_add(records->waiters, entry->key, batch_other_settled, batch);
}

static void begin_journey(Records *records, Batch *batch, Candidate *candidate, const guint8 key[KEY_SIZE])
{
    key_table_put(records->recent, key, candidate->digest, KEY_PENDING);
    candidate->append = TRUE;
    candidate->journey = g_new(Journey, 1);
    candidate->journey->batch = batch;
    memcpy(candidate->journey->key, key, KEY_SIZE);
    batch->waiting++;
}

static RecordOutcome decide(Records *records, Batch *batch, Candidate *candidate)
{
    const KeyEntry *entry = find(records, candidate->key);
    if (entry == NULL && !candidate->in_sql) {
        begin_journey(records, batch, candidate, candidate->key);
        return RECORD_STORED;
    }
    if (entry != NULL ? entry->digest == candidate->digest : candidate->same_first) {
        join(records, batch, entry);
        return RECORD_REPEATED;
    }
    const KeyEntry *kept = find(records, candidate->conflict_key);
    if (kept == NULL && !candidate->same_any)
        begin_journey(records, batch, candidate, candidate->conflict_key);
    else
        join(records, batch, kept);
    return RECORD_CONFLICT;
}

static const guint8 ENVELOPE[RECORD_ENVELOPE_SIZE] = {1, 0, 0, 0};

static void append(Records *records, GBytes *canonical, Journey *journey)
{
    gsize length;
    const guint8 *data = g_bytes_get_data(canonical, &length);
    g_autofree guint8 *bytes = g_malloc(RECORD_ENVELOPE_SIZE + length);
    memcpy(bytes, ENVELOPE, sizeof ENVELOPE);
    memcpy(bytes + RECORD_ENVELOPE_SIZE, data, length);
    journal_append(records->journal, KIND_RECORD, bytes, RECORD_ENVELOPE_SIZE + length, on_journal, journey);
}

gboolean records_append(Records *records, GBytes *const *canonical, gsize n_records, RecordOutcome *outcomes,
                        GError **error)
{
    g_autofree Candidate *candidates = g_new0(Candidate, n_records);
    if (!prepare(records, canonical, candidates, n_records, error))
        return FALSE;
    Batch batch;
    batch_init(&batch, records);
    g_mutex_lock(&records->mutex);
    turn_generations(records);
    g_mutex_lock(&batch.mutex);
    for (gsize i = 0; i < n_records; i++)
        outcomes[i] = decide(records, &batch, &candidates[i]);
    g_mutex_unlock(&batch.mutex);
    g_mutex_unlock(&records->mutex);
    for (gsize i = 0; i < n_records; i++)
        if (candidates[i].append)
            append(records, canonical[i], candidates[i].journey);
    if (!batch_wait(&batch, "logboek: ", error))
        return FALSE;
    g_mutex_lock(&records->mutex);
    for (gsize i = 0; i < n_records; i++)
        records->outcomes[outcomes[i]]++;
    g_mutex_unlock(&records->mutex);
    return TRUE;
}

void records_remember(Records *records, const JournalRecord *record)
{
    RecordParts parts;
    const guint8 *data = record->data + RECORD_ENVELOPE_SIZE;
    gsize length = record->length - RECORD_ENVELOPE_SIZE;
    if (record->length < RECORD_ENVELOPE_SIZE || !record_split(data, length, &parts, NULL))
        return;
    Candidate candidate = {0};
    set_keys(&candidate, &parts, data, length);
    g_mutex_lock(&records->mutex);
    const KeyEntry *entry = find(records, candidate.key);
    if (key_table_count(records->recent) > KEYS_MAX / 2)
        turn_generations(records);
    if (entry == NULL)
        key_table_put(records->recent, candidate.key, candidate.digest, record->sequence);
    else if (entry->digest != candidate.digest)
        key_table_put(records->recent, candidate.conflict_key, candidate.digest, record->sequence);
    g_mutex_unlock(&records->mutex);
}

void records_indexed(Records *records, guint64 sequence)
{
    g_mutex_lock(&records->mutex);
    records->indexed = sequence;
    g_mutex_unlock(&records->mutex);
}

void records_count(Records *records, guint64 *stored, guint64 *repeated, guint64 *conflicts)
{
    g_mutex_lock(&records->mutex);
    *stored = records->outcomes[RECORD_STORED];
    *repeated = records->outcomes[RECORD_REPEATED];
    *conflicts = records->outcomes[RECORD_CONFLICT];
    g_mutex_unlock(&records->mutex);
}
