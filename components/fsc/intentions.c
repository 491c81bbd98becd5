#include "components/fsc/intentions.h"

#include "core/base/error.h"

#define COLUMNS "contract_hash, type, content, actor, created_ms, expires_ms"
#define LIST_MAX 200

void intention_free(Intention *intention)
{
    if (intention == NULL)
        return;
    g_free(intention->contract_hash);
    g_free(intention->content);
    g_free(intention->actor);
    g_free(intention);
}

gboolean intentions_put(Db *db, const Intention *intention, GError **error)
{
    return db_run(db, error, "INSERT INTO fsc_intentions (" COLUMNS ") VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
                  value_text(intention->contract_hash), value_text(signature_type_name(intention->type)),
                  value_text(intention->content), value_text(intention->actor),
                  value_integer(intention->created_ms), value_integer(intention->expires_ms));
}

/* NULL for a type that this version does not know. */
static Intention *row_read(Rows *rows)
{
    SignatureType type;
    if (!signature_type_find(rows_text(rows, 1), &type))
        return NULL;
    Intention *intention = g_new0(Intention, 1);
    intention->contract_hash = g_strdup(rows_text(rows, 0));
    intention->type = type;
    intention->content = g_strdup(rows_text(rows, 2));
    intention->actor = g_strdup(rows_text(rows, 3));
    intention->created_ms = rows_integer(rows, 4);
    intention->expires_ms = rows_integer(rows, 5);
    return intention;
}

Intention *intentions_find(Db *db, const char *contract_hash, SignatureType type, gint64 now_ms,
                           GError **error)
{
    g_autoptr(Rows) rows =
        db_query(db, error,
                 "SELECT " COLUMNS " FROM fsc_intentions"
                 " WHERE contract_hash = ?1 AND type = ?2 AND expires_ms > ?3",
                 value_text(contract_hash), value_text(signature_type_name(type)), value_integer(now_ms));
    return rows != NULL && rows_next(rows) ? row_read(rows) : NULL;
}

gboolean intentions_take(Db *db, const Intention *intention, gboolean *taken, GError **error)
{
    if (!db_run(db, error, "DELETE FROM fsc_intentions WHERE contract_hash = ?1 AND type = ?2 AND actor = ?3",
                value_text(intention->contract_hash), value_text(signature_type_name(intention->type)),
                value_text(intention->actor)))
        return FALSE;
    *taken = db_changes(db) == 1;
    return TRUE;
}

GPtrArray *intentions_list(Db *db, gint64 now_ms, GError **error)
{
    g_autoptr(Rows) rows = db_query(
        db, error, "SELECT " COLUMNS " FROM fsc_intentions WHERE expires_ms > ?1 ORDER BY id LIMIT ?2",
        value_integer(now_ms), value_integer(LIST_MAX));
    if (rows == NULL)
        return NULL;
    GPtrArray *list = g_ptr_array_new_with_free_func((GDestroyNotify)intention_free);
    while (rows_next(rows)) {
        Intention *intention = row_read(rows);
        if (intention != NULL)
            g_ptr_array_add(list, intention);
    }
    return list;
}

gboolean intentions_forget(Db *db, gint64 now_ms, GError **error)
{
    return db_run(db, error, "DELETE FROM fsc_intentions WHERE expires_ms <= ?1", value_integer(now_ms));
}
