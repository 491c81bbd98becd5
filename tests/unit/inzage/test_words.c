/* Plain words: for data categories, for identifiers, and within bounds. With the phrases of the program
 * itself. */
#include "components/inzage/words.h"

#include "components/inzage/view.h"
#include "tests/unit/inzage/support.h"

static void assert_words(const char *language, const char *category, const char *expected)
{
    g_autofree char *words = category_words(language, category);
    assert_string_equal(words, expected);
}

static void has_a_phrase_for_known_categories(void **state)
{
    assert_words("nl", "leeftijd", "uw leeftijd");
    assert_words("en", "leeftijd", "your age");
    assert_words("nl", "kinderen.burgerservicenummer", "het BSN van uw kinderen");
}

static void falls_back_to_the_group_and_then_to_the_last_part(void **state)
{
    assert_words("nl", "verblijfplaats.verblijfadres.huisnummer", "uw adres");
    assert_words("nl", "naam.volledigeNaam", "uw naam");
    assert_words("nl", "inkomen.verzamelInkomen", "verzamel inkomen");
    assert_words("nl", "x", "x");
    assert_words("nl", "eindigt.", "eindigt");
    assert_words("nl", "...", "");
}

static void leaves_plain_language_alone(void **state)
{
    assert_words("nl", "Partner en kinderen", "Partner en kinderen");
}

static void says_the_same_thing_once(void **state)
{
    static const char *const CATEGORIES[] = {"naam.voornamen", "leeftijd", "naam.geslachtsnaam", NULL};
    g_auto(GStrv) words = categories_words("nl", CATEGORIES);
    assert_int_equal(g_strv_length(words), 2);
    assert_string_equal(words[0], "uw naam");
    assert_string_equal(words[1], "uw leeftijd");
}

static void makes_words_of_identifiers(void **state)
{
    static const char *const PAIRS[][2] = {{"datumVanVestiging", "datum van vestiging"},
                                           {"datum_van-vestiging", "datum van vestiging"},
                                           {"TweehoofdigOuderlijkGezag", "Tweehoofdig ouderlijk gezag"},
                                           {"aNummer", "a nummer"},
                                           {"", ""}};
    for (gsize i = 0; i < G_N_ELEMENTS(PAIRS); i++) {
        g_autofree char *words = identifier_words(PAIRS[i][0]);
        assert_string_equal(words, PAIRS[i][1]);
    }
}

static void cuts_between_characters(void **state)
{
    g_autofree char *whole = text_cut("één", 3), *cut = text_cut("één twee", 4),
                    *space = text_cut("een twee", 5);
    assert_string_equal(whole, "één");
    assert_string_equal(cut, "één…");
    assert_string_equal(space, "een…");
}

static void wraps_between_words(void **state)
{
    g_auto(GStrv) two = text_wrap("een twee drie vier vijf", 9, 2);
    g_auto(GStrv) one = text_wrap("een", 9, 2);
    g_auto(GStrv) none = text_wrap("", 9, 2);
    g_auto(GStrv) unbroken = text_wrap("aaaaaaaaaaaaaaaaaaaa", 9, 2);
    assert_string_equal(two[0], "een twee");
    assert_string_equal(two[1], "drie vie…");
    assert_null(two[2]);
    assert_string_equal(one[0], "een");
    assert_null(one[1]);
    assert_string_equal(none[0], "");
    assert_string_equal(unbroken[0], "aaaaaaaa…");
    assert_null(unbroken[1]);
}

static void enumerates_as_people_do(void **state)
{
    static const char *const WORDS[] = {"a", "b", "c", NULL};
    g_autofree char *all = view_enumerate("nl", WORDS, 3), *some = view_enumerate("nl", WORDS, 1),
                    *most = view_enumerate("en", WORDS, 2), *pair = view_enumerate("en", WORDS + 1, 5),
                    *none = view_enumerate("nl", WORDS + 3, 5);
    assert_string_equal(all, "a, b en c");
    assert_string_equal(some, "a en nog 2 andere");
    assert_string_equal(most, "a, b and 1 more");
    assert_string_equal(pair, "b and c");
    assert_string_equal(none, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(has_a_phrase_for_known_categories),
        cmocka_unit_test(falls_back_to_the_group_and_then_to_the_last_part),
        cmocka_unit_test(leaves_plain_language_alone),
        cmocka_unit_test(says_the_same_thing_once),
        cmocka_unit_test(makes_words_of_identifiers),
        cmocka_unit_test(cuts_between_characters),
        cmocka_unit_test(wraps_between_words),
        cmocka_unit_test(enumerates_as_people_do),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
