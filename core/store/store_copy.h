/* Copies of a whole store in one file: for backups, while it is in use. */
#pragma once

#include <glib.h>

/* Called now and then with how far it is. */
typedef void (*StoreProgress)(guint64 bytes, gpointer user_data);

/* What the file of a store of this kind is called in a backup: "store.db" or "store.pgdump". */
const char *store_copy_name(const char *url);

/* Makes `file` hold what the store held at one moment of this call. SQLite by its backup interface, out of
 * one read transaction; PostgreSQL by pg_dump, which has to be installed. Writers are not held up. On disk
 * when this returns; `file` must not be there yet. FUNDAMENT_ERROR_IO or _UNAVAILABLE; no error repeats the
 * URL. `progress` may be NULL. */
gboolean store_copy(const char *url, const char *file, StoreProgress progress, gpointer user_data,
                    GError **error);

/* Whether a file that store_copy() made is sound in itself. */
gboolean store_copy_check(const char *file, GError **error);

/* Whether nothing is in the store yet: no file, or a database without tables. */
gboolean store_copy_fits(const char *url, GError **error);

/* For PostgreSQL: brings the file into an empty database, all or nothing, by pg_restore. For SQLite the file
 * is the store: whoever restores puts it in its place. */
gboolean store_copy_load(const char *url, const char *file, GError **error);
