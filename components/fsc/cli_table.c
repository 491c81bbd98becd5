/* The table of `fundament fsc ...`: which commands there are, and how a command line finds its row. */
#include "components/fsc/cli.h"

#include <stdio.h>
#include <string.h>

#include "components/fsc/cli_commands.h"
#include "components/fsc/internal.h"
#include "core/base/error.h"
#include "core/node/suggest.h"

#define OPTIONS(table) (table), G_N_ELEMENTS(table)

static const OptionSpec doctor_options[] = {
    {"--call", "PATH", "also send a real GET of PATH to the service; it is logged like all", FALSE},
};

const CommandSpec cli_commands[] = {
    {"doctor", "[SERVICE.PEER | GRANT_HASH | PEER]", 0, 1,
     "test a connection step by step, and name the first thing that is wrong with its mend",
     "Without a word: this node, and everything that its valid contracts connect. The exit status is 1 when "
     "anything is "
     "wrong. Keys and tokens are never printed.",
     OPTIONS(doctor_options), cli_doctor},
};
const gsize cli_commands_count = G_N_ELEMENTS(cli_commands);

/* --- dispatch --- */

static gboolean is_of_group(const CommandSpec *spec, const char *group)
{
    gsize length = strlen(group);
    return strncmp(spec->name, group, length) == 0 && spec->name[length] == ' ';
}

static void print_group(const char *group)
{
    printf("usage: fundament fsc %s COMMAND [options]\n\nCommands:\n", group);
    for (gsize i = 0; i < cli_commands_count; i++) {
        const CommandSpec *spec = &cli_commands[i];
        if (!is_of_group(spec, group))
            continue;
        g_autofree char *help = arguments_wrap(spec->help, 27, 79);
        printf("  %-24s %s\n", spec->name + strlen(group) + 1, help);
    }
    printf("\nEach has --help.\n");
}

static int unknown_of_group(const char *group, const char *word)
{
    g_autoptr(GPtrArray) names = g_ptr_array_new();
    g_autoptr(GError) error = NULL;
    for (gsize i = 0; i < cli_commands_count; i++)
        if (is_of_group(&cli_commands[i], group))
            g_ptr_array_add(names, (gpointer)(cli_commands[i].name + strlen(group) + 1));
    g_ptr_array_add(names, NULL);
    const char *near = suggest(word, (const char *const *)names->pdata);
    g_autofree char *list = g_strjoinv(" | ", (char **)names->pdata);
    if (near != NULL)
        g_set_error(&error, FUNDAMENT_ERROR, FUNDAMENT_ERROR_USAGE,
                    "unknown command \"%s\"; did you mean \"%s %s\"?", word, group, near);
    else
        g_set_error(&error, FUNDAMENT_ERROR, FUNDAMENT_ERROR_USAGE, "usage: fundament fsc %s %s", group,
                    list);
    return cli_fail(error);
}

static const CommandSpec *find(const char *first, const char *second)
{
    for (gsize i = 0; i < cli_commands_count; i++) {
        const CommandSpec *spec = &cli_commands[i];
        if (strcmp(spec->name, first) == 0 || (second != NULL && is_of_group(spec, first) &&
                                               strcmp(spec->name + strlen(first) + 1, second) == 0))
            return spec;
    }
    return NULL;
}

static int run(const CommandSpec *spec, int argc, char **argv)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(Arguments) arguments = arguments_read(spec, argc, argv, &error);
    if (arguments == NULL)
        return cli_fail(error);
    if (!arguments_flag(arguments, "--help"))
        return spec->run(arguments);
    g_autofree char *help = arguments_help(spec);
    fputs(help, stdout);
    return 0;
}

int fsc_cli_run(int argc, char **argv)
{
    const char *second = argc > 1 ? argv[1] : NULL;
    const CommandSpec *spec = find(argv[0], second);
    if (spec != NULL) {
        int taken = strchr(spec->name, ' ') != NULL ? 2 : 1;
        return run(spec, argc - taken, argv + taken);
    }
    if (second != NULL && strcmp(second, "--help") != 0)
        return unknown_of_group(argv[0], second);
    print_group(argv[0]);
    return second != NULL ? 0 : 2;
}
