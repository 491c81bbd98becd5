/* The read extension and the register for other organisations: what opens a record, what is shown, pages, and
 * what is refused. */
#include "tests/unit/logboek/web.h"

#include "core/crypto/pseudonym.h"
#include "core/node/statement.h"
#include "tests/unit/node/support.h"

#define OPERATIONS "/logboek/v1/data-processing-operations"
#define OTHER_BSN "999990019"

static int setup(void **state, gboolean postgresql)
{
    Fixture *fixture = fixture_new(postgresql, TRUE, "statement_issuers = " SUPPORT_OIN "\n");
    *state = fixture;
    return 0;
}

static int setup_on_sqlite(void **state)
{
    return setup(state, FALSE);
}

static int setup_on_postgresql(void **state)
{
    return setup(state, TRUE);
}

#define with_keys(name)                                                                                      \
    {#name " on sqlite", name, setup_on_sqlite, fixture_teardown, NULL},                                     \
    {                                                                                                        \
#name " on postgresql", name, setup_on_postgresql, fixture_teardown, NULL                            \
    }

static json_t *statement_for(Fixture *fixture, const char *bsn, const char *audience)
{
    g_autoptr(GError) error = NULL;
    Session session = {.subject = (char *)bsn};
    json_t *statement = statement_new(fixture->node, &session, audience, &error);
    no_error(error);
    return statement;
}

static json_t *ask_of(Fixture *fixture, const char *bsn)
{
    return json_pack("{so}", "nl.fundament.statement", statement_for(fixture, bsn, SUPPORT_OIN));
}

/* Record `number` about a person, `number` seconds ago. */
static void append_about(Fixture *fixture, const char *bsn, guint number)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *subject = pseudonym_of_bsn(node_pseudonymizer(fixture->node), bsn);
    g_autoptr(json_t) attributes =
        json_pack("{s[ss] ss}", "nl.fundament.data_categories", "naam", "geboorte", "http.method", "POST");
    g_autoptr(json_t) resource = json_pack("{ss}", "service.name", "brp");
    LogboekRecord record = fixture_record(fixture, 1, number);
    record.data_subject_id = subject;
    record.start_ms -= number * (gint64)1000;
    record.attributes = attributes;
    record.resource = resource;
    logboek_append(fixture->logboek, &record, 1, &error);
    no_error(error);
}

/* Takes the body. */
static json_t *post(Web *web, json_t *body, guint status)
{
    g_autoptr(HttpReply) reply = web_post_json(web, LISTENER_SERVICE, OPERATIONS, body);
    json_decref(body);
    json_t *answer = web_json(reply);
    if (reply->status != status)
        print_message("%u: %s\n", reply->status, json_string_at(answer, "detail"));
    assert_int_equal(reply->status, status);
    assert_non_null(g_hash_table_lookup(reply->headers, "api-version"));
    if (status >= 400) {
        assert_string_equal(reply->content_type, "application/problem+json");
        assert_int_equal(json_integer_at(answer, "status"), status);
    }
    return answer;
}

/* For answers of which only the status matters. Takes the body. */
static void post_for_status(Web *web, json_t *body, guint status)
{
    json_decref(post(web, body, status));
}

static gsize count_of(const json_t *answer)
{
    return json_array_size(json_object_get(answer, "dataProcessingOperations"));
}

static void a_statement_opens_the_records_of_its_subject(void **state)
{
    take_fixture(state);
    Web *web = web_new(fixture);
    append_about(fixture, SAMPLE_BSN, 1);
    append_about(fixture, OTHER_BSN, 2);
    g_autoptr(json_t) answer = post(web, ask_of(fixture, SAMPLE_BSN), 200);
    assert_int_equal(count_of(answer), 1);
    g_autoptr(json_t) nobody = post(web, ask_of(fixture, "123456782"), 200);
    assert_int_equal(count_of(nobody), 0);
    web_free(web);
}

