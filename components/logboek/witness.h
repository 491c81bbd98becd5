/* A witness of other organisations' logs (C2SP tlog-witness): who has seen a log in one state signs no other
 * that does not continue it, so that a log cannot show different people different things. Rules only, pure;
 * what was cosigned last is kept by the caller, who reads it, asks here, stores the new state on disk and
 * only then answers, with nobody in between. */
#pragma once

#include "core/crypto/note.h"
#include "core/crypto/tlog.h"

#define WITNESS_REQUEST_MAX (72 * 1024) /* bytes */
#define WITNESS_PROOF_MAX 63

typedef struct {
    guint64 old_size;
    gsize count;
    MerkleHash proof[WITNESS_PROOF_MAX];
    Note *note;            /* owned */
    Checkpoint checkpoint; /* owned */
} WitnessRequest;

void witness_request_clear(WitnessRequest *request);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(WitnessRequest, witness_request_clear)

/* The body of add-checkpoint. FUNDAMENT_ERROR_INVALID: 400. */
gboolean witness_request_parse(const char *data, gsize length, WitnessRequest *out, GError **error);
/* The body for a witness that has cosigned `old_size`. Caller frees. */
char *witness_request_format(guint64 old_size, const MerkleHash *proof, gsize count, const char *checkpoint);

/* What was cosigned last for an origin; size 0 without. */
typedef struct {
    guint64 size;
    MerkleHash root;
} WitnessState;

typedef enum {
    WITNESS_COSIGN,       /* 200 */
    WITNESS_SIZES,        /* 400: the old size is above that of the checkpoint */
    WITNESS_NOT_SIGNED,   /* 403: no signature of a key that we know for this origin, or a false one */
    WITNESS_UNKNOWN,      /* 404: no log with this origin is known here */
    WITNESS_CONFLICT,     /* 409: the old size is not what was cosigned last */
    WITNESS_INCONSISTENT, /* 422: the new state does not continue the old one */
    WITNESS_VERDICT_COUNT
} WitnessVerdict;

guint witness_status(WitnessVerdict verdict);       /* of HTTP */
const char *witness_reason(WitnessVerdict verdict); /* one sentence */

/* In the order of the specification. `keys`: of the log with this origin, NULL-terminated; NULL when it is
 * unknown. */
WitnessVerdict witness_judge(const WitnessRequest *request, const NoteVerifier *const *keys,
                             const WitnessState *last);
