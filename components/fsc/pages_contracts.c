/* The list of contracts: filters, search, page by page. The state of a contract is worked out, not stored, so
 * that filters on it look through the list, a bounded part at a time. */
#include "components/fsc/pages.h"

#include <string.h>

#include "core/base/error.h"
#include "core/format/json.h"
#include "core/net/page.h"
#include "core/net/phrases.h"

#define ROWS_A_PAGE 20
#define BATCH 100
#define LOOKED_AT_MAX 1000 /* contracts a request */
#define SEARCH_MAX 200

typedef struct {
    const char *state;      /* name of a state, "waiting" for those that wait for us, or NULL */
    const char *grant_type; /* or NULL */
    char *peer_id, *search; /* or NULL; search is folded */
} Filter;

static void filter_clear(Filter *filter)
{
    g_free(filter->peer_id);
    g_free(filter->search);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Filter, filter_clear)

#define WAITING "waiting"

static const char *known_state(const char *name)
{
    for (int state = 0; name != NULL && state < CONTRACT_STATE_COUNT; state++)
        if (strcmp(name, contract_state_name((ContractState)state)) == 0)
            return contract_state_name((ContractState)state);
    return g_strcmp0(name, WAITING) == 0 ? WAITING : NULL;
}

static void filter_read(Filter *filter, const Request *request)
{
    GrantType type;
    const char *grant_type = request_query(request, "soort");
    g_autofree char *search = office_filter(request, "zoek", SEARCH_MAX);
    filter->state = known_state(request_query(request, "staat"));
    filter->grant_type =
        grant_type != NULL && grant_type_find(grant_type, &type) ? grant_type_row(type)->name : NULL;
    filter->peer_id = office_filter(request, "organisatie", 20);
    filter->search = search == NULL ? NULL : g_utf8_casefold(search, -1);
}

/* --- does a contract pass? --- */

static gboolean waits_for_us(const FscView *view, const StoredContract *stored)
{
    return stored_contract_state(stored, fsc_now_s(view->fsc)) == CONTRACT_PROPOSED &&
           contract_has_signer(stored->contract, node_oin(view->fsc->node)) &&
           stored_contract_signature(stored, node_oin(view->fsc->node), SIGNATURE_ACCEPT) == NULL;
}

static gboolean state_passes(const FscView *view, const Filter *filter, const StoredContract *stored)
{
    if (filter->state == NULL)
        return TRUE;
    if (strcmp(filter->state, WAITING) == 0)
        return waits_for_us(view, stored);
    return strcmp(contract_state_name(stored_contract_state(stored, fsc_now_s(view->fsc))), filter->state) ==
           0;
}

static gboolean text_has(const char *text, const char *search)
{
    g_autofree char *folded = text == NULL ? NULL : g_utf8_casefold(text, -1);
    return folded != NULL && strstr(folded, search) != NULL;
}

/* In names of services and organisations, in Peer IDs and hashes. */
static gboolean search_passes(FscView *view, const Filter *filter, const Contract *contract)
{
    if (filter->search == NULL || text_has(contract->hash, filter->search))
        return TRUE;
    for (guint i = 0; i < contract->signers->len; i++)
        if (text_has(contract->signers->pdata[i], filter->search) ||
            text_has(fsc_view_name(view, contract->signers->pdata[i]), filter->search))
            return TRUE;
    for (gsize i = 0; i < contract->n_grants; i++)
        if (text_has(contract->grants[i].service_name, filter->search) ||
            text_has(contract->grants[i].hash, filter->search))
            return TRUE;
    return FALSE;
}

/* --- the rows --- */

typedef struct {
    json_t *rows;
    char *cursor; /* to go on; NULL at the end */
    guint looked_at;
} Found;

static json_t *row_of(FscView *view, const StoredContract *stored)
{
    const Contract *contract = stored->contract;
    g_autofree char *path = fsc_view_contract_path(contract->hash);
    g_autofree char *sentence = fsc_view_grant(view, &contract->grants[0]);
    g_autofree char *from = fsc_view_date(view, contract->not_before),
                    *to = fsc_view_date(view, contract->not_after);
    g_autofree char *n = g_strdup_printf("%" G_GSIZE_FORMAT, contract->n_grants - 1);
    g_autofree char *more =
        contract->n_grants > 1 ? phrase_format(view->language, "fsc.contracts.more", "n", n, NULL) : NULL;
    return json_pack("{s:s, s:s, s:s*, s:o, s:b, s:s, s:s}", "href", path, "text", sentence, "more", more,
                     "state", fsc_view_state(view, stored_contract_state(stored, fsc_now_s(view->fsc))),
                     "waits", (int)waits_for_us(view, stored), "from", from, "to", to);
}

static char *cursor_after(const StoredContract *stored)
{
    return g_strdup_printf("%" G_GINT64_FORMAT ".%" G_GINT64_FORMAT, stored->contract->created_at,
                           stored->id);
}

