/* Sums in memory, and the thread that writes them. */
#include "components/fsc/traffic_private.h"

#include <string.h>

#include "core/base/error.h"

#define SLOTS_MAX 20000 /* in memory: while the database is away, or with very many peers */
#define SERIES_MAX 200  /* label sets of the metrics */
#define FLUSH_S 60
#define KEPT_STEPS 2 /* a slot stays so many steps after it began: nothing is added to it any more */

struct traffic {
    Store *store;
    const Clock *clock;
    char *writer;    /* names the rows of this process */
    GMutex flushing; /* one at a time writes */
    GMutex lock;     /* what follows */
    GCond stop;
    gboolean stopping;
    gint64 latest_s;     /* time goes only forward here, so that no row is ever begun twice */
    GHashTable *slots;   /* "step start direction peer service" -> TrafficSlot */
    GHashTable *series;  /* "direction peer service" -> TrafficSlot, since the start */
    TrafficSum total[3]; /* by direction, since the start */
    guint64 time_us[3];  /* estimated from the buckets */
    GThread *thread;
};

void traffic_slot_free(gpointer data)
{
    TrafficSlot *slot = data;
    g_free(slot->peer_id);
    g_free(slot->service);
    g_free(slot);
}

void traffic_sum_add(TrafficSum *sum, const TrafficSum *more)
{
    for (guint i = 0; i < FRAME_TRAFFIC_COUNT; i++)
        sum->counts[i] += more->counts[i];
    for (guint i = 0; i < FRAME_LATENCY_BUCKETS; i++)
        sum->latency[i] += more->latency[i];
}

guint64 traffic_requests(const TrafficSum *sum)
{
    guint64 requests = 0;
    for (guint i = FRAME_TRAFFIC_REFUSED; i <= FRAME_TRAFFIC_STATUS_5XX; i++)
        requests += sum->counts[i];
    return requests;
}

guint64 traffic_errors(const TrafficSum *sum)
{
    return sum->counts[FRAME_TRAFFIC_REFUSED] + sum->counts[FRAME_TRAFFIC_UNDELIVERED] +
           sum->counts[FRAME_TRAFFIC_STATUS_5XX];
}

double traffic_quantile_ms(const TrafficSum *sum, double share)
{
    guint64 all = 0, below = 0;
    for (guint i = 0; i < FRAME_LATENCY_BUCKETS; i++)
        all += sum->latency[i];
    if (all == 0)
        return -1;
    double wanted = share * (double)all;
    guint last = FRAME_LATENCY_BUCKETS - 1;
    for (guint i = 0; i < last; i++) {
        double count = (double)sum->latency[i];
        if (count > 0 && (double)below + count >= wanted) {
            double floor = (double)frame_latency_floor(i), width = (double)frame_latency_floor(i + 1) - floor;
            return (floor + width * CLAMP((wanted - (double)below) / count, 0, 1)) / 1000;
        }
        below += sum->latency[i];
    }
    return (double)frame_latency_floor(last) / 1000;
}

Store *traffic_store_of(const Traffic *traffic)
{
    return traffic->store;
}

gint64 traffic_now_s(const Traffic *traffic)
{
    return clock_now_s(traffic->clock);
}

/* --- adding --- */

/* Under the lock. The slot of this key, or the one of all that are too many. */
static TrafficSlot *slot_get(GHashTable *table, guint max, gint64 step, gint64 start_s, const TrafficKey *key)
{
    g_autofree char *name = g_strdup_printf("%" G_GINT64_FORMAT " %" G_GINT64_FORMAT " %d %s %s", step,
                                            start_s, (int)key->direction, key->peer_id, key->service);
    TrafficSlot *slot = g_hash_table_lookup(table, name);
    if (slot != NULL)
        return slot;
    const TrafficKey others = {key->direction, "", ""};
    if (g_hash_table_size(table) >= max && (*key->peer_id != '\0' || *key->service != '\0'))
        return slot_get(table, max, step, start_s, &others);
    slot = g_new0(TrafficSlot, 1);
    slot->step = step;
    slot->start_s = start_s;
    slot->direction = key->direction;
    slot->peer_id = g_strdup(key->peer_id);
    slot->service = g_strdup(key->service);
    g_hash_table_insert(table, g_steal_pointer(&name), slot);
    return slot;
}

void traffic_add(Traffic *traffic, const TrafficKey *key, const TrafficSum *sum)
{
    static const gint64 STEPS[] = {TRAFFIC_MINUTE_S, TRAFFIC_HOUR_S};
    g_mutex_lock(&traffic->lock);
    traffic->latest_s = MAX(traffic->latest_s, clock_now_s(traffic->clock));
    for (gsize i = 0; i < G_N_ELEMENTS(STEPS); i++) {
        gint64 start_s = traffic->latest_s - traffic->latest_s % STEPS[i];
        TrafficSlot *slot = slot_get(traffic->slots, SLOTS_MAX, STEPS[i], start_s, key);
        traffic_sum_add(&slot->sum, sum);
        slot->dirty = TRUE;
    }
    traffic_sum_add(&slot_get(traffic->series, SERIES_MAX, 0, 0, key)->sum, sum);
    traffic_sum_add(&traffic->total[key->direction], sum);
    for (guint i = 0; i < FRAME_LATENCY_BUCKETS; i++)
        traffic->time_us[key->direction] +=
            sum->latency[i] * (frame_latency_floor(i) + frame_latency_floor(i + 1)) / 2;
    g_mutex_unlock(&traffic->lock);
}

