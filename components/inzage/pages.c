#include "components/inzage/pages.h"

#include <string.h>

#include "components/fsc/fsc.h"
#include "components/inzage/overview.h"
#include "core/format/json.h"
#include "core/net/phrases.h"
#include "core/net/problem.h"

#define SIGN_IN_PATH "/aanmelden"

/* The pages for which one must be signed in. */
static const struct {
    const char *path;
    const char *text; /* in the navigation; NULL: not there */
} PAGES[] = {
    {"/gebruik", "inzage.nav.uses"}, {"/gegevens", "inzage.nav.data"}, {"/afdruk", "inzage.nav.print"},
    {"/gebruik.json", NULL},         {"/gegevens.json", NULL},
};

const char *page_return_path(const char *path)
{
    char trace_id[TRACE_ID_SIZE];
    for (gsize i = 0; path != NULL && i < G_N_ELEMENTS(PAGES); i++)
        if (strcmp(path, PAGES[i].path) == 0)
            return path;
    gboolean is_case = path != NULL && g_str_has_prefix(path, "/gebruik/") &&
                       trace_id_read(path + strlen("/gebruik/"), trace_id);
    return is_case ? path : NULL;
}

const Session *page_session(Inzage *inzage, Request *request)
{
    const Session *session = session_of(inzage->node, request);
    if (session != NULL && session->role == SESSION_CITIZEN)
        return session;
    const char *back = page_return_path(request_path(request));
    g_autofree char *location = g_strconcat(SIGN_IN_PATH, back == NULL ? "" : "?terug=", back, NULL);
    respond_see_other(request, location);
    return NULL;
}

static json_t *navigation(const char *language, const char *current)
{
    json_t *items = json_array();
    for (gsize i = 0; i < G_N_ELEMENTS(PAGES); i++)
        if (PAGES[i].text != NULL)
            json_array_append_new(items, json_pack("{s:s, s:s, s:b}", "href", PAGES[i].path, "text",
                                                   phrase(language, PAGES[i].text), "current",
                                                   g_strcmp0(current, PAGES[i].path) == 0));
    return items;
}

json_t *page_frame(const Inzage *inzage, Request *request, const Session *session, const char *current,
                   char *title, char *lede)
{
    json_t *context = json_pack("{s:s, s:s*, s:b}", "title", title, "lede", lede, "test", (int)inzage->test);
    g_free(title);
    g_free(lede);
    if (session == NULL)
        return context;
    const char *name = session->display_name != NULL ? session->display_name : "";
    json_object_set_new(context, "session", json_pack("{s:s, s:s}", "name", name, "sign_out", "/afmelden"));
    json_object_set_new(context, "navigation", navigation(request_language(request), current));
    return context;
}

void page_download(Request *request, const char *file_name, json_t *body)
{
    g_autofree char *disposition = g_strdup_printf("attachment; filename=\"%s\"", file_name);
    respond_header(request, "Content-Disposition", disposition);
    respond_json(request, 200, body);
}

void page_home(Request *request, gpointer context)
{
    Inzage *inzage = context;
    const char *language = request_language(request);
    const Session *session = session_of(inzage->node, request);
    json_t *page = page_frame(inzage, request, session, "/", g_strdup(phrase(language, "inzage.home.title")),
                              g_strdup(phrase(language, "inzage.home.lede")));
    const Fsc *fsc = fsc_of(inzage->node);
    json_object_set_new(page, "signed_in", json_boolean(session != NULL));
    json_object_set_new(page, "catalogue", json_boolean(fsc != NULL && fsc_has_catalogue(fsc)));
    respond_page(request, 200, "inzage_home", "inzage", page);
}

/* --- signing in, with the test means --- */

#define PEOPLE_A_PAGE 20
#define SEARCH_MAX_BYTES 200

static json_t *tester_json(const char *language, const Tester *tester)
{
    g_autofree char *year = tester->birth == NULL ? NULL : g_strndup(tester->birth, 4);
    g_autofree char *born = year == NULL || strcmp(year, "0000") == 0
                                ? NULL
                                : phrase_format(language, "inzage.sign_in.born", "year", year, NULL);
    const char *state = !tester->alive   ? "inzage.sign_in.dead"
                        : !tester->adult ? "inzage.sign_in.minor"
                                         : NULL;
    g_autoptr(GPtrArray) facts = g_ptr_array_new();
    if (born != NULL)
        g_ptr_array_add(facts, born);
    if (tester->town != NULL)
        g_ptr_array_add(facts, tester->town);
    if (state != NULL)
        g_ptr_array_add(facts, (gpointer)phrase(language, state));
    g_ptr_array_add(facts, NULL);
    g_autofree char *about = g_strjoinv(", ", (char **)facts->pdata);
    return json_pack("{s:s, s:s, s:s}", "value", tester->bsn, "name", tester->name, "about", about);
}

