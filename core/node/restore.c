/* A backup, read and brought back: core/node/backup.h. */
#include "core/node/backup.h"

#include <string.h>
#include <unistd.h>

#include "core/base/error.h"
#include "core/format/jcs.h"
#include "core/format/json.h"
#include "core/node/node.h"
#include "core/node/place.h"
#include "core/node/tree.h"
#include "core/store/journal_copy.h"
#include "core/store/store_copy.h"

#define SQLITE "sqlite:"
#define MANIFEST_MAX ((gsize)16 * 1024 * 1024)
#define SHARD_MAX 9999

static gboolean refuse(GError **error, const char *folder, const char *why)
{
    g_set_error(error, FUNDAMENT_ERROR, FUNDAMENT_ERROR_INVALID, "%s is not a sound backup: %s", folder, why);
    return FALSE;
}

/* --- reading the manifest --- */

static const JsonField manifest_fields[] = {
    {"content", JSON_KIND_OBJECT, TRUE},
    {"sha256", JSON_KIND_STRING, TRUE},
};
static const JsonField content_fields[] = {
    {"format", JSON_KIND_INTEGER, TRUE}, {"version", JSON_KIND_STRING, TRUE},
    {"oin", JSON_KIND_STRING, TRUE},     {"group", JSON_KIND_STRING, TRUE},
    {"made", JSON_KIND_STRING, TRUE},    {"journal", JSON_KIND_ARRAY, TRUE},
    {"files", JSON_KIND_ARRAY, TRUE},    {"keys", JSON_KIND_BOOLEAN, TRUE},
};
static const JsonField file_fields[] = {
    {"name", JSON_KIND_STRING, TRUE},
    {"size", JSON_KIND_INTEGER, TRUE},
    {"sha256", JSON_KIND_STRING, TRUE},
};
static const JsonField shard_fields[] = {
    {"shard", JSON_KIND_STRING, TRUE},  {"first", JSON_KIND_INTEGER, TRUE},
    {"last", JSON_KIND_INTEGER, TRUE},  {"generation", JSON_KIND_INTEGER, TRUE},
    {"newest", JSON_KIND_STRING, TRUE},
};

static gboolean digest_holds(const char *folder, const json_t *manifest, GError **error)
{
    const json_t *content = json_object_get(manifest, "content");
    g_autofree char *canonical = jcs_write(content, error);
    if (canonical == NULL)
        return FALSE;
    g_autofree char *digest = g_compute_checksum_for_string(G_CHECKSUM_SHA256, canonical, -1);
    return strcmp(digest, json_string_at(manifest, "sha256")) == 0 ||
           refuse(error, folder, "its manifest was changed");
}

/* A name that stays inside the folder. */
static gboolean name_is_inside(const char *name)
{
    g_auto(GStrv) parts = g_strsplit(name, "/", -1);
    for (char **part = parts; *part != NULL; part++)
        if (**part == '\0' || strcmp(*part, ".") == 0 || strcmp(*part, "..") == 0)
            return FALSE;
    return *name != '\0';
}

static gboolean check_lists(const char *folder, const json_t *content, GError **error)
{
    size_t i;
    json_t *entry;
    json_array_foreach(json_object_get(content, "files"), i, entry)
    {
        if (!json_check_object(entry, "files", JSON_FIELDS(file_fields), error))
            return FALSE;
        if (!name_is_inside(json_string_at(entry, "name")))
            return refuse(error, folder, "its manifest names a file outside of it");
    }
    json_array_foreach(json_object_get(content, "journal"), i, entry)
    {
        if (!json_check_object(entry, "journal", JSON_FIELDS(shard_fields), error))
            return FALSE;
        guint64 shard;
        if (!g_ascii_string_to_unsigned(json_string_at(entry, "shard"), 10, 1, SHARD_MAX, &shard, NULL))
            return refuse(error, folder, "its manifest names a shard that cannot be");
    }
    return TRUE;
}

