#include "core/format/mustache.h"

#include <string.h>

#include "core/base/error.h"
#include "core/format/jcs.h"
#include "core/format/mustache_parse.h"

#define PARTIALS_MAX 16    /* depth */
#define STEPS_MAX 4000000u /* pieces rendered; nested lists multiply, and a page never comes near */

typedef struct {
    MustachePartial partial;
    gpointer user_data;
    GPtrArray *stack; /* of const json_t *, borrowed, innermost last */
    GString *out;
    guint depth; /* of partials */
    guint steps;
} Renderer;

void html_escape_append(GString *out, const char *text)
{
    static const char *const entities[] = {
        ['&'] = "&amp;", ['<'] = "&lt;", ['>'] = "&gt;", ['"'] = "&quot;", ['\''] = "&#39;"};
    for (const char *at = text; *at != '\0'; at++) {
        guchar c = (guchar)*at;
        const char *entity = c < G_N_ELEMENTS(entities) ? entities[c] : NULL;
        if (entity != NULL)
            g_string_append(out, entity);
        else
            g_string_append_c(out, *at);
    }
}

/* The value of a name: "." is the innermost context; the first part of a dotted name is looked up outwards,
 * the other parts only inside what was found (specification, interpolation: "Dotted Names - Broken Chain
 * Resolution"). */
static const json_t *lookup(const Renderer *renderer, const char *name, gsize length)
{
    const json_t *value = NULL;
    if (length == 1 && name[0] == '.')
        return g_ptr_array_index(renderer->stack, renderer->stack->len - 1);
    const char *end = name + length;
    const char *dot = memchr(name, '.', length);
    gsize n = (gsize)((dot != NULL ? dot : end) - name);
    for (guint i = renderer->stack->len; i > 0 && value == NULL; i--)
        value = json_object_getn(g_ptr_array_index(renderer->stack, i - 1), name, n);
    while (dot != NULL && value != NULL) {
        const char *part = dot + 1;
        dot = memchr(part, '.', (gsize)(end - part));
        value = json_object_getn(value, part, (gsize)((dot != NULL ? dot : end) - part));
    }
    return value;
}

static gboolean is_false(const json_t *value)
{
    return value == NULL || json_is_null(value) || json_is_false(value) ||
           (json_is_array(value) && json_array_size(value) == 0);
}

