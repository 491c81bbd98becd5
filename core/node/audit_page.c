/* The audit log for people: a page, a file, and the command line. Looking at it is written in it. */
#include <string.h>
#include <unistd.h>

#include "core/base/error.h"
#include "core/format/json.h"
#include "core/net/page.h"
#include "core/net/phrases.h"
#include "core/net/problem.h"
#include "core/node/audit.h"
#include "core/node/node_private.h"
#include "core/node/office.h"

#define ROWS_A_PAGE 25
#define EXPORT_MAX 50000
#define LIMIT_DEFAULT 100
#define TEXT_MAX 200
#define DAY_MS 86400000
#define LOOK "node.audit.look"

/* The filters as they came, and what they mean. */
typedef struct {
    char *actor, *action, *object, *from, *to;
    AuditQuery query;
} Filter;

static void filter_clear(Filter *filter)
{
    g_free(filter->actor);
    g_free(filter->action);
    g_free(filter->object);
    g_free(filter->from);
    g_free(filter->to);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Filter, filter_clear)

/* What the filters are called: on the page in the language of its other addresses, in the API in English. */
typedef struct {
    const char *actor, *action, *object, *from, *to, *before;
} FilterNames;

static const FilterNames page_names = {"wie", "wat", "waaraan", "van", "tot", "vanaf"};
static const FilterNames api_names = {"actor", "action", "object", "from", "to", "before"};

static void filter_read(Filter *filter, const Request *request, const FilterNames *names, guint limit)
{
    guint64 before = 0;
    gint64 day;
    const char *cursor = request_query(request, names->before);
    filter->actor = office_filter(request, names->actor, TEXT_MAX);
    filter->action = office_filter(request, names->action, TEXT_MAX);
    filter->object = office_filter(request, names->object, TEXT_MAX);
    filter->from = office_filter(request, names->from, 10);
    filter->to = office_filter(request, names->to, 10);
    filter->query = (AuditQuery){
        .actor = filter->actor, .action = filter->action, .object = filter->object, .limit = limit};
    if (filter->from != NULL && office_day(filter->from, &day))
        filter->query.from_ms = day * 1000;
    if (filter->to != NULL && office_day(filter->to, &day))
        filter->query.to_ms = day * 1000 + DAY_MS;
    if (cursor != NULL && g_ascii_string_to_unsigned(cursor, 10, 1, G_MAXINT64, &before, NULL))
        filter->query.before = (gint64)before;
}

static GPtrArray *look(Node *node, const AuditQuery *query, GError **error)
{
    g_autoptr(Db) db = store_take(node->store, error);
    return db == NULL ? NULL : audit_read(db, query, error);
}

/* --- the page --- */

/* What an action is called; actions that have no words of their own are shown as they are written. */
static char *action_text(const char *language, const AuditEntry *entry)
{
    g_autofree char *key = g_strconcat("office.action.", entry->action, NULL);
    return g_strdup(strcmp(phrase(language, key), key) == 0 ? entry->action : phrase(language, key));
}

static json_t *row_of(const char *language, const AuditEntry *entry)
{
    g_autofree char *minute = phrase_time(language, entry->time_ms, OFFICE_TIME_ZONE);
    g_autofree char *at =
        g_strdup_printf("%s:%02d", minute, (int)(entry->time_ms / 1000 % 60)); /* as in every time zone */
    g_autofree char *action = action_text(language, entry);
    g_autofree char *key = g_strconcat("office.outcome.", entry->outcome, NULL);
    return json_pack("{s:s, s:s, s:s, s:s, s:s, s:s*, s:s, s:b}", "at", at, "actor", entry->actor, "role",
                     entry->role, "action", action, "code", entry->action, "object",
                     *entry->object != '\0' ? entry->object : NULL, "outcome",
                     strcmp(phrase(language, key), key) == 0 ? entry->outcome : phrase(language, key),
                     "refused", strcmp(entry->outcome, "refused") == 0);
}

static void add_rows(json_t *page, Request *request, const GPtrArray *entries)
{
    static const char *const kept[] = {"wie", "wat", "waaraan", "van", "tot", NULL};
    g_autofree char *query = office_query(request, kept);
    json_t *rows = json_array();
    for (guint i = 0; i < MIN(entries->len, ROWS_A_PAGE); i++)
        json_array_append_new(rows, row_of(request_language(request), entries->pdata[i]));
    json_object_set_new(page, "has_rows", json_boolean(entries->len > 0));
    json_object_set_new(page, "rows", rows);
    json_object_set_new(page, "export", json_sprintf("/audit.csv?%s", query));
    if (entries->len > ROWS_A_PAGE) {
        const AuditEntry *last = entries->pdata[ROWS_A_PAGE - 1];
        json_object_set_new(page, "next", json_sprintf("/audit?%svanaf=%" G_GINT64_FORMAT, query, last->id));
    }
}

