/* From records to cases: the order of a chain, what is missing in it, and who took part. */
#include "components/inzage/cases.h"
#include "tests/unit/inzage/support.h"

#define OTHER_TRACE "11111111111111111111111111111111"
#define VIEWING "inzage"
#define VIEWING_URI "https://portal.example/processing-activities/inzage"

typedef struct {
    GPtrArray *sources;
    Source *portal, *municipality, *reg;
    GPtrArray *cases;
} Country;

static Country *country_new(void)
{
    Country *country = g_new0(Country, 1);
    country->sources = g_ptr_array_new_with_free_func((GDestroyNotify)source_free);
    country->portal = source_new(PORTAL, "Portaal");
    country->portal->own = TRUE;
    country->municipality = source_new(MUNICIPALITY, "Gemeente Waterstad");
    country->reg = source_new(REGISTER, "Register van Personen");
    g_ptr_array_add(country->sources, country->portal);
    g_ptr_array_add(country->sources, country->municipality);
    g_ptr_array_add(country->sources, country->reg);
    return country;
}

static void country_free(Country *country)
{
    g_clear_pointer(&country->cases, g_ptr_array_unref);
    g_ptr_array_unref(country->sources);
    g_free(country);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Country, country_free)

/* The cases of the country, and the first of them. */
static const Case *conclude(Country *country)
{
    country->cases = cases_of(country->sources, VIEWING, REGISTER);
    return country->cases->len == 0 ? NULL : country->cases->pdata[0];
}

static json_t *at(char span, char parent, const char *clock)
{
    g_autofree char *time = g_strdup_printf("2026-11-21T%sZ", clock);
    return record_json(TRACE, span, parent, time);
}

static json_t *given_to(json_t *record, const char *oin)
{
    record_attribute(record, "nl.fundament.receiver", json_string(oin));
    return record;
}

static json_t *viewed(json_t *record, const char *activity)
{
    record_activity(record, activity);
    return record;
}

/* The letters of the spans, in the order of the steps. */
static char *letters(const Case *item)
{
    GString *out = g_string_new(NULL);
    for (guint i = 0; i < item->steps->len; i++)
        g_string_append_c(out, (char)g_ascii_strtoull(case_step(item, i)->use->span_id, NULL, 16));
    return g_string_free(out, FALSE);
}

static void puts_parents_before_children_and_earlier_before_later(void **state)
{
    g_autoptr(Country) country = country_new();
    source_add(country->reg, at('c', 'b', "10:00:01"));
    source_add(country->reg, at('e', 'd', "10:00:03"));
    source_add(country->municipality, at('d', 'a', "10:00:02"));
    source_add(country->municipality, at('b', 'a', "10:00:01"));
    source_add(country->municipality, at('a', 0, "10:00:00"));
    const Case *item = conclude(country);
    g_autofree char *order = letters(item);
    assert_int_equal(country->cases->len, 1);
    assert_string_equal(order, "abcde");
    assert_int_equal(case_step(item, 2)->depth, 2);
    assert_int_equal(case_step(item, 2)->parent, 1);
    assert_int_equal(case_step(item, 0)->parent, -1);
    assert_int_equal(item->gaps, 0);
    assert_ptr_equal(case_lead(item)->source, country->municipality);
}

/* Clocks of organisations differ: what was asked stands below who asked, also when its clock says it came
 * first. */
static void trusts_parents_more_than_clocks(void **state)
{
    g_autoptr(Country) country = country_new();
    source_add(country->reg, at('b', 'a', "09:59:59"));
    source_add(country->municipality, at('a', 0, "10:00:00"));
    g_autofree char *order = letters(conclude(country));
    assert_string_equal(order, "ab");
}

static void shows_a_parent_without_a_record_as_a_gap(void **state)
{
    g_autoptr(Country) country = country_new();
    source_add(country->municipality, at('a', 0, "10:00:00"));
    source_add(country->reg, at('c', 'x', "10:00:01"));
    const Case *item = conclude(country);
    assert_int_equal(item->gaps, 1);
    assert_false(case_step(item, 0)->gap);
    assert_true(case_step(item, 1)->gap);
}

static void shows_a_receiver_without_a_record_as_a_gap(void **state)
{
    g_autoptr(Country) country = country_new();
    source_add(country->reg, given_to(at('a', 0, "10:00:00"), MUNICIPALITY));
    const Case *item = conclude(country);
    assert_int_equal(item->gaps, 1);
    assert_string_equal(case_step(item, 0)->silent, MUNICIPALITY);
}

