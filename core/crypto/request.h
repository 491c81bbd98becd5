/* Certificate signing requests (PKCS#10, RFC 2986): what an organisation sends to its certificate authority.
 */
#pragma once

#include "core/crypto/key.h"

typedef struct {
    const char *oin;          /* subject.serialNumber */
    const char *organization; /* subject.organizationName */
    const char *common_name;
    const char *const *domains; /* dNSNames, NULL-terminated; may be NULL */
} CertificateRequest;

/* PEM, signed with the key. NULL with FUNDAMENT_ERROR_INVALID for what cannot stand in a certificate. Caller
 * frees. */
char *certificate_request_make(const CertificateRequest *request, const Key *key, GError **error);
