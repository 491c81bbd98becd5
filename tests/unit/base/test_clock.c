#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "core/base/clock.h"
#include "core/base/error.h"

static void parses(const char *text, gint64 expected)
{
    g_autoptr(GError) error = NULL;
    gint64 ms = -1;
    assert_true(clock_parse_rfc3339(text, &ms, &error));
    assert_null(error);
    assert_int_equal(ms, expected);
}

static void refuses(const char *text)
{
    g_autoptr(GError) error = NULL;
    gint64 ms = -1;
    if (clock_parse_rfc3339(text, &ms, &error))
        fail_msg("accepted: %s", text);
    assert_int_equal(ms, -1);
    assert_true(g_error_matches(error, FUNDAMENT_ERROR, FUNDAMENT_ERROR_INVALID));
}

static void a_fixed_clock_stands_still_until_it_is_moved(void **state)
{
    Clock clock = clock_fixed(1700000000);
    assert_int_equal(clock_now_s(&clock), 1700000000);
    assert_int_equal(clock_now_ms(&clock), 1700000000000);
    assert_int_equal(clock_now_us(&clock), 1700000000000000);
    clock.fixed_us += 1999;
    assert_int_equal(clock_now_ms(&clock), 1700000000001);
}

static void time_before_1970_rounds_down(void **state)
{
    Clock clock = clock_fixed(0);
    clock.fixed_us = -1;
    assert_int_equal(clock_now_ms(&clock), -1);
    assert_int_equal(clock_now_s(&clock), -1);
}

static void the_system_clock_goes_on(void **state)
{
    gint64 before = g_get_real_time();
    gint64 now = clock_now_us(clock_system());
    assert_true(now >= before && now <= g_get_real_time());
}

static void formats_milliseconds_in_utc(void **state)
{
    static const struct {
        gint64 ms;
        const char *text;
    } cases[] = {
        {0, "1970-01-01T00:00:00.000Z"},
        {1795285881042, "2026-11-21T18:31:21.042Z"},
        {951782400000, "2000-02-29T00:00:00.000Z"},
        {253402300799999, "9999-12-31T23:59:59.999Z"},
        {-1, "1969-12-31T23:59:59.999Z"},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *text = clock_format_rfc3339(cases[i].ms);
        assert_string_equal(text, cases[i].text);
        if (cases[i].ms >= 0)
            parses(text, cases[i].ms);
    }
}

/* RFC 3339 section 5.8 */
static void parses_the_examples_of_rfc_3339(void **state)
{
    parses("1985-04-12T23:20:50.52Z", 482196050520);
    parses("1996-12-19T16:39:57-08:00", 851042397000);
    parses("2026-11-21t18:31:21z", 1795285881000);
    parses("2026-11-21T19:31:21.042+01:00", 1795285881042);
    parses("1970-01-01T00:00:00-00:00", 0);
}

static void cuts_fractions_to_milliseconds(void **state)
{
    parses("1970-01-01T00:00:00.9Z", 900);
    parses("1970-01-01T00:00:00.0019Z", 1);
    parses("1970-01-01T00:00:00.123456789Z", 123);
    refuses("1970-01-01T00:00:00.1234567890Z");
    refuses("1970-01-01T00:00:00.Z");
}

/* RFC 3339 5.6: time-offset is not optional. */
static void rejects_a_time_without_zone(void **state)
{
    refuses("2026-11-21T18:31:21");
    refuses("2026-11-21T18:31:21.042");
    refuses("2026-11-21T18:31:21+0100");
    refuses("2026-11-21T18:31:21+01");
    refuses("2026-11-21T18:31:21+24:00");
    refuses("2026-11-21T18:31:21+01:60");
}

static void rejects_what_the_calendar_does_not_have(void **state)
{
    parses("2024-02-29T00:00:00Z", 1709164800000);
    refuses("2023-02-29T00:00:00Z");
    refuses("2100-02-29T00:00:00Z");
    refuses("2026-04-31T00:00:00Z");
    refuses("2026-00-10T00:00:00Z");
    refuses("2026-13-10T00:00:00Z");
    refuses("2026-01-00T00:00:00Z");
    refuses("2026-01-01T24:00:00Z");
    refuses("2026-01-01T00:60:00Z");
    refuses("2016-12-31T23:59:60Z");
}

static void rejects_years_outside_1970_to_9999(void **state)
{
    refuses("1969-12-31T23:59:59Z");
    refuses("1970-01-01T00:00:00+00:01");
    refuses("9999-12-31T23:59:59-00:01");
    refuses("10000-01-01T00:00:00Z");
    refuses("0000-01-01T00:00:00Z");
}

static void rejects_other_spellings(void **state)
{
    refuses(NULL);
    refuses("");
    refuses("2026-11-21");
    refuses("2026-11-21 18:31:21Z");
    refuses(" 2026-11-21T18:31:21Z");
    refuses("2026-11-21T18:31:21Z ");
    refuses("2026-11-21T18:31Z");
    refuses("2026-1-21T18:31:21Z");
    refuses("20261121T183121Z");
    refuses("+2026-11-21T18:31:21Z");
    refuses("2026-11-21T18:31:21,042Z");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_fixed_clock_stands_still_until_it_is_moved),
        cmocka_unit_test(time_before_1970_rounds_down),
        cmocka_unit_test(the_system_clock_goes_on),
        cmocka_unit_test(formats_milliseconds_in_utc),
        cmocka_unit_test(parses_the_examples_of_rfc_3339),
        cmocka_unit_test(cuts_fractions_to_milliseconds),
        cmocka_unit_test(rejects_a_time_without_zone),
        cmocka_unit_test(rejects_what_the_calendar_does_not_have),
        cmocka_unit_test(rejects_years_outside_1970_to_9999),
        cmocka_unit_test(rejects_other_spellings),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
