#include "components/inzage/inzage.h"

#include "components/inzage/internal.h"
#include "components/inzage/pages.h"
#include "core/base/error.h"

#define REGISTER_FRESH_MS (10 * 60 * 1000)
#define FORM_MAX 4096

static const ConfigKey CONFIG[] = {
    {"inzage", "address", CONFIG_URL, TRUE, NULL,
     "where people find the portal, e.g. https://portal.example.nl:443"},
    {"inzage", "outway", CONFIG_ADDRESS, TRUE, NULL,
     "the [client.*] port of our own Outway through which logbooks and the register are asked"},
    {"inzage", "register", CONFIG_OIN, TRUE, NULL,
     "the register of persons that shows people their own data"},
    {"inzage", "test_persons", CONFIG_FILE, FALSE, NULL,
     "persons to choose from at the test sign-in (only with [node] mode = test), in the shape of the "
     "personen-mock"},
    {"inzage", "activity", CONFIG_TEXT, FALSE, "inzage",
     "id in the register of processing activities under which a person's look at their own data is logged"},
};

static const Route ROUTES[] = {
    {LISTENER_PORTAL, "GET", "/", page_home, 0, NULL},
    {LISTENER_PORTAL, "GET", "/aanmelden", page_sign_in, 0, NULL},
    {LISTENER_PORTAL, "POST", "/aanmelden", page_sign_in_post, FORM_MAX, NULL},
    {LISTENER_PORTAL, "POST", "/afmelden", page_sign_out, FORM_MAX, NULL},
    {LISTENER_PORTAL, "GET", "/gebruik", page_uses, 0, NULL},
    {LISTENER_PORTAL, "GET", "/gebruik.json", page_uses_json, 0, NULL},
    {LISTENER_PORTAL, "GET", "/gebruik/{trace}", page_case, 0, NULL},
    {LISTENER_PORTAL, "GET", "/gegevens", page_data, 0, NULL},
    {LISTENER_PORTAL, "GET", "/gegevens.json", page_data_json, 0, NULL},
    {LISTENER_PORTAL, "GET", "/afdruk", page_print, 0, NULL},
};

static const char *const NEEDS[] = {"logboek", "fsc", NULL};

static void inzage_stop(gpointer context)
{
    Inzage *inzage = context;
    g_clear_pointer(&inzage->testers, g_ptr_array_unref);
    g_clear_pointer(&inzage->zone, g_time_zone_unref);
    register_cache_free(inzage->registers);
    g_free(inzage);
}

static gboolean load_testers(Inzage *inzage, GError **error)
{
    const char *path = config_text(node_config(inzage->node), "inzage", "test_persons");
    if (!inzage->test || path == NULL)
        return TRUE;
    g_autoptr(GDateTime) now = g_date_time_new_from_unix_utc(clock_now_s(node_clock(inzage->node)));
    g_autofree char *today = g_date_time_format(now, "%Y%m%d");
    inzage->testers = testers_load(path, today, error);
    return inzage->testers != NULL;
}

static gpointer inzage_start(Node *node, GError **error)
{
    const Config *config = node_config(node);
    Inzage *inzage = g_new0(Inzage, 1);
    inzage->node = node;
    inzage->outway = config_text(config, "inzage", "outway");
    inzage->register_oin = config_text(config, "inzage", "register");
    inzage->activity = config_text(config, "inzage", "activity");
    inzage->test = g_strcmp0(config_text(config, "node", "mode"), "test") == 0;
    inzage->registers = register_cache_new(REGISTER_FRESH_MS);
    inzage->zone = g_time_zone_new_identifier(TIME_ZONE);
    if (inzage->zone == NULL)
        inzage->zone = g_time_zone_new_utc();
    page_set_site(node_name(node), inzage->test);
    if (load_testers(inzage, error))
        return inzage;
    inzage_stop(inzage);
    return NULL;
}

const Component inzage_component = {
    .name = "inzage",
    .needs = NEEDS,
    .config = CONFIG,
    .n_config = G_N_ELEMENTS(CONFIG),
    .routes = ROUTES,
    .n_routes = G_N_ELEMENTS(ROUTES),
    .start = inzage_start,
    .stop = inzage_stop,
};
