/* The catalogue for programs: a list to search in (portal, /catalogus/v1), and for the command line the whole
 * of it as text (admin socket). `fundament fsc catalogue`. */
#include <stdio.h>
#include <string.h>

#include "components/fsc/catalogue_private.h"
#include "components/fsc/cli_commands.h"
#include "components/fsc/turtle.h"
#include "core/base/error.h"
#include "core/format/json.h"
#include "core/net/problem.h"

#define PAGE_SIZE_DEFAULT 100
#define PAGE_SIZE_MAX 1000
#define QUERY_MAX 200

/* --- /catalogus/v1/services --- */

/* FALSE when it has answered 400. */
static gboolean number_of(Request *request, const char *name, guint64 fallback, guint64 most, guint64 *number)
{
    const char *text = request_query(request, name);
    *number = fallback;
    if (text == NULL || g_ascii_string_to_unsigned(text, 10, 1, most, number, NULL))
        return TRUE;
    respond_problem(request, 400, "Bad query", "%s: must be a number from 1 to %" G_GUINT64_FORMAT, name,
                    most);
    return FALSE;
}

static gboolean filter_of(Request *request, CatalogueFilter *filter)
{
    static const char *const known[] = {"text", "organisation", "protocol", "page", "pageSize", NULL};
    const char *unknown = request_query_unknown(request, known);
    filter->text = request_query(request, "text");
    filter->peer_id = request_query(request, "organisation");
    filter->protocol = request_query(request, "protocol");
    if (unknown != NULL)
        respond_problem(request, 400, "Bad query", "%s: there is no such parameter", unknown);
    else if (filter->text != NULL && strlen(filter->text) > QUERY_MAX)
        respond_problem(request, 400, "Bad query", "text: at most %d bytes", QUERY_MAX);
    else if (filter->protocol != NULL && !g_str_equal(filter->protocol, FSC_PROTOCOL_HTTP_1) &&
             !g_str_equal(filter->protocol, FSC_PROTOCOL_HTTP_2))
        respond_problem(request, 400, "Bad query", "protocol: must be %s or %s", FSC_PROTOCOL_HTTP_1,
                        FSC_PROTOCOL_HTTP_2);
    else
        return TRUE;
    return FALSE;
}

static json_t *page_of(const json_t *found, guint64 page, guint64 size)
{
    json_t *services = json_array();
    for (guint64 i = (page - 1) * size; i < MIN(json_array_size(found), page * size); i++)
        json_array_append(services, json_array_get(found, i));
    return json_pack("{s:o, s:I, s:I, s:I}", "services", services, "total",
                     (json_int_t)json_array_size(found), "page", (json_int_t)page, "pageSize",
                     (json_int_t)size);
}

void catalogue_api_services(Request *request, gpointer context)
{
    Fsc *fsc = context;
    CatalogueFilter filter;
    guint64 page, size;
    g_autoptr(GError) error = NULL;
    respond_header(request, "Access-Control-Allow-Origin", "*");
    if (!filter_of(request, &filter) || !number_of(request, "page", 1, 1000000, &page) ||
        !number_of(request, "pageSize", PAGE_SIZE_DEFAULT, PAGE_SIZE_MAX, &size))
        return;
    if (!fsc->catalogue->is_directory) {
        respond_problem(request, 404, "Not found", "this node is not the Directory of its group");
        return;
    }
    g_autoptr(json_t) services = catalogue_collect(fsc, &error);
    if (services == NULL) {
        respond_error(request, error);
        return;
    }
    g_autoptr(json_t) found = catalogue_search(services, &filter);
    respond_json(request, 200, page_of(found, page, size));
}

/* --- the command line --- */

/* On every node: what its own publications look like in a catalogue; on the Directory, all of it. */
void catalogue_admin(Request *request, gpointer context)
{
    Fsc *fsc = context;
    Catalogue catalogue;
    g_autoptr(GError) error = NULL;
    const char *form = request_query(request, "form");
    gboolean turtle = g_strcmp0(form, "turtle") == 0;
    if (form != NULL && !turtle && !g_str_equal(form, "json-ld")) {
        respond_problem(request, 400, "Bad query", "form: must be json-ld or turtle");
        return;
    }
    g_autoptr(json_t) services = catalogue_collect(fsc, &error);
    if (services == NULL) {
        respond_error(request, error);
        return;
    }
    catalogue_of(fsc, services, &catalogue);
    g_autoptr(json_t) document = catalogue_dcat(&catalogue, -1);
    g_autofree char *text = turtle ? turtle_write(document) : json_dumps(document, JSON_INDENT(2));
    respond_json(
        request, 200,
        json_pack("{s:s, s:s}", "media_type", turtle ? "text/turtle" : "application/ld+json", "text", text));
}

int cli_catalogue(const Arguments *arguments)
{
    int status = 0;
    gboolean turtle = arguments_flag(arguments, "--turtle");
    g_autoptr(json_t) answer = cli_call(
        arguments, "GET", turtle ? "/fsc/v1/catalogue?form=turtle" : "/fsc/v1/catalogue", NULL, &status);
    if (answer != NULL)
        printf("%s\n", json_string_at(answer, "text"));
    return status;
}
