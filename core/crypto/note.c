#include "core/crypto/note.h"

#include <sodium.h>
#include <string.h>

#include "core/base/base64.h"
#include "core/base/bytes.h"
#include "core/base/error.h"
#include "core/crypto/digest.h"

#define DASH "\xe2\x80\x94 " /* an em dash and a space begin a signature line */
#define ID_SIZE 4
#define TIME_SIZE 8
#define SIGNATURE_BYTES_MAX 8192 /* of kinds that we do not know: ML-DSA-44 has 2,420 */
#define COSIGNATURE_HEAD "cosignature/v1\ntime "

struct note_verifier {
    gatomicrefcount references;
    char *name, *text;
    NoteAlgorithm algorithm;
    guint8 id[ID_SIZE];
    guint8 key[crypto_sign_PUBLICKEYBYTES];
};

struct note_signer {
    NoteVerifier *verifier;
    guint8 secret[crypto_sign_SECRETKEYBYTES];
};

typedef struct {
    char *name;
    guint8 id[ID_SIZE];
    GBytes *bytes; /* after the id */
} Signature;

struct note {
    char *text, *signatures;
    GPtrArray *parsed; /* of Signature */
};

static gboolean refuse(GError **error, const char *message)
{
    g_set_error_literal(error, FUNDAMENT_ERROR, FUNDAMENT_ERROR_INVALID, message);
    return FALSE;
}

/* --- keys --- */

static gboolean name_valid(const char *name, gsize length)
{
    if (length == 0 || length > NOTE_NAME_MAX || !g_utf8_validate(name, (gssize)length, NULL))
        return FALSE;
    for (const char *at = name; at < name + length; at = g_utf8_next_char(at)) {
        gunichar c = g_utf8_get_char(at);
        if (c == '+' || g_unichar_isspace(c) || g_unichar_iscntrl(c))
            return FALSE;
    }
    return TRUE;
}

/* The first four bytes of SHA-256(name || LF || kind || public key). */
static void key_id(const char *name, NoteAlgorithm algorithm, const guint8 *key, guint8 id[ID_SIZE])
{
    guint8 digest[SHA256_SIZE];
    g_autoptr(GByteArray) input = g_byte_array_new();
    const guint8 middle[2] = {'\n', (guint8)algorithm};
    g_byte_array_append(input, (const guint8 *)name, (guint)strlen(name));
    g_byte_array_append(input, middle, sizeof middle);
    g_byte_array_append(input, key, crypto_sign_PUBLICKEYBYTES);
    sha256(input->data, input->len, digest);
    memcpy(id, digest, ID_SIZE);
}

static NoteVerifier *verifier_new(const char *name, NoteAlgorithm algorithm, const guint8 *key)
{
    NoteVerifier *verifier = g_new0(NoteVerifier, 1);
    guint8 typed[1 + crypto_sign_PUBLICKEYBYTES] = {(guint8)algorithm};
    g_atomic_ref_count_init(&verifier->references);
    verifier->name = g_strdup(name);
    verifier->algorithm = algorithm;
    memcpy(verifier->key, key, sizeof verifier->key);
    key_id(name, algorithm, key, verifier->id);
    memcpy(typed + 1, key, sizeof verifier->key);
    g_autofree char *id = hex_encode(verifier->id, ID_SIZE);
    g_autofree char *encoded = g_base64_encode(typed, sizeof typed);
    verifier->text = g_strdup_printf("%s+%s+%s", name, id, encoded);
    return verifier;
}

NoteVerifier *note_verifier_parse(const char *text, GError **error)
{
    /* The key is base64, which may hold a plus: at most three parts. */
    g_auto(GStrv) parts = g_strsplit(text, "+", 3);
    guint8 id[ID_SIZE];
    if (g_strv_length(parts) != 3 || !name_valid(parts[0], strlen(parts[0])) ||
        !hex_decode(parts[1], id, ID_SIZE))
        return refuse(error, "a verifier key is NAME+ID+KEY, the id of eight hexadecimal digits"), NULL;
    g_autoptr(GBytes) key = base64_decode(parts[2], strlen(parts[2]), 1 + crypto_sign_PUBLICKEYBYTES,
                                          1 + crypto_sign_PUBLICKEYBYTES);
    const guint8 *typed = key == NULL ? NULL : g_bytes_get_data(key, NULL);
    if (typed == NULL || (typed[0] != NOTE_ED25519 && typed[0] != NOTE_COSIGNATURE))
        return refuse(error, "a verifier key is base64 of kind 01 or 04 and an Ed25519 key of 32 bytes"),
               NULL;
    g_autoptr(NoteVerifier) verifier = verifier_new(parts[0], (NoteAlgorithm)typed[0], typed + 1);
    if (memcmp(verifier->id, id, ID_SIZE) != 0) {
        g_set_error(error, FUNDAMENT_ERROR, FUNDAMENT_ERROR_INVALID,
                    "the id of the verifier key of %s is not that of its name and key", parts[0]);
        return NULL;
    }
    return g_steal_pointer(&verifier);
}

