/* JSON Canonicalization Scheme, RFC 8785: the bytes over which FSC hashes are made. */
#pragma once

#include <glib.h>
#include <jansson.h>

/* UTF-8 without a BOM, members sorted by UTF-16 code units, no white space, numbers as ECMAScript prints
 * them. NULL with FUNDAMENT_ERROR_INVALID when the value holds NaN, infinity or an integer beyond 2^53-1.
 * Caller frees. Pure; thread safe while nobody changes `value`. */
char *jcs_write(const json_t *value, GError **error);

/* A double as ECMA-262 7.1.12.1 prints it; `out` of at least 32 bytes. FALSE for NaN and infinity. */
gboolean jcs_format_number(double number, char out[32]);
