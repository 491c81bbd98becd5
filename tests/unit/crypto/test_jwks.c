/* Key sets: what ours says about a certificate, and what is believed of another's. */
#include "tests/unit/crypto/jws_fixture.h"

#include <openssl/core_names.h>

static json_t *set_of(const Certificate *one, const Certificate *two)
{
    g_autoptr(GPtrArray) certificates = g_ptr_array_new();
    g_ptr_array_add(certificates, (gpointer)one);
    if (two != NULL)
        g_ptr_array_add(certificates, (gpointer)two);
    return jwks_from_certificates(certificates);
}

static json_t *key_at(const json_t *jwks, gsize index)
{
    json_t *key = json_array_get(json_object_get(jwks, "keys"), index);
    assert_non_null(key);
    return key;
}

static BIGNUM *number_at(const json_t *jwk, const char *name, gsize size)
{
    g_autoptr(GBytes) bytes = base64url_decode(json_string_at(jwk, name), -1, NULL);
    assert_non_null(bytes);
    if (size > 0)
        assert_int_equal(g_bytes_get_size(bytes), size);
    else
        assert_true(((const guint8 *)g_bytes_get_data(bytes, NULL))[0] != 0);
    return BN_bin2bn(g_bytes_get_data(bytes, NULL), (int)g_bytes_get_size(bytes), NULL);
}

static void assert_number(const json_t *jwk, const char *name, gsize size, EVP_PKEY *pkey,
                          const char *parameter)
{
    BIGNUM *expected = NULL, *found = number_at(jwk, name, size);
    assert_int_equal(EVP_PKEY_get_bn_param(pkey, parameter, &expected), 1);
    assert_int_equal(BN_cmp(found, expected), 0);
    BN_free(expected);
    BN_free(found);
}

static void assert_common_members(const json_t *jwk, const Signer *signer, const char *kty, const char *alg)
{
    const char *thumbprint = certificate_thumbprint(signer->certificate);
    assert_string_equal(json_string_at(jwk, "kty"), kty);
    assert_string_equal(json_string_at(jwk, "use"), "sig");
    assert_string_equal(json_string_at(jwk, "alg"), alg);
    assert_string_equal(json_string_at(jwk, "kid"), thumbprint);
    assert_string_equal(json_string_at(jwk, "x5t#S256"), thumbprint);
    assert_int_equal(json_array_size(json_object_get(jwk, "x5c")), 1);
}

/* RFC 7517 4 and RFC 7518 6.3.1: n and e in as few bytes as it takes. */
static void an_rsa_certificate_gives_an_rsa_key(void **state)
{
    g_auto(Signer) signer = signer_of(state, EVP_RSA_gen(2048));
    g_autoptr(json_t) jwks = set_of(signer.certificate, NULL);
    const json_t *jwk = key_at(jwks, 0);
    assert_common_members(jwk, &signer, "RSA", "RS256");
    assert_int_equal(json_object_size(jwk), 8);
    assert_number(jwk, "n", 256, signer.pkey, OSSL_PKEY_PARAM_RSA_N);
    assert_number(jwk, "e", 0, signer.pkey, OSSL_PKEY_PARAM_RSA_E);
    assert_string_equal(json_string_at(jwk, "e"), "AQAB");
}

/* RFC 7518 6.2.1: x and y always as long as the curve's coordinates. */
static void an_ec_certificate_gives_an_ec_key(void **state)
{
    static const struct {
        const char *curve, *alg;
        gsize coordinate;
    } cases[] = {{"P-256", "ES256", 32}, {"P-384", "ES384", 48}, {"P-521", "ES512", 66}};
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_auto(Signer) signer = signer_of(state, EVP_EC_gen(cases[i].curve));
        g_autoptr(json_t) jwks = set_of(signer.certificate, NULL);
        const json_t *jwk = key_at(jwks, 0);
        assert_common_members(jwk, &signer, "EC", cases[i].alg);
        assert_int_equal(json_object_size(jwk), 9);
        assert_string_equal(json_string_at(jwk, "crv"), cases[i].curve);
        assert_number(jwk, "x", cases[i].coordinate, signer.pkey, OSSL_PKEY_PARAM_EC_PUB_X);
        assert_number(jwk, "y", cases[i].coordinate, signer.pkey, OSSL_PKEY_PARAM_EC_PUB_Y);
    }
}