static char *page_link(const char *search, const char *back, guint number)
{
    g_autofree char *words = g_uri_escape_string(search == NULL ? "" : search, NULL, FALSE);
    return g_strdup_printf(SIGN_IN_PATH "?naam=%s&pagina=%u%s%s", words, number,
                           back == NULL ? "" : "&terug=", back == NULL ? "" : back);
}

static void add_people(json_t *page, const Inzage *inzage, Request *request, const char *back)
{
    const char *language = request_language(request), *search = request_query(request, "naam");
    if (search != NULL && strlen(search) > SEARCH_MAX_BYTES)
        search = NULL;
    g_autoptr(GPtrArray) found = testers_search(inzage->testers, search);
    guint pages = MAX((found->len + PEOPLE_A_PAGE - 1) / PEOPLE_A_PAGE, 1),
          number = MIN(overview_page_number(request), pages);
    json_t *people = json_array();
    for (guint i = (number - 1) * PEOPLE_A_PAGE; i < MIN(number * PEOPLE_A_PAGE, found->len); i++)
        json_array_append_new(people, tester_json(language, found->pdata[i]));
    g_autofree char *n = g_strdup_printf("%u", found->len);
    g_autofree char *count = phrase_format(language, "inzage.sign_in.found", "n", n, NULL);
    g_autofree char *before = number > 1 ? page_link(search, back, number - 1) : NULL;
    g_autofree char *after = number < pages ? page_link(search, back, number + 1) : NULL;
    json_object_set_new(page, "people", people);
    json_object_set_new(page, "count", json_string(count));
    json_object_set_new(page, "search", json_string(search == NULL ? "" : search));
    if (before != NULL)
        json_object_set_new(page, "previous", json_string(before));
    if (after != NULL)
        json_object_set_new(page, "next", json_string(after));
    json_object_set_new(page, "paged", json_boolean(pages > 1));
}

static void show_sign_in(Inzage *inzage, Request *request, guint status, const char *back, const char *fault)
{
    const char *language = request_language(request);
    json_t *page = page_frame(inzage, request, NULL, NULL, g_strdup(phrase(language, "inzage.sign_in.title")),
                              g_strdup(phrase(language, "inzage.sign_in.lede")));
    if (back != NULL)
        json_object_set_new(page, "back", json_string(back));
    if (fault != NULL)
        json_object_set_new(page, "fault", json_string(phrase(language, fault)));
    add_people(page, inzage, request, back);
    respond_page(request, status, "inzage_sign_in", "inzage", page);
}

void page_sign_in(Request *request, gpointer context)
{
    Inzage *inzage = context;
    if (!inzage->test)
        page_problem(request, 404);
    else
        show_sign_in(inzage, request, 200, page_return_path(request_query(request, "terug")), NULL);
}

void page_sign_in_post(Request *request, gpointer context)
{
    Inzage *inzage = context;
    g_autoptr(GError) error = NULL;
    if (!inzage->test) {
        page_problem(request, 404);
        return;
    }
    g_autoptr(json_t) form = request_form(request, &error);
    if (!page_check_csrf(request, form))
        return;
    const char *back = page_return_path(json_string_at(form, "terug"));
    const Tester *tester = testers_find(inzage->testers, json_string_at(form, "person"));
    if (tester == NULL) {
        show_sign_in(inzage, request, 400, back, "inzage.sign_in.choose");
        return;
    }
    Session session = {
        .subject = tester->bsn, .role = SESSION_CITIZEN, .test_means = TRUE, .display_name = tester->name};
    if (session_start(inzage->node, request, &session, &error))
        respond_see_other(request, back != NULL ? back : "/gebruik");
    else
        respond_error(request, error);
}

void page_sign_out(Request *request, gpointer context)
{
    Inzage *inzage = context;
    g_autoptr(GError) error = NULL;
    g_autoptr(json_t) form = request_form(request, &error);
    if (!page_check_csrf(request, form))
        return;
    if (session_end(inzage->node, request, &error))
        respond_see_other(request, "/");
    else
        respond_error(request, error);
}
