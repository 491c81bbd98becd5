/* The catalogue as DCAT-AP-NL 3.0.1 on DCAT-AP 3.0.1: every property that the profile makes mandatory or
 * recommends, and nothing that is not known. docs/catalogue.md has the table of where each comes from. */
#include <string.h>

#include "components/fsc/catalogue.h"
#include "components/fsc/description.h"
#include "core/base/clock.h"
#include "core/format/json.h"

#define EU "http://publications.europa.eu/resource/authority/"
#define DUTCH EU "language/NLD"
#define ENGLISH EU "language/ENG"
#define CC0 "http://creativecommons.org/publicdomain/zero/1.0/deed.nl"
#define PROFILE "https://docs.geostandaarden.nl/dcat/dcat-ap-nl30/"
#define FSC_CORE "https://gitdocumentatie.logius.nl/publicatie/fsc/core/2.0.0/"

static const struct {
    const char *prefix, *iri;
} prefixes[] = {
    {"adms", "http://www.w3.org/ns/adms#"},
    {"dcat", "http://www.w3.org/ns/dcat#"},
    {"dct", "http://purl.org/dc/terms/"},
    {"foaf", "http://xmlns.com/foaf/0.1/"},
    {"skos", "http://www.w3.org/2004/02/skos/core#"},
    {"vcard", "http://www.w3.org/2006/vcard/ns#"},
    {"xsd", "http://www.w3.org/2001/XMLSchema#"},
};

typedef struct {
    const Catalogue *catalogue;
    json_t *graph;      /* array of nodes with an address */
    GHashTable *stated; /* concepts, agents and documents that are in it, as text */
    char *self;         /* of the catalogue, its data set, its API, and the conditions of use */
    char *dataset;
    char *api;
    char *conditions;
} Builder;

/* --- values --- */

static json_t *iri(const char *text)
{
    return json_pack("{s:s}", "@id", text);
}

static json_t *literal(const char *text)
{
    return json_pack("{s:s}", "@value", text);
}

static json_t *in_language(const char *text, const char *language)
{
    return json_pack("{s:s, s:s}", "@value", text, "@language", language);
}

static json_t *in_both(const char *dutch, const char *english)
{
    return json_pack("[o, o]", in_language(dutch, "nl"), in_language(english, "en"));
}

static json_t *typed(const char *text, const char *type)
{
    return json_pack("{s:s, s:s}", "@value", text, "@type", type);
}

static json_t *date_of(gint64 unix_s)
{
    g_autofree char *time = clock_format_rfc3339(unix_s * 1000);
    time[strlen("2026-01-01")] = '\0';
    return typed(time, "xsd:date");
}

/* The Dutch and English texts of a description; NULL when it has neither. */
static json_t *texts_of(const json_t *description, const char *key)
{
    g_autofree char *english_key = g_strconcat(key, "_en", NULL);
    const char *dutch = json_string_at(description, key), *english = json_string_at(description, english_key);
    json_t *list = json_array();
    if (dutch != NULL)
        json_array_append_new(list, in_language(dutch, "nl"));
    if (english != NULL)
        json_array_append_new(list, in_language(english, "en"));
    if (json_array_size(list) == 0)
        g_clear_pointer(&list, json_decref);
    return list;
}

/* --- nodes that are stated once --- */

/* Takes the node when it is new. A reference to it. Providers may give one address for two things, a page
 * that is the licence and the explanation: then both are stated of it, or the shapes would miss one. */
static json_t *state_once(Builder *builder, const char *address, json_t *node)
{
    json_object_set_new(node, "@id", json_string(address));
    if (g_hash_table_add(builder->stated, json_write(node)))
        json_array_append(builder->graph, node);
    json_decref(node);
    return iri(address);
}

static json_t *document(Builder *builder, const char *address)
{
    return state_once(builder, address, json_pack("{s:s}", "@type", "foaf:Document"));
}

