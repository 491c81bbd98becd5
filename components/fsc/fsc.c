/* fsc: registration of the component; what of it depends on node.conf. */
#include "components/fsc/internal.h"

#include <string.h>

#include "components/fsc/address.h"
#include "components/fsc/catalogue_private.h"
#include "components/fsc/delivery.h"
#include "components/fsc/pages.h"
#include "components/fsc/edge_counters.h"
#include "components/fsc/policy.h"
#include "components/fsc/recent.h"
#include "components/fsc/traffic.h"
#include "components/logboek/logboek.h"
#include "core/base/error.h"
#include "core/base/identifiers.h"
#include "core/net/inward.h"
#include "core/node/outbox.h"

#define BODY_MAX (1024 * 1024)
#define FORM_MAX (16 * 1024)
#define TRAFFIC_INTERVAL_S (60 * 60)
#define ANNOUNCE_INTERVAL_S (60 * 60)
#define RENEW_INTERVAL_S (10 * 60)
#define RECONCILE_INTERVAL_S (5 * 60)
#define PROBE_INTERVAL_S (5 * 60)
#define CATALOGUE_INTERVAL_S 10
#define POLICY_INTERVAL_S 10
#define FOLLOW_US (500 * G_TIME_SPAN_MILLISECOND)
#define FOLLOW_OVERLAP_MS 10000

static const ConfigKey keys[] = {
    {"fsc", "manager_address", CONFIG_URL, TRUE, NULL, "how other Managers reach ours: https://host:8443"},
    {"fsc", "inway_address", CONFIG_URL, FALSE, NULL,
     "how Outways reach our Inway: https://host:443; none: no services are offered"},
    {"fsc", "peer_networks", CONFIG_LIST, FALSE, NULL,
     "private networks in which other Peers are, as 10.20.0.0/16; all others that point inwards are refused"},
    {"fsc", "directory", CONFIG_OIN, FALSE, NULL, "Peer ID of the group's Directory"},
    {"fsc", "directory_address", CONFIG_URL, FALSE, NULL, "address of its Manager"},
    {"fsc", "policy", CONFIG_FILE, FALSE, NULL,
     "the signing policy: which proposals are accepted or rejected without a person (docs/policy.md)"},
    {"fsc", "decision_point", CONFIG_URL, FALSE, NULL,
     "the decision point (AuthZEN) that rules with decide = ask ask: https://..."},
    {"fsc", "decision_point_anchors", CONFIG_FILE, FALSE, NULL,
     "trust anchors of its certificate (PEM); default those of the group"},
    {"fsc", "decision_point_mtls", CONFIG_BOOLEAN, FALSE, "yes",
     "yes: the Manager's certificate is shown to it"},
    {"fsc", "decision_point_timeout", CONFIG_INTEGER, FALSE, "5s", "how long it may take to answer"},
    {"fsc", "accept_publications", CONFIG_BOOLEAN, FALSE, "no",
     "yes on the Directory: publications of every Peer are accepted"},
    {"fsc", "traffic_retention", CONFIG_INTEGER, FALSE, "90d",
     "how long the numbers of traffic are kept; by the minute at most 14 days"},
    {"fsc", "reconcile_interval", CONFIG_INTEGER, FALSE, "5m",
     "how often contracts are compared with those of each Peer, and accepts under an old certificate "
     "renewed"},
    {"fsc", "probe_interval", CONFIG_INTEGER, FALSE, "5m",
     "how often each Peer is asked for its version, and its clock compared with ours"},
    {"fsc", "four_eyes", CONFIG_BOOLEAN, FALSE, "no",
     "yes: what people sign needs two of them, one who asks and another who confirms"},
    {"fsc", "four_eyes_within", CONFIG_INTEGER, FALSE, "3d", "how long the second has to confirm"},
    {"service.*", "upstream", CONFIG_TEXT, FALSE, NULL,
     "unix:PATH or ip:port of the service; default our own service socket"},
    {"service.*", "accept", CONFIG_LIST, FALSE, NULL,
     "Peers whose connections are accepted without asking; *: every Peer"},
    {"service.*", "title", CONFIG_TEXT, FALSE, NULL, "what the catalogue calls the service"},
    {"service.*", "title_en", CONFIG_TEXT, FALSE, NULL, "the same in English"},
    {"service.*", "description", CONFIG_TEXT, FALSE, NULL, "what the service does, for the catalogue"},
    {"service.*", "description_en", CONFIG_TEXT, FALSE, NULL, "the same in English"},
    {"service.*", "contact_name", CONFIG_TEXT, FALSE, NULL, "who answers questions about the service"},
    {"service.*", "contact_email", CONFIG_TEXT, FALSE, NULL, "and at which e-mail address"},
    {"service.*", "contact_url", CONFIG_URL, FALSE, NULL, "or on which page"},
    {"service.*", "licence", CONFIG_URL, FALSE, NULL, "under which licence the service may be used"},
    {"service.*", "access_rights", CONFIG_TEXT, FALSE, NULL,
     "public, restricted (taken when absent) or non-public"},
    {"service.*", "openapi", CONFIG_URL, FALSE, NULL, "where the description of the API is"},
    {"service.*", "documentation", CONFIG_URL, FALSE, NULL, "a page that explains the service"},
    {"service.*", "theme", CONFIG_LIST, FALSE, NULL,
     "codes of the European list of themes, such as GOVE or SOCI; GOVE is taken when absent"},
    {"service.*", "keywords", CONFIG_LIST, FALSE, NULL, "words to find the service by"},
    {"catalogue", "address", CONFIG_URL, FALSE, NULL,
     "Directory: where people find the catalogue; default the address of the Manager"},
    {"catalogue", "title", CONFIG_TEXT, FALSE, NULL, "what the catalogue is called"},
    {"catalogue", "title_en", CONFIG_TEXT, FALSE, NULL, "the same in English"},
    {"catalogue", "description", CONFIG_TEXT, FALSE, NULL, "one sentence about it"},
    {"catalogue", "description_en", CONFIG_TEXT, FALSE, NULL, "the same in English"},
    {"catalogue", "contact_name", CONFIG_TEXT, FALSE, NULL, "who answers questions about the catalogue"},
    {"catalogue", "contact_email", CONFIG_TEXT, FALSE, NULL, "and at which e-mail address"},
    {"catalogue", "contact_url", CONFIG_URL, FALSE, NULL, "or on which page"},
    {"catalogue", "licence", CONFIG_URL, FALSE, NULL, "of the catalogue's own data; default CC0"},
    {"catalogue", "descriptions", CONFIG_FILE, FALSE, NULL,
     "JSON: what the Directory's editors write of services that their providers do not describe"},
    {"client.*", "listen", CONFIG_ADDRESS, TRUE, NULL,
     "the loopback address at which this client finds our Outway"},
    {"client.*", "grants", CONFIG_LIST, FALSE, NULL,
     "what it may use: grant hashes, SERVICE.PEERID, SERVICE.*"},
};

