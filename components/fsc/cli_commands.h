/* The functions behind the rows of cli_table.c, and what several of them use. */
#pragma once

#include "components/fsc/cli.h"
#include "core/node/node.h"

int cli_init(const Arguments *arguments);
int cli_peers_list(const Arguments *arguments);
int cli_peers_announce(const Arguments *arguments);
int cli_services_list(const Arguments *arguments);
int cli_services_publish(const Arguments *arguments);
int cli_catalogue(const Arguments *arguments); /* catalogue_api.c */
int cli_contract_propose(const Arguments *arguments);
int cli_contract_list(const Arguments *arguments);
int cli_contract_show(const Arguments *arguments);
int cli_contract_accept(const Arguments *arguments);
int cli_contract_reject(const Arguments *arguments);
int cli_contract_revoke(const Arguments *arguments);
int cli_connect(const Arguments *arguments);
int cli_doctor(const Arguments *arguments);
int cli_token(const Arguments *arguments);
int cli_logs(const Arguments *arguments);
int cli_states(const Arguments *arguments);
int cli_policy_test(const Arguments *arguments);
int cli_policy_check(const Arguments *arguments);
int cli_policy_show(const Arguments *arguments);

/* The whole hash of the contract that a word means: a hash, or the beginning of what follows its "$1$1$".
 * NULL when the line on stderr is written. Caller frees. */
char *cli_contract_hash(const Arguments *arguments, const char *word, int *status);
/* GET /contracts/{hash}. */
json_t *cli_contract(const Arguments *arguments, const char *hash, int *status);
/* {"hash", "grant_hash"} of the newest contract in that state that gives today's Outway the service; NULL
 * when there is none (status 0) or when the line on stderr is written. */
json_t *cli_find_connection(const Arguments *arguments, const char *service, const char *peer_id,
                            const char *state, int *status);
/* What a proposal answered. */
int cli_print_proposal(const Arguments *arguments, const json_t *answer);
/* --properties FILE and --property NAME=VALUE; an empty object when there are none. */
json_t *cli_properties(const Arguments *arguments, GError **error);
/* --not-before, --not-after and --valid-for into the body of a proposal. */
gboolean cli_add_period(const Arguments *arguments, json_t *body, GError **error);
/* "?name=value" or "&name=value" with the value escaped; nothing for NULL. */
void cli_add_query(GString *path, const char *name, const char *value);
