/* fundament keys: the keys of this node, until when, and what must be done about them. */
#include <stdio.h>

#include "app/commands.h"
#include "app/components.h"
#include "core/format/json.h"
#include "core/node/keys.h"
#include "core/node/node.h"

#define DATE_LENGTH 10

static void print_key(const json_t *key)
{
    const char *fault = json_string_at(key, "fault");
    g_autofree char *end = g_strdup("no end");
    if (json_is_integer(json_object_get(key, "not_after"))) {
        g_autofree char *whole = clock_format_rfc3339(json_integer_at(key, "not_after") * 1000);
        g_free(end);
        end = g_strdup_printf("%.*s (%" G_GINT64_FORMAT " days)", DATE_LENGTH, whole,
                              json_integer_at(key, "days_left"));
    }
    printf("%-12s %-8s %-24s %s\n", json_string_at(key, "name"), json_string_at(key, "state"), end,
           json_string_at(key, "use"));
    if (fault != NULL)
        printf("             %s\n", fault);
}

/* 1 when something must be done now. */
static int print_all(const json_t *keys)
{
    size_t i;
    int status = 0;
    const json_t *key;
    json_array_foreach(keys, i, key)
    {
        const char *state = json_string_at(key, "state");
        if (g_str_equal(state, key_state_name(KEY_ABSENT)))
            continue;
        print_key(key);
        if (g_str_equal(state, key_state_name(KEY_EXPIRED)) || g_str_equal(state, key_state_name(KEY_BROKEN)))
            status = 1;
    }
    return status;
}

int command_keys(int argc, char **argv)
{
    g_autofree char *given = NULL;
    gboolean as_json = FALSE;
    int status = 0;
    const GOptionEntry options[] = {
        {"config", 'c', 0, G_OPTION_ARG_FILENAME, &given, "The configuration of the node", "FILE"},
        {"json", 0, 0, G_OPTION_ARG_NONE, &as_json, "Print JSON", NULL},
        G_OPTION_ENTRY_NULL,
    };
    if (!command_options(&argc, &argv, options, "",
                         "The keys of this node, until when, and whether something must be done about them.\n"
                         "The exit status is 1 when one has expired or is broken.",
                         &status))
        return status;
    if (argc != 1)
        return command_usage("fundament keys [--config FILE] [--json]");
    g_autofree char *path = config_choose_path(given);
    g_autoptr(Config) config = node_load_config(path, components, components_count);
    if (config == NULL)
        return 1;
    g_autoptr(json_t) keys = keys_list(config, clock_now_s(clock_system()));
    if (!as_json)
        return print_all(keys);
    g_autofree char *text = json_write(keys);
    printf("%s\n", text);
    return 0;
}