static const Route routes[] = {
    {LISTENER_MANAGER, "PUT", "/v1/announce", manager_announce, FORM_MAX, NULL},
    {LISTENER_MANAGER, "POST", "/v1/contracts", manager_submit, BODY_MAX, NULL},
    {LISTENER_MANAGER, "GET", "/v1/contracts", manager_contracts, 0, NULL},
    {LISTENER_MANAGER, "PUT", "/v1/contracts/{hash}/accept", manager_accept, BODY_MAX, NULL},
    {LISTENER_MANAGER, "PUT", "/v1/contracts/{hash}/reject", manager_reject, BODY_MAX, NULL},
    {LISTENER_MANAGER, "PUT", "/v1/contracts/{hash}/revoke", manager_revoke, BODY_MAX, NULL},
    {LISTENER_MANAGER, "POST", "/v1/token", manager_token, FORM_MAX, NULL, manager_token_is_quick},
    {LISTENER_MANAGER, "GET", "/v1/peer", manager_peer, 0, NULL},
    {LISTENER_MANAGER, "GET", "/v1/peers", directory_list_peers, 0, NULL},
    {LISTENER_MANAGER, "GET", "/v1/services", directory_list_services, 0, NULL},
    {LISTENER_MANAGER, "GET", "/v1/.well-known/jwks.json", manager_jwks, 0, NULL},
    {LISTENER_MANAGER, "GET", "/v1/logs", logs_list, 0, NULL},
    {LISTENER_MANAGER, "GET", "/fsc/v1/services", catalogue_describe, 0, NULL},
    {LISTENER_PORTAL, "GET", "/catalogus", catalogue_list, 0, NULL},
    {LISTENER_PORTAL, "GET", "/catalogus.jsonld", catalogue_json_ld, 0, NULL},
    {LISTENER_PORTAL, "GET", "/catalogus.ttl", catalogue_turtle, 0, NULL},
    {LISTENER_PORTAL, "GET", "/catalogus/v1/catalog", catalogue_negotiated, 0, NULL},
    {LISTENER_PORTAL, "GET", "/catalogus/v1/services", catalogue_api_services, 0, NULL},
    {LISTENER_PORTAL, "GET", "/catalogus/{peer}/{service}", catalogue_service, 0, NULL},
    {LISTENER_PORTAL, "GET", "/catalogus/{peer}/{service}/{delegator}", catalogue_service, 0, NULL},
    {LISTENER_ADMIN, "GET", "/fsc/v1/catalogue", catalogue_admin, 0, NULL},
    {LISTENER_OFFICE, "GET", "/", fsc_page_home, 0, NULL},
    {LISTENER_OFFICE, "GET", "/contracten", fsc_page_contracts, 0, NULL},
    {LISTENER_OFFICE, "GET", "/contracten/{hash}", fsc_page_contract, 0, NULL},
    {LISTENER_OFFICE, "GET", "/contracten/{hash}/{decision}", fsc_page_decide, 0, NULL},
    {LISTENER_OFFICE, "POST", "/contracten/{hash}/{decision}", fsc_page_decide_post, FORM_MAX, NULL},
    {LISTENER_OFFICE, "POST", "/voornemens/{hash}", fsc_page_withdraw, FORM_MAX, NULL},
    {LISTENER_OFFICE, "GET", "/voorstellen", fsc_page_propose, 0, NULL},
    {LISTENER_OFFICE, "POST", "/voorstellen", fsc_page_propose_post, FORM_MAX, NULL},
    {LISTENER_OFFICE, "GET", "/diensten", fsc_page_services, 0, NULL},
    {LISTENER_OFFICE, "GET", "/organisaties", fsc_page_peers, 0, NULL},
    {LISTENER_OFFICE, "GET", "/bezorging", fsc_page_delivery, 0, NULL},
    {LISTENER_OFFICE, "POST", "/bezorging/{id}/opnieuw", fsc_page_retry, FORM_MAX, NULL},
    {LISTENER_OFFICE, "GET", "/transacties", fsc_page_transactions, 0, NULL},
    {LISTENER_OFFICE, "GET", "/verkeer", fsc_page_traffic, 0, NULL},
    {LISTENER_ADMIN, "GET", "/fsc/v1/policy", policy_admin_show, 0, NULL},
    {LISTENER_ADMIN, "POST", "/fsc/v1/policy/test", policy_admin_test, BODY_MAX, NULL},
    {LISTENER_ADMIN, "GET", "/fsc/v1/node", fsc_admin_node, 0, NULL},
    {LISTENER_ADMIN, "POST", "/fsc/v1/contracts", fsc_admin_propose, BODY_MAX, NULL},
    {LISTENER_ADMIN, "GET", "/fsc/v1/logs", fsc_admin_logs, 0, NULL},
    {LISTENER_ADMIN, "POST", "/fsc/v1/announce", fsc_admin_announce, FORM_MAX, NULL},
    {LISTENER_ADMIN, "POST", "/fsc/v1/publications", fsc_admin_publish, BODY_MAX, NULL},
    {LISTENER_ADMIN, "POST", "/fsc/v1/connections", fsc_admin_connect, BODY_MAX, NULL},
    {LISTENER_ADMIN, "GET", "/fsc/v1/contracts", fsc_admin_contracts, 0, NULL},
    {LISTENER_ADMIN, "GET", "/fsc/v1/contracts/{hash}", fsc_admin_contract, 0, NULL},
    {LISTENER_ADMIN, "POST", "/fsc/v1/contracts/{hash}/{decision}", fsc_admin_decide, FORM_MAX, NULL},
    {LISTENER_ADMIN, "GET", "/fsc/v1/services", fsc_admin_services, 0, NULL},
    {LISTENER_ADMIN, "GET", "/fsc/v1/peers", fsc_admin_peers, 0, NULL},
    {LISTENER_ADMIN, "GET", "/fsc/v1/peers/{peer_id}", fsc_admin_peer, 0, NULL},
    {LISTENER_ADMIN, "POST", "/fsc/v1/token-tests", fsc_admin_token_test, FORM_MAX, NULL},
};

