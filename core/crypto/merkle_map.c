#include "core/crypto/merkle_map.h"

#include <string.h>

#include "core/base/error.h"

#define LEAF 0x02
#define NODE 0x03
#define IS_LEAF 0x80000000U /* in a reference: the rest is a place among the leaves, else among the nodes */
#define STEP_SIZE (1 + SHA256_SIZE)

typedef struct {
    guint8 label[MERKLE_LABEL_SIZE];
    MerkleHash value;
} Leaf;

typedef struct {
    guint32 children[2];
    guint8 bit;
    gboolean stale : 8; /* something below it changed */
    MerkleHash hash;
} Inner;

struct merkle_map {
    GArray *leaves; /* of Leaf */
    GArray *nodes;  /* of Inner */
    guint32 root;   /* when there are leaves */
};

MerkleMap *merkle_map_new(void)
{
    MerkleMap *map = g_new0(MerkleMap, 1);
    map->leaves = g_array_new(FALSE, FALSE, sizeof(Leaf));
    map->nodes = g_array_new(FALSE, FALSE, sizeof(Inner));
    return map;
}

void merkle_map_free(MerkleMap *map)
{
    if (map == NULL)
        return;
    g_array_unref(map->leaves);
    g_array_unref(map->nodes);
    g_free(map);
}

guint64 merkle_map_size(const MerkleMap *map)
{
    return map->leaves->len;
}

static Leaf *leaf_at(const MerkleMap *map, guint32 reference)
{
    return &g_array_index(map->leaves, Leaf, reference & ~IS_LEAF);
}

static Inner *node_at(const MerkleMap *map, guint32 reference)
{
    return &g_array_index(map->nodes, Inner, reference);
}

static guint bit_of(const guint8 *label, guint bit)
{
    return label[bit / 8] >> (7 - bit % 8) & 1;
}

/* The first bit in which they differ; MERKLE_LABEL_BITS when they are the same. */
static guint difference(const guint8 *a, const guint8 *b)
{
    for (guint i = 0; i < MERKLE_LABEL_SIZE; i++)
        if (a[i] != b[i])
            return i * 8 + (guint)__builtin_clz((guint)(a[i] ^ b[i])) - 24;
    return MERKLE_LABEL_BITS;
}

/* The leaf where the search ends. There is one. */
static Leaf *search(const MerkleMap *map, const guint8 *label)
{
    guint32 at = map->root;
    while ((at & IS_LEAF) == 0)
        at = node_at(map, at)->children[bit_of(label, node_at(map, at)->bit)];
    return leaf_at(map, at);
}

gboolean merkle_map_get(const MerkleMap *map, const guint8 label[MERKLE_LABEL_SIZE], MerkleHash *value)
{
    if (map->leaves->len == 0)
        return FALSE;
    const Leaf *leaf = search(map, label);
    if (memcmp(leaf->label, label, MERKLE_LABEL_SIZE) != 0)
        return FALSE;
    *value = leaf->value;
    return TRUE;
}

/* --- changing --- */

static guint32 add_leaf(MerkleMap *map, const guint8 *label, const MerkleHash *value)
{
    Leaf leaf = {.value = *value};
    if (map->leaves->len == IS_LEAF - 1)
        g_error("a map of 2^31 labels is full");
    memcpy(leaf.label, label, MERKLE_LABEL_SIZE);
    g_array_append_val(map->leaves, leaf);
    return (map->leaves->len - 1) | IS_LEAF;
}

/* Everything on the way to the leaf, down to the first node that looks at `until` or a later bit, is stale.
 * Returns what hangs there, and in `*above` the node that it hangs from, `*side` on which side; *above is
 * IS_LEAF at the root. */
static guint32 descend(MerkleMap *map, const guint8 *label, guint until, guint32 *above, guint *side)
{
    guint32 at = map->root;
    *above = IS_LEAF;
    while ((at & IS_LEAF) == 0 && node_at(map, at)->bit < until) {
        Inner *node = node_at(map, at);
        node->stale = TRUE;
        *above = at;
        *side = bit_of(label, node->bit);
        at = node->children[*side];
    }
    return at;
}

void merkle_map_put(MerkleMap *map, const guint8 label[MERKLE_LABEL_SIZE], const MerkleHash *value)
{
    guint32 above;
    guint side = 0;
    if (map->leaves->len == 0) {
        map->root = add_leaf(map, label, value);
        return;
    }
    Leaf *found = search(map, label);
    guint bit = difference(found->label, label);
    guint32 below = descend(map, label, bit, &above, &side);
    if (bit == MERKLE_LABEL_BITS) {
        found->value = *value;
        return;
    }
    Inner node = {.bit = (guint8)bit, .stale = TRUE};
    node.children[bit_of(label, bit)] = add_leaf(map, label, value);
    node.children[1 - bit_of(label, bit)] = below;
    g_array_append_val(map->nodes, node);
    guint32 place = map->nodes->len - 1;
    if (above == IS_LEAF)
        map->root = place;
    else
        node_at(map, above)->children[side] = place;
}

/* --- hashes --- */

static void hash_leaf(const guint8 *label, const MerkleHash *value, MerkleHash *out)
{
    guint8 both[MERKLE_LABEL_SIZE + SHA256_SIZE];
    memcpy(both, label, MERKLE_LABEL_SIZE);
    memcpy(both + MERKLE_LABEL_SIZE, value->bytes, SHA256_SIZE);
    sha256_prefixed(LEAF, both, sizeof both, out->bytes);
}