static void an_item_has_the_shape_of_the_read_extension(void **state)
{
    take_fixture(state);
    Web *web = web_new(fixture);
    append_about(fixture, SAMPLE_BSN, 0);
    g_autoptr(json_t) answer = post(web, ask_of(fixture, SAMPLE_BSN), 200);
    const json_t *metadata = json_object_get(answer, "metadata");
    assert_string_equal(json_string_at(metadata, "logbookId"), "https://manager.test:8443/logboek/v1");
    assert_string_equal(json_string_at(metadata, "organizationName"), "Register of tests");
    assert_non_null(json_string_at(json_object_get(metadata, "usagePeriod"), "periodStart"));
    const json_t *item = json_array_get(json_object_get(answer, "dataProcessingOperations"), 0);
    assert_string_equal(json_string_at(item, "traceId"), "00000000-0000-0000-0000-0abc00000002");
    assert_string_equal(json_string_at(item, "spanId"), "00000def00000001");
    assert_string_equal(json_string_at(item, "parentSpanId"), "00f067aa0ba902b7");
    assert_string_equal(json_string_at(item, "status"), "Ok");
    assert_non_null(json_string_at(item, "name"));
    assert_string_equal(json_string_at(item, "endTime"), "2026-11-21T18:40:00.000Z");
    assert_string_equal(json_string_at(item, "startTime"), "2026-11-21T18:39:59.990Z");
    assert_string_equal(
        json_string_at(json_object_get(json_object_get(item, "resource"), "attributes"), "service.name"),
        "brp");
    const json_t *attributes = json_object_get(item, "attributes");
    const json_t *core = json_object_get(json_object_get(attributes, "dpl"), "core");
    assert_string_equal(json_string_at(core, "processingActivityId"), SAMPLE_ACTIVITY);
    assert_string_equal(json_string_at(core, "dataSubjectIdType"), "BSN");
    assert_string_equal(json_string_at(json_object_get(core, "foreignOperation"), "processor"),
                        "https://inway.gemeente.fsc.test/vergunningen");
    assert_int_equal(json_array_size(json_object_get(attributes, "nl.fundament.data_categories")), 2);
    assert_string_equal(json_string_at(attributes, "http.method"), "POST");
    g_autofree char *text = json_write(answer);
    assert_null(strstr(text, "p1.")); /* the pseudonym stays here */
    assert_null(strstr(text, SAMPLE_BSN));
    web_free(web);
}

/* decisions.md 18: "a contract alone opens nothing" */
static void a_contract_alone_opens_nothing(void **state)
{
    take_fixture(state);
    Web *web = web_new(fixture);
    append_about(fixture, SAMPLE_BSN, 1);
    g_autofree char *subject = pseudonym_of_bsn(node_pseudonymizer(fixture->node), SAMPLE_BSN);
    post_for_status(web, json_pack("{ss}", "traceId", "00000000000000000000000000000abc"), 403);
    post_for_status(web, json_pack("{ss}", "dpl.core.processingActivityId", SAMPLE_ACTIVITY), 403);
    post_for_status(web, json_pack("{ss}", "dpl.core.dataSubjectId", subject), 403);
    web_free(web);
}

static void a_statement_for_another_organisation_opens_nothing(void **state)
{
    take_fixture(state);
    Web *web = web_new(fixture);
    json_t *body = json_pack("{so}", "nl.fundament.statement",
                             statement_for(fixture, SAMPLE_BSN, "00000001000000000009"));
    post_for_status(web, body, 403);
    web_free(web);
}

static void a_statement_opens_once_and_for_a_minute(void **state)
{
    take_fixture(state);
    Web *web = web_new(fixture);
    g_autoptr(json_t) body = ask_of(fixture, SAMPLE_BSN);
    post_for_status(web, json_incref(body), 200);
    post_for_status(web, json_incref(body), 403);
    g_autoptr(json_t) old = ask_of(fixture, SAMPLE_BSN);
    fixture_advance(fixture, 120);
    post_for_status(web, json_incref(old), 403);
    web_free(web);
}

static void a_statement_of_nobody_that_is_trusted_opens_nothing(void **state)
{
    take_fixture(state);
    g_free(fixture->more);
    fixture->more = g_strdup("statement_issuers = 00000001000000000001\n");
    fixture_restart(fixture);
    Web *web = web_new(fixture);
    post_for_status(web, ask_of(fixture, SAMPLE_BSN), 403);
    web_free(web);
}

static void another_subject_than_that_of_the_statement_is_refused(void **state)
{
    take_fixture(state);
    Web *web = web_new(fixture);
    g_autofree char *other = pseudonym_of_bsn(node_pseudonymizer(fixture->node), OTHER_BSN);
    g_autofree char *own = pseudonym_of_bsn(node_pseudonymizer(fixture->node), SAMPLE_BSN);
    append_about(fixture, SAMPLE_BSN, 1);
    json_t *body = ask_of(fixture, SAMPLE_BSN);
    json_object_set_new(body, "dpl.core.dataSubjectId", json_string(other));
    post_for_status(web, body, 403);
    body = ask_of(fixture, SAMPLE_BSN);
    json_object_set_new(body, "dpl.core.dataSubjectId", json_string(own));
    g_autoptr(json_t) shown = post(web, body, 200);
    assert_int_equal(count_of(shown), 1);
    web_free(web);
}