static gboolean forget_traffic(Node *node, gpointer context, GError **error)
{
    const Fsc *fsc = context;
    return traffic_forget(fsc->traffic, config_integer(node_config(node), "fsc", "traffic_retention"), error);
}

static const ApiDocument documents[] = {
    {LISTENER_MANAGER, "/v1", "fsc-manager", NULL},
    {LISTENER_MANAGER, "/fsc/v1", "fsc-services", NULL},
    {LISTENER_PORTAL, "/catalogus/v1", "catalogue", NULL},
    {LISTENER_ADMIN, "/fsc/v1", "fsc-admin", NULL},
};

static const Job jobs[] = {
    {"fsc.announce", ANNOUNCE_INTERVAL_S, distribute_job},
    {"fsc.catalogue", CATALOGUE_INTERVAL_S, catalogue_ask},
    {"fsc.renew", RENEW_INTERVAL_S, upkeep_renew, "fsc", "reconcile_interval"},
    {"fsc.reconcile", RECONCILE_INTERVAL_S, upkeep_reconcile, "fsc", "reconcile_interval"},
    {"fsc.probe", PROBE_INTERVAL_S, probe_job, "fsc", "probe_interval"},
    {"fsc.traffic", TRAFFIC_INTERVAL_S, forget_traffic},
    {"fsc.policy", POLICY_INTERVAL_S, policies_job},
};

