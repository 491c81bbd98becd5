#include "components/logboek/transaction_ids.h"

#include <string.h>

#include "components/logboek/transaction_record.h"

/* In a row of the table: 16 bytes id, u64 digest, u64 sequence (big endian), sorted by id. */
#define ENTRY_SIZE 32

static void put_u64(guint8 *out, guint64 value)
{
    value = GUINT64_TO_BE(value);
    memcpy(out, &value, sizeof value);
}

static GBytes *pack(const KeyEntry *entries, guint n_entries)
{
    guint8 *bytes = g_malloc(n_entries * (gsize)ENTRY_SIZE);
    for (guint i = 0; i < n_entries; i++) {
        guint8 *at = bytes + i * (gsize)ENTRY_SIZE;
        memcpy(at, entries[i].key, KEY_SIZE);
        put_u64(at + 16, entries[i].digest);
        put_u64(at + 24, entries[i].sequence);
    }
    return g_bytes_new_take(bytes, n_entries * (gsize)ENTRY_SIZE);
}

static void unpack(const guint8 *at, KeyEntry *entry)
{
    memcpy(entry->key, at, KEY_SIZE);
    entry->digest = wire_get_u64(at + 16);
    entry->sequence = wire_get_u64(at + 24);
}

static gboolean note_sealed(Db *db, guint32 shard, gint64 minute, GError **error)
{
    return db_run(db, error,
                  "UPDATE logboek_position SET sealed_minute = ?2 WHERE shard = ?1 AND sealed_minute < ?2",
                  value_integer(shard), value_integer(minute));
}

gboolean transaction_ids_note_sealed(Store *store, guint32 shard, gint64 minute, GError **error)
{
    g_autoptr(Db) db = store_take(store, error);
    return db != NULL && note_sealed(db, shard, minute, error);
}

static gboolean seal(Db *db, guint32 shard, gint64 minute, const GArray *sorted, GError **error)
{
    if (!db_run(db, error, "DELETE FROM logboek_transaction_ids WHERE shard = ?1 AND minute = ?2",
                value_integer(shard), value_integer(minute)))
        return FALSE;
    for (guint from = 0; from < sorted->len; from += IDS_PER_ROW) {
        const KeyEntry *first = &g_array_index(sorted, KeyEntry, from);
        g_autoptr(GBytes) entries = pack(first, MIN(IDS_PER_ROW, sorted->len - from));
        if (!db_run(db, error,
                    "INSERT INTO logboek_transaction_ids (shard, minute, first_id, entries) VALUES (?1, ?2, "
                    "?3, ?4)",
                    value_integer(shard), value_integer(minute), value_blob(first->key, KEY_SIZE),
                    value_bytes(entries)))
            return FALSE;
    }
    return note_sealed(db, shard, minute, error);
}

gboolean transaction_ids_seal(Store *store, guint32 shard, gint64 minute, const GArray *sorted,
                              GError **error)
{
    g_autoptr(Db) db = store_take(store, error);
    return db != NULL && db_begin(db, error) && seal(db, shard, minute, sorted, error) &&
           db_commit(db, error);
}

static gint compare_entry(gconstpointer key, gconstpointer entry)
{
    return memcmp(key, entry, KEY_SIZE);
}

static gboolean find_late(Db *db, guint32 shard, const guint8 key[KEY_SIZE], KeyEntry *entry, GError **error)
{
    g_autoptr(Rows) rows = db_query(
        db, error, "SELECT digest, sequence FROM logboek_transaction_late WHERE id = ?1 AND shard = ?2",
        value_blob(key, KEY_SIZE), value_integer(shard));
    if (rows == NULL)
        return FALSE;
    if (rows_next(rows)) {
        entry->digest = (guint64)rows_integer(rows, 0);
        entry->sequence = (guint64)rows_integer(rows, 1);
    }
    return TRUE;
}

gboolean transaction_ids_find(Store *store, guint32 shard, const guint8 key[KEY_SIZE], KeyEntry *entry,
                              GError **error)
{
    g_autoptr(Db) db = store_take(store, error);
    if (db == NULL)
        return FALSE;
    memcpy(entry->key, key, KEY_SIZE);
    entry->sequence = 0;
    g_autoptr(Rows) rows =
        db_query(db, error,
                 "SELECT entries FROM logboek_transaction_ids WHERE shard = ?1 AND minute = ?2 AND "
                 "first_id <= ?3 ORDER BY first_id DESC LIMIT 1",
                 value_integer(shard), value_integer(transaction_minute(key)), value_blob(key, KEY_SIZE));
    if (rows == NULL)
        return FALSE;
    if (rows_next(rows)) {
        gsize length;
        const guint8 *entries = rows_blob(rows, 0, &length);
        const guint8 *found = bsearch(key, entries, length / ENTRY_SIZE, ENTRY_SIZE, compare_entry);
        if (found != NULL)
            unpack(found, entry);
    }
    return entry->sequence != 0 || find_late(db, shard, key, entry, error);
}

gboolean transaction_ids_put_late(Db *db, guint32 shard, const KeyEntry *entry, GError **error)
{
    return db_run(
        db, error,
        "INSERT INTO logboek_transaction_late (id, shard, digest, sequence) VALUES (?1, ?2, ?3, ?4) "
        "ON CONFLICT (id, shard) DO NOTHING",
        value_blob(entry->key, KEY_SIZE), value_integer(shard), value_integer((gint64)entry->digest),
        value_integer((gint64)entry->sequence));
}

GArray *transaction_ids_late_from(Store *store, guint32 shard, gint64 minute, GError **error)
{
    guint8 from[KEY_SIZE] = {0};
    guint64 ms = (guint64)MAX(minute, 0) * 60000;
    for (guint i = 0; i < 6; i++)
        from[i] = (guint8)(ms >> (8 * (5 - i)));
    g_autoptr(Db) db = store_take(store, error);
    if (db == NULL)
        return NULL;
    g_autoptr(Rows) rows = db_query(
        db, error, "SELECT id, digest, sequence FROM logboek_transaction_late WHERE shard = ?1 AND id >= ?2",
        value_integer(shard), value_blob(from, sizeof from));
    if (rows == NULL)
        return NULL;
    GArray *entries = g_array_new(FALSE, FALSE, sizeof(KeyEntry));
    while (rows_next(rows)) {
        gsize length;
        const void *id = rows_blob(rows, 0, &length);
        KeyEntry entry = {.digest = (guint64)rows_integer(rows, 1),
                          .sequence = (guint64)rows_integer(rows, 2)};
        memcpy(entry.key, id, MIN(length, KEY_SIZE));
        g_array_append_val(entries, entry);
    }
    return entries;
}
