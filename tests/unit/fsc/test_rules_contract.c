#include "components/fsc/rules_contract.h"
#include "tests/unit/fsc/sample.h"

static const char *const services[] = {"persons", NULL};

static ContractRules as_provider(void)
{
    return (ContractRules){.now_s = NOW,
                           .group_id = GROUP,
                           .own_peer_id = PROVIDER,
                           .submitter = CONSUMER,
                           .offered_services = services};
}

static ContractRules as_directory(void)
{
    return (ContractRules){.now_s = NOW,
                           .group_id = GROUP,
                           .own_peer_id = DIRECTORY,
                           .submitter = PROVIDER,
                           .offered_services = services};
}

/* Takes the content; -1 for accepted. */
static int verdict_on(json_t *content, const ContractRules *rules)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(Contract) contract = contract_parse(content, &error);
    json_decref(content);
    if (contract == NULL)
        fail_msg("%s", error->message);
    if (rules_contract_check(contract, rules, &error))
        return -1;
    assert_int_equal(error->domain, FSC_VERDICT);
    return error->code;
}

static void assert_accepted(json_t *content, ContractRules rules)
{
    assert_int_equal(verdict_on(content, &rules), -1);
}

static void assert_refused(json_t *content, ContractRules rules, Verdict verdict)
{
    int got = verdict_on(content, &rules);
    if (got != (int)verdict)
        fail_msg("%s, expected %s", got < 0 ? "accepted" : verdict_row((Verdict)got)->name,
                 verdict_row(verdict)->name);
}

static json_t *connection_with(const char *path, const char *name, json_t *value)
{
    json_t *content = sample_content(sample_connection());
    sample_change(content, path, name, value);
    return content;
}

static void accepts_a_connection_and_a_publication(void **state)
{
    assert_accepted(sample_content(sample_connection()), as_provider());
    assert_accepted(sample_content(sample_publication()), as_directory());
}

static void accepts_the_delegated_types(void **state)
{
    assert_accepted(sample_content(sample_delegated_connection()), as_provider());
    assert_accepted(sample_content(sample_delegated_publication()), as_directory());
}

/* 4.2.1: "The Group ID of the Manager matches the Group ID defined in the field contract.group_id.";
 * Manager-SubmitContract-9 */
static void refuses_another_group(void **state)
{
    assert_refused(connection_with("", "group_id", json_string("fsc-demo2")), as_provider(),
                   VERDICT_INCORRECT_GROUP_ID);
    assert_refused(connection_with("", "group_id", json_string("")), as_provider(),
                   VERDICT_INCORRECT_GROUP_ID);
}

/* 4.2.1: "A UUID MUST be provided in the field contract.iv." */
static void refuses_an_iv_that_is_no_uuid(void **state)
{
    assert_accepted(connection_with("", "iv", json_string("06338364-8305-7b74-8000-de4963503139")),
                    as_provider());
    assert_accepted(connection_with("", "iv", json_string("f47ac10b-58cc-4372-a567-0e02b2c3d479")),
                    as_provider());
    assert_refused(connection_with("", "iv", json_string("f47ac10b-58cc-4372-a567-0e02b2c3d47")),
                   as_provider(), VERDICT_IV);
    assert_refused(connection_with("", "iv", json_string("f47ac10b58cc4372a5670e02b2c3d479f47a")),
                   as_provider(), VERDICT_IV);
    assert_refused(connection_with("", "iv", json_string("")), as_provider(), VERDICT_IV);
}

/* 4.2.1: "The date provided in contract.content.created_at can not be in the future." */
static void refuses_a_contract_from_the_future(void **state)
{
    assert_accepted(connection_with("", "created_at", json_integer(NOW + 60)), as_provider());
    assert_refused(connection_with("", "created_at", json_integer(NOW + 61)), as_provider(),
                   VERDICT_CREATED_AT);
}

/* 4.2.1: "not_after must be greater than ... not_before." */
static void refuses_a_period_that_ends_before_it_begins(void **state)
{
    assert_accepted(connection_with("validity", "not_before", json_integer(NOW + 86399)), as_provider());
    assert_refused(connection_with("validity", "not_before", json_integer(NOW + 86400)), as_provider(),
                   VERDICT_PERIOD);
    assert_refused(connection_with("validity", "not_before", json_integer(NOW + 86401)), as_provider(),
                   VERDICT_PERIOD);
}

