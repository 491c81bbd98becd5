#include "components/fsc/token.h"
#include "tests/unit/fsc/identity.h"

#define INWAY "https://inway.register.fsc.test:443"

static const char *const services[] = {"persons", NULL};
static TestPki *pki;
static TestIdentity consumer, provider, former, stranger;
static GPtrArray *own;

static int set_up(void **state)
{
    pki = test_pki_new();
    consumer = test_identity(pki, CONSUMER, "outway.example", NOW + 86400);
    provider = test_identity(pki, PROVIDER, NULL, NOW + 86400);
    former = test_identity(pki, PROVIDER, NULL, NOW + 86400);
    stranger = test_identity(pki, OTHER, NULL, NOW + 86400);
    own = g_ptr_array_new();
    g_ptr_array_add(own, provider.certificate);
    g_ptr_array_add(own, former.certificate);
    return 0;
}

static int tear_down(void **state)
{
    g_ptr_array_unref(own);
    test_identity_clear(&consumer);
    test_identity_clear(&provider);
    test_identity_clear(&former);
    test_identity_clear(&stranger);
    test_pki_free(pki);
    return 0;
}

/* A contract with the connection of `consumer`, changed by `change` when given. Takes the grant. */
static Contract *contract_with(json_t *grant)
{
    json_t *identification =
        json_object_get(json_object_get(json_object_get(grant, "data"), "outway"), "identification");
    if (json_object_get(identification, "public_key_thumbprint") != NULL)
        json_object_set_new(identification, "public_key_thumbprint",
                            json_string(certificate_public_key_thumbprint(consumer.certificate)));
    g_autoptr(json_t) content = sample_content(grant);
    Contract *contract = contract_parse(content, NULL);
    assert_non_null(contract);
    return contract;
}

static TokenRequest request_for(const Contract *contract)
{
    return (TokenRequest){.grant_type = "client_credentials",
                          .client_id = CONSUMER,
                          .scope = contract->grants[0].hash,
                          .certificate = consumer.certificate,
                          .own_peer_id = PROVIDER,
                          .grant = &contract->grants[0],
                          .state = CONTRACT_VALID,
                          .offered_services = services,
                          .inway_address = INWAY};
}

static void assert_refused(TokenRequest request, TokenRefusal refusal, const char *code)
{
    assert_int_equal(token_request_check(&request), refusal);
    assert_string_equal(token_refusal_row(refusal)->code, code);
}

#define WITH(member, value)                                                                                  \
    ({                                                                                                       \
        TokenRequest changed = request;                                                                      \
        changed.member = (value);                                                                            \
        changed;                                                                                             \
    })

/* Manager-GetToken-1 */
static void grants_a_token_on_a_valid_contract(void **state)
{
    g_autoptr(Contract) contract = contract_with(sample_connection());
    TokenRequest request = request_for(contract);
    assert_int_equal(token_request_check(&request), TOKEN_GRANTED);
}

/* Manager-GetToken-5; RFC 6749, 5.2 */
static void refuses_other_grant_types(void **state)
{
    g_autoptr(Contract) contract = contract_with(sample_connection());
    TokenRequest request = request_for(contract);
    assert_refused(WITH(grant_type, "authorization_code"), TOKEN_REFUSED_GRANT_TYPE,
                   "unsupported_grant_type");
    assert_refused(WITH(grant_type, NULL), TOKEN_REFUSED_GRANT_TYPE_MISSING, "invalid_request");
}

/* 4.4.1.6: "The client_id ... matches with the PeerID specified in the X.509 certificate of the client";
 * Manager-GetToken-8 and -9 */
static void refuses_a_client_id_that_is_not_the_certificate(void **state)
{
    g_autoptr(Contract) contract = contract_with(sample_connection());
    TokenRequest request = request_for(contract);
    assert_refused(WITH(client_id, NULL), TOKEN_REFUSED_CLIENT_ID_MISSING, "invalid_request");
    assert_refused(WITH(client_id, ""), TOKEN_REFUSED_CLIENT_ID_MISSING, "invalid_request");
    assert_refused(WITH(client_id, OTHER), TOKEN_REFUSED_CLIENT_ID, "invalid_client");
    assert_refused(WITH(certificate, stranger.certificate), TOKEN_REFUSED_CLIENT_ID, "invalid_client");
}

