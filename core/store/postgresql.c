/* PostgreSQL as engine, through libpq. */
#include "core/store/store_private.h"

#include <libpq-fe.h>
#include <poll.h>
#include <string.h>

#include "core/base/error.h"

#define STATEMENTS_MAX 256
#define MIGRATION_LOCK                                                                                       \
    "SELECT pg_advisory_xact_lock(5062132774119735661)" /* any number, the same in each process */

/* Object identifiers of types, fixed for ever (pg_type.dat). */
enum {
    OID_BOOL = 16,
    OID_BYTEA = 17,
    OID_INT8 = 20,
    OID_INT2 = 21,
    OID_INT4 = 23,
    OID_TEXT = 25,
    OID_NUMERIC = 1700
};

typedef struct {
    struct db db;
    PGconn *connection;
    GHashTable *statements; /* kinds of the values, then SQL text -> name of the prepared statement */
} PostgresqlDb;

G_DEFINE_AUTOPTR_CLEANUP_FUNC(PGresult, PQclear)

static const struct {
    const char *state; /* SQLSTATE, or the beginning of it */
    FundamentError code;
    gboolean quotes_values; /* its message may repeat a value, which may be a BSN: it is not passed on */
} states[] = {
    {"08", FUNDAMENT_ERROR_UNAVAILABLE, FALSE},    /* connection */
    {"22", FUNDAMENT_ERROR_INVALID, TRUE},         /* data: out of range, not of its type */
    {"23", FUNDAMENT_ERROR_CONFLICT, TRUE},        /* integrity constraint */
    {"25006", FUNDAMENT_ERROR_UNAVAILABLE, FALSE}, /* read only: a standby */
    {"40", FUNDAMENT_ERROR_UNAVAILABLE, FALSE},    /* serialization failure, deadlock */
    {"53100", FUNDAMENT_ERROR_IO, FALSE},          /* disk full */
    {"53", FUNDAMENT_ERROR_UNAVAILABLE, FALSE},    /* too many connections, out of memory */
    {"55P03", FUNDAMENT_ERROR_UNAVAILABLE, FALSE}, /* lock not available */
    {"57", FUNDAMENT_ERROR_UNAVAILABLE, FALSE},    /* shutdown, starting, cancelled */
    {"58", FUNDAMENT_ERROR_IO, FALSE},             /* system: I/O error */
    {"XX001", FUNDAMENT_ERROR_IO, FALSE},          /* data corrupted */
    {"XX002", FUNDAMENT_ERROR_IO, FALSE},          /* index corrupted */
    {"", FUNDAMENT_ERROR_INTERNAL, FALSE},
};

/* Without a result, or without a SQLSTATE in it, the connection itself broke. */
static void set_error(PostgresqlDb *db, const PGresult *result, const char *what, GError **error)
{
    const char *state = result != NULL ? PQresultErrorField(result, PG_DIAG_SQLSTATE) : NULL;
    if (PQstatus(db->connection) == CONNECTION_BAD || state == NULL) {
        db->db.broken = TRUE;
        g_set_error(error, FUNDAMENT_ERROR, FUNDAMENT_ERROR_UNAVAILABLE,
                    "the connection with PostgreSQL broke%s%s; check that it runs, then try again",
                    state != NULL ? ", SQLSTATE " : "", state != NULL ? state : "");
        return;
    }
    gsize i = 0;
    while (!g_str_has_prefix(state, states[i].state)) {
        i++;
    }
    const char *message = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
    const char *constraint = PQresultErrorField(result, PG_DIAG_CONSTRAINT_NAME);
    const char *column = PQresultErrorField(result, PG_DIAG_COLUMN_NAME);
    g_set_error(error, FUNDAMENT_ERROR, states[i].code, "database: %s%s%s, SQLSTATE %s (%s)",
                states[i].quotes_values ? "value refused" : message,
                constraint != NULL || column != NULL ? " by " : "",
                constraint != NULL ? constraint : (column != NULL ? column : ""), state, what);
}

static void ignore_notice(void *data, const char *message)
{
}

static void postgresql_close(Db *base)
{
    PostgresqlDb *db = (PostgresqlDb *)base;
    g_hash_table_unref(db->statements);
    PQfinish(db->connection);
    g_free(db);
}

/* A command without parameters and rows. */
static gboolean execute(PostgresqlDb *db, const char *sql, const char *what, GError **error)
{
    g_autoptr(PGresult) result = PQexec(db->connection, sql);
    ExecStatusType status = PQresultStatus(result);
    if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK && status != PGRES_EMPTY_QUERY) {
        set_error(db, result, what, error);
        return FALSE;
    }
    return TRUE;
}

