/* The scan that goes before jansson, for core/format only: it bounds what hostile text may cost, refuses what
 * I-JSON (RFC 7493) refuses and jansson lets through, and knows where in the text something stands. It judges
 * characters and tokens; the order of the tokens is jansson's to judge. */
#pragma once

#include <glib.h>

#include "core/format/json.h"

typedef enum {
    JSON_SCAN_STRICT = 0,
    JSON_SCAN_BIG_INTEGERS = 1 << 0 /* lets integers beyond 2^53-1 through, for formats that use them */
} JsonScanFlags;

gboolean json_scan(const char *text, gsize length, const JsonLimits *limits, JsonScanFlags flags,
                   GError **error);

/* json_parse_strict() with flags. */
json_t *json_parse_flags(const char *text, gssize length, const JsonLimits *limits, JsonScanFlags flags,
                         GError **error);

/* The first token of a scanned text that ends at `end` or later: its start; the end of the text when there is
 * none. */
gsize json_scan_token_start(const char *text, gsize length, gsize end);

/* "line 3, column 12: " for a byte offset; columns count characters. Caller frees. */
char *json_scan_where(const char *text, gsize offset);
