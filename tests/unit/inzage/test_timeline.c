/* Counting in days, months and years, and the pictures that are drawn of it. */
#include "components/inzage/timeline.h"

#include "components/inzage/picture.h"
#include "core/base/clock.h"
#include "tests/unit/inzage/support.h"

static gint64 ms(const char *text)
{
    gint64 out;
    assert_true(clock_parse_rfc3339(text, &out, NULL));
    return out;
}

static GTimeZone *amsterdam(void)
{
    GTimeZone *zone = g_time_zone_new_identifier("Europe/Amsterdam");
    assert_non_null(zone);
    return zone;
}

static void takes_days_months_or_years_by_the_length(void **state)
{
    static const struct {
        const char *from, *until;
        BucketKind kind;
        guint count;
    } CASES[] = {
        {"2026-11-21T10:00:00Z", "2026-11-21T12:00:00Z", BUCKET_DAY, 1},
        {"2026-10-22T10:00:00Z", "2026-11-21T12:00:00Z", BUCKET_DAY, 31},
        {"2026-10-21T10:00:00Z", "2026-11-21T12:00:00Z", BUCKET_MONTH, 2},
        {"2025-11-21T10:00:00Z", "2026-11-21T12:00:00Z", BUCKET_MONTH, 13},
        {"2024-12-01T10:00:00Z", "2026-11-21T12:00:00Z", BUCKET_MONTH, 24},
        {"2024-11-30T10:00:00Z", "2026-11-21T12:00:00Z", BUCKET_YEAR, 3},
        {"1970-01-01T00:00:00Z", "2026-11-21T12:00:00Z", BUCKET_YEAR, 57},
    };
    g_autoptr(GTimeZone) zone = amsterdam();
    for (gsize i = 0; i < G_N_ELEMENTS(CASES); i++) {
        g_autoptr(Timeline) timeline = timeline_new(ms(CASES[i].from), ms(CASES[i].until), zone, 1);
        assert_int_equal(timeline->kind, CASES[i].kind);
        assert_int_equal(timeline->n_buckets, CASES[i].count);
    }
}

/* A day is a day where the person lives: half past eleven at night in London is the next day in Amsterdam. */
static void counts_by_the_local_day(void **state)
{
    g_autoptr(GTimeZone) zone = amsterdam();
    g_autoptr(Timeline) timeline =
        timeline_new(ms("2026-11-19T12:00:00Z"), ms("2026-11-21T12:00:00Z"), zone, 2);
    assert_true(timeline_add(timeline, 1, ms("2026-11-20T23:30:00Z"), zone));
    assert_true(timeline_add(timeline, 1, ms("2026-11-21T08:00:00Z"), zone));
    assert_true(timeline_add(timeline, 0, ms("2026-11-19T08:00:00Z"), zone));
    assert_int_equal(timeline_count(timeline, 1, 2), 2);
    assert_int_equal(timeline_count(timeline, 0, 0), 1);
    assert_int_equal(timeline_row_sum(timeline, 1), 2);
    assert_int_equal(timeline_bucket_sum(timeline, 2), 2);
    assert_int_equal(timeline->highest, 2);
}

/* The days on which the clock changes have 23 and 25 hours. */
static void has_each_day_once_when_the_clock_changes(void **state)
{
    g_autoptr(GTimeZone) zone = amsterdam();
    g_autoptr(Timeline) spring =
        timeline_new(ms("2026-03-20T12:00:00Z"), ms("2026-04-02T12:00:00Z"), zone, 1);
    g_autoptr(Timeline) autumn =
        timeline_new(ms("2026-10-20T12:00:00Z"), ms("2026-11-02T12:00:00Z"), zone, 1);
    assert_int_equal(spring->n_buckets, 14);
    assert_int_equal(autumn->n_buckets, 14);
    assert_int_equal(autumn->buckets[13].day, 2);
}

