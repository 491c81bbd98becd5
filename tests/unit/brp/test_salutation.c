/* The forms of address, as tables: whose name, which gender, which titles, and what then is written. */
#include "tests/unit/brp/sample.h"

#include "components/brp/salutation.h"

typedef struct {
    const char *gender, *given, *title, *prefix, *surname, *usage; /* NULL: not in the record */
    const char *partner_title, *partner_prefix, *partner_surname;
    const char *ended; /* day on which the relation ended */
} Who;

static void add_text(json_t *object, const char *name, const char *text)
{
    if (text != NULL)
        json_object_set_new(object, name, json_string(text));
}

static void add_code(json_t *object, const char *name, const char *code)
{
    if (code != NULL)
        json_object_set_new(object, name, json_pack("{s:s}", "code", code));
}

static json_t *name_of(const char *given, const char *title, const char *prefix, const char *surname)
{
    json_t *name = json_object();
    add_text(name, "voornamen", given);
    add_code(name, "adellijkeTitelPredicaat", title);
    add_text(name, "voorvoegsel", prefix);
    add_text(name, "geslachtsnaam", surname);
    return name;
}

static json_t *record_of(const Who *who)
{
    json_t *record = json_object();
    add_code(record, "geslacht", who->gender);
    json_t *name = name_of(who->given, who->title, who->prefix, who->surname);
    add_code(name, "aanduidingNaamgebruik", who->usage);
    json_object_set_new(record, "naam", name);
    if (who->partner_surname != NULL) {
        json_t *partner = json_pack(
            "{s:o}", "naam", name_of(NULL, who->partner_title, who->partner_prefix, who->partner_surname));
        if (who->ended != NULL)
            json_object_set_new(partner, "ontbindingHuwelijkPartnerschap",
                                json_pack("{s:s}", "datum", who->ended));
        json_object_set_new(record, "partners", json_pack("[o]", partner));
    }
    return record;
}

/* NULL: it must not be there. */
static void assert_address(const Who *who, const char *opening, const char *line, const char *envelope,
                           const char *text)
{
    g_autoptr(json_t) record = record_of(who);
    g_autoptr(json_t) found = json_object();
    brp_salutation_add(found, record);
    const json_t *written = json_object_get(found, "aanschrijfwijze");
    const char *const expected[] = {opening, line, envelope, text};
    const char *const got[] = {json_string_at(found, "aanhef"), json_string_at(written, "aanspreekvorm"),
                               json_string_at(written, "naam"),
                               json_string_at(found, "gebruikInLopendeTekst")};
    static const char *const NAMES[] = {"aanhef", "aanspreekvorm", "aanschrijfwijze.naam",
                                        "gebruikInLopendeTekst"};
    for (gsize i = 0; i < G_N_ELEMENTS(NAMES); i++)
        if (g_strcmp0(expected[i], got[i]) != 0)
            fail_msg("%s of %s %s %s: expected %s, found %s", NAMES[i], who->gender, who->title, who->usage,
                     expected[i], got[i]);
}

static void who_never_had_a_partner_is_addressed_by_their_own_name(void **state)
{
    static const char *const USAGES[] = {"E", "P", "V", "N", NULL};
    for (gsize i = 0; i < G_N_ELEMENTS(USAGES); i++) {
        const Who who = {"V", "Robin Melle", NULL, "in het", "Veld", USAGES[i]};
        assert_address(&who, "Geachte mevrouw In het Veld", NULL, "R.M. in het Veld", "mevrouw In het Veld");
    }
    const Who man = {"M", "Robin Melle", NULL, "van", "Puffelen", "E"};
    assert_address(&man, "Geachte heer Van Puffelen", NULL, "R.M. van Puffelen", "de heer Van Puffelen");
    const Who unknown = {"O", "Robin Melle", NULL, "van", "Puffelen", "E"};
    assert_address(&unknown, "Geachte R.M. van Puffelen", NULL, "R.M. van Puffelen", "R.M. van Puffelen");
    const Who nameless = {"O", NULL, NULL, "in het", "Zonnetje", "E"};
    assert_address(&nameless, "Geachte In het Zonnetje", NULL, "In het Zonnetje", "In het Zonnetje");
}

