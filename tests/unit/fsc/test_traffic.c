/* Numbers of traffic: added up in memory, written, read back by minute and hour, on both databases. */
#include <string.h>

#include "components/fsc/traffic_private.h"
#include "core/base/error.h"
#include "tests/support/folder.h"
#include "tests/support/postgresql.h"
#include "tests/unit/fsc/sample.h"

#define MIDNIGHT G_GINT64_CONSTANT(1767225600) /* 2026-01-01 */

typedef struct {
    Store *store;
    Clock clock;
    Traffic *traffic;
} Fixture;

static gboolean on_postgresql;

static void no_error(const GError *error)
{
    if (error != NULL)
        fail_msg("%s", error->message);
}

static char *fresh_url(void)
{
    if (on_postgresql)
        return test_postgresql_start();
    g_autofree char *folder = test_folder_new();
    return g_strdup_printf("sqlite:%s/node.db", folder);
}

static char *schema(const char *name)
{
    g_autoptr(GError) error = NULL;
    char *text = NULL;
    const char *source = g_getenv("FUNDAMENT_SOURCE");
    g_autofree char *path = g_build_filename(source != NULL ? source : ".", "schema", "fsc", name, NULL);
    g_file_get_contents(path, &text, NULL, &error);
    no_error(error);
    return text;
}

static void migrate(Store *store)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *traffic = schema("0006.sql");
    const Migration migration = {"fsc", 1, traffic};
    store_migrate(store, &migration, 1, &error);
    no_error(error);
}

static int set_up(void **state)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *url = fresh_url();
    Fixture *fixture = g_new0(Fixture, 1);
    fixture->store = store_open(url, &error);
    no_error(error);
    migrate(fixture->store);
    fixture->clock = clock_fixed(MIDNIGHT);
    fixture->traffic = traffic_new(fixture->store, &fixture->clock);
    *state = fixture;
    return 0;
}

static int tear_down(void **state)
{
    Fixture *fixture = *state;
    traffic_free(fixture->traffic);
    store_close(fixture->store);
    g_free(fixture);
    return 0;
}

static void go_to(Fixture *fixture, gint64 seconds)
{
    fixture->clock.fixed_us = (MIDNIGHT + seconds) * G_USEC_PER_SEC;
}

/* `n` requests answered with 200 in `us`. */
static void add(Traffic *traffic, TrafficDirection direction, const char *peer, const char *service, guint n,
                guint64 us)
{
    const TrafficKey key = {direction, peer, service};
    TrafficSum sum = {0};
    sum.counts[FRAME_TRAFFIC_STATUS_2XX] = n;
    sum.counts[FRAME_TRAFFIC_BYTES_IN] = 100 * (guint64)n;
    sum.counts[FRAME_TRAFFIC_BYTES_OUT] = 1000 * (guint64)n;
    sum.latency[frame_latency_bucket(us)] = n;
    traffic_add(traffic, &key, &sum);
}

static json_t *report(Fixture *fixture, TrafficQuery query)
{
    g_autoptr(GError) error = NULL;
    query.from_s += MIDNIGHT;
    query.to_s += MIDNIGHT;
    json_t *json = traffic_report(fixture->traffic, &query, &error);
    no_error(error);
    return json;
}

static json_int_t number(const json_t *object, const char *key)
{
    assert_true(json_is_integer(json_object_get(object, key)));
    return json_integer_value(json_object_get(object, key));
}

/* --- histogram --- */

static void buckets_are_in_order_without_gaps(void **state)
{
    for (unsigned bucket = 0; bucket + 1 < FRAME_LATENCY_BUCKETS; bucket++) {
        assert_true(frame_latency_floor(bucket) < frame_latency_floor(bucket + 1));
        assert_int_equal(frame_latency_bucket(frame_latency_floor(bucket)), bucket);
        assert_int_equal(frame_latency_bucket(frame_latency_floor(bucket + 1) - 1), bucket);
    }
    assert_int_equal(frame_latency_bucket(G_MAXUINT64), FRAME_LATENCY_BUCKETS - 1);
}

static void a_bucket_is_at_most_a_quarter_wide(void **state)
{
    for (unsigned bucket = 1; bucket + 1 < FRAME_LATENCY_BUCKETS; bucket++)
        assert_true(frame_latency_floor(bucket + 1) * 4 <= frame_latency_floor(bucket) * 5);
}

