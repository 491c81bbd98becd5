#include "components/fsc/signature.h"
#include "core/base/bytes.h"
#include "tests/unit/fsc/identity.h"

#define HASH "$1$1$ia278mmEEX5QvMZfatwQW1F3gm0jOFrh1sQN4Pc3lBtunVH9Vl-JMMJOc_9Xonzw1EuHhWD2tGspmMVGxMnGjQ"
#define OTHER_HASH                                                                                           \
    "$1$1$ja278mmEEX5QvMZfatwQW1F3gm0jOFrh1sQN4Pc3lBtunVH9Vl-JMMJOc_9Xonzw1EuHhWD2tGspmMVGxMnGjQ"

static TestPki *pki;
static TestIdentity consumer, stranger;

static int set_up(void **state)
{
    pki = test_pki_new();
    consumer = test_identity(pki, CONSUMER, NULL, NOW + 86400);
    stranger = test_identity(pki, OTHER, NULL, NOW + 86400);
    return 0;
}

static int tear_down(void **state)
{
    test_identity_clear(&consumer);
    test_identity_clear(&stranger);
    test_pki_free(pki);
    return 0;
}

static char *made(SignatureType type)
{
    g_autoptr(GError) error = NULL;
    char *jws = signature_make(HASH, type, NOW, consumer.key, consumer.certificate, &error);
    if (jws == NULL)
        fail_msg("%s", error->message);
    return jws;
}

/* Takes the payload. */
static char *signed_payload(json_t *payload)
{
    char *jws = jws_sign(payload, consumer.key, consumer.certificate, NULL, NULL);
    json_decref(payload);
    return jws;
}

static void refuses(char *jws, SignatureType expected, Verdict verdict)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *owned = jws;
    g_autoptr(Signature) signature = signature_parse(owned, HASH, expected, NOW, &error);
    assert_null(signature);
    assert_verdict(error, verdict);
}

static json_t *payload_with(const char *name, json_t *value)
{
    json_t *payload = json_pack("{s:s, s:s, s:I}", "contract_content_hash", HASH, "type", "accept",
                                "signed_at", (json_int_t)NOW);
    if (value == NULL)
        json_object_del(payload, name);
    else
        json_object_set_new(payload, name, value);
    return payload;
}

static void reads_what_it_makes(void **state)
{
    for (int type = 0; type < SIGNATURE_TYPE_COUNT; type++) {
        g_autoptr(GError) error = NULL;
        g_autofree char *jws = made((SignatureType)type);
        g_autoptr(Signature) signature = signature_parse(jws, HASH, (SignatureType)type, NOW, &error);
        assert_non_null(signature);
        assert_int_equal(signature->type, type);
        assert_true(signature->signed_at == NOW);
        assert_true(signature_verify(signature, consumer.certificate, pki->anchors, CONSUMER, NOW, &error));
    }
}

/* FSC Core 2.0.0, 4.2.3: "A signature MUST follow the JSON Web Signature (JWS) format";
 * Manager-AcceptContract-3 */
static void refuses_what_is_no_jws(void **state)
{
    refuses(g_strdup(""), SIGNATURE_ACCEPT, VERDICT_SIGNATURE_SYNTAX);
    refuses(g_strdup("x"), SIGNATURE_ACCEPT, VERDICT_SIGNATURE_SYNTAX);
    refuses(g_strdup("a.b.c"), SIGNATURE_ACCEPT, VERDICT_SIGNATURE_SYNTAX);
    assert_string_equal(verdict_row(VERDICT_SIGNATURE_SYNTAX)->fsc_code,
                        "ERROR_CODE_SIGNATURE_VERIFICATION_FAILED");
}

/* 4.2.3: one of six algorithms; Manager-AcceptContract-7 */
static void refuses_other_algorithms(void **state)
{
    static const char *const algorithms[] = {"none", "HS256", "PS256", "EdDSA", "ES256K", "es256"};
    for (gsize i = 0; i < G_N_ELEMENTS(algorithms); i++) {
        g_autofree char *good = made(SIGNATURE_ACCEPT);
        g_autofree char *header = g_strdup_printf("{\"alg\":\"%s\",\"x5t#S256\":\"%s\"}", algorithms[i],
                                                  certificate_thumbprint(consumer.certificate));
        g_autofree char *encoded = base64url_encode(header, strlen(header));
        refuses(g_strconcat(encoded, strchr(good, '.'), NULL), SIGNATURE_ACCEPT, VERDICT_SIGNATURE_ALGORITHM);
    }
    assert_string_equal(verdict_row(VERDICT_SIGNATURE_ALGORITHM)->fsc_code,
                        "ERROR_CODE_UNKNOWN_ALGORITHM_SIGNATURE");
}

/* 4.2.3: the payload MUST hold hash, type and time. Nothing else is known. */
static void refuses_payloads_of_another_shape(void **state)
{
    static const char *const names[] = {"contract_content_hash", "type", "signed_at"};
    for (gsize i = 0; i < G_N_ELEMENTS(names); i++) {
        refuses(signed_payload(payload_with(names[i], NULL)), SIGNATURE_ACCEPT, VERDICT_SIGNATURE_SYNTAX);
        refuses(signed_payload(payload_with(names[i], json_true())), SIGNATURE_ACCEPT,
                VERDICT_SIGNATURE_SYNTAX);
    }
    refuses(signed_payload(payload_with("more", json_true())), SIGNATURE_ACCEPT, VERDICT_SIGNATURE_SYNTAX);
}