static void the_use_of_names_decides_whose_name_it_is_and_in_which_order(void **state)
{
    static const struct {
        const char *usage, *opening, *envelope, *text;
    } CASES[] = {{"E", "Geachte mevrouw In het Veld", "A. in het Veld", "mevrouw In het Veld"},
                 {"P", "Geachte mevrouw Van Velzen", "A. van Velzen", "mevrouw Van Velzen"},
                 {"V", "Geachte mevrouw Van Velzen-in het Veld", "A. van Velzen-in het Veld",
                  "mevrouw Van Velzen-in het Veld"},
                 {"N", "Geachte mevrouw In het Veld-van Velzen", "A. in het Veld-van Velzen",
                  "mevrouw In het Veld-van Velzen"}};
    for (gsize i = 0; i < G_N_ELEMENTS(CASES); i++) {
        const Who who = {"V", "Anna", NULL, "in het", "Veld", CASES[i].usage, NULL, "van", "Velzen"};
        assert_address(&who, CASES[i].opening, NULL, CASES[i].envelope, CASES[i].text);
        const Who former = {"V",  "Anna", NULL,     "in het",  "Veld", CASES[i].usage,
                            NULL, "van",  "Velzen", "20211109"};
        assert_address(&former, CASES[i].opening, NULL, CASES[i].envelope, CASES[i].text);
    }
}

static void capitals_and_apostrophes_of_prefixes_are_kept(void **state)
{
    const Who capitals = {"V", "Jo Rene", NULL, "Op Den", "Berghe", "V", NULL, "Van Der", "Broeck"};
    assert_address(&capitals, "Geachte mevrouw Van Der Broeck-Op Den Berghe", NULL,
                   "J.R. Van Der Broeck-Op Den Berghe", "mevrouw Van Der Broeck-Op Den Berghe");
    const Who apostrophe = {"V", "Jo Rene", NULL, "in het", "Zonnetje", "P", NULL, "'t", "Wolkje"};
    assert_address(&apostrophe, "Geachte mevrouw 't Wolkje", NULL, "J.R. 't Wolkje", "mevrouw 't Wolkje");
    const Who chain = {"M", NULL, NULL, NULL, "Ali bin Mohammed", "V", NULL, "van", "Velzen"};
    assert_address(&chain, "Geachte heer Van Velzen-Ali bin Mohammed", NULL, "Van Velzen-Ali bin Mohammed",
                   "de heer Van Velzen-Ali bin Mohammed");
}

static void without_a_surname_there_is_no_form_of_address(void **state)
{
    static const char *const USAGES[] = {"E", "V", "N"};
    for (gsize i = 0; i < G_N_ELEMENTS(USAGES); i++) {
        const Who who = {"V", "Jo", NULL, NULL, ".", USAGES[i], NULL, "de", "Boer"};
        assert_address(&who, NULL, NULL, NULL, NULL);
    }
    const Who partners = {"V", "Jo", NULL, NULL, ".", "P", NULL, "de", "Boer"};
    assert_address(&partners, "Geachte mevrouw De Boer", NULL, "J. de Boer", "mevrouw De Boer");
    const Who count = {"M", "Jo", "G", NULL, NULL, "V", NULL, "de", "Boer"};
    assert_address(&count, "Hooggeboren heer", NULL, NULL, NULL);
    const Who nobody = {NULL, NULL, NULL, NULL, NULL, NULL};
    assert_address(&nobody, NULL, NULL, NULL, NULL);
}