static json_t *read_manifest(const char *folder, GError **error)
{
    static const JsonLimits limits = {.bytes = MANIFEST_MAX, .depth = 8, .values = 1000000};
    g_autofree char *path = g_build_filename(folder, BACKUP_MANIFEST, NULL);
    if (g_str_has_suffix(folder, BACKUP_MAKING)) {
        refuse(error, folder, "making it was cut short; make another");
        return NULL;
    }
    if (access(path, F_OK) != 0) {
        refuse(error, folder, "it has no " BACKUP_MANIFEST "; was making it cut short?");
        return NULL;
    }
    g_autoptr(json_t) manifest = json_read_file(path, &limits, error);
    if (manifest == NULL ||
        !json_check_object(manifest, BACKUP_MANIFEST, JSON_FIELDS(manifest_fields), error) ||
        !digest_holds(folder, manifest, error))
        return NULL;
    json_t *content = json_object_get(manifest, "content");
    if (json_integer_at(content, "format") != BACKUP_FORMAT) {
        refuse(error, folder, "it has a format that this version does not know; use a newer one");
        return NULL;
    }
    if (!json_check_object(content, "content", JSON_FIELDS(content_fields), error) ||
        !check_lists(folder, content, error))
        return NULL;
    return json_incref(content);
}

/* --- checking the files --- */

static gboolean check_file(const char *folder, const json_t *entry, GError **error)
{
    const char *name = json_string_at(entry, "name");
    guint64 size = 0;
    g_autofree char *path = g_build_filename(folder, name, NULL);
    if (access(path, F_OK) != 0) {
        g_autofree char *why = g_strdup_printf("%s is missing", name);
        return refuse(error, folder, why);
    }
    g_autofree char *digest = tree_digest(path, &size, error);
    if (digest == NULL)
        return FALSE;
    if (size == (guint64)json_integer_at(entry, "size") &&
        strcmp(digest, json_string_at(entry, "sha256")) == 0)
        return TRUE;
    g_autofree char *why = g_strdup_printf(
        "%s has %" G_GUINT64_FORMAT
        " bytes and another digest than in the manifest, which says %" G_GINT64_FORMAT " bytes",
        name, size, json_integer_at(entry, "size"));
    return refuse(error, folder, why);
}

static gboolean check_shard(const char *folder, const json_t *entry, GError **error)
{
    JournalExtent extent;
    g_autofree char *path = g_build_filename(folder, "journal", json_string_at(entry, "shard"), NULL);
    if (!journal_copy_check(path, &extent, error))
        return FALSE;
    if (extent.first == (guint64)json_integer_at(entry, "first") &&
        extent.last == (guint64)json_integer_at(entry, "last"))
        return TRUE;
    return refuse(error, folder, "the journal does not run from where to where the manifest says");
}

static const char *store_file(const json_t *content)
{
    size_t i;
    json_t *entry;
    json_array_foreach(json_object_get(content, "files"), i, entry)
    {
        if (g_str_has_prefix(json_string_at(entry, "name"), "store."))
            return json_string_at(entry, "name");
    }
    return NULL;
}

/* Files that the manifest does not know would be restored unseen. */
static gboolean nothing_more(const char *folder, const json_t *content, GError **error)
{
    g_autoptr(GPtrArray) files = tree_files(folder, error);
    if (files == NULL)
        return FALSE;
    return files->len <= json_array_size(json_object_get(content, "files")) + 1 ||
           refuse(error, folder, "it holds files that its manifest does not name");
}

json_t *backup_verify(const char *folder, BackupProgress progress, GError **error)
{
    size_t i;
    json_t *entry;
    g_autoptr(json_t) content = read_manifest(folder, error);
    if (content == NULL || !nothing_more(folder, content, error))
        return NULL;
    json_array_foreach(json_object_get(content, "files"), i, entry)
    {
        if (progress != NULL)
            progress(json_string_at(entry, "name"));
        if (!check_file(folder, entry, error))
            return NULL;
    }
    json_array_foreach(json_object_get(content, "journal"), i, entry)
    {
        if (!check_shard(folder, entry, error))
            return NULL;
    }
    const char *store = store_file(content);
    g_autofree char *path = store == NULL ? NULL : g_build_filename(folder, store, NULL);
    if (path == NULL) {
        refuse(error, folder, "it has no store");
        return NULL;
    }
    return store_copy_check(path, error) ? json_incref(content) : NULL;
}

