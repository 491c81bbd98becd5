/* fundament: the table of subcommands. */
#include <locale.h>
#include <stdio.h>
#include <string.h>

#include "app/commands.h"
#include "app/components.h"
#include "core/node/suggest.h"

static int command_help(int argc, char **argv);

static const Command commands[] = {
    {"serve", "[--config FILE]", "run the node", command_serve},
    {"edge", "[--print | --test | --reload | --daemon | --upgrade]", "run nginx with Inway and Outway",
     command_edge},
    {"config", "check [FILE] | keys", "check node.conf, or list its keys", command_config},
    {"outbox", "list | retry ID", "what still has to reach other organisations", command_outbox},
    {"backup", "[--with-keys] FOLDER | --verify FOLDER", "all that the node has, in a new folder",
     command_backup},
    {"restore", "[--config FILE] FOLDER", "bring a backup back into an empty place", command_restore},
    {"retention", "[--run]", "what is past its time, and would be removed", command_retention},
    {"audit", "[--actor NAME] [--action ACTION] [--csv]", "who did what and looked at what", command_audit},
    {"keys", "[--config FILE] [--json]", "the keys of this node, and until when", command_keys},
    {"pki", "create | issue | officer | revoke", "certificates for tests, and for officers", command_pki},
    {"version", "", "the version of this program", command_version},
    {"help", "", "this list", command_help},
};

int command_version(int argc, char **argv)
{
    printf("fundament %s\n", FUNDAMENT_VERSION);
    return 0;
}

#define HELP_COLUMN 36
#define WIDTH 79

/* What does not fit a line beside its command stands below it. */
static void print_command(const char *prefix, const Command *command)
{
    g_autofree char *left = g_strdup_printf("  fundament %s%s %s", prefix, command->name, command->arguments);
    gboolean fits = strlen(left) < HELP_COLUMN && HELP_COLUMN + strlen(command->help) < WIDTH;
    if (fits)
        printf("%-*s %s\n", HELP_COLUMN, left, command->help);
    else
        printf("%s\n      %s\n", left, command->help);
}

static void print_component(const Component *component)
{
    g_autofree char *prefix = g_strdup_printf("%s ", component->name);
    for (gsize i = 0; i < component->n_commands; i++)
        print_command(prefix, &component->commands[i]);
}

static int command_help(int argc, char **argv)
{
    printf("fundament %s: the node of one organisation\n\n", FUNDAMENT_VERSION);
    for (gsize i = 0; i < G_N_ELEMENTS(commands); i++)
        print_command("", &commands[i]);
    for (gsize i = 0; i < components_count; i++)
        print_component(components[i]);
    printf("\nEach has --help. The exit status is 0, 1 for an error, 2 for wrong usage.\n");
    return 0;
}

static int unknown(const char *what, const char *word, const GPtrArray *known)
{
    const char *near = suggest(word, (const char *const *)known->pdata);
    if (near != NULL)
        return command_usage("unknown %s \"%s\"; did you mean \"%s\"?", what, word, near);
    return command_usage("unknown %s \"%s\"; see fundament --help", what, word);
}

/* `argv[0]` becomes the name of the command, and the program's name in messages "serve" or "fsc contracts".
 */
static int run_command(const Command *command, const char *name, int argc, char **argv)
{
    g_set_prgname(name);
    return command->run(argc, argv);
}

static int run_component(const Component *component, int argc, char **argv)
{
    g_autoptr(GPtrArray) names = g_ptr_array_new();
    if (argc < 2 || strcmp(argv[1], "--help") == 0) {
        print_component(component);
        return argc < 2 ? 2 : 0;
    }
    for (gsize i = 0; i < component->n_commands; i++) {
        const Command *command = &component->commands[i];
        g_autofree char *name = g_strdup_printf("%s %s", component->name, command->name);
        if (strcmp(argv[1], command->name) == 0)
            return run_command(command, name, argc - 1, argv + 1);
        g_ptr_array_add(names, (gpointer)command->name);
    }
    g_ptr_array_add(names, NULL);
    g_autofree char *what = g_strdup_printf("command of %s", component->name);
    return unknown(what, argv[1], names);
}

static int dispatch(int argc, char **argv)
{
    g_autoptr(GPtrArray) names = g_ptr_array_new();
    for (gsize i = 0; i < G_N_ELEMENTS(commands); i++) {
        if (strcmp(argv[0], commands[i].name) == 0)
            return run_command(&commands[i], commands[i].name, argc, argv);
        g_ptr_array_add(names, (gpointer)commands[i].name);
    }
    for (gsize i = 0; i < components_count; i++) {
        if (strcmp(argv[0], components[i]->name) == 0)
            return run_component(components[i], argc, argv);
        g_ptr_array_add(names, (gpointer)components[i]->name);
    }
    g_ptr_array_add(names, NULL);
    return unknown("command", argv[0], names);
}

int main(int argc, char **argv)
{
    setlocale(LC_ALL, "C.UTF-8");
    component_table_set(components, components_count);
    if (argc < 2)
        return command_usage("say what to do; see fundament --help");
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0)
        return command_help(argc, argv);
    if (strcmp(argv[1], "--version") == 0)
        return command_version(argc, argv);
    return dispatch(argc - 1, argv + 1);
}
