/* What the files of the running policy share. */
#pragma once

#include "components/fsc/policy_record.h"

const char *policies_path(const Policies *policies); /* NULL: no file */
gboolean policies_stale(Policies *policies);

void policies_count_decision(Policies *policies, PolicyDecision decision);
void policies_count_unlogged(Policies *policies);
/* `permit` NULL: no decision came. */
void policies_count_asked(Policies *policies, const gboolean *permit);

/* Whether the job has to look: the policy is another one than the last time, a minute has passed, or
 * something was left undone. `*all` also what was never judged: in the first look, and after something was
 * left. */
gboolean policies_look_due(Policies *policies, const Policy *policy, gboolean *all);
void policies_look_again(Policies *policies);

/* Whether the policy has anything to say about this contract now: it waits for accepts, and we have not
 * signed. */
gboolean policy_is_open(const Fsc *fsc, const StoredContract *stored);

/* Logs what was decided, keeps it, and places our signature when it is an accept or a reject. In the caller's
 * transaction. `*logged` FALSE when the record is not on disk: then nothing was done, and TRUE is returned.
 */
gboolean policy_carry_out(Fsc *fsc, Db *db, const StoredContract *stored, const Decided *decided,
                          const TraceContext *span, gboolean *logged, GError **error);

/* policy_apply() in a transaction of its own: a person may have decided, or a signature come in, since the
 * contract was looked at. */
gboolean policy_apply_again(Fsc *fsc, const char *content_hash, GError **error);

#define POLICY_QUESTION_KIND "fsc.decision"
/* What the keys in the outbox of the questions about a contract begin with. Caller frees. */
char *policy_question_prefix(const char *content_hash);
