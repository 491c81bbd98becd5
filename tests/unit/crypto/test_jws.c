/* Compact JWS taken apart: one twin for each way to be wrong. */
#include "tests/unit/crypto/jws_fixture.h"

#define THUMBPRINT "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
#define HEADER "{\"alg\":\"ES256\",\"x5t#S256\":\"" THUMBPRINT "\"}"

/* ---- negative twins: the header ---- */

/* FSC Core 2.0.0, 4.2.3: one of the six, spelt exactly so. */
static void refuses_every_other_alg(void **state)
{
    const char *const algs[] = {"none",  "None",     "NONE",  "nOnE",   "HS256",  "HS384", "HS512",
                                "PS256", "PS384",    "PS512", "EdDSA",  "ES256K", "es256", "rs256",
                                "RS1",   "RSA-OAEP", "",      " ES256", "ES256 "};
    for (gsize i = 0; i < G_N_ELEMENTS(algs); i++) {
        g_autofree char *header =
            g_strdup_printf("{\"alg\":\"%s\",\"x5t#S256\":\"" THUMBPRINT "\"}", algs[i]);
        assert_header_refused(header, JWS_ERROR_ALGORITHM, "alg must be");
    }
    assert_header_refused("{\"x5t#S256\":\"" THUMBPRINT "\"}", JWS_ERROR_ALGORITHM, "alg must be");
    assert_header_refused("{\"alg\":256,\"x5t#S256\":\"" THUMBPRINT "\"}", JWS_ERROR_ALGORITHM,
                          "alg must be");
    assert_header_refused("{\"alg\":[\"ES256\"],\"x5t#S256\":\"" THUMBPRINT "\"}", JWS_ERROR_ALGORITHM,
                          "alg must be");
    assert_header_refused("{\"Alg\":\"ES256\",\"x5t#S256\":\"" THUMBPRINT "\"}", JWS_ERROR_ALGORITHM,
                          "alg must be");
}

/* RFC 7515 A.5: no signature at all. */
static void refuses_an_unsecured_jws(void **state)
{
    g_autofree char *compact = compact_of("{\"alg\":\"none\"}", "{\"type\":\"accept\"}", "");
    assert_parse_refused(compact, JWS_ERROR_ALGORITHM, "alg must be");
}

/* FSC Core 2.0.0, 4.2.3: the thumbprint MUST be there; RFC 7515 4.1.8: base64url of SHA-256, without padding.
 */
static void refuses_a_missing_or_crooked_thumbprint(void **state)
{
    const char *const members[] = {
        "",
        ",\"x5t#s256\":\"" THUMBPRINT "\"",
        ",\"x5t\":\"" THUMBPRINT "\"",
        ",\"kid\":\"" THUMBPRINT "\"",
        ",\"x5t#S256\":null",
        ",\"x5t#S256\":7",
        ",\"x5t#S256\":\"\"",
        ",\"x5t#S256\":\"" THUMBPRINT "=\"",
        ",\"x5t#S256\":\"" THUMBPRINT "A\"",
        ",\"x5t#S256\":\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\"",
        ",\"x5t#S256\":\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAB\"", /* stray bits */
        ",\"x5t#S256\":\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA+AA\"",
    };
    for (gsize i = 0; i < G_N_ELEMENTS(members); i++) {
        g_autofree char *header = g_strdup_printf("{\"alg\":\"ES256\"%s}", members[i]);
        assert_header_refused(header, JWS_ERROR_SYNTAX, "x5t#S256 must be 43 characters");
    }
}

/* RFC 7515 4.1.11, RFC 7797 7, RFC 8725 3.10. */
static void refuses_crit_b64_and_zip(void **state)
{
    const char *const members[] = {"\"crit\":[\"b64\"],\"b64\":false",
                                   "\"crit\":[]",
                                   "\"crit\":[\"exp\"]",
                                   "\"crit\":null",
                                   "\"b64\":true",
                                   "\"zip\":\"DEF\""};
    for (gsize i = 0; i < G_N_ELEMENTS(members); i++) {
        g_autofree char *header =
            g_strdup_printf("{\"alg\":\"ES256\",\"x5t#S256\":\"" THUMBPRINT "\",%s}", members[i]);
        assert_header_refused(header, JWS_ERROR_SYNTAX, "crit, b64 or zip");
    }
}

