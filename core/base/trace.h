/* W3C Trace Context Level 1 (2021): the thread through one processing, also across organisations. */
#pragma once

#include <glib.h>

#define TRACE_ID_SIZE 33 /* 32 lower-case hexadecimal digits and a NUL */
#define SPAN_ID_SIZE 17  /* 16 and a NUL */
#define TRACEPARENT_SIZE 56

typedef struct {
    char trace_id[TRACE_ID_SIZE];
    char span_id[SPAN_ID_SIZE];   /* of the action that is running now */
    char parent_id[SPAN_ID_SIZE]; /* of the action that called it; "" when this is the first */
    guint8 flags;                 /* passed on; never decides whether something is logged (no sampling) */
} TraceContext;

/* Ids come from the CSPRNG, never from input (ADL 1.0.0). */
void trace_new(TraceContext *out);

/* A context for an action called with `traceparent`: same trace, that span as parent, a new span of its own.
 * When the header is missing or invalid (section 3.2: wrong length, upper case, all zero, version ff) a new
 * trace starts and FALSE is returned. */
gboolean trace_continue(const char *traceparent, TraceContext *out);

/* A further action below `from`, in the same trace. */
void trace_child(const TraceContext *from, TraceContext *out);

/* "00-<trace>-<span>-<flags>" to send along with a call. Of the flags only "sampled" goes along: the others
 * MUST be sent as zero (3.2.2.5). */
void trace_format(const TraceContext *context, char out[TRACEPARENT_SIZE]);

/* Shapes only: 32 and 16 lower-case hexadecimal digits, not all zero. */
gboolean trace_id_valid(const char *text);
gboolean span_id_valid(const char *text);
