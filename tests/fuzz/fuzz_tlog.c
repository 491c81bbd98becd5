/* What the logs and witnesses of others hand us: notes, checkpoints, proofs, keys, paths, bundles. What is
 * taken is written back the same. */
#include <stdint.h>
#include <string.h>

#include "core/crypto/note.h"
#include "core/crypto/tlog.h"
#include "core/crypto/tlog_policy.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void as_note(const char *text)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(Note) note = note_parse(text, -1, &error);
    g_auto(Checkpoint) checkpoint = {0};
    g_assert_true((note == NULL) == (error != NULL));
    if (note == NULL)
        return;
    g_autofree char *again = g_strconcat(note_text(note), "\n", note_signatures(note), NULL);
    g_assert_cmpstr(again, ==, text);
    if (checkpoint_parse(note_text(note), &checkpoint, NULL)) {
        g_autofree char *formatted = checkpoint_format(&checkpoint);
        g_assert_true(g_str_has_prefix(note_text(note), formatted));
    }
}

static void as_proof(const char *text)
{
    g_auto(TlogProof) proof = {0};
    g_autoptr(GError) error = NULL;
    if (!tlog_proof_parse(text, -1, &proof, &error)) {
        g_assert_nonnull(error);
        return;
    }
    g_autofree char *again = tlog_proof_format(&proof);
    g_assert_cmpstr(again, ==, text);
}

static void as_key_and_path(const char *text)
{
    TlogPath path;
    g_autoptr(NoteVerifier) verifier = note_verifier_parse(text, NULL);
    if (verifier != NULL)
        g_assert_cmpstr(note_verifier_text(verifier), ==, text);
    if (tlog_path_parse(text, &path)) {
        char again[TLOG_PATH_MAX];
        if (path.entries)
            tlog_bundle_path(path.index, path.width, again);
        else
            tlog_tile_path(path.level, path.index, path.width, again);
        g_assert_cmpstr(again, ==, text);
    }
}

static void as_policy(const char *text)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(TlogPolicy) policy = tlog_policy_parse(text, -1, &error);
    g_assert_true((policy == NULL) == (error != NULL));
    for (guint i = 0; policy != NULL && i < tlog_policy_witnesses(policy); i++)
        g_assert_nonnull(tlog_policy_witness(policy, i).name);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    g_autofree char *text = g_strndup((const char *)data, size);
    gsize at = 0, length;
    as_note(text);
    as_proof(text);
    as_key_and_path(text);
    as_policy(text);
    while (tlog_bundle_next(data, size, &at, &length, NULL) != NULL)
        g_assert_true(at <= size);
    return 0;
}
