/* X.509 certificates as FSC uses them: who is it, does it chain to a trust anchor, and its two thumbprints.
 *
 * Certificate and TrustAnchors are immutable after loading, reference counted, and may be shared between
 * threads.
 */
#pragma once

#include <glib.h>
#include <openssl/x509.h>

#define CERTIFICATE_THUMBPRINT_SIZE 44 /* 43 characters of base64url and a NUL */
#define PUBLIC_KEY_THUMBPRINT_SIZE 65  /* 64 hexadecimal digits and a NUL */

typedef struct certificate Certificate;

/* PEM or DER of one leaf, followed in PEM by its intermediates (leaf first). At most 10 certificates, 64 KiB.
 * Exact DER only: another encoding of the same certificate would have another thumbprint. Keys that stand in
 * the same PEM are passed over. NULL with FUNDAMENT_ERROR_INVALID; certificate_load also with the errors of a
 * file (_NOT_FOUND, _IO, _LIMIT). */
Certificate *certificate_parse(const void *data, gsize length, GError **error);
Certificate *certificate_load(const char *path, GError **error);
/* As certificate_parse, from the base64 (not url) DER strings of a JWK's `x5c`, RFC 7517 4.7. */
Certificate *certificate_from_x5c(const char *const *der_base64, gsize count, GError **error);
Certificate *certificate_ref(const Certificate *certificate);
void certificate_unref(Certificate *certificate);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Certificate, certificate_unref)

X509 *certificate_x509(const Certificate *certificate); /* borrowed */

/* base64url(SHA-256(DER)), RFC 7515 4.1.8: `x5t#S256`, and what tokens are bound to. */
const char *certificate_thumbprint(const Certificate *certificate);
/* Lower-case hex of SHA-256 over the SubjectPublicKeyInfo DER: what contracts hold; survives renewal.
 * docs/fsc-readings.md */
const char *certificate_public_key_thumbprint(const Certificate *certificate);

/* The Peer ID: the OIN in subject.serialNumber (Digikoppeling REST API 3.0.1). NULL when it is missing, there
 * twice, or not 20 digits. Borrowed. */
const char *certificate_peer_id(const Certificate *certificate);
/* The Peer name: subject.organizationName. NULL when missing, there twice, or with a NUL in it. Borrowed. */
const char *certificate_peer_name(const Certificate *certificate);
/* TRUE when a dNSName in the subject alternative names matches (RFC 6125, no partial wildcards, no common
 * name). */
gboolean certificate_matches_domain(const Certificate *certificate, const char *domain);
/* Validity in seconds since the epoch, both inclusive. */
gint64 certificate_not_before(const Certificate *certificate);
gint64 certificate_not_after(const Certificate *certificate);
/* Serial number as upper-case hex in whole bytes without leading zero bytes ("0F01"), exactly as nginx's
 * $ssl_client_serial prints it. */
const char *certificate_serial(const Certificate *certificate);

/* DER of the leaf, then of each intermediate, in base64 (not url) for `x5c`; a root that stands behind them
 * is left out. Array of strings with g_free. */
GPtrArray *certificate_x5c(const Certificate *certificate);

typedef struct trust_anchors TrustAnchors;

/* Anchors: PEM with one or more self-signed roots. `crl_path` may be NULL: then no revocation is checked.
 * With a CRL file (PEM, one CRL an issuer) every certificate of a chain below the root is checked; a
 * certificate whose issuer has no CRL in it is refused. An expired CRL refuses everyone until `crl_grace_s`
 * seconds after its nextUpdate (decisions.md 5). */
TrustAnchors *trust_anchors_load(const char *anchors_path, const char *crl_path, gint64 crl_grace_s,
                                 GError **error);
TrustAnchors *trust_anchors_ref(const TrustAnchors *anchors);
void trust_anchors_unref(TrustAnchors *anchors);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(TrustAnchors, trust_anchors_unref)

/* Chain, validity at `now_s`, revocation, no weak keys (RSA >= 2048, EC P-256/384/521), SHA-2 signatures.
 * FALSE with FUNDAMENT_ERROR_DENIED and the reason as OpenSSL names it. As OpenSSL counts, a certificate is
 * expired in the second of its notAfter. */
gboolean trust_anchors_verify(const TrustAnchors *anchors, const Certificate *certificate, gint64 now_s,
                              GError **error);

/* nextUpdate of the CRL that runs out first; 0 without a CRL. */
gint64 trust_anchors_crl_next_update(const TrustAnchors *anchors);