/* --- where it goes --- */

typedef struct {
    const char *folder; /* the backup */
    const json_t *content;
    const Config *config;
    const char *data;
    char *restoring; /* becomes `data` */
    char *store_url;
    GError *error; /* of a callback */
} Restore;

static void restore_clear(Restore *restore)
{
    g_free(restore->restoring);
    g_free(restore->store_url);
    g_clear_error(&restore->error);
}

/* node.conf with files that may not be there yet. */
static Config *load_config(const char *path, const Component *const *components, gsize n_components)
{
    g_autoptr(GPtrArray) tables = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(GPtrArray) faults = g_ptr_array_new_with_free_func(g_free);
    g_autofree gsize *counts = g_new0(gsize, n_components + 1);
    const ConfigKey *own = node_config_keys(&counts[0]);
    g_ptr_array_add(tables, g_memdup2(own, counts[0] * sizeof *own));
    for (gsize i = 0; i < n_components; i++) {
        counts[i + 1] = components[i]->n_config;
        g_ptr_array_add(tables, g_memdup2(components[i]->config, counts[i + 1] * sizeof *own));
    }
    for (gsize i = 0; i <= n_components; i++) {
        ConfigKey *keys = tables->pdata[i];
        for (gsize j = 0; j < counts[i]; j++) {
            keys[j].kind = keys[j].kind == CONFIG_FILE ? CONFIG_PATH : keys[j].kind;
            keys[j].required = keys[j].required && i == 0;
        }
    }
    Config *config = config_load(path, (const ConfigKey *const *)tables->pdata, counts, tables->len, faults);
    for (guint i = 0; i < faults->len; i++)
        g_printerr("%s\n", (const char *)faults->pdata[i]);
    return config;
}

static gboolean in_use(const char *path, GError **error)
{
    g_set_error(error, FUNDAMENT_ERROR, FUNDAMENT_ERROR_CONFLICT,
                "%s is there already; a backup is only restored in an empty place", path);
    return FALSE;
}

/* As a restore that was cut short may have left it. */
static gboolean same_file(const char *path, const json_t *entry)
{
    guint64 size;
    g_autofree char *digest = tree_digest(path, &size, NULL);
    return g_strcmp0(digest, json_string_at(entry, "sha256")) == 0;
}

/* What is below `data` comes with it; a store elsewhere, and keys, must not be there. */
static gboolean place_is_empty(const Restore *restore, GError **error)
{
    size_t i;
    json_t *entry;
    if (!tree_is_empty(restore->data))
        return in_use(restore->data, error);
    if (g_str_has_prefix(restore->store_url, SQLITE) !=
        g_str_has_suffix(store_file(restore->content), ".db")) {
        g_set_error_literal(
            error, FUNDAMENT_ERROR, FUNDAMENT_ERROR_INVALID,
            "the backup is of the other kind of store (SQLite or PostgreSQL) than [node] store");
        return FALSE;
    }
    json_array_foreach(json_object_get(restore->content, "files"), i, entry)
    {
        const char *name = json_string_at(entry, "name");
        g_autofree char *path = !g_str_has_prefix(name, "keys/")
                                    ? NULL
                                    : g_build_filename(config_text(restore->config, "node", "keys"),
                                                       name + strlen("keys/"), NULL);
        if (path != NULL && access(path, F_OK) == 0 && !same_file(path, entry))
            return in_use(path, error);
    }
    return store_copy_fits(restore->store_url, error);
}

/* --- bringing it back --- */

/* Under its name it is whole: a restore that was cut short must be able to tell its own work from somebody
 * else's. */
static gboolean copy_whole(const char *source, const char *target, GError **error)
{
    g_autofree char *beside = g_strconcat(target, ".restoring", NULL);
    return tree_remove(beside, error) && tree_copy_file(source, beside, error) &&
           tree_rename(beside, target, error);
}

