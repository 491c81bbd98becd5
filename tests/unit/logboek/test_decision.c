/* The Authorization Decision Log, ADL 1.0.0: what a record must be, that it is kept once and for good, and
 * how it is found. On both databases. */
#include "components/logboek/decision.h"
#include <signal.h>
#include <sys/resource.h>

#include "core/format/json.h"
#include "tests/unit/logboek/web.h"

#define TRACE "28dbeec32e77635cc19bc3204ec56c41"
#define SPAN "5e3c8a4f9b2d1e07"
#define TRANSACTION "019a7dea-9048-7c4d-9e66-4d3f75a18f58"

/* A record as the standard describes it, with all parts. New reference. */
static json_t *good(void)
{
    return json_pack("{s:s, s:s, s:s, s:s, s:I, s:s, s:{s:{s:s}, s:s}, s:{s:s}, s:{s:{s:{s:s}}, s:{s:b}}}",
                     "trace_id", TRACE, "span_id", SPAN, "parent_span_id", "893e1b2ac52d712f", "event_name",
                     "adl.access_evaluation", "timestamp", (json_int_t)1757240058042, "status", "Unset",
                     "attributes", "adl.core.policies", "hr", "6266d07750c44b4c", "adl.fsc.transaction_id",
                     TRANSACTION, "resource", "service.name", "hr", "body", "adl.core.request", "subject",
                     "id", "alice", "adl.core.response", "decision", 0);
}

/* Sets (taken) or, with NULL, removes `name` in the member `at` ("" for the record). */
static json_t *changed(const char *at, const char *name, json_t *value)
{
    json_t *record = good(), *object = *at == '\0' ? record : json_object_get(record, at);
    if (value == NULL)
        assert_int_equal(json_object_del(object, name), 0);
    else
        json_object_set_new(object, name, value);
    return record;
}

/* Takes the record. */
static void assert_refused(json_t *record, const char *field)
{
    g_autoptr(GError) error = NULL;
    assert_false(decision_check(record, &error));
    if (!g_error_matches(error, FUNDAMENT_ERROR, FUNDAMENT_ERROR_INVALID) ||
        strstr(error->message, field) == NULL)
        fail_msg("%s, expected %s", error->message, field);
    json_decref(record);
}

static void assert_good(json_t *record)
{
    g_autoptr(GError) error = NULL;
    decision_check(record, &error);
    no_error(error);
    json_decref(record);
}

/* 3.3: mandatory fields. */
static void each_mandatory_field_is_required(void **state)
{
    static const char *const fields[] = {"trace_id", "span_id", "event_name", "timestamp", "status"};
    assert_good(good());
    for (gsize i = 0; i < G_N_ELEMENTS(fields); i++)
        assert_refused(changed("", fields[i], NULL), fields[i]);
    assert_refused(changed("", "decision", json_true()), "decision");
}

/* 3.3.3: "It MAY be omitted only when the authorization decision flow has no upstream caller". */
static void the_optional_fields_may_be_left_out(void **state)
{
    assert_good(changed("", "parent_span_id", NULL));
    assert_good(changed("", "attributes", NULL));
    assert_good(changed("", "resource", NULL));
    json_t *failed = changed("", "body", NULL);
    json_object_set_new(failed, "status", json_string("Error"));
    assert_good(failed);
}

/* 3.3.1, 3.3.2: "MUST be encoded as 32 lowercase hexadecimal characters", and 16. */
static void ids_are_lower_case_hexadecimal(void **state)
{
    static const char *const wrong[] = {"", "28DBEEC32E77635CC19BC3204EC56C41",
                                        "00000000000000000000000000000000", "28dbeec32e77635cc19bc3204ec56c4",
                                        "28dbeec3-2e77-635c-c19b-c3204ec56c41"};
    for (gsize i = 0; i < G_N_ELEMENTS(wrong); i++)
        assert_refused(changed("", "trace_id", json_string(wrong[i])), "trace_id");
    assert_refused(changed("", "span_id", json_string("5E3C8A4F9B2D1E07")), "span_id");
    assert_refused(changed("", "span_id", json_string(TRACE)), "span_id");
    assert_refused(changed("", "parent_span_id", json_string("0000000000000000")), "parent_span_id");
}

