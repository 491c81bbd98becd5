/* docs/fsc-vectors.json, which others may test themselves with: this implementation agrees with it. It is
 * made by another one (tools/fsc-vectors.py). */
#include "tests/unit/fsc/sample.h"

#include "components/fsc/signature.h"
#include "core/crypto/certificate.h"
#include "core/crypto/jws.h"
#include "core/format/jcs.h"

static json_t *read_vectors(void)
{
    const char *source = g_getenv("FUNDAMENT_SOURCE");
    g_autoptr(GError) error = NULL;
    g_autofree char *path = g_build_filename(source != NULL ? source : ".", "docs", "fsc-vectors.json", NULL);
    JsonLimits limits = {.bytes = 1024 * 1024, .depth = 32, .values = 100000};
    json_t *file = json_read_file(path, &limits, &error);
    if (file == NULL)
        fail_msg("%s: %s", path, error->message);
    return file;
}

static void comes_to_the_same_canonical_forms(void **state)
{
    g_autoptr(json_t) file = read_vectors();
    gsize i, j;
    json_t *vector, *grant;
    json_array_foreach(json_object_get(file, "vectors"), i, vector)
    {
        json_t *content = json_object_get(vector, "content");
        g_autofree char *whole = jcs_write(content, NULL);
        assert_string_equal(whole, json_string_at(vector, "canonical"));
        json_array_foreach(json_object_get(vector, "grants"), j, grant)
        {
            const json_t *data =
                json_object_get(json_array_get(json_object_get(content, "grants"), j), "data");
            g_autofree char *part = jcs_write(data, NULL);
            assert_string_equal(part, json_string_at(grant, "canonical"));
        }
    }
    assert_true(i >= 18);
}

static void comes_to_the_same_hashes_and_not_to_those_of_the_other_reading(void **state)
{
    g_autoptr(json_t) file = read_vectors();
    gsize i, types = 0;
    json_t *vector;
    json_array_foreach(json_object_get(file, "vectors"), i, vector)
    {
        g_autoptr(GError) error = NULL;
        g_autoptr(Contract) contract = contract_parse(json_object_get(vector, "content"), &error);
        if (contract == NULL)
            fail_msg("%s: %s", json_string_at(vector, "name"), error->message);
        assert_string_equal(contract->hash, json_string_at(vector, "content_hash"));
        const json_t *grants = json_object_get(vector, "grants");
        assert_int_equal(contract->n_grants, json_array_size(grants));
        for (gsize j = 0; j < contract->n_grants; j++) {
            const json_t *grant = json_array_get(grants, j);
            assert_string_equal(contract->grants[j].hash, json_string_at(grant, "hash"));
            assert_string_not_equal(contract->grants[j].hash, json_string_at(grant, "hash_over_raw_digest"));
            types |= (gsize)1 << contract->grants[j].type;
        }
    }
    assert_int_equal(types, (1 << GRANT_TYPE_COUNT) - 1);
}

static void refuses_the_texts_that_must_be_refused(void **state)
{
    g_autoptr(json_t) file = read_vectors();
    gsize i;
    json_t *refused;
    json_array_foreach(json_object_get(file, "refused"), i, refused)
    {
        g_autoptr(json_t) value = json_parse_strict(json_string_at(refused, "text"), -1, NULL, NULL);
        if (value != NULL)
            fail_msg("accepted %s", json_string_at(refused, "name"));
    }
    assert_true(i >= 10);
}

/* The certificate is self-signed and its key thrown away: what is shown here is the form, not the chain. */
static void verifies_the_signature(void **state)
{
    g_autoptr(json_t) file = read_vectors();
    const json_t *example = json_object_get(file, "signature");
    gsize length;
    g_autofree guchar *der =
        g_base64_decode(json_string_value(json_array_get(json_object_get(example, "x5c"), 0)), &length);
    g_autoptr(Certificate) certificate = certificate_parse(der, length, NULL);
    assert_non_null(certificate);
    assert_string_equal(certificate_public_key_thumbprint(certificate),
                        json_string_at(example, "public_key_thumbprint"));
    const json_t *payload = json_object_get(example, "payload");
    g_autoptr(Signature) signature =
        signature_parse(json_string_at(example, "jws"), json_string_at(payload, "contract_content_hash"),
                        SIGNATURE_ACCEPT, json_integer_at(payload, "signed_at"), NULL);
    assert_non_null(signature);
    assert_true(jws_verify(signature->jws, certificate, NULL));
    assert_true(json_equal(signature->jws->payload, payload));
    assert_true(json_equal(signature->jws->header, json_object_get(example, "header")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(comes_to_the_same_canonical_forms),
        cmocka_unit_test(comes_to_the_same_hashes_and_not_to_those_of_the_other_reading),
        cmocka_unit_test(refuses_the_texts_that_must_be_refused),
        cmocka_unit_test(verifies_the_signature),
    };
    return cmocka_run_group_tests_name("fsc vectors", tests, NULL, NULL);
}