/* Objects and arrays have no text. */
static void append_value(GString *out, const json_t *value, gboolean escape)
{
    char number[32];
    if (json_is_string(value) && escape)
        html_escape_append(out, json_string_value(value));
    else if (json_is_string(value))
        g_string_append(out, json_string_value(value));
    else if (json_is_integer(value))
        g_string_append_printf(out, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
    else if (json_is_real(value) && jcs_format_number(json_real_value(value), number))
        g_string_append(out, number);
    else if (json_is_boolean(value))
        g_string_append(out, json_is_true(value) ? "true" : "false");
}

static gboolean render_text(Renderer *renderer, const char *text, GError **error);
static gboolean render_tokens(Renderer *renderer, const GArray *tokens, guint from, guint to, GError **error);

/* The text of a partial with `indent` before each of its lines that is not empty. */
static char *indent_lines(const char *text, const char *indent, gsize indent_length)
{
    GString *out = g_string_new(NULL);
    while (*text != '\0') {
        const char *end = strchr(text, '\n');
        gsize length = end != NULL ? (gsize)(end + 1 - text) : strlen(text);
        if (*text != '\n')
            g_string_append_len(out, indent, (gssize)indent_length);
        g_string_append_len(out, text, (gssize)length);
        text += length;
    }
    return g_string_free(out, FALSE);
}

static gboolean render_partial(Renderer *renderer, const MustacheToken *token, GError **error)
{
    g_autofree char *name = g_strndup(token->text, token->length);
    const char *text = renderer->partial != NULL ? renderer->partial(name, renderer->user_data) : NULL;
    if (text == NULL)
        return TRUE;
    if (renderer->depth == PARTIALS_MAX) {
        g_set_error(error, FUNDAMENT_ERROR, FUNDAMENT_ERROR_INVALID,
                    "partial \"%s\": partials call each other more than %d deep", name, PARTIALS_MAX);
        return FALSE;
    }
    g_autofree char *indented = indent_lines(text, token->indent, token->indent_length);
    renderer->depth++;
    gboolean rendered = render_text(renderer, indented, error);
    renderer->depth--;
    if (!rendered)
        g_prefix_error(error, "partial \"%s\": ", name);
    return rendered;
}

/* The tokens inside a section, once with `context` as the innermost one. */
static gboolean render_inside(Renderer *renderer, const GArray *tokens, guint section, const json_t *context,
                              GError **error)
{
    guint end = g_array_index(tokens, MustacheToken, section).end;
    g_ptr_array_add(renderer->stack, (gpointer)context);
    gboolean rendered = render_tokens(renderer, tokens, section + 1, end, error);
    g_ptr_array_set_size(renderer->stack, (int)renderer->stack->len - 1);
    return rendered;
}

static gboolean render_section(Renderer *renderer, const GArray *tokens, guint section, GError **error)
{
    const MustacheToken *token = &g_array_index(tokens, MustacheToken, section);
    const json_t *value = lookup(renderer, token->text, token->length);
    gsize index;
    json_t *element;
    if (token->kind == MUSTACHE_INVERTED)
        return !is_false(value) || render_tokens(renderer, tokens, section + 1, token->end, error);
    if (is_false(value))
        return TRUE;
    if (!json_is_array(value))
        return render_inside(renderer, tokens, section, value, error);
    json_array_foreach(value, index,
                       element) if (!render_inside(renderer, tokens, section, element, error)) return FALSE;
    return TRUE;
}

static gboolean render_token(Renderer *renderer, const GArray *tokens, guint at, GError **error)
{
    const MustacheToken *token = &g_array_index(tokens, MustacheToken, at);
    switch (token->kind) {
    case MUSTACHE_TEXT:
        g_string_append_len(renderer->out, token->text, (gssize)token->length);
        return TRUE;
    case MUSTACHE_ESCAPED:
    case MUSTACHE_UNESCAPED:
        append_value(renderer->out, lookup(renderer, token->text, token->length),
                     token->kind == MUSTACHE_ESCAPED);
        return TRUE;
    case MUSTACHE_PARTIAL:
        return render_partial(renderer, token, error);
    case MUSTACHE_SECTION:
    case MUSTACHE_INVERTED:
        return render_section(renderer, tokens, at, error);
    }
    return FALSE;
}

static gboolean render_tokens(Renderer *renderer, const GArray *tokens, guint from, guint to, GError **error)
{
    for (guint at = from; at < to; at = g_array_index(tokens, MustacheToken, at).end) {
        if (++renderer->steps > STEPS_MAX) {
            g_set_error(error, FUNDAMENT_ERROR, FUNDAMENT_ERROR_LIMIT,
                        "the template renders more than %u pieces; show less at once", STEPS_MAX);
            return FALSE;
        }
        if (!render_token(renderer, tokens, at, error))
            return FALSE;
    }
    return TRUE;
}

static gboolean render_text(Renderer *renderer, const char *text, GError **error)
{
    g_autoptr(GArray) tokens = mustache_parse(text, error);
    return tokens != NULL && render_tokens(renderer, tokens, 0, tokens->len, error);
}

char *mustache_render(const char *template_text, const json_t *context, MustachePartial partial,
                      gpointer user_data, GError **error)
{
    g_autoptr(GPtrArray) stack = g_ptr_array_new();
    g_autoptr(GString) out = g_string_new(NULL);
    Renderer renderer = {.partial = partial, .user_data = user_data, .stack = stack, .out = out};
    g_ptr_array_add(stack, (gpointer)context);
    if (!render_text(&renderer, template_text, error))
        return NULL;
    return g_string_free(g_steal_pointer(&out), FALSE);
}