/* 3.3.4 */
static void the_event_is_one_of_five(void **state)
{
    static const char *const events[] = {"adl.access_evaluation", "adl.access_evaluations",
                                         "adl.search_subject", "adl.search_action", "adl.search_resource"};
    for (gsize i = 0; i < G_N_ELEMENTS(events); i++)
        assert_good(changed("", "event_name", json_string(events[i])));
    assert_refused(changed("", "event_name", json_string("access_evaluation")), "event_name");
}

/* 3.3.5: milliseconds, unsigned. */
static void the_time_is_a_whole_number_of_milliseconds(void **state)
{
    assert_good(changed("", "timestamp", json_integer(0)));
    assert_refused(changed("", "timestamp", json_integer(-1)), "timestamp");
    assert_refused(changed("", "timestamp", json_real(1.5)), "timestamp");
    assert_refused(changed("", "timestamp", json_string("1757240058042")), "timestamp");
}

/* 3.3.6 */
static void the_status_is_one_of_three(void **state)
{
    assert_good(changed("", "status", json_string("Ok")));
    assert_refused(changed("", "status", json_string("ok")), "status");
    assert_refused(changed("", "status", json_string("Denied")), "status");
}

/* 3.3.6: "A successful evaluation that resulted in denial ... MUST NOT be reported as Error." */
static void a_denial_is_no_error(void **state)
{
    assert_refused(changed("", "status", json_string("Error")), "status");
    json_t *failed = changed("body", "adl.core.response", NULL);
    json_object_set_new(failed, "status", json_string("Error"));
    assert_good(failed);
}

/* 3.3.7.2: "The response MUST be retrievable when status is Unset or Ok". */
static void an_evaluation_has_its_response(void **state)
{
    assert_refused(changed("body", "adl.core.response", NULL), "adl.core.response");
    json_t *record = changed("body", "adl.core.response", NULL);
    json_object_set_new(json_object_get(record, "attributes"), "adl.core.response",
                        json_pack("{s:s}", "archive", "7"));
    assert_good(record);
}

/* 3.3.7: "A field MUST NOT appear in both body and attributes." */
static void a_field_stands_in_one_place(void **state)
{
    static const char *const fields[] = {"request", "response", "policies", "information", "configuration"};
    for (gsize i = 0; i < G_N_ELEMENTS(fields); i++) {
        g_autofree char *name = g_strconcat("adl.core.", fields[i], NULL);
        json_t *record = changed("attributes", name, json_pack("{s:s}", "source", "1"));
        json_object_set_new(json_object_get(record, "body"), name, json_pack("{s:b}", "decision", 1));
        assert_refused(record, name);
    }
}

/* 3.3.7: "Raw payloads MUST NOT be inlined in attributes". */
static void a_reference_is_no_payload(void **state)
{
    json_t *request = changed("body", "adl.core.request", NULL);
    json_object_set_new(json_object_get(request, "attributes"), "adl.core.request",
                        json_pack("{s:{s:s}}", "subject", "id", "alice"));
    assert_refused(request, "attributes.adl.core.request");
    json_t *response = changed("body", "adl.core.response", NULL);
    json_object_set_new(json_object_get(response, "attributes"), "adl.core.response",
                        json_pack("{s:b}", "decision", 1));
    assert_refused(response, "attributes.adl.core.response");
    g_autofree char *long_text = g_strnfill(5000, 'x');
    assert_refused(changed("attributes", "adl.core.information", json_pack("{s:s}", "x", long_text)),
                   "attributes.adl.core.information");
    assert_refused(changed("attributes", "adl.core.policies", json_string("v1")),
                   "attributes.adl.core.policies");
}

/* 3.3.8: the five, and no others. */
static void the_body_holds_only_what_is_defined(void **state)
{
    assert_refused(changed("body", "more", json_object()), "body");
    assert_refused(changed("body", "adl.core.request", json_string("x")), "adl.core.request");
}

/* 3.3.7: "A consumer that does not recognise an attribute key MUST ignore it without error." */
static void unknown_attributes_are_left_alone(void **state)
{
    assert_good(changed("attributes", "acme.area.name", json_integer(7)));
    assert_good(changed("attributes", "adl.later.one", json_true()));
}

/* 3.3.7.6 */
static void a_transaction_is_named_by_its_id(void **state)
{
    assert_refused(changed("attributes", "adl.fsc.transaction_id", json_string("x")),
                   "adl.fsc.transaction_id");
    assert_refused(changed("attributes", "adl.fsc.transaction_id", json_integer(7)),
                   "adl.fsc.transaction_id");
}

