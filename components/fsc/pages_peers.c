/* Services and organisations: ours, those of the Directory, and everybody our Manager knows. */
#include "components/fsc/pages.h"

#include <string.h>

#include "components/fsc/delivery.h"
#include "core/base/error.h"
#include "core/base/identifiers.h"
#include "core/format/json.h"
#include "core/net/page.h"
#include "core/net/phrases.h"

#define PEERS_A_PAGE 15
#define SERVICES_A_PAGE 25
#define DIRECTORY_TIMEOUT_MS 4000
#define OFFSET_WARNING_MS 10000 /* what tokens bear (decisions.md 11) */

/* --- our services --- */

static guint count_consumers(Fsc *fsc, const char *service)
{
    guint count = 0;
    g_autoptr(GPtrArray) valid = agreements_valid(fsc->agreements, FALSE, fsc_now_s(fsc));
    for (guint i = 0; i < valid->len; i++) {
        const Contract *contract = agreement_contract(valid->pdata[i])->contract;
        for (gsize j = 0; j < contract->n_grants; j++)
            count += strcmp(contract->grants[j].service_name, service) == 0 &&
                     strcmp(contract->grants[j].service_peer_id, node_oin(fsc->node)) == 0;
    }
    return count;
}

static json_t *directories_of(FscView *view, const char *service)
{
    json_t *names = json_array();
    g_autoptr(GPtrArray) valid = agreements_valid(view->fsc->agreements, TRUE, fsc_now_s(view->fsc));
    for (guint i = 0; i < valid->len; i++) {
        const Contract *contract = agreement_contract(valid->pdata[i])->contract;
        for (gsize j = 0; j < contract->n_grants; j++)
            if (strcmp(contract->grants[j].service_name, service) == 0 &&
                strcmp(contract->grants[j].service_peer_id, node_oin(view->fsc->node)) == 0)
                json_array_append_new(
                    names, json_string(fsc_view_name(view, contract->grants[j].directory_peer_id)));
    }
    return names;
}

static json_t *own_services(FscView *view)
{
    json_t *list = json_array();
    for (const char *const *name = view->fsc->services; *name != NULL; name++) {
        g_autofree char *upstream = fsc_service_upstream(view->fsc, *name);
        g_autofree char *n = g_strdup_printf("%u", count_consumers(view->fsc, *name));
        g_autofree char *consumers = phrase_format(view->language, "fsc.services.consumers", "n", n, NULL);
        json_t *directories = directories_of(view, *name);
        gboolean listed = json_array_size(directories) > 0;
        json_array_append_new(list, json_pack("{s:s, s:s, s:s, s:o, s:b}", "name", *name, "upstream",
                                              upstream, "consumers", consumers, "directories", directories,
                                              "listed", listed));
    }
    return list;
}

/* --- those of the Directory --- */

/* {"services": [...]} as FSC Core 2.0.0, 4.5 has it; NULL when nobody knows. */
static json_t *ask_directory(Fsc *fsc, const char *name, const char *peer_id, GError **error)
{
    if (g_strcmp0(fsc->directory, node_oin(fsc->node)) == 0)
        return json_pack("{s:o}", "services", directory_services(fsc, peer_id, name));
    g_autofree char *path = g_strdup_printf(
        "/v1/services?limit=%d%s%s%s%s", SERVICES_A_PAGE * 4, name != NULL ? "&service_name=" : "",
        name != NULL ? name : "", peer_id != NULL ? "&peer_id=" : "", peer_id != NULL ? peer_id : "");
    PeerCall call = {.peer_id = fsc->directory,
                     .address = fsc->directory_address,
                     .role = ROLE_MANAGER,
                     .path = path,
                     .timeout_ms = DIRECTORY_TIMEOUT_MS};
    g_autoptr(HttpReply) reply = peers_call(fsc, &call, error);
    g_autoptr(json_t) body = reply == NULL ? NULL : http_reply_json(reply, error);
    if (body != NULL && reply->status == 200 && json_is_array(json_object_get(body, "services")))
        return g_steal_pointer(&body);
    if (error != NULL && *error == NULL)
        g_set_error(error, FUNDAMENT_ERROR, FUNDAMENT_ERROR_UNAVAILABLE,
                    "the Directory answered with status %u", reply == NULL ? 0 : reply->status);
    return NULL;
}

