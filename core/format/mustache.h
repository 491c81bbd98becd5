/* Mustache, the official specification's interpolation, sections, inverted sections, comments, partials and delimiters
 * (https://github.com/mustache/spec 1.4); no lambdas. {{name}} escapes & < > " ' for HTML text and attributes; {{{name}}}
 * and {{&name}} do not and are for text that this program made as HTML itself.
 *
 * A missing name renders as nothing, as the specification says. Depth of partials is bounded at 16.
 */
#pragma once

#include <glib.h>
#include <jansson.h>

/* Gives the text of a partial, or NULL when there is none (which renders as nothing). Borrowed. */
typedef const char *(*MustachePartial)(const char *name, gpointer user_data);

/* NULL with FUNDAMENT_ERROR_INVALID and the line for an unclosed tag or section. `partial` may be NULL. Caller frees. */
char *mustache_render(const char *template_text, const json_t *context, MustachePartial partial, gpointer user_data,
                      GError **error);

/* Appends `text` with & < > " ' escaped. */
void html_escape_append(GString *out, const char *text);