static const OutboxKind outbox_kinds[] = {
    {"fsc.contract", deliver_contract},     {"fsc.signature", deliver_signature},
    {"fsc.announce", deliver_announcement}, {"fsc.address", peers_verify_address},
    {"fsc.decision", policy_ask},
};

static const Command commands[] = {
    {"init", "[FOLDER] [options]", "make a node.conf and a folder of keys", fsc_cli_run},
    {"peers", "list | announce", "other organisations, and our own announcement", fsc_cli_run},
    {"services", "list | publish", "services in the Directory", fsc_cli_run},
    {"catalogue", "[--turtle | --json-ld]", "the services as DCAT-AP-NL", fsc_cli_run},
    {"connect", "SERVICE.PEER [--wait]", "connect our Outway to a service", fsc_cli_run},
    {"contract", "propose | list | show | accept | reject | revoke", "contracts", fsc_cli_run},
    {"policy", "test CONTRACT | check [FILE] | show", "the signing policy, and what it says of a contract",
     fsc_cli_run},
    {"token", "SERVICE.PEER | GRANT_HASH", "ask for an access token, and show its claims", fsc_cli_run},
    {"logs", "[--peer PEER] [options]", "the transaction log, ours or a Peer's", fsc_cli_run},
    {"states", "", "the states of contracts as a table", fsc_cli_run},
    {"announce", "", "short for peers announce", fsc_cli_run},
    {"publish", "SERVICE", "short for services publish", fsc_cli_run},
    {"contracts", "", "short for contract list", fsc_cli_run},
    {"show", "HASH", "short for contract show", fsc_cli_run},
    {"accept", "HASH", "short for contract accept", fsc_cli_run},
    {"reject", "HASH", "short for contract reject", fsc_cli_run},
    {"revoke", "HASH", "short for contract revoke", fsc_cli_run},
    {"doctor", "[SERVICE.PEER | GRANT_HASH | PEER]", "test connections step by step", fsc_cli_run},
};

static const OfficeLink office[] = {
    {"/", "fsc.nav.home"},
    {"/contracten", "fsc.nav.contracts"},
    {"/diensten", "fsc.nav.services"},
    {"/organisaties", "fsc.nav.peers"},
    {"/bezorging", "fsc.nav.delivery"},
    {"/transacties", "fsc.nav.transactions"},
    {"/verkeer", "fsc.nav.traffic"},
};

