#include "components/logboek/witness.h"

#include <string.h>

#include "core/base/base64.h"
#include "core/base/error.h"

static const struct {
    guint status;
    const char *reason;
} verdicts[WITNESS_VERDICT_COUNT] = {
    [WITNESS_COSIGN] = {200, "the checkpoint continues what was cosigned before"},
    [WITNESS_SIZES] = {400, "the old size is above the size of the checkpoint"},
    [WITNESS_NOT_SIGNED] = {403, "the checkpoint is not signed by a key that is known here for its origin"},
    [WITNESS_UNKNOWN] = {404, "no log with this origin is known here"},
    [WITNESS_CONFLICT] = {409, "another size was cosigned last for this origin"},
    [WITNESS_INCONSISTENT] = {422, "the checkpoint does not continue what was cosigned before"},
};

guint witness_status(WitnessVerdict verdict)
{
    return verdicts[verdict].status;
}

const char *witness_reason(WitnessVerdict verdict)
{
    return verdicts[verdict].reason;
}

void witness_request_clear(WitnessRequest *request)
{
    g_clear_pointer(&request->note, note_free);
    checkpoint_clear(&request->checkpoint);
}

static gboolean refuse(GError **error, const char *what)
{
    g_set_error_literal(error, FUNDAMENT_ERROR, FUNDAMENT_ERROR_INVALID, what);
    return FALSE;
}

/* The next line without its end, which becomes a NUL; NULL at the end of the text. */
static char *take_line(char **at)
{
    char *line = *at, *end = strchr(line, '\n');
    if (end == NULL)
        return NULL;
    *end = '\0';
    *at = end + 1;
    return line;
}

/* "old N", N without leading zeros. */
static gboolean old_size_of(const char *line, guint64 *out)
{
    const char *digits = line == NULL || !g_str_has_prefix(line, "old ") ? "" : line + 4;
    if (!g_ascii_isdigit(digits[0]) || (digits[0] == '0' && digits[1] != '\0'))
        return FALSE;
    return g_ascii_string_to_unsigned(digits, 10, 0, TLOG_SIZE_MAX, out, NULL);
}

static gboolean read_proof(char **at, WitnessRequest *request, GError **error)
{
    char *line;
    while ((line = take_line(at)) != NULL && *line != '\0') {
        if (request->count == WITNESS_PROOF_MAX)
            return refuse(error, "more than 63 lines of proof");
        if (!base64_decode_to(line, strlen(line), request->proof[request->count++].bytes, SHA256_SIZE))
            return refuse(error, "a line of the proof is no hash of 32 bytes in base64");
    }
    return line != NULL || refuse(error, "there is no empty line between proof and checkpoint");
}

gboolean witness_request_parse(const char *data, gsize length, WitnessRequest *out, GError **error)
{
    g_auto(WitnessRequest) request = {0};
    if (length > WITNESS_REQUEST_MAX)
        return refuse(error, "the request is longer than 72 KiB");
    g_autofree char *text = g_strndup(data, length);
    char *at = text;
    if (strlen(text) != length)
        return refuse(error, "the request is text, without NUL");
    if (!old_size_of(take_line(&at), &request.old_size))
        return refuse(error, "the first line is: old SIZE");
    if (!read_proof(&at, &request, error) || (request.note = note_parse(at, -1, error)) == NULL ||
        !checkpoint_parse(note_text(request.note), &request.checkpoint, error))
        return FALSE;
    *out = request;
    request = (WitnessRequest){0};
    return TRUE;
}

char *witness_request_format(guint64 old_size, const MerkleHash *proof, gsize count, const char *checkpoint)
{
    g_autoptr(GString) out = g_string_new(NULL);
    g_string_printf(out, "old %" G_GUINT64_FORMAT "\n", old_size);
    for (gsize i = 0; i < count; i++) {
        g_autofree char *hash = g_base64_encode(proof[i].bytes, SHA256_SIZE);
        g_string_append_printf(out, "%s\n", hash);
    }
    g_string_append_printf(out, "\n%s", checkpoint);
    return g_string_free(g_steal_pointer(&out), FALSE);
}

/* By one of the keys, and by none of them falsely: a line with a known name and key that does not verify
 * makes the note malformed (signed-note). */
static gboolean is_signed(const WitnessRequest *request, const NoteVerifier *const *keys)
{
    gboolean found = FALSE;
    for (; *keys != NULL; keys++) {
        NoteVerdict verdict = note_verify(request->note, *keys, NULL);
        if (verdict == NOTE_FALSE)
            return FALSE;
        found = found || verdict == NOTE_SIGNED;
    }
    return found;
}

WitnessVerdict witness_judge(const WitnessRequest *request, const NoteVerifier *const *keys,
                             const WitnessState *last)
{
    const Checkpoint *new = &request->checkpoint;
    MerkleHash empty;
    merkle_empty(&empty);
    if (keys == NULL || *keys == NULL)
        return WITNESS_UNKNOWN;
    if (!is_signed(request, keys))
        return WITNESS_NOT_SIGNED;
    if (request->old_size > new->size)
        return WITNESS_SIZES;
    if (request->old_size != last->size)
        return WITNESS_CONFLICT;
    return merkle_consistent(last->size == 0 ? &empty : &last->root, last->size, &new->root, new->size,
                             request->proof, request->count) &&
                   (new->size > 0 || merkle_equal(&new->root, &empty))
               ? WITNESS_COSIGN
               : WITNESS_INCONSISTENT;
}
