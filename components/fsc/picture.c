#include "components/fsc/picture.h"

#include <math.h>
#include <string.h>

/* Of a box on a screen of 320 px. */
#define NAME_CHARACTERS 22 /* bold */
#define LINE_CHARACTERS 24
#define LINES_MAX 3

/* --- text --- */

static void put(GString *out, const char *before, const char *text, const char *after)
{
    g_autofree char *escaped = g_markup_escape_text(text, -1);
    g_string_append(out, before);
    g_string_append(out, escaped);
    g_string_append(out, after);
}

/* 1234 as "12.34": hundredths, so that no locale comes between. */
static const char *hundredths(char buffer[32], guint value)
{
    g_snprintf(buffer, 32, "%u.%02u", value / 100, value % 100);
    return buffer;
}

/* Where a line of at most `most` characters ends: at a space when there is one. */
static const char *line_end(const char *text, glong most)
{
    const char *end = text, *space = NULL;
    for (glong n = 0; n < most && *end != '\0'; n++, end = g_utf8_next_char(end))
        if (*end == ' ')
            space = end;
    return *end == '\0' || space == NULL ? end : space;
}

/* At most LINES_MAX lines; what does not fit ends in an ellipsis. */
static GPtrArray *wrap(const char *text, glong most)
{
    GPtrArray *lines = g_ptr_array_new_with_free_func(g_free);
    while (*text != '\0' && lines->len < LINES_MAX) {
        const char *end = line_end(text, most);
        gboolean cut = lines->len + 1 == LINES_MAX && *end != '\0';
        g_autofree char *line = g_strndup(text, (gsize)(end - text));
        g_ptr_array_add(lines, g_strconcat(line, cut ? "\xe2\x80\xa6" : "", NULL));
        text = *end == ' ' ? end + 1 : end;
    }
    return lines;
}

static void open_svg(GString *out, const char *id, guint height, const char *title, const char *description)
{
    char h[32];
    g_string_append_printf(
        out,
        "<svg class=\"fn-chart\" role=\"img\" aria-labelledby=\"%s-t %s-d\" width=\"100%%\" "
        "height=\"%sem\" focusable=\"false\"><title id=\"%s-t\">",
        id, id, hundredths(h, height), id);
    put(out, "", title, "</title>");
    g_string_append_printf(out, "<desc id=\"%s-d\">", id);
    put(out, "", description, "</desc>");
}

/* --- signatures --- */

/* In hundredths of an em. */
#define TRUNK 200
#define BOX_LEFT 480
#define BOX_GAP 90
#define TEXT_LINE 150
#define BOX_PADDING 100
#define CONTRACT_HEIGHT 280
#define MARK_RADIUS 110

static const struct {
    const char *kind; /* modifier that sets the colour */
    const char *path; /* in a box from -10 to 10 */
    gboolean dashed;
} marks[MARK_COUNT] = {
    [MARK_WAITS] = {"warning", "M0 -5V1L4 3", TRUE},
    [MARK_ACCEPTED] = {"ok", "M-5 0L-1 4L5 -4", FALSE},
    [MARK_REJECTED] = {"error", "M-4 -4L4 4M4 -4L-4 4", FALSE},
    [MARK_REVOKED] = {"error", "M-5 0H5", FALSE},
};

static guint height_of(const SignatureBox *box)
{
    g_autoptr(GPtrArray) name = wrap(box->name, NAME_CHARACTERS), line = wrap(box->line, LINE_CHARACTERS);
    return 2 * BOX_PADDING + (name->len + line->len) * TEXT_LINE - 40;
}

static void rectangle(GString *out, const char *dashes, guint left, guint top, guint height)
{
    char x[32], y[32], h[32];
    g_string_append_printf(out, "<svg x=\"%sem\" y=\"%sem\" width=\"calc(100%% - %sem)\" height=\"%sem\">",
                           hundredths(x, left), hundredths(y, top), x, hundredths(h, height));
    g_string_append_printf(out,
                           "<rect class=\"fn-chart__line\"%s x=\"1\" y=\"1\" width=\"99%%\" height=\"%sem\" "
                           "rx=\".4em\"/></svg>",
                           dashes, hundredths(h, height - 15));
}

