#include "core/format/mustache_parse.h"

#include <string.h>

#include "core/base/error.h"

#define SECTIONS_MAX 64 /* depth; rendering recurses into each */

typedef struct {
    const char *template_text;
    const char *at; /* what has not been read yet */
    char *open;     /* delimiters, owned */
    char *close;
    GArray *tokens;   /* of MustacheToken */
    GArray *sections; /* indices of the open ones, of guint */
} Parser;

/* One tag as it stands in the template. */
typedef struct {
    const char *start;   /* of the opening delimiter */
    const char *after;   /* behind the closing one */
    char sigil;          /* # ^ / ! > = & {, or '\0' for a plain name */
    const char *content; /* without white space around it */
    gsize length;
    const char *line;        /* start of the line if the tag stands alone on it, else `start` */
    const char *continue_at; /* behind the end of that line, else `after` */
} Tag;

static void set_error(const Parser *parser, const char *at, const char *reason, GError **error)
{
    guint line = 1;
    for (const char *c = parser->template_text; c < at; c++)
        line += *c == '\n';
    g_set_error(error, FUNDAMENT_ERROR, FUNDAMENT_ERROR_INVALID, "line %u: %s", line, reason);
}

static void add_token(Parser *parser, MustacheToken token)
{
    token.end = parser->tokens->len + 1;
    g_array_append_val(parser->tokens, token);
}

static void add_text(Parser *parser, const char *from, const char *to)
{
    if (to > from)
        add_token(parser, (MustacheToken){.kind = MUSTACHE_TEXT, .text = from, .length = (gsize)(to - from)});
}

static gboolean is_blank(char c)
{
    return c == ' ' || c == '\t';
}

/* Specification, sections, comments, partials, delimiters: "Standalone" tags take their whole line with them.
 */
static void find_line(const Parser *parser, Tag *tag)
{
    const char *line = tag->start;
    const char *end = tag->after;
    tag->line = tag->start;
    tag->continue_at = tag->after;
    while (line > parser->template_text && is_blank(line[-1]))
        line--;
    while (is_blank(*end))
        end++;
    if (line > parser->template_text && line[-1] != '\n')
        return;
    if (*end == '\r' && end[1] == '\n')
        end++;
    if (*end != '\n' && *end != '\0')
        return;
    tag->line = line;
    tag->continue_at = *end == '\n' ? end + 1 : end;
}

static void trim(const char **text, const char *end, gsize *length)
{
    while (*text < end && g_ascii_isspace(**text))
        (*text)++;
    while (end > *text && g_ascii_isspace(end[-1]))
        end--;
    *length = (gsize)(end - *text);
}

/* Reads the tag whose opening delimiter stands at `start`. */
static gboolean read_tag(const Parser *parser, const char *start, Tag *tag, GError **error)
{
    const char *content = start + strlen(parser->open);
    while (g_ascii_isspace(*content))
        content++;
    tag->start = start;
    tag->sigil = *content != '\0' && strchr("#^/!>=&{", *content) != NULL ? *content : '\0';
    if (tag->sigil != '\0')
        content++;
    /* {{{name}}} and {{=<% %>=}} end with their sigil and then the delimiter */
    const char *before_close = tag->sigil == '{' ? "}" : tag->sigil == '=' ? "=" : "";
    g_autofree char *close = g_strconcat(before_close, parser->close, NULL);
    const char *end = strstr(content, close);
    if (end == NULL) {
        set_error(parser, start, "this tag is never closed", error);
        return FALSE;
    }
    tag->after = end + strlen(close);
    tag->content = content;
    trim(&tag->content, end, &tag->length);
    find_line(parser, tag);
    if (tag->length == 0 && tag->sigil != '!') {
        set_error(parser, start, "this tag has no name", error);
        return FALSE;
    }
    return TRUE;
}

static gboolean add_value(Parser *parser, const Tag *tag, GError **error)
{
    MustacheKind kind = tag->sigil == '\0' ? MUSTACHE_ESCAPED : MUSTACHE_UNESCAPED;
    add_token(parser, (MustacheToken){.kind = kind, .text = tag->content, .length = tag->length});
    return TRUE;
}

static gboolean add_partial(Parser *parser, const Tag *tag, GError **error)
{
    add_token(parser, (MustacheToken){.kind = MUSTACHE_PARTIAL,
                                      .text = tag->content,
                                      .length = tag->length,
                                      .indent = tag->line,
                                      .indent_length = (gsize)(tag->start - tag->line)});
    return TRUE;
}