/* Read extension: "MOET de server antwoorden met een HTTP 400 Bad Request" */
static void a_question_without_any_of_the_three_is_400(void **state)
{
    take_fixture(state);
    Web *web = web_new(fixture);
    post_for_status(web, json_object(), 400);
    g_autoptr(json_t) times_only = post(web, json_pack("{ss}", "startTime", "2026-01-01T00:00:00Z"), 400);
    assert_non_null(strstr(json_string_at(times_only, "detail"), "at least one of traceId"));
    web_free(web);
}

static void bad_parameters_are_400(void **state)
{
    take_fixture(state);
    Web *web = web_new(fixture);
    json_t *bad[] = {
        json_pack("{ss}", "traceId", "xyz"),
        json_pack("{ss}", "traceId", "00000000000000000000000000000000"),
        json_pack("{ss}", "traceId", "7bba9f33-312b3dab-c8f8-e90c-7c61f194"),
        json_pack("{si}", "traceId", 1),
        json_pack("{ss ss}", "traceId", "7bba9f33312b3dabc8f8e90c7c61f194", "startTime", "yesterday"),
        json_pack("{ss ss ss}", "traceId", "7bba9f33312b3dabc8f8e90c7c61f194", "startTime",
                  "2026-01-02T00:00:00Z", "endTime", "2026-01-01T00:00:00Z"),
        json_pack("{ss si}", "traceId", "7bba9f33312b3dabc8f8e90c7c61f194", "limit", 0),
        json_pack("{ss si}", "traceId", "7bba9f33312b3dabc8f8e90c7c61f194", "limit", 1001),
        json_pack("{ss ss}", "traceId", "7bba9f33312b3dabc8f8e90c7c61f194", "unknown", "x"),
        json_pack("{s{}}", "nl.fundament.statement"),
        json_array(),
    };
    for (gsize i = 0; i < G_N_ELEMENTS(bad); i++)
        post_for_status(web, bad[i], 400);
    json_t *cursor = ask_of(fixture, SAMPLE_BSN);
    json_object_set_new(cursor, "cursor", json_string("2.1.1.1"));
    post_for_status(web, cursor, 400);
    web_free(web);
}

static json_t *ask_with(Fixture *fixture, const char *name, const char *value)
{
    json_t *body = ask_of(fixture, SAMPLE_BSN);
    json_object_set_new(body, name, json_string(value));
    return body;
}

static void filters_narrow(void **state)
{
    take_fixture(state);
    Web *web = web_new(fixture);
    for (guint i = 0; i < 5; i++)
        append_about(fixture, SAMPLE_BSN, i * 10);
    const struct {
        const char *name, *value;
        gsize count;
    } cases[] = {
        {"traceId", "000000000000000000000abc00000002", 5},
        {"traceId", "00000000-0000-0000-0000-0ABC00000002", 5}, /* both spellings, any case */
        {"traceId", "00000000000000000000000000000001", 0},
        {"dpl.core.processingActivityId", SAMPLE_ACTIVITY, 5},
        {"dpl.core.processingActivityId", "urn:x:other", 0},
        {"startTime", "2026-11-21T18:39:39.990Z", 3},
        {"endTime", "2026-11-21T18:39:39.990Z", 3},
        {"endTime", "2026-11-21T19:39:39.989+01:00", 2},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(json_t) answer = post(web, ask_with(fixture, cases[i].name, cases[i].value), 200);
        if (count_of(answer) != cases[i].count)
            print_message("case %zu\n", i);
        assert_int_equal(count_of(answer), cases[i].count);
    }
    web_free(web);
}

static void pages_hold_each_record_once_newest_first(void **state)
{
    take_fixture(state);
    Web *web = web_new(fixture);
    for (guint i = 0; i < 25; i++)
        append_about(fixture, SAMPLE_BSN, i / 2 * 2); /* many at one time */
    g_autoptr(GHashTable) seen = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    g_autofree char *cursor = NULL, *last_start = g_strdup("9999");
    guint items = 0, pages = 0;
    do {
        json_t *body = ask_of(fixture, SAMPLE_BSN);
        json_object_set_new(body, "limit", json_integer(4));
        if (cursor != NULL)
            json_object_set_new(body, "cursor", json_string(cursor));
        g_autoptr(json_t) answer = post(web, body, 200);
        const json_t *operations = json_object_get(answer, "dataProcessingOperations");
        for (gsize i = 0; i < json_array_size(operations); i++, items++) {
            const json_t *item = json_array_get(operations, i);
            const char *start = json_string_at(item, "startTime");
            assert_true(strcmp(start, last_start) <= 0);
            g_free(last_start);
            last_start = g_strdup(start);
            g_hash_table_add(seen, g_strdup(json_string_at(item, "spanId")));
        }
        g_free(cursor);
        cursor = g_strdup(json_string_at(json_object_get(answer, "pagination"), "nextCursor"));
        pages++;
    } while (cursor != NULL);
    assert_int_equal(items, g_hash_table_size(seen));
    assert_int_equal(items, 13); /* the 25 have 13 different spans */
    assert_int_equal(pages, 4);
    web_free(web);
}

