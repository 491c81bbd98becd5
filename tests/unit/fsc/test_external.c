/* FSC External Contract 1.0.0: the two properties, and what of them goes into the log. */
#include "components/fsc/external.h"
#include "components/fsc/rules_contract.h"
#include "core/format/json.h"
#include "tests/support/error.h"
#include "tests/unit/fsc/sample.h"

static json_t *reference(void)
{
    return json_pack("{s:s, s:s, s:s}", "reference", "https://example.nl/1", "delegator_id", "7",
                     "delegator_name", "Small town");
}

/* Takes both. */
static Contract *contract_with(json_t *grant, const char *property, json_t *value)
{
    g_autoptr(json_t) content = sample_content(grant);
    sample_change(content, "grants.0.data", "properties", json_pack("{s:o}", property, value));
    Contract *contract = contract_parse(content, NULL);
    assert_non_null(contract);
    return contract;
}

static gboolean sound(json_t *grant, const char *property, json_t *value)
{
    g_autoptr(Contract) contract = contract_with(grant, property, value);
    return external_reference_check(&contract->grants[0], NULL);
}

/* 3.1.1, 3.1.2 */
static void a_sound_reference_is_read(void **state)
{
    ExternalReference found;
    g_autoptr(Contract) one = contract_with(sample_connection(), EXTERNAL_CONNECTION, reference());
    g_autoptr(Contract) two = contract_with(sample_publication(), EXTERNAL_PUBLICATION, reference());
    assert_true(external_reference_of(&one->grants[0], &found));
    assert_string_equal(found.property, EXTERNAL_CONNECTION);
    assert_string_equal(found.reference, "https://example.nl/1");
    assert_string_equal(found.delegator_id, "7");
    assert_string_equal(found.delegator_name, "Small town");
    assert_true(external_contract_has(two));
}

/* 3.1: "All properties are required when using the ... object." */
static void each_member_is_a_required_string(void **state)
{
    static const char *const members[] = {"reference", "delegator_id", "delegator_name"};
    for (gsize i = 0; i < G_N_ELEMENTS(members); i++) {
        json_t *missing = reference(), *number = reference(), *empty = reference();
        json_object_del(missing, members[i]);
        json_object_set_new(number, members[i], json_integer(1));
        json_object_set_new(empty, members[i], json_string(""));
        assert_false(sound(sample_connection(), EXTERNAL_CONNECTION, missing));
        assert_false(sound(sample_connection(), EXTERNAL_CONNECTION, number));
        assert_false(sound(sample_connection(), EXTERNAL_CONNECTION, empty));
    }
    json_t *more = reference();
    json_object_set_new(more, "more", json_true());
    assert_false(sound(sample_connection(), EXTERNAL_CONNECTION, more));
    assert_false(sound(sample_connection(), EXTERNAL_CONNECTION, json_string("https://example.nl/1")));
    assert_true(sound(sample_connection(), EXTERNAL_CONNECTION, reference()));
}

static void each_property_has_its_grant(void **state)
{
    assert_true(sound(sample_publication(), EXTERNAL_PUBLICATION, reference()));
    assert_false(sound(sample_publication(), EXTERNAL_CONNECTION, reference()));
    assert_false(sound(sample_connection(), EXTERNAL_PUBLICATION, reference()));
    assert_false(sound(sample_delegated_connection(), EXTERNAL_CONNECTION, reference()));
    assert_false(sound(sample_delegated_publication(), EXTERNAL_PUBLICATION, reference()));
    assert_true(sound(sample_connection(), "something.else", json_true()));
}

static void other_properties_are_no_reference(void **state)
{
    ExternalReference found;
    g_autoptr(Contract) contract = contract_with(sample_connection(), "something.else", reference());
    assert_false(external_reference_of(&contract->grants[0], &found));
    assert_false(external_contract_has(contract));
}

/* The rules of a contract ask, for a contract that is new. */
static void a_contract_with_an_unsound_reference_is_refused(void **state)
{
    static const char *const services[] = {"persons", NULL};
    g_autoptr(GError) error = NULL;
    ContractRules rules = {.now_s = NOW,
                           .group_id = GROUP,
                           .own_peer_id = PROVIDER,
                           .submitter = CONSUMER,
                           .offered_services = services};
    g_autoptr(Contract) wrong = contract_with(sample_connection(), EXTERNAL_CONNECTION, json_true());
    g_autoptr(Contract) right = contract_with(sample_connection(), EXTERNAL_CONNECTION, reference());
    assert_true(rules_contract_check(right, &rules, NULL));
    assert_false(rules_contract_check(wrong, &rules, &error));
    assert_verdict(error, VERDICT_EXTERNAL_CONTRACT);
    assert_non_null(strstr(error->message, EXTERNAL_CONNECTION));
    rules.known = TRUE;
    assert_true(rules_contract_check(wrong, &rules, NULL));
}

/* 3.2: the reference goes into additional_data, and nothing else does. */
static void only_the_reference_is_logged(void **state)
{
    g_autoptr(json_t) properties =
        json_pack("{s:o, s:s}", EXTERNAL_CONNECTION, reference(), "purpose", "parking");
    g_autofree char *data = external_additional_data(properties);
    g_autoptr(json_t) logged = json_parse_strict(data, -1, NULL, NULL);
    g_autoptr(json_t) expected = json_pack("{s:o}", EXTERNAL_CONNECTION, reference());
    assert_true(json_equal(logged, expected));
    json_object_del(properties, EXTERNAL_CONNECTION);
    assert_null(external_additional_data(properties));
    assert_null(external_additional_data(NULL));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_sound_reference_is_read),
        cmocka_unit_test(each_member_is_a_required_string),
        cmocka_unit_test(each_property_has_its_grant),
        cmocka_unit_test(other_properties_are_no_reference),
        cmocka_unit_test(a_contract_with_an_unsound_reference_is_refused),
        cmocka_unit_test(only_the_reference_is_logged),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
