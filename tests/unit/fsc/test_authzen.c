/* AuthZEN NL GOV 1.0.0, the side that asks: the question about a grant, and what counts as an answer. */
#include "components/fsc/authzen.h"
#include "tests/support/error.h"
#include "tests/unit/fsc/sample.h"

static json_t *question_on(json_t *grant, TraceContext *span)
{
    g_autoptr(json_t) content = sample_content(grant);
    g_autoptr(Contract) contract = contract_parse(content, NULL);
    trace_new(span);
    return authzen_question(contract, &contract->grants[0], NOW * G_GINT64_CONSTANT(1000), span);
}

/* 5.1, 5.2, 5.3, 6.1: subject {type, id}, resource {type, id}, action {name}. */
static void a_question_has_all_required_members(void **state)
{
    json_t *(*grants[])(void) = {sample_publication, sample_connection, sample_delegated_connection,
                                 sample_delegated_publication};
    static const char *const subjects[] = {PROVIDER, CONSUMER, CONSUMER, PROVIDER};
    static const char *const actions[] = {"publish", "connect", "connect", "publish"};
    for (gsize i = 0; i < G_N_ELEMENTS(grants); i++) {
        TraceContext span;
        g_autoptr(json_t) question = question_on(grants[i](), &span);
        const json_t *subject = json_object_get(question, "subject"),
                     *resource = json_object_get(question, "resource");
        assert_string_equal(json_string_at(subject, "type"), "fsc-peer");
        assert_string_equal(json_string_at(subject, "id"), subjects[i]);
        assert_string_equal(json_string_at(resource, "type"), "fsc-service");
        assert_string_equal(json_string_at(resource, "id"), "persons." PROVIDER);
        assert_string_equal(json_string_at(json_object_get(question, "action"), "name"), actions[i]);
    }
}

/* 5.4.1.1: RFC 3339; 5.4.1.2: both members of the trace context. */
static void the_context_has_time_and_trace(void **state)
{
    TraceContext span;
    char traceparent[TRACEPARENT_SIZE];
    g_autoptr(json_t) question = question_on(sample_connection(), &span);
    const json_t *context = json_object_get(question, "context");
    trace_format(&span, traceparent);
    assert_string_equal(json_string_at(context, "time"), "2026-01-01T00:00:00.000Z");
    assert_string_equal(json_string_at(context, "traceparent"), traceparent);
    assert_true(g_str_has_prefix(json_string_at(context, "tracestate"), "fundament="));
}

/* 11.5: "properties with a value of null SHOULD be omitted". */
static void what_is_absent_is_left_out(void **state)
{
    TraceContext span;
    g_autoptr(json_t) question = question_on(sample_connection(), &span);
    g_autofree char *text = json_write(question);
    assert_null(strstr(text, "null"));
    assert_null(strstr(text, "delegator"));
    g_autoptr(json_t) delegated = question_on(sample_delegated_connection(), &span);
    const json_t *properties = json_object_get(json_object_get(delegated, "subject"), "properties");
    assert_string_equal(json_string_at(properties, "delegator"), OTHER);
}

static gboolean answered(guint status, const char *type, const char *body, AuthzenAnswer *answer)
{
    g_autoptr(GError) error = NULL;
    gboolean good = authzen_answer_parse(status, type, body, strlen(body), answer, &error);
    if (!good)
        assert_true(g_error_matches(error, FUNDAMENT_ERROR, FUNDAMENT_ERROR_LIMIT));
    return good;
}

/* 5.5: `decision` is a required boolean. */
static void a_decision_is_a_boolean(void **state)
{
    g_auto(AuthzenAnswer) yes = {0};
    g_auto(AuthzenAnswer) no = {0};
    assert_true(answered(200, "application/json", "{\"decision\":true}", &yes));
    assert_true(yes.decision);
    assert_true(answered(200, "application/json; charset=utf-8",
                         "{\"decision\":false,\"context\":{\"reason\":\"x\"}}", &no));
    assert_false(no.decision);
    assert_string_equal(json_string_at(no.context, "reason"), "x");
}

static void everything_else_is_no_decision(void **state)
{
    static const struct {
        guint status;
        const char *type, *body;
    } cases[] = {
        {201, "application/json", "{\"decision\":true}"},
        {400, "application/json", "{\"decision\":true}"},
        {401, "application/json", "\"denied\""},
        {500, "text/plain", "error"},
        {200, "text/plain", "{\"decision\":true}"},
        {200, NULL, "{\"decision\":true}"},
        {200, "application/json", ""},
        {200, "application/json", "true"},
        {200, "application/json", "[{\"decision\":true}]"},
        {200, "application/json", "{}"},
        {200, "application/json", "{\"decision\":1}"},
        {200, "application/json", "{\"decision\":\"true\"}"},
        {200, "application/json", "{\"decision\":null}"},
        {200, "application/json", "{\"decision\":true,\"decision\":true}"},
        {200, "application/json", "{\"decision\":true,\"context\":[]}"},
        {200, "application/json", "{\"decision\":true} x"},
        {200, "application/json", "{\"evaluations\":[{\"decision\":true}]}"},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_auto(AuthzenAnswer) answer = {0};
        if (answered(cases[i].status, cases[i].type, cases[i].body, &answer))
            fail_msg("taken for a decision: %u %s", cases[i].status, cases[i].body);
        assert_false(answer.decision);
    }
}

