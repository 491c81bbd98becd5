/* The edge: nginx with our module, configured from node.conf (docs/edge.md).
 *
 *   fundament edge [--config FILE]            runs nginx in the foreground, in the place of this program
 *   fundament edge --print | --test | --reload
 */
#pragma once

#include <glib.h>

#include "core/node/component.h"
#include "core/node/config.h"

/* The keys of [edge], rows for the table of the node's own keys. */
#define EDGE_CONFIG_KEYS                                                                                     \
    {"edge", "address", CONFIG_LIST,                                                                         \
     FALSE,  NULL,      "IP addresses at which other organisations and citizens reach this node"},           \
        {"edge", "nginx", CONFIG_PATH, FALSE, "/usr/sbin/nginx", "the nginx program"},                       \
        {"edge", "module", CONFIG_PATH,                                                                      \
         FALSE,  NULL,     "the nginx module; default beside this program or in its library folder"},        \
        {"edge", "workers", CONFIG_INTEGER,                                                                  \
         FALSE,  "1",       "processes of nginx that handle requests; at most one a core"},                  \
        {"edge", "body_max", CONFIG_INTEGER,                                                                 \
         FALSE,  "1GiB",     "the largest body that passes Inway and Outway; 0: any size"},                  \
    {                                                                                                        \
        "edge", "answer_timeout", CONFIG_INTEGER, FALSE, "60s", "how long a service may be silent"           \
    }

/* The text of nginx.conf. FUNDAMENT_ERROR_INVALID for what node.conf cannot mean: the message names section
 * and key. Caller frees. */
char *edge_render(const Config *config, GError **error);

/* The subcommand. `components` is the table of app/: their sections say what listens where. */
int edge_command(int argc, char **argv, const Component *const *components, gsize n_components);