static void the_canonical_form_is_read_back_and_nothing_else(void **state)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(json_t) record = good();
    g_autoptr(GBytes) bytes = decision_encode(record, &error);
    gsize length;
    const guint8 *data = g_bytes_get_data(bytes, &length);
    g_autoptr(json_t) again = decision_decode(data, length, &error);
    no_error(error);
    assert_true(json_equal(record, again));
    g_autofree char *spaced = g_strdup_printf(" %.*s", (int)length, (const char *)data);
    assert_null(decision_decode((const guint8 *)spaced, length + 1, NULL));
    assert_null(decision_decode(data, length - 1, NULL));
    g_autofree char *long_text = g_strnfill(DECISION_MAX, 'x');
    json_object_set_new(json_object_get(record, "resource"), "x", json_string(long_text));
    assert_null(decision_encode(record, NULL));
}

static void words_for_the_index(void **state)
{
    static const struct {
        const char *status, *verdict, *word;
        int decision;
    } cases[] = {{"Unset", NULL, "true", 1},
                 {"Ok", NULL, "false", 0},
                 {"Error", NULL, "error", -1},
                 {"Unset", NULL, "other", -1},
                 {"Unset", "accept", "accept", 1}};
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(json_t) record = changed("", "status", json_string(cases[i].status));
        json_object_set_new(json_object_get(record, "body"), "adl.core.response",
                            cases[i].decision < 0 ? json_object()
                                                  : json_pack("{s:b}", "decision", cases[i].decision));
        if (cases[i].verdict != NULL)
            json_object_set_new(json_object_get(record, "attributes"), LOGBOEK_DECISION_VERDICT,
                                json_string(cases[i].verdict));
        assert_string_equal(decision_word(record), cases[i].word);
    }
}

/* --- the log --- */

/* A decision of the node itself: `number` is in its span. */
static LogboekDecision own(TraceContext *trace, guint number, const json_t *attributes, const json_t *body)
{
    g_strlcpy(trace->trace_id, TRACE, sizeof trace->trace_id);
    g_snprintf(trace->span_id, sizeof trace->span_id, "%016x", number);
    trace->parent_id[0] = '\0';
    return (LogboekDecision){.trace = trace,
                             .event_name = "adl.access_evaluation",
                             .timestamp_ms = 1757240000000 + number,
                             .attributes = attributes,
                             .body = body};
}

static gboolean append(Fixture *fixture, guint number, const char *verdict, const char *rule, GError **error)
{
    TraceContext trace;
    g_autoptr(json_t) attributes =
        json_pack("{s:s, s:s, s:{s:s}}", LOGBOEK_DECISION_VERDICT, verdict, LOGBOEK_DECISION_RULE, rule,
                  "adl.core.policies", "fsc-signing-policy", "sha256:1");
    g_autoptr(json_t) body = json_pack("{s:{s:b}}", "adl.core.response", "decision", 1);
    LogboekDecision decision = own(&trace, number, attributes, body);
    return logboek_decision_append(fixture->logboek, &decision, error);
}

static void logged(Fixture *fixture, guint number, const char *verdict, const char *rule)
{
    g_autoptr(GError) error = NULL;
    append(fixture, number, verdict, rule, &error);
    no_error(error);
}

/* How many records the query finds; it is completed with the largest limit. */
static gsize found(Fixture *fixture, DecisionQuery query)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *next = NULL;
    if (query.limit == 0)
        query.limit = 1000;
    g_autoptr(json_t) records = logboek_decisions_query(fixture->logboek, &query, &next, &error);
    no_error(error);
    return json_array_size(records);
}

/* 2.3.2, 3.2.3: on durable storage before it is acknowledged. */
static void a_decision_is_on_disk_when_it_is_acknowledged(void **state)
{
    take_fixture(state);
    logged(fixture, 1, "accept", "a");
    guint64 last = journal_last(fixture->logboek->journal);
    assert_int_equal(last, 1);
    fixture_restart(fixture);
    assert_int_equal(found(fixture, (DecisionQuery){.trace_id = TRACE}), 1);
}

