#include "components/fsc/store.h"

#include "components/fsc/verdict.h"
#include "core/base/bytes.h"
#include "core/base/error.h"
#include "core/crypto/digest.h"
#include "core/format/json.h"

#include <string.h>

static void stored_signature_free(gpointer pointer)
{
    StoredSignature *signature = pointer;
    g_free(signature->peer_id);
    g_free(signature->jws);
    g_free(signature->thumbprint);
    g_free(signature);
}

void stored_contract_free(StoredContract *stored)
{
    if (stored == NULL)
        return;
    contract_free(stored->contract);
    g_clear_pointer(&stored->signatures, g_ptr_array_unref);
    g_free(stored);
}

static void free_stored_contract(gpointer stored)
{
    stored_contract_free(stored);
}

/* Calls `judge` with the input of state.h; the signatures live on the stack of this call. */
static StateInput state_input(const StoredContract *stored, PlacedSignature *placed)
{
    for (guint i = 0; i < stored->signatures->len; i++) {
        const StoredSignature *signature = g_ptr_array_index(stored->signatures, i);
        placed[i] = (PlacedSignature){.peer_id = signature->peer_id,
                                      .type = signature->type,
                                      .signed_at = signature->signed_at,
                                      .not_before = signature->not_before,
                                      .not_after = signature->not_after};
    }
    const Contract *contract = stored->contract;
    return (StateInput){.signers = (const char *const *)contract->signers->pdata,
                        .n_signers = contract->signers->len,
                        .not_before = contract->not_before,
                        .not_after = contract->not_after,
                        .signatures = placed,
                        .n_signatures = stored->signatures->len};
}

ContractState stored_contract_state(const StoredContract *stored, gint64 now_s)
{
    g_autofree PlacedSignature *placed = g_new0(PlacedSignature, stored->signatures->len + 1);
    StateInput input = state_input(stored, placed);
    return contract_state(&input, now_s);
}

gint64 stored_contract_changes_at(const StoredContract *stored, gint64 now_s)
{
    g_autofree PlacedSignature *placed = g_new0(PlacedSignature, stored->signatures->len + 1);
    StateInput input = state_input(stored, placed);
    return contract_state_changes_at(&input, now_s);
}

/* The order of state.c; of what is equal in that, any one, but the same one on each node. */
static gboolean is_newer(const StoredSignature *one, const StoredSignature *other)
{
    if (one->signed_at != other->signed_at)
        return one->signed_at > other->signed_at;
    if (one->not_after != other->not_after)
        return one->not_after > other->not_after;
    return strcmp(one->jws, other->jws) > 0;
}

const StoredSignature *stored_contract_signature(const StoredContract *stored, const char *peer_id,
                                                 SignatureType type)
{
    const StoredSignature *newest = NULL;
    for (guint i = 0; i < stored->signatures->len; i++) {
        const StoredSignature *signature = g_ptr_array_index(stored->signatures, i);
        if (signature->type == type && g_str_equal(signature->peer_id, peer_id) &&
            (newest == NULL || is_newer(signature, newest)))
            newest = signature;
    }
    return newest;
}

json_t *stored_contract_signatures(const StoredContract *stored)
{
    json_t *all = json_object();
    for (int type = 0; type < SIGNATURE_TYPE_COUNT; type++) {
        json_t *map = json_object();
        for (guint i = 0; i < stored->contract->signers->len; i++) {
            const char *peer_id = g_ptr_array_index(stored->contract->signers, i);
            const StoredSignature *signature =
                stored_contract_signature(stored, peer_id, (SignatureType)type);
            if (signature != NULL)
                json_object_set_new(map, peer_id, json_string(signature->jws));
        }
        json_object_set_new(all, signature_type_name((SignatureType)type), map);
    }
    return all;
}

/* --- writing --- */

