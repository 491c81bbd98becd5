/* fundament outbox: what still has to reach other organisations. */
#include <stdio.h>
#include <string.h>

#include "app/commands.h"
#include "core/format/json.h"
#include "core/node/admin.h"

static void print_message(const json_t *message)
{
    const char *error = json_string_at(message, "last_error");
    printf("%" G_GINT64_FORMAT "  %s to %s  %s since %s, %" G_GINT64_FORMAT " tries, ",
           json_integer_at(message, "id"), json_string_at(message, "kind"),
           json_string_at(message, "destination"), json_boolean_at(message, "dead") ? "dead" : "waiting",
           json_string_at(message, "created_at"), json_integer_at(message, "tries"));
    if (json_boolean_at(message, "dead"))
        printf("retry with: fundament outbox retry %" G_GINT64_FORMAT, json_integer_at(message, "id"));
    else
        printf("next at %s", json_string_at(message, "next_try_at"));
    printf("%s%s\n", error == NULL ? "" : "\n    ", error == NULL ? "" : error);
}

static int list(const char *config, GError **error)
{
    size_t i;
    const json_t *message;
    g_autoptr(json_t) answer = admin_call(config, "GET", "/node/v1/outbox", NULL, error);
    if (answer == NULL)
        return 1;
    json_array_foreach(json_object_get(answer, "messages"), i, message) print_message(message);
    if (json_array_size(json_object_get(answer, "messages")) == 0)
        printf("the outbox is empty\n");
    return 0;
}

static int retry(const char *config, const char *id, GError **error)
{
    g_autofree char *escaped = g_uri_escape_string(id, NULL, FALSE);
    g_autofree char *path = g_strdup_printf("/node/v1/outbox/%s/retry", escaped);
    g_autoptr(json_t) answer = admin_call(config, "POST", path, NULL, error);
    return answer == NULL ? 1 : 0;
}

int command_outbox(int argc, char **argv)
{
    g_autofree char *config = NULL;
    g_autoptr(GError) error = NULL;
    int status = 0;
    const GOptionEntry options[] = {
        {"config", 'c', 0, G_OPTION_ARG_FILENAME, &config, "The configuration of the running node", "FILE"},
        G_OPTION_ENTRY_NULL,
    };
    if (!command_options(&argc, &argv, options, "list | retry ID",
                         "What still has to reach other organisations.", &status))
        return status;
    if (argc == 2 && strcmp(argv[1], "list") == 0)
        status = list(config, &error);
    else if (argc == 3 && strcmp(argv[1], "retry") == 0)
        status = retry(config, argv[2], &error);
    else
        return command_usage("usage: fundament outbox list | retry ID");
    return error == NULL ? status : admin_fail(error);
}
