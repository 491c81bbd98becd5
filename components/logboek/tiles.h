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

typedef struct tiles Tiles;

/* Made when it is missing. What it has is believed as far as its `synced` state is signed by `signer` and its
 * hashes lead to that root; else it begins at 0, which means that everything has to be appended again.
 * FUNDAMENT_ERROR_IO when the folder cannot be used. `signer` is borrowed, its name is the origin. */
Tiles *tiles_open(const char *folder, const NoteSigner *signer, GError **error);
void tiles_close(Tiles *tiles);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Tiles, tiles_close)

/* How many entries it has: the number of the next one. */
guint64 tiles_size(Tiles *tiles);
/* How many of them the newest checkpoint covers. */
guint64 tiles_published(Tiles *tiles);

/* FUNDAMENT_ERROR_IO when a full tile cannot be written: the entry is then not appended, and is to be given
 * again. */
gboolean tiles_append(Tiles *tiles, const guint8 entry[PROOF_ENTRY_SIZE], GError **error);

/* Writes what is not written yet and signs a checkpoint, when there is something new. After a restart only
 * when the tree is as large again as the last checkpoint was: who has seen that must not see a smaller one.
 */
gboolean tiles_publish(Tiles *tiles, GError **error);

/* The newest checkpoint with the cosignatures that came for it; NULL before the first. Caller frees. */
char *tiles_checkpoint(Tiles *tiles);
/* Adds lines of cosignatures to the newest checkpoint, when it still is that of this size; each line once. */
gboolean tiles_cosigned(Tiles *tiles, guint64 size, const char *lines, GError **error);

/* Syncs all files to disk and notes it, so that the journal may drop what is older and a restart is quick. */
gboolean tiles_sync(Tiles *tiles, GError **error);

/* The hash of a perfect subtree among what is published; a MerkleRead, data is the Tiles. */
gboolean tiles_read(gpointer tiles, guint level, guint64 index, MerkleHash *out, GError **error);

/* Proofs in the tree of the first `size` entries, which are published. */
gboolean tiles_prove_inclusion(Tiles *tiles, guint64 number, guint64 size, MerkleHash *proof, gsize *count,
                               GError **error);
gboolean tiles_prove_consistency(Tiles *tiles, guint64 old_size, guint64 size, MerkleHash *proof,
                                 gsize *count, GError **error);