static void hash_node(guint bit, const MerkleHash *zero, const MerkleHash *one, MerkleHash *out)
{
    guint8 all[2 + 2 * SHA256_SIZE] = {(guint8)(bit >> 8), (guint8)bit};
    memcpy(all + 2, zero->bytes, SHA256_SIZE);
    memcpy(all + 2 + SHA256_SIZE, one->bytes, SHA256_SIZE);
    sha256_prefixed(NODE, all, sizeof all, out->bytes);
}

static void hash_empty(MerkleHash *out)
{
    sha256_prefixed(LEAF, "", 0, out->bytes);
}

/* As deep as the tree: 256 at most. */
static void hash_of(const MerkleMap *map, guint32 reference, MerkleHash *out)
{
    if ((reference & IS_LEAF) != 0) {
        const Leaf *leaf = leaf_at(map, reference);
        hash_leaf(leaf->label, &leaf->value, out);
        return;
    }
    Inner *node = node_at(map, reference);
    if (node->stale) {
        MerkleHash zero, one;
        hash_of(map, node->children[0], &zero);
        hash_of(map, node->children[1], &one);
        hash_node(node->bit, &zero, &one, &node->hash);
        node->stale = FALSE;
    }
    *out = node->hash;
}

void merkle_map_root(MerkleMap *map, MerkleHash *out)
{
    if (map->leaves->len == 0)
        hash_empty(out);
    else
        hash_of(map, map->root, out);
}

/* --- proofs --- */

void merkle_map_prove(MerkleMap *map, const guint8 label[MERKLE_LABEL_SIZE], MerkleMapProof *out)
{
    guint32 at = map->root;
    memset(out, 0, sizeof *out);
    out->empty = map->leaves->len == 0;
    if (out->empty)
        return;
    while ((at & IS_LEAF) == 0) {
        const Inner *node = node_at(map, at);
        guint side = bit_of(label, node->bit);
        out->steps[out->count].bit = node->bit;
        hash_of(map, node->children[1 - side], &out->steps[out->count].sibling);
        out->count++;
        at = node->children[side];
    }
    const Leaf *leaf = leaf_at(map, at);
    memcpy(out->label, leaf->label, MERKLE_LABEL_SIZE);
    out->value = leaf->value;
}

MerkleMapVerdict merkle_map_verify(const MerkleHash *root, const guint8 label[MERKLE_LABEL_SIZE],
                                   const MerkleMapProof *proof)
{
    MerkleHash hash;
    if (proof->empty) {
        hash_empty(&hash);
        return merkle_equal(&hash, root) ? MERKLE_MAP_ABSENT : MERKLE_MAP_FALSE;
    }
    hash_leaf(proof->label, &proof->value, &hash);
    for (guint i = proof->count; i > 0; i--) {
        guint bit = proof->steps[i - 1].bit;
        const MerkleHash *sibling = &proof->steps[i - 1].sibling;
        /* The way that the label itself takes, not that of the leaf which is shown. */
        gboolean one = bit_of(label, bit) == 1;
        hash_node(bit, one ? sibling : &hash, one ? &hash : sibling, &hash);
    }
    if (!merkle_equal(&hash, root))
        return MERKLE_MAP_FALSE;
    return memcmp(proof->label, label, MERKLE_LABEL_SIZE) == 0 ? MERKLE_MAP_PRESENT : MERKLE_MAP_ABSENT;
}

/* --- proofs as bytes --- */

GBytes *merkle_map_proof_write(const MerkleMapProof *proof)
{
    g_autoptr(GByteArray) out = g_byte_array_new();
    const guint8 kind = proof->empty ? 0 : 1;
    const guint8 count[2] = {(guint8)(proof->count >> 8), (guint8)proof->count};
    g_byte_array_append(out, &kind, 1);
    if (!proof->empty) {
        g_byte_array_append(out, proof->label, MERKLE_LABEL_SIZE);
        g_byte_array_append(out, proof->value.bytes, SHA256_SIZE);
        g_byte_array_append(out, count, sizeof count);
    }
    for (guint i = 0; i < proof->count; i++) {
        g_byte_array_append(out, &proof->steps[i].bit, 1);
        g_byte_array_append(out, proof->steps[i].sibling.bytes, SHA256_SIZE);
    }
    return g_byte_array_free_to_bytes(g_steal_pointer(&out));
}

static gboolean refuse(GError **error, const char *what)
{
    g_set_error(error, FUNDAMENT_ERROR, FUNDAMENT_ERROR_INVALID, "no proof of a map: %s", what);
    return FALSE;
}

gboolean merkle_map_proof_read(GBytes *bytes, MerkleMapProof *out, GError **error)
{
    const gsize head = 1 + MERKLE_LABEL_SIZE + SHA256_SIZE + 2;
    gsize size;
    const guint8 *data = g_bytes_get_data(bytes, &size);
    memset(out, 0, sizeof *out);
    out->empty = size == 1 && data[0] == 0;
    if (out->empty)
        return TRUE;
    if (size < head || data[0] != 1)
        return refuse(error, "it is cut off, or of another kind");
    memcpy(out->label, data + 1, MERKLE_LABEL_SIZE);
    memcpy(out->value.bytes, data + 1 + MERKLE_LABEL_SIZE, SHA256_SIZE);
    out->count = (guint)data[head - 2] << 8 | data[head - 1];
    if (out->count > MERKLE_LABEL_BITS || size != head + out->count * STEP_SIZE)
        return refuse(error, "its length is not that of its steps");
    for (guint i = 0; i < out->count; i++) {
        const guint8 *step = data + head + i * STEP_SIZE;
        out->steps[i].bit = step[0];
        memcpy(out->steps[i].sibling.bytes, step + 1, SHA256_SIZE);
        if (i > 0 && step[0] <= out->steps[i - 1].bit)
            return refuse(error, "its bits do not rise");
    }
    return TRUE;
}
