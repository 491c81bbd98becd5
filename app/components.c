#include "app/components.h"

#include "components/logboek/logboek.h"

/* In the order in which they start: a component may ask those before it. */
const Component *const components[] = {
    &logboek_component,
};
const gsize components_count = G_N_ELEMENTS(components);