static const char *const needs[] = {"logboek", NULL};

Fsc *fsc_of(const Node *node)
{
    return node_component(node, "fsc");
}

char *fsc_service_upstream(const Fsc *fsc, const char *service_name)
{
    const Config *config = node_config(fsc->node);
    g_autofree char *section = g_strconcat("service.", service_name, NULL);
    const char *upstream = config_text(config, section, "upstream");
    if (upstream == NULL)
        return g_strconcat("unix:", node_run_dir(fsc->node), "/service.sock", NULL);
    if (!g_str_has_prefix(upstream, "unix:"))
        return g_strdup(upstream);
    g_autofree char *folder = g_path_get_dirname(config_path(config));
    g_autofree char *path = g_canonicalize_filename(upstream + strlen("unix:"), folder);
    return g_strconcat("unix:", path, NULL);
}

/* --- our own certificates --- */

static gboolean kept_already(Fsc *fsc)
{
    const Certificate *current = node_certificate(fsc->node, ROLE_TOKEN);
    gboolean kept = FALSE;
    g_mutex_lock(&fsc->own_lock);
    for (guint i = 0; fsc->token_certificates != NULL && i < fsc->token_certificates->len && !kept; i++)
        kept = current == NULL ||
               g_str_equal(certificate_thumbprint(g_ptr_array_index(fsc->token_certificates, i)),
                           certificate_thumbprint(current));
    g_mutex_unlock(&fsc->own_lock);
    return kept;
}

/* Also what another process of this node signs with. */
static gboolean read_own_certificates(Fsc *fsc, Db *db, GError **error)
{
    GPtrArray *all = fsc_store_own_certificates(db, PURPOSE_TOKEN, fsc_now_s(fsc), error);
    if (all == NULL)
        return FALSE;
    g_mutex_lock(&fsc->own_lock);
    g_clear_pointer(&fsc->token_certificates, g_ptr_array_unref);
    fsc->token_certificates = all;
    g_mutex_unlock(&fsc->own_lock);
    return TRUE;
}

gboolean fsc_keep_own_certificates(Fsc *fsc, GError **error)
{
    static const struct {
        Role role;
        const char *purpose;
    } kept[] = {{ROLE_TOKEN, PURPOSE_TOKEN}, {ROLE_CONTRACT, PURPOSE_CONTRACT}};
    if (kept_already(fsc))
        return TRUE;
    g_autoptr(Db) db = store_take(node_store(fsc->node), error);
    if (db == NULL)
        return FALSE;
    for (gsize i = 0; i < G_N_ELEMENTS(kept); i++) {
        const Certificate *certificate = node_certificate(fsc->node, kept[i].role);
        if (certificate != NULL && !fsc_store_put_certificate(db, certificate, kept[i].purpose, error))
            return FALSE;
    }
    return read_own_certificates(fsc, db, error);
}

GPtrArray *fsc_token_certificates(Fsc *fsc)
{
    g_mutex_lock(&fsc->own_lock);
    GPtrArray *all = g_ptr_array_ref(fsc->token_certificates);
    g_mutex_unlock(&fsc->own_lock);
    return all;
}

/* --- changes --- */

static void follow_change(Fsc *fsc, const char *content_hash)
{
    g_autoptr(GError) error = NULL;
    if (!agreements_reload(fsc->agreements, content_hash, fsc_now_s(fsc), &error))
        g_warning("fsc: contract %s is not used until it can be read: %s", content_hash, error->message);
    g_autoptr(Db) db = store_take(node_store(fsc->node), NULL);
    g_autoptr(StoredContract) stored = db == NULL ? NULL : fsc_store_load(db, content_hash, NULL);
    if (stored != NULL)
        tokens_forget(fsc->tokens, stored->contract);
    if (stored == NULL || contract_count(stored->contract, FALSE) > 0)
        frames_server_forget(node_frames(fsc->node));
}

void fsc_contract_changed(Fsc *fsc, const char *content_hash)
{
    follow_change(fsc, content_hash);
    outbox_wake(fsc->node);
}

/* One round: contracts with another newest signature than the last time. `seen` is what was found then,
 * content hash -> row id; the result is what is found now, or NULL when the store does not answer. */
