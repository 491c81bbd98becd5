/* `fundament fsc connect SERVICE.PEER`: from a name to a connection that works. */
#include <stdio.h>
#include <string.h>

#include "components/fsc/cli_commands.h"
#include "components/fsc/cli_render.h"
#include "core/base/clock.h"
#include "core/base/error.h"
#include "core/base/identifiers.h"
#include "core/format/json.h"
#include "core/node/admin.h"
#include "core/node/config.h"

#define WAIT_DEFAULT_S 60
#define WAIT_MAX_S 86400
#define POLL_US (200 * G_TIME_SPAN_MILLISECOND)

typedef struct {
    char *service;
    const char *peer_id;
    const char *word; /* SERVICE.PEER */
} Target;

static void target_clear(Target *target)
{
    g_free(target->service);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Target, target_clear)

static gboolean target_read(const char *word, Target *target, GError **error)
{
    const char *dot = strrchr(word, '.');
    if (dot != NULL && dot != word && oin_valid(dot + 1)) {
        *target = (Target){g_strndup(word, (gsize)(dot - word)), dot + 1, word};
        return TRUE;
    }
    g_set_error(error, FUNDAMENT_ERROR, FUNDAMENT_ERROR_USAGE,
                "\"%s\": say SERVICE.PEER, a service and the 20 digits of who offers it", word);
    return FALSE;
}

/* --- what is there already --- */

/* The grant of this contract that gives today's Outway the service. */
static const json_t *grant_for(const json_t *contract, const Target *target, const json_t *node)
{
    const json_t *grants = json_object_get(contract, "grants");
    for (gsize i = 0; i < json_array_size(grants); i++) {
        const json_t *grant = json_array_get(grants, i), *data = json_object_get(grant, "data"),
                     *service = json_object_get(data, "service"), *outway = json_object_get(data, "outway");
        const char *key = json_string_at(json_object_get(outway, "identification"), "public_key_thumbprint");
        if (g_strcmp0(json_string_at(service, "name"), target->service) == 0 &&
            g_strcmp0(json_string_at(service, "peer_id"), target->peer_id) == 0 &&
            g_strcmp0(json_string_at(outway, "peer_id"), json_string_at(node, "peer_id")) == 0 &&
            (key == NULL || g_strcmp0(key, json_string_at(node, "outway_public_key_thumbprint")) == 0))
            return grant;
    }
    return NULL;
}

json_t *cli_find_connection(const Arguments *arguments, const char *service, const char *peer_id,
                            const char *state, int *status)
{
    const Target target = {(char *)service, peer_id, NULL};
    g_autoptr(GString) path = g_string_new("/fsc/v1/contracts");
    g_autoptr(json_t) node = cli_call(arguments, "GET", "/fsc/v1/node", NULL, status);
    cli_add_query(path, "peerId", peer_id);
    cli_add_query(path, "service", service);
    cli_add_query(path, "state", state);
    g_autoptr(json_t) answer = node == NULL ? NULL : cli_call(arguments, "GET", path->str, NULL, status);
    const json_t *contracts = json_object_get(answer, "contracts");
    for (gsize i = 0; i < json_array_size(contracts); i++) {
        const json_t *contract = json_array_get(contracts, i), *grant = grant_for(contract, &target, node);
        if (grant != NULL)
            return json_pack("{s:O, s:O}", "hash", json_object_get(contract, "hash"), "grant_hash",
                             json_object_get(grant, "hash"));
    }
    return NULL;
}

/* --- the Directory --- */

/* Peers that offer a service of this name, as "ID (name), ..."; `*found` when ours is among them. Caller
 * frees. */
static char *offered_by(const json_t *services, const Target *target, gboolean *found)
{
    GString *out = g_string_new(NULL);
    for (gsize i = 0; i < json_array_size(services); i++) {
        const json_t *data = json_object_get(json_array_get(services, i), "data"),
                     *peer = json_object_get(data, "peer");
        if (g_strcmp0(json_string_at(data, "name"), target->service) != 0)
            continue;
        *found = *found || g_strcmp0(json_string_at(peer, "id"), target->peer_id) == 0;
        g_string_append_printf(out, "%s%s (%s)", out->len > 0 ? ", " : "", json_string_at(peer, "id"),
                               json_string_at(peer, "name"));
    }
    return g_string_free(out, FALSE);
}

/* Whether the Directory lists it; with --unlisted nobody asks. A Directory that is away holds up nothing: the
 * provider decides in the end. */
static gboolean look_up(const Arguments *arguments, const Target *target, int *status)
{
    gboolean found = FALSE;
    g_autoptr(GError) error = NULL;
    g_autoptr(GString) path = g_string_new("/fsc/v1/services?limit=1000");
    if (arguments_flag(arguments, "--unlisted"))
        return TRUE;
    cli_add_query(path, "filter", target->service);
    g_autoptr(json_t) answer =
        admin_call(arguments_value(arguments, "--config"), "GET", path->str, NULL, &error);
    if (answer == NULL) {
        fprintf(stderr, "the Directory was not asked: %s\n", error->message);
        return TRUE;
    }
    g_autofree char *others = offered_by(json_object_get(answer, "services"), target, &found);
    if (found)
        return TRUE;
    g_set_error(&error, FUNDAMENT_ERROR, FUNDAMENT_ERROR_NOT_FOUND,
                "the Directory lists no %s of Peer %s%s%s; --unlisted proposes all the same", target->service,
                target->peer_id, *others != '\0' ? ", but of " : "", others);
    *status = cli_fail(error);
    return FALSE;
}

/* --- how to use it --- */

