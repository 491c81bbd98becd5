/* SQLite as engine: WAL, every commit on disk (synchronous=FULL), one writer at a time. */
#include "core/store/store_private.h"

#include <fcntl.h>
#include <sqlite3.h>
#include <string.h>
#include <unistd.h>

#include "core/base/error.h"

#define STATEMENTS_MAX 256

typedef struct {
    struct db db;
    sqlite3 *handle;
    GHashTable *statements; /* SQL text -> sqlite3_stmt */
} SqliteDb;

static const struct {
    int primary; /* SQLite's result code without its extension */
    FundamentError code;
    const char *advice;
} codes[] = {
    {SQLITE_CONSTRAINT, FUNDAMENT_ERROR_CONFLICT, ""},
    {SQLITE_BUSY, FUNDAMENT_ERROR_UNAVAILABLE, "; another process is writing, try again"},
    {SQLITE_LOCKED, FUNDAMENT_ERROR_UNAVAILABLE, "; try again"},
    {SQLITE_TOOBIG, FUNDAMENT_ERROR_INVALID, ""},
    {SQLITE_FULL, FUNDAMENT_ERROR_IO, "; make room on the disk"},
    {SQLITE_IOERR, FUNDAMENT_ERROR_IO, "; check the disk"},
    {SQLITE_READONLY, FUNDAMENT_ERROR_IO, "; check the owner and mode of the file and its folder"},
    {SQLITE_CANTOPEN, FUNDAMENT_ERROR_IO, "; check that the folder exists and may be written"},
    {SQLITE_PERM, FUNDAMENT_ERROR_IO, "; check the owner and mode of the file and its folder"},
    {SQLITE_CORRUPT, FUNDAMENT_ERROR_IO, "; restore a backup"},
    {SQLITE_NOTADB, FUNDAMENT_ERROR_IO, "; it is not a database of this program"},
};

/* SQLite's messages name tables and columns, never bound values. */
static void set_error(SqliteDb *db, const char *what, GError **error)
{
    int primary = sqlite3_errcode(db->handle) & 0xff;
    FundamentError code = FUNDAMENT_ERROR_INTERNAL;
    const char *advice = "";
    for (gsize i = 0; i < G_N_ELEMENTS(codes); i++) {
        if (codes[i].primary == primary) {
            code = codes[i].code;
            advice = codes[i].advice;
        }
    }
    g_set_error(error, FUNDAMENT_ERROR, code, "database: %s%s (%s)", sqlite3_errmsg(db->handle), advice,
                what);
}

static void sqlite_close(Db *base)
{
    SqliteDb *db = (SqliteDb *)base;
    g_hash_table_unref(db->statements);
    sqlite3_close(db->handle);
    g_free(db);
}

static void statement_free(gpointer statement)
{
    sqlite3_finalize(statement);
}

/* Only what the program itself asks: no schema tricks in a file that somebody else made, no extensions, no
 * attached files. */
static void harden(sqlite3 *handle)
{
    static const struct {
        int option;
        int value;
    } settings[] = {
        {SQLITE_DBCONFIG_DEFENSIVE, 1},   {SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0},
        {SQLITE_DBCONFIG_DQS_DML, 0},     {SQLITE_DBCONFIG_DQS_DDL, 0},
        {SQLITE_DBCONFIG_ENABLE_FKEY, 1}, {SQLITE_DBCONFIG_ENABLE_LOAD_EXTENSION, 0},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(settings); i++) {
        sqlite3_db_config(handle, settings[i].option, settings[i].value, NULL);
    }
    sqlite3_limit(handle, SQLITE_LIMIT_ATTACHED, 0);
    sqlite3_extended_result_codes(handle, 1);
}

/* The file holds personal data: it is made for its owner alone. SQLite gives its -wal and -shm files the same
 * mode. */
static gboolean make_private(const char *path, GError **error)
{
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0) {
        g_set_error(error, FUNDAMENT_ERROR, FUNDAMENT_ERROR_IO,
                    "cannot open the database %s: %s; check that the folder exists and may be written", path,
                    g_strerror(errno));
        return FALSE;
    }
    close(fd);
    return TRUE;
}

/* While another process makes the same file, or recovers it, the switch to WAL is refused at once: SQLite's
 * own waiting does not cover it. */
static gboolean configure(SqliteDb *db)
{
    static const char *const settings =
        "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON;"
        "PRAGMA journal_size_limit=67108864; PRAGMA temp_store=MEMORY";
    gint64 deadline = g_get_monotonic_time() + STORE_BUSY_MS * G_TIME_SPAN_MILLISECOND;
    int result = sqlite3_exec(db->handle, settings, NULL, NULL, NULL);
    while ((result & 0xff) == SQLITE_BUSY && g_get_monotonic_time() < deadline) {
        g_usleep(2000);
        result = sqlite3_exec(db->handle, settings, NULL, NULL, NULL);
    }
    return result == SQLITE_OK;
}

