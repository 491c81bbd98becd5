/* brp: a basic register of persons as a source (Haal Centraal BRP bevragen v2). The only place where a BSN
 * rests. */
#pragma once

#include "core/node/node.h"

extern const Component brp_component;
