/* The Directory, Peers and logs, as people ask for them. */
#include "components/fsc/admin_private.h"

#include <string.h>

#include "components/logboek/logboek.h"
#include "core/base/error.h"
#include "core/base/identifiers.h"
#include "core/net/problem.h"

#define ASK_TIMEOUT_MS 10000
#define LOGS_DEFAULT 25
#define LOGS_MAX 1000

void fsc_admin_announce(Request *request, gpointer context)
{
    Fsc *fsc = context;
    g_autoptr(GError) error = NULL;
    if (fsc->directory == NULL || g_str_equal(fsc->directory, node_oin(fsc->node)))
        respond_problem(request, 422, "No Directory",
                        "this node is the Directory itself, or [fsc] directory is not set");
    else if (distribute_job(fsc->node, fsc, &error))
        respond_json(request, 202,
                     json_pack("{s:s, s:s}", "directory", fsc->directory, "manager_address",
                               node_manager_address(fsc->node)));
    else
        admin_failure(request, error);
}

/* What the Directory lists under a name, or all when this node is the Directory. */
static void services_named(Request *request, Fsc *fsc, const char *name)
{
    gboolean stale = FALSE;
    g_autoptr(GError) error = NULL;
    if (!fsc_service_name_valid(name)) {
        respond_problem(request, 400, "Bad query", "name: a service name is 1 to 100 of a-z A-Z 0-9 - . _");
        return;
    }
    json_t *services = fsc_services_named(fsc, name, &stale, &error);
    if (services != NULL)
        respond_json(request, 200, json_pack("{s:o, s:b}", "offered_by", services, "stale", (int)stale));
    else
        admin_failure(request, error);
}

/* --- what the Directory says now --- */

static void add_parameter(GString *query, Request *request, const char *from, const char *to)
{
    const char *value = request_query(request, from);
    if (value == NULL || *value == '\0')
        return;
    g_autofree char *escaped = g_uri_escape_string(value, NULL, FALSE);
    g_string_append_printf(query, "&%s=%s", to, escaped);
}

/* The answer of another Manager as it is; NULL when it gave none, or an error. */
static json_t *ask(Fsc *fsc, const char *peer_id, const char *path, GError **error)
{
    PeerCall call = {.peer_id = peer_id, .role = ROLE_MANAGER, .path = path, .timeout_ms = ASK_TIMEOUT_MS};
    g_autoptr(HttpReply) reply = peers_call(fsc, &call, error);
    g_autoptr(json_t) body =
        reply == NULL ? NULL : http_reply_json(reply, reply->status == 200 ? error : NULL);
    if (reply == NULL || (reply->status == 200 && body != NULL))
        return g_steal_pointer(&body);
    const char *message = json_string_at(body, "message"), *detail = json_string_at(body, "detail");
    if (error != NULL && *error == NULL)
        g_set_error(error, FUNDAMENT_ERROR, FUNDAMENT_ERROR_UNAVAILABLE, "Peer %s answered %u%s%s", peer_id,
                    reply->status, message != NULL || detail != NULL ? ": " : "",
                    message != NULL  ? message
                    : detail != NULL ? detail
                                     : "");
    return NULL;
}

static gboolean we_are_the_directory(const Fsc *fsc)
{
    return fsc->directory == NULL || g_str_equal(fsc->directory, node_oin(fsc->node));
}

/* {"services": [{"type", "data"}], "next_cursor"}: our own list when we are the Directory. */
void fsc_admin_services(Request *request, gpointer context)
{
    static const char *const known[] = {"name", "filter", "peerId", "limit", "cursor", NULL};
    Fsc *fsc = context;
    g_autoptr(GError) error = NULL;
    const char *name = request_query(request, "name");
    if (!admin_query_is_known(request, known))
        return;
    if (name != NULL && *name != '\0') {
        services_named(request, fsc, name);
        return;
    }
    if (we_are_the_directory(fsc)) {
        respond_json(request, 200,
                     json_pack("{s:o, s:s}", "services",
                               directory_services(fsc, request_query(request, "peerId"),
                                                  request_query(request, "filter")),
                               "next_cursor", ""));
        return;
    }
    g_autoptr(GString) path = g_string_new("/v1/services?sort_order=SORT_ORDER_ASCENDING");
    add_parameter(path, request, "filter", "service_name");
    add_parameter(path, request, "peerId", "peer_id");
    add_parameter(path, request, "limit", "limit");
    add_parameter(path, request, "cursor", "cursor");
    g_autoptr(json_t) answer = ask(fsc, fsc->directory, path->str, &error);
    const char *next = json_string_at(json_object_get(answer, "pagination"), "next_cursor");
    if (answer != NULL)
        respond_json(request, 200,
                     json_pack("{s:O, s:s}", "services", json_object_get(answer, "services"), "next_cursor",
                               next != NULL ? next : ""));
    else
        admin_failure(request, error);
}

/* --- Peers --- */

