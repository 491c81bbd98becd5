#include "core/node/node_private.h"

#include <errno.h>
#include <glib/gstdio.h>
#include <string.h>

#include "core/base/error.h"
#include "core/node/officer.h"

#define LIMIT_KEYS 10000
#define ADDRESS_FACTOR 10 /* many people may share one address */
#define TEST_OIN "00000099999999999000"

const Config *node_config(const Node *node)
{
    return node->config;
}

const Clock *node_clock(const Node *node)
{
    return node->clock;
}

Store *node_store(const Node *node)
{
    return node->store;
}

HttpClient *node_client(const Node *node)
{
    return node->client;
}

FramesServer *node_frames(const Node *node)
{
    return node->frames;
}

const Pseudonymizer *node_pseudonymizer(const Node *node)
{
    return node->pseudonymizer;
}

const char *node_oin(const Node *node)
{
    return node->oin;
}

const char *node_name(const Node *node)
{
    return node->name;
}

const char *node_group_id(const Node *node)
{
    return config_text(node->config, "node", "group");
}

const char *node_data_dir(const Node *node)
{
    return config_text(node->config, "node", "data");
}

const char *node_run_dir(const Node *node)
{
    return config_text(node->config, "node", "run");
}

const char *node_manager_address(const Node *node)
{
    return config_text(node->config, "fsc", "manager_address");
}

gpointer node_component(const Node *node, const char *name)
{
    for (guint i = 0; i < node->running->len; i++) {
        const Running *running = &g_array_index(node->running, Running, i);
        if (strcmp(running->component->name, name) == 0)
            return running->context;
    }
    return NULL;
}

/* --- making --- */

static gboolean make_folder(const char *path, GError **error)
{
    if (g_mkdir_with_parents(path, 0700) == 0)
        return TRUE;
    g_set_error(error, FUNDAMENT_ERROR, FUNDAMENT_ERROR_IO, "cannot make the folder %s: %s", path,
                g_strerror(errno));
    return FALSE;
}

/* NULL, no limit, when the rate is 0. */
static Limits *limits_from(const Config *config, const char *rate, const char *burst, guint factor)
{
    double per_second = (double)config_integer(config, "limits", rate) * factor;
    double at_once = (double)config_integer(config, "limits", burst) * factor;
    return per_second > 0 ? limits_new(per_second, MAX(at_once, 1), LIMIT_KEYS) : NULL;
}

/* The OIN and name of the organisation. Tests may do without keys. */
static gboolean name_node(Node *node, gboolean test, GError **error)
{
    const Certificate *certificate = node->identity->certificates[ROLE_MANAGER];
    for (int role = 0; test && certificate == NULL && role < ROLE_COUNT; role++)
        certificate = node->identity->certificates[role];
    if (certificate == NULL && !test) {
        g_set_error(error, FUNDAMENT_ERROR, FUNDAMENT_ERROR_NOT_FOUND,
                    "%s: there are no manager.key and manager.crt, which say whose node this is",
                    config_text(node->config, "node", "keys"));
        return FALSE;
    }
    const char *name = certificate == NULL ? NULL : certificate_peer_name(certificate);
    node->oin = g_strdup(certificate == NULL ? TEST_OIN : certificate_peer_id(certificate));
    node->name = g_strdup(name == NULL ? node->oin : name);
    return TRUE;
}

static void set_paths(Node *node)
{
    for (Role role = 0; role < ROLE_COUNT; role++) {
        node->paths[role][0] = identity_path(node->config, role, "crt");
        node->paths[role][1] = identity_path(node->config, role, "key");
        node->tls[role] = (TlsIdentity){
            .certificate_path = node->paths[role][0],
            .key_path = node->paths[role][1],
            .anchors_path = config_text(node->config, "node", "anchors"),
            .crl_path = config_text(node->config, "node", "crl"),
        };
    }
}

static gboolean load_identity(Node *node, gboolean test, GError **error)
{
    node->identity_stamp = identity_stamp(node->config);
    node->identity = identity_load(node->config, error);
    if (node->identity == NULL || !name_node(node, test, error))
        return FALSE;
    set_paths(node);
    gboolean anchors = g_file_test(config_text(node->config, "node", "anchors"), G_FILE_TEST_EXISTS);
    if (((anchors || !test) && !node_load_anchors(node, error)) || !node_load_officer_anchors(node, error))
        return FALSE;
    node->pseudonymizer = pseudonymizer_load(config_text(node->config, "node", "keys"), node->oin, error);
    return node->pseudonymizer != NULL;
}

