/* fundament retention: what is past its time. */
#include <stdio.h>

#include "app/commands.h"
#include "core/format/json.h"
#include "core/node/admin.h"

static void print_results(const json_t *answer)
{
    size_t i;
    const json_t *result;
    printf("%-34s %-26s %12s %12s\n", "what", "of before", "number", "MiB");
    json_array_foreach(json_object_get(answer, "results"), i, result)
        printf("%-34s %-26s %12" G_GINT64_FORMAT " %12" G_GINT64_FORMAT "\n", json_string_at(result, "name"),
               json_string_at(result, "before"), json_integer_at(result, "count"),
               json_integer_at(result, "bytes") >> 20);
}

int command_retention(int argc, char **argv)
{
    g_autofree char *config = NULL;
    gboolean run = FALSE;
    int status = 0;
    const GOptionEntry options[] = {
        {"config", 'c', 0, G_OPTION_ARG_FILENAME, &config, "The configuration of the running node", "FILE"},
        {"run", 0, 0, G_OPTION_ARG_NONE, &run, "Removes it now; the node does so by itself every six hours",
         NULL},
        G_OPTION_ENTRY_NULL,
    };
    if (!command_options(&argc, &argv, options, NULL, "What is past its time and would be removed.", &status))
        return status;
    if (argc != 1)
        return command_usage("usage: fundament retention [--run]");
    g_autoptr(GError) error = NULL;
    g_autoptr(json_t) answer = admin_call(config, run ? "POST" : "GET", "/node/v1/retention", NULL, &error);
    if (answer == NULL)
        return admin_fail(error);
    print_results(answer);
    return 0;
}
