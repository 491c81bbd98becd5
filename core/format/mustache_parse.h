/* A mustache template as a flat list of tokens; for mustache.c only. */
#pragma once

#include <glib.h>

typedef enum {
    MUSTACHE_TEXT,
    MUSTACHE_ESCAPED,
    MUSTACHE_UNESCAPED,
    MUSTACHE_SECTION,
    MUSTACHE_INVERTED,
    MUSTACHE_PARTIAL
} MustacheKind;

/* All pointers lead into the template. */
typedef struct {
    MustacheKind kind;
    const char *text; /* the text itself, or the name in a tag */
    gsize length;
    const char *indent; /* white space before a partial that stands alone on its line */
    gsize indent_length;
    guint end; /* index of the token that follows; for a section, of the one after its last inner token */
} MustacheToken;

/* Array of MustacheToken; comments, delimiters and closing tags leave no token. NULL with
 * FUNDAMENT_ERROR_INVALID and the line. */
GArray *mustache_parse(const char *template_text, GError **error);
