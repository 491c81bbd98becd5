#include "core/crypto/vrf.h"

#include <sodium.h>
#include <string.h>

#include "core/base/bytes.h"
#include "core/base/error.h"

#define POINT crypto_core_ristretto255_BYTES
#define SCALAR crypto_core_ristretto255_SCALARBYTES
#define CHALLENGE 16 /* cLen */
#define HASH crypto_hash_sha512_BYTES

/* What a hash is for: RFC 9381, 5.4.3 and 5.2; vrf-r255, nonce generation and encode to curve. */
enum { FOR_CHALLENGE = 0x02, FOR_OUTPUT = 0x03, FOR_NONCE = 0x81, FOR_CURVE = 0x82 };

struct vrf_key {
    guint8 scalar[SCALAR];
    guint8 public_key[POINT];
};

static void hash_begin(crypto_hash_sha512_state *state, guint8 purpose)
{
    static const char suite[] = "\xff"
                                "c2sp.org/vrf-r255";
    crypto_hash_sha512_init(state);
    crypto_hash_sha512_update(state, (const guint8 *)suite, sizeof suite - 1);
    crypto_hash_sha512_update(state, &purpose, 1);
}

VrfKey *vrf_key_new(const guint8 seed[VRF_SEED_SIZE], GError **error)
{
    g_autoptr(VrfKey) key = g_new0(VrfKey, 1);
    G_STATIC_ASSERT(VRF_SEED_SIZE == crypto_core_ristretto255_NONREDUCEDSCALARBYTES);
    crypto_core_ristretto255_scalar_reduce(key->scalar, seed);
    if (crypto_scalarmult_ristretto255_base(key->public_key, key->scalar) != 0) {
        g_set_error_literal(error, FUNDAMENT_ERROR, FUNDAMENT_ERROR_INVALID,
                            "this seed gives no VRF key: take another");
        return NULL;
    }
    return g_steal_pointer(&key);
}

void vrf_key_free(VrfKey *key)
{
    if (key == NULL)
        return;
    secret_wipe(key->scalar, sizeof key->scalar);
    g_free(key);
}

const guint8 *vrf_key_public(const VrfKey *key)
{
    return key->public_key;
}

/* The element that an input stands for; the salt is the public key. */
static void encode_to_curve(const guint8 *public_key, const void *input, gsize length, guint8 out[POINT])
{
    crypto_hash_sha512_state state;
    guint8 hash[HASH];
    G_STATIC_ASSERT(HASH == crypto_core_ristretto255_HASHBYTES);
    hash_begin(&state, FOR_CURVE);
    crypto_hash_sha512_update(&state, public_key, POINT);
    crypto_hash_sha512_update(&state, input, length);
    crypto_hash_sha512_final(&state, hash);
    crypto_core_ristretto255_from_hash(out, hash);
}

/* RFC 9381, 5.4.3: of Y, H, Gamma, U and V; a scalar whose upper half is zero. */
static void challenge_of(const guint8 *const points[5], guint8 out[SCALAR])
{
    crypto_hash_sha512_state state;
    guint8 hash[HASH], back = 0;
    hash_begin(&state, FOR_CHALLENGE);
    for (gsize i = 0; i < 5; i++)
        crypto_hash_sha512_update(&state, points[i], POINT);
    crypto_hash_sha512_update(&state, &back, 1);
    crypto_hash_sha512_final(&state, hash);
    memset(out, 0, SCALAR);
    memcpy(out, hash, CHALLENGE);
}

static void output_of(const guint8 gamma[POINT], guint8 output[VRF_OUTPUT_SIZE])
{
    crypto_hash_sha512_state state;
    guint8 back = 0;
    hash_begin(&state, FOR_OUTPUT);
    crypto_hash_sha512_update(&state, gamma, POINT);
    crypto_hash_sha512_update(&state, &back, 1);
    crypto_hash_sha512_final(&state, output);
}

