/* node.conf as a whole: the keys of the node and of its components. */
#include "core/base/identifiers.h"
#include "core/node/clock_state.h"
#include "core/node/edge.h"
#include "core/node/node_private.h"
#include "core/node/officer.h"

#include <string.h>

static const char *const modes[] = {"production", "test", NULL};
static const char *const log_levels[] = {"debug", "info", "warning", NULL};

const ConfigKey node_keys[] = {
    {"node", "group", CONFIG_TEXT, TRUE, NULL, "the id of the FSC group that this node takes part in"},
    {"node", "data", CONFIG_PATH, FALSE, "data", "folder for the store and the journal"},
    {"node", "run", CONFIG_PATH, FALSE, "run", "folder for Unix sockets"},
    {"node", "keys", CONFIG_PATH, FALSE, "keys",
     "folder with ROLE.key and ROLE.crt (manager inway outway contract token portal)"},
    {"node", "anchors", CONFIG_FILE, FALSE, "keys/anchor.crt", "the group's trust anchors, PEM"},
    {"node", "crl", CONFIG_FILE, FALSE, NULL,
     "certificate revocation lists, PEM; none: revocation is not checked"},
    {"node", "crl_grace", CONFIG_INTEGER, FALSE, "0s", "how long a list that is out of date still counts"},
    {"node", "store", CONFIG_TEXT, FALSE, NULL,
     "sqlite:PATH or postgresql://...; default sqlite:DATA/node.db"},
    {"node", "components", CONFIG_LIST, FALSE, NULL, "what this node is; default all that are built in"},
    {"node", "mode", CONFIG_TEXT, FALSE, "production", "only test allows signing in without proof", modes},
    {"node", "log", CONFIG_TEXT, FALSE, "info", "the least important lines that are written", log_levels},
    {"node", "disk_reserve", CONFIG_INTEGER, FALSE, "16MiB",
     "kept free in data for when the disk is full; 0: nothing"},
    {"node", "disk_warn", CONFIG_INTEGER, FALSE, "1GiB", "with less than this free, health warns"},
    {"node", "threads", CONFIG_INTEGER, FALSE, "4", "threads that handle requests, a listener"},
    {"node", "standby", CONFIG_BOOLEAN, FALSE, "no",
     "yes: a second serve on the same data folder waits, and takes over the moment that the first one ends"},
    {"node", "clock_check", CONFIG_TEXT, FALSE, "auto",
     "on: nothing is signed while the kernel calls its clock unsynchronised, or most Peers' clocks differ; "
     "auto: only "
     "the latter",
     clock_check_names},
    {"limits", "peer_per_second", CONFIG_INTEGER, FALSE, "200", "requests of one organisation; 0: no limit"},
    {"limits", "peer_burst", CONFIG_INTEGER, FALSE, "400", "how many of those may come at once"},
    {"limits", "portal_per_second", CONFIG_INTEGER, FALSE, "20",
     "requests of one session, or of one address without one; 0: no limit"},
    {"limits", "portal_burst", CONFIG_INTEGER, FALSE, "60", "how many of those may come at once"},
    {"outbox", "give_up", CONFIG_INTEGER, FALSE, "7d",
     "how long a message is tried before it is put aside as dead"},
    {"outbox", "first_retry", CONFIG_INTEGER, FALSE, "1s",
     "how long after its first failure a message is tried again; twice as long after each next one"},
    {"outbox", "max_retry", CONFIG_INTEGER, FALSE, "300s", "the longest time between two tries"},
    RETENTION_KEYS,
    EDGE_CONFIG_KEYS,
    {"office", "address", CONFIG_URL, FALSE, NULL,
     "how officers of this organisation reach its pages: https://host; none: there are no such pages"},
    {"office", "anchors", CONFIG_FILE, FALSE, NULL,
     "the internal authority of the officers' certificates, PEM"},
    {"office", "crl", CONFIG_FILE, FALSE, NULL, "its certificate revocation list, PEM"},
    {"officer.*", "thumbprint", CONFIG_TEXT, TRUE, NULL,
     "SHA-256 of the officer's public key, as fundament pki officer prints it"},
    {"officer.*", "roles", CONFIG_LIST, TRUE, NULL, "what the officer may: reader operator signer",
     officer_role_names},
    {"officer.*", "name", CONFIG_TEXT, FALSE, NULL, "the officer's name on the pages; default NAME"},
};
const gsize node_keys_count = G_N_ELEMENTS(node_keys);

const ConfigKey *node_config_keys(gsize *count)
{
    *count = node_keys_count;
    return node_keys;
}

static gboolean listed(char **words, const char *name)
{
    return words == NULL || g_strv_contains((const char *const *)words, name);
}

gboolean node_component_on(const Config *config, const Component *component)
{
    if (config_line(config, "node", "components") == 0)
        return TRUE;
    return g_strv_contains(config_list(config, "node", "components"), component->name);
}

/* The keys of a component that is off are known, but none is required. */
static ConfigKey *keys_of(const Component *component, gboolean on)
{
    ConfigKey *keys = g_memdup2(component->config, component->n_config * sizeof *keys);
    for (gsize i = 0; i < component->n_config; i++)
        keys[i].required = keys[i].required && on;
    return keys;
}

