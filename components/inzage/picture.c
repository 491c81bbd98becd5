#include "components/inzage/picture.h"

#include "components/inzage/words.h"
#include "core/format/mustache.h"

#define NAME_CHARACTERS 38
#define LABELS_MAX 7

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

#define ROW 410  /* hundredths of an em */
#define BAR 180  /* the highest bar */
#define BASE 370 /* of a row: where bars stand */
#define AXIS 300

static guint share(guint index, guint of)
{
    return 10000 * index / of;
}

static void bar(GString *out, const Timeline *timeline, guint row, guint bucket)
{
    char x[32], width[32], y[32], height[32];
    guint count = timeline_count(timeline, row, bucket), n = timeline->n_buckets;
    guint rise = MAX(BAR * count / MAX(timeline->highest, 1), 35);
    guint slot = share(1, n), inner = slot * 8 / 10;
    if (count == 0)
        return;
    g_string_append_printf(
        out, "<rect class=\"fn-chart__bar\" x=\"%s%%\" y=\"%sem\" width=\"%s%%\" height=\"%sem\"/>",
        hundredths(x, share(bucket, n) + slot / 10), hundredths(y, row * ROW + BASE - rise),
        hundredths(width, inner), hundredths(height, rise));
}

static void row_of(GString *out, const Timeline *timeline, const TimelineText *text, guint row)
{
    char y[32];
    g_autofree char *name = text_cut(text->rows[row], NAME_CHARACTERS);
    g_string_append_printf(out, "<text x=\"0\" y=\"%sem\"", hundredths(y, row * ROW + 120));
    element(out, ">", name, "</text>");
    hundredths(y, row * ROW + BASE);
    g_string_append_printf(
        out, "<line class=\"fn-chart__grid\" x1=\"0\" x2=\"100%%\" y1=\"%sem\" y2=\"%sem\"/>", y, y);
    for (guint i = 0; i < timeline->n_buckets; i++)
        bar(out, timeline, row, i);
}

/* So many labels that they fit side by side on a small screen; always the last one, which is now. */
static void axis(GString *out, const Timeline *timeline, const TimelineText *text)
{
    char x[32], y[32];
    guint n = timeline->n_buckets, step = (n + LABELS_MAX - 1) / LABELS_MAX;
    guint top = timeline->n_rows * ROW;
    for (guint i = 0; i < n; i++) {
        if ((n - 1 - i) % step != 0)
            continue;
        hundredths(x, share(i, n) + share(1, n) / 2);
        g_string_append_printf(out, "<text text-anchor=\"middle\" x=\"%s%%\" y=\"%sem\"", x,
                               hundredths(y, top + 110));
        element(out, ">", text->labels[i], "</text>");
        if (text->years[i][0] == '\0')
            continue;
        g_string_append_printf(out, "<text text-anchor=\"middle\" x=\"%s%%\" y=\"%sem\"", x,
                               hundredths(y, top + 240));
        element(out, ">", text->years[i], "</text>");
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

#define STEP 560 /* from box to box */
#define BOX 420
#define INDENT 8 /* percent a level */
#define DEPTH_MAX 4

void box_clear(gpointer data)
{
    Box *box = data;
    g_free(box->heading);
    g_free(box->line);
}

static guint left_of(const Box *box)
{
    return MIN(box->depth, DEPTH_MAX) * INDENT;
}

/* Down from the box that asked, then to the right into this one. */
static void connector(GString *out, const GArray *boxes, guint index)
{
    char top[32], middle[32];
    const Box *box = &g_array_index(boxes, Box, index);
    if (box->parent < 0)
        return;
    guint from = left_of(&g_array_index(boxes, Box, box->parent)) + INDENT / 2, to = left_of(box);
    hundredths(top, (guint)box->parent * STEP + BOX + 20);
    hundredths(middle, index * STEP + 20 + (to > from ? BOX / 2 : 0));
    const char *class = box->gap || g_array_index(boxes, Box, box->parent).gap
                            ? "fn-chart__line fn-chart__line--gap"
                            : "fn-chart__line";
    g_string_append_printf(out, "<line class=\"%s\" x1=\"%u%%\" x2=\"%u%%\" y1=\"%sem\" y2=\"%sem\"/>", class,
                           from, from, top, middle);
    if (to <= from)
        return;
    g_string_append_printf(out, "<line class=\"%s\" x1=\"%u%%\" x2=\"%u%%\" y1=\"%sem\" y2=\"%sem\"/>", class,
                           from, to, middle, middle);
    g_string_append_printf(out, "<circle class=\"fn-chart__bar\" cx=\"%u%%\" cy=\"%sem\" r=\".35em\"/>", to,
                           middle);
}

static void box_of(GString *out, const Box *box, guint index)
{
    char y[32];
    guint left = left_of(box), characters = NAME_CHARACTERS - 3 * MIN(box->depth, DEPTH_MAX);
    g_autofree char *heading = text_cut(box->heading, characters);
    g_autofree char *line = text_cut(box->line, characters);
    g_string_append_printf(
        out,
        "<rect class=\"fn-chart__box%s\" x=\"%u.4%%\" y=\"%sem\" width=\"%u%%\" height=\"4.2em\" "
        "rx=\".4em\"/>",
        box->gap ? " fn-chart__box--gap" : "", left, hundredths(y, index * STEP + 20), 99 - left);
    g_string_append_printf(out, "<text font-weight=\"700\" x=\"%u%%\" y=\"%sem\"", left + 4,
                           hundredths(y, index * STEP + 190));
    element(out, ">", heading, "</text>");
    g_string_append_printf(out, "<text x=\"%u%%\" y=\"%sem\"", left + 4, hundredths(y, index * STEP + 345));
    element(out, ">", line, "</text>");
}

char *picture_chain(const GArray *boxes, const char *title, const char *description)
{
    GString *out = g_string_new(NULL);
    open_svg(out, "keten", boxes->len * STEP - (STEP - BOX) + 40, title, description);
    for (guint i = 0; i < boxes->len; i++)
        connector(out, boxes, i);
    for (guint i = 0; i < boxes->len; i++)
        box_of(out, &g_array_index(boxes, Box, i), i);
    g_string_append(out, "</svg>");
    return g_string_free(out, FALSE);
}
