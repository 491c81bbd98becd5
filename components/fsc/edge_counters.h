/* What the workers of the edge say of themselves (FRAME_EDGE), for the metrics. Thread safe. */
#pragma once

#include <glib.h>

typedef struct edge_counters EdgeCounters;

EdgeCounters *edge_counters_new(void);
void edge_counters_free(EdgeCounters *counters);

/* Takes the payload of an EDGE frame that came at `now_us` (monotonic). FALSE, and nothing is counted, when
 * it is malformed. */
gboolean edge_counters_take(EdgeCounters *counters, const guint8 *payload, gsize length, gint64 now_us);

/* Prometheus: fundament_edge_*. Calls under way are those of workers that were heard of in the last five
 * seconds. */
void edge_counters_metrics(EdgeCounters *counters, GString *out, gint64 now_us);
