#include "components/fsc/clock_rules.h"

#include <stdlib.h>

static int compare(const void *a, const void *b)
{
    const gint64 *left = a, *right = b;
    return (*left > *right) - (*left < *right);
}

gint64 clock_off_by_witnesses(gint64 *offsets, gsize count)
{
    gsize behind = 0, ahead = 0;
    for (gsize i = 0; i < count; i++) {
        behind += offsets[i] > CLOCK_OFF_MS;
        ahead += offsets[i] < -CLOCK_OFF_MS;
    }
    gsize most = MAX(behind, ahead);
    if (most < CLOCK_WITNESSES_MIN || most * 2 <= count)
        return 0;
    qsort(offsets, count, sizeof *offsets, compare);
    return offsets[count / 2];
}