static gboolean open_section(Parser *parser, const Tag *tag, GError **error)
{
    MustacheKind kind = tag->sigil == '#' ? MUSTACHE_SECTION : MUSTACHE_INVERTED;
    guint index = parser->tokens->len;
    if (parser->sections->len == SECTIONS_MAX) {
        set_error(parser, tag->start, "sections are nested too deep", error);
        return FALSE;
    }
    add_token(parser, (MustacheToken){.kind = kind, .text = tag->content, .length = tag->length});
    g_array_append_val(parser->sections, index);
    return TRUE;
}

static gboolean close_section(Parser *parser, const Tag *tag, GError **error)
{
    guint open = parser->sections->len;
    MustacheToken *section = NULL;
    if (open > 0)
        section =
            &g_array_index(parser->tokens, MustacheToken, g_array_index(parser->sections, guint, open - 1));
    if (section == NULL || section->length != tag->length ||
        memcmp(section->text, tag->content, tag->length) != 0) {
        set_error(parser, tag->start, "this tag closes a section that is not the open one", error);
        return FALSE;
    }
    section->end = parser->tokens->len;
    g_array_set_size(parser->sections, open - 1);
    return TRUE;
}

static gboolean skip_comment(Parser *parser, const Tag *tag, GError **error)
{
    return TRUE;
}

static gboolean set_delimiters(Parser *parser, const Tag *tag, GError **error)
{
    static const char blanks[] = " \t\r\n";
    g_autofree char *open = g_strndup(tag->content, tag->length);
    char *close = open + strcspn(open, blanks);
    gsize between = strspn(close, blanks);
    if (between == 0 || strpbrk(close + between, blanks) != NULL || strchr(open, '=') != NULL) {
        set_error(parser, tag->start, "delimiters are two words without \"=\" in them", error);
        return FALSE;
    }
    g_free(parser->close);
    parser->close = g_strdup(close + between);
    *close = '\0';
    g_free(parser->open);
    parser->open = g_steal_pointer(&open);
    return TRUE;
}

/* Values keep their line; every other tag may take it along. */
static const struct {
    char sigil;
    gboolean standalone;
    gboolean (*apply)(Parser *parser, const Tag *tag, GError **error);
} tag_kinds[] = {
    {'\0', FALSE, add_value},  {'&', FALSE, add_value},   {'{', FALSE, add_value},
    {'#', TRUE, open_section}, {'^', TRUE, open_section}, {'/', TRUE, close_section},
    {'>', TRUE, add_partial},  {'!', TRUE, skip_comment}, {'=', TRUE, set_delimiters},
};

static gboolean apply_tag(Parser *parser, const Tag *tag, GError **error)
{
    for (gsize i = 0; i < G_N_ELEMENTS(tag_kinds); i++) {
        if (tag_kinds[i].sigil != tag->sigil)
            continue;
        gboolean standalone = tag_kinds[i].standalone;
        add_text(parser, parser->at, standalone ? tag->line : tag->start);
        parser->at = standalone ? tag->continue_at : tag->after;
        return tag_kinds[i].apply(parser, tag, error);
    }
    return FALSE;
}

static gboolean parse_all(Parser *parser, GError **error)
{
    const char *start;
    while ((start = strstr(parser->at, parser->open)) != NULL) {
        Tag tag;
        if (!read_tag(parser, start, &tag, error) || !apply_tag(parser, &tag, error))
            return FALSE;
    }
    add_text(parser, parser->at, parser->at + strlen(parser->at));
    if (parser->sections->len > 0) {
        guint index = g_array_index(parser->sections, guint, parser->sections->len - 1);
        set_error(parser, g_array_index(parser->tokens, MustacheToken, index).text,
                  "this section is never closed", error);
        return FALSE;
    }
    return TRUE;
}

GArray *mustache_parse(const char *template_text, GError **error)
{
    g_autoptr(GArray) tokens = g_array_new(FALSE, FALSE, sizeof(MustacheToken));
    g_autoptr(GArray) sections = g_array_new(FALSE, FALSE, sizeof(guint));
    Parser parser = {.template_text = template_text,
                     .at = template_text,
                     .open = g_strdup("{{"),
                     .close = g_strdup("}}"),
                     .tokens = tokens,
                     .sections = sections};
    gboolean parsed = parse_all(&parser, error);
    g_free(parser.open);
    g_free(parser.close);
    return parsed ? g_steal_pointer(&tokens) : NULL;
}
