/* The table node_outbox. */
#include "core/node/node_private.h"
#include "core/node/outbox_private.h"

#include "core/base/bytes.h"
#include "core/base/error.h"

/* The longest that one delivery may take; so long waits what a process that was killed had taken. */
#define LEASE_MS 45000
#define DAY_MS (24 * 60 * 60 * 1000)
#define DOUBLINGS_MAX 20

/* Column `dead`. */
#define DEAD_REFUSED 1
#define DEAD_GIVEN_UP 2

#define COLUMNS "id, kind, destination, last_error, created_ms, next_try_ms, tries, dead, unique_key"

gint64 outbox_backoff_ms(guint tries, guint32 random, gint64 first_s, gint64 max_s)
{
    guint doublings = MIN(MAX(tries, 1) - 1, DOUBLINGS_MAX);
    gint64 base_s = MIN(first_s << doublings, max_s);
    return base_s * 800 + base_s * 400 * (random % 1001) / 1000;
}

gboolean outbox_put(Db *db, const Clock *clock, const char *kind, const char *destination, const char *unique,
                    const void *body, gsize length, GError **error)
{
    gint64 now = clock_now_ms(clock);
    return db_run(
        db, error,
        "INSERT INTO node_outbox"
        " (kind, destination, unique_key, body, created_ms, next_try_ms, tries, dead, lease_until_ms)"
        " VALUES (?1, ?2, ?3, ?4, ?5, ?5, 0, 0, 0) ON CONFLICT (unique_key) DO UPDATE SET dead = 0, aside = "
        "0,"
        " tries = 0, created_ms = excluded.created_ms, next_try_ms = excluded.next_try_ms"
        " WHERE node_outbox.dead = ?6 OR (node_outbox.dead = ?7 AND node_outbox.next_try_ms < ?8)",
        value_text(kind), value_text(destination), value_text(unique), value_blob(body, length),
        value_integer(now), value_integer(DEAD_GIVEN_UP), value_integer(DEAD_REFUSED),
        value_integer(now - DAY_MS));
}

gboolean outbox_keep_newest(Db *db, const char *kind, const char *beginning, guint keep, GError **error)
{
    g_autofree char *pattern = g_strconcat(beginning, "%", NULL);
    return db_run(
        db, error,
        "DELETE FROM node_outbox WHERE kind = ?1 AND destination LIKE ?2 AND id NOT IN"
        " (SELECT id FROM node_outbox WHERE kind = ?1 AND destination LIKE ?2 ORDER BY id DESC LIMIT "
        "?3)",
        value_text(kind), value_text(pattern), value_integer(keep));
}

/* --- for the sender --- */

void outbox_message_free(OutboxMessage *message)
{
    g_free(message->kind);
    g_free(message->destination);
    g_bytes_unref(message->body);
    g_free(message);
}

static OutboxMessage *message_from(const Rows *rows)
{
    gsize length = 0;
    OutboxMessage *message = g_new0(OutboxMessage, 1);
    message->id = rows_integer(rows, 0);
    message->kind = g_strdup(rows_text(rows, 1));
    message->destination = g_strdup(rows_text(rows, 2));
    gconstpointer body = rows_blob(rows, 3, &length);
    message->body = g_bytes_new(body, length);
    message->tries = (guint)rows_integer(rows, 4);
    message->created_ms = rows_integer(rows, 5);
    return message;
}

/* What nothing stands before: it is aside itself, or the first of its (kind, destination) that is not. */
#define NOTHING_BEFORE                                                                                       \
    " (o.aside = 1 OR NOT EXISTS (SELECT 1 FROM node_outbox e WHERE e.kind = o.kind"                         \
    " AND e.destination = o.destination AND e.dead = 0 AND e.aside = 0 AND e.id < o.id))"

/* Living messages that nothing stands before, when they are due and nobody has them. */
#define HEADS                                                                                                \
    "SELECT o.id FROM node_outbox o WHERE o.dead = 0 AND o.next_try_ms <= ?1 AND o.lease_until_ms <= ?1"     \
    " AND o.tries BETWEEN ?4 AND ?5 AND" NOTHING_BEFORE " ORDER BY o.id LIMIT ?3"

#define CLAIM(suffix)                                                                                        \
    "UPDATE node_outbox SET lease_until_ms = ?2 WHERE lease_until_ms <= ?1 AND id IN (" HEADS suffix         \
    ") RETURNING id, kind, destination, body, tries, created_ms"

static gboolean claim(Db *db, const char *sql, GPtrArray *messages, gint64 now, guint limit, gboolean again,
                      GError **error)
{
    g_autoptr(Rows) rows =
        db_query(db, error, sql, value_integer(now), value_integer(now + LEASE_MS), value_integer(limit),
                 value_integer(again ? 1 : 0), value_integer(again ? G_MAXINT32 : 0));
    while (rows != NULL && rows_next(rows))
        g_ptr_array_add(messages, message_from(rows));
    return rows != NULL;
}