/* Manager-GetToken-4 */
static void refuses_a_scope_of_another_format(void **state)
{
    g_autoptr(Contract) contract = contract_with(sample_connection());
    g_autoptr(Contract) publication = contract_with(sample_publication());
    TokenRequest request = request_for(contract);
    assert_refused(WITH(scope, NULL), TOKEN_REFUSED_SCOPE_MISSING, "invalid_request");
    assert_refused(WITH(scope, "persons"), TOKEN_REFUSED_SCOPE_FORMAT, "invalid_scope");
    assert_refused(WITH(scope, contract->hash), TOKEN_REFUSED_SCOPE_FORMAT, "invalid_scope");
    assert_refused(WITH(scope, publication->grants[0].hash), TOKEN_REFUSED_SCOPE_FORMAT, "invalid_scope");
}

/* 4.4.1.6: "The scope ... matches with a ServiceConnectionGrant ... of a valid Contract"; Manager-GetToken-2
 * and -3 */
static void refuses_unknown_grants_and_contracts_that_are_not_valid(void **state)
{
    g_autoptr(Contract) contract = contract_with(sample_connection());
    TokenRequest request = request_for(contract);
    assert_refused(WITH(grant, NULL), TOKEN_REFUSED_GRANT_UNKNOWN, "invalid_scope");
    for (int is = 0; is < CONTRACT_STATE_COUNT; is++)
        if (is != CONTRACT_VALID)
            assert_refused(WITH(state, (ContractState)is), TOKEN_REFUSED_CONTRACT_STATE, "invalid_grant");
}

/* 4.4.1.6: "The Manager is provided by a Peer with the same PeerID as specified in
 * grant.data.service.peer_id." */
static void refuses_the_service_of_another_peer(void **state)
{
    g_autoptr(Contract) contract = contract_with(sample_connection());
    TokenRequest request = request_for(contract);
    assert_refused(WITH(own_peer_id, OTHER), TOKEN_REFUSED_NOT_PROVIDER, "invalid_scope");
}

/* 4.4.1.6: "... has an Inway which is offering the Service specified in grant.data.service.name." */
static void refuses_a_service_without_an_inway(void **state)
{
    static const char *const none[] = {NULL};
    g_autoptr(Contract) contract = contract_with(sample_connection());
    TokenRequest request = request_for(contract);
    assert_refused(WITH(offered_services, none), TOKEN_REFUSED_SERVICE, "invalid_grant");
    assert_refused(WITH(inway_address, NULL), TOKEN_REFUSED_SERVICE, "invalid_grant");
}

/* 4.4.1.6: "The Peer ID ... of the client ... matches the value of the field grant.data.outway.peer_id." */
static void refuses_another_peer_than_the_outway(void **state)
{
    g_autoptr(Contract) contract = contract_with(sample_connection());
    TokenRequest request = request_for(contract);
    request.client_id = OTHER;
    request.certificate = stranger.certificate;
    assert_refused(request, TOKEN_REFUSED_NOT_OUTWAY, "unauthorized_client");
}

/* 4.4.1.6: "... a public key with the same public key thumbprint" */
static void refuses_another_key_of_the_same_peer(void **state)
{
    g_autoptr(Contract) contract = contract_with(sample_connection());
    TestIdentity second = test_identity(pki, CONSUMER, NULL, NOW + 86400);
    TokenRequest request = request_for(contract);
    assert_refused(WITH(certificate, second.certificate), TOKEN_REFUSED_PUBLIC_KEY, "unauthorized_client");
    test_identity_clear(&second);
}

static json_t *connection_by_domain(const char *domain)
{
    json_t *grant = sample_connection();
    json_object_set_new(
        json_object_get(json_object_get(grant, "data"), "outway"), "identification",
        json_pack("{s:s, s:s}", "type", "OUTWAY_IDENTIFICATION_TYPE_DOMAIN_NAME", "domain_name", domain));
    return grant;
}

/* 4.4.1.6: "... a Subject Alternative Name (SAN) that matches the domain name" */
static void identifies_an_outway_by_domain_name(void **state)
{
    g_autoptr(Contract) right = contract_with(connection_by_domain("outway.example"));
    g_autoptr(Contract) wrong = contract_with(connection_by_domain("inway.example"));
    TokenRequest request = request_for(right);
    assert_int_equal(token_request_check(&request), TOKEN_GRANTED);
    assert_refused(request_for(wrong), TOKEN_REFUSED_DOMAIN_NAME, "unauthorized_client");
}

static json_t *claims_of(const Contract *contract)
{
    TokenClaims claims = {.group_id = GROUP,
                          .own_peer_id = PROVIDER,
                          .inway_address = INWAY,
                          .grant = &contract->grants[0],
                          .contract_not_after = contract->not_after,
                          .thumbprint = certificate_thumbprint(consumer.certificate),
                          .now_s = NOW};
    return token_claims(&claims);
}