/* What another organisation wrote is shown, never trusted: fields of the wrong kind leave the row out. */
static json_t *service_row(const Fsc *fsc, const json_t *item, gboolean signer)
{
    const json_t *data = json_object_get(item, "data"), *peer = json_object_get(data, "peer");
    const char *name = json_string_at(data, "name"), *peer_id = json_string_at(peer, "id"),
               *peer_name = json_string_at(peer, "name"), *protocol = json_string_at(data, "protocol");
    if (!fsc_service_name_valid(name) || !oin_valid(peer_id))
        return NULL;
    const char *slash = protocol == NULL ? NULL : strstr(protocol, "HTTP_");
    g_autofree char *version =
        slash == NULL ? g_strdup("") : g_strconcat("HTTP/", slash + strlen("HTTP_"), NULL);
    json_t *row = json_pack("{s:s, s:s, s:s, s:s}", "name", name, "peer_id", peer_id, "peer_name",
                            peer_name != NULL ? peer_name : peer_id, "protocol", version);
    if (signer && strcmp(peer_id, node_oin(fsc->node)) != 0)
        json_object_set_new(
            row, "propose",
            json_sprintf("/voorstellen?soort=connection&dienst=%s&aanbieder=%s", name, peer_id));
    return row;
}

static void add_directory(json_t *page, const FscView *view)
{
    size_t i;
    const json_t *item;
    g_autoptr(GError) error = NULL;
    g_autofree char *name = office_filter(view->request, "dienst", 100),
                    *peer_id = office_filter(view->request, "aanbieder", 20);
    json_object_set_new(page, "service", json_string(name != NULL ? name : ""));
    json_object_set_new(page, "peer_id", json_string(peer_id != NULL ? peer_id : ""));
    if (view->fsc->directory == NULL) {
        json_object_set_new(page, "no_directory", json_true());
        return;
    }
    gboolean sane = (name == NULL || fsc_service_name_valid(name)) && (peer_id == NULL || oin_valid(peer_id));
    g_autoptr(json_t) answer = sane ? ask_directory(view->fsc, name, peer_id, &error) : json_object();
    json_t *rows = json_array(), *all = json_array();
    json_array_foreach(json_object_get(answer, "services"), i, item)
    {
        json_t *row = service_row(view->fsc, item, officer_may(officer_of(view->request), OFFICER_SIGNER));
        if (row != NULL)
            json_array_append_new(all, row);
    }
    static const char *const kept[] = {"dienst", "aanbieder", NULL};
    g_autofree char *query = office_query(view->request, kept),
                    *link = g_strconcat("/diensten?", query, "pagina=", NULL);
    guint from = office_pages(page, view->request, (guint)json_array_size(all), SERVICES_A_PAGE, link);
    for (guint row = from; row < MIN(from + SERVICES_A_PAGE, json_array_size(all)); row++)
        json_array_append(rows, json_array_get(all, row));
    json_object_set_new(page, "has_rows", json_boolean(json_array_size(rows) > 0));
    json_object_set_new(page, "rows", rows);
    json_decref(all);
    if (answer == NULL) {
        g_message("office: the Directory: %s", error->message);
        json_object_set_new(page, "unreachable", json_string(error->message));
    }
}

void fsc_page_services(Request *request, gpointer context)
{
    Fsc *fsc = context;
    g_autoptr(FscView) view = fsc_view_new(fsc, request);
    if (officer_enter(fsc->node, request, OFFICER_READER, "fsc.services.look", "") == NULL)
        return;
    json_t *page = fsc_view_page(view, "/diensten", "services"), *own = own_services(view);
    json_object_set_new(page, "has_own", json_boolean(json_array_size(own) > 0));
    json_object_set_new(page, "own", own);
    json_object_set_new(page, "signer", json_boolean(officer_may(officer_of(request), OFFICER_SIGNER)));
    add_directory(page, view);
    fsc_view_answer(view, "services", page);
}

/* --- organisations --- */

static void put_time(json_t *row, const char *name, const FscView *view, const json_t *peer,
                     const char *member)
{
    const json_t *value = json_object_get(peer, member);
    if (!json_is_integer(value))
        return;
    gint64 ms = json_integer_value(value);
    g_autofree char *text = fsc_view_time(view, ms);
    json_object_set_new(row, name, json_string(text));
}

