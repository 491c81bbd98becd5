/* A test PKI: an own trust anchor, leaves with the OIN in subject.serialNumber, and a CRL. Never for
 * production: every certificate carries "TEST" in its issuer. `fundament pki` is the command around it. */
#pragma once

#include <glib.h>

#include "core/crypto/certificate.h"
#include "core/crypto/key.h"

typedef struct {
    const char *oin; /* subject.serialNumber; NULL leaves it out (for tests of what must be refused) */
    const char *organization;     /* subject.organizationName; NULL likewise */
    const char *common_name;      /* required */
    const char *const *domains;   /* NULL-terminated dNSName entries */
    gint64 not_before, not_after; /* seconds since the epoch */
    const Key *key;               /* the leaf's own; NULL makes a new P-256 key */
} PkiLeaf;

/* Makes anchor.key, anchor.crt (self-signed, 10 years) and an empty crl.pem (30 days) in `folder`. Refuses to
 * overwrite. */
gboolean pki_create(const char *folder, const char *name, gint64 now_s, GError **error);

/* Issues a leaf (EKU serverAuth and clientAuth) and writes <name>.key (mode 0600) and <name>.crt in
 * `out_folder`, which is made when missing; earlier files of that name are replaced. */
gboolean pki_issue(const char *folder, const PkiLeaf *leaf, const char *out_folder, const char *name,
                   GError **error);

/* <name>.key and <name>.crt of `folder` as <name>.p12 (PKCS#12, mode 0600), for a browser: the key, the
 * certificate and that of the anchor in `anchor_folder`, under a password of UTF-8. */
gboolean pki_export(const char *anchor_folder, const char *folder, const char *name, const char *password,
                    GError **error);

/* Adds the certificate to crl.pem with a new number and update times; next update `valid_s` seconds after
 * now. Revoking what is revoked already gives a new CRL with the first date. Safe with others that revoke in
 * the same folder. */
gboolean pki_revoke(const char *folder, const Certificate *certificate, gint64 now_s, gint64 valid_s,
                    GError **error);
