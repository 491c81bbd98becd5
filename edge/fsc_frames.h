/* The socket of a worker to `fundament serve`: many calls under way at once, answered in any order, in frames
 * (core/node/frames.h).
 *
 * Frames made in one round of the event loop leave in one write. When the socket breaks or `serve` is
 * replaced, calls are kept and sent again under the same id on the next connection, until their time is up:
 * `serve` takes a record sent twice as one (decisions.md 2), and nothing is lost but time.
 */
#pragma once

#include <ngx_config.h>
#include <ngx_core.h>

#include "core/node/frames.h"

typedef struct fsc_frames FscFrames;
typedef struct fsc_call FscCall;

/* What `answered` gets besides enum frame_status: nobody answered in time. */
#define FSC_CALL_SILENT 0xffffU

struct fsc_call {
    /* Set by the caller. `frame` are the bytes of a whole frame, made with fsc_frame_*; borrowed until the
     * call has ended. A call without a frame is answered with FRAME_STATUS_OK as soon as `serve` is there. */
    ngx_str_t frame;
    void (*answered)(FscCall *call, ngx_uint_t status, const u_char *payload, size_t length);
    void *data;

    /* Of fsc_frames. */
    ngx_queue_t queue;
    uint64_t id; /* 0: not under way */
    ngx_msec_t send_again;
    ngx_msec_t deadline; /* in this state of the connection ... */
    ngx_msec_t last;     /* ... and in any */
};

/* What `serve` says by itself. */
typedef struct {
    void (*flush)(void *data);
    void (*revoked)(void *data, const u_char *payload, size_t length);
    void *data;
} FscFramesEvents;

/* Does not connect yet. Memory is of the cycle. NULL when there is none. */
FscFrames *fsc_frames_create(ngx_cycle_t *cycle, const ngx_str_t *path, const FscFramesEvents *events);
void fsc_frames_connect(FscFrames *frames);
void fsc_frames_close(FscFrames *frames);

/* TRUE while `serve` answers. */
ngx_flag_t fsc_frames_ready(const FscFrames *frames);

/* Starts a call: `answered` is called exactly once, never from within this function, unless the call is
 * cancelled. NGX_ERROR when too much is under way. */
ngx_int_t fsc_frames_call(FscFrames *frames, FscCall *call);
/* Harmless when the call is not under way. */
void fsc_frames_cancel(FscFrames *frames, FscCall *call);

/* Sends a frame that has no answer, within a tenth of a second, together with others; dropped when `serve` is
 * not there. */
void fsc_frames_tell(FscFrames *frames, ngx_str_t frame);

/* What was counted since the start, by enum frame_edge; the cache counts here too. */
uint64_t *fsc_frames_counters(FscFrames *frames);
/* Calls under way. */
uint64_t fsc_frames_open_calls(const FscFrames *frames);

/* Writing a frame into a buffer: begin, fields, end. */
typedef struct {
    u_char *bytes;
    size_t size;
    size_t length; /* 0 after something did not fit */
} FscFrame;

void fsc_frame_begin(FscFrame *frame, u_char *bytes, size_t size);
void fsc_frame_text(FscFrame *frame, const ngx_str_t *text);
void fsc_frame_number(FscFrame *frame, uint64_t number);
/* The whole frame, with id 0; len 0 when it did not fit. */
ngx_str_t fsc_frame_end(FscFrame *frame, enum frame_type type);

/* A bound of the size of a frame with `fields` fields of `bytes` bytes of text together. */
static inline size_t fsc_frame_size(size_t fields, size_t bytes)
{
    return FRAME_HEADER_SIZE + fields * 12 + bytes;
}
