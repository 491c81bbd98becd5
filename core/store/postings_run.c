#include "core/store/postings_run.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/base/error.h"
#include "core/store/crc32c.h"
#include "core/store/little_endian.h"

#define VERSION 1
#define HEADER_SIZE 128
#define BLOCK_TARGET 4096
#define BLOCK_HEAD 8 /* u32 CRC of what follows it, u32 length of the groups */
#define BLOCK_MAX 65536
#define GROUP_MAX 512 /* sequences of one key before its next group */
#define KEY_BYTES 16
#define FENCE_SIZE (KEY_BYTES + 8 + 4)
#define FILTER_PIECE 64 /* u32 CRC, 480 bits */
#define FILTER_BITS 480
#define FILTER_BITS_A_KEY 12
#define FILTER_PROBES 6
#define BUFFER_SIZE ((gsize)1024 * 1024)

static const guint8 magic[8] = {'F', 'N', 'D', 'P', 'O', 'S', 'T', '1'};

/* Where the fields of the header are. */
enum {
    AT_MAGIC = 0,
    AT_VERSION = 8,
    AT_FIRST = 16,
    AT_LAST = 24,
    AT_ENTRIES = 32,
    AT_KEYS = 40,
    AT_FENCES = 48,
    AT_FENCE_COUNT = 56,
    AT_FILTER = 64,
    AT_FILTER_PIECES = 72,
    AT_FENCES_CRC = 80,
    AT_HEADER_CRC = 124
};

static gboolean io_failed(GError **error, const char *path, const char *what)
{
    int number = errno;
    g_set_error(error, FUNDAMENT_ERROR, FUNDAMENT_ERROR_IO, "%s: %s: %s", path, what, g_strerror(number));
    return FALSE;
}

static gboolean damaged(GError **error, const char *path, const char *what)
{
    g_set_error(error, FUNDAMENT_ERROR, FUNDAMENT_ERROR_IO,
                "%s: %s; remove the file and have the index made anew from the journal", path, what);
    return FALSE;
}

/* --- the filter --- */

/* The piece of a key, and the bits in it: keys are digests, so their own bytes serve. */
static guint64 filter_piece(const PostingsKey *key, guint64 pieces)
{
    return (guint64)(((unsigned __int128)get64(key->bytes) * pieces) >> 64);
}

static guint filter_bit(const PostingsKey *key, guint probe)
{
    guint64 spread = get64(key->bytes + 8);
    return (guint)(((spread >> 32) + probe * (guint64)((guint32)spread | 1)) % FILTER_BITS);
}

static void filter_set(guint8 *filter, guint64 pieces, const PostingsKey *key)
{
    guint8 *piece = filter + filter_piece(key, pieces) * FILTER_PIECE;
    for (guint i = 0; i < FILTER_PROBES; i++) {
        guint bit = filter_bit(key, i);
        piece[4 + bit / 8] |= (guint8)(1 << bit % 8);
    }
}

static gboolean filter_has(const guint8 *piece, const PostingsKey *key)
{
    for (guint i = 0; i < FILTER_PROBES; i++) {
        guint bit = filter_bit(key, i);
        if ((piece[4 + bit / 8] >> bit % 8 & 1) == 0)
            return FALSE;
    }
    return TRUE;
}

/* --- numbers of variable length --- */

static void put_number(GByteArray *out, guint64 value)
{
    guint8 bytes[10];
    guint n = 0;
    for (; value >= 0x80; value >>= 7)
        bytes[n++] = (guint8)(value | 0x80);
    bytes[n++] = (guint8)value;
    g_byte_array_append(out, bytes, n);
}

/* FALSE when it is cut off or too long. */
static gboolean get_number(const guint8 **at, const guint8 *end, guint64 *value)
{
    *value = 0;
    for (guint shift = 0; shift < 64 && *at < end; shift += 7) {
        guint8 byte = *(*at)++;
        *value |= (guint64)(byte & 0x7f) << shift;
        if ((byte & 0x80) == 0)
            return TRUE;
    }
    return FALSE;
}

/* --- writing --- */

