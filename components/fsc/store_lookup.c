#include "components/fsc/store_lookup.h"

#include "core/base/error.h"

#define FILL_AT_ONCE 200    /* contracts in one transaction */
#define COUNT_AT_ONCE 10000 /* ids in one query */

StoredContract *fsc_store_by_grant(Db *db, const char *grant_hash, GError **error)
{
    g_autoptr(Rows) rows =
        db_query(db, error,
                 "SELECT " FSC_CONTRACT_COLUMNS
                 " FROM fsc_grants g JOIN fsc_contracts c ON c.id = g.contract_id WHERE g.hash = ?1 LIMIT 1",
                 value_text(grant_hash));
    g_autoptr(GPtrArray) found = rows == NULL ? NULL : fsc_store_load_rows(db, rows, 1, error);
    if (found == NULL)
        return NULL;
    if (found->len == 0) {
        g_set_error_literal(error, FUNDAMENT_ERROR, FUNDAMENT_ERROR_NOT_FOUND,
                            "no contract with that grant is known here");
        return NULL;
    }
    return g_ptr_array_steal_index(found, 0);
}

/* "?3, ?4" and their values: the names of the types that are publications, or that are not. */
static guint type_values(gboolean publication, Value *values, guint n, GString *places)
{
    for (int type = 0; type < GRANT_TYPE_COUNT; type++) {
        const GrantTypeRow *row = grant_type_row((GrantType)type);
        if ((row->publication != FALSE) != (publication != FALSE))
            continue;
        values[n++] = value_text(row->name);
        g_string_append_printf(places, "%s?%u", places->len > 0 ? ", " : "", n);
    }
    return n;
}

static gint by_id(gconstpointer a, gconstpointer b)
{
    const StoredContract *one = *(StoredContract *const *)a, *other = *(StoredContract *const *)b;
    return one->id < other->id ? -1 : one->id > other->id;
}

GPtrArray *fsc_store_with_grants(Db *db, gboolean publication, gint64 now_s, guint limit, GError **error)
{
    Value values[2 + GRANT_TYPE_COUNT] = {value_integer(now_s), value_integer(limit)};
    g_autoptr(GString) places = g_string_new(NULL);
    guint n = type_values(publication, values, 2, places);
    g_autofree char *sql = g_strdup_printf(
        "SELECT " FSC_CONTRACT_COLUMNS " FROM fsc_contracts c WHERE c.not_after >= ?1 AND c.id IN (SELECT "
        "g.contract_id FROM fsc_grants g WHERE g.type IN (%s)) ORDER BY c.id DESC LIMIT ?2",
        places->str);
    g_autoptr(Rows) rows = db_query_values(db, sql, values, n, error);
    GPtrArray *all = rows == NULL ? NULL : fsc_store_load_rows(db, rows, limit, error);
    if (all != NULL)
        g_ptr_array_sort(all, by_id);
    return all;
}

GPtrArray *fsc_store_connections(Db *db, const char *service_name, const char *service_peer_id,
                                 const char *outway_peer_id, gint64 now_s, GError **error)
{
    g_autofree char *lower = g_ascii_strdown(service_name, -1);
    g_autoptr(Rows) rows = db_query(
        db, error,
        "SELECT c.hash FROM fsc_grants g JOIN fsc_contracts c ON c.id = g.contract_id WHERE "
        "g.service_peer_id = ?1 AND g.service_name = ?2 AND g.outway_peer_id = ?3 AND c.not_after >= ?4 "
        "GROUP BY c.hash",
        value_text(service_peer_id), value_text(lower), value_text(outway_peer_id), value_integer(now_s));
    if (rows == NULL)
        return NULL;
    GPtrArray *hashes = g_ptr_array_new_with_free_func(g_free);
    while (rows_next(rows))
        g_ptr_array_add(hashes, g_strdup(rows_text(rows, 0)));
    return hashes;
}

/* --- states --- */

/* The contract whose rows are being read. */
typedef struct {
    gint64 id, not_before, not_after;
    GPtrArray *signers; /* strings */
    GArray *signatures; /* PlacedSignature, whose peer_id is one of them */
} Reading;

static void count_one(Reading *reading, gint64 now_s, guint counts[CONTRACT_STATE_COUNT])
{
    const StateInput input = {.signers = (const char *const *)reading->signers->pdata,
                              .n_signers = reading->signers->len,
                              .not_before = reading->not_before,
                              .not_after = reading->not_after,
                              .signatures = (const PlacedSignature *)(void *)reading->signatures->data,
                              .n_signatures = reading->signatures->len};
    if (reading->id != 0)
        counts[contract_state(&input, now_s)]++;
    g_ptr_array_set_size(reading->signers, 0);
    g_array_set_size(reading->signatures, 0);
}

