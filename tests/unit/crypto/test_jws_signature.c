/* The six algorithms both ways: against OpenSSL, its command, and the answers of RFC 7515. */
#include "tests/unit/crypto/jws_fixture.h"

#include <openssl/core_names.h>
#include <openssl/param_build.h>

typedef struct {
    const char *alg, *digest, *group; /* group NULL: RSA */
    gsize coordinate;
} Case;

static const Case CASES[] = {
    {"RS256", "SHA256", NULL, 0},     {"RS384", "SHA384", NULL, 0},     {"RS512", "SHA512", NULL, 0},
    {"ES256", "SHA256", "P-256", 32}, {"ES384", "SHA384", "P-384", 48}, {"ES512", "SHA512", "P-521", 66},
};

static EVP_PKEY *pkey_for(const Case *one)
{
    return one->group == NULL ? EVP_RSA_gen(2048) : EVP_EC_gen(one->group);
}

/* ---- the six algorithms ---- */

/* FSC Core 2.0.0, 4.2.3 and 4.3: each of the six. */
static void verifies_each_of_the_six_algorithms(void **state)
{
    for (gsize i = 0; i < G_N_ELEMENTS(CASES); i++) {
        g_auto(Signer) signer = signer_of(state, pkey_for(&CASES[i]));
        g_autofree char *header = header_for(&signer, CASES[i].alg);
        g_autofree char *input = signing_input_of(header, "{\"type\":\"accept\"}");
        g_autoptr(GBytes) made = raw_signature(signer.pkey, CASES[i].digest, FALSE, input);
        g_autoptr(GBytes) signature =
            CASES[i].coordinate == 0 ? g_bytes_ref(made) : concatenated(made, CASES[i].coordinate);
        g_autofree char *compact = join_signature(input, signature);
        assert_verifies(compact, signer.certificate);
    }
}

/* The twin: the same key and text under each algorithm that this key does not have. */
static void refuses_each_algorithm_that_does_not_fit_the_key(void **state)
{
    for (gsize i = 0; i < G_N_ELEMENTS(CASES); i++) {
        g_auto(Signer) signer = signer_of(state, pkey_for(&CASES[i]));
        for (gsize j = 0; j < G_N_ELEMENTS(CASES); j++) {
            if (g_strcmp0(CASES[i].group, CASES[j].group) == 0)
                continue;
            g_autofree char *header = header_for(&signer, CASES[j].alg);
            g_autofree char *compact = compact_of(header, "{}", "AAAA");
            assert_verify_refused(compact, signer.certificate, JWS_ERROR_ALGORITHM, "does not fit the key");
        }
    }
}

static void refuses_another_digest_of_the_same_family(void **state)
{
    g_auto(Signer) signer = signer_of(state, EVP_RSA_gen(2048));
    g_autofree char *header = header_for(&signer, "RS256");
    g_autofree char *input = signing_input_of(header, "{}");
    g_autoptr(GBytes) signature = raw_signature(signer.pkey, "SHA512", FALSE, input);
    g_autofree char *compact = join_signature(input, signature);
    assert_verify_refused(compact, signer.certificate, JWS_ERROR_SIGNATURE, "not over this text");
}

/* RFC 8725 3.1: a PSS signature is not what RS256 means, whatever the key could do. */
static void refuses_a_pss_signature_under_rs256(void **state)
{
    g_auto(Signer) signer = signer_of(state, EVP_RSA_gen(2048));
    g_autofree char *header = header_for(&signer, "RS256");
    g_autofree char *input = signing_input_of(header, "{}");
    g_autoptr(GBytes) signature = raw_signature(signer.pkey, "SHA256", TRUE, input);
    g_autofree char *compact = join_signature(input, signature);
    assert_verify_refused(compact, signer.certificate, JWS_ERROR_SIGNATURE, "not over this text");
}

static void refuses_weak_keys_however_well_they_signed(void **state)
{
    g_autoptr(EVP_PKEY) pkey = EVP_RSA_gen(1024);
    g_autoptr(Certificate) certificate = certificate_of_pkey(pkey);
    Signer signer = {pkey, NULL, certificate};
    g_autofree char *header = header_for(&signer, "RS256");
    g_autofree char *input = signing_input_of(header, "{}");
    g_autoptr(GBytes) signature = raw_signature(pkey, "SHA256", FALSE, input);
    g_autofree char *compact = join_signature(input, signature);
    assert_verify_refused(compact, certificate, JWS_ERROR_ALGORITHM, "does not fit the key");
}

