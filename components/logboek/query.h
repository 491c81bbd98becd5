/* Reading LDV records from SQL, in the shape of the read extension: dataProcessingOperations. */
#pragma once

#include <jansson.h>

#include "components/logboek/record.h"
#include "core/store/store.h"

#define OPERATIONS_LIMIT_MAX 1000

typedef struct {
    const char *const *subjects; /* pseudonyms of one person, NULL-terminated; required */
    const char *trace_id;        /* 32 hexadecimal digits, or NULL */
    const char *activity;        /* processing_activity_id, or NULL */
    gint64 from_ms, until_ms;    /* of start_time, both included; 0: open */
    guint limit;                 /* 1..OPERATIONS_LIMIT_MAX */
    const char *cursor;          /* of the page before, or NULL */
} OperationQuery;

/* Newest first (by start_time). `*next_cursor` is NULL when this is the last page; caller frees.
 * FUNDAMENT_ERROR_INVALID for a bad cursor. */
json_t *operations_query(Store *store, const OperationQuery *query, char **next_cursor, GError **error);

/* One record as an item. `flagged`: other content was there first under its key. Pure. */
json_t *operation_json(const Record *record, gboolean flagged);

/* "7bba9f33-312b-3dab-c8f8-e90c7c61f194" or the 32 digits, any case, to 32 lower-case digits. FALSE for
 * anything else. */
gboolean trace_id_parse(const char *text, char out[TRACE_ID_SIZE]);
