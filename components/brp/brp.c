#include "components/brp/brp.h"

#include "components/brp/api.h"
#include "components/brp/load.h"

#define PATH "/haalcentraal/api/brp/personen"
#define SERVICE "brp-personen-bevragen"
#define ACTIVITY "/logboek/v1/processing-activities/verstrekken"

static const ConfigKey CONFIG[] = {
    {"brp", "persons", CONFIG_FILE, FALSE, NULL,
     "persons in the shape of the personen-mock, loaded at start when the file changed"},
    {"brp", "activity", CONFIG_TEXT, FALSE, NULL,
     "URI of the processing activity under which data is given out; default: \"verstrekken\" in this node's "
     "register"},
};

static const Route ROUTES[] = {
    {LISTENER_SERVICE, "POST", PATH, brp_api_persons, BRP_BODY_READ, SERVICE},
    {LISTENER_SERVICE, "GET", PATH, brp_api_other_method, BRP_BODY_READ, SERVICE},
    {LISTENER_SERVICE, "PUT", PATH, brp_api_other_method, BRP_BODY_READ, SERVICE},
    {LISTENER_SERVICE, "PATCH", PATH, brp_api_other_method, BRP_BODY_READ, SERVICE},
    {LISTENER_SERVICE, "DELETE", PATH, brp_api_other_method, BRP_BODY_READ, SERVICE},
    {LISTENER_SERVICE, "OPTIONS", PATH, brp_api_other_method, BRP_BODY_READ, SERVICE},
};

static const ApiDocument DOCUMENTS[] = {
    {LISTENER_SERVICE, "/haalcentraal/api/brp", "brp", SERVICE},
};

static const char *const NEEDS[] = {"logboek", "fsc", NULL};

static gboolean load_persons(Node *node, GError **error)
{
    const char *path = config_text(node_config(node), "brp", "persons");
    BrpLoad load;
    if (path == NULL)
        return TRUE;
    if (!brp_load(node_store(node), path, &load, error))
        return FALSE;
    g_info("brp: the register holds %u persons%s", load.persons, load.read ? ", read from the file" : "");
    if (load.omitted > 0)
        g_warning(
            "brp: %u records of the file are left out: put aside, or with a number that fails the 11-test",
            load.omitted);
    return TRUE;
}

/* A log record needs a URI; without one configured it is that of the activity in the node's own register. */
static char *activity_of(Node *node)
{
    const char *activity = config_text(node_config(node), "brp", "activity");
    if (activity != NULL)
        return g_strdup(activity);
    const char *address = node_manager_address(node);
    return address != NULL ? g_strconcat(address, ACTIVITY, NULL) : g_strdup("urn:fundament:verstrekken");
}

static void brp_stop(gpointer context)
{
    BrpApi *api = context;
    g_time_zone_unref(api->zone);
    g_free(api->activity);
    g_free(api);
}

static gpointer brp_start(Node *node, GError **error)
{
    if (!load_persons(node, error))
        return NULL;
    BrpApi *api = g_new0(BrpApi, 1);
    api->node = node;
    api->activity = activity_of(node);
    api->zone = g_time_zone_new_identifier("Europe/Amsterdam");
    if (api->zone == NULL)
        api->zone = g_time_zone_new_utc();
    return api;
}

const Component brp_component = {
    .name = "brp",
    .needs = NEEDS,
    .config = CONFIG,
    .n_config = G_N_ELEMENTS(CONFIG),
    .routes = ROUTES,
    .n_routes = G_N_ELEMENTS(ROUTES),
    .documents = DOCUMENTS,
    .n_documents = G_N_ELEMENTS(DOCUMENTS),
    .start = brp_start,
    .stop = brp_stop,
};
