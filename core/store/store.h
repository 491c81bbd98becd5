/* SQL storage: one interface, SQLite (WAL, synchronous=FULL) by default, PostgreSQL by URL. The same
 * statements run on both, so SQL here keeps to what both understand: BIGINT, TEXT, {blob}, {id} (see
 * migrations), ON CONFLICT, RETURNING. Parameters are written ?1 ?2 ... (up to 999) and are always bound; one
 * statement a call. Integers are 64 bits in results too: SUM, COUNT and comparisons come back as integers,
 * anything with a fraction as text.
 *
 * A Store is a pool and may be used from any thread. A Db is one connection, taken for a short time by one
 * thread. SQLite has one writer at a time: db_begin() waits for it (busy time-out 5 s), then
 * FUNDAMENT_ERROR_UNAVAILABLE.
 */
#pragma once

#include <glib.h>

typedef struct store Store;
typedef struct db Db;
typedef struct rows Rows;

/* "sqlite:PATH" (a file, made with mode 0600 when missing) or "postgresql://..." (libpq URL, Unix sockets
 * included). Connects once, so that what is wrong is said now. Errors never hold the URL: it may hold a
 * password. */
Store *store_open(const char *url, GError **error);
void store_close(Store *store);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Store, store_close)

gboolean store_is_postgresql(const Store *store);

/* Takes a connection from the pool (made when none is free, at most 16, then waits up to 5 s); db_release()
 * gives it back and rolls back what was not committed. A PostgreSQL connection that broke is replaced. */
Db *store_take(Store *store, GError **error);
void db_release(Db *db);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Db, db_release)

typedef enum { VALUE_NULL, VALUE_INTEGER, VALUE_TEXT, VALUE_BLOB } ValueKind;

typedef struct {
    ValueKind kind;
    gint64 integer;
    const void *data; /* borrowed until the call returns */
    gsize length;
} Value;

/* NULL takes the type of the place where it stands; where there is none (?1 IS NULL and no more of ?1) write
 * CAST(?1 AS TEXT). */
Value value_null(void);
Value value_integer(gint64 integer);
Value value_text(const char *text); /* NULL becomes VALUE_NULL */
Value value_blob(const void *data, gsize length);
Value value_bytes(GBytes *bytes); /* NULL becomes VALUE_NULL */

/* Runs one statement with bound parameters. The result is whole in memory (`Rows` for SELECT and RETURNING;
 * empty Rows otherwise). NULL with FUNDAMENT_ERROR_CONFLICT for a unique or foreign key that is violated,
 * _UNAVAILABLE when the database is locked or gone, _IO for disk errors, _INVALID for text that is not UTF-8
 * or a value that is out of range, _INTERNAL for bad SQL. CONFLICT also for NOT NULL and CHECK. No error
 * repeats a value. */
Rows *db_query_values(Db *db, const char *sql, const Value *values, gsize n_values, GError **error);

/* db_query(db, error, "SELECT ... WHERE a = ?1", value_text(a), ...) with at least one value */
#define db_query(db, error, sql, ...)                                                                        \
    db_query_values((db), (sql), (const Value[]){__VA_ARGS__},                                               \
                    sizeof((const Value[]){__VA_ARGS__}) / sizeof(Value), (error))

/* As db_query, for statements whose rows do not matter. */
gboolean db_run_values(Db *db, const char *sql, const Value *values, gsize n_values, GError **error);
#define db_run(db, error, sql, ...)                                                                          \
    db_run_values((db), (sql), (const Value[]){__VA_ARGS__},                                                 \
                  sizeof((const Value[]){__VA_ARGS__}) / sizeof(Value), (error))

/* Rows that the last INSERT, UPDATE or DELETE changed. */
gint64 db_changes(const Db *db);

/* Transactions do not nest. SQLite: BEGIN IMMEDIATE; PostgreSQL: READ COMMITTED. After a statement of a
 * transaction failed (a CONFLICT too) only db_rollback() may follow, on both: what may conflict and go on is
 * written with ON CONFLICT. db_commit() that fails has rolled back. */
gboolean db_begin(Db *db, GError **error);
gboolean db_commit(Db *db, GError **error);
void db_rollback(Db *db);

/* A column that holds another kind than asked for is a mistake of the caller: it is logged and reads as NULL.
 * NULL reads as 0. */
gboolean rows_next(Rows *rows); /* FALSE after the last; call before the first */
gint64 rows_integer(const Rows *rows, guint column);
const char *rows_text(const Rows *rows, guint column); /* borrowed until rows_free; NULL for NULL */
gconstpointer rows_blob(const Rows *rows, guint column, gsize *length);
gboolean rows_is_null(const Rows *rows, guint column);
guint rows_count(const Rows *rows);
void rows_free(Rows *rows);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Rows, rows_free)

/* Migrations: forward only, one folder a component (schema/<component>/NNNN.sql, embedded in the program). In
 * their SQL {blob} stands for BLOB or BYTEA and {id} for a column of ever-growing integers that is the
 * primary key. Statements end with ";" at the end of a line. Each file runs in one transaction and is
 * recorded in the table schema_migrations with the digest of its text: a file that changed after it ran is an
 * error that names it. Several processes may start at once. An older program accepts a database with
 * migrations it does not know. Files may not BEGIN or COMMIT. On SQLite foreign keys rest while a file runs,
 * so that tables can be rebuilt, and are checked before it commits. */
typedef struct {
    const char *component;
    guint number; /* 1, 2, ... without gaps */
    const char *sql;
} Migration;

gboolean store_migrate(Store *store, const Migration *migrations, gsize n_migrations, GError **error);
