#include "core/store/store_copy.h"

#include <fcntl.h>
#include <libpq-fe.h>
#include <sqlite3.h>
#include <string.h>
#include <unistd.h>

#include "core/base/error.h"
#include "core/store/store.h"

#define SQLITE "sqlite:"
#define STEP_PAGES 2048
#define BUSY_MS 5000

static gboolean is_sqlite(const char *url)
{
    return g_str_has_prefix(url, SQLITE);
}

const char *store_copy_name(const char *url)
{
    return is_sqlite(url) ? "store.db" : "store.pgdump";
}

static gboolean fail(const char *what, const char *why, GError **error)
{
    g_set_error(error, FUNDAMENT_ERROR, FUNDAMENT_ERROR_IO, "database: %s: %s", what, why);
    return FALSE;
}

static gboolean sync_file(const char *path, GError **error)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    gboolean good = fd >= 0 && fsync(fd) == 0;
    if (fd >= 0)
        close(fd);
    return good || fail(path, g_strerror(errno), error);
}

/* --- SQLite --- */

static sqlite3 *open_file(const char *path, int flags, GError **error)
{
    sqlite3 *handle = NULL;
    if (sqlite3_open_v2(path, &handle, flags | SQLITE_OPEN_NOMUTEX, NULL) == SQLITE_OK) {
        sqlite3_busy_timeout(handle, BUSY_MS);
        return handle;
    }
    fail(path, sqlite3_errmsg(handle), error);
    sqlite3_close(handle);
    return NULL;
}

/* Page after page, out of one snapshot: the transaction that `from` is in. */
static gboolean copy_pages(sqlite3 *from, sqlite3 *to, StoreProgress progress, gpointer user_data,
                           GError **error)
{
    sqlite3_backup *backup = sqlite3_backup_init(to, "main", from, "main");
    if (backup == NULL)
        return fail("copy", sqlite3_errmsg(to), error);
    int result = SQLITE_OK;
    while (result == SQLITE_OK) {
        result = sqlite3_backup_step(backup, STEP_PAGES);
        guint64 pages = (guint64)(sqlite3_backup_pagecount(backup) - sqlite3_backup_remaining(backup));
        if (progress != NULL)
            progress(pages * 4096, user_data);
    }
    sqlite3_backup_finish(backup);
    return result == SQLITE_DONE || fail("copy", sqlite3_errstr(result), error);
}

static gboolean copy_between(sqlite3 *from, sqlite3 *to, StoreProgress progress, gpointer user_data,
                             GError **error)
{
    static const char *const begin = "BEGIN; SELECT count(*) FROM sqlite_schema";
    /* One file by itself, not a file and its log. */
    static const char *const settle = "PRAGMA journal_mode=DELETE";
    if (sqlite3_exec(from, begin, NULL, NULL, NULL) != SQLITE_OK)
        return fail("copy", sqlite3_errmsg(from), error);
    return copy_pages(from, to, progress, user_data, error) &&
           (sqlite3_exec(to, settle, NULL, NULL, NULL) == SQLITE_OK ||
            fail("copy", sqlite3_errmsg(to), error));
}

static gboolean copy_sqlite(const char *path, const char *file, StoreProgress progress, gpointer user_data,
                            GError **error)
{
    int fd = open(file, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0)
        return fail(file, g_strerror(errno), error);
    close(fd);
    sqlite3 *from = open_file(path, SQLITE_OPEN_READWRITE, error);
    sqlite3 *to = from == NULL ? NULL : open_file(file, SQLITE_OPEN_READWRITE, error);
    gboolean good = to != NULL && copy_between(from, to, progress, user_data, error);
    sqlite3_close(to);
    sqlite3_close(from);
    return good && sync_file(file, error);
}

static gboolean check_sqlite(sqlite3 *handle, const char *file, GError **error)
{
    sqlite3_stmt *statement = NULL;
    const char *found = NULL;
    if (sqlite3_prepare_v2(handle, "PRAGMA quick_check(1)", -1, &statement, NULL) == SQLITE_OK &&
        sqlite3_step(statement) == SQLITE_ROW)
        found = (const char *)sqlite3_column_text(statement, 0);
    gboolean good = g_strcmp0(found, "ok") == 0;
    if (!good)
        fail(file, found != NULL ? found : sqlite3_errmsg(handle), error);
    sqlite3_finalize(statement);
    return good;
}