static void quantiles_are_near_the_truth(void **state)
{
    TrafficSum sum = {0};
    for (guint64 us = 1000; us <= 100000; us++)
        sum.latency[frame_latency_bucket(us)]++;
    assert_float_equal(traffic_quantile_ms(&sum, 0.50), 50.5, 2);
    assert_float_equal(traffic_quantile_ms(&sum, 0.95), 95.0, 5);
    assert_float_equal(traffic_quantile_ms(&sum, 0.99), 99.0, 12);
}

static void nothing_has_no_quantile(void **state)
{
    const TrafficSum sum = {0};
    assert_float_equal(traffic_quantile_ms(&sum, 0.5), -1, 0);
}

static void a_histogram_comes_back_as_it_was(void **state)
{
    guint64 in[FRAME_LATENCY_BUCKETS] = {0}, out[FRAME_LATENCY_BUCKETS];
    in[0] = 3;
    in[17] = G_GUINT64_CONSTANT(5000000000);
    in[FRAME_LATENCY_BUCKETS - 1] = 1;
    g_autofree char *text = traffic_latency_write(in);
    assert_string_equal(text, "0:3 17:5000000000 89:1");
    traffic_latency_read(text, out);
    assert_memory_equal(in, out, sizeof in);
}

static void what_is_no_histogram_is_passed_over(void **state)
{
    static const char *const TEXTS[] = {"", "x", "1", "1:", ":", "90:5", "999999999999:1", "1:2x", " "};
    guint64 out[FRAME_LATENCY_BUCKETS];
    for (gsize i = 0; i < G_N_ELEMENTS(TEXTS); i++)
        traffic_latency_read(TEXTS[i], out);
    traffic_latency_read(NULL, out);
    traffic_latency_read("90:5 3:2", out);
    assert_int_equal(out[3], 2);
}

/* --- sums --- */

static void what_is_added_comes_back(void **state)
{
    Fixture *fixture = *state;
    go_to(fixture, 30);
    add(fixture->traffic, TRAFFIC_INCOMING, CONSUMER, "persons", 7, 2000);
    go_to(fixture, 90);
    add(fixture->traffic, TRAFFIC_INCOMING, CONSUMER, "persons", 5, 8000);
    json_t *json = report(fixture, (TrafficQuery){.from_s = 0, .to_s = 180, .step_s = 60});
    json_t *series = json_object_get(json, "series");
    assert_int_equal(json_array_size(series), 3);
    assert_int_equal(number(json, "step"), 60);
    assert_int_equal(number(json_array_get(series, 0), "requests"), 7);
    assert_int_equal(number(json_array_get(series, 0), "time"), MIDNIGHT);
    assert_int_equal(number(json_array_get(series, 1), "requests"), 5);
    assert_int_equal(number(json_array_get(series, 2), "requests"), 0);
    assert_true(json_is_null(json_object_get(json_array_get(series, 2), "p99_ms")));
    double median = json_real_value(json_object_get(json_array_get(series, 1), "p50_ms"));
    assert_true(median > 6.4 && median < 10);
    const json_t *total = json_object_get(json, "total");
    assert_int_equal(number(total, "requests"), 12);
    assert_int_equal(number(total, "errors"), 0);
    assert_int_equal(number(total, "bytes_in"), 1200);
    assert_int_equal(number(total, "bytes_out"), 12000);
    json_decref(json);
}

static void errors_are_what_we_refused_what_did_not_arrive_and_5xx(void **state)
{
    Fixture *fixture = *state;
    const TrafficKey key = {TRAFFIC_OUTGOING, PROVIDER, "persons"};
    TrafficSum sum = {0};
    for (guint i = FRAME_TRAFFIC_REFUSED; i <= FRAME_TRAFFIC_STATUS_5XX; i++)
        sum.counts[i] = 1U << i;
    traffic_add(fixture->traffic, &key, &sum);
    json_t *json = report(fixture, (TrafficQuery){.from_s = 0, .to_s = 60});
    const json_t *total = json_object_get(json, "total");
    assert_int_equal(number(total, "requests"), 63);
    assert_int_equal(number(total, "errors"), 1 + 2 + 32);
    assert_int_equal(number(total, "status_4xx"), 16);
    json_decref(json);
}

