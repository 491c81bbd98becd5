/* The jobs of the node itself: what has run out is thrown away. */
#pragma once

#include "core/node/component.h"

extern const Job housekeeping_jobs[];
extern const gsize housekeeping_jobs_count;
