#include "core/format/json.h"

#include <glib/gstdio.h>
#include <math.h>
#include <string.h>

#include "core/base/error.h"
#include "core/format/json_scan.h"
#include "core/format/json_text.h"

#define NAME_SHOWN 64                      /* characters of a member name that a message shows */
#define LARGEST_INTEGER 9007199254740991.0 /* 2^53-1 */
#define EXPONENT_FROM 1e21                 /* from here on ECMAScript prints an exponent */

const JsonLimits JSON_LIMITS_DEFAULT = {.bytes = 1024 * 1024, .depth = 32, .values = 100000};

/* A member name as a message may show it: bounded, and on one line. */
static char *name_for_message(const char *name, gsize length)
{
    GString *shown = g_string_new(NULL);
    const char *at = name;
    for (int n = 0; at < name + length && n < NAME_SHOWN; n++, at = g_utf8_next_char(at)) {
        gunichar c = g_utf8_get_char(at);
        g_string_append_unichar(shown, g_unichar_isprint(c) ? c : '?');
    }
    if (at < name + length)
        g_string_append(shown, "...");
    return g_string_free(shown, FALSE);
}

static void set_error_at(GError **error, const char *path, const char *name, const char *reason)
{
    g_autofree char *shown = name_for_message(name, strlen(name));
    gboolean has_path = path != NULL && *path != '\0';
    g_set_error(error, FUNDAMENT_ERROR, FUNDAMENT_ERROR_INVALID, "%s%s%s \"%s\"", has_path ? path : "",
                has_path ? ": " : "", reason, shown);
}

/* Says what jansson refused, without the piece of the text that it quotes. */
static void set_parse_error(const char *text, gsize length, const json_error_t *cause, GError **error)
{
    gboolean at_end = json_error_code(cause) == json_error_premature_end_of_input;
    gsize start = at_end ? length : json_scan_token_start(text, length, (gsize)MAX(cause->position, 0));
    g_autofree char *where = json_scan_where(text, start);
    switch (json_error_code(cause)) {
    case json_error_duplicate_key: {
        gsize name_length = (gsize)cause->position - start - 2;
        g_autofree char *name = name_for_message(text + start + 1, name_length);
        g_set_error(error, FUNDAMENT_ERROR, FUNDAMENT_ERROR_INVALID, "%sduplicate member \"%s\"", where,
                    name);
        break;
    }
    case json_error_numeric_overflow:
        g_set_error(error, FUNDAMENT_ERROR, FUNDAMENT_ERROR_INVALID, "%sthis number is too large", where);
        break;
    case json_error_premature_end_of_input:
        g_set_error(error, FUNDAMENT_ERROR, FUNDAMENT_ERROR_INVALID, "%sthe text ends too early", where);
        break;
    case json_error_end_of_input_expected:
        g_set_error(error, FUNDAMENT_ERROR, FUNDAMENT_ERROR_INVALID, "%stext after the end of the value",
                    where);
        break;
    default: {
        const char *quote = strstr(cause->text, " near ");
        int n = quote != NULL ? (int)(quote - cause->text) : (int)strlen(cause->text);
        g_set_error(error, FUNDAMENT_ERROR, FUNDAMENT_ERROR_INVALID, "%s%.*s", where, n, cause->text);
    }
    }
}

json_t *json_parse_flags(const char *text, gssize length, const JsonLimits *limits, JsonScanFlags flags,
                         GError **error)
{
    gsize n = length < 0 ? strlen(text) : (gsize)length;
    if (!json_scan(text, n, limits != NULL ? limits : &JSON_LIMITS_DEFAULT, flags, error))
        return NULL;
    json_error_t cause;
    json_t *value = json_loadb(text, n, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &cause);
    if (value == NULL)
        set_parse_error(text, n, &cause, error);
    return value;
}

json_t *json_parse_strict(const char *text, gssize length, const JsonLimits *limits, GError **error)
{
    return json_parse_flags(text, length, limits, JSON_SCAN_STRICT, error);
}

json_t *json_read_file(const char *path, const JsonLimits *limits, GError **error)
{
    const JsonLimits *bounds = limits != NULL ? limits : &JSON_LIMITS_DEFAULT;
    g_autoptr(GError) cause = NULL;
    g_autofree char *text = NULL;
    gsize length;
    GStatBuf status;
    if (g_stat(path, &status) == 0 && (guint64)status.st_size > bounds->bytes) {
        g_set_error(error, FUNDAMENT_ERROR, FUNDAMENT_ERROR_LIMIT,
                    "%s: the file of %" G_GINT64_FORMAT " bytes is larger than the %" G_GSIZE_FORMAT
                    " allowed",
                    path, (gint64)status.st_size, bounds->bytes);
        return NULL;
    }
    if (!g_file_get_contents(path, &text, &length, &cause)) {
        gboolean missing = g_error_matches(cause, G_FILE_ERROR, G_FILE_ERROR_NOENT);
        g_set_error(error, FUNDAMENT_ERROR, missing ? FUNDAMENT_ERROR_NOT_FOUND : FUNDAMENT_ERROR_IO,
                    "%s: cannot be read: %s", path, cause->message);
        return NULL;
    }
    json_t *value = json_parse_strict(text, (gssize)length, bounds, error);
    if (value == NULL)
        g_prefix_error(error, "%s: ", path);
    return value;
}

