/* What the catalogue is made of: the publications that are valid now, and what is known of each service. Its
 * provider is believed first, then the Directory's own editors, then nobody: then it says so. */
#include "components/fsc/catalogue_private.h"

#include <string.h>

#include "components/fsc/description.h"
#include "core/base/error.h"
#include "core/format/json.h"

#define FRESH_US (2 * G_TIME_SPAN_SECOND)
#define EXTERNAL_CONTRACT "delegation.publication.external_contract_reference"
#define EXTERNAL_MAX 2000

/* --- settings --- */

/* {"PEER": {"SERVICE": {description}}}: what the Directory's editors write of services that nobody describes.
 */
static json_t *read_others(const char *path, GError **error)
{
    const char *peer_id, *name;
    json_t *services, *object;
    g_autoptr(json_t) file = path == NULL ? json_object() : json_read_file(path, NULL, error);
    if (file == NULL)
        return NULL;
    g_autoptr(json_t) others = json_object();
    json_object_foreach(file, peer_id, services)
    {
        json_t *of_peer = json_object();
        json_object_set_new(others, peer_id, of_peer);
        json_object_foreach(services, name, object)
        {
            g_autofree char *place = g_strdup_printf("%s: %s.%s.", path, peer_id, name);
            json_t *description = description_check(object, place, error);
            if (description == NULL)
                return NULL;
            json_object_set_new(of_peer, name, description);
        }
    }
    return g_steal_pointer(&others);
}

static json_t *read_own(const Fsc *fsc, GError **error)
{
    g_autoptr(json_t) own = json_object();
    for (const char *const *name = fsc->services; *name != NULL; name++) {
        g_autofree char *section = g_strconcat("service.", *name, NULL);
        json_t *description = description_from_config(node_config(fsc->node), section, error);
        if (description == NULL)
            return NULL;
        if (fsc->inway_address != NULL && description_iri_valid(fsc->inway_address))
            json_object_set_new(description, "endpoint", json_string(fsc->inway_address));
        json_object_set_new(own, *name, description);
    }
    return g_steal_pointer(&own);
}

/* Where people and other catalogues find us. */
static char *address_of(const Node *node)
{
    const char *given = config_text(node_config(node), "catalogue", "address");
    char *address = g_strdup(given != NULL ? given : node_manager_address(node));
    while (g_str_has_suffix(address, "/"))
        address[strlen(address) - 1] = '\0';
    return address;
}

CatalogueSettings *catalogue_settings_new(Fsc *fsc, GError **error)
{
    const Config *config = node_config(fsc->node);
    CatalogueSettings *settings = g_new0(CatalogueSettings, 1);
    g_mutex_init(&settings->lock);
    settings->address = address_of(fsc->node);
    settings->is_directory = g_strcmp0(fsc->directory, node_oin(fsc->node)) == 0;
    settings->about = description_from_config(config, "catalogue", error);
    if (settings->about != NULL)
        settings->own = read_own(fsc, error);
    if (settings->own != NULL)
        settings->others = read_others(config_text(config, "catalogue", "descriptions"), error);
    if (settings->others != NULL && description_iri_valid(settings->address))
        return settings;
    if (settings->others != NULL)
        g_set_error(error, FUNDAMENT_ERROR, FUNDAMENT_ERROR_INVALID,
                    "node.conf: [catalogue] address = %s: must be an address without special characters",
                    settings->address);
    catalogue_settings_free(settings);
    return NULL;
}

gboolean fsc_has_catalogue(const Fsc *fsc)
{
    return fsc->catalogue->is_directory;
}

void catalogue_settings_free(CatalogueSettings *settings)
{
    if (settings == NULL)
        return;
    g_free(settings->address);
    json_decref(settings->about);
    json_decref(settings->own);
    json_decref(settings->others);
    json_decref(settings->services);
    g_mutex_clear(&settings->lock);
    g_free(settings);
}

/* --- services --- */

/* Since when the oldest valid publication of each stands: "PEER SERVICE DELEGATOR" -> Unix seconds. */
static json_t *since_when(Fsc *fsc)
{
    json_t *since = json_object();
    g_autoptr(GPtrArray) valid = agreements_valid(fsc->agreements, TRUE, fsc_now_s(fsc));
    for (guint i = 0; i < valid->len; i++) {
        const Contract *contract = agreement_contract(g_ptr_array_index(valid, i))->contract;
        for (gsize j = 0; j < contract->n_grants; j++) {
            const Grant *grant = &contract->grants[j];
            g_autofree char *key = g_strdup_printf("%s %s %s", grant->service_peer_id, grant->service_name,
                                                   grant->delegator != NULL ? grant->delegator : "");
            const json_t *before = json_object_get(since, key);
            if (before == NULL || json_integer_value(before) > contract->not_before)
                json_object_set_new(since, key, json_integer(contract->not_before));
        }
    }
    return since;
}