static Db *sqlite_open(const char *path, GError **error)
{
    if (path[0] == '\0' || path[0] == ':') {
        g_set_error_literal(error, FUNDAMENT_ERROR, FUNDAMENT_ERROR_INVALID,
                            "the storage URL needs a file: sqlite:PATH");
        return NULL;
    }
    if (!make_private(path, error)) {
        return NULL;
    }
    SqliteDb *db = g_new0(SqliteDb, 1);
    db->statements = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, statement_free);
    int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX;
    gboolean opened = sqlite3_open_v2(path, &db->handle, flags, NULL) == SQLITE_OK;
    if (opened) {
        harden(db->handle);
        sqlite3_busy_timeout(db->handle, STORE_BUSY_MS);
        opened = configure(db);
    }
    if (!opened) {
        set_error(db, path, error);
        sqlite_close(&db->db);
        return NULL;
    }
    return &db->db;
}

static gboolean sqlite_usable(Db *db)
{
    return TRUE;
}

/* TRUE when something other than white space and ";" follows the first statement. */
static gboolean has_more(const char *tail)
{
    return tail != NULL && tail[strspn(tail, " \t\r\n;")] != '\0';
}

/* A prepared statement from the cache or made now; NULL with an error. Owned by the cache. */
static sqlite3_stmt *statement_get(SqliteDb *db, const char *sql, gsize n_values, GError **error)
{
    sqlite3_stmt *statement = g_hash_table_lookup(db->statements, sql);
    if (statement == NULL) {
        const char *tail = NULL;
        guint highest = 0;
        if (!sql_parameters(sql, NULL, &highest, error)) {
            return NULL;
        }
        if (sqlite3_prepare_v3(db->handle, sql, -1, SQLITE_PREPARE_PERSISTENT, &statement, &tail) !=
            SQLITE_OK) {
            set_error(db, sql, error);
            return NULL;
        }
        if (statement == NULL || has_more(tail) || sqlite3_bind_parameter_count(statement) != (int)highest) {
            g_set_error(error, FUNDAMENT_ERROR, FUNDAMENT_ERROR_INTERNAL,
                        "not exactly one statement with parameters ?1 ?2 ...: %s", sql);
            sqlite3_finalize(statement);
            return NULL;
        }
        if (g_hash_table_size(db->statements) >= STATEMENTS_MAX) {
            g_hash_table_remove_all(db->statements);
        }
        g_hash_table_insert(db->statements, g_strdup(sql), statement);
    }
    guint parameters = (guint)sqlite3_bind_parameter_count(statement);
    return sql_values_match(sql, parameters, n_values, error) ? statement : NULL;
}

static int bind(sqlite3_stmt *statement, int index, const Value *value)
{
    switch (value->kind) {
    case VALUE_INTEGER:
        return sqlite3_bind_int64(statement, index, value->integer);
    case VALUE_TEXT:
        return sqlite3_bind_text64(statement, index, value->data, value->length, SQLITE_STATIC, SQLITE_UTF8);
    case VALUE_BLOB:
        return sqlite3_bind_blob64(statement, index, value->data, value->length, SQLITE_STATIC);
    case VALUE_NULL:
        break;
    }
    return sqlite3_bind_null(statement, index);
}

static void add_cell(Rows *rows, sqlite3_stmt *statement, int column)
{
    switch (sqlite3_column_type(statement, column)) {
    case SQLITE_NULL:
        rows_add_null(rows);
        break;
    case SQLITE_INTEGER:
        rows_add_integer(rows, sqlite3_column_int64(statement, column));
        break;
    case SQLITE_BLOB:
        rows_add_data(rows, VALUE_BLOB, sqlite3_column_blob(statement, column),
                      (gsize)sqlite3_column_bytes(statement, column));
        break;
    default: /* SQLITE_TEXT, and SQLITE_FLOAT as its text */
        rows_add_data(rows, VALUE_TEXT, sqlite3_column_text(statement, column),
                      (gsize)sqlite3_column_bytes(statement, column));
        break;
    }
}

static Rows *statement_run(SqliteDb *db, sqlite3_stmt *statement, const Value *values, gsize n_values,
                           GError **error)
{
    int result = SQLITE_OK;
    for (gsize i = 0; i < n_values && result == SQLITE_OK; i++) {
        result = bind(statement, (int)i + 1, &values[i]);
    }
    g_autoptr(Rows) rows = NULL;
    while (result == SQLITE_OK || result == SQLITE_ROW) {
        result = sqlite3_step(statement);
        if (rows == NULL) { /* only now: a changed schema is noticed by the first step */
            rows = rows_new((guint)sqlite3_column_count(statement));
        }
        for (int column = 0; result == SQLITE_ROW && column < sqlite3_column_count(statement); column++) {
            add_cell(rows, statement, column);
        }
    }
    if (result != SQLITE_DONE) {
        set_error(db, sqlite3_sql(statement), error);
    } else {
        db->db.changes = sqlite3_changes64(db->handle);
    }
    sqlite3_reset(statement);
    sqlite3_clear_bindings(statement);
    return result == SQLITE_DONE ? g_steal_pointer(&rows) : NULL;
}

