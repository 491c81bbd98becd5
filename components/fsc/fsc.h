/* fsc: Federated Service Connectivity. Manager and Directory (FSC Core 2.0.0, 4.4 and 4.5), the node's side
 * of Inway and Outway (frames), and the transaction log's API (FSC Logging 1.1.0). What other components may
 * ask of it. */
#pragma once

#include <jansson.h>

#include "core/node/node.h"

typedef struct fsc Fsc;

extern const Component fsc_component;

Fsc *fsc_of(const Node *node);

/* The name of an organisation as its certificate has it, from what this Manager knows; the Peer ID itself
 * when unknown. Caller frees. */
char *fsc_peer_name(Fsc *fsc, const char *peer_id);

/* The address of an organisation's Manager ("https://host:port"), from what this Manager knows; NULL when
 * unknown. Caller frees. */
char *fsc_peer_address(Fsc *fsc, const char *peer_id);

/* Whether the portal of this node has the catalogue of the group, at /catalogus: TRUE at the Directory. */
gboolean fsc_has_catalogue(const Fsc *fsc);

/* Services with this name in the Directory of the group (asked there, kept for a minute): array of
 * {"peer_id", "peer_name", "manager_address"} in the order of the Directory. When the Directory does not
 * answer, what was last known, with `*stale` set. */
json_t *fsc_services_named(Fsc *fsc, const char *service_name, gboolean *stale, GError **error);