static Db *postgresql_open(const char *url, GError **error)
{
    /* What the URL says goes before connect_timeout, and client_encoding goes before what the URL says. */
    const char *names[] = {"connect_timeout", "fallback_application_name", "dbname", "client_encoding", NULL};
    const char *settings[] = {"5", "fundament", url, "UTF8", NULL};
    PostgresqlDb *db = g_new0(PostgresqlDb, 1);
    db->statements = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    db->connection = PQconnectdbParams(names, settings, 1);
    PQsetNoticeProcessor(db->connection, ignore_notice, NULL);
    if (PQstatus(db->connection) != CONNECTION_OK) {
        g_autofree char *reason = g_strstrip(g_strdup(PQerrorMessage(db->connection)));
        g_set_error(error, FUNDAMENT_ERROR, FUNDAMENT_ERROR_UNAVAILABLE, "cannot connect to PostgreSQL: %s",
                    reason);
        postgresql_close(&db->db);
        return NULL;
    }
    if (!execute(db,
                 "SET lock_timeout = 5000; SET standard_conforming_strings = on; SET bytea_output = hex;"
                 "SET timezone = 'UTC'; SET default_transaction_isolation = 'read committed'",
                 "settings", error)) {
        postgresql_close(&db->db);
        return NULL;
    }
    return &db->db;
}

/* An idle server has nothing to say: what can be read is its farewell, or the end of the connection. */
static gboolean postgresql_usable(Db *base)
{
    PostgresqlDb *db = (PostgresqlDb *)base;
    struct pollfd socket = {.fd = PQsocket(db->connection), .events = POLLIN};
    return socket.fd >= 0 && poll(&socket, 1, 0) == 0;
}

/* The type of a parameter: 64 bits for integers, so that arithmetic does not happen in 32; left to the place
 * where it stands for NULL. */
static Oid value_type(ValueKind kind)
{
    static const Oid types[] = {
        [VALUE_NULL] = 0, [VALUE_INTEGER] = OID_INT8, [VALUE_TEXT] = OID_TEXT, [VALUE_BLOB] = OID_BYTEA};
    return types[kind];
}

/* The name of the prepared statement for this text and these kinds of values; NULL with an error. */
static const char *statement_get(PostgresqlDb *db, const char *sql, const Value *values, gsize n_values,
                                 GError **error)
{
    g_autoptr(GString) key = g_string_sized_new(n_values + strlen(sql) + 1);
    for (gsize i = 0; i < n_values; i++) {
        g_string_append_c(key, "nitb"[values[i].kind]);
    }
    g_string_append_printf(key, " %s", sql);
    const char *known = g_hash_table_lookup(db->statements, key->str);
    if (known != NULL) {
        return known;
    }
    g_autoptr(GString) text = g_string_sized_new(strlen(sql) + 16);
    guint highest = 0;
    if (!sql_parameters(sql, text, &highest, error) || !sql_values_match(sql, highest, n_values, error)) {
        return NULL;
    }
    if (g_hash_table_size(db->statements) >= STATEMENTS_MAX) {
        if (!execute(db, "DEALLOCATE ALL", "DEALLOCATE ALL", error)) {
            return NULL;
        }
        g_hash_table_remove_all(db->statements);
    }
    g_autofree Oid *types = g_new0(Oid, n_values + 1);
    for (gsize i = 0; i < n_values; i++) {
        types[i] = value_type(values[i].kind);
    }
    g_autofree char *name = g_strdup_printf("s%u", g_hash_table_size(db->statements));
    g_autoptr(PGresult) result = PQprepare(db->connection, name, text->str, (int)n_values, types);
    if (PQresultStatus(result) != PGRES_COMMAND_OK) {
        set_error(db, result, sql, error);
        return NULL;
    }
    known = name;
    g_hash_table_insert(db->statements, g_string_free(g_steal_pointer(&key), FALSE), g_steal_pointer(&name));
    return known;
}

static PGresult *statement_run(PostgresqlDb *db, const char *name, const Value *values, gsize n_values)
{
    g_autofree const char **data = g_new0(const char *, n_values + 1);
    g_autofree int *lengths = g_new0(int, n_values + 1);
    g_autofree int *formats = g_new0(int, n_values + 1);
    g_autofree char *integers = g_malloc(n_values * 24 + 1);
    for (gsize i = 0; i < n_values; i++) {
        if (values[i].kind == VALUE_INTEGER) {
            data[i] = integers + i * 24;
            g_snprintf(integers + i * 24, 24, "%" G_GINT64_FORMAT, values[i].integer);
        } else if (values[i].kind != VALUE_NULL) {
            data[i] = values[i].data;
            lengths[i] = (int)values[i].length;
            formats[i] = 1; /* text is the same in both formats, but needs no NUL in this one */
        }
    }
    return PQexecPrepared(db->connection, name, (int)n_values, data, lengths, formats, 0);
}

static void add_blob(Rows *rows, const char *hex)
{
    size_t length = 0;
    unsigned char *data = PQunescapeBytea((const unsigned char *)hex, &length);
    rows_add_data(rows, VALUE_BLOB, data, length);
    PQfreemem(data);
}

/* NUMERIC is what SUM() of a BIGINT gives: an integer again when it is one, as in SQLite. */
static void add_numeric(Rows *rows, const char *text)
{
    gint64 integer = 0;
    if (g_ascii_string_to_signed(text, 10, G_MININT64, G_MAXINT64, &integer, NULL)) {
        rows_add_integer(rows, integer);
    } else {
        rows_add_data(rows, VALUE_TEXT, text, strlen(text));
    }
}

