/* Everything of fsc that reads what another organisation sends: contracts with their rules and hashes,
 * signatures, tokens, addresses; and the templates that come back from the edge. What is accepted must
 * survive being written and read again with the same hashes. */
#include <stdint.h>
#include <string.h>

#include "components/fsc/address.h"
#include "components/fsc/gateway.h"
#include "components/fsc/rules_contract.h"
#include "components/fsc/signature.h"
#include "core/format/json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void read_contract(json_t *value)
{
    static const char *const services[] = {"a", NULL};
    ContractRules rules = {.now_s = 1767225600,
                           .group_id = "fsc-demo",
                           .own_peer_id = "00000001000000000002",
                           .submitter = "00000001000000000003",
                           .offered_services = services};
    g_autoptr(Contract) contract = contract_parse(value, NULL);
    if (contract == NULL)
        return;
    rules_contract_check(contract, &rules, NULL);
    g_autofree char *text = json_write(contract->content);
    g_autoptr(Contract) again = contract_parse_text(text, NULL);
    g_assert(again != NULL && g_str_equal(contract->hash, again->hash) &&
             contract->n_grants == again->n_grants);
    for (gsize i = 0; i < contract->n_grants; i++)
        g_assert(g_str_equal(contract->grants[i].hash, again->grants[i].hash));
}

static void read_text(const char *text)
{
    g_auto(Address) address = {0};
    g_autoptr(Signature) signature = signature_parse(text, "$1$1$x", SIGNATURE_ACCEPT, 1767225600, NULL);
    g_assert(signature == NULL || signature->type == SIGNATURE_ACCEPT);
    address_parse(text, &address, NULL);
    fsc_hash_parse(text, NULL);
}

/* A good contract, for inputs that begin with a zero: two bytes say where it is changed, one how much is cut
 * out there; the rest goes in. So the fuzzer need not find out by itself what a contract looks like. */
static const char sample[] = "{\"fsc_version\":\"2.0.0\",\"iv\":\"019b76da-a800-7000-8000-000000000001\","
                             "\"group_id\":\"fsc-demo\",\"validity\":{\"not_before\":"
                             "1767220000,\"not_after\":1767230000},\"hash_algorithm\":\"HASH_ALGORITHM_SHA3_"
                             "512\",\"created_at\":1767225600,\"grants\":[{\"data\":{"
                             "\"type\":\"GRANT_TYPE_DELEGATED_SERVICE_CONNECTION\",\"delegator\":{\"peer_"
                             "id\":\"00000001000000000004\"},\"outway\":{\"peer_id\":"
                             "\"00000001000000000003\",\"identification\":{\"type\":\"OUTWAY_IDENTIFICATION_"
                             "TYPE_DOMAIN_NAME\",\"domain_name\":\"a.example\"}},"
                             "\"service\":{\"type\":\"SERVICE_TYPE_DELEGATED_SERVICE\",\"peer_id\":"
                             "\"00000001000000000002\",\"name\":\"a\",\"delegator\":{"
                             "\"peer_id\":\"00000001000000000005\"}},\"properties\":{\"a\":[1,2.5,null]}}}]}";

static GString *changed_sample(const uint8_t *data, size_t size)
{
    GString *text = g_string_new(sample);
    gsize at = size > 2 ? (gsize)(data[1] << 8 | data[2]) % text->len : 0;
    gsize cut = size > 3 ? MIN((gsize)data[3], text->len - at) : 0;
    g_string_erase(text, (gssize)at, (gssize)cut);
    if (size > 4)
        g_string_insert_len(text, (gssize)at, (const char *)data + 4, (gssize)size - 4);
    return text;
}

static void read_json(const char *text, gsize length)
{
    Token token;
    g_autoptr(json_t) value = json_parse_strict(text, (gssize)length, NULL, NULL);
    if (value == NULL)
        return;
    read_contract(value);
    token_read(value, &token, NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    GatewayTemplate template;
    if (size > 0 && data[0] == 0) {
        g_autoptr(GString) text = changed_sample(data, size);
        read_json(text->str, text->len);
        return 0;
    }
    g_autofree char *text = g_strndup((const char *)data, size);
    read_json(text, strlen(text));
    read_text(text);
    gateway_template_read(data, size, &template);
    return 0;
}