static gboolean peer_fits(const Peer *peer, const char *peer_id, const char *name)
{
    if (peer_id != NULL && !g_str_equal(peer->peer_id, peer_id))
        return FALSE;
    if (name == NULL)
        return TRUE;
    g_autofree char *text = g_utf8_casefold(peer->name, -1);
    g_autofree char *part = g_utf8_casefold(name, -1);
    return strstr(text, part) != NULL;
}

void fsc_admin_peers(Request *request, gpointer context)
{
    static const char *const known[] = {"name", "peerId", NULL};
    Fsc *fsc = context;
    g_autoptr(GError) error = NULL;
    if (!admin_query_is_known(request, known))
        return;
    g_autoptr(Db) db = store_take(node_store(fsc->node), &error);
    g_autoptr(GPtrArray) peers = db == NULL ? NULL : fsc_store_peers(db, &error);
    if (peers == NULL) {
        admin_failure(request, error);
        return;
    }
    json_t *list = json_array();
    for (guint i = 0; i < peers->len; i++) {
        const Peer *peer = g_ptr_array_index(peers, i);
        if (peer_fits(peer, request_query(request, "peerId"), request_query(request, "name")))
            json_array_append_new(list, json_pack("{s:s, s:s, s:s?}", "peer_id", peer->peer_id, "name",
                                                  peer->name, "manager_address", peer->manager_address));
    }
    respond_json(request, 200, json_pack("{s:o}", "peers", list));
}

/* --- logs --- */

/* Our name of each filter, and that of FSC, which the other Manager knows. */
static const struct {
    const char *ours, *fsc;
} log_filters[] = {
    {"after", "after"},
    {"before", "before"},
    {"grantHash", "grant_hash"},
    {"serviceName", "service_name"},
    {"transactionIds", "transaction_ids"},
    {"limit", "limit"},
    {"cursor", "cursor"},
    {"sortOrder", "sort_order"},
};

static void logs_of_peer(Request *request, Fsc *fsc, const char *peer_id)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GString) path = g_string_new("/v1/logs?");
    for (gsize i = 0; i < G_N_ELEMENTS(log_filters); i++) {
        const char *value = request_query(request, log_filters[i].ours);
        if (value == NULL)
            continue;
        g_autofree char *escaped = g_uri_escape_string(value, ",", FALSE);
        g_string_append_printf(path, "%s%s=%s", path->str[path->len - 1] == '?' ? "" : "&",
                               log_filters[i].fsc, escaped);
    }
    json_t *answer = ask(fsc, peer_id, path->str, &error);
    if (answer != NULL)
        respond_json(request, 200, answer);
    else
        admin_failure(request, error);
}

/* FSC Logging 1.1.0, 3.2: with our own Peer ID, the records in which we take part are all that there are. */
static void own_logs(Request *request, Fsc *fsc)
{
    TransactionQuery query = {.peer_id = node_oin(fsc->node), .limit = LOGS_DEFAULT};
    g_auto(GStrv) hashes = query_list(request, "grantHash");
    g_auto(GStrv) services = query_list(request, "serviceName");
    g_auto(GStrv) ids = query_list(request, "transactionIds");
    const char *after = request_query(request, "after"), *before = request_query(request, "before");
    g_autoptr(GError) error = NULL;
    if (!admin_query_number(request, "limit", LOGS_MAX, &query.limit))
        return;
    query.cursor = request_query(request, "cursor");
    query.ascending = g_strcmp0(request_query(request, "sortOrder"), "SORT_ORDER_ASCENDING") == 0;
    query.after = after != NULL ? g_ascii_strtoll(after, NULL, 10) : 0;
    query.before = before != NULL ? g_ascii_strtoll(before, NULL, 10) : 0;
    query.grant_hashes = (const char *const *)hashes;
    query.service_names = (const char *const *)services;
    query.transaction_ids = (const char *const *)ids;
    json_t *records = logboek_transactions(logboek_of(fsc->node), &query, &error);
    if (records != NULL)
        respond_json(request, 200, records);
    else
        admin_failure(request, error);
}

void fsc_admin_logs(Request *request, gpointer context)
{
    static const char *const known[] = {"peerId",         "after", "before", "grantHash", "serviceName",
                                        "transactionIds", "limit", "cursor", "sortOrder", NULL};
    const char *peer_id = request_query(request, "peerId"), *order = request_query(request, "sortOrder");
    if (!admin_query_is_known(request, known))
        return;
    if (order != NULL && !g_str_equal(order, "SORT_ORDER_ASCENDING") &&
        !g_str_equal(order, "SORT_ORDER_DESCENDING"))
        respond_problem(request, 400, "Bad query",
                        "sortOrder: must be SORT_ORDER_ASCENDING or SORT_ORDER_DESCENDING");
    else if (peer_id == NULL)
        own_logs(request, context);
    else if (oin_valid(peer_id))
        logs_of_peer(request, context, peer_id);
    else
        respond_problem(request, 400, "Bad query", "peerId: a Peer ID in this group is an OIN: 20 digits");
}
