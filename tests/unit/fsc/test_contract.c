#include "tests/unit/fsc/sample.h"

/* Takes the content. */
static Contract *parse(json_t *content, GError **error)
{
    Contract *contract = contract_parse(content, error);
    json_decref(content);
    return contract;
}

static void refuses(json_t *content, Verdict verdict)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(Contract) contract = parse(content, &error);
    assert_null(contract);
    assert_verdict(error, verdict);
}

static Contract *accepts(json_t *grant)
{
    g_autoptr(GError) error = NULL;
    Contract *contract = parse(sample_content(grant), &error);
    if (contract == NULL)
        fail_msg("%s", error->message);
    return contract;
}

static void assert_signers(const Contract *contract, const char *expected)
{
    g_autoptr(GString) all = g_string_new(NULL);
    for (guint i = 0; i < contract->signers->len; i++)
        g_string_append_printf(all, "%s%s", i > 0 ? " " : "",
                               (const char *)g_ptr_array_index(contract->signers, i));
    assert_string_equal(all->str, expected);
}

/* FSC Core 2.0.0, 4.2.1.1, "Signature requirements" */
static void publication_is_signed_by_directory_and_provider(void **state)
{
    g_autoptr(Contract) contract = accepts(sample_publication());
    assert_int_equal(contract->grants[0].type, GRANT_SERVICE_PUBLICATION);
    assert_string_equal(contract->grants[0].service_name, "persons");
    assert_string_equal(contract->grants[0].protocol, "PROTOCOL_TCP_HTTP_1.1");
    assert_null(contract->grants[0].outway_peer_id);
    assert_signers(contract, DIRECTORY " " PROVIDER);
}

/* FSC Core 2.0.0, 4.2.1.2 */
static void delegated_publication_is_also_signed_by_the_delegator(void **state)
{
    g_autoptr(Contract) contract = accepts(sample_delegated_publication());
    assert_signers(contract, DIRECTORY " " PROVIDER " " DELEGATOR);
}

/* FSC Core 2.0.0, 4.2.1.3 */
static void connection_is_signed_by_consumer_and_provider(void **state)
{
    g_autoptr(Contract) contract = accepts(sample_connection());
    assert_string_equal(contract->grants[0].public_key_thumbprint, THUMBPRINT);
    assert_null(contract->grants[0].domain_name);
    assert_null(contract->grants[0].service_delegator);
    assert_signers(contract, CONSUMER " " PROVIDER);
    assert_true(contract_has_signer(contract, CONSUMER));
    assert_false(contract_has_signer(contract, DIRECTORY));
}

/* FSC Core 2.0.0, 4.2.1.4 */
static void delegated_connection_is_also_signed_by_the_delegator(void **state)
{
    g_autoptr(Contract) contract = accepts(sample_delegated_connection());
    assert_signers(contract, CONSUMER " " PROVIDER " " OTHER);
}

static json_t *to_delegated_service(json_t *grant)
{
    json_t *service = json_object_get(json_object_get(grant, "data"), "service");
    json_object_set_new(service, "type", json_string("SERVICE_TYPE_DELEGATED_SERVICE"));
    json_object_set_new(service, "delegator", json_pack("{s:s}", "peer_id", DELEGATOR));
    return grant;
}

static void connection_to_a_delegated_service_is_signed_by_its_delegator(void **state)
{
    g_autoptr(Contract) contract = accepts(to_delegated_service(sample_connection()));
    assert_string_equal(contract->grants[0].service_delegator, DELEGATOR);
    assert_signers(contract, CONSUMER " " PROVIDER " " DELEGATOR);
}

static void delegation_on_both_sides_has_four_signers(void **state)
{
    g_autoptr(Contract) contract = accepts(to_delegated_service(sample_delegated_connection()));
    assert_signers(contract, CONSUMER " " PROVIDER " " OTHER " " DELEGATOR);
}

static void peer_with_two_roles_signs_once(void **state)
{
    json_t *content = sample_content(sample_connection());
    json_array_append_new(json_object_get(content, "grants"), sample_connection());
    sample_change(content, "grants.1.data.outway", "peer_id", json_string(PROVIDER));
    g_autoptr(GError) error = NULL;
    g_autoptr(Contract) contract = parse(content, &error);
    assert_signers(contract, CONSUMER " " PROVIDER);
}

