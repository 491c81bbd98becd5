/* What this program is made of. */
#pragma once

#include "core/node/component.h"

extern const Component *const components[];
extern const gsize components_count;
