#include "tests/unit/brp/sample.h"

#include "components/brp/fault.h"
#include "components/brp/query.h"

#define INSTANCE "/haalcentraal/api/brp/personen"
#define BY_BSN "\"type\":\"RaadpleegMetBurgerservicenummer\""
#define BY_NAME "\"type\":\"ZoekMetGeslachtsnaamEnGeboortedatum\""
#define FIELDS "\"fields\":[\"burgerservicenummer\"]"
#define ONE "\"burgerservicenummer\":[\"999910000\"]"
#define WHO "\"geslachtsnaam\":\"Maassen\",\"geboortedatum\":\"1983-05-26\""
#define NAME_PATTERN "^[a-zA-Z0-9À-ž \\.\\-\\']{1,200}$|^[a-zA-Z0-9À-ž \\.\\-\\']{3,199}\\*{1}$"

static BrpQuery *ask(const char *text, json_t **fault)
{
    g_autoptr(json_t) body = parsed(text);
    return brp_query_parse(body, INSTANCE, fault);
}

static BrpQuery *understood(const char *text)
{
    json_t *fault = NULL;
    BrpQuery *query = ask(text, &fault);
    if (query == NULL)
        fail_msg("%s", json_string_at(fault, "detail"));
    assert_null(fault);
    return query;
}

/* `flaws`: "name code" of each, in order, separated by ", ". */
static void assert_refused(const char *text, const char *flaws)
{
    g_autoptr(json_t) fault = NULL;
    g_autoptr(BrpQuery) query = ask(text, &fault);
    assert_null(query);
    assert_string_equal(json_string_at(fault, "type"),
                        "https://datatracker.ietf.org/doc/html/rfc7231#section-6.5.1");
    assert_string_equal(json_string_at(fault, "title"), "Een of meerdere parameters zijn niet correct.");
    assert_string_equal(json_string_at(fault, "code"), "paramsValidation");
    assert_string_equal(json_string_at(fault, "instance"), INSTANCE);
    assert_int_equal(json_integer_at(fault, "status"), 400);
    g_autoptr(GString) found = g_string_new(NULL), names = g_string_new("De foutieve parameter(s) zijn: ");
    gsize index;
    json_t *flaw;
    json_array_foreach(json_object_get(fault, "invalidParams"), index, flaw)
    {
        const char *comma = index > 0 ? ", " : "", *name = json_string_at(flaw, "name");
        g_string_append_printf(found, "%s%s %s", comma, name, json_string_at(flaw, "code"));
        g_string_append_printf(names, "%s%s", comma, name);
        assert_int_equal(json_object_size(flaw), 3);
    }
    g_string_append_c(names, '.');
    assert_string_equal(found->str, flaws);
    assert_string_equal(json_string_at(fault, "detail"), names->str);
}

/* The one flaw, with its reason in the words of the API. */
static void assert_reason(const char *text, const char *name, const char *code, const char *reason)
{
    g_autoptr(json_t) fault = NULL;
    g_autoptr(BrpQuery) query = ask(text, &fault);
    assert_null(query);
    const json_t *flaws = json_object_get(fault, "invalidParams"), *flaw = json_array_get(flaws, 0);
    assert_int_equal(json_array_size(flaws), 1);
    assert_string_equal(json_string_at(flaw, "name"), name);
    assert_string_equal(json_string_at(flaw, "code"), code);
    assert_string_equal(json_string_at(flaw, "reason"), reason);
}

/* --- good questions --- */

static void a_question_by_number_is_understood(void **state)
{
    g_autoptr(BrpQuery) query =
        understood("{" BY_BSN ",\"burgerservicenummer\":[\"999910000\",\"999910048\"],\"fields\":[\"naam\"],"
                   "\"gemeenteVanInschrijving\":\"0363\"}");
    assert_int_equal(query->type, BRP_BY_BSN);
    assert_string_equal(query->type_name, "RaadpleegMetBurgerservicenummer");
    assert_string_equal(query->bsns[1], "999910048");
    assert_null(query->bsns[2]);
    assert_string_equal(query->fields[0], "naam");
    assert_string_equal(query->municipality, "0363");
}

