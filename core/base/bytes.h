/* Bytes as text, randomness, and secrets. */
#pragma once

#include <glib.h>

/* base64url without padding, RFC 4648 section 5. Encoding returns a new string. */
char *base64url_encode(const void *data, gsize length);

/* Strict: only the alphabet, no padding, no white space, no stray bits in the last character (RFC 4648 3.5).
 * NULL with FUNDAMENT_ERROR_INVALID otherwise. `length` < 0 means up to the NUL. Empty text gives empty
 * bytes. */
GBytes *base64url_decode(const char *text, gssize length, GError **error);

/* Lower-case hexadecimal; decoding accepts lower case only and exactly `length` bytes. */
char *hex_encode(const void *data, gsize length);
gboolean hex_decode(const char *text, guint8 *out, gsize length);

/* Fills from the operating system's CSPRNG; ends the process if that fails, since nothing safe can follow. */
void random_fill(void *out, gsize length);

/* Overwrites in a way the compiler does not remove. */
void secret_wipe(void *data, gsize length);

/* Comparison in constant time for equal lengths; the lengths themselves are not secret. */
gboolean secret_equal(const void *a, gsize a_length, const void *b, gsize b_length);

/* Bytes that are wiped when the last reference goes. Takes a copy. */
GBytes *secret_bytes_new(const void *data, gsize length);
