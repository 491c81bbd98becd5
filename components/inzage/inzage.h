/* inzage: the view of a person on itself: which organisation used which data, when, why, under which law, for
 * which decision; and the data. */
#pragma once

#include "core/node/node.h"

extern const Component inzage_component;