static void texts(GString *out, const GPtrArray *lines, const char *weight, guint left, guint *y)
{
    char x[32], h[32];
    for (guint i = 0; i < lines->len; i++, *y += TEXT_LINE) {
        g_string_append_printf(out, "<text%s x=\"%sem\" y=\"%sem\"", weight, hundredths(x, left),
                               hundredths(h, *y));
        put(out, ">", lines->pdata[i], "</text>");
    }
}

static void draw_mark(GString *out, Mark mark, guint x, guint y)
{
    char left[32], top[32];
    g_string_append_printf(
        out,
        "<svg class=\"fn-chart__mark fn-badge--%s\" x=\"%sem\" y=\"%sem\" width=\"2.2em\" "
        "height=\"2.2em\" viewBox=\"-11 -11 22 22\"><circle r=\"10\"/><path d=\"%s\"/></svg>",
        marks[mark].kind, hundredths(left, x - MARK_RADIUS), hundredths(top, y - MARK_RADIUS),
        marks[mark].path);
}

static void draw_line(GString *out, const char *dashes, guint x1, guint y1, guint x2, guint y2)
{
    char a[32], b[32], c[32], d[32];
    g_string_append_printf(
        out, "<line class=\"fn-chart__line\"%s x1=\"%sem\" y1=\"%sem\" x2=\"%sem\" y2=\"%sem\"/>", dashes,
        hundredths(a, x1), hundredths(b, y1), hundredths(c, x2), hundredths(d, y2));
}

static void draw_signature(GString *out, const SignatureBox *box, guint above, guint top)
{
    const char *dashes = marks[box->mark].dashed ? " stroke-dasharray=\"6\"" : "";
    guint height = height_of(box), middle = top + height / 2, y = top + BOX_PADDING + 75;
    g_autoptr(GPtrArray) name = wrap(box->name, NAME_CHARACTERS), line = wrap(box->line, LINE_CHARACTERS);
    draw_line(out, "", TRUNK, above, TRUNK, middle);
    draw_line(out, dashes, TRUNK, middle, BOX_LEFT, middle);
    rectangle(out, dashes, BOX_LEFT, top, height);
    texts(out, name, " font-weight=\"700\"", BOX_LEFT + 100, &y);
    texts(out, line, "", BOX_LEFT + 100, &y);
    draw_mark(out, box->mark, TRUNK + 20, middle);
}

char *picture_signatures(const SignatureBox *boxes, gsize count, const PictureText *text)
{
    guint height = CONTRACT_HEIGHT + 20, y = BOX_PADDING + 95;
    for (gsize i = 0; i < count; i++)
        height += BOX_GAP + height_of(&boxes[i]);
    GString *out = g_string_new(NULL);
    g_autoptr(GPtrArray) heading = wrap(text->heading, LINE_CHARACTERS);
    g_ptr_array_set_size(heading, MIN(heading->len, 1));
    open_svg(out, "handtekeningen", height, text->title, text->description);
    rectangle(out, "", 0, 10, CONTRACT_HEIGHT);
    texts(out, heading, " font-weight=\"700\"", 100, &y);
    guint top = CONTRACT_HEIGHT + BOX_GAP, above = CONTRACT_HEIGHT;
    for (gsize i = 0; i < count; i++) {
        draw_signature(out, &boxes[i], above, top);
        above = top + height_of(&boxes[i]) / 2 + MARK_RADIUS;
        top += height_of(&boxes[i]) + BOX_GAP;
    }
    g_string_append(out, "</svg>");
    return g_string_free(out, FALSE);
}

/* --- plots --- */

#define PLOT_TOP 160
#define PLOT_HEIGHT 1000u /* of the drawing, in hundredths of an em, and in its own units */
#define PLOT_WIDTH 1000u

