#include "components/fsc/pages.h"

#include <string.h>

#include "components/fsc/verdict.h"
#include "core/format/json.h"
#include "core/net/page.h"
#include "core/net/phrases.h"
#include "core/net/problem.h"

#define MINUTE_S 60
#define HOUR_S 3600
#define DAY_S 86400

FscView *fsc_view_new(Fsc *fsc, Request *request)
{
    FscView *view = g_new0(FscView, 1);
    view->fsc = fsc;
    view->request = request;
    view->language = request_language(request);
    view->names = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    return view;
}

void fsc_view_free(FscView *view)
{
    if (view == NULL)
        return;
    g_hash_table_unref(view->names);
    g_free(view);
}

const char *fsc_view_phrase(const FscView *view, const char *key)
{
    g_autofree char *full = g_strconcat("fsc.", key, NULL);
    const char *text = phrase(view->language, full);
    return text == full ? "" : text; /* a key without a phrase is given back, and freed here */
}

const char *fsc_view_name(FscView *view, const char *peer_id)
{
    const char *known = g_hash_table_lookup(view->names, peer_id);
    if (known != NULL)
        return known;
    char *name = fsc_peer_name(view->fsc, peer_id);
    g_hash_table_insert(view->names, g_strdup(peer_id), name);
    return name;
}

char *fsc_view_date(const FscView *view, gint64 seconds)
{
    return phrase_date(view->language, seconds * 1000, OFFICE_TIME_ZONE);
}

char *fsc_view_time(const FscView *view, gint64 ms)
{
    return phrase_time(view->language, ms, OFFICE_TIME_ZONE);
}

char *fsc_view_span(const FscView *view, gint64 seconds)
{
    static const struct {
        gint64 unit;
        const char *key;
    } units[] = {{DAY_S, "fsc.span.days"},
                 {HOUR_S, "fsc.span.hours"},
                 {MINUTE_S, "fsc.span.minutes"},
                 {1, "fsc.span.seconds"}};
    gsize i = 0;
    gint64 whole = ABS(seconds);
    while (i + 1 < G_N_ELEMENTS(units) && whole < units[i].unit)
        i++;
    g_autofree char *n = g_strdup_printf("%" G_GINT64_FORMAT, whole / units[i].unit);
    return phrase_format(view->language, units[i].key, "n", n, NULL);
}

json_t *fsc_view_page(const FscView *view, const char *current, const char *key)
{
    g_autofree char *title = g_strconcat(key, ".title", NULL), *lede = g_strconcat(key, ".lede", NULL);
    return office_frame(view->fsc->node, view->request, current, g_strdup(fsc_view_phrase(view, title)),
                        g_strdup(fsc_view_phrase(view, lede)));
}

void fsc_view_answer(const FscView *view, const char *name, json_t *page)
{
    g_autofree char *template_name = g_strconcat("fsc_", name, NULL);
    respond_page(view->request, 200, template_name, "fsc", page);
}

static guint status_of(const GError *error)
{
    return error->domain == FSC_VERDICT ? verdict_row((Verdict)error->code)->http_status
                                        : problem_status(error);
}

void fsc_view_fail(FscView *view, const GError *error, const char *back)
{
    guint status = status_of(error);
    if (status == 404 || status >= 500) {
        if (status >= 500)
            g_warning("trace %s: %s", request_trace(view->request)->trace_id, error->message);
        page_problem(view->request, status);
        return;
    }
    json_t *page = fsc_view_page(view, NULL, "failed");
    json_object_set_new(page, "reason", json_string(error->message));
    json_object_set_new(page, "back", json_string(back));
    respond_page(view->request, status, "fsc_failed", "fsc", page);
}

/* --- contracts --- */

static const char *sentence_of(const Grant *grant)
{
    static const char *const sentences[GRANT_TYPE_COUNT] = {
        [GRANT_SERVICE_PUBLICATION] = "fsc.grant.publication",
        [GRANT_SERVICE_CONNECTION] = "fsc.grant.connection",
        [GRANT_DELEGATED_SERVICE_CONNECTION] = "fsc.grant.delegated_connection",
        [GRANT_DELEGATED_SERVICE_PUBLICATION] = "fsc.grant.delegated_publication",
    };
    return sentences[grant->type];
}

static const char *name_or_nothing(FscView *view, const char *peer_id)
{
    return peer_id == NULL ? "" : fsc_view_name(view, peer_id);
}

char *fsc_view_grant(FscView *view, const Grant *grant)
{
    g_autofree char *sentence =
        phrase_format(view->language, sentence_of(grant), "service", grant->service_name, "provider",
                      name_or_nothing(view, grant->service_peer_id), "directory",
                      name_or_nothing(view, grant->directory_peer_id), "consumer",
                      name_or_nothing(view, grant->outway_peer_id), "delegator",
                      name_or_nothing(view, grant->delegator), NULL);
    if (grant->service_delegator == NULL)
        return g_steal_pointer(&sentence);
    g_autofree char *behalf = phrase_format(view->language, "fsc.grant.on_behalf", "delegator",
                                            fsc_view_name(view, grant->service_delegator), NULL);
    return g_strconcat(sentence, " ", behalf, NULL);
}

json_t *fsc_view_state(const FscView *view, ContractState state)
{
    static const char *const kinds[CONTRACT_STATE_COUNT] = {
        [CONTRACT_PROPOSED] = "warning", [CONTRACT_ACCEPTED] = "info", [CONTRACT_VALID] = "ok",
        [CONTRACT_REJECTED] = "error",   [CONTRACT_REVOKED] = "error", [CONTRACT_EXPIRED] = "none",
    };
    g_autofree char *key = g_strconcat("fsc.state.", contract_state_name(state), NULL);
    return json_pack("{s:s, s:s}", "text", phrase(view->language, key), "kind", kinds[state]);
}

char *fsc_view_contract_path(const char *hash)
{
    return g_strconcat("/contracten/", hash, NULL);
}