/* 3.2.4: "re-submitting the same log record ... MUST NOT produce a duplicate persisted record." */
static void the_same_decision_again_is_kept_once(void **state)
{
    take_fixture(state);
    logged(fixture, 1, "accept", "a");
    logged(fixture, 1, "accept", "a"); /* from memory */
    fixture_catch_up(fixture);
    logged(fixture, 1, "accept", "a");
    fixture_restart(fixture);
    logged(fixture, 1, "accept", "a"); /* from SQL */
    fixture_catch_up(fixture);
    assert_int_equal(journal_last(fixture->logboek->journal), 1);
    assert_int_equal(found(fixture, (DecisionQuery){0}), 1);
}

/* 1.2: "A log record is immutable." */
static void another_content_under_the_same_span_is_refused(void **state)
{
    take_fixture(state);
    g_autoptr(GError) error = NULL;
    logged(fixture, 1, "accept", "a");
    assert_false(append(fixture, 1, "reject", "a", &error));
    expect_error(&error, FUNDAMENT_ERROR_CONFLICT);
    fixture_restart(fixture);
    assert_false(append(fixture, 1, "reject", "a", &error));
    expect_error(&error, FUNDAMENT_ERROR_CONFLICT);
    assert_int_equal(found(fixture, (DecisionQuery){.decision = "accept"}), 1);
    assert_int_equal(found(fixture, (DecisionQuery){.decision = "reject"}), 0);
}

static void a_decision_that_breaks_the_standard_is_refused(void **state)
{
    take_fixture(state);
    TraceContext trace;
    g_autoptr(GError) error = NULL;
    LogboekDecision decision = own(&trace, 1, NULL, NULL);
    assert_false(logboek_decision_append(fixture->logboek, &decision, &error));
    expect_error(&error, FUNDAMENT_ERROR_INVALID);
    decision.status = 2;
    assert_true(logboek_decision_append(fixture->logboek, &decision, &error));
    assert_int_equal(found(fixture, (DecisionQuery){.decision = "error"}), 1);
}

static void decisions_are_found_by_each_of_their_marks(void **state)
{
    take_fixture(state);
    logged(fixture, 1, "accept", "a");
    logged(fixture, 2, "wait", "b");
    logged(fixture, 3, "wait", "a");
    assert_int_equal(found(fixture, (DecisionQuery){0}), 3);
    assert_int_equal(found(fixture, (DecisionQuery){.trace_id = TRACE}), 3);
    assert_int_equal(found(fixture, (DecisionQuery){.trace_id = "11111111111111111111111111111111"}), 0);
    assert_int_equal(found(fixture, (DecisionQuery){.decision = "wait"}), 2);
    assert_int_equal(found(fixture, (DecisionQuery){.rule = "a"}), 2);
    assert_int_equal(found(fixture, (DecisionQuery){.rule = "a", .decision = "wait"}), 1);
    assert_int_equal(found(fixture, (DecisionQuery){.policy = "fsc-signing-policy"}), 3);
    assert_int_equal(found(fixture, (DecisionQuery){.policy = "sha256:1"}), 3);
    assert_int_equal(found(fixture, (DecisionQuery){.policy = "sha256:2"}), 0);
    assert_int_equal(found(fixture, (DecisionQuery){.from_ms = 1757240000002}), 2);
    assert_int_equal(found(fixture, (DecisionQuery){.from_ms = 1757240000002, .until_ms = 1757240000002}), 1);
}

static void pages_go_from_new_to_old_without_gaps(void **state)
{
    take_fixture(state);
    g_autofree char *cursor = NULL;
    for (guint i = 1; i <= 5; i++)
        logged(fixture, i, "wait", "a");
    gint64 before = G_MAXINT64;
    guint seen = 0;
    do {
        g_autoptr(GError) error = NULL;
        DecisionQuery query = {.limit = 2, .cursor = cursor};
        char *next = NULL;
        g_autoptr(json_t) records = logboek_decisions_query(fixture->logboek, &query, &next, &error);
        no_error(error);
        for (gsize i = 0; i < json_array_size(records); i++, seen++) {
            gint64 timestamp = json_integer_at(json_array_get(records, i), "timestamp");
            assert_true(timestamp < before);
            before = timestamp;
        }
        g_free(cursor);
        cursor = next;
    } while (cursor != NULL);
    assert_int_equal(seen, 5);
}

