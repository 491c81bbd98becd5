/* The table of `fundament fsc ...`: which commands there are, and how a command line finds its row. */
#include "components/fsc/cli.h"

#include <stdio.h>
#include <string.h>

#include "components/fsc/cli_commands.h"
#include "components/fsc/internal.h"
#include "core/base/error.h"
#include "core/node/suggest.h"

#define OPTIONS(table) (table), G_N_ELEMENTS(table)

#define PERIOD                                                                                               \
    {"--not-before", "DATE", "when it begins: 2027-01-01 or an RFC 3339 time; default now", FALSE},          \
        {"--not-after", "DATE", "when it ends; default a year after its beginning", FALSE},                  \
    {                                                                                                        \
        "--valid-for", "TIME", "instead of --not-after: 12h, 90d, 4w or 2y", FALSE                           \
    }
#define PROPERTIES                                                                                           \
    {"--property", "NAME=VALUE", "a property of the grant; VALUE is JSON when it is that, else text", TRUE}, \
    {                                                                                                        \
        "--properties", "FILE", "properties from a file with one JSON object", FALSE                         \
    }
#define PAGES                                                                                                \
    {"--limit", "NUMBER", "at most so many", FALSE},                                                         \
    {                                                                                                        \
        "--cursor", "CURSOR", "go on where the page before ended", FALSE                                     \
    }

static const OptionSpec init_options[] = {
    {"--oin", "OIN", "the organisation, 20 digits", FALSE},
    {"--organization", "NAME", "its name, as its certificates have it", FALSE},
    {"--group", "ID", "the FSC group", FALSE},
    {"--domain", "DOMAIN", "others find this node at manager.DOMAIN and inway.DOMAIN", FALSE},
    {"--address", "IP", "where the edge listens", FALSE},
    {"--directory", "PEER", "Peer ID of the group's Directory; none: this node is it", FALSE},
    {"--directory-address", "URL", "of its Manager", FALSE},
    {"--service", "NAME[=IP:PORT]", "a service that this node offers", TRUE},
    {"--client", "NAME=IP:PORT", "a client of our Outway and its own loopback address", TRUE},
    {"--pki", "FOLDER", "certificates from this test PKI (fundament pki create), not requests", FALSE},
    {"--test", NULL, "for trying out: mode = test", FALSE},
};
static const OptionSpec services_list_options[] = {
    {"--peer", "PEER", "only of this Peer", FALSE},
    PAGES,
};
static const OptionSpec catalogue_options[] = {
    {"--turtle", NULL, "as Turtle", FALSE},
    {"--json-ld", NULL, "as JSON-LD (taken when nothing is said)", FALSE},
};
static const OptionSpec publish_options[] = {
    {"--directory", "PEER", "which Directory; default that of node.conf", FALSE},
    {"--protocol", "PROTOCOL", "default PROTOCOL_TCP_HTTP_1.1", FALSE},
    {"--delegator", "PEER", "publish on behalf of this Peer, who must sign too", FALSE},
    PROPERTIES,
    PERIOD,
};
static const OptionSpec propose_options[] = {
    {"--type", "TYPE", "connection (default), publication, delegated-connection or delegated-publication",
     FALSE},
    {"--service", "NAME", "the service", FALSE},
    {"--provider", "PEER", "who offers it; for publications default this node", FALSE},
    {"--delegator", "PEER", "delegated types: on whose behalf", FALSE},
    {"--service-delegator", "PEER", "connections: on whose behalf the provider offers it", FALSE},
    {"--directory", "PEER", "publications: where; default the Directory of node.conf", FALSE},
    {"--protocol", "PROTOCOL", "publications: default PROTOCOL_TCP_HTTP_1.1", FALSE},
    {"--outway-peer", "PEER", "connections: whose Outway; default this node's", FALSE},
    {"--outway-key", "THUMBPRINT", "its public key's SHA-256, 64 hexadecimal digits; default our Outway's",
     FALSE},
    {"--outway-certificate", "FILE", "or the certificate that holds that key", FALSE},
    {"--outway-domain", "NAME", "or known by a domain name in its certificate", FALSE},
    PROPERTIES,
    {"--from", "FILE", "grants from a JSON file instead: an array of up to 10", FALSE},
    PERIOD,
};
static const OptionSpec list_options[] = {
    {"--state", "STATE", "proposed, accepted, valid, rejected, revoked or expired", FALSE},
    {"--type", "TYPE", "connection, publication, delegated-connection or delegated-publication", FALSE},
    {"--peer", "PEER", "only those that this Peer must sign", FALSE},
    {"--service", "NAME", "only those about this service", FALSE},
    PAGES,
    {"--csv", NULL, "print CSV, one line a grant", FALSE},
};
static const OptionSpec loss_options[] = {
    {"--yes", NULL, "do not ask", FALSE},
};
static const OptionSpec connect_options[] = {
    {"--wait", NULL, "wait until all have signed, and tell who did", FALSE},
    {"--timeout", "SECONDS", "how long to wait; default 60", FALSE},
    {"--again", NULL, "propose also when a valid contract is there", FALSE},
    {"--unlisted", NULL, "propose also when the Directory does not list the service", FALSE},
    PROPERTIES,
    PERIOD,
};
static const OptionSpec doctor_options[] = {
    {"--call", "PATH", "also send a real GET of PATH to the service; it is logged like all", FALSE},
};
static const OptionSpec logs_options[] = {
    {"--peer", "PEER", "ask this Peer for its log, as far as we take part", FALSE},
    {"--after", "DATE", "only later ones", FALSE},
    {"--before", "DATE", "only earlier ones", FALSE},
    {"--grant", "HASH", "only with this grant", FALSE},
    {"--service", "NAME", "only of this service", FALSE},
    {"--transaction", "ID", "only this transaction", FALSE},
    PAGES,
};