double picture_round_up(double value)
{
    static const double steps[] = {1, 2, 5, 10};
    if (!(value > 1))
        return 1;
    double power = pow(10, floor(log10(value)));
    for (gsize i = 0; i < G_N_ELEMENTS(steps); i++)
        if (steps[i] * power >= value)
            return steps[i] * power;
    return 10 * power;
}

static guint plot_y(const Plot *plot, double value)
{
    double share = CLAMP(value / plot->top, 0, 1);
    return PLOT_HEIGHT - (guint)(share * PLOT_HEIGHT + .5);
}

static void draw_bars(GString *out, const Plot *plot)
{
    g_string_append(out, "<path class=\"fn-chart__bar\" d=\"");
    for (gsize i = 0; i < plot->count; i++) {
        guint y = plot_y(plot, plot->values[0][i]);
        gsize left = i * PLOT_WIDTH / plot->count, right = (i + 1) * PLOT_WIDTH / plot->count;
        if (plot->values[0][i] > 0)
            g_string_append_printf(out, "M%zu %uH%zuV%uH%zuz", left, PLOT_HEIGHT, MAX(right - 1, left + 1),
                                   MIN(y, PLOT_HEIGHT - 8), left);
    }
    g_string_append(out, "\"/>");
}

/* A step for each moment; one without a value is a gap. */
static void draw_curve(GString *out, const Plot *plot, gsize line)
{
    static const char *const dashes[PLOT_LINES_MAX] = {"", " stroke-dasharray=\"6 3\"",
                                                       " stroke-dasharray=\"2 3\""};
    gboolean down = FALSE;
    g_string_append_printf(out, "<path class=\"fn-chart__line\" vector-effect=\"non-scaling-stroke\"%s d=\"",
                           dashes[line]);
    for (gsize i = 0; i < plot->count; i++) {
        double value = plot->values[line][i];
        gsize left = i * PLOT_WIDTH / plot->count, right = (i + 1) * PLOT_WIDTH / plot->count;
        if (value >= 0 && down)
            g_string_append_printf(out, "V%uH%zu", plot_y(plot, value), right);
        else if (value >= 0)
            g_string_append_printf(out, "M%zu %uH%zu", left, plot_y(plot, value), right);
        down = value >= 0;
    }
    g_string_append(out, "\"/>");
}

static void grid_line(GString *out, guint at, const char *label)
{
    char y[32];
    hundredths(y, at);
    g_string_append_printf(
        out, "<line class=\"fn-chart__grid\" x1=\"0\" x2=\"100%%\" y1=\"%sem\" y2=\"%sem\"/>", y, y);
    g_string_append_printf(out, "<text x=\"0\" y=\"%sem\"", hundredths(y, at - 30));
    put(out, ">", label, "</text>");
}

char *picture_plot(const char *id, const Plot *plot)
{
    char y[32];
    GString *out = g_string_new(NULL);
    open_svg(out, id, PLOT_TOP + PLOT_HEIGHT + 180, plot->title, plot->description);
    grid_line(out, PLOT_TOP, plot->top_label);
    grid_line(out, PLOT_TOP + PLOT_HEIGHT / 2, plot->middle_label);
    grid_line(out, PLOT_TOP + PLOT_HEIGHT, "");
    g_string_append_printf(
        out,
        "<svg y=\"%sem\" width=\"100%%\" height=\"10em\" viewBox=\"0 0 %u %u\" preserveAspectRatio=\"none\">",
        hundredths(y, PLOT_TOP), PLOT_WIDTH, PLOT_HEIGHT);
    for (gsize i = 0; i < MIN(plot->n_lines, PLOT_LINES_MAX); i++) {
        if (plot->names[i] == NULL)
            draw_bars(out, plot);
        else
            draw_curve(out, plot, i);
    }
    g_string_append_printf(out, "</svg><text x=\"0\" y=\"%sem\"",
                           hundredths(y, PLOT_TOP + PLOT_HEIGHT + 140));
    put(out, ">", plot->first_label, "</text>");
    g_string_append_printf(out, "<text text-anchor=\"end\" x=\"100%%\" y=\"%sem\"", y);
    put(out, ">", plot->last_label, "</text></svg>");
    return g_string_free(out, FALSE);
}
