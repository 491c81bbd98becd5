/* fundament backup, fundament restore: all that a node has, in one folder. */
#include <stdio.h>

#include "app/commands.h"
#include "app/components.h"
#include "core/format/json.h"
#include "core/node/admin.h"
#include "core/node/backup.h"
#include "core/node/node.h"

static void print_progress(const char *line)
{
    fprintf(stderr, "%s\n", line);
}

static void print_backup(const char *folder, const json_t *content)
{
    size_t i;
    const json_t *shard;
    printf("%s: backup of %s in %s, made %s by %s, %s keys\n", folder, json_string_at(content, "oin"),
           json_string_at(content, "group"), json_string_at(content, "made"),
           json_string_at(content, "version"), json_boolean_at(content, "keys") ? "with" : "WITHOUT");
    json_array_foreach(json_object_get(content, "journal"), i, shard)
    {
        printf("journal %s: records %" G_GINT64_FORMAT " to %" G_GINT64_FORMAT
               ", generation %" G_GINT64_FORMAT ", the newest of %s\n",
               json_string_at(shard, "shard"), json_integer_at(shard, "first"),
               json_integer_at(shard, "last"), json_integer_at(shard, "generation"),
               json_string_at(shard, "newest"));
    }
}

static int verify(const char *folder, gboolean quiet)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(json_t) content = backup_verify(folder, quiet ? NULL : print_progress, &error);
    if (content == NULL)
        return admin_fail(error);
    print_backup(folder, content);
    return 0;
}

static int backup(const char *given, const char *folder, gboolean with_keys, gboolean quiet)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *path = config_choose_path(given);
    g_autoptr(Config) config = node_load_config(path, components, components_count);
    if (config == NULL)
        return 1;
    if (!backup_write(config, components, components_count, folder, with_keys, quiet ? NULL : print_progress,
                      &error))
        return admin_fail(error);
    if (with_keys)
        fprintf(stderr, "%s holds private keys, not encrypted: keep it where only the node itself may read\n",
                folder);
    else
        fprintf(stderr,
                "the keys are not in it (--with-keys): keep a copy of %s apart; without its pseudonym "
                "keys nobody is found in the log\n",
                config_text(config, "node", "keys"));
    return 0;
}

int command_backup(int argc, char **argv)
{
    g_autofree char *config = NULL;
    gboolean with_keys = FALSE, check = FALSE, quiet = FALSE;
    int status = 0;
    const GOptionEntry options[] = {
        {"config", 'c', 0, G_OPTION_ARG_FILENAME, &config,
         "The configuration (default $FUNDAMENT_CONF, node.conf)", "FILE"},
        {"with-keys", 0, 0, G_OPTION_ARG_NONE, &with_keys, "With the private keys, which are not encrypted",
         NULL},
        {"verify", 0, 0, G_OPTION_ARG_NONE, &check, "Reads a backup and says whether it is whole", NULL},
        {"quiet", 'q', 0, G_OPTION_ARG_NONE, &quiet, "Without lines of progress", NULL},
        G_OPTION_ENTRY_NULL,
    };
    if (!command_options(&argc, &argv, options, "FOLDER",
                         "Makes a new folder with all that the node has, while it runs.", &status))
        return status;
    if (argc != 2)
        return command_usage("usage: fundament backup [--with-keys] FOLDER | --verify FOLDER");
    return check ? verify(argv[1], quiet) : backup(config, argv[1], with_keys, quiet);
}

int command_restore(int argc, char **argv)
{
    g_autofree char *given = NULL;
    gboolean check = FALSE, quiet = FALSE;
    int status = 0;
    const GOptionEntry options[] = {
        {"config", 'c', 0, G_OPTION_ARG_FILENAME, &given,
         "Where the node is to be (default $FUNDAMENT_CONF, node.conf); taken from the backup when it is not "
         "there",
         "FILE"},
        {"verify", 0, 0, G_OPTION_ARG_NONE, &check, "Only reads the backup", NULL},
        {"quiet", 'q', 0, G_OPTION_ARG_NONE, &quiet, "Without lines of progress", NULL},
        G_OPTION_ENTRY_NULL,
    };
    if (!command_options(&argc, &argv, options, "FOLDER", "Brings a backup back into an empty place.",
                         &status))
        return status;
    if (argc != 2)
        return command_usage("usage: fundament restore [--config FILE] FOLDER");
    if (check)
        return verify(argv[1], quiet);
    g_autoptr(GError) error = NULL;
    g_autofree char *chosen = config_choose_path(given);
    g_autofree char *path = g_canonicalize_filename(chosen, NULL);
    if (!backup_restore(argv[1], path, components, components_count, quiet ? NULL : print_progress, &error))
        return admin_fail(error);
    printf("restored; the journal goes on as a new generation\n");
    return 0;
}