static void bad_queries_are_refused(void **state)
{
    take_fixture(state);
    static const DecisionQuery wrong[] = {{.limit = 0},
                                          {.limit = 1001},
                                          {.limit = 1, .trace_id = "x"},
                                          {.limit = 1, .transaction_id = "x"},
                                          {.limit = 1, .cursor = "2.1.1.1"},
                                          {.limit = 1, .cursor = "x"}};
    for (gsize i = 0; i < G_N_ELEMENTS(wrong); i++) {
        g_autoptr(GError) error = NULL;
        char *next = NULL;
        assert_null(logboek_decisions_query(fixture->logboek, &wrong[i], &next, &error));
        expect_error(&error, FUNDAMENT_ERROR_INVALID);
    }
}

/* One transaction, one trace: the decisions of its trace are found by its id, and those that name it. */
static void decisions_are_joined_with_the_transaction_log(void **state)
{
    take_fixture(state);
    char id[UUID_TEXT_SIZE];
    LogboekTransaction transaction = fixture_transaction(fixture, id);
    transaction.trace_id = TRACE;
    assert_int_equal(fixture_log(fixture, &transaction), TRANSACTION_LOGGED);
    logged(fixture, 1, "accept", "a");
    assert_int_equal(found(fixture, (DecisionQuery){.transaction_id = id}), 1);
    assert_int_equal(found(fixture, (DecisionQuery){.transaction_id = TRANSACTION}), 0);
    TraceContext trace;
    g_autoptr(json_t) attributes = json_pack("{s:s}", "adl.fsc.transaction_id", TRANSACTION);
    g_autoptr(json_t) body = json_pack("{s:{s:b}}", "adl.core.response", "decision", 1);
    LogboekDecision decision = own(&trace, 2, attributes, body);
    assert_true(logboek_decision_append(fixture->logboek, &decision, NULL));
    assert_int_equal(found(fixture, (DecisionQuery){.transaction_id = TRANSACTION}), 1);
}

static void the_index_is_made_anew_from_the_journal(void **state)
{
    take_fixture(state);
    logged(fixture, 1, "accept", "a");
    logged(fixture, 2, "wait", "b");
    fixture_catch_up(fixture);
    fixture_stop(fixture);
    fixture_lose_database(fixture);
    fixture_start(fixture);
    assert_int_equal(found(fixture, (DecisionQuery){.policy = "fsc-signing-policy"}), 2);
    g_autoptr(GError) error = NULL;
    assert_true(indexer_restart(fixture->logboek->indexer, &error));
    assert_int_equal(found(fixture, (DecisionQuery){.rule = "b"}), 1);
}

/* 3.3.9 */
static void a_record_says_who_made_it(void **state)
{
    take_fixture(state);
    g_autofree char *next = NULL;
    DecisionQuery query = {.limit = 1};
    logged(fixture, 1, "accept", "a");
    g_autoptr(json_t) records = logboek_decisions_query(fixture->logboek, &query, &next, NULL);
    const json_t *resource = json_object_get(json_array_get(records, 0), "resource");
    assert_string_equal(json_string_at(resource, "service.name"), "fundament");
    assert_string_equal(json_string_at(resource, "nl.fundament.organization_id"), node_oin(fixture->node));
}

/* --- from applications, over OTLP (3.1) --- */

static json_t *attribute(const char *key, const char *value)
{
    return json_pack("{s:s, s:{s:s}}", "key", key, "value", "stringValue", value);
}

/* The standard's example as a log record. New reference. */
static json_t *log_json(const char *span_id, int decision)
{
    json_t *response = json_pack("{s:s, s:{s:{s:[{s:s, s:{s:b}}]}}}", "key", "adl.core.response", "value",
                                 "kvlistValue", "values", "key", "decision", "value", "boolValue", decision);
    return json_pack("{s:s, s:s, s:s, s:s, s:[o, o], s:{s:{s:[o]}}}", "traceId", TRACE, "spanId", span_id,
                     "eventName", "adl.access_evaluation", "timeUnixNano", "1757240058042000000",
                     "attributes", attribute("parent_span_id", "893e1b2ac52d712f"),
                     attribute("adl.fsc.transaction_id", TRANSACTION), "body", "kvlistValue", "values",
                     response);
}

/* Takes the records. */
static json_t *logs_json(json_t *records)
{
    return json_pack("{s:[{s:{s:[o]}, s:[{s:o}]}]}", "resourceLogs", "resource", "attributes",
                     attribute("service.name", "hr"), "scopeLogs", "logRecords", records);
}

