/* The hashes of FSC Core 2.0.0, 4.2.4 and 4.2.5: SHA3-512 over RFC 8785, as "$<algorithm>$<hash
 * type>$<base64url>". */
#pragma once

#include <glib.h>
#include <jansson.h>

/* FSC Core 2.0.0, 4.2.6.1. */
typedef enum {
    HASH_TYPE_CONTRACT = 1,
    HASH_TYPE_SERVICE_PUBLICATION_GRANT = 2,
    HASH_TYPE_SERVICE_CONNECTION_GRANT = 3,
    HASH_TYPE_DELEGATED_SERVICE_CONNECTION_GRANT = 4,
    HASH_TYPE_DELEGATED_SERVICE_PUBLICATION_GRANT = 5
} HashType;

#define FSC_HASH_LENGTH 91 /* "$1$N$" and 86 characters of base64url */

/* "$1$1$...". NULL with FUNDAMENT_ERROR_INVALID when the content cannot be canonicalised. Caller frees. */
char *fsc_content_hash(const json_t *content, GError **error);

/* "$1$<type>$..." of one grant's `data` in the contract with that content hash. The content hash goes in as
 * the text of step 3 reads: the string with its prefix, not the raw digest (docs/fsc-readings.md, 2). Caller
 * frees. */
char *fsc_grant_hash(const char *content_hash, HashType type, const json_t *data, GError **error);

/* TRUE for exactly the shape that the functions above give; `type` (may be NULL) gets its hash type. */
gboolean fsc_hash_parse(const char *text, HashType *type);
