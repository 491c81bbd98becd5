#include "components/fsc/turtle.h"

#include <glib.h>
#include <string.h>

/* Turtle 1.1, 6.4: STRING_LITERAL_QUOTE, with everything escaped that may not stand in it. */
static void write_string(GString *out, const char *text)
{
    g_string_append_c(out, '"');
    for (const char *c = text; *c != '\0'; c++) {
        if (*c == '"' || *c == '\\')
            g_string_append_printf(out, "\\%c", *c);
        else if (*c == '\n')
            g_string_append(out, "\\n");
        else if (*c == '\r')
            g_string_append(out, "\\r");
        else if ((guchar)*c < 0x20 || *c == 0x7f)
            g_string_append_printf(out, "\\u%04X", (guint)(guchar)*c);
        else
            g_string_append_c(out, *c);
    }
    g_string_append_c(out, '"');
}

/* Turtle 1.1, 6.4: IRIREF. What an IRI may not hold is written as its code point; it does not come here. */
static void write_iri(GString *out, const char *iri)
{
    g_string_append_c(out, '<');
    for (const char *c = iri; *c != '\0'; c++) {
        if ((guchar)*c <= 0x20 || strchr("<>\"{}|^`\\", *c) != NULL)
            g_string_append_printf(out, "\\u%04X", (guint)(guchar)*c);
        else
            g_string_append_c(out, *c);
    }
    g_string_append_c(out, '>');
}

static void write_node(GString *out, const json_t *node, guint depth);

static void write_value(GString *out, const json_t *value, guint depth)
{
    const char *id = json_string_value(json_object_get(value, "@id"));
    const char *text = json_string_value(json_object_get(value, "@value"));
    const char *language = json_string_value(json_object_get(value, "@language"));
    const char *type = json_string_value(json_object_get(value, "@type"));
    if (id != NULL) {
        write_iri(out, id);
        return;
    }
    if (text == NULL) {
        g_string_append(out, "[");
        write_node(out, value, depth + 1);
        g_string_append_printf(out, "\n%*s]", (int)(depth * 2), "");
        return;
    }
    write_string(out, text);
    if (language != NULL)
        g_string_append_printf(out, "@%s", language);
    else if (type != NULL)
        g_string_append_printf(out, "^^%s", type);
}

static void write_objects(GString *out, const json_t *value, gboolean are_types, guint depth)
{
    gsize count = json_is_array(value) ? json_array_size(value) : 1;
    for (gsize i = 0; i < count; i++) {
        const json_t *item = json_is_array(value) ? json_array_get(value, i) : value;
        g_string_append(out, i == 0 ? " " : ", ");
        if (are_types)
            g_string_append(out, json_string_value(item));
        else
            write_value(out, item, depth);
    }
}

/* Predicates and objects, without the subject. */
static void write_node(GString *out, const json_t *node, guint depth)
{
    const char *key, *separator = "";
    json_t *value;
    json_object_foreach((json_t *)node, key, value)
    {
        if (strcmp(key, "@id") == 0)
            continue;
        gboolean are_types = strcmp(key, "@type") == 0;
        g_string_append_printf(out, "%s\n%*s%s", separator, (int)(depth * 2), "", are_types ? "a" : key);
        write_objects(out, value, are_types, depth);
        separator = " ;";
    }
}

char *turtle_write(const json_t *document)
{
    const char *prefix;
    json_t *iri;
    gsize i;
    const json_t *node;
    GString *out = g_string_new(NULL);
    json_object_foreach(json_object_get(document, "@context"), prefix, iri)
        g_string_append_printf(out, "@prefix %s: <%s> .\n", prefix, json_string_value(iri));
    json_array_foreach(json_object_get(document, "@graph"), i, node)
    {
        g_string_append_c(out, '\n');
        write_iri(out, json_string_value(json_object_get(node, "@id")));
        write_node(out, node, 1);
        g_string_append(out, " .\n");
    }
    return g_string_free(out, FALSE);
}
