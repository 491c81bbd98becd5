/* `fundament fsc ...`: each command is one call to the running node over its admin socket. */
#include "components/fsc/internal.h"

#include <stdio.h>
#include <string.h>

#include "core/base/error.h"
#include "core/format/json.h"
#include "core/node/admin.h"

static int usage(const char *text)
{
    g_autoptr(GError) error =
        g_error_new(FUNDAMENT_ERROR, FUNDAMENT_ERROR_USAGE, "usage: fundament fsc %s", text);
    return admin_fail(error);
}

/* Takes the body, which may be NULL. NULL when it failed; the line on stderr is then written. */
static json_t *call(const char *method, const char *path, json_t *body, int *status)
{
    g_autoptr(GError) error = NULL;
    json_t *answer = admin_call(NULL, method, path, body, &error);
    json_decref(body);
    *status = answer == NULL ? admin_fail(error) : 0;
    return answer;
}

static char *date_of(gint64 unix_s)
{
    g_autofree char *text = clock_format_rfc3339(unix_s * 1000);
    return g_strndup(text, strlen("2026-01-01T00:00"));
}

/* --- options: --name VALUE, in any place --- */

typedef struct {
    const char *name;
    const char *value; /* NULL when absent */
} Option;

/* The one argument that is no option goes to `argument`. FALSE for anything unknown. */
static gboolean read_arguments(int argc, char **argv, Option *options, gsize n_options, const char **argument)
{
    for (int i = 1; i < argc; i++) {
        gboolean known = FALSE;
        for (gsize j = 0; j < n_options && !known; j++)
            if (g_str_equal(argv[i], options[j].name) && i + 1 < argc) {
                options[j].value = argv[++i];
                known = TRUE;
            }
        if (!known && (argument == NULL || *argument != NULL || argv[i][0] == '-'))
            return FALSE;
        if (!known)
            *argument = argv[i];
    }
    return TRUE;
}

/* A date "2027-01-01" or a whole RFC 3339 time, as seconds, into the body. */
static gboolean add_time(json_t *body, const char *name, const char *text, int *status)
{
    gint64 unix_ms;
    g_autoptr(GError) error = NULL;
    if (text == NULL)
        return TRUE;
    g_autofree char *whole =
        strlen(text) == strlen("2027-01-01") ? g_strconcat(text, "T00:00:00Z", NULL) : g_strdup(text);
    if (clock_parse_rfc3339(whole, &unix_ms, &error)) {
        json_object_set_new(body, name, json_integer(unix_ms / 1000));
        return TRUE;
    }
    g_prefix_error(&error, "%s: ", text);
    *status = admin_fail(error);
    return FALSE;
}

/* --- commands --- */

int fsc_cli_announce(int argc, char **argv)
{
    int status;
    if (argc != 1)
        return usage("announce");
    g_autoptr(json_t) answer = call("POST", "/fsc/v1/announce", NULL, &status);
    if (answer != NULL)
        printf("announcing %s to the Directory %s\n", json_string_at(answer, "manager_address"),
               json_string_at(answer, "directory"));
    return status;
}

static int propose(const char *path, json_t *body)
{
    int status;
    g_autoptr(json_t) answer = call("POST", path, body, &status);
    if (answer != NULL)
        printf("contract %s\ngrant    %s\n", json_string_at(answer, "hash"),
               json_string_at(answer, "grant_hash"));
    return status;
}

int fsc_cli_publish(int argc, char **argv)
{
    int status = 0;
    const char *service = NULL;
    Option options[] = {{"--not-before", NULL}, {"--not-after", NULL}, {"--directory", NULL}};
    if (!read_arguments(argc, argv, options, G_N_ELEMENTS(options), &service) || service == NULL)
        return usage("publish SERVICE [--directory PEER] [--not-before DATE] [--not-after DATE]");
    g_autoptr(json_t) body = json_pack("{s:s}", "service", service);
    if (options[2].value != NULL)
        json_object_set_new(body, "directory", json_string(options[2].value));
    if (!add_time(body, "not_before", options[0].value, &status) ||
        !add_time(body, "not_after", options[1].value, &status))
        return status;
    return propose("/fsc/v1/publications", g_steal_pointer(&body));
}