static void outway_may_be_known_by_domain_name(void **state)
{
    json_t *grant = sample_connection();
    json_t *outway = json_object_get(json_object_get(grant, "data"), "outway");
    json_object_set_new(outway, "identification",
                        json_pack("{s:s, s:s}", "type", "OUTWAY_IDENTIFICATION_TYPE_DOMAIN_NAME",
                                  "domain_name", "outway.example"));
    g_autoptr(Contract) contract = accepts(grant);
    assert_null(contract->grants[0].public_key_thumbprint);
    assert_string_equal(contract->grants[0].domain_name, "outway.example");
}

static void properties_are_kept(void **state)
{
    json_t *grant = sample_connection();
    json_object_set_new(json_object_get(grant, "data"), "properties", json_pack("{s:[i,b]}", "a", 1, 1));
    g_autoptr(Contract) contract = accepts(grant);
    assert_int_equal(json_object_size(contract->grants[0].properties), 1);
}

/* FSC Core 2.0.0, 4.2.1.1: "If grant.data.properties is provided, it MUST be a valid JSON Object" */
static void refuses_properties_that_are_no_object(void **state)
{
    json_t *content = sample_content(sample_connection());
    sample_change(content, "grants.0.data", "properties", json_array());
    refuses(content, VERDICT_SCHEMA);
}

static void refuses_each_missing_member(void **state)
{
    static const struct {
        const char *path, *name;
    } members[] = {
        {"", "fsc_version"},
        {"", "iv"},
        {"", "group_id"},
        {"", "validity"},
        {"", "grants"},
        {"", "hash_algorithm"},
        {"", "created_at"},
        {"validity", "not_before"},
        {"validity", "not_after"},
        {"grants.0", "data"},
        {"grants.0.data", "type"},
        {"grants.0.data", "outway"},
        {"grants.0.data", "service"},
        {"grants.0.data.outway", "peer_id"},
        {"grants.0.data.outway", "identification"},
        {"grants.0.data.outway.identification", "type"},
        {"grants.0.data.outway.identification", "public_key_thumbprint"},
        {"grants.0.data.service", "type"},
        {"grants.0.data.service", "peer_id"},
        {"grants.0.data.service", "name"},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(members); i++) {
        json_t *content = sample_content(sample_connection());
        sample_change(content, members[i].path, members[i].name, NULL);
        refuses(content, VERDICT_SCHEMA);
    }
}

static void refuses_each_missing_member_of_a_publication(void **state)
{
    static const struct {
        const char *path, *name;
    } members[] = {
        {"grants.0.data", "directory"},         {"grants.0.data", "service"},
        {"grants.0.data", "delegator"},         {"grants.0.data.directory", "peer_id"},
        {"grants.0.data.delegator", "peer_id"}, {"grants.0.data.service", "peer_id"},
        {"grants.0.data.service", "name"},      {"grants.0.data.service", "protocol"},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(members); i++) {
        json_t *content = sample_content(sample_delegated_publication());
        sample_change(content, members[i].path, members[i].name, NULL);
        refuses(content, VERDICT_SCHEMA);
    }
}

static void refuses_unknown_members_everywhere(void **state)
{
    static const char *const paths[] = {"",
                                        "validity",
                                        "grants.0",
                                        "grants.0.data",
                                        "grants.0.data.outway",
                                        "grants.0.data.outway.identification",
                                        "grants.0.data.service"};
    for (gsize i = 0; i < G_N_ELEMENTS(paths); i++) {
        json_t *content = sample_content(sample_connection());
        sample_change(content, paths[i], "surprise", json_true());
        refuses(content, VERDICT_SCHEMA);
    }
}

/* The shape of FSC Core 1.x, which other implementations were seen to swallow. */
static void refuses_the_flat_thumbprint_of_older_versions(void **state)
{
    json_t *content = sample_content(sample_connection());
    sample_change(content, "grants.0.data.outway", "identification", NULL);
    sample_change(content, "grants.0.data.outway", "public_key_thumbprint", json_string(THUMBPRINT));
    refuses(content, VERDICT_SCHEMA);
}

