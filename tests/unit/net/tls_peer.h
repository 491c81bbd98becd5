/* Another organisation's HTTPS server, as small as can be: answers every request on every connection with the
 * same answer, and counts. */
#pragma once

#include <glib.h>

typedef struct {
    const char *certificate; /* paths */
    const char *key;
    const char *client_anchors; /* when set, clients must show a certificate below these */
    int max_version;            /* TLS1_1_VERSION and so on; 0: any */
} TlsPeerOptions;

typedef struct tls_peer TlsPeer;

TlsPeer *tls_peer_start(const TlsPeerOptions *options);
void tls_peer_stop(TlsPeer *peer);

guint16 tls_peer_port(const TlsPeer *peer);
/* Handshakes that succeeded, and requests that came in. */
guint tls_peer_connections(TlsPeer *peer);
guint tls_peer_requests(TlsPeer *peer);