static gint64 contract_id_of(Db *db, const char *content_hash, GError **error)
{
    g_autoptr(Rows) rows =
        db_query(db, error, "SELECT id FROM fsc_contracts WHERE hash = ?1", value_text(content_hash));
    if (rows == NULL)
        return -1;
    return rows_next(rows) ? rows_integer(rows, 0) : 0;
}

static gboolean store_parts(Db *db, const Contract *contract, gint64 id, GError **error)
{
    for (guint i = 0; i < contract->signers->len; i++)
        if (!db_run(db, error,
                    "INSERT INTO fsc_contract_peers (contract_id, peer_id, created_at) VALUES (?1, ?2, ?3)",
                    value_integer(id), value_text(g_ptr_array_index(contract->signers, i)),
                    value_integer(contract->created_at)))
            return FALSE;
    for (gsize i = 0; i < contract->n_grants; i++) {
        const Grant *grant = &contract->grants[i];
        g_autofree char *service = g_ascii_strdown(grant->service_name, -1);
        if (!db_run(db, error,
                    "INSERT INTO fsc_grants (contract_id, position, hash, type, service_name, "
                    "service_peer_id, outway_peer_id) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
                    value_integer(id), value_integer((gint64)i), value_text(grant->hash),
                    value_text(grant_type_row(grant->type)->name), value_text(service),
                    value_text(grant->service_peer_id),
                    value_text(grant->outway_peer_id != NULL ? grant->outway_peer_id : "")))
            return FALSE;
    }
    return TRUE;
}

gboolean fsc_store_contract(Db *db, const Contract *contract, gint64 now_ms, gint64 *id, GError **error)
{
    /* Not its canonical form: there 1e20 is written as an integer, which we would refuse when reading it
     * back. */
    g_autofree char *content = json_write(contract->content);
    g_autofree char *iv = g_ascii_strdown(contract->iv, -1);
    if (!db_run(
            db, error,
            "INSERT INTO fsc_contracts (hash, iv, content, not_before, not_after, created_at, received_ms) "
            "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) ON CONFLICT DO NOTHING",
            value_text(contract->hash), value_text(iv), value_text(content),
            value_integer(contract->not_before), value_integer(contract->not_after),
            value_integer(contract->created_at), value_integer(now_ms)))
        return FALSE;
    gboolean is_new = db_changes(db) > 0;
    *id = contract_id_of(db, contract->hash, error);
    if (*id < 0)
        return FALSE;
    if (*id == 0)
        return verdict_set(error, VERDICT_IV_USED, "content.iv");
    return !is_new || store_parts(db, contract, *id, error);
}

gboolean fsc_store_signature(Db *db, const NewSignature *signature, gint64 now_ms, GError **error)
{
    guint8 bytes[SHA256_SIZE];
    sha256(signature->jws, strlen(signature->jws), bytes);
    g_autofree char *digest = hex_encode(bytes, sizeof bytes);
    const char *type = signature_type_name(signature->type);
    if (!db_run(db, error,
                "INSERT INTO fsc_signatures (contract_id, peer_id, type, signed_at, thumbprint, jws, digest, "
                "received_ms) "
                "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8) ON CONFLICT (contract_id, peer_id, type, digest) DO "
                "NOTHING",
                value_integer(signature->contract_id), value_text(signature->peer_id), value_text(type),
                value_integer(signature->signed_at), value_text(signature->thumbprint),
                value_text(signature->jws), value_text(digest), value_integer(now_ms)))
        return FALSE;
    if (db_changes(db) == 0)
        return TRUE;
    g_autoptr(Rows) rows =
        db_query(db, error,
                 "SELECT count(*) FROM fsc_signatures WHERE contract_id = ?1 AND peer_id = ?2 AND type = ?3",
                 value_integer(signature->contract_id), value_text(signature->peer_id), value_text(type));
    if (rows == NULL || !rows_next(rows))
        return FALSE;
    return rows_integer(rows, 0) <= SIGNATURES_MAX || verdict_set(error, VERDICT_TOO_MANY_SIGNATURES, NULL);
}

