#include <ngx_event.h>
#include <ngx_event_connect.h>
#include <sys/un.h>

#include "fsc_frames.h"

#define SWEEP_MS 100         /* how often deadlines are looked at */
#define LOG_AGAIN_MS 500     /* decisions.md 2: a record not confirmed is sent again ... */
#define LOG_SILENT_MS 2000   /* ... and after 2 s the request is refused */
#define CALL_SILENT_MS 10000 /* other answers may need a call to another organisation */
#define HOLD_MS 5000         /* decisions.md 30: how long requests wait while `serve` is replaced */
#define CALL_MAX_MS 15000    /* all that together, also with a node that comes and goes */
#define WARN_MS 10000        /* between two lines of log about the same */
#define NOT_READY_MS 200     /* asks again after NOT_READY */
#define HELLO_MS 2000
#define BACKOFF_FIRST_MS 10
#define BACKOFF_MAX_MS 500
#define LATER_MS                                                                                             \
    100 /* frames without an answer wait for company: each batch may cost the node a write to disk */
#define LATER_MAX (64 * 1024)
#define IN_FIRST (64 * 1024)
#define OUT_MAX (8 * 1024 * 1024)
#define CALLS_MAX 65536

typedef enum { STATE_DOWN, STATE_GREETING, STATE_READY } State;

typedef struct {
    u_char *bytes;
    size_t start, end, size;
} Buffer;

struct fsc_frames {
    ngx_cycle_t *cycle;
    FscFramesEvents events;
    ngx_str_t path;
    struct sockaddr_un address;
    State state;
    ngx_peer_connection_t peer;
    Buffer in, out, later;
    ngx_queue_t calls; /* under way, oldest first */
    FscCall **slots;   /* by the low half of the id */
    uint32_t *free;    /* stack of slots */
    uint32_t n_free, n_slots;
    uint64_t counters[FRAME_EDGE_COUNT];
    uint32_t serial; /* high half of the next id */
    ngx_msec_t backoff;
    ngx_msec_t greeted; /* when HELLO was sent */
    ngx_msec_t warned;  /* when the log last said that the node is not there */
    ngx_log_t quiet;    /* for nginx's own lines about each attempt to connect */
    ngx_event_t sweep, retry, flush, late;
};

static void frames_down(FscFrames *frames, const char *why);

static ngx_int_t buffer_reserve(Buffer *buffer, size_t room)
{
    if (buffer->start > 0 && buffer->size - buffer->end < room) {
        ngx_memmove(buffer->bytes, buffer->bytes + buffer->start, buffer->end - buffer->start);
        buffer->end -= buffer->start;
        buffer->start = 0;
    }
    if (buffer->size - buffer->end >= room)
        return NGX_OK;
    size_t size = buffer->size > 0 ? buffer->size : IN_FIRST;
    while (size - buffer->end < room)
        size *= 2;
    u_char *bytes = ngx_alloc(size, ngx_cycle->log);
    if (bytes == NULL)
        return NGX_ERROR;
    if (buffer->end > 0)
        ngx_memcpy(bytes, buffer->bytes, buffer->end);
    ngx_free(buffer->bytes);
    buffer->bytes = bytes;
    buffer->size = size;
    return NGX_OK;
}

static ngx_int_t out_append_bytes(FscFrames *frames, ngx_str_t bytes)
{
    Buffer *out = &frames->out;
    if (out->end - out->start + bytes.len > OUT_MAX || buffer_reserve(out, bytes.len) != NGX_OK)
        return NGX_ERROR;
    ngx_memcpy(out->bytes + out->end, bytes.data, bytes.len);
    out->end += bytes.len;
    if (!frames->flush.posted) {
        ngx_post_event(&frames->flush, &ngx_posted_events);
    }
    return NGX_OK;
}

static ngx_int_t out_append(FscFrames *frames, ngx_str_t frame, uint64_t id)
{
    if (out_append_bytes(frames, frame) != NGX_OK)
        return NGX_ERROR;
    frame_put_u64(frames->out.bytes + frames->out.end - frame.len + 8, id);
    return NGX_OK;
}

/* Calls under way. */

static FscCall *call_find(FscFrames *frames, uint64_t id)
{
    uint32_t slot = (uint32_t)id;
    FscCall *call = slot < frames->n_slots ? frames->slots[slot] : NULL;
    return call != NULL && call->id == id ? call : NULL;
}

