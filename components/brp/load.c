#include "components/brp/load.h"

#include <string.h>

#include "components/brp/mapping.h"
#include "components/brp/person.h"
#include "components/brp/store.h"
#include "core/base/bytes.h"
#include "core/base/error.h"
#include "core/base/identifiers.h"
#include "core/crypto/digest.h"
#include "core/format/json.h"

/* A national test set is a few megabytes; a file beyond this is not one. */
static const JsonLimits FILE_LIMITS = {64 * 1024 * 1024, 32, 4 * 1000 * 1000};

static gboolean refuse(GError **error, gsize index, const char *why)
{
    g_set_error(error, FUNDAMENT_ERROR, FUNDAMENT_ERROR_INVALID, "record %zu: %s", index + 1, why);
    return FALSE;
}

/* --- the file --- */

static gboolean check_record(const json_t *record, gsize index, GHashTable *numbers, gboolean *wanted,
                             GError **error)
{
    const char *bsn = json_string_at(record, "burgerservicenummer");
    if (bsn == NULL || strlen(bsn) != 9 || strspn(bsn, "0123456789") != 9)
        return refuse(error, index, "its burgerservicenummer is not nine digits");
    *wanted = bsn_valid(bsn) && !brp_person_is_withdrawn(record);
    if (*wanted && !g_hash_table_add(numbers, (gpointer)bsn))
        return refuse(error, index, "an earlier record has the same burgerservicenummer");
    return TRUE;
}

/* The records that may be given out, of those in the file. New reference. */
static json_t *choose_records(const json_t *records, GError **error)
{
    if (!json_is_array(records)) {
        g_set_error_literal(error, FUNDAMENT_ERROR, FUNDAMENT_ERROR_INVALID,
                            "the file is not a list of persons");
        return NULL;
    }
    g_autoptr(GHashTable) numbers = g_hash_table_new(g_str_hash, g_str_equal);
    g_autoptr(json_t) chosen = json_array();
    gsize index;
    json_t *record;
    json_array_foreach(records, index, record)
    {
        gboolean wanted;
        if (!check_record(record, index, numbers, &wanted, error))
            return NULL;
        if (wanted)
            json_array_append(chosen, record);
    }
    return g_steal_pointer(&chosen);
}

static char *read_file(const char *path, gsize *length, char **digest, GError **error)
{
    g_autofree char *text = NULL;
    g_autoptr(GError) reading = NULL;
    if (!g_file_get_contents(path, &text, length, &reading)) {
        g_set_error(error, FUNDAMENT_ERROR, FUNDAMENT_ERROR_IO, "%s", reading->message);
        return NULL;
    }
    guint8 hash[SHA256_SIZE];
    sha256(text, *length, hash);
    *digest = hex_encode(hash, sizeof hash);
    return g_steal_pointer(&text);
}

/* --- the store --- */

static gboolean insert_person(Db *db, const json_t *record, GError **error)
{
    const json_t *name = json_object_get(record, "naam");
    const char *surname = json_string_at(name, "geslachtsnaam"), *given = json_string_at(name, "voornamen");
    g_autofree char *surname_folded = brp_fold(surname), *surname_plain = brp_fold_plain(surname);
    g_autofree char *given_folded = brp_fold(given), *given_plain = brp_fold_plain(given);
    g_autofree char *prefix = brp_fold(json_string_at(name, "voorvoegsel"));
    g_autofree char *text = json_write(record);
    return db_run(db, error,
                  "INSERT INTO brp_persons (bsn, surname, surname_plain, given_names, given_plain, prefix, "
                  "gender, birth,"
                  " municipality, deceased, record) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)",
                  value_text(json_string_at(record, "burgerservicenummer")), value_text(surname_folded),
                  value_text(surname_plain), value_text(given_folded), value_text(given_plain),
                  value_text(prefix), value_text(brp_code(record, "geslacht")),
                  value_text(json_string_at(json_object_get(record, "geboorte"), "datum")),
                  value_text(brp_code(record, "gemeenteVanInschrijving")),
                  value_integer(brp_person_is_dead(record)), value_text(text));
}

static gboolean insert_all(Db *db, const json_t *persons, GError **error)
{
    gsize index;
    json_t *record;
    json_array_foreach(persons, index, record) if (!insert_person(db, record, error)) return FALSE;
    return TRUE;
}

/* -1 on an error, 0 when the store holds another file or none. */
static int holds_file(Db *db, const char *digest, BrpLoad *load, GError **error)
{
    g_autoptr(Rows) known =
        db_query(db, error, "SELECT persons FROM brp_source WHERE digest = ?1", value_text(digest));
    if (known == NULL)
        return -1;
    if (!rows_next(known))
        return 0;
    load->persons = (guint)rows_integer(known, 0);
    return 1;
}

/* Other processes that load wait here until this transaction ends: they want the same row. */
static gboolean begin_alone(Db *db, GError **error)
{
    return db_begin(db, error) &&
           db_run_values(db,
                         "INSERT INTO brp_source (digest, persons) VALUES ('being loaded', 0)"
                         " ON CONFLICT (digest) DO UPDATE SET persons = 0",
                         NULL, 0, error);
}

static gboolean replace_all(Db *db, const json_t *persons, const char *digest, GError **error)
{
    return db_run_values(db, "DELETE FROM brp_source", NULL, 0, error) &&
           db_run_values(db, "DELETE FROM brp_persons", NULL, 0, error) && insert_all(db, persons, error) &&
           db_run(db, error, "INSERT INTO brp_source (digest, persons) VALUES (?1, ?2)", value_text(digest),
                  value_integer((gint64)json_array_size(persons))) &&
           db_commit(db, error);
}

/* Does nothing when another process did it while this one waited. */
static gboolean replace_once(Db *db, const json_t *persons, const char *digest, BrpLoad *load, GError **error)
{
    if (!begin_alone(db, error))
        return FALSE;
    int held = holds_file(db, digest, load, error);
    if (held != 0) {
        db_rollback(db);
        return held > 0;
    }
    load->persons = (guint)json_array_size(persons);
    load->read = TRUE;
    return replace_all(db, persons, digest, error);
}

static gboolean load_text(Db *db, const char *text, gsize length, const char *digest, BrpLoad *load,
                          GError **error)
{
    int held = holds_file(db, digest, load, error);
    if (held != 0)
        return held > 0;
    g_autoptr(json_t) records = json_parse_strict(text, (gssize)length, &FILE_LIMITS, error);
    g_autoptr(json_t) persons = records != NULL ? choose_records(records, error) : NULL;
    if (persons == NULL)
        return FALSE;
    load->omitted = (guint)(json_array_size(records) - json_array_size(persons));
    return replace_once(db, persons, digest, load, error);
}

gboolean brp_load(Store *store, const char *path, BrpLoad *load, GError **error)
{
    g_autofree char *digest = NULL;
    gsize length;
    *load = (BrpLoad){0};
    g_autofree char *text = read_file(path, &length, &digest, error);
    g_autoptr(Db) db = text != NULL ? store_take(store, error) : NULL;
    if (db == NULL)
        return FALSE;
    if (load_text(db, text, length, digest, load, error))
        return TRUE;
    g_prefix_error(error, "%s: ", path);
    return FALSE;
}
