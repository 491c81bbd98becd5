/* What `serve` answered to VERIFY and ROUTE, kept as long as it said, so that the hot path needs no question.
 *
 * One question is under way at a time for the same thing: others wait for its answer (single flight). A flush
 * forgets everything at once; an answer to a question from before a flush is not believed but asked for again
 * (decisions.md 1). Refusals are not kept.
 */
#pragma once

#include <ngx_config.h>
#include <ngx_core.h>

#include "core/node/frames.h"
#include "fsc_frames.h"
#include "fsc_target.h"

typedef struct fsc_cache FscCache;

/* A verdict or a route. Reference counted, never changed: who holds one may read it after the cache forgot
 * it. */
typedef struct {
    ngx_uint_t references;
    ngx_uint_t generation; /* of the cache when it was asked for */
    time_t use_until;      /* ask again from then on */
    time_t expires;        /* not usable from then on */
    FscTarget *target;     /* a reference */
    ngx_str_t token;       /* route: the access token */
    ngx_str_t service;     /* its name; "" when a route does not say */
    ngx_str_t peer_id;     /* verdict: of the Outway; route: of the service */
    ngx_str_t grant_hash;
    ngx_str_t template; /* goes back in LOG */
} FscAnswer;

/* A place among those who wait. `done` gets FRAME_STATUS_OK with the answer (a reference, now its own), or
 * another status (also FSC_CALL_SILENT) and what `serve` said about it. */
typedef struct fsc_ticket FscTicket;
struct fsc_ticket {
    void (*done)(FscTicket *ticket, ngx_uint_t status, FscAnswer *answer, const ngx_str_t *message);
    void *data;
    ngx_queue_t queue;
    unsigned waiting : 1;
};

/* `type` is FRAME_VERIFY or FRAME_ROUTE. */
FscCache *fsc_cache_create(ngx_cycle_t *cycle, enum frame_type type, FscFrames *frames, FscTargets *targets);

/* `question` is a whole frame; it is copied when needed. NGX_OK with `*answer` (a reference); NGX_AGAIN:
 * `ticket->done` will be called, not from here; NGX_ERROR: no memory. */
ngx_int_t fsc_cache_ask(FscCache *cache, ngx_str_t question, FscTicket *ticket, FscAnswer **answer);
/* Leaves the queue, if in one. */
void fsc_ticket_cancel(FscTicket *ticket);

/* Forgets everything. */
void fsc_cache_flush(FscCache *cache);
/* FALSE when there was a flush since this answer was asked for. */
ngx_flag_t fsc_cache_stands(const FscCache *cache, const FscAnswer *answer);

void fsc_answer_unref(FscAnswer *answer);
