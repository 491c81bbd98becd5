#include "core/node/office.h"

#include <string.h>

#include "core/format/json.h"
#include "core/net/page.h"
#include "core/net/phrases.h"
#include "core/net/problem.h"
#include "core/node/audit.h"
#include "core/node/node_private.h"

#define PAGE_MAX 1000000

static const OfficeLink own_links[] = {{"/audit", "office.nav.audit"}};

static void add_links(json_t *items, const OfficeLink *links, gsize count, const char *language,
                      const char *current)
{
    for (gsize i = 0; i < count; i++)
        json_array_append_new(items, json_pack("{s:s, s:s, s:b}", "href", links[i].href, "text",
                                               phrase(language, links[i].text), "current",
                                               g_strcmp0(current, links[i].href) == 0));
}

static json_t *navigation(const Node *node, const char *language, const char *current)
{
    json_t *items = json_array();
    for (guint i = 0; i < node->running->len; i++) {
        const Component *component = g_array_index(node->running, Running, i).component;
        add_links(items, component->office, component->n_office, language, current);
    }
    add_links(items, own_links, G_N_ELEMENTS(own_links), language, current);
    return items;
}

json_t *office_frame(Node *node, Request *request, const char *current, char *title, char *lede)
{
    const Officer *officer = officer_of(request);
    json_t *page = json_pack("{s:s, s:s*, s:o}", "title", title, "lede", lede, "navigation",
                             navigation(node, request_language(request), current));
    if (officer != NULL)
        json_object_set_new(page, "session", json_pack("{s:s}", "name", officer->name));
    g_free(title);
    g_free(lede);
    return page;
}

void office_breadcrumb(json_t *page, const char *href, const char *text)
{
    json_object_set_new(page, "breadcrumb", json_pack("[{s:s, s:s}]", "href", href, "text", text));
}

json_t *office_form(Node *node, Request *request, OfficerRole role, const char *action)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(json_t) form = NULL;
    if (officer_of(request) != NULL && !officer_may(officer_of(request), role)) {
        (void)officer_enter(node, request, role, action,
                            request_path(request)); /* says so, and writes it down */
        return NULL;
    }
    if (officer_require(request, role) == NULL)
        return NULL;
    form = request_form(request, &error);
    if (form == NULL) {
        respond_error(request, error);
        return NULL;
    }
    return page_check_csrf(request, form) ? g_steal_pointer(&form) : NULL;
}

guint office_page_number(const Request *request)
{
    guint64 number = 1;
    const char *text = request_query(request, "pagina");
    if (text == NULL || !g_ascii_string_to_unsigned(text, 10, 1, PAGE_MAX, &number, NULL))
        return 1;
    return (guint)number;
}

guint office_pages(json_t *page, Request *request, guint total, guint size, const char *link)
{
    guint count = MAX((total + size - 1) / size, 1), number = MIN(office_page_number(request), count);
    if (count == 1)
        return 0;
    g_autofree char *n = g_strdup_printf("%u", number), *of = g_strdup_printf("%u", count);
    g_autofree char *text =
        phrase_format(request_language(request), "office.pages.where", "page", n, "pages", of, NULL);
    json_t *pages = json_pack("{s:s}", "text", text);
    if (number > 1)
        json_object_set_new(pages, "previous", json_sprintf("%s%u", link, number - 1));
    if (number < count)
        json_object_set_new(pages, "next", json_sprintf("%s%u", link, number + 1));
    json_object_set_new(page, "pages", pages);
    return (number - 1) * size;
}

char *office_query(const Request *request, const char *const *names)
{
    GString *query = g_string_new(NULL);
    for (; *names != NULL; names++) {
        const char *value = request_query(request, *names);
        if (value == NULL || *value == '\0')
            continue;
        g_autofree char *escaped = g_uri_escape_string(value, NULL, FALSE);
        g_string_append_printf(query, "%s=%s&", *names, escaped);
    }
    return g_string_free(query, FALSE);
}

char *office_filter(const Request *request, const char *name, gsize max)
{
    const char *value = request_query(request, name);
    if (value == NULL || strlen(value) > max)
        return NULL;
    char *text = g_strstrip(g_strdup(value));
    if (*text != '\0')
        return text;
    g_free(text);
    return NULL;
}

gboolean office_day(const char *text, gint64 *seconds)
{
    guint day[3] = {0};
    static const struct {
        gsize at, length;
        guint64 most;
    } parts[] = {{0, 4, 9999}, {5, 2, 12}, {8, 2, 31}};
    if (strlen(text) != 10 || text[4] != '-' || text[7] != '-')
        return FALSE;
    for (gsize i = 0; i < G_N_ELEMENTS(parts); i++) {
        guint64 number = 0;
        g_autofree char *digits = g_strndup(text + parts[i].at, parts[i].length);
        if (!g_ascii_string_to_unsigned(digits, 10, 1, parts[i].most, &number, NULL))
            return FALSE;
        day[i] = (guint)number;
    }
    g_autoptr(GTimeZone) zone = g_time_zone_new_identifier(OFFICE_TIME_ZONE);
    g_autoptr(GDateTime) time = g_date_time_new(zone, (gint)day[0], (gint)day[1], (gint)day[2], 0, 0, 0);
    if (time == NULL)
        return FALSE;
    *seconds = g_date_time_to_unix(time);
    return TRUE;
}
