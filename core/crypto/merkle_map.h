/* A map whose content has one hash, and that can prove for any label which value it has, or that it is not
 * there.
 *
 * A binary tree in which each inner node looks at one bit of the label and each leaf holds a label and its
 * value:
 *
 *     leaf   SHA-256(0x02 || label || value)
 *     node   SHA-256(0x03 || bit, two bytes big endian || hash for bit 0 || hash for bit 1)
 *     empty  SHA-256(0x02)
 *
 * Where the search for a label ends is fixed by the root alone, even in a tree that somebody made wrong on
 * purpose: each node on the way says which bit it looks at. So no root proves both that a label is there and
 * that it is not, or two values of one label. Labels should be evenly spread (hashes): the depth is then
 * about log2 of their number.
 *
 * Not thread safe; proofs are, once made. 0x00 and 0x01 are left to the log's tree (merkle.h). */
#pragma once

#include "core/crypto/merkle.h"

#define MERKLE_LABEL_SIZE 32
#define MERKLE_LABEL_BITS 256

typedef struct merkle_map MerkleMap;

MerkleMap *merkle_map_new(void);
void merkle_map_free(MerkleMap *map);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MerkleMap, merkle_map_free)

/* Puts or replaces. At most 2^31 labels: one more ends the process. */
void merkle_map_put(MerkleMap *map, const guint8 label[MERKLE_LABEL_SIZE], const MerkleHash *value);
gboolean merkle_map_get(const MerkleMap *map, const guint8 label[MERKLE_LABEL_SIZE], MerkleHash *value);
guint64 merkle_map_size(const MerkleMap *map);

/* Hashes what changed since the last time. */
void merkle_map_root(MerkleMap *map, MerkleHash *out);

/* From the root to the leaf where the search for a label ends. */
typedef struct {
    gboolean empty; /* there is nothing in the map; all else is zero */
    guint8 label[MERKLE_LABEL_SIZE];
    MerkleHash value;
    guint count;
    struct {
        guint8 bit; /* which bit of the label the node looks at; 0 is the highest of the first byte */
        MerkleHash sibling;
    } steps[MERKLE_LABEL_BITS];
} MerkleMapProof;

void merkle_map_prove(MerkleMap *map, const guint8 label[MERKLE_LABEL_SIZE], MerkleMapProof *out);

typedef enum { MERKLE_MAP_FALSE, MERKLE_MAP_PRESENT, MERKLE_MAP_ABSENT } MerkleMapVerdict;

/* What a proof shows of a label under a root; of PRESENT the value is in the proof. */
MerkleMapVerdict merkle_map_verify(const MerkleHash *root, const guint8 label[MERKLE_LABEL_SIZE],
                                   const MerkleMapProof *proof);

/* As bytes: 0x00 for the empty map; else 0x01 || label || value || count (2 bytes) || count times (bit ||
 * sibling). Reading is strict: bits that rise, nothing behind. FUNDAMENT_ERROR_INVALID. */
GBytes *merkle_map_proof_write(const MerkleMapProof *proof);
gboolean merkle_map_proof_read(GBytes *bytes, MerkleMapProof *out, GError **error);