static json_t *standard(Builder *builder, const char *address, const char *title)
{
    return state_once(builder, address,
                      json_pack("{s:s, s:o}", "@type", "dct:Standard", "dct:title", literal(title)));
}

static json_t *language(Builder *builder, const char *address)
{
    return state_once(builder, address, json_pack("{s:s}", "@type", "dct:LinguisticSystem"));
}

static json_t *languages(Builder *builder)
{
    return json_pack("[o, o]", language(builder, DUTCH), language(builder, ENGLISH));
}

static json_t *licence(Builder *builder, const char *address)
{
    return state_once(builder, address, json_pack("{s:s}", "@type", "dct:LicenseDocument"));
}

/* What a service may be used for stands in the contract; a licence that nobody gave is not made up. */
static json_t *licence_of(Builder *builder, const json_t *description)
{
    const char *given = json_string_at(description, "licence");
    if (given != NULL)
        return licence(builder, given);
    return state_once(
        builder, builder->conditions,
        json_pack("{s:s, s:o, s:o}", "@type", "dct:LicenseDocument", "dct:title",
                  in_both("Gebruik volgens het FSC-contract", "Use under the FSC contract"),
                  "dct:description",
                  in_both("De aanbieder noemt geen licentie. Waarvoor de dienst gebruikt mag "
                          "worden, staat in het FSC-contract van aanbieder en afnemer.",
                          "The provider names no licence. What the service may be used for stands "
                          "in the FSC contract between provider and consumer.")));
}

static json_t *access_rights(Builder *builder, const char *word)
{
    const DescriptionCode *code = description_rights(word);
    g_autofree char *address = g_strconcat(EU "access-right/", code->code, NULL);
    return state_once(builder, address,
                      json_pack("{s:[s, s], s:o}", "@type", "dct:RightsStatement", "skos:Concept",
                                "skos:prefLabel", in_both(code->nl, code->en)));
}

static json_t *theme(Builder *builder, const DescriptionCode *code)
{
    g_autofree char *address = g_strconcat(EU "data-theme/", code->code, NULL);
    return state_once(
        builder, address,
        json_pack("{s:s, s:o}", "@type", "skos:Concept", "skos:prefLabel", in_both(code->nl, code->en)));
}

static json_t *themes(Builder *builder, const json_t *description)
{
    const json_t *words = json_object_get(description, "theme");
    json_t *list = json_array();
    for (gsize i = 0; i < json_array_size(words); i++)
        json_array_append_new(list,
                              theme(builder, description_theme(json_string_value(json_array_get(words, i)))));
    if (json_array_size(list) == 0) /* everything in a group of FSC is of the government, or for it */
        json_array_append_new(list, theme(builder, description_theme("GOVE")));
    return list;
}

static json_t *agent(Builder *builder, const char *oin, const char *name)
{
    g_autofree char *escaped = g_uri_escape_string(oin, NULL, FALSE);
    g_autofree char *address =
        g_strconcat(builder->catalogue->address, "/catalogus?organisatie=", escaped, "#organisatie", NULL);
    return state_once(builder, address,
                      json_pack("{s:[s, s], s:o, s:o}", "@type", "foaf:Agent", "foaf:Organization",
                                "foaf:name", literal(name), "dct:identifier", literal(oin)));
}

/* --- what services and the catalogue have alike --- */

/* Without a contact of its own: the organisation by name, with the page where its services stand. */
static json_t *contact(const json_t *description, const char *organization, const char *page)
{
    const char *name = json_string_at(description, "contact_name");
    const char *email = json_string_at(description, "contact_email");
    const char *url = json_string_at(description, "contact_url");
    json_t *node = json_pack("{s:[s, s], s:o}", "@type", "vcard:Kind", "vcard:Organization", "vcard:fn",
                             literal(name != NULL ? name : organization));
    json_object_set_new(node, "vcard:organization-name", literal(organization));
    if (email != NULL) {
        g_autofree char *address = g_strconcat("mailto:", email, NULL);
        json_object_set_new(node, "vcard:hasEmail", iri(address));
    }
    if (url != NULL || email == NULL)
        json_object_set_new(node, "vcard:hasURL", iri(url != NULL ? url : page));
    return node;
}

