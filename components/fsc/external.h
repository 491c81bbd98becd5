/* FSC External Contract Reference 1.0.0: two properties of grants that name a contract outside FSC, on behalf
 * of whose party somebody publishes or consumes. Pure.
 *
 * The shape is checked where a contract comes in (rules_contract.h). Whether the reference is true is for a
 * person, a decision point or the list in the signing policy (2.1.2); docs/policy.md says how.
 */
#pragma once

#include "components/fsc/contract.h"

/* 3.1.1 and 3.1.2. */
#define EXTERNAL_CONNECTION "delegation.connection.external_contract_reference"
#define EXTERNAL_PUBLICATION "delegation.publication.external_contract_reference"

/* Borrowed from the grant. */
typedef struct {
    const char *property;
    const char *reference, *delegator_id, *delegator_name;
} ExternalReference;

/* TRUE when the properties hold no reference, or a sound one at the place where it belongs: an object of
 * exactly the three strings, none of them empty; that of a connection in a ServiceConnectionGrant, that of a
 * publication in a ServicePublicationGrant. FALSE with FUNDAMENT_ERROR_INVALID that names the field. */
gboolean external_reference_check(const Grant *grant, GError **error);

/* TRUE when the grant holds a reference that external_reference_check() accepts. */
gboolean external_reference_of(const Grant *grant, ExternalReference *reference);

/* TRUE when one of the grants does. */
gboolean external_contract_has(const Contract *contract);

/* TRUE for the names of the two properties. */
gboolean external_property(const char *name);

/* 3.2: what of the properties of a grant (the claim prp) goes into the transaction log as additional_data:
 * compact JSON, or NULL when there is nothing. Caller frees. */
char *external_additional_data(const json_t *properties);
