#include "components/logboek/tiles.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

#include "core/base/error.h"

#define LEVELS 8 /* of tiles: 256^8 entries */
#define CHECKPOINT "checkpoint"
#define SYNCED "synced"
#define ENTRY_FRAME (2 + PROOF_ENTRY_SIZE) /* in a bundle: its length, and the entry */

/* The tile of a level that is not full yet. */
typedef struct {
    MerkleHash hashes[TLOG_TILE_WIDTH];
    guint count;
    guint written; /* how wide the newest file of it is */
    guint64 index;
} Edge;

struct tiles {
    char *folder;
    const NoteSigner *signer;
    GRWLock lock; /* what follows: written by the one thread, read by many */
    MerkleEdge edge;
    Edge levels[LEVELS];
    guint8 bundle[TLOG_TILE_WIDTH * ENTRY_FRAME]; /* of the entries of levels[0] */
    guint64 published;
    guint64 floor;    /* what was published before the restart: no smaller checkpoint may follow it */
    char *checkpoint; /* NULL: none */
};

/* --- files --- */

static gboolean io_failed(GError **error, const char *path, const char *what)
{
    int number = errno;
    g_set_error(error, FUNDAMENT_ERROR, FUNDAMENT_ERROR_IO, "%s: %s: %s", path, what, g_strerror(number));
    return FALSE;
}

static char *path_in(const Tiles *tiles, const char *name)
{
    return g_build_filename(tiles->folder, name, NULL);
}

static gboolean write_bytes(int fd, const guint8 *data, gsize length)
{
    while (length > 0) {
        ssize_t n = write(fd, data, length);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return FALSE;
        data += n;
        length -= (gsize)n;
    }
    return TRUE;
}

static int create(const char *path)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    if (fd >= 0 || errno != ENOENT)
        return fd;
    g_autofree char *folder = g_path_get_dirname(path);
    return g_mkdir_with_parents(folder, 0755) == 0
               ? open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644)
               : -1;
}

/* Whoever reads the name gets all of it or nothing. */
static gboolean put_file(const Tiles *tiles, const char *name, const void *data, gsize length, GError **error)
{
    g_autofree char *path = path_in(tiles, name);
    g_autofree char *making = g_strconcat(path, ".making", NULL);
    int fd = create(making);
    gboolean done = fd >= 0 && write_bytes(fd, data, length);
    if (fd >= 0 && close(fd) != 0)
        done = FALSE;
    if (done && g_rename(making, path) == 0)
        return TRUE;
    io_failed(error, path, "cannot be written");
    (void)g_unlink(making);
    return FALSE;
}

/* The narrower files of a tile that is full now are not needed by anybody who has a newer checkpoint. */
static void remove_partial(const Tiles *tiles, const char *name)
{
    g_autofree char *path = path_in(tiles, name);
    g_autofree char *folder = g_strconcat(path, ".p", NULL);
    g_autoptr(GDir) entries = g_dir_open(folder, 0, NULL);
    const char *entry;
    while (entries != NULL && (entry = g_dir_read_name(entries)) != NULL) {
        g_autofree char *old = g_build_filename(folder, entry, NULL);
        (void)g_unlink(old);
    }
    (void)g_rmdir(folder);
}

/* One tile as wide as it is now; of level 0 the entries too. */
static gboolean write_tile(Tiles *tiles, guint level, GError **error)
{
    Edge *edge = &tiles->levels[level];
    char name[TLOG_PATH_MAX], bundle[TLOG_PATH_MAX];
    if (edge->count == edge->written)
        return TRUE;
    tlog_tile_path(level, edge->index, edge->count, name);
    tlog_bundle_path(edge->index, edge->count, bundle);
    if (!put_file(tiles, name, edge->hashes, edge->count * sizeof(MerkleHash), error) ||
        (level == 0 && !put_file(tiles, bundle, tiles->bundle, edge->count * ENTRY_FRAME, error)))
        return FALSE;
    edge->written = edge->count;
    if (edge->count == TLOG_TILE_WIDTH) {
        remove_partial(tiles, name);
        if (level == 0)
            remove_partial(tiles, bundle);
    }
    return TRUE;
}

static void next_tile(Edge *edge)
{
    edge->count = edge->written = 0;
    edge->index++;
}

/* --- reading hashes --- */

