/* Contracts for people: lists with filters, and everything about one. */
#include "components/fsc/admin_private.h"

#include <string.h>

#include "components/fsc/delivery.h"
#include "core/base/error.h"
#include "core/net/problem.h"
#include "core/node/outbox.h"

#define LIST_LIMIT 1000

static json_t *state_json(Fsc *fsc, const StoredContract *stored)
{
    const Contract *contract = stored->contract;
    json_t *grants = json_array();
    for (gsize i = 0; i < contract->n_grants; i++)
        json_array_append_new(grants, json_pack("{s:s, s:O}", "hash", contract->grants[i].hash, "data",
                                                contract->grants[i].data));
    json_t *peers = json_array();
    for (guint i = 0; i < contract->signers->len; i++) {
        const char *peer_id = g_ptr_array_index(contract->signers, i);
        g_autofree char *name = fsc_peer_name(fsc, peer_id);
        json_t *peer = json_pack("{s:s, s:s}", "peer_id", peer_id, "name", name);
        for (int type = 0; type < SIGNATURE_TYPE_COUNT; type++) {
            const StoredSignature *signature =
                stored_contract_signature(stored, peer_id, (SignatureType)type);
            if (signature != NULL)
                json_object_set_new(peer, signature_type_name((SignatureType)type),
                                    json_integer(signature->signed_at));
        }
        json_array_append_new(peers, peer);
    }
    /* In capitals, as every enumeration of FSC's own documents. */
    g_autofree char *state =
        g_ascii_strup(contract_state_name(stored_contract_state(stored, fsc_now_s(fsc))), -1);
    return json_pack("{s:s, s:s, s:I, s:I, s:I, s:o, s:o}", "hash", contract->hash, "state", state,
                     "created_at", (json_int_t)contract->created_at, "not_before",
                     (json_int_t)contract->not_before, "not_after", (json_int_t)contract->not_after, "grants",
                     grants, "peers", peers);
}

/* --- lists --- */

typedef struct {
    const char *state;   /* "VALID" or NULL */
    const char *service; /* exactly, or NULL */
} Filter;

static gboolean has_service(const Contract *contract, const char *service)
{
    for (gsize i = 0; i < contract->n_grants; i++)
        if (g_str_equal(contract->grants[i].service_name, service))
            return TRUE;
    return FALSE;
}

static gboolean fits(const Fsc *fsc, const StoredContract *stored, const Filter *filter)
{
    const char *state = contract_state_name(stored_contract_state(stored, fsc_now_s(fsc)));
    return (filter->state == NULL || g_ascii_strcasecmp(filter->state, state) == 0) &&
           (filter->service == NULL || has_service(stored->contract, filter->service));
}

/* State and service are not in the SQL: what does not fit is passed over, page by page, and each page asks
 * for as many as are still missing, so that the last cursor is where the list stopped. */
static json_t *collect(Fsc *fsc, ContractQuery *query, const Filter *filter, char **cursor, GError **error)
{
    g_autoptr(json_t) list = json_array();
    guint limit = query->limit;
    for (;;) {
        g_autoptr(Db) db = store_take(node_store(fsc->node), error);
        g_autofree char *next = NULL;
        query->limit = limit - (guint)json_array_size(list);
        query->cursor = *cursor;
        g_autoptr(GPtrArray) page = db == NULL ? NULL : fsc_store_list(db, query, &next, error);
        if (page == NULL)
            return NULL;
        g_clear_pointer(&db, db_release);
        for (guint i = 0; i < page->len; i++)
            if (fits(fsc, g_ptr_array_index(page, i), filter))
                json_array_append_new(list, state_json(fsc, g_ptr_array_index(page, i)));
        g_free(*cursor);
        *cursor = g_steal_pointer(&next);
        if (**cursor == '\0' || json_array_size(list) >= limit)
            return g_steal_pointer(&list);
    }
}