/* --- writing --- */

/* Copies of what is not in the table; what it copies counts as written. */
static GPtrArray *take_dirty(Traffic *traffic)
{
    GPtrArray *dirty = g_ptr_array_new_with_free_func(traffic_slot_free);
    GHashTableIter iter;
    gpointer value;
    g_mutex_lock(&traffic->lock);
    g_hash_table_iter_init(&iter, traffic->slots);
    while (g_hash_table_iter_next(&iter, NULL, &value)) {
        TrafficSlot *slot = value;
        if (!slot->dirty)
            continue;
        TrafficSlot *copy = g_memdup2(slot, sizeof *slot);
        copy->peer_id = g_strdup(slot->peer_id);
        copy->service = g_strdup(slot->service);
        slot->dirty = FALSE;
        g_ptr_array_add(dirty, copy);
    }
    g_mutex_unlock(&traffic->lock);
    return dirty;
}

static void mark_dirty(Traffic *traffic, const GPtrArray *slots)
{
    g_mutex_lock(&traffic->lock);
    for (guint i = 0; i < slots->len; i++) {
        const TrafficSlot *slot = slots->pdata[i];
        const TrafficKey key = {slot->direction, slot->peer_id, slot->service};
        slot_get(traffic->slots, G_MAXUINT, slot->step, slot->start_s, &key)->dirty = TRUE;
    }
    g_mutex_unlock(&traffic->lock);
}

static gboolean is_past(gpointer key, gpointer value, gpointer user_data)
{
    const TrafficSlot *slot = value;
    const Traffic *traffic = user_data;
    (void)key;
    return !slot->dirty && slot->start_s + KEPT_STEPS * slot->step < traffic->latest_s;
}

static gboolean write_all(Traffic *traffic, const GPtrArray *slots, GError **error)
{
    g_autoptr(Db) db = store_take(traffic->store, error);
    if (db == NULL || !db_begin(db, error))
        return FALSE;
    for (guint i = 0; i < slots->len; i++)
        if (!traffic_store_put(db, traffic->writer, slots->pdata[i], error))
            return FALSE;
    return db_commit(db, error);
}

gboolean traffic_flush(Traffic *traffic, GError **error)
{
    g_mutex_lock(&traffic->flushing);
    g_autoptr(GPtrArray) dirty = take_dirty(traffic);
    gboolean written = dirty->len == 0 || write_all(traffic, dirty, error);
    if (!written)
        mark_dirty(traffic, dirty);
    g_mutex_lock(&traffic->lock);
    g_hash_table_foreach_remove(traffic->slots, is_past, traffic);
    g_mutex_unlock(&traffic->lock);
    g_mutex_unlock(&traffic->flushing);
    return written;
}

gboolean traffic_forget(Traffic *traffic, gint64 retention_s, GError **error)
{
    gint64 now_s = clock_now_s(traffic->clock);
    g_autoptr(Db) db = store_take(traffic->store, error);
    return db != NULL &&
           traffic_store_forget(db, TRAFFIC_MINUTE_S, now_s - MIN(retention_s, TRAFFIC_MINUTES_KEPT_S),
                                error) &&
           traffic_store_forget(db, TRAFFIC_HOUR_S, now_s - retention_s, error);
}

/* FALSE when it is time to end. */
static gboolean wait_a_minute(Traffic *traffic)
{
    gint64 until = g_get_monotonic_time() + FLUSH_S * G_TIME_SPAN_SECOND;
    g_mutex_lock(&traffic->lock);
    while (!traffic->stopping && g_cond_wait_until(&traffic->stop, &traffic->lock, until))
        ;
    gboolean go_on = !traffic->stopping;
    g_mutex_unlock(&traffic->lock);
    return go_on;
}

static gpointer write_now_and_then(gpointer data)
{
    Traffic *traffic = data;
    gboolean failing = FALSE;
    while (wait_a_minute(traffic)) {
        g_autoptr(GError) error = NULL;
        gboolean written = traffic_flush(traffic, &error);
        if (!written && !failing)
            g_warning("fsc: traffic is not written and will be tried again: %s", error->message);
        failing = !written;
    }
    return NULL;
}

/* --- life --- */