static gboolean read_hash(const Tiles *tiles, guint level, guint64 index, guint at, guint width,
                          MerkleHash *out, gsize count, GError **error)
{
    char name[TLOG_PATH_MAX];
    tlog_tile_path(level, index, width, name);
    g_autofree char *path = path_in(tiles, name);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return io_failed(error, path, "cannot be opened");
    gssize wanted = (gssize)(count * sizeof(MerkleHash));
    gssize n = pread(fd, out, (gsize)wanted, (off_t)(at * sizeof(MerkleHash)));
    (void)close(fd);
    if (n == wanted)
        return TRUE;
    g_set_error(error, FUNDAMENT_ERROR, FUNDAMENT_ERROR_IO, "%s: is shorter than it has to be", path);
    return FALSE;
}

/* `count` hashes of a tile from `at` on: from memory when it is not full, else from its file. */
static gboolean tile_hashes(const Tiles *tiles, guint level, guint64 index, guint at, gsize count,
                            MerkleHash *out, GError **error)
{
    const Edge *edge = &tiles->levels[level];
    if (index != edge->index)
        return read_hash(tiles, level, index, at, TLOG_TILE_WIDTH, out, count, error);
    if (at + count > edge->count) {
        g_set_error(error, FUNDAMENT_ERROR, FUNDAMENT_ERROR_NOT_FOUND, "the tree is not that far yet");
        return FALSE;
    }
    memcpy(out, &edge->hashes[at], count * sizeof *out);
    return TRUE;
}

/* Under the lock. */
static gboolean subtree_hash(const Tiles *tiles, guint level, guint64 index, MerkleHash *out, GError **error)
{
    MerkleHash hashes[TLOG_TILE_WIDTH];
    guint tile_level = level / TLOG_TILE_HEIGHT, height = level % TLOG_TILE_HEIGHT;
    guint width = 1U << height; /* hashes of the tile that are below it */
    guint64 first = index << height;
    if (tile_level >= LEVELS) {
        g_set_error(error, FUNDAMENT_ERROR, FUNDAMENT_ERROR_INVALID, "there is no level %u", level);
        return FALSE;
    }
    if (!tile_hashes(tiles, tile_level, first / TLOG_TILE_WIDTH, (guint)(first % TLOG_TILE_WIDTH), width,
                     hashes, error))
        return FALSE;
    tlog_tile_hash(hashes, height, 0, out);
    return TRUE;
}

gboolean tiles_read(gpointer data, guint level, guint64 index, MerkleHash *out, GError **error)
{
    Tiles *tiles = data;
    g_rw_lock_reader_lock(&tiles->lock);
    gboolean read = subtree_hash(tiles, level, index, out, error);
    g_rw_lock_reader_unlock(&tiles->lock);
    return read;
}

static gboolean is_published(Tiles *tiles, guint64 size, GError **error)
{
    guint64 published = tiles_published(tiles);
    if (size <= published)
        return TRUE;
    g_set_error(error, FUNDAMENT_ERROR, FUNDAMENT_ERROR_INVALID,
                "%" G_GUINT64_FORMAT " entries are published, not %" G_GUINT64_FORMAT, published, size);
    return FALSE;
}

gboolean tiles_prove_inclusion(Tiles *tiles, guint64 number, guint64 size, MerkleHash *proof, gsize *count,
                               GError **error)
{
    return is_published(tiles, size, error) &&
           merkle_prove_inclusion(number, size, tiles_read, tiles, proof, count, error);
}

gboolean tiles_prove_consistency(Tiles *tiles, guint64 old_size, guint64 size, MerkleHash *proof,
                                 gsize *count, GError **error)
{
    return is_published(tiles, size, error) &&
           merkle_prove_consistency(old_size, size, tiles_read, tiles, proof, count, error);
}

/* --- growing --- */

static void keep_hash(gpointer data, guint level, guint64 index, const MerkleHash *hash)
{
    Tiles *tiles = data;
    (void)index;
    if (level % TLOG_TILE_HEIGHT != 0 || level / TLOG_TILE_HEIGHT >= LEVELS)
        return;
    Edge *edge = &tiles->levels[level / TLOG_TILE_HEIGHT];
    edge->hashes[edge->count++] = *hash;
}

/* Full tiles go to disk before the next hash of their level comes: there is no room for it. */
static gboolean make_room(Tiles *tiles, GError **error)
{
    for (guint level = 0; level < LEVELS; level++) {
        if (tiles->levels[level].count < TLOG_TILE_WIDTH)
            continue;
        if (!write_tile(tiles, level, error))
            return FALSE;
        next_tile(&tiles->levels[level]);
    }
    return TRUE;
}

