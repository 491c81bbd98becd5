/* The table of components, for commands that look at node.conf as a whole. */
#include "core/node/component.h"

static const Component *const *table;
static gsize table_length;

void component_table_set(const Component *const *components, gsize count)
{
    table = components;
    table_length = count;
}

const Component *const *component_table(gsize *count)
{
    *count = table_length;
    return table;
}
