#include "components/logboek/position.h"

gboolean position_read(Store *store, guint32 shard, Position *position, gboolean *found, GError **error)
{
    g_autoptr(Db) db = store_take(store, error);
    if (db == NULL)
        return FALSE;
    g_autoptr(Rows) rows = db_query(
        db, error, "SELECT sequence, begins_ms, sealed_minute FROM logboek_position WHERE shard = ?1",
        value_integer(shard));
    if (rows == NULL)
        return FALSE;
    *found = rows_next(rows);
    if (*found)
        *position = (Position){.sequence = (guint64)rows_integer(rows, 0),
                               .begins_ms = rows_integer(rows, 1),
                               .sealed_minute = rows_integer(rows, 2)};
    return TRUE;
}

gboolean position_write(Store *store, guint32 shard, const Position *position, GError **error)
{
    g_autoptr(Db) db = store_take(store, error);
    return db != NULL && db_run(db, error,
                                "INSERT INTO logboek_position (shard, sequence, begins_ms, sealed_minute) "
                                "VALUES (?1, ?2, ?3, ?4) "
                                "ON CONFLICT (shard) DO UPDATE SET sequence = excluded.sequence, begins_ms = "
                                "excluded.begins_ms, "
                                "sealed_minute = excluded.sealed_minute",
                                value_integer(shard), value_integer((gint64)position->sequence),
                                value_integer(position->begins_ms), value_integer(position->sealed_minute));
}