Traffic *traffic_new(Store *store, const Clock *clock)
{
    Traffic *traffic = g_new0(Traffic, 1);
    traffic->store = store;
    traffic->clock = clock;
    traffic->writer = g_uuid_string_random();
    g_mutex_init(&traffic->flushing);
    g_mutex_init(&traffic->lock);
    g_cond_init(&traffic->stop);
    traffic->slots = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, traffic_slot_free);
    traffic->series = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, traffic_slot_free);
    return traffic;
}

void traffic_start(Traffic *traffic)
{
    traffic->thread = g_thread_new("fsc traffic", write_now_and_then, traffic);
}

void traffic_free(Traffic *traffic)
{
    g_autoptr(GError) error = NULL;
    if (traffic == NULL)
        return;
    g_mutex_lock(&traffic->lock);
    traffic->stopping = TRUE;
    g_cond_signal(&traffic->stop);
    g_mutex_unlock(&traffic->lock);
    if (traffic->thread != NULL)
        g_thread_join(traffic->thread);
    if (!traffic_flush(traffic, &error))
        g_warning("fsc: the traffic of the last minute was not written: %s", error->message);
    g_hash_table_unref(traffic->slots);
    g_hash_table_unref(traffic->series);
    g_mutex_clear(&traffic->flushing);
    g_mutex_clear(&traffic->lock);
    g_cond_clear(&traffic->stop);
    g_free(traffic->writer);
    g_free(traffic);
}

/* --- metrics --- */

static const char *const DIRECTIONS[] = {
    [TRAFFIC_ANY] = "", [TRAFFIC_INCOMING] = "in", [TRAFFIC_OUTGOING] = "out"};

static void write_series(GString *out, const TrafficSlot *slot)
{
    static const char *const OUTCOMES[] = {
#define X(name, lower) #lower,
        FRAME_TRAFFIC_TABLE(X)
#undef X
    };
    for (guint i = FRAME_TRAFFIC_REFUSED; i <= FRAME_TRAFFIC_STATUS_5XX; i++)
        if (slot->sum.counts[i] > 0)
            g_string_append_printf(out,
                                   "fundament_fsc_requests_total{direction=\"%s\",service=\"%s\",peer=\"%s\","
                                   "outcome=\"%s\"} %" G_GUINT64_FORMAT "\n",
                                   DIRECTIONS[slot->direction], slot->service, slot->peer_id, OUTCOMES[i],
                                   slot->sum.counts[i]);
}

/* Whole octaves are enough here, and half a millisecond to a minute. */
static void write_latency(GString *out, const char *direction, const TrafficSum *sum, guint64 time_us)
{
    guint64 below = 0;
    guint bucket = 0;
    for (guint octave = 9; octave <= 26; octave++) {
        for (; frame_latency_floor(bucket + 1) <= (guint64)1 << octave; bucket++)
            below += sum->latency[bucket];
        char bound[G_ASCII_DTOSTR_BUF_SIZE];
        g_ascii_formatd(bound, sizeof bound, "%.6f", (double)((guint64)1 << octave) / G_USEC_PER_SEC);
        g_string_append_printf(
            out, "fundament_fsc_request_seconds_bucket{direction=\"%s\",le=\"%s\"} %" G_GUINT64_FORMAT "\n",
            direction, bound, below);
    }
    for (; bucket < FRAME_LATENCY_BUCKETS; bucket++)
        below += sum->latency[bucket];
    char seconds[G_ASCII_DTOSTR_BUF_SIZE];
    g_ascii_formatd(seconds, sizeof seconds, "%.6f", (double)time_us / G_USEC_PER_SEC);
    g_string_append_printf(
        out,
        "fundament_fsc_request_seconds_bucket{direction=\"%s\",le=\"+Inf\"} %" G_GUINT64_FORMAT "\n"
        "fundament_fsc_request_seconds_sum{direction=\"%s\"} %s\n"
        "fundament_fsc_request_seconds_count{direction=\"%s\"} %" G_GUINT64_FORMAT "\n",
        direction, below, direction, seconds, direction, below);
}

void traffic_metrics(Traffic *traffic, GString *out)
{
    GHashTableIter iter;
    gpointer slot;
    g_mutex_lock(&traffic->lock);
    g_string_append(out, "# HELP fundament_fsc_requests_total Requests through our Inway (in) and Outway "
                         "(out), by what came of them.\n"
                         "# TYPE fundament_fsc_requests_total counter\n");
    g_hash_table_iter_init(&iter, traffic->series);
    while (g_hash_table_iter_next(&iter, NULL, &slot))
        write_series(out, slot);
    g_string_append(
        out, "# HELP fundament_fsc_request_seconds From the headers of a request to the end of its answer.\n"
             "# TYPE fundament_fsc_request_seconds histogram\n");
    for (TrafficDirection direction = TRAFFIC_INCOMING; direction <= TRAFFIC_OUTGOING; direction++)
        write_latency(out, DIRECTIONS[direction], &traffic->total[direction], traffic->time_us[direction]);
    g_mutex_unlock(&traffic->lock);
}
