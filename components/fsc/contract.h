/* A contract as typed structs, parsed strictly from the `content` of a request (FSC Core 2.0.0, 4.2 and the
 * OpenAPI document).
 *
 * All four types of grant are parsed; what differs between them stands in one table. Unknown members are
 * refused: an Outway that silently lost a nested field has happened elsewhere. Values are not judged here,
 * shapes are; rules_contract.h judges.
 */
#pragma once

#include <glib.h>
#include <jansson.h>

#include "components/fsc/hash.h"

#define FSC_VERSION "2.0.0"
#define FSC_HASH_ALGORITHM "HASH_ALGORITHM_SHA3_512"
#define FSC_PROTOCOL_HTTP_1 "PROTOCOL_TCP_HTTP_1.1"
#define FSC_PROTOCOL_HTTP_2 "PROTOCOL_TCP_HTTP_2"

typedef enum {
    GRANT_SERVICE_PUBLICATION,
    GRANT_SERVICE_CONNECTION,
    GRANT_DELEGATED_SERVICE_CONNECTION,
    GRANT_DELEGATED_SERVICE_PUBLICATION,
    GRANT_TYPE_COUNT
} GrantType;

typedef struct {
    const char *name; /* "GRANT_TYPE_SERVICE_PUBLICATION" */
    HashType hash_type;
    gboolean publication; /* else a connection */
    gboolean delegated;
} GrantTypeRow;

/* Borrowed. */
const GrantTypeRow *grant_type_row(GrantType type);
/* FALSE when no type has that name. */
gboolean grant_type_find(const char *name, GrantType *type);

/* Strings are borrowed from the contract's JSON; those that the type does not have are NULL. */
typedef struct {
    GrantType type;
    const json_t *data;
    char *hash;
    const char *directory_peer_id; /* publications */
    const char *service_peer_id;
    const char *service_name;
    const char *protocol;              /* publications */
    const char *service_delegator;     /* connections to a SERVICE_TYPE_DELEGATED_SERVICE */
    const char *outway_peer_id;        /* connections */
    const char *public_key_thumbprint; /* connections: this or the domain name */
    const char *domain_name;
    const char *delegator;    /* the delegated types */
    const json_t *properties; /* or NULL */
} Grant;

typedef struct {
    json_t *content; /* owned */
    char *hash;      /* "$1$1$..." */
    const char *iv;
    const char *group_id;
    gint64 not_before, not_after, created_at;
    Grant *grants;
    gsize n_grants;
    GPtrArray *signers; /* Peer IDs that must sign, each once, in the order in which the grants name them
                           (4.2.1.1 to 4.2.1.4) */
} Contract;

/* Keeps a reference to `content`, which must not change afterwards. NULL with a verdict (verdict.h), in this
 * order: SCHEMA when it is no object or fsc_version is missing; UNKNOWN_FSC_VERSION; UNKNOWN_HASH_ALGORITHM;
 * SCHEMA for everything else. The version goes first, so that a contract of another version is told so,
 * rather than that its fields are unknown. */
Contract *contract_parse(json_t *content, GError **error);
/* The same from text, for what the store holds. */
Contract *contract_parse_text(const char *text, GError **error);
void contract_free(Contract *contract);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Contract, contract_free)

/* TRUE when this Peer must sign: it has a role in one of the grants. */
gboolean contract_has_signer(const Contract *contract, const char *peer_id);

/* The grant with this hash, or NULL. */
const Grant *contract_find_grant(const Contract *contract, const char *grant_hash);

/* How many connections and publications it holds. */
gsize contract_count(const Contract *contract, gboolean publication);