static void call_end(FscFrames *frames, FscCall *call)
{
    uint32_t slot = (uint32_t)call->id;
    frames->slots[slot] = NULL;
    frames->free[frames->n_free++] = slot;
    ngx_queue_remove(&call->queue);
    call->id = 0;
}

static uint8_t call_type(const FscCall *call)
{
    return call->frame.len >= FRAME_HEADER_SIZE ? call->frame.data[5] : 0;
}

static void call_wait(FscCall *call, ngx_msec_t ms)
{
    ngx_msec_t deadline = ngx_current_msec + ms;
    call->deadline = (ngx_msec_int_t)(deadline - call->last) < 0 ? deadline : call->last;
}

/* As long as for a node that is away, counted from the first time that it said so. */
static void call_not_ready(FscCall *call)
{
    ngx_msec_t last = ngx_current_msec + HOLD_MS;
    if ((ngx_msec_int_t)(last - call->last) < 0)
        call->last = last;
    call_wait(call, HOLD_MS);
    call->send_again = ngx_current_msec + NOT_READY_MS;
}

/* Sends a call, for the first time or again after the socket broke. */
static void call_send(FscFrames *frames, FscCall *call)
{
    ngx_flag_t log = call_type(call) == FRAME_LOG;
    if (frames->state != STATE_READY) {
        call_wait(call, HOLD_MS);
        call->send_again = 0;
        return;
    }
    call_wait(call, log ? LOG_SILENT_MS : CALL_SILENT_MS);
    call->send_again = log ? ngx_current_msec + LOG_AGAIN_MS : 0;
    if (call->frame.len > 0)
        (void)out_append(frames, call->frame, call->id); /* when it does not fit it is as if it got lost */
}

static ngx_int_t slots_grow(FscFrames *frames)
{
    uint32_t n = frames->n_slots > 0 ? frames->n_slots * 2 : 1024;
    if (n > CALLS_MAX)
        return NGX_ERROR;
    FscCall **slots = ngx_calloc(n * sizeof *slots, ngx_cycle->log);
    uint32_t *list = ngx_alloc(n * sizeof *list, ngx_cycle->log);
    if (slots == NULL || list == NULL) {
        ngx_free(slots);
        ngx_free(list);
        return NGX_ERROR;
    }
    if (frames->n_slots > 0)
        ngx_memcpy(slots, frames->slots, frames->n_slots * sizeof *slots);
    for (uint32_t slot = n; slot > frames->n_slots; slot--)
        list[frames->n_free++] = slot - 1;
    ngx_free(frames->slots);
    ngx_free(frames->free);
    frames->slots = slots;
    frames->free = list;
    frames->n_slots = n;
    return NGX_OK;
}

ngx_int_t fsc_frames_call(FscFrames *frames, FscCall *call)
{
    if (frames->n_free == 0 && slots_grow(frames) != NGX_OK)
        return NGX_ERROR;
    uint32_t slot = frames->free[--frames->n_free];
    if (++frames->serial == 0)
        frames->serial = 1; /* an id of 0 means: not under way */
    call->id = (uint64_t)frames->serial << 32 | slot;
    call->last = ngx_current_msec + CALL_MAX_MS;
    frames->slots[slot] = call;
    ngx_queue_insert_tail(&frames->calls, &call->queue);
    call_send(frames, call);
    if (!frames->sweep.timer_set)
        ngx_add_timer(&frames->sweep, SWEEP_MS);
    return NGX_OK;
}

void fsc_frames_cancel(FscFrames *frames, FscCall *call)
{
    if (call->id != 0)
        call_end(frames, call);
}

/* Moves what waited without hurry behind what is to be sent. */
static void late_flush(FscFrames *frames)
{
    ngx_str_t all = {frames->later.end, frames->later.bytes};
    if (frames->state == STATE_READY && all.len > 0)
        (void)out_append_bytes(frames, all);
    frames->later.end = 0;
}

static void late_handler(ngx_event_t *event)
{
    late_flush(event->data);
}

void fsc_frames_tell(FscFrames *frames, ngx_str_t frame)
{
    if (frames->state != STATE_READY || frame.len == 0 || buffer_reserve(&frames->later, frame.len) != NGX_OK)
        return;
    ngx_memcpy(frames->later.bytes + frames->later.end, frame.data, frame.len);
    frames->later.end += frame.len;
    if (frames->later.end >= LATER_MAX)
        late_flush(frames);
    else if (!frames->late.timer_set)
        ngx_add_timer(&frames->late, LATER_MS);
}