#define HASH_TEXT "A contract is named by its hash, or by the beginning of what comes after $1$1$."

const CommandSpec cli_commands[] = {
    {"init", "[FOLDER]", 0, 1, "make a node.conf and a folder of keys from a few answers",
     "What is not given is asked on a terminal. Keys are made here, with requests for the certificate "
     "authority beside "
     "them. Nothing that is there already is written over.",
     OPTIONS(init_options), cli_init},
    {"peers list", "[PEER | NAME]", 0, 1, "Peers that are known here", NULL, NULL, 0, cli_peers_list},
    {"peers announce", "", 0, 0, "tell the Directory where our Manager is",
     "The node does so by itself at every start and once an hour.", NULL, 0, cli_peers_announce},
    {"services list", "[PART]", 0, 1, "services in the Directory whose name holds PART", NULL,
     OPTIONS(services_list_options), cli_services_list},
    {"services publish", "SERVICE", 1, 1, "propose to the Directory to list a service of this node", NULL,
     OPTIONS(publish_options), cli_services_publish},
    {"catalogue", "", 0, 0, "the services as DCAT-AP-NL, for other catalogues",
     "On the Directory all services of the group; elsewhere those that this node has published.",
     OPTIONS(catalogue_options), cli_catalogue},
    {"connect", "SERVICE.PEER", 1, 1,
     "connect our Outway to a service: look it up, propose, wait, say how to call it",
     "When a valid contract is there already it is shown, and nothing is proposed.", OPTIONS(connect_options),
     cli_connect},
    {"contract propose", "", 0, 0, "propose any contract, by options or from a file", NULL,
     OPTIONS(propose_options), cli_contract_propose},
    {"contract list", "", 0, 0, "contracts with their state and grants, newest first", NULL,
     OPTIONS(list_options), cli_contract_list},
    {"contract show", "HASH", 1, 1,
     "one contract: who signed what and when, what each Peer got, its grants in words", HASH_TEXT, NULL, 0,
     cli_contract_show},
    {"contract accept", "HASH", 1, 1, "accept a contract", HASH_TEXT, NULL, 0, cli_contract_accept},
    {"contract reject", "HASH", 1, 1, "reject a contract, for good", HASH_TEXT, OPTIONS(loss_options),
     cli_contract_reject},
    {"contract revoke", "HASH", 1, 1, "revoke a contract, for good", HASH_TEXT, OPTIONS(loss_options),
     cli_contract_revoke},
    {"doctor", "[SERVICE.PEER | GRANT_HASH | PEER]", 0, 1,
     "test a connection step by step, and name the first thing that is wrong with its mend",
     "Without a word: this node, and everything that its valid contracts connect. The exit status is 1 when "
     "anything is "
     "wrong. Keys and tokens are never printed.",
     OPTIONS(doctor_options), cli_doctor},
    {"token", "SERVICE.PEER | GRANT_HASH", 1, 1,
     "ask for an access token and show its claims, never the token", NULL, NULL, 0, cli_token},
    {"logs", "", 0, 0, "the transaction log: ours, or a Peer's", NULL, OPTIONS(logs_options), cli_logs},
    {"states", "", 0, 0, "the states of contracts, as the table that the program uses", NULL, NULL, 0,
     cli_states},
    {"policy test", "CONTRACT", 1, 1, "what the signing policy says of a contract, and why",
     "CONTRACT is a file with a contract or its content as JSON, or the hash of one that this node has (or "
     "its "
     "beginning). Nothing is signed and nothing is logged. The exit status is 0 for accept, 3 for wait (and "
     "for "
     "ask), 4 for reject.",
     NULL, 0, cli_policy_test},
    {"policy check", "[FILE]", 0, 1, "check a policy file; without FILE that of node.conf",
     "Every fault is reported at once, with its line. Needs no running node.", NULL, 0, cli_policy_check},
    {"policy show", "", 0, 0, "the policy that is in force, with the rules that node.conf makes", NULL, NULL,
     0, cli_policy_show},
};
const gsize cli_commands_count = G_N_ELEMENTS(cli_commands);

