/* A signer accepts, rejects or revokes: first a page that says what it means, then the act. */
#include "components/fsc/pages.h"

#include <string.h>

#include "core/base/error.h"
#include "core/format/json.h"
#include "core/net/page.h"
#include "core/net/phrases.h"

static const char *const actions[SIGNATURE_TYPE_COUNT] = {"fsc.contract.accept", "fsc.contract.reject",
                                                          "fsc.contract.revoke"};

/* Hash and decision of the address. FALSE when 404 was answered. */
static gboolean read_path(Request *request, SignatureType *type)
{
    if (fsc_hash_parse(request_segment(request, "hash"), NULL) &&
        signature_type_find(request_segment(request, "decision"), type))
        return TRUE;
    page_problem(request, 404);
    return FALSE;
}

static void add_words(json_t *page, const FscView *view, SignatureType type)
{
    static const char *const parts[] = {"title", "lede", "means", "button"};
    for (gsize i = 0; i < G_N_ELEMENTS(parts); i++) {
        g_autofree char *key = g_strdup_printf("fsc.confirm.%s.%s", signature_type_name(type), parts[i]);
        json_object_set_new(page, parts[i], json_string(phrase(view->language, key)));
    }
    json_object_set_new(page, "danger", json_boolean(type != SIGNATURE_ACCEPT));
}

static void ask(FscView *view, const StoredContract *stored, SignatureType type, const Intention *intention)
{
    g_autofree char *path = fsc_view_contract_path(stored->contract->hash);
    g_autofree char *from = fsc_view_date(view, stored->contract->not_before),
                    *to = fsc_view_date(view, stored->contract->not_after);
    json_t *page = fsc_view_page(view, NULL, "contract"), *grants = json_array();
    add_words(page, view, type);
    for (gsize i = 0; i < stored->contract->n_grants; i++) {
        g_autofree char *sentence = fsc_view_grant(view, &stored->contract->grants[i]);
        json_array_append_new(grants, json_string(sentence));
    }
    json_object_set_new(page, "grants", grants);
    json_object_set_new(page, "from", json_string(from));
    json_object_set_new(page, "to", json_string(to));
    json_object_set_new(page, "back", json_string(path));
    json_object_set_new(page, "four_eyes",
                        json_boolean(config_boolean(node_config(view->fsc->node), "fsc", "four_eyes")));
    if (intention != NULL)
        json_object_set_new(page, "second", json_string(intention->actor));
    office_breadcrumb(page, path, fsc_view_phrase(view, "contract.title"));
    fsc_view_answer(view, "confirm", page);
}

void fsc_page_decide(Request *request, gpointer context)
{
    Fsc *fsc = context;
    SignatureType type;
    Intention *intentions[SIGNATURE_TYPE_COUNT] = {NULL};
    g_autoptr(GError) error = NULL;
    g_autoptr(FscView) view = fsc_view_new(fsc, request);
    const char *hash = request_segment(request, "hash");
    if (!read_path(request, &type) ||
        officer_enter(fsc->node, request, OFFICER_SIGNER, "fsc.contract.look", hash) == NULL)
        return;
    g_autofree char *path = fsc_view_contract_path(hash);
    g_autoptr(StoredContract) stored = fsc_page_load(fsc, hash, intentions, &error);
    if (stored == NULL)
        fsc_view_fail(view, error, "/contracten");
    else if (!fsc_page_can(view, stored, type)) /* somebody was first, or the address was made up */
        respond_see_other(request, path);
    else
        ask(view, stored, type, intentions[type]);
    fsc_page_intentions_clear(intentions);
}

static void decide(FscView *view, const char *hash, SignatureType type)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *path = fsc_view_contract_path(hash);
    SigningActor actor = {officer_of(view->request)->id, officer_role_name(OFFICER_SIGNER),
                          request_trace(view->request)};
    SigningOutcome outcome;
    if (!signing_decide(view->fsc, hash, type, &actor, &outcome, &error)) {
        fsc_view_fail(view, error, path);
        return;
    }
    g_autofree char *next = g_strconcat(
        path, "?gedaan=", outcome == SIGNING_INTENDED ? "intended" : signature_type_name(type), NULL);
    respond_see_other(view->request, next);
}

void fsc_page_decide_post(Request *request, gpointer context)
{
    Fsc *fsc = context;
    SignatureType type;
    g_autoptr(FscView) view = fsc_view_new(fsc, request);
    if (!read_path(request, &type))
        return;
    g_autoptr(json_t) form = office_form(fsc->node, request, OFFICER_SIGNER, actions[type]);
    if (form != NULL)
        decide(view, request_segment(request, "hash"), type);
}

/* What waits for a second signer is dropped. */
void fsc_page_withdraw(Request *request, gpointer context)
{
    Fsc *fsc = context;
    SignatureType type;
    g_autoptr(GError) error = NULL;
    g_autoptr(FscView) view = fsc_view_new(fsc, request);
    const char *hash = request_segment(request, "hash");
    g_autoptr(json_t) form = office_form(fsc->node, request, OFFICER_SIGNER, "fsc.contract.withdraw");
    if (form == NULL)
        return;
    if (!fsc_hash_parse(hash, NULL) || !signature_type_find(json_string_at(form, "soort"), &type)) {
        page_problem(request, 400);
        return;
    }
    SigningActor actor = {officer_of(request)->id, officer_role_name(OFFICER_SIGNER), request_trace(request)};
    g_autofree char *path = fsc_view_contract_path(hash);
    if (signing_withdraw(fsc, hash, type, &actor, &error))
        respond_see_other(request, "/contracten?gedaan=withdrawn");
    else
        fsc_view_fail(view, error, path);
}