/* 4.2.4: "The Validation MUST be done every time a Peer receives a signature."; Manager-AcceptContract-4 */
static void refuses_the_hash_of_another_contract(void **state)
{
    refuses(signed_payload(payload_with("contract_content_hash", json_string(OTHER_HASH))), SIGNATURE_ACCEPT,
            VERDICT_SIGNATURE_HASH);
}

/* 4.2.3.2; Manager-AcceptContract-5, Manager-RejectContract-5, Manager-RevokeContract-5 */
static void refuses_a_type_that_was_not_asked(void **state)
{
    for (int type = 0; type < SIGNATURE_TYPE_COUNT; type++)
        for (int expected = 0; expected < SIGNATURE_TYPE_COUNT; expected++)
            if (type != expected)
                refuses(made((SignatureType)type), (SignatureType)expected, VERDICT_SIGNATURE_TYPE);
    refuses(signed_payload(payload_with("type", json_string("Accept"))), SIGNATURE_ACCEPT,
            VERDICT_SIGNATURE_TYPE);
}

static void refuses_a_signature_from_the_future(void **state)
{
    g_autofree char *edge = signed_payload(payload_with("signed_at", json_integer(NOW + 60)));
    g_autoptr(Signature) signature = signature_parse(edge, HASH, SIGNATURE_ACCEPT, NOW, NULL);
    assert_non_null(signature);
    refuses(signed_payload(payload_with("signed_at", json_integer(NOW + 61))), SIGNATURE_ACCEPT,
            VERDICT_SIGNATURE_TIME);
    refuses(signed_payload(payload_with("signed_at", json_integer(-1))), SIGNATURE_ACCEPT,
            VERDICT_SIGNATURE_TIME);
}

static void does_not_verify(const Certificate *certificate, const char *submitter, gint64 now_s,
                            Verdict verdict)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *jws = made(SIGNATURE_ACCEPT);
    g_autoptr(Signature) signature = signature_parse(jws, HASH, SIGNATURE_ACCEPT, NOW, NULL);
    assert_false(signature_verify(signature, certificate, pki->anchors, submitter, now_s, &error));
    assert_verdict(error, verdict);
}

/* 4.4.5.3: ERROR_CODE_PEER_ID_SIGNATURE_MISMATCH */
static void refuses_the_signature_of_another_peer(void **state)
{
    does_not_verify(consumer.certificate, OTHER, NOW, VERDICT_SIGNATURE_PEER);
}

static void refuses_another_key(void **state)
{
    does_not_verify(stranger.certificate, OTHER, NOW, VERDICT_SIGNATURE_WRONG);
}

static void refuses_an_expired_certificate(void **state)
{
    does_not_verify(consumer.certificate, CONSUMER, NOW + 86400 + 1, VERDICT_CERTIFICATE_UNTRUSTED);
}

static void refuses_a_chain_to_another_anchor(void **state)
{
    TestPki *foreign = test_pki_new();
    TestIdentity outsider = test_identity(foreign, CONSUMER, NULL, NOW + 86400);
    does_not_verify(outsider.certificate, CONSUMER, NOW, VERDICT_CERTIFICATE_UNTRUSTED);
    test_identity_clear(&outsider);
    test_pki_free(foreign);
}

static void refuses_a_changed_payload(void **state)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *accept = made(SIGNATURE_ACCEPT);
    g_autofree char *revoke = made(SIGNATURE_REVOKE);
    g_auto(GStrv) a = g_strsplit(accept, ".", 3);
    g_auto(GStrv) b = g_strsplit(revoke, ".", 3);
    g_autofree char *mixed = g_strdup_printf("%s.%s.%s", a[0], b[1], a[2]);
    g_autoptr(Signature) signature = signature_parse(mixed, HASH, SIGNATURE_REVOKE, NOW, NULL);
    assert_non_null(signature);
    assert_false(signature_verify(signature, consumer.certificate, pki->anchors, CONSUMER, NOW, &error));
    assert_verdict(error, VERDICT_SIGNATURE_WRONG);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_what_it_makes),
        cmocka_unit_test(refuses_what_is_no_jws),
        cmocka_unit_test(refuses_other_algorithms),
        cmocka_unit_test(refuses_payloads_of_another_shape),
        cmocka_unit_test(refuses_the_hash_of_another_contract),
        cmocka_unit_test(refuses_a_type_that_was_not_asked),
        cmocka_unit_test(refuses_a_signature_from_the_future),
        cmocka_unit_test(refuses_the_signature_of_another_peer),
        cmocka_unit_test(refuses_another_key),
        cmocka_unit_test(refuses_an_expired_certificate),
        cmocka_unit_test(refuses_a_chain_to_another_anchor),
        cmocka_unit_test(refuses_a_changed_payload),
    };
    return cmocka_run_group_tests_name("fsc signature", tests, set_up, tear_down);
}
