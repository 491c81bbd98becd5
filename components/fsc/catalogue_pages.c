/* The catalogue for people, and where other catalogues fetch it: on the portal, for everybody, without a
 * session. */
#include <string.h>

#include "components/fsc/catalogue_private.h"
#include "components/fsc/description.h"
#include "components/fsc/turtle.h"
#include "core/base/identifiers.h"
#include "core/format/json.h"
#include "core/net/page.h"
#include "core/net/phrases.h"
#include "core/net/problem.h"

#define TIME_ZONE "Europe/Amsterdam"
#define CARDS_A_PAGE 10
#define EXCERPT 220    /* characters of a description in the list */
#define OPTIONS_MAX 60 /* organisations to choose from; of more, the search finds them */
#define QUERY_MAX 200

static const struct {
    const char *protocol, *key;
} protocols[] = {
    {FSC_PROTOCOL_HTTP_1, "catalogue.protocol.http1"},
    {FSC_PROTOCOL_HTTP_2, "catalogue.protocol.http2"},
};

/* --- which shape --- */

typedef enum { SHAPE_HTML, SHAPE_JSON_LD, SHAPE_TURTLE, SHAPE_COUNT } Shape;

static const char *const media_types[SHAPE_COUNT] = {"text/html", "application/ld+json", "text/turtle"};

/* RFC 9110 12.5.1, as far as these three need it: the quality that one range of Accept gives to a type, in
 * thousandths; -1 when the range is about another type. */
static int quality_of(const char *range, const char *type)
{
    g_auto(GStrv) parts = g_strsplit(range, ";", -1);
    const char *name = parts[0] == NULL ? "" : g_strstrip(parts[0]);
    gsize major = strcspn(type, "/") + 1;
    gboolean fits =
        g_ascii_strcasecmp(name, type) == 0 || strcmp(name, "*/*") == 0 ||
        (strlen(name) == major + 1 && g_ascii_strncasecmp(name, type, major) == 0 && name[major] == '*');
    if (!fits)
        return -1;
    for (char **part = parts + 1; *part != NULL; part++)
        if (g_ascii_strncasecmp(g_strstrip(*part), "q=", 2) == 0)
            return (int)(g_ascii_strtod(*part + 2, NULL) * 1000);
    return 1000;
}

static Shape shape_of(const Request *request)
{
    const char *accept = request_header(request, "Accept");
    g_auto(GStrv) ranges = g_strsplit(accept != NULL ? accept : "", ",", 50);
    Shape best = SHAPE_HTML;
    int most = -1;
    for (int shape = 0; shape < SHAPE_COUNT; shape++) {
        int quality = -1;
        for (char **range = ranges; *range != NULL; range++)
            quality = MAX(quality, quality_of(*range, media_types[shape]));
        if (quality > most && quality != 0) {
            most = quality;
            best = (Shape)shape;
        }
    }
    return best;
}

static void respond_dcat(Request *request, const Fsc *fsc, const json_t *services, gint only, Shape shape)
{
    Catalogue catalogue;
    catalogue_of(fsc, services, &catalogue);
    g_autoptr(json_t) document = catalogue_dcat(&catalogue, only);
    char *text = shape == SHAPE_TURTLE ? turtle_write(document) : json_write(document);
    respond_header(request, "Access-Control-Allow-Origin", "*");
    respond_header(request, "Cache-Control", "public, max-age=60");
    respond_bytes(request, 200, media_types[shape], g_bytes_new_take(text, strlen(text)));
}

/* The services, or NULL when it has answered: only the Directory has a catalogue. */
static json_t *services_for(Request *request, Fsc *fsc)
{
    g_autoptr(GError) error = NULL;
    if (!fsc->catalogue->is_directory) {
        respond_problem(request, 404, "Not found", "this node is not the Directory of its group");
        return NULL;
    }
    json_t *services = catalogue_collect(fsc, &error);
    if (services == NULL)
        respond_error(request, error);
    return services;
}

static void respond_whole(Request *request, Fsc *fsc, Shape shape)
{
    g_autoptr(json_t) services = services_for(request, fsc);
    if (services != NULL)
        respond_dcat(request, fsc, services, -1, shape);
}