static void read_row(Reading *reading, const Rows *rows, gint64 now_s, guint counts[CONTRACT_STATE_COUNT])
{
    if (rows_integer(rows, 0) != reading->id) {
        count_one(reading, now_s, counts);
        reading->id = rows_integer(rows, 0);
        reading->not_before = rows_integer(rows, 1);
        reading->not_after = rows_integer(rows, 2);
    }
    const char *peer_id = rows_text(rows, 3);
    const char *last = reading->signers->len > 0 ? reading->signers->pdata[reading->signers->len - 1] : NULL;
    if (g_strcmp0(last, peer_id) != 0)
        g_ptr_array_add(reading->signers, g_strdup(peer_id));
    if (rows_is_null(rows, 4))
        return;
    PlacedSignature signature = {.peer_id = reading->signers->pdata[reading->signers->len - 1],
                                 .signed_at = rows_integer(rows, 5),
                                 .not_before = rows_integer(rows, 6),
                                 .not_after = rows_integer(rows, 7)};
    if (signature_type_find(rows_text(rows, 4), &signature.type))
        g_array_append_val(reading->signatures, signature);
}

static gboolean count_some(Db *db, gint64 from, gint64 now_s, guint counts[CONTRACT_STATE_COUNT],
                           GError **error)
{
    g_autoptr(Rows) rows =
        db_query(db, error,
                 "SELECT c.id, c.not_before, c.not_after, p.peer_id, s.type, s.signed_at, x.not_before, "
                 "x.not_after FROM "
                 "fsc_contracts c JOIN fsc_contract_peers p ON p.contract_id = c.id LEFT JOIN fsc_signatures "
                 "s ON s.contract_id = "
                 "c.id AND s.peer_id = p.peer_id LEFT JOIN fsc_certificates x ON x.thumbprint = s.thumbprint "
                 "WHERE c.id >= ?1 AND "
                 "c.id < ?2 AND c.not_after >= ?3 ORDER BY c.id, p.peer_id",
                 value_integer(from), value_integer(from + COUNT_AT_ONCE), value_integer(now_s));
    if (rows == NULL)
        return FALSE;
    Reading reading = {.signers = g_ptr_array_new_with_free_func(g_free),
                       .signatures = g_array_new(FALSE, FALSE, sizeof(PlacedSignature))};
    while (rows_next(rows))
        read_row(&reading, rows, now_s, counts);
    count_one(&reading, now_s, counts);
    g_ptr_array_unref(reading.signers);
    g_array_unref(reading.signatures);
    return TRUE;
}

gboolean fsc_store_count_states(Db *db, gint64 now_s, guint counts[CONTRACT_STATE_COUNT], GError **error)
{
    static const Value none[] = {{.kind = VALUE_NULL}};
    g_autoptr(Rows) rows =
        db_query_values(db, "SELECT coalesce(max(id), 0) FROM fsc_contracts", none, 0, error);
    if (rows == NULL || !rows_next(rows))
        return FALSE;
    gint64 last = rows_integer(rows, 0);
    for (int i = 0; i < CONTRACT_STATE_COUNT; i++)
        counts[i] = 0;
    for (gint64 from = 1; from <= last; from += COUNT_AT_ONCE)
        if (!count_some(db, from, now_s, counts, error))
            return FALSE;
    return TRUE;
}

/* --- filling in --- */

static gboolean fill_contract(Db *db, gint64 id, const char *content, GError **error)
{
    g_autoptr(Contract) contract = contract_parse_text(content, error);
    if (contract == NULL)
        return FALSE;
    for (gsize i = 0; i < contract->n_grants; i++) {
        const Grant *grant = &contract->grants[i];
        g_autofree char *lower = g_ascii_strdown(grant->service_name, -1);
        if (!db_run(db, error,
                    "UPDATE fsc_grants SET service_name = ?3, service_peer_id = ?4, outway_peer_id = ?5 "
                    "WHERE contract_id = ?1 AND "
                    "position = ?2",
                    value_integer(id), value_integer((gint64)i), value_text(lower),
                    value_text(grant->service_peer_id),
                    value_text(grant->outway_peer_id != NULL ? grant->outway_peer_id : "")))
            return FALSE;
    }
    return TRUE;
}

/* FALSE when it fails; `*more` when there may be others. */
static gboolean fill_some(Db *db, gboolean *more, GError **error)
{
    g_autoptr(Rows) rows = db_query(
        db, error,
        "SELECT c.id, c.content FROM fsc_contracts c WHERE c.id IN (SELECT g.contract_id FROM fsc_grants g "
        "WHERE g.service_name IS NULL ORDER BY g.contract_id LIMIT ?1)",
        value_integer(FILL_AT_ONCE));
    if (rows == NULL)
        return FALSE;
    *more = rows_count(rows) > 0;
    while (rows_next(rows))
        if (!fill_contract(db, rows_integer(rows, 0), rows_text(rows, 1), error))
            return FALSE;
    return TRUE;
}

gboolean fsc_store_fill_grants(Db *db, GError **error)
{
    gboolean more = TRUE;
    while (more) {
        if (!db_begin(db, error))
            return FALSE;
        if (!fill_some(db, &more, error)) {
            db_rollback(db);
            return FALSE;
        }
        if (!db_commit(db, error))
            return FALSE;
    }
    return TRUE;
}
