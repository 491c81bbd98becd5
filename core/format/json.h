/* Strict JSON: the one way in which text becomes a jansson value here.
 *
 * jansson does the parsing (JSON_REJECT_DUPLICATES, UTF-8 checked, I-JSON RFC 7493); a scan before it bounds
 * size, depth, and the number of values, so that hostile text costs no memory. Integers beyond 2^53-1 in
 * either direction are refused (RFC 7493 2.2): they would not survive JCS. Lone surrogates, Unicode
 * noncharacters and NUL in strings are refused (RFC 7493 2.1).
 *
 * json_t values are not thread safe for writing; a tree that nobody changes may be read from several threads.
 */
#pragma once

#include <glib.h>
#include <jansson.h>

G_DEFINE_AUTOPTR_CLEANUP_FUNC(json_t, json_decref)

typedef struct {
    gsize bytes;  /* of the text */
    guint depth;  /* of nesting; the outermost value is depth 1 */
    guint values; /* objects, arrays, members, strings, numbers, literals together */
} JsonLimits;

/* 1 MiB, depth 32, 100,000 values. */
extern const JsonLimits JSON_LIMITS_DEFAULT;

/* Parses exactly one value; white space around it is fine, anything else after it is not. `length` < 0 means
 * up to the NUL. `limits` may be NULL for the defaults. NULL with FUNDAMENT_ERROR_INVALID (or _LIMIT for a
 * limit), message with line and column, e.g. "line 3, column 12: duplicate member \"iv\"". Never quotes
 * values, only member names. */
json_t *json_parse_strict(const char *text, gssize length, const JsonLimits *limits, GError **error);

/* Whether text from elsewhere may become a string in JSON: UTF-8 without NUL and without noncharacters (RFC
 * 7493 2.1). json_parse_strict() has looked already; this is for text that came another way. `length` < 0: up
 * to the NUL. */
gboolean json_text_valid(const char *text, gssize length);

/* Reads a whole file through json_parse_strict; messages begin with the path. */
json_t *json_read_file(const char *path, const JsonLimits *limits, GError **error);

typedef enum {
    JSON_KIND_ANY,
    JSON_KIND_STRING,
    JSON_KIND_INTEGER,
    JSON_KIND_NUMBER,
    JSON_KIND_BOOLEAN,
    JSON_KIND_OBJECT,
    JSON_KIND_ARRAY
} JsonKind;

typedef struct {
    const char *name;
    JsonKind kind;
    gboolean required;
} JsonField;

/* Checks one object against a table of its members: kinds, required ones, and no others. `path` is where the
 * object stands, for messages ("content.grants[0].data"). FALSE with FUNDAMENT_ERROR_INVALID at the first
 * fault in the order of: not an object, unknown member, missing member, wrong kind. Use JSON_FIELDS(table)
 * for the last two arguments. */
gboolean json_check_object(const json_t *value, const char *path, const JsonField *fields, gsize n_fields,
                           GError **error);
#define JSON_FIELDS(table) (table), G_N_ELEMENTS(table)

/* Borrowed values for members that json_check_object() has vouched for; NULL, 0 or FALSE when absent. */
const char *json_string_at(const json_t *object, const char *name);
gint64 json_integer_at(const json_t *object, const char *name);
gboolean json_boolean_at(const json_t *object, const char *name);

/* Compact text, members in their own order, never ASCII-escaped; numbers as in JCS, except that a real beyond
 * 2^53-1 stays one (100000000000000000000e0), so that json_parse_strict() reads it back. Caller frees with
 * g_free. */
char *json_write(const json_t *value);
