#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "components/brp/query.h"
#include "core/format/json.h"

#define INSTANCE "/haalcentraal/api/brp/personen"

static BrpQuery *ask(const char *text, json_t **fault)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(json_t) body = json_parse_strict(text, -1, NULL, &error);
    if (body == NULL)
        fail_msg("%s", error->message);
    return brp_query_parse(body, INSTANCE, fault);
}

/* `flaws`: "name code" of each, in order, separated by ", ". */
static void assert_refused(const char *text, const char *code, const char *flaws)
{
    g_autoptr(json_t) fault = NULL;
    g_autoptr(BrpQuery) query = ask(text, &fault);
    assert_null(query);
    assert_non_null(fault);
    assert_string_equal(json_string_at(fault, "code"), code);
    assert_string_equal(json_string_at(fault, "instance"), INSTANCE);
    assert_int_equal(json_integer_at(fault, "status"), 400);
    g_autoptr(GString) found = g_string_new(NULL);
    gsize index;
    json_t *flaw;
    json_array_foreach(json_object_get(fault, "invalidParams"), index, flaw) g_string_append_printf(
        found, "%s%s %s", index > 0 ? ", " : "", json_string_at(flaw, "name"), json_string_at(flaw, "code"));
    assert_string_equal(found->str, flaws);
}

#define BY_BSN "\"type\":\"RaadpleegMetBurgerservicenummer\""
#define BY_NAME "\"type\":\"ZoekMetGeslachtsnaamEnGeboortedatum\""
#define FIELDS "\"fields\":[\"burgerservicenummer\"]"

static void a_question_by_number_is_understood(void **state)
{
    g_autoptr(json_t) fault = NULL;
    g_autoptr(BrpQuery) query = ask(
        "{" BY_BSN ",\"burgerservicenummer\":[\"999910000\",\"999910048\"],\"fields\":[\"naam\"]}", &fault);
    assert_non_null(query);
    assert_null(fault);
    assert_int_equal(query->type, BRP_BY_BSN);
    assert_string_equal(query->bsns[1], "999910048");
    assert_null(query->bsns[2]);
    assert_string_equal(query->fields[0], "naam");
}

static void a_question_by_name_and_birth_is_understood(void **state)
{
    g_autoptr(json_t) fault = NULL;
    g_autoptr(BrpQuery) query =
        ask("{" BY_NAME ",\"geslachtsnaam\":\"Had*\",\"geboortedatum\":\"1988-04-12\",\"geslacht\":\"v\","
            "\"inclusiefOverledenPersonen\":true," FIELDS "}",
            &fault);
    assert_non_null(query);
    assert_null(fault);
    assert_string_equal(query->surname, "Had*");
    assert_string_equal(query->birth, "19880412");
    assert_true(query->with_deceased);
}

static void the_type_is_required_and_one_of_two(void **state)
{
    assert_refused("{}", "paramsValidation", "type required");
    assert_refused("[]", "paramsValidation", "type required");
    assert_refused("{\"type\":\"\"}", "paramsValidation", "type required");
    assert_refused("{\"type\":\"ZoekMetIets\"}", "paramsValidation", "type value");
}

static void what_must_be_there_is_named_in_alphabetical_order(void **state)
{
    assert_refused("{" BY_BSN "}", "paramsCombination", "burgerservicenummer required, fields required");
    assert_refused("{" BY_NAME "," FIELDS "}", "paramsCombination",
                   "geboortedatum required, geslachtsnaam required");
    assert_refused("{" BY_NAME "," FIELDS ",\"geboortedatum\":\"\",\"geslachtsnaam\":\"Maas\"}",
                   "paramsCombination", "geboortedatum required");
}

static void lists_have_their_bounds(void **state)
{
    assert_refused("{" BY_BSN ",\"burgerservicenummer\":\"999910000\"," FIELDS "}", "paramsValidation",
                   "burgerservicenummer array");
    assert_refused("{" BY_BSN ",\"burgerservicenummer\":[]," FIELDS "}", "paramsValidation",
                   "burgerservicenummer minItems");
    assert_refused("{" BY_BSN ",\"burgerservicenummer\":[\"999910000\"],\"fields\":[]}", "paramsValidation",
                   "fields minItems");
    g_autoptr(GString) many = g_string_new("{" BY_BSN "," FIELDS ",\"burgerservicenummer\":[\"999910000\"");
    for (int i = 0; i < 20; i++)
        g_string_append(many, ",\"999910000\"");
    g_string_append(many, "]}");
    assert_refused(many->str, "paramsValidation", "burgerservicenummer maxItems");
}