static void sees_no_gap_where_the_receiver_has_a_record(void **state)
{
    g_autoptr(Country) country = country_new();
    source_add(country->municipality, at('a', 0, "10:00:00"));
    source_add(country->reg, given_to(at('b', 'a', "10:00:01"), MUNICIPALITY));
    assert_int_equal(conclude(country)->gaps, 0);
}

/* Of who did not answer, or has more than was fetched, nobody can say that it wrote nothing down. */
static void accuses_nobody_who_could_not_be_heard(void **state)
{
    g_autoptr(Country) country = country_new();
    country->municipality->state = SOURCE_UNREACHABLE;
    source_add(country->reg, given_to(at('a', 0, "10:00:00"), MUNICIPALITY));
    assert_int_equal(conclude(country)->gaps, 0);
    g_autoptr(Country) partial = country_new();
    partial->municipality->more = TRUE;
    source_add(partial->reg, given_to(at('a', 0, "10:00:00"), MUNICIPALITY));
    assert_int_equal(conclude(partial)->gaps, 0);
    g_autoptr(Country) without = country_new();
    source_add(without->reg, given_to(at('a', 0, "10:00:00"), "00000001000000000099"));
    assert_int_equal(conclude(without)->gaps, 0);
}

static void shows_every_record_of_a_circle_once(void **state)
{
    g_autoptr(Country) country = country_new();
    source_add(country->municipality, at('b', 'a', "10:00:01"));
    source_add(country->municipality, at('a', 'b', "10:00:00"));
    source_add(country->municipality, at('c', 'c', "10:00:02"));
    g_autofree char *order = letters(conclude(country));
    assert_int_equal(strlen(order), 3);
    assert_non_null(strchr(order, 'a'));
    assert_non_null(strchr(order, 'b'));
    assert_non_null(strchr(order, 'c'));
}

static void bears_a_chain_of_thousands(void **state)
{
    g_autoptr(Country) country = country_new();
    for (guint i = 1; i <= USES_MAX; i++) {
        json_t *record = at('a', 0, "10:00:00");
        g_autofree char *span = g_strdup_printf("%016x", i), *parent = g_strdup_printf("%016x", i + 1);
        json_object_set_new(record, "spanId", json_string(span));
        json_object_set_new(record, "parentSpanId", json_string(parent));
        source_add(country->municipality, record);
    }
    const Case *item = conclude(country);
    assert_int_equal(item->steps->len, USES_MAX);
    assert_int_equal(case_step(item, USES_MAX - 1)->depth, USES_MAX - 1);
}

/* An organisation that copies the span of another does not get between that one and its own steps. */
static void keeps_an_organisations_own_step_as_parent(void **state)
{
    g_autoptr(Country) country = country_new();
    source_add(country->reg, at('a', 0, "09:00:00"));
    source_add(country->municipality, at('a', 0, "10:00:00"));
    source_add(country->municipality, at('b', 'a', "10:00:01"));
    const Case *item = conclude(country);
    assert_int_equal(item->steps->len, 3);
    for (guint i = 0; i < 3; i++) {
        const Step *step = case_step(item, i);
        if (step->parent >= 0)
            assert_ptr_equal(case_step(item, (guint)step->parent)->use->source, country->municipality);
    }
}

static void sorts_cases_newest_first_and_names_all_parties(void **state)
{
    g_autoptr(Country) country = country_new();
    source_add(country->municipality, at('a', 0, "10:00:00"));
    source_add(country->reg, given_to(at('b', 'a', "10:00:01"), "00000001000000000099"));
    source_add(country->municipality, record_json(OTHER_TRACE, 'a', 0, "2026-11-22T10:00:00Z"));
    const Case *newest = conclude(country);
    assert_string_equal(newest->trace_id, OTHER_TRACE);
    const Case *older = country->cases->pdata[1];
    g_autoptr(GPtrArray) parties = case_parties(older);
    assert_int_equal(parties->len, 3);
    assert_string_equal(parties->pdata[0], MUNICIPALITY);
    assert_string_equal(parties->pdata[2], "00000001000000000099");
    assert_true(case_involves(older, "00000001000000000099"));
    assert_false(case_involves(newest, REGISTER));
}