static void refuses_unknown_types(void **state)
{
    static const char *const paths[] = {"grants.0.data", "grants.0.data.service",
                                        "grants.0.data.outway.identification"};
    for (gsize i = 0; i < G_N_ELEMENTS(paths); i++) {
        json_t *content = sample_content(sample_connection());
        sample_change(content, paths[i], "type", json_string("GRANT_TYPE_UNKNOWN"));
        refuses(content, VERDICT_SCHEMA);
    }
    json_t *content = sample_content(sample_publication());
    sample_change(content, "grants.0.data.service", "protocol", json_string("PROTOCOL_TCP_HTTP_3"));
    refuses(content, VERDICT_SCHEMA);
}

static void refuses_a_delegator_without_the_delegated_type(void **state)
{
    json_t *content = sample_content(sample_connection());
    sample_change(content, "grants.0.data.service", "delegator", json_pack("{s:s}", "peer_id", DELEGATOR));
    refuses(content, VERDICT_SCHEMA);
}

static void refuses_time_stamps_that_are_no_whole_seconds(void **state)
{
    static const struct {
        const char *path, *name;
    } members[] = {{"", "created_at"}, {"validity", "not_before"}, {"validity", "not_after"}};
    for (gsize i = 0; i < G_N_ELEMENTS(members); i++) {
        json_t *wrong[] = {json_real(NOW + 0.5), json_string("2026-01-01"), json_integer(-1), json_null()};
        for (gsize j = 0; j < G_N_ELEMENTS(wrong); j++) {
            json_t *content = sample_content(sample_connection());
            sample_change(content, members[i].path, members[i].name, wrong[j]);
            refuses(content, VERDICT_SCHEMA);
        }
    }
}

static void refuses_content_that_is_no_object(void **state)
{
    refuses(json_array(), VERDICT_SCHEMA);
    refuses(json_null(), VERDICT_SCHEMA);
}

/* FSC Core 2.0.0, 4.4.5.3: ERROR_CODE_UNKNOWN_FSC_VERSION, before anything else that may differ in that
 * version */
static void names_an_unknown_version_before_unknown_fields(void **state)
{
    static const char *const versions[] = {"1.0.0", "1.1.2", "2.0.1", "2.1.0", "3.0.0", ""};
    for (gsize i = 0; i < G_N_ELEMENTS(versions); i++) {
        json_t *content = sample_content(sample_connection());
        sample_change(content, "", "fsc_version", json_string(versions[i]));
        sample_change(content, "", "algorithm", json_string("other"));
        refuses(content, VERDICT_UNKNOWN_FSC_VERSION);
    }
    assert_string_equal(verdict_row(VERDICT_UNKNOWN_FSC_VERSION)->fsc_code, "ERROR_CODE_UNKNOWN_FSC_VERSION");
    assert_int_equal(verdict_row(VERDICT_UNKNOWN_FSC_VERSION)->http_status, 422);
}

/* FSC Core 2.0.0, 4.4.5.3: ERROR_CODE_UNKNOWN_HASH_ALGORITHM_HASH; test suite Manager-SubmitContract-10 */
static void names_an_unknown_hash_algorithm(void **state)
{
    json_t *content = sample_content(sample_connection());
    sample_change(content, "", "hash_algorithm", json_string("HASH_ALGORITHM_SHA2_256"));
    refuses(content, VERDICT_UNKNOWN_HASH_ALGORITHM);
    assert_string_equal(verdict_row(VERDICT_UNKNOWN_HASH_ALGORITHM)->fsc_code,
                        "ERROR_CODE_UNKNOWN_HASH_ALGORITHM_HASH");
}

static void finds_its_grants_by_hash(void **state)
{
    json_t *content = sample_content(sample_connection());
    json_array_append_new(json_object_get(content, "grants"), sample_delegated_connection());
    g_autoptr(GError) error = NULL;
    g_autoptr(Contract) contract = parse(content, &error);
    assert_ptr_equal(contract_find_grant(contract, contract->grants[1].hash), &contract->grants[1]);
    assert_null(contract_find_grant(contract, contract->hash));
    assert_int_equal(contract_count(contract, FALSE), 2);
    assert_int_equal(contract_count(contract, TRUE), 0);
}