static void a_minute_that_is_written_twice_counts_once(void **state)
{
    Fixture *fixture = *state;
    g_autoptr(GError) error = NULL;
    add(fixture->traffic, TRAFFIC_INCOMING, CONSUMER, "persons", 1, 100);
    assert_true(traffic_flush(fixture->traffic, &error));
    assert_true(traffic_flush(fixture->traffic, &error));
    add(fixture->traffic, TRAFFIC_INCOMING, CONSUMER, "persons", 1, 100);
    assert_true(traffic_flush(fixture->traffic, &error));
    json_t *json = report(fixture, (TrafficQuery){.from_s = 0, .to_s = 60});
    assert_int_equal(number(json_object_get(json, "total"), "requests"), 2);
    json_decref(json);
}

/* Two `fundament serve` on one database, or the same after a restart in the same minute. */
static void processes_add_up(void **state)
{
    Fixture *fixture = *state;
    Traffic *other = traffic_new(fixture->store, &fixture->clock);
    add(fixture->traffic, TRAFFIC_INCOMING, CONSUMER, "persons", 3, 100);
    add(other, TRAFFIC_INCOMING, CONSUMER, "persons", 4, 100);
    traffic_free(other);
    json_t *json = report(fixture, (TrafficQuery){.from_s = 0, .to_s = 60});
    assert_int_equal(number(json_object_get(json, "total"), "requests"), 7);
    assert_int_equal(json_array_size(json_object_get(json, "by")), 1);
    json_decref(json);
}

static void a_query_is_for_one_service_peer_or_direction(void **state)
{
    Fixture *fixture = *state;
    add(fixture->traffic, TRAFFIC_INCOMING, CONSUMER, "persons", 1, 100);
    add(fixture->traffic, TRAFFIC_INCOMING, CONSUMER, "parcels", 2, 100);
    add(fixture->traffic, TRAFFIC_INCOMING, OTHER, "persons", 4, 100);
    add(fixture->traffic, TRAFFIC_OUTGOING, CONSUMER, "persons", 8, 100);
    static const struct {
        TrafficDirection direction;
        const char *service, *peer;
        int requests;
    } CASES[] = {{TRAFFIC_ANY, NULL, NULL, 15},      {TRAFFIC_INCOMING, NULL, NULL, 7},
                 {TRAFFIC_OUTGOING, NULL, NULL, 8},  {TRAFFIC_ANY, "persons", NULL, 13},
                 {TRAFFIC_ANY, NULL, OTHER, 4},      {TRAFFIC_INCOMING, "persons", CONSUMER, 1},
                 {TRAFFIC_INCOMING, "none", NULL, 0}};
    for (gsize i = 0; i < G_N_ELEMENTS(CASES); i++) {
        json_t *json = report(fixture, (TrafficQuery){.to_s = 60,
                                                      .direction = CASES[i].direction,
                                                      .service = CASES[i].service,
                                                      .peer_id = CASES[i].peer});
        assert_int_equal(number(json_object_get(json, "total"), "requests"), CASES[i].requests);
        json_decref(json);
    }
}

static void the_busiest_comes_first(void **state)
{
    Fixture *fixture = *state;
    add(fixture->traffic, TRAFFIC_INCOMING, CONSUMER, "parcels", 2, 100);
    add(fixture->traffic, TRAFFIC_OUTGOING, PROVIDER, "persons", 8, 100);
    json_t *json = report(fixture, (TrafficQuery){.from_s = 0, .to_s = 60});
    const json_t *first = json_array_get(json_object_get(json, "by"), 0);
    assert_string_equal(json_string_value(json_object_get(first, "direction")), "out");
    assert_string_equal(json_string_value(json_object_get(first, "peer_id")), PROVIDER);
    assert_string_equal(json_string_value(json_object_get(first, "service")), "persons");
    json_decref(json);
}