/* A key is replaced: the history under the old one is found too. */
static void all_versions_of_the_pseudonym_are_found(void **state)
{
    take_fixture(state);
    append_about(fixture, SAMPLE_BSN, 1);
    fixture_stop(fixture);
    g_autofree char *key = g_build_filename(fixture->folder, "keys", "pseudonym.2.key", NULL);
    g_autofree char *first = g_build_filename(fixture->folder, "keys", "pseudonym.1.key", NULL);
    g_autofree char *text = NULL;
    gsize length;
    assert_true(g_file_get_contents(first, &text, &length, NULL));
    text[0] = text[0] == 'A' ? 'B' : 'A';
    assert_true(g_file_set_contents_full(key, text, (gssize)length, G_FILE_SET_CONTENTS_NONE, 0600, NULL));
    fixture_start(fixture);
    append_about(fixture, SAMPLE_BSN, 2);
    append_about(fixture, SAMPLE_BSN, 0);
    fixture_catch_up(fixture);
    assert_int_equal(fixture_number(fixture, "SELECT COUNT(DISTINCT data_subject_id) FROM logboek_records"),
                     2);
    gboolean more;
    g_autoptr(json_t) operations = logboek_operations_of(fixture->logboek, SAMPLE_BSN, 0, 0, 10, &more, NULL);
    assert_int_equal(json_array_size(operations), 3);
    assert_false(more);
    static const char *const SPANS[] = {"00000def00000001", "00000def00000002", "00000def00000003"};
    for (gsize i = 0; i < G_N_ELEMENTS(SPANS); i++)
        assert_string_equal(json_string_at(json_array_get(operations, i), "spanId"), SPANS[i]);
    g_autoptr(json_t) two = logboek_operations_of(fixture->logboek, SAMPLE_BSN, 0, 0, 2, &more, NULL);
    assert_int_equal(json_array_size(two), 2);
    assert_true(more);
}

static void a_conflicting_record_is_shown_and_marked(void **state)
{
    take_fixture(state);
    append_about(fixture, SAMPLE_BSN, 1);
    g_autofree char *subject = pseudonym_of_bsn(node_pseudonymizer(fixture->node), SAMPLE_BSN);
    LogboekRecord record = fixture_record(fixture, 1, 1);
    record.data_subject_id = subject;
    g_autoptr(GError) error = NULL;
    assert_false(logboek_append(fixture->logboek, &record, 1, &error));
    expect_error(&error, FUNDAMENT_ERROR_CONFLICT);
    gboolean more;
    g_autoptr(json_t) operations = logboek_operations_of(fixture->logboek, SAMPLE_BSN, 0, 0, 10, &more, NULL);
    assert_int_equal(json_array_size(operations), 2);
    guint marked = 0;
    for (gsize i = 0; i < 2; i++)
        marked += json_boolean_at(json_object_get(json_array_get(operations, i), "attributes"),
                                  "nl.fundament.conflicting");
    assert_int_equal(marked, 1);
}

/* --- the register and the period --- */

static void load_register(Fixture *fixture)
{
    g_autofree char *path = g_build_filename(fixture->folder, "activities.json", NULL);
    g_file_set_contents(
        path,
        "{\"activities\":[{\"id\":\"bevragen\",\"name\":\"n\",\"purpose\":\"p\",\"legalBasis\":[]},"
        "{\"id\":\"https://elsewhere.test/a/b\",\"name\":\"m\",\"purpose\":\"q\",\"legalBasis\":[]}]}",
        -1, NULL);
    g_free(fixture->more);
    fixture->more = g_strdup("register = activities.json\n");
    fixture_restart(fixture);
}

static guint status_of(Web *web, const char *path)
{
    g_autoptr(HttpReply) reply = web_get(web, LISTENER_SERVICE, path);
    return reply->status;
}