int fsc_cli_connect(int argc, char **argv)
{
    int status = 0;
    const char *argument = NULL;
    Option options[] = {{"--not-before", NULL}, {"--not-after", NULL}};
    gboolean read = read_arguments(argc, argv, options, G_N_ELEMENTS(options), &argument);
    const char *dot = argument != NULL ? strrchr(argument, '.') : NULL;
    if (!read || dot == NULL || dot == argument)
        return usage("connect SERVICE.PEER [--not-before DATE] [--not-after DATE]");
    g_autofree char *service = g_strndup(argument, (gsize)(dot - argument));
    g_autoptr(json_t) body = json_pack("{s:s, s:s}", "service", service, "peer_id", dot + 1);
    if (!add_time(body, "not_before", options[0].value, &status) ||
        !add_time(body, "not_after", options[1].value, &status))
        return status;
    return propose("/fsc/v1/connections", g_steal_pointer(&body));
}

/* "connection brp of 0002 for 0003" */
static char *grant_line(const json_t *data)
{
    const json_t *service = json_object_get(data, "service");
    const char *outway = json_string_at(json_object_get(data, "outway"), "peer_id");
    const char *directory = json_string_at(json_object_get(data, "directory"), "peer_id");
    const char *delegator = json_string_at(json_object_get(data, "delegator"), "peer_id");
    return g_strdup_printf("%s %s.%s %s %s%s%s", outway != NULL ? "connection to" : "publication of",
                           json_string_at(service, "name"), json_string_at(service, "peer_id"),
                           outway != NULL ? "for" : "in", outway != NULL ? outway : directory,
                           delegator != NULL ? " on behalf of " : "", delegator != NULL ? delegator : "");
}

static void print_contract(const json_t *contract)
{
    g_autofree char *from = date_of(json_integer_at(contract, "not_before"));
    g_autofree char *until = date_of(json_integer_at(contract, "not_after"));
    printf("%-9s %s .. %s  %s\n", json_string_at(contract, "state"), from, until,
           json_string_at(contract, "hash"));
    const json_t *grants = json_object_get(contract, "grants");
    for (gsize i = 0; i < json_array_size(grants); i++) {
        const json_t *grant = json_array_get(grants, i);
        g_autofree char *line = grant_line(json_object_get(grant, "data"));
        printf("          %s\n          %s\n", line, json_string_at(grant, "hash"));
    }
}

int fsc_cli_contracts(int argc, char **argv)
{
    int status;
    if (argc != 1)
        return usage("contracts");
    g_autoptr(json_t) answer = call("GET", "/fsc/v1/contracts", NULL, &status);
    const json_t *contracts = json_object_get(answer, "contracts");
    for (gsize i = 0; i < json_array_size(contracts); i++)
        print_contract(json_array_get(contracts, i));
    return status;
}

static char *contract_path(const char *hash, const char *decision)
{
    g_autofree char *escaped = g_uri_escape_string(hash, NULL, FALSE);
    return g_strconcat("/fsc/v1/contracts/", escaped, decision != NULL ? "/" : NULL, decision, NULL);
}

static void print_peers(const json_t *peers)
{
    for (gsize i = 0; i < json_array_size(peers); i++) {
        const json_t *peer = json_array_get(peers, i);
        g_autoptr(GString) line = g_string_new(NULL);
        for (int type = 0; type < SIGNATURE_TYPE_COUNT; type++) {
            const char *name = signature_type_name((SignatureType)type);
            g_autofree char *when =
                json_object_get(peer, name) != NULL ? date_of(json_integer_at(peer, name)) : NULL;
            if (when != NULL)
                g_string_append_printf(line, "  %s %s", name, when);
        }
        printf("          %s %s%s\n", json_string_at(peer, "peer_id"), json_string_at(peer, "name"),
               line->len > 0 ? line->str : "  has not signed");
    }
}

