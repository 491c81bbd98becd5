/* The Merkle tree of RFC 9162 (and RFC 6962), section 2.1, over SHA-256: the hash of a list that only grows,
 * and the two proofs about it.
 *
 *   inclusion    this entry is number `index` of the list with this root
 *   consistency  the list with this root begins with the list of that root
 *
 * Pure: what a proof needs of a tree that is kept elsewhere comes by a callback. Thread safe. Positions and
 * sizes are numbers of entries, from 0; trees hold up to 2^63 of them. */
#pragma once

#include <glib.h>

#include "core/crypto/digest.h"

#define MERKLE_PROOF_MAX 64 /* hashes in any proof: one a level, and one more for consistency */

typedef struct {
    guint8 bytes[SHA256_SIZE];
} MerkleHash;

/* H(0x00 || entry); H(0x01 || left || right); the hash of no entries. 2.1.1. `out` may be one of the inputs.
 */
void merkle_leaf(const void *entry, gsize length, MerkleHash *out);
void merkle_node(const MerkleHash *left, const MerkleHash *right, MerkleHash *out);
void merkle_empty(MerkleHash *out);

/* Not in constant time: roots and proofs are public. */
gboolean merkle_equal(const MerkleHash *a, const MerkleHash *b);

/* The right edge of a tree: all that is needed to let it grow. `peaks` are the roots of the perfect trees
 * whose sizes are the bits of `size`, the largest first. All zero is the empty tree. */
typedef struct {
    guint64 size;
    MerkleHash peaks[64];
} MerkleEdge;

guint merkle_edge_peaks(const MerkleEdge *edge); /* how many peaks there are */
/* Appends a leaf. When `made` is not NULL it is called for each perfect tree that this completes, from the
 * leaf (level 0) upwards: `index` counts the trees of that level from the left. */
typedef void (*MerkleMade)(gpointer data, guint level, guint64 index, const MerkleHash *hash);
void merkle_edge_add(MerkleEdge *edge, const MerkleHash *leaf, MerkleMade made, gpointer data);
void merkle_edge_root(const MerkleEdge *edge, MerkleHash *out);

/* The hash of the perfect tree of 2^level leaves that begins at leaf index * 2^level. FALSE with an error
 * when it cannot be had. */
typedef gboolean (*MerkleRead)(gpointer data, guint level, guint64 index, MerkleHash *out, GError **error);

/* The root of the first `size` entries. */
gboolean merkle_root(guint64 size, MerkleRead read, gpointer data, MerkleHash *out, GError **error);

/* 2.1.3.1 and 2.1.4.1. `proof` has room for MERKLE_PROOF_MAX; `*count` is how many hashes it got.
 * FUNDAMENT_ERROR_INVALID when index >= size, or old_size > size; errors of `read` pass. A tree of no entries
 * is the beginning of every tree: that proof is empty. */
gboolean merkle_prove_inclusion(guint64 index, guint64 size, MerkleRead read, gpointer data,
                                MerkleHash *proof, gsize *count, GError **error);
gboolean merkle_prove_consistency(guint64 old_size, guint64 size, MerkleRead read, gpointer data,
                                  MerkleHash *proof, gsize *count, GError **error);

/* 2.1.3.2 and 2.1.4.2: TRUE when the proof holds and has no hash too many. */
gboolean merkle_includes(const MerkleHash *root, guint64 size, guint64 index, const MerkleHash *leaf,
                         const MerkleHash *proof, gsize count);
gboolean merkle_consistent(const MerkleHash *old_root, guint64 old_size, const MerkleHash *root, guint64 size,
                           const MerkleHash *proof, gsize count);