/* 4.2.1: "not_after must be in the future." */
static void refuses_a_period_that_is_over(void **state)
{
    assert_accepted(connection_with("validity", "not_after", json_integer(NOW + 1)), as_provider());
    assert_refused(connection_with("validity", "not_after", json_integer(NOW)), as_provider(), VERDICT_ENDED);
}

static void a_stored_contract_is_not_asked_about_the_moment_again(void **state)
{
    ContractRules rules = as_provider();
    static const char *const none[] = {NULL};
    rules.known = TRUE;
    rules.offered_services = none;
    assert_accepted(connection_with("validity", "not_after", json_integer(NOW - 1)), rules);
    assert_refused(connection_with("", "group_id", json_string("x")), rules, VERDICT_INCORRECT_GROUP_ID);
}

static json_t *with_grants(gsize count)
{
    json_t *content = sample_content(NULL);
    for (gsize i = 0; i < count; i++)
        json_array_append_new(json_object_get(content, "grants"), sample_connection());
    return content;
}

/* 4.2.1: "At least one Grant is set"; Digikoppeling REST API 3.0.1: at most 10. */
static void refuses_no_grants_and_more_than_ten(void **state)
{
    ContractRules rules = as_provider();
    assert_refused(with_grants(0), rules, VERDICT_NO_GRANTS);
    assert_accepted(with_grants(1), rules);
    assert_accepted(with_grants(10), rules);
    assert_refused(with_grants(11), rules, VERDICT_TOO_MANY_GRANTS);
}

/* 4.2.1: "cannot be mixed with other Grants"; Manager-SubmitContract-8 */
static void refuses_publications_among_connections(void **state)
{
    json_t *others[] = {sample_connection(), sample_delegated_connection()};
    for (gsize i = 0; i < G_N_ELEMENTS(others); i++) {
        json_t *content = sample_content(sample_publication());
        json_array_append_new(json_object_get(content, "grants"), others[i]);
        assert_refused(content, as_directory(), VERDICT_GRANT_COMBINATION);
    }
    json_t *delegated = sample_content(sample_connection());
    json_array_append_new(json_object_get(delegated, "grants"), sample_delegated_publication());
    assert_refused(delegated, as_provider(), VERDICT_GRANT_COMBINATION);
}

static void accepts_grants_of_one_use_case_together(void **state)
{
    json_t *publications = sample_content(sample_publication());
    json_array_append_new(json_object_get(publications, "grants"), sample_delegated_publication());
    assert_accepted(publications, as_directory());
    json_t *connections = sample_content(sample_connection());
    json_array_append_new(json_object_get(connections, "grants"), sample_delegated_connection());
    assert_accepted(connections, as_provider());
}

/* 4.2.1.1: "A Service name which matches the regular expression ^[a-zA-Z0-9-._]{1,100}$" */
static void refuses_other_service_names(void **state)
{
    g_autofree char *longest = g_strnfill(100, 'a');
    g_autofree char *longer = g_strnfill(101, 'a');
    static const char *const wrong[] = {"", "a b", "a/b", "a$b", "caf\xc3\xa9", "a\n"};
    for (gsize i = 0; i < G_N_ELEMENTS(wrong); i++) {
        json_t *content = sample_content(sample_publication());
        sample_change(content, "grants.0.data.service", "name", json_string(wrong[i]));
        assert_refused(content, as_directory(), VERDICT_SERVICE_NAME);
    }
    json_t *content = sample_content(sample_publication());
    sample_change(content, "grants.0.data.service", "name", json_string(longer));
    assert_refused(content, as_directory(), VERDICT_SERVICE_NAME);
    content = sample_content(sample_publication());
    sample_change(content, "grants.0.data.service", "name", json_string(longest));
    assert_accepted(content, as_directory());
    content = sample_content(sample_publication());
    sample_change(content, "grants.0.data.service", "name", json_string("A-z.0_9"));
    assert_accepted(content, as_directory());
}

