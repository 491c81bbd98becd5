#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/net/limits.h"

#define S G_USEC_PER_SEC
#define START_US (1790000000 * (gint64)S)

static void gives_the_burst_and_then_makes_wait(void **state)
{
    g_autoptr(Limits) limits = limits_new(1, 3, 10);
    for (int i = 0; i < 3; i++)
        assert_int_equal(limits_take(limits, "a", START_US), 0);
    assert_int_equal(limits_take(limits, "a", START_US), 1);
}

static void fills_with_time_up_to_the_burst(void **state)
{
    g_autoptr(Limits) limits = limits_new(2, 2, 10);
    assert_int_equal(limits_take(limits, "a", START_US), 0);
    assert_int_equal(limits_take(limits, "a", START_US), 0);
    assert_int_not_equal(limits_take(limits, "a", START_US + S / 2 - 1000), 0);
    assert_int_equal(limits_take(limits, "a", START_US + S / 2), 0);
    for (int i = 0; i < 2; i++)
        assert_int_equal(limits_take(limits, "a", START_US + 1000 * (gint64)S), 0);
    assert_int_not_equal(limits_take(limits, "a", START_US + 1000 * (gint64)S), 0);
}

/* For Retry-After: who waits so long gets a token. */
static void says_how_long_to_wait_rounded_up(void **state)
{
    g_autoptr(Limits) limits = limits_new(0.1, 1, 10);
    assert_int_equal(limits_take(limits, "a", START_US), 0);
    assert_int_equal(limits_take(limits, "a", START_US), 10);
    assert_int_equal(limits_take(limits, "a", START_US + 500000), 10);
    assert_int_equal(limits_take(limits, "a", START_US + 1 * S), 9);
    assert_int_equal(limits_take(limits, "a", START_US + 10 * S), 0);
}

static void a_noisy_key_delays_no_other(void **state)
{
    g_autoptr(Limits) limits = limits_new(1, 1, 10);
    for (int i = 0; i < 100; i++)
        limits_take(limits, "noisy", START_US);
    assert_int_equal(limits_take(limits, "quiet", START_US), 0);
}

static void forgets_the_key_that_was_longest_unused(void **state)
{
    g_autoptr(Limits) limits = limits_new(0.001, 1, 2);
    assert_int_equal(limits_take(limits, "a", START_US), 0);
    assert_int_equal(limits_take(limits, "b", START_US), 0);
    assert_int_not_equal(limits_take(limits, "a", START_US), 0);
    assert_int_equal(limits_take(limits, "c", START_US), 0);
    assert_int_not_equal(limits_take(limits, "a", START_US), 0);
    assert_int_equal(limits_take(limits, "b", START_US), 0);
}

static void a_clock_that_goes_back_does_not_stop_the_filling(void **state)
{
    g_autoptr(Limits) limits = limits_new(1, 1, 10);
    assert_int_equal(limits_take(limits, "a", START_US), 0);
    assert_int_equal(limits_take(limits, "a", START_US - 3600 * (gint64)S), 1);
    assert_int_equal(limits_take(limits, "a", START_US - 3599 * (gint64)S), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gives_the_burst_and_then_makes_wait),
        cmocka_unit_test(fills_with_time_up_to_the_burst),
        cmocka_unit_test(says_how_long_to_wait_rounded_up),
        cmocka_unit_test(a_noisy_key_delays_no_other),
        cmocka_unit_test(forgets_the_key_that_was_longest_unused),
        cmocka_unit_test(a_clock_that_goes_back_does_not_stop_the_filling),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