static void a_question_by_name_and_birth_is_understood(void **state)
{
    g_autoptr(BrpQuery) query = understood(
        "{" BY_NAME ",\"geslachtsnaam\":\"Gün*\",\"geboortedatum\":\"1988-04-12\",\"geslacht\":\"v\","
        "\"voornamen\":\"A*\",\"voorvoegsel\":\"in 't\",\"inclusiefOverledenPersonen\":true," FIELDS "}");
    assert_string_equal(query->surname, "Gün*");
    assert_string_equal(query->birth, "19880412");
    assert_string_equal(query->gender, "V");
    assert_string_equal(query->given_names, "A*");
    assert_string_equal(query->prefix, "in 't");
    assert_true(query->with_deceased);
    assert_null(query->municipality);
}

static void null_is_as_good_as_absent(void **state)
{
    g_autoptr(BrpQuery) query =
        understood("{" BY_NAME "," WHO "," FIELDS ",\"voornamen\":null,\"inclusiefOverledenPersonen\":null}");
    assert_null(query->given_names);
    assert_false(query->with_deceased);
}

/* --- the type --- */

static void the_type_is_required_and_one_of_two(void **state)
{
    assert_reason("{}", "type", "required", "Parameter is verplicht.");
    assert_refused("[]", "type required");
    assert_refused("{\"type\":null,\"postcode\":\"1234AB\"}", "type required");
    assert_reason("{\"type\":\"\"}", "type", "value", "Waarde is geen geldig zoek type.");
    assert_refused("{\"type\":\"zoekmetgeslachtsnaamengeboortedatum\"}", "type value");
    assert_refused("{\"type\":\"ZoekMetPostcodeEnHuisnummer\"}", "type value");
    assert_refused("{\"type\":1}", "type value");
}

/* --- what must be there --- */

static void what_is_missing_is_named_in_alphabetical_order(void **state)
{
    assert_refused("{" BY_BSN "}", "burgerservicenummer required, fields required");
    assert_refused("{" BY_BSN "," ONE ",\"fields\":null}", "fields required");
    assert_refused("{" BY_NAME "," FIELDS "}", "geboortedatum required, geslachtsnaam required");
    assert_refused("{" BY_NAME "," FIELDS ",\"geboortedatum\":\"\",\"geslachtsnaam\":\"\"}",
                   "geboortedatum required, geslachtsnaam required");
    assert_reason("{" BY_BSN "," FIELDS "}", "burgerservicenummer", "required", "Parameter is verplicht.");
}

static void all_flaws_are_told_at_once(void **state)
{
    assert_refused(
        "{" BY_NAME ",\"geboortedatum\":\"19830526\",\"geslachtsnaam\":\"<b>\",\"zout\":1,\"peper\":2}",
        "fields required, geboortedatum date, geslachtsnaam pattern, peper unknownParam, zout unknownParam");
    assert_refused("{" BY_BSN
                   ",\"burgerservicenummer\":[\"1\"],\"fields\":[\"x\"],\"gemeenteVanInschrijving\":\"1\"}",
                   "burgerservicenummer[0] pattern, fields[0] fields, gemeenteVanInschrijving pattern");
}

/* --- lists --- */

static void lists_have_their_bounds(void **state)
{
    assert_reason("{" BY_BSN ",\"burgerservicenummer\":\"999910000,999910048\"," FIELDS "}",
                  "burgerservicenummer", "array", "Parameter is geen array.");
    assert_refused("{" BY_BSN ",\"burgerservicenummer\":\"\",\"fields\":\"\"}",
                   "burgerservicenummer array, fields array");
    assert_reason("{" BY_BSN ",\"burgerservicenummer\":[]," FIELDS "}", "burgerservicenummer", "minItems",
                  "Array bevat minder dan 1 items.");
    assert_reason("{" BY_BSN "," ONE ",\"fields\":[]}", "fields", "minItems",
                  "Array bevat minder dan 1 items.");
}

