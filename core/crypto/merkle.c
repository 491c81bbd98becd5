#include "core/crypto/merkle.h"

#include <string.h>

#include "core/base/error.h"

#define LEAF 0x00
#define NODE 0x01

void merkle_leaf(const void *entry, gsize length, MerkleHash *out)
{
    sha256_prefixed(LEAF, entry, length, out->bytes);
}

void merkle_node(const MerkleHash *left, const MerkleHash *right, MerkleHash *out)
{
    guint8 both[2 * SHA256_SIZE];
    memcpy(both, left->bytes, SHA256_SIZE);
    memcpy(both + SHA256_SIZE, right->bytes, SHA256_SIZE);
    sha256_prefixed(NODE, both, sizeof both, out->bytes);
}

void merkle_empty(MerkleHash *out)
{
    sha256("", 0, out->bytes);
}

gboolean merkle_equal(const MerkleHash *a, const MerkleHash *b)
{
    return memcmp(a->bytes, b->bytes, SHA256_SIZE) == 0;
}

/* --- the edge --- */

guint merkle_edge_peaks(const MerkleEdge *edge)
{
    return (guint)__builtin_popcountll(edge->size);
}

void merkle_edge_add(MerkleEdge *edge, const MerkleHash *leaf, MerkleMade made, gpointer data)
{
    MerkleHash hash = *leaf;
    guint peaks = merkle_edge_peaks(edge);
    guint level = 0;
    if (made != NULL)
        made(data, 0, edge->size, &hash);
    /* As in adding one to a binary number: each one bit from the right is a tree that is merged. */
    for (; (edge->size >> level & 1) != 0; level++) {
        merkle_node(&edge->peaks[--peaks], &hash, &hash);
        if (made != NULL)
            made(data, level + 1, edge->size >> (level + 1), &hash);
    }
    edge->peaks[peaks] = hash;
    edge->size++;
}

void merkle_edge_root(const MerkleEdge *edge, MerkleHash *out)
{
    guint peaks = merkle_edge_peaks(edge);
    if (peaks == 0) {
        merkle_empty(out);
        return;
    }
    *out = edge->peaks[peaks - 1];
    for (guint i = peaks - 1; i > 0; i--)
        merkle_node(&edge->peaks[i - 1], out, out);
}

/* --- proofs --- */

/* The largest power of two that is smaller than `size`, which is 2 or more: where a tree splits (2.1.1). */
static guint split_level(guint64 size)
{
    return 63 - (guint)__builtin_clzll(size - 1);
}

/* MTH(D[start:start + size]) where `start` is a place at which such a subtree begins. */
static gboolean subtree(guint64 start, guint64 size, MerkleRead read, gpointer data, MerkleHash *out,
                        GError **error)
{
    MerkleHash parts[64];
    guint count = 0;
    for (; (size & (size - 1)) != 0; count++) {
        guint level = split_level(size);
        if (!read(data, level, start >> level, &parts[count], error))
            return FALSE;
        start += G_GUINT64_CONSTANT(1) << level;
        size -= G_GUINT64_CONSTANT(1) << level;
    }
    guint level = (guint)__builtin_ctzll(size);
    if (!read(data, level, start >> level, out, error))
        return FALSE;
    while (count > 0)
        merkle_node(&parts[--count], out, out);
    return TRUE;
}

gboolean merkle_root(guint64 size, MerkleRead read, gpointer data, MerkleHash *out, GError **error)
{
    if (size > 0)
        return subtree(0, size, read, data, out, error);
    merkle_empty(out);
    return TRUE;
}

/* Proofs are made from the root down and read from the leaves up. */
static void reverse(MerkleHash *proof, gsize count)
{
    for (gsize i = 0; i < count / 2; i++) {
        MerkleHash other = proof[i];
        proof[i] = proof[count - 1 - i];
        proof[count - 1 - i] = other;
    }
}