NoteVerifier *note_verifier_ref(NoteVerifier *verifier)
{
    g_atomic_ref_count_inc(&verifier->references);
    return verifier;
}

void note_verifier_unref(NoteVerifier *verifier)
{
    if (verifier == NULL || !g_atomic_ref_count_dec(&verifier->references))
        return;
    g_free(verifier->name);
    g_free(verifier->text);
    g_free(verifier);
}

const char *note_verifier_name(const NoteVerifier *verifier)
{
    return verifier->name;
}

const char *note_verifier_text(const NoteVerifier *verifier)
{
    return verifier->text;
}

NoteAlgorithm note_verifier_algorithm(const NoteVerifier *verifier)
{
    return verifier->algorithm;
}

NoteSigner *note_signer_new(const char *name, NoteAlgorithm algorithm, const guint8 seed[NOTE_SEED_SIZE],
                            GError **error)
{
    guint8 key[crypto_sign_PUBLICKEYBYTES];
    G_STATIC_ASSERT(NOTE_SEED_SIZE == crypto_sign_SEEDBYTES);
    if (!name_valid(name, strlen(name)))
        return refuse(error, "the name of a signer has no white space and no '+', and at most 255 bytes"),
               NULL;
    NoteSigner *signer = g_new0(NoteSigner, 1);
    crypto_sign_seed_keypair(key, signer->secret, seed);
    signer->verifier = verifier_new(name, algorithm, key);
    return signer;
}

void note_signer_free(NoteSigner *signer)
{
    if (signer == NULL)
        return;
    note_verifier_unref(signer->verifier);
    secret_wipe(signer->secret, sizeof signer->secret);
    g_free(signer);
}

const NoteVerifier *note_signer_verifier(const NoteSigner *signer)
{
    return signer->verifier;
}

/* --- signing --- */

/* What a key of this kind signs. */
static char *message_of(NoteAlgorithm algorithm, const char *text, guint64 time_s)
{
    return algorithm == NOTE_COSIGNATURE
               ? g_strdup_printf(COSIGNATURE_HEAD "%" G_GUINT64_FORMAT "\n%s", time_s, text)
               : g_strdup(text);
}

char *note_sign(const NoteSigner *signer, const char *text, guint64 time_s)
{
    const NoteVerifier *verifier = signer->verifier;
    guint8 line[ID_SIZE + TIME_SIZE + crypto_sign_BYTES];
    gsize length = ID_SIZE;
    memcpy(line, verifier->id, ID_SIZE);
    if (verifier->algorithm == NOTE_COSIGNATURE) {
        guint64 big_endian = GUINT64_TO_BE(time_s);
        memcpy(line + length, &big_endian, TIME_SIZE);
        length += TIME_SIZE;
    }
    g_autofree char *message = message_of(verifier->algorithm, text, time_s);
    crypto_sign_detached(line + length, NULL, (const guint8 *)message, strlen(message), signer->secret);
    g_autofree char *encoded = g_base64_encode(line, length + crypto_sign_BYTES);
    return g_strdup_printf(DASH "%s %s\n", verifier->name, encoded);
}

/* --- parsing --- */

static void signature_free(gpointer data)
{
    Signature *signature = data;
    g_free(signature->name);
    g_clear_pointer(&signature->bytes, g_bytes_unref);
    g_free(signature);
}

/* A line without its line break. NULL when it is no signature line. */
static Signature *signature_parse(const char *line, gsize length)
{
    const gsize dash = strlen(DASH);
    const char *space =
        length > dash && memcmp(line, DASH, dash) == 0 ? memchr(line + dash, ' ', length - dash) : NULL;
    if (space == NULL || !name_valid(line + dash, (gsize)(space - line) - dash))
        return NULL;
    const char *encoded = space + 1;
    g_autoptr(GBytes) bytes =
        base64_decode(encoded, (gsize)(line + length - encoded), ID_SIZE + 1, SIGNATURE_BYTES_MAX);
    if (bytes == NULL)
        return NULL;
    Signature *signature = g_new0(Signature, 1);
    signature->name = g_strndup(line + dash, (gsize)(space - line) - dash);
    memcpy(signature->id, g_bytes_get_data(bytes, NULL), ID_SIZE);
    signature->bytes = g_bytes_new_from_bytes(bytes, ID_SIZE, g_bytes_get_size(bytes) - ID_SIZE);
    return signature;
}

