#include "tests/unit/brp/sample.h"

#include "components/brp/media.h"

static void json_in_utf_8_may_be_sent(void **state)
{
    static const char *const GOOD[] = {"application/json",
                                       "application/json;charset=utf-8",
                                       "application/json; charset=UTF-8",
                                       "Application/JSON ; charset=\"utf-8\"",
                                       "",
                                       "  "};
    for (gsize i = 0; i < G_N_ELEMENTS(GOOD); i++)
        assert_true(brp_media_is_sent_well(GOOD[i]));
    assert_true(brp_media_is_sent_well(NULL));
}

static void nothing_else_may_be_sent(void **state)
{
    static const char *const WRONG[] = {"application/xml",
                                        "text/csv",
                                        "application/json; charset=cp1252",
                                        "*/*",
                                        "*/*; charset=utf-8",
                                        "application/*",
                                        "application/jsonx",
                                        ";"};
    for (gsize i = 0; i < G_N_ELEMENTS(WRONG); i++)
        assert_false(brp_media_is_sent_well(WRONG[i]));
}

static void json_in_utf_8_may_be_wanted(void **state)
{
    static const char *const GOOD[] = {"*/*",
                                       "*/*; charset=utf-8",
                                       "application/json;charset=Utf-8",
                                       "application/*",
                                       "text/html, application/json;q=0.5",
                                       "text/html,*/*;q=0.1",
                                       "",
                                       " "};
    for (gsize i = 0; i < G_N_ELEMENTS(GOOD); i++)
        assert_true(brp_media_is_accepted(GOOD[i]));
    assert_true(brp_media_is_accepted(NULL));
}

static void nothing_else_can_be_had(void **state)
{
    static const char *const WRONG[] = {"application/xml", "text/*", "application/json; charset=cp1252",
                                        "application/json;q=0", "application/json; q=0.000, text/html"};
    for (gsize i = 0; i < G_N_ELEMENTS(WRONG); i++)
        assert_false(brp_media_is_accepted(WRONG[i]));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(json_in_utf_8_may_be_sent),
        cmocka_unit_test(nothing_else_may_be_sent),
        cmocka_unit_test(json_in_utf_8_may_be_wanted),
        cmocka_unit_test(nothing_else_can_be_had),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
