#include "core/node/suggest.h"
#include "tests/unit/node/support.h"

static const char *const words[] = {"serve", "config", "outbox", "version", "pki", "oin", NULL};

static void finds_the_nearest_word(void **state)
{
    static const struct {
        const char *word, *nearest;
    } table[] = {{"sevre", "serve"},   {"serv", "serve"},      {"sserve", "serve"},
                 {"cnofig", "config"}, {"konfig", "config"},   {"oni", "oin"},
                 {"pk", "pki"},        {"verzion", "version"}, {"serve", "serve"}};
    for (gsize i = 0; i < G_N_ELEMENTS(table); i++)
        assert_string_equal(suggest(table[i].word, words), table[i].nearest);
}

static void is_silent_when_none_is_near(void **state)
{
    g_autofree char *longest = g_strnfill(64, 'a');
    g_autofree char *longer = g_strnfill(65, 'a');
    const char *const long_words[] = {longer, longest, NULL};
    const char *const none[] = {NULL};
    assert_null(suggest("completely", words));
    assert_null(suggest("xyz", words));
    assert_null(suggest("", words));
    assert_null(suggest("serve", none));
    assert_string_equal(suggest(longest, long_words), longest);
    assert_null(suggest(longer, long_words));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finds_the_nearest_word),
        cmocka_unit_test(is_silent_when_none_is_near),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