static gboolean state_is_known(Request *request, const char *state)
{
    for (int i = 0; state != NULL && i < CONTRACT_STATE_COUNT; i++)
        if (g_ascii_strcasecmp(state, contract_state_name((ContractState)i)) == 0)
            return TRUE;
    if (state == NULL)
        return TRUE;
    respond_problem(request, 400, "Bad query",
                    "state: must be PROPOSED, ACCEPTED, VALID, REJECTED, REVOKED or EXPIRED");
    return FALSE;
}

static gboolean type_is_known(Request *request, const char *type)
{
    GrantType found;
    if (type == NULL || grant_type_find(type, &found))
        return TRUE;
    respond_problem(request, 400, "Bad query",
                    "type: must be GRANT_TYPE_SERVICE_CONNECTION, "
                    "GRANT_TYPE_SERVICE_PUBLICATION or one of the delegated two");
    return FALSE;
}

void fsc_admin_contracts(Request *request, gpointer context)
{
    static const char *const known[] = {"state",     "type",  "peerId", "service",
                                        "grantHash", "limit", "cursor", NULL};
    Fsc *fsc = context;
    const char *hashes[] = {request_query(request, "grantHash"), NULL};
    Filter filter = {request_query(request, "state"), request_query(request, "service")};
    ContractQuery query = {.limit = LIST_LIMIT,
                           .peer_id = request_query(request, "peerId"),
                           .grant_type = request_query(request, "type"),
                           .grant_hashes = hashes[0] != NULL ? hashes : NULL};
    if (!admin_query_is_known(request, known) ||
        !admin_query_number(request, "limit", LIST_LIMIT, &query.limit) ||
        !state_is_known(request, filter.state) || !type_is_known(request, query.grant_type))
        return;
    g_autoptr(GError) error = NULL;
    g_autofree char *cursor = g_strdup(request_query(request, "cursor"));
    json_t *list = collect(fsc, &query, &filter, &cursor, &error);
    if (list != NULL)
        respond_json(request, 200, json_pack("{s:o, s:s}", "contracts", list, "next_cursor", cursor));
    else
        admin_failure(request, error);
}

/* --- one --- */

/* The messages about this contract that wait for delivery: what the other side has not got yet. */
static json_t *waiting_json(Fsc *fsc, const Contract *contract)
{
    json_t *list = json_array();
    for (guint i = 0; i < contract->signers->len; i++) {
        g_autoptr(GPtrArray) entries =
            outbox_list(node_store(fsc->node), g_ptr_array_index(contract->signers, i), NULL);
        for (guint j = 0; entries != NULL && j < entries->len; j++) {
            const OutboxEntry *entry = g_ptr_array_index(entries, j);
            json_array_append_new(list, json_pack("{s:s, s:s, s:i, s:b, s:s?}", "kind", entry->kind,
                                                  "peer_id", entry->destination, "tries", (int)entry->tries,
                                                  "dead", (int)entry->dead, "last_error", entry->last_error));
        }
    }
    return list;
}

void fsc_admin_contract(Request *request, gpointer context)
{
    Fsc *fsc = context;
    g_autoptr(GError) error = NULL;
    g_autoptr(Db) db = store_take(node_store(fsc->node), &error);
    g_autoptr(StoredContract) stored =
        db == NULL ? NULL : fsc_store_load(db, request_segment(request, "hash"), &error);
    if (stored == NULL) {
        admin_failure(request, error);
        return;
    }
    g_clear_pointer(&db, db_release);
    json_t *answer = state_json(fsc, stored);
    json_object_set(answer, "content", stored->contract->content);
    json_object_set_new(answer, "signatures", stored_contract_signatures(stored));
    json_t *delivery = delivery_of_contract(fsc, stored->contract->hash, NULL);
    if (delivery != NULL)
        json_object_set_new(answer, "delivery", delivery);
    json_object_set_new(answer, "waiting", waiting_json(fsc, stored->contract));
    respond_json(request, 200, answer);
}
