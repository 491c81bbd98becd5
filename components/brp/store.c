#include "components/brp/store.h"

#include <string.h>

#include "core/base/bytes.h"
#include "core/base/error.h"
#include "core/crypto/digest.h"
#include "core/format/json.h"

/* A national test set is a few megabytes; a file beyond this is not one. */
static const JsonLimits FILE_LIMITS = {64 * 1024 * 1024, 32, 4 * 1000 * 1000};

static char *fold(const char *text)
{
    g_autofree char *stripped = g_strstrip(g_strdup(text != NULL ? text : ""));
    g_autofree char *folded = g_utf8_casefold(stripped, -1);
    return g_utf8_normalize(folded, -1, G_NORMALIZE_NFC);
}

static gboolean insert_person(Db *db, const json_t *record, GError **error)
{
    const char *bsn = json_string_at(record, "burgerservicenummer");
    if (bsn == NULL || strlen(bsn) != 9 || strspn(bsn, "0123456789") != 9) {
        g_set_error_literal(error, FUNDAMENT_ERROR, FUNDAMENT_ERROR_INVALID,
                            "a person without a burgerservicenummer of nine digits");
        return FALSE;
    }
    const json_t *name = json_object_get(record, "naam");
    g_autofree char *surname = fold(json_string_at(name, "geslachtsnaam"));
    g_autofree char *given = fold(json_string_at(name, "voornamen"));
    g_autofree char *prefix = fold(json_string_at(name, "voorvoegsel"));
    g_autofree char *text = json_write(record);
    return db_run(db, error,
                  "INSERT INTO brp_persons (bsn, surname, given_names, prefix, gender, birth, municipality, "
                  "deceased, record)"
                  " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
                  value_text(bsn), value_text(surname), value_text(given), value_text(prefix),
                  value_text(json_string_at(json_object_get(record, "geslacht"), "code")),
                  value_text(json_string_at(json_object_get(record, "geboorte"), "datum")),
                  value_text(json_string_at(json_object_get(record, "gemeenteVanInschrijving"), "code")),
                  value_integer(json_object_get(record, "overlijden") != NULL), value_text(text));
}

static gboolean replace_all(Db *db, const json_t *persons, const char *digest, GError **error)
{
    if (!db_begin(db, error) || !db_run_values(db, "DELETE FROM brp_persons", NULL, 0, error) ||
        !db_run_values(db, "DELETE FROM brp_source", NULL, 0, error))
        return FALSE;
    gsize index;
    json_t *record;
    json_array_foreach(persons, index, record)
    {
        if (!insert_person(db, record, error)) {
            g_prefix_error(error, "person %zu: ", index + 1);
            return FALSE;
        }
    }
    return db_run(db, error, "INSERT INTO brp_source (digest, persons) VALUES (?1, ?2)", value_text(digest),
                  value_integer((gint64)json_array_size(persons))) &&
           db_commit(db, error);
}

gboolean brp_store_load(Store *store, const char *path, guint *count, GError **error)
{
    g_autofree char *text = NULL;
    gsize length;
    g_autoptr(GError) reading = NULL;
    if (!g_file_get_contents(path, &text, &length, &reading)) {
        g_set_error(error, FUNDAMENT_ERROR, FUNDAMENT_ERROR_IO, "%s", reading->message);
        return FALSE;
    }
    guint8 hash[SHA256_SIZE];
    sha256(text, length, hash);
    g_autofree char *digest = hex_encode(hash, sizeof hash);
    g_autoptr(Db) db = store_take(store, error);
    if (db == NULL)
        return FALSE;
    g_autoptr(Rows) known =
        db_query(db, error, "SELECT persons FROM brp_source WHERE digest = ?1", value_text(digest));
    if (known == NULL)
        return FALSE;
    if (rows_next(known)) {
        *count = (guint)rows_integer(known, 0);
        return TRUE;
    }
    g_autoptr(json_t) persons = json_parse_strict(text, (gssize)length, &FILE_LIMITS, error);
    if (persons != NULL && !json_is_array(persons)) {
        g_set_error_literal(error, FUNDAMENT_ERROR, FUNDAMENT_ERROR_INVALID,
                            "the file is not a list of persons");
    } else if (persons != NULL && replace_all(db, persons, digest, error)) {
        *count = (guint)json_array_size(persons);
        return TRUE;
    }
    g_prefix_error(error, "%s: ", path);
    return FALSE;
}

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
        g_autoptr(Rows) rows = db_query(
            db, error, "SELECT record FROM brp_persons WHERE bsn = ?1 AND (?2 IS NULL OR municipality = ?2)",
            value_text(*bsn), value_text(query->municipality));
        if (rows == NULL || !append_records(found, rows, error))
            return FALSE;
    }
    return TRUE;
}

/* A search word: what it must begin with, and whether it must be the whole. LIKE is not used: it would need
 * escaping. */
typedef struct {
    char *text;
    gint64 length; /* in characters; of the text to compare; -1 for the whole */
} Word;

static Word word_of(const char *asked)
{
    if (asked == NULL)
        return (Word){NULL, -1};
    g_autofree char *text = g_strdup(asked);
    gboolean begins = g_str_has_suffix(text, "*");
    if (begins)
        text[strlen(text) - 1] = '\0';
    char *folded = fold(text);
    return (Word){folded, begins ? (gint64)g_utf8_strlen(folded, -1) : -1};
}

static gboolean find_by_name(Db *db, const BrpQuery *query, json_t *found, GError **error)
{
    Word surname = word_of(query->surname), given = word_of(query->given_names),
         prefix = word_of(query->prefix);
    g_autofree char *gender = query->gender != NULL ? g_ascii_strup(query->gender, -1) : NULL;
    g_autoptr(Rows) rows =
        db_query(db, error,
                 "SELECT record FROM brp_persons WHERE birth = ?1"
                 " AND (surname = ?2 OR (?3 >= 0 AND substr(surname, 1, CAST(abs(?3) AS INTEGER)) = ?2))"
                 " AND (?4 IS NULL OR given_names = ?4 OR (?5 >= 0 AND substr(given_names, 1, CAST(abs(?5) "
                 "AS INTEGER)) = ?4))"
                 " AND (?6 IS NULL OR prefix = ?6) AND (?7 IS NULL OR gender = ?7) AND (?8 IS NULL OR "
                 "municipality = ?8)"
                 " AND (?9 = 1 OR deceased = 0) ORDER BY surname, given_names, bsn LIMIT ?10",
                 value_text(query->birth), value_text(surname.text), value_integer(surname.length),
                 value_text(given.text), value_integer(given.length), value_text(prefix.text),
                 value_text(gender), value_text(query->municipality), value_integer(query->with_deceased),
                 value_integer(BRP_MAX_FOUND + 1));
    g_free(surname.text);
    g_free(given.text);
    g_free(prefix.text);
    return rows != NULL && append_records(found, rows, error);
}

json_t *brp_store_find(Store *store, const BrpQuery *query, GError **error)
{
    g_autoptr(Db) db = store_take(store, error);
    if (db == NULL)
        return NULL;
    json_t *found = json_array();
    gboolean done = query->type == BRP_BY_BSN ? find_by_numbers(db, query, found, error)
                                              : find_by_name(db, query, found, error);
    if (!done)
        g_clear_pointer(&found, json_decref);
    return found;
}
