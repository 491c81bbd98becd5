/* Mustache, the official specification's interpolation, sections, inverted sections, comments, partials and
 * delimiters (https://github.com/mustache/spec 1.4); no lambdas. {{name}} escapes & < > " ' for HTML text and
 * attributes; {{{name}}} and {{&name}} do not and are for text that this program made as HTML itself.
 *
 * A missing name renders as nothing, as the specification says. False, null, a missing name and the empty
 * array make a section disappear; the empty string, 0 and the empty object are values like any other and do
 * not. Numbers are printed as ECMAScript does, booleans as true and false, objects and arrays as nothing.
 *
 * Depth of partials is bounded at 16, of sections within one template at 64, and the pieces that one page is
 * made of at four million (FUNDAMENT_ERROR_LIMIT), because nested sections over arrays multiply.
 */
#pragma once

#include <glib.h>
#include <jansson.h>

/* Gives the text of a partial, or NULL when there is none (which renders as nothing). Borrowed. */
typedef const char *(*MustachePartial)(const char *name, gpointer user_data);

/* NULL with FUNDAMENT_ERROR_INVALID and the line for an unclosed tag or section. `partial` may be NULL.
 * Caller frees. */
char *mustache_render(const char *template_text, const json_t *context, MustachePartial partial,
                      gpointer user_data, GError **error);

/* Appends `text` with & < > " ' escaped. */
void html_escape_append(GString *out, const char *text);