/* 4.3.1 */
static void claims_are_those_of_the_standard(void **state)
{
    g_autoptr(Contract) contract = contract_with(sample_connection());
    g_autoptr(json_t) claims = claims_of(contract);
    static const JsonField fields[] = {{"gth", JSON_KIND_STRING, TRUE},  {"gid", JSON_KIND_STRING, TRUE},
                                       {"sub", JSON_KIND_STRING, TRUE},  {"iss", JSON_KIND_STRING, TRUE},
                                       {"svc", JSON_KIND_STRING, TRUE},  {"aud", JSON_KIND_STRING, TRUE},
                                       {"exp", JSON_KIND_INTEGER, TRUE}, {"nbf", JSON_KIND_INTEGER, TRUE},
                                       {"cnf", JSON_KIND_OBJECT, TRUE},  {"add", JSON_KIND_OBJECT, TRUE}};
    assert_true(json_check_object(claims, "claims", JSON_FIELDS(fields), NULL));
    Token token;
    assert_true(token_read(claims, &token, NULL));
    assert_string_equal(token.grant_hash, contract->grants[0].hash);
    assert_string_equal(token.group_id, GROUP);
    assert_string_equal(token.outway_peer_id, CONSUMER);
    assert_string_equal(token.service_peer_id, PROVIDER);
    assert_string_equal(token.service_name, "persons");
    assert_string_equal(token.audience, INWAY);
    assert_string_equal(token.thumbprint, certificate_thumbprint(consumer.certificate));
    assert_int_equal(token.expires_at, NOW + 300);
    assert_int_equal(token.not_before, NOW);
    assert_null(token.delegator);
    assert_null(token.service_delegator);
    assert_null(token.properties);
}

/* 4.4.1.6: "The act claim MUST be set ... on behalf of another Peer", "The pdi claim MUST be set", "The prp
 * claim MUST be set". docs/fsc-readings.md, 4: act.sub is the delegator. Manager-GetToken-6, -7, -10, -11 */
static void claims_name_delegators_and_properties(void **state)
{
    json_t *grant = sample_delegated_connection();
    json_t *data = json_object_get(grant, "data");
    json_object_set_new(data, "properties", json_pack("{s:s}", "purpose", "test"));
    json_t *service = json_object_get(data, "service");
    json_object_set_new(service, "type", json_string("SERVICE_TYPE_DELEGATED_SERVICE"));
    json_object_set_new(service, "delegator", json_pack("{s:s}", "peer_id", DELEGATOR));
    g_autoptr(Contract) contract = contract_with(grant);
    g_autoptr(json_t) claims = claims_of(contract);
    Token token;
    assert_true(token_read(claims, &token, NULL));
    assert_string_equal(token.outway_peer_id, CONSUMER);
    assert_string_equal(token.delegator, OTHER);
    assert_string_equal(token.service_delegator, DELEGATOR);
    assert_string_equal(json_string_at(token.properties, "purpose"), "test");
}

static void no_token_outlives_its_contract(void **state)
{
    json_t *content = sample_content(sample_connection());
    sample_change(content, "validity", "not_after", json_integer(NOW + 100));
    g_autoptr(Contract) contract = contract_parse(content, NULL);
    json_decref(content);
    g_autoptr(json_t) claims = claims_of(contract);
    assert_int_equal(json_integer_at(claims, "exp"), NOW + 100);
}

static json_t *good_claims(void)
{
    g_autoptr(Contract) contract = contract_with(sample_connection());
    return claims_of(contract);
}

static TokenVerification verification(void)
{
    return (TokenVerification){.thumbprint = certificate_thumbprint(consumer.certificate),
                               .group_id = GROUP,
                               .own_peer_id = PROVIDER,
                               .inway_address = INWAY,
                               .own_certificates = own,
                               .offered_services = services,
                               .now_s = NOW};
}

/* Takes the claims. */
static enum frame_status status_of(json_t *claims, const TestIdentity *signer, TokenVerification verify)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *text = jws_sign(claims, signer->key, signer->certificate, NULL, NULL);
    json_decref(claims);
    g_autoptr(Jws) jws = NULL;
    Token token;
    enum frame_status status = token_verify(text, &verify, &jws, &token, &error);
    assert_true((status == FRAME_STATUS_OK) == (error == NULL));
    assert_true((status == FRAME_STATUS_OK) == (jws != NULL));
    return status;
}