static gboolean copy_below(const Restore *restore, const char *prefix, const char *to, GError **error)
{
    size_t i;
    json_t *entry;
    json_array_foreach(json_object_get(restore->content, "files"), i, entry)
    {
        const char *name = json_string_at(entry, "name");
        if (!g_str_has_prefix(name, prefix))
            continue;
        g_autofree char *source = g_build_filename(restore->folder, name, NULL);
        g_autofree char *target = g_build_filename(to, name + strlen(prefix), NULL);
        if (access(target, F_OK) != 0 && !copy_whole(source, target, error))
            return FALSE;
    }
    return TRUE;
}

static gboolean bring_journal(const Restore *restore, GError **error)
{
    size_t i;
    json_t *entry;
    g_autofree char *journal = place_journal(restore->restoring);
    if (!copy_below(restore, "journal/", journal, error))
        return FALSE;
    json_array_foreach(json_object_get(restore->content, "journal"), i, entry)
    {
        const char *shard = json_string_at(entry, "shard");
        g_autofree char *folder = g_build_filename(journal, shard, NULL);
        if (!tree_make_folder(folder, error) ||
            !journal_copy_seal(folder, (guint32)g_ascii_strtoull(shard, NULL, 10), error) ||
            !tree_sync(folder, error))
            return FALSE;
    }
    return TRUE;
}

/* In the folder that becomes `data` when it belongs there; else beside its place, under another name. */
static gboolean bring_store(const Restore *restore, GError **error)
{
    g_autofree char *source = g_build_filename(restore->folder, store_file(restore->content), NULL);
    if (!g_str_has_prefix(restore->store_url, SQLITE))
        return store_copy_load(restore->store_url, source, error);
    const char *path = restore->store_url + strlen(SQLITE);
    g_autofree char *below = g_strconcat(restore->data, "/", NULL);
    if (g_str_has_prefix(path, below)) {
        g_autofree char *inside = g_build_filename(restore->restoring, path + strlen(below), NULL);
        return tree_copy_file(source, inside, error);
    }
    return copy_whole(source, path, error);
}

static void bring_config_file(const char *name, const char *path, gpointer user_data)
{
    Restore *restore = user_data;
    g_autofree char *source = g_build_filename(restore->folder, "config", name, NULL);
    if (restore->error == NULL && access(path, F_OK) != 0 && access(source, F_OK) == 0)
        copy_whole(source, path, &restore->error);
}

static gboolean bring_keys(const Restore *restore, GError **error)
{
    return copy_below(restore, "keys/", config_text(restore->config, "node", "keys"), error);
}

/* `data` gets its name last: until then nothing here looks like a node. */
static gboolean bring_all(Restore *restore, const Component *const *components, gsize n_components,
                          GError **error)
{
    if (!tree_remove(restore->restoring, error) || !tree_make_folder(restore->restoring, error) ||
        !bring_journal(restore, error) || !bring_store(restore, error) || !bring_keys(restore, error))
        return FALSE;
    backup_config_files(restore->config, components, n_components, bring_config_file, restore);
    if (restore->error != NULL) {
        g_propagate_error(error, g_steal_pointer(&restore->error));
        return FALSE;
    }
    return tree_sync(restore->restoring, error) && tree_rename(restore->restoring, restore->data, error);
}

static gboolean bring_config(const char *folder, const char *config_path, GError **error)
{
    g_autofree char *source = g_build_filename(folder, "config", "node.conf", NULL);
    return access(config_path, F_OK) == 0 || copy_whole(source, config_path, error);
}

gboolean backup_restore(const char *folder, const char *config_path, const Component *const *components,
                        gsize n_components, BackupProgress progress, GError **error)
{
    g_autoptr(json_t) content = backup_verify(folder, progress, error);
    if (content == NULL || !bring_config(folder, config_path, error))
        return FALSE;
    g_autoptr(Config) config = load_config(config_path, components, n_components);
    if (config == NULL) {
        g_set_error(error, FUNDAMENT_ERROR, FUNDAMENT_ERROR_INVALID, "%s has faults; nothing was restored",
                    config_path);
        return FALSE;
    }
    Restore restore = {.folder = folder,
                       .content = content,
                       .config = config,
                       .data = config_text(config, "node", "data"),
                       .restoring = place_restoring(config),
                       .store_url = place_store_url(config)};
    gboolean good = place_is_empty(&restore, error) && bring_all(&restore, components, n_components, error);
    restore_clear(&restore);
    return good;
}