static void the_register_is_shown(void **state)
{
    take_fixture(state);
    load_register(fixture);
    Web *web = web_new(fixture);
    g_autoptr(HttpReply) all = web_get(web, LISTENER_SERVICE, "/logboek/v1/processing-activities");
    assert_int_equal(all->status, 200);
    g_autoptr(json_t) list = web_json(all);
    assert_int_equal(json_array_size(json_object_get(list, "processingActivities")), 2);
    g_autoptr(HttpReply) one = web_get(web, LISTENER_SERVICE, "/logboek/v1/processing-activities/bevragen");
    assert_int_equal(one->status, 200);
    g_autoptr(json_t) activity = web_json(one);
    assert_string_equal(json_string_at(activity, "id"),
                        "https://manager.test:8443/logboek/v1/processing-activities/bevragen");
    assert_int_equal(json_integer_at(activity, "version"), 1);
    assert_int_equal(status_of(web, "/logboek/v1/processing-activities/b"), 200);
    assert_int_equal(status_of(web, "/logboek/v1/processing-activities/none"), 404);
    assert_int_equal(status_of(web, "/logboek/v1/processing-activities/bevragen?at=2020-01-01T00:00:00Z"),
                     404);
    assert_int_equal(status_of(web, "/logboek/v1/processing-activities/bevragen?at=2030-01-01T00:00:00Z"),
                     200);
    assert_int_equal(status_of(web, "/logboek/v1/processing-activities/bevragen?at=then"), 400);
    assert_int_equal(status_of(web, "/logboek/v1/processing-activities/bevragen?when=2030-01-01T00:00:00Z"),
                     400);
    web_free(web);
}

static void the_usage_period_is_shown(void **state)
{
    take_fixture(state);
    Web *web = web_new(fixture);
    g_autoptr(HttpReply) reply = web_get(web, LISTENER_SERVICE, "/logboek/v1/usage-period");
    assert_int_equal(reply->status, 200);
    g_autoptr(json_t) period = web_json(reply);
    assert_string_equal(json_string_at(period, "periodStart"), "2026-11-21T18:40:00.000Z");
    assert_null(json_object_get(period, "periodEnd"));
    assert_int_equal(status_of(web, "/logboek/v1/usage-period?x=1"), 400);
    web_free(web);
}

static void the_administrator_sees_how_it_stands(void **state)
{
    take_fixture(state);
    Web *web = web_new(fixture);
    append_about(fixture, SAMPLE_BSN, 1);
    fixture_catch_up(fixture);
    g_autoptr(HttpReply) reply = web_get(web, LISTENER_ADMIN, "/logboek/v1/status");
    g_autoptr(json_t) status = web_json(reply);
    assert_int_equal(json_integer_at(status, "journalLast"), 1);
    assert_int_equal(json_integer_at(status, "indexed"), 1);
    assert_true(json_boolean_at(status, "journalHealthy"));
    g_autoptr(HttpReply) reindex =
        web_call(web, LISTENER_ADMIN, "POST", "/logboek/v1/reindex", NULL, NULL, 0);
    assert_int_equal(reindex->status, 202);
    fixture_catch_up(fixture);
    assert_int_equal(fixture_number(fixture, "SELECT COUNT(*) FROM logboek_records"), 1);
    g_autoptr(HttpReply) outside =
        web_call(web, LISTENER_SERVICE, "POST", "/logboek/v1/reindex", NULL, NULL, 0);
    assert_int_equal(outside->status, 404);
    g_autoptr(GString) metrics = g_string_new(NULL);
    logboek_component.metrics(fixture->logboek, metrics);
    assert_non_null(strstr(metrics->str, "\nfundament_logboek_records_total 1\n"));
    assert_non_null(strstr(metrics->str, "\nfundament_logboek_journal_healthy 1\n"));
    assert_non_null(strstr(metrics->str, "\nfundament_logboek_index_lag 0\n"));
    web_free(web);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        with_keys(a_statement_opens_the_records_of_its_subject),
        with_keys(an_item_has_the_shape_of_the_read_extension),
        with_keys(a_contract_alone_opens_nothing),
        with_keys(a_statement_for_another_organisation_opens_nothing),
        with_keys(a_statement_opens_once_and_for_a_minute),
        with_keys(a_statement_of_nobody_that_is_trusted_opens_nothing),
        with_keys(another_subject_than_that_of_the_statement_is_refused),
        with_keys(a_question_without_any_of_the_three_is_400),
        with_keys(bad_parameters_are_400),
        with_keys(filters_narrow),
        with_keys(pages_hold_each_record_once_newest_first),
        with_keys(all_versions_of_the_pseudonym_are_found),
        with_keys(a_conflicting_record_is_shown_and_marked),
        with_keys(the_register_is_shown),
        with_keys(the_usage_period_is_shown),
        with_keys(the_administrator_sees_how_it_stands),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
