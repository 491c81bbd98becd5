/* The pool of connections, transactions, and the way to the engine. */
#include "core/store/store_private.h"

#include <string.h>

#include "core/base/error.h"

#define POOL_MAX 16
#define POOL_WAIT_MS 5000

struct store {
    const DbDriver *driver;
    char *address;
    GMutex mutex;
    GCond released;
    GPtrArray *idle; /* of Db, the most recently used last */
    guint taken;
    gboolean writing; /* SQLite: somebody in this process is writing */
    GCond written;
};

static const struct {
    const char *prefix;
    gsize skip; /* what is not part of the driver's address */
    const DbDriver *driver;
} engines[] = {
    {"sqlite:", 7, &db_driver_sqlite},
    {"postgresql://", 0, &db_driver_postgresql},
    {"postgres://", 0, &db_driver_postgresql},
};

Store *store_open(const char *url, GError **error)
{
    for (gsize i = 0; i < G_N_ELEMENTS(engines); i++) {
        if (!g_str_has_prefix(url, engines[i].prefix)) {
            continue;
        }
        g_autoptr(Store) store = g_new0(Store, 1);
        store->driver = engines[i].driver;
        store->address = g_strdup(url + engines[i].skip);
        store->idle = g_ptr_array_new();
        g_mutex_init(&store->mutex);
        g_cond_init(&store->released);
        g_cond_init(&store->written);
        Db *first = store_take(store, error);
        if (first == NULL) {
            return NULL;
        }
        db_release(first);
        return g_steal_pointer(&store);
    }
    /* The URL itself may hold a password, so it is not repeated. */
    g_set_error_literal(error, FUNDAMENT_ERROR, FUNDAMENT_ERROR_INVALID,
                        "the storage URL starts with neither \"sqlite:\" nor \"postgresql://\"");
    return NULL;
}

void store_close(Store *store)
{
    if (store == NULL) {
        return;
    }
    g_warn_if_fail(store->taken == 0);
    for (guint i = 0; i < store->idle->len; i++) {
        store->driver->close(store->idle->pdata[i]);
    }
    g_ptr_array_unref(store->idle);
    g_mutex_clear(&store->mutex);
    g_cond_clear(&store->released);
    g_cond_clear(&store->written);
    g_free(store->address);
    g_free(store);
}

gboolean store_is_postgresql(const Store *store)
{
    return store->driver == &db_driver_postgresql;
}

/* Waits until a connection may be taken; counts it. */
static gboolean pool_enter(Store *store, GError **error)
{
    gint64 deadline = g_get_monotonic_time() + POOL_WAIT_MS * G_TIME_SPAN_MILLISECOND;
    while (store->taken >= POOL_MAX) {
        if (!g_cond_wait_until(&store->released, &store->mutex, deadline)) {
            g_set_error(error, FUNDAMENT_ERROR, FUNDAMENT_ERROR_UNAVAILABLE,
                        "all %d database connections are in use for %d s; try again", POOL_MAX,
                        POOL_WAIT_MS / 1000);
            return FALSE;
        }
    }
    store->taken++;
    return TRUE;
}

static void pool_leave(Store *store)
{
    g_mutex_lock(&store->mutex);
    store->taken--;
    g_cond_signal(&store->released);
    g_mutex_unlock(&store->mutex);
}

Db *store_take(Store *store, GError **error)
{
    g_mutex_lock(&store->mutex);
    if (!pool_enter(store, error)) {
        g_mutex_unlock(&store->mutex);
        return NULL;
    }
    Db *db = NULL;
    while (db == NULL && store->idle->len > 0) {
        db = g_ptr_array_steal_index(store->idle, store->idle->len - 1);
        if (!store->driver->usable(db)) {
            store->driver->close(db);
            db = NULL;
        }
    }
    g_mutex_unlock(&store->mutex);
    if (db == NULL) {
        db = store->driver->open(store->address, error);
    }
    if (db == NULL) {
        pool_leave(store);
        return NULL;
    }
    db->store = store;
    db->driver = store->driver;
    return db;
}