static void a_partner_without_a_surname_does_not_count(void **state)
{
    static const char *const USAGES[] = {"E", "P", "V", "N"};
    for (gsize i = 0; i < G_N_ELEMENTS(USAGES); i++) {
        const Who who = {"V", "Jo", NULL, "de", "Boer", USAGES[i], NULL, NULL, "."};
        assert_address(&who, "Geachte mevrouw De Boer", NULL, "J. de Boer", "mevrouw De Boer");
        const Who wife = {"V", "Jo", NULL, "de", "Boer", USAGES[i], "G", NULL, "."};
        assert_address(&wife, USAGES[i][0] == 'E' ? "Geachte mevrouw De Boer" : "Hooggeboren vrouwe", NULL,
                       "J. de Boer", "mevrouw De Boer");
    }
}

static void a_title_is_borne_in_the_form_of_the_gender(void **state)
{
    static const struct {
        const char *title, *gender, *opening, *line, *envelope, *text;
    } CASES[] = {{"B", "M", "Hoogwelgeboren heer", "De hoogwelgeboren heer", "P. baron van den Aedel",
                  "baron van den Aedel"},
                 {"BS", "V", "Hoogwelgeboren vrouwe", "De hoogwelgeboren vrouwe", "P. barones van den Aedel",
                  "barones van den Aedel"},
                 {"GI", "M", "Hooggeboren heer", "De hooggeboren heer", "P. graaf van den Aedel",
                  "graaf van den Aedel"},
                 {"G", "V", "Hooggeboren vrouwe", "De hooggeboren vrouwe", "P. gravin van den Aedel",
                  "gravin van den Aedel"},
                 {"P", "V", "Hoogheid", "De hoogheid", "P. prinses van den Aedel", "prinses van den Aedel"},
                 {"PS", "M", "Hoogheid", "De hoogheid", "P. prins van den Aedel", "prins van den Aedel"},
                 {"PS", "O", "Hoogheid", "De hoogheid", "P. van den Aedel", "P. van den Aedel"},
                 {"R", "M", "Hoogwelgeboren heer", "De hoogwelgeboren heer", "P. ridder van den Aedel",
                  "ridder van den Aedel"},
                 {"R", "V", "Hoogwelgeboren vrouwe", NULL, "P. van den Aedel", "mevrouw Van den Aedel"},
                 {"R", "O", "Geachte P. van den Aedel", NULL, "P. van den Aedel", "P. van den Aedel"},
                 {"G", "O", "Geachte P. van den Aedel", NULL, "P. van den Aedel", "P. van den Aedel"},
                 {"JH", "M", "Hoogwelgeboren heer", "De hoogwelgeboren heer", "Jonkheer P. van den Aedel",
                  "jonkheer van den Aedel"},
                 {"JH", "V", "Hoogwelgeboren vrouwe", "De hoogwelgeboren vrouwe",
                  "Jonkvrouw P. van den Aedel", "jonkvrouw van den Aedel"},
                 {"JV", "O", "Geachte P. van den Aedel", NULL, "P. van den Aedel", "P. van den Aedel"}};
    for (gsize i = 0; i < G_N_ELEMENTS(CASES); i++) {
        const Who who = {CASES[i].gender, "Pieter", CASES[i].title, "van den", "Aedel", "E"};
        assert_address(&who, CASES[i].opening, CASES[i].line, CASES[i].envelope, CASES[i].text);
    }
}