static HttpReply *post_logs(Web *web, json_t *records)
{
    g_autoptr(json_t) message = logs_json(records);
    return web_post_json(web, LISTENER_LOG, "/v1/logs", message);
}

static void a_decision_of_an_application_is_kept_as_the_standard_has_it(void **state)
{
    take_fixture(state);
    Web *web = web_new(fixture);
    g_autoptr(HttpReply) reply = post_logs(web, json_pack("[o]", log_json(SPAN, 0)));
    g_autoptr(HttpReply) again = post_logs(web, json_pack("[o]", log_json(SPAN, 0)));
    assert_int_equal(reply->status, 200);
    assert_int_equal(again->status, 200);
    web_free(web);
    g_autofree char *next = NULL;
    DecisionQuery query = {.transaction_id = TRANSACTION, .limit = 10};
    g_autoptr(json_t) records = logboek_decisions_query(fixture->logboek, &query, &next, NULL);
    g_autoptr(json_t) expected = json_pack(
        "[{s:s, s:s, s:s, s:s, s:I, s:s, s:{s:s}, s:{s:s}, s:{s:{s:b}}}]", "trace_id", TRACE, "span_id", SPAN,
        "parent_span_id", "893e1b2ac52d712f", "event_name", "adl.access_evaluation", "timestamp",
        (json_int_t)1757240058042, "status", "Unset", "attributes", "adl.fsc.transaction_id", TRANSACTION,
        "resource", "service.name", "hr", "body", "adl.core.response", "decision", 0);
    assert_true(json_equal(records, expected));
}

static void what_breaks_the_standard_is_named_and_the_rest_is_kept(void **state)
{
    take_fixture(state);
    Web *web = web_new(fixture);
    json_t *wrong = log_json(SPAN, 1), *unknown = log_json("5e3c8a4f9b2d1e08", 1);
    json_object_del(wrong, "body");
    json_object_set_new(unknown, "eventName", json_string("login"));
    g_autoptr(HttpReply) reply =
        post_logs(web, json_pack("[o, o, o]", wrong, log_json("5e3c8a4f9b2d1e09", 1), unknown));
    assert_int_equal(reply->status, 200);
    g_autoptr(json_t) body = web_json(reply);
    const json_t *partial = json_object_get(body, "partialSuccess");
    assert_string_equal(json_string_at(partial, "rejectedLogRecords"), "2");
    assert_non_null(strstr(json_string_at(partial, "errorMessage"), "record 1: adl.core.response"));
    assert_non_null(strstr(json_string_at(partial, "errorMessage"), "record 3: event_name"));
    web_free(web);
    assert_int_equal(found(fixture, (DecisionQuery){.decision = "true"}), 1);
}

static void another_content_under_the_same_span_is_rejected_over_otlp(void **state)
{
    take_fixture(state);
    Web *web = web_new(fixture);
    g_autoptr(HttpReply) first = post_logs(web, json_pack("[o]", log_json(SPAN, 1)));
    g_autoptr(HttpReply) second = post_logs(web, json_pack("[o]", log_json(SPAN, 0)));
    g_autoptr(json_t) body = web_json(second);
    assert_string_equal(json_string_at(json_object_get(body, "partialSuccess"), "rejectedLogRecords"), "1");
    web_free(web);
    assert_int_equal(found(fixture, (DecisionQuery){.decision = "true"}), 1);
}

static void put_field(GByteArray *out, guint number, const void *data, gsize length)
{
    guint8 head[] = {(guint8)(number << 3 | 2), (guint8)length};
    assert_true(length < 128);
    g_byte_array_append(out, head, sizeof head);
    g_byte_array_append(out, data, (guint)length);
}

static GByteArray *nested(guint number, GByteArray *inner)
{
    GByteArray *out = g_byte_array_new();
    put_field(out, number, inner->data, inner->len);
    g_byte_array_unref(inner);
    return out;
}