/* ---- signing ---- */

static void what_is_signed_verifies_and_names_its_algorithm_and_certificate(void **state)
{
    const char *const algs[] = {"RS256", NULL, NULL, "ES256", "ES384", "ES512"};
    for (gsize i = 0; i < G_N_ELEMENTS(CASES); i++) {
        if (algs[i] == NULL)
            continue; /* an RSA key signs with RS256 */
        g_autoptr(GError) error = NULL;
        g_auto(Signer) signer = signer_of(state, pkey_for(&CASES[i]));
        g_autofree char *compact = sign_text(&signer, "{\"type\":\"accept\",\"signed_at\":1795286400}");
        g_autoptr(Jws) jws = jws_parse(compact, &error);
        assert_ok(jws != NULL, error);
        assert_string_equal(jws->alg, algs[i]);
        assert_string_equal(jws->thumbprint, certificate_thumbprint(signer.certificate));
        assert_int_equal(json_object_size(jws->header), 2);
        assert_string_equal(json_string_at(jws->payload, "type"), "accept");
        assert_int_equal(json_integer_at(jws->payload, "signed_at"), NOW);
        assert_ok(jws_verify(jws, signer.certificate, &error), error);
    }
}

static void the_type_is_in_the_header_when_asked(void **state)
{
    g_autoptr(GError) error = NULL;
    g_auto(Signer) signer = signer_of(state, EVP_EC_gen("P-256"));
    g_autoptr(json_t) payload = json_object();
    g_autofree char *compact = jws_sign(payload, signer.key, signer.certificate, "at+jwt", &error);
    assert_ok(compact != NULL, error);
    g_autoptr(Jws) jws = jws_parse(compact, &error);
    assert_ok(jws != NULL, error);
    assert_string_equal(json_string_at(jws->header, "typ"), "at+jwt");
}

/* An r or s that begins with zeros keeps its full length. On P-521 that is half of all numbers, since 66
 * bytes hold 528 bits: that none of 64 signatures has one happens once in 2^128 runs. */
static void signatures_of_ecdsa_always_have_the_full_length(void **state)
{
    g_auto(Signer) signer = signer_of(state, EVP_EC_gen("P-521"));
    guint short_ones = 0;
    for (guint i = 0; i < 64; i++) {
        g_autofree char *compact = sign_text(&signer, "{}");
        g_autoptr(Jws) jws = jws_parse(compact, NULL);
        assert_int_equal(g_bytes_get_size(jws->signature), 132);
        const guint8 *data = g_bytes_get_data(jws->signature, NULL);
        short_ones += data[0] == 0 || data[66] == 0;
        assert_true(jws_verify(jws, signer.certificate, NULL));
    }
    assert_true(short_ones > 0);
}

static void refuses_to_sign_with_a_key_of_another_certificate(void **state)
{
    g_autoptr(GError) error = NULL;
    g_auto(Signer) one = signer_of(state, EVP_EC_gen("P-256"));
    g_auto(Signer) two = signer_of(state, EVP_EC_gen("P-256"));
    g_auto(Signer) rsa = signer_of(state, EVP_RSA_gen(2048));
    g_autoptr(json_t) payload = json_object();
    assert_null(jws_sign(payload, one.key, two.certificate, NULL, &error));
    assert_refused(error, FUNDAMENT_ERROR, FUNDAMENT_ERROR_INVALID, "does not belong to certificate");
    assert_null(jws_sign(payload, one.key, rsa.certificate, NULL, &error));
    assert_refused(error, FUNDAMENT_ERROR, FUNDAMENT_ERROR_INVALID, "does not belong to certificate");
}

