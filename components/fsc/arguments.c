#include "components/fsc/arguments.h"

#include <string.h>

#include "core/base/clock.h"
#include "core/base/error.h"
#include "core/node/suggest.h"

#define WIDTH 79
#define DAY_S 86400

static const OptionSpec common[] = {
    {"--json", NULL, "print JSON, for programs", FALSE},
    {"--config", "FILE", "the node.conf of the node (else $FUNDAMENT_CONF, ./node.conf)", FALSE},
    {"--help", NULL, "print this", FALSE},
};

typedef struct {
    const OptionSpec *spec;
    GPtrArray *values; /* borrowed from argv; NULL at the end; empty for an absent one */
    gboolean given;
} Given;

struct arguments {
    GPtrArray *words; /* borrowed from argv */
    GArray *options;  /* Given */
    GPtrArray *copies;
};

static gboolean usage(GError **error, const char *format, ...) G_GNUC_PRINTF(2, 3);

static gboolean usage(GError **error, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    g_autofree char *text = g_strdup_vprintf(format, arguments);
    va_end(arguments);
    g_set_error_literal(error, FUNDAMENT_ERROR, FUNDAMENT_ERROR_USAGE, text);
    return FALSE;
}

static void add_options(Arguments *arguments, const OptionSpec *options, gsize count)
{
    for (gsize i = 0; i < count; i++) {
        Given given = {.spec = &options[i], .values = g_ptr_array_new()};
        g_array_append_val(arguments->options, given);
    }
}

void arguments_free(Arguments *arguments)
{
    for (guint i = 0; i < arguments->options->len; i++)
        g_ptr_array_unref(g_array_index(arguments->options, Given, i).values);
    g_array_unref(arguments->options);
    g_ptr_array_unref(arguments->words);
    g_ptr_array_unref(arguments->copies);
    g_free(arguments);
}

static Given *find(const Arguments *arguments, const char *name, gsize length)
{
    for (guint i = 0; i < arguments->options->len; i++) {
        Given *given = &g_array_index(arguments->options, Given, i);
        if (strlen(given->spec->name) == length && strncmp(given->spec->name, name, length) == 0)
            return given;
    }
    return NULL;
}

static gboolean refuse_unknown(const Arguments *arguments, const char *word, GError **error)
{
    g_autoptr(GPtrArray) known = g_ptr_array_new();
    g_autofree char *name = g_strndup(word, strcspn(word, "="));
    for (guint i = 0; i < arguments->options->len; i++)
        g_ptr_array_add(known, (gpointer)g_array_index(arguments->options, Given, i).spec->name);
    g_ptr_array_add(known, NULL);
    const char *near = suggest(name, (const char *const *)known->pdata);
    return near != NULL ? usage(error, "unknown option %s; did you mean %s?", name, near)
                        : usage(error, "unknown option %s; see --help", name);
}

/* Takes the option at `argv[*at]` and its value. */
static gboolean take_option(Arguments *arguments, int argc, char *const *argv, int *at, GError **error)
{
    const char *word = argv[*at], *equals = strchr(word, '=');
    Given *given = find(arguments, word, equals != NULL ? (gsize)(equals - word) : strlen(word));
    if (given == NULL)
        return refuse_unknown(arguments, word, error);
    const OptionSpec *spec = given->spec;
    if (given->given && !spec->repeats && spec->value != NULL)
        return usage(error, "%s is there twice", spec->name);
    given->given = TRUE;
    if (spec->value == NULL)
        return equals == NULL || usage(error, "%s takes no value", spec->name);
    if (equals == NULL && *at + 1 >= argc)
        return usage(error, "%s needs a value: %s %s", spec->name, spec->name, spec->value);
    g_ptr_array_add(given->values, (gpointer)(equals != NULL ? equals + 1 : argv[++*at]));
    return TRUE;
}

static gboolean check_words(const CommandSpec *spec, const Arguments *arguments, GError **error)
{
    if (arguments->words->len < spec->least)
        return usage(error, "usage: fundament fsc %s %s [options]; see --help", spec->name, spec->words);
    if (arguments->words->len > spec->most)
        return usage(error, "\"%s\" is one word too many; usage: fundament fsc %s%s%s [options]",
                     (const char *)g_ptr_array_index(arguments->words, spec->most), spec->name,
                     *spec->words != '\0' ? " " : "", spec->words);
    return TRUE;
}

Arguments *arguments_read(const CommandSpec *spec, int argc, char *const *argv, GError **error)
{
    g_autoptr(Arguments) arguments = g_new0(Arguments, 1);
    gboolean words_only = FALSE;
    arguments->words = g_ptr_array_new();
    arguments->copies = g_ptr_array_new_with_free_func(g_free);
    arguments->options = g_array_new(FALSE, FALSE, sizeof(Given));
    add_options(arguments, spec->options, spec->n_options);
    add_options(arguments, common, G_N_ELEMENTS(common));
    for (int i = 0; i < argc; i++) {
        if (!words_only && g_str_equal(argv[i], "--"))
            words_only = TRUE;
        else if (words_only || strncmp(argv[i], "--", 2) != 0)
            g_ptr_array_add(arguments->words, argv[i]);
        else if (!take_option(arguments, argc, argv, &i, error))
            return NULL;
    }
    for (guint i = 0; i < arguments->options->len; i++)
        g_ptr_array_add(g_array_index(arguments->options, Given, i).values, NULL);
    if (!arguments_flag(arguments, "--help") && !check_words(spec, arguments, error))
        return NULL;
    return g_steal_pointer(&arguments);
}

