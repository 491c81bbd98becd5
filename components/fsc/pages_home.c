/* The first page for officers: what waits for a person, what fails, what runs out. */
#include "components/fsc/pages.h"

#include <string.h>

#include "components/fsc/delivery.h"
#include "components/fsc/traffic.h"
#include "components/fsc/waiting.h"
#include "core/base/error.h"
#include "core/format/json.h"
#include "core/net/page.h"
#include "core/net/phrases.h"

#define SHOWN_MAX 5
#define DAY_S 86400

/* decisions.md 29: alarms at 60, 30 and 7 days. */
static const struct {
    gint64 days;
    const char *kind;
} alarms[] = {{7, "error"}, {30, "warning"}, {60, "info"}};

/* --- contracts --- */

static json_t *contract_json(FscView *view, const char *hash)
{
    g_autoptr(Db) db = store_take(node_store(view->fsc->node), NULL);
    g_autoptr(StoredContract) stored = db == NULL ? NULL : fsc_store_load(db, hash, NULL);
    g_clear_pointer(&db, db_release);
    if (stored == NULL)
        return NULL;
    g_autofree char *sentence = fsc_view_grant(view, &stored->contract->grants[0]);
    g_autofree char *path = fsc_view_contract_path(hash);
    g_autofree char *since = fsc_view_date(view, stored->contract->created_at);
    return json_pack("{s:s, s:s, s:s}", "href", path, "text", sentence, "since", since);
}

static gboolean add_waiting(json_t *page, FscView *view, GError **error)
{
    g_autoptr(Db) db = store_take(node_store(view->fsc->node), error);
    g_autoptr(GPtrArray) hashes =
        db == NULL ? NULL
                   : waiting_for(db, node_oin(view->fsc->node), fsc_now_s(view->fsc), SHOWN_MAX + 1, error);
    g_clear_pointer(&db, db_release);
    if (hashes == NULL)
        return FALSE;
    json_t *list = json_array();
    for (guint i = 0; i < MIN(hashes->len, SHOWN_MAX); i++) {
        json_t *item = contract_json(view, hashes->pdata[i]);
        if (item != NULL)
            json_array_append_new(list, item);
    }
    json_object_set_new(page, "has_waiting", json_boolean(json_array_size(list) > 0));
    json_object_set_new(page, "more_waiting", json_boolean(hashes->len > SHOWN_MAX));
    json_object_set_new(page, "waiting", list);
    return TRUE;
}

static gboolean add_intentions(json_t *page, FscView *view, GError **error)
{
    g_autoptr(Db) db = store_take(node_store(view->fsc->node), error);
    g_autoptr(GPtrArray) intentions = db == NULL ? NULL : intentions_list(db, fsc_now_ms(view->fsc), error);
    if (intentions == NULL)
        return FALSE;
    json_t *list = json_array();
    for (guint i = 0; i < MIN(intentions->len, SHOWN_MAX); i++) {
        const Intention *intention = intentions->pdata[i];
        const char *what = intention->content != NULL ? "propose" : signature_type_name(intention->type);
        g_autofree char *key = g_strconcat("fsc.intends.", what, NULL);
        g_autofree char *until = fsc_view_time(view, intention->expires_ms);
        g_autofree char *text =
            phrase_format(view->language, key, "actor", intention->actor, "until", until, NULL);
        g_autofree char *path = fsc_view_contract_path(intention->contract_hash);
        json_array_append_new(list, json_pack("{s:s, s:s}", "href", path, "text", text));
    }
    json_object_set_new(page, "has_intentions", json_boolean(json_array_size(list) > 0));
    json_object_set_new(page, "intentions", list);
    return TRUE;
}

/* --- what fails --- */

static void add_trouble(json_t *list, const FscView *view, const char *key, const char *name, gint64 number,
                        const char *href, const char *kind)
{
    g_autofree char *full = g_strconcat("fsc.home.", key, NULL);
    g_autofree char *n = g_strdup_printf("%" G_GINT64_FORMAT, number);
    g_autofree char *text = phrase_format(view->language, full, "name", name, "n", n, NULL);
    json_array_append_new(list, json_pack("{s:s, s:s, s:s}", "text", text, "href", href, "kind", kind));
}

static void peer_troubles(json_t *list, const FscView *view, const json_t *peer)
{
    const char *name = json_string_at(peer, "name"), *peer_id = json_string_at(peer, "peer_id");
    g_autofree char *delivery = g_strconcat("/bezorging?organisatie=", peer_id, NULL);
    g_autofree char *about = g_strconcat("/organisaties?zoek=", peer_id, NULL);
    gint64 dead = json_integer_at(peer, "dead"), waiting = json_integer_at(peer, "waiting");
    if (dead > 0)
        add_trouble(list, view, "dead", name, dead, delivery, "error");
    if (waiting > 0 && json_string_at(peer, "last_error") != NULL)
        add_trouble(list, view, "stuck", name, waiting, delivery, "warning");
    if (json_string_at(peer, "fsc_version") != NULL && !json_boolean_at(peer, "fsc_version_matches"))
        add_trouble(list, view, "version", name, 0, about, "warning");
    if (json_string_at(peer, "probe_error") != NULL)
        add_trouble(list, view, "silent", name, 0, about, "warning");
}

