/* When other clocks say that ours is wrong (decisions.md 11). Pure. */
#pragma once

#include <glib.h>

/* By how much a clock may differ from the others' before its owner signs nothing, ms: the tolerance that
 * others have for the times in our signatures. */
#define CLOCK_OFF_MS 60000
/* One other clock that differs may itself be the one that is wrong. */
#define CLOCK_WITNESSES_MIN 2

/* `offsets`: their clocks minus ours, ms. The median when more than half of them, and CLOCK_WITNESSES_MIN at
 * least, differ from ours by more than CLOCK_OFF_MS in the same direction; otherwise 0. Sorts `offsets`. */
gint64 clock_off_by_witnesses(gint64 *offsets, gsize count);