const char *arguments_word(const Arguments *arguments, guint index)
{
    return index < arguments->words->len ? g_ptr_array_index(arguments->words, index) : NULL;
}

guint arguments_words(const Arguments *arguments)
{
    return arguments->words->len;
}

const char *const *arguments_values(const Arguments *arguments, const char *option)
{
    const Given *given = find(arguments, option, strlen(option));
    g_assert(given != NULL); /* a command asks only for what is in its table */
    return (const char *const *)given->values->pdata;
}

const char *arguments_value(const Arguments *arguments, const char *option)
{
    const char *const *values = arguments_values(arguments, option);
    const char *last = NULL;
    for (; *values != NULL; values++)
        last = *values;
    return last;
}

gboolean arguments_flag(const Arguments *arguments, const char *option)
{
    const Given *given = find(arguments, option, strlen(option));
    g_assert(given != NULL);
    return given->given;
}

gboolean arguments_number(const Arguments *arguments, const char *option, gint64 most, gint64 *out,
                          GError **error)
{
    const char *text = arguments_value(arguments, option);
    if (text == NULL || g_ascii_string_to_signed(text, 10, 0, most, out, NULL))
        return TRUE;
    return usage(error, "%s %s: a number from 0 to %" G_GINT64_FORMAT " is needed", option, text, most);
}

/* --- times --- */

gboolean arguments_time(const char *text, gint64 now_s, gint64 *out, GError **error)
{
    gint64 unix_ms;
    g_autofree char *whole =
        strlen(text) == strlen("2027-01-01") ? g_strconcat(text, "T00:00:00Z", NULL) : g_strdup(text);
    if (g_str_equal(text, "now")) {
        *out = now_s;
        return TRUE;
    }
    if (!clock_parse_rfc3339(whole, &unix_ms, NULL))
        return usage(error, "\"%s\" is no date: write 2027-01-01 or 2027-01-01T12:00:00Z", text);
    *out = unix_ms / 1000;
    return TRUE;
}

gboolean arguments_span(const char *text, gint64 *out, GError **error)
{
    static const struct {
        char unit;
        gint64 seconds;
    } units[] = {{'h', 3600}, {'d', DAY_S}, {'w', 7 * DAY_S}, {'y', 365 * DAY_S}};
    gsize length = strlen(text);
    g_autofree char *digits = g_strndup(text, length > 0 ? length - 1 : 0);
    gint64 count = 0;
    for (gsize i = 0; i < G_N_ELEMENTS(units); i++)
        if (length > 1 && text[length - 1] == units[i].unit &&
            g_ascii_string_to_signed(digits, 10, 1, 100000, &count, NULL)) {
            *out = count * units[i].seconds;
            return TRUE;
        }
    return usage(error, "\"%s\" is no length of time: write 12h, 90d, 4w or 2y", text);
}

/* --- help --- */

char *arguments_wrap(const char *text, guint indent, guint width)
{
    GString *out = g_string_new(NULL);
    gsize column = 0;
    g_auto(GStrv) words = g_strsplit(text, " ", -1);
    for (char **word = words; *word != NULL; word++) {
        gsize length = (gsize)g_utf8_strlen(*word, -1);
        if (word != words && column + 1 + length > width - indent) {
            g_string_append_printf(out, "\n%*s", (int)indent, "");
            column = 0;
        } else if (word != words) {
            g_string_append_c(out, ' ');
            column++;
        }
        g_string_append(out, *word);
        column += length;
    }
    return g_string_free(out, FALSE);
}

#define HELP_COLUMN 27

static void help_options(GString *out, const OptionSpec *options, gsize count)
{
    for (gsize i = 0; i < count; i++) {
        g_autofree char *left =
            g_strdup_printf("  %s%s%s", options[i].name, options[i].value != NULL ? " " : "",
                            options[i].value != NULL ? options[i].value : "");
        g_autofree char *help = arguments_wrap(options[i].help, HELP_COLUMN, WIDTH);
        if (strlen(left) + 1 < HELP_COLUMN)
            g_string_append_printf(out, "%-*s%s\n", HELP_COLUMN, left, help);
        else
            g_string_append_printf(out, "%s\n%*s%s\n", left, HELP_COLUMN, "", help);
    }
}

char *arguments_help(const CommandSpec *spec)
{
    GString *out = g_string_new(NULL);
    g_string_append_printf(out, "usage: fundament fsc %s%s%s [options]\n\n", spec->name,
                           *spec->words != '\0' ? " " : "", spec->words);
    g_autofree char *help = g_strdup_printf("%c%s.", g_ascii_toupper(spec->help[0]), spec->help + 1);
    g_autofree char *first = arguments_wrap(help, 0, WIDTH);
    g_string_append_printf(out, "%s\n", first);
    if (spec->text != NULL) {
        g_autofree char *more = arguments_wrap(spec->text, 0, WIDTH);
        g_string_append_printf(out, "%s\n", more);
    }
    g_string_append(out, "\nOptions:\n");
    help_options(out, spec->options, spec->n_options);
    help_options(out, common, G_N_ELEMENTS(common));
    return g_string_free(out, FALSE);
}
