/* What the files of the module share: the state of a worker and of a request.
 *
 * Each worker has one socket to `fundament serve` (fsc_frames), a cache of verdicts about access tokens and
 * one of routes (fsc_cache), and a pool of connections to where requests go (fsc_target). A request goes
 * through the steps of its role (fsc_request.c), waiting where an answer of `serve` is needed, before nginx's
 * proxy module forwards it.
 *
 * Everything runs on the one thread of a worker.
 */
#pragma once

#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "core/node/frames.h"

#include "fsc_cache.h"
#include "fsc_certificate.h"
#include "fsc_error.h"
#include "fsc_frames.h"
#include "fsc_target.h"
#include "fsc_traffic.h"
#include "fsc_transaction.h"
#include "fsc_trust.h"

extern ngx_module_t ngx_http_fsc_module;

typedef enum {
    FSC_ROLE_NONE,
    FSC_ROLE_INWAY,  /* fsc_inway: the FSC Inway, requests of other organisations for our services */
    FSC_ROLE_OUTWAY, /* fsc_outway NAME: the FSC Outway, requests of our client NAME for services of others */
    FSC_ROLE_NODE,   /* fsc_node: requests for `serve` itself (Manager, portal, log) */
    FSC_ROLE_COUNT
} FscRole;

typedef struct {
    ngx_str_t socket; /* fsc_frames unix:PATH */
    FscFrames *frames;
    FscTraffic *traffic;
    FscCache *verdicts;
    FscCache *routes;
    FscTargets *targets;
    FscRevoked *revoked;
    ngx_str_t anchors, crl; /* fsc_trust ANCHORS [CRL [GRACE]] */
    time_t crl_grace;
    FscTrust *trust;  /* NULL without fsc_trust: what nginx checked when the connection was made has to do */
    ngx_event_t look; /* at files, now and then */
    ngx_array_t outways; /* ngx_http_upstream_conf_t *: the proxy's, of locations with fsc_outway */
} FscMain;

typedef struct {
    FscRole role;
    FscErrorForm errors; /* how errors of this location are written */
    ngx_str_t client;    /* of an Outway */
    ngx_str_t node;      /* of a node location: "unix:PATH" */
} FscLocation;

/* A request in the hands of the module. Lives in the request's pool. */
typedef struct fsc_request {
    ngx_http_request_t *http;
    FscMain *main;
    const FscLocation *location;
    ngx_uint_t step;           /* index in the steps of the role */
    const FscRefusal *refusal; /* why it is refused, or NULL */
    ngx_str_t refusal_message; /* what `serve` said, or "" */
    FscTicket ticket;          /* our place among those who wait for a verdict or a route */
    FscAnswer *answer;         /* the verdict or the route; a reference */
    FscTarget *target;         /* where it goes; a reference */
    FscCall call;              /* LOG, or waiting for `serve` itself */
    ngx_event_t again;         /* looks whether `serve` is back */
    uint64_t began_us;         /* when its headers were here */
    ngx_msec_t held;           /* since when it waits for that; 0: it does not */

    /* Headers of the client; data NULL when absent. */
    ngx_str_t authorization;
    ngx_str_t grant_hash;
    ngx_str_t client_transaction;
    ngx_str_t traceparent;
    ngx_uint_t repeated; /* FSC_REPEATED_*: headers that came more than once */

    u_char transaction[FSC_TRANSACTION_SIZE];
    ngx_str_t transaction_id; /* of this request: the client's or our own; "" until known */
    ngx_uint_t renewed;       /* how often connections had been renewed when this request took one */
    unsigned waiting : 1;
    unsigned logged : 1;
    unsigned started : 1;
} FscRequest;

#define FSC_REPEATED_AUTHORIZATION 1U
#define FSC_REPEATED_TRANSACTION 2U
#define FSC_REPEATED_GRANT_HASH 4U

/* The access phase of a location with a role: NGX_OK to go on, NGX_AGAIN while waiting, NGX_DONE when
 * answered with an error. */
ngx_int_t fsc_request_access(ngx_http_request_t *http);

/* The request's state, also after an internal redirect (which clears module contexts); NULL when it has none.
 */
FscRequest *fsc_request_of(ngx_http_request_t *http);

/* Goes on with a request that waited. The request may be gone afterwards. */
void fsc_request_resume(FscRequest *request);

/* The log phase: counts what came of a request, and tells `serve` that of a logged one of the Outway. */
void fsc_request_outcome(ngx_http_request_t *http);

/* The `upstream` directive fsc_balance. */
char *fsc_balance_directive(ngx_conf_t *conf, ngx_command_t *command, void *unused);

static inline FscMain *fsc_main_of(ngx_http_request_t *http)
{
    return ngx_http_get_module_main_conf(http, ngx_http_fsc_module);
}
