/* Where requests go: an address and, over TLS, a name; with the connections kept open to it and the last TLS
 * session.
 *
 * nginx 1.22 pools upstream connections by socket address alone, so that a request for one TLS name could
 * travel over a connection whose certificate was checked against another: two Inways behind one port would
 * get each other's requests (decisions.md 3). Here both belong to the key. Our own certificate is the same
 * for all.
 */
#pragma once

#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#include <ngx_event_connect.h>

typedef struct fsc_targets FscTargets;

typedef struct fsc_target {
    ngx_queue_t chain; /* in its bucket */
    FscTargets *targets;
    ngx_uint_t references;
    ngx_str_t address; /* "unix:PATH" or "ip:port" */
    ngx_str_t name;    /* TLS name, "" without TLS */
    ngx_str_t host;    /* for the header Host: name, with the port unless it is 443 */
    union {
        struct sockaddr any;
        struct sockaddr_storage storage;
    } socket;
    socklen_t socket_length;
    ngx_queue_t idle; /* connections, the one used last first */
    ngx_ssl_session_t *session;
} FscTarget;

FscTargets *fsc_targets_create(ngx_cycle_t *cycle);

/* The target of this address and name: a reference, the same one for all. NULL when the address cannot be
 * read or memory runs out. */
FscTarget *fsc_target_get(FscTargets *targets, const ngx_str_t *address, const ngx_str_t *name);
void fsc_target_ref(FscTarget *target);
void fsc_target_unref(FscTarget *target);

/* TRUE for a Unix socket in the same folder as `path`. */
ngx_flag_t fsc_target_is_beside(const FscTarget *target, const ngx_str_t *path);
/* TRUE when there is an open connection, or one can be made at once; for Unix sockets. */
ngx_flag_t fsc_target_answers(const FscTarget *target);

/* An open connection that nobody uses, or NULL. */
ngx_connection_t *fsc_target_take(FscTarget *target, ngx_log_t *log);
/* Keeps a connection for the next request, at most `idle_max` of all targets together for at most `idle_ms`.
 */
void fsc_target_keep(FscTarget *target, ngx_connection_t *connection, ngx_uint_t idle_max,
                     ngx_msec_t idle_ms);

/* Closes what nobody uses and forgets TLS sessions: after a certificate was revoked, or keys changed. */
void fsc_targets_renew(FscTargets *targets);
/* How often that was done: a connection that was taken before the last time is not to be kept. */
ngx_uint_t fsc_targets_renewed(const FscTargets *targets);