static void nonce_of(const VrfKey *key, const guint8 h[POINT], guint8 out[SCALAR])
{
    crypto_hash_sha512_state state;
    guint8 hash[HASH];
    hash_begin(&state, FOR_NONCE);
    crypto_hash_sha512_update(&state, key->scalar, SCALAR);
    crypto_hash_sha512_update(&state, h, POINT);
    crypto_hash_sha512_final(&state, hash);
    crypto_core_ristretto255_scalar_reduce(out, hash);
    secret_wipe(hash, sizeof hash);
    secret_wipe(&state, sizeof state);
}

/* A product is the neutral element only when one of the factors is; here that has a chance of 2^-252. */
static void multiply(guint8 out[POINT], const guint8 scalar[SCALAR], const guint8 point[POINT])
{
    if (crypto_scalarmult_ristretto255(out, scalar, point) != 0)
        g_error("ristretto255: a product is the neutral element");
}

void vrf_evaluate(const VrfKey *key, const void *input, gsize length, guint8 output[VRF_OUTPUT_SIZE],
                  guint8 proof[VRF_PROOF_SIZE])
{
    guint8 h[POINT], gamma[POINT], u[POINT], v[POINT], nonce[SCALAR], challenge[SCALAR], product[SCALAR],
        s[SCALAR];
    encode_to_curve(key->public_key, input, length, h);
    multiply(gamma, key->scalar, h);
    output_of(gamma, output);
    if (proof == NULL)
        return;
    nonce_of(key, h, nonce);
    if (crypto_scalarmult_ristretto255_base(u, nonce) != 0)
        g_error("ristretto255: a product is the neutral element");
    multiply(v, nonce, h);
    const guint8 *const points[5] = {key->public_key, h, gamma, u, v};
    challenge_of(points, challenge);
    crypto_core_ristretto255_scalar_mul(product, challenge, key->scalar);
    crypto_core_ristretto255_scalar_add(s, nonce, product);
    memcpy(proof, gamma, POINT);
    memcpy(proof + POINT, challenge, CHALLENGE);
    memcpy(proof + POINT + CHALLENGE, s, SCALAR);
    secret_wipe(nonce, sizeof nonce);
    secret_wipe(product, sizeof product);
}

/* A scalar below the order of the group: reducing it changes nothing. */
static gboolean scalar_canonical(const guint8 scalar[SCALAR])
{
    guint8 wide[VRF_SEED_SIZE] = {0}, reduced[SCALAR];
    memcpy(wide, scalar, SCALAR);
    crypto_core_ristretto255_scalar_reduce(reduced, wide);
    return memcmp(reduced, scalar, SCALAR) == 0;
}

/* a*A - b*B. FALSE when it cannot be made: a factor is neutral, or no element. */
static gboolean difference(guint8 out[POINT], const guint8 *a, const guint8 *point_a, const guint8 *b,
                           const guint8 *point_b)
{
    guint8 first[POINT], second[POINT];
    int made = point_a == NULL ? crypto_scalarmult_ristretto255_base(first, a)
                               : crypto_scalarmult_ristretto255(first, a, point_a);
    return made == 0 && crypto_scalarmult_ristretto255(second, b, point_b) == 0 &&
           crypto_core_ristretto255_sub(out, first, second) == 0;
}

gboolean vrf_verify(const guint8 public_key[VRF_PUBLIC_SIZE], const void *input, gsize length,
                    const guint8 proof[VRF_PROOF_SIZE], guint8 output[VRF_OUTPUT_SIZE])
{
    guint8 h[POINT], u[POINT], v[POINT], challenge[SCALAR] = {0}, expected[SCALAR];
    const guint8 *gamma = proof, *s = proof + POINT + CHALLENGE;
    memcpy(challenge, proof + POINT, CHALLENGE);
    if (!crypto_core_ristretto255_is_valid_point(public_key) || sodium_is_zero(public_key, POINT) ||
        !crypto_core_ristretto255_is_valid_point(gamma) || !scalar_canonical(s))
        return FALSE;
    encode_to_curve(public_key, input, length, h);
    if (!difference(u, s, NULL, challenge, public_key) || !difference(v, s, h, challenge, gamma))
        return FALSE;
    const guint8 *const points[5] = {public_key, h, gamma, u, v};
    challenge_of(points, expected);
    if (memcmp(expected, challenge, CHALLENGE) != 0)
        return FALSE;
    output_of(gamma, output);
    return TRUE;
}