static GHashTable *follow_once(Fsc *fsc, GHashTable *seen)
{
    g_autoptr(Db) db = store_take(node_store(fsc->node), NULL);
    if (db == NULL || !read_own_certificates(fsc, db, NULL))
        return NULL;
    g_autoptr(GPtrArray) changed = fsc_store_changed_since(db, fsc_now_ms(fsc) - FOLLOW_OVERLAP_MS, NULL);
    g_clear_pointer(&db, db_release);
    if (changed == NULL)
        return NULL;
    GHashTable *found = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    for (guint i = 0; i < changed->len; i++) {
        const ChangedContract *contract = g_ptr_array_index(changed, i);
        const gint64 *before = g_hash_table_lookup(seen, contract->hash);
        if (before == NULL || *before != contract->last_signature)
            follow_change(fsc, contract->hash);
        g_hash_table_replace(found, g_strdup(contract->hash),
                             g_memdup2(&contract->last_signature, sizeof contract->last_signature));
    }
    return found;
}

/* With PostgreSQL other processes of this node store contracts too: what they stored lately is read again
 * twice a second, looking back a while, because rows become visible only when their transaction ends. */
static gpointer follow(gpointer data)
{
    Fsc *fsc = data;
    GHashTable *seen = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    while (!g_atomic_int_get(&fsc->stopping)) {
        GHashTable *found = follow_once(fsc, seen);
        if (found != NULL) {
            g_hash_table_unref(seen);
            seen = found;
        }
        g_usleep(FOLLOW_US);
    }
    g_hash_table_unref(seen);
    return NULL;
}

/* --- start and stop --- */

static gboolean check_address(const char *key, const char *text, GError **error)
{
    g_auto(Address) address = {0};
    if (text == NULL || address_parse(text, &address, error))
        return TRUE;
    g_prefix_error(error, "node.conf: [fsc] %s = %s: ", key, text);
    return FALSE;
}

/* AuthZEN 1.0.0, 11.1: the connection to the decision point MUST be secured. */
static gboolean check_decision_point(const Config *config, GError **error)
{
    const char *point = config_text(config, "fsc", "decision_point");
    if (point == NULL || g_str_has_prefix(point, "https://"))
        return TRUE;
    g_set_error(error, FUNDAMENT_ERROR, FUNDAMENT_ERROR_INVALID,
                "node.conf: [fsc] decision_point = %s: the address must begin with https://", point);
    return FALSE;
}

static gboolean read_config(Fsc *fsc, GError **error)
{
    const Config *config = node_config(fsc->node);
    const char *const *names = config_family(config, "service");
    fsc->inway_address = config_text(config, "fsc", "inway_address");
    fsc->directory = config_text(config, "fsc", "directory");
    fsc->directory_address = config_text(config, "fsc", "directory_address");
    fsc->services = names;
    if (!fsc_group_id_valid(node_group_id(fsc->node))) {
        g_set_error_literal(error, FUNDAMENT_ERROR, FUNDAMENT_ERROR_INVALID,
                            "node.conf: [node] group: 1 to 100 of a-z A-Z 0-9 . / _ -");
        return FALSE;
    }
    for (; *names != NULL; names++)
        if (!fsc_service_name_valid(*names)) {
            g_set_error(error, FUNDAMENT_ERROR, FUNDAMENT_ERROR_INVALID,
                        "node.conf: [service.%s]: a service name is 1 to 100 of a-z A-Z 0-9 - . _", *names);
            return FALSE;
        }
    return inward_check_networks(config_list(config, "fsc", "peer_networks"), error) &&
           check_address("manager_address", config_text(config, "fsc", "manager_address"), error) &&
           check_decision_point(config, error) && check_address("inway_address", fsc->inway_address, error) &&
           check_address("directory_address", fsc->directory_address, error);
}