static void long_periods_get_coarser_steps(void **state)
{
    Fixture *fixture = *state;
    const gint64 day = 24 * 3600;
    go_to(fixture, 90 * day);
    json_t *week = report(fixture, (TrafficQuery){.from_s = 83 * day, .to_s = 90 * day, .step_s = 60});
    assert_int_equal(number(week, "step"), 420); /* 1500 points, whole minutes */
    json_decref(week);
    json_t *quarter = report(fixture, (TrafficQuery){.from_s = 0, .to_s = 90 * day, .step_s = 60});
    assert_int_equal(number(quarter, "step"), 2 * 3600);
    assert_true(json_array_size(json_object_get(quarter, "series")) <= 1500);
    json_decref(quarter);
    json_t *old = report(fixture, (TrafficQuery){.from_s = 60, .to_s = 4000, .step_s = 60});
    assert_int_equal(number(old, "step"), 3600); /* minutes are not kept that long */
    assert_int_equal(number(old, "from"), MIDNIGHT);
    assert_int_equal(number(old, "to"), MIDNIGHT + 7200);
    json_decref(old);
}

static void hours_have_what_minutes_had(void **state)
{
    Fixture *fixture = *state;
    for (gint64 minute = 0; minute < 120; minute++) {
        go_to(fixture, minute * 60);
        add(fixture->traffic, TRAFFIC_INCOMING, CONSUMER, "persons", 1, 100);
    }
    json_t *json = report(fixture, (TrafficQuery){.from_s = 0, .to_s = 7200, .step_s = 3600});
    assert_int_equal(number(json_array_get(json_object_get(json, "series"), 0), "requests"), 60);
    assert_int_equal(number(json_array_get(json_object_get(json, "series"), 1), "requests"), 60);
    json_decref(json);
}

static void old_minutes_go_before_old_hours(void **state)
{
    Fixture *fixture = *state;
    g_autoptr(GError) error = NULL;
    const gint64 day = 24 * 3600;
    add(fixture->traffic, TRAFFIC_INCOMING, CONSUMER, "persons", 1, 100);
    go_to(fixture, 20 * day);
    assert_true(traffic_flush(fixture->traffic, &error));
    assert_true(traffic_forget(fixture->traffic, 90 * day, &error));
    go_to(fixture, 10 * day);
    json_t *minutes = report(fixture, (TrafficQuery){.from_s = 0, .to_s = 60, .step_s = 60});
    assert_int_equal(number(json_object_get(minutes, "total"), "requests"), 0);
    json_decref(minutes);
    json_t *hours = report(fixture, (TrafficQuery){.from_s = 0, .to_s = 3600, .step_s = 3600});
    assert_int_equal(number(json_object_get(hours, "total"), "requests"), 1);
    json_decref(hours);
    go_to(fixture, 91 * day);
    assert_true(traffic_forget(fixture->traffic, 90 * day, &error));
    json_t *gone = report(fixture, (TrafficQuery){.from_s = 0, .to_s = 3600, .step_s = 3600});
    assert_int_equal(number(json_object_get(gone, "total"), "requests"), 0);
    json_decref(gone);
}

/* A row is begun once, and always replaced by a larger one. */
static void a_clock_that_is_set_back_loses_nothing(void **state)
{
    Fixture *fixture = *state;
    g_autoptr(GError) error = NULL;
    go_to(fixture, 0);
    add(fixture->traffic, TRAFFIC_INCOMING, CONSUMER, "persons", 1, 100);
    go_to(fixture, 600);
    add(fixture->traffic, TRAFFIC_INCOMING, CONSUMER, "persons", 1, 100);
    assert_true(traffic_flush(fixture->traffic, &error));
    go_to(fixture, 0);
    add(fixture->traffic, TRAFFIC_INCOMING, CONSUMER, "persons", 1, 100);
    json_t *json = report(fixture, (TrafficQuery){.from_s = 0, .to_s = 660, .step_s = 60});
    assert_int_equal(number(json_object_get(json, "total"), "requests"), 3);
    json_decref(json);
}

static void a_period_that_does_not_go_forward_is_refused(void **state)
{
    Fixture *fixture = *state;
    static const TrafficQuery WRONG[] = {{.from_s = 100, .to_s = 100},
                                         {.from_s = 100, .to_s = 99},
                                         {.from_s = -1, .to_s = 99},
                                         {.from_s = 0, .to_s = G_MAXINT64},
                                         {.from_s = 0, .to_s = 60, .step_s = -1}};
    for (gsize i = 0; i < G_N_ELEMENTS(WRONG); i++) {
        g_autoptr(GError) error = NULL;
        assert_null(traffic_report(fixture->traffic, &WRONG[i], &error));
        assert_true(g_error_matches(error, FUNDAMENT_ERROR, FUNDAMENT_ERROR_INVALID));
    }
}