/* Faults were reported when the configuration was read. */
static Officers *officers_from(const Config *config)
{
    g_autoptr(GPtrArray) faults = g_ptr_array_new_with_free_func(g_free);
    return officers_new(config, faults);
}

Node *node_new(const Config *config, Store *store, const Clock *clock, gboolean test, GError **error)
{
    Node *node = g_new0(Node, 1);
    node->config = config;
    node->store = store;
    node->clock = clock;
    g_mutex_init(&node->anchors_lock);
    g_mutex_init(&node->identity_lock);
    g_rw_lock_init(&node->frames_lock);
    g_rw_lock_init(&node->threads_lock);
    node->retired = g_ptr_array_new_with_free_func((GDestroyNotify)identity_free);
    node->running = g_array_new(FALSE, TRUE, sizeof(Running));
    node->officers = officers_from(config);
    node->metrics = request_metrics_new();
    node->peer_limits = limits_from(config, "peer_per_second", "peer_burst", 1);
    node->portal_limits = limits_from(config, "portal_per_second", "portal_burst", 1);
    node->address_limits = limits_from(config, "portal_per_second", "portal_burst", ADDRESS_FACTOR);
    node->started_ms = clock_now_ms(clock);
    if (!make_folder(node_data_dir(node), error) || !make_folder(node_run_dir(node), error) ||
        !make_folder(config_text(config, "node", "keys"), error) || !load_identity(node, test, error)) {
        node_free(node);
        return NULL;
    }
    node->client = http_client_new();
    return node;
}

void node_free(Node *node)
{
    if (node == NULL)
        return;
    node_stop_components(node);
    frames_server_stop(node->frames);
    http_client_free(node->client);
    pseudonymizer_free(node->pseudonymizer);
    for (int role = 0; role < ROLE_COUNT; role++) {
        g_free(node->paths[role][0]);
        g_free(node->paths[role][1]);
    }
    identity_free(node->identity);
    g_ptr_array_unref(node->retired);
    officers_free(node->officers);
    g_clear_pointer(&node->anchors, trust_anchors_unref);
    g_clear_pointer(&node->officer_anchors, trust_anchors_unref);
    g_mutex_clear(&node->anchors_lock);
    g_mutex_clear(&node->identity_lock);
    g_rw_lock_clear(&node->frames_lock);
    g_rw_lock_clear(&node->threads_lock);
    g_array_unref(node->running);
    limits_free(node->peer_limits);
    limits_free(node->portal_limits);
    limits_free(node->address_limits);
    request_metrics_free(node->metrics);
    disk_free(node->disk);
    g_free(node->oin);
    g_free(node->name);
    g_clear_pointer(&node->own_store, store_close);
    config_free(node->own_config);
    g_free(node);
}

Node *node_new_for_test(const Config *config, Store *store, const Clock *clock, GError **error)
{
    if (!node_migrate(store, NULL, 0, error))
        return NULL;
    return node_new(config, store, clock, TRUE, error);
}

/* --- components --- */

static void claim_frames(Node *node, const Running *running)
{
    for (gsize type = 0; type < G_N_ELEMENTS(node->frame_handlers); type++) {
        if (running->component->frames[type] != NULL) {
            node->frame_handlers[type] = running->component->frames[type];
            node->frame_contexts[type] = running->context;
        }
    }
}

gboolean node_start_component(Node *node, const Component *component, GError **error)
{
    gpointer context = component->start == NULL ? node : component->start(node, error);
    if (context == NULL) {
        g_prefix_error(error, "component %s: ", component->name);
        return FALSE;
    }
    Running running = {.component = component, .context = context};
    g_array_append_val(node->running, running);
    claim_frames(node, &running);
    return TRUE;
}

gboolean node_start_components(Node *node, const Component *const *components, gsize n_components,
                               GError **error)
{
    for (gsize i = 0; i < n_components; i++) {
        if (node_component_on(node->config, components[i]) &&
            !node_start_component(node, components[i], error))
            return FALSE;
    }
    return TRUE;
}

void node_stop_components(Node *node)
{
    /* From here on workers hear that the node is stopping; who waits for an answer still gets it, up to the
     * end. */
    g_rw_lock_writer_lock(&node->frames_lock);
    node->frames_serving = FALSE;
    g_rw_lock_writer_unlock(&node->frames_lock);
    for (guint i = node->running->len; i > 0; i--) {
        const Running *running = &g_array_index(node->running, Running, i - 1);
        if (running->component->stop != NULL)
            running->component->stop(running->context);
        g_array_set_size(node->running, i - 1);
    }
}