static void refuses_to_sign_what_is_no_object_or_too_large(void **state)
{
    g_autoptr(GError) error = NULL;
    g_auto(Signer) signer = signer_of(state, EVP_EC_gen("P-256"));
    g_autoptr(json_t) array = json_array();
    assert_null(jws_sign(array, signer.key, signer.certificate, NULL, &error));
    assert_refused(error, FUNDAMENT_ERROR, FUNDAMENT_ERROR_INTERNAL, "JSON object only");
    g_autofree char *text = g_strnfill(JWS_MAX_BYTES, 'x');
    g_autoptr(json_t) large = json_object();
    json_object_set_new(large, "text", json_string(text));
    assert_null(jws_sign(large, signer.key, signer.certificate, NULL, &error));
    assert_refused(error, FUNDAMENT_ERROR, FUNDAMENT_ERROR_LIMIT, "larger than 64 KiB");
}

/* ---- the openssl command as an oracle ---- */

static void write_bytes(const char *path, GBytes *bytes)
{
    assert_true(
        g_file_set_contents(path, g_bytes_get_data(bytes, NULL), (gssize)g_bytes_get_size(bytes), NULL));
}

static char *digest_option(const Case *one)
{
    g_autofree char *lower = g_ascii_strdown(one->digest, -1);
    return g_strconcat("-", lower, NULL);
}

static void the_openssl_command_signs_and_we_verify(void **state)
{
    if (!openssl_is_there())
        skip();
    g_autofree char *text_path = in_folder(state, "text"), *signature_path = in_folder(state, "signature");
    for (gsize i = 0; i < G_N_ELEMENTS(CASES); i++) {
        g_autofree char *der = NULL, *option = digest_option(&CASES[i]);
        gsize length;
        g_auto(Signer) signer = signer_of(state, pkey_for(&CASES[i]));
        g_autofree char *header = header_for(&signer, CASES[i].alg);
        g_autofree char *input = signing_input_of(header, "{\"type\":\"revoke\"}");
        write_text(text_path, input, 0600);
        assert_true(
            openssl_command(*state, "dgst", option, "-sign", "some.key", "-out", "signature", "text", NULL));
        assert_true(g_file_get_contents(signature_path, &der, &length, NULL));
        g_autoptr(GBytes) made = g_bytes_new(der, length);
        g_autoptr(GBytes) signature =
            CASES[i].coordinate == 0 ? g_bytes_ref(made) : concatenated(made, CASES[i].coordinate);
        g_autofree char *compact = join_signature(input, signature);
        assert_verifies(compact, signer.certificate);
    }
}

static void we_sign_and_the_openssl_command_verifies(void **state)
{
    if (!openssl_is_there())
        skip();
    g_autofree char *text_path = in_folder(state, "text"), *signature_path = in_folder(state, "signature");
    const gsize cases[] = {0, 3, 4, 5};
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        const Case *one = &CASES[cases[i]];
        g_autofree char *option = digest_option(one);
        g_auto(Signer) signer = signer_of(state, pkey_for(one));
        g_autofree char *compact = sign_text(&signer, "{\"type\":\"accept\"}");
        g_autoptr(Jws) jws = jws_parse(compact, NULL);
        g_autoptr(GBytes) der =
            one->coordinate == 0 ? g_bytes_ref(jws->signature) : der_of_raw(jws->signature);
        write_bytes(text_path, jws->signing_input);
        write_bytes(signature_path, der);
        assert_true(openssl_command(*state, "pkey", "-in", "some.key", "-pubout", "-out", "public", NULL));
        assert_true(openssl_command(*state, "dgst", option, "-verify", "public", "-signature", "signature",
                                    "text", NULL));
        write_text(text_path, "another text", 0600);
        assert_false(openssl_command(*state, "dgst", option, "-verify", "public", "-signature", "signature",
                                     "text", NULL));
    }
}

/* ---- the answers of RFC 7515, appendix A ----
 *
 * Their headers have no x5t#S256, which jws_parse rightly refuses, so the parsed form is put together here.
 */

static BIGNUM *number_of(const char *text)
{
    g_autoptr(GBytes) bytes = base64url_decode(text, -1, NULL);
    assert_non_null(bytes);
    return BN_bin2bn(g_bytes_get_data(bytes, NULL), (int)g_bytes_get_size(bytes), NULL);
}

