/* RFC 9381 with the suite vrf-r255: the vector of the specification, and what must not verify. */
#include "tests/unit/crypto/fixture.h"

#include <string.h>

#include "core/base/bytes.h"
#include "core/crypto/vrf.h"

#define INPUT "c2sp.org/vrf-r255"

static void from_hex(const char *text, guint8 *out, gsize length)
{
    assert_true(hex_decode(text, out, length));
}

/* The secret key of the vector: a scalar, as a seed that reduces to itself. */
static VrfKey *vector_key(void)
{
    guint8 seed[VRF_SEED_SIZE] = {0};
    g_autoptr(GError) error = NULL;
    from_hex("3431c2b03533e280b23232e280b34e2c3132c2b03238e280b23131e280b34500", seed, 32);
    VrfKey *key = vrf_key_new(seed, &error);
    assert_ok(key != NULL, error);
    return key;
}

static void the_vector_of_the_specification_comes_out(void **state)
{
    guint8 expected[VRF_PROOF_SIZE], output[VRF_OUTPUT_SIZE], proof[VRF_PROOF_SIZE];
    g_autoptr(VrfKey) key = vector_key();
    from_hex("54136cd90d99fbd1d4e855d9556efea87ba0337f2a6ce22028d0f5726fcb854e", expected, 32);
    assert_memory_equal(vrf_key_public(key), expected, VRF_PUBLIC_SIZE);
    vrf_evaluate(key, INPUT, strlen(INPUT), output, proof);
    from_hex("0a97d961262fb549b4175c5117860f42ae44a123f93c476c439eddd1c0cff926"
             "5c805525233e2284dbed45e593b8eea3"
             "1d5ca9734d72bcbba9738d5237f955f3b2422351149d1312503b6441a47c940c",
             expected, VRF_PROOF_SIZE);
    assert_memory_equal(proof, expected, VRF_PROOF_SIZE);
    from_hex("dd653f0879b48c3ef69e13551239bec4cbcc1c18fe8894de2e9e1c790e182736"
             "03bf1c6c25d7a797aeff3c43fd32b974d3fcbd4bcce916007097922a3ea3a794",
             expected, VRF_OUTPUT_SIZE);
    assert_memory_equal(output, expected, VRF_OUTPUT_SIZE);
}

static void what_is_proven_verifies_with_the_same_value(void **state)
{
    g_autoptr(VrfKey) key = vector_key();
    for (guint i = 0; i < 20; i++) {
        guint8 output[VRF_OUTPUT_SIZE], alone[VRF_OUTPUT_SIZE], verified[VRF_OUTPUT_SIZE],
            proof[VRF_PROOF_SIZE];
        g_autofree char *input = g_strnfill(i, 'x');
        vrf_evaluate(key, input, i, output, proof);
        vrf_evaluate(key, input, i, alone, NULL);
        assert_memory_equal(output, alone, sizeof output);
        assert_true(vrf_verify(vrf_key_public(key), input, i, proof, verified));
        assert_memory_equal(verified, output, sizeof output);
    }
}

static void a_proof_with_any_bit_changed_does_not_verify(void **state)
{
    guint8 output[VRF_OUTPUT_SIZE], proof[VRF_PROOF_SIZE];
    g_autoptr(VrfKey) key = vector_key();
    vrf_evaluate(key, INPUT, strlen(INPUT), output, proof);
    for (gsize bit = 0; bit < VRF_PROOF_SIZE * 8; bit++) {
        proof[bit / 8] ^= (guint8)(1 << bit % 8);
        assert_false(vrf_verify(vrf_key_public(key), INPUT, strlen(INPUT), proof, output));
        proof[bit / 8] ^= (guint8)(1 << bit % 8);
    }
    assert_true(vrf_verify(vrf_key_public(key), INPUT, strlen(INPUT), proof, output));
}

static void a_proof_is_for_one_input_and_one_key(void **state)
{
    guint8 output[VRF_OUTPUT_SIZE], proof[VRF_PROOF_SIZE], seed[VRF_SEED_SIZE] = {7};
    g_autoptr(VrfKey) key = vector_key();
    g_autoptr(VrfKey) other = vrf_key_new(seed, NULL);
    vrf_evaluate(key, INPUT, strlen(INPUT), output, proof);
    assert_false(vrf_verify(vrf_key_public(key), INPUT, strlen(INPUT) - 1, proof, output));
    assert_false(vrf_verify(vrf_key_public(other), INPUT, strlen(INPUT), proof, output));
}

static void a_scalar_above_the_order_is_refused(void **state)
{
    /* s + q stands for the same scalar: taking it would make two proofs of one. */
    static const guint8 order[32] = {0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58,       0xd6,
                                     0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14, [31] = 0x10};
    guint8 output[VRF_OUTPUT_SIZE], proof[VRF_PROOF_SIZE];
    guint carry = 0;
    g_autoptr(VrfKey) key = vector_key();
    vrf_evaluate(key, INPUT, strlen(INPUT), output, proof);
    for (gsize i = 0; i < 32; i++) {
        carry += (guint)proof[48 + i] + order[i];
        proof[48 + i] = (guint8)carry;
        carry >>= 8;
    }
    assert_false(vrf_verify(vrf_key_public(key), INPUT, strlen(INPUT), proof, output));
}

static void the_neutral_element_is_no_public_key(void **state)
{
    guint8 output[VRF_OUTPUT_SIZE], proof[VRF_PROOF_SIZE], neutral[VRF_PUBLIC_SIZE] = {0};
    g_autoptr(VrfKey) key = vector_key();
    vrf_evaluate(key, INPUT, strlen(INPUT), output, proof);
    assert_false(vrf_verify(neutral, INPUT, strlen(INPUT), proof, output));
    memset(neutral, 0xff, sizeof neutral);
    assert_false(vrf_verify(neutral, INPUT, strlen(INPUT), proof, output));
}

static void a_seed_of_zero_gives_no_key(void **state)
{
    guint8 seed[VRF_SEED_SIZE] = {0};
    g_autoptr(GError) error = NULL;
    assert_null(vrf_key_new(seed, &error));
    assert_refused(error, FUNDAMENT_ERROR, FUNDAMENT_ERROR_INVALID, "no VRF key");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_vector_of_the_specification_comes_out),
        cmocka_unit_test(what_is_proven_verifies_with_the_same_value),
        cmocka_unit_test(a_proof_with_any_bit_changed_does_not_verify),
        cmocka_unit_test(a_proof_is_for_one_input_and_one_key),
        cmocka_unit_test(a_scalar_above_the_order_is_refused),
        cmocka_unit_test(the_neutral_element_is_no_public_key),
        cmocka_unit_test(a_seed_of_zero_gives_no_key),
    };
    return cmocka_run_group_tests_name("vrf", tests, NULL, NULL);
}
