/* What the files of traffic share. */
#pragma once

#include "components/fsc/traffic.h"

#define TRAFFIC_MINUTE_S 60
#define TRAFFIC_HOUR_S 3600
#define TRAFFIC_MINUTES_KEPT_S (14 * 24 * 3600) /* older ones are there by the hour */

/* A row of fsc_traffic in memory. */
typedef struct {
    gint64 step, start_s;
    TrafficDirection direction;
    char *peer_id, *service;
    TrafficSum sum;
    gboolean dirty; /* not as it is in the table */
} TrafficSlot;

void traffic_slot_free(gpointer slot);
void traffic_sum_add(TrafficSum *sum, const TrafficSum *more);

/* traffic_store.c */
gboolean traffic_store_put(Db *db, const char *writer, const TrafficSlot *slot, GError **error);
/* Rows of this step that begin in the period, of all writers: array of TrafficSlot, oldest first. */
GPtrArray *traffic_store_load(Db *db, gint64 step, const TrafficQuery *query, GError **error);
gboolean traffic_store_forget(Db *db, gint64 step, gint64 before_s, GError **error);

/* "3:1 17:204": bucket:count, those that are not zero; and back, passing over what is no bucket. */
char *traffic_latency_write(const guint64 latency[FRAME_LATENCY_BUCKETS]);
void traffic_latency_read(const char *text, guint64 latency[FRAME_LATENCY_BUCKETS]);

Store *traffic_store_of(const Traffic *traffic);
gint64 traffic_now_s(const Traffic *traffic);
