/* The overview: who used which data, when and why, and what of that is not known. */
#include <string.h>

#include "components/inzage/ask.h"
#include "components/inzage/cases.h"
#include "components/inzage/overview.h"
#include "components/inzage/pages.h"
#include "components/inzage/view.h"
#include "core/base/identifiers.h"
#include "core/format/json.h"
#include "core/net/phrases.h"

#define DAY_MS G_GINT64_CONSTANT(86400000)
#define CASES_A_PAGE 10
#define OPTIONS_MAX 60
#define OWN_TIMES_MAX 10

static const struct {
    const char *name;
    gint64 days; /* 0: all */
} PERIODS[] = {{"maand", 30}, {"jaar", 365}, {"alles", 0}};
#define PERIOD_DEFAULT 1

typedef struct {
    guint period;    /* index in PERIODS */
    gint64 from_ms;  /* 0: all */
    const char *oin; /* NULL: every organisation */
} Filter;

static Filter filter_of(const Inzage *inzage, const Request *request)
{
    Filter filter = {.period = PERIOD_DEFAULT};
    const char *period = request_query(request, "periode");
    for (guint i = 0; i < G_N_ELEMENTS(PERIODS); i++)
        if (g_strcmp0(period, PERIODS[i].name) == 0)
            filter.period = i;
    gint64 days = PERIODS[filter.period].days;
    filter.from_ms = days == 0 ? 0 : clock_now_ms(node_clock(inzage->node)) - days * DAY_MS;
    filter.oin =
        oin_valid(request_query(request, "organisatie")) ? request_query(request, "organisatie") : NULL;
    return filter;
}

/* The address of this list, up to the number of a page. */
static char *link_of(const Filter *filter)
{
    return g_strdup_printf("/gebruik?periode=%s&organisatie=%s&pagina=", PERIODS[filter->period].name,
                           filter->oin == NULL ? "" : filter->oin);
}

/* --- the answer in one sentence --- */

static char *summary(const View *view, const Filter *filter, const GPtrArray *cases)
{
    g_autoptr(GPtrArray) parties = overview_parties(cases);
    const char *what = filter->oin != NULL ? "organisation" : "all";
    g_autofree char *count = g_strdup_printf("%u", filter->oin != NULL ? cases->len : parties->len);
    g_autofree char *times = g_strdup_printf("%u", cases->len);
    g_autofree char *name = filter->oin == NULL ? NULL : view_name(view, filter->oin);
    g_autofree char *period_key = g_strconcat("inzage.period.in.", PERIODS[filter->period].name, NULL);
    g_autofree char *key = g_strconcat("inzage.summary.", cases->len == 0 ? "none." : "", what, NULL);
    return phrase_format(view->language, key, "n", count, "times", times, "period",
                         phrase(view->language, period_key), "organisation", name == NULL ? "" : name, NULL);
}

/* --- the form --- */

static json_t *period_options(const View *view, const Filter *filter)
{
    json_t *options = json_array();
    for (guint i = 0; i < G_N_ELEMENTS(PERIODS); i++) {
        g_autofree char *key = g_strconcat("inzage.period.", PERIODS[i].name, NULL);
        json_array_append_new(options,
                              json_pack("{s:s, s:s, s:b}", "value", PERIODS[i].name, "text",
                                        phrase(view->language, key), "selected", (int)(i == filter->period)));
    }
    return options;
}

static json_t *organisation_options(const View *view, const Filter *filter, const GPtrArray *parties)
{
    json_t *options = json_array();
    for (guint i = 0; i < parties->len && i < OPTIONS_MAX; i++) {
        g_autofree char *name = view_name(view, parties->pdata[i]);
        json_array_append_new(options,
                              json_pack("{s:s, s:s, s:b}", "value", parties->pdata[i], "text", name,
                                        "selected", (int)(g_strcmp0(filter->oin, parties->pdata[i]) == 0)));
    }
    return options;
}

/* --- the list --- */

static void add_cases(json_t *page, const View *view, const Filter *filter, const GPtrArray *cases,
                      guint number)
{
    g_autoptr(json_t) items = json_array();
    g_autofree char *link = link_of(filter);
    for (guint i = 0; i < cases->len; i++)
        json_array_append_new(items, view_case(view, cases->pdata[i]));
    json_object_set_new(page, "has_cases", json_boolean(cases->len > 0));
    overview_add_page(page, "cases", items, CASES_A_PAGE, number, link);
}

/* The person's own looks: told, but apart, so that they do not hide what others did. */
static void add_own_views(json_t *page, const View *view, const GPtrArray *own)
{
    json_t *times = json_array();
    for (guint i = 0; i < own->len && i < OWN_TIMES_MAX; i++) {
        const Case *item = own->pdata[i];
        g_autofree char *when = phrase_time(view->language, item->first_ms, TIME_ZONE);
        g_autofree char *href = g_strconcat("/gebruik/", item->trace_id, NULL);
        json_array_append_new(times, json_pack("{s:s, s:s}", "when", when, "href", href));
    }
    g_autofree char *n = g_strdup_printf("%u", own->len);
    g_autofree char *label = phrase_format(view->language, "inzage.own.label", "n", n, NULL);
    json_object_set_new(page, "has_own", json_boolean(own->len > 0));
    json_object_set_new(page, "own_label", json_string(label));
    json_object_set_new(page, "own", times);
}

static json_t *overview(const View *view, const Session *session, Request *request)
{
    Filter filter = filter_of(view->inzage, request);
    const Inzage *inzage = view->inzage;
    gint64 now_ms = clock_now_ms(node_clock(inzage->node));
    g_autoptr(GPtrArray) all = cases_of(view->answers->sources, inzage->activity, inzage->register_oin);
    g_autoptr(GPtrArray) cases = cases_select(all, filter.oin, filter.from_ms, 0, FALSE);
    g_autoptr(GPtrArray) unfiltered = cases_select(all, NULL, filter.from_ms, 0, FALSE);
    g_autoptr(GPtrArray) own = cases_select(all, NULL, filter.from_ms, 0, TRUE);
    g_autoptr(GPtrArray) parties = overview_parties(unfiltered);
    json_t *page =
        page_frame(inzage, request, session, "/gebruik",
                   g_strdup(phrase(view->language, "inzage.uses.title")), summary(view, &filter, cases));
    json_object_set_new(page, "periods", period_options(view, &filter));
    json_object_set_new(page, "organisations", organisation_options(view, &filter, parties));
    overview_add_gaps(page, view);
    overview_add_timeline(page, view, cases, filter.oin, filter.from_ms, now_ms);
    add_own_views(page, view, own);
    add_cases(page, view, &filter, cases, overview_page_number(request));
    return page;
}

void page_uses(Request *request, gpointer context)
{
    Inzage *inzage = context;
    const Session *session = page_session(inzage, request);
    if (session == NULL)
        return;
    Filter filter = filter_of(inzage, request);
    g_autoptr(Answers) answers = ask_logbooks(inzage, request, session, filter.from_ms, NULL);
    View view = {inzage, answers, request_language(request)};
    respond_page(request, 200, "inzage_uses", "inzage", overview(&view, session, request));
}
