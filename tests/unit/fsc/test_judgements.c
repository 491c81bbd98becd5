/* What the store keeps of the policy's judgements, on both databases. */
#include "components/fsc/policy_record.h"
#include "components/fsc/store.h"
#include "core/format/json.h"
#include "tests/support/error.h"
#include "tests/support/folder.h"
#include "tests/support/postgresql.h"
#include "tests/unit/fsc/identity.h"

typedef struct {
    Store *store;
    Db *db;
} Fixture;

static gboolean on_postgresql;

static char *schema(guint number)
{
    g_autoptr(GError) error = NULL;
    char *text = NULL;
    const char *source = g_getenv("FUNDAMENT_SOURCE");
    g_autofree char *name = g_strdup_printf("%04u.sql", number);
    g_autofree char *path = g_build_filename(source != NULL ? source : ".", "schema", "fsc", name, NULL);
    g_file_get_contents(path, &text, NULL, &error);
    no_error(error);
    return text;
}

static char *fresh_url(void)
{
    if (on_postgresql)
        return test_postgresql_start();
    g_autofree char *folder = test_folder_new();
    return g_strdup_printf("sqlite:%s/node.db", folder);
}

static int set_up(void **state)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *first = schema(1), *judgements = schema(5), *lookups = schema(7);
    g_autofree char *url = fresh_url();
    const Migration migrations[] = {{"fsc", 1, first}, {"fsc", 2, judgements}, {"fsc", 3, lookups}};
    Fixture *fixture = g_new0(Fixture, 1);
    fixture->store = store_open(url, &error);
    no_error(error);
    store_migrate(fixture->store, migrations, G_N_ELEMENTS(migrations), &error);
    no_error(error);
    fixture->db = store_take(fixture->store, &error);
    no_error(error);
    *state = fixture;
    return 0;
}

static int tear_down(void **state)
{
    Fixture *fixture = *state;
    g_clear_pointer(&fixture->db, db_release);
    store_close(fixture->store);
    g_free(fixture);
    return 0;
}

static Contract *contract_number(guint number)
{
    g_autofree char *iv = g_strdup_printf("019b76da-a800-7000-8000-%012u", number);
    g_autoptr(json_t) content = sample_content(sample_connection());
    sample_change(content, "", "iv", json_string(iv));
    return contract_parse(content, NULL);
}

static gint64 stored(Fixture *fixture, const Contract *contract)
{
    g_autoptr(GError) error = NULL;
    gint64 id = 0;
    fsc_store_contract(fixture->db, contract, NOW * G_GINT64_CONSTANT(1000), &id, &error);
    no_error(error);
    return id;
}

static void judge(Fixture *fixture, const Contract *contract, const char *rules, PolicyDecision decision)
{
    TraceContext span;
    g_autoptr(GError) error = NULL;
    g_autoptr(GPtrArray) faults = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(Policy) policy = policy_parse("p", rules, strlen(rules), NULL, faults);
    PolicyInput input = {.now_s = NOW, .own_peer_id = PROVIDER};
    g_autoptr(PolicyVerdict) verdict = policy_judge(policy, contract, &input);
    Decided decided = {.verdict = verdict, .contract = contract, .decision = decision, .reason = "because"};
    trace_new(&span);
    judgement_write(fixture->db, stored(fixture, contract), &decided, &span, 7, &error);
    no_error(error);
}

static Judgement *read_back(Fixture *fixture, const Contract *contract)
{
    g_autoptr(GError) error = NULL;
    Judgement *judgement = NULL;
    judgement_read(fixture->db, stored(fixture, contract), &judgement, &error);
    no_error(error);
    return judgement;
}

static guint waiting(Fixture *fixture, gint64 now_s)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GPtrArray) hashes = g_ptr_array_new_with_free_func(g_free);
    judgements_waiting(fixture->db, now_s, hashes, &error);
    no_error(error);
    return hashes->len;
}

static guint missing(Fixture *fixture, const char *own)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GPtrArray) hashes = g_ptr_array_new_with_free_func(g_free);
    judgements_missing(fixture->db, own, NOW, hashes, &error);
    no_error(error);
    return hashes->len;
}

static void a_judgement_is_read_back_and_replaced(void **state)
{
    Fixture *fixture = *state;
    g_autoptr(Contract) contract = contract_number(1);
    g_autoptr(Judgement) none = read_back(fixture, contract);
    assert_null(none);
    judge(fixture, contract, "[rule.a]\ndecide = ask\n", POLICY_ASK);
    g_autoptr(Judgement) first = read_back(fixture, contract);
    assert_string_equal(first->verdict, "ask");
    assert_string_equal(first->decision, "ask");
    assert_string_equal(first->rule, "a");
    assert_string_equal(first->reason, "because");
    assert_int_equal(first->judged_ms, 7);
    assert_true(trace_id_valid(first->span.trace_id) && span_id_valid(first->span.span_id));
    judge(fixture, contract, "[rule.a]\ndecide = ask\n", POLICY_ACCEPT);
    g_autoptr(Judgement) second = read_back(fixture, contract);
    assert_string_equal(second->verdict, "ask");
    assert_string_equal(second->decision, "accept");
    judge(fixture, contract, "", POLICY_WAIT);
    g_autoptr(Judgement) third = read_back(fixture, contract);
    assert_null(third->rule);
    assert_string_not_equal(third->policy, first->policy);
}

