#include "core/node/backup.h"

#include <string.h>
#include <unistd.h>

#include "core/base/clock.h"
#include "core/base/error.h"
#include "core/crypto/certificate.h"
#include "core/format/jcs.h"
#include "core/format/json.h"
#include "core/node/node.h"
#include "core/node/place.h"
#include "core/node/tree.h"
#include "core/store/journal_copy.h"
#include "core/store/store_copy.h"

#define LINE_US G_USEC_PER_SEC /* between two lines of progress */

typedef struct {
    const Config *config;
    const Component *const *components;
    gsize n_components;
    const char *folder; /* that is being made */
    gboolean with_keys;
    BackupProgress progress;
    const char *what; /* is copied now */
    gint64 said_us;
    json_t *shards;
} Backup;

/* --- progress --- */

static void say(guint64 bytes, gpointer user_data)
{
    Backup *backup = user_data;
    gint64 now = g_get_monotonic_time();
    if (backup->progress == NULL || now < backup->said_us + LINE_US)
        return;
    backup->said_us = now;
    g_autofree char *line = g_strdup_printf("%s: %" G_GUINT64_FORMAT " MiB", backup->what, bytes >> 20);
    backup->progress(line);
}

/* --- the parts --- */

static gboolean write_store(Backup *backup, GError **error)
{
    g_autofree char *url = place_store_url(backup->config);
    g_autofree char *file = g_build_filename(backup->folder, store_copy_name(url), NULL);
    backup->what = "store";
    return store_copy(url, file, say, backup, error);
}

static json_t *extent_json(const char *shard, const JournalExtent *extent)
{
    g_autofree char *newest = clock_format_rfc3339(extent->newest_time_us / 1000);
    return json_pack("{ss, sI, sI, sI, ss}", "shard", shard, "first", (json_int_t)extent->first, "last",
                     (json_int_t)extent->last, "generation", (json_int_t)extent->generation, "newest",
                     newest);
}

static gboolean write_shard(Backup *backup, const char *from, const char *name, GError **error)
{
    JournalExtent extent;
    g_autofree char *source = g_build_filename(from, name, NULL);
    g_autofree char *target = g_build_filename(backup->folder, "journal", name, NULL);
    if (!journal_copy(source, target, say, backup, &extent, error))
        return FALSE;
    json_array_append_new(backup->shards, extent_json(name, &extent));
    return TRUE;
}

/* After the store, so that the journal holds at least all that the store has indexed. */
static gboolean write_journal(Backup *backup, GError **error)
{
    g_autofree char *from = place_journal(config_text(backup->config, "node", "data"));
    g_autofree char *to = g_build_filename(backup->folder, "journal", NULL);
    g_autoptr(GDir) shards = g_dir_open(from, 0, NULL);
    gboolean good = tree_make_folder(to, error);
    backup->what = "journal";
    for (const char *name = shards == NULL ? NULL : g_dir_read_name(shards); good && name != NULL;
         name = g_dir_read_name(shards))
        good = write_shard(backup, from, name, error);
    return good && tree_sync(to, error);
}

static void each_file(const ConfigKey *keys, gsize n_keys, const Config *config, BackupFile each,
                      gpointer user_data)
{
    for (gsize i = 0; i < n_keys; i++) {
        const char *path = keys[i].kind == CONFIG_FILE && strchr(keys[i].section, '*') == NULL
                               ? config_text(config, keys[i].section, keys[i].key)
                               : NULL;
        g_autofree char *name = g_strdup_printf("%s.%s", keys[i].section, keys[i].key);
        if (path != NULL)
            each(name, path, user_data);
    }
}

void backup_config_files(const Config *config, const Component *const *components, gsize n_components,
                         BackupFile each, gpointer user_data)
{
    gsize n_keys;
    const ConfigKey *keys = node_config_keys(&n_keys);
    each_file(keys, n_keys, config, each, user_data);
    for (gsize i = 0; i < n_components; i++)
        each_file(components[i]->config, components[i]->n_config, config, each, user_data);
}

typedef struct {
    const char *folder;
    GError *error;
} ConfigFiles;

static void write_config_file(const char *name, const char *path, gpointer user_data)
{
    ConfigFiles *files = user_data;
    g_autofree char *target = g_build_filename(files->folder, "config", name, NULL);
    if (files->error == NULL && access(path, F_OK) == 0)
        tree_copy_file(path, target, &files->error);
}

