#include "components/logboek/proof.h"

#include <string.h>

#include "components/logboek/wire.h"

#define COMMITMENT "fundament/logboek/commitment/1"
#define PERSON "fundament/logboek/person/1"

void proof_commit(guint8 kind, const guint8 *salt, const void *content, gsize length, MerkleHash *out)
{
    static const guint8 zeros[PROOF_SALT_SIZE];
    g_autoptr(GByteArray) input = g_byte_array_sized_new((guint)length + 64);
    g_byte_array_append(input, (const guint8 *)COMMITMENT, sizeof COMMITMENT - 1);
    g_byte_array_append(input, &kind, 1);
    g_byte_array_append(input, salt == NULL ? zeros : salt, PROOF_SALT_SIZE);
    if (length > 0)
        g_byte_array_append(input, content, (guint)length);
    sha256(input->data, input->len, out->bytes);
}

void proof_entry(guint8 kind, gint64 time_ms, const MerkleHash *commitment, guint8 out[PROOF_ENTRY_SIZE])
{
    guint64 time = GUINT64_TO_BE((guint64)time_ms);
    memset(out, 0, 4);
    out[0] = 1;
    out[1] = kind;
    memcpy(out + 4, &time, sizeof time);
    memcpy(out + 12, commitment->bytes, SHA256_SIZE);
}

void proof_leaf(guint8 kind, gint64 time_ms, const MerkleHash *commitment, MerkleHash *out)
{
    guint8 entry[PROOF_ENTRY_SIZE];
    proof_entry(kind, time_ms, commitment, entry);
    merkle_leaf(entry, sizeof entry, out);
}

const char *proof_list_name(ProofList list)
{
    static const char *const names[PROOF_LIST_COUNT] = {"open", "restricted"};
    return names[list];
}

GBytes *proof_label_input(const char *subject_type, const char *subject, ProofList list)
{
    g_autoptr(GByteArray) input = g_byte_array_new();
    g_byte_array_append(input, (const guint8 *)subject_type, (guint)strlen(subject_type) + 1);
    g_byte_array_append(input, (const guint8 *)subject, (guint)strlen(subject) + 1);
    g_byte_array_append(input, (const guint8 *)proof_list_name(list), (guint)strlen(proof_list_name(list)));
    return g_byte_array_free_to_bytes(g_steal_pointer(&input));
}

void proof_person_leaf(guint64 number, guint8 kind, gint64 time_ms, const MerkleHash *commitment,
                       MerkleHash *out)
{
    guint8 leaf[8 + PROOF_ENTRY_SIZE];
    guint64 bytes = GUINT64_TO_BE(number);
    memcpy(leaf, &bytes, sizeof bytes);
    proof_entry(kind, time_ms, commitment, leaf + 8);
    merkle_leaf(leaf, sizeof leaf, out);
}

void proof_person_value(guint64 count, const MerkleHash *root, MerkleHash *out)
{
    guint8 input[sizeof PERSON - 1 + 8 + SHA256_SIZE];
    guint64 bytes = GUINT64_TO_BE(count);
    memcpy(input, PERSON, sizeof PERSON - 1);
    memcpy(input + sizeof PERSON - 1, &bytes, sizeof bytes);
    memcpy(input + sizeof PERSON - 1 + 8, root->bytes, SHA256_SIZE);
    sha256(input, sizeof input, out->bytes);
}
