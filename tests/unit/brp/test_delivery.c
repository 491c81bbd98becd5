/* What stands in the log of data processing when persons were given; read back from the journal. On both
 * engines. */
#include "core/base/identifiers.h"
#include "tests/unit/brp/register.h"
#include "tests/unit/node/support.h"

#define CALLER_TRACE "7bba9f33312b3dabc8f8e90c7c61f194"
#define CALLER_SPAN "2a3f5c8d1e6b4a09"
#define NAMED(bsn, surname)                                                                                  \
    "{\"burgerservicenummer\": \"" bsn                                                                       \
    "\", \"naam\": {\"voornamen\": \"Sara\", \"geslachtsnaam\": \"" surname                                  \
    "\"}, \"geboorte\": {\"datum\": \"19880412\"}}"
#define PERSONS                                                                                              \
    "[" NAMED("999990019", "Haddou") "," NAMED("999993653", "Bakker") "," NAMED("000009830", "Bakker") "]"
#define ASK(bsns)                                                                                            \
    "{\"type\": \"RaadpleegMetBurgerservicenummer\", \"fields\": [\"geboorte\", \"naam.geslachtsnaam\", "    \
    "\"geboorte.datum\"], \"burgerservicenummer\": [" bsns "]}"
#define SEARCH(surname)                                                                                      \
    "{\"type\": \"ZoekMetGeslachtsnaamEnGeboortedatum\", \"fields\": [\"naam\"], \"geboortedatum\": "        \
    "\"1988-04-12\", \"geslachtsnaam\": \"" surname "\"}"

static int setup_lite(void **state)
{
    *state = register_new(FALSE, PERSONS, NULL);
    return 0;
}

static int setup_pg(void **state)
{
    *state = register_new(TRUE, PERSONS, NULL);
    return 0;
}

static int teardown(void **state)
{
    if (*state != NULL)
        register_free(*state);
    return 0;
}

