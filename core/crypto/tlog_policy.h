/* Which logs and witnesses are believed: the policy file of C2SP tlog-policy. Whoever verifies a proof pins
 * one.
 *
 *     log <verifier key> [<url>]
 *     witness <name> <verifier key> [<url>]
 *     group <name> all|any|<k> <name>...
 *     quorum <name>|none
 *
 * Immutable, thread safe. */
#pragma once

#include "core/crypto/note.h"
#include "core/crypto/tlog.h"

#define TLOG_POLICY_MAX (256 * 1024) /* bytes of a file */

typedef struct tlog_policy TlogPolicy;

/* FUNDAMENT_ERROR_INVALID with the line and what is wrong with it. */
TlogPolicy *tlog_policy_parse(const char *data, gssize length, GError **error);
void tlog_policy_free(TlogPolicy *policy);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(TlogPolicy, tlog_policy_free)

typedef struct {
    const char *name; /* in the file */
    const NoteVerifier *verifier;
    const char *url; /* or NULL */
    gboolean cosigned;
    guint64 time_s; /* when it says that it saw the checkpoint */
} TlogWitness;

guint tlog_policy_logs(const TlogPolicy *policy);
const NoteVerifier *tlog_policy_log(const TlogPolicy *policy, guint i, const char **url);
guint tlog_policy_witnesses(const TlogPolicy *policy);
/* As in the file; without `cosigned` and `time_s`. */
TlogWitness tlog_policy_witness(const TlogPolicy *policy, guint i);

/* Whether the policy believes this checkpoint: signed by one of its logs under the name that is its origin,
 * and cosigned as the quorum demands. `witnesses` (may be NULL) gets one element a witness of the policy, in
 * order, also when the quorum is not met. FUNDAMENT_ERROR_DENIED with the reason, _INVALID when it is no
 * checkpoint. */
gboolean tlog_policy_check(const TlogPolicy *policy, const Note *note, Checkpoint *checkpoint,
                           TlogWitness *witnesses, GError **error);
