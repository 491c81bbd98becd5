/* A decision of the signing policy as an Authorization Decision Log record (ADL 1.0.0), and its row in the
 * store. */
#pragma once

#include "components/fsc/authzen.h"
#include "components/fsc/policy_private.h"

/* --- pure: what goes into the record --- */

/* 3.3.7: references to the policy, to the contract and to this program; who decided as attributes of our own.
 * `asked` is the span of the decision point's answer, NULL when it was not asked. New reference. */
json_t *policy_record_attributes(const PolicyVerdict *verdict, const Contract *contract,
                                 PolicyDecision decision, const char *asked);
/* 3.3.8: request and response in AuthZEN's model: one evaluation, or several when the contract has several
 * grants. New reference. */
json_t *policy_record_body(const PolicyVerdict *verdict, const Contract *contract, PolicyDecision decision,
                           const char *reason, gint64 now_ms, const TraceContext *span);
const char *policy_record_event(const Contract *contract);

/* --- log --- */

typedef struct {
    const PolicyVerdict *verdict;
    const Contract *contract;
    PolicyDecision decision; /* what came of it */
    const char *reason;
    const char *asked; /* or NULL */
} Decided;

/* TRUE when it is on disk. */
gboolean policy_record_append(Fsc *fsc, const Decided *decided, const TraceContext *span, GError **error);
/* One call of the decision point; `answer` NULL when it gave none. */
gboolean policy_record_asked(Fsc *fsc, const PolicyVerdict *verdict, const Contract *contract,
                             const json_t *question, const AuthzenAnswer *answer, const TraceContext *span,
                             GError **error);

/* --- the row --- */

typedef struct {
    char *verdict, *decision, *rule, *reason, *policy;
    gint64 judged_ms;
    TraceContext span;
} Judgement;

void judgement_free(Judgement *judgement);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Judgement, judgement_free)

/* `*judgement` NULL when the contract was never judged. */
gboolean judgement_read(Db *db, gint64 contract_id, Judgement **judgement, GError **error);
gboolean judgement_write(Db *db, gint64 contract_id, const Decided *decided, const TraceContext *span,
                         gint64 now_ms, GError **error);

/* Content hashes (array of strings) of contracts that have not ended and wait for a person or the decision
 * point; and of those that were never judged and that we have not signed. */
gboolean judgements_waiting(Db *db, gint64 now_s, GPtrArray *hashes, GError **error);
gboolean judgements_missing(Db *db, const char *own_peer_id, gint64 now_s, GPtrArray *hashes, GError **error);
/* It waits no longer: a person decided, or it ended. */
gboolean judgement_close(Db *db, gint64 contract_id, GError **error);
