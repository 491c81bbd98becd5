/* Judging a contract by a policy. Pure: what is not in the arguments does not count. */
#include "components/fsc/policy_private.h"

#include <string.h>

#include "core/format/jcs.h"

static const char *const decision_names[POLICY_DECISION_COUNT] = {"accept", "ask", "wait", "reject"};
static const char *const finding_names[EXTERNAL_COUNT] = {"none", "listed", "mismatched", "unlisted"};

const char *policy_decision_name(PolicyDecision decision)
{
    return decision_names[decision];
}

const char *external_finding_name(ExternalFinding finding)
{
    return finding_names[finding];
}

/* Without recursion, so that no pattern costs more than |pattern| * |text|. */
gboolean policy_glob(const char *pattern, const char *text)
{
    const char *star = NULL, *retry = NULL;
    while (*text != '\0') {
        if (*pattern == '*') {
            star = pattern++;
            retry = text;
        } else if (*pattern == '?' || *pattern == *text) {
            /* "?" is one character, not one byte of it */
            text = *pattern == '?' ? g_utf8_next_char(text) : text + 1;
            pattern++;
        } else if (star != NULL) {
            pattern = star + 1;
            text = ++retry;
        } else {
            return FALSE;
        }
    }
    return pattern[strspn(pattern, "*")] == '\0';
}

/* --- the context of one question --- */

typedef struct {
    const Policy *policy;
    const Contract *contract;
    const PolicyInput *input;
    const Grant *grant;
    ExternalFinding finding;
    char *finding_why;
} Case;

static gboolean any_glob(char *const *list, const char *text)
{
    for (; *list != NULL; list++)
        if (policy_glob(*list, text))
            return TRUE;
    return FALSE;
}

/* "self" is this organisation, "none" an absent Peer. */
static gboolean peer_listed(const Case *of, char *const *list, const char *peer_id)
{
    for (; *list != NULL; list++)
        if (peer_id == NULL
                ? g_str_equal(*list, "none")
                : g_str_equal(*list, peer_id) || g_str_equal(*list, "*") ||
                      (g_str_equal(*list, "self") && g_str_equal(peer_id, of->input->own_peer_id)))
            return TRUE;
    return FALSE;
}

static char *days_of(gint64 seconds)
{
    return seconds % 86400 == 0 ? g_strdup_printf("%" G_GINT64_FORMAT " d", seconds / 86400)
                                : g_strdup_printf("%" G_GINT64_FORMAT " s", seconds);
}

static char *word_verdict(const char *what, const char *value, gboolean met)
{
    return g_strdup_printf("%s %s is %slisted", what, value, met ? "" : "not ");
}

/* --- conditions: TRUE when met, with the reason --- */

typedef gboolean (*ConditionTest)(const Case *of, const PolicyRule *rule, char **why);

static gboolean test_grant(const Case *of, const PolicyRule *rule, char **why)
{
    const char *word = policy_grant_words[of->grant->type];
    gboolean met = g_strv_contains((const char *const *)rule->grant, word);
    *why = g_strdup_printf("the grant is a %s, which is %slisted", word, met ? "" : "not ");
    return met;
}

static gboolean test_service(const Case *of, const PolicyRule *rule, char **why)
{
    gboolean met = any_glob(rule->service, of->grant->service_name);
    *why = word_verdict("the service", of->grant->service_name, met);
    return met;
}

static gboolean test_peer(const Case *of, char *const *list, const char *what, const char *peer_id,
                          char **why)
{
    gboolean met = peer_listed(of, list, peer_id);
    *why = peer_id != NULL ? word_verdict(what, peer_id, met)
                           : g_strdup_printf("the grant has no %s, which is %slisted (none)",
                                             what + strlen("the "), met ? "" : "not ");
    return met;
}

static gboolean test_consumer(const Case *of, const PolicyRule *rule, char **why)
{
    return test_peer(of, rule->consumer, "the consumer", of->grant->outway_peer_id, why);
}

static gboolean test_service_peer(const Case *of, const PolicyRule *rule, char **why)
{
    return test_peer(of, rule->service_peer, "the service's Peer", of->grant->service_peer_id, why);
}

static gboolean test_delegator(const Case *of, const PolicyRule *rule, char **why)
{
    return test_peer(of, rule->delegator, "the delegator", of->grant->delegator, why);
}

static gboolean test_service_delegator(const Case *of, const PolicyRule *rule, char **why)
{
    return test_peer(of, rule->service_delegator, "the delegator of the service",
                     of->grant->service_delegator, why);
}