static void check_needs(const char *path, const Config *config, const Component *const *components,
                        gsize n_components, GPtrArray *faults)
{
    for (gsize i = 0; i < n_components; i++) {
        const char *const *needs = components[i]->needs;
        if (!node_component_on(config, components[i]))
            continue;
        for (; needs != NULL && *needs != NULL; needs++) {
            if (!g_strv_contains(config_list(config, "node", "components"), *needs) &&
                config_line(config, "node", "components") > 0)
                g_ptr_array_add(faults, g_strdup_printf("%s:%u: component %s needs %s; add it to components",
                                                        path, config_line(config, "node", "components"),
                                                        components[i]->name, *needs));
        }
    }
}

/* Copies of the keys of the node and of its components, as config_load() wants them. */
typedef struct {
    GPtrArray *tables; /* ConfigKey* */
    GArray *counts;    /* gsize */
} Tables;

static void tables_add(Tables *tables, ConfigKey *keys, gsize count)
{
    g_ptr_array_add(tables->tables, keys);
    g_array_append_val(tables->counts, count);
}

static Tables tables_new(void)
{
    Tables tables = {.tables = g_ptr_array_new_with_free_func(g_free),
                     .counts = g_array_new(FALSE, FALSE, sizeof(gsize))};
    tables_add(&tables, g_memdup2(node_keys, sizeof node_keys), node_keys_count);
    return tables;
}

static void tables_clear(Tables *tables)
{
    g_ptr_array_unref(tables->tables);
    g_array_unref(tables->counts);
}

static const ConfigKey *const *tables_keys(const Tables *tables)
{
    return (const ConfigKey *const *)tables->tables->pdata;
}

static const gsize *tables_counts(const Tables *tables)
{
    return (const gsize *)(gconstpointer)tables->counts->data;
}

/* A key of [node], to be changed in the copy. */
static ConfigKey *tables_own_key(const Tables *tables, const char *name)
{
    ConfigKey *keys = tables->tables->pdata[0];
    gsize i = 0;
    while (strcmp(keys[i].section, "node") != 0 || strcmp(keys[i].key, name) != 0)
        i++;
    return &keys[i];
}

/* FSC Core 2.0.0, 4.1.2. */
static void check_group(const char *path, const Config *config, GPtrArray *faults)
{
    const char *group = config_text(config, "node", "group");
    if (!fsc_group_id_valid(group))
        g_ptr_array_add(faults,
                        g_strdup_printf("%s:%u: group: \"%s\": expected 1 to 100 of a-z A-Z 0-9 . / _ -",
                                        path, config_line(config, "node", "group"), group));
}

static Config *load(const char *path, const Component *const *components, gsize n_components,
                    GPtrArray *faults)
{
    g_auto(GStrv) on = config_peek(path, "node", "components");
    g_autoptr(GPtrArray) names = g_ptr_array_new();
    Tables tables = tables_new();
    for (gsize i = 0; i < n_components; i++) {
        tables_add(&tables, keys_of(components[i], listed(on, components[i]->name)), components[i]->n_config);
        g_ptr_array_add(names, (gpointer)components[i]->name);
    }
    g_ptr_array_add(names, NULL);
    tables_own_key(&tables, "components")->choices = (const char *const *)names->pdata;
    Config *config =
        config_load(path, tables_keys(&tables), tables_counts(&tables), tables.tables->len, faults);
    tables_clear(&tables);
    if (config != NULL) {
        check_group(path, config, faults);
        check_needs(path, config, components, n_components, faults);
        officers_free(officers_new(config, faults));
    }
    if (faults->len > 0)
        g_clear_pointer(&config, config_free);
    return config;
}

Config *node_config_for_test(const char *folder, const char *text, const Component *const *components,
                             gsize n_components)
{
    g_autofree char *path = g_build_filename(folder, "node.conf", NULL);
    g_autoptr(GPtrArray) faults = g_ptr_array_new_with_free_func(g_free);
    Tables tables = tables_new();
    tables_own_key(&tables, "anchors")->kind = CONFIG_PATH; /* many tests need no certificates */
    for (gsize i = 0; i < n_components; i++)
        tables_add(&tables, keys_of(components[i], TRUE), components[i]->n_config);
    Config *config = config_parse(path, text, strlen(text), tables_keys(&tables), tables_counts(&tables),
                                  tables.tables->len, faults);
    tables_clear(&tables);
    if (config == NULL)
        g_error("%s", (const char *)faults->pdata[0]);
    return config;
}

Config *node_read_config(const char *config_path, const Component *const *components, gsize n_components,
                         GPtrArray *faults)
{
    return load(config_path, components, n_components, faults);
}

Config *node_load_config(const char *config_path, const Component *const *components, gsize n_components)
{
    g_autoptr(GPtrArray) faults = g_ptr_array_new_with_free_func(g_free);
    Config *config = load(config_path, components, n_components, faults);
    for (guint i = 0; i < faults->len; i++)
        g_printerr("%s\n", (const char *)faults->pdata[i]);
    return config;
}

char *config_choose_path(const char *given)
{
    if (given != NULL)
        return g_strdup(given);
    const char *variable = g_getenv("FUNDAMENT_CONF");
    if (variable != NULL && *variable != '\0')
        return g_strdup(variable);
    return g_strdup(g_file_test("node.conf", G_FILE_TEST_EXISTS) ? "node.conf" : "/etc/fundament/node.conf");
}