/* 4.1.3 with Digikoppeling REST API 3.0.1: the OIN */
static void refuses_peer_ids_that_are_no_oin(void **state)
{
    static const struct {
        json_t *(*grant)(void);
        const char *path;
    } places[] = {
        {sample_publication, "grants.0.data.directory"},
        {sample_publication, "grants.0.data.service"},
        {sample_delegated_publication, "grants.0.data.delegator"},
        {sample_connection, "grants.0.data.outway"},
        {sample_connection, "grants.0.data.service"},
        {sample_delegated_connection, "grants.0.data.delegator"},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(places); i++) {
        json_t *content = sample_content(places[i].grant());
        sample_change(content, places[i].path, "peer_id", json_string("0000000100000000000"));
        assert_refused(content, as_provider(), VERDICT_PEER_ID);
    }
}

/* 4.2.1.3: "A Public key thumbprint is provided in the field
 * grant.data.outway.identification.public_key_thumbprint." */
static void refuses_thumbprints_of_another_shape(void **state)
{
    static const char *const wrong[] = {"", "3a56f2e9",
                                        "3A56F2E9269AC63F0D4394C46B96539DA1625B6A985D38029FF89F34E490960C",
                                        "ga56f2e9269ac63f0d4394c46b96539da1625b6a985d38029ff89f34e490960c",
                                        "3a56f2e9269ac63f0d4394c46b96539da1625b6a985d38029ff89f34e490960c0"};
    for (gsize i = 0; i < G_N_ELEMENTS(wrong); i++)
        assert_refused(connection_with("grants.0.data.outway.identification", "public_key_thumbprint",
                                       json_string(wrong[i])),
                       as_provider(), VERDICT_THUMBPRINT);
}

static json_t *with_domain(const char *domain)
{
    return connection_with(
        "grants.0.data.outway", "identification",
        json_pack("{s:s, s:s}", "type", "OUTWAY_IDENTIFICATION_TYPE_DOMAIN_NAME", "domain_name", domain));
}

/* 4.2.1.3: "A domain name is provided in the field grant.data.outway.identification.domain_name." */
static void refuses_domain_names_of_another_shape(void **state)
{
    static const char *const right[] = {"outway.example", "a", "xn--caf-dma.example", "1.example"};
    static const char *const wrong[] = {"",          ".",   "a..b",     "-a.example", "a-.example",
                                        "*.example", "a b", "example.", "a_b.example"};
    for (gsize i = 0; i < G_N_ELEMENTS(right); i++)
        assert_accepted(with_domain(right[i]), as_provider());
    for (gsize i = 0; i < G_N_ELEMENTS(wrong); i++)
        assert_refused(with_domain(wrong[i]), as_provider(), VERDICT_DOMAIN_NAME);
    g_autofree char *label = g_strnfill(64, 'a');
    assert_refused(with_domain(label), as_provider(), VERDICT_DOMAIN_NAME);
}

static json_t *with_properties(json_t *grant, gsize bytes)
{
    json_t *content = sample_content(grant);
    g_autofree char *text = g_strnfill(bytes - strlen("{\"a\":\"\"}"), 'x');
    sample_change(content, "grants.0.data", "properties", json_pack("{s:s}", "a", text));
    return content;
}

/* Tokens travel in a header; publications do not. */
static void refuses_properties_of_a_connection_over_four_kilobytes(void **state)
{
    assert_accepted(with_properties(sample_connection(), 4096), as_provider());
    assert_refused(with_properties(sample_connection(), 4097), as_provider(), VERDICT_PROPERTIES);
    assert_refused(with_properties(sample_delegated_connection(), 4097), as_provider(), VERDICT_PROPERTIES);
    assert_accepted(with_properties(sample_publication(), 4097), as_directory());
}

/* 4.4.5.3, ERROR_CODE_SUBMITTING_PEER_NOT_PART_OF_CONTRACT; Manager-SubmitContract-7 */
static void refuses_a_submitter_who_is_not_in_the_contract(void **state)
{
    ContractRules rules = as_provider();
    rules.submitter = OTHER;
    assert_refused(sample_content(sample_connection()), rules, VERDICT_SUBMITTER_NOT_IN_CONTRACT);
    assert_accepted(sample_content(sample_delegated_connection()), rules);
}