static json_t *claims_with(const char *name, json_t *value)
{
    json_t *claims = good_claims();
    if (value == NULL)
        json_object_del(claims, name);
    else
        json_object_set_new(claims, name, value);
    return claims;
}

#define ASSERT_STATUS(claims, expected)                                                                      \
    assert_int_equal(status_of(claims, &provider, verification()), FRAME_STATUS_##expected)

static void inway_accepts_its_own_token(void **state)
{
    ASSERT_STATUS(good_claims(), OK);
    assert_int_equal(status_of(good_claims(), &former, verification()), FRAME_STATUS_OK);
}

/* docs/fsc-readings.md, 5 */
static void inway_accepts_bearer_in_front(void **state)
{
    g_autoptr(json_t) claims = good_claims();
    g_autofree char *text = jws_sign(claims, provider.key, provider.certificate, NULL, NULL);
    g_autofree char *bearer = g_strconcat("Bearer ", text, NULL);
    TokenVerification verify = verification();
    g_autoptr(Jws) jws = NULL;
    Token token;
    assert_int_equal(token_verify(bearer, &verify, &jws, &token, NULL), FRAME_STATUS_OK);
    g_autoptr(Jws) none = NULL;
    assert_int_equal(token_verify("", &verify, &none, &token, NULL), FRAME_STATUS_ACCESS_TOKEN_MISSING);
    assert_int_equal(token_verify("Bearer ", &verify, &none, &token, NULL),
                     FRAME_STATUS_ACCESS_TOKEN_MISSING);
    assert_int_equal(token_verify("Basic x", &verify, &none, &token, NULL),
                     FRAME_STATUS_ACCESS_TOKEN_INVALID);
}

/* 4.7.1.2: "The access token is signed by the same Peer that owns Inway." */
static void inway_refuses_tokens_that_others_signed(void **state)
{
    assert_int_equal(status_of(good_claims(), &consumer, verification()), FRAME_STATUS_ACCESS_TOKEN_INVALID);
    ASSERT_STATUS(claims_with("iss", json_string(OTHER)), ACCESS_TOKEN_INVALID);
}

/* 4.7.1.2 and RFC 8705, 3.1 */
static void inway_refuses_a_token_bound_to_another_certificate(void **state)
{
    TokenVerification verify = verification();
    verify.thumbprint = certificate_thumbprint(stranger.certificate);
    assert_int_equal(status_of(good_claims(), &provider, verify), FRAME_STATUS_ACCESS_TOKEN_INVALID);
}

/* 4.7.2.2.1: ERROR_CODE_WRONG_GROUP_ID_IN_TOKEN */
static void inway_refuses_another_group(void **state)
{
    ASSERT_STATUS(claims_with("gid", json_string("other")), WRONG_GROUP_ID);
}

/* 4.7.2.2.1: ERROR_CODE_ACCESS_TOKEN_EXPIRED; 10 s tolerance */
static void inway_refuses_tokens_before_and_after_their_time(void **state)
{
    TokenVerification verify = verification();
    verify.now_s = NOW + 309;
    assert_int_equal(status_of(good_claims(), &provider, verify), FRAME_STATUS_OK);
    verify.now_s = NOW + 310;
    assert_int_equal(status_of(good_claims(), &provider, verify), FRAME_STATUS_ACCESS_TOKEN_EXPIRED);
    verify.now_s = NOW - 10;
    assert_int_equal(status_of(good_claims(), &provider, verify), FRAME_STATUS_OK);
    verify.now_s = NOW - 11;
    assert_int_equal(status_of(good_claims(), &provider, verify), FRAME_STATUS_ACCESS_TOKEN_INVALID);
}

static void inway_refuses_another_audience(void **state)
{
    ASSERT_STATUS(claims_with("aud", json_string("https://inway.register.fsc.test:8443")),
                  ACCESS_TOKEN_INVALID);
    TokenVerification verify = verification();
    verify.inway_address = NULL;
    assert_int_equal(status_of(good_claims(), &provider, verify), FRAME_STATUS_ACCESS_TOKEN_INVALID);
}

/* 4.7.2.2.1: ERROR_CODE_SERVICE_NOT_FOUND */
static void inway_refuses_a_service_it_does_not_know(void **state)
{
    ASSERT_STATUS(claims_with("svc", json_string("other")), SERVICE_NOT_FOUND);
}

static void inway_refuses_missing_and_malformed_claims(void **state)
{
    static const char *const names[] = {"gth", "gid", "sub", "iss", "svc", "aud", "exp", "nbf", "cnf"};
    for (gsize i = 0; i < G_N_ELEMENTS(names); i++) {
        ASSERT_STATUS(claims_with(names[i], NULL), ACCESS_TOKEN_INVALID);
        ASSERT_STATUS(claims_with(names[i], json_true()), ACCESS_TOKEN_INVALID);
    }
    ASSERT_STATUS(claims_with("act", json_object()), ACCESS_TOKEN_INVALID);
    ASSERT_STATUS(claims_with("pdi", json_integer(1)), ACCESS_TOKEN_INVALID);
    ASSERT_STATUS(claims_with("prp", json_string("x")), ACCESS_TOKEN_INVALID);
    ASSERT_STATUS(claims_with("new", json_string("x")), OK);
}

static void inway_refuses_what_is_no_token(void **state)
{
    static const char *const wrong[] = {"x", "a.b.c", "eyJhbGciOiJub25lIn0.e30."};
    for (gsize i = 0; i < G_N_ELEMENTS(wrong); i++) {
        g_autoptr(GError) error = NULL;
        g_autoptr(Jws) jws = NULL;
        Token token;
        TokenVerification verify = verification();
        assert_int_equal(token_verify(wrong[i], &verify, &jws, &token, &error),
                         FRAME_STATUS_ACCESS_TOKEN_INVALID);
    }
}

/* The order of checks is fixed: with everything wrong, mending one after the other gives these answers. */
static void inway_checks_in_a_fixed_order(void **state)
{
    TokenVerification verify = verification();
    verify.now_s = NOW + 1000;
    verify.inway_address = "https://other:443";
    verify.thumbprint = certificate_thumbprint(stranger.certificate);
    static const char *const none[] = {NULL};
    verify.offered_services = none;
    verify.group_id = "other";
    assert_int_equal(status_of(good_claims(), &consumer, verify), FRAME_STATUS_ACCESS_TOKEN_INVALID);
    assert_int_equal(status_of(good_claims(), &provider, verify), FRAME_STATUS_ACCESS_TOKEN_INVALID);
    verify.thumbprint = certificate_thumbprint(consumer.certificate);
    assert_int_equal(status_of(good_claims(), &provider, verify), FRAME_STATUS_WRONG_GROUP_ID);
    verify.group_id = GROUP;
    assert_int_equal(status_of(good_claims(), &provider, verify), FRAME_STATUS_ACCESS_TOKEN_EXPIRED);
    verify.now_s = NOW;
    assert_int_equal(status_of(good_claims(), &provider, verify), FRAME_STATUS_ACCESS_TOKEN_INVALID);
    verify.inway_address = INWAY;
    assert_int_equal(status_of(good_claims(), &provider, verify), FRAME_STATUS_SERVICE_NOT_FOUND);
    verify.offered_services = services;
    assert_int_equal(status_of(good_claims(), &provider, verify), FRAME_STATUS_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(grants_a_token_on_a_valid_contract),
        cmocka_unit_test(refuses_other_grant_types),
        cmocka_unit_test(refuses_a_client_id_that_is_not_the_certificate),
        cmocka_unit_test(refuses_a_scope_of_another_format),
        cmocka_unit_test(refuses_unknown_grants_and_contracts_that_are_not_valid),
        cmocka_unit_test(refuses_the_service_of_another_peer),
        cmocka_unit_test(refuses_a_service_without_an_inway),
        cmocka_unit_test(refuses_another_peer_than_the_outway),
        cmocka_unit_test(refuses_another_key_of_the_same_peer),
        cmocka_unit_test(identifies_an_outway_by_domain_name),
        cmocka_unit_test(claims_are_those_of_the_standard),
        cmocka_unit_test(claims_name_delegators_and_properties),
        cmocka_unit_test(no_token_outlives_its_contract),
        cmocka_unit_test(inway_accepts_its_own_token),
        cmocka_unit_test(inway_accepts_bearer_in_front),
        cmocka_unit_test(inway_refuses_tokens_that_others_signed),
        cmocka_unit_test(inway_refuses_a_token_bound_to_another_certificate),
        cmocka_unit_test(inway_refuses_another_group),
        cmocka_unit_test(inway_refuses_tokens_before_and_after_their_time),
        cmocka_unit_test(inway_refuses_another_audience),
        cmocka_unit_test(inway_refuses_a_service_it_does_not_know),
        cmocka_unit_test(inway_refuses_missing_and_malformed_claims),
        cmocka_unit_test(inway_refuses_what_is_no_token),
        cmocka_unit_test(inway_checks_in_a_fixed_order),
    };
    return cmocka_run_group_tests_name("fsc token", tests, set_up, tear_down);
}