gboolean merkle_prove_inclusion(guint64 index, guint64 size, MerkleRead read, gpointer data,
                                MerkleHash *proof, gsize *count, GError **error)
{
    if (index >= size) {
        g_set_error(error, FUNDAMENT_ERROR, FUNDAMENT_ERROR_INVALID,
                    "entry %" G_GUINT64_FORMAT " is not in a tree of %" G_GUINT64_FORMAT, index, size);
        return FALSE;
    }
    *count = 0;
    for (guint64 start = 0; size > 1; (*count)++) {
        guint64 left = G_GUINT64_CONSTANT(1) << split_level(size);
        gboolean is_left = index - start < left;
        if (!subtree(is_left ? start + left : start, is_left ? size - left : left, read, data, &proof[*count],
                     error))
            return FALSE;
        start += is_left ? 0 : left;
        size = is_left ? left : size - left;
    }
    reverse(proof, *count);
    return TRUE;
}

gboolean merkle_prove_consistency(guint64 old_size, guint64 size, MerkleRead read, gpointer data,
                                  MerkleHash *proof, gsize *count, GError **error)
{
    if (old_size > size) {
        g_set_error(error, FUNDAMENT_ERROR, FUNDAMENT_ERROR_INVALID,
                    "a tree of %" G_GUINT64_FORMAT " was never one of %" G_GUINT64_FORMAT, size, old_size);
        return FALSE;
    }
    *count = 0;
    if (old_size == 0)
        return TRUE;
    /* `whole`: the old tree is this subtree, whose root the verifier has ("b" in 2.1.4.1). */
    gboolean whole = TRUE;
    guint64 start = 0;
    while (old_size != size) {
        guint64 left = G_GUINT64_CONSTANT(1) << split_level(size);
        gboolean is_left = old_size <= left;
        if (!subtree(is_left ? start + left : start, is_left ? size - left : left, read, data,
                     &proof[(*count)++], error))
            return FALSE;
        start += is_left ? 0 : left;
        old_size -= is_left ? 0 : left;
        size = is_left ? left : size - left;
        whole = whole && is_left;
    }
    if (!whole && !subtree(start, size, read, data, &proof[(*count)++], error))
        return FALSE;
    reverse(proof, *count);
    return TRUE;
}

/* --- verification --- */

gboolean merkle_includes(const MerkleHash *root, guint64 size, guint64 index, const MerkleHash *leaf,
                         const MerkleHash *proof, gsize count)
{
    if (index >= size)
        return FALSE;
    guint64 node = index, last = size - 1;
    MerkleHash hash = *leaf;
    for (gsize i = 0; i < count; i++) {
        if (last == 0)
            return FALSE; /* a hash too many */
        if ((node & 1) != 0 || node == last) {
            merkle_node(&proof[i], &hash, &hash);
            for (; (node & 1) == 0 && node != 0; node >>= 1)
                last >>= 1;
        } else {
            merkle_node(&hash, &proof[i], &hash);
        }
        node >>= 1;
        last >>= 1;
    }
    return last == 0 && merkle_equal(&hash, root);
}

gboolean merkle_consistent(const MerkleHash *old_root, guint64 old_size, const MerkleHash *root, guint64 size,
                           const MerkleHash *proof, gsize count)
{
    if (old_size > size)
        return FALSE;
    if (old_size == size || old_size == 0) {
        MerkleHash empty;
        merkle_empty(&empty);
        return count == 0 && merkle_equal(old_root, old_size == 0 ? &empty : root);
    }
    /* When the old tree is perfect its root is the first hash, and is left out of the proof. */
    gboolean perfect = (old_size & (old_size - 1)) == 0;
    if (count + (perfect ? 1 : 0) == 0)
        return FALSE;
    MerkleHash first = perfect ? *old_root : proof[0];
    guint64 node = old_size - 1, last = size - 1;
    for (; (node & 1) != 0; node >>= 1)
        last >>= 1;
    MerkleHash old = first, new = first;
    for (gsize i = perfect ? 0 : 1; i < count; i++) {
        if (last == 0)
            return FALSE;
        if ((node & 1) != 0 || node == last) {
            merkle_node(&proof[i], &old, &old);
            merkle_node(&proof[i], &new, &new);
            for (; (node & 1) == 0 && node != 0; node >>= 1)
                last >>= 1;
        } else {
            merkle_node(&new, &proof[i], &new);
        }
        node >>= 1;
        last >>= 1;
    }
    return last == 0 && merkle_equal(&old, old_root) && merkle_equal(&new, root);
}
