#include "app/components.h"

/* In the order in which they start: a component may ask those before it. */
const Component *const components[] = {
    NULL,
};
const gsize components_count = G_N_ELEMENTS(components) - 1;
