/* A BSN rests only in the register of persons. Everyone else keeps HMAC-SHA-256(key, OIN || "logboek" || BSN)
 * (decisions.md 18): an unkeyed hash of a BSN is undone in a minute, since only 90 million numbers pass the
 * 11-test.
 */
#pragma once

#include <glib.h>

typedef struct pseudonymizer Pseudonymizer;

/* Keys live in `folder` as pseudonym.<version>.key; the newest makes new pseudonyms, the others find old
 * ones. Version 1 is made when the folder has none. Immutable, thread safe. */
Pseudonymizer *pseudonymizer_load(const char *folder, const char *oin, GError **error);
void pseudonymizer_free(Pseudonymizer *pseudonymizer);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Pseudonymizer, pseudonymizer_free)

/* "p<version>.<base64url of 32 bytes>" under the newest key. `bsn` must be bsn_valid(). Caller frees. */
char *pseudonym_of_bsn(const Pseudonymizer *pseudonymizer, const char *bsn);

/* Under every key, newest first: what to look for when the history of a person is asked. NULL-terminated. */
char **pseudonyms_of_bsn(const Pseudonymizer *pseudonymizer, const char *bsn);

/* The shape that pseudonym_of_bsn() gives. */
gboolean pseudonym_valid(const char *text);