/* --- reading --- */

static GPtrArray *load_signatures(Db *db, gint64 contract_id, GError **error)
{
    g_autoptr(Rows) rows =
        db_query(db, error,
                 "SELECT s.peer_id, s.type, s.signed_at, s.thumbprint, s.jws, c.not_before, c.not_after "
                 "FROM fsc_signatures s JOIN fsc_certificates c ON c.thumbprint = s.thumbprint "
                 "WHERE s.contract_id = ?1 ORDER BY s.id",
                 value_integer(contract_id));
    if (rows == NULL)
        return NULL;
    GPtrArray *signatures = g_ptr_array_new_with_free_func(stored_signature_free);
    while (rows_next(rows)) {
        StoredSignature *signature = g_new0(StoredSignature, 1);
        signature->peer_id = g_strdup(rows_text(rows, 0));
        signature_type_find(rows_text(rows, 1), &signature->type);
        signature->signed_at = rows_integer(rows, 2);
        signature->thumbprint = g_strdup(rows_text(rows, 3));
        signature->jws = g_strdup(rows_text(rows, 4));
        signature->not_before = rows_integer(rows, 5);
        signature->not_after = rows_integer(rows, 6);
        g_ptr_array_add(signatures, signature);
    }
    return signatures;
}

/* The contract of the current row, with its signatures. */
static StoredContract *load_row(Db *db, const Rows *rows, GError **error)
{
    g_autoptr(StoredContract) stored = g_new0(StoredContract, 1);
    stored->id = rows_integer(rows, 0);
    stored->received_ms = rows_integer(rows, 1);
    stored->contract = contract_parse_text(rows_text(rows, 2), error);
    if (stored->contract == NULL)
        return NULL;
    stored->signatures = load_signatures(db, stored->id, error);
    return stored->signatures == NULL ? NULL : g_steal_pointer(&stored);
}

GPtrArray *fsc_store_load_rows(Db *db, Rows *rows, guint limit, GError **error)
{
    g_autoptr(GPtrArray) all = g_ptr_array_new_with_free_func(free_stored_contract);
    while (rows_next(rows) && all->len < limit) {
        StoredContract *stored = load_row(db, rows, error);
        if (stored == NULL)
            return NULL;
        g_ptr_array_add(all, stored);
    }
    return g_steal_pointer(&all);
}

gboolean fsc_store_has(Db *db, const char *content_hash, GError **error)
{
    return contract_id_of(db, content_hash, error) > 0;
}

StoredContract *fsc_store_load(Db *db, const char *content_hash, GError **error)
{
    g_autoptr(Rows) rows =
        db_query(db, error, "SELECT " FSC_CONTRACT_COLUMNS " FROM fsc_contracts c WHERE c.hash = ?1",
                 value_text(content_hash));
    if (rows == NULL)
        return NULL;
    if (!rows_next(rows)) {
        g_set_error_literal(error, FUNDAMENT_ERROR, FUNDAMENT_ERROR_NOT_FOUND,
                            "no contract with that hash is known here");
        return NULL;
    }
    return load_row(db, rows, error);
}

#define SHARED                                                                                               \
    "SELECT " FSC_CONTRACT_COLUMNS " FROM fsc_contract_peers p JOIN fsc_contracts c ON c.id = p.contract_id" \
    " WHERE p.peer_id = ?1 AND p.contract_id > ?2 AND c.not_after >= ?3"
#define UNDER_ANOTHER                                                                                        \
    " AND EXISTS (SELECT 1 FROM fsc_signatures s JOIN fsc_certificates k ON k.thumbprint = s.thumbprint"     \
    " WHERE s.contract_id = c.id AND s.peer_id = ?1 AND s.type = 'accept' AND s.thumbprint <> ?5"            \
    " AND k.not_after < c.not_after)"