void catalogue_json_ld(Request *request, gpointer context)
{
    respond_whole(request, context, SHAPE_JSON_LD);
}

void catalogue_turtle(Request *request, gpointer context)
{
    respond_whole(request, context, SHAPE_TURTLE);
}

void catalogue_negotiated(Request *request, gpointer context)
{
    respond_header(request, "Vary", "Accept");
    respond_whole(request, context, shape_of(request) == SHAPE_TURTLE ? SHAPE_TURTLE : SHAPE_JSON_LD);
}

/* --- words --- */

static const char *protocol_name(const char *language, const char *protocol)
{
    for (gsize i = 0; i < G_N_ELEMENTS(protocols); i++)
        if (g_strcmp0(protocols[i].protocol, protocol) == 0)
            return phrase(language, protocols[i].key);
    return protocol;
}

/* A text with the language that it is in when that is another than the page's. */
static json_t *text_json(const char *text, const char *in, const char *language)
{
    json_t *object = json_pack("{s:s}", "text", text);
    if (g_strcmp0(in, language) != 0)
        json_object_set_new(object, "lang", json_string(in));
    return object;
}

static json_t *title_json(const json_t *service, const char *language)
{
    const char *in;
    const char *title = catalogue_text(json_object_get(service, "description"), "title", language, &in);
    return title != NULL ? text_json(title, in, language)
                         : text_json(json_string_at(service, "name"), language, language);
}

/* The beginning, up to a whole word. */
static char *excerpt(const char *text)
{
    if (g_utf8_strlen(text, -1) <= EXCERPT)
        return g_strdup(text);
    g_autofree char *cut = g_utf8_substring(text, 0, EXCERPT);
    char *space = strrchr(cut, ' ');
    if (space != NULL)
        *space = '\0';
    return g_strconcat(cut, "…", NULL);
}

static void set_behalf(json_t *card, const json_t *service, const char *language)
{
    const json_t *external = json_object_get(service, "external");
    const char *name = json_string_at(service, "delegator_name");
    if (name == NULL)
        name = json_string_at(external, "delegator_name");
    if (name == NULL)
        return;
    g_autofree char *text = phrase_format(language, "catalogue.behalf", "name", name, NULL);
    json_object_set_new(card, "behalf", json_string(text));
}

static json_t *card_json(const json_t *service, const char *language)
{
    const char *in;
    const char *text = catalogue_text(json_object_get(service, "description"), "description", language, &in);
    json_t *card = json_pack("{s:s, s:o, s:s, s:s, s:s}", "href", json_string_at(service, "page"), "title",
                             title_json(service, language), "organisation",
                             json_string_at(service, "peer_name"), "name", json_string_at(service, "name"),
                             "protocol", protocol_name(language, json_string_at(service, "protocol")));
    if (text != NULL) {
        g_autofree char *begin = excerpt(text);
        json_object_set_new(card, "about", text_json(begin, in, language));
    }
    set_behalf(card, service, language);
    return card;
}

/* --- the list --- */

typedef struct {
    CatalogueFilter filter;
    guint page; /* from 1 */
} Question;

static Question question_of(const Request *request)
{
    Question question = {.page = 1};
    const char *text = request_query(request, "zoek"), *peer_id = request_query(request, "organisatie");
    const char *protocol = request_query(request, "protocol"), *page = request_query(request, "pagina");
    guint64 number;
    question.filter.text = text != NULL && strlen(text) <= QUERY_MAX ? text : NULL;
    question.filter.peer_id = peer_id != NULL && *peer_id != '\0' && strlen(peer_id) <= 20 ? peer_id : NULL;
    for (gsize i = 0; i < G_N_ELEMENTS(protocols); i++)
        if (g_strcmp0(protocol, protocols[i].protocol) == 0)
            question.filter.protocol = protocols[i].protocol;
    if (page != NULL && g_ascii_string_to_unsigned(page, 10, 1, 100000, &number, NULL))
        question.page = (guint)number;
    return question;
}

