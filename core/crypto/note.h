/* Signed notes (C2SP signed-note): a short text with the signatures of named parties below it. Checkpoints of
 * logs are such notes; their witnesses add cosignatures (C2SP tlog-cosignature), which carry a time.
 *
 *     text, of lines
 *
 *     — name base64(key id || signature)
 *
 * Two kinds of key, both Ed25519: 0x01 signs the text, 0x04 signs "this text was seen at this time".
 * Signatures of kinds or parties that are not known are kept and passed over, as the specification asks.
 * Verifiers and parsed notes are immutable and thread safe. */
#pragma once

#include <glib.h>

#define NOTE_MAX (64 * 1024) /* bytes of a whole note */
#define NOTE_SIGNATURES_MAX 100
#define NOTE_NAME_MAX 255

typedef enum { NOTE_ED25519 = 0x01, NOTE_COSIGNATURE = 0x04 } NoteAlgorithm;

/* --- who signed --- */

typedef struct note_verifier NoteVerifier;

/* "name+33d7b496+AeHTu4Q3...": name, key id, base64 of kind and public key. NULL with FUNDAMENT_ERROR_INVALID
 * when it is no such text, the id is not that of name and key, or the kind is another. */
NoteVerifier *note_verifier_parse(const char *text, GError **error);
NoteVerifier *note_verifier_ref(NoteVerifier *verifier);
void note_verifier_unref(NoteVerifier *verifier);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(NoteVerifier, note_verifier_unref)
const char *note_verifier_name(const NoteVerifier *verifier);
const char *note_verifier_text(const NoteVerifier *verifier); /* as note_verifier_parse() takes it */
NoteAlgorithm note_verifier_algorithm(const NoteVerifier *verifier);

/* --- who signs --- */

#define NOTE_SEED_SIZE 32

typedef struct note_signer NoteSigner;

/* `seed`: the private key (RFC 8032), copied and wiped on free. A name has no white space and no "+".
 * FUNDAMENT_ERROR_INVALID for another name. */
NoteSigner *note_signer_new(const char *name, NoteAlgorithm algorithm, const guint8 seed[NOTE_SEED_SIZE],
                            GError **error);
void note_signer_free(NoteSigner *signer);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(NoteSigner, note_signer_free)
const NoteVerifier *note_signer_verifier(const NoteSigner *signer);

/* One line "— name ...\n" under `text`, which ends in a line break. `time_s` is for cosignatures, seconds
 * since the epoch. Caller frees. */
char *note_sign(const NoteSigner *signer, const char *text, guint64 time_s);

/* --- notes --- */

typedef struct note Note;

/* Strict: UTF-8 without control characters but line breaks, text that is not empty, at least one well-formed
 * signature line, nothing else; no more than the limits above. `length` < 0: up to the NUL.
 * FUNDAMENT_ERROR_INVALID. */
Note *note_parse(const char *data, gssize length, GError **error);
void note_free(Note *note);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Note, note_free)

const char *note_text(const Note *note);       /* with its last line break, without the blank line */
const char *note_signatures(const Note *note); /* the signature lines as they came */

/* Whether this party signed the text. Several signatures under one key: one that is false makes all of them
 * false, as the specification asks. `time_s` (may be NULL) gets the time of a cosignature, 0 of a signature.
 */
typedef enum { NOTE_UNSIGNED, NOTE_SIGNED, NOTE_FALSE } NoteVerdict;
NoteVerdict note_verify(const Note *note, const NoteVerifier *verifier, guint64 *time_s);
gboolean note_verified_by(const Note *note, const NoteVerifier *verifier, guint64 *time_s); /* NOTE_SIGNED */