GPtrArray *fsc_store_shared(Db *db, const SharedQuery *query, GError **error)
{
    const char *sql = query->not_under != NULL ? SHARED UNDER_ANOTHER " ORDER BY p.contract_id LIMIT ?4"
                      : query->newest_first    ? SHARED " ORDER BY p.contract_id DESC LIMIT ?4"
                                               : SHARED " ORDER BY p.contract_id LIMIT ?4";
    const Value values[] = {value_text(query->peer_id), value_integer(query->after_id),
                            value_integer(query->now_s), value_integer(query->limit),
                            value_text(query->not_under)};
    gsize n_values = G_N_ELEMENTS(values) - (query->not_under == NULL ? 1 : 0);
    g_autoptr(Rows) rows = db_query_values(db, sql, values, n_values, error);
    return rows == NULL ? NULL : fsc_store_load_rows(db, rows, query->limit, error);
}

static void free_changed(gpointer pointer)
{
    ChangedContract *changed = pointer;
    g_free(changed->hash);
    g_free(changed);
}

GPtrArray *fsc_store_changed_since(Db *db, gint64 since_ms, GError **error)
{
    g_autoptr(Rows) rows = db_query(
        db, error,
        "SELECT c.hash, max(s.id) FROM fsc_contracts c JOIN fsc_signatures s ON s.contract_id = c.id "
        "WHERE s.received_ms >= ?1 GROUP BY c.hash",
        value_integer(since_ms));
    if (rows == NULL)
        return NULL;
    GPtrArray *all = g_ptr_array_new_with_free_func(free_changed);
    while (rows_next(rows)) {
        ChangedContract *changed = g_new0(ChangedContract, 1);
        changed->hash = g_strdup(rows_text(rows, 0));
        changed->last_signature = rows_integer(rows, 1);
        g_ptr_array_add(all, changed);
    }
    return all;
}

/* --- certificates --- */

gboolean fsc_store_put_certificate(Db *db, const Certificate *certificate, const char *purpose,
                                   GError **error)
{
    g_autoptr(GPtrArray) chain = certificate_x5c(certificate);
    g_autoptr(json_t) x5c = json_array();
    for (guint i = 0; i < chain->len; i++)
        json_array_append_new(x5c, json_string(g_ptr_array_index(chain, i)));
    g_autofree char *text = json_write(x5c);
    return db_run(
        db, error,
        "INSERT INTO fsc_certificates (thumbprint, peer_id, x5c, not_before, not_after, purpose) "
        "VALUES (?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT (thumbprint) DO UPDATE SET purpose = excluded.purpose "
        "WHERE fsc_certificates.purpose = 'peer'",
        value_text(certificate_thumbprint(certificate)), value_text(certificate_peer_id(certificate)),
        value_text(text), value_integer(certificate_not_before(certificate)),
        value_integer(certificate_not_after(certificate)), value_text(purpose));
}

static Certificate *certificate_of_text(const char *x5c, GError **error)
{
    g_autoptr(json_t) chain = json_parse_strict(x5c, -1, NULL, error);
    if (chain == NULL)
        return NULL;
    gsize count = json_array_size(chain);
    g_autofree const char **der = g_new0(const char *, count + 1);
    for (gsize i = 0; i < count; i++)
        der[i] = json_string_value(json_array_get(chain, i));
    return certificate_from_x5c(der, count, error);
}

Certificate *fsc_store_certificate(Db *db, const char *thumbprint, GError **error)
{
    g_autoptr(Rows) rows =
        db_query(db, error, "SELECT x5c FROM fsc_certificates WHERE thumbprint = ?1", value_text(thumbprint));
    return rows != NULL && rows_next(rows) ? certificate_of_text(rows_text(rows, 0), error) : NULL;
}

static void unref_certificate(gpointer certificate)
{
    certificate_unref(certificate);
}

