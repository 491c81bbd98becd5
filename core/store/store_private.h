/* What the files of core/store share: how a database engine plugs in, and how rows are filled. Not for other
 * folders. */
#pragma once

#include "core/store/store.h"

/* One engine. A driver keeps its own struct with a `struct db` first in it. Errors are already mapped to
 * FUNDAMENT_ERROR. */
typedef struct {
    const char *blob_type; /* what {blob} and {id} stand for in migrations */
    const char *id_type;
    Db *(*open)(const char *address, GError **error);
    void (*close)(Db *db);
    gboolean (*usable)(Db *db); /* an idle connection, before it is handed out again */
    Rows *(*query)(Db *db, const char *sql, const Value *values, gsize n_values, GError **error);
    gboolean (*begin)(Db *db, GError **error);
    gboolean (*commit)(Db *db, GError **error);
    void (*rollback)(Db *db);
    /* For migrations: several statements in one text, inside the transaction that runs. */
    gboolean (*script)(Db *db, const char *sql, GError **error);
    /* Around migrations: long waits for locks on, or back to normal. */
    gboolean (*migrating)(Db *db, gboolean on, GError **error);
    /* Inside a migration's transaction: alone among all processes, from here to its end. */
    gboolean (*migration_lock)(Db *db, GError **error);
    /* Before a migration commits: FALSE when it left the data inconsistent. */
    gboolean (*migration_check)(Db *db, GError **error);
} DbDriver;

extern const DbDriver db_driver_sqlite;
extern const DbDriver db_driver_postgresql;

struct db {
    Store *store;
    const DbDriver *driver;
    gboolean in_transaction;
    gboolean failed; /* a statement of this transaction failed: only a rollback may follow, on both engines */
    gboolean broken; /* the connection is of no use any more; db_release() closes it */
    gint64 changes;
};

/* SQLite's own waiting polls with sleeps and is not fair, so within one process writers queue here first. */
gboolean store_writer_lock(Store *store, GError **error);
void store_writer_unlock(Store *store);

#define STORE_BUSY_MS 5000
#define STORE_MIGRATION_BUSY_MS 60000

/* Rows are filled cell by cell, left to right. */
Rows *rows_new(guint columns);
void rows_add_null(Rows *rows);
void rows_add_integer(Rows *rows, gint64 integer);
void rows_add_data(Rows *rows, ValueKind kind, const void *data, gsize length);

/* Reads the parameters ?1 ?2 ... of a statement: `highest` is the highest number, `dollars` (when not NULL)
 * gets the text with $1 $2 ... instead. Text in quotes and comments is left alone. FALSE for a bare ? or a
 * number outside 1..999. */
gboolean sql_parameters(const char *sql, GString *dollars, guint *highest, GError **error);

/* FALSE unless `highest` parameters and `n_values` values match. */
gboolean sql_values_match(const char *sql, guint highest, gsize n_values, GError **error);