/* Short names for what is typed most. */
static const struct {
    const char *name, *full;
} short_names[] = {
    {"announce", "peers announce"}, {"publish", "services publish"}, {"contracts", "contract list"},
    {"show", "contract show"},      {"accept", "contract accept"},   {"reject", "contract reject"},
    {"revoke", "contract revoke"},
};

/* --- dispatch --- */

static gboolean is_of_group(const CommandSpec *spec, const char *group)
{
    gsize length = strlen(group);
    return strncmp(spec->name, group, length) == 0 && spec->name[length] == ' ';
}

static void print_group(const char *group)
{
    printf("usage: fundament fsc %s COMMAND [options]\n\nCommands:\n", group);
    for (gsize i = 0; i < cli_commands_count; i++) {
        const CommandSpec *spec = &cli_commands[i];
        if (!is_of_group(spec, group))
            continue;
        g_autofree char *help = arguments_wrap(spec->help, 27, 79);
        printf("  %-24s %s\n", spec->name + strlen(group) + 1, help);
    }
    printf("\nEach has --help.\n");
}

static int unknown_of_group(const char *group, const char *word)
{
    g_autoptr(GPtrArray) names = g_ptr_array_new();
    g_autoptr(GError) error = NULL;
    for (gsize i = 0; i < cli_commands_count; i++)
        if (is_of_group(&cli_commands[i], group))
            g_ptr_array_add(names, (gpointer)(cli_commands[i].name + strlen(group) + 1));
    g_ptr_array_add(names, NULL);
    const char *near = suggest(word, (const char *const *)names->pdata);
    g_autofree char *list = g_strjoinv(" | ", (char **)names->pdata);
    if (near != NULL)
        g_set_error(&error, FUNDAMENT_ERROR, FUNDAMENT_ERROR_USAGE,
                    "unknown command \"%s\"; did you mean \"%s %s\"?", word, group, near);
    else
        g_set_error(&error, FUNDAMENT_ERROR, FUNDAMENT_ERROR_USAGE, "usage: fundament fsc %s %s", group,
                    list);
    return cli_fail(error);
}

static const CommandSpec *find(const char *first, const char *second)
{
    for (gsize i = 0; i < cli_commands_count; i++) {
        const CommandSpec *spec = &cli_commands[i];
        if (strcmp(spec->name, first) == 0 || (second != NULL && is_of_group(spec, first) &&
                                               strcmp(spec->name + strlen(first) + 1, second) == 0))
            return spec;
    }
    return NULL;
}

static int run(const CommandSpec *spec, int argc, char **argv)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(Arguments) arguments = arguments_read(spec, argc, argv, &error);
    if (arguments == NULL)
        return cli_fail(error);
    if (!arguments_flag(arguments, "--help"))
        return spec->run(arguments);
    g_autofree char *help = arguments_help(spec);
    fputs(help, stdout);
    return 0;
}

/* "peers" alone, or with options only, lists. */
static const CommandSpec *find_list(const char *first, const char *second)
{
    gboolean bare = second == NULL || (g_str_has_prefix(second, "--") && strcmp(second, "--help") != 0);
    return bare ? find(first, "list") : NULL;
}

int fsc_cli_run(int argc, char **argv)
{
    const char *second = argc > 1 ? argv[1] : NULL;
    for (gsize i = 0; i < G_N_ELEMENTS(short_names); i++)
        if (strcmp(short_names[i].name, argv[0]) == 0)
            return run(find(short_names[i].full, NULL), argc - 1, argv + 1);
    const CommandSpec *spec = find(argv[0], second);
    if (spec != NULL) {
        int taken = strchr(spec->name, ' ') != NULL ? 2 : 1;
        return run(spec, argc - taken, argv + taken);
    }
    spec = find_list(argv[0], second);
    if (spec != NULL)
        return run(spec, argc - 1, argv + 1);
    if (second != NULL && strcmp(second, "--help") != 0)
        return unknown_of_group(argv[0], second);
    print_group(argv[0]);
    return second != NULL ? 0 : 2;
}
