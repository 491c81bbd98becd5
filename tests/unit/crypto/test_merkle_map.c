/* Proofs of presence and absence, for honest maps and for those that were made to lie. */
#include "tests/unit/crypto/fixture.h"

#include <string.h>

#include "core/crypto/merkle_map.h"

typedef struct {
    guint8 bytes[MERKLE_LABEL_SIZE];
} Label;

static Label label_of(guint number)
{
    Label label;
    sha256(&number, sizeof number, label.bytes);
    return label;
}

static MerkleHash value_of(guint number)
{
    MerkleHash value;
    merkle_leaf(&number, sizeof number, &value);
    return value;
}

static MerkleMap *map_of(guint count)
{
    MerkleMap *map = merkle_map_new();
    for (guint i = 0; i < count; i++) {
        Label label = label_of(i);
        MerkleHash value = value_of(i);
        merkle_map_put(map, label.bytes, &value);
    }
    return map;
}

static void every_label_is_found_with_its_value(void **state)
{
    g_autoptr(MerkleMap) map = map_of(3000);
    assert_int_equal(merkle_map_size(map), 3000);
    for (guint i = 0; i < 3000; i++) {
        Label label = label_of(i);
        MerkleHash value, expected = value_of(i);
        assert_true(merkle_map_get(map, label.bytes, &value));
        assert_true(merkle_equal(&value, &expected));
    }
    Label other = label_of(3000);
    MerkleHash value;
    assert_false(merkle_map_get(map, other.bytes, &value));
}

static void presence_and_absence_are_proven(void **state)
{
    for (guint count = 0; count < 300; count = count < 10 ? count + 1 : count * 3) {
        g_autoptr(MerkleMap) map = map_of(count);
        MerkleHash root;
        merkle_map_root(map, &root);
        for (guint i = 0; i < count + 20; i++) {
            MerkleMapProof proof;
            Label label = label_of(i);
            MerkleHash expected = value_of(i);
            merkle_map_prove(map, label.bytes, &proof);
            assert_int_equal(merkle_map_verify(&root, label.bytes, &proof),
                             i < count ? MERKLE_MAP_PRESENT : MERKLE_MAP_ABSENT);
            if (i < count)
                assert_true(merkle_equal(&proof.value, &expected));
        }
    }
}

static void the_root_does_not_depend_on_the_order(void **state)
{
    g_autoptr(MerkleMap) forward = map_of(500), backward = merkle_map_new();
    MerkleHash a, b;
    for (guint i = 500; i > 0; i--) {
        Label label = label_of(i - 1);
        MerkleHash value = value_of(i - 1);
        merkle_map_put(backward, label.bytes, &value);
        if (i % 7 == 0)
            merkle_map_root(backward, &b); /* what is hashed in between does not matter */
    }
    merkle_map_root(forward, &a);
    merkle_map_root(backward, &b);
    assert_true(merkle_equal(&a, &b));
}

static void a_new_value_changes_the_root_and_the_old_one_brings_it_back(void **state)
{
    g_autoptr(MerkleMap) map = map_of(100);
    MerkleHash before, after, again, value = value_of(1000), old = value_of(42);
    Label label = label_of(42);
    merkle_map_root(map, &before);
    merkle_map_put(map, label.bytes, &value);
    merkle_map_root(map, &after);
    assert_false(merkle_equal(&before, &after));
    assert_int_equal(merkle_map_size(map), 100);
    merkle_map_put(map, label.bytes, &old);
    merkle_map_root(map, &again);
    assert_true(merkle_equal(&before, &again));
}

static void labels_that_differ_in_the_first_or_the_last_bit_only_are_apart(void **state)
{
    g_autoptr(MerkleMap) map = merkle_map_new();
    Label base = {{0}};
    for (guint bit = 0; bit <= MERKLE_LABEL_BITS; bit++) {
        Label label = base;
        MerkleHash value = value_of(bit);
        if (bit < MERKLE_LABEL_BITS)
            label.bytes[bit / 8] ^= (guint8)(0x80 >> bit % 8);
        merkle_map_put(map, label.bytes, &value);
    }
    MerkleHash root;
    MerkleMapProof proof;
    merkle_map_root(map, &root);
    merkle_map_prove(map, base.bytes, &proof);
    assert_int_equal(proof.count, MERKLE_LABEL_BITS);
    assert_int_equal(merkle_map_verify(&root, base.bytes, &proof), MERKLE_MAP_PRESENT);
    base.bytes[31] ^= 3;
    merkle_map_prove(map, base.bytes, &proof);
    assert_int_equal(merkle_map_verify(&root, base.bytes, &proof), MERKLE_MAP_ABSENT);
}

