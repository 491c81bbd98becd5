/* What the log proves things with: commitments, entries of the tree, labels and values of the map of persons.
 * Pure. docs/decisions/0005-a-log-that-proves-it-is-whole.md is the design. */
#pragma once

#include "core/crypto/merkle.h"
#include "core/crypto/merkle_map.h"
#include "core/crypto/vrf.h"

#define PROOF_SALT_SIZE 16
#define PROOF_ENTRY_SIZE 44

/* The kinds of entries are those of the journal (journal_kinds.h), and these, whose content is public. */
enum proof_kind {
    PROOF_RECORD = 1,
    PROOF_START = 16, /* the first entry of a log: its origin and the key of its labels */
    PROOF_EPOCH = 17  /* the root of the map of persons */
};

/* C = SHA-256("fundament/logboek/commitment/1" | kind | salt | content). `salt` NULL: sixteen zeros. */
void proof_commit(guint8 kind, const guint8 *salt, const void *content, gsize length, MerkleHash *out);

/* u8 1 | kind | u16 0 | i64 time in ms | C, big endian: what a leaf of the tree is made of. */
void proof_entry(guint8 kind, gint64 time_ms, const MerkleHash *commitment, guint8 out[PROOF_ENTRY_SIZE]);
void proof_leaf(guint8 kind, gint64 time_ms, const MerkleHash *commitment, MerkleHash *out);

typedef enum { PROOF_OPEN, PROOF_RESTRICTED, PROOF_LIST_COUNT } ProofList;

const char *proof_list_name(ProofList list); /* "open", "restricted" */

/* What the VRF is asked for: type | 0 | subject | 0 | list. Caller frees. */
GBytes *proof_label_input(const char *subject_type, const char *subject, ProofList list);

/* A leaf of the tree of one person: H(0x00 | u64 number of the entry | the entry). */
void proof_person_leaf(guint64 number, guint8 kind, gint64 time_ms, const MerkleHash *commitment,
                       MerkleHash *out);
/* The value in the map: SHA-256("fundament/logboek/person/1" | u64 count | root). */
void proof_person_value(guint64 count, const MerkleHash *root, MerkleHash *out);