uint64_t *fsc_frames_counters(FscFrames *frames)
{
    return frames->counters;
}

uint64_t fsc_frames_open_calls(const FscFrames *frames)
{
    return frames->n_slots - frames->n_free;
}

ngx_flag_t fsc_frames_ready(const FscFrames *frames)
{
    return frames->state == STATE_READY;
}

/* Ends calls whose time is up and sends again those that wait too long. Ending a call may start and end
 * others, so that each round starts at the head again after one. */
static void sweep_handler(ngx_event_t *event)
{
    FscFrames *frames = event->data;
    if (frames->state == STATE_GREETING && (ngx_msec_int_t)(ngx_current_msec - frames->greeted) >= HELLO_MS)
        frames_down(frames, "does not answer HELLO");
    ngx_queue_t *entry = ngx_queue_head(&frames->calls);
    while (entry != ngx_queue_sentinel(&frames->calls)) {
        FscCall *call = ngx_queue_data(entry, FscCall, queue);
        entry = ngx_queue_next(entry);
        if ((ngx_msec_int_t)(ngx_current_msec - call->deadline) >= 0) {
            call_end(frames, call);
            frames->counters[FRAME_EDGE_SILENT]++;
            call->answered(call, FSC_CALL_SILENT, NULL, 0);
            entry = ngx_queue_head(&frames->calls);
        } else if (frames->state == STATE_READY && call->send_again != 0 &&
                   (ngx_msec_int_t)(ngx_current_msec - call->send_again) >= 0) {
            call->send_again = call_type(call) == FRAME_LOG ? ngx_current_msec + LOG_AGAIN_MS : 0;
            frames->counters[FRAME_EDGE_RESENDS]++;
            (void)out_append(frames, call->frame, call->id);
        }
    }
    if (!ngx_queue_empty(&frames->calls) || frames->state == STATE_GREETING)
        ngx_add_timer(&frames->sweep, SWEEP_MS);
}

/* Incoming frames. */

static void frames_greeted(FscFrames *frames)
{
    frames->state = STATE_READY;
    frames->counters[FRAME_EDGE_CONNECTIONS]++;
    frames->backoff = BACKOFF_FIRST_MS;
    ngx_log_error(NGX_LOG_NOTICE, ngx_cycle->log, 0, "fsc: connected to the node at %V", &frames->path);
    frames->events.flush(frames->events.data); /* what it said while we were not there is not known */
    /* Those who only wait for `serve` are answered, all others sent; calls made meanwhile join at the tail
     * and were sent already. */
    ngx_queue_t waiting;
    if (ngx_queue_empty(&frames->calls))
        return;
    ngx_queue_init(&waiting);
    for (ngx_queue_t *entry = ngx_queue_head(&frames->calls); entry != ngx_queue_sentinel(&frames->calls);) {
        FscCall *call = ngx_queue_data(entry, FscCall, queue);
        entry = ngx_queue_next(entry);
        call_send(frames, call);
        if (call->frame.len == 0) {
            ngx_queue_remove(&call->queue);
            ngx_queue_insert_tail(&waiting, &call->queue);
        }
    }
    while (!ngx_queue_empty(&waiting)) {
        FscCall *call = ngx_queue_data(ngx_queue_head(&waiting), FscCall, queue);
        call_end(frames, call);
        call->answered(call, FRAME_STATUS_OK, NULL, 0);
    }
}

static void frame_take(FscFrames *frames, const struct frame_header *header, const u_char *payload)
{
    if (header->type == FRAME_HELLO) {
        if (frames->state == STATE_GREETING)
            frames_greeted(frames);
    } else if (header->type == FRAME_FLUSH) {
        frames->events.flush(frames->events.data);
    } else if (header->type == FRAME_REVOKED) {
        frames->events.revoked(frames->events.data, payload, header->length);
    } else {
        FscCall *call = call_find(frames, header->id);
        if (call == NULL || call_type(call) != header->type)
            return; /* given up meanwhile, or answered before: both are fine */
        if (header->status == FRAME_STATUS_NOT_READY) {
            call_not_ready(call);
            return;
        }
        call_end(frames, call);
        call->answered(call, header->status, payload, header->length);
    }
}

/* Takes the whole frames that are in the buffer. An answer can make the connection go down, or even another
 * one come up. */