GPtrArray *outbox_claim(Node *node, guint fresh, guint again, GError **error)
{
    const char *sql = store_is_postgresql(node_store(node)) ? CLAIM(" FOR UPDATE SKIP LOCKED") : CLAIM("");
    gint64 now = clock_now_ms(node_clock(node));
    g_autoptr(GPtrArray) messages = g_ptr_array_new_with_free_func((GDestroyNotify)outbox_message_free);
    g_autoptr(Db) db = store_take(node_store(node), error);
    if (db == NULL || (fresh > 0 && !claim(db, sql, messages, now, fresh, FALSE, error)) ||
        (again > 0 && !claim(db, sql, messages, now, again, TRUE, error)))
        return NULL; /* what was taken is free again when its lease runs out */
    return g_steal_pointer(&messages);
}

/* Faults that another try cannot mend. */
static gboolean is_final(const GError *failure)
{
    static const FundamentError final[] = {FUNDAMENT_ERROR_INVALID, FUNDAMENT_ERROR_RULE,
                                           FUNDAMENT_ERROR_DENIED, FUNDAMENT_ERROR_NOT_FOUND};
    for (gsize i = 0; i < G_N_ELEMENTS(final); i++) {
        if (g_error_matches(failure, FUNDAMENT_ERROR, final[i]))
            return TRUE;
    }
    return FALSE;
}

static gboolean settle_failure(Node *node, Db *db, const OutboxMessage *message, const GError *failure,
                               GError **error)
{
    guint32 random;
    random_fill(&random, sizeof random);
    gint64 now = clock_now_ms(node_clock(node));
    const Config *config = node_config(node);
    gint64 give_up_ms = config_integer(config, "outbox", "give_up") * 1000;
    int dead = is_final(failure) ? DEAD_REFUSED : now - message->created_ms >= give_up_ms ? DEAD_GIVEN_UP : 0;
    gint64 wait_ms =
        outbox_backoff_ms(message->tries + 1, random, config_integer(config, "outbox", "first_retry"),
                          config_integer(config, "outbox", "max_retry"));
    gboolean aside = g_error_matches(failure, FUNDAMENT_ERROR, FUNDAMENT_ERROR_LIMIT);
    const char *reason = failure == NULL ? "no reason given" : failure->message;
    if (dead != 0)
        g_warning("outbox: message %" G_GINT64_FORMAT " (%s to %s) is put aside after %u tries: %s",
                  message->id, message->kind, message->destination, message->tries + 1, reason);
    return db_run(
        db, error,
        "UPDATE node_outbox SET tries = ?2, last_error = ?3, next_try_ms = ?4, dead = ?5, aside = ?6,"
        " lease_until_ms = 0 WHERE id = ?1",
        value_integer(message->id), value_integer((gint64)message->tries + 1), value_text(reason),
        value_integer(now + wait_ms), value_integer(dead), value_integer(aside));
}

gboolean outbox_settle(Node *node, const OutboxMessage *message, gboolean delivered, const GError *failure,
                       GError **error)
{
    g_autoptr(Db) db = store_take(node_store(node), error);
    if (db == NULL)
        return FALSE;
    if (!delivered)
        return settle_failure(node, db, message, failure, error);
    return db_run(db, error, "DELETE FROM node_outbox WHERE id = ?1", value_integer(message->id));
}

gint64 outbox_next_due(Node *node, GError **error)
{
    g_autoptr(Db) db = store_take(node_store(node), error);
    g_autoptr(Rows) rows =
        db == NULL
            ? NULL
            : db_query_values(
                  db,
                  "SELECT MIN(CASE WHEN lease_until_ms > next_try_ms THEN lease_until_ms ELSE next_try_ms "
                  "END)"
                  " FROM node_outbox o WHERE dead = 0 AND" NOTHING_BEFORE,
                  NULL, 0, error);
    return rows == NULL || !rows_next(rows) || rows_is_null(rows, 0) ? G_MAXINT64 : rows_integer(rows, 0);
}

gboolean outbox_release_leases(Node *node, GError **error)
{
    g_autoptr(Db) db = store_take(node_store(node), error);
    return db != NULL &&
           db_run_values(db, "UPDATE node_outbox SET lease_until_ms = 0 WHERE lease_until_ms > 0", NULL, 0,
                         error);
}

gboolean outbox_hasten(Node *node, const char *destination, GError **error)
{
    gint64 now = clock_now_ms(node_clock(node));
    g_autoptr(Db) db = store_take(node_store(node), error);
    return db != NULL &&
           db_run(db, error,
                  "UPDATE node_outbox SET next_try_ms = ?2"
                  " WHERE destination = ?1 AND dead = 0 AND tries > 0 AND next_try_ms > ?2",
                  value_text(destination), value_integer(now)) &&
           db_changes(db) > 0;
}

/* --- for people --- */

void outbox_entry_free(OutboxEntry *entry)
{
    if (entry == NULL)
        return;
    g_free(entry->kind);
    g_free(entry->destination);
    g_free(entry->last_error);
    g_free(entry->unique);
    g_free(entry);
}

