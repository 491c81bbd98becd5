/* The policy on the admin socket: GET /fsc/v1/policy, POST /fsc/v1/policy/test. */
#include "components/fsc/policy_node.h"

#include "components/fsc/internal.h"
#include "components/fsc/verdict.h"
#include "core/base/error.h"
#include "core/format/json.h"
#include "core/net/problem.h"

void policy_admin_show(Request *request, gpointer context)
{
    Fsc *fsc = context;
    g_autoptr(Policy) policy = policies_current(fsc->policies);
    respond_json(request, 200,
                 json_pack("{s:s?, s:s?, s:s, s:b, s:I, s:s}", "source", policies_path(fsc->policies),
                           "version", policy_version(policy), "digest", policy_digest(policy), "stale",
                           (int)policies_stale(fsc->policies), "rules", (json_int_t)policy_rule_count(policy),
                           "text", policy_text(policy)));
}

static const JsonField test_fields[] = {
    {"content", JSON_KIND_OBJECT, FALSE},
    {"hash", JSON_KIND_STRING, FALSE},
};

/* The contract that is meant. NULL with an error. */
static Contract *contract_of(Fsc *fsc, const json_t *body, GError **error)
{
    json_t *content = json_object_get(body, "content");
    const char *hash = json_string_at(body, "hash");
    if ((content != NULL) == (hash != NULL)) {
        g_set_error_literal(error, FUNDAMENT_ERROR, FUNDAMENT_ERROR_INVALID, "give either content or hash");
        return NULL;
    }
    if (content != NULL)
        return contract_parse(content, error);
    g_autoptr(Db) db = store_take(node_store(fsc->node), error);
    g_autoptr(StoredContract) stored = db == NULL ? NULL : fsc_store_load(db, hash, error);
    return stored == NULL ? NULL : g_steal_pointer(&stored->contract);
}

static json_t *explain_with_text(Fsc *fsc, const Contract *contract, GError **error)
{
    json_t *answer = policy_explain(fsc, contract, error);
    if (answer == NULL)
        return NULL;
    g_autoptr(Policy) policy = policies_current(fsc->policies);
    PolicyInput input = {.now_s = fsc_now_s(fsc), .own_peer_id = node_oin(fsc->node)};
    g_autoptr(PolicyVerdict) verdict = policy_judge(policy, contract, &input);
    g_autofree char *text = policy_verdict_text(verdict, contract);
    json_object_set_new(answer, "text", json_string(text));
    return answer;
}

void policy_admin_test(Request *request, gpointer context)
{
    Fsc *fsc = context;
    g_autoptr(GError) error = NULL;
    json_t *answer = NULL;
    g_autoptr(json_t) body = request_json(request, &error);
    if (body != NULL && json_check_object(body, "", JSON_FIELDS(test_fields), &error)) {
        g_autoptr(Contract) contract = contract_of(fsc, body, &error);
        answer = contract == NULL ? NULL : explain_with_text(fsc, contract, &error);
    }
    if (answer != NULL)
        respond_json(request, 200, answer);
    else if (error->domain == FSC_VERDICT)
        respond_problem(request, verdict_row((Verdict)error->code)->http_status, "Refused by a rule of FSC",
                        "%s", error->message);
    else
        respond_error(request, error);
}
