/* What was counted, as a series for plots and sums for tables. */
#include "components/fsc/traffic_private.h"

#include "components/fsc/internal.h"
#include "core/base/error.h"

#define POINTS_MAX 1500
#define BY_MAX 200

static gint64 round_up(gint64 value, gint64 unit)
{
    return (value + unit - 1) / unit * unit;
}

/* Steps that exist, not too many of them, and a period of whole steps. */
static void settle(TrafficQuery *query, gint64 now_s)
{
    gint64 wish = MAX(query->step_s, (query->to_s - query->from_s + POINTS_MAX - 1) / POINTS_MAX);
    gboolean hours = wish >= TRAFFIC_HOUR_S || query->from_s < now_s - TRAFFIC_MINUTES_KEPT_S;
    query->step_s = round_up(MAX(wish, 1), hours ? TRAFFIC_HOUR_S : TRAFFIC_MINUTE_S);
    query->from_s -= query->from_s % query->step_s;
    query->to_s = round_up(query->to_s, query->step_s);
    if ((query->to_s - query->from_s) / query->step_s > POINTS_MAX) /* one more by rounding */
        query->from_s = query->to_s - POINTS_MAX * query->step_s;
}

static json_t *quantile(const TrafficSum *sum, double share)
{
    double ms = traffic_quantile_ms(sum, share);
    return ms < 0 ? json_null() : json_real(ms);
}

static json_t *sum_json(const TrafficSum *sum)
{
    json_t *json = json_object();
    json_object_set_new(json, "requests", json_integer((json_int_t)traffic_requests(sum)));
    json_object_set_new(json, "errors", json_integer((json_int_t)traffic_errors(sum)));
#define X(name, lower)                                                                                       \
    json_object_set_new(json, #lower, json_integer((json_int_t)sum->counts[FRAME_TRAFFIC_##name]));
    FRAME_TRAFFIC_TABLE(X)
#undef X
    json_object_set_new(json, "p50_ms", quantile(sum, 0.50));
    json_object_set_new(json, "p95_ms", quantile(sum, 0.95));
    json_object_set_new(json, "p99_ms", quantile(sum, 0.99));
    return json;
}

static json_t *series_json(const GPtrArray *slots, const TrafficQuery *query, TrafficSum *total)
{
    json_t *series = json_array();
    guint next = 0;
    for (gint64 time_s = query->from_s; time_s < query->to_s; time_s += query->step_s) {
        TrafficSum sum = {0};
        for (; next < slots->len; next++) {
            const TrafficSlot *slot = slots->pdata[next];
            if (slot->start_s >= time_s + query->step_s)
                break;
            traffic_sum_add(&sum, &slot->sum);
        }
        traffic_sum_add(total, &sum);
        json_t *point = sum_json(&sum);
        json_object_set_new(point, "time", json_integer(time_s));
        json_array_append_new(series, point);
    }
    return series;
}

/* --- by peer and service --- */

static GHashTable *add_up(const GPtrArray *slots)
{
    GHashTable *by = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, traffic_slot_free);
    for (guint i = 0; i < slots->len; i++) {
        const TrafficSlot *slot = slots->pdata[i];
        g_autofree char *name =
            g_strdup_printf("%d %s %s", (int)slot->direction, slot->peer_id, slot->service);
        TrafficSlot *all = g_hash_table_lookup(by, name);
        if (all == NULL) {
            all = g_memdup2(slot, sizeof *slot);
            all->peer_id = g_strdup(slot->peer_id);
            all->service = g_strdup(slot->service);
            g_hash_table_insert(by, g_steal_pointer(&name), all);
        } else {
            traffic_sum_add(&all->sum, &slot->sum);
        }
    }
    return by;
}

static gint most_requests_first(gconstpointer a, gconstpointer b)
{
    const TrafficSlot *left = *(const TrafficSlot *const *)a, *right = *(const TrafficSlot *const *)b;
    guint64 one = traffic_requests(&left->sum), other = traffic_requests(&right->sum);
    if (one != other)
        return one > other ? -1 : 1;
    int peers = g_strcmp0(left->peer_id, right->peer_id);
    return peers != 0 ? peers : g_strcmp0(left->service, right->service);
}