/* An Error without a body: the smallest record. ExportLogsServiceRequest in protobuf, by hand. */
static GByteArray *log_protobuf(void)
{
    static const guint8 trace[16] = {1, 2, 3}, span[8] = {4, 5},
                        time[] = {1 << 3 | 1, 0, 0x40, 0x42, 0xf, 0, 0, 0, 0};
    GByteArray *record = g_byte_array_new(), *status = g_byte_array_new(), *value = g_byte_array_new();
    put_field(value, 1, "Error", 5);
    put_field(status, 1, "status", 6);
    put_field(status, 2, value->data, value->len);
    g_byte_array_unref(value);
    g_byte_array_append(record, time, sizeof time);
    put_field(record, 6, status->data, status->len);
    g_byte_array_unref(status);
    put_field(record, 9, trace, sizeof trace);
    put_field(record, 10, span, sizeof span);
    put_field(record, 12, "adl.search_subject", 18);
    return nested(1, nested(2, nested(2, record)));
}

static void protobuf_is_taken_as_well(void **state)
{
    take_fixture(state);
    static const char *const headers[] = {"Content-Type: application/x-protobuf", NULL};
    Web *web = web_new(fixture);
    g_autoptr(GByteArray) message = log_protobuf();
    g_autoptr(HttpReply) reply =
        web_call(web, LISTENER_LOG, "POST", "/v1/logs", headers, message->data, message->len);
    assert_int_equal(reply->status, 200);
    assert_int_equal(g_bytes_get_size(reply->body), 0);
    g_autoptr(HttpReply) broken =
        web_call(web, LISTENER_LOG, "POST", "/v1/logs", headers, message->data, message->len - 1);
    assert_int_equal(broken->status, 400);
    web_free(web);
    assert_int_equal(found(fixture, (DecisionQuery){.trace_id = "01020300000000000000000000000000"}), 1);
}

/* decisions.md, fail closed: what is not on disk is not acknowledged. */
static void what_is_not_on_disk_is_not_acknowledged(void **state)
{
    take_fixture(state);
    struct rlimit before;
    Web *web = web_new(fixture);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    struct rlimit none = {0, before.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &none), 0);
    g_autoptr(HttpReply) refused = post_logs(web, json_pack("[o]", log_json(SPAN, 1)));
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    assert_int_equal(refused->status, 503);
    assert_true(journal_recover(fixture->logboek->journal, NULL));
    g_autoptr(HttpReply) taken = post_logs(web, json_pack("[o]", log_json(SPAN, 1)));
    assert_int_equal(taken->status, 200);
    web_free(web);
    assert_int_equal(found(fixture, (DecisionQuery){.decision = "true"}), 1);
}

int main(void)
{
    signal(SIGXFSZ, SIG_IGN); /* a write beyond the limit fails instead */
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_mandatory_field_is_required),
        cmocka_unit_test(the_optional_fields_may_be_left_out),
        cmocka_unit_test(ids_are_lower_case_hexadecimal),
        cmocka_unit_test(the_event_is_one_of_five),
        cmocka_unit_test(the_time_is_a_whole_number_of_milliseconds),
        cmocka_unit_test(the_status_is_one_of_three),
        cmocka_unit_test(a_denial_is_no_error),
        cmocka_unit_test(an_evaluation_has_its_response),
        cmocka_unit_test(a_field_stands_in_one_place),
        cmocka_unit_test(a_reference_is_no_payload),
        cmocka_unit_test(the_body_holds_only_what_is_defined),
        cmocka_unit_test(unknown_attributes_are_left_alone),
        cmocka_unit_test(a_transaction_is_named_by_its_id),
        cmocka_unit_test(the_canonical_form_is_read_back_and_nothing_else),
        cmocka_unit_test(words_for_the_index),
        on_both(a_decision_is_on_disk_when_it_is_acknowledged),
        on_both(the_same_decision_again_is_kept_once),
        on_both(another_content_under_the_same_span_is_refused),
        on_both(a_decision_that_breaks_the_standard_is_refused),
        on_both(decisions_are_found_by_each_of_their_marks),
        on_both(pages_go_from_new_to_old_without_gaps),
        on_both(bad_queries_are_refused),
        on_both(decisions_are_joined_with_the_transaction_log),
        on_both(the_index_is_made_anew_from_the_journal),
        on_both(a_record_says_who_made_it),
        on_both(a_decision_of_an_application_is_kept_as_the_standard_has_it),
        on_both(what_breaks_the_standard_is_named_and_the_rest_is_kept),
        on_both(another_content_under_the_same_span_is_rejected_over_otlp),
        on_both(protobuf_is_taken_as_well),
        on_both(what_is_not_on_disk_is_not_acknowledged),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