static void a_title_stands_before_the_own_name_wherever_that_is(void **state)
{
    static const struct {
        const char *usage, *opening, *line, *envelope, *text;
    } CASES[] = {{"E", "Hoogwelgeboren vrouwe", "De hoogwelgeboren vrouwe", "J.A. barones van den Aedel",
                  "barones van den Aedel"},
                 {"P", "Geachte mevrouw De Boer", NULL, "J.A. de Boer", "mevrouw De Boer"},
                 {"V", "Hoogwelgeboren vrouwe", "De hoogwelgeboren vrouwe",
                  "J.A. de Boer-barones van den Aedel", "mevrouw De Boer-barones van den Aedel"},
                 {"N", "Hoogwelgeboren vrouwe", "De hoogwelgeboren vrouwe",
                  "J.A. barones van den Aedel-de Boer", "barones van den Aedel-de Boer"}};
    for (gsize i = 0; i < G_N_ELEMENTS(CASES); i++) {
        const Who who = {"V", "Jo Anne", "BS", "van den", "Aedel", CASES[i].usage, NULL, "de", "Boer"};
        assert_address(&who, CASES[i].opening, CASES[i].line, CASES[i].envelope, CASES[i].text);
    }
}

static void a_man_keeps_his_predicate(void **state)
{
    static const struct {
        const char *usage, *opening, *line, *envelope, *text;
    } CASES[] = {{"E", "Hoogwelgeboren heer", "De hoogwelgeboren heer", "Jonkheer J.A. van den Aedel",
                  "jonkheer van den Aedel"},
                 {"P", "Geachte heer De Boer", NULL, "J.A. de Boer", "de heer De Boer"},
                 {"V", "Hoogwelgeboren heer", "De hoogwelgeboren heer", "J.A. de Boer-jonkheer van den Aedel",
                  "de heer De Boer-jonkheer van den Aedel"},
                 {"N", "Hoogwelgeboren heer", "De hoogwelgeboren heer", "Jonkheer J.A. van den Aedel-de Boer",
                  "jonkheer van den Aedel-de Boer"}};
    for (gsize i = 0; i < G_N_ELEMENTS(CASES); i++) {
        const Who who = {"M", "James Antoine", "JH", "van den", "Aedel", CASES[i].usage, NULL, "de", "Boer"};
        assert_address(&who, CASES[i].opening, CASES[i].line, CASES[i].envelope, CASES[i].text);
    }
}

static void a_woman_puts_her_predicate_aside_for_a_partner(void **state)
{
    static const struct {
        const char *usage, *opening, *envelope, *text;
    } CASES[] = {{"E", "Geachte mevrouw Van den Aedel", "J. van den Aedel", "mevrouw Van den Aedel"},
                 {"P", "Geachte mevrouw De Boer", "J. de Boer", "mevrouw De Boer"},
                 {"V", "Geachte mevrouw De Boer-van den Aedel", "J. de Boer-van den Aedel",
                  "mevrouw De Boer-van den Aedel"},
                 {"N", "Geachte mevrouw Van den Aedel-de Boer", "J. van den Aedel-de Boer",
                  "mevrouw Van den Aedel-de Boer"}};
    for (gsize i = 0; i < G_N_ELEMENTS(CASES); i++) {
        const Who who = {"V", "Jeanne", "JV", "van den", "Aedel", CASES[i].usage, NULL, "de", "Boer"};
        assert_address(&who, CASES[i].opening, NULL, CASES[i].envelope, CASES[i].text);
        const Who former = {"V",  "Jeanne", "JV",   "van den", "Aedel", CASES[i].usage,
                            NULL, "de",     "Boer", "20211109"};
        if (CASES[i].usage[0] == 'E')
            assert_address(&former, "Hoogwelgeboren vrouwe", "De hoogwelgeboren vrouwe",
                           "Jonkvrouw J. van den Aedel", "jonkvrouw van den Aedel");
        else
            assert_address(&former, CASES[i].opening, NULL, CASES[i].envelope, CASES[i].text);
    }
}

