/* Pictures for the pages: what is drawn, and that nothing of others gets out of its place. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "components/fsc/picture.h"

static guint count(const char *text, const char *part)
{
    guint n = 0;
    for (const char *at = strstr(text, part); at != NULL; at = strstr(at + 1, part))
        n++;
    return n;
}

/* Every element that is opened is closed: GLib's parser of markup says. */
static void assert_well_formed(const char *svg)
{
    g_autoptr(GError) error = NULL;
    const GMarkupParser parser = {0};
    GMarkupParseContext *context = g_markup_parse_context_new(&parser, 0, NULL, NULL);
    gboolean good = g_markup_parse_context_parse(context, svg, -1, &error) &&
                    g_markup_parse_context_end_parse(context, &error);
    g_markup_parse_context_free(context);
    if (!good)
        fail_msg("%s in %s", error->message, svg);
}

static const PictureText words = {"Wie tekende", "A: akkoord.", "Contract: geldig"};

static void each_signer_has_a_box_and_a_mark_of_its_own(void **state)
{
    const SignatureBox boxes[] = {{"Een", "akkoord", MARK_ACCEPTED},
                                  {"Twee", "wacht", MARK_WAITS},
                                  {"Drie", "afgewezen", MARK_REJECTED},
                                  {"Vier", "ingetrokken", MARK_REVOKED}};
    g_autofree char *svg = picture_signatures(boxes, G_N_ELEMENTS(boxes), &words);
    assert_well_formed(svg);
    assert_int_equal(count(svg, "fn-chart__mark"), 4);
    assert_int_equal(count(svg, "fn-badge--ok"), 1);
    assert_int_equal(count(svg, "fn-badge--warning"), 1);
    assert_int_equal(count(svg, "fn-badge--error"), 2);
    assert_int_equal(count(svg, "stroke-dasharray"), 2); /* box and line of the one that waits */
    assert_non_null(strstr(svg, "role=\"img\""));
    assert_non_null(strstr(svg, "<title id=\"handtekeningen-t\">Wie tekende</title>"));
    assert_null(strstr(svg, "style="));
}

static void names_of_others_stay_text_and_within_their_box(void **state)
{
    const SignatureBox boxes[] = {
        {"<script>alert(\"x\")</script> & zoon", "'\">", MARK_WAITS},
        {"EenNaamZonderSpatiesDieMaarDoorgaatEnDoorgaatEnNogVeelVerderDoorgaatDanMag", "x", MARK_WAITS}};
    g_autofree char *svg = picture_signatures(boxes, G_N_ELEMENTS(boxes), &words);
    assert_well_formed(svg);
    assert_null(strstr(svg, "<script"));
    assert_non_null(strstr(svg, "&lt;script&gt;"));
    assert_int_equal(count(svg, "\xe2\x80\xa6"), 1);
    assert_null(strstr(svg, "DanMag"));
}

static void letters_of_several_bytes_are_never_cut(void **state)
{
    const SignatureBox box = {
        "ééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééé", "",
        MARK_WAITS};
    g_autofree char *svg = picture_signatures(&box, 1, &words);
    assert_true(g_utf8_validate(svg, -1, NULL));
    assert_well_formed(svg);
}

static Plot plot_of(const double *one, gsize n, double top)
{
    return (Plot){.title = "t",
                  .description = "d",
                  .values = {one},
                  .names = {NULL},
                  .n_lines = 1,
                  .count = n,
                  .top = top,
                  .top_label = "10",
                  .middle_label = "5",
                  .first_label = "a",
                  .last_label = "b"};
}

static void bars_stand_where_something_happened(void **state)
{
    const double values[] = {0, 5, 10, 0};
    Plot plot = plot_of(values, 4, 10);
    g_autofree char *svg = picture_plot("p", &plot);
    assert_well_formed(svg);
    assert_non_null(strstr(svg, "d=\"M250 1000H499V500H250zM500"));
    assert_int_equal(count(svg, "M"), 2);
}

static void a_line_has_a_gap_where_nothing_is_known(void **state)
{
    const double values[] = {2, 4, -1, 6};
    Plot plot = plot_of(values, 4, 8);
    plot.names[0] = "p50";
    g_autofree char *svg = picture_plot("p", &plot);
    assert_well_formed(svg);
    assert_non_null(strstr(svg, "d=\"M0 750H250V500H500M750 250H1000\""));
}

static void a_value_above_the_top_stays_inside(void **state)
{
    const double values[] = {1e300};
    Plot plot = plot_of(values, 1, 10);
    plot.names[0] = "p50";
    g_autofree char *svg = picture_plot("p", &plot);
    assert_non_null(strstr(svg, "M0 0H1000"));
}

static void scales_end_at_round_numbers(void **state)
{
    static const struct {
        double value, top;
    } table[] = {{0, 1},   {1, 1},   {1.5, 2}, {2, 2},    {3, 5},       {7, 10},
                 {10, 10}, {11, 20}, {31, 50}, {99, 100}, {4999, 5000}, {-1, 1}};
    for (gsize i = 0; i < G_N_ELEMENTS(table); i++)
        assert_true(picture_round_up(table[i].value) == table[i].top);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_signer_has_a_box_and_a_mark_of_its_own),
        cmocka_unit_test(names_of_others_stay_text_and_within_their_box),
        cmocka_unit_test(letters_of_several_bytes_are_never_cut),
        cmocka_unit_test(bars_stand_where_something_happened),
        cmocka_unit_test(a_line_has_a_gap_where_nothing_is_known),
        cmocka_unit_test(a_value_above_the_top_stays_inside),
        cmocka_unit_test(scales_end_at_round_numbers),
    };
    return cmocka_run_group_tests_name("pictures", tests, NULL, NULL);
}