static void set_texts(json_t *node, const json_t *description, const char *name, json_t *default_text)
{
    json_t *title = texts_of(description, "title"), *text = texts_of(description, "description");
    json_object_set_new(node, "dct:title", title != NULL ? title : literal(name));
    json_object_set_new(node, "dct:description", text != NULL ? text : json_incref(default_text));
    json_decref(default_text);
}

/* --- a service --- */

static json_t *default_description(const Catalogue *catalogue, const json_t *service)
{
    const char *name = json_string_at(service, "name"), *peer = json_string_at(service, "peer_name");
    g_autofree char *dutch = g_strdup_printf(
        "Dienst %s van %s in de FSC-groep %s. De aanbieder heeft deze dienst nog niet beschreven.", name,
        peer, catalogue->group);
    g_autofree char *english = g_strdup_printf(
        "Service %s of %s in the FSC group %s. The provider has not described this service yet.", name, peer,
        catalogue->group);
    return in_both(dutch, english);
}

/* FSC External Contract 1.0.0: on whose behalf, by which contract outside FSC. */
static void set_external(json_t *node, const json_t *service)
{
    const json_t *external = json_object_get(service, "external");
    if (external == NULL)
        return;
    const char *id = json_string_at(external, "delegator_id"),
               *name = json_string_at(external, "delegator_name");
    const char *reference = json_string_at(external, "reference");
    g_autofree char *dutch =
        g_strdup_printf("Aangeboden namens %s (%s) volgens een contract buiten FSC: %s", name, id, reference);
    g_autofree char *english =
        g_strdup_printf("Offered on behalf of %s (%s) under a contract outside FSC: %s", name, id, reference);
    json_object_set_new(
        node, "dct:rights",
        json_pack("{s:s, s:o}", "@type", "dct:RightsStatement", "dct:description", in_both(dutch, english)));
}

static void set_addresses(Builder *builder, json_t *node, const json_t *service, const char *page)
{
    const json_t *description = json_object_get(service, "description");
    const char *endpoint = json_string_at(description, "endpoint"),
               *openapi = json_string_at(description, "openapi");
    const char *documentation = json_string_at(description, "documentation");
    const char *manager = json_string_at(service, "manager_address");
    if (endpoint == NULL)
        endpoint = description_iri_valid(manager) ? manager : page;
    json_object_set_new(node, "dcat:endpointURL", iri(endpoint));
    json_object_set_new(node, "dcat:endpointDescription", iri(openapi != NULL ? openapi : page));
    json_object_set_new(node, "dcat:landingPage", document(builder, page));
    if (documentation != NULL)
        json_object_set_new(node, "foaf:page", document(builder, documentation));
}

static void set_keywords(json_t *node, const json_t *service)
{
    const json_t *words = json_object_get(json_object_get(service, "description"), "keywords");
    json_t *list = json_pack("[o]", literal("FSC"));
    for (gsize i = 0; i < json_array_size(words); i++)
        json_array_append_new(list, in_language(json_string_value(json_array_get(words, i)), "nl"));
    json_object_set_new(node, "dcat:keyword", list);
}

/* dcat:Resource is said as well: an engine that knows no subclasses looks for it at the topic of a record. */
static json_t *new_service(const char *address)
{
    return json_pack("{s:s, s:[s, s]}", "@id", address, "@type", "dcat:DataService", "dcat:Resource");
}