static void stop(gpointer context)
{
    Fsc *fsc = context;
    if (logboek_of(fsc->node) != NULL)
        logboek_set_batch_done(logboek_of(fsc->node), NULL, NULL);
    g_atomic_int_set(&fsc->stopping, 1);
    if (fsc->follower != NULL)
        g_thread_join(fsc->follower);
    if (fsc->deciders != NULL)
        g_thread_pool_free(fsc->deciders, TRUE, TRUE);
    g_free(fsc->renewed_under);
    policies_free(fsc->policies);
    tokens_free(fsc->tokens);
    traffic_free(fsc->traffic);
    edge_counters_free(fsc->edge);
    catalogue_settings_free(fsc->catalogue);
    listing_free(fsc->listing);
    recent_free(fsc->recent);
    agreements_free(fsc->agreements);
    g_clear_pointer(&fsc->token_certificates, g_ptr_array_unref);
    g_hash_table_unref(fsc->fetching);
    g_mutex_clear(&fsc->fetching_lock);
    g_mutex_clear(&fsc->own_lock);
    g_free(fsc);
}

static void on_batch_done(gpointer user_data)
{
    Fsc *fsc = user_data;
    frames_server_flush(node_frames(fsc->node));
}

static gpointer start(Node *node, GError **error)
{
    Fsc *fsc = g_new0(Fsc, 1);
    fsc->node = node;
    g_mutex_init(&fsc->own_lock);
    g_mutex_init(&fsc->fetching_lock);
    fsc->fetching = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    if (read_config(fsc, error) && fsc_keep_own_certificates(fsc, error) && distribute_address(fsc, error) &&
        (fsc->catalogue = catalogue_settings_new(fsc, error)) != NULL &&
        (fsc->policies = policies_new(fsc, error)) != NULL)
        fsc->agreements = agreements_new(node_store(node), fsc_now_s(fsc), error);
    if (fsc->agreements == NULL) {
        stop(fsc);
        return NULL;
    }
    fsc->listing = listing_new();
    fsc->recent = recent_new();
    fsc->tokens = tokens_new(fsc);
    fsc->traffic = traffic_new(node_store(node), node_clock(node));
    traffic_start(fsc->traffic);
    fsc->edge = edge_counters_new();
    fsc->deciders = gateway_deciders_new(fsc);
    if (store_is_postgresql(node_store(node)))
        fsc->follower = g_thread_new("fsc follower", follow, fsc);
    if (logboek_of(node) != NULL)
        logboek_set_batch_done(logboek_of(node), on_batch_done, fsc);
    return fsc;
}

static void metrics(gpointer context, GString *out)
{
    Fsc *fsc = context;
    guint counts[CONTRACT_STATE_COUNT];
    agreements_count(fsc->agreements, fsc_now_s(fsc), counts);
    g_string_append(out, "# HELP fundament_fsc_contracts Contracts that have not ended, by state.\n"
                         "# TYPE fundament_fsc_contracts gauge\n");
    for (int state = 0; state < CONTRACT_STATE_COUNT; state++)
        g_string_append_printf(out, "fundament_fsc_contracts{state=\"%s\"} %u\n",
                               contract_state_name((ContractState)state), counts[state]);
    delivery_metrics(fsc, out);
    policies_metrics(fsc->policies, out);
    traffic_metrics(fsc->traffic, out);
    edge_counters_metrics(fsc->edge, out, g_get_monotonic_time());
}

const Component fsc_component = {
    .name = "fsc",
    .needs = needs,
    .config = keys,
    .n_config = G_N_ELEMENTS(keys),
    .routes = routes,
    .n_routes = G_N_ELEMENTS(routes),
    .documents = documents,
    .n_documents = G_N_ELEMENTS(documents),
    .jobs = jobs,
    .n_jobs = G_N_ELEMENTS(jobs),
    .outbox = outbox_kinds,
    .n_outbox = G_N_ELEMENTS(outbox_kinds),
    .frames = {[FRAME_LOG] = gateway_log,
               [FRAME_VERIFY] = gateway_decide,
               [FRAME_ROUTE] = gateway_decide,
               [FRAME_OUTCOME] = gateway_outcome,
               [FRAME_TRAFFIC] = gateway_traffic,
               [FRAME_EDGE] = gateway_edge},
    .commands = commands,
    .n_commands = G_N_ELEMENTS(commands),
    .office = office,
    .n_office = G_N_ELEMENTS(office),
    .start = start,
    .stop = stop,
    .metrics = metrics,
    .health = probe_health,
};
