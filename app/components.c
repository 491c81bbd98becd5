#include "app/components.h"

#include "components/brp/brp.h"
#include "components/fsc/fsc.h"
#include "components/inzage/inzage.h"
#include "components/logboek/logboek.h"

/* In the order in which they start: a component may ask those before it. */
const Component *const components[] = {
    &logboek_component,
    &fsc_component,
    &brp_component,
    &inzage_component,
};
const gsize components_count = G_N_ELEMENTS(components);
