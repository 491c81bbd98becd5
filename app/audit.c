/* fundament audit: who did what. */
#include <stdio.h>
#include <string.h>

#include "app/commands.h"
#include "core/base/error.h"
#include "core/format/json.h"
#include "core/node/admin.h"

typedef struct {
    char *config, *actor, *action, *object, *from, *to;
    int limit;
    gboolean csv;
} Options;

static void options_clear(Options *options)
{
    g_free(options->config);
    g_free(options->actor);
    g_free(options->action);
    g_free(options->object);
    g_free(options->from);
    g_free(options->to);
}

static void add(GString *path, const char *name, const char *value)
{
    if (value == NULL)
        return;
    g_autofree char *escaped = g_uri_escape_string(value, NULL, FALSE);
    g_string_append_printf(path, "&%s=%s", name, escaped);
}

static void print_entries(const json_t *answer)
{
    size_t i;
    const json_t *entry;
    json_array_foreach(json_object_get(answer, "entries"), i, entry)
        printf("%s  %-16s %-13s %-24s %-8s %s\n", json_string_at(entry, "time"),
               json_string_at(entry, "actor"), json_string_at(entry, "role"), json_string_at(entry, "action"),
               json_string_at(entry, "outcome"), json_string_at(entry, "object"));
    if (json_array_size(json_object_get(answer, "entries")) == 0)
        printf("nothing was found\n");
}

static gboolean show(const Options *options, GError **error)
{
    g_autoptr(GString) path = g_string_new("/node/v1/audit?");
    g_string_append_printf(path, "form=%s", options->csv ? "csv" : "json");
    add(path, "actor", options->actor);
    add(path, "action", options->action);
    add(path, "object", options->object);
    add(path, "from", options->from);
    add(path, "to", options->to);
    if (options->limit > 0)
        g_string_append_printf(path, "&limit=%d", options->limit);
    g_autoptr(json_t) answer = admin_call(options->config, "GET", path->str, NULL, error);
    if (answer == NULL)
        return FALSE;
    if (options->csv)
        fputs(json_is_string(answer) ? json_string_value(answer) : "", stdout);
    else
        print_entries(answer);
    return TRUE;
}

int command_audit(int argc, char **argv)
{
    Options options = {0};
    const GOptionEntry entries[] = {
        {"config", 'c', 0, G_OPTION_ARG_FILENAME, &options.config, "The configuration of the running node",
         "FILE"},
        {"actor", 0, 0, G_OPTION_ARG_STRING, &options.actor, "Only of this officer, or uid:N", "NAME"},
        {"action", 0, 0, G_OPTION_ARG_STRING, &options.action, "Only actions that begin so: fsc.contract",
         "ACTION"},
        {"object", 0, 0, G_OPTION_ARG_STRING, &options.object, "Only about this: a hash, a number", "ID"},
        {"from", 0, 0, G_OPTION_ARG_STRING, &options.from, "From this day: 2026-11-21", "DAY"},
        {"to", 0, 0, G_OPTION_ARG_STRING, &options.to, "Until and with this day", "DAY"},
        {"limit", 0, 0, G_OPTION_ARG_INT, &options.limit,
         "How many, newest first (default 100; 50000 with --csv)", "N"},
        {"csv", 0, 0, G_OPTION_ARG_NONE, &options.csv, "As comma-separated values", NULL},
        G_OPTION_ENTRY_NULL,
    };
    int status = 0;
    g_autoptr(GError) error = NULL;
    if (command_options(&argc, &argv, entries, NULL,
                        "The audit log: what administrators and officers did and looked at, newest first.",
                        &status)) {
        if (argc > 1)
            status = command_usage("audit takes no \"%s\"; see fundament audit --help", argv[1]);
        else if (!show(&options, &error))
            status = admin_fail(error);
    }
    options_clear(&options);
    return status;
}