static ngx_int_t frames_take(FscFrames *frames)
{
    Buffer *in = &frames->in;
    while (in->end - in->start >= FRAME_HEADER_SIZE) {
        struct frame_header header;
        if (frame_header_read(in->bytes + in->start, &header) != 0) {
            ngx_log_error(NGX_LOG_ERR, ngx_cycle->log, 0,
                          "fsc: the node sent a frame of version %ud and %uD bytes; this edge speaks version "
                          "%d. Start the edge "
                          "that belongs to the node",
                          (unsigned)header.version, header.length, FRAME_VERSION);
            return NGX_ERROR;
        }
        size_t whole = FRAME_HEADER_SIZE + header.length;
        if (in->end - in->start < whole)
            return buffer_reserve(in, whole);
        const u_char *payload = in->bytes + in->start + FRAME_HEADER_SIZE;
        in->start += whole;
        frame_take(frames, &header, payload);
    }
    if (in->start == in->end)
        in->start = in->end = 0;
    return NGX_OK;
}

static void read_handler(ngx_event_t *event)
{
    ngx_connection_t *connection = event->data;
    FscFrames *frames = connection->data;
    do {
        Buffer *in = &frames->in;
        if (buffer_reserve(in, 4096) != NGX_OK) {
            frames_down(frames, "no memory");
            return;
        }
        ssize_t n = connection->recv(connection, in->bytes + in->end, in->size - in->end);
        if (n == NGX_AGAIN)
            break;
        if (n <= 0) {
            frames_down(frames, n == 0 ? "closed by the node" : "failed");
            return;
        }
        in->end += (size_t)n;
        if (frames_take(frames) != NGX_OK) {
            frames_down(frames, "does not understand the node");
            return;
        }
    } while (event->ready);
    if (ngx_handle_read_event(event, 0) != NGX_OK)
        frames_down(frames, "failed");
}

/* Outgoing frames. */

static void frames_write(FscFrames *frames)
{
    ngx_connection_t *connection = frames->peer.connection;
    Buffer *out = &frames->out;
    while (connection != NULL && out->start < out->end) {
        ssize_t n = connection->send(connection, out->bytes + out->start, out->end - out->start);
        if (n == NGX_AGAIN)
            break;
        if (n < 0) {
            frames_down(frames, "failed");
            return;
        }
        out->start += (size_t)n;
    }
    if (out->start == out->end)
        out->start = out->end = 0;
    if (connection != NULL && ngx_handle_write_event(connection->write, 0) != NGX_OK)
        frames_down(frames, "failed");
}

static void write_handler(ngx_event_t *event)
{
    ngx_connection_t *connection = event->data;
    frames_write(connection->data);
}

static void flush_handler(ngx_event_t *event)
{
    frames_write(event->data);
}

/* The connection. */

static void frames_close(FscFrames *frames)
{
    if (frames->peer.connection != NULL) {
        ngx_close_connection(frames->peer.connection);
        frames->peer.connection = NULL;
    }
    frames->in.start = frames->in.end = 0;
    frames->out.start = frames->out.end = 0;
    frames->state = STATE_DOWN;
}

static void frames_warn(FscFrames *frames, const char *why)
{
    if (frames->state != STATE_READY && (ngx_msec_int_t)(ngx_current_msec - frames->warned) < WARN_MS)
        return;
    frames->warned = ngx_current_msec;
    ngx_log_error(NGX_LOG_WARN, ngx_cycle->log, 0, "fsc: the connection to the node at %V %s; trying again",
                  &frames->path, why);
}

static void frames_down(FscFrames *frames, const char *why)
{
    frames_warn(frames, why);
    if (frames->state == STATE_READY) {
        for (ngx_queue_t *entry = ngx_queue_head(&frames->calls); entry != ngx_queue_sentinel(&frames->calls);
             entry = ngx_queue_next(entry))
            call_wait(ngx_queue_data(entry, FscCall, queue), HOLD_MS);
    }
    frames_close(frames);
    if (!frames->retry.timer_set)
        ngx_add_timer(&frames->retry, frames->backoff);
    frames->backoff = ngx_min(frames->backoff * 2, BACKOFF_MAX_MS);
}