static Rows *sqlite_query(Db *base, const char *sql, const Value *values, gsize n_values, GError **error)
{
    SqliteDb *db = (SqliteDb *)base;
    sqlite3_stmt *statement = statement_get(db, sql, n_values, error);
    if (statement == NULL) {
        return NULL;
    }
    gboolean write_alone = !base->in_transaction && !sqlite3_stmt_readonly(statement);
    if (write_alone && !store_writer_lock(base->store, error)) {
        return NULL;
    }
    Rows *rows = statement_run(db, statement, values, n_values, error);
    if (write_alone) {
        store_writer_unlock(base->store);
    }
    return rows;
}

static gboolean execute(SqliteDb *db, const char *sql, GError **error)
{
    if (sqlite3_exec(db->handle, sql, NULL, NULL, NULL) != SQLITE_OK) {
        set_error(db, sql, error);
        return FALSE;
    }
    return TRUE;
}

static gboolean sqlite_begin(Db *base, GError **error)
{
    if (!store_writer_lock(base->store, error)) {
        return FALSE;
    }
    if (!execute((SqliteDb *)base, "BEGIN IMMEDIATE", error)) {
        store_writer_unlock(base->store);
        return FALSE;
    }
    return TRUE;
}

static gboolean sqlite_commit(Db *base, GError **error)
{
    if (!execute((SqliteDb *)base, "COMMIT", error)) {
        return FALSE; /* still in the transaction: the caller rolls back */
    }
    store_writer_unlock(base->store);
    return TRUE;
}

static void sqlite_rollback(Db *base)
{
    SqliteDb *db = (SqliteDb *)base;
    /* After some errors (disk full, I/O) SQLite has rolled back by itself. */
    if (!sqlite3_get_autocommit(db->handle) && !execute(db, "ROLLBACK", NULL)) {
        base->broken = TRUE;
    }
    store_writer_unlock(base->store);
}

static gboolean sqlite_script(Db *base, const char *sql, GError **error)
{
    SqliteDb *db = (SqliteDb *)base;
    if (sqlite3_exec(db->handle, sql, NULL, NULL, NULL) != SQLITE_OK) {
        set_error(db, "migration", error);
        return FALSE;
    }
    if (sqlite3_get_autocommit(db->handle)) {
        g_set_error_literal(error, FUNDAMENT_ERROR, FUNDAMENT_ERROR_INTERNAL,
                            "a migration must not begin, commit or roll back");
        return FALSE;
    }
    return TRUE;
}

/* Rebuilding a table (make, copy, drop, rename) would delete what refers to it, so foreign keys rest while
 * migrations run and are checked before each commit: https://www.sqlite.org/lang_altertable.html, section 7.
 */
static gboolean sqlite_migrating(Db *base, gboolean on, GError **error)
{
    SqliteDb *db = (SqliteDb *)base;
    sqlite3_busy_timeout(db->handle, on ? STORE_MIGRATION_BUSY_MS : STORE_BUSY_MS);
    return execute(db, on ? "PRAGMA foreign_keys=OFF" : "PRAGMA foreign_keys=ON", error);
}

static gboolean sqlite_migration_lock(Db *db, GError **error)
{
    return TRUE; /* BEGIN IMMEDIATE was enough */
}

static gboolean sqlite_migration_check(Db *db, GError **error)
{
    g_autoptr(Rows) rows = sqlite_query(db, "PRAGMA foreign_key_check", NULL, 0, error);
    if (rows == NULL) {
        return FALSE;
    }
    if (rows_next(rows)) {
        g_set_error(error, FUNDAMENT_ERROR, FUNDAMENT_ERROR_CONFLICT,
                    "it leaves a row in %s that refers to nothing in %s", rows_text(rows, 0),
                    rows_text(rows, 2));
        return FALSE;
    }
    return TRUE;
}

const DbDriver db_driver_sqlite = {
    .blob_type = "BLOB",
    .id_type = "INTEGER PRIMARY KEY AUTOINCREMENT",
    .open = sqlite_open,
    .close = sqlite_close,
    .usable = sqlite_usable,
    .query = sqlite_query,
    .begin = sqlite_begin,
    .commit = sqlite_commit,
    .rollback = sqlite_rollback,
    .script = sqlite_script,
    .migrating = sqlite_migrating,
    .migration_lock = sqlite_migration_lock,
    .migration_check = sqlite_migration_check,
};