struct run_writer {
    char *path, *making;
    FILE *file;
    guint64 offset, entries, keys;
    GByteArray *block; /* with room for its head */
    GByteArray *fences;
    PostingsKey key;    /* of the group in the making */
    GArray *group;      /* of guint64 */
    gboolean key_begun; /* `key` has been counted */
    guint8 *filter;
    guint64 pieces;
};

RunWriter *run_writer_new(const char *path, guint64 keys, GError **error)
{
    g_autoptr(RunWriter) writer = g_new0(RunWriter, 1);
    writer->path = g_strdup(path);
    writer->making = g_strconcat(path, ".making", NULL);
    writer->block = g_byte_array_new();
    writer->fences = g_byte_array_new();
    writer->group = g_array_new(FALSE, FALSE, sizeof(guint64));
    writer->pieces = keys * FILTER_BITS_A_KEY / FILTER_BITS + 1;
    writer->filter = g_malloc0(writer->pieces * FILTER_PIECE);
    writer->offset = HEADER_SIZE;
    writer->file = fopen(writer->making, "we");
    static const guint8 zeros[HEADER_SIZE];
    if (writer->file == NULL || setvbuf(writer->file, NULL, _IOFBF, BUFFER_SIZE) != 0 ||
        fwrite(zeros, sizeof zeros, 1, writer->file) != 1)
        return io_failed(error, writer->making, "cannot be written"), NULL;
    return g_steal_pointer(&writer);
}

void run_writer_free(RunWriter *writer)
{
    if (writer == NULL)
        return;
    if (writer->file != NULL) {
        (void)fclose(writer->file);
        (void)unlink(writer->making);
    }
    g_byte_array_unref(writer->block);
    g_byte_array_unref(writer->fences);
    g_array_unref(writer->group);
    g_free(writer->filter);
    g_free(writer->path);
    g_free(writer->making);
    g_free(writer);
}

static gboolean write_all(RunWriter *writer, const void *data, gsize length, GError **error)
{
    if (length > 0 && fwrite(data, length, 1, writer->file) != 1)
        return io_failed(error, writer->making, "cannot be written");
    writer->offset += length;
    return TRUE;
}

static gboolean finish_block(RunWriter *writer, GError **error)
{
    guint8 end[FENCE_SIZE - KEY_BYTES];
    if (writer->block->len == 0)
        return TRUE;
    put32(writer->block->data + 4, writer->block->len - BLOCK_HEAD);
    put32(writer->block->data, crc32c(writer->block->data + 4, writer->block->len - 4));
    put64(end, writer->offset);
    put32(end + 8, writer->block->len);
    g_byte_array_append(writer->fences, end, sizeof end);
    if (!write_all(writer, writer->block->data, writer->block->len, error))
        return FALSE;
    g_byte_array_set_size(writer->block, 0);
    return TRUE;
}

/* A group: the key, how many, the first sequence, then what each is more than the one before. */
static gboolean finish_group(RunWriter *writer, GError **error)
{
    static const guint8 head[BLOCK_HEAD];
    guint64 before = 0;
    if (writer->group->len == 0)
        return TRUE;
    if (writer->block->len == 0) {
        g_byte_array_append(writer->block, head, sizeof head);
        g_byte_array_append(writer->fences, writer->key.bytes, KEY_BYTES);
    }
    g_byte_array_append(writer->block, writer->key.bytes, KEY_BYTES);
    put_number(writer->block, writer->group->len);
    for (guint i = 0; i < writer->group->len; i++) {
        guint64 sequence = g_array_index(writer->group, guint64, i);
        put_number(writer->block, sequence - before);
        before = sequence;
    }
    writer->entries += writer->group->len;
    g_array_set_size(writer->group, 0);
    return writer->block->len < BLOCK_TARGET || finish_block(writer, error);
}

gboolean run_writer_add(RunWriter *writer, const PostingsKey *key, guint64 sequence, GError **error)
{
    gboolean same = writer->key_begun && memcmp(writer->key.bytes, key->bytes, KEY_BYTES) == 0;
    if ((!same || writer->group->len == GROUP_MAX) && !finish_group(writer, error))
        return FALSE;
    if (!same) {
        writer->key = *key;
        writer->key_begun = TRUE;
        writer->keys++;
        filter_set(writer->filter, writer->pieces, key);
    }
    g_array_append_val(writer->group, sequence);
    return TRUE;
}

