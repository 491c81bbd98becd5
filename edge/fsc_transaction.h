/* The transaction of FSC Logging 1.1.0: its id, its record, what came of it. */
#pragma once

#include <ngx_config.h>
#include <ngx_core.h>

#include "fsc_frames.h"

#define FSC_TRANSACTION_SIZE 36

typedef enum { FSC_INCOMING = 1, FSC_OUTGOING = 2 } FscDirection;

/* A UUIDv7 (RFC 9562, 5.7; Digikoppeling REST API 3.0.1 asks for it) of any case. */
ngx_flag_t fsc_transaction_valid(const ngx_str_t *id);
/* A fresh one, lower case. NGX_ERROR when there is no randomness. */
ngx_int_t fsc_transaction_new(u_char out[FSC_TRANSACTION_SIZE]);

/* A traceparent as W3C Trace Context level 1 has it, lower case. */
ngx_flag_t fsc_traceparent_valid(const ngx_str_t *traceparent);

/* The LOG frame, in memory of the pool; len 0 when there is none. `id` may be of any case. */
ngx_str_t fsc_transaction_record(ngx_pool_t *pool, FscDirection direction, const ngx_str_t *id,
                                 const ngx_str_t *template, const ngx_str_t *traceparent);
/* The OUTCOME frame in `bytes`. */
#define FSC_OUTCOME_SIZE 128
ngx_str_t fsc_transaction_outcome(u_char bytes[FSC_OUTCOME_SIZE], FscDirection direction, const ngx_str_t *id,
                                  ngx_flag_t sent, ngx_uint_t status, off_t body);