GPtrArray *fsc_store_own_certificates(Db *db, const char *purpose, gint64 now_s, GError **error)
{
    g_autoptr(Rows) rows =
        db_query(db, error,
                 "SELECT x5c FROM fsc_certificates WHERE purpose IN (?1, ?2) AND not_after >= ?3 "
                 "ORDER BY not_before DESC, thumbprint",
                 value_text(purpose != NULL ? purpose : PURPOSE_TOKEN),
                 value_text(purpose != NULL ? purpose : PURPOSE_CONTRACT), value_integer(now_s));
    if (rows == NULL)
        return NULL;
    g_autoptr(GPtrArray) all = g_ptr_array_new_with_free_func(unref_certificate);
    while (rows_next(rows)) {
        Certificate *certificate = certificate_of_text(rows_text(rows, 0), error);
        if (certificate == NULL)
            return NULL;
        g_ptr_array_add(all, certificate);
    }
    return g_steal_pointer(&all);
}

/* --- Peers --- */

void peer_free(Peer *peer)
{
    if (peer == NULL)
        return;
    g_free(peer->peer_id);
    g_free(peer->name);
    g_free(peer->manager_address);
    g_free(peer);
}

static void free_peer(gpointer peer)
{
    peer_free(peer);
}

gboolean fsc_store_put_peer(Db *db, const char *peer_id, const char *name, const char *manager_address,
                            gint64 now_ms, GError **error)
{
    if (!db_run(db, error,
                "INSERT INTO fsc_peers (peer_id, name, seen_ms) VALUES (?1, ?2, ?3) "
                "ON CONFLICT (peer_id) DO UPDATE SET name = excluded.name, seen_ms = excluded.seen_ms",
                value_text(peer_id), value_text(name != NULL ? name : peer_id), value_integer(now_ms)))
        return FALSE;
    return manager_address == NULL ||
           db_run(db, error, "UPDATE fsc_peers SET manager_address = ?2 WHERE peer_id = ?1",
                  value_text(peer_id), value_text(manager_address));
}

static Peer *peer_of_row(const Rows *rows)
{
    Peer *peer = g_new0(Peer, 1);
    peer->peer_id = g_strdup(rows_text(rows, 0));
    peer->name = g_strdup(rows_text(rows, 1));
    peer->manager_address = g_strdup(rows_text(rows, 2));
    return peer;
}

Peer *fsc_store_peer(Db *db, const char *peer_id, GError **error)
{
    g_autoptr(Rows) rows =
        db_query(db, error, "SELECT peer_id, name, manager_address FROM fsc_peers WHERE peer_id = ?1",
                 value_text(peer_id));
    return rows != NULL && rows_next(rows) ? peer_of_row(rows) : NULL;
}

GPtrArray *fsc_store_peers(Db *db, GError **error)
{
    g_autoptr(Rows) rows = db_query_values(
        db, "SELECT peer_id, name, manager_address FROM fsc_peers ORDER BY peer_id", NULL, 0, error);
    if (rows == NULL)
        return NULL;
    GPtrArray *all = g_ptr_array_new_with_free_func(free_peer);
    while (rows_next(rows))
        g_ptr_array_add(all, peer_of_row(rows));
    return all;
}

/* --- pages of contracts --- */

/* SQL with numbered parameters, put together from fixed pieces only. */
typedef struct {
    GString *sql;
    GArray *values;
} Statement;

static void add_value(Statement *statement, const char *before, Value value, const char *after)
{
    g_array_append_val(statement->values, value);
    g_string_append_printf(statement->sql, "%s?%u%s", before, statement->values->len, after);
}

/* A cursor is "<created_at>.<id>" of the last contract of the page before. */
static gboolean cursor_read(const char *cursor, gint64 *created_at, gint64 *id, GError **error)
{
    g_auto(GStrv) parts = g_strsplit(cursor, ".", 3);
    if (g_strv_length(parts) == 2 &&
        g_ascii_string_to_signed(parts[0], 10, 0, G_MAXINT64, created_at, NULL) &&
        g_ascii_string_to_signed(parts[1], 10, 0, G_MAXINT64, id, NULL))
        return TRUE;
    g_set_error_literal(error, FUNDAMENT_ERROR, FUNDAMENT_ERROR_INVALID,
                        "cursor: not one that this Manager gave");
    return FALSE;
}

