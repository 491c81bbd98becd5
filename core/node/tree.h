/* Folders of files, for backups: walked, copied with a digest, removed. Only regular files and folders; links
 * are never followed. Errors are FUNDAMENT_ERROR_IO with the path. */
#pragma once

#include <glib.h>

/* Paths of all regular files below `folder`, relative to it, sorted. Empty when there is no such folder. */
GPtrArray *tree_files(const char *folder, GError **error);

/* SHA-256 of a file in hex. Caller frees. `size` gets its length. */
char *tree_digest(const char *path, guint64 *size, GError **error);

/* Copies one file to a place where nothing is (folders on the way are made, mode 0700); mode 0600; on disk
 * when this returns. */
gboolean tree_copy_file(const char *from, const char *to, GError **error);

/* A file with this text, mode 0600, on disk when this returns. */
gboolean tree_write_file(const char *path, const char *text, GError **error);

/* Gives `from` the name `to`, on disk when this returns. An empty folder may be there. */
gboolean tree_rename(const char *from, const char *to, GError **error);

gboolean tree_make_folder(const char *path, GError **error); /* mode 0700; fine when it is there */
gboolean tree_is_empty(const char *folder);                  /* or not there */
gboolean tree_sync(const char *folder, GError **error);      /* the names in it */
gboolean tree_remove(const char *path, GError **error);      /* with all in it; fine when it is not there */