gboolean tiles_append(Tiles *tiles, const guint8 entry[PROOF_ENTRY_SIZE], GError **error)
{
    MerkleHash leaf;
    g_rw_lock_writer_lock(&tiles->lock);
    gboolean room = make_room(tiles, error);
    if (room) {
        guint8 *frame = tiles->bundle + tiles->levels[0].count * ENTRY_FRAME;
        frame[0] = 0;
        frame[1] = PROOF_ENTRY_SIZE;
        memcpy(frame + 2, entry, PROOF_ENTRY_SIZE);
        merkle_leaf(entry, PROOF_ENTRY_SIZE, &leaf);
        merkle_edge_add(&tiles->edge, &leaf, keep_hash, tiles);
    }
    g_rw_lock_writer_unlock(&tiles->lock);
    return room;
}

static char *signed_state(const Tiles *tiles)
{
    Checkpoint checkpoint = {
        (char *)note_verifier_name(note_signer_verifier(tiles->signer)), tiles->edge.size, {{0}}};
    merkle_edge_root(&tiles->edge, &checkpoint.root);
    g_autofree char *text = checkpoint_format(&checkpoint);
    g_autofree char *signature = note_sign(tiles->signer, text, 0);
    return g_strconcat(text, "\n", signature, NULL);
}

/* Under the lock. */
static gboolean put_checkpoint(Tiles *tiles, char *checkpoint, GError **error)
{
    if (!put_file(tiles, CHECKPOINT, checkpoint, strlen(checkpoint), error)) {
        g_free(checkpoint);
        return FALSE;
    }
    g_free(tiles->checkpoint);
    tiles->checkpoint = checkpoint;
    return TRUE;
}

gboolean tiles_publish(Tiles *tiles, GError **error)
{
    gboolean done = TRUE;
    g_rw_lock_writer_lock(&tiles->lock);
    if (tiles->edge.size >= tiles->floor &&
        (tiles->edge.size > tiles->published || tiles->checkpoint == NULL)) {
        for (guint level = 0; done && level < LEVELS; level++)
            done = write_tile(tiles, level, error);
        done = done && put_checkpoint(tiles, signed_state(tiles), error);
        if (done)
            tiles->published = tiles->edge.size;
    }
    g_rw_lock_writer_unlock(&tiles->lock);
    return done;
}

guint64 tiles_size(Tiles *tiles)
{
    g_rw_lock_reader_lock(&tiles->lock);
    guint64 size = tiles->edge.size;
    g_rw_lock_reader_unlock(&tiles->lock);
    return size;
}

guint64 tiles_published(Tiles *tiles)
{
    g_rw_lock_reader_lock(&tiles->lock);
    guint64 size = tiles->published;
    g_rw_lock_reader_unlock(&tiles->lock);
    return size;
}

char *tiles_checkpoint(Tiles *tiles)
{
    g_rw_lock_reader_lock(&tiles->lock);
    char *checkpoint = g_strdup(tiles->checkpoint);
    g_rw_lock_reader_unlock(&tiles->lock);
    return checkpoint;
}

gboolean tiles_cosigned(Tiles *tiles, guint64 size, const char *lines, GError **error)
{
    gboolean done = TRUE;
    g_rw_lock_writer_lock(&tiles->lock);
    if (size == tiles->published && tiles->checkpoint != NULL) {
        g_auto(GStrv) split = g_strsplit(lines, "\n", -1);
        g_autoptr(GString) checkpoint = g_string_new(tiles->checkpoint);
        for (char **line = split; *line != NULL; line++)
            if (**line != '\0' && strstr(checkpoint->str, *line) == NULL)
                g_string_append_printf(checkpoint, "%s\n", *line);
        if (checkpoint->len > strlen(tiles->checkpoint))
            done = put_checkpoint(tiles, g_string_free(g_steal_pointer(&checkpoint), FALSE), error);
    }
    g_rw_lock_writer_unlock(&tiles->lock);
    return done;
}

