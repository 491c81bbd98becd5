/* A node: one organisation's running program, and what its components share.
 *
 * Everything here is set before the first component starts and not changed after, except where a function
 * says so; all of it may be used from any thread.
 */
#pragma once

#include <glib.h>

#include "core/base/clock.h"
#include "core/crypto/certificate.h"
#include "core/crypto/key.h"
#include "core/crypto/pseudonym.h"
#include "core/net/client.h"
#include "core/node/component.h"
#include "core/node/config.h"
#include "core/node/frames_server.h"
#include "core/store/store.h"

/* Roles of an organisation's leaf certificates; files keys/<role>.key and keys/<role>.crt. */
typedef enum {
    ROLE_MANAGER,  /* TLS of the Manager, as server and as client */
    ROLE_INWAY,    /* TLS server */
    ROLE_OUTWAY,   /* TLS client; its public key is in connection grants */
    ROLE_CONTRACT, /* signs contracts */
    ROLE_TOKEN,    /* signs access tokens and statements */
    ROLE_PORTAL,   /* TLS server of the pages */
    ROLE_COUNT
} Role;

const char *role_name(Role role);

const Config *node_config(const Node *node);
const Clock *node_clock(const Node *node);
Store *node_store(const Node *node);
HttpClient *node_client(const Node *node);
FramesServer *node_frames(const Node *node);
const Pseudonymizer *node_pseudonymizer(const Node *node);
const char *node_oin(const Node *node);
const char *node_name(const Node *node); /* subject.organization of the manager certificate */
const char *node_group_id(const Node *node);
const char *node_data_dir(const Node *node); /* [node] data */
const char *node_run_dir(const Node *node);  /* [node] run */
const char *
node_manager_address(const Node *node); /* "https://host:port" as peers see it: [fsc] manager_address */

/* NULL when the node has no such role. Borrowed. */
const Key *node_key(const Node *node, Role role);
const Certificate *node_certificate(const Node *node, Role role);
TlsIdentity node_tls(const Node *node, Role role); /* paths, for HttpCall.tls; borrowed */

/* Reads keys and certificates again when their files changed, or `always`; keeps the old ones, with a line in
 * the log, when the new ones are not right. Any thread. */
void node_refresh_identity(Node *node, gboolean always);

/* The current trust anchors with CRL (reloaded when the files change): a new reference. */
TrustAnchors *node_anchors(Node *node);

/* TRUE once the node is on its way out: a job that takes long ends early then. */
gboolean node_is_stopping(const Node *node);

/* The context of a component that has started, or NULL. */
gpointer node_component(const Node *node, const char *name);

/* Runs the node until SIGTERM or SIGINT: reads configuration (faults to stderr, each on its line), opens and
 * migrates the store, starts components, server, frames, jobs and outbox, says "ready" (sd_notify when
 * NOTIFY_SOCKET is set, and a line on stderr), serves, stops in reverse. `components` is the table of app/.
 * The exit status. */
int node_serve(const char *config_path, const Component *const *components, gsize n_components);

/* Configuration alone, checked as for serve; faults to stderr; NULL when there are any. */
Config *node_load_config(const char *config_path, const Component *const *components, gsize n_components);

/* The same, with the faults as texts in `faults` (array of strings, given empty, with g_free). */
Config *node_read_config(const char *config_path, const Component *const *components, gsize n_components,
                         GPtrArray *faults);

/* The keys of [node], [limits], [outbox] and the other sections of core/node. */
const ConfigKey *node_config_keys(gsize *count);

/* For tests: a node without server, around a given store (which is migrated for every component), clock and
 * configuration (which must hold the keys of core/node: see node_config_for_test). Keys, certificates and
 * anchors that are missing are left out; without any the OIN is "00000099999999999000". node_frames() is
 * NULL, which the functions of frames_server.h take as "nobody listens". */
Node *node_new_for_test(const Config *config, Store *store, const Clock *clock, GError **error);
/* Starts one component as serve does; node_free() stops it. */
gboolean node_start_component(Node *node, const Component *component, GError **error);
/* For tests: node.conf from text, with folder `folder` for relative paths; `components` bring their keys.
 * Ends the test program when it has faults. */
Config *node_config_for_test(const char *folder, const char *text, const Component *const *components,
                             gsize n_components);
void node_free(Node *node);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Node, node_free)