static gboolean test_directory(const Case *of, const PolicyRule *rule, char **why)
{
    return test_peer(of, rule->directory, "the Directory", of->grant->directory_peer_id, why);
}

static gboolean test_protocol(const Case *of, const PolicyRule *rule, char **why)
{
    const char *protocol = of->grant->protocol;
    const char *word = g_strcmp0(protocol, FSC_PROTOCOL_HTTP_1) == 0   ? policy_protocol_words[0]
                       : g_strcmp0(protocol, FSC_PROTOCOL_HTTP_2) == 0 ? policy_protocol_words[1]
                                                                       : NULL;
    gboolean met = word != NULL && g_strv_contains((const char *const *)rule->protocol, word);
    *why = word_verdict("the protocol", protocol != NULL ? protocol : "(none)", met);
    return met;
}

static gboolean test_identification(const Case *of, const PolicyRule *rule, char **why)
{
    const char *word = of->grant->public_key_thumbprint != NULL ? policy_identification_words[0]
                       : of->grant->domain_name != NULL         ? policy_identification_words[1]
                                                                : NULL;
    gboolean met = word != NULL && g_strv_contains((const char *const *)rule->identification, word);
    *why = word_verdict("the identification by", word != NULL ? word : "(none)", met);
    return met;
}

static gboolean test_validity(const Case *of, const PolicyRule *rule, char **why)
{
    gint64 length = of->contract->not_after - of->contract->not_before;
    g_autofree char *is = days_of(length);
    g_autofree char *may = days_of(rule->max_validity);
    *why = g_strdup_printf("the contract is valid for %s, at most %s is allowed", is, may);
    return length <= rule->max_validity;
}

static gboolean test_ahead(const Case *of, const PolicyRule *rule, char **why)
{
    gint64 ahead = MAX(of->contract->not_before - of->input->now_s, 0);
    g_autofree char *is = days_of(ahead);
    g_autofree char *may = days_of(rule->max_ahead);
    *why = g_strdup_printf("the contract begins in %s, at most %s is allowed", is, may);
    return ahead <= rule->max_ahead;
}

static gboolean test_grants(const Case *of, const PolicyRule *rule, char **why)
{
    *why = g_strdup_printf("the contract holds %" G_GSIZE_FORMAT " grant%s, at most %" G_GINT64_FORMAT
                           " allowed",
                           of->contract->n_grants, of->contract->n_grants == 1 ? "" : "s", rule->max_grants);
    return of->contract->n_grants <= (guint64)rule->max_grants;
}

/* --- properties --- */

/* Text as it is, anything else as canonical JSON. */
static gboolean value_matches(const json_t *value, const char *glob)
{
    if (json_is_string(value))
        return policy_glob(glob, json_string_value(value));
    g_autofree char *text = jcs_write(value, NULL);
    return text != NULL && policy_glob(glob, text);
}

/* Whether a word, NAME or NAME=GLOB, is about this property; `*met` whether the value fits. */
static gboolean word_is_about(const char *word, const char *name, const json_t *value, gboolean *met)
{
    gsize length = strcspn(word, "=");
    if (strlen(name) != length || strncmp(word, name, length) != 0)
        return FALSE;
    *met = word[length] == '\0' || (value != NULL && value_matches(value, word + length + 1));
    return TRUE;
}

static gboolean words_allow(char *const *list, const char *name, const json_t *value)
{
    for (; list != NULL && *list != NULL; list++) {
        gboolean met = FALSE;
        if (g_str_equal(*list, "*") || (word_is_about(*list, name, value, &met) && met))
            return TRUE;
    }
    return FALSE;
}

/* Several words for one name: one of the values must fit. */
static gboolean test_require(const Case *of, const PolicyRule *rule, char **why)
{
    for (gsize i = 0; rule->require[i] != NULL; i++) {
        g_autofree char *name = g_strndup(rule->require[i], strcspn(rule->require[i], "="));
        const json_t *value = json_object_get(of->grant->properties, name);
        if (value == NULL || !words_allow(rule->require, name, value)) {
            *why = g_strdup_printf("the property %s %s", name,
                                   value == NULL ? "is required and is not there"
                                                 : "does not have a required value");
            return FALSE;
        }
    }
    *why = g_strdup("the required properties are there");
    return TRUE;
}

