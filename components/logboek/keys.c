#include "components/logboek/keys.h"

#include <string.h>

#include "core/base/bytes.h"

#define FIRST_SLOTS 1024

/* Open addressing, at most three quarters full. The place of a key depends on two secret numbers, since a
 * peer chooses its keys. */
struct key_table {
    KeyEntry *slots; /* sequence 0: free */
    guint n_slots;   /* a power of two */
    guint count;
    guint pending;
    guint64 highest;
    guint64 secret[2];
};

static KeyEntry *slots_new(guint n_slots)
{
    return g_new0(KeyEntry, n_slots);
}

KeyTable *key_table_new(void)
{
    KeyTable *table = g_new0(KeyTable, 1);
    random_fill(table->secret, sizeof table->secret);
    table->secret[0] |= 1;
    table->secret[1] |= 1;
    table->n_slots = FIRST_SLOTS;
    table->slots = slots_new(table->n_slots);
    return table;
}

void key_table_free(KeyTable *table)
{
    if (table == NULL)
        return;
    g_free(table->slots);
    g_free(table);
}

/* The slot of the key, or the free one where it would go. */
static KeyEntry *slot_of(const KeyTable *table, const guint8 key[KEY_SIZE])
{
    guint64 words[2];
    memcpy(words, key, sizeof words);
    guint64 mixed = words[0] * table->secret[0] + words[1] * table->secret[1];
    guint slot = (guint)(mixed >> 32) & (table->n_slots - 1);
    while (table->slots[slot].sequence != 0 && memcmp(table->slots[slot].key, key, KEY_SIZE) != 0)
        slot = (slot + 1) & (table->n_slots - 1);
    return &table->slots[slot];
}

static void grow(KeyTable *table)
{
    KeyEntry *old = table->slots;
    guint n_old = table->n_slots;
    table->n_slots *= 2;
    table->slots = slots_new(table->n_slots);
    for (guint i = 0; i < n_old; i++)
        if (old[i].sequence != 0)
            *slot_of(table, old[i].key) = old[i];
    g_free(old);
}

const KeyEntry *key_table_find(const KeyTable *table, const guint8 key[KEY_SIZE])
{
    const KeyEntry *entry = slot_of(table, key);
    return entry->sequence == 0 || entry->sequence == KEY_FAILED ? NULL : entry;
}

static gboolean is_on_disk(guint64 sequence)
{
    return sequence != 0 && sequence < KEY_FAILED;
}

static void note(KeyTable *table, guint64 sequence)
{
    if (sequence == KEY_PENDING)
        table->pending++;
    else if (is_on_disk(sequence))
        table->highest = MAX(table->highest, sequence);
}

void key_table_put(KeyTable *table, const guint8 key[KEY_SIZE], guint64 digest, guint64 sequence)
{
    if (table->count >= table->n_slots / 4 * 3)
        grow(table);
    KeyEntry *entry = slot_of(table, key);
    if (entry->sequence != 0 && entry->sequence != KEY_FAILED)
        return;
    if (entry->sequence == 0)
        table->count++;
    memcpy(entry->key, key, KEY_SIZE);
    entry->digest = digest;
    entry->sequence = sequence;
    note(table, sequence);
}

gboolean key_table_settle(KeyTable *table, const guint8 key[KEY_SIZE], guint64 sequence)
{
    KeyEntry *entry = slot_of(table, key);
    if (entry->sequence != KEY_PENDING)
        return FALSE;
    table->pending--;
    entry->sequence = sequence == 0 ? KEY_FAILED : sequence;
    note(table, entry->sequence);
    return TRUE;
}

guint key_table_count(const KeyTable *table)
{
    return table->count;
}

guint key_table_pending(const KeyTable *table)
{
    return table->pending;
}

guint64 key_table_highest(const KeyTable *table)
{
    return table->highest;
}

static gint compare_keys(gconstpointer a, gconstpointer b)
{
    return memcmp(((const KeyEntry *)a)->key, ((const KeyEntry *)b)->key, KEY_SIZE);
}

GArray *key_table_sorted(const KeyTable *table)
{
    GArray *sorted = g_array_sized_new(FALSE, FALSE, sizeof(KeyEntry), table->count);
    for (guint i = 0; i < table->n_slots; i++)
        if (is_on_disk(table->slots[i].sequence))
            g_array_append_val(sorted, table->slots[i]);
    g_array_sort(sorted, compare_keys);
    return sorted;
}

/* --- waiters --- */

typedef struct {
    KeyWaiter waiter;
    gpointer user_data;
} Waiting;

struct key_waiters {
    GHashTable *by_key; /* guint8[16] -> GArray of Waiting */
};

static guint key_hash(gconstpointer key)
{
    guint64 words[2];
    memcpy(words, key, sizeof words);
    words[0] = (words[0] ^ words[1] * G_GUINT64_CONSTANT(0x9e3779b97f4a7c15)) *
               G_GUINT64_CONSTANT(0xbf58476d1ce4e5b9);
    return (guint)(words[0] >> 32);
}

static gboolean key_equal(gconstpointer a, gconstpointer b)
{
    return memcmp(a, b, KEY_SIZE) == 0;
}

KeyWaiters *key_waiters_new(void)
{
    KeyWaiters *waiters = g_new0(KeyWaiters, 1);
    waiters->by_key = g_hash_table_new_full(key_hash, key_equal, g_free, (GDestroyNotify)g_array_unref);
    return waiters;
}

void key_waiters_free(KeyWaiters *waiters)
{
    if (waiters == NULL)
        return;
    g_hash_table_unref(waiters->by_key);
    g_free(waiters);
}

void key_waiters_add(KeyWaiters *waiters, const guint8 key[KEY_SIZE], KeyWaiter waiter, gpointer user_data)
{
    GArray *list = g_hash_table_lookup(waiters->by_key, key);
    if (list == NULL) {
        list = g_array_new(FALSE, FALSE, sizeof(Waiting));
        g_hash_table_insert(waiters->by_key, g_memdup2(key, KEY_SIZE), list);
    }
    Waiting waiting = {waiter, user_data};
    g_array_append_val(list, waiting);
}

GArray *key_waiters_take(KeyWaiters *waiters, const guint8 key[KEY_SIZE])
{
    gpointer stored_key, list;
    if (g_hash_table_size(waiters->by_key) == 0 ||
        !g_hash_table_steal_extended(waiters->by_key, key, &stored_key, &list))
        return NULL;
    g_free(stored_key);
    return list;
}

void key_waiters_tell(GArray *taken, gboolean logged)
{
    if (taken == NULL)
        return;
    for (guint i = 0; i < taken->len; i++) {
        const Waiting *waiting = &g_array_index(taken, Waiting, i);
        waiting->waiter(logged, waiting->user_data);
    }
    g_array_unref(taken);
}