void db_release(Db *db)
{
    if (db == NULL) {
        return;
    }
    Store *store = db->store;
    db_rollback(db);
    if (db->broken) {
        store->driver->close(db);
    } else {
        g_mutex_lock(&store->mutex);
        g_ptr_array_add(store->idle, db);
        g_mutex_unlock(&store->mutex);
    }
    pool_leave(store);
}

gboolean store_writer_lock(Store *store, GError **error)
{
    gint64 deadline = g_get_monotonic_time() + STORE_BUSY_MS * G_TIME_SPAN_MILLISECOND;
    gboolean got = TRUE;
    g_mutex_lock(&store->mutex);
    while (store->writing && got) {
        got = g_cond_wait_until(&store->written, &store->mutex, deadline);
    }
    got = !store->writing;
    if (got) {
        store->writing = TRUE;
    }
    g_mutex_unlock(&store->mutex);
    if (!got) {
        g_set_error(error, FUNDAMENT_ERROR, FUNDAMENT_ERROR_UNAVAILABLE,
                    "the database is locked by another writer for %d s; try again", STORE_BUSY_MS / 1000);
    }
    return got;
}

void store_writer_unlock(Store *store)
{
    g_mutex_lock(&store->mutex);
    store->writing = FALSE;
    g_cond_signal(&store->written);
    g_mutex_unlock(&store->mutex);
}

/* What an engine would refuse, cut short or take differently is refused here, for both alike. */
static gboolean values_valid(const Value *values, gsize n_values, GError **error)
{
    for (gsize i = 0; i < n_values; i++) {
        if (values[i].kind == VALUE_TEXT &&
            !g_utf8_validate(values[i].data, (gssize)values[i].length, NULL)) {
            g_set_error(error, FUNDAMENT_ERROR, FUNDAMENT_ERROR_INVALID,
                        "value %" G_GSIZE_FORMAT " of the statement is not UTF-8 text", i + 1);
            return FALSE;
        }
    }
    return TRUE;
}

Rows *db_query_values(Db *db, const char *sql, const Value *values, gsize n_values, GError **error)
{
    Rows *rows = NULL;
    if (db->failed) {
        g_set_error_literal(error, FUNDAMENT_ERROR, FUNDAMENT_ERROR_INTERNAL,
                            "an earlier statement of this transaction failed: only db_rollback() may follow");
    } else if (values_valid(values, n_values, error)) {
        rows = db->driver->query(db, sql, values, n_values, error);
    }
    if (rows == NULL && db->in_transaction) {
        db->failed = TRUE;
    }
    return rows;
}

gboolean db_run_values(Db *db, const char *sql, const Value *values, gsize n_values, GError **error)
{
    g_autoptr(Rows) rows = db_query_values(db, sql, values, n_values, error);
    return rows != NULL;
}

gint64 db_changes(const Db *db)
{
    return db->changes;
}

gboolean db_begin(Db *db, GError **error)
{
    if (db->in_transaction) {
        g_set_error_literal(error, FUNDAMENT_ERROR, FUNDAMENT_ERROR_INTERNAL, "transactions do not nest");
        return FALSE;
    }
    db->in_transaction = db->driver->begin(db, error);
    return db->in_transaction;
}

gboolean db_commit(Db *db, GError **error)
{
    if (!db->in_transaction || db->failed) {
        g_set_error_literal(error, FUNDAMENT_ERROR, FUNDAMENT_ERROR_INTERNAL,
                            db->failed
                                ? "a statement of this transaction failed: it was rolled back, not committed"
                                : "there is no transaction to commit");
        db_rollback(db);
        return FALSE;
    }
    if (!db->driver->commit(db, error)) {
        db_rollback(db);
        return FALSE;
    }
    db->in_transaction = FALSE;
    return TRUE;
}

void db_rollback(Db *db)
{
    if (db->in_transaction) {
        db->driver->rollback(db);
    }
    db->in_transaction = FALSE;
    db->failed = FALSE;
}