static gboolean test_properties(const Case *of, const PolicyRule *rule, char **why)
{
    const char *name;
    json_t *value;
    json_object_foreach((json_t *)of->grant->properties, name, value)
    {
        if (external_property(name) || words_allow(rule->properties, name, value) ||
            words_allow(rule->require, name, value))
            continue;
        *why = g_strdup_printf("the property %s, or its value, is not listed", name);
        return FALSE;
    }
    *why = g_strdup(json_object_size(of->grant->properties) == 0 ? "the grant has no properties"
                                                                 : "all properties are listed");
    return TRUE;
}

static gboolean test_external(const Case *of, const PolicyRule *rule, char **why)
{
    const char *name = external_finding_name(of->finding);
    gboolean met = g_strv_contains((const char *const *)rule->external_contract, name);
    *why = g_strdup_printf("%s; %s is %slisted", of->finding_why, name, met ? "" : "not ");
    return met;
}

/* --- external contracts --- */

/* What differs, or NULL. External Contract 1.0.0, 2.1.2: authority to this delegatee, identity of the
 * delegator, and the service in its scope. */
static const char *difference(const ExternalContract *external, const ExternalReference *reference,
                              const Contract *contract, const Grant *grant)
{
    const char *delegatee = grant->outway_peer_id != NULL ? grant->outway_peer_id : grant->service_peer_id;
    if (!g_str_equal(external->delegator_id, reference->delegator_id))
        return "delegator_id";
    if (!g_str_equal(external->delegator_name, reference->delegator_name))
        return "delegator_name";
    if (!g_strv_contains((const char *const *)external->delegatee, delegatee))
        return "the Peer that acts on behalf of the delegator";
    if (!any_glob(external->service, grant->service_name))
        return "the service";
    return contract->not_after > external->until ? "how long it lasts" : NULL;
}

ExternalFinding policy_external(const Policy *policy, const Contract *contract, const Grant *grant,
                                char **why)
{
    ExternalReference reference;
    const char *fault = NULL, *name = NULL;
    if (!external_reference_of(grant, &reference)) {
        *why = g_strdup("the grant names no external contract");
        return EXTERNAL_NONE;
    }
    for (guint i = 0; i < policy->externals->len; i++) {
        const ExternalContract *external = policy->externals->pdata[i];
        if (!g_str_equal(external->reference, reference.reference))
            continue;
        name = external->name;
        fault = difference(external, &reference, contract, grant);
        if (fault == NULL)
            break;
    }
    if (name == NULL) {
        *why = g_strdup("the external contract that the grant names is not in the policy");
        return EXTERNAL_UNLISTED;
    }
    *why = fault == NULL
               ? g_strdup_printf("the external contract is that of [external_contract.%s]", name)
               : g_strdup_printf("[external_contract.%s] has this reference, but differs in %s", name, fault);
    return fault == NULL ? EXTERNAL_LISTED : EXTERNAL_MISMATCHED;
}

/* --- rules --- */

/* In the order of docs/policy.md. A condition is stated when its list is not NULL or its number is not -1. */
static const struct {
    const char *key;
    gboolean number;
    gsize offset;
    ConditionTest test;
} conditions[] = {
#define LIST(name, function)                                                                                 \
    {                                                                                                        \
#name, FALSE, G_STRUCT_OFFSET(PolicyRule, name), function                                            \
    }
#define NUMBER(name, function)                                                                               \
    {                                                                                                        \
#name, TRUE, G_STRUCT_OFFSET(PolicyRule, name), function                                             \
    }
    LIST(grant, test_grant),
    LIST(service, test_service),
    LIST(consumer, test_consumer),
    LIST(service_peer, test_service_peer),
    LIST(delegator, test_delegator),
    LIST(service_delegator, test_service_delegator),
    LIST(directory, test_directory),
    LIST(protocol, test_protocol),
    LIST(identification, test_identification),
    NUMBER(max_validity, test_validity),
    NUMBER(max_ahead, test_ahead),
    NUMBER(max_grants, test_grants),
    LIST(require, test_require),
    LIST(properties, test_properties),
    LIST(external_contract, test_external),
#undef LIST
#undef NUMBER
};

static gboolean is_stated(const PolicyRule *rule, gsize i)
{
    if (conditions[i].number)
        return G_STRUCT_MEMBER(gint64, rule, conditions[i].offset) >= 0;
    return G_STRUCT_MEMBER(char **, rule, conditions[i].offset) != NULL;
}

static void condition_free(gpointer data)
{
    PolicyCondition *condition = data;
    g_free(condition->why);
    g_free(condition);
}

