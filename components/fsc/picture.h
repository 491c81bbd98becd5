/* Pictures for the pages as inline SVG: pure functions of text and numbers to text. Sizes are in em and
 * percent, so that letters stay as large as those of the page on every screen; colours come from the
 * stylesheet. Everything is escaped here. The facts stand in a table beside each picture. */
#pragma once

#include <glib.h>

typedef enum { MARK_WAITS, MARK_ACCEPTED, MARK_REJECTED, MARK_REVOKED, MARK_COUNT } Mark;

typedef struct {
    const char *name; /* of the organisation */
    const char *line; /* what it did, and when */
    Mark mark;
} SignatureBox;

typedef struct {
    const char *title, *description; /* read aloud instead of the picture */
    const char *heading;             /* in the box of the contract itself */
} PictureText;

/* A contract with a line to each organisation that must sign: whole when it signed, dashed while it waits.
 * Caller frees. */
char *picture_signatures(const SignatureBox *boxes, gsize count, const PictureText *text);

#define PLOT_LINES_MAX 3

typedef struct {
    const char *title, *description;
    const double *values[PLOT_LINES_MAX]; /* `count` each; below 0: nothing known there */
    const char *names[PLOT_LINES_MAX];    /* beside the end of each line; NULL: a single series of bars */
    gsize n_lines, count;
    double top; /* the value at the upper edge; above 0 */
    const char *top_label, *middle_label, *first_label, *last_label;
} Plot;

/* Values over time: bars for one series without a name, lines for the others. Caller frees. */
char *picture_plot(const char *id, const Plot *plot);

/* The first of 1, 2, 5, 10, 20, 50 ... that is not below `value`. */
double picture_round_up(double value);
