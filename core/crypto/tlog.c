#include "core/crypto/tlog.h"

#include <string.h>

#include "core/base/base64.h"
#include "core/base/error.h"
#include "core/crypto/note.h"

#define PROOF_HEAD "c2sp.org/tlog-proof@v1\n"
#define EXTRA_MAX 65536

static gboolean refuse(GError **error, const char *what)
{
    g_set_error_literal(error, FUNDAMENT_ERROR, FUNDAMENT_ERROR_INVALID, what);
    return FALSE;
}

/* Caller frees. */
static char *hash_format(const MerkleHash *hash)
{
    return g_base64_encode(hash->bytes, SHA256_SIZE);
}

static gboolean hash_parse(const char *text, gsize length, MerkleHash *out)
{
    return base64_decode_to(text, length, out->bytes, SHA256_SIZE);
}

/* Decimal without sign or leading zeros, at most TLOG_SIZE_MAX. */
static gboolean number_parse(const char *text, gsize length, guint64 *out)
{
    guint64 value = 0;
    if (length == 0 || length > 19 || (length > 1 && text[0] == '0'))
        return FALSE;
    for (gsize i = 0; i < length; i++) {
        if (!g_ascii_isdigit(text[i]))
            return FALSE;
        value = value * 10 + (guint64)(text[i] - '0');
    }
    *out = value;
    return value <= TLOG_SIZE_MAX;
}

/* The next line of `*at`, without its line break; FALSE when there is none that ends. */
static gboolean next_line(const char **at, const char **line, gsize *length)
{
    const char *end = strchr(*at, '\n');
    if (end == NULL)
        return FALSE;
    *line = *at;
    *length = (gsize)(end - *at);
    *at = end + 1;
    return TRUE;
}

/* --- checkpoints --- */

void checkpoint_clear(Checkpoint *checkpoint)
{
    g_clear_pointer(&checkpoint->origin, g_free);
}

char *checkpoint_format(const Checkpoint *checkpoint)
{
    g_autofree char *root = hash_format(&checkpoint->root);
    return g_strdup_printf("%s\n%" G_GUINT64_FORMAT "\n%s\n", checkpoint->origin, checkpoint->size, root);
}

gboolean checkpoint_parse(const char *text, Checkpoint *out, GError **error)
{
    const char *at = text, *line;
    gsize length;
    Checkpoint found = {0};
    if (!next_line(&at, &line, &length) || length == 0)
        return refuse(error, "a checkpoint has no origin");
    g_autofree char *origin = g_strndup(line, length);
    if (!next_line(&at, &line, &length) || !number_parse(line, length, &found.size))
        return refuse(error, "the second line of a checkpoint is no size");
    if (!next_line(&at, &line, &length) || !hash_parse(line, length, &found.root))
        return refuse(error, "the third line of a checkpoint is no hash of 32 bytes in base64");
    while (*at != '\0')
        if (!next_line(&at, &line, &length) || length == 0)
            return refuse(error, "a checkpoint has an empty line, or one that does not end");
    found.origin = g_steal_pointer(&origin);
    *out = found;
    return TRUE;
}

/* --- paths --- */

/* Groups of three digits, all but the last after an "x". */
static void path_put_index(GString *path, guint64 index)
{
    char groups[8][8];
    guint count = 0;
    do {
        g_snprintf(groups[count], sizeof groups[count], count == 0 ? "%03u" : "x%03u", (guint)(index % 1000));
        index /= 1000;
        count++;
    } while (index > 0);
    while (count > 0)
        g_string_append_printf(path, "/%s", groups[--count]);
}

static void path_finish(GString *path, guint64 index, guint width, char out[TLOG_PATH_MAX])
{
    path_put_index(path, index);
    if (width < TLOG_TILE_WIDTH)
        g_string_append_printf(path, ".p/%u", width);
    g_strlcpy(out, path->str, TLOG_PATH_MAX);
}

void tlog_tile_path(guint level, guint64 index, guint width, char out[TLOG_PATH_MAX])
{
    g_autoptr(GString) path = g_string_new(NULL);
    g_string_printf(path, "tile/%u", level);
    path_finish(path, index, width, out);
}

void tlog_bundle_path(guint64 index, guint width, char out[TLOG_PATH_MAX])
{
    g_autoptr(GString) path = g_string_new("tile/entries");
    path_finish(path, index, width, out);
}

/* "x001/x234/067": the value, and where it ends. */
static gboolean index_parse(const char **at, guint64 *out)
{
    guint64 value = 0;
    for (guint groups = 0; groups < 6; groups++) {
        const char *text = *at;
        gboolean more = *text == 'x';
        text += more ? 1 : 0;
        for (guint i = 0; i < 3; i++, text++) {
            if (!g_ascii_isdigit(*text))
                return FALSE;
            value = value * 10 + (guint64)(*text - '0');
        }
        if (groups == 0 && more && value == 0)
            return FALSE; /* there is one way to write a number */
        *at = text;
        *out = value;
        if (!more)
            return TRUE;
        if (*text != '/')
            return FALSE;
        *at = text + 1;
    }
    return FALSE;
}

static gboolean width_parse(const char *at, guint *width)
{
    guint64 value = TLOG_TILE_WIDTH;
    if (*at != '\0' && (!g_str_has_prefix(at, ".p/") || !number_parse(at + 3, strlen(at + 3), &value) ||
                        value == 0 || value >= TLOG_TILE_WIDTH))
        return FALSE;
    *width = (guint)value;
    return TRUE;
}