static void add_cell(Rows *rows, const PGresult *result, int row, int column)
{
    if (PQgetisnull(result, row, column)) {
        rows_add_null(rows);
        return;
    }
    const char *text = PQgetvalue(result, row, column);
    switch (PQftype(result, column)) {
    case OID_BOOL:
        rows_add_integer(rows, text[0] == 't');
        break;
    case OID_INT2:
    case OID_INT4:
    case OID_INT8:
        rows_add_integer(rows, g_ascii_strtoll(text, NULL, 10));
        break;
    case OID_NUMERIC:
        add_numeric(rows, text);
        break;
    case OID_BYTEA:
        add_blob(rows, text);
        break;
    default:
        rows_add_data(rows, VALUE_TEXT, text, (gsize)PQgetlength(result, row, column));
        break;
    }
}

/* Only what changes rows counts: SELECT has a number of tuples too. */
static void count_changes(PostgresqlDb *db, PGresult *result)
{
    static const char *const changing[] = {"INSERT", "UPDATE", "DELETE"};
    for (gsize i = 0; i < G_N_ELEMENTS(changing); i++) {
        if (g_str_has_prefix(PQcmdStatus(result), changing[i])) {
            db->db.changes = g_ascii_strtoll(PQcmdTuples(result), NULL, 10);
        }
    }
}

static Rows *postgresql_query(Db *base, const char *sql, const Value *values, gsize n_values, GError **error)
{
    PostgresqlDb *db = (PostgresqlDb *)base;
    const char *name = statement_get(db, sql, values, n_values, error);
    if (name == NULL) {
        return NULL;
    }
    g_autoptr(PGresult) result = statement_run(db, name, values, n_values);
    ExecStatusType status = PQresultStatus(result);
    if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK) {
        const char *state = PQresultErrorField(result, PG_DIAG_SQLSTATE);
        if (g_strcmp0(state, "0A000") == 0) {
            /* "cached plan must not change result type": a migration ran elsewhere; a new connection has no
             * plans. */
            base->broken = TRUE;
            g_set_error(error, FUNDAMENT_ERROR, FUNDAMENT_ERROR_UNAVAILABLE,
                        "the tables changed meanwhile; try again (%s)", sql);
        } else {
            set_error(db, result, sql, error);
        }
        return NULL;
    }
    count_changes(db, result);
    int columns = PQnfields(result);
    Rows *rows = rows_new((guint)columns);
    for (int row = 0; row < PQntuples(result); row++) {
        for (int column = 0; column < columns; column++) {
            add_cell(rows, result, row, column);
        }
    }
    return rows;
}

static gboolean postgresql_begin(Db *db, GError **error)
{
    return execute((PostgresqlDb *)db, "BEGIN", "BEGIN", error);
}

static gboolean postgresql_commit(Db *db, GError **error)
{
    return execute((PostgresqlDb *)db, "COMMIT", "COMMIT", error);
}

static void postgresql_rollback(Db *base)
{
    PostgresqlDb *db = (PostgresqlDb *)base;
    if (PQtransactionStatus(db->connection) != PQTRANS_IDLE && !execute(db, "ROLLBACK", "ROLLBACK", NULL)) {
        base->broken = TRUE;
    }
}

static gboolean postgresql_script(Db *base, const char *sql, GError **error)
{
    PostgresqlDb *db = (PostgresqlDb *)base;
    if (!execute(db, sql, "migration", error)) {
        return FALSE;
    }
    if (PQtransactionStatus(db->connection) != PQTRANS_INTRANS) {
        g_set_error_literal(error, FUNDAMENT_ERROR, FUNDAMENT_ERROR_INTERNAL,
                            "a migration must not begin, commit or roll back");
        return FALSE;
    }
    return TRUE;
}

static gboolean postgresql_migrating(Db *db, gboolean on, GError **error)
{
    return execute((PostgresqlDb *)db, on ? "SET lock_timeout = 60000" : "SET lock_timeout = 5000",
                   "lock_timeout", error);
}

static gboolean postgresql_migration_lock(Db *db, GError **error)
{
    return execute((PostgresqlDb *)db, MIGRATION_LOCK, MIGRATION_LOCK, error);
}

static gboolean postgresql_migration_check(Db *db, GError **error)
{
    return TRUE; /* foreign keys were checked all along */
}

const DbDriver db_driver_postgresql = {
    .blob_type = "BYTEA",
    .id_type = "BIGINT GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY",
    .open = postgresql_open,
    .close = postgresql_close,
    .usable = postgresql_usable,
    .query = postgresql_query,
    .begin = postgresql_begin,
    .commit = postgresql_commit,
    .rollback = postgresql_rollback,
    .script = postgresql_script,
    .migrating = postgresql_migrating,
    .migration_lock = postgresql_migration_lock,
    .migration_check = postgresql_migration_check,
};
