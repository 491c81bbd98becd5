/* From a verdict to a deed: the decision is logged, then our signature is placed, in this order and never the
 * other way round. */
#include "components/fsc/policy_node.h"

#include <string.h>

#include "components/fsc/internal.h"
#include "core/base/error.h"
#include "core/node/outbox.h"

gboolean policy_is_open(const Fsc *fsc, const StoredContract *stored)
{
    const char *own = node_oin(fsc->node);
    for (int type = 0; type < SIGNATURE_TYPE_COUNT; type++)
        if (stored_contract_signature(stored, own, (SignatureType)type) != NULL)
            return FALSE;
    return contract_has_signer(stored->contract, own) &&
           stored_contract_state(stored, fsc_now_s(fsc)) == CONTRACT_PROPOSED;
}

char *policy_question_prefix(const char *content_hash)
{
    return g_strdup_printf("decision %s ", content_hash);
}

/* One question an edition of the policy: a new edition may ask anew while the old question is on its way. */
static gboolean put_question(Fsc *fsc, Db *db, const Decided *decided, GError **error)
{
    const char *hash = decided->contract->hash;
    g_autofree char *prefix = policy_question_prefix(hash);
    g_autofree char *unique = g_strconcat(prefix, policy_digest(decided->verdict->policy), NULL);
    return outbox_put(db, node_clock(fsc->node), POLICY_QUESTION_KIND, node_oin(fsc->node), unique, hash,
                      strlen(hash), error);
}

gboolean policy_carry_out(Fsc *fsc, Db *db, const StoredContract *stored, const Decided *decided,
                          const TraceContext *span, gboolean *logged, GError **error)
{
    g_autoptr(GError) unlogged = NULL;
    *logged = policy_record_append(fsc, decided, span, &unlogged);
    if (!*logged) {
        g_warning("fsc: nothing is signed on %s, because the decision cannot be logged: %s",
                  stored->contract->hash, unlogged->message);
        policies_count_unlogged(fsc->policies);
        policies_look_again(fsc->policies);
        return TRUE;
    }
    policies_count_decision(fsc->policies, decided->decision);
    if (!judgement_write(db, stored->id, decided, span, fsc_now_ms(fsc), error))
        return FALSE;
    switch (decided->decision) {
    case POLICY_ACCEPT:
        return signing_place(fsc, db, stored->contract, stored->id, SIGNATURE_ACCEPT, error);
    case POLICY_REJECT:
        return signing_place(fsc, db, stored->contract, stored->id, SIGNATURE_REJECT, error);
    case POLICY_ASK:
        return put_question(fsc, db, decided, error);
    default:
        return TRUE;
    }
}

/* What a signature needs; without it nothing is decided, and the job looks again. */
static gboolean can_sign(Fsc *fsc, PolicyDecision decision)
{
    g_autoptr(GError) error = NULL;
    if (decision != POLICY_ACCEPT && decision != POLICY_REJECT)
        return TRUE;
    if (node_key(fsc->node, ROLE_CONTRACT) != NULL && probe_clock_is_sound(fsc, &error))
        return TRUE;
    g_warning("fsc: the policy says %s, but this node cannot sign now: %s", policy_decision_name(decision),
              error != NULL ? error->message : "there is no contract key");
    policies_look_again(fsc->policies);
    return FALSE;
}

/* Judged before, to the same end, by the same edition. */
static gboolean is_same(const Judgement *before, const PolicyVerdict *verdict)
{
    return before != NULL && g_str_equal(before->policy, policy_digest(verdict->policy)) &&
           g_str_equal(before->verdict, policy_decision_name(verdict->decision)) &&
           g_strcmp0(before->rule, verdict->rule) == 0;
}

/* Without a request the decision goes on in the trace of the judgement before it, or begins one. */
static void span_for(const TraceContext *trace, const Judgement *before, TraceContext *span)
{
    if (trace != NULL)
        *span = *trace; /* the span of the request itself: its parent is the caller's (ADL 1.0.0, 3.3.3) */
    else if (before != NULL)
        trace_child(&before->span, span);
    else
        trace_new(span);
}