static void put_clock(json_t *row, const FscView *view, const json_t *peer)
{
    const json_t *offset = json_object_get(peer, "clock_offset_ms");
    if (!json_is_integer(offset))
        return;
    gint64 ms = json_integer_value(offset);
    g_autofree char *span = fsc_view_span(view, ms / 1000);
    g_autofree char *text =
        ABS(ms) < 1000
            ? g_strdup(fsc_view_phrase(view, "peers.clock_right"))
            : phrase_format(view->language, ms > 0 ? "fsc.peers.clock_ahead" : "fsc.peers.clock_behind",
                            "span", span, NULL);
    json_object_set_new(row, "clock", json_string(text));
    json_object_set_new(row, "clock_wrong", json_boolean(ABS(ms) >= OFFSET_WARNING_MS));
}

static json_t *peer_row(const FscView *view, const json_t *peer)
{
    const char *peer_id = json_string_at(peer, "peer_id"), *version = json_string_at(peer, "fsc_version");
    g_autofree char *waiting = g_strdup_printf("%" G_GINT64_FORMAT, json_integer_at(peer, "waiting"));
    g_autofree char *dead = g_strdup_printf("%" G_GINT64_FORMAT, json_integer_at(peer, "dead"));
    json_t *row = json_pack("{s:s, s:s, s:s*, s:s*, s:s*}", "peer_id", peer_id, "name",
                            json_string_at(peer, "name"), "address", json_string_at(peer, "manager_address"),
                            "version", version, "error", json_string_at(peer, "probe_error"));
    json_object_set_new(row, "version_wrong",
                        json_boolean(version != NULL && !json_boolean_at(peer, "fsc_version_matches")));
    if (json_integer_at(peer, "waiting") > 0)
        json_object_set_new(row, "waiting", json_string(waiting));
    if (json_integer_at(peer, "dead") > 0)
        json_object_set_new(row, "dead", json_string(dead));
    json_object_set_new(
        row, "quiet",
        json_boolean(json_integer_at(peer, "waiting") == 0 && json_integer_at(peer, "dead") == 0));
    put_time(row, "seen", view, peer, "probed_ms");
    put_time(row, "delivered", view, peer, "last_delivered_ms");
    put_clock(row, view, peer);
    return row;
}

static gboolean peer_passes(const json_t *peer, const char *search)
{
    if (search == NULL)
        return TRUE;
    const char *name = json_string_at(peer, "name"), *peer_id = json_string_at(peer, "peer_id");
    g_autofree char *folded = g_utf8_casefold(name != NULL ? name : "", -1);
    return strstr(folded, search) != NULL || strstr(peer_id, search) != NULL;
}

static void add_peers(json_t *page, const FscView *view, const json_t *peers)
{
    size_t i;
    const json_t *peer;
    static const char *const kept[] = {"zoek", NULL};
    g_autofree char *search = office_filter(view->request, "zoek", 200);
    g_autofree char *folded = search == NULL ? NULL : g_utf8_casefold(search, -1);
    g_autoptr(GPtrArray) found = g_ptr_array_new();
    json_array_foreach(peers, i, peer) if (peer_passes(peer, folded)) g_ptr_array_add(found, (gpointer)peer);
    g_autofree char *query = office_query(view->request, kept);
    g_autofree char *link = g_strconcat("/organisaties?", query, "pagina=", NULL);
    guint from = office_pages(page, view->request, found->len, PEERS_A_PAGE, link);
    json_t *rows = json_array();
    for (guint row = from; row < MIN(from + PEERS_A_PAGE, found->len); row++)
        json_array_append_new(rows, peer_row(view, found->pdata[row]));
    json_object_set_new(page, "search", json_string(search != NULL ? search : ""));
    json_object_set_new(page, "has_rows", json_boolean(found->len > 0));
    json_object_set_new(page, "rows", rows);
}

void fsc_page_peers(Request *request, gpointer context)
{
    Fsc *fsc = context;
    g_autoptr(GError) error = NULL;
    g_autoptr(FscView) view = fsc_view_new(fsc, request);
    if (officer_enter(fsc->node, request, OFFICER_READER, "fsc.peers.look", "") == NULL)
        return;
    g_autoptr(json_t) peers = delivery_of_peers(fsc, &error);
    if (peers == NULL) {
        fsc_view_fail(view, error, "/");
        return;
    }
    json_t *page = fsc_view_page(view, "/organisaties", "peers");
    add_peers(page, view, peers);
    fsc_view_answer(view, "peers", page);
}
