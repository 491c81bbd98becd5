#include "components/brp/store.h"

#include <string.h>

#include "core/format/json.h"

/* --- names as they are compared --- */

static char *fold_all(const char *text)
{
    g_autofree char *folded = g_utf8_casefold(text, -1);
    return g_utf8_normalize(folded, -1, G_NORMALIZE_NFC);
}

char *brp_fold(const char *name)
{
    g_autofree char *stripped = g_strstrip(g_strdup(name != NULL ? name : ""));
    return fold_all(stripped);
}

char *brp_fold_plain(const char *name)
{
    g_autofree char *folded = brp_fold(name);
    return g_str_to_ascii(folded, "C");
}

/* --- by number --- */

static gboolean append_records(json_t *found, Rows *rows, GError **error)
{
    while (rows_next(rows)) {
        json_t *record = json_parse_strict(rows_text(rows, 0), -1, NULL, error);
        if (record == NULL)
            return FALSE;
        json_array_append_new(found, record);
    }
    return TRUE;
}

static gboolean find_by_numbers(Db *db, const BrpQuery *query, json_t *found, GError **error)
{
    g_autoptr(GHashTable) asked = g_hash_table_new(g_str_hash, g_str_equal);
    for (char **bsn = query->bsns; *bsn != NULL; bsn++) {
        if (!g_hash_table_add(asked, *bsn))
            continue; /* asked twice, answered once */
        g_autoptr(Rows) rows = db_query(db, error,
                                        "SELECT record FROM brp_persons WHERE bsn = ?1 AND (CAST(?2 AS TEXT) "
                                        "IS NULL OR municipality = ?2)",
                                        value_text(*bsn), value_text(query->municipality));
        if (rows == NULL || !append_records(found, rows, error))
            return FALSE;
    }
    return TRUE;
}

/* --- by name and birth --- */

/* A word to search: the whole of a name or, with "*" at its end, its beginning. Only with LIKE would it need
 * escaping. */
typedef struct {
    char *text;   /* NULL: not asked */
    Value length; /* in characters, of the beginning; NULL for the whole */
} Word;

/* White space before a "*" counts: "   *" must not become "*". */
static Word word_of(const char *asked)
{
    if (asked == NULL)
        return (Word){NULL, value_null()};
    gsize length = strlen(asked);
    if (length == 0 || asked[length - 1] != '*')
        return (Word){brp_fold(asked), value_null()};
    g_autofree char *beginning = g_strndup(asked, length - 1);
    char *text = fold_all(beginning);
    return (Word){text, value_integer(g_utf8_strlen(text, -1))};
}

/* Who writes a diacritic means it; who writes none may mean either. */
static gboolean find_by_name(Db *db, const BrpQuery *query, json_t *found, GError **error)
{
    Word surname = word_of(query->surname), given = word_of(query->given_names);
    g_autofree char *surname_text = surname.text, *given_text = given.text;
    g_autofree char *prefix = query->prefix != NULL ? brp_fold(query->prefix) : NULL;
    g_autoptr(Rows) rows = db_query(
        db, error,
        "SELECT record FROM brp_persons WHERE birth = ?1"
        " AND (surname = ?2 OR surname_plain = ?2 OR substr(surname, 1, CAST(?3 AS INTEGER)) = ?2"
        " OR substr(surname_plain, 1, CAST(?3 AS INTEGER)) = ?2)"
        " AND (CAST(?4 AS TEXT) IS NULL OR given_names = ?4 OR given_plain = ?4"
        " OR substr(given_names, 1, CAST(?5 AS INTEGER)) = ?4 OR substr(given_plain, 1, CAST(?5 AS "
        "INTEGER)) = ?4)"
        " AND (CAST(?6 AS TEXT) IS NULL OR prefix = ?6) AND (CAST(?7 AS TEXT) IS NULL OR gender = ?7)"
        " AND (CAST(?8 AS TEXT) IS NULL OR municipality = ?8) AND (?9 = 1 OR deceased = 0)"
        " ORDER BY surname, given_names, bsn LIMIT ?10",
        value_text(query->birth), value_text(surname.text), surname.length, value_text(given.text),
        given.length, value_text(prefix), value_text(query->gender), value_text(query->municipality),
        value_integer(query->with_deceased), value_integer(BRP_MAX_FOUND + 1));
    return rows != NULL && append_records(found, rows, error);
}

json_t *brp_store_find(Store *store, const BrpQuery *query, GError **error)
{
    g_autoptr(Db) db = store_take(store, error);
    if (db == NULL)
        return NULL;
    g_autoptr(json_t) found = json_array();
    gboolean done = query->type == BRP_BY_BSN ? find_by_numbers(db, query, found, error)
                                              : find_by_name(db, query, found, error);
    return done ? g_steal_pointer(&found) : NULL;
}
