/* Inside core/net only: percent-encoded text, and the fields of a query or form. Pure; every input is
 * hostile. */
#pragma once

#include <glib.h>

#define URL_FIELDS_MAX 100

typedef struct {
    char *name;
    char *value;
} UrlField;

void url_field_free(gpointer field);

/* %XX decoded, and "+" to a space when `form`. NULL for a broken escape, NUL, or what is not UTF-8. Caller
 * frees. */
char *url_decode(const char *text, gsize length, gboolean form);

/* "a=1&b=2" (application/x-www-form-urlencoded, WHATWG URL 5.1) in its order, repeated names included; a name
 * without "=" has an empty value, empty pieces are skipped. NULL with FUNDAMENT_ERROR_INVALID for a broken
 * escape or no UTF-8, FUNDAMENT_ERROR_LIMIT for more than URL_FIELDS_MAX fields. Array of UrlField*, freed
 * with its contents. */
GPtrArray *url_parse_fields(const char *text, gsize length, GError **error);

/* The first value with this name, or NULL. */
const char *url_field_find(const GPtrArray *fields, const char *name);
guint url_field_count(const GPtrArray *fields, const char *name);

/* An absolute path ("/v1/a%24b", without query) as its decoded segments, NULL-terminated. NULL with
 * FUNDAMENT_ERROR_INVALID for: no "/" in front, a broken escape, control characters, no UTF-8, an encoded "/"
 * or "\", and the segments "." and "..". Caller frees with g_strfreev. */
char **url_split_path(const char *path, gsize length, GError **error);