static gboolean add_page(Statement *statement, const ContractQuery *query, const char *order,
                         const char *id_column, GError **error)
{
    if (query->cursor != NULL && *query->cursor != '\0') {
        gint64 created_at = 0, id = 0;
        if (!cursor_read(query->cursor, &created_at, &id, error))
            return FALSE;
        g_string_append_printf(statement->sql, " AND (%s.created_at, %s.%s) %s (", order, order, id_column,
                               query->ascending ? ">" : "<");
        add_value(statement, "", value_integer(created_at), ", ");
        add_value(statement, "", value_integer(id), ")");
    }
    if (query->grant_type != NULL)
        add_value(statement,
                  " AND EXISTS (SELECT 1 FROM fsc_grants g WHERE g.contract_id = c.id AND g.type = ",
                  value_text(query->grant_type), ")");
    return TRUE;
}

static void add_hashes(Statement *statement, const char *const *hashes)
{
    g_string_append(statement->sql, " AND c.id IN (SELECT g.contract_id FROM fsc_grants g WHERE g.hash IN (");
    for (; *hashes != NULL; hashes++)
        add_value(statement, "", value_text(*hashes), hashes[1] != NULL ? ", " : "");
    g_string_append(statement->sql, "))");
}

/* The contracts of one Peer are walked in their own order, whoever else has how many. */
static gboolean list_statement(Statement *statement, const ContractQuery *query, GError **error)
{
    const char *order = query->peer_id != NULL ? "p" : "c",
               *id = query->peer_id != NULL ? "contract_id" : "id";
    const char *direction = query->ascending ? "ASC" : "DESC";
    g_string_append(statement->sql, "SELECT " FSC_CONTRACT_COLUMNS " FROM fsc_contracts c");
    if (query->peer_id != NULL)
        add_value(statement, " JOIN fsc_contract_peers p ON p.contract_id = c.id WHERE p.peer_id = ",
                  value_text(query->peer_id), "");
    else
        g_string_append(statement->sql, " WHERE 1 = 1");
    if (query->grant_hashes != NULL)
        add_hashes(statement, query->grant_hashes);
    else if (!add_page(statement, query, order, id, error))
        return FALSE;
    g_string_append_printf(statement->sql, " ORDER BY %s.created_at %s, %s.%s %s", order, direction, order,
                           id, direction);
    if (query->grant_hashes == NULL)
        add_value(statement, " LIMIT ", value_integer((gint64)query->limit + 1), "");
    return TRUE;
}

GPtrArray *fsc_store_list(Db *db, const ContractQuery *query, char **next_cursor, GError **error)
{
    g_autoptr(GString) sql = g_string_new(NULL);
    g_autoptr(GArray) values = g_array_new(FALSE, FALSE, sizeof(Value));
    Statement statement = {sql, values};
    if (!list_statement(&statement, query, error))
        return NULL;
    g_autoptr(Rows) rows =
        db_query_values(db, sql->str, (const Value *)(void *)values->data, values->len, error);
    if (rows == NULL)
        return NULL;
    guint limit = query->grant_hashes != NULL ? G_MAXUINT : query->limit;
    gboolean more = rows_count(rows) > limit;
    GPtrArray *all = fsc_store_load_rows(db, rows, limit, error);
    if (all == NULL)
        return NULL;
    const StoredContract *last = all->len > 0 ? g_ptr_array_index(all, all->len - 1) : NULL;
    *next_cursor = more && last != NULL ? g_strdup_printf("%" G_GINT64_FORMAT ".%" G_GINT64_FORMAT,
                                                          last->contract->created_at, last->id)
                                        : g_strdup("");
    return all;
}