/* Members that would have us fetch or believe a key are carried, and have no say in what verifies. */
static void keys_in_the_header_are_not_believed(void **state)
{
    g_auto(Signer) honest = signer_of(state, EVP_EC_gen("P-256"));
    g_auto(Signer) liar = signer_of(state, EVP_EC_gen("P-256"));
    g_autoptr(GPtrArray) x5c = certificate_x5c(liar.certificate);
    g_autofree char *header = g_strdup_printf(
        "{\"alg\":\"ES256\",\"x5t#S256\":\"%s\",\"x5c\":[\"%s\"],\"jku\":\"https://liar.test/jwks\"}",
        certificate_thumbprint(honest.certificate), (char *)g_ptr_array_index(x5c, 0));
    g_autofree char *input = signing_input_of(header, "{}");
    g_autoptr(GBytes) der = raw_signature(liar.pkey, "SHA256", FALSE, input);
    g_autoptr(GBytes) signature = concatenated(der, 32);
    g_autofree char *compact = join_signature(input, signature);
    assert_verify_refused(compact, honest.certificate, JWS_ERROR_SIGNATURE, "not over this text");
    assert_verify_refused(compact, liar.certificate, JWS_ERROR_SIGNATURE, "names another certificate");
}

static void refuses_headers_that_are_not_strict_json_objects(void **state)
{
    const char *const headers[] = {"",
                                   "null",
                                   "[]",
                                   "\"ES256\"",
                                   HEADER " x",
                                   "{",
                                   HEADER HEADER,
                                   "{\"alg\":\"none\",\"alg\":\"ES256\",\"x5t#S256\":\"" THUMBPRINT "\"}",
                                   "{\"alg\":\"ES256\",\"x5t#S256\":\"" THUMBPRINT "\",\"x\":\"\xff\"}",
                                   "{\"alg\":\"ES256\",\"x5t#S256\":\"" THUMBPRINT
                                   "\",\"x\":[[[[[[[[[[]]]]]]]]]]}"};
    for (gsize i = 0; i < G_N_ELEMENTS(headers); i++)
        assert_header_refused(headers[i], JWS_ERROR_SYNTAX, "JWS: header: ");
}

static void refuses_payloads_that_are_not_strict_json_objects(void **state)
{
    const char *const payloads[] = {
        "", "null", "[]", "7", "{} {}", "{", "{\"a\":1,\"a\":2}", "{\"a\":9007199254740993}"};
    for (gsize i = 0; i < G_N_ELEMENTS(payloads); i++) {
        g_autofree char *compact = compact_of(HEADER, payloads[i], "AAAA");
        assert_parse_refused(compact, JWS_ERROR_SYNTAX, "JWS: payload: ");
    }
}

/* ---- negative twins: the text ---- */

static void refuses_what_is_not_three_parts(void **state)
{
    g_autofree char *good = compact_of(HEADER, "{}", "AAAA");
    g_autoptr(Jws) parsed = jws_parse(good, NULL);
    assert_non_null(parsed);
    g_autofree char *four = g_strconcat(good, ".AAAA", NULL), *dot = g_strconcat(good, ".", NULL);
    g_autofree char *first_dot = g_strconcat(".", good, NULL), *two = signing_input_of(HEADER, "{}");
    const char *const texts[] = {"", ".", "...", "AAAA", four, dot, first_dot, two};
    for (gsize i = 0; i < G_N_ELEMENTS(texts); i++)
        assert_parse_refused(texts[i], JWS_ERROR_SYNTAX, "three parts");
    assert_parse_refused("..", JWS_ERROR_SYNTAX, "JWS: header: ");
    g_autofree char *no_signature = compact_of(HEADER, "{}", "");
    assert_parse_refused(no_signature, JWS_ERROR_SYNTAX, "signature is empty");
}

/* RFC 7515 2: base64url without padding, line breaks, white space or other characters, in each of the parts.
 */
