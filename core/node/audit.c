#include "core/node/audit.h"

#include <string.h>

#define QUERY_VALUES 6

gboolean audit_write(Db *db, const Clock *clock, const char *actor, const char *role, const char *action,
                     const char *object, const char *outcome, const TraceContext *trace, GError **error)
{
    return db_run(db, error,
                  "INSERT INTO node_audit (time_ms, actor, role, action, object, outcome, trace_id)"
                  " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
                  value_integer(clock_now_ms(clock)), value_text(actor), value_text(role), value_text(action),
                  value_text(object), value_text(outcome),
                  value_text(trace == NULL ? NULL : trace->trace_id));
}

/* --- reading --- */

static void entry_free(gpointer data)
{
    AuditEntry *entry = data;
    g_free(entry->actor);
    g_free(entry->role);
    g_free(entry->action);
    g_free(entry->object);
    g_free(entry->outcome);
    g_free(entry->trace_id);
    g_free(entry);
}

typedef struct {
    GString *sql;
    Value values[QUERY_VALUES + 1];
    gsize count;
} Statement;

static void narrow(Statement *statement, const char *before, const char *after, Value value)
{
    statement->values[statement->count++] = value;
    g_string_append_printf(statement->sql, " AND %s?%zu%s", before, statement->count, after);
}

static void narrow_action(Statement *statement, const char *action)
{
    statement->values[statement->count++] = value_text(action);
    g_string_append_printf(statement->sql, " AND substr(action, 1, length(?%zu)) = ?%zu", statement->count,
                           statement->count);
}

static Rows *rows_of(Db *db, const AuditQuery *query, GError **error)
{
    g_autoptr(GString) sql = g_string_new(
        "SELECT id, time_ms, actor, role, action, object, outcome, trace_id FROM node_audit WHERE 1 = 1");
    Statement statement = {.sql = sql};
    if (query->actor != NULL)
        narrow(&statement, "actor = ", "", value_text(query->actor));
    if (query->action != NULL)
        narrow_action(&statement, query->action);
    if (query->object != NULL)
        narrow(&statement, "object = ", "", value_text(query->object));
    if (query->from_ms != 0)
        narrow(&statement, "time_ms >= ", "", value_integer(query->from_ms));
    if (query->to_ms != 0)
        narrow(&statement, "time_ms < ", "", value_integer(query->to_ms));
    if (query->before != 0)
        narrow(&statement, "id < ", "", value_integer(query->before));
    statement.values[statement.count++] = value_integer(query->limit);
    g_string_append_printf(sql, " ORDER BY id DESC LIMIT ?%zu", statement.count);
    return db_query_values(db, sql->str, statement.values, statement.count, error);
}

GPtrArray *audit_read(Db *db, const AuditQuery *query, GError **error)
{
    g_autoptr(Rows) rows = rows_of(db, query, error);
    if (rows == NULL)
        return NULL;
    GPtrArray *entries = g_ptr_array_new_with_free_func(entry_free);
    while (rows_next(rows)) {
        AuditEntry *entry = g_new0(AuditEntry, 1);
        entry->id = rows_integer(rows, 0);
        entry->time_ms = rows_integer(rows, 1);
        entry->actor = g_strdup(rows_text(rows, 2));
        entry->role = g_strdup(rows_text(rows, 3));
        entry->action = g_strdup(rows_text(rows, 4));
        entry->object = g_strdup(rows_text(rows, 5));
        entry->outcome = g_strdup(rows_text(rows, 6));
        entry->trace_id = g_strdup(rows_text(rows, 7));
        g_ptr_array_add(entries, entry);
    }
    return entries;
}

/* --- CSV --- */

static void put_field(GString *out, const char *text, const char *end)
{
    g_string_append_c(out, '"');
    if (text != NULL && *text != '\0' && strchr("=+-@\t\r", *text) != NULL)
        g_string_append_c(out, '\'');
    for (; text != NULL && *text != '\0'; text++) {
        if (*text == '"')
            g_string_append_c(out, '"');
        g_string_append_c(out, *text);
    }
    g_string_append_c(out, '"');
    g_string_append(out, end);
}

char *audit_csv(const GPtrArray *entries)
{
    GString *out = g_string_new("id,time,actor,role,action,object,outcome,trace_id\r\n");
    for (guint i = 0; i < entries->len; i++) {
        const AuditEntry *entry = entries->pdata[i];
        g_autofree char *time = clock_format_rfc3339(entry->time_ms);
        g_string_append_printf(out, "%" G_GINT64_FORMAT ",%s,", entry->id, time);
        put_field(out, entry->actor, ",");
        put_field(out, entry->role, ",");
        put_field(out, entry->action, ",");
        put_field(out, entry->object, ",");
        put_field(out, entry->outcome, ",");
        put_field(out, entry->trace_id, "\r\n");
    }
    return g_string_free(out, FALSE);
}