/* Takes the builder's parameters as they stand. */
static EVP_PKEY *public_key_of(const char *type, OSSL_PARAM_BLD *builder)
{
    EVP_PKEY *pkey = NULL;
    OSSL_PARAM *params = OSSL_PARAM_BLD_to_param(builder);
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_name(NULL, type, NULL);
    assert_int_equal(EVP_PKEY_fromdata_init(context), 1);
    assert_int_equal(EVP_PKEY_fromdata(context, &pkey, EVP_PKEY_PUBLIC_KEY, params), 1);
    EVP_PKEY_CTX_free(context);
    OSSL_PARAM_free(params);
    OSSL_PARAM_BLD_free(builder);
    return pkey;
}

static EVP_PKEY *ec_public_key(const char *group, const char *x, const char *y)
{
    g_autoptr(GBytes) x_bytes = base64url_decode(x, -1, NULL), y_bytes = base64url_decode(y, -1, NULL);
    g_autoptr(GByteArray) point = g_byte_array_new();
    OSSL_PARAM_BLD *builder = OSSL_PARAM_BLD_new();
    g_byte_array_append(point, (const guint8[]){4}, 1);
    g_byte_array_append(point, g_bytes_get_data(x_bytes, NULL), (guint)g_bytes_get_size(x_bytes));
    g_byte_array_append(point, g_bytes_get_data(y_bytes, NULL), (guint)g_bytes_get_size(y_bytes));
    OSSL_PARAM_BLD_push_utf8_string(builder, OSSL_PKEY_PARAM_GROUP_NAME, group, 0);
    OSSL_PARAM_BLD_push_octet_string(builder, OSSL_PKEY_PARAM_PUB_KEY, point->data, point->len);
    return public_key_of("EC", builder);
}

static EVP_PKEY *rsa_public_key(const char *n, const char *e)
{
    OSSL_PARAM_BLD *builder = OSSL_PARAM_BLD_new();
    BIGNUM *modulus = number_of(n), *exponent = number_of(e);
    OSSL_PARAM_BLD_push_BN(builder, OSSL_PKEY_PARAM_RSA_N, modulus);
    OSSL_PARAM_BLD_push_BN(builder, OSSL_PKEY_PARAM_RSA_E, exponent);
    EVP_PKEY *pkey = public_key_of("RSA", builder);
    BN_free(modulus);
    BN_free(exponent);
    return pkey;
}

/* Takes `pkey`, which has no private half: some other key signs the certificate. */
static void assert_known_answer(EVP_PKEY *pkey, const char *alg, const char *signing_input,
                                const char *signature)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(EVP_PKEY) issuer = EVP_EC_gen("P-256");
    g_autoptr(X509) x509 = x509_blank(pkey);
    g_autoptr(Certificate) certificate = certificate_signed(x509, issuer, EVP_sha256());
    g_autoptr(GBytes) text = g_bytes_new(signing_input, strlen(signing_input));
    g_autoptr(GBytes) other_text = g_bytes_new(signing_input, strlen(signing_input) - 1);
    g_autoptr(GBytes) bytes = base64url_decode(signature, -1, NULL);
    Jws jws = {.alg = (char *)alg,
               .thumbprint = (char *)certificate_thumbprint(certificate),
               .signing_input = text,
               .signature = bytes};
    assert_ok(jws_verify(&jws, certificate, &error), error);
    jws.signing_input = other_text;
    assert_false(jws_verify(&jws, certificate, &error));
    assert_refused(error, JWS_ERROR, JWS_ERROR_SIGNATURE, "not over this text");
    EVP_PKEY_free(pkey);
}

#define RFC_7515_PAYLOAD                                                                                     \
    "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ"

static void verifies_the_example_of_rfc_7515_a_2_rs256(void **state)
{
    EVP_PKEY *pkey = rsa_public_key("ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-"
                                    "4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-"
                                    "pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-"
                                    "bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2Cap"
                                    "Hg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-"
                                    "DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h"
                                    "4FRWyuXpoQ",
                                    "AQAB");
    assert_known_answer(pkey, "RS256", "eyJhbGciOiJSUzI1NiJ9." RFC_7515_PAYLOAD,
                        "cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_"
                        "lF5YKt_O8W2Fp5jujGbds9uJdbF9CUAr"
                        "7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_"
                        "nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K0GarZRmB_eSN9383LcOLn6_dO--xi"
                        "12jzDwusC-"
                        "eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlV"
                        "mtVrBp0igcN_IoypG"
                        "lUPQGe77Rw");
}

