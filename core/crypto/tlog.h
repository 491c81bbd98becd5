/* Transparency logs as static files: checkpoints, tiles, entry bundles and portable proofs (C2SP
 * tlog-checkpoint, tlog-tiles, tlog-proof). Formats only; the tree is in merkle.h, signatures are in note.h.
 * Pure, thread safe. */
#pragma once

#include "core/crypto/merkle.h"

#define TLOG_TILE_HEIGHT 8   /* levels of the tree in a tile */
#define TLOG_TILE_WIDTH 256  /* hashes in a full tile, entries in a full bundle */
#define TLOG_ENTRY_MAX 65535 /* bytes */
#define TLOG_PATH_MAX 80     /* bytes of a path, with its NUL */
#define TLOG_SIZE_MAX ((guint64)G_MAXINT64)

/* --- checkpoints --- */

typedef struct {
    char *origin; /* the name of the log, like a URL without its scheme */
    guint64 size;
    MerkleHash root;
} Checkpoint;

void checkpoint_clear(Checkpoint *checkpoint);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Checkpoint, checkpoint_clear)

/* The text of the note: origin, size and root, a line each. Caller frees. */
char *checkpoint_format(const Checkpoint *checkpoint);
/* Of the text of a note. Further lines (extensions) are passed over; an empty one is not allowed.
 * FUNDAMENT_ERROR_INVALID. */
gboolean checkpoint_parse(const char *text, Checkpoint *out, GError **error);

/* --- paths --- */

/* "tile/0/x001/x234/067", or with ".p/112" when `width` < 256. `level` counts tiles: 0 are leaves. */
void tlog_tile_path(guint level, guint64 index, guint width, char out[TLOG_PATH_MAX]);
/* "tile/entries/x001/x234/067.p/112" */
void tlog_bundle_path(guint64 index, guint width, char out[TLOG_PATH_MAX]);

typedef struct {
    gboolean entries;
    guint level; /* of tiles, not of entries */
    guint64 index;
    guint width; /* 1 to 256 */
} TlogPath;

/* FALSE when it is none of the above, written in another way, or beyond 2^63 entries. */
gboolean tlog_path_parse(const char *path, TlogPath *out);

/* How wide the tile is in a log of `size` entries: 0 not there, up to 256. Level 0 also for bundles. */
guint tlog_width(guint level, guint64 index, guint64 size);

/* The hash of a perfect tree from the hashes of a tile: of 2^height leaves of the tile, the `index`th of that
 * height. The tile has at least those hashes. */
void tlog_tile_hash(const MerkleHash *tile, guint height, guint index, MerkleHash *out);

/* --- entry bundles --- */

/* Entries with their lengths (16 bits, big endian) before them. Returns the next entry and moves `*at`;
 * NULL with FUNDAMENT_ERROR_INVALID when it is cut off, NULL without an error at the end. */
const guint8 *tlog_bundle_next(const guint8 *bundle, gsize length, gsize *at, gsize *entry_length,
                               GError **error);

/* --- proofs --- */

typedef struct {
    GBytes *extra; /* what the one who made the log wants to say beside it; NULL: nothing */
    guint64 index;
    gsize count;
    MerkleHash hashes[MERKLE_PROOF_MAX];
    char *checkpoint; /* the whole signed note */
} TlogProof;

void tlog_proof_clear(TlogProof *proof);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(TlogProof, tlog_proof_clear)

/* c2sp.org/tlog-proof@v1 */
char *tlog_proof_format(const TlogProof *proof);
gboolean tlog_proof_parse(const char *data, gssize length, TlogProof *out, GError **error);
