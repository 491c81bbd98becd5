/* Backups of a node, made while it runs, and bringing them back (docs/operations.md has the folder's layout).
 *
 * A backup is a folder: a copy of the store, the journal up to a committed position at or after the store's,
 * the configuration, on request the keys, and a manifest with the digest of each file and of itself. It gets
 * its name when it is whole; before that it is called NAME.making.
 */
#pragma once

#include <jansson.h>

#include "core/node/component.h"
#include "core/node/config.h"

/* One line for the person who waits, "journal: 120 MiB"; may be NULL. */
typedef void (*BackupProgress)(const char *line);

/* Writes a backup of the node of this configuration to the new folder `target`. FALSE with an error, and no
 * `target`, when anything could not be read whole. */
gboolean backup_write(const Config *config, const Component *const *components, gsize n_components,
                      const char *target, gboolean with_keys, BackupProgress progress, GError **error);

/* Reads all of a backup: every digest, every record of the journal, the store. Its manifest, or NULL with
 * the precise reason. */
json_t *backup_verify(const char *folder, BackupProgress progress, GError **error);

/* Brings a backup back into the empty place that node.conf at `config_path` names; a configuration that is
 * not there is taken from the backup as well. Checks all of it first. Nothing is changed when it fails before
 * the first file is written; a restore that is cut short leaves DATA.restoring, which `serve` does not start
 * beside. The journal is sealed where the backup ends and goes on as a new generation (decisions.md 14). */
gboolean backup_restore(const char *folder, const char *config_path, const Component *const *components,
                        gsize n_components, BackupProgress progress, GError **error);

/* --- for the files of this noun --- */

#define BACKUP_MANIFEST "manifest.json"
#define BACKUP_MAKING ".making" /* behind the name of a backup that is not whole yet */
#define BACKUP_FORMAT 1

typedef void (*BackupFile)(const char *name, const char *path, gpointer user_data);

/* Calls `each` for every key of kind CONFIG_FILE that has a value: `name` is "SECTION.KEY". */
void backup_config_files(const Config *config, const Component *const *components, gsize n_components,
                         BackupFile each, gpointer user_data);