/* 4.4.5.3, ERROR_CODE_RECEIVING_PEER_NOT_PART_OF_CONTRACT */
static void refuses_a_contract_that_we_are_not_in(void **state)
{
    ContractRules rules = as_provider();
    rules.own_peer_id = OTHER;
    assert_refused(sample_content(sample_connection()), rules, VERDICT_RECEIVER_NOT_IN_CONTRACT);
}

static void names_the_submitter_before_the_receiver(void **state)
{
    ContractRules rules = as_provider();
    rules.own_peer_id = OTHER;
    rules.submitter = DIRECTORY;
    assert_refused(sample_content(sample_connection()), rules, VERDICT_SUBMITTER_NOT_IN_CONTRACT);
}

/* 4.2.1.3: "The Service provided in the field grant.data.service.name is offered by the Peer" */
static void refuses_a_service_that_we_do_not_offer(void **state)
{
    assert_refused(connection_with("grants.0.data.service", "name", json_string("other")), as_provider(),
                   VERDICT_SERVICE_NOT_OFFERED);
    ContractRules consumer = as_provider();
    consumer.own_peer_id = CONSUMER;
    consumer.submitter = PROVIDER;
    assert_accepted(connection_with("grants.0.data.service", "name", json_string("other")), consumer);
}

/* Two mistakes always give the same answer: the one of the rule that stands first. */
static void checks_in_a_fixed_order(void **state)
{
    json_t *content = connection_with("", "group_id", json_string("x"));
    sample_change(content, "", "iv", json_string("x"));
    sample_change(content, "", "created_at", json_integer(NOW + 1000));
    sample_change(content, "validity", "not_after", json_integer(1));
    static const struct {
        const char *path, *name;
        Verdict verdict;
    } steps[] = {
        {"", "group_id", VERDICT_INCORRECT_GROUP_ID},
        {"", "iv", VERDICT_IV},
        {"", "created_at", VERDICT_CREATED_AT},
        {"validity", "not_after", VERDICT_PERIOD},
    };
    g_autoptr(json_t) good = sample_content(sample_connection());
    for (gsize i = 0; i < G_N_ELEMENTS(steps); i++) {
        assert_refused(json_incref(content), as_provider(), steps[i].verdict);
        sample_change(content, steps[i].path, steps[i].name,
                      json_incref(json_object_get(sample_at(good, steps[i].path), steps[i].name)));
    }
    assert_accepted(content, as_provider());
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(accepts_a_connection_and_a_publication),
        cmocka_unit_test(accepts_the_delegated_types),
        cmocka_unit_test(refuses_another_group),
        cmocka_unit_test(refuses_an_iv_that_is_no_uuid),
        cmocka_unit_test(refuses_a_contract_from_the_future),
        cmocka_unit_test(refuses_a_period_that_ends_before_it_begins),
        cmocka_unit_test(refuses_a_period_that_is_over),
        cmocka_unit_test(a_stored_contract_is_not_asked_about_the_moment_again),
        cmocka_unit_test(refuses_no_grants_and_more_than_ten),
        cmocka_unit_test(refuses_publications_among_connections),
        cmocka_unit_test(accepts_grants_of_one_use_case_together),
        cmocka_unit_test(refuses_other_service_names),
        cmocka_unit_test(refuses_peer_ids_that_are_no_oin),
        cmocka_unit_test(refuses_thumbprints_of_another_shape),
        cmocka_unit_test(refuses_domain_names_of_another_shape),
        cmocka_unit_test(refuses_properties_of_a_connection_over_four_kilobytes),
        cmocka_unit_test(refuses_a_submitter_who_is_not_in_the_contract),
        cmocka_unit_test(refuses_a_contract_that_we_are_not_in),
        cmocka_unit_test(names_the_submitter_before_the_receiver),
        cmocka_unit_test(refuses_a_service_that_we_do_not_offer),
        cmocka_unit_test(checks_in_a_fixed_order),
    };
    return cmocka_run_group_tests_name("fsc rules_contract", tests, NULL, NULL);
}
