#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "components/fsc/arguments.h"
#include "components/fsc/cli.h"
#include "core/base/error.h"

static const OptionSpec options[] = {
    {"--state", "STATE", "of the contract", FALSE},
    {"--property", "NAME=VALUE", "a property", TRUE},
    {"--limit", "NUMBER", "at most", FALSE},
    {"--yes", NULL, "do not ask", FALSE},
};
static const CommandSpec spec = {"contract test",       "HASH", 1, 2, "test it", "More of it.", options,
                                 G_N_ELEMENTS(options), NULL};

static Arguments *read_all(GError **error, const char *first, ...)
{
    char *argv[16];
    int argc = 0;
    va_list rest;
    va_start(rest, first);
    for (const char *word = first; word != NULL; word = va_arg(rest, const char *))
        argv[argc++] = (char *)word;
    va_end(rest);
    return arguments_read(&spec, argc, argv, error);
}

#define REFUSES(part, ...)                                                                                   \
    do {                                                                                                     \
        g_autoptr(GError) error = NULL;                                                                      \
        assert_null(read_all(&error, __VA_ARGS__, NULL));                                                    \
        assert_true(g_error_matches(error, FUNDAMENT_ERROR, FUNDAMENT_ERROR_USAGE));                         \
        assert_non_null(strstr(error->message, part));                                                       \
        assert_null(strchr(error->message, '\n'));                                                           \
    } while (0)

static void reads_options_in_any_place(void **state)
{
    g_autoptr(Arguments) arguments = read_all(NULL, "--state", "valid", "one", "--property=a=1", "--yes",
                                              "two", "--property", "b=2", NULL);
    assert_non_null(arguments);
    assert_string_equal(arguments_word(arguments, 0), "one");
    assert_string_equal(arguments_word(arguments, 1), "two");
    assert_null(arguments_word(arguments, 2));
    assert_string_equal(arguments_value(arguments, "--state"), "valid");
    assert_string_equal(arguments_values(arguments, "--property")[0], "a=1");
    assert_string_equal(arguments_values(arguments, "--property")[1], "b=2");
    assert_null(arguments_values(arguments, "--property")[2]);
    assert_true(arguments_flag(arguments, "--yes"));
    assert_false(arguments_flag(arguments, "--json"));
    assert_null(arguments_value(arguments, "--limit"));
}

static void takes_everything_behind_two_dashes_as_words(void **state)
{
    g_autoptr(Arguments) arguments = read_all(NULL, "--", "--state", "-x", NULL);
    assert_string_equal(arguments_word(arguments, 0), "--state");
    assert_string_equal(arguments_word(arguments, 1), "-x");
}

/* The digest of a hash may begin with one. */
static void takes_a_word_that_begins_with_one_dash(void **state)
{
    g_autoptr(Arguments) arguments = read_all(NULL, "-skZdbx2DoZ", NULL);
    assert_string_equal(arguments_word(arguments, 0), "-skZdbx2DoZ");
}

static void refuses_what_is_not_in_the_table(void **state)
{
    REFUSES("did you mean --state?", "one", "--stat", "valid");
    REFUSES("unknown option --frobnicate; see --help", "one", "--frobnicate");
    REFUSES("--state needs a value: --state STATE", "one", "--state");
    REFUSES("--state is there twice", "one", "--state", "a", "--state", "b");
    REFUSES("--yes takes no value", "one", "--yes=1");
    REFUSES("usage: fundament fsc contract test HASH", "--yes");
    REFUSES("\"three\" is one word too many", "one", "two", "three");
}

static void help_needs_no_words(void **state)
{
    g_autoptr(Arguments) arguments = read_all(NULL, "--help", NULL);
    assert_true(arguments_flag(arguments, "--help"));
}

