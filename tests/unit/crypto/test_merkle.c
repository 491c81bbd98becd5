/* RFC 9162, 2.1: trees and proofs, against the definition written out and against known answers. */
#include "tests/unit/crypto/fixture.h"

#include <string.h>

#include "core/base/bytes.h"
#include "core/crypto/merkle.h"

#define LEAVES 130

static MerkleHash leaves[LEAVES];

static void make_leaves(void)
{
    for (guint i = 0; i < LEAVES; i++) {
        g_autofree char *entry = g_strdup_printf("entry %u", i);
        merkle_leaf(entry, strlen(entry), &leaves[i]);
    }
}

/* MTH(D_n) as 2.1.1 defines it: the oracle. */
static MerkleHash definition(guint start, guint size)
{
    MerkleHash left, right, out;
    guint split = 1;
    if (size == 0) {
        merkle_empty(&out);
        return out;
    }
    if (size == 1)
        return leaves[start];
    while (split * 2 < size)
        split *= 2;
    left = definition(start, split);
    right = definition(start + split, size - split);
    merkle_node(&left, &right, &out);
    return out;
}

static gboolean read_tree(gpointer data, guint level, guint64 index, MerkleHash *out, GError **error)
{
    (void)data;
    (void)error;
    *out = definition((guint)(index << level), 1U << level);
    return TRUE;
}

static void assert_hash(const MerkleHash *hash, const char *expected)
{
    g_autofree char *text = hex_encode(hash->bytes, sizeof hash->bytes);
    assert_string_equal(text, expected);
}

