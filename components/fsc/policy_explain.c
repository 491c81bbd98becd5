/* A verdict for programs (JSON) and for people (text). Pure. */
#include "components/fsc/policy_private.h"

static json_t *text_or_null(const char *text)
{
    return text != NULL ? json_string(text) : json_null();
}

static json_t *step_json(const PolicyStep *step)
{
    json_t *conditions = json_array();
    for (guint i = 0; i < step->conditions->len; i++) {
        const PolicyCondition *condition = step->conditions->pdata[i];
        json_array_append_new(conditions, json_pack("{s:s, s:b, s:s}", "key", condition->key, "met",
                                                    (int)condition->met, "why", condition->why));
    }
    return json_pack("{s:s, s:s, s:b, s:o}", "rule", step->rule, "decide", policy_decision_name(step->decide),
                     "matched", (int)step->matched, "conditions", conditions);
}

static json_t *grant_json(const PolicyGrantVerdict *verdict, const Grant *grant)
{
    json_t *rules = json_array();
    for (guint i = 0; i < verdict->steps->len; i++)
        json_array_append_new(rules, step_json(verdict->steps->pdata[i]));
    return json_pack("{s:s, s:s, s:s, s:s, s:s, s:o, s:o}", "hash", grant->hash, "type",
                     grant_type_row(grant->type)->name, "service", grant->service_name, "service_peer_id",
                     grant->service_peer_id, "decision", policy_decision_name(verdict->decision), "rule",
                     text_or_null(verdict->rule), "rules", rules);
}

json_t *policy_verdict_json(const PolicyVerdict *verdict, const Contract *contract)
{
    json_t *grants = json_array(), *policy = json_pack("{s:s}", "digest", policy_digest(verdict->policy));
    if (policy_version(verdict->policy) != NULL)
        json_object_set_new(policy, "version", json_string(policy_version(verdict->policy)));
    for (guint i = 0; i < verdict->grants->len; i++)
        json_array_append_new(grants, grant_json(verdict->grants->pdata[i], &contract->grants[i]));
    return json_pack("{s:s, s:o, s:I, s:s, s:o, s:o}", "decision", policy_decision_name(verdict->decision),
                     "rule", text_or_null(verdict->rule), "grant", (json_int_t)verdict->grant, "reason",
                     verdict->reason, "policy", policy, "grants", grants);
}

static void step_text(GString *out, const PolicyStep *step)
{
    g_string_append_printf(out, "  rule %s (%s): %s\n", step->rule, policy_decision_name(step->decide),
                           step->matched ? "matches" : "does not match");
    for (guint i = 0; i < step->conditions->len; i++) {
        const PolicyCondition *condition = step->conditions->pdata[i];
        g_string_append_printf(out, "    %s %s: %s\n", condition->met ? "+" : "-", condition->key,
                               condition->why);
    }
}

char *policy_verdict_text(const PolicyVerdict *verdict, const Contract *contract)
{
    GString *out = g_string_new(NULL);
    g_string_append_printf(out, "%s: %s\n", policy_decision_name(verdict->decision), verdict->reason);
    for (guint i = 0; i < verdict->grants->len; i++) {
        const PolicyGrantVerdict *one = verdict->grants->pdata[i];
        const Grant *grant = &contract->grants[i];
        g_string_append_printf(out, "grant %u: %s, %s.%s: %s\n", i + 1, policy_grant_words[grant->type],
                               grant->service_name, grant->service_peer_id,
                               policy_decision_name(one->decision));
        for (guint j = 0; j < one->steps->len; j++)
            step_text(out, one->steps->pdata[j]);
        if (one->rule == NULL)
            g_string_append_printf(out, "  no rule matches; the default is %s\n",
                                   policy_decision_name(one->decision));
    }
    return g_string_free(out, FALSE);
}
