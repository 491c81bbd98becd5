#include "core/net/url.h"

#include <string.h>

#include "core/base/error.h"

char *url_decode(const char *text, gsize length, gboolean form)
{
    g_autofree char *out = g_malloc(length + 1);
    gsize n = 0;
    for (gsize i = 0; i < length; i++) {
        char c = text[i];
        if (c == '%') {
            if (length - i < 3 || !g_ascii_isxdigit(text[i + 1]) || !g_ascii_isxdigit(text[i + 2]))
                return NULL;
            c = (char)(g_ascii_xdigit_value(text[i + 1]) * 16 + g_ascii_xdigit_value(text[i + 2]));
            i += 2;
        } else if (c == '+' && form) {
            c = ' ';
        }
        if (c == '\0')
            return NULL;
        out[n++] = c;
    }
    out[n] = '\0';
    return g_utf8_validate(out, (gssize)n, NULL) ? g_steal_pointer(&out) : NULL;
}

void url_field_free(gpointer data)
{
    UrlField *field = data;
    g_free(field->name);
    g_free(field->value);
    g_free(field);
}

/* One "name=value". FALSE when it cannot be decoded. */
static gboolean add_field(GPtrArray *fields, const char *piece, gsize length)
{
    const char *equals = memchr(piece, '=', length);
    gsize name_length = equals == NULL ? length : (gsize)(equals - piece);
    g_autofree char *name = url_decode(piece, name_length, TRUE);
    g_autofree char *value =
        equals == NULL ? g_strdup("") : url_decode(equals + 1, length - name_length - 1, TRUE);
    if (name == NULL || value == NULL)
        return FALSE;
    UrlField *field = g_new(UrlField, 1);
    field->name = g_steal_pointer(&name);
    field->value = g_steal_pointer(&value);
    g_ptr_array_add(fields, field);
    return TRUE;
}

GPtrArray *url_parse_fields(const char *text, gsize length, GError **error)
{
    g_autoptr(GPtrArray) fields = g_ptr_array_new_with_free_func(url_field_free);
    const char *end = text + length;
    while (text < end) {
        const char *ampersand = memchr(text, '&', (gsize)(end - text));
        const char *piece_end = ampersand == NULL ? end : ampersand;
        if (piece_end > text) {
            if (fields->len == URL_FIELDS_MAX) {
                g_set_error(error, FUNDAMENT_ERROR, FUNDAMENT_ERROR_LIMIT, "more than %d fields",
                            URL_FIELDS_MAX);
                return NULL;
            }
            if (!add_field(fields, text, (gsize)(piece_end - text))) {
                g_set_error(error, FUNDAMENT_ERROR, FUNDAMENT_ERROR_INVALID,
                            "field %u is not percent-encoded UTF-8", fields->len + 1);
                return NULL;
            }
        }
        text = ampersand == NULL ? end : ampersand + 1;
    }
    return g_steal_pointer(&fields);
}

const char *url_field_find(const GPtrArray *fields, const char *name)
{
    for (guint i = 0; i < fields->len; i++) {
        const UrlField *field = fields->pdata[i];
        if (strcmp(field->name, name) == 0)
            return field->value;
    }
    return NULL;
}

guint url_field_count(const GPtrArray *fields, const char *name)
{
    guint count = 0;
    for (guint i = 0; i < fields->len; i++)
        count += strcmp(((const UrlField *)fields->pdata[i])->name, name) == 0;
    return count;
}

/* What no segment may hold once it is decoded: it would be read as another path by someone further on. */
static const char *segment_fault(const char *segment)
{
    if (segment == NULL)
        return "is not percent-encoded UTF-8";
    if (strcmp(segment, ".") == 0 || strcmp(segment, "..") == 0)
        return "is a dot segment";
    for (const char *c = segment; *c != '\0'; c++) {
        if (g_ascii_iscntrl(*c))
            return "holds a control character";
        if (*c == '/' || *c == '\\')
            return "holds an encoded slash";
    }
    return NULL;
}

char **url_split_path(const char *path, gsize length, GError **error)
{
    if (length == 0 || path[0] != '/') {
        g_set_error(error, FUNDAMENT_ERROR, FUNDAMENT_ERROR_INVALID, "the path must begin with \"/\"");
        return NULL;
    }
    g_autoptr(GPtrArray) segments = g_ptr_array_new_with_free_func(g_free);
    const char *end = path + length;
    const char *start = path + 1;
    for (;;) {
        const char *slash = memchr(start, '/', (gsize)(end - start));
        const char *stop = slash == NULL ? end : slash;
        g_ptr_array_add(segments, url_decode(start, (gsize)(stop - start), FALSE));
        const char *fault = segment_fault(segments->pdata[segments->len - 1]);
        if (fault != NULL) {
            g_set_error(error, FUNDAMENT_ERROR, FUNDAMENT_ERROR_INVALID, "segment %u of the path %s",
                        segments->len, fault);
            return NULL;
        }
        if (slash == NULL)
            break;
        start = slash + 1;
    }
    g_ptr_array_add(segments, NULL);
    return (char **)g_ptr_array_free(g_steal_pointer(&segments), FALSE);
}