gboolean policy_apply(Fsc *fsc, Db *db, const StoredContract *stored, const TraceContext *trace,
                      GError **error)
{
    TraceContext span;
    gboolean logged;
    g_autoptr(Judgement) before = NULL;
    if (!policy_is_open(fsc, stored))
        return TRUE;
    g_autoptr(Policy) policy = policies_current(fsc->policies);
    PolicyInput input = {.now_s = fsc_now_s(fsc), .own_peer_id = node_oin(fsc->node)};
    g_autoptr(PolicyVerdict) verdict = policy_judge(policy, stored->contract, &input);
    if (!judgement_read(db, stored->id, &before, error))
        return FALSE;
    if (is_same(before, verdict) || !can_sign(fsc, verdict->decision))
        return TRUE;
    span_for(trace, before, &span);
    Decided decided = {.verdict = verdict,
                       .contract = stored->contract,
                       .decision = verdict->decision,
                       .reason = verdict->reason};
    return policy_carry_out(fsc, db, stored, &decided, &span, &logged, error);
}

/* --- the job --- */

gboolean policy_apply_again(Fsc *fsc, const char *content_hash, GError **error)
{
    g_autoptr(Db) db = store_take(node_store(fsc->node), error);
    if (db == NULL || !db_begin(db, error))
        return FALSE;
    g_autoptr(StoredContract) stored = fsc_store_load(db, content_hash, error);
    if (stored == NULL || !policy_apply(fsc, db, stored, NULL, error) || !db_commit(db, error))
        return FALSE;
    g_clear_pointer(&db, db_release);
    fsc_contract_changed(fsc, content_hash);
    return TRUE;
}

/* A look that would come to the same end is no new decision, and is not logged. */
static gboolean would_change(Fsc *fsc, Db *db, Policy *policy, const char *content_hash, gboolean *change,
                             GError **error)
{
    g_autoptr(Judgement) before = NULL;
    PolicyInput input = {.now_s = fsc_now_s(fsc), .own_peer_id = node_oin(fsc->node)};
    g_autoptr(StoredContract) stored = fsc_store_load(db, content_hash, error);
    if (stored == NULL || !judgement_read(db, stored->id, &before, error))
        return FALSE;
    *change = FALSE;
    if (!policy_is_open(fsc, stored))
        return before == NULL || judgement_close(db, stored->id, error);
    g_autoptr(PolicyVerdict) verdict = policy_judge(policy, stored->contract, &input);
    *change = !is_same(before, verdict);
    return TRUE;
}

/* What would be decided otherwise now. */
static GPtrArray *changed_contracts(Fsc *fsc, Policy *policy, gboolean all, GError **error)
{
    g_autoptr(GPtrArray) hashes = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(GPtrArray) due = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(Db) db = store_take(node_store(fsc->node), error);
    gint64 now_s = fsc_now_s(fsc);
    if (db == NULL || !judgements_waiting(db, now_s, hashes, error) ||
        (all && !judgements_missing(db, node_oin(fsc->node), now_s, hashes, error)))
        return NULL;
    for (guint i = 0; i < hashes->len; i++) {
        gboolean change = FALSE;
        if (!would_change(fsc, db, policy, hashes->pdata[i], &change, error))
            return NULL;
        if (change)
            g_ptr_array_add(due, g_strdup(hashes->pdata[i]));
    }
    return g_steal_pointer(&due);
}

gboolean policies_job(Node *node, gpointer context, GError **error)
{
    Fsc *fsc = context;
    gboolean all;
    g_autoptr(Policy) policy = policies_current(fsc->policies);
    if (!policies_look_due(fsc->policies, policy, &all))
        return TRUE;
    g_autoptr(GPtrArray) due = changed_contracts(fsc, policy, all, error);
    gboolean done = due != NULL;
    for (guint i = 0; done && i < due->len; i++)
        done = policy_apply_again(fsc, due->pdata[i], error);
    if (!done)
        policies_look_again(fsc->policies);
    return done;
}