static json_t *service_node(Builder *builder, const json_t *service, const char *page)
{
    const json_t *description = json_object_get(service, "description");
    const char *peer_id = json_string_at(service, "peer_id"),
               *peer_name = json_string_at(service, "peer_name");
    const char *delegator = json_string_at(service, "delegator"),
               *rights = json_string_at(description, "access_rights");
    g_autofree char *notation = g_strdup_printf("%s.%s", json_string_at(service, "name"), peer_id);
    g_autofree char *address = g_strconcat(page, "#dienst", NULL);
    json_t *node = new_service(address);
    set_texts(node, description, json_string_at(service, "name"),
              default_description(builder->catalogue, service));
    json_object_set_new(node, "dct:identifier", literal(address));
    json_object_set_new(
        node, "adms:identifier",
        json_pack("{s:s, s:o}", "@type", "adms:Identifier", "skos:notation", literal(notation)));
    json_object_set_new(node, "dct:publisher", agent(builder, peer_id, peer_name));
    json_object_set_new(node, "dct:creator",
                        delegator == NULL
                            ? agent(builder, peer_id, peer_name)
                            : agent(builder, delegator, json_string_at(service, "delegator_name")));
    json_object_set_new(node, "dcat:contactPoint", contact(description, peer_name, page));
    json_object_set_new(node, "dct:accessRights",
                        access_rights(builder, rights != NULL ? rights : "restricted"));
    json_object_set_new(node, "dct:license", licence_of(builder, description));
    json_object_set_new(node, "dcat:theme", themes(builder, description));
    json_object_set_new(node, "dct:conformsTo", standard(builder, FSC_CORE, "FSC Core 2.0.0"));
    json_object_set_new(node, "dct:language", language(builder, DUTCH));
    set_addresses(builder, node, service, page);
    set_keywords(node, service);
    set_external(node, service);
    return node;
}

static json_t *record_node(Builder *builder, const json_t *service, const char *page)
{
    g_autofree char *address = g_strconcat(page, "#registratie", NULL);
    g_autofree char *topic = g_strconcat(page, "#dienst", NULL);
    return json_pack("{s:s, s:s, s:o, s:o, s:o, s:o}", "@id", address, "@type", "dcat:CatalogRecord",
                     "foaf:primaryTopic", iri(topic), "dct:modified",
                     date_of(json_integer_at(service, "since")), "dct:language", languages(builder),
                     "dct:conformsTo", standard(builder, PROFILE, "DCAT-AP-NL 3.0"));
}

static void add_service(Builder *builder, json_t *catalog, const json_t *service)
{
    g_autofree char *page = g_strconcat(builder->catalogue->address, json_string_at(service, "page"), NULL);
    json_t *node = service_node(builder, service, page), *record = record_node(builder, service, page);
    json_array_append_new(json_object_get(catalog, "dcat:service"), iri(json_string_at(node, "@id")));
    json_array_append_new(json_object_get(catalog, "dcat:record"), iri(json_string_at(record, "@id")));
    json_array_append_new(builder->graph, node);
    json_array_append_new(builder->graph, record);
}

/* --- the catalogue and the data set that it is --- */

static json_t *own_licence(Builder *builder)
{
    const char *given = json_string_at(builder->catalogue->about, "licence");
    return licence(builder, given != NULL ? given : CC0);
}

static json_t *own_contact(const Builder *builder)
{
    g_autofree char *page = g_strconcat(builder->catalogue->address, "/catalogus", NULL);
    return contact(builder->catalogue->about, builder->catalogue->publisher, page);
}