void fsc_frames_connect(FscFrames *frames)
{
    static ngx_str_t name = ngx_string("the node");
    ngx_peer_connection_t *peer = &frames->peer;
    ngx_memzero(peer, sizeof *peer);
    peer->sockaddr = (struct sockaddr *)&frames->address;
    peer->socklen = sizeof frames->address;
    peer->name = &name;
    peer->get = ngx_event_get_peer;
    frames->quiet = *ngx_cycle->log;
    frames->quiet.log_level = NGX_LOG_EMERG;
    peer->log = &frames->quiet;
    peer->log_error = NGX_ERROR_INFO;

    ngx_int_t rc = ngx_event_connect_peer(peer);
    if (rc != NGX_OK && rc != NGX_AGAIN) {
        if (peer->connection != NULL)
            ngx_close_connection(peer->connection);
        peer->connection = NULL;
        frames_down(frames, "cannot be made");
        return;
    }
    peer->connection->log = peer->connection->read->log = peer->connection->write->log = ngx_cycle->log;
    peer->connection->data = frames;
    peer->connection->read->handler = read_handler;
    peer->connection->write->handler = write_handler;

    u_char bytes[64];
    FscFrame hello;
    fsc_frame_begin(&hello, bytes, sizeof bytes);
    fsc_frame_number(&hello, (uint64_t)ngx_pid);
    frames->state = STATE_GREETING;
    frames->greeted = ngx_current_msec;
    if (out_append(frames, fsc_frame_end(&hello, FRAME_HELLO), 0) != NGX_OK) {
        frames_down(frames, "no memory");
        return;
    }
    if (!frames->sweep.timer_set)
        ngx_add_timer(&frames->sweep, SWEEP_MS);
}

static void retry_handler(ngx_event_t *event)
{
    FscFrames *frames = event->data;
    if (frames->state == STATE_DOWN)
        fsc_frames_connect(frames);
}

static void event_init(ngx_event_t *event, ngx_event_handler_pt handler, FscFrames *frames)
{
    event->handler = handler;
    event->data = frames;
    event->log = frames->cycle->log;
}

FscFrames *fsc_frames_create(ngx_cycle_t *cycle, const ngx_str_t *path, const FscFramesEvents *events)
{
    FscFrames *frames = ngx_pcalloc(cycle->pool, sizeof *frames);
    if (frames == NULL)
        return NULL;
    frames->cycle = cycle;
    frames->events = *events;
    frames->path = *path;
    frames->address.sun_family = AF_UNIX;
    if (path->len >= sizeof frames->address.sun_path)
        return NULL;
    ngx_memcpy(frames->address.sun_path, path->data, path->len);
    frames->backoff = BACKOFF_FIRST_MS;
    frames->warned = ngx_current_msec - WARN_MS;
    ngx_queue_init(&frames->calls);
    event_init(&frames->sweep, sweep_handler, frames);
    event_init(&frames->retry, retry_handler, frames);
    event_init(&frames->flush, flush_handler, frames);
    event_init(&frames->late, late_handler, frames);
    frames->retry.cancelable = 1; /* a worker that ends does not wait for `serve` */
    return frames;
}

void fsc_frames_close(FscFrames *frames)
{
    late_flush(frames);
    frames_write(frames);
    frames_close(frames);
}

/* Making frames. */

void fsc_frame_begin(FscFrame *frame, u_char *bytes, size_t size)
{
    frame->bytes = bytes;
    frame->size = size;
    frame->length = size >= FRAME_HEADER_SIZE ? FRAME_HEADER_SIZE : 0;
}

void fsc_frame_text(FscFrame *frame, const ngx_str_t *text)
{
    if (frame->length > 0)
        frame->length = frame_field_put(frame->bytes, frame->size, frame->length, text->data, text->len);
}

void fsc_frame_number(FscFrame *frame, uint64_t number)
{
    if (frame->length > 0)
        frame->length = frame_field_put_u64(frame->bytes, frame->size, frame->length, number);
}

ngx_str_t fsc_frame_end(FscFrame *frame, enum frame_type type)
{
    ngx_str_t whole = {frame->length, frame->bytes};
    if (frame->length == 0 || frame->length - FRAME_HEADER_SIZE > FRAME_PAYLOAD_MAX) {
        whole.len = 0;
        return whole;
    }
    struct frame_header header = {.length = (uint32_t)(frame->length - FRAME_HEADER_SIZE),
                                  .version = FRAME_VERSION,
                                  .type = (uint8_t)type};
    frame_header_write(frame->bytes, &header);
    return whole;
}
