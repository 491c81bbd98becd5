#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "components/brp/date.h"
#include "core/format/json.h"

static void assert_date(const char *digits, const char *expected)
{
    g_autoptr(json_t) date = brp_date(digits);
    g_autofree char *text = date != NULL ? json_write(date) : g_strdup("nothing");
    assert_string_equal(text, expected);
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
        assert_date(WRONG[i], "nothing");
    assert_date(NULL, "nothing");
}

static void an_age_counts_birthdays(void **state)
{
    assert_int_equal(brp_age("19880412", "20260411"), 37);
    assert_int_equal(brp_age("19880412", "20260412"), 38);
    assert_int_equal(brp_age("20260412", "20260412"), 0);
    assert_int_equal(brp_age("20040229", "20260228"), 21);
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(whole_and_partial_dates_have_their_four_shapes),
        cmocka_unit_test(what_is_no_date_gives_nothing),
        cmocka_unit_test(an_age_counts_birthdays),
        cmocka_unit_test(an_age_that_cannot_be_known_is_not_guessed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
