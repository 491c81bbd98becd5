#include "fsc_traffic.h"

#include <ngx_event.h>
#include <time.h>

#define TELL_MS 1000
#define ROWS_MAX 256 /* between two frames; when there are more they are told at once */
#define SLOTS 512    /* a power of two, and more than rows */
#define REFUSALS_MAX 96
#define PEER_MAX 40
#define SERVICE_MAX 104

typedef struct {
    FscDirection direction;
    size_t peer_length, service_length;
    u_char peer_id[PEER_MAX], service[SERVICE_MAX];
    uint64_t counts[FRAME_TRAFFIC_COUNT];
    uint32_t latency[FRAME_LATENCY_BUCKETS];
} Row;

struct fsc_traffic {
    FscFrames *frames;
    ngx_event_t tell;
    ngx_uint_t n_rows;
    uint16_t slots[SLOTS]; /* by hash: 1 + index of a row; 0: none */
    Row rows[ROWS_MAX];
    struct {
        const FscRefusal *refusal;
        uint64_t count;
    } refusals[REFUSALS_MAX];
    uint64_t told[FRAME_EDGE_COUNT]; /* of the counters of the frames */
    uint64_t told_calls;
    ngx_flag_t refused; /* since the last frame */
};

uint64_t fsc_traffic_now_us(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

/* Telling. */

static void put_numbers(FscFrame *frame, const uint64_t *numbers, size_t n)
{
    u_char bytes[8 * 16];
    for (size_t i = 0; i < n; i++)
        frame_put_u64(bytes + 8 * i, numbers[i]);
    const ngx_str_t text = {8 * n, bytes};
    fsc_frame_text(frame, &text);
}

static void tell_row(FscTraffic *traffic, Row *row)
{
    u_char bytes[1024], latency[4 * FRAME_LATENCY_BUCKETS];
    const ngx_str_t peer_id = {row->peer_length, row->peer_id}, service = {row->service_length, row->service};
    const ngx_str_t buckets = {sizeof latency, latency};
    for (ngx_uint_t i = 0; i < FRAME_LATENCY_BUCKETS; i++)
        frame_put_u32(latency + 4 * i, row->latency[i]);
    FscFrame frame;
    fsc_frame_begin(&frame, bytes, sizeof bytes);
    fsc_frame_number(&frame, row->direction);
    fsc_frame_text(&frame, &peer_id);
    fsc_frame_text(&frame, &service);
    put_numbers(&frame, row->counts, FRAME_TRAFFIC_COUNT);
    fsc_frame_text(&frame, &buckets);
    fsc_frames_tell(traffic->frames, fsc_frame_end(&frame, FRAME_TRAFFIC));
}

static void tell_rows(FscTraffic *traffic)
{
    for (ngx_uint_t i = 0; i < traffic->n_rows; i++)
        tell_row(traffic, &traffic->rows[i]);
    traffic->n_rows = 0;
    ngx_memzero(traffic->slots, sizeof traffic->slots);
}

static void put_refusals(FscTraffic *traffic, FscFrame *frame)
{
    for (ngx_uint_t i = 0; i < REFUSALS_MAX && traffic->refusals[i].refusal != NULL; i++) {
        const FscRefusal *refusal = traffic->refusals[i].refusal;
        const ngx_str_t code = {ngx_strlen(refusal->code), (u_char *)refusal->code};
        if (traffic->refusals[i].count == 0)
            continue;
        fsc_frame_number(frame, refusal->http);
        fsc_frame_text(frame, &code);
        fsc_frame_number(frame, traffic->refusals[i].count);
        traffic->refusals[i].count = 0;
    }
    traffic->refused = 0;
}

/* Nothing is told when nothing changed: a node without requests stays quiet. */
static void tell_state(FscTraffic *traffic)
{
    const uint64_t *counters = fsc_frames_counters(traffic->frames);
    uint64_t calls = fsc_frames_open_calls(traffic->frames), since[FRAME_EDGE_COUNT];
    ngx_flag_t changed = traffic->refused || calls != traffic->told_calls;
    for (ngx_uint_t i = 0; i < FRAME_EDGE_COUNT; i++) {
        since[i] = counters[i] - traffic->told[i];
        changed |= since[i] != 0;
        traffic->told[i] = counters[i];
    }
    if (!changed)
        return;
    u_char bytes[REFUSALS_MAX * 96];
    FscFrame frame;
    fsc_frame_begin(&frame, bytes, sizeof bytes);
    fsc_frame_number(&frame, (uint64_t)ngx_pid);
    fsc_frame_number(&frame, calls);
    put_numbers(&frame, since, FRAME_EDGE_COUNT);
    put_refusals(traffic, &frame);
    traffic->told_calls = calls;
    fsc_frames_tell(traffic->frames, fsc_frame_end(&frame, FRAME_EDGE));
}

/* While `serve` is away everything is kept and counted on. */
static void tell(FscTraffic *traffic)
{
    if (!fsc_frames_ready(traffic->frames))
        return;
    tell_rows(traffic);
    tell_state(traffic);
}

static void tell_handler(ngx_event_t *event)
{
    tell(event->data);
    ngx_add_timer(event, TELL_MS);
}

/* Counting. */

static ngx_flag_t row_is(const Row *row, const FscPassage *passage)
{
    return row->direction == passage->direction && row->peer_length == passage->peer_id.len &&
           row->service_length == passage->service.len &&
           ngx_memcmp(row->peer_id, passage->peer_id.data, row->peer_length) == 0 &&
           ngx_memcmp(row->service, passage->service.data, row->service_length) == 0;
}

static uint32_t hash_of(const FscPassage *passage)
{
    uint32_t hash = 2166136261U ^ (uint32_t)passage->direction; /* FNV-1a */
    for (size_t i = 0; i < passage->peer_id.len; i++)
        hash = (hash ^ passage->peer_id.data[i]) * 16777619U;
    for (size_t i = 0; i < passage->service.len; i++)
        hash = (hash ^ passage->service.data[i]) * 16777619U;
    return hash;
}

/* NULL when there is no room. */
static Row *row_of(FscTraffic *traffic, const FscPassage *passage)
{
    uint32_t slot = hash_of(passage) % SLOTS;
    while (traffic->slots[slot] != 0) {
        Row *row = &traffic->rows[traffic->slots[slot] - 1];
        if (row_is(row, passage))
            return row;
        slot = (slot + 1) % SLOTS;
    }
    if (traffic->n_rows == ROWS_MAX)
        return NULL;
    Row *row = &traffic->rows[traffic->n_rows++];
    traffic->slots[slot] = (uint16_t)traffic->n_rows;
    ngx_memzero(row, sizeof *row);
    row->direction = passage->direction;
    row->peer_length = passage->peer_id.len;
    row->service_length = passage->service.len;
    ngx_memcpy(row->peer_id, passage->peer_id.data, row->peer_length);
    ngx_memcpy(row->service, passage->service.data, row->service_length);
    return row;
}

void fsc_traffic_count(FscTraffic *traffic, const FscPassage *given)
{
    FscPassage passage = *given;
    if (passage.peer_id.len > PEER_MAX || passage.service.len > SERVICE_MAX)
        passage.peer_id.len = passage.service.len = 0;
    Row *row = row_of(traffic, &passage);
    if (row == NULL) {
        tell(traffic);
        row = row_of(traffic, &passage);
    }
    if (row == NULL)
        return; /* `serve` is away, and too many at once to remember */
    row->counts[passage.outcome]++;
    row->counts[FRAME_TRAFFIC_BYTES_IN] += passage.bytes_in;
    row->counts[FRAME_TRAFFIC_BYTES_OUT] += passage.bytes_out;
    row->latency[frame_latency_bucket(passage.us)]++;
}

void fsc_traffic_refused(FscTraffic *traffic, const FscRefusal *refusal)
{
    ngx_uint_t i = 0;
    while (i < REFUSALS_MAX && traffic->refusals[i].refusal != NULL &&
           traffic->refusals[i].refusal != refusal)
        i++;
    if (i == REFUSALS_MAX)
        return;
    traffic->refusals[i].refusal = refusal;
    traffic->refusals[i].count++;
    traffic->refused = 1;
}

/* Life. */

FscTraffic *fsc_traffic_create(ngx_cycle_t *cycle, FscFrames *frames)
{
    FscTraffic *traffic = ngx_pcalloc(cycle->pool, sizeof *traffic);
    if (traffic == NULL)
        return NULL;
    traffic->frames = frames;
    traffic->tell.handler = tell_handler;
    traffic->tell.data = traffic;
    traffic->tell.log = cycle->log;
    traffic->tell.cancelable = 1; /* a worker that ends does not wait for it */
    ngx_add_timer(&traffic->tell, TELL_MS);
    return traffic;
}

void fsc_traffic_close(FscTraffic *traffic)
{
    tell(traffic);
}