/* FSC External Contract 1.0.0, 3.1.2: three texts, all required; anything else is no reference. */
static json_t *external_of(const json_t *listed)
{
    static const char *const members[] = {"reference", "delegator_id", "delegator_name"};
    const json_t *given = json_object_get(json_object_get(listed, "properties"), EXTERNAL_CONTRACT);
    json_t *external = json_object();
    for (gsize i = 0; i < G_N_ELEMENTS(members); i++) {
        const char *text = json_string_at(given, members[i]);
        if (text == NULL || *text == '\0' || strlen(text) > EXTERNAL_MAX) {
            json_decref(external);
            return NULL;
        }
        json_object_set_new(external, members[i], json_string(text));
    }
    return external;
}

static void add_missing(json_t *description, const json_t *more)
{
    if (more != NULL)
        json_object_update_missing(description, (json_t *)more);
}

static json_t *description_of(const Fsc *fsc, const json_t *answers, const char *peer_id, const char *name)
{
    const CatalogueSettings *settings = fsc->catalogue;
    json_t *description = json_object();
    if (g_str_equal(peer_id, node_oin(fsc->node)))
        add_missing(description, json_object_get(settings->own, name));
    else
        add_missing(description, json_object_get(json_object_get(answers, peer_id), name));
    add_missing(description, json_object_get(json_object_get(settings->others, peer_id), name));
    return description;
}

static json_t *service_of(Fsc *fsc, const json_t *listed, const json_t *answers, const json_t *since)
{
    const json_t *peer = json_object_get(listed, "peer"), *behalf = json_object_get(listed, "delegator");
    const char *peer_id = json_string_at(peer, "id"), *name = json_string_at(listed, "name");
    const char *delegator = json_string_at(behalf, "peer_id"),
               *delegator_name = json_string_at(behalf, "peer_name");
    g_autofree char *key = g_strdup_printf("%s %s %s", peer_id, name, delegator != NULL ? delegator : "");
    g_autofree char *page = catalogue_page_path(peer_id, name, delegator);
    json_t *description = description_of(fsc, answers, peer_id, name);
    json_t *external = external_of(listed);
    json_t *service =
        json_pack("{s:s, s:s, s:s, s:s, s:s, s:I, s:s, s:b, s:o}", "name", name, "peer_id", peer_id,
                  "peer_name", json_string_at(peer, "name"), "manager_address",
                  json_string_at(peer, "manager_address"), "protocol", json_string_at(listed, "protocol"),
                  "since", json_integer_value(json_object_get(since, key)), "page", page, "described",
                  json_object_get(description, "description") != NULL ||
                      json_object_get(description, "description_en") != NULL,
                  "description", description);
    if (delegator != NULL) {
        json_object_set_new(service, "delegator", json_string(delegator));
        json_object_set_new(service, "delegator_name",
                            json_string(delegator_name != NULL ? delegator_name : delegator));
    }
    if (external != NULL)
        json_object_set_new(service, "external", external);
    return service;
}

static json_t *collect(Fsc *fsc, GError **error)
{
    g_autoptr(json_t) answers = catalogue_answers(fsc, error);
    if (answers == NULL)
        return NULL;
    g_autoptr(json_t) listed = directory_services(fsc, NULL, NULL), since = since_when(fsc);
    json_t *services = json_array();
    for (gsize i = 0; i < json_array_size(listed); i++)
        json_array_append_new(
            services, service_of(fsc, json_object_get(json_array_get(listed, i), "data"), answers, since));
    return services;
}

json_t *catalogue_collect(Fsc *fsc, GError **error)
{
    CatalogueSettings *settings = fsc->catalogue;
    json_t *services = NULL;
    g_mutex_lock(&settings->lock);
    if (settings->services != NULL && g_get_monotonic_time() - settings->collected_us < FRESH_US)
        services = json_incref(settings->services);
    g_mutex_unlock(&settings->lock);
    if (services != NULL)
        return services;
    services = collect(fsc, error);
    if (services == NULL)
        return NULL;
    g_mutex_lock(&settings->lock);
    json_decref(settings->services);
    settings->services = json_incref(services);
    settings->collected_us = g_get_monotonic_time();
    g_mutex_unlock(&settings->lock);
    return services;
}

void catalogue_of(const Fsc *fsc, const json_t *services, Catalogue *catalogue)
{
    *catalogue = (Catalogue){.address = fsc->catalogue->address,
                             .group = node_group_id(fsc->node),
                             .oin = node_oin(fsc->node),
                             .publisher = node_name(fsc->node),
                             .about = fsc->catalogue->about,
                             .services = services};
}
