#include "components/fsc/contacts.h"

#define SECOND_MS 1000

#define COLUMNS                                                                                              \
    "peer_id, delivered_ms, probed_ms, probe_error, fsc_version, extensions, clock_offset_ms, "              \
    "reconciled_ms,"                                                                                         \
    " reconcile_error, their_cursor, our_cursor"

void contact_free(Contact *contact)
{
    if (contact == NULL)
        return;
    g_free(contact->peer_id);
    g_free(contact->probe_error);
    g_free(contact->fsc_version);
    g_free(contact->extensions);
    g_free(contact->reconcile_error);
    g_free(contact->their_cursor);
    g_free(contact);
}

static void free_contact(gpointer contact)
{
    contact_free(contact);
}

static Contact *contact_of_row(const Rows *rows)
{
    Contact *contact = g_new0(Contact, 1);
    contact->peer_id = g_strdup(rows_text(rows, 0));
    contact->delivered_ms = rows_integer(rows, 1);
    contact->probed_ms = rows_integer(rows, 2);
    contact->probe_error = g_strdup(rows_text(rows, 3));
    contact->fsc_version = g_strdup(rows_text(rows, 4));
    contact->extensions = g_strdup(rows_text(rows, 5));
    contact->offset_known = !rows_is_null(rows, 6);
    contact->clock_offset_ms = contact->offset_known ? rows_integer(rows, 6) : 0;
    contact->reconciled_ms = rows_integer(rows, 7);
    contact->reconcile_error = g_strdup(rows_text(rows, 8));
    contact->their_cursor = g_strdup(rows_text(rows, 9));
    contact->our_cursor = rows_integer(rows, 10);
    return contact;
}

GPtrArray *contacts_list(Db *db, GError **error)
{
    g_autoptr(Rows) rows =
        db_query_values(db, "SELECT " COLUMNS " FROM fsc_contacts ORDER BY peer_id", NULL, 0, error);
    if (rows == NULL)
        return NULL;
    GPtrArray *all = g_ptr_array_new_with_free_func(free_contact);
    while (rows_next(rows))
        g_ptr_array_add(all, contact_of_row(rows));
    return all;
}

Contact *contacts_find(Db *db, const char *peer_id, GError **error)
{
    g_autoptr(Rows) rows =
        db_query(db, error, "SELECT " COLUMNS " FROM fsc_contacts WHERE peer_id = ?1", value_text(peer_id));
    if (rows == NULL)
        return NULL;
    if (rows_next(rows))
        return contact_of_row(rows);
    Contact *nothing = g_new0(Contact, 1);
    nothing->peer_id = g_strdup(peer_id);
    nothing->their_cursor = g_strdup("");
    return nothing;
}

gboolean contacts_delivered(Db *db, const char *peer_id, gint64 now_ms, GError **error)
{
    return db_run(db, error,
                  "INSERT INTO fsc_contacts (peer_id, delivered_ms) VALUES (?1, ?2)"
                  " ON CONFLICT (peer_id) DO UPDATE SET delivered_ms = excluded.delivered_ms"
                  " WHERE fsc_contacts.delivered_ms < ?3",
                  value_text(peer_id), value_integer(now_ms), value_integer(now_ms - SECOND_MS));
}

gboolean contacts_probed(Db *db, const Contact *found, gint64 now_ms, GError **error)
{
    if (found->probe_error != NULL)
        return db_run(db, error,
                      "INSERT INTO fsc_contacts (peer_id, probed_ms, probe_error) VALUES (?1, ?2, ?3)"
                      " ON CONFLICT (peer_id) DO UPDATE SET probed_ms = excluded.probed_ms,"
                      " probe_error = excluded.probe_error",
                      value_text(found->peer_id), value_integer(now_ms), value_text(found->probe_error));
    return db_run(
        db, error,
        "INSERT INTO fsc_contacts (peer_id, probed_ms, fsc_version, extensions, clock_offset_ms)"
        " VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT (peer_id) DO UPDATE SET probed_ms = excluded.probed_ms,"
        " probe_error = NULL, fsc_version = excluded.fsc_version, extensions = excluded.extensions,"
        " clock_offset_ms = excluded.clock_offset_ms",
        value_text(found->peer_id), value_integer(now_ms), value_text(found->fsc_version),
        value_text(found->extensions),
        found->offset_known ? value_integer(found->clock_offset_ms) : value_null());
}

gboolean contacts_heard_version(Db *db, const char *peer_id, const char *fsc_version, GError **error)
{
    return db_run(db, error,
                  "INSERT INTO fsc_contacts (peer_id, fsc_version) VALUES (?1, ?2)"
                  " ON CONFLICT (peer_id) DO UPDATE SET fsc_version = excluded.fsc_version",
                  value_text(peer_id), value_text(fsc_version));
}

gboolean contacts_reconciled(Db *db, const Contact *found, GError **error)
{
    return db_run(
        db, error,
        "INSERT INTO fsc_contacts (peer_id, reconciled_ms, reconcile_error, their_cursor, our_cursor)"
        " VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT (peer_id) DO UPDATE SET"
        " reconciled_ms = CASE WHEN excluded.reconciled_ms > 0 THEN excluded.reconciled_ms"
        " ELSE fsc_contacts.reconciled_ms END, reconcile_error = excluded.reconcile_error,"
        " their_cursor = excluded.their_cursor, our_cursor = excluded.our_cursor",
        value_text(found->peer_id), value_integer(found->reconciled_ms), value_text(found->reconcile_error),
        value_text(found->their_cursor), value_integer(found->our_cursor));
}

/* The index on (peer_id, contract_id) gives each next Peer without reading what is between: a DISTINCT would
 * read all of it. */
GPtrArray *contacts_partners(Db *db, GError **error)
{
    g_autoptr(GPtrArray) all = g_ptr_array_new_with_free_func(g_free);
    const char *last = "";
    for (;;) {
        g_autoptr(Rows) rows = db_query(
            db, error, "SELECT MIN(peer_id) FROM fsc_contract_peers WHERE peer_id > ?1", value_text(last));
        if (rows == NULL)
            return NULL;
        if (!rows_next(rows) || rows_is_null(rows, 0))
            return g_steal_pointer(&all);
        g_ptr_array_add(all, g_strdup(rows_text(rows, 0)));
        last = g_ptr_array_index(all, all->len - 1);
    }
}