GPtrArray *outbox_list(Store *store, const char *destination, GError **error)
{
    g_autoptr(Db) db = store_take(store, error);
    if (db == NULL)
        return NULL;
    g_autoptr(Rows) rows =
        destination == NULL
            ? db_query_values(db, "SELECT " COLUMNS " FROM node_outbox ORDER BY id", NULL, 0, error)
            : db_query(db, error, "SELECT " COLUMNS " FROM node_outbox WHERE destination = ?1 ORDER BY id",
                       value_text(destination));
    if (rows == NULL)
        return NULL;
    GPtrArray *entries = g_ptr_array_new_with_free_func((GDestroyNotify)outbox_entry_free);
    while (rows_next(rows)) {
        OutboxEntry *entry = g_new0(OutboxEntry, 1);
        entry->id = rows_integer(rows, 0);
        entry->kind = g_strdup(rows_text(rows, 1));
        entry->destination = g_strdup(rows_text(rows, 2));
        entry->last_error = g_strdup(rows_text(rows, 3));
        entry->created_ms = rows_integer(rows, 4);
        entry->next_try_ms = rows_integer(rows, 5);
        entry->tries = (guint)rows_integer(rows, 6);
        entry->dead = rows_integer(rows, 7) != 0;
        entry->unique = g_strdup(rows_text(rows, 8));
        g_ptr_array_add(entries, entry);
    }
    return entries;
}

static void summary_free(gpointer pointer)
{
    OutboxSummary *summary = pointer;
    g_free(summary->destination);
    g_free(summary->last_error);
    g_free(summary);
}

GPtrArray *outbox_summaries(Store *store, GError **error)
{
    g_autoptr(Db) db = store_take(store, error);
    g_autoptr(Rows) rows =
        db == NULL ? NULL
                   : db_query_values(db,
                                     "SELECT destination, SUM(CASE WHEN dead = 0 THEN 1 ELSE 0 END),"
                                     " SUM(CASE WHEN dead = 0 THEN 0 ELSE 1 END),"
                                     " MIN(CASE WHEN dead = 0 THEN created_ms END),"
                                     " MIN(CASE WHEN dead = 0 AND tries > 0 THEN next_try_ms END),"
                                     " MAX(CASE WHEN tries > 0 THEN last_error END)"
                                     " FROM node_outbox GROUP BY destination ORDER BY destination",
                                     NULL, 0, error);
    if (rows == NULL)
        return NULL;
    GPtrArray *all = g_ptr_array_new_with_free_func(summary_free);
    while (rows_next(rows)) {
        OutboxSummary *summary = g_new0(OutboxSummary, 1);
        summary->destination = g_strdup(rows_text(rows, 0));
        summary->waiting = rows_integer(rows, 1);
        summary->dead = rows_integer(rows, 2);
        summary->oldest_ms = rows_integer(rows, 3);
        summary->next_try_ms = rows_integer(rows, 4);
        summary->last_error = g_strdup(rows_text(rows, 5));
        g_ptr_array_add(all, summary);
    }
    return all;
}

gboolean outbox_retry(Store *store, const Clock *clock, gint64 id, GError **error)
{
    gint64 now = clock_now_ms(clock);
    g_autoptr(Db) db = store_take(store, error);
    /* A dead one starts its time anew: otherwise its next failure would put it aside at once. */
    if (db == NULL ||
        !db_run(
            db, error,
            "UPDATE node_outbox SET next_try_ms = ?2, created_ms = CASE WHEN dead > 0 THEN ?2 ELSE created_ms"
            " END, dead = 0 WHERE id = ?1",
            value_integer(id), value_integer(now)))
        return FALSE;
    if (db_changes(db) == 1)
        return TRUE;
    g_set_error(error, FUNDAMENT_ERROR, FUNDAMENT_ERROR_NOT_FOUND,
                "the outbox holds no message %" G_GINT64_FORMAT, id);
    return FALSE;
}

void outbox_metrics(Node *node, GString *out)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(Db) db = store_take(node_store(node), &error);
    g_autoptr(Rows) rows =
        db == NULL
            ? NULL
            : db_query_values(db,
                              "SELECT kind, CASE WHEN dead > 0 THEN 1 ELSE 0 END AS put_aside, COUNT(*)"
                              " FROM node_outbox GROUP BY kind, put_aside",
                              NULL, 0, &error);
    if (rows == NULL)
        return;
    g_string_append(
        out, "# HELP fundament_outbox_messages Messages to other organisations that wait, or are dead.\n"
             "# TYPE fundament_outbox_messages gauge\n");
    while (rows_next(rows))
        g_string_append_printf(
            out, "fundament_outbox_messages{kind=\"%s\",state=\"%s\"} %" G_GINT64_FORMAT "\n",
            rows_text(rows, 0), rows_integer(rows, 1) ? "dead" : "waiting", rows_integer(rows, 2));
}
