/* C2SP tlog-witness, add-checkpoint: every answer of the specification, and why. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "components/logboek/witness.h"
#include "tests/support/error.h"

#define ORIGIN "logboek.example.org/logboek/00000001000000000002/1.0"
#define LEAVES 40

static NoteSigner *logger, *stranger;
static const NoteVerifier *keys[2], *no_keys[1];
static MerkleHash leaves[LEAVES];

static gboolean read_leaves(gpointer data, guint level, guint64 index, MerkleHash *out, GError **error)
{
    MerkleEdge edge = {0};
    for (guint64 i = index << level; i < (index + 1) << level; i++)
        merkle_edge_add(&edge, &leaves[i], NULL, NULL);
    merkle_edge_root(&edge, out);
    return TRUE;
}

static MerkleHash root_of(guint64 size)
{
    MerkleHash root;
    assert_true(merkle_root(size, read_leaves, NULL, &root, NULL));
    return root;
}

static char *checkpoint_by(const NoteSigner *signer, guint64 size, const MerkleHash *root)
{
    Checkpoint checkpoint = {(char[]){ORIGIN}, size, *root};
    g_autofree char *text = checkpoint_format(&checkpoint);
    g_autofree char *line = note_sign(signer, text, 0);
    return g_strconcat(text, "\n", line, NULL);
}

/* The verdict on a request from `old` to `size`, with this many of the hashes of its proof. */
static WitnessVerdict judged(const NoteSigner *signer, guint64 old, guint64 size, const MerkleHash *root,
                             gssize hashes, const NoteVerifier *const *known, guint64 last)
{
    MerkleHash proof[MERKLE_PROOF_MAX + 1] = {0};
    gsize count = 0;
    g_auto(WitnessRequest) request = {0};
    g_autoptr(GError) error = NULL;
    const WitnessState state = {last, root_of(last)};
    if (old <= size)
        assert_true(merkle_prove_consistency(old, size, read_leaves, NULL, proof, &count, NULL));
    g_autofree char *checkpoint = checkpoint_by(signer, size, root);
    g_autofree char *body =
        witness_request_format(old, proof, hashes < 0 ? count : (gsize)hashes, checkpoint);
    if (!witness_request_parse(body, strlen(body), &request, &error))
        no_error(error);
    assert_int_equal(request.old_size, old);
    return witness_judge(&request, known, &state);
}

static WitnessVerdict honest(guint64 old, guint64 size)
{
    MerkleHash root = root_of(size);
    return judged(logger, old, size, &root, -1, keys, old);
}

static void every_state_that_continues_the_last_is_cosigned(void **state)
{
    for (guint64 size = 0; size < LEAVES; size++)
        for (guint64 old = 0; old <= size; old++)
            assert_int_equal(honest(old, size), WITNESS_COSIGN);
}

static void a_state_that_does_not_is_not(void **state)
{
    for (guint64 size = 2; size < LEAVES; size++)
        for (guint64 old = 1; old <= size; old++) {
            MerkleHash root = root_of(size);
            root.bytes[3] ^= 1;
            assert_int_equal(judged(logger, old, size, &root, -1, keys, old), WITNESS_INCONSISTENT);
        }
}

static void a_proof_where_there_is_nothing_to_prove_is_422(void **state)
{
    MerkleHash root = root_of(7);
    assert_int_equal(judged(logger, 0, 7, &root, 1, keys, 0), WITNESS_INCONSISTENT);
    assert_int_equal(judged(logger, 7, 7, &root, 1, keys, 7), WITNESS_INCONSISTENT);
}

static void a_missing_proof_is_422(void **state)
{
    MerkleHash root = root_of(7);
    assert_int_equal(judged(logger, 3, 7, &root, 0, keys, 3), WITNESS_INCONSISTENT);
}

static void an_empty_log_has_the_root_of_the_empty_tree(void **state)
{
    MerkleHash root = root_of(0);
    assert_int_equal(judged(logger, 0, 0, &root, 0, keys, 0), WITNESS_COSIGN);
    root.bytes[0] ^= 1;
    assert_int_equal(judged(logger, 0, 0, &root, 0, keys, 0), WITNESS_INCONSISTENT);
}

static void another_old_size_than_the_last_is_409(void **state)
{
    MerkleHash root = root_of(9);
    assert_int_equal(judged(logger, 3, 9, &root, -1, keys, 4), WITNESS_CONFLICT);
    assert_int_equal(judged(logger, 0, 9, &root, -1, keys, 4), WITNESS_CONFLICT);
}

static void an_old_size_above_the_checkpoint_is_400(void **state)
{
    MerkleHash root = root_of(5);
    assert_int_equal(judged(logger, 9, 5, &root, 0, keys, 9), WITNESS_SIZES);
}