/* --- metrics --- */

static guint count_lines(const char *text, const char *prefix)
{
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
    guint count = 0;
    for (char **line = lines; *line != NULL; line++)
        count += g_str_has_prefix(*line, prefix) ? 1 : 0;
    return count;
}

static void metrics_name_direction_service_peer_and_outcome(void **state)
{
    Fixture *fixture = *state;
    g_autoptr(GString) out = g_string_new(NULL);
    add(fixture->traffic, TRAFFIC_INCOMING, CONSUMER, "persons", 7, 3000);
    traffic_metrics(fixture->traffic, out);
    assert_non_null(
        strstr(out->str, "fundament_fsc_requests_total{direction=\"in\",service=\"persons\",peer=\"" CONSUMER
                         "\",outcome=\"status_2xx\"} 7\n"));
    assert_non_null(
        strstr(out->str, "fundament_fsc_request_seconds_bucket{direction=\"in\",le=\"0.002048\"} 0\n"));
    assert_non_null(
        strstr(out->str, "fundament_fsc_request_seconds_bucket{direction=\"in\",le=\"0.004096\"} 7\n"));
    assert_non_null(strstr(out->str, "fundament_fsc_request_seconds_count{direction=\"in\"} 7\n"));
    assert_non_null(
        strstr(out->str, "fundament_fsc_request_seconds_bucket{direction=\"out\",le=\"+Inf\"} 0\n"));
}

static void the_number_of_label_sets_is_bounded(void **state)
{
    Fixture *fixture = *state;
    g_autoptr(GString) out = g_string_new(NULL);
    for (guint i = 0; i < 1000; i++) {
        g_autofree char *service = g_strdup_printf("service-%u", i);
        add(fixture->traffic, TRAFFIC_INCOMING, CONSUMER, service, 1, 100);
    }
    traffic_metrics(fixture->traffic, out);
    assert_int_equal(count_lines(out->str, "fundament_fsc_requests_total{"), 201);
    assert_non_null(
        strstr(out->str, "{direction=\"in\",service=\"\",peer=\"\",outcome=\"status_2xx\"} 800\n"));
}

static void postgresql_is_not_installed(void **state)
{
    print_message("skipped: no PostgreSQL on this machine\n");
    skip();
}

int main(void)
{
    const struct CMUnitTest pure[] = {
        cmocka_unit_test(buckets_are_in_order_without_gaps),
        cmocka_unit_test(a_bucket_is_at_most_a_quarter_wide),
        cmocka_unit_test(quantiles_are_near_the_truth),
        cmocka_unit_test(nothing_has_no_quantile),
        cmocka_unit_test(a_histogram_comes_back_as_it_was),
        cmocka_unit_test(what_is_no_histogram_is_passed_over),
    };
#define ON_STORE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
    const struct CMUnitTest stored[] = {
        ON_STORE(what_is_added_comes_back),
        ON_STORE(errors_are_what_we_refused_what_did_not_arrive_and_5xx),
        ON_STORE(a_minute_that_is_written_twice_counts_once),
        ON_STORE(processes_add_up),
        ON_STORE(a_query_is_for_one_service_peer_or_direction),
        ON_STORE(the_busiest_comes_first),
        ON_STORE(long_periods_get_coarser_steps),
        ON_STORE(hours_have_what_minutes_had),
        ON_STORE(old_minutes_go_before_old_hours),
        ON_STORE(a_clock_that_is_set_back_loses_nothing),
        ON_STORE(a_period_that_does_not_go_forward_is_refused),
        ON_STORE(metrics_name_direction_service_peer_and_outcome),
        ON_STORE(the_number_of_label_sets_is_bounded),
    };
    int failed = cmocka_run_group_tests_name("fsc traffic", pure, NULL, NULL) +
                 cmocka_run_group_tests_name("fsc traffic sqlite", stored, NULL, NULL);
    g_autofree char *url = test_postgresql_start();
    on_postgresql = TRUE;
    const struct CMUnitTest skipped[] = {cmocka_unit_test(postgresql_is_not_installed)};
    return failed + (url != NULL
                         ? cmocka_run_group_tests_name("fsc traffic postgresql", stored, NULL, NULL)
                         : cmocka_run_group_tests_name("fsc traffic postgresql", skipped, NULL, NULL));
}
