/* Values that hold no other values as JSON text, the way RFC 8785 3.2.2 prescribes; for core/format only. */
#pragma once

#include <glib.h>
#include <jansson.h>

/* A string in quotes, with the shortest escapes of RFC 8785 3.2.2.2. */
void json_text_append_string(GString *out, const char *text, gsize length);

/* A string, number, true, false or null; NaN and infinity, which JSON cannot hold, as null. */
void json_text_append_scalar(GString *out, const json_t *value);
