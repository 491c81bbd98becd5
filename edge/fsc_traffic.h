/* What this worker counts and tells `serve` once a second: requests by peer and service (FRAME_TRAFFIC),
 * refusals and its own state (FRAME_EDGE). Counting costs no frame a request. */
#pragma once

#include <ngx_config.h>
#include <ngx_core.h>

#include "core/node/frames.h"
#include "fsc_error.h"
#include "fsc_frames.h"
#include "fsc_transaction.h"

typedef struct fsc_traffic FscTraffic;

typedef struct {
    FscDirection direction;
    ngx_str_t peer_id, service; /* "" when not known */
    enum frame_traffic outcome; /* one of the first six */
    uint64_t bytes_in, bytes_out;
    uint64_t us;
} FscPassage;

/* Memory is of the cycle. NULL when there is none. */
FscTraffic *fsc_traffic_create(ngx_cycle_t *cycle, FscFrames *frames);
/* Tells what is left. */
void fsc_traffic_close(FscTraffic *traffic);

void fsc_traffic_count(FscTraffic *traffic, const FscPassage *passage);
/* `refusal` must stay where it is: rows of tables do. */
void fsc_traffic_refused(FscTraffic *traffic, const FscRefusal *refusal);

/* Monotonic microseconds. */
uint64_t fsc_traffic_now_us(void);