static void the_hash_of_no_entries_is_that_of_no_bytes(void **state)
{
    MerkleHash hash;
    MerkleEdge edge = {0};
    merkle_empty(&hash);
    assert_hash(&hash, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    merkle_edge_root(&edge, &hash);
    assert_hash(&hash, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}

static void an_empty_entry_is_not_an_empty_tree(void **state)
{
    MerkleHash hash;
    merkle_leaf("", 0, &hash);
    assert_hash(&hash, "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d");
}

typedef struct {
    guint count;
} Made;

static void check_made(gpointer data, guint level, guint64 index, const MerkleHash *hash)
{
    Made *made = data;
    MerkleHash expected = definition((guint)(index << level), 1U << level);
    assert_true(merkle_equal(&expected, hash));
    made->count++;
}

static void a_growing_edge_has_the_root_of_the_definition_at_every_size(void **state)
{
    MerkleEdge edge = {0};
    Made made = {0};
    for (guint size = 0; size < LEAVES; size++) {
        MerkleHash root, expected = definition(0, size), read;
        merkle_edge_root(&edge, &root);
        assert_true(merkle_equal(&root, &expected));
        assert_true(merkle_root(size, read_tree, NULL, &read, NULL));
        assert_true(merkle_equal(&read, &expected));
        merkle_edge_add(&edge, &leaves[size], check_made, &made);
        assert_int_equal(merkle_edge_peaks(&edge), __builtin_popcount(size + 1));
    }
    assert_int_equal(made.count, 130 + 65 + 32 + 16 + 8 + 4 + 2 + 1);
}

static void every_entry_of_every_tree_is_proven(void **state)
{
    MerkleHash proof[MERKLE_PROOF_MAX];
    gsize count;
    for (guint size = 1; size < 70; size++) {
        MerkleHash root = definition(0, size);
        for (guint index = 0; index < size; index++) {
            assert_true(merkle_prove_inclusion(index, size, read_tree, NULL, proof, &count, NULL));
            assert_true(merkle_includes(&root, size, index, &leaves[index], proof, count));
        }
    }
}

static void a_proof_of_inclusion_with_anything_wrong_is_refused(void **state)
{
    MerkleHash proof[MERKLE_PROOF_MAX + 1] = {0};
    gsize count;
    for (guint size = 2; size < 40; size++) {
        MerkleHash root = definition(0, size), other = definition(0, size + 1);
        for (guint index = 0; index < size; index++) {
            assert_true(merkle_prove_inclusion(index, size, read_tree, NULL, proof, &count, NULL));
            assert_false(merkle_includes(&other, size, index, &leaves[index], proof, count));
            assert_false(merkle_includes(&root, size, index, &leaves[size], proof, count));
            assert_false(merkle_includes(&root, size, size, &leaves[index], proof, count));
            assert_false(merkle_includes(&root, size, index, &leaves[index], proof, count - 1));
            assert_false(merkle_includes(&root, size, index, &leaves[index], proof, count + 1));
            for (guint wrong = 0; wrong < size; wrong++)
                if (wrong != index)
                    assert_false(merkle_includes(&root, size, wrong, &leaves[index], proof, count));
            for (gsize i = 0; i < count; i++) {
                proof[i].bytes[i % SHA256_SIZE] ^= 1;
                assert_false(merkle_includes(&root, size, index, &leaves[index], proof, count));
                proof[i].bytes[i % SHA256_SIZE] ^= 1;
            }
        }
    }
}

static void every_tree_is_proven_to_be_the_beginning_of_every_later_one(void **state)
{
    MerkleHash proof[MERKLE_PROOF_MAX];
    gsize count;
    for (guint size = 0; size < 70; size++) {
        MerkleHash root = definition(0, size);
        for (guint old = 0; old <= size; old++) {
            MerkleHash old_root = definition(0, old);
            assert_true(merkle_prove_consistency(old, size, read_tree, NULL, proof, &count, NULL));
            assert_true(merkle_consistent(&old_root, old, &root, size, proof, count));
        }
    }
}

static void a_proof_of_consistency_with_anything_wrong_is_refused(void **state)
{
    MerkleHash proof[MERKLE_PROOF_MAX + 1] = {0};
    gsize count;
    for (guint size = 2; size < 40; size++) {
        MerkleHash root = definition(0, size), other = definition(1, size);
        for (guint old = 1; old < size; old++) {
            MerkleHash old_root = definition(0, old);
            assert_true(merkle_prove_consistency(old, size, read_tree, NULL, proof, &count, NULL));
            assert_true(count > 0);
            assert_false(merkle_consistent(&other, old, &root, size, proof, count));
            assert_false(merkle_consistent(&old_root, old, &other, size, proof, count));
            assert_false(merkle_consistent(&old_root, old, &root, size, proof, count - 1));
            assert_false(merkle_consistent(&old_root, old, &root, size, proof, count + 1));
            assert_false(merkle_consistent(&root, size, &old_root, old, proof, count));
            for (gsize i = 0; i < count; i++) {
                proof[i].bytes[0] ^= 0x80;
                assert_false(merkle_consistent(&old_root, old, &root, size, proof, count));
                proof[i].bytes[0] ^= 0x80;
            }
        }
    }
}

static void what_is_not_in_the_tree_is_not_proven(void **state)
{
    MerkleHash proof[MERKLE_PROOF_MAX];
    gsize count;
    g_autoptr(GError) error = NULL, other = NULL;
    assert_false(merkle_prove_inclusion(7, 7, read_tree, NULL, proof, &count, &error));
    assert_refused(error, FUNDAMENT_ERROR, FUNDAMENT_ERROR_INVALID, "tree of 7");
    assert_false(merkle_prove_consistency(8, 7, read_tree, NULL, proof, &count, &other));
    assert_refused(other, FUNDAMENT_ERROR, FUNDAMENT_ERROR_INVALID, "tree of 7");
}

static gboolean read_nothing(gpointer data, guint level, guint64 index, MerkleHash *out, GError **error)
{
    (void)data;
    (void)out;
    g_set_error(error, FUNDAMENT_ERROR, FUNDAMENT_ERROR_NOT_FOUND, "no tree %u/%" G_GUINT64_FORMAT, level,
                index);
    return FALSE;
}

static void a_part_that_cannot_be_read_is_told(void **state)
{
    MerkleHash proof[MERKLE_PROOF_MAX];
    gsize count;
    g_autoptr(GError) error = NULL, other = NULL;
    assert_false(merkle_prove_inclusion(3, 7, read_nothing, NULL, proof, &count, &error));
    assert_refused(error, FUNDAMENT_ERROR, FUNDAMENT_ERROR_NOT_FOUND, "no tree");
    assert_false(merkle_prove_consistency(3, 7, read_nothing, NULL, proof, &count, &other));
    assert_refused(other, FUNDAMENT_ERROR, FUNDAMENT_ERROR_NOT_FOUND, "no tree");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_hash_of_no_entries_is_that_of_no_bytes),
        cmocka_unit_test(an_empty_entry_is_not_an_empty_tree),
        cmocka_unit_test(a_growing_edge_has_the_root_of_the_definition_at_every_size),
        cmocka_unit_test(every_entry_of_every_tree_is_proven),
        cmocka_unit_test(a_proof_of_inclusion_with_anything_wrong_is_refused),
        cmocka_unit_test(every_tree_is_proven_to_be_the_beginning_of_every_later_one),
        cmocka_unit_test(a_proof_of_consistency_with_anything_wrong_is_refused),
        cmocka_unit_test(what_is_not_in_the_tree_is_not_proven),
        cmocka_unit_test(a_part_that_cannot_be_read_is_told),
    };
    make_leaves();
    return cmocka_run_group_tests_name("merkle", tests, NULL, NULL);
}