static gboolean write_config(Backup *backup, GError **error)
{
    ConfigFiles files = {.folder = backup->folder};
    g_autofree char *target = g_build_filename(backup->folder, "config", "node.conf", NULL);
    if (!tree_copy_file(config_path(backup->config), target, error))
        return FALSE;
    backup_config_files(backup->config, backup->components, backup->n_components, write_config_file, &files);
    if (files.error == NULL)
        return TRUE;
    g_propagate_error(error, files.error);
    return FALSE;
}

static gboolean write_keys(Backup *backup, GError **error)
{
    const char *keys = config_text(backup->config, "node", "keys");
    g_autoptr(GPtrArray) files = tree_files(keys, error);
    gboolean good = files != NULL;
    for (guint i = 0; good && i < files->len; i++) {
        g_autofree char *from = g_build_filename(keys, files->pdata[i], NULL);
        g_autofree char *to = g_build_filename(backup->folder, "keys", files->pdata[i], NULL);
        good = tree_copy_file(from, to, error);
    }
    return good;
}

/* --- the manifest --- */

static json_t *files_json(const Backup *backup, GError **error)
{
    g_autoptr(GPtrArray) files = tree_files(backup->folder, error);
    g_autoptr(json_t) list = json_array();
    for (guint i = 0; files != NULL && i < files->len; i++) {
        guint64 size = 0;
        g_autofree char *path = g_build_filename(backup->folder, files->pdata[i], NULL);
        g_autofree char *digest = tree_digest(path, &size, error);
        if (digest == NULL)
            return NULL;
        json_array_append_new(list, json_pack("{ss, sI, ss}", "name", files->pdata[i], "size",
                                              (json_int_t)size, "sha256", digest));
    }
    return files == NULL ? NULL : json_incref(list);
}

static char *oin_of(const Config *config)
{
    g_autofree char *path = g_build_filename(config_text(config, "node", "keys"), "manager.crt", NULL);
    g_autoptr(Certificate) certificate = certificate_load(path, NULL);
    return g_strdup(certificate == NULL ? "" : certificate_peer_id(certificate));
}

static gboolean write_manifest(const Backup *backup, GError **error)
{
    g_autoptr(json_t) files = files_json(backup, error);
    if (files == NULL)
        return FALSE;
    g_autofree char *oin = oin_of(backup->config);
    g_autofree char *now = clock_format_rfc3339(clock_now_ms(clock_system()));
    g_autoptr(json_t) content =
        json_pack("{si, ss, ss, ss, ss, sO, sO, sb}", "format", BACKUP_FORMAT, "version", FUNDAMENT_VERSION,
                  "oin", oin, "group", config_text(backup->config, "node", "group"), "made", now, "journal",
                  backup->shards, "files", files, "keys", backup->with_keys);
    g_autofree char *canonical = jcs_write(content, error);
    if (canonical == NULL)
        return FALSE;
    g_autofree char *digest = g_compute_checksum_for_string(G_CHECKSUM_SHA256, canonical, -1);
    g_autoptr(json_t) manifest = json_pack("{sO, ss}", "content", content, "sha256", digest);
    g_autofree char *text = json_write(manifest);
    g_autofree char *path = g_build_filename(backup->folder, BACKUP_MANIFEST, NULL);
    return tree_write_file(path, text, error) && tree_sync(backup->folder, error);
}

/* --- all of it --- */

static gboolean write_parts(Backup *backup, GError **error)
{
    return tree_make_folder(backup->folder, error) && write_store(backup, error) &&
           write_journal(backup, error) && write_config(backup, error) &&
           (!backup->with_keys || write_keys(backup, error)) && write_manifest(backup, error);
}

gboolean backup_write(const Config *config, const Component *const *components, gsize n_components,
                      const char *target, gboolean with_keys, BackupProgress progress, GError **error)
{
    if (access(target, F_OK) == 0) {
        g_set_error(error, FUNDAMENT_ERROR, FUNDAMENT_ERROR_CONFLICT,
                    "%s is there already; a backup gets a folder of its own", target);
        return FALSE;
    }
    g_autofree char *making = g_strconcat(target, BACKUP_MAKING, NULL);
    g_autoptr(json_t) shards = json_array();
    Backup backup = {.config = config,
                     .components = components,
                     .n_components = n_components,
                     .folder = making,
                     .with_keys = with_keys,
                     .progress = progress,
                     .shards = shards};
    /* What a backup that was cut short left behind goes first. */
    if (tree_remove(making, error) && write_parts(&backup, error) && tree_rename(making, target, error))
        return TRUE;
    tree_remove(making, NULL);
    return FALSE;
}
