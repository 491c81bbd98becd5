/* base64 with padding, RFC 4648 section 4, strict. For base64url see core/base/bytes.h. */
#pragma once

#include <glib.h>

/* Whether this is base64 and nothing else: only the alphabet, whole padding, no white space, no stray bits in
 * the last character (RFC 4648 3.5), so that no two texts stand for the same bytes. Empty text is. */
gboolean base64_valid(const char *text, gsize length);

/* NULL when it is not valid, or stands for fewer than `min` or more than `max` bytes. */
GBytes *base64_decode(const char *text, gsize length, gsize min, gsize max);

/* Exactly `size` bytes into `out`. */
gboolean base64_decode_to(const char *text, gsize length, guint8 *out, gsize size);
