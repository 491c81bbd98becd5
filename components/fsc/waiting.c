#include "components/fsc/waiting.h"

GPtrArray *waiting_for(Db *db, const char *own_peer_id, gint64 now_s, guint limit, GError **error)
{
    g_autoptr(Rows) rows = db_query(
        db, error,
        "SELECT c.hash FROM (SELECT id, hash, created_at FROM fsc_contracts WHERE not_after >= ?2"
        " ORDER BY created_at DESC, id DESC LIMIT ?3) c"
        " WHERE EXISTS (SELECT 1 FROM fsc_contract_peers p WHERE p.contract_id = c.id AND p.peer_id = ?1)"
        " AND NOT EXISTS (SELECT 1 FROM fsc_signatures s WHERE s.contract_id = c.id"
        " AND (s.peer_id = ?1 OR s.type <> 'accept'))"
        " ORDER BY c.created_at DESC, c.id DESC LIMIT ?4",
        value_text(own_peer_id), value_integer(now_s), value_integer(WAITING_LOOKED_AT),
        value_integer(limit));
    if (rows == NULL)
        return NULL;
    GPtrArray *hashes = g_ptr_array_new_with_free_func(g_free);
    while (rows_next(rows))
        g_ptr_array_add(hashes, g_strdup(rows_text(rows, 0)));
    return hashes;
}