static gboolean may_use(const Config *config, const char *client, const Target *target,
                        const char *grant_hash)
{
    g_autofree char *section = g_strconcat("client.", client, NULL);
    g_autofree char *any = g_strconcat(target->service, ".*", NULL);
    const char *const *grants = config_list(config, section, "grants");
    return g_strv_contains(grants, target->word) || g_strv_contains(grants, any) ||
           g_strv_contains(grants, grant_hash);
}

static void print_advice(const Arguments *arguments, const Target *target, const char *grant_hash)
{
    gsize count = 0;
    const Component *const *components = component_table(&count);
    g_autoptr(GPtrArray) faults = g_ptr_array_new_with_free_func(g_free);
    g_autofree char *path = config_choose_path(arguments_value(arguments, "--config"));
    g_autoptr(Config) config = node_read_config(path, components, count, faults);
    gboolean found = FALSE;
    for (const char *const *name = config == NULL ? NULL : config_family(config, "client");
         name != NULL && *name != NULL; name++) {
        g_autofree char *section = g_strconcat("client.", *name, NULL);
        if (!may_use(config, *name, target, grant_hash))
            continue;
        printf("\n%s may use it through our Outway:\n  curl -H 'Host: %s' http://%s/\n", *name, target->word,
               config_text(config, section, "listen"));
        found = TRUE;
    }
    if (!found)
        printf("\nno client may use it yet; add to node.conf, and restart node and edge:\n"
               "  [client.NAME]\n  listen = 127.0.0.1:9001\n  grants = %s\n",
               target->word);
}

/* --- waiting --- */

static gboolean is_over(const json_t *contract)
{
    return g_strcmp0(json_string_at(contract, "state"), "PROPOSED") != 0;
}

/* Prints each signature as it comes. The contract at the end, or NULL when the node does not answer any more.
 */
static json_t *wait_for(const Arguments *arguments, const char *hash, gint64 patience_s, int *status)
{
    gint64 until = g_get_monotonic_time() + patience_s * G_TIME_SPAN_SECOND;
    g_autoptr(json_t) before = NULL;
    for (;;) {
        g_autoptr(json_t) now = cli_contract(arguments, hash, status);
        if (now == NULL)
            return NULL;
        g_autofree char *progress = render_progress(before, now);
        if (!arguments_flag(arguments, "--json"))
            fputs(progress, stdout);
        fflush(stdout);
        if (is_over(now) || g_get_monotonic_time() >= until)
            return g_steal_pointer(&now);
        json_decref(before);
        before = g_steal_pointer(&now);
        g_usleep(POLL_US);
    }
}

static int conclude(const Arguments *arguments, const Target *target, const json_t *contract,
                    const char *grant_hash)
{
    g_autoptr(GError) error = NULL;
    const char *state = json_string_at(contract, "state");
    gboolean works = g_strcmp0(state, "VALID") == 0 || g_strcmp0(state, "ACCEPTED") == 0;
    if (arguments_flag(arguments, "--json"))
        cli_print_json(contract);
    else if (works)
        print_advice(arguments, target, grant_hash);
    if (works)
        return 0;
    g_set_error(&error, FUNDAMENT_ERROR, FUNDAMENT_ERROR_UNAVAILABLE,
                is_over(contract)
                    ? "the contract is %s; see fundament fsc doctor %s"
                    : "the contract is still %s: not everybody has signed; see fundament fsc doctor %s",
                state, target->word);
    return cli_fail(error);
}

static int propose(const Arguments *arguments, const Target *target, gint64 patience_s)
{
    int status = 0;
    g_autoptr(GError) error = NULL;
    json_t *body = json_pack("{s:s, s:s}", "service", target->service, "peer_id", target->peer_id);
    g_autoptr(json_t) properties = cli_properties(arguments, &error);
    if (properties == NULL || !cli_add_period(arguments, body, &error)) {
        json_decref(body);
        return cli_fail(error);
    }
    if (json_object_size(properties) > 0)
        json_object_set(body, "properties", properties);
    g_autoptr(json_t) answer = cli_call(arguments, "POST", "/fsc/v1/connections", body, &status);
    if (answer == NULL)
        return status;
    if (!arguments_flag(arguments, "--wait"))
        return cli_print_proposal(arguments, answer);
    if (!arguments_flag(arguments, "--json"))
        cli_print_proposal(arguments, answer);
    g_autoptr(json_t) contract = wait_for(arguments, json_string_at(answer, "hash"), patience_s, &status);
    return contract == NULL ? status
                            : conclude(arguments, target, contract, json_string_at(answer, "grant_hash"));
}

int cli_connect(const Arguments *arguments)
{
    int status = 0;
    gint64 patience_s = WAIT_DEFAULT_S;
    g_autoptr(GError) error = NULL;
    g_auto(Target) target = {0};
    if (!target_read(arguments_word(arguments, 0), &target, &error) ||
        !arguments_number(arguments, "--timeout", WAIT_MAX_S, &patience_s, &error))
        return cli_fail(error);
    g_autoptr(json_t) there =
        arguments_flag(arguments, "--again")
            ? NULL
            : cli_find_connection(arguments, target.service, target.peer_id, "VALID", &status);
    if (status != 0)
        return status;
    if (there == NULL)
        return look_up(arguments, &target, &status) ? propose(arguments, &target, patience_s) : status;
    if (arguments_flag(arguments, "--json"))
        return cli_print_json(there);
    printf("connected already\ncontract %s\ngrant    %s\n", json_string_at(there, "hash"),
           json_string_at(there, "grant_hash"));
    print_advice(arguments, &target, json_string_at(there, "grant_hash"));
    return 0;
}
