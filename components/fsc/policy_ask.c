/* Questions to the decision point, from the outbox: asked until an answer comes, and never signed without
 * one. */
#include "components/fsc/policy_node.h"

#include "components/fsc/internal.h"
#include "core/base/error.h"
#include "core/format/json.h"
#include "core/node/outbox.h"

/* What the questions about one contract came to. */
typedef struct {
    PolicyDecision decision;
    char *reason;
    char span_id[SPAN_ID_SIZE]; /* of the answer that decided */
} Outcome;

static void set_outcome(Outcome *outcome, PolicyDecision decision, const TraceContext *span, char *reason)
{
    g_free(outcome->reason);
    outcome->decision = decision;
    outcome->reason = reason;
    g_strlcpy(outcome->span_id, span->span_id, sizeof outcome->span_id);
}

/* One question about one grant. The record is on disk before the answer counts. */
static gboolean ask_grant(Fsc *fsc, const PolicyVerdict *verdict, const Contract *contract, gsize number,
                          const TraceContext *parent, Outcome *outcome, GError **error)
{
    TraceContext span;
    g_auto(AuthzenAnswer) answer = {0};
    g_autoptr(GError) failure = NULL;
    const PolicyGrantVerdict *one = verdict->grants->pdata[number];
    trace_child(parent, &span);
    g_autoptr(json_t) question =
        authzen_question(contract, &contract->grants[number], fsc_now_ms(fsc), &span);
    gboolean answered = authzen_ask(fsc, question, &span, &answer, &failure);
    policies_count_asked(fsc->policies, answered ? &answer.decision : NULL);
    if (!policy_record_asked(fsc, verdict, contract, question, answered ? &answer : NULL, &span, error))
        return FALSE;
    if (!answered) {
        g_propagate_error(error, g_steal_pointer(&failure));
        return FALSE;
    }
    if (answer.condition != NULL)
        set_outcome(outcome, POLICY_WAIT, &span,
                    g_strdup_printf("the decision point sets a condition that this node does not know (%s)",
                                    answer.condition));
    else if (!answer.decision)
        set_outcome(outcome, one->on_denied, &span,
                    g_strdup_printf("the decision point denies grant %" G_GSIZE_FORMAT, number + 1));
    else
        set_outcome(outcome, POLICY_ACCEPT, &span, g_strdup("the decision point permits it"));
    return TRUE;
}

/* Each grant that a rule wants asked, until one is not permitted. */
static gboolean ask_all(Fsc *fsc, const PolicyVerdict *verdict, const Contract *contract,
                        const TraceContext *parent, Outcome *outcome, GError **error)
{
    outcome->decision = POLICY_ACCEPT;
    for (gsize i = 0; i < contract->n_grants && outcome->decision == POLICY_ACCEPT; i++) {
        const PolicyGrantVerdict *one = verdict->grants->pdata[i];
        if (one->decision == POLICY_ASK && !ask_grant(fsc, verdict, contract, i, parent, outcome, error))
            return FALSE;
    }
    return TRUE;
}

/* The world may have moved while we asked: only what is still open, and still asked by the same edition, is
 * carried out. */
static gboolean conclude(Fsc *fsc, const char *content_hash, const PolicyVerdict *asked,
                         const Outcome *outcome, const TraceContext *parent, GError **error)
{
    TraceContext span;
    gboolean logged = TRUE;
    g_autoptr(Judgement) before = NULL;
    g_autoptr(Policy) current = policies_current(fsc->policies);
    g_autoptr(Db) db = store_take(node_store(fsc->node), error);
    if (db == NULL || !db_begin(db, error))
        return FALSE;
    g_autoptr(StoredContract) stored = fsc_store_load(db, content_hash, error);
    if (stored == NULL || !judgement_read(db, stored->id, &before, error))
        return FALSE;
    if (!policy_is_open(fsc, stored) || before == NULL || !g_str_equal(before->decision, "ask") ||
        !g_str_equal(before->policy, policy_digest(asked->policy)) ||
        !g_str_equal(policy_digest(current), policy_digest(asked->policy)))
        return TRUE; /* policies_job() sees to a new edition; db_release() ends the transaction */
    trace_child(parent, &span);
    Decided decided = {.verdict = asked,
                       .contract = stored->contract,
                       .decision = outcome->decision,
                       .reason = outcome->reason,
                       .asked = outcome->span_id};
    if (!policy_carry_out(fsc, db, stored, &decided, &span, &logged, error))
        return FALSE;
    if (!logged) {
        g_set_error_literal(error, FUNDAMENT_ERROR, FUNDAMENT_ERROR_UNAVAILABLE,
                            "the decision log cannot be written, so nothing is signed");
        return FALSE;
    }
    if (!db_commit(db, error))
        return FALSE;
    g_clear_pointer(&db, db_release);
    fsc_contract_changed(fsc, content_hash);
    return TRUE;
}

/* The contract and the judgement that wants it asked. TRUE with `*stored` NULL when there is nothing to ask
 * any more. */