gboolean tlog_path_parse(const char *path, TlogPath *out)
{
    guint64 level = 0;
    const char *at = path + strlen("tile/");
    if (strlen(path) >= TLOG_PATH_MAX || !g_str_has_prefix(path, "tile/"))
        return FALSE;
    const char *slash = strchr(at, '/');
    if (slash == NULL)
        return FALSE;
    out->entries = (gsize)(slash - at) == strlen("entries") && g_str_has_prefix(at, "entries");
    if (!out->entries && (!number_parse(at, (gsize)(slash - at), &level) || level > 7))
        return FALSE;
    out->level = (guint)level;
    at = slash + 1;
    return index_parse(&at, &out->index) &&
           out->index <= TLOG_SIZE_MAX >> TLOG_TILE_HEIGHT >> (TLOG_TILE_HEIGHT * level) &&
           width_parse(at, &out->width);
}

guint tlog_width(guint level, guint64 index, guint64 size)
{
    guint64 hashes = size >> (TLOG_TILE_HEIGHT * level);
    guint64 full = hashes / TLOG_TILE_WIDTH;
    if (index < full)
        return TLOG_TILE_WIDTH;
    return index == full ? (guint)(hashes % TLOG_TILE_WIDTH) : 0;
}

void tlog_tile_hash(const MerkleHash *tile, guint height, guint index, MerkleHash *out)
{
    MerkleEdge edge = {0};
    guint first = index << height;
    for (guint i = 0; i < 1U << height; i++)
        merkle_edge_add(&edge, &tile[first + i], NULL, NULL);
    merkle_edge_root(&edge, out);
}

/* --- entry bundles --- */

const guint8 *tlog_bundle_next(const guint8 *bundle, gsize length, gsize *at, gsize *entry_length,
                               GError **error)
{
    if (*at == length)
        return NULL;
    gsize left = length - *at;
    gsize size = left < 2 ? 0 : (gsize)bundle[*at] << 8 | bundle[*at + 1];
    if (left < 2 || left - 2 < size) {
        g_set_error(error, FUNDAMENT_ERROR, FUNDAMENT_ERROR_INVALID,
                    "a bundle of entries is cut off after %" G_GSIZE_FORMAT " bytes", length);
        return NULL;
    }
    const guint8 *entry = bundle + *at + 2;
    *entry_length = size;
    *at += 2 + size;
    return entry;
}

/* --- proofs --- */

void tlog_proof_clear(TlogProof *proof)
{
    g_clear_pointer(&proof->extra, g_bytes_unref);
    g_clear_pointer(&proof->checkpoint, g_free);
}

char *tlog_proof_format(const TlogProof *proof)
{
    g_autoptr(GString) out = g_string_new(PROOF_HEAD);
    if (proof->extra != NULL) {
        gsize size;
        const guint8 *data = g_bytes_get_data(proof->extra, &size);
        g_autofree char *extra = g_base64_encode(data, size);
        g_string_append_printf(out, "extra %s\n", extra);
    }
    g_string_append_printf(out, "index %" G_GUINT64_FORMAT "\n", proof->index);
    for (gsize i = 0; i < proof->count; i++) {
        g_autofree char *hash = hash_format(&proof->hashes[i]);
        g_string_append_printf(out, "%s\n", hash);
    }
    g_string_append_printf(out, "\n%s", proof->checkpoint);
    return g_string_free(g_steal_pointer(&out), FALSE);
}

/* A line that begins with this word: what comes after it, and how much. */
static gboolean line_value(const char **line, gsize *length, const char *word)
{
    gsize size = strlen(word);
    if (*length < size || memcmp(*line, word, size) != 0)
        return FALSE;
    *line += size;
    *length -= size;
    return TRUE;
}

static gboolean proof_read(const char *at, TlogProof *out, GError **error)
{
    const char *line;
    gsize length;
    gboolean there = next_line(&at, &line, &length);
    if (there && line_value(&line, &length, "extra ")) {
        out->extra = base64_decode(line, length, 0, EXTRA_MAX);
        if (out->extra == NULL)
            return refuse(error, "the extra data of a proof are no base64, or more than 64 KiB");
        there = next_line(&at, &line, &length);
    }
    if (!there || !line_value(&line, &length, "index ") || !number_parse(line, length, &out->index))
        return refuse(error, "a proof does not say which entry it is about (index N)");
    while ((there = next_line(&at, &line, &length)) && length > 0) {
        if (out->count == MERKLE_PROOF_MAX || !hash_parse(line, length, &out->hashes[out->count]))
            return refuse(error, "a line of a proof is no hash of 32 bytes in base64, or one too many");
        out->count++;
    }
    if (!there || *at == '\0')
        return refuse(error, "a proof has no checkpoint below its blank line");
    out->checkpoint = g_strdup(at);
    return TRUE;
}

gboolean tlog_proof_parse(const char *data, gssize length, TlogProof *out, GError **error)
{
    gsize size = length < 0 ? strlen(data) : (gsize)length;
    g_auto(TlogProof) found = {0};
    if (size > NOTE_MAX + 2 * EXTRA_MAX)
        return refuse(error, "a proof is too long");
    g_autofree char *text = g_strndup(data, size);
    if (strlen(text) != size)
        return refuse(error, "a proof is text, without NUL");
    if (!g_str_has_prefix(text, PROOF_HEAD))
        return refuse(error, "a proof begins with the line c2sp.org/tlog-proof@v1");
    if (!proof_read(text + strlen(PROOF_HEAD), &found, error))
        return FALSE;
    *out = found;
    found = (TlogProof){0};
    return TRUE;
}
