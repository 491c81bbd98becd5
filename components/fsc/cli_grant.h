/* Grants from the words of a command line. Pure. */
#pragma once

#include <jansson.h>

#include "components/fsc/contract.h"

/* What the flags of `contract propose` say; NULL where they say nothing. */
typedef struct {
    const char *type; /* "connection", "GRANT_TYPE_..." */
    const char *service, *provider, *directory, *protocol, *delegator, *service_delegator;
    const char *outway_peer, *outway_key, *outway_domain;
    const json_t *properties;
} GrantWords;

/* What this node is, for what was left out: GET /fsc/v1/node. */
typedef struct {
    const char *peer_id, *directory, *outway_key;
} GrantDefaults;

/* "connection", "publication", "delegated-connection", "delegated-publication", or FSC's own name. */
gboolean grant_type_read(const char *word, GrantType *type, GError **error);
/* The short word of a type. */
const char *grant_type_word(GrantType type);

/* The `data` of one grant. NULL with FUNDAMENT_ERROR_USAGE: which option is missing, or does not belong to
 * the type. What the values must be, the node says. */
json_t *grant_build(const GrantWords *words, const GrantDefaults *defaults, GError **error);

/* Grants of a file: [data...], [{"data"}...], {"grants": [...]} or one data. At most 10. A new array of
 * {"data"}; NULL with FUNDAMENT_ERROR_INVALID. */
json_t *grants_of_file(const json_t *file, GError **error);

/* "NAME=VALUE" into an object; VALUE is JSON when it is that, else text. */
gboolean property_add(json_t *properties, const char *text, GError **error);

/* "connection of Peer X's Outway to S of Peer Y ...": a grant in words, names from `names` (Peer ID -> name)
 * where it has them. Caller frees. */
char *grant_in_words(const json_t *data, const json_t *names);
