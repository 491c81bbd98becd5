#include "components/inzage/picture.h"

#include <string.h>

#include "components/inzage/words.h"
#include "core/format/mustache.h"

#define NAME_CHARACTERS 38
#define LABELS_MAX 5

static void element(GString *out, const char *before, const char *text, const char *after)
{
    g_string_append(out, before);
    html_escape_append(out, text);
    g_string_append(out, after);
}

/* 1234 as "12.34": hundredths, so that no locale and no float can come between. */
static const char *hundredths(char buffer[32], guint value)
{
    g_snprintf(buffer, 32, "%u.%02u", value / 100, value % 100);
    return buffer;
}

static void open_svg(GString *out, const char *id, guint height, const char *title, const char *description)
{
    char h[32];
    g_string_append_printf(
        out,
        "<svg class=\"fn-chart\" role=\"img\" aria-labelledby=\"%s-t %s-d\" width=\"100%%\" "
        "height=\"%sem\" focusable=\"false\">",
        id, id, hundredths(h, height));
    g_string_append_printf(out, "<title id=\"%s-t\">", id);
    element(out, "", title, "</title>");
    g_string_append_printf(out, "<desc id=\"%s-d\">", id);
    element(out, "", description, "</desc>");
}

/* --- the timeline --- */

#define ROW 480  /* hundredths of an em, from row to row */
#define BASE 440 /* of a row: where bars stand */
#define BAR 180u /* the highest bar */
#define BAR_LOWEST 50
#define AXIS 300
#define NUMBERS_MAX 24 /* more bars are too narrow for a number above each */

static guint share(guint index, guint of)
{
    return 10000 * index / of;
}

static guint rise_of(const Timeline *timeline, guint count)
{
    return MAX(BAR * count / MAX(timeline->highest, 1), BAR_LOWEST);
}

/* All bars of a row in one path, in a box of its own that is as wide as the page: 100 units a bucket,
 * hundredths of an em high. */
static void bars(GString *out, const Timeline *timeline, guint row)
{
    char y[32];
    g_string_append_printf(out, "<svg y=\"%sem\" width=\"100%%\" height=\"1.8em\" viewBox=\"0 0 %u %u\" ",
                           hundredths(y, row * ROW + BASE - BAR), timeline->n_buckets * 100, BAR);
    g_string_append(out, "preserveAspectRatio=\"none\"><path class=\"fn-chart__bar\" d=\"");
    for (guint i = 0; i < timeline->n_buckets; i++) {
        guint count = timeline_count(timeline, row, i), rise = rise_of(timeline, count);
        if (count > 0)
            g_string_append_printf(out, "M%u %uh80v-%uh-80z", i * 100 + 10, BAR, rise);
    }
    g_string_append(out, "\"/></svg>");
}

static void numbers(GString *out, const Timeline *timeline, guint row)
{
    char x[32], y[32];
    guint n = timeline->n_buckets;
    for (guint i = 0; n <= NUMBERS_MAX && i < n; i++) {
        guint count = timeline_count(timeline, row, i);
        if (count > 0)
            g_string_append_printf(out, "<text text-anchor=\"middle\" x=\"%s%%\" y=\"%sem\">%u</text>",
                                   hundredths(x, share(i, n) + share(1, n) / 2),
                                   hundredths(y, row * ROW + BASE - rise_of(timeline, count) - 25), count);
    }
}

static void row_of(GString *out, const Timeline *timeline, const TimelineText *text, guint row)
{
    char y[32];
    g_autofree char *name = text_cut(text->rows[row], NAME_CHARACTERS);
    g_string_append_printf(out, "<text x=\"0\" y=\"%sem\" font-weight=\"600\"",
                           hundredths(y, row * ROW + 120));
    element(out, ">", name, "</text>");
    hundredths(y, row * ROW + BASE);
    g_string_append_printf(
        out, "<line class=\"fn-chart__grid\" x1=\"0\" x2=\"100%%\" y1=\"%sem\" y2=\"%sem\"/>", y, y);
    bars(out, timeline, row);
    numbers(out, timeline, row);
}

/* The outermost labels stay inside the picture. */
static void label(GString *out, guint index, guint n, guint y, const char *text)
{
    char x[32], h[32];
    gboolean first = index == 0 && n > 1, last = index == n - 1;
    guint place = first ? 0 : last ? 10000 : share(index, n) + share(1, n) / 2;
    g_string_append_printf(out, "<text text-anchor=\"%s\" x=\"%s%%\" y=\"%sem\"",
                           first  ? "start"
                           : last ? "end"
                                  : "middle",
                           hundredths(x, place), hundredths(h, y));
    element(out, ">", text, "</text>");
}

/* So many labels that they fit side by side on a small screen; always the last one, which is now. The year
 * stands where it changes. */
static void axis(GString *out, const Timeline *timeline, const TimelineText *text)
{
    guint n = timeline->n_buckets, step = MAX((n + LABELS_MAX - 1) / LABELS_MAX, 1),
          top = timeline->n_rows * ROW;
    const char *year = "";
    for (guint i = (n + step - 1) % step; i < n; i += step) {
        label(out, i, n, top + 110, text->labels[i]);
        if (strcmp(year, text->years[i]) != 0)
            label(out, i, n, top + 240, text->years[i]);
        year = text->years[i];
    }
}

