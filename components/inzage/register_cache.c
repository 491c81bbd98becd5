#include "components/inzage/register_cache.h"

#include "core/format/json.h"

struct register_cache {
    GMutex mutex;
    GHashTable *entries; /* OIN -> Entry; as many as there are organisations in the Directory */
    gint64 fresh_ms;
};

typedef struct {
    json_t *activities;
    gint64 read_ms;
} Entry;

static void entry_free(gpointer data)
{
    Entry *entry = data;
    json_decref(entry->activities);
    g_free(entry);
}

RegisterCache *register_cache_new(gint64 fresh_ms)
{
    RegisterCache *cache = g_new0(RegisterCache, 1);
    g_mutex_init(&cache->mutex);
    cache->entries = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, entry_free);
    cache->fresh_ms = fresh_ms;
    return cache;
}

void register_cache_free(RegisterCache *cache)
{
    if (cache == NULL)
        return;
    g_hash_table_unref(cache->entries);
    g_mutex_clear(&cache->mutex);
    g_free(cache);
}

json_t *register_cache_find(RegisterCache *cache, const char *oin, gint64 now_ms, gboolean *fresh)
{
    g_mutex_lock(&cache->mutex);
    const Entry *entry = g_hash_table_lookup(cache->entries, oin);
    *fresh = entry != NULL && now_ms - entry->read_ms < cache->fresh_ms;
    json_t *copy = entry == NULL ? NULL : json_deep_copy(entry->activities);
    g_mutex_unlock(&cache->mutex);
    return copy;
}

void register_cache_put(RegisterCache *cache, const char *oin, const json_t *activities, gint64 now_ms)
{
    Entry *entry = g_new(Entry, 1);
    *entry = (Entry){json_deep_copy(activities), now_ms};
    g_mutex_lock(&cache->mutex);
    g_hash_table_replace(cache->entries, g_strdup(oin), entry);
    g_mutex_unlock(&cache->mutex);
}
