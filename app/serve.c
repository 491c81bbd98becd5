#include "app/commands.h"
#include "app/components.h"
#include "core/node/node.h"

int command_serve(int argc, char **argv)
{
    g_autofree char *given = NULL;
    int status = 0;
    const GOptionEntry options[] = {
        {"config", 'c', 0, G_OPTION_ARG_FILENAME, &given,
         "The configuration (default $FUNDAMENT_CONF, node.conf)", "FILE"},
        G_OPTION_ENTRY_NULL,
    };
    if (!command_options(&argc, &argv, options, NULL,
                         "Runs the node until SIGTERM or SIGINT; SIGHUP reads keys, anchors and CRL again.",
                         &status))
        return status;
    if (argc > 1)
        return command_usage("serve takes no \"%s\"; the file goes behind --config", argv[1]);
    g_autofree char *path = config_choose_path(given);
    return node_serve(path, components, components_count);
}