gboolean tiles_sync(Tiles *tiles, GError **error)
{
    g_rw_lock_reader_lock(&tiles->lock);
    g_autofree char *state = g_strdup(tiles->checkpoint);
    g_rw_lock_reader_unlock(&tiles->lock);
    if (state == NULL)
        return TRUE;
    int fd = open(tiles->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    gboolean done = fd >= 0 && syncfs(fd) == 0; /* thousands of small files at once */
    if (!done)
        io_failed(error, tiles->folder, "cannot be synced");
    if (fd >= 0)
        (void)close(fd);
    return done && put_file(tiles, SYNCED, state, strlen(state), error);
}

/* --- opening --- */

/* A state that we signed ourselves, from a file; FALSE when there is none. */
static gboolean own_state(const Tiles *tiles, const char *name, Checkpoint *out, char **text)
{
    g_autofree char *path = path_in(tiles, name), *content = NULL;
    gsize length;
    if (!g_file_get_contents(path, &content, &length, NULL))
        return FALSE;
    g_autoptr(Note) note = note_parse(content, (gssize)length, NULL);
    const NoteVerifier *own = note_signer_verifier(tiles->signer);
    if (note == NULL || !note_verified_by(note, own, NULL) || !checkpoint_parse(note_text(note), out, NULL))
        return FALSE;
    if (strcmp(out->origin, note_verifier_name(own)) != 0) {
        checkpoint_clear(out);
        return FALSE;
    }
    *text = g_steal_pointer(&content);
    return TRUE;
}

/* The first entries of the bundle at the edge, from a file of this width. */
static gboolean read_bundle(Tiles *tiles, guint width)
{
    char name[TLOG_PATH_MAX];
    gsize length, wanted = tiles->levels[0].count * ENTRY_FRAME;
    tlog_bundle_path(tiles->levels[0].index, width, name);
    g_autofree char *path = path_in(tiles, name), *content = NULL;
    if (!g_file_get_contents(path, &content, &length, NULL) || length < wanted ||
        length != width * ENTRY_FRAME)
        return FALSE;
    memcpy(tiles->bundle, content, wanted);
    return TRUE;
}

/* The tiles that are not full in a tree of this size. */
static gboolean read_levels(Tiles *tiles, guint64 size)
{
    for (guint level = 0; level < LEVELS; level++) {
        Edge *edge = &tiles->levels[level];
        edge->index = (size >> (TLOG_TILE_HEIGHT * level)) / TLOG_TILE_WIDTH;
        edge->count = edge->written = tlog_width(level, edge->index, size);
        /* A tile that was filled after that has taken the place of its narrower files. */
        if (edge->count > 0 &&
            !read_hash(tiles, level, edge->index, 0, edge->count, edge->hashes, edge->count, NULL) &&
            !read_hash(tiles, level, edge->index, 0, TLOG_TILE_WIDTH, edge->hashes, edge->count, NULL))
            return FALSE;
    }
    return tiles->levels[0].count == 0 || read_bundle(tiles, tiles->levels[0].count) ||
           read_bundle(tiles, TLOG_TILE_WIDTH);
}

/* The peaks of a tree of this size, the largest first. */
static gboolean read_edge(Tiles *tiles, guint64 size)
{
    guint64 start = 0;
    guint peaks = 0;
    for (guint level = 63; level < 64; level--) {
        if ((size >> level & 1) == 0)
            continue;
        if (!subtree_hash(tiles, level, start >> level, &tiles->edge.peaks[peaks++], NULL))
            return FALSE;
        start += G_GUINT64_CONSTANT(1) << level;
    }
    tiles->edge.size = size;
    return TRUE;
}

static void begin_anew(Tiles *tiles)
{
    memset(&tiles->edge, 0, sizeof tiles->edge);
    memset(tiles->levels, 0, sizeof tiles->levels);
}

static void load_floor(Tiles *tiles)
{
    g_auto(Checkpoint) state = {0};
    g_autofree char *text = NULL;
    if (own_state(tiles, CHECKPOINT, &state, &text))
        tiles->floor = state.size;
}

static void load(Tiles *tiles)
{
    g_auto(Checkpoint) state = {0};
    g_autofree char *text = NULL;
    MerkleHash root;
    if (!own_state(tiles, SYNCED, &state, &text))
        return;
    if (read_levels(tiles, state.size) && read_edge(tiles, state.size)) {
        merkle_edge_root(&tiles->edge, &root);
        if (merkle_equal(&root, &state.root)) {
            tiles->published = state.size;
            tiles->checkpoint = g_steal_pointer(&text);
            return;
        }
    }
    g_warning("logboek: the tiles in %s are damaged and are made anew from the journal", tiles->folder);
    begin_anew(tiles);
}

Tiles *tiles_open(const char *folder, const NoteSigner *signer, GError **error)
{
    if (g_mkdir_with_parents(folder, 0755) != 0)
        return io_failed(error, folder, "cannot be made"), NULL;
    Tiles *tiles = g_new0(Tiles, 1);
    tiles->folder = g_strdup(folder);
    tiles->signer = signer;
    g_rw_lock_init(&tiles->lock);
    load_floor(tiles);
    load(tiles);
    return tiles;
}

void tiles_close(Tiles *tiles)
{
    if (tiles == NULL)
        return;
    g_rw_lock_clear(&tiles->lock);
    g_free(tiles->checkpoint);
    g_free(tiles->folder);
    g_free(tiles);
}
