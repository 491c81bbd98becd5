/* One case: the chain across organisations, as a picture and step by step. */
#include <string.h>

#include "components/inzage/ask.h"
#include "components/inzage/cases.h"
#include "components/inzage/overview.h"
#include "components/inzage/pages.h"
#include "components/inzage/view.h"
#include "core/format/json.h"
#include "core/net/phrases.h"

#define STEPS_A_PAGE 50

static const Case *case_with(const GPtrArray *cases, const char *trace_id)
{
    for (guint i = 0; i < cases->len; i++) {
        const Case *item = cases->pdata[i];
        if (strcmp(item->trace_id, trace_id) == 0)
            return item;
    }
    return NULL;
}

/* What happened, in one sentence. */
static char *lede(const View *view, const Case *item)
{
    const Use *lead = case_lead(item);
    g_autoptr(GPtrArray) parties = case_parties(item);
    g_autofree char *name = view_name(view, lead->source->oin);
    g_autofree char *receiver = lead->receiver == NULL ? NULL : view_name(view, lead->receiver);
    g_autofree char *date = phrase_date(view->language, item->first_ms, TIME_ZONE);
    g_autofree char *n = g_strdup_printf("%u", parties->len);
    const char *key = item->own_view     ? "inzage.case.lede_own"
                      : receiver != NULL ? "inzage.case.lede_gave"
                                         : "inzage.case.lede";
    return phrase_format(view->language, key, "organisation", name, "receiver",
                         receiver == NULL ? "" : receiver, "date", date, "n", n, NULL);
}

static json_t *breadcrumb(const char *language)
{
    return json_pack("[{s:s, s:s}]", "href", "/gebruik", "text", phrase(language, "inzage.nav.uses"));
}

static void add_picture(json_t *page, const View *view, const Case *item)
{
    gboolean whole;
    g_autofree char *picture = view_chain(view, item, &whole);
    json_object_set_new(page, "picture", json_string(picture));
    json_object_set_new(page, "cut", json_boolean(!whole));
}

static void show(Request *request, const View *view, const Session *session, const Case *item)
{
    g_autoptr(json_t) title = view_title(view, item), steps = view_steps(view, item);
    g_autofree char *link = g_strdup_printf("/gebruik/%s?pagina=", item->trace_id);
    json_t *page = page_frame(view->inzage, request, session, NULL, g_strdup(json_string_at(title, "text")),
                              lede(view, item));
    json_object_set_new(page, "breadcrumb", breadcrumb(view->language));
    add_picture(page, view, item);
    json_object_set_new(page, "trace", json_string(item->trace_id));
    overview_add_gaps(page, view);
    overview_add_page(page, "steps", steps, STEPS_A_PAGE, overview_page_number(request), link);
    /* The first page has the picture; on all of them there is room for it, so that they divide the steps
     * alike. */
    if (json_object_get(page, "newer") != NULL)
        json_object_del(page, "picture");
    respond_page(request, 200, "inzage_case", "inzage", page);
}

/* It may be with an organisation that does not answer now: that is said, instead of that there is no such
 * case. */
static void show_missing(Request *request, const View *view, const Session *session)
{
    json_t *page = page_frame(view->inzage, request, session, NULL,
                              g_strdup(phrase(view->language, "inzage.missing.title")),
                              g_strdup(phrase(view->language, "inzage.missing.lede")));
    json_object_set_new(page, "breadcrumb", breadcrumb(view->language));
    overview_add_gaps(page, view);
    respond_page(request, 404, "inzage_missing", "inzage", page);
}

void page_case(Request *request, gpointer context)
{
    Inzage *inzage = context;
    char trace_id[TRACE_ID_SIZE];
    const Session *session = page_session(inzage, request);
    if (session == NULL)
        return;
    if (!trace_id_read(request_segment(request, "trace"), trace_id)) {
        page_problem(request, 404);
        return;
    }
    g_autoptr(Answers) answers = ask_logbooks(inzage, request, session, 0, trace_id);
    g_autoptr(GPtrArray) cases = cases_of(answers->sources, inzage->activity, inzage->register_oin);
    const Case *item = case_with(cases, trace_id);
    View view = {inzage, answers, request_language(request)};
    if (item != NULL)
        show(request, &view, session, item);
    else
        show_missing(request, &view, session);
}
