/* The words behind a command: a table says which options it has; help and errors come from the same table.
 * Pure. */
#pragma once

#include <glib.h>

typedef struct arguments Arguments;

typedef struct {
    const char *name;  /* "--not-after" */
    const char *value; /* "DATE", as help shows it; NULL: a flag */
    const char *help;  /* one line */
    gboolean repeats;  /* may be there more than once */
} OptionSpec;

typedef struct {
    const char *name;  /* "contract propose" */
    const char *words; /* "SERVICE.PEER", as help shows them */
    guint least, most; /* how many words */
    const char *help;  /* one line */
    const char *text;  /* what more --help says; may be NULL */
    const OptionSpec *options;
    gsize n_options;
    int (*run)(const Arguments *arguments); /* the exit status */
} CommandSpec;

/* Options come in any place, as `--name VALUE` or `--name=VALUE`; behind `--` everything is a word. `argv`
 * begins behind the name of the command. Every command has --help, --config FILE and --json. NULL with
 * FUNDAMENT_ERROR_USAGE: unknown option (with the nearest one), value missing, too few or too many words. */
Arguments *arguments_read(const CommandSpec *spec, int argc, char *const *argv, GError **error);
void arguments_free(Arguments *arguments);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Arguments, arguments_free)

/* Borrowed; NULL when absent. */
const char *arguments_word(const Arguments *arguments, guint index);
guint arguments_words(const Arguments *arguments);
const char *arguments_value(const Arguments *arguments, const char *option); /* the last one */
gboolean arguments_flag(const Arguments *arguments, const char *option);
/* All values of an option that repeats, in their order; NULL-terminated, never NULL. Borrowed. */
const char *const *arguments_values(const Arguments *arguments, const char *option);
/* A non-negative number. FALSE with FUNDAMENT_ERROR_USAGE; `*out` is left alone when the option is absent. */
gboolean arguments_number(const Arguments *arguments, const char *option, gint64 most, gint64 *out,
                          GError **error);

/* What --help prints: at most 79 columns. Caller frees. */
char *arguments_help(const CommandSpec *spec);

/* "2027-01-01", "2027-01-01T12:00:00Z" or "now", as seconds since the epoch. FALSE with
 * FUNDAMENT_ERROR_USAGE. */
gboolean arguments_time(const char *text, gint64 now_s, gint64 *out, GError **error);
/* "90d", "12h", "2y": seconds. FALSE with FUNDAMENT_ERROR_USAGE. */
gboolean arguments_span(const char *text, gint64 *out, GError **error);
/* `text` in lines of at most `width`, each after the first with `indent` spaces in front. Caller frees. */
char *arguments_wrap(const char *text, guint indent, guint width);
