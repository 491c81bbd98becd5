/* decisions.md 11: an unsynchronised clock signs nothing. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "components/fsc/clock_rules.h"

#define S 1000

static void most_other_clocks_must_agree_that_ours_is_wrong(void **state)
{
    static const struct {
        gint64 offsets[5];
        gsize count;
        gint64 off_ms;
    } cases[] = {
        {{0}, 0, 0},
        {{3600 * S}, 1, 0}, /* one may itself be the one that is wrong */
        {{3600 * S, 3600 * S}, 2, 3600 * S},
        {{-61 * S, -62 * S, 0}, 3, -61 * S},
        {{61 * S, 62 * S, 0, 0}, 4, 0}, /* half is not most */
        {{61 * S, -61 * S, 61 * S}, 3, 61 * S},
        {{61 * S, -61 * S}, 2, 0}, /* they do not agree with each other */
        {{60 * S, 60 * S, 60 * S}, 3, 0},
        {{60001, 60001, 0}, 3, 60001},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        gint64 offsets[5];
        for (gsize j = 0; j < 5; j++)
            offsets[j] = cases[i].offsets[j];
        assert_int_equal(clock_off_by_witnesses(offsets, cases[i].count), cases[i].off_ms);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(most_other_clocks_must_agree_that_ours_is_wrong)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