static void a_key_that_cannot_sign_here_is_left_out(void **state)
{
    g_autoptr(EVP_PKEY) pkey = EVP_RSA_gen(1024);
    g_autoptr(Certificate) weak = certificate_of_pkey(pkey);
    g_auto(Signer) signer = signer_of(state, EVP_EC_gen("P-256"));
    g_autoptr(json_t) jwks = set_of(weak, signer.certificate);
    assert_int_equal(json_array_size(json_object_get(jwks, "keys")), 1);
    assert_common_members(key_at(jwks, 0), &signer, "EC", "ES256");
}

static void an_empty_set_is_still_a_set(void **state)
{
    g_autoptr(GPtrArray) none = g_ptr_array_new();
    g_autoptr(json_t) jwks = jwks_from_certificates(none);
    assert_true(json_is_array(json_object_get(jwks, "keys")));
    assert_int_equal(json_object_size(jwks), 1);
}

static void assert_found(const json_t *jwks, const Certificate *wanted)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(Certificate) found = jwks_find(jwks, certificate_thumbprint(wanted), &error);
    assert_ok(found != NULL, error);
    assert_string_equal(certificate_thumbprint(found), certificate_thumbprint(wanted));
}

static void assert_not_found(const json_t *jwks, const char *thumbprint, FundamentError code,
                             const char *part)
{
    g_autoptr(GError) error = NULL;
    assert_null(jwks_find(jwks, thumbprint, &error));
    assert_refused(error, FUNDAMENT_ERROR, code, part);
}

static void finds_each_certificate_of_a_set(void **state)
{
    g_auto(Signer) one = signer_of(state, EVP_EC_gen("P-256"));
    g_auto(Signer) two = signer_of(state, EVP_RSA_gen(2048));
    g_autoptr(json_t) jwks = set_of(one.certificate, two.certificate);
    assert_found(jwks, one.certificate);
    assert_found(jwks, two.certificate);
}

/* What was found is what verifies: the whole way that a signature of another party goes. */
static void a_signature_verifies_with_what_was_found(void **state)
{
    g_autoptr(GError) error = NULL;
    g_auto(Signer) signer = signer_of(state, EVP_EC_gen("P-384"));
    g_autoptr(json_t) jwks = set_of(signer.certificate, NULL);
    g_autofree char *compact = sign_text(&signer, "{\"type\":\"accept\"}");
    g_autoptr(Jws) jws = jws_parse(compact, &error);
    assert_ok(jws != NULL, error);
    g_autoptr(Certificate) found = jwks_find(jwks, jws->thumbprint, &error);
    assert_ok(found != NULL, error);
    assert_ok(jws_verify(jws, found, &error), error);
}

/* The OpenAPI document of FSC Core 2.0.0 has x5t#s256. */
static void finds_a_certificate_under_the_other_spelling(void **state)
{
    g_auto(Signer) signer = signer_of(state, EVP_EC_gen("P-256"));
    g_autoptr(json_t) jwks = set_of(signer.certificate, NULL);
    json_t *jwk = key_at(jwks, 0);
    json_object_set(jwk, "x5t#s256", json_object_get(jwk, "x5t#S256"));
    json_object_del(jwk, "x5t#S256");
    assert_found(jwks, signer.certificate);
    json_object_del(jwk, "x5t#s256");
    assert_not_found(jwks, certificate_thumbprint(signer.certificate), FUNDAMENT_ERROR_NOT_FOUND,
                     "has this x5t#S256");
}

/* The name is the other party's word; the thumbprint is ours. */
static void refuses_a_certificate_under_the_name_of_another(void **state)
{
    g_auto(Signer) signer = signer_of(state, EVP_EC_gen("P-256"));
    g_auto(Signer) liar = signer_of(state, EVP_EC_gen("P-256"));
    g_autoptr(json_t) jwks = set_of(liar.certificate, NULL);
    json_object_set_new(key_at(jwks, 0), "x5t#S256", json_string(certificate_thumbprint(signer.certificate)));
    assert_not_found(jwks, certificate_thumbprint(signer.certificate), FUNDAMENT_ERROR_INVALID,
                     "is not the one");
}