static void a_woman_bears_the_title_of_the_partner_whose_name_she_uses(void **state)
{
    static const struct {
        const char *title, *word, *opening, *line;
    } TITLES[] = {{"B", "barones", "Hoogwelgeboren vrouwe", "De hoogwelgeboren vrouwe"},
                  {"G", "gravin", "Hooggeboren vrouwe", "De hooggeboren vrouwe"},
                  {"H", "hertogin", "Hoogwelgeboren vrouwe", "De hoogwelgeboren vrouwe"},
                  {"M", "markiezin", "Hoogwelgeboren vrouwe", "De hoogwelgeboren vrouwe"},
                  {"P", "prinses", "Hoogheid", "De hoogheid"}};
    for (gsize i = 0; i < G_N_ELEMENTS(TITLES); i++) {
        const Who who = {"V", "Anne-Fleur", NULL, "de", "Boer", "P", TITLES[i].title, "van den", "Aedel"};
        g_autofree char *envelope = g_strdup_printf("A. %s van den Aedel", TITLES[i].word);
        g_autofree char *text = g_strdup_printf("%s van den Aedel", TITLES[i].word);
        assert_address(&who, TITLES[i].opening, TITLES[i].line, envelope, text);
    }
    const Who before = {"V", "Anne-Fleur", NULL, "de", "Boer", "V", "B", "van den", "Aedel"};
    assert_address(&before, "Hoogwelgeboren vrouwe", "De hoogwelgeboren vrouwe",
                   "A. barones van den Aedel-de Boer", "barones van den Aedel-de Boer");
    const Who after = {"V", "Anne-Fleur", NULL, "de", "Boer", "N", "B", "van den", "Aedel"};
    assert_address(&after, "Hoogwelgeboren vrouwe", "De hoogwelgeboren vrouwe",
                   "A. de Boer-barones van den Aedel", "mevrouw De Boer-barones van den Aedel");
}

static void not_everybody_may_bear_the_title_of_a_partner(void **state)
{
    static const char *const WITHOUT[] = {"BS", "GI", "HI", "JH", "JV", "MI", "PS", "R"};
    for (gsize i = 0; i < G_N_ELEMENTS(WITHOUT); i++) {
        const Who who = {"V", "Anne-Fleur", NULL, "de", "Boer", "P", WITHOUT[i], "van den", "Aedel"};
        assert_address(&who, "Geachte mevrouw Van den Aedel", NULL, "A. van den Aedel",
                       "mevrouw Van den Aedel");
    }
    const Who own_name = {"V", "Anne-Fleur", NULL, "de", "Boer", "E", "B", "van den", "Aedel"};
    assert_address(&own_name, "Geachte mevrouw De Boer", NULL, "A. de Boer", "mevrouw De Boer");
    const Who man = {"M", "John", NULL, "de", "Boer", "P", "B", "van den", "Aedel"};
    assert_address(&man, "Geachte heer Van den Aedel", NULL, "J. van den Aedel", "de heer Van den Aedel");
    const Who unknown = {"O", "John", NULL, "de", "Boer", "P", "B", "van den", "Aedel"};
    assert_address(&unknown, "Geachte J. van den Aedel", NULL, "J. van den Aedel", "J. van den Aedel");
}

static void titles_of_both_stand_each_before_its_own_name(void **state)
{
    static const struct {
        const char *usage, *opening, *line, *envelope, *text;
    } CASES[] = {
        {"E", "Hoogwelgeboren vrouwe", "De hoogwelgeboren vrouwe", "A. barones de Fooie", "barones de Fooie"},
        {"P", "Hoogheid", "De hoogheid", "A. prinses van den Aedel", "prinses van den Aedel"},
        {"V", "Hoogheid", "De hoogheid", "A. prinses van den Aedel-barones de Fooie",
         "prinses van den Aedel-barones de Fooie"},
        {"N", "Hoogheid", "De hoogheid", "A. barones de Fooie-prinses van den Aedel",
         "barones de Fooie-prinses van den Aedel"}};
    for (gsize i = 0; i < G_N_ELEMENTS(CASES); i++) {
        const Who who = {"V", "Anne-Fleur", "BS", "de", "Fooie", CASES[i].usage, "P", "van den", "Aedel"};
        assert_address(&who, CASES[i].opening, CASES[i].line, CASES[i].envelope, CASES[i].text);
    }
    const Who knight = {"V", "Anne-Fleur", "BS", "de", "Fooie", "N", "R", "van den", "Aedel"};
    assert_address(&knight, "Hoogwelgeboren vrouwe", "De hoogwelgeboren vrouwe",
                   "A. barones de Fooie-van den Aedel", "barones de Fooie-van den Aedel");
    const Who countess = {"V", "Jo", "GI", "van den", "Aedel", "P", "R", "de", "Boer"};
    assert_address(&countess, "Geachte mevrouw De Boer", NULL, "J. de Boer", "mevrouw De Boer");
}