static void reads_numbers_within_their_limit(void **state)
{
    gint64 number = 5;
    g_autoptr(GError) error = NULL;
    g_autoptr(Arguments) good = read_all(NULL, "one", "--limit", "10", NULL);
    g_autoptr(Arguments) none = read_all(NULL, "one", NULL);
    assert_true(arguments_number(none, "--limit", 100, &number, NULL));
    assert_int_equal(number, 5);
    assert_true(arguments_number(good, "--limit", 100, &number, NULL));
    assert_int_equal(number, 10);
    assert_false(arguments_number(good, "--limit", 9, &number, &error));
    assert_true(g_error_matches(error, FUNDAMENT_ERROR, FUNDAMENT_ERROR_USAGE));
    static const char *const bad[] = {"-1", "ten", "1.5", ""};
    for (gsize i = 0; i < G_N_ELEMENTS(bad); i++) {
        g_autoptr(Arguments) arguments = read_all(NULL, "one", "--limit", bad[i], NULL);
        assert_false(arguments_number(arguments, "--limit", 100, &number, NULL));
    }
}

static void reads_dates_and_lengths_of_time(void **state)
{
    gint64 out = 0;
    assert_true(arguments_time("2027-01-01", 5, &out, NULL));
    assert_int_equal(out, 1798761600);
    assert_true(arguments_time("2027-01-01T01:00:00+01:00", 5, &out, NULL));
    assert_int_equal(out, 1798761600);
    assert_true(arguments_time("now", 5, &out, NULL));
    assert_int_equal(out, 5);
    assert_true(arguments_span("90d", &out, NULL));
    assert_int_equal(out, 90 * 86400);
    assert_true(arguments_span("12h", &out, NULL));
    assert_int_equal(out, 12 * 3600);
    assert_true(arguments_span("2y", &out, NULL));
    assert_int_equal(out, 730 * 86400);
    static const char *const no_time[] = {"", "tomorrow", "2027-13-01", "2027-01-01T00:00:00", "01-01-2027"};
    for (gsize i = 0; i < G_N_ELEMENTS(no_time); i++) {
        g_autoptr(GError) error = NULL;
        assert_false(arguments_time(no_time[i], 5, &out, &error));
        assert_non_null(error);
    }
    static const char *const no_span[] = {"", "d", "90", "0d", "-1d", "90x", "9999999d", "1 d"};
    for (gsize i = 0; i < G_N_ELEMENTS(no_span); i++) {
        g_autoptr(GError) error = NULL;
        assert_false(arguments_span(no_span[i], &out, &error));
        assert_non_null(error);
    }
}

static void assert_fits(const char *text)
{
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
    for (char **line = lines; *line != NULL; line++)
        if (g_utf8_strlen(*line, -1) > 80)
            fail_msg("wider than 80: %s", *line);
}

/* Every command of the program: a line of help that says something, every option explained, nothing wider
 * than 80. */
static void every_command_has_help_that_fits(void **state)
{
    for (gsize i = 0; i < cli_commands_count; i++) {
        const CommandSpec *command = &cli_commands[i];
        g_autofree char *help = arguments_help(command);
        assert_true(strlen(command->help) > 10);
        assert_non_null(command->run);
        assert_non_null(strstr(help, command->name));
        for (gsize j = 0; j < command->n_options; j++) {
            assert_true(g_str_has_prefix(command->options[j].name, "--"));
            assert_true(strlen(command->options[j].help) > 5);
            assert_non_null(strstr(help, command->options[j].name));
        }
        assert_non_null(strstr(help, "--json"));
        assert_fits(help);
    }
}

static void wraps_words_and_indents_what_follows(void **state)
{
    g_autofree char *text = arguments_wrap("one two three four", 4, 14);
    assert_string_equal(text, "one two\n    three four");
    g_autofree char *longer = arguments_wrap("averyverylongword b", 2, 10);
    assert_string_equal(longer, "averyverylongword\n  b");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_options_in_any_place),
        cmocka_unit_test(takes_everything_behind_two_dashes_as_words),
        cmocka_unit_test(takes_a_word_that_begins_with_one_dash),
        cmocka_unit_test(refuses_what_is_not_in_the_table),
        cmocka_unit_test(help_needs_no_words),
        cmocka_unit_test(reads_numbers_within_their_limit),
        cmocka_unit_test(reads_dates_and_lengths_of_time),
        cmocka_unit_test(every_command_has_help_that_fits),
        cmocka_unit_test(wraps_words_and_indents_what_follows),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