static void get_audit(Request *request, gpointer context)
{
    Node *node = context;
    const char *language = request_language(request);
    g_autoptr(GError) error = NULL;
    g_auto(Filter) filter = {0};
    filter_read(&filter, request, &page_names, ROWS_A_PAGE + 1);
    if (officer_enter(node, request, OFFICER_READER, LOOK, filter.actor != NULL ? filter.actor : "") == NULL)
        return;
    g_autoptr(GPtrArray) entries = look(node, &filter.query, &error);
    if (entries == NULL) {
        respond_error(request, error);
        return;
    }
    json_t *page = office_frame(node, request, "/audit", g_strdup(phrase(language, "office.audit.title")),
                                g_strdup(phrase(language, "office.audit.lede")));
    json_object_set_new(
        page, "filter",
        json_pack("{s:s, s:s, s:s, s:s, s:s}", "actor", filter.actor != NULL ? filter.actor : "", "action",
                  filter.action != NULL ? filter.action : "", "object",
                  filter.object != NULL ? filter.object : "", "from", filter.from != NULL ? filter.from : "",
                  "to", filter.to != NULL ? filter.to : ""));
    add_rows(page, request, entries);
    respond_page(request, 200, "office_audit", "office", page);
}

static void get_audit_csv(Request *request, gpointer context)
{
    Node *node = context;
    g_autoptr(GError) error = NULL;
    g_auto(Filter) filter = {0};
    filter_read(&filter, request, &page_names, EXPORT_MAX);
    if (officer_enter(node, request, OFFICER_READER, "node.audit.export",
                      filter.actor != NULL ? filter.actor : "") == NULL)
        return;
    g_autoptr(GPtrArray) entries = look(node, &filter.query, &error);
    if (entries == NULL) {
        respond_error(request, error);
        return;
    }
    g_autofree char *text = audit_csv(entries);
    respond_header(request, "Content-Disposition", "attachment; filename=\"audit.csv\"");
    respond_text(request, 200, "text/csv; charset=utf-8; header=present", text);
}

/* --- the command line --- */

static json_t *entry_json(const AuditEntry *entry)
{
    g_autofree char *time = clock_format_rfc3339(entry->time_ms);
    return json_pack("{s:I, s:s, s:s, s:s, s:s, s:s, s:s, s:s?}", "id", (json_int_t)entry->id, "time", time,
                     "actor", entry->actor, "role", entry->role, "action", entry->action, "object",
                     entry->object, "outcome", entry->outcome, "trace_id", entry->trace_id);
}

static gboolean audit_question_is_sound(Request *request, gboolean *csv, guint64 *limit)
{
    static const char *const known[] = {"actor",  "action", "object", "from", "to",
                                        "before", "limit",  "form",   NULL};
    const char *unknown = request_query_unknown(request, known), *form = request_query(request, "form"),
               *asked = request_query(request, "limit");
    *csv = g_strcmp0(form, "csv") == 0;
    *limit = *csv ? EXPORT_MAX : LIMIT_DEFAULT;
    if (unknown != NULL)
        respond_problem(request, 400, "Bad query", "%s: there is no such parameter here", unknown);
    else if (form != NULL && !*csv && !g_str_equal(form, "json"))
        respond_problem(request, 400, "Bad query", "form: json or csv");
    else if (asked != NULL && !g_ascii_string_to_unsigned(asked, 10, 1, EXPORT_MAX, limit, NULL))
        respond_problem(request, 400, "Bad query", "limit: a number from 1 to %d", EXPORT_MAX);
    else
        return TRUE;
    return FALSE;
}

/* With ?form=csv as a file, else as JSON. */
static void get_admin_audit(Request *request, gpointer context)
{
    Node *node = context;
    g_autoptr(GError) error = NULL;
    g_auto(Filter) filter = {0};
    gboolean csv;
    guint64 limit;
    if (!audit_question_is_sound(request, &csv, &limit))
        return;
    filter_read(&filter, request, &api_names, (guint)limit);
    g_autofree char *actor = g_strdup_printf("uid:%u", (guint)geteuid());
    g_autoptr(Db) db = store_take(node->store, &error);
    g_autoptr(GPtrArray) entries = db != NULL && audit_write(db, node->clock, actor, "administrator", LOOK,
                                                             filter.actor != NULL ? filter.actor : "", "done",
                                                             request_trace(request), &error)
                                       ? audit_read(db, &filter.query, &error)
                                       : NULL;
    if (entries == NULL) {
        respond_error(request, error);
        return;
    }
    if (csv) {
        g_autofree char *text = audit_csv(entries);
        respond_text(request, 200, "text/csv; charset=utf-8; header=present", text);
        return;
    }
    json_t *list = json_array();
    for (guint i = 0; i < entries->len; i++)
        json_array_append_new(list, entry_json(entries->pdata[i]));
    respond_json(request, 200, json_pack("{s:o}", "entries", list));
}

const Route audit_routes[] = {
    {LISTENER_OFFICE, "GET", "/audit", get_audit, 0, NULL},
    {LISTENER_OFFICE, "GET", "/audit.csv", get_audit_csv, 0, NULL},
    {LISTENER_ADMIN, "GET", "/node/v1/audit", get_admin_audit, 0, NULL},
};
const gsize audit_routes_count = G_N_ELEMENTS(audit_routes);