static void step_free(gpointer data)
{
    PolicyStep *step = data;
    g_ptr_array_unref(step->conditions);
    g_free(step);
}

static void grant_verdict_free(gpointer data)
{
    PolicyGrantVerdict *verdict = data;
    g_ptr_array_unref(verdict->steps);
    g_free(verdict);
}

static PolicyStep *take_step(const Case *of, const PolicyRule *rule)
{
    PolicyStep *step = g_new0(PolicyStep, 1);
    step->rule = rule->name;
    step->decide = rule->decide;
    step->matched = TRUE;
    step->conditions = g_ptr_array_new_with_free_func(condition_free);
    for (gsize i = 0; i < G_N_ELEMENTS(conditions); i++) {
        if (!is_stated(rule, i))
            continue;
        PolicyCondition *condition = g_new0(PolicyCondition, 1);
        condition->key = conditions[i].key;
        condition->met = conditions[i].test(of, rule, &condition->why);
        step->matched &= condition->met;
        g_ptr_array_add(step->conditions, condition);
    }
    return step;
}

static PolicyGrantVerdict *judge_grant(const Policy *policy, const Contract *contract,
                                       const PolicyInput *input, const Grant *grant)
{
    g_autofree char *why = NULL;
    Case of = {.policy = policy, .contract = contract, .input = input, .grant = grant};
    of.finding = policy_external(policy, contract, grant, &why);
    of.finding_why = why;
    PolicyGrantVerdict *verdict = g_new0(PolicyGrantVerdict, 1);
    verdict->decision = policy->fallback;
    verdict->on_denied = POLICY_WAIT;
    verdict->external = of.finding != EXTERNAL_NONE;
    verdict->steps = g_ptr_array_new_with_free_func(step_free);
    for (guint i = 0; i < policy->rules->len; i++) {
        const PolicyRule *rule = policy->rules->pdata[i];
        PolicyStep *step = take_step(&of, rule);
        g_ptr_array_add(verdict->steps, step);
        if (!step->matched || verdict->rule != NULL)
            continue;
        verdict->rule = rule->name;
        verdict->decision = rule->decide;
        /* External Contract 1.0.0, 2.1.2: what fails validation MUST be rejected. */
        verdict->on_denied = verdict->external ? POLICY_REJECT : rule->on_denied;
    }
    return verdict;
}

static char *reason_of(const PolicyVerdict *verdict, const Contract *contract)
{
    const PolicyGrantVerdict *deciding = verdict->grants->pdata[verdict->grant];
    const char *service = contract->grants[verdict->grant].service_name;
    gsize number = verdict->grant + 1;
    if (verdict->rule == NULL)
        return g_strdup_printf("no rule matches grant %" G_GSIZE_FORMAT " (%s), so the default, %s, applies",
                               number, service, policy_decision_name(deciding->decision));
    if (contract->n_grants > 1 && verdict->decision == POLICY_ACCEPT)
        return g_strdup_printf("every grant is accepted, the first by rule %s", verdict->rule);
    return g_strdup_printf("rule %s decides for grant %" G_GSIZE_FORMAT " (%s): %s", verdict->rule, number,
                           service, policy_decision_name(verdict->decision));
}

PolicyVerdict *policy_judge(Policy *policy, const Contract *contract, const PolicyInput *input)
{
    PolicyVerdict *verdict = g_new0(PolicyVerdict, 1);
    verdict->policy = policy_ref(policy);
    verdict->grants = g_ptr_array_new_with_free_func(grant_verdict_free);
    if (contract->n_grants ==
        0) { /* no such contract comes this far; it has nothing that could be accepted */
        verdict->decision = POLICY_WAIT;
        verdict->reason = g_strdup("the contract holds no grant");
        return verdict;
    }
    for (gsize i = 0; i < contract->n_grants; i++) {
        PolicyGrantVerdict *one = judge_grant(policy, contract, input, &contract->grants[i]);
        g_ptr_array_add(verdict->grants, one);
        if (i > 0 && one->decision <= verdict->decision)
            continue;
        verdict->decision = one->decision;
        verdict->rule = one->rule;
        verdict->grant = i;
    }
    verdict->reason = reason_of(verdict, contract);
    return verdict;
}

void policy_verdict_free(PolicyVerdict *verdict)
{
    if (verdict == NULL)
        return;
    g_ptr_array_unref(verdict->grants);
    g_free(verdict->reason);
    policy_unref(verdict->policy);
    g_free(verdict);
}
