/* The table fsc_traffic. */
#include "components/fsc/traffic_private.h"

#include <stdlib.h>

char *traffic_latency_write(const guint64 latency[FRAME_LATENCY_BUCKETS])
{
    GString *text = g_string_new(NULL);
    for (guint i = 0; i < FRAME_LATENCY_BUCKETS; i++)
        if (latency[i] > 0)
            g_string_append_printf(text, "%s%u:%" G_GUINT64_FORMAT, text->len > 0 ? " " : "", i, latency[i]);
    return g_string_free(text, FALSE);
}

void traffic_latency_read(const char *text, guint64 latency[FRAME_LATENCY_BUCKETS])
{
    memset(latency, 0, FRAME_LATENCY_BUCKETS * sizeof *latency);
    while (text != NULL && *text != '\0') {
        char *end = NULL;
        guint64 bucket = g_ascii_strtoull(text, &end, 10);
        if (end == text || *end != ':')
            return;
        text = end + 1;
        guint64 count = g_ascii_strtoull(text, &end, 10);
        if (bucket < FRAME_LATENCY_BUCKETS)
            latency[bucket] += count;
        text = *end == ' ' ? end + 1 : end;
        if (text == end && *end != '\0')
            return;
    }
}

gboolean traffic_store_put(Db *db, const char *writer, const TrafficSlot *slot, GError **error)
{
    const guint64 *counts = slot->sum.counts;
    g_autofree char *latency = traffic_latency_write(slot->sum.latency);
    return db_run(
        db, error,
        "INSERT INTO fsc_traffic (step, start_s, direction, peer_id, service, writer, refused, undelivered, "
        "status_2xx, "
        "status_3xx, status_4xx, status_5xx, bytes_in, bytes_out, latency) VALUES (?1, ?2, ?3, ?4, ?5, ?6, "
        "?7, ?8, ?9, "
        "?10, ?11, ?12, ?13, ?14, ?15) ON CONFLICT (step, start_s, direction, peer_id, service, writer) DO "
        "UPDATE SET "
        "refused = excluded.refused, undelivered = excluded.undelivered, status_2xx = excluded.status_2xx, "
        "status_3xx = excluded.status_3xx, status_4xx = excluded.status_4xx, status_5xx = "
        "excluded.status_5xx, "
        "bytes_in = excluded.bytes_in, bytes_out = excluded.bytes_out, latency = excluded.latency",
        value_integer(slot->step), value_integer(slot->start_s), value_integer(slot->direction),
        value_text(slot->peer_id), value_text(slot->service), value_text(writer),
        value_integer((gint64)counts[FRAME_TRAFFIC_REFUSED]),
        value_integer((gint64)counts[FRAME_TRAFFIC_UNDELIVERED]),
        value_integer((gint64)counts[FRAME_TRAFFIC_STATUS_2XX]),
        value_integer((gint64)counts[FRAME_TRAFFIC_STATUS_3XX]),
        value_integer((gint64)counts[FRAME_TRAFFIC_STATUS_4XX]),
        value_integer((gint64)counts[FRAME_TRAFFIC_STATUS_5XX]),
        value_integer((gint64)counts[FRAME_TRAFFIC_BYTES_IN]),
        value_integer((gint64)counts[FRAME_TRAFFIC_BYTES_OUT]), value_text(latency));
}

GPtrArray *traffic_store_load(Db *db, gint64 step, const TrafficQuery *query, GError **error)
{
    g_autoptr(Rows) rows =
        db_query(db, error,
                 "SELECT start_s, direction, peer_id, service, refused, undelivered, status_2xx, status_3xx, "
                 "status_4xx, status_5xx, "
                 "bytes_in, bytes_out, latency FROM fsc_traffic WHERE step = ?1 AND start_s >= ?2 AND "
                 "start_s < ?3 AND (?4 = 0 OR "
                 "direction = ?4) AND (CAST(?5 AS TEXT) IS NULL OR service = ?5) AND (CAST(?6 AS TEXT) IS "
                 "NULL OR peer_id = ?6) "
                 "ORDER BY start_s",
                 value_integer(step), value_integer(query->from_s), value_integer(query->to_s),
                 value_integer(query->direction), value_text(query->service), value_text(query->peer_id));
    if (rows == NULL)
        return NULL;
    GPtrArray *slots = g_ptr_array_new_with_free_func(traffic_slot_free);
    while (rows_next(rows)) {
        TrafficSlot *slot = g_new0(TrafficSlot, 1);
        slot->step = step;
        slot->start_s = rows_integer(rows, 0);
        slot->direction = rows_integer(rows, 1) == TRAFFIC_INCOMING ? TRAFFIC_INCOMING : TRAFFIC_OUTGOING;
        slot->peer_id = g_strdup(rows_text(rows, 2));
        slot->service = g_strdup(rows_text(rows, 3));
        for (guint i = 0; i < FRAME_TRAFFIC_COUNT; i++)
            slot->sum.counts[i] = (guint64)rows_integer(rows, 4 + i);
        traffic_latency_read(rows_text(rows, 4 + FRAME_TRAFFIC_COUNT), slot->sum.latency);
        g_ptr_array_add(slots, slot);
    }
    return slots;
}

gboolean traffic_store_forget(Db *db, gint64 step, gint64 before_s, GError **error)
{
    return db_run(db, error, "DELETE FROM fsc_traffic WHERE step = ?1 AND start_s < ?2", value_integer(step),
                  value_integer(before_s));
}