static json_t *distribution(Builder *builder, const char *suffix, const char *media_type, const char *format,
                            const char *name)
{
    g_autofree char *address = g_strconcat(builder->catalogue->address, "/catalogus", suffix, NULL);
    g_autofree char *media = g_strconcat("https://www.iana.org/assignments/media-types/", media_type, NULL);
    g_autofree char *format_iri = g_strconcat(EU "file-type/", format, NULL);
    json_t *format_node =
        state_once(builder, format_iri, json_pack("{s:s}", "@type", "dct:MediaTypeOrExtent"));
    json_t *media_node = state_once(builder, media, json_pack("{s:s}", "@type", "dct:MediaType"));
    json_t *node = json_pack("{s:s, s:o, s:o, s:o, s:o}", "@type", "dcat:Distribution", "dct:title",
                             literal(name), "dcat:accessURL", iri(address), "dcat:downloadURL", iri(address),
                             "dcat:accessService", iri(builder->api));
    json_object_set_new(node, "dct:license", own_licence(builder));
    json_object_set_new(node, "dct:language", languages(builder));
    json_object_set_new(node, "dct:conformsTo", standard(builder, PROFILE, "DCAT-AP-NL 3.0"));
    json_object_set_new(node, "dct:format", format_node);
    json_object_set_new(node, "dcat:mediaType", media_node);
    return node;
}

/* The list can be searched in, which is a service as well. */
static json_t *api_node(Builder *builder)
{
    const Catalogue *catalogue = builder->catalogue;
    g_autofree char *page = g_strconcat(catalogue->address, "/catalogus", NULL);
    g_autofree char *endpoint = g_strconcat(page, "/v1", NULL);
    g_autofree char *openapi = g_strconcat(endpoint, "/openapi.json", NULL);
    json_t *node = new_service(builder->api);
    json_object_set_new(node, "dct:title", in_both("Zoeken in de catalogus", "Searching in the catalogue"));
    json_object_set_new(
        node, "dct:description",
        in_both("Een API om in deze catalogus te zoeken.", "An API to search in this catalogue."));
    json_object_set_new(node, "dct:identifier", literal(builder->api));
    json_object_set_new(node, "dct:publisher", agent(builder, catalogue->oin, catalogue->publisher));
    json_object_set_new(node, "dct:creator", agent(builder, catalogue->oin, catalogue->publisher));
    json_object_set_new(node, "dcat:contactPoint", own_contact(builder));
    json_object_set_new(node, "dct:accessRights", access_rights(builder, "public"));
    json_object_set_new(node, "dct:license", own_licence(builder));
    json_object_set_new(node, "dcat:theme", themes(builder, NULL));
    json_object_set_new(node, "dct:language", languages(builder));
    json_object_set_new(node, "dcat:keyword", json_pack("[o]", literal("FSC")));
    json_object_set_new(node, "dcat:endpointURL", iri(endpoint));
    json_object_set_new(node, "dcat:endpointDescription", iri(openapi));
    json_object_set_new(node, "dcat:landingPage", document(builder, page));
    json_object_set_new(node, "dcat:servesDataset", iri(builder->dataset));
    return node;
}

/* A catalogue must hold a data set (DCAT-AP-NL); the one that the Directory itself publishes is its list. */
static json_t *dataset_node(Builder *builder)
{
    const Catalogue *catalogue = builder->catalogue;
    g_autofree char *page = g_strconcat(catalogue->address, "/catalogus", NULL);
    g_autofree char *dutch = g_strdup_printf("Diensten in de FSC-groep %s", catalogue->group);
    g_autofree char *english = g_strdup_printf("Services in the FSC group %s", catalogue->group);
    json_t *node = json_pack("{s:s, s:s, s:o, s:o, s:o}", "@id", builder->dataset, "@type", "dcat:Dataset",
                             "dct:title", in_both(dutch, english), "dct:description",
                             in_both("Welke organisatie welke dienst aanbiedt, en hoe men aansluit.",
                                     "Which organisation offers which service, and how to connect."),
                             "dct:identifier", literal(builder->dataset));
    json_object_set_new(node, "dct:accessRights", access_rights(builder, "public"));
    json_object_set_new(node, "dcat:contactPoint", own_contact(builder));
    json_object_set_new(node, "dct:creator", agent(builder, catalogue->oin, catalogue->publisher));
    json_object_set_new(node, "dct:publisher", agent(builder, catalogue->oin, catalogue->publisher));
    json_object_set_new(node, "dcat:theme", themes(builder, NULL));
    json_object_set_new(node, "dct:language", languages(builder));
    json_object_set_new(node, "dct:conformsTo", standard(builder, FSC_CORE, "FSC Core 2.0.0"));
    json_object_set_new(node, "dcat:landingPage", document(builder, page));
    json_object_set_new(node, "foaf:page", document(builder, page));
    json_object_set_new(
        node, "dcat:distribution",
        json_pack("[o, o]", distribution(builder, ".jsonld", "application/ld+json", "JSON_LD", "JSON-LD"),
                  distribution(builder, ".ttl", "text/turtle", "RDF_TURTLE", "Turtle")));
    return node;
}