static char *link_of(const Question *question, guint page)
{
    const CatalogueFilter *filter = &question->filter;
    g_autofree char *text = g_uri_escape_string(filter->text != NULL ? filter->text : "", NULL, FALSE);
    g_autofree char *peer_id =
        g_uri_escape_string(filter->peer_id != NULL ? filter->peer_id : "", NULL, FALSE);
    return g_strdup_printf("/catalogus?zoek=%s&organisatie=%s&protocol=%s&pagina=%u", text, peer_id,
                           filter->protocol != NULL ? filter->protocol : "", page);
}

static int compare_options(const void *a, const void *b)
{
    const json_t *const *one = a, *const *other = b;
    return g_utf8_collate(json_string_at(*one, "text"), json_string_at(*other, "text"));
}

static void add_option(GPtrArray *options, GHashTable *seen, const char *peer_id, const char *name,
                       const char *selected)
{
    if (peer_id == NULL || !g_hash_table_add(seen, g_strdup(peer_id)))
        return;
    g_ptr_array_add(options, json_pack("{s:s, s:s, s:b}", "value", peer_id, "text", name, "selected",
                                       (int)(g_strcmp0(peer_id, selected) == 0)));
}

/* Who offers something, and on whose behalf, by name. */
static json_t *organisation_options(const json_t *services, const char *selected)
{
    g_autoptr(GHashTable) seen = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    g_autoptr(GPtrArray) options = g_ptr_array_new_with_free_func((GDestroyNotify)json_decref);
    for (gsize i = 0; i < json_array_size(services); i++) {
        const json_t *service = json_array_get(services, i);
        add_option(options, seen, json_string_at(service, "peer_id"), json_string_at(service, "peer_name"),
                   selected);
        add_option(options, seen, json_string_at(service, "delegator"),
                   json_string_at(service, "delegator_name"), selected);
    }
    g_ptr_array_sort(options, compare_options);
    json_t *list = json_array();
    for (guint i = 0; i < options->len; i++)
        if (i < OPTIONS_MAX || json_boolean_at(options->pdata[i], "selected"))
            json_array_append(list, options->pdata[i]);
    return list;
}

static json_t *protocol_options(const char *language, const char *selected)
{
    json_t *list = json_array();
    for (gsize i = 0; i < G_N_ELEMENTS(protocols); i++)
        json_array_append_new(list, json_pack("{s:s, s:s, s:b}", "value", protocols[i].protocol, "text",
                                              phrase(language, protocols[i].key), "selected",
                                              (int)(g_strcmp0(protocols[i].protocol, selected) == 0)));
    return list;
}

static void add_cards(json_t *page, const json_t *found, Question *question, const char *language)
{
    gsize count = json_array_size(found);
    guint pages = MAX((guint)((count + CARDS_A_PAGE - 1) / CARDS_A_PAGE), 1);
    json_t *cards = json_array();
    question->page = MIN(question->page, pages);
    for (gsize i = (question->page - 1) * CARDS_A_PAGE; i < MIN(count, question->page * CARDS_A_PAGE); i++)
        json_array_append_new(cards, card_json(json_array_get(found, i), language));
    json_object_set_new(page, "services", cards);
    json_object_set_new(page, "paged", json_boolean(pages > 1));
    g_autofree char *n = g_strdup_printf("%u", question->page), *of = g_strdup_printf("%u", pages);
    g_autofree char *where = phrase_format(language, "catalogue.page", "n", n, "of", of, NULL);
    json_object_set_new(page, "where", json_string(where));
    if (question->page > 1) {
        g_autofree char *previous = link_of(question, question->page - 1);
        json_object_set_new(page, "previous", json_string(previous));
    }
    if (question->page < pages) {
        g_autofree char *next = link_of(question, question->page + 1);
        json_object_set_new(page, "next", json_string(next));
    }
}

/* The way back: to the first page of the portal where it has one, which is of the component inzage, and from
 * a service to the list. */