static char *repeated(const char *before, const char *item, guint count, const char *after)
{
    g_autoptr(GString) text = g_string_new(before);
    for (guint i = 0; i < count; i++)
        g_string_append_printf(text, "%s\"%s\"", i > 0 ? "," : "", item);
    g_string_append(text, after);
    return g_string_free(g_steal_pointer(&text), FALSE);
}

static void twenty_numbers_and_130_fields_may_be_asked_and_no_more(void **state)
{
    g_autofree char *twenty =
        repeated("{" BY_BSN "," FIELDS ",\"burgerservicenummer\":[", "999910000", 20, "]}");
    g_autofree char *more =
        repeated("{" BY_BSN "," FIELDS ",\"burgerservicenummer\":[", "999910000", 21, "]}");
    g_autofree char *fields = repeated("{" BY_BSN "," ONE ",\"fields\":[", "naam", 130, "]}");
    g_autofree char *many = repeated("{" BY_BSN "," ONE ",\"fields\":[", "naam", 131, "]}");
    g_autoptr(BrpQuery) first = understood(twenty);
    g_autoptr(BrpQuery) second = understood(fields);
    assert_int_equal(g_strv_length(first->bsns), 20);
    assert_int_equal(g_strv_length(second->fields), 130);
    assert_reason(more, "burgerservicenummer", "maxItems", "Array bevat meer dan 20 items.");
    assert_reason(many, "fields", "maxItems", "Array bevat meer dan 130 items.");
}

static void items_are_named_with_their_place_in_order(void **state)
{
    g_autofree char *text =
        repeated("{" BY_BSN "," FIELDS ",\"burgerservicenummer\":[\"999910000\",", "12", 11, "]}");
    assert_refused(text,
                   "burgerservicenummer[1] pattern, burgerservicenummer[2] pattern, burgerservicenummer[3] "
                   "pattern, burgerservicenummer[4] pattern, burgerservicenummer[5] pattern, "
                   "burgerservicenummer[6] pattern, burgerservicenummer[7] pattern, burgerservicenummer[8] "
                   "pattern, burgerservicenummer[9] pattern, burgerservicenummer[10] pattern, "
                   "burgerservicenummer[11] pattern");
}

static void a_number_is_nine_digits(void **state)
{
    static const char *const WRONG[] = {
        "\"12345678\"", "\"1234567890\"", "\"99991000x\"", "\"999910000\\n\"",
        "999910000",    "null",           "\"\"",          "\"９９９９１００００\""};
    for (gsize i = 0; i < G_N_ELEMENTS(WRONG); i++) {
        g_autofree char *text =
            g_strdup_printf("{" BY_BSN "," FIELDS ",\"burgerservicenummer\":[%s]}", WRONG[i]);
        assert_reason(text, "burgerservicenummer[0]", "pattern",
                      "Waarde voldoet niet aan patroon ^[0-9]{9}$.");
    }
}