/* --- which partner --- */

static const char *chosen(json_t *partners)
{
    g_autoptr(json_t) record = json_pack("{s:o}", "partners", partners);
    const json_t *partner = brp_salutation_partner(record);
    static char name[16];
    g_strlcpy(name,
              partner != NULL ? json_string_at(json_object_get(partner, "naam"), "geslachtsnaam") : "nobody",
              sizeof name);
    return name;
}

static json_t *partner_since(const char *name, const char *since, const char *until)
{
    json_t *partner = json_pack("{s:{s:s}, s:{s:s}}", "naam", "geslachtsnaam", name,
                                "aangaanHuwelijkPartnerschap", "datum", since);
    if (until != NULL)
        json_object_set_new(partner, "ontbindingHuwelijkPartnerschap", json_pack("{s:s}", "datum", until));
    return partner;
}

static void of_several_partners_the_oldest_relation_counts(void **state)
{
    static const char *const CASES[][3] = {{"19580401", "19610808", "Geel"},
                                           {"19610808", "19580401", "Rood"},
                                           {"19580401", "00000000", "Rood"},
                                           {"19610800", "19610808", "Geel"},
                                           {"19610000", "19610800", "Geel"}};
    for (gsize i = 0; i < G_N_ELEMENTS(CASES); i++)
        assert_string_equal(chosen(json_pack("[o, o]", partner_since("Geel", CASES[i][0], NULL),
                                             partner_since("Rood", CASES[i][1], NULL))),
                            CASES[i][2]);
}

static void a_former_partner_counts_only_when_there_is_no_other(void **state)
{
    assert_string_equal(chosen(json_pack("[o, o]", partner_since("Geel", "19580401", "20000101"),
                                         partner_since("Rood", "19610808", NULL))),
                        "Rood");
    assert_string_equal(chosen(json_pack("[o, o]", partner_since("Geel", "19580401", "20000101"),
                                         partner_since("Rood", "19610808", "20100101"))),
                        "Rood");
    assert_string_equal(chosen(json_array()), "nobody");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(who_never_had_a_partner_is_addressed_by_their_own_name),
        cmocka_unit_test(the_use_of_names_decides_whose_name_it_is_and_in_which_order),
        cmocka_unit_test(capitals_and_apostrophes_of_prefixes_are_kept),
        cmocka_unit_test(without_a_surname_there_is_no_form_of_address),
        cmocka_unit_test(a_partner_without_a_surname_does_not_count),
        cmocka_unit_test(a_title_is_borne_in_the_form_of_the_gender),
        cmocka_unit_test(a_title_stands_before_the_own_name_wherever_that_is),
        cmocka_unit_test(a_man_keeps_his_predicate),
        cmocka_unit_test(a_woman_puts_her_predicate_aside_for_a_partner),
        cmocka_unit_test(a_woman_bears_the_title_of_the_partner_whose_name_she_uses),
        cmocka_unit_test(not_everybody_may_bear_the_title_of_a_partner),
        cmocka_unit_test(titles_of_both_stand_each_before_its_own_name),
        cmocka_unit_test(of_several_partners_the_oldest_relation_counts),
        cmocka_unit_test(a_former_partner_counts_only_when_there_is_no_other),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