static json_t *breadcrumb(const Fsc *fsc, const char *language, gboolean of_service)
{
    json_t *way = json_array();
    if (node_component(fsc->node, "inzage") != NULL)
        json_array_append_new(
            way, json_pack("{s:s, s:s}", "href", "/", "text", phrase(language, "catalogue.home")));
    if (of_service)
        json_array_append_new(
            way, json_pack("{s:s, s:s}", "href", "/catalogus", "text", phrase(language, "catalogue.title")));
    return way;
}

static void respond_list(Request *request, const Fsc *fsc, const json_t *services)
{
    const char *language = request_language(request), *in;
    Question question = question_of(request);
    const CatalogueFilter *filter = &question.filter;
    g_autoptr(json_t) found = catalogue_search(services, filter);
    gboolean filtered = (filter->text != NULL && *filter->text != '\0') || filter->peer_id != NULL ||
                        filter->protocol != NULL;
    g_autofree char *n = g_strdup_printf("%" G_GSIZE_FORMAT, json_array_size(found));
    g_autofree char *count =
        phrase_format(language, filtered ? "catalogue.found" : "catalogue.all", "n", n, NULL);
    const char *title = catalogue_text(fsc->catalogue->about, "title", language, &in);
    const char *lede = catalogue_text(fsc->catalogue->about, "description", language, &in);
    json_t *page = json_pack("{s:s, s:s, s:s, s:b, s:s, s:s}", "title",
                             title != NULL ? title : phrase(language, "catalogue.title"), "lede",
                             lede != NULL ? lede : phrase(language, "catalogue.lede"), "count", count,
                             "filtered", (int)filtered, "text", filter->text != NULL ? filter->text : "",
                             "group", node_group_id(fsc->node));
    json_object_set_new(page, "organisations", organisation_options(services, filter->peer_id));
    json_object_set_new(page, "protocols", protocol_options(language, filter->protocol));
    json_object_set_new(page, "breadcrumb", breadcrumb(fsc, language, FALSE));
    add_cards(page, found, &question, language);
    respond_page(request, 200, "catalogue_list", "catalogue", page);
}

void catalogue_list(Request *request, gpointer context)
{
    Fsc *fsc = context;
    Shape shape = shape_of(request);
    g_autoptr(json_t) services = services_for(request, fsc);
    if (services == NULL)
        return;
    respond_header(request, "Vary", "Accept");
    if (shape == SHAPE_HTML)
        respond_list(request, fsc, services);
    else
        respond_dcat(request, fsc, services, -1, shape);
}

/* --- one service --- */

static gint index_of(const json_t *services, const char *page)
{
    for (gsize i = 0; i < json_array_size(services); i++)
        if (g_strcmp0(json_string_at(json_array_get(services, i), "page"), page) == 0)
            return (gint)i;
    return -1;
}

/* An address to click on only when it is one. */
static json_t *link_json(const char *address)
{
    return json_pack("{s:s, s:b}", "text", address, "link", (int)description_iri_valid(address));
}

static void set_themes(json_t *page, const json_t *description, const char *language)
{
    const json_t *words = json_object_get(description, "theme");
    g_autoptr(GString) all = g_string_new(NULL);
    for (gsize i = 0; i < json_array_size(words); i++) {
        const DescriptionCode *code = description_theme(json_string_value(json_array_get(words, i)));
        g_string_append_printf(all, "%s%s", i == 0 ? "" : "; ",
                               g_str_equal(language, "en") ? code->en : code->nl);
    }
    if (all->len > 0)
        json_object_set_new(page, "themes", json_string(all->str));
}

static void set_described(json_t *page, const json_t *description, const char *language)
{
    static const char *const addresses[] = {"openapi", "documentation", "licence", "contact_url"};
    static const char *const texts[] = {"contact_name", "contact_email"};
    const DescriptionCode *rights = description_rights(json_string_at(description, "access_rights"));
    for (gsize i = 0; i < G_N_ELEMENTS(addresses); i++)
        if (json_string_at(description, addresses[i]) != NULL)
            json_object_set_new(page, addresses[i], link_json(json_string_at(description, addresses[i])));
    for (gsize i = 0; i < G_N_ELEMENTS(texts); i++)
        if (json_string_at(description, texts[i]) != NULL)
            json_object_set_new(page, texts[i], json_string(json_string_at(description, texts[i])));
    json_object_set_new(page, "has_contact",
                        json_boolean(json_object_get(page, "contact_name") ||
                                     json_object_get(page, "contact_email") ||
                                     json_object_get(page, "contact_url")));
    if (rights != NULL)
        json_object_set_new(page, "rights",
                            json_string(g_str_equal(language, "en") ? rights->en : rights->nl));
    set_themes(page, description, language);
}