static void verifies_the_example_of_rfc_7515_a_3_es256(void **state)
{
    assert_known_answer(
        ec_public_key("P-256", "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
                      "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"),
        "ES256", "eyJhbGciOiJFUzI1NiJ9." RFC_7515_PAYLOAD,
        "DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q");
}

static void verifies_the_example_of_rfc_7515_a_4_es512(void **state)
{
    assert_known_answer(
        ec_public_key(
            "P-521",
            "AekpBQ8ST8a8VcfVOTNl353vSrDCLLJXmPk06wTjxrrjcBpXp5EOnYG_NjFZ6OvLFV1jSfS9tsz4qUxcWceqwQGk",
            "ADSmRA43Z1DSNx_RvcLI87cdL07l6jQyyBXMoxVg_l2Th-x3S1WDhjDly79ajL4Kkd0AZMaZmh9ubmf63e3kyMj2"),
        "ES512", "eyJhbGciOiJFUzUxMiJ9.UGF5bG9hZA",
        "AdwMgeerwtHoh-l192l60hp9wAHZFVJbLfD_UxMi70cwnZOYaRI1bKPWROc-mZZqwqT2SI-KGDKB34XO0aw_"
        "7XdtAG8GaSwFKdCAPZgoXD2YBJZC"
        "PEX3xKpRwcdOO8KpEHwJjyqOgzDO7iKvU8vcnwNrmxYbSW9ERBXukOXolLzeO_Jn");
}

typedef struct {
    const Signer *signer;
    const Jws *jws;
} Shared;

static gpointer sign_and_verify_many(gpointer data)
{
    const Shared *shared = data;
    gboolean ok = TRUE;
    g_autoptr(json_t) payload = json_object();
    for (guint i = 0; i < 100; i++) {
        g_autofree char *compact =
            jws_sign(payload, shared->signer->key, shared->signer->certificate, NULL, NULL);
        g_autoptr(Jws) own = jws_parse(compact, NULL);
        ok = ok && jws_verify(own, shared->signer->certificate, NULL) &&
             jws_verify(shared->jws, shared->signer->certificate, NULL);
    }
    return GINT_TO_POINTER(ok);
}

static void threads_share_key_certificate_and_jws(void **state)
{
    g_auto(Signer) signer = signer_of(state, EVP_EC_gen("P-256"));
    g_autofree char *compact = sign_text(&signer, "{}");
    g_autoptr(Jws) jws = jws_parse(compact, NULL);
    Shared shared = {&signer, jws};
    GThread *threads[4];
    for (guint i = 0; i < G_N_ELEMENTS(threads); i++)
        threads[i] = g_thread_new("jws", sign_and_verify_many, &shared);
    for (guint i = 0; i < G_N_ELEMENTS(threads); i++)
        assert_true(GPOINTER_TO_INT(g_thread_join(threads[i])));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        with_folder(verifies_each_of_the_six_algorithms),
        with_folder(refuses_each_algorithm_that_does_not_fit_the_key),
        with_folder(refuses_another_digest_of_the_same_family),
        with_folder(refuses_a_pss_signature_under_rs256),
        with_folder(refuses_weak_keys_however_well_they_signed),
        with_folder(what_is_signed_verifies_and_names_its_algorithm_and_certificate),
        with_folder(the_type_is_in_the_header_when_asked),
        with_folder(signatures_of_ecdsa_always_have_the_full_length),
        with_folder(refuses_to_sign_with_a_key_of_another_certificate),
        with_folder(refuses_to_sign_what_is_no_object_or_too_large),
        with_folder(the_openssl_command_signs_and_we_verify),
        with_folder(we_sign_and_the_openssl_command_verifies),
        cmocka_unit_test(verifies_the_example_of_rfc_7515_a_2_rs256),
        cmocka_unit_test(verifies_the_example_of_rfc_7515_a_3_es256),
        cmocka_unit_test(verifies_the_example_of_rfc_7515_a_4_es512),
        with_folder(threads_share_key_certificate_and_jws),
    };
    return cmocka_run_group_tests_name("jws_signature", tests, NULL, NULL);
}
