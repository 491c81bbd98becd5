/* A verifiable random function: a keyed hash whose owner can prove that a value is the only one for an input.
 * RFC 9381, suite ECVRF-RISTRETTO255-SHA512 (C2SP vrf-r255), on libsodium's ristretto255. A log labels
 * persons with it: nobody can guess whose label it is, and nobody can be given another one than his own.
 *
 * Thread safe. In constant time as to the key. */
#pragma once

#include <glib.h>

#define VRF_SEED_SIZE 64
#define VRF_PUBLIC_SIZE 32
#define VRF_PROOF_SIZE 80
#define VRF_OUTPUT_SIZE 64

typedef struct vrf_key VrfKey;

/* From 64 random bytes, which are reduced to a scalar. FUNDAMENT_ERROR_INVALID for the one in 2^252 that
 * gives no key. */
VrfKey *vrf_key_new(const guint8 seed[VRF_SEED_SIZE], GError **error);
void vrf_key_free(VrfKey *key); /* wipes */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(VrfKey, vrf_key_free)
const guint8 *vrf_key_public(const VrfKey *key); /* VRF_PUBLIC_SIZE bytes, borrowed */

/* The value for this input, and when `proof` is not NULL the proof. Without a proof it costs two
 * multiplications fewer. 5.1, 5.2. */
void vrf_evaluate(const VrfKey *key, const void *input, gsize length, guint8 output[VRF_OUTPUT_SIZE],
                  guint8 proof[VRF_PROOF_SIZE]);

/* TRUE with the value when the proof holds; 5.3, with validate_key. FALSE for whatever else there is in the
 * bytes. */
gboolean vrf_verify(const guint8 public_key[VRF_PUBLIC_SIZE], const void *input, gsize length,
                    const guint8 proof[VRF_PROOF_SIZE], guint8 output[VRF_OUTPUT_SIZE]);