static gboolean write_header(RunWriter *writer, guint64 first, guint64 last, guint64 fences, guint64 filter,
                             GError **error)
{
    guint8 header[HEADER_SIZE] = {0};
    memcpy(header + AT_MAGIC, magic, sizeof magic);
    put32(header + AT_VERSION, VERSION);
    put64(header + AT_FIRST, first);
    put64(header + AT_LAST, last);
    put64(header + AT_ENTRIES, writer->entries);
    put64(header + AT_KEYS, writer->keys);
    put64(header + AT_FENCES, fences);
    put64(header + AT_FENCE_COUNT, writer->fences->len / FENCE_SIZE);
    put64(header + AT_FILTER, filter);
    put64(header + AT_FILTER_PIECES, writer->pieces);
    put32(header + AT_FENCES_CRC, crc32c(writer->fences->data, writer->fences->len));
    put32(header + AT_HEADER_CRC, crc32c(header, AT_HEADER_CRC));
    if (fflush(writer->file) != 0 ||
        pwrite(fileno(writer->file), header, sizeof header, 0) != (gssize)sizeof header ||
        fsync(fileno(writer->file)) != 0)
        return io_failed(error, writer->making, "cannot be written");
    return TRUE;
}

/* A name counts when its folder is on disk too. */
static gboolean name_on_disk(const char *path, GError **error)
{
    g_autofree char *folder = g_path_get_dirname(path);
    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    gboolean done = fd >= 0 && fsync(fd) == 0;
    if (!done)
        io_failed(error, folder, "cannot be synced");
    if (fd >= 0)
        (void)close(fd);
    return done;
}

gboolean run_writer_finish(RunWriter *writer, guint64 first, guint64 last, GError **error)
{
    if (!finish_group(writer, error) || !finish_block(writer, error))
        return FALSE;
    guint64 fences = writer->offset;
    if (!write_all(writer, writer->fences->data, writer->fences->len, error))
        return FALSE;
    guint64 filter = writer->offset;
    for (guint64 i = 0; i < writer->pieces; i++) {
        guint8 *piece = writer->filter + i * FILTER_PIECE;
        put32(piece, crc32c(piece + 4, FILTER_PIECE - 4));
    }
    if (!write_all(writer, writer->filter, writer->pieces * FILTER_PIECE, error) ||
        !write_header(writer, first, last, fences, filter, error))
        return FALSE;
    if (rename(writer->making, writer->path) != 0)
        return io_failed(error, writer->path, "cannot get its name");
    (void)fclose(writer->file); /* all of it is on disk */
    writer->file = NULL;
    return name_on_disk(writer->path, error);
}

/* --- opening --- */

typedef struct {
    PostingsKey key;
    guint64 offset;
    guint32 length;
} Fence;

struct run {
    gatomicrefcount references;
    char *path;
    int fd;
    guint64 first, last, entries, keys, filter, pieces;
    Fence *fences;
    gsize n_fences;
};

static gboolean read_exactly(const Run *run, void *out, gsize length, guint64 offset, GError **error)
{
    gsize done = 0;
    while (done < length) {
        ssize_t n = pread(run->fd, (guint8 *)out + done, length - done, (off_t)(offset + done));
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return io_failed(error, run->path, "cannot be read");
        if (n == 0)
            return damaged(error, run->path, "it is shorter than it says");
        done += (gsize)n;
    }
    return TRUE;
}

static gboolean read_fences(Run *run, guint64 offset, guint32 crc, GError **error)
{
    gsize size = run->n_fences * FENCE_SIZE;
    g_autofree guint8 *bytes = g_malloc(size + 1);
    if (!read_exactly(run, bytes, size, offset, error))
        return FALSE;
    if (crc32c(bytes, size) != crc)
        return damaged(error, run->path, "the keys of its blocks are damaged");
    run->fences = g_new(Fence, run->n_fences + 1);
    for (gsize i = 0; i < run->n_fences; i++) {
        const guint8 *at = bytes + i * FENCE_SIZE;
        memcpy(run->fences[i].key.bytes, at, KEY_BYTES);
        run->fences[i].offset = get64(at + KEY_BYTES);
        run->fences[i].length = get32(at + KEY_BYTES + 8);
        if (run->fences[i].length <= BLOCK_HEAD || run->fences[i].length > BLOCK_MAX)
            return damaged(error, run->path, "a block has an impossible size");
    }
    return TRUE;
}