static void refuses_base64_that_is_not_strict(void **state)
{
    g_autofree char *good = compact_of(HEADER, "{\"a\":\"~~~\"}", "AAAA");
    g_auto(GStrv) parts = g_strsplit(good, ".", 3);
    const char *const tails[] = {"=", "==", " ", "\n", "\r\n", "+", "/", "%", "A"};
    for (gsize part = 0; part < 3; part++) {
        for (gsize i = 0; i < G_N_ELEMENTS(tails); i++) {
            g_autofree char *kept = g_steal_pointer(&parts[part]);
            parts[part] = g_strconcat(kept, tails[i], NULL);
            g_autofree char *compact = g_strjoinv(".", parts);
            assert_parse_refused(compact, JWS_ERROR_SYNTAX, "JWS: ");
            g_free(parts[part]);
            parts[part] = g_steal_pointer(&kept);
        }
    }
}

static void refuses_more_than_64_kib(void **state)
{
    g_autofree char *good = compact_of(HEADER, "{}", "");
    g_autofree char *fill =
        g_strnfill(JWS_MAX_BYTES - strlen(good) - (JWS_MAX_BYTES - strlen(good)) % 4, 'A');
    g_autofree char *fits = g_strconcat(good, fill, NULL), *too_large = g_strconcat(fits, "AAAA", NULL);
    g_autoptr(GError) error = NULL;
    g_autoptr(Jws) jws = jws_parse(fits, &error);
    assert_ok(jws != NULL, error);
    assert_true(strlen(too_large) > JWS_MAX_BYTES);
    assert_parse_refused(too_large, JWS_ERROR_SYNTAX, "larger than 64 KiB");
}

/* ---- negative twins: the signature ---- */

static void refuses_a_flipped_bit_in_each_of_the_three_parts(void **state)
{
    g_auto(Signer) signer = signer_of(state, EVP_EC_gen("P-256"));
    g_autofree char *compact = sign_text(&signer, "{\"type\":\"accept\",\"signed_at\":1795286400}");
    guint refused_when_verified = 0;
    for (gsize bit = 0; bit < 8 * strlen(compact); bit++) {
        g_autofree char *changed = g_strdup(compact);
        changed[bit / 8] = (char)(changed[bit / 8] ^ (1 << (bit % 8)));
        g_autoptr(Jws) jws = jws_parse(changed, NULL);
        if (jws == NULL)
            continue;
        assert_false(jws_verify(jws, signer.certificate, NULL));
        refused_when_verified++;
    }
    assert_true(refused_when_verified > 100); /* else only the parser was tried */
}

static void refuses_another_certificate_with_the_same_key(void **state)
{
    g_auto(Signer) signer = signer_of(state, EVP_EC_gen("P-256"));
    g_autoptr(Certificate) renewed =
        certificate_of_pkey(signer.pkey); /* ECDSA: signed anew, so other bytes */
    g_autofree char *compact = sign_text(&signer, "{}");
    assert_verifies(compact, signer.certificate);
    assert_verify_refused(compact, renewed, JWS_ERROR_SIGNATURE, "names another certificate");
}

/* RFC 7518 3.4: exactly two coordinates; DER is another thing. */
static void refuses_ecdsa_signatures_of_another_length(void **state)
{
    g_auto(Signer) signer = signer_of(state, EVP_EC_gen("P-256"));
    g_autofree char *compact = sign_text(&signer, "{}");
    g_autoptr(Jws) jws = jws_parse(compact, NULL);
    guint8 longer[66] = {0};
    memcpy(longer + 1, g_bytes_get_data(jws->signature, NULL), 32); /* 00 r 00 s: the same numbers */
    memcpy(longer + 34, (const guint8 *)g_bytes_get_data(jws->signature, NULL) + 32, 32);
    const gsize lengths[] = {1, 32, 62, 63, 65};
    for (gsize i = 0; i < G_N_ELEMENTS(lengths); i++) {
        guint8 changed[65] = {0};
        memcpy(changed, g_bytes_get_data(jws->signature, NULL), 64);
        g_autofree char *cut = with_signature(compact, changed, lengths[i]);
        assert_verify_refused(cut, signer.certificate, JWS_ERROR_SIGNATURE, "not over this text");
    }
    g_autofree char *padded = with_signature(compact, longer, sizeof longer);
    assert_verify_refused(padded, signer.certificate, JWS_ERROR_SIGNATURE, "not over this text");
    g_autoptr(GBytes) der = der_of_raw(jws->signature);
    g_autofree char *in_der = with_signature(compact, g_bytes_get_data(der, NULL), g_bytes_get_size(der));
    assert_verify_refused(in_der, signer.certificate, JWS_ERROR_SIGNATURE, "not over this text");
}

