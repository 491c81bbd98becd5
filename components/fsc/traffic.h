/* Traffic of our Inway and Outway in numbers: what the edge counts each second (FRAME_TRAFFIC), kept by the
 * minute and by the hour.
 *
 * The sums are kept in memory and written once a minute to the table fsc_traffic, as what this process
 * counted; several processes on one database add up when they are read. A process that is killed loses the
 * minute that was not written yet: this is for pages and planning, the transaction log is the record. All of
 * it is thread safe.
 */
#pragma once

#include <jansson.h>

#include "components/fsc/fsc.h"
#include "core/node/frames.h"
#include "core/store/store.h"

typedef struct traffic Traffic;

typedef enum {
    TRAFFIC_ANY,
    TRAFFIC_INCOMING,
    TRAFFIC_OUTGOING
} TrafficDirection; /* as in core/node/frames.h */

/* What was counted, over whatever time. */
typedef struct {
    guint64 counts[FRAME_TRAFFIC_COUNT];
    guint64 latency[FRAME_LATENCY_BUCKETS];
} TrafficSum;

/* Whose requests. Texts are "" where nobody knew: refused before peer and service were known. */
typedef struct {
    TrafficDirection direction;
    const char *peer_id;
    const char *service;
} TrafficKey;

/* Both are borrowed and must outlive it. Writes nothing by itself until traffic_start(). */
Traffic *traffic_new(Store *store, const Clock *clock);
/* Starts the thread that writes once a minute. */
void traffic_start(Traffic *traffic);
/* Writes what is left. Harmless on NULL. */
void traffic_free(Traffic *traffic);

/* Adds to the minute and the hour of now. What would be too many different keys at once is counted under
 * empty names. */
void traffic_add(Traffic *traffic, const TrafficKey *key, const TrafficSum *sum);

/* Writes now what is not in the table yet. FALSE when the store does not take it: it is kept and tried again.
 */
gboolean traffic_flush(Traffic *traffic, GError **error);

/* Deletes minutes older than 14 days or `retention_s`, hours older than `retention_s`. */
gboolean traffic_forget(Traffic *traffic, gint64 retention_s, GError **error);

/* The time that `share` (0..1) of the requests stayed under, in milliseconds, within a bucket (at most 25 %)
 * of the truth; -1 when there were none. */
double traffic_quantile_ms(const TrafficSum *sum, double share);
/* All requests; and those that were refused by us, not delivered, or answered with 5xx. */
guint64 traffic_requests(const TrafficSum *sum);
guint64 traffic_errors(const TrafficSum *sum);

typedef struct {
    gint64 from_s, to_s; /* `to_s` not included */
    gint64 step_s;       /* 0: as fine as there is */
    TrafficDirection direction;
    const char *service; /* NULL: all */
    const char *peer_id; /* NULL: all */
} TrafficQuery;

/* As traffic_query(), for whoever has no node. */
json_t *traffic_report(Traffic *traffic, const TrafficQuery *query, GError **error);

/* A series for a plot, and the sums of each peer and service for a table:
 *
 *   {"from": s, "to": s, "step": s,
 *    "series": [{"time": s, SUM}, ...],                                   one for each step, also when
 * nothing happened "total": {SUM}, "by": [{"direction": "in" | "out", "peer_id": "...", "service": "...",
 * SUM}, ...]}         most requests first, at most 200
 *
 * with SUM: "requests", "errors" (refused, undelivered or 5xx), "refused", "undelivered", "status_2xx" ...
 * "status_5xx", "bytes_in", "bytes_out" (with headers), "p50_ms", "p95_ms", "p99_ms" (null when there were no
 * requests).
 *
 * Times are seconds since the epoch. `step_s` is the wish: steps are whole minutes or hours, at most 1500 of
 * them, and hours where minutes are not kept (after 14 days); "from", "to" and "step" say what it became.
 * `direction` is "in", "out" or NULL for both; `service` and `peer` NULL for all. FUNDAMENT_ERROR_INVALID for
 * another direction or a period that does not go forward. The caller owns the result. */
json_t *traffic_query(Fsc *fsc, gint64 from_s, gint64 to_s, gint64 step_s, const char *direction,
                      const char *service, const char *peer, GError **error);

/* Prometheus: fundament_fsc_requests_total{direction,service,peer,outcome} for at most 200 of (direction,
 * service, peer), the rest under empty names; fundament_fsc_request_seconds{direction}; of this process,
 * since it started. */
void traffic_metrics(Traffic *traffic, GString *out);
