/* The signing policy: which proposals are accepted by themselves, which rejected, which are put to a decision
 * point, and which wait for a person. docs/policy.md is the manual of the file; [fsc] policy names it.
 *
 * A policy is a list of rules. For each grant the first rule of which all conditions are met decides; the
 * contract gets the strictest verdict of its grants (reject, wait, ask, accept), so it is accepted only when
 * every grant is. [service.NAME] accept and [fsc] accept_publications are rules too, after those of the file:
 * there is one engine.
 *
 * Above the line `the running node` everything is pure: no I/O, no clock.
 */
#pragma once

#include "components/fsc/contract.h"
#include "components/fsc/fsc.h"
#include "components/fsc/store.h"
#include "core/base/trace.h"

/* From lenient to strict. */
typedef enum {
    POLICY_ACCEPT, /* our signature is placed at once */
    POLICY_ASK,    /* the decision point is asked ([fsc] decision_point), and its answer decides */
    POLICY_WAIT,   /* for a person */
    POLICY_REJECT, /* our reject is placed at once */
    POLICY_DECISION_COUNT
} PolicyDecision;

const char *policy_decision_name(PolicyDecision decision); /* "accept" */

/* --- a policy, from text --- */

typedef struct policy Policy; /* immutable, reference counted, thread safe */

/* The text of a policy file, and after it the rules that node.conf makes (`built_in`, may be NULL). NULL when
 * it has any fault; the faults, "policy.conf:12: ...", are then in `faults` (given empty, with g_free as free
 * function), all at once, in the order of their lines. `path` is for messages. */
Policy *policy_parse(const char *path, const char *text, gsize length, const char *built_in,
                     GPtrArray *faults);
Policy *policy_ref(Policy *policy);
void policy_unref(Policy *policy);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Policy, policy_unref)

/* "sha256:<64 hex>" over the text: names this edition of the policy in decision records. Borrowed. */
const char *policy_digest(const Policy *policy);
const char *policy_text(const Policy *policy);
/* [policy] version, or NULL. */
const char *policy_version(const Policy *policy);
gsize policy_rule_count(const Policy *policy);
/* TRUE when a rule says `decide = ask`. */
gboolean policy_asks(const Policy *policy);

/* --- judging --- */

typedef struct {
    gint64 now_s;
    const char *own_peer_id;
} PolicyInput;

typedef struct {
    const char *key; /* "consumer": the key in the file; borrowed from a table */
    gboolean met;
    char *why; /* "00000001000000000003 is listed" */
} PolicyCondition;

typedef struct {
    const char *rule; /* its name; borrowed from the policy */
    PolicyDecision decide;
    gboolean matched;      /* all conditions are met */
    GPtrArray *conditions; /* PolicyCondition*, those that the rule states, in the order of docs/policy.md */
} PolicyStep;

typedef struct {
    PolicyDecision decision;
    const char *rule;         /* the first that matched; NULL: none did */
    PolicyDecision on_denied; /* with POLICY_ASK: what a denial becomes */
    gboolean external;        /* the grant refers to an external contract */
    GPtrArray *steps;         /* PolicyStep*, every rule in the order of the policy */
} PolicyGrantVerdict;

typedef struct {
    Policy *policy;
    PolicyDecision decision;
    const char *rule;  /* that decided; NULL: no rule matched the deciding grant */
    gsize grant;       /* the number of that grant */
    char *reason;      /* one sentence */
    GPtrArray *grants; /* PolicyGrantVerdict*, one a grant */
} PolicyVerdict;

/* Never fails. Keeps a reference to the policy. */
PolicyVerdict *policy_judge(Policy *policy, const Contract *contract, const PolicyInput *input);
void policy_verdict_free(PolicyVerdict *verdict);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(PolicyVerdict, policy_verdict_free)

/* {"decision": "accept", "rule": "permits" or null, "grant": 0, "reason": "...",
 *  "policy": {"digest": "sha256:...", "version": "..."},
 *  "grants": [{"hash", "type", "service", "service_peer_id", "decision", "rule",
 *              "rules": [{"rule", "decide", "matched", "conditions": [{"key", "met", "why"}]}]}]}
 * New reference. */
json_t *policy_verdict_json(const PolicyVerdict *verdict, const Contract *contract);
/* The same for people, several lines. Caller frees. */
char *policy_verdict_text(const PolicyVerdict *verdict, const Contract *contract);

/* --- the running node --- */

typedef struct policies Policies;

/* Reads [fsc] policy and the rules that node.conf makes. NULL with FUNDAMENT_ERROR_INVALID when one is wrong;
 * every fault is then logged, on its own line. */
Policies *policies_new(Fsc *fsc, GError **error);
void policies_free(Policies *policies);

/* The one in force: a new reference. Looks, at most once a second, whether the file has changed; one that is
 * broken is logged and counted, and the edition before it stays. Thread safe. */
Policy *policies_current(Policies *policies);

/* Judges a contract that we have not signed and that still waits for accepts, logs the decision, and then
 * does what it says: our accept or reject is placed, or the question for the decision point is put in the
 * outbox. A contract that was judged the same by the same edition is left alone. In the caller's transaction,
 * with the contract stored. `trace` is the span of the request that brought it, NULL when there was none.
 *
 * When the decision cannot be logged nothing is signed, the contract waits, and policies_job() tries again:
 * that is no error here. */
gboolean policy_apply(Fsc *fsc, Db *db, const StoredContract *stored, const TraceContext *trace,
                      GError **error);

/* Job: what waits is judged again when the policy has changed, when a time condition has come true, or when
 * the log could not be written before. */
gboolean policies_job(Node *node, gpointer context, GError **error);

/* Outbox kind "fsc.decision": asks the decision point about one contract, body: its content hash. */
gboolean policy_ask(Node *node, gpointer context, const char *destination, GBytes *body, GError **error);

void policies_metrics(Policies *policies, GString *out);

/* What the policy that is in force says of this contract, as policy_verdict_json(), without doing or logging
 * anything. Beside that:
 *   "source": path of the file, or null when there is none
 *   "stale": true when the file on disk is broken and the edition before it is still in force
 *   "decided": null, or what was decided by itself when the contract was judged last: {"decision", "verdict"
 * (of the rules alone), "rule" (null), "reason", "policy" (digest), "at_ms", "trace_id"} "asking": null, or
 * how far the question for the decision point is: {"tries", "next_try_ms", "last_error" (null), "dead"} NULL
 * with an error when the store does not answer. New reference. Thread safe. */
json_t *policy_explain(Fsc *fsc, const Contract *contract, GError **error);

/* GET /fsc/v1/policy, POST /fsc/v1/policy/test */
void policy_admin_show(Request *request, gpointer context);
void policy_admin_test(Request *request, gpointer context);