#define on_both(name)                                                                                        \
    {#name " on sqlite", name, setup_lite, teardown, NULL},                                                  \
    {                                                                                                        \
#name " on postgresql", name, setup_pg, teardown, NULL                                               \
    }

#define take_register(state)                                                                                 \
    Register *reg = *(state);                                                                                \
    if (reg == NULL)                                                                                         \
    skip()

static void assert_given(Register *reg, const char *body, gsize persons)
{
    g_autoptr(json_t) answer = register_ask(reg, body, 200);
    assert_int_equal(json_array_size(json_object_get(answer, "personen")), persons);
}

static const char *attribute(const json_t *record, const char *name)
{
    return json_string_at(json_object_get(record, "attributes"), name);
}

static void assert_subject(Register *reg, const json_t *record, const char *bsn)
{
    if (bsn == NULL) {
        assert_null(attribute(record, "dpl.core.data_subject_id"));
        assert_null(attribute(record, "dpl.core.data_subject_id_type"));
        return;
    }
    g_autofree char *pseudonym = pseudonym_of_bsn(node_pseudonymizer(reg->node), bsn);
    assert_string_equal(attribute(record, "dpl.core.data_subject_id"), pseudonym);
    assert_string_equal(attribute(record, "dpl.core.data_subject_id_type"), "BSN");
}

/* --- how many records --- */

/* LDV 1.0.0, 3.2.2: one record with what the standard wants, and ours. */
static void one_person_is_one_record_with_who_asked_and_for_which_fields(void **state)
{
    take_register(state);
    assert_given(reg, ASK("\"999990019\""), 1);
    g_autoptr(json_t) records = register_records(reg);
    assert_int_equal(json_array_size(records), 1);
    const json_t *record = json_array_get(records, 0);
    assert_subject(reg, record, "999990019");
    assert_string_equal(json_string_at(record, "name"), "Persoonsgegevens verstrekken");
    assert_int_equal(json_integer_at(record, "status"), 0);
    assert_true(json_integer_at(record, "start_time") == SUPPORT_NOW * (gint64)1000);
    assert_true(json_integer_at(record, "end_time") == SUPPORT_NOW * (gint64)1000);
    assert_null(json_object_get(record, "parent_span_id"));
    g_autoptr(json_t) attributes = json_copy(json_object_get(record, "attributes"));
    json_object_del(attributes, "dpl.core.data_subject_id");
    assert_json(attributes, "{\"dpl.core.data_subject_id_type\": \"BSN\","
                            " \"dpl.core.processing_activity_id\": \"" REGISTER_ACTIVITY "\","
                            " \"nl.fundament.data_categories\": [\"geboorte\", \"naam.geslachtsnaam\","
                            " \"geboorte.datum\"],"
                            " \"nl.fundament.receiver\": \"" REGISTER_CALLER "\","
                            " \"nl.fundament.transaction_id\": \"" REGISTER_TRANSACTION "\"}");
}

/* LDV 1.0.0, 3.3.1.1: "If an action involves multiple Data Subjects, the Application MUST register a child
 * action for each Data Subject." */
static void several_persons_are_child_actions_of_the_question(void **state)
{
    static const char *const BSNS[] = {"999993653", "999990019", "000009830"};
    take_register(state);
    assert_given(reg, ASK("\"999993653\", \"999990019\", \"000009830\""), 3);
    g_autoptr(json_t) records = register_records(reg);
    assert_int_equal(json_array_size(records), 4);
    const json_t *own = json_array_get(records, 0);
    assert_subject(reg, own, NULL);
    assert_string_equal(json_string_at(own, "name"), "Vraag om persoonsgegevens behandelen");
    g_autoptr(GHashTable) spans = g_hash_table_new(g_str_hash, g_str_equal);
    g_hash_table_add(spans, (gpointer)json_string_at(own, "span_id"));
    for (gsize i = 0; i < G_N_ELEMENTS(BSNS); i++) {
        const json_t *child = json_array_get(records, i + 1);
        assert_subject(reg, child, BSNS[i]);
        assert_string_equal(json_string_at(child, "trace_id"), json_string_at(own, "trace_id"));
        assert_string_equal(json_string_at(child, "parent_span_id"), json_string_at(own, "span_id"));
        assert_true(g_hash_table_add(spans, (gpointer)json_string_at(child, "span_id")));
        assert_json(json_object_get(json_object_get(child, "attributes"), "nl.fundament.data_categories"),
                    "[\"geboorte\", \"naam.geslachtsnaam\", \"geboorte.datum\"]");
    }
}

static void only_persons_who_are_given_are_in_the_log(void **state)
{
    take_register(state);
    assert_given(reg, ASK("\"999990019\", \"000009842\", \"999990019\""), 1);
    g_autoptr(json_t) records = register_records(reg);
    assert_int_equal(json_array_size(records), 1);
    assert_subject(reg, json_array_get(records, 0), "999990019");
}

static void nobody_found_is_a_record_without_a_person(void **state)
{
    take_register(state);
    assert_given(reg, ASK("\"000009842\""), 0);
    assert_given(reg, SEARCH("Jansen"), 0);
    g_autoptr(json_t) records = register_records(reg);
    assert_int_equal(json_array_size(records), 2);
    for (gsize i = 0; i < 2; i++) {
        assert_subject(reg, json_array_get(records, i), NULL);
        assert_int_equal(json_integer_at(json_array_get(records, i), "status"), 0);
        assert_string_equal(attribute(json_array_get(records, i), "nl.fundament.receiver"), REGISTER_CALLER);
    }
}

static void who_a_search_finds_is_in_the_log_as_who_is_asked_by_number(void **state)
{
    take_register(state);
    assert_given(reg, SEARCH("Haddou"), 1);
    assert_given(reg, SEARCH("Bak*"), 2);
    g_autoptr(json_t) records = register_records(reg);
    assert_int_equal(json_array_size(records), 1 + 3);
    assert_subject(reg, json_array_get(records, 0), "999990019");
    assert_subject(reg, json_array_get(records, 1), NULL);
    assert_subject(reg, json_array_get(records, 2), "000009830");
    assert_subject(reg, json_array_get(records, 3), "999993653");
}

static void a_search_with_too_many_results_is_a_failed_action_without_persons(void **state)
{
    take_register(state);
    g_autoptr(GString) persons = g_string_new("[");
    for (int i = 0, found = 0; found < 11; i++) {
        g_autofree char *bsn = g_strdup_printf("1006%05d", i);
        if (bsn_valid(bsn))
            g_string_append_printf(persons,
                                   "%s{\"burgerservicenummer\": \"%s\", \"naam\": {\"geslachtsnaam\": "
                                   "\"Visser\"}, \"geboorte\": {\"datum\": \"19880412\"}}",
                                   found++ > 0 ? "," : "", bsn);
    }
    g_string_append_c(persons, ']');
    Register *full = register_new(store_is_postgresql(reg->store), persons->str, NULL);
    g_autoptr(json_t) answer = register_ask(full, SEARCH("Visser"), 400);
    assert_string_equal(json_string_at(answer, "code"), "tooManyResults");
    g_autoptr(json_t) records = register_records(full);
    register_free(full);
    assert_int_equal(json_array_size(records), 1);
    assert_subject(reg, json_array_get(records, 0), NULL);
    assert_int_equal(json_integer_at(json_array_get(records, 0), "status"), 2);
}

/* Nothing of anybody was looked at. */
static void a_question_that_is_not_understood_is_no_processing(void **state)
{
    take_register(state);
    g_autoptr(json_t) nothing = register_ask(reg, "{", 400);
    g_autoptr(json_t) wrong = register_ask(reg, ASK("\"99999001\""), 400);
    g_autoptr(json_t) records = register_records(reg);
    assert_int_equal(json_array_size(records), 0);
}

static void the_same_question_twice_is_two_actions(void **state)
{
    take_register(state);
    assert_given(reg, ASK("\"999990019\""), 1);
    assert_given(reg, ASK("\"999990019\""), 1);
    g_autoptr(json_t) records = register_records(reg);
    assert_int_equal(json_array_size(records), 2);
    assert_string_not_equal(json_string_at(json_array_get(records, 0), "span_id"),
                            json_string_at(json_array_get(records, 1), "span_id"));
}

/* --- who called --- */

static void call_from(Register *reg, const char *body)
{
    static const char *const HEADERS[] = {"Content-Type: application/json",
                                          "traceparent: 00-" CALLER_TRACE "-" CALLER_SPAN "-01", NULL};
    g_autoptr(HttpReply) reply = register_call(reg, "POST", REGISTER_PATH, HEADERS, body);
    assert_int_equal(reply->status, 200);
}

static void know_the_caller(Register *reg)
{
    register_run_sql(
        reg, "INSERT INTO fsc_peers (peer_id, name, manager_address, seen_ms) VALUES ('" REGISTER_CALLER
             "', 'Municipality', 'https://municipality.test:8443', 1)");
}

/* LDV 1.0.0, 3.2.2.7 and 3.2.2.9: an action that another application called says which. */
static void an_action_with_a_caller_says_whose_action_called_it(void **state)
{
    take_register(state);
    know_the_caller(reg);
    call_from(reg, ASK("\"999990019\""));
    g_autoptr(json_t) records = register_records(reg);
    const json_t *record = json_array_get(records, 0);
    assert_string_equal(json_string_at(record, "trace_id"), CALLER_TRACE);
    assert_string_equal(json_string_at(record, "parent_span_id"), CALLER_SPAN);
    assert_string_equal(attribute(record, "dpl.core.foreign_operation.processor"),
                        "https://municipality.test:8443");
}

static void an_action_without_a_caller_names_none(void **state)
{
    take_register(state);
    know_the_caller(reg);
    assert_given(reg, ASK("\"999990019\""), 1);
    g_autoptr(json_t) records = register_records(reg);
    assert_null(json_object_get(json_array_get(records, 0), "parent_span_id"));
    assert_null(attribute(json_array_get(records, 0), "dpl.core.foreign_operation.processor"));
}

static void a_caller_without_a_known_address_has_only_its_number_in_the_log(void **state)
{
    take_register(state);
    call_from(reg, ASK("\"999990019\""));
    g_autoptr(json_t) records = register_records(reg);
    assert_null(attribute(json_array_get(records, 0), "dpl.core.foreign_operation.processor"));
    assert_string_equal(attribute(json_array_get(records, 0), "nl.fundament.receiver"), REGISTER_CALLER);
}

/* Their parent is the register's own action, not that of the caller. */
static void child_actions_name_no_caller(void **state)
{
    take_register(state);
    know_the_caller(reg);
    call_from(reg, ASK("\"999990019\", \"999993653\""));
    g_autoptr(json_t) records = register_records(reg);
    assert_int_equal(json_array_size(records), 3);
    assert_string_equal(attribute(json_array_get(records, 0), "dpl.core.foreign_operation.processor"),
                        "https://municipality.test:8443");
    assert_string_equal(json_string_at(json_array_get(records, 0), "parent_span_id"), CALLER_SPAN);
    for (gsize i = 1; i <= 2; i++)
        assert_null(attribute(json_array_get(records, i), "dpl.core.foreign_operation.processor"));
}

/* --- what never stands there, and when it cannot be written --- */

static void no_number_and_no_name_is_in_the_journal(void **state)
{
    take_register(state);
    assert_given(reg, ASK("\"999990019\", \"999993653\""), 2);
    assert_given(reg, SEARCH("Haddou"), 1);
    assert_given(reg, SEARCH("Nergens"), 0);
    static const char *const WORDS[] = {"999990019", "999993653", "000009830", "Haddou",
                                        "haddou",    "Bakker",    "Nergens",   "1988-04-12"};
    for (gsize i = 0; i < G_N_ELEMENTS(WORDS); i++)
        assert_true(register_journal_lacks(reg, WORDS[i]));
    assert_false(register_journal_lacks(reg, "naam.geslachtsnaam")); /* it does find what is there */
}

/* Fail closed: if the log cannot be written, the data does not flow. */
static void assert_nothing_flows_without_a_log(Register *reg, const char *body)
{
    register_fill_disk();
    g_autoptr(HttpReply) refused = register_call(reg, "POST", REGISTER_PATH, NULL, body);
    g_autoptr(HttpReply) again = register_call(reg, "POST", REGISTER_PATH, NULL, body);
    register_free_disk(reg);
    const HttpReply *replies[] = {refused, again};
    for (gsize i = 0; i < G_N_ELEMENTS(replies); i++) {
        g_autofree char *text = register_text(replies[i]);
        assert_in_range(replies[i]->status, 500, 503);
        assert_string_equal(replies[i]->content_type, "application/problem+json");
        assert_null(strstr(text, "Haddou"));
        assert_null(strstr(text, "\"personen\""));
        assert_non_null(strstr(text, "Vermeld trace "));
    }
    g_autoptr(json_t) none = register_records(reg);
    assert_int_equal(json_array_size(none), 0);
}

static void a_log_that_cannot_be_written_gives_no_data(void **state)
{
    take_register(state);
    static const char *const QUESTIONS[] = {ASK("\"999990019\""), ASK("\"999990019\", \"999993653\""),
                                            ASK("\"000009842\""), SEARCH("Haddou")};
    static const gsize GIVEN[] = {1, 2, 0, 1}, LOGGED[] = {1, 3, 1, 1};
    for (gsize i = 0; i < G_N_ELEMENTS(QUESTIONS); i++) {
        assert_nothing_flows_without_a_log(reg, QUESTIONS[i]);
        assert_given(reg, QUESTIONS[i], GIVEN[i]); /* and again when the disk has room */
        g_autoptr(json_t) records = register_records(reg);
        assert_int_equal(json_array_size(records), LOGGED[i]);
    }
}

/* Loading keeps such a person out; should one get in, there is still no way to log the use of their data. */
static void a_person_whose_use_cannot_be_logged_is_not_given(void **state)
{
    take_register(state);
    register_run_sql(reg, "UPDATE brp_persons SET bsn = '999999245', record = '{\"burgerservicenummer\": "
                          "\"999999245\"}' WHERE bsn = '999993653'");
    g_autoptr(json_t) alone = register_ask(reg, ASK("\"999999245\""), 500);
    g_autoptr(json_t) with_another = register_ask(reg, ASK("\"999990019\", \"999999245\""), 500);
    assert_null(json_object_get(with_another, "personen"));
    g_autoptr(json_t) records = register_records(reg);
    assert_int_equal(json_array_size(records), 0);
    assert_given(reg, ASK("\"999990019\""), 1);
}

static void without_a_configured_activity_it_is_that_of_the_own_register(void **state)
{
    Register *reg = register_new(FALSE, PERSONS, "");
    assert_given(reg, ASK("\"999990019\""), 1);
    g_autoptr(json_t) records = register_records(reg);
    register_free(reg);
    assert_string_equal(attribute(json_array_get(records, 0), "dpl.core.processing_activity_id"),
                        "https://register.test:8443/logboek/v1/processing-activities/verstrekken");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        on_both(one_person_is_one_record_with_who_asked_and_for_which_fields),
        on_both(several_persons_are_child_actions_of_the_question),
        on_both(only_persons_who_are_given_are_in_the_log),
        on_both(nobody_found_is_a_record_without_a_person),
        on_both(who_a_search_finds_is_in_the_log_as_who_is_asked_by_number),
        on_both(a_search_with_too_many_results_is_a_failed_action_without_persons),
        on_both(a_question_that_is_not_understood_is_no_processing),
        on_both(the_same_question_twice_is_two_actions),
        on_both(an_action_with_a_caller_says_whose_action_called_it),
        on_both(an_action_without_a_caller_names_none),
        on_both(a_caller_without_a_known_address_has_only_its_number_in_the_log),
        on_both(child_actions_name_no_caller),
        on_both(no_number_and_no_name_is_in_the_journal),
        on_both(a_log_that_cannot_be_written_gives_no_data),
        on_both(a_person_whose_use_cannot_be_logged_is_not_given),
        cmocka_unit_test(without_a_configured_activity_it_is_that_of_the_own_register),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