static gboolean load_open(Fsc *fsc, const char *content_hash, StoredContract **stored, Judgement **before,
                          GError **error)
{
    g_autoptr(Db) db = store_take(node_store(fsc->node), error);
    g_autoptr(StoredContract) found = db == NULL ? NULL : fsc_store_load(db, content_hash, error);
    if (found == NULL || !judgement_read(db, found->id, before, error))
        return FALSE;
    if (policy_is_open(fsc, found) && *before != NULL && g_str_equal((*before)->decision, "ask"))
        *stored = g_steal_pointer(&found);
    return TRUE;
}

gboolean policy_ask(Node *node, gpointer context, const char *destination, GBytes *body, GError **error)
{
    Fsc *fsc = context;
    gsize length;
    const char *text = g_bytes_get_data(body, &length);
    g_autofree char *content_hash = g_strndup(text, length);
    g_autoptr(StoredContract) stored = NULL;
    g_autoptr(Judgement) before = NULL;
    if (!load_open(fsc, content_hash, &stored, &before, error))
        return FALSE;
    if (stored == NULL)
        return TRUE; /* decided otherwise meanwhile */
    g_autoptr(Policy) policy = policies_current(fsc->policies);
    PolicyInput input = {.now_s = fsc_now_s(fsc), .own_peer_id = node_oin(node)};
    g_autoptr(PolicyVerdict) verdict = policy_judge(policy, stored->contract, &input);
    if (!g_str_equal(before->policy, policy_digest(policy)) || verdict->decision != POLICY_ASK)
        return policy_apply_again(fsc, content_hash,
                                  error); /* another edition is in force, or time went on */
    Outcome outcome = {0};
    gboolean done = ask_all(fsc, verdict, stored->contract, &before->span, &outcome, error) &&
                    conclude(fsc, content_hash, verdict, &outcome, &before->span, error);
    g_free(outcome.reason);
    return done;
}

/* --- explaining --- */

static json_t *decided_json(const Judgement *judgement)
{
    if (judgement == NULL)
        return json_null();
    return json_pack("{s:s, s:s, s:s?, s:s, s:s, s:I, s:s}", "decision", judgement->decision, "verdict",
                     judgement->verdict, "rule", judgement->rule, "reason", judgement->reason, "policy",
                     judgement->policy, "at_ms", (json_int_t)judgement->judged_ms, "trace_id",
                     judgement->span.trace_id);
}

static json_t *asking_json(Fsc *fsc, const char *content_hash, GError **error)
{
    g_autofree char *prefix = policy_question_prefix(content_hash);
    g_autoptr(GPtrArray) entries = outbox_list(node_store(fsc->node), node_oin(fsc->node), error);
    for (guint i = 0; entries != NULL && i < entries->len; i++) {
        const OutboxEntry *entry = entries->pdata[i];
        if (entry->unique != NULL && g_str_has_prefix(entry->unique, prefix))
            return json_pack("{s:i, s:I, s:s?, s:b}", "tries", (int)entry->tries, "next_try_ms",
                             (json_int_t)entry->next_try_ms, "last_error", entry->last_error, "dead",
                             (int)entry->dead);
    }
    return entries == NULL ? NULL : json_null();
}

/* The judgement of this contract, when this node has the contract. */
static gboolean find_judgement(Fsc *fsc, const Contract *contract, Judgement **judgement, GError **error)
{
    g_autoptr(GError) why = NULL;
    g_autoptr(Db) db = store_take(node_store(fsc->node), error);
    if (db == NULL)
        return FALSE;
    g_autoptr(StoredContract) stored = fsc_store_load(db, contract->hash, &why);
    if (stored != NULL)
        return judgement_read(db, stored->id, judgement, error);
    if (g_error_matches(why, FUNDAMENT_ERROR, FUNDAMENT_ERROR_NOT_FOUND))
        return TRUE;
    g_propagate_error(error, g_steal_pointer(&why));
    return FALSE;
}

json_t *policy_explain(Fsc *fsc, const Contract *contract, GError **error)
{
    g_autoptr(Judgement) judgement = NULL;
    if (!find_judgement(fsc, contract, &judgement, error))
        return NULL;
    json_t *asking = asking_json(fsc, contract->hash, error);
    if (asking == NULL)
        return NULL;
    g_autoptr(Policy) policy = policies_current(fsc->policies);
    PolicyInput input = {.now_s = fsc_now_s(fsc), .own_peer_id = node_oin(fsc->node)};
    g_autoptr(PolicyVerdict) verdict = policy_judge(policy, contract, &input);
    json_t *answer = policy_verdict_json(verdict, contract);
    const char *path = policies_path(fsc->policies);
    json_object_set_new(answer, "source", path != NULL ? json_string(path) : json_null());
    json_object_set_new(answer, "stale", json_boolean(policies_stale(fsc->policies)));
    json_object_set_new(answer, "decided", decided_json(judgement));
    json_object_set_new(answer, "asking", asking);
    return answer;
}