/* CVE-2022-21449: r and s of zero fitted every text in a well-known library. */
static void refuses_ecdsa_signatures_of_zeros_and_ones(void **state)
{
    g_auto(Signer) signer = signer_of(state, EVP_EC_gen("P-256"));
    g_autofree char *compact = sign_text(&signer, "{}");
    guint8 zeros[64] = {0}, ones[64];
    memset(ones, 0xff, sizeof ones);
    g_autofree char *of_zeros = with_signature(compact, zeros, sizeof zeros);
    g_autofree char *of_ones = with_signature(compact, ones, sizeof ones);
    assert_verify_refused(of_zeros, signer.certificate, JWS_ERROR_SIGNATURE, "not over this text");
    assert_verify_refused(of_ones, signer.certificate, JWS_ERROR_SIGNATURE, "not over this text");
}

static void refuses_rsa_signatures_of_another_length(void **state)
{
    g_auto(Signer) signer = signer_of(state, EVP_RSA_gen(2048));
    g_autofree char *compact = sign_text(&signer, "{}");
    g_autoptr(Jws) jws = jws_parse(compact, NULL);
    guint8 longer[257] = {0};
    memcpy(longer + 1, g_bytes_get_data(jws->signature, NULL), 256);
    g_autofree char *cut = with_signature(compact, longer + 1, 255),
                    *padded = with_signature(compact, longer, 257);
    assert_verify_refused(cut, signer.certificate, JWS_ERROR_SIGNATURE, "not over this text");
    assert_verify_refused(padded, signer.certificate, JWS_ERROR_SIGNATURE, "not over this text");
}

/* The classic confusion: the public key as the secret of an HMAC. It ends at the name of the algorithm. */
static void refuses_an_hmac_under_the_public_key(void **state)
{
    g_auto(Signer) signer = signer_of(state, EVP_RSA_gen(2048));
    g_autofree char *header = header_for(&signer, "HS256");
    assert_header_refused(header, JWS_ERROR_ALGORITHM, "alg must be");
}

/* The example in the official OpenAPI document of FSC is older than the text: padded base64 in x5t#S256. */
static void refuses_the_stale_example_of_the_fsc_openapi_document(void **state)
{
    g_autofree char *path = external_data("fsc/examples/spec-jws-example-stale.json");
    if (path == NULL)
        skip();
    g_autoptr(GError) error = NULL;
    g_autoptr(json_t) document = json_read_file(path, NULL, &error);
    assert_ok(document != NULL, error);
    assert_parse_refused(json_string_at(document, "jws"), JWS_ERROR_SYNTAX, "x5t#S256 must be 43 characters");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(refuses_every_other_alg),
        cmocka_unit_test(refuses_an_unsecured_jws),
        cmocka_unit_test(refuses_a_missing_or_crooked_thumbprint),
        cmocka_unit_test(refuses_crit_b64_and_zip),
        with_folder(keys_in_the_header_are_not_believed),
        cmocka_unit_test(refuses_headers_that_are_not_strict_json_objects),
        cmocka_unit_test(refuses_payloads_that_are_not_strict_json_objects),
        cmocka_unit_test(refuses_what_is_not_three_parts),
        cmocka_unit_test(refuses_base64_that_is_not_strict),
        cmocka_unit_test(refuses_more_than_64_kib),
        with_folder(refuses_a_flipped_bit_in_each_of_the_three_parts),
        with_folder(refuses_another_certificate_with_the_same_key),
        with_folder(refuses_ecdsa_signatures_of_another_length),
        with_folder(refuses_ecdsa_signatures_of_zeros_and_ones),
        with_folder(refuses_rsa_signatures_of_another_length),
        with_folder(refuses_an_hmac_under_the_public_key),
        cmocka_unit_test(refuses_the_stale_example_of_the_fsc_openapi_document),
    };
    return cmocka_run_group_tests_name("jws", tests, NULL, NULL);
}
