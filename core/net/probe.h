/* A look at a TLS server, for diagnosis: everything that can be seen of it, also when it is not to be
 * trusted. Nothing is sent but the handshake. What was seen is judged by the caller
 * (core/crypto/certificate.h); data never travels over a probe. */
#pragma once

#include "core/crypto/certificate.h"
#include "core/net/client.h"

typedef struct {
    gboolean connected;       /* TCP */
    gboolean handshake;       /* TLS */
    char *error;              /* why not; NULL when both stand */
    char *version;            /* "TLSv1.3" */
    char *cipher;             /* "TLS_AES_256_GCM_SHA384" */
    Certificate *certificate; /* with what the server sent behind it; NULL when none could be read */
} TlsProbe;

/* `ip` is an address, `name` the TLS name (SNI). `identity` shows our certificate when asked; NULL: none.
 * Blocks, at most `timeout_ms` for each of the two. Never NULL. */
TlsProbe *tls_probe(const char *ip, guint port, const char *name, const TlsIdentity *identity,
                    guint timeout_ms);
void tls_probe_free(TlsProbe *probe);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(TlsProbe, tls_probe_free)
