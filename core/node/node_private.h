/* What the files of core/node share about a Node; not for others. */
#pragma once

#include "core/net/limits.h"
#include "core/node/disk.h"
#include "core/node/node.h"

typedef struct jobs Jobs;
typedef struct outbox_sender OutboxSender;
typedef struct request_metrics RequestMetrics;

/* Keys and certificates of one moment; replaced as a whole when they are read again. */
typedef struct {
    Key *keys[ROLE_COUNT];
    Certificate *certificates[ROLE_COUNT];
} Identity;

typedef struct {
    const Component *component;
    gpointer context;
} Running;

struct node {
    const Config *config;
    Config *own_config; /* the same, when this node frees it */
    const Clock *clock;
    Store *store;
    Store *own_store;
    HttpClient *client;
    FramesServer *frames;
    Pseudonymizer *pseudonymizer;
    char *oin;
    char *name;
    char *paths[ROLE_COUNT][2]; /* certificate, key */
    TlsIdentity tls[ROLE_COUNT];
    struct officers *officers;
    Identity *identity; /* atomic */
    GMutex identity_lock;
    guint64 identity_stamp; /* of the files that were read, under the lock */
    GPtrArray *retired;     /* Identity*: borrowed keys live as long as the node */

    GMutex anchors_lock;
    TrustAnchors *anchors;
    guint64 anchors_stamp;         /* of the files that were read */
    TrustAnchors *officer_anchors; /* NULL: there is no office */
    guint64 officer_anchors_stamp;

    GArray *running; /* Running: components, in the order of the table */
    GRWLock frames_lock;
    gboolean frames_serving; /* under frames_lock */
    FrameHandler frame_handlers[16];
    gpointer frame_contexts[16];

    Limits *peer_limits;
    Limits *portal_limits;
    Limits *address_limits;
    RequestMetrics *metrics;
    GRWLock threads_lock; /* the two below appear and go while components run */
    Jobs *jobs;
    OutboxSender *outbox;
    gint64 started_ms;
    Disk *disk;              /* NULL in tests */
    gint stopping;           /* atomic */
    int alarmed[ROLE_COUNT]; /* of keys_alarm(): the last alarm of each certificate in days, plus 1 */
};

/* The keys of [node], [limits] and [outbox]. */
extern const ConfigKey node_keys[];
extern const gsize node_keys_count;

/* --- identity.c --- */
/* Reads keys/<role>.{key,crt}; a role of which both are missing is left out. All carry the same OIN, and keys
 * fit. */
Identity *identity_load(const Config *config, GError **error);
void identity_free(Identity *identity);
/* Changes when one of the files does. */
guint64 identity_stamp(const Config *config);
/* keys/<role>.<suffix>. Caller frees. */
char *identity_path(const Config *config, Role role, const char *suffix);

/* --- node.c --- */
/* Everything but frames, components, jobs and outbox. Takes nothing. */
Node *node_new(const Config *config, Store *store, const Clock *clock, gboolean test, GError **error);
gboolean node_start_components(Node *node, const Component *const *components, gsize n_components,
                               GError **error);
void node_stop_components(Node *node);
gboolean node_component_on(const Config *config, const Component *component);

/* --- anchors.c --- */
gboolean node_load_anchors(Node *node, GError **error);
/* Those of the internal authority, likewise; TRUE when there is no office. */
gboolean node_load_officer_anchors(Node *node, GError **error);
/* A new reference, or NULL. */
TrustAnchors *node_officer_anchors(Node *node);
/* Serials in the CRLs of a file as nginx writes them, and a NULL at the end. */
GPtrArray *node_revoked_serials(const char *crl_path);
void node_tell_revoked(Node *node);
/* Reads the anchors and the CRL again when their files changed, and tells the edge. */
void node_refresh_anchors(Node *node, gboolean always);

/* --- schema.c --- */
/* Migrates for core/node itself and for these components; every embedded one when `components` is NULL. */
gboolean node_migrate(Store *store, const Component *const *components, gsize n_components, GError **error);

/* --- requests.c: what happens around each request --- */
RequestMetrics *request_metrics_new(void);
void request_metrics_free(RequestMetrics *metrics);
void request_metrics_write(RequestMetrics *metrics, GString *out);
gboolean node_before_request(Request *request, const Route *route, gpointer node);
void node_after_request(const Request *request, const Route *route, guint status, gint64 duration_us,
                        gpointer node);

/* --- officer.c --- */
extern const char *const officer_role_names[]; /* the words of [officer.NAME] roles, NULL-terminated */
/* Before a handler of the office listener: whose certificate is it? FALSE when a page was answered. */
gboolean officer_admit(Node *node, Request *request, const Route *route);

/* --- health.c: the routes of the node itself --- */
extern const Route node_routes[];
extern const gsize node_routes_count;

/* --- retention_api.c --- */
extern const Route retention_routes[];
extern const gsize retention_routes_count;
extern const ApiDocument node_document;

/* --- jobs.c --- */
Jobs *jobs_start(Node *node);
void jobs_stop(Jobs *jobs);
/* One round: runs what is due now. The time until the next is due, ms. For tests and the thread. */
gint64 jobs_run_due(Jobs *jobs);
Jobs *jobs_new(Node *node);
void jobs_metrics(Jobs *jobs, GString *out);
void jobs_free(Jobs *jobs);

/* --- outbox_sender.c --- */
OutboxSender *outbox_sender_start(Node *node);
void outbox_sender_stop(OutboxSender *sender);
void outbox_sender_wake(OutboxSender *sender);
/* One round: tries what is due now. The time until the next is due, ms. */
gint64 outbox_run_due(Node *node);
void outbox_metrics(Node *node, GString *out);
