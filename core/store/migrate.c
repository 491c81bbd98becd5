/* Migrations: forward only, each file once, in one transaction, by one process at a time. */
#include "core/store/store_private.h"

#include <string.h>

#include "core/base/error.h"

/* The digest of the text as written, before {blob} and {id} are filled in: the same on both engines. */
static char *text_digest(const char *sql)
{
    return g_compute_checksum_for_string(G_CHECKSUM_SHA256, sql, -1);
}

/* Numbers must run 1, 2, 3, ... in each component; components may be mixed. */
static gboolean numbers_valid(const Migration *migrations, gsize n_migrations, GError **error)
{
    g_autoptr(GHashTable) last = g_hash_table_new(g_str_hash, g_str_equal);
    for (gsize i = 0; i < n_migrations; i++) {
        const Migration *migration = &migrations[i];
        guint expected = GPOINTER_TO_UINT(g_hash_table_lookup(last, migration->component)) + 1;
        if (migration->number != expected) {
            g_set_error(error, FUNDAMENT_ERROR, FUNDAMENT_ERROR_INTERNAL,
                        "migration schema/%s/%04u.sql is out of order: number %04u should come here",
                        migration->component, migration->number, expected);
            return FALSE;
        }
        g_hash_table_insert(last, (gpointer)migration->component, GUINT_TO_POINTER(expected));
    }
    return TRUE;
}

static char *expand(const DbDriver *driver, const char *sql)
{
    g_autoptr(GString) text = g_string_new(sql);
    g_string_replace(text, "{blob}", driver->blob_type, 0);
    g_string_replace(text, "{id}", driver->id_type, 0);
    return g_string_free(g_steal_pointer(&text), FALSE);
}

static gboolean table_make(Db *db, GError **error)
{
    return db_run_values(
        db,
        "CREATE TABLE IF NOT EXISTS schema_migrations ("
        " component TEXT NOT NULL, number BIGINT NOT NULL, digest TEXT NOT NULL, applied_ms BIGINT NOT NULL,"
        " PRIMARY KEY (component, number))",
        NULL, 0, error);
}

/* `done` becomes TRUE when this migration ran before. FALSE when it ran with another text, or a later one ran
 * already. */
static gboolean look_up(Db *db, const Migration *migration, gboolean *done, GError **error)
{
    g_autoptr(Rows) rows = db_query(
        db, error,
        "SELECT number, digest FROM schema_migrations WHERE component = ?1 AND number >= ?2 ORDER BY number",
        value_text(migration->component), value_integer(migration->number));
    if (rows == NULL) {
        return FALSE;
    }
    *done = FALSE;
    if (!rows_next(rows)) {
        return TRUE;
    }
    if (rows_integer(rows, 0) != migration->number) {
        g_set_error(
            error, FUNDAMENT_ERROR, FUNDAMENT_ERROR_CONFLICT,
            "migration schema/%s/%04u.sql never ran on this database, but number %04d did; restore a backup",
            migration->component, migration->number, (int)rows_integer(rows, 0));
        return FALSE;
    }
    g_autofree char *digest = text_digest(migration->sql);
    *done = strcmp(digest, rows_text(rows, 1)) == 0;
    if (!*done) {
        g_set_error(error, FUNDAMENT_ERROR, FUNDAMENT_ERROR_CONFLICT,
                    "migration schema/%s/%04u.sql changed after it ran on this database; put the old text "
                    "back and write "
                    "the change as the next number",
                    migration->component, migration->number);
    }
    return *done;
}

/* Inside a transaction that holds the lock. */
static gboolean apply(Db *db, const Migration *migration, GError **error)
{
    gboolean done = FALSE;
    if (!look_up(db, migration, &done, error) || done) { /* another process may have been first */
        return done;
    }
    g_autofree char *sql = expand(db->driver, migration->sql);
    if (!db->driver->script(db, sql, error) || !db->driver->migration_check(db, error)) {
        g_prefix_error(error, "migration schema/%s/%04u.sql: ", migration->component, migration->number);
        return FALSE;
    }
    g_autofree char *digest = text_digest(migration->sql);
    return db_run(
        db, error,
        "INSERT INTO schema_migrations (component, number, digest, applied_ms) VALUES (?1, ?2, ?3, ?4)",
        value_text(migration->component), value_integer(migration->number), value_text(digest),
        value_integer(g_get_real_time() / 1000));
}

/* One transaction; `migration` NULL makes the table itself. */
static gboolean step(Db *db, const Migration *migration, GError **error)
{
    if (!db_begin(db, error)) {
        return FALSE;
    }
    gboolean done = db->driver->migration_lock(db, error) &&
                    (migration == NULL ? table_make(db, error) : apply(db, migration, error));
    if (!done) {
        db_rollback(db);
        return FALSE;
    }
    return db_commit(db, error);
}

static gboolean migrate_all(Db *db, const Migration *migrations, gsize n_migrations, GError **error)
{
    if (!step(db, NULL, error)) {
        return FALSE;
    }
    for (gsize i = 0; i < n_migrations; i++) {
        gboolean done = FALSE;
        if (!look_up(db, &migrations[i], &done,
                     error)) { /* without a lock: the usual start changes nothing */
            return FALSE;
        }
        if (!done && !step(db, &migrations[i], error)) {
            return FALSE;
        }
    }
    return TRUE;
}

gboolean store_migrate(Store *store, const Migration *migrations, gsize n_migrations, GError **error)
{
    if (!numbers_valid(migrations, n_migrations, error)) {
        return FALSE;
    }
    g_autoptr(Db) db = store_take(store, error);
    if (db == NULL || !db->driver->migrating(db, TRUE, error)) {
        return FALSE;
    }
    gboolean done = migrate_all(db, migrations, n_migrations, error);
    if (!db->driver->migrating(db, FALSE, done ? error : NULL)) {
        db->broken = TRUE;
        return FALSE;
    }
    return done;
}