static void refuses_a_key_without_a_usable_x5c(void **state)
{
    const char *const texts[] = {
        "null",         "[]",
        "{}",           "\"AAAA\"",
        "[7]",          "[null]",
        "[\"AAAA\"]",   "[\"\"]",
        "[[\"AAAA\"]]", "[\"A\",\"A\",\"A\",\"A\",\"A\",\"A\",\"A\",\"A\",\"A\",\"A\",\"A\"]"};
    g_auto(Signer) signer = signer_of(state, EVP_EC_gen("P-256"));
    g_autoptr(json_t) jwks = set_of(signer.certificate, NULL);
    const char *thumbprint = certificate_thumbprint(signer.certificate);
    for (gsize i = 0; i < G_N_ELEMENTS(texts); i++) {
        json_object_set_new(key_at(jwks, 0), "x5c", json_loads(texts[i], JSON_DECODE_ANY, NULL));
        assert_not_found(jwks, thumbprint, FUNDAMENT_ERROR_INVALID, "");
    }
    json_object_del(key_at(jwks, 0), "x5c");
    assert_not_found(jwks, thumbprint, FUNDAMENT_ERROR_INVALID, "x5c");
}

static void refuses_an_x5c_with_a_nul_in_its_text(void **state)
{
    g_auto(Signer) signer = signer_of(state, EVP_EC_gen("P-256"));
    g_autoptr(json_t) jwks = set_of(signer.certificate, NULL);
    json_t *x5c = json_object_get(key_at(jwks, 0), "x5c");
    g_autofree char *good = g_strdup(json_string_value(json_array_get(x5c, 0)));
    json_array_set_new(x5c, 0, json_stringn(good, strlen(good) + 1));
    assert_not_found(jwks, certificate_thumbprint(signer.certificate), FUNDAMENT_ERROR_INVALID,
                     "array of strings");
}

static void refuses_what_is_no_key_set(void **state)
{
    const char *const texts[] = {
        "null", "[]", "{}", "7", "{\"keys\":{}}", "{\"keys\":null}", "{\"keys\":\"x\"}"};
    for (gsize i = 0; i < G_N_ELEMENTS(texts); i++) {
        g_autoptr(json_t) jwks = json_loads(texts[i], JSON_DECODE_ANY, NULL);
        assert_not_found(jwks, "x", FUNDAMENT_ERROR_INVALID, "no array \"keys\"");
    }
    g_autoptr(json_t) odd = json_loads("{\"keys\":[null,7,[],\"x\",{},{\"x5t#S256\":7}]}", 0, NULL);
    assert_not_found(odd, "x", FUNDAMENT_ERROR_NOT_FOUND, "has this x5t#S256");
    assert_not_found(NULL, "x", FUNDAMENT_ERROR_INVALID, "no array \"keys\"");
}

static void looks_at_a_hundred_keys_and_no_more(void **state)
{
    g_auto(Signer) signer = signer_of(state, EVP_EC_gen("P-256"));
    g_autoptr(json_t) jwks = set_of(signer.certificate, NULL);
    json_t *keys = json_object_get(jwks, "keys");
    for (guint i = 0; i < 99; i++)
        json_array_insert_new(keys, 0, json_object());
    assert_found(jwks, signer.certificate);
    json_array_insert_new(keys, 0, json_object());
    assert_not_found(jwks, certificate_thumbprint(signer.certificate), FUNDAMENT_ERROR_NOT_FOUND,
                     "first 100 keys");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        with_folder(an_rsa_certificate_gives_an_rsa_key),
        with_folder(an_ec_certificate_gives_an_ec_key),
        with_folder(a_key_that_cannot_sign_here_is_left_out),
        cmocka_unit_test(an_empty_set_is_still_a_set),
        with_folder(finds_each_certificate_of_a_set),
        with_folder(a_signature_verifies_with_what_was_found),
        with_folder(finds_a_certificate_under_the_other_spelling),
        with_folder(refuses_a_certificate_under_the_name_of_another),
        with_folder(refuses_a_key_without_a_usable_x5c),
        with_folder(refuses_an_x5c_with_a_nul_in_its_text),
        cmocka_unit_test(refuses_what_is_no_key_set),
        with_folder(looks_at_a_hundred_keys_and_no_more),
    };
    return cmocka_run_group_tests_name("jwks", tests, NULL, NULL);
}
