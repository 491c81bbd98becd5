#include "tests/unit/brp/sample.h"

#include "components/brp/name.h"

static void given_names_become_initials(void **state)
{
    static const char *const CASES[][2] = {{"Henk", "H."},
                                           {"Anna Cornelia", "A.C."},
                                           {"Theo Philip IJsbrand", "T.P.I."},
                                           {"Anne-Fleur Belle", "A.B."},
                                           {"Suzie Q", "S.Q"},
                                           {"A", "A"},
                                           {"J P", "J P"},
                                           {"Q Suzie", "Q S."},
                                           {"Ali bin Mohammed", "A.b.M."},
                                           {"Özgür  Ólafur ", "Ö.Ó."},
                                           {"'t Jan", "t.J."},
                                           {"", NULL},
                                           {" - ", NULL}};
    for (gsize i = 0; i < G_N_ELEMENTS(CASES); i++) {
        g_autofree char *initials = brp_initials(CASES[i][0]);
        if (g_strcmp0(initials, CASES[i][1]) != 0)
            fail_msg("%s: %s", CASES[i][0], initials);
    }
    assert_null(brp_initials(NULL));
}

static void assert_full_name(const char *name, BrpGender gender, const char *expected)
{
    g_autoptr(json_t) parts = parsed(name);
    g_autofree char *full = brp_full_name(parts, gender);
    if (g_strcmp0(full, expected) != 0)
        fail_msg("expected %s, found %s", expected, full);
}

static void a_full_name_has_its_parts_in_order(void **state)
{
    assert_full_name("{\"voornamen\":\"Gerrit\",\"voorvoegsel\":\"den\",\"geslachtsnaam\":\"Braber\"}",
                     BRP_MAN, "Gerrit den Braber");
    assert_full_name("{\"geslachtsnaam\":\"Obbadah\"}", BRP_MAN, "Obbadah");
    assert_full_name("{\"voornamen\":\"Robin \",\"voorvoegsel\":\"van  den\",\"geslachtsnaam\":\"Aedel\"}",
                     BRP_MAN, "Robin van den Aedel");
}

static void an_unknown_surname_is_not_part_of_it(void **state)
{
    assert_full_name("{\"voornamen\":\"Dian Maya\",\"geslachtsnaam\":\".\"}", BRP_WOMAN, "Dian Maya");
    assert_full_name("{\"geslachtsnaam\":\".\"}", BRP_WOMAN, NULL);
    assert_full_name("{}", BRP_WOMAN, NULL);
}

#define NOBLE(code)                                                                                          \
    "{\"voornamen\":\"Jo\",\"voorvoegsel\":\"van\",\"geslachtsnaam\":\"Hoogh\",\"adellijkeTitelPredicaat\":" \
    "{\"code\":\"" code "\"}}"

static void a_predicate_stands_before_the_given_names_in_the_form_of_the_gender(void **state)
{
    assert_full_name(NOBLE("JV"), BRP_WOMAN, "jonkvrouw Jo van Hoogh");
    assert_full_name(NOBLE("JV"), BRP_MAN, "jonkheer Jo van Hoogh");
    assert_full_name(NOBLE("JV"), BRP_GENDER_UNKNOWN, "jonkvrouw Jo van Hoogh");
    assert_full_name(NOBLE("JH"), BRP_WOMAN, "jonkvrouw Jo van Hoogh");
    assert_full_name(NOBLE("JH"), BRP_GENDER_UNKNOWN, "jonkheer Jo van Hoogh");
}

static void a_title_stands_before_the_surname_in_the_form_of_the_gender(void **state)
{
    static const struct {
        const char *code, *woman, *man, *unknown;
    } CASES[] = {{"B", "barones", "baron", "baron"},       {"BS", "barones", "baron", "barones"},
                 {"G", "gravin", "graaf", "graaf"},        {"GI", "gravin", "graaf", "gravin"},
                 {"H", "hertogin", "hertog", "hertog"},    {"HI", "hertogin", "hertog", "hertogin"},
                 {"M", "markiezin", "markies", "markies"}, {"MI", "markiezin", "markies", "markiezin"},
                 {"P", "prinses", "prins", "prins"},       {"PS", "prinses", "prins", "prinses"},
                 {"R", "ridder", "ridder", "ridder"}};
    for (gsize i = 0; i < G_N_ELEMENTS(CASES); i++) {
        g_autofree char *name =
            g_strdup_printf("{\"voornamen\":\"Jo\",\"geslachtsnaam\":\"Aedel\",\"adellijkeTitelPredicaat\":"
                            "{\"code\":\"%s\"}}",
                            CASES[i].code);
        const char *const words[] = {
            [BRP_MAN] = CASES[i].man, [BRP_WOMAN] = CASES[i].woman, [BRP_GENDER_UNKNOWN] = CASES[i].unknown};
        for (guint gender = 0; gender < G_N_ELEMENTS(words); gender++) {
            g_autofree char *expected = g_strdup_printf("Jo %s Aedel", words[gender]);
            assert_full_name(name, (BrpGender)gender, expected);
        }
    }
}

static void a_title_that_is_in_no_table_is_left_out(void **state)
{
    assert_full_name(NOBLE("XX"), BRP_MAN, "Jo van Hoogh");
    assert_null(brp_nobility(NULL));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(given_names_become_initials),
        cmocka_unit_test(a_full_name_has_its_parts_in_order),
        cmocka_unit_test(an_unknown_surname_is_not_part_of_it),
        cmocka_unit_test(a_predicate_stands_before_the_given_names_in_the_form_of_the_gender),
        cmocka_unit_test(a_title_stands_before_the_surname_in_the_form_of_the_gender),
        cmocka_unit_test(a_title_that_is_in_no_table_is_left_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