static void items_are_named_with_their_place(void **state)
{
    assert_refused(
        "{" BY_BSN
        ",\"burgerservicenummer\":[\"999910000\",\"12\"],\"fields\":[\"naam\",\"bestaat.niet\",3]}",
        "paramsValidation", "burgerservicenummer[1] pattern, fields[1] fields, fields[2] fields");
}

static void a_search_may_not_ask_for_more_than_a_limited_person(void **state)
{
    assert_refused("{" BY_NAME
                   ",\"geslachtsnaam\":\"Maas\",\"geboortedatum\":\"1983-05-26\",\"fields\":[\"partners\"]}",
                   "paramsValidation", "fields[0] fields");
}

static void what_is_not_expected_is_refused(void **state)
{
    assert_refused("{" BY_BSN ",\"burgerservicenummer\":[\"999910000\"]," FIELDS
                   ",\"zout\":1,\"geslachtsnaam\":\"x\"}",
                   "paramsValidation", "geslachtsnaam unknownParam, zout unknownParam");
}

static void values_must_fit_their_patterns(void **state)
{
    static const struct {
        const char *member, *flaw;
    } CASES[] = {{"\"geboortedatum\":\"19830526\"", "geboortedatum date"},
                 {"\"geboortedatum\":\"1983-02-30\"", "geboortedatum date"},
                 {"\"geboortedatum\":\"26 mei 1983\"", "geboortedatum date"},
                 {"\"geslachtsnaam\":\"*sen\"", "geslachtsnaam pattern"},
                 {"\"geslachtsnaam\":\"gr**\"", "geslachtsnaam pattern"},
                 {"\"geslachtsnaam\":\"gr*t\"", "geslachtsnaam pattern"},
                 {"\"geslachtsnaam\":\"gr*\"", "geslachtsnaam pattern"},
                 {"\"geslachtsnaam\":\"<script>\"", "geslachtsnaam pattern"},
                 {"\"geslacht\":\"X\"", "geslacht pattern"},
                 {"\"inclusiefOverledenPersonen\":\"ja\"", "inclusiefOverledenPersonen boolean"},
                 {"\"gemeenteVanInschrijving\":\"12\"", "gemeenteVanInschrijving pattern"}};
    for (gsize i = 0; i < G_N_ELEMENTS(CASES); i++) {
        gboolean birth = g_str_has_prefix(CASES[i].member, "\"geboortedatum"),
                 name = g_str_has_prefix(CASES[i].member, "\"geslachtsnaam");
        g_autofree char *text = g_strdup_printf(
            "{" BY_NAME "," FIELDS "%s%s,%s}", birth ? "" : ",\"geboortedatum\":\"1983-05-26\"",
            name ? "" : ",\"geslachtsnaam\":\"Maassen\"", CASES[i].member);
        assert_refused(text, "paramsValidation", CASES[i].flaw);
    }
}

static void no_fault_repeats_what_was_given(void **state)
{
    g_autoptr(json_t) fault = NULL;
    g_autoptr(BrpQuery) query =
        ask("{" BY_BSN ",\"burgerservicenummer\":[\"99991000\"],\"fields\":[\"999910000\"]}", &fault);
    assert_null(query);
    g_autofree char *text = json_write(fault);
    assert_null(strstr(text, "9999100"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_question_by_number_is_understood),
        cmocka_unit_test(a_question_by_name_and_birth_is_understood),
        cmocka_unit_test(the_type_is_required_and_one_of_two),
        cmocka_unit_test(what_must_be_there_is_named_in_alphabetical_order),
        cmocka_unit_test(lists_have_their_bounds),
        cmocka_unit_test(items_are_named_with_their_place),
        cmocka_unit_test(a_search_may_not_ask_for_more_than_a_limited_person),
        cmocka_unit_test(what_is_not_expected_is_refused),
        cmocka_unit_test(values_must_fit_their_patterns),
        cmocka_unit_test(no_fault_repeats_what_was_given),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