static void a_proof_with_anything_changed_is_false(void **state)
{
    g_autoptr(MerkleMap) map = map_of(200);
    MerkleHash root;
    merkle_map_root(map, &root);
    for (guint i = 0; i < 220; i++) {
        MerkleMapProof proof;
        Label label = label_of(i);
        merkle_map_prove(map, label.bytes, &proof);
        g_autoptr(GBytes) bytes = merkle_map_proof_write(&proof);
        gsize size;
        const guint8 *data = g_bytes_get_data(bytes, &size);
        for (gsize at = 0; at < size; at++) {
            g_autofree guint8 *changed = g_memdup2(data, size);
            changed[at] ^= (guint8)(1 + i % 255);
            g_autoptr(GBytes) forged = g_bytes_new(changed, size);
            MerkleMapProof read;
            if (merkle_map_proof_read(forged, &read, NULL) &&
                merkle_map_verify(&root, label.bytes, &read) != MERKLE_MAP_FALSE)
                fail_msg("byte %zu of the proof of %u can be changed", at, i);
        }
    }
}

static void a_proof_of_another_label_proves_nothing_of_this_one(void **state)
{
    g_autoptr(MerkleMap) map = map_of(200);
    MerkleHash root;
    merkle_map_root(map, &root);
    for (guint i = 0; i < 100; i++)
        for (guint other = 0; other < 100; other++) {
            MerkleMapProof proof;
            Label asked = label_of(i), shown = label_of(other);
            merkle_map_prove(map, shown.bytes, &proof);
            if (i != other)
                assert_int_not_equal(merkle_map_verify(&root, asked.bytes, &proof), MERKLE_MAP_ABSENT);
        }
}

static void an_empty_map_proves_that_nobody_is_there(void **state)
{
    g_autoptr(MerkleMap) map = merkle_map_new();
    g_autoptr(MerkleMap) full = map_of(1);
    MerkleHash root, other;
    MerkleMapProof proof;
    Label label = label_of(0);
    merkle_map_root(map, &root);
    merkle_map_root(full, &other);
    merkle_map_prove(map, label.bytes, &proof);
    assert_int_equal(merkle_map_verify(&root, label.bytes, &proof), MERKLE_MAP_ABSENT);
    assert_int_equal(merkle_map_verify(&other, label.bytes, &proof), MERKLE_MAP_FALSE);
}

static void proofs_are_read_back_as_written(void **state)
{
    g_autoptr(MerkleMap) map = map_of(50);
    for (guint i = 0; i < 60; i++) {
        MerkleMapProof proof, read;
        Label label = label_of(i);
        merkle_map_prove(map, label.bytes, &proof);
        g_autoptr(GBytes) bytes = merkle_map_proof_write(&proof);
        g_autoptr(GError) error = NULL;
        assert_ok(merkle_map_proof_read(bytes, &read, &error), error);
        assert_memory_equal(&read, &proof, sizeof read);
    }
}

static void bytes_that_are_no_proof_are_refused(void **state)
{
    g_autoptr(MerkleMap) map = map_of(50);
    MerkleMapProof proof, read;
    Label label = label_of(1);
    merkle_map_prove(map, label.bytes, &proof);
    assert_true(proof.count >= 2);
    g_autoptr(GBytes) bytes = merkle_map_proof_write(&proof);
    gsize size;
    const guint8 *data = g_bytes_get_data(bytes, &size);
    for (gsize cut = 0; cut < size; cut++) {
        g_autoptr(GBytes) part = g_bytes_new(data, cut);
        assert_false(merkle_map_proof_read(part, &read, NULL));
    }
    g_autofree guint8 *changed = g_memdup2(data, size);
    changed[1 + 32 + 32 + 2 + 33] = changed[1 + 32 + 32 + 2];
    g_autoptr(GBytes) flat = g_bytes_new(changed, size);
    g_autoptr(GError) error = NULL;
    assert_false(merkle_map_proof_read(flat, &read, &error));
    assert_refused(error, FUNDAMENT_ERROR, FUNDAMENT_ERROR_INVALID, "do not rise");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_label_is_found_with_its_value),
        cmocka_unit_test(presence_and_absence_are_proven),
        cmocka_unit_test(the_root_does_not_depend_on_the_order),
        cmocka_unit_test(a_new_value_changes_the_root_and_the_old_one_brings_it_back),
        cmocka_unit_test(labels_that_differ_in_the_first_or_the_last_bit_only_are_apart),
        cmocka_unit_test(a_proof_with_anything_changed_is_false),
        cmocka_unit_test(a_proof_of_another_label_proves_nothing_of_this_one),
        cmocka_unit_test(an_empty_map_proves_that_nobody_is_there),
        cmocka_unit_test(proofs_are_read_back_as_written),
        cmocka_unit_test(bytes_that_are_no_proof_are_refused),
    };
    return cmocka_run_group_tests_name("merkle map", tests, NULL, NULL);
}