static void set_external(json_t *page, const json_t *service)
{
    const json_t *external = json_object_get(service, "external");
    if (external != NULL)
        json_object_set_new(page, "external",
                            json_pack("{s:s, s:s, s:o}", "name", json_string_at(external, "delegator_name"),
                                      "id", json_string_at(external, "delegator_id"), "reference",
                                      link_json(json_string_at(external, "reference"))));
}

/* The paragraphs of a description. */
static json_t *paragraphs(const char *text)
{
    json_t *list = json_array();
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
    for (char **line = lines; *line != NULL; line++)
        if (*g_strstrip(*line) != '\0')
            json_array_append_new(list, json_string(*line));
    return list;
}

static json_t *service_page(const Fsc *fsc, const json_t *service, const char *language)
{
    const char *in, *title_in;
    const json_t *description = json_object_get(service, "description");
    const char *title = catalogue_text(description, "title", language, &title_in);
    const char *text = catalogue_text(description, "description", language, &in);
    const char *name = json_string_at(service, "name"), *peer_id = json_string_at(service, "peer_id");
    g_autofree char *since = phrase_date(language, json_integer_at(service, "since") * 1000, TIME_ZONE);
    g_autofree char *notation = g_strdup_printf("%s.%s", name, peer_id);
    json_t *page =
        json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s}", "title", title != NULL ? title : name,
                  "name", name, "organisation", json_string_at(service, "peer_name"), "peer_id", peer_id,
                  "manager", json_string_at(service, "manager_address"), "protocol",
                  protocol_name(language, json_string_at(service, "protocol")), "since", since, "address",
                  notation, "group", node_group_id(fsc->node));
    json_object_set_new(page, "breadcrumb", breadcrumb(fsc, language, TRUE));
    if (text != NULL) {
        json_object_set_new(page, "paragraphs", paragraphs(text));
        if (g_strcmp0(in, language) != 0)
            json_object_set_new(page, "about_lang", json_string(in));
    }
    json_object_set_new(page, "undescribed", json_boolean(!json_boolean_at(service, "described")));
    json_object_set_new(
        page, "http2",
        json_boolean(g_strcmp0(json_string_at(service, "protocol"), FSC_PROTOCOL_HTTP_1) != 0));
    if (json_object_get(service, "delegator") != NULL) {
        json_object_set(page, "delegator", json_object_get(service, "delegator"));
        json_object_set(page, "delegator_name", json_object_get(service, "delegator_name"));
    }
    set_described(page, description, language);
    set_external(page, service);
    return page;
}

void catalogue_service(Request *request, gpointer context)
{
    Fsc *fsc = context;
    Shape shape = shape_of(request);
    const char *form = request_query(request, "vorm");
    g_autoptr(json_t) services = services_for(request, fsc);
    if (services == NULL)
        return;
    g_autofree char *path =
        catalogue_page_path(request_segment(request, "peer"), request_segment(request, "service"),
                            request_segment(request, "delegator"));
    gint index = index_of(services, path);
    shape = g_strcmp0(form, "json-ld") == 0  ? SHAPE_JSON_LD
            : g_strcmp0(form, "turtle") == 0 ? SHAPE_TURTLE
                                             : shape;
    respond_header(request, "Vary", "Accept");
    if (index < 0)
        respond_problem(request, 404, "Not found", "the Directory lists no such service");
    else if (shape == SHAPE_HTML)
        respond_page(request, 200, "catalogue_service", "catalogue",
                     service_page(fsc, json_array_get(services, (gsize)index), request_language(request)));
    else
        respond_dcat(request, fsc, services, index, shape);
}
