/* What still has to reach other organisations: what waits, why, and when it is tried again. */
#include "components/fsc/pages.h"

#include <string.h>

#include "core/base/error.h"
#include "core/base/identifiers.h"
#include "core/format/json.h"
#include "core/net/page.h"
#include "core/net/phrases.h"
#include "core/node/audit.h"
#include "core/node/outbox.h"

#define ROWS_A_PAGE 20
#define RETRY "node.outbox.retry"

static const char *kind_text(const FscView *view, const char *kind)
{
    static const struct {
        const char *kind, *key;
    } known[] = {
        {"fsc.contract", "fsc.message.contract"},
        {"fsc.signature", "fsc.message.signature"},
        {"fsc.announce", "fsc.message.announce"},
        {"fsc.address", "fsc.message.address"},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(known); i++)
        if (strcmp(kind, known[i].kind) == 0)
            return phrase(view->language, known[i].key);
    return kind;
}

static json_t *row_of(FscView *view, const OutboxEntry *entry)
{
    gint64 now_ms = fsc_now_ms(view->fsc);
    g_autofree char *since = fsc_view_time(view, entry->created_ms), *n = g_strdup_printf("%u", entry->tries);
    g_autofree char *tries = phrase_format(view->language, "fsc.message.tries", "n", n, NULL);
    g_autofree char *span = fsc_view_span(view, (entry->next_try_ms - now_ms + 999) / 1000);
    g_autofree char *next = entry->dead ? g_strdup(fsc_view_phrase(view, "message.given_up"))
                            : entry->next_try_ms <= now_ms
                                ? g_strdup(fsc_view_phrase(view, "message.now"))
                                : phrase_format(view->language, "fsc.message.next", "span", span, NULL);
    return json_pack("{s:I, s:s, s:s, s:s, s:s, s:s, s:s*, s:b}", "id", (json_int_t)entry->id, "what",
                     kind_text(view, entry->kind), "to", fsc_view_name(view, entry->destination), "since",
                     since, "tries", tries, "next", next, "error", entry->last_error, "dead",
                     (int)entry->dead);
}

static void add_rows(json_t *page, FscView *view, const GPtrArray *entries, const char *destination)
{
    guint dead = 0;
    g_autofree char *link =
        g_strdup_printf("/bezorging?%s%s%spagina=", destination != NULL ? "organisatie=" : "",
                        destination != NULL ? destination : "", destination != NULL ? "&" : "");
    json_t *rows = json_array();
    for (guint i = 0; i < entries->len; i++)
        dead += ((const OutboxEntry *)entries->pdata[i])->dead ? 1 : 0;
    guint from = office_pages(page, view->request, entries->len, ROWS_A_PAGE, link);
    for (guint i = from; i < MIN(from + ROWS_A_PAGE, entries->len); i++)
        json_array_append_new(rows, row_of(view, entries->pdata[i]));
    g_autofree char *n = g_strdup_printf("%u", entries->len - dead), *stopped = g_strdup_printf("%u", dead);
    g_autofree char *waiting = phrase_format(view->language, "fsc.delivery.waiting", "n", n, NULL);
    g_autofree char *put_aside = phrase_format(view->language, "fsc.delivery.dead", "n", stopped, NULL);
    if (entries->len > dead)
        json_object_set_new(page, "waiting", json_string(waiting));
    if (dead > 0)
        json_object_set_new(page, "put_aside", json_string(put_aside));
    json_object_set_new(page, "has_rows", json_boolean(entries->len > 0));
    json_object_set_new(page, "rows", rows);
}

void fsc_page_delivery(Request *request, gpointer context)
{
    Fsc *fsc = context;
    g_autoptr(GError) error = NULL;
    g_autoptr(FscView) view = fsc_view_new(fsc, request);
    if (officer_enter(fsc->node, request, OFFICER_READER, "node.outbox.look", "") == NULL)
        return;
    g_autofree char *destination = office_filter(request, "organisatie", 20);
    if (destination != NULL && !oin_valid(destination))
        g_clear_pointer(&destination, g_free);
    g_autoptr(GPtrArray) entries = outbox_list(node_store(fsc->node), destination, &error);
    if (entries == NULL) {
        fsc_view_fail(view, error, "/");
        return;
    }
    json_t *page = fsc_view_page(view, "/bezorging", "delivery");
    json_object_set_new(page, "operator", json_boolean(officer_may(officer_of(request), OFFICER_OPERATOR)));
    json_object_set_new(page, "again",
                        json_boolean(g_strcmp0(request_query(request, "gedaan"), "opnieuw") == 0));
    add_rows(page, view, entries, destination);
    fsc_view_answer(view, "delivery", page);
}

/* Written down as begun: what comes of it is seen in the outbox. */
static gboolean retry(Fsc *fsc, const Request *request, gint64 id, GError **error)
{
    g_autoptr(Db) db = store_take(node_store(fsc->node), error);
    if (db == NULL ||
        !audit_write(db, node_clock(fsc->node), officer_of(request)->id, officer_role_name(OFFICER_OPERATOR),
                     RETRY, request_segment(request, "id"), "begun", request_trace(request), error))
        return FALSE;
    g_clear_pointer(&db, db_release);
    return outbox_retry(node_store(fsc->node), node_clock(fsc->node), id, error);
}

void fsc_page_retry(Request *request, gpointer context)
{
    Fsc *fsc = context;
    guint64 id = 0;
    g_autoptr(GError) error = NULL;
    g_autoptr(FscView) view = fsc_view_new(fsc, request);
    g_autoptr(json_t) form = office_form(fsc->node, request, OFFICER_OPERATOR, RETRY);
    if (form == NULL)
        return;
    if (!g_ascii_string_to_unsigned(request_segment(request, "id"), 10, 1, G_MAXINT64, &id, NULL)) {
        page_problem(request, 404);
    } else if (retry(fsc, request, (gint64)id, &error)) {
        outbox_wake(fsc->node);
        respond_see_other(request, "/bezorging?gedaan=opnieuw");
    } else {
        fsc_view_fail(view, error, "/bezorging");
    }
}