static json_t *by_json(const GPtrArray *slots)
{
    g_autoptr(GHashTable) by = add_up(slots);
    g_autoptr(GPtrArray) sorted = g_ptr_array_new();
    GHashTableIter iter;
    gpointer sums;
    g_hash_table_iter_init(&iter, by);
    while (g_hash_table_iter_next(&iter, NULL, &sums))
        g_ptr_array_add(sorted, sums);
    g_ptr_array_sort(sorted, most_requests_first);
    json_t *list = json_array();
    for (guint i = 0; i < MIN(sorted->len, BY_MAX); i++) {
        const TrafficSlot *slot = sorted->pdata[i];
        json_t *row = sum_json(&slot->sum);
        json_object_set_new(row, "direction",
                            json_string(slot->direction == TRAFFIC_INCOMING ? "in" : "out"));
        json_object_set_new(row, "peer_id", json_string(slot->peer_id));
        json_object_set_new(row, "service", json_string(slot->service));
        json_array_append_new(list, row);
    }
    return list;
}

json_t *traffic_report(Traffic *traffic, const TrafficQuery *asked, GError **error)
{
    TrafficQuery query = *asked;
    if (query.from_s < 0 || query.to_s <= query.from_s || query.to_s > G_MAXINT32 * G_GINT64_CONSTANT(100) ||
        query.step_s < 0) {
        g_set_error_literal(error, FUNDAMENT_ERROR, FUNDAMENT_ERROR_INVALID,
                            "traffic: the period must end after it begins");
        return NULL;
    }
    settle(&query, traffic_now_s(traffic));
    if (!traffic_flush(traffic, error)) /* so that the table has what happened just now */
        return NULL;
    g_autoptr(Db) db = store_take(traffic_store_of(traffic), error);
    if (db == NULL)
        return NULL;
    gint64 kept = query.step_s % TRAFFIC_HOUR_S == 0 ? TRAFFIC_HOUR_S : TRAFFIC_MINUTE_S;
    g_autoptr(GPtrArray) slots = traffic_store_load(db, kept, &query, error);
    if (slots == NULL)
        return NULL;
    TrafficSum total = {0};
    json_t *series = series_json(slots, &query, &total);
    return json_pack("{s:I, s:I, s:I, s:o, s:o, s:o}", "from", (json_int_t)query.from_s, "to",
                     (json_int_t)query.to_s, "step", (json_int_t)query.step_s, "series", series, "total",
                     sum_json(&total), "by", by_json(slots));
}

static gboolean read_direction(const char *text, TrafficDirection *direction, GError **error)
{
    static const char *const WORDS[] = {[TRAFFIC_INCOMING] = "in", [TRAFFIC_OUTGOING] = "out"};
    *direction = TRAFFIC_ANY;
    if (text == NULL)
        return TRUE;
    for (TrafficDirection each = TRAFFIC_INCOMING; each <= TRAFFIC_OUTGOING; each++)
        if (g_str_equal(text, WORDS[each]))
            *direction = each;
    if (*direction == TRAFFIC_ANY)
        g_set_error_literal(error, FUNDAMENT_ERROR, FUNDAMENT_ERROR_INVALID,
                            "traffic: direction is \"in\" or \"out\"");
    return *direction != TRAFFIC_ANY;
}

json_t *traffic_query(Fsc *fsc, gint64 from_s, gint64 to_s, gint64 step_s, const char *direction,
                      const char *service, const char *peer, GError **error)
{
    TrafficQuery query = {
        .from_s = from_s, .to_s = to_s, .step_s = step_s, .service = service, .peer_id = peer};
    if (!read_direction(direction, &query.direction, error))
        return NULL;
    return traffic_report(fsc->traffic, &query, error);
}