static void a_field_is_a_path_that_exists(void **state)
{
    static const struct {
        const char *field, *code, *reason;
    } CASES[] = {
        {"\"a*nummer\"", "pattern", "Waarde voldoet niet aan patroon ^[a-zA-Z0-9\\._]{1,200}$."},
        {"\"\"", "pattern", "Waarde voldoet niet aan patroon ^[a-zA-Z0-9\\._]{1,200}$."},
        {"\"naam\\n\"", "pattern", "Waarde voldoet niet aan patroon ^[a-zA-Z0-9\\._]{1,200}$."},
        {"7", "pattern", "Waarde voldoet niet aan patroon ^[a-zA-Z0-9\\._]{1,200}$."},
        {"\"anummer\"", "fields", "Parameter bevat een niet bestaande veldnaam."},
        {"\"geslacht.nietBestaand\"", "fields", "Parameter bevat een niet bestaande veldnaam."},
        {"\"opschortingBijhouding.reden\"", "fields", "Parameter bevat een niet toegestane veldnaam."},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(CASES); i++) {
        g_autofree char *text =
            g_strdup_printf("{" BY_BSN "," ONE ",\"fields\":[\"naam\",%s]}", CASES[i].field);
        assert_reason(text, "fields[1]", CASES[i].code, CASES[i].reason);
    }
    g_autofree char *longest = g_strnfill(201, 'a');
    g_autofree char *text = repeated("{" BY_BSN "," ONE ",\"fields\":[", longest, 1, "]}");
    assert_refused(text, "fields[0] pattern");
    text[strlen(text) - 4] = '"';
    memcpy(text + strlen(text) - 3, "]} ", 3);
    assert_refused(text, "fields[0] fields");
}

static void a_search_may_ask_less(void **state)
{
    assert_refused("{" BY_NAME "," WHO ",\"fields\":[\"burgerservicenummer\",\"aNummer\",\"gezag\"]}",
                   "fields[1] fields, fields[2] fields");
}

/* --- single values --- */

static void values_must_fit_their_patterns(void **state)
{
    static const struct {
        const char *name, *value, *code, *reason;
    } CASES[] = {
        {"voornamen", "\"*iet\"", "pattern",
         "Waarde voldoet niet aan patroon ^[a-zA-Z0-9À-ž \\.\\-\\']{1,199}\\*{0,1}$."},
        {"voornamen", "\"\"", "pattern",
         "Waarde voldoet niet aan patroon ^[a-zA-Z0-9À-ž \\.\\-\\']{1,199}\\*{0,1}$."},
        {"voorvoegsel", "\"van der een\"", "pattern",
         "Waarde voldoet niet aan patroon ^[a-zA-Z \\']{1,10}$."},
        {"voorvoegsel", "\"vän\"", "pattern", "Waarde voldoet niet aan patroon ^[a-zA-Z \\']{1,10}$."},
        {"geslacht", "\"N\"", "pattern", "Waarde voldoet niet aan patroon ^([Mm]|[Vv]|[Oo])$."},
        {"geslacht", "\"MM\"", "pattern", "Waarde voldoet niet aan patroon ^([Mm]|[Vv]|[Oo])$."},
        {"geslacht", "\"\"", "pattern", "Waarde voldoet niet aan patroon ^([Mm]|[Vv]|[Oo])$."},
        {"inclusiefOverledenPersonen", "\"\"", "boolean", "Waarde is geen boolean."},
        {"inclusiefOverledenPersonen", "\"true\"", "boolean", "Waarde is geen boolean."},
        {"gemeenteVanInschrijving", "\"123\"", "pattern", "Waarde voldoet niet aan patroon ^[0-9]{4}$."},
        {"gemeenteVanInschrijving", "\"1234\\n\"", "pattern", "Waarde voldoet niet aan patroon ^[0-9]{4}$."},
        {"gemeenteVanInschrijving", "1234", "pattern", "Waarde voldoet niet aan patroon ^[0-9]{4}$."}};
    for (gsize i = 0; i < G_N_ELEMENTS(CASES); i++) {
        g_autofree char *text =
            g_strdup_printf("{" BY_NAME "," FIELDS "," WHO ",\"%s\":%s}", CASES[i].name, CASES[i].value);
        assert_reason(text, CASES[i].name, CASES[i].code, CASES[i].reason);
    }
}

