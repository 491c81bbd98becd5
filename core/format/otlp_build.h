/* What the two readers of OTLP have in common: limits, and values as JSON. For core/format only. */
#pragma once

#include <glib.h>

#include "core/format/json.h"
#include "core/format/otlp.h"

#define OTLP_VALUE_DEPTH 8 /* of arrays and lists inside an attribute */

typedef struct {
    const OtlpLimits *limits;
    GPtrArray *spans; /* of OtlpSpan */
    guint values;     /* read so far, nested ones too */
} OtlpBuild;

/* Attributes of one span or resource while they are read. */
typedef struct {
    json_t *object; /* borrowed */
    guint count;    /* duplicates too */
} OtlpAttributes;

/* Bytes as they stand in the message; nothing when absent. */
typedef struct {
    const guint8 *data;
    gsize length;
} OtlpSlice;

/* FALSE with FUNDAMENT_ERROR_LIMIT when the message is too large. */
gboolean otlp_build_begin(OtlpBuild *build, gsize length, const OtlpLimits *limits, GError **error);

/* A span at the end of the list, which owns it; NULL with FUNDAMENT_ERROR_LIMIT when the list is full. */
OtlpSpan *otlp_build_span(OtlpBuild *build, json_t *resource, GError **error);

void otlp_build_ids(OtlpSpan *span, OtlpSlice trace, OtlpSlice id, OtlpSlice parent);

gboolean otlp_build_status(OtlpSpan *span, gint64 code, GError **error);

/* Text that may be kept: within the limit, and something that JSON can hold. */
gboolean otlp_build_text(const OtlpBuild *build, OtlpSlice text, GError **error);

/* A place for one more value. */
gboolean otlp_build_count(OtlpBuild *build, GError **error);

/* Adds `value`, whose reference is taken, unless the key is there already. */
gboolean otlp_build_attribute(OtlpBuild *build, OtlpAttributes *attributes, OtlpSlice key, json_t *value,
                              GError **error);

/* Puts `value`, whose reference is taken, under a key that has been checked, unless the key is there already.
 */
void otlp_build_member(json_t *object, OtlpSlice key, json_t *value);

json_t *otlp_build_integer(gint64 number);
json_t *otlp_build_real(double number);
json_t *otlp_build_bytes(OtlpSlice bytes);