/* Adds what passes until the page is full; FALSE when there is no more to add. */
static gboolean take(FscView *view, const Filter *filter, const GPtrArray *batch, Found *found)
{
    for (guint i = 0; i < batch->len; i++) {
        const StoredContract *stored = batch->pdata[i];
        if (json_array_size(found->rows) == ROWS_A_PAGE)
            return FALSE;
        g_free(found->cursor);
        found->cursor = cursor_after(stored);
        found->looked_at++;
        if (state_passes(view, filter, stored) && search_passes(view, filter, stored->contract))
            json_array_append_new(found->rows, row_of(view, stored));
    }
    return found->looked_at < LOOKED_AT_MAX;
}

static gboolean look(FscView *view, const Filter *filter, Found *found, GError **error)
{
    g_autofree char *next = g_strdup(request_query(view->request, "vanaf"));
    gboolean plain = filter->state == NULL && filter->search == NULL;
    ContractQuery query = {
        .peer_id = filter->peer_id, .grant_type = filter->grant_type, .limit = plain ? ROWS_A_PAGE : BATCH};
    gboolean more = TRUE;
    while (more) {
        g_autofree char *cursor = g_steal_pointer(&next);
        query.cursor = cursor;
        g_autoptr(Db) db = store_take(node_store(view->fsc->node), error);
        g_autoptr(GPtrArray) batch = db == NULL ? NULL : fsc_store_list(db, &query, &next, error);
        g_clear_pointer(&db, db_release);
        if (batch == NULL)
            return FALSE;
        gboolean whole = take(view, filter, batch, found), last = *next == '\0';
        if (whole && last)
            g_clear_pointer(&found->cursor, g_free);
        more = whole && !last && !plain;
    }
    return TRUE;
}

/* --- the page --- */

static void add_choice(json_t *list, const char *value, const char *text, const char *chosen)
{
    json_array_append_new(list, json_pack("{s:s, s:s, s:b}", "value", value, "text", text, "selected",
                                          g_strcmp0(value, chosen) == 0));
}

static json_t *state_choices(const FscView *view, const char *chosen)
{
    json_t *list = json_array();
    add_choice(list, WAITING, fsc_view_phrase(view, "contracts.waiting"), chosen);
    for (int state = 0; state < CONTRACT_STATE_COUNT; state++) {
        g_autofree char *key = g_strconcat("fsc.state.", contract_state_name((ContractState)state), NULL);
        add_choice(list, contract_state_name((ContractState)state), phrase(view->language, key), chosen);
    }
    return list;
}

static json_t *type_choices(const FscView *view, const char *chosen)
{
    static const char *const names[GRANT_TYPE_COUNT] = {"fsc.type.publication", "fsc.type.connection",
                                                        "fsc.type.delegated_connection",
                                                        "fsc.type.delegated_publication"};
    json_t *list = json_array();
    for (int type = 0; type < GRANT_TYPE_COUNT; type++)
        add_choice(list, grant_type_row((GrantType)type)->name, phrase(view->language, names[type]), chosen);
    return list;
}

static void add_filters(json_t *page, const FscView *view, const Filter *filter)
{
    const char *search = request_query(view->request, "zoek");
    json_object_set_new(page, "states", state_choices(view, filter->state));
    json_object_set_new(page, "types", type_choices(view, filter->grant_type));
    json_object_set_new(page, "search", json_string(filter->search != NULL ? search : ""));
    if (filter->peer_id != NULL)
        json_object_set_new(page, "peer_id", json_string(filter->peer_id));
    json_object_set_new(page, "filtered",
                        json_boolean(filter->state != NULL || filter->grant_type != NULL ||
                                     filter->peer_id != NULL || filter->search != NULL));
}

static void add_next(json_t *page, const FscView *view, const Found *found)
{
    static const char *const kept[] = {"staat", "soort", "organisatie", "zoek", NULL};
    if (found->cursor == NULL)
        return;
    g_autofree char *query = office_query(view->request, kept);
    json_object_set_new(page, "next", json_sprintf("/contracten?%svanaf=%s", query, found->cursor));
}

void fsc_page_contracts(Request *request, gpointer context)
{
    Fsc *fsc = context;
    g_autoptr(GError) error = NULL;
    g_autoptr(FscView) view = fsc_view_new(fsc, request);
    g_auto(Filter) filter = {0};
    filter_read(&filter, request);
    if (officer_enter(fsc->node, request, OFFICER_READER, "fsc.contracts.look",
                      filter.peer_id != NULL ? filter.peer_id : "") == NULL)
        return;
    Found found = {.rows = json_array()};
    if (!look(view, &filter, &found, &error)) {
        json_decref(found.rows);
        g_free(found.cursor);
        fsc_view_fail(view, error, "/contracten");
        return;
    }
    json_t *page = fsc_view_page(view, "/contracten", "contracts");
    add_filters(page, view, &filter);
    add_next(page, view, &found);
    json_object_set_new(page, "has_rows", json_boolean(json_array_size(found.rows) > 0));
    json_object_set_new(page, "rows", found.rows);
    json_object_set_new(page, "first", json_boolean(request_query(request, "vanaf") == NULL));
    g_free(found.cursor);
    fsc_view_answer(view, "contracts", page);
}