/* Times of others may be anything from 1970 to 9999. */
static void leaves_out_what_lies_outside(void **state)
{
    g_autoptr(GTimeZone) zone = amsterdam();
    g_autoptr(Timeline) timeline =
        timeline_new(ms("2026-11-01T12:00:00Z"), ms("2026-11-21T12:00:00Z"), zone, 1);
    assert_false(timeline_add(timeline, 0, ms("2026-10-31T12:00:00Z"), zone));
    assert_false(timeline_add(timeline, 0, ms("2026-11-22T12:00:00Z"), zone));
    assert_false(timeline_add(timeline, 0, ms("9999-12-31T23:59:59Z"), zone));
    assert_false(timeline_add(timeline, 1, ms("2026-11-02T12:00:00Z"), zone));
    assert_int_equal(timeline->highest, 0);
}

/* --- pictures --- */

static const char *const ROWS[] = {"<b>&\"'", "B", NULL};
static const char *const LABELS[] = {"jan", "feb", "mrt"};
static const char *const YEARS[] = {"2026", "2026", "2026"};

static guint occurrences(const char *text, const char *part)
{
    guint count = 0;
    for (const char *at = text; (at = strstr(at, part)) != NULL; at++)
        count++;
    return count;
}

static void draws_a_bar_and_a_number_for_each_count(void **state)
{
    g_autoptr(GTimeZone) zone = amsterdam();
    g_autoptr(Timeline) timeline =
        timeline_new(ms("2026-01-10T12:00:00Z"), ms("2026-03-10T12:00:00Z"), zone, 2);
    timeline_add(timeline, 0, ms("2026-01-11T12:00:00Z"), zone);
    timeline_add(timeline, 0, ms("2026-03-01T12:00:00Z"), zone);
    timeline_add(timeline, 1, ms("2026-03-01T12:00:00Z"), zone);
    TimelineText text = {"<title>", "a & b", ROWS, LABELS, YEARS};
    g_autofree char *svg = picture_timeline(timeline, &text);
    assert_int_equal(occurrences(svg, "h80"), 3);
    assert_int_equal(occurrences(svg, ">1</text>"), 3);
    assert_int_equal(occurrences(svg, "role=\"img\""), 1);
    assert_non_null(strstr(svg, "<title id=\"tijdlijn-t\">&lt;title&gt;</title>"));
    assert_non_null(strstr(svg, "<desc id=\"tijdlijn-d\">a &amp; b</desc>"));
    assert_non_null(strstr(svg, "aria-labelledby=\"tijdlijn-t tijdlijn-d\""));
    assert_non_null(strstr(svg, ">&lt;b&gt;&amp;&quot;&#39;</text>"));
    assert_int_equal(occurrences(svg, ">2026</text>"), 1);
    assert_null(strstr(svg, "<b>"));
    assert_null(strstr(svg, "style="));
}

static void draws_what_is_missing_with_broken_lines(void **state)
{
    g_autoptr(GArray) boxes = g_array_new(FALSE, TRUE, sizeof(Box));
    g_array_set_clear_func(boxes, box_clear);
    Box first = {g_strdup("Niet bekend"), g_strdup("een lange regel die niet in één regel past"), 0, -1,
                 TRUE};
    Box second = {g_strdup("<Register>"), g_strdup("gaf"), 1, 0, FALSE};
    g_array_append_val(boxes, first);
    g_array_append_val(boxes, second);
    g_autofree char *svg = picture_chain(boxes, "t", "d");
    assert_int_equal(occurrences(svg, "<rect"), 2);
    assert_int_equal(occurrences(svg, "stroke-dasharray"), 3);
    assert_int_equal(occurrences(svg, "<circle"), 1);
    assert_non_null(strstr(svg, "&lt;Register&gt;"));
    assert_null(strstr(svg, "<Register>"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(takes_days_months_or_years_by_the_length),
        cmocka_unit_test(counts_by_the_local_day),
        cmocka_unit_test(has_each_day_once_when_the_clock_changes),
        cmocka_unit_test(leaves_out_what_lies_outside),
        cmocka_unit_test(draws_a_bar_and_a_number_for_each_count),
        cmocka_unit_test(draws_what_is_missing_with_broken_lines),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