static void survives_writing_and_reading(void **state)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(Contract) first = accepts(sample_connection());
    g_autofree char *text = json_write(first->content);
    g_autoptr(Contract) second = contract_parse_text(text, &error);
    assert_string_equal(first->hash, second->hash);
    assert_string_equal(first->grants[0].hash, second->grants[0].hash);
}

/* Every code of the table in 4.4.5.3 that concerns contracts, with its status. */
static void verdicts_carry_the_codes_of_the_standard(void **state)
{
    static const char *const codes[] = {"ERROR_CODE_INCORRECT_GROUP_ID",
                                        "ERROR_CODE_SUBMITTING_PEER_NOT_PART_OF_CONTRACT",
                                        "ERROR_CODE_RECEIVING_PEER_NOT_PART_OF_CONTRACT",
                                        "ERROR_CODE_SIGNATURE_CONTRACT_CONTENT_HASH_MISMATCH",
                                        "ERROR_CODE_PEER_ID_SIGNATURE_MISMATCH",
                                        "ERROR_CODE_SIGNATURE_VERIFICATION_FAILED",
                                        "ERROR_CODE_GRANT_COMBINATION_NOT_ALLOWED",
                                        "ERROR_CODE_URL_PATH_CONTENT_HASH_MISMATCH",
                                        "ERROR_CODE_UNKNOWN_HASH_ALGORITHM_HASH",
                                        "ERROR_CODE_UNKNOWN_ALGORITHM_SIGNATURE",
                                        "ERROR_CODE_UNKNOWN_FSC_VERSION"};
    for (gsize i = 0; i < G_N_ELEMENTS(codes); i++) {
        gboolean found = FALSE;
        for (int verdict = 0; verdict < VERDICT_COUNT; verdict++)
            if (g_str_equal(verdict_row((Verdict)verdict)->fsc_code, codes[i])) {
                found = TRUE;
                assert_int_equal(verdict_row((Verdict)verdict)->http_status, 422);
            }
        if (!found)
            fail_msg("%s is nowhere in the table", codes[i]);
    }
    for (int verdict = 0; verdict < VERDICT_COUNT; verdict++)
        assert_in_range(verdict_row((Verdict)verdict)->http_status, 400, 499);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(publication_is_signed_by_directory_and_provider),
        cmocka_unit_test(delegated_publication_is_also_signed_by_the_delegator),
        cmocka_unit_test(connection_is_signed_by_consumer_and_provider),
        cmocka_unit_test(delegated_connection_is_also_signed_by_the_delegator),
        cmocka_unit_test(connection_to_a_delegated_service_is_signed_by_its_delegator),
        cmocka_unit_test(delegation_on_both_sides_has_four_signers),
        cmocka_unit_test(peer_with_two_roles_signs_once),
        cmocka_unit_test(outway_may_be_known_by_domain_name),
        cmocka_unit_test(properties_are_kept),
        cmocka_unit_test(refuses_properties_that_are_no_object),
        cmocka_unit_test(refuses_each_missing_member),
        cmocka_unit_test(refuses_each_missing_member_of_a_publication),
        cmocka_unit_test(refuses_unknown_members_everywhere),
        cmocka_unit_test(refuses_the_flat_thumbprint_of_older_versions),
        cmocka_unit_test(refuses_unknown_types),
        cmocka_unit_test(refuses_a_delegator_without_the_delegated_type),
        cmocka_unit_test(refuses_time_stamps_that_are_no_whole_seconds),
        cmocka_unit_test(refuses_content_that_is_no_object),
        cmocka_unit_test(names_an_unknown_version_before_unknown_fields),
        cmocka_unit_test(names_an_unknown_hash_algorithm),
        cmocka_unit_test(finds_its_grants_by_hash),
        cmocka_unit_test(survives_writing_and_reading),
        cmocka_unit_test(verdicts_carry_the_codes_of_the_standard),
    };
    return cmocka_run_group_tests_name("fsc contract", tests, NULL, NULL);
}
