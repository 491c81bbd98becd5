/* The rules that a contract must keep: FSC Core 2.0.0, 4.2.1, and those of Digikoppeling REST API 3.0.1.
 * Pure.
 *
 * Order of the checks, which is also that of the table in rules_contract.c; the first that fails is the
 * answer, so that the same mistake always gets the same code: (contract_parse: schema, fsc_version,
 * hash_algorithm)  group_id, iv, created_at, period, end, number of grants, each grant in turn (Peer IDs,
 * service name, identification, size of properties), combination of grants, submitter in the contract, we in
 * the contract, service offered.
 */
#pragma once

#include "components/fsc/contract.h"

/* decisions.md 11: two clocks may differ by this much before a contract comes from the future. */
#define CONTRACT_CLOCK_TOLERANCE_S 60
/* Digikoppeling REST API 3.0.1. */
#define CONTRACT_GRANTS_MAX 10
/* decisions.md 8: properties travel in the token, and a token in a header. Bytes of their canonical form. */
#define CONNECTION_PROPERTIES_MAX 4096

typedef struct {
    gint64 now_s;
    const char *group_id;
    const char *own_peer_id;
    const char *submitter;               /* Peer ID of the client certificate; our own for what we propose */
    const char *const *offered_services; /* names of the services of this node, NULL-terminated */
    gboolean
        known; /* the contract is stored already: rules about the moment of submission are not asked again */
} ContractRules;

/* FALSE with a verdict (verdict.h). */
gboolean rules_contract_check(const Contract *contract, const ContractRules *rules, GError **error);
