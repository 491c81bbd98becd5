/* The certificate of a client, read once a TLS connection, and the list of revoked ones. */
#pragma once

#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "core/node/frames.h"
#include "fsc_trust.h"

#define FSC_THUMBPRINT_SIZE 43 /* base64url of 32 bytes, without padding */

typedef struct fsc_revoked FscRevoked;

typedef struct {
    u_char thumbprint[FSC_THUMBPRINT_SIZE]; /* x5t#S256, RFC 7515 4.1.8 */
    ngx_str_t serial;                       /* upper-case hex, as $ssl_client_serial */
    ngx_uint_t checked;                     /* the list against which it was checked */
    unsigned revoked : 1;
    FscTrustMark trust;
} FscCertificate;

/* To be called once, when the module starts. */
ngx_int_t fsc_certificate_init(void);

/* The client's certificate, kept with the TLS connection; NULL without TLS or certificate. */
FscCertificate *fsc_certificate_of(ngx_http_request_t *http);

FscRevoked *fsc_revoked_create(ngx_cycle_t *cycle);
/* The payload of a FRAME_REVOKED. A list may come in parts; a whole one replaces the one before. */
void fsc_revoked_take(FscRevoked *revoked, const u_char *payload, size_t length);
/* TRUE when the certificate is on the list. Looked up once a list and a TLS connection. */
ngx_flag_t fsc_revoked_check(const FscRevoked *revoked, FscCertificate *certificate);
