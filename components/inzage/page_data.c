/* The data itself, and everything to take along: as JSON and on paper. */
#include <string.h>

#include "components/inzage/ask.h"
#include "components/inzage/cases.h"
#include "components/inzage/overview.h"
#include "components/inzage/own_data.h"
#include "components/inzage/pages.h"
#include "components/inzage/view.h"
#include "core/format/json.h"
#include "core/net/phrases.h"
#include "core/net/problem.h"

static json_t *person_of(const json_t *answer)
{
    return json_array_get(json_object_get(answer, "personen"), 0);
}

/* Sets "sections" and "investigated"; "no_person" when the register does not know the person, "no_answer"
 * when it does not answer. */
static void add_data(json_t *page, const char *language, const json_t *answer)
{
    const json_t *person = person_of(answer);
    json_t *sections = json_is_object(person) ? own_data_sections(person, language) : json_array();
    json_object_set_new(page, "no_answer", json_boolean(answer == NULL));
    json_object_set_new(page, "no_person", json_boolean(answer != NULL && json_array_size(sections) == 0));
    json_object_set_new(page, "investigated", json_boolean(own_data_investigated(sections)));
    json_object_set_new(page, "sections", sections);
}

static char *register_name(const Inzage *inzage, const char *language, const char *key)
{
    g_autofree char *name = organisation_name(inzage, NULL, inzage->register_oin);
    return phrase_format(language, key, "organisation", name, NULL);
}

void page_data(Request *request, gpointer context)
{
    Inzage *inzage = context;
    const char *language = request_language(request);
    g_autoptr(GError) error = NULL;
    const Session *session = page_session(inzage, request);
    if (session == NULL)
        return;
    g_autoptr(json_t) answer = ask_register(inzage, session, &error);
    if (answer == NULL) {
        respond_error(request, error);
        return;
    }
    json_t *page = page_frame(inzage, request, session, "/gegevens",
                              g_strdup(phrase(language, "inzage.data_page.title")),
                              register_name(inzage, language, "inzage.data_page.lede"));
    add_data(page, language, answer);
    respond_page(request, 200, "inzage_data", "inzage", page);
}

void page_data_json(Request *request, gpointer context)
{
    Inzage *inzage = context;
    g_autoptr(GError) error = NULL;
    const Session *session = page_session(inzage, request);
    if (session == NULL)
        return;
    json_t *answer = ask_register(inzage, session, &error);
    if (answer != NULL)
        page_download(request, "gegevens.json", answer);
    else
        respond_error(request, error);
}

/* --- the uses as a file --- */

/* Of the register of an organisation only what its records refer to. */
static json_t *activities_referred(const Source *source)
{
    json_t *list = json_array();
    g_autoptr(GHashTable) seen = g_hash_table_new(NULL, NULL);
    for (guint i = 0; i < source->uses->len; i++) {
        const Use *use = source->uses->pdata[i];
        if (use->activity != NULL && g_hash_table_add(seen, (gpointer)use->activity))
            json_array_append(list, (json_t *)use->activity);
    }
    return list;
}

static json_t *source_file(const Source *source)
{
    gboolean answered = source->state == SOURCE_ANSWERED;
    json_t *object =
        json_pack("{s:s, s:s, s:b}", "oin", source->oin, "name", source->name, "answered", (int)answered);
    if (!answered) {
        json_object_set_new(object, "reason", json_string(source_state_name(source->state)));
        return object;
    }
    if (source->oldest_ms > 0) {
        g_autofree char *start = clock_format_rfc3339(source->oldest_ms);
        json_object_set_new(object, "usagePeriod", json_pack("{s:s}", "periodStart", start));
    }
    json_object_set_new(object, "complete", json_boolean(!source->more && source->unreadable == 0));
    json_object_set(object, "operations", source->operations);
    json_object_set_new(object, "activities", activities_referred(source));
    return object;
}

void page_uses_json(Request *request, gpointer context)
{
    Inzage *inzage = context;
    const Session *session = page_session(inzage, request);
    if (session == NULL)
        return;
    g_autoptr(Answers) answers = ask_logbooks(inzage, request, session, 0, NULL);
    g_autofree char *now = clock_format_rfc3339(clock_now_ms(node_clock(inzage->node)));
    json_t *organisations = json_array();
    for (guint i = 0; i < answers->sources->len; i++)
        json_array_append_new(organisations, source_file(answers->sources->pdata[i]));
    page_download(request, "gebruik.json",
                  json_pack("{s:{s:s*}, s:s, s:b, s:o}", "person", "name", session->display_name, "made_at",
                            now, "directory_complete",
                            !answers->directory_stale && !answers->directory_missing, "organisations",
                            organisations));
}

/* --- on paper --- */

static json_t *all_cases(const View *view, const GPtrArray *cases)
{
    json_t *list = json_array();
    for (guint i = 0; i < cases->len; i++)
        json_array_append_new(list, view_case(view, cases->pdata[i]));
    return list;
}

void page_print(Request *request, gpointer context)
{
    Inzage *inzage = context;
    const char *language = request_language(request);
    g_autoptr(GError) error = NULL;
    const Session *session = page_session(inzage, request);
    if (session == NULL)
        return;
    g_autoptr(Answers) answers = ask_logbooks(inzage, request, session, 0, NULL);
    g_autoptr(json_t) answer = ask_register(inzage, session, &error);
    if (answer == NULL)
        g_warning("inzage: %s", error->message);
    View view = {inzage, answers, language};
    g_autoptr(GPtrArray) all = cases_of(answers->sources, inzage->activity, inzage->register_oin);
    g_autoptr(GPtrArray) cases = cases_select(all, NULL, 0, 0, FALSE);
    g_autoptr(GPtrArray) own = cases_select(all, NULL, 0, 0, TRUE);
    g_autofree char *now = phrase_time(language, clock_now_ms(node_clock(inzage->node)), TIME_ZONE);
    g_autofree char *n = g_strdup_printf("%u", own->len);
    json_t *page = page_frame(
        inzage, request, session, "/afdruk", g_strdup(phrase(language, "inzage.print.title")),
        phrase_format(language, "inzage.print.lede", "name",
                      session->display_name == NULL ? "" : session->display_name, "when", now, NULL));
    add_data(page, language, answer);
    overview_add_gaps(page, &view);
    json_object_set_new(page, "has_cases", json_boolean(cases->len > 0));
    json_object_set_new(page, "cases", all_cases(&view, cases));
    g_autofree char *own_label = phrase_format(language, "inzage.own.label", "n", n, NULL);
    json_object_set_new(page, "own_label", json_string(own_label));
    respond_page(request, 200, "inzage_print", "inzage", page);
}