int fsc_cli_show(int argc, char **argv)
{
    int status;
    if (argc != 2)
        return usage("show HASH");
    g_autofree char *path = contract_path(argv[1], NULL);
    g_autoptr(json_t) answer = call("GET", path, NULL, &status);
    if (answer == NULL)
        return status;
    print_contract(answer);
    print_peers(json_object_get(answer, "peers"));
    const json_t *waiting = json_object_get(answer, "waiting");
    for (gsize i = 0; i < json_array_size(waiting); i++) {
        const json_t *entry = json_array_get(waiting, i);
        const char *error = json_string_at(entry, "last_error");
        printf("          %s: %s to %s, tried %" G_GINT64_FORMAT " times%s%s\n",
               json_boolean_at(entry, "dead") ? "dead" : "waiting", json_string_at(entry, "kind"),
               json_string_at(entry, "peer_id"), json_integer_at(entry, "tries"), error != NULL ? ": " : "",
               error != NULL ? error : "");
    }
    g_autofree char *content = json_write(json_object_get(answer, "content"));
    printf("%s\n", content);
    return 0;
}

static int decide(int argc, char **argv, SignatureType type)
{
    int status;
    const char *decision = signature_type_name(type);
    g_autofree char *how = g_strconcat(decision, " HASH", NULL);
    if (argc != 2)
        return usage(how);
    g_autofree char *path = contract_path(argv[1], decision);
    g_autoptr(json_t) answer = call("POST", path, NULL, &status);
    if (answer != NULL)
        printf("placed %s on %s\n", decision, argv[1]);
    return status;
}

int fsc_cli_accept(int argc, char **argv)
{
    return decide(argc, argv, SIGNATURE_ACCEPT);
}

int fsc_cli_reject(int argc, char **argv)
{
    return decide(argc, argv, SIGNATURE_REJECT);
}

int fsc_cli_revoke(int argc, char **argv)
{
    return decide(argc, argv, SIGNATURE_REVOKE);
}

int fsc_cli_services(int argc, char **argv)
{
    int status;
    if (argc > 2)
        return usage("services [NAME]");
    g_autofree char *escaped = g_uri_escape_string(argc == 2 ? argv[1] : "", NULL, FALSE);
    g_autofree char *path = g_strconcat("/fsc/v1/services?name=", escaped, NULL);
    g_autoptr(json_t) answer = call("GET", path, NULL, &status);
    const json_t *offered = json_object_get(answer, "offered_by"),
                 *services = json_object_get(answer, "services");
    for (gsize i = 0; i < json_array_size(offered); i++) {
        const json_t *peer = json_array_get(offered, i);
        printf("%s.%s  %s  %s\n", argv[1], json_string_at(peer, "peer_id"), json_string_at(peer, "peer_name"),
               json_string_at(peer, "manager_address"));
    }
    for (gsize i = 0; i < json_array_size(services); i++) {
        const json_t *data = json_object_get(json_array_get(services, i), "data");
        const json_t *peer = json_object_get(data, "peer");
        printf("%s.%s  %s  %s\n", json_string_at(data, "name"), json_string_at(peer, "id"),
               json_string_at(peer, "name"), json_string_at(peer, "manager_address"));
    }
    if (json_boolean_at(answer, "stale"))
        fprintf(stderr, "the Directory does not answer; this is what it said before\n");
    return status;
}

int fsc_cli_peers(int argc, char **argv)
{
    int status;
    if (argc != 1)
        return usage("peers");
    g_autoptr(json_t) answer = call("GET", "/fsc/v1/peers", NULL, &status);
    const json_t *peers = json_object_get(answer, "peers");
    for (gsize i = 0; i < json_array_size(peers); i++) {
        const json_t *peer = json_array_get(peers, i);
        const char *address = json_string_at(peer, "manager_address");
        printf("%s  %s  %s\n", json_string_at(peer, "peer_id"), json_string_at(peer, "name"),
               address != NULL ? address : "address not verified");
    }
    return status;
}