/* --- PostgreSQL --- */

/* What libpq would read from the URL, as its environment variables: an argument could be read by others. */
static char **environment_for(const char *url, GError **error)
{
    PQconninfoOption *options = PQconninfoParse(url, NULL);
    if (options == NULL) {
        fail("the storage URL", "it cannot be read", error);
        return NULL;
    }
    char **environment = g_get_environ();
    for (const PQconninfoOption *option = options; option->keyword != NULL; option++)
        if (option->val != NULL && option->envvar != NULL)
            environment = g_environ_setenv(environment, option->envvar, option->val, TRUE);
    PQconninfoFree(options);
    return environment;
}

static gboolean run_tool(const char *url, const char *const *arguments, GError **error)
{
    g_autofree char *said = NULL;
    g_autoptr(GError) problem = NULL;
    int status = 0;
    g_auto(GStrv) environment = environment_for(url, error);
    if (environment == NULL)
        return FALSE;
    if (!g_spawn_sync(NULL, (char **)arguments, environment, G_SPAWN_SEARCH_PATH | G_SPAWN_STDOUT_TO_DEV_NULL,
                      NULL, NULL, NULL, &said, &status, &problem)) {
        g_set_error(error, FUNDAMENT_ERROR, FUNDAMENT_ERROR_UNAVAILABLE,
                    "database: %s; install the package postgresql-client", problem->message);
        return FALSE;
    }
    return g_spawn_check_wait_status(status, NULL) || fail(arguments[0], g_strchomp(said), error);
}

static gboolean database_is_empty(const char *url, GError **error)
{
    g_autoptr(Store) store = store_open(url, error);
    if (store == NULL)
        return FALSE;
    g_autoptr(Db) db = store_take(store, error);
    g_autoptr(Rows) rows =
        db == NULL ? NULL
                   : db_query_values(db, "SELECT COUNT(*) FROM pg_tables WHERE schemaname = current_schema()",
                                     NULL, 0, error);
    if (rows == NULL)
        return FALSE;
    if (rows_next(rows) && rows_integer(rows, 0) == 0)
        return TRUE;
    g_set_error_literal(error, FUNDAMENT_ERROR, FUNDAMENT_ERROR_CONFLICT,
                        "the database is not empty; give the node one without tables");
    return FALSE;
}

/* --- both --- */

gboolean store_copy(const char *url, const char *file, StoreProgress progress, gpointer user_data,
                    GError **error)
{
    if (is_sqlite(url))
        return copy_sqlite(url + strlen(SQLITE), file, progress, user_data, error);
    g_autofree char *option = g_strconcat("--file=", file, NULL);
    const char *const dump[] = {"pg_dump", "--format=custom", "--no-owner", "--no-privileges", option, NULL};
    return run_tool(url, dump, error) && sync_file(file, error);
}

gboolean store_copy_check(const char *file, GError **error)
{
    if (!g_str_has_suffix(file, ".db"))
        return TRUE; /* its digest says that it is what pg_dump wrote */
    sqlite3 *handle = open_file(file, SQLITE_OPEN_READONLY, error);
    gboolean good = handle != NULL && check_sqlite(handle, file, error);
    sqlite3_close(handle);
    return good;
}

gboolean store_copy_fits(const char *url, GError **error)
{
    if (!is_sqlite(url))
        return database_is_empty(url, error);
    const char *path = url + strlen(SQLITE);
    if (access(path, F_OK) != 0)
        return TRUE;
    g_set_error(error, FUNDAMENT_ERROR, FUNDAMENT_ERROR_CONFLICT,
                "%s is there already; a backup is only restored in an empty place", path);
    return FALSE;
}

gboolean store_copy_load(const char *url, const char *file, GError **error)
{
    g_autofree char *name = NULL;
    PQconninfoOption *options = PQconninfoParse(url, NULL);
    for (const PQconninfoOption *option = options; option != NULL && option->keyword != NULL; option++)
        if (strcmp(option->keyword, "dbname") == 0)
            name = g_strdup(option->val);
    PQconninfoFree(options);
    g_autofree char *database = g_strconcat("--dbname=", name == NULL ? "" : name, NULL);
    const char *const restore[] = {"pg_restore",
                                   "--exit-on-error",
                                   "--single-transaction",
                                   "--no-owner",
                                   "--no-privileges",
                                   database,
                                   file,
                                   NULL};
    return run_tool(url, restore, error);
}