static void a_surname_has_three_letters_before_a_wildcard_at_its_end(void **state)
{
    static const char *const GOOD[] = {"A", "'t Hert-van St. Jan", "Żółć", "abc*", "12"};
    static const char *const WRONG[] = {"*sen", "*oen*", "gr**", "gr*o*",    "gr*t",       "*",
                                        "n*",   "ab*",   "a_b",  "<script>", "Maassen\\n", "ſharp"};
    for (gsize i = 0; i < G_N_ELEMENTS(GOOD); i++) {
        g_autofree char *text = g_strdup_printf(
            "{" BY_NAME "," FIELDS ",\"geboortedatum\":\"1983-05-26\",\"geslachtsnaam\":\"%s\"}", GOOD[i]);
        g_autoptr(BrpQuery) query = understood(text);
        assert_string_equal(query->surname, GOOD[i]);
    }
    for (gsize i = 0; i < G_N_ELEMENTS(WRONG); i++) {
        g_autofree char *text = g_strdup_printf(
            "{" BY_NAME "," FIELDS ",\"geboortedatum\":\"1983-05-26\",\"geslachtsnaam\":\"%s\"}", WRONG[i]);
        assert_reason(text, "geslachtsnaam", "pattern", "Waarde voldoet niet aan patroon " NAME_PATTERN ".");
    }
}

static void names_have_a_longest(void **state)
{
    static const struct {
        gsize letters;
        gboolean wild, surname, given;
    } CASES[] = {{199, FALSE, TRUE, TRUE},
                 {200, FALSE, TRUE, FALSE},
                 {201, FALSE, FALSE, FALSE},
                 {199, TRUE, TRUE, TRUE},
                 {200, TRUE, FALSE, FALSE}};
    for (gsize i = 0; i < G_N_ELEMENTS(CASES); i++) {
        g_autofree char *name = g_strnfill(CASES[i].letters, 'a');
        const char *star = CASES[i].wild ? "*" : "";
        g_autofree char *surname = g_strdup_printf(
            "{" BY_NAME "," FIELDS ",\"geboortedatum\":\"1983-05-26\",\"geslachtsnaam\":\"%s%s\"}", name,
            star);
        g_autofree char *given =
            g_strdup_printf("{" BY_NAME "," FIELDS "," WHO ",\"voornamen\":\"%s%s\"}", name, star);
        g_autoptr(json_t) fault = NULL;
        g_autoptr(BrpQuery) first = ask(surname, &fault);
        g_clear_pointer(&fault, json_decref);
        g_autoptr(BrpQuery) second = ask(given, &fault);
        assert_int_equal(first != NULL, CASES[i].surname);
        assert_int_equal(second != NULL, CASES[i].given);
    }
}

static void a_birth_date_is_whole_and_exists(void **state)
{
    static const char *const WRONG[] = {"\"19830526\"",   "\"26 mei 1983\"", "\"1983-02-30\"",
                                        "\"1983-13-01\"", "\"1983-05-00\"",  "\"0000-01-01\"",
                                        "\"1983-5-26\"",  "\"1983-05-26T\"", "\"1983/05/26\"",
                                        "19830526",       "\"1983-05-2é\""};
    for (gsize i = 0; i < G_N_ELEMENTS(WRONG); i++) {
        g_autofree char *text = g_strdup_printf(
            "{" BY_NAME "," FIELDS ",\"geslachtsnaam\":\"Maassen\",\"geboortedatum\":%s}", WRONG[i]);
        assert_reason(text, "geboortedatum", "date", "Waarde is geen geldige datum.");
    }
}

/* --- what is not expected --- */

static void what_is_not_expected_is_refused(void **state)
{
    assert_reason("{" BY_BSN "," ONE "," FIELDS ",\"voornamen\":\"Pietje\"}", "voornamen", "unknownParam",
                  "Parameter is niet verwacht.");
    assert_refused("{" BY_BSN "," ONE "," FIELDS ",\"gemeenteVanInschijving\":\"0363\",\"bestaatNiet\":1}",
                   "bestaatNiet unknownParam, gemeenteVanInschijving unknownParam");
    assert_refused("{" BY_NAME "," WHO "," FIELDS "," ONE "}", "burgerservicenummer unknownParam");
}