static json_t *catalog_node(Builder *builder)
{
    const Catalogue *catalogue = builder->catalogue;
    g_autofree char *page = g_strconcat(catalogue->address, "/catalogus", NULL);
    g_autofree char *name = g_strdup_printf("Diensten in de FSC-groep %s", catalogue->group);
    json_t *text = in_both("Diensten die organisaties elkaar aanbieden, met wat nodig is om aan te sluiten.",
                           "Services that organisations offer each other, with what is needed to connect.");
    json_t *node = json_pack("{s:s, s:s}", "@id", builder->self, "@type", "dcat:Catalog");
    set_texts(node, catalogue->about, name, text);
    json_object_set_new(node, "dct:publisher", agent(builder, catalogue->oin, catalogue->publisher));
    json_object_set_new(node, "dct:creator", agent(builder, catalogue->oin, catalogue->publisher));
    json_object_set_new(node, "dcat:contactPoint", own_contact(builder));
    json_object_set_new(node, "dct:license", own_licence(builder));
    json_object_set_new(node, "dct:language", languages(builder));
    json_object_set_new(node, "foaf:homepage", document(builder, page));
    json_object_set_new(node, "dcat:dataset", iri(builder->dataset));
    json_object_set_new(node, "dcat:service", json_pack("[o]", iri(builder->api)));
    json_object_set_new(node, "dcat:record", json_array());
    return node;
}

static json_t *context(void)
{
    json_t *object = json_object();
    for (gsize i = 0; i < G_N_ELEMENTS(prefixes); i++)
        json_object_set_new(object, prefixes[i].prefix, json_string(prefixes[i].iri));
    return object;
}

json_t *catalogue_dcat(const Catalogue *catalogue, gint only)
{
    Builder builder = {.catalogue = catalogue,
                       .graph = json_array(),
                       .stated = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL),
                       .self = g_strconcat(catalogue->address, "/catalogus#catalogus", NULL),
                       .dataset = g_strconcat(catalogue->address, "/catalogus#diensten", NULL),
                       .api = g_strconcat(catalogue->address, "/catalogus#api", NULL),
                       .conditions = g_strconcat(catalogue->address, "/catalogus#voorwaarden", NULL)};
    json_t *catalog = catalog_node(&builder);
    json_array_append(builder.graph, catalog);
    json_array_append_new(builder.graph, dataset_node(&builder));
    json_array_append_new(builder.graph, api_node(&builder));
    for (gsize i = 0; i < json_array_size(catalogue->services); i++)
        if (only < 0 || i == (gsize)only)
            add_service(&builder, catalog, json_array_get(catalogue->services, i));
    if (json_array_size(json_object_get(catalog, "dcat:record")) == 0)
        json_object_del(catalog, "dcat:record"); /* an empty array is no statement */
    json_decref(catalog);
    g_hash_table_unref(builder.stated);
    g_free(builder.self);
    g_free(builder.dataset);
    g_free(builder.api);
    g_free(builder.conditions);
    return json_pack("{s:o, s:o}", "@context", context(), "@graph", builder.graph);
}