char *picture_timeline(const Timeline *timeline, const TimelineText *text)
{
    GString *out = g_string_new(NULL);
    open_svg(out, "tijdlijn", timeline->n_rows * ROW + AXIS, text->title, text->description);
    for (guint row = 0; row < timeline->n_rows; row++)
        row_of(out, timeline, text, row);
    axis(out, timeline, text);
    g_string_append(out, "</svg>");
    return g_string_free(out, FALSE);
}

/* --- the chain --- */

#define LINE 150  /* from line to line */
#define SPACE 120 /* between boxes */
#define INDENT 8  /* percent a level */
#define DEPTH_MAX 4
#define LINES_MAX 2
#define HEADING_CHARACTERS 30
#define LINE_CHARACTERS 34

void box_clear(gpointer data)
{
    Box *box = data;
    g_free(box->heading);
    g_free(box->line);
}

static const Box *box_at(const GArray *boxes, guint index)
{
    return &g_array_index(boxes, Box, index);
}

static guint level_of(const Box *box)
{
    return MIN(box->depth, DEPTH_MAX);
}

static guint left_of(const Box *box)
{
    return level_of(box) * INDENT;
}

static char **lines_of(const Box *box)
{
    return text_wrap(box->line, LINE_CHARACTERS - 3 * level_of(box), LINES_MAX);
}

static guint height_of(const Box *box)
{
    g_auto(GStrv) lines = lines_of(box);
    return (1 + g_strv_length(lines)) * LINE + 110;
}

/* Where a box begins; past the last one: how high the picture is. */
static guint top_of(const GArray *boxes, guint index)
{
    guint top = 20;
    for (guint i = 0; i < index; i++)
        top += height_of(box_at(boxes, i)) + SPACE;
    return top;
}

static const char *dashes_of(gboolean gap)
{
    return gap ? " stroke-dasharray=\"6\"" : "";
}

static void line_of(GString *out, const char *dashes, guint x1, guint x2, guint y1, guint y2)
{
    char top[32], bottom[32];
    g_string_append_printf(
        out, "<line class=\"fn-chart__line\"%s x1=\"%u%%\" x2=\"%u%%\" y1=\"%sem\" y2=\"%sem\"/>", dashes, x1,
        x2, hundredths(top, y1), hundredths(bottom, y2));
}

/* Down from the box that asked, then to the right into this one. */
static void connector(GString *out, const GArray *boxes, guint index)
{
    char y[32];
    const Box *box = box_at(boxes, index);
    if (box->parent < 0)
        return;
    const Box *parent = box_at(boxes, (guint)box->parent);
    guint from = left_of(parent) + INDENT / 2, to = left_of(box);
    guint top = top_of(boxes, (guint)box->parent) + height_of(parent);
    guint end = top_of(boxes, index) + (to > from ? height_of(box) / 2 : 0);
    const char *dashes = dashes_of(box->gap || parent->gap);
    line_of(out, dashes, from, from, top, end);
    if (to <= from)
        return;
    line_of(out, dashes, from, to, end, end);
    g_string_append_printf(out, "<circle class=\"fn-chart__bar\" cx=\"%u%%\" cy=\"%sem\" r=\".35em\"/>", to,
                           hundredths(y, end));
}

static void draw_box(GString *out, const GArray *boxes, guint index)
{
    char y[32], height[32];
    const Box *box = box_at(boxes, index);
    guint left = left_of(box), top = top_of(boxes, index);
    g_autofree char *heading = text_cut(box->heading, HEADING_CHARACTERS - 3 * level_of(box));
    g_auto(GStrv) lines = lines_of(box);
    g_string_append_printf(
        out,
        "<rect class=\"fn-chart__line\"%s x=\"%u.4%%\" y=\"%sem\" width=\"%u%%\" height=\"%sem\" "
        "rx=\".4em\"/>",
        dashes_of(box->gap), left, hundredths(y, top), 99 - left, hundredths(height, height_of(box)));
    g_string_append_printf(out, "<text font-weight=\"700\" x=\"%u%%\" y=\"%sem\"", left + 4,
                           hundredths(y, top + 165));
    element(out, ">", heading, "</text>");
    for (guint i = 0; lines[i] != NULL; i++) {
        g_string_append_printf(out, "<text x=\"%u%%\" y=\"%sem\"", left + 4,
                               hundredths(y, top + 165 + (i + 1) * LINE));
        element(out, ">", lines[i], "</text>");
    }
}

char *picture_chain(const GArray *boxes, const char *title, const char *description)
{
    GString *out = g_string_new(NULL);
    open_svg(out, "keten", top_of(boxes, boxes->len) - SPACE + 20, title, description);
    for (guint i = 0; i < boxes->len; i++)
        connector(out, boxes, i);
    for (guint i = 0; i < boxes->len; i++)
        draw_box(out, boxes, i);
    g_string_append(out, "</svg>");
    return g_string_free(out, FALSE);
}