static void so_many_unknown_parameters_are_told_and_no_more(void **state)
{
    g_autoptr(json_t) body = parsed("{" BY_BSN "," ONE "," FIELDS "}");
    for (int i = 0; i < 500; i++) {
        char name[] = {'p', (char)('a' + i / 26 % 26), (char)('a' + i % 26), '\0'};
        json_object_set_new(body, name, json_true());
    }
    g_autoptr(json_t) fault = NULL;
    g_autoptr(BrpQuery) query = brp_query_parse(body, INSTANCE, &fault);
    assert_null(query);
    assert_int_equal(json_array_size(json_object_get(fault, "invalidParams")), 20);
}

/* A name or a number that was sent in a wrong place does not come back. */
static void no_fault_repeats_what_was_given(void **state)
{
    static const char *const BODIES[] = {
        "{" BY_BSN ",\"burgerservicenummer\":[\"99991000\"],\"fields\":[\"999910000\",\"Haddou\"]}",
        "{" BY_BSN "," ONE "," FIELDS ",\"999910000\":1,\"Haddou\":2,\"Samira Haddou\":3}",
        "{" BY_NAME "," FIELDS
        ",\"geslachtsnaam\":\"Haddou!\",\"geboortedatum\":\"999910000\",\"voornamen\":\"Haddou;\"}",
        "{\"type\":\"Haddou 999910000\"}"};
    for (gsize i = 0; i < G_N_ELEMENTS(BODIES); i++) {
        g_autoptr(json_t) fault = NULL;
        g_autoptr(BrpQuery) query = ask(BODIES[i], &fault);
        assert_null(query);
        g_autofree char *text = json_write(fault);
        assert_null(strstr(text, "99991000"));
        assert_null(strstr(text, "Haddou"));
    }
}

static void every_fault_has_the_same_shape(void **state)
{
    for (guint fault = 0; fault <= BRP_FAULT_UNAVAILABLE; fault++) {
        g_autoptr(json_t) body = brp_fault((BrpFault)fault, NULL, INSTANCE);
        assert_int_equal(json_object_size(body), 6);
        assert_int_equal(json_integer_at(body, "status"), brp_fault_status((BrpFault)fault));
        assert_true(
            g_str_has_prefix(json_string_at(body, "type"), "https://datatracker.ietf.org/doc/html/rfc7231#"));
        assert_true(json_string_at(body, "title")[0] != '\0' && json_string_at(body, "code")[0] != '\0');
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_question_by_number_is_understood),
        cmocka_unit_test(a_question_by_name_and_birth_is_understood),
        cmocka_unit_test(null_is_as_good_as_absent),
        cmocka_unit_test(the_type_is_required_and_one_of_two),
        cmocka_unit_test(what_is_missing_is_named_in_alphabetical_order),
        cmocka_unit_test(all_flaws_are_told_at_once),
        cmocka_unit_test(lists_have_their_bounds),
        cmocka_unit_test(twenty_numbers_and_130_fields_may_be_asked_and_no_more),
        cmocka_unit_test(items_are_named_with_their_place_in_order),
        cmocka_unit_test(a_number_is_nine_digits),
        cmocka_unit_test(a_field_is_a_path_that_exists),
        cmocka_unit_test(a_search_may_ask_less),
        cmocka_unit_test(values_must_fit_their_patterns),
        cmocka_unit_test(a_surname_has_three_letters_before_a_wildcard_at_its_end),
        cmocka_unit_test(names_have_a_longest),
        cmocka_unit_test(a_birth_date_is_whole_and_exists),
        cmocka_unit_test(what_is_not_expected_is_refused),
        cmocka_unit_test(so_many_unknown_parameters_are_told_and_no_more),
        cmocka_unit_test(no_fault_repeats_what_was_given),
        cmocka_unit_test(every_fault_has_the_same_shape),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
