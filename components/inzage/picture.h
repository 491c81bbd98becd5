/* Pictures as inline SVG, without script or style: widths in percent and heights in em, so that text keeps
 * its size when the page is narrow or magnified. What they show stands in words beside them. Pure. */
#pragma once

#include "components/inzage/timeline.h"

typedef struct {
    const char *title, *description; /* what somebody hears who does not see it */
    const char *const *rows;         /* a name for each row */
    const char *const *labels;       /* below each bucket */
    const char *const *years;        /* below that, "" where it stays the same */
} TimelineText;

/* A strip for each row, a bar for each bucket in which something happened. Caller frees. */
char *picture_timeline(const Timeline *timeline, const TimelineText *text);

/* One box in the picture of a chain. */
typedef struct {
    char *heading; /* who */
    char *line;    /* did what */
    guint depth;   /* below its parent's */
    int parent;    /* index of the box that asked, -1: none */
    gboolean gap;  /* nothing is known of it: drawn with a broken line */
} Box;

void box_clear(gpointer box);

/* `boxes`: array of Box, parents before children. Caller frees. */
char *picture_chain(const GArray *boxes, const char *title, const char *description);
