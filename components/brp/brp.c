#include "components/brp/brp.h"

#include "components/brp/api.h"
#include "components/brp/store.h"

static const ConfigKey CONFIG[] = {
    {"brp", "persons", CONFIG_FILE, FALSE, NULL,
     "persons in the shape of the personen-mock, loaded at start when the file changed"},
    {"brp", "activity", CONFIG_TEXT, FALSE, "brp-verstrekken",
     "URI of the processing activity under which data is given out"},
};

static const Route ROUTES[] = {
    {LISTENER_SERVICE, "POST", "/haalcentraal/api/brp/personen", brp_api_persons, 64 * 1024,
     "brp-personen-bevragen"},
};

static const char *const NEEDS[] = {"logboek", "fsc", NULL};

static gpointer brp_start(Node *node, GError **error)
{
    const char *path = config_text(node_config(node), "brp", "persons");
    guint count = 0;
    if (path != NULL && !brp_store_load(node_store(node), path, &count, error))
        return NULL;
    if (path != NULL)
        g_info("the register holds %u persons", count);
    BrpApi *api = g_new0(BrpApi, 1);
    api->node = node;
    api->activity = config_text(node_config(node), "brp", "activity");
    return api;
}

const Component brp_component = {
    .name = "brp",
    .needs = NEEDS,
    .config = CONFIG,
    .n_config = G_N_ELEMENTS(CONFIG),
    .routes = ROUTES,
    .n_routes = G_N_ELEMENTS(ROUTES),
    .start = brp_start,
    .stop = g_free,
};