static gboolean add_troubles(json_t *page, const FscView *view, GError **error)
{
    size_t i;
    const json_t *peer;
    g_autoptr(json_t) peers = delivery_of_peers(view->fsc, error);
    if (peers == NULL)
        return FALSE;
    json_t *all = json_array(), *list = json_array();
    json_array_foreach(peers, i, peer) peer_troubles(all, view, peer);
    for (i = 0; i < MIN(json_array_size(all), 2 * SHOWN_MAX); i++)
        json_array_append(list, json_array_get(all, i));
    json_object_set_new(page, "has_troubles", json_boolean(json_array_size(list) > 0));
    json_object_set_new(page, "more_troubles", json_boolean(json_array_size(all) > json_array_size(list)));
    json_object_set_new(page, "troubles", list);
    json_decref(all);
    return TRUE;
}

/* --- what runs out --- */

static void add_ending(json_t *list, const FscView *view, const char *name, gint64 not_after)
{
    gint64 left = not_after - fsc_now_s(view->fsc);
    g_autofree char *date = fsc_view_date(view, not_after), *span = fsc_view_span(view, left);
    for (gsize i = 0; i < G_N_ELEMENTS(alarms); i++) {
        if (left > alarms[i].days * DAY_S)
            continue;
        g_autofree char *text = phrase_format(view->language, left < 0 ? "fsc.home.ended" : "fsc.home.ends",
                                              "span", span, "date", date, NULL);
        json_array_append_new(
            list, json_pack("{s:s, s:s, s:s}", "name", name, "text", text, "kind", alarms[i].kind));
        return;
    }
}

static const Certificate *certificate_at(const FscView *view, int role)
{
    return node_certificate(view->fsc->node, (Role)role);
}

/* Those that end at the same moment stand together: they are renewed together. */
static void add_certificates(json_t *list, const FscView *view)
{
    gboolean told[ROLE_COUNT] = {FALSE};
    for (int role = 0; role < ROLE_COUNT; role++) {
        const Certificate *first = certificate_at(view, role);
        if (first == NULL || told[role])
            continue;
        g_autoptr(GString) names = g_string_new(role_name((Role)role));
        for (int other = role + 1; other < ROLE_COUNT; other++) {
            const Certificate *certificate = certificate_at(view, other);
            gint64 apart = certificate == NULL
                               ? G_MAXINT64
                               : certificate_not_after(certificate) - certificate_not_after(first);
            if (ABS(apart) < DAY_S) {
                told[other] = TRUE;
                g_string_append_printf(names, ", %s", role_name((Role)other));
            }
        }
        g_autofree char *name =
            phrase_format(view->language, "fsc.home.certificate", "role", names->str, NULL);
        add_ending(list, view, name, certificate_not_after(first));
    }
}

static void add_endings(json_t *page, const FscView *view)
{
    json_t *list = json_array();
    g_autoptr(TrustAnchors) anchors = node_anchors(view->fsc->node);
    add_certificates(list, view);
    if (request_certificate(view->request) != NULL)
        add_ending(list, view, fsc_view_phrase(view, "home.own_certificate"),
                   certificate_not_after(request_certificate(view->request)));
    gint64 next_update = anchors == NULL ? 0 : trust_anchors_crl_next_update(anchors);
    if (next_update != 0 && next_update - fsc_now_s(view->fsc) <= alarms[0].days * DAY_S)
        add_ending(list, view, fsc_view_phrase(view, "home.crl"), next_update);
    json_object_set_new(page, "has_endings", json_boolean(json_array_size(list) > 0));
    json_object_set_new(page, "endings", list);
}

/* --- figures --- */

static void add_figures(json_t *page, const FscView *view)
{
    guint counts[CONTRACT_STATE_COUNT];
    gint64 now = fsc_now_s(view->fsc);
    g_autoptr(json_t) report = traffic_query(view->fsc, now - DAY_S, now, 3600, NULL, NULL, NULL, NULL);
    const json_t *total = json_object_get(report, "total");
    agreements_count(view->fsc->agreements, now, counts);
    json_object_set_new(page, "figures",
                        json_pack("{s:i, s:i, s:I, s:I}", "valid", (int)counts[CONTRACT_VALID], "proposed",
                                  (int)counts[CONTRACT_PROPOSED], "requests",
                                  json_integer_at(total, "requests"), "errors",
                                  json_integer_at(total, "errors")));
}

void fsc_page_home(Request *request, gpointer context)
{
    Fsc *fsc = context;
    g_autoptr(GError) error = NULL;
    g_autoptr(FscView) view = fsc_view_new(fsc, request);
    const Officer *officer = officer_enter(fsc->node, request, OFFICER_READER, "fsc.home.look", "");
    if (officer == NULL)
        return;
    json_t *page = fsc_view_page(view, "/", "home");
    if (!add_waiting(page, view, &error) || !add_intentions(page, view, &error) ||
        !add_troubles(page, view, &error)) {
        json_decref(page);
        fsc_view_fail(view, error, "/");
        return;
    }
    add_endings(page, view);
    add_figures(page, view);
    json_object_set_new(page, "signer", json_boolean(officer_may(officer, OFFICER_SIGNER)));
    fsc_view_answer(view, "home", page);
}