static gboolean kind_matches(const json_t *value, JsonKind kind)
{
    switch (kind) {
    case JSON_KIND_ANY:
        return TRUE;
    case JSON_KIND_STRING:
        return json_is_string(value);
    case JSON_KIND_INTEGER:
        return json_is_integer(value);
    case JSON_KIND_NUMBER:
        return json_is_number(value);
    case JSON_KIND_BOOLEAN:
        return json_is_boolean(value);
    case JSON_KIND_OBJECT:
        return json_is_object(value);
    case JSON_KIND_ARRAY:
        return json_is_array(value);
    }
    return FALSE;
}

static const JsonField *field_find(const JsonField *fields, gsize n_fields, const char *name)
{
    for (gsize i = 0; i < n_fields; i++)
        if (strcmp(fields[i].name, name) == 0)
            return &fields[i];
    return NULL;
}

gboolean json_check_object(const json_t *value, const char *path, const JsonField *fields, gsize n_fields,
                           GError **error)
{
    static const char *const kind_names[] = {
        [JSON_KIND_ANY] = "anything",       [JSON_KIND_STRING] = "a string",
        [JSON_KIND_INTEGER] = "an integer", [JSON_KIND_NUMBER] = "a number",
        [JSON_KIND_BOOLEAN] = "a boolean",  [JSON_KIND_OBJECT] = "an object",
        [JSON_KIND_ARRAY] = "an array",
    };
    const char *name;
    json_t *member;
    if (!json_is_object(value)) {
        g_set_error(error, FUNDAMENT_ERROR, FUNDAMENT_ERROR_INVALID, "%s must be an object",
                    path != NULL && *path != '\0' ? path : "the value");
        return FALSE;
    }
    json_t *object = (json_t *)value; /* json_object_foreach() only reads */
    json_object_foreach(object, name, member)
    {
        if (field_find(fields, n_fields, name) == NULL) {
            set_error_at(error, path, name, "unknown member");
            return FALSE;
        }
    }
    for (gsize i = 0; i < n_fields; i++) {
        if (fields[i].required && json_object_get(value, fields[i].name) == NULL) {
            set_error_at(error, path, fields[i].name, "missing member");
            return FALSE;
        }
    }
    for (gsize i = 0; i < n_fields; i++) {
        member = json_object_get(value, fields[i].name);
        if (member != NULL && !kind_matches(member, fields[i].kind)) {
            g_autofree char *reason = g_strdup_printf("must be %s: member", kind_names[fields[i].kind]);
            set_error_at(error, path, fields[i].name, reason);
            return FALSE;
        }
    }
    return TRUE;
}

const char *json_string_at(const json_t *object, const char *name)
{
    return json_string_value(json_object_get(object, name));
}

gint64 json_integer_at(const json_t *object, const char *name)
{
    return json_integer_value(json_object_get(object, name));
}

gboolean json_boolean_at(const json_t *object, const char *name)
{
    return json_is_true(json_object_get(object, name));
}

static void write_value(GString *out, const json_t *value);

static void write_object(GString *out, json_t *object)
{
    const char *name;
    json_t *member;
    char separator = '{';
    json_object_foreach(object, name, member)
    {
        g_string_append_c(out, separator);
        json_text_append_string(out, name, strlen(name));
        g_string_append_c(out, ':');
        write_value(out, member);
        separator = ',';
    }
    g_string_append(out, separator == '{' ? "{}" : "}");
}

static void write_array(GString *out, const json_t *array)
{
    gsize index;
    json_t *element;
    g_string_append_c(out, '[');
    json_array_foreach(array, index, element)
    {
        if (index > 0)
            g_string_append_c(out, ',');
        write_value(out, element);
    }
    g_string_append_c(out, ']');
}

static void write_value(GString *out, const json_t *value)
{
    if (json_is_object(value))
        write_object(out, (json_t *)value);
    else if (json_is_array(value))
        write_array(out, value);
    else
        json_text_append_scalar(out, value);
    /* a real that prints as an integer beyond 2^53-1 must stay a real, or json_parse_strict() would refuse it
     */
    if (json_is_real(value) && fabs(json_real_value(value)) > LARGEST_INTEGER &&
        fabs(json_real_value(value)) < EXPONENT_FROM)
        g_string_append(out, "e0");
}

/* Not json_dumps(): that prints 0.1 as 0.10000000000000001. */
char *json_write(const json_t *value)
{
    GString *out = g_string_new(NULL);
    write_value(out, value);
    return g_string_free(out, FALSE);
}
