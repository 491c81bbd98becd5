#include "tests/unit/brp/sample.h"

#include "components/brp/date.h"

static void assert_date(const char *digits, const char *expected)
{
    g_autoptr(json_t) date = brp_date(digits);
    assert_json(date, expected);
}

static void whole_and_partial_dates_have_their_four_shapes(void **state)
{
    assert_date("19880412",
                "{\"type\":\"Datum\",\"datum\":\"1988-04-12\",\"langFormaat\":\"12 april 1988\"}");
    assert_date("19880400",
                "{\"type\":\"JaarMaandDatum\",\"jaar\":1988,\"maand\":4,\"langFormaat\":\"april 1988\"}");
    assert_date("19880000", "{\"type\":\"JaarDatum\",\"jaar\":1988,\"langFormaat\":\"1988\"}");
    assert_date("00000000", "{\"type\":\"DatumOnbekend\",\"onbekend\":true,\"langFormaat\":\"onbekend\"}");
}

static void what_is_no_date_gives_nothing(void **state)
{
    static const char *const WRONG[] = {"",         "1988041",  "198804123", "1988-4-1",
                                        "19881301", "19880230", "19880012",  "00000412"};
    for (gsize i = 0; i < G_N_ELEMENTS(WRONG); i++)
        assert_date(WRONG[i], NULL);
    assert_date(NULL, NULL);
}

static void an_age_counts_birthdays(void **state)
{
    assert_int_equal(brp_age("19880412", "20260411"), 37);
    assert_int_equal(brp_age("19880412", "20260412"), 38);
    assert_int_equal(brp_age("20260412", "20260412"), 0);
    assert_int_equal(brp_age("20040229", "20260228"), 21);
    assert_int_equal(brp_age("20040229", "20280228"), 23);
    assert_int_equal(brp_age("20040229", "20280229"), 24);
    assert_int_equal(brp_age("20040229", "20260301"), 22);
}

static void an_age_that_cannot_be_known_is_not_guessed(void **state)
{
    assert_int_equal(brp_age("19880000", "20260412"), -1);
    assert_int_equal(brp_age("19880400", "20260412"), -1);
    assert_int_equal(brp_age("19880400", "20260512"), 38);
    assert_int_equal(brp_age("19880400", "20260312"), 37);
    assert_int_equal(brp_age("00000000", "20260412"), -1);
    assert_int_equal(brp_age("20270101", "20260412"), -1);
    assert_int_equal(brp_age(NULL, "20260412"), -1);
}

static void a_period_is_over_on_its_last_day_as_far_as_that_is_known(void **state)
{
    static const char *const OVER[] = {"20261121", "20261120", "20261000", "20250000", "20251231"};
    static const char *const NOT_OVER[] = {"20261122", "20261100", "20261200", "20260000",
                                           "20270000", "00000000", "20261131", ""};
    for (gsize i = 0; i < G_N_ELEMENTS(OVER); i++)
        assert_true(brp_date_is_over(OVER[i], TODAY));
    for (gsize i = 0; i < G_N_ELEMENTS(NOT_OVER); i++)
        assert_false(brp_date_is_over(NOT_OVER[i], TODAY));
    assert_false(brp_date_is_over(NULL, TODAY));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(whole_and_partial_dates_have_their_four_shapes),
        cmocka_unit_test(what_is_no_date_gives_nothing),
        cmocka_unit_test(an_age_counts_birthdays),
        cmocka_unit_test(an_age_that_cannot_be_known_is_not_guessed),
        cmocka_unit_test(a_period_is_over_on_its_last_day_as_far_as_that_is_known),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
