/* The published side of one log: tiles, bundles of entries and checkpoints as files that any static host can
 * serve (C2SP tlog-tiles). It holds no truth of its own: all of it follows from the journal, so files need
 * not be on disk before anybody is answered.
 *
 * <folder>/checkpoint                  the newest signed state
 *          tile/<level>/<index>[.p/W]  hashes
 *          tile/entries/<index>[.p/W]  entries
 *          synced                      a signed state of which all files are surely on disk: where a restart
 * begins
 *
 * One thread appends and publishes; reading for proofs may be done by any. */
#pragma once

#include "components/logboek/proof.h"
#include "core/crypto/note.h"
#include "core/crypto/tlog.h"

typedef struct tree Tree;

/* Made when it is missing. What it has is believed as far as its `synced` state is signed by `signer` and its
 * hashes lead to that root; else it begins at 0, which means that everything has to be appended again.
 * FUNDAMENT_ERROR_IO when the folder cannot be used. `signer` is borrowed, its name is the origin. */
Tree *tree_open(const char *folder, const NoteSigner *signer, GError **error);
void tree_close(Tree *tree);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Tree, tree_close)

/* How many entries it has: the number of the next one. */
guint64 tree_size(Tree *tree);
/* How many of them the newest checkpoint covers. */
guint64 tree_published(Tree *tree);

/* FUNDAMENT_ERROR_IO when a full tile cannot be written: the entry is then not appended, and is to be given
 * again. */
gboolean tree_append(Tree *tree, const guint8 entry[PROOF_ENTRY_SIZE], GError **error);

/* Writes what is not written yet and signs a checkpoint, when there is something new. After a restart only
 * when the tree is as large again as the last checkpoint was: who has seen that must not see a smaller one.
 */
gboolean tree_publish(Tree *tree, GError **error);

/* The newest checkpoint with the cosignatures that came for it; NULL before the first. Caller frees. */
char *tree_checkpoint(Tree *tree);
/* Adds lines of cosignatures to the newest checkpoint, when it still is that of this size; each line once. */
gboolean tree_cosigned(Tree *tree, guint64 size, const char *lines, GError **error);

/* Syncs all files to disk and notes it, so that the journal may drop what is older and a restart is quick. */
gboolean tree_sync(Tree *tree, GError **error);

/* The hash of a perfect subtree among what is published; a MerkleRead, data is the Tree. */
gboolean tree_read(gpointer tree, guint level, guint64 index, MerkleHash *out, GError **error);

/* Proofs in the tree of the first `size` entries, which are published. */
gboolean tree_prove_inclusion(Tree *tree, guint64 number, guint64 size, MerkleHash *proof, gsize *count,
                              GError **error);
gboolean tree_prove_consistency(Tree *tree, guint64 old_size, guint64 size, MerkleHash *proof, gsize *count,
                                GError **error);
