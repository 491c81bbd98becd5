/* Peers and services: what this Manager lists (FSC Core 2.0.0, 4.4.1.8, 4.4.1.9 and 4.5), and what the
 * Directory of the group listed when it was asked last. */
#include "components/fsc/internal.h"

#include <string.h>

#include "core/base/error.h"
#include "core/base/identifiers.h"
#include "core/format/json.h"
#include "core/net/problem.h"

#define LIST_DEFAULT 100
#define PEER_IDS_MAX 100

/* Text inside text, without regard to case. */
static gboolean contains(const char *text, const char *part)
{
    g_autofree char *folded = g_utf8_casefold(text, -1);
    g_autofree char *wanted = g_utf8_casefold(part, -1);
    return strstr(folded, wanted) != NULL;
}

/* A page of an array whose items stand in ascending order; the cursor is the number of items before it. */
static json_t *page_of(Request *request, json_t *all, const Page *page, const char *name)
{
    guint64 from = 0;
    if (page->cursor != NULL && *page->cursor != '\0' &&
        !g_ascii_string_to_unsigned(page->cursor, 10, 0, G_MAXUINT32, &from, NULL)) {
        respond_problem(request, 400, "Bad query", "cursor: not one that this Manager gave");
        return NULL;
    }
    gsize count = json_array_size(all);
    json_t *items = json_array();
    for (guint64 i = from; i < count && i < from + page->limit; i++)
        json_array_append(items, json_array_get(all, page->ascending ? i : count - 1 - i));
    g_autofree char *next =
        from + page->limit < count ? g_strdup_printf("%" G_GUINT64_FORMAT, from + page->limit) : g_strdup("");
    return json_pack("{s:o, s:{s:s}}", name, items, "pagination", "next_cursor", next);
}

/* --- Peers --- */

static json_t *peer_json(const Peer *peer)
{
    return json_pack("{s:s, s:s, s:s}", "id", peer->peer_id, "name", peer->name, "manager_address",
                     peer->manager_address);
}

/* Of others: who asks us knows us. */
static json_t *peers_json(const GPtrArray *peers, const char *own, const char *name, char **peer_ids)
{
    json_t *list = json_array();
    for (guint i = 0; i < peers->len; i++) {
        const Peer *peer = g_ptr_array_index(peers, i);
        if (peer->manager_address == NULL || g_str_equal(peer->peer_id, own) ||
            (peer_ids != NULL && !g_strv_contains((const char *const *)peer_ids, peer->peer_id)) ||
            (peer_ids == NULL && name != NULL && !contains(peer->name, name)))
            continue;
        json_array_append_new(list, peer_json(peer));
    }
    return list;
}

void directory_list_peers(Request *request, gpointer context)
{
    Fsc *fsc = context;
    Page page;
    g_auto(GStrv) peer_ids = query_list(request, "peer_id");
    if (!listing_page_read(request, LIST_DEFAULT, &page))
        return;
    if (peer_ids != NULL && g_strv_length(peer_ids) > PEER_IDS_MAX) {
        respond_problem(request, 400, "Bad query", "peer_id: at most %d values", PEER_IDS_MAX);
        return;
    }
    g_autoptr(GError) error = NULL;
    g_autoptr(Db) db = store_take(node_store(fsc->node), &error);
    g_autoptr(GPtrArray) peers = db == NULL ? NULL : fsc_store_peers(db, &error);
    if (peers == NULL) {
        respond_error(request, error);
        return;
    }
    g_autoptr(json_t) list =
        peers_json(peers, node_oin(fsc->node), request_query(request, "peer_name"), peer_ids);
    /* "When this query parameter is set the pagination parameters and other filters should be ignored" */
    Page whole = {.limit = G_MAXUINT32, .ascending = page.ascending};
    json_t *answer = page_of(request, list, peer_ids != NULL ? &whole : &page, "peers");
    if (answer != NULL)
        respond_json(request, 200, answer);
}

/* --- services --- */

static json_t *service_json(Fsc *fsc, Db *db, const Grant *grant)
{
    g_autoptr(Peer) peer = fsc_store_peer(db, grant->service_peer_id, NULL);
    gboolean own = g_str_equal(grant->service_peer_id, node_oin(fsc->node));
    const char *type = grant->delegator != NULL ? "SERVICE_TYPE_DELEGATED_SERVICE" : "SERVICE_TYPE_SERVICE";
    const char *name = own ? node_name(fsc->node) : peer != NULL ? peer->name : grant->service_peer_id;
    const char *address = own                                             ? node_manager_address(fsc->node)
                          : peer != NULL && peer->manager_address != NULL ? peer->manager_address
                                                                          : "";
    json_t *data = json_pack("{s:s, s:{s:s, s:s, s:s}, s:s, s:s}", "type", type, "peer", "id",
                             grant->service_peer_id, "name", name, "manager_address", address, "name",
                             grant->service_name, "protocol", grant->protocol);
    if (grant->delegator != NULL) {
        g_autofree char *delegator_name = fsc_peer_name(fsc, grant->delegator);
        json_object_set_new(
            data, "delegator",
            json_pack("{s:s, s:s}", "peer_id", grant->delegator, "peer_name", delegator_name));
    }
    if (grant->properties != NULL)
        json_object_set(data, "properties", (json_t *)grant->properties);
    /* docs/fsc-readings.md, 6: the OpenAPI document requires `type` also beside `data`. */
    return json_pack("{s:s, s:o}", "type", type, "data", data);
}

static gboolean service_is_wanted(const Grant *grant, const char *peer_id, const char *service_name)
{
    if (!grant_type_row(grant->type)->publication)
        return FALSE;
    if (peer_id == NULL && service_name == NULL)
        return TRUE;
    return (peer_id != NULL && g_str_equal(grant->service_peer_id, peer_id)) ||
           (service_name != NULL && contains(grant->service_name, service_name));
}

json_t *directory_services(Fsc *fsc, const char *peer_id, const char *service_name)
{
    g_autoptr(GHashTable) seen = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    g_autoptr(GPtrArray) valid = agreements_valid(fsc->agreements, TRUE, fsc_now_s(fsc));
    g_autoptr(Db) db = store_take(node_store(fsc->node), NULL);
    json_t *list = json_array();
    for (guint i = 0; db != NULL && i < valid->len; i++) {
        const Contract *contract = agreement_contract(g_ptr_array_index(valid, i))->contract;
        for (gsize j = 0; j < contract->n_grants; j++) {
            const Grant *grant = &contract->grants[j];
            /* Published twice (a new contract before the old one ends) is still one service. */
            char *key = g_strdup_printf("%s %s %s", grant->service_peer_id, grant->service_name,
                                        grant->delegator != NULL ? grant->delegator : "");
            if (g_hash_table_add(seen, key) && service_is_wanted(grant, peer_id, service_name))
                json_array_append_new(list, service_json(fsc, db, grant));
        }
    }
    return list;
}

void directory_list_services(Request *request, gpointer context)
{
    Fsc *fsc = context;
    Page page;
    if (!listing_page_read(request, LIST_DEFAULT, &page))
        return;
    g_autoptr(json_t) list =
        directory_services(fsc, request_query(request, "peer_id"), request_query(request, "service_name"));
    json_t *answer = page_of(request, list, &page, "services");
    if (answer != NULL)
        respond_json(request, 200, answer);
}
