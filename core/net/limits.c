#include "core/net/limits.h"

#include <math.h>

typedef struct {
    char *key;
    double tokens;
    gint64 filled_us;
    GList link; /* in `used`, the most recently used first */
} Bucket;

struct limits {
    GMutex lock;
    double per_second;
    double burst;
    guint keys;
    GHashTable *buckets; /* key -> Bucket */
    GQueue used;
};

static void bucket_free(gpointer data)
{
    Bucket *bucket = data;
    g_free(bucket->key);
    g_free(bucket);
}

Limits *limits_new(double per_second, double burst, guint keys)
{
    g_return_val_if_fail(per_second > 0 && burst >= 1 && keys > 0, NULL);
    Limits *limits = g_new0(Limits, 1);
    g_mutex_init(&limits->lock);
    limits->per_second = per_second;
    limits->burst = burst;
    limits->keys = keys;
    limits->buckets = g_hash_table_new_full(g_str_hash, g_str_equal, NULL, bucket_free);
    return limits;
}

void limits_free(Limits *limits)
{
    if (limits == NULL)
        return;
    g_hash_table_unref(limits->buckets);
    g_mutex_clear(&limits->lock);
    g_free(limits);
}

static Bucket *find_or_make(Limits *limits, const char *key, gint64 now_us)
{
    Bucket *bucket = g_hash_table_lookup(limits->buckets, key);
    if (bucket != NULL) {
        g_queue_unlink(&limits->used, &bucket->link);
        g_queue_push_head_link(&limits->used, &bucket->link);
        return bucket;
    }
    if (g_hash_table_size(limits->buckets) >= limits->keys) {
        const Bucket *oldest = g_queue_pop_tail_link(&limits->used)->data;
        g_hash_table_remove(limits->buckets, oldest->key);
    }
    bucket = g_new0(Bucket, 1);
    bucket->key = g_strdup(key);
    bucket->tokens = limits->burst;
    bucket->filled_us = now_us;
    bucket->link.data = bucket;
    g_hash_table_insert(limits->buckets, bucket->key, bucket);
    g_queue_push_head_link(&limits->used, &bucket->link);
    return bucket;
}

guint limits_take(Limits *limits, const char *key, gint64 now_us)
{
    g_autoptr(GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new(&limits->lock);
    Bucket *bucket = find_or_make(limits, key, now_us);
    double passed_s = (double)MAX(now_us - bucket->filled_us, 0) / G_USEC_PER_SEC;
    bucket->tokens = MIN(limits->burst, bucket->tokens + passed_s * limits->per_second);
    bucket->filled_us = now_us; /* also when the clock went back: it must not stop the filling */
    if (bucket->tokens >= 1) {
        bucket->tokens -= 1;
        return 0;
    }
    return (guint)ceil((1 - bucket->tokens) / limits->per_second);
}