static void what_waits_is_found_until_it_is_decided_closed_or_over(void **state)
{
    Fixture *fixture = *state;
    g_autoptr(GError) error = NULL;
    g_autoptr(Contract) one = contract_number(1);
    g_autoptr(Contract) two = contract_number(2);
    g_autoptr(Contract) three = contract_number(3);
    judge(fixture, one, "", POLICY_WAIT);
    judge(fixture, two, "", POLICY_ASK);
    judge(fixture, three, "", POLICY_REJECT);
    assert_int_equal(waiting(fixture, NOW), 2);
    assert_int_equal(waiting(fixture, NOW + 2 * 86400), 0);
    judge(fixture, two, "", POLICY_ACCEPT);
    assert_int_equal(waiting(fixture, NOW), 1);
    judgement_close(fixture->db, stored(fixture, one), &error);
    no_error(error);
    assert_int_equal(waiting(fixture, NOW), 0);
}

static void what_was_never_judged_is_found(void **state)
{
    Fixture *fixture = *state;
    g_autoptr(Contract) one = contract_number(1);
    g_autoptr(Contract) two = contract_number(2);
    stored(fixture, one);
    stored(fixture, two);
    assert_int_equal(missing(fixture, PROVIDER), 2);
    judge(fixture, one, "", POLICY_WAIT);
    assert_int_equal(missing(fixture, PROVIDER), 1);
}

/* --- the records --- */

/* ADL 1.0.0, 3.3.7 and 3.3.8: request and response raw, policy, contract and program by reference. */
static void a_record_refers_to_policy_contract_and_program(void **state)
{
    TraceContext span;
    g_autoptr(GPtrArray) faults = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(Policy) policy = policy_parse("p", "[rule.a]\ndecide = reject\n", 25, NULL, faults);
    g_autoptr(Contract) contract = contract_number(1);
    PolicyInput input = {.now_s = NOW, .own_peer_id = PROVIDER};
    g_autoptr(PolicyVerdict) verdict = policy_judge(policy, contract, &input);
    trace_new(&span);
    g_autoptr(json_t) attributes =
        policy_record_attributes(verdict, contract, POLICY_REJECT, "00f067aa0ba902b7");
    const json_t *information = json_object_get(attributes, "adl.core.information");
    assert_string_equal(
        json_string_at(json_object_get(attributes, "adl.core.policies"), "fsc-signing-policy"),
        policy_digest(policy));
    assert_string_equal(json_string_at(information, "fsc-contract"), contract->hash);
    assert_string_equal(json_string_at(json_object_get(information, "decision-point"), "span_id"),
                        "00f067aa0ba902b7");
    assert_null(json_object_get(attributes, "adl.fsc.transaction_id")); /* 3.3.7.6: MUST NOT */
    g_autoptr(json_t) body = policy_record_body(verdict, contract, POLICY_REJECT, "because", 0, &span);
    const json_t *response = json_object_get(body, "adl.core.response");
    assert_true(json_is_false(json_object_get(response, "decision")));
    assert_string_equal(json_string_at(json_object_get(response, "context"), "rule"), "a");
    assert_non_null(json_object_get(json_object_get(body, "adl.core.request"), "subject"));
}

/* A publication may have properties of any size: they stay in the contract. */
static void properties_that_are_too_long_are_left_to_the_contract(void **state)
{
    TraceContext span;
    g_autofree char *text = g_strnfill(100000, 'x');
    g_autoptr(GPtrArray) faults = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(Policy) policy = policy_parse("p", "", 0, NULL, faults);
    g_autoptr(json_t) content = sample_content(sample_publication());
    sample_change(content, "grants.0.data", "properties", json_pack("{s:s}", "long", text));
    g_autoptr(Contract) contract = contract_parse(content, NULL);
    PolicyInput input = {.now_s = NOW, .own_peer_id = DIRECTORY};
    g_autoptr(PolicyVerdict) verdict = policy_judge(policy, contract, &input);
    trace_new(&span);
    g_autoptr(json_t) body = policy_record_body(verdict, contract, POLICY_WAIT, "because", 0, &span);
    g_autofree char *written = json_write(body);
    assert_true(strlen(written) < 32 * 1024);
}

#define EACH(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

static int run(const char *name)
{
    const struct CMUnitTest tests[] = {
        EACH(a_judgement_is_read_back_and_replaced),
        EACH(what_waits_is_found_until_it_is_decided_closed_or_over),
        EACH(what_was_never_judged_is_found),
    };
    return cmocka_run_group_tests_name(name, tests, NULL, NULL);
}

static void postgresql_is_not_installed(void **state)
{
    print_message("skipped: no PostgreSQL on this machine\n");
    skip();
}

int main(void)
{
    const struct CMUnitTest pure[] = {
        cmocka_unit_test(a_record_refers_to_policy_contract_and_program),
        cmocka_unit_test(properties_that_are_too_long_are_left_to_the_contract),
    };
    const struct CMUnitTest skipped[] = {cmocka_unit_test(postgresql_is_not_installed)};
    int failed = cmocka_run_group_tests_name("records", pure, NULL, NULL) + run("judgements sqlite");
    g_autofree char *url = test_postgresql_start();
    on_postgresql = TRUE;
    return failed + (url != NULL ? run("judgements postgresql")
                                 : cmocka_run_group_tests_name("judgements postgresql", skipped, NULL, NULL));
}