static gboolean signatures_parse(Note *note, GError **error)
{
    const char *end;
    for (const char *at = note->signatures; *at != '\0'; at = end + 1) {
        end = strchr(at, '\n');
        Signature *signature = end == NULL ? NULL : signature_parse(at, (gsize)(end - at));
        if (signature == NULL)
            return refuse(error, "a line below the blank line of a note is no signature");
        g_ptr_array_add(note->parsed, signature);
        if (note->parsed->len > NOTE_SIGNATURES_MAX)
            return refuse(error, "a note has more than 100 signatures");
    }
    return note->parsed->len > 0 || refuse(error, "a note has no signature");
}

static gboolean characters_valid(const char *data, gsize length)
{
    if (!g_utf8_validate(data, (gssize)length, NULL))
        return FALSE;
    for (gsize i = 0; i < length; i++)
        if ((guchar)data[i] < 0x20 && data[i] != '\n')
            return FALSE;
    return TRUE;
}

Note *note_parse(const char *data, gssize length, GError **error)
{
    gsize size = length < 0 ? strlen(data) : (gsize)length;
    if (size > NOTE_MAX)
        return refuse(error, "a note is longer than 64 KiB"), NULL;
    if (!characters_valid(data, size))
        return refuse(error, "a note is not UTF-8, or holds control characters"), NULL;
    g_autofree char *whole = g_strndup(data, size);
    /* The last blank line: the text may have some of its own. */
    char *blank = g_strrstr(whole, "\n\n");
    if (blank == NULL || blank == whole)
        return refuse(error, "a note has no blank line between its text and its signatures"), NULL;
    g_autoptr(Note) note = g_new0(Note, 1);
    note->text = g_strndup(whole, (gsize)(blank + 1 - whole));
    note->signatures = g_strdup(blank + 2);
    note->parsed = g_ptr_array_new_with_free_func(signature_free);
    return signatures_parse(note, error) ? g_steal_pointer(&note) : NULL;
}

void note_free(Note *note)
{
    if (note == NULL)
        return;
    g_free(note->text);
    g_free(note->signatures);
    g_clear_pointer(&note->parsed, g_ptr_array_unref);
    g_free(note);
}

const char *note_text(const Note *note)
{
    return note->text;
}

const char *note_signatures(const Note *note)
{
    return note->signatures;
}

static gboolean signature_holds(const Note *note, const Signature *signature, const NoteVerifier *verifier,
                                guint64 *time_s)
{
    gsize length;
    const guint8 *bytes = g_bytes_get_data(signature->bytes, &length);
    gsize head = verifier->algorithm == NOTE_COSIGNATURE ? TIME_SIZE : 0;
    if (length != head + crypto_sign_BYTES)
        return FALSE;
    *time_s = 0;
    if (head > 0) {
        memcpy(time_s, bytes, TIME_SIZE);
        *time_s = GUINT64_FROM_BE(*time_s);
    }
    g_autofree char *message = message_of(verifier->algorithm, note->text, *time_s);
    return crypto_sign_verify_detached(bytes + head, (const guint8 *)message, strlen(message),
                                       verifier->key) == 0;
}

NoteVerdict note_verify(const Note *note, const NoteVerifier *verifier, guint64 *time_s)
{
    NoteVerdict verdict = NOTE_UNSIGNED;
    for (guint i = 0; i < note->parsed->len; i++) {
        const Signature *signature = g_ptr_array_index(note->parsed, i);
        guint64 time;
        if (strcmp(signature->name, verifier->name) != 0 || memcmp(signature->id, verifier->id, ID_SIZE) != 0)
            continue;
        if (!signature_holds(note, signature, verifier, &time))
            return NOTE_FALSE;
        if (time_s != NULL)
            *time_s = time;
        verdict = NOTE_SIGNED;
    }
    return verdict;
}

gboolean note_verified_by(const Note *note, const NoteVerifier *verifier, guint64 *time_s)
{
    return note_verify(note, verifier, time_s) == NOTE_SIGNED;
}
