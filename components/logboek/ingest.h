/* What the two ways in over OTLP/HTTP share: POST /v1/traces and POST /v1/logs. */
#pragma once

#include "components/logboek/internal.h"

typedef enum { BODY_PROTOBUF, BODY_JSON, BODY_OTHER } BodyKind;

/* The spans (or, with `logs`, the log records) of the request, as OtlpSpan*; NULL when it has answered. */
GPtrArray *ingest_read(Request *request, gboolean logs, BodyKind *kind);

/* An error in the encoding of the request. */
void ingest_respond_status(Request *request, BodyKind kind, guint status, const char *message);
/* 503, with when to try again. */
void ingest_respond_unavailable(Request *request, BodyKind kind, const GError *error);

/* What was not taken, with the reasons of the first few. */
typedef struct {
    gint64 count;
    GString *reasons;
} Rejections;

/* `what` is "span" or "record"; the number counts from 0. */
void ingest_reject(Rejections *rejections, const char *what, guint number, const char *reason);