static void selects_by_organisation_and_period(void **state)
{
    g_autoptr(Country) country = country_new();
    source_add(country->municipality, at('a', 0, "10:00:00"));
    source_add(country->reg, record_json(OTHER_TRACE, 'a', 0, "2026-11-22T10:00:00Z"));
    const Case *newest = conclude(country);
    g_autoptr(GPtrArray) all = cases_select(country->cases, NULL, 0, 0, FALSE);
    g_autoptr(GPtrArray) one = cases_select(country->cases, REGISTER, 0, 0, FALSE);
    g_autoptr(GPtrArray) late = cases_select(country->cases, NULL, newest->first_ms, 0, FALSE);
    g_autoptr(GPtrArray) early = cases_select(country->cases, NULL, 0, newest->first_ms, FALSE);
    assert_int_equal(all->len, 2);
    assert_int_equal(one->len, 1);
    assert_ptr_equal(one->pdata[0], newest);
    assert_int_equal(late->len, 1);
    assert_ptr_equal(late->pdata[0], newest);
    assert_int_equal(early->len, 1);
}

/* --- one's own look --- */

static void knows_the_persons_own_look(void **state)
{
    g_autoptr(Country) country = country_new();
    source_add(country->portal, viewed(at('a', 0, "10:00:00"), VIEWING_URI));
    source_add(country->reg, given_to(at('b', 'a', "10:00:00"), PORTAL));
    assert_true(conclude(country)->own_view);
    g_autoptr(GPtrArray) others = cases_select(country->cases, NULL, 0, 0, FALSE);
    g_autoptr(GPtrArray) own = cases_select(country->cases, NULL, 0, 0, TRUE);
    assert_int_equal(others->len, 0);
    assert_int_equal(own->len, 1);
}

/* Nobody else can make a use look like the person's own: not by the activity's name, not by the trace. */
static void lets_nobody_hide_behind_the_persons_look(void **state)
{
    g_autoptr(Country) claimed = country_new();
    source_add(claimed->municipality, viewed(at('a', 0, "10:00:00"), VIEWING_URI));
    assert_false(conclude(claimed)->own_view);
    g_autoptr(Country) joined = country_new();
    source_add(joined->portal, viewed(at('a', 0, "10:00:00"), VIEWING_URI));
    source_add(joined->municipality, at('b', 'a', "10:00:00"));
    assert_false(conclude(joined)->own_view);
    g_autoptr(Country) beside = country_new();
    source_add(beside->portal, viewed(at('a', 0, "10:00:00"), VIEWING_URI));
    source_add(beside->reg, at('b', 0, "10:00:00"));
    assert_false(conclude(beside)->own_view);
    g_autoptr(Country) another = country_new();
    source_add(another->portal,
               viewed(at('a', 0, "10:00:00"), "https://portal.example/processing-activities/geeninzage"));
    assert_false(conclude(another)->own_view);
}

/* --- pages --- */

static void fills_pages_up_to_the_budget(void **state)
{
    static const gsize COSTS[] = {40, 40, 40, 150, 10, 10, 10};
    static const guint STARTS[] = {0, 2, 3, 4, 6, 7};
    g_autoptr(GArray) starts = pages_split(COSTS, G_N_ELEMENTS(COSTS), 100, 2);
    assert_int_equal(starts->len, G_N_ELEMENTS(STARTS));
    for (guint i = 0; i < starts->len; i++)
        assert_int_equal(g_array_index(starts, guint, i), STARTS[i]);
}

static void makes_no_page_of_nothing(void **state)
{
    g_autoptr(GArray) starts = pages_split(NULL, 0, 100, 2);
    assert_int_equal(starts->len, 1);
    assert_int_equal(g_array_index(starts, guint, 0), 0);
}

static void has_no_cases_without_records(void **state)
{
    g_autoptr(Country) country = country_new();
    assert_null(conclude(country));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(puts_parents_before_children_and_earlier_before_later),
        cmocka_unit_test(trusts_parents_more_than_clocks),
        cmocka_unit_test(shows_a_parent_without_a_record_as_a_gap),
        cmocka_unit_test(shows_a_receiver_without_a_record_as_a_gap),
        cmocka_unit_test(sees_no_gap_where_the_receiver_has_a_record),
        cmocka_unit_test(accuses_nobody_who_could_not_be_heard),
        cmocka_unit_test(shows_every_record_of_a_circle_once),
        cmocka_unit_test(bears_a_chain_of_thousands),
        cmocka_unit_test(keeps_an_organisations_own_step_as_parent),
        cmocka_unit_test(sorts_cases_newest_first_and_names_all_parties),
        cmocka_unit_test(selects_by_organisation_and_period),
        cmocka_unit_test(knows_the_persons_own_look),
        cmocka_unit_test(lets_nobody_hide_behind_the_persons_look),
        cmocka_unit_test(fills_pages_up_to_the_budget),
        cmocka_unit_test(makes_no_page_of_nothing),
        cmocka_unit_test(has_no_cases_without_records),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