static gboolean read_header(Run *run, GError **error)
{
    guint8 header[HEADER_SIZE];
    struct stat status;
    if (!read_exactly(run, header, sizeof header, 0, error))
        return FALSE;
    if (memcmp(header, magic, sizeof magic) != 0 || get32(header + AT_VERSION) != VERSION ||
        crc32c(header, AT_HEADER_CRC) != get32(header + AT_HEADER_CRC) || fstat(run->fd, &status) != 0)
        return damaged(error, run->path, "it is no file of postings, or its header is damaged");
    run->first = get64(header + AT_FIRST);
    run->last = get64(header + AT_LAST);
    run->entries = get64(header + AT_ENTRIES);
    run->keys = get64(header + AT_KEYS);
    run->filter = get64(header + AT_FILTER);
    run->pieces = get64(header + AT_FILTER_PIECES);
    run->n_fences = get64(header + AT_FENCE_COUNT);
    guint64 fences = get64(header + AT_FENCES);
    if (run->n_fences > (guint64)status.st_size / FENCE_SIZE ||
        run->pieces > (guint64)status.st_size / FILTER_PIECE ||
        fences + run->n_fences * FENCE_SIZE != run->filter ||
        run->filter + run->pieces * FILTER_PIECE != (guint64)status.st_size || run->pieces == 0)
        return damaged(error, run->path, "it is not as long as it says");
    return read_fences(run, fences, get32(header + AT_FENCES_CRC), error);
}

Run *run_open(const char *path, GError **error)
{
    g_autoptr(Run) run = g_new0(Run, 1);
    g_atomic_ref_count_init(&run->references);
    run->path = g_strdup(path);
    run->fd = open(path, O_RDONLY | O_CLOEXEC);
    if (run->fd < 0)
        return io_failed(error, path, "cannot be opened"), NULL;
    return read_header(run, error) ? g_steal_pointer(&run) : NULL;
}

Run *run_ref(Run *run)
{
    g_atomic_ref_count_inc(&run->references);
    return run;
}

void run_unref(Run *run)
{
    if (run == NULL || !g_atomic_ref_count_dec(&run->references))
        return;
    if (run->fd >= 0)
        (void)close(run->fd);
    g_free(run->fences);
    g_free(run->path);
    g_free(run);
}

const char *run_path(const Run *run)
{
    return run->path;
}

guint64 run_first(const Run *run)
{
    return run->first;
}

guint64 run_last(const Run *run)
{
    return run->last;
}

guint64 run_keys(const Run *run)
{
    return run->keys;
}

guint64 run_entries(const Run *run)
{
    return run->entries;
}

/* --- reading --- */

/* The groups of a block, checked; `out` has room for BLOCK_MAX. */
static gboolean read_block(const Run *run, gsize number, guint8 *out, GError **error)
{
    const Fence *fence = &run->fences[number];
    if (!read_exactly(run, out, fence->length, fence->offset, error))
        return FALSE;
    if (get32(out + 4) != fence->length - BLOCK_HEAD || crc32c(out + 4, fence->length - 4) != get32(out))
        return damaged(error, run->path, "a block is damaged");
    return TRUE;
}

typedef struct {
    PostingsKey key;
    guint count;
    guint64 sequences[GROUP_MAX];
} Group;

/* FALSE when what the CRC vouched for is no group: written by another program. */
static gboolean next_group(const guint8 **at, const guint8 *end, Group *out)
{
    guint64 count, step, sequence = 0;
    if (end - *at < KEY_BYTES)
        return FALSE;
    memcpy(out->key.bytes, *at, KEY_BYTES);
    *at += KEY_BYTES;
    if (!get_number(at, end, &count) || count == 0 || count > GROUP_MAX)
        return FALSE;
    out->count = (guint)count;
    for (guint i = 0; i < out->count; i++) {
        if (!get_number(at, end, &step))
            return FALSE;
        sequence += step;
        out->sequences[i] = sequence;
    }
    return TRUE;
}