static void who_is_not_known_is_404_and_who_did_not_sign_403(void **state)
{
    MerkleHash root = root_of(5);
    assert_int_equal(judged(logger, 0, 5, &root, -1, NULL, 0), WITNESS_UNKNOWN);
    assert_int_equal(judged(logger, 0, 5, &root, -1, no_keys, 0), WITNESS_UNKNOWN);
    assert_int_equal(judged(stranger, 0, 5, &root, -1, keys, 0), WITNESS_NOT_SIGNED);
}

static void a_false_signature_under_a_known_key_is_403_though_another_holds(void **state)
{
    MerkleHash root = root_of(5);
    const NoteVerifier *both[] = {keys[0], note_signer_verifier(stranger), NULL};
    const WitnessState nothing = {0};
    g_autofree char *good = checkpoint_by(logger, 5, &root);
    g_autofree char *of_another_text = note_sign(stranger, "another\n", 0);
    g_autofree char *checkpoint = g_strconcat(good, of_another_text, NULL);
    g_autofree char *body = witness_request_format(0, NULL, 0, checkpoint);
    g_auto(WitnessRequest) request = {0};
    assert_true(witness_request_parse(body, strlen(body), &request, NULL));
    assert_int_equal(witness_judge(&request, keys, &nothing), WITNESS_COSIGN);
    assert_int_equal(witness_judge(&request, both, &nothing), WITNESS_NOT_SIGNED);
}

static void each_verdict_has_its_status(void **state)
{
    static const guint statuses[WITNESS_VERDICT_COUNT] = {200, 400, 403, 404, 409, 422};
    for (int i = 0; i < WITNESS_VERDICT_COUNT; i++) {
        assert_int_equal(witness_status((WitnessVerdict)i), statuses[i]);
        assert_non_null(witness_reason((WitnessVerdict)i));
    }
}

static void what_is_no_request_is_refused_with_the_reason(void **state)
{
    MerkleHash root = root_of(5);
    g_autofree char *checkpoint = checkpoint_by(logger, 5, &root);
    g_autofree char *good = witness_request_format(0, NULL, 0, checkpoint);
    g_autoptr(GString) many = g_string_new("old 1\n");
    for (guint i = 0; i <= WITNESS_PROOF_MAX; i++)
        g_string_append(many, "AQIDAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n");
    g_string_append_printf(many, "\n%s", checkpoint);
    const struct {
        const char *text, *part;
    } cases[] = {
        {"", "old SIZE"},
        {"old\n\n", "old SIZE"},
        {"old 01\n\n", "old SIZE"},
        {"old -1\n\n", "old SIZE"},
        {"old +1\n\n", "old SIZE"},
        {"old 1 \n\n", "old SIZE"},
        {"old 9223372036854775808\n\n", "old SIZE"},
        {"size 1\n\n", "old SIZE"},
        {"old 1\nAQID\n\n", "no hash"},
        {"old 1\n", "no empty line"},
        {"old 1\n\n", "blank line"},
        {"old 1\n\nno note", "blank line"},
        {"old 1\n\nno checkpoint\n\n\xe2\x80\x94 n AAAAAAAA\n", "size"},
        {many->str, "more than 63"},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_auto(WitnessRequest) request = {0};
        g_autoptr(GError) error = NULL;
        assert_false(witness_request_parse(cases[i].text, strlen(cases[i].text), &request, &error));
        if (strstr(error->message, cases[i].part) == NULL)
            fail_msg("case %zu: %s", i, error->message);
        expect_error(&error, FUNDAMENT_ERROR_INVALID);
    }
    for (gsize cut = 0; cut < strlen(good); cut++) {
        g_auto(WitnessRequest) request = {0};
        assert_false(witness_request_parse(good, cut, &request, NULL));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_state_that_continues_the_last_is_cosigned),
        cmocka_unit_test(a_state_that_does_not_is_not),
        cmocka_unit_test(a_proof_where_there_is_nothing_to_prove_is_422),
        cmocka_unit_test(a_missing_proof_is_422),
        cmocka_unit_test(an_empty_log_has_the_root_of_the_empty_tree),
        cmocka_unit_test(another_old_size_than_the_last_is_409),
        cmocka_unit_test(an_old_size_above_the_checkpoint_is_400),
        cmocka_unit_test(who_is_not_known_is_404_and_who_did_not_sign_403),
        cmocka_unit_test(a_false_signature_under_a_known_key_is_403_though_another_holds),
        cmocka_unit_test(each_verdict_has_its_status),
        cmocka_unit_test(what_is_no_request_is_refused_with_the_reason),
    };
    guint8 seed[NOTE_SEED_SIZE] = {1};
    logger = note_signer_new(ORIGIN, NOTE_ED25519, seed, NULL);
    seed[0] = 2;
    stranger = note_signer_new(ORIGIN, NOTE_ED25519, seed, NULL);
    keys[0] = note_signer_verifier(logger);
    for (guint i = 0; i < LEAVES; i++)
        merkle_leaf(&i, sizeof i, &leaves[i]);
    int failed = cmocka_run_group_tests_name("witness", tests, NULL, NULL);
    note_signer_free(logger);
    note_signer_free(stranger);
    return failed;
}
