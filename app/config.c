#include <stdio.h>
#include <string.h>

#include "app/commands.h"
#include "app/components.h"
#include "core/node/node.h"

static const char *const kind_names[] = {
    [CONFIG_TEXT] = "text",  [CONFIG_INTEGER] = "number", [CONFIG_BOOLEAN] = "yes or no",
    [CONFIG_LIST] = "words", [CONFIG_PATH] = "path",      [CONFIG_FILE] = "file",
    [CONFIG_OIN] = "OIN",    [CONFIG_URL] = "URL",        [CONFIG_ADDRESS] = "ip:port",
};

static int check(const char *given)
{
    g_autofree char *path = config_choose_path(given);
    g_autoptr(Config) config = node_load_config(path, components, components_count);
    if (config == NULL)
        return 1;
    printf("%s: no faults\n", path);
    return 0;
}

/* One line a key, so that grep finds it. */
static void print_key(const ConfigKey *key)
{
    g_autofree char *name = g_strdup_printf("[%s] %s", key->section, key->key);
    g_autofree char *words = key->choices == NULL ? NULL : g_strjoinv(", ", (char **)key->choices);
    printf("%-26s %s (%s%s%s", name, key->help, kind_names[key->kind], words == NULL ? "" : ": ",
           words == NULL ? "" : words);
    if (key->required)
        printf("; required");
    if (key->fallback != NULL)
        printf("; default %s", key->fallback);
    printf(")\n");
}

static int print_keys(void)
{
    gsize count = 0;
    const ConfigKey *own = node_config_keys(&count);
    for (gsize i = 0; i < count; i++)
        print_key(&own[i]);
    printf("%-26s IP address of the host NAME, for calls to other organisations (any number)\n",
           "[hosts] NAME");
    for (gsize i = 0; i < components_count; i++) {
        for (gsize j = 0; j < components[i]->n_config; j++)
            print_key(&components[i]->config[j]);
    }
    return 0;
}

int command_config(int argc, char **argv)
{
    int status = 0;
    if (!command_options(
            &argc, &argv, NULL, "check [FILE] | keys",
            "check: says every fault of node.conf, each with its line. keys: every section and key.",
            &status))
        return status;
    if (argc >= 2 && argc <= 3 && strcmp(argv[1], "check") == 0)
        return check(argc == 3 ? argv[2] : NULL);
    if (argc == 2 && strcmp(argv[1], "keys") == 0)
        return print_keys();
    return command_usage("usage: fundament config check [FILE] | keys");
}
