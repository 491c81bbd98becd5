#include "core/node/edge.h"

#include "app/commands.h"
#include "app/components.h"

int command_edge(int argc, char **argv)
{
    return edge_command(argc, argv, components, components_count);
}