static gboolean may_have(const Run *run, const PostingsKey *key, gboolean *has, GError **error)
{
    guint8 piece[FILTER_PIECE];
    if (!read_exactly(run, piece, sizeof piece, run->filter + filter_piece(key, run->pieces) * FILTER_PIECE,
                      error))
        return FALSE;
    if (crc32c(piece + 4, FILTER_PIECE - 4) != get32(piece))
        return damaged(error, run->path, "its filter is damaged");
    *has = filter_has(piece, key);
    return TRUE;
}

/* How many blocks begin with a key below this one; with `or_same`, or with this one. */
static gsize blocks_below(const Run *run, const PostingsKey *key, gboolean or_same)
{
    gsize low = 0, high = run->n_fences;
    while (low < high) {
        gsize middle = low + (high - low) / 2;
        int order = memcmp(run->fences[middle].key.bytes, key->bytes, KEY_BYTES);
        if (order < 0 || (or_same && order == 0))
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* The groups of a key in one block, from the last to the first. */
static gboolean find_in_block(const Run *run, gsize number, const PostingsKey *key, guint64 before,
                              RunEach each, gpointer data, gboolean *stopped, GError **error)
{
    g_autofree guint8 *block = g_malloc(BLOCK_MAX);
    g_autofree Group *group = g_new(Group, 1);
    const guint8 *starts[BLOCK_MAX / (KEY_BYTES + 2)];
    gsize found = 0;
    if (!read_block(run, number, block, error))
        return FALSE;
    const guint8 *at = block + BLOCK_HEAD, *end = block + run->fences[number].length;
    while (at < end) {
        const guint8 *start = at;
        if (!next_group(&at, end, group))
            return damaged(error, run->path, "a block holds what is no group");
        if (memcmp(group->key.bytes, key->bytes, KEY_BYTES) == 0)
            starts[found++] = start;
    }
    while (found > 0 && !*stopped) {
        at = starts[--found];
        (void)next_group(&at, end, group);
        for (guint i = group->count; i > 0 && !*stopped; i--)
            if (group->sequences[i - 1] < before)
                *stopped = !each(group->sequences[i - 1], data);
    }
    return TRUE;
}

gboolean run_find(const Run *run, const PostingsKey *key, guint64 before, RunEach each, gpointer data,
                  gboolean *stopped, GError **error)
{
    gboolean has = FALSE;
    *stopped = FALSE;
    if (run->n_fences == 0 || run->first >= before)
        return TRUE;
    if (!may_have(run, key, &has, error))
        return FALSE;
    if (!has)
        return TRUE;
    gsize first = blocks_below(run, key, FALSE), last = blocks_below(run, key, TRUE);
    for (gsize number = last; number > 0 && number >= first && !*stopped; number--)
        if (!find_in_block(run, number - 1, key, before, each, data, stopped, error))
            return FALSE;
    return TRUE;
}

/* --- all of it --- */

struct run_cursor {
    Run *run;
    gsize next_block;
    guint8 *block;
    const guint8 *at, *end;
    Group group;
    guint taken;
};

RunCursor *run_cursor_new(Run *run)
{
    RunCursor *cursor = g_new0(RunCursor, 1);
    cursor->run = run_ref(run);
    cursor->block = g_malloc(BLOCK_MAX);
    return cursor;
}

void run_cursor_free(RunCursor *cursor)
{
    run_unref(cursor->run);
    g_free(cursor->block);
    g_free(cursor);
}

gboolean run_cursor_next(RunCursor *cursor, PostingsKey *key, guint64 *sequence, GError **error)
{
    const Run *run = cursor->run;
    if (cursor->taken == cursor->group.count) {
        if (cursor->at == cursor->end) {
            if (cursor->next_block == run->n_fences ||
                !read_block(run, cursor->next_block, cursor->block, error))
                return FALSE;
            cursor->at = cursor->block + BLOCK_HEAD;
            cursor->end = cursor->block + run->fences[cursor->next_block++].length;
        }
        if (!next_group(&cursor->at, cursor->end, &cursor->group))
            return damaged(error, run->path, "a block holds what is no group");
        cursor->taken = 0;
    }
    *key = cursor->group.key;
    *sequence = cursor->group.sequences[cursor->taken++];
    return TRUE;
}
