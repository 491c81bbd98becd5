/* A policy file of any content: faults or a policy, and a policy judges without harm. */
#include "components/fsc/policy.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static Contract *sample(void)
{
    return contract_parse_text(
        "{\"fsc_version\":\"2.0.0\",\"iv\":\"019b76da-a800-7000-8000-000000000001\",\"group_id\":\"g\","
        "\"validity\":{"
        "\"not_before\":1767225600,\"not_after\":1767225700},\"grants\":[{\"data\":{\"type\":\"GRANT_TYPE_"
        "SERVICE_"
        "CONNECTION\",\"outway\":{\"peer_id\":\"00000001000000000003\",\"identification\":{\"type\":\"OUTWAY_"
        "IDENTIFICATION_TYPE_DOMAIN_NAME\",\"domain_name\":\"a.example\"}},\"service\":{\"type\":\"SERVICE_"
        "TYPE_"
        "SERVICE\",\"peer_id\":\"00000001000000000002\",\"name\":\"persons\"},\"properties\":{\"a\":\"xyz\","
        "\"delegation.connection.external_contract_reference\":{\"reference\":\"R\",\"delegator_id\":\"7\","
        "\"delegator_name\":\"N\"}}}}],\"hash_algorithm\":\"HASH_ALGORITHM_SHA3_512\",\"created_at\":"
        "1767225600}",
        NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static Contract *contract;
    if (contract == NULL && (contract = sample()) == NULL)
        abort();
    g_autoptr(GPtrArray) faults = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(Policy) policy = policy_parse("p", (const char *)data, size, NULL, faults);
    if ((policy == NULL) == (faults->len == 0)) /* faults without a policy, or a policy without faults */
        abort();
    if (policy == NULL)
        return 0;
    PolicyInput input = {.now_s = 1767225600, .own_peer_id = "00000001000000000002"};
    g_autoptr(PolicyVerdict) verdict = policy_judge(policy, contract, &input);
    g_autofree char *text = policy_verdict_text(verdict, contract);
    json_decref(policy_verdict_json(verdict, contract));
    return 0;
}