/* 4: later versions "MAY augment": members that are not known are left alone. */
static void members_that_are_not_known_are_left_alone(void **state)
{
    g_auto(AuthzenAnswer) answer = {0};
    assert_true(answered(200, "application/json", "{\"decision\":true,\"later\":{}}", &answer));
    assert_null(answer.condition);
}

/* 5.5: "If the PEP does not understand information in the context response object, the PEP MAY choose to
 * reject the decision." */
static void a_permit_with_what_we_do_not_understand_has_a_condition(void **state)
{
    g_auto(AuthzenAnswer) permit = {0};
    g_auto(AuthzenAnswer) reason = {0};
    g_auto(AuthzenAnswer) denial = {0};
    assert_true(
        answered(200, "application/json", "{\"decision\":true,\"context\":{\"acr_values\":\"x\"}}", &permit));
    assert_string_equal(permit.condition, "acr_values");
    assert_true(
        answered(200, "application/json", "{\"decision\":true,\"context\":{\"reason_admin\":{}}}", &reason));
    assert_null(reason.condition);
    assert_true(answered(200, "application/json", "{\"decision\":false,\"context\":{\"acr_values\":\"x\"}}",
                         &denial));
    assert_null(denial.condition);
}

/* 9.2: "inserting a well-known URI string between the host component and the path". */
static void metadata_is_between_host_and_path(void **state)
{
    static const struct {
        const char *base, *url;
    } cases[] = {
        {"https://pdp.example.com", "https://pdp.example.com/.well-known/authzen-configuration"},
        {"https://pdp.example.com/", "https://pdp.example.com/.well-known/authzen-configuration"},
        {"https://pdp.example.com:8443/tenant1",
         "https://pdp.example.com:8443/.well-known/authzen-configuration/tenant1"},
        {"http://pdp.example.com", NULL},
        {"pdp.example.com", NULL},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *url = authzen_metadata_url(cases[i].base);
        assert_true(g_strcmp0(url, cases[i].url) == 0);
    }
}

#define BASE "https://pdp.example.com"

static char *endpoint(const char *metadata)
{
    g_autoptr(json_t) document = metadata == NULL ? NULL : json_parse_strict(metadata, -1, NULL, NULL);
    return authzen_endpoint(BASE, document, NULL);
}

/* 10.1: the endpoint parameter when it is provided, else the default path; 9.2.2: parameters that are not
 * known MUST be ignored; 9.2.3: an identifier that differs MUST NOT be used. */
static void the_endpoint_is_that_of_the_metadata_of_this_decision_point(void **state)
{
    static const struct {
        const char *metadata, *expected;
    } cases[] = {
        {NULL, BASE "/access/v1/evaluation"},
        {"{\"policy_decision_point\":\"" BASE "\"}", BASE "/access/v1/evaluation"},
        {"{\"policy_decision_point\":\"" BASE
         "\",\"access_evaluation_endpoint\":\"https://else.example/e\",\"x\":1}",
         "https://else.example/e"},
        {"{\"policy_decision_point\":\"https://other.example\",\"access_evaluation_endpoint\":\"https://"
         "else.example/"
         "e\"}",
         NULL},
        {"{\"access_evaluation_endpoint\":\"https://else.example/e\"}", NULL},
        {"{\"policy_decision_point\":\"" BASE "\",\"access_evaluation_endpoint\":\"http://else.example/e\"}",
         NULL},
        {"{\"policy_decision_point\":\"" BASE "\",\"access_evaluation_endpoint\":7}", NULL},
        {"{\"policy_decision_point\":\"" BASE "\",\"access_evaluation_endpoint\":\"httpS://else.example/e\"}",
         NULL},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *url = endpoint(cases[i].metadata);
        if (g_strcmp0(url, cases[i].expected) != 0)
            fail_msg("got %s for %s", url, cases[i].metadata);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_question_has_all_required_members),
        cmocka_unit_test(the_context_has_time_and_trace),
        cmocka_unit_test(what_is_absent_is_left_out),
        cmocka_unit_test(a_decision_is_a_boolean),
        cmocka_unit_test(everything_else_is_no_decision),
        cmocka_unit_test(members_that_are_not_known_are_left_alone),
        cmocka_unit_test(a_permit_with_what_we_do_not_understand_has_a_condition),
        cmocka_unit_test(metadata_is_between_host_and_path),
        cmocka_unit_test(the_endpoint_is_that_of_the_metadata_of_this_decision_point),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
