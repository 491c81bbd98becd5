/* What workers of the edge say of themselves. */
#include "components/fsc/edge_counters.h"

#include <string.h>

#include "core/node/frames.h"
#include "tests/unit/fsc/sample.h"

#define SECOND G_USEC_PER_SEC

typedef struct {
    guint8 bytes[1024];
    gsize length;
} Frame;

static Frame frame(guint64 pid, guint64 open_calls, const guint64 *counts, gsize n)
{
    Frame frame = {.length = 0};
    guint8 packed[8 * 32];
    for (gsize i = 0; i < n; i++)
        frame_put_u64(packed + 8 * i, counts[i]);
    frame.length = frame_field_put_u64(frame.bytes, sizeof frame.bytes, frame.length, pid);
    frame.length = frame_field_put_u64(frame.bytes, sizeof frame.bytes, frame.length, open_calls);
    frame.length = frame_field_put(frame.bytes, sizeof frame.bytes, frame.length, packed, 8 * n);
    return frame;
}

static void add_refusal(Frame *frame, guint64 status, const char *code, guint64 count)
{
    frame->length = frame_field_put_u64(frame->bytes, sizeof frame->bytes, frame->length, status);
    frame->length = frame_field_put(frame->bytes, sizeof frame->bytes, frame->length, code, strlen(code));
    frame->length = frame_field_put_u64(frame->bytes, sizeof frame->bytes, frame->length, count);
}

static void assert_says(EdgeCounters *counters, gint64 now_us, const char *line)
{
    g_autoptr(GString) out = g_string_new(NULL);
    edge_counters_metrics(counters, out, now_us);
    if (strstr(out->str, line) == NULL)
        fail_msg("no \"%s\" in:\n%s", line, out->str);
}

static void workers_add_up(void **state)
{
    const guint64 one[FRAME_EDGE_COUNT] = {10, 2, 1, 0, 3, 1}, other[FRAME_EDGE_COUNT] = {5, 1, 0, 0, 3, 1};
    EdgeCounters *counters = edge_counters_new();
    Frame first = frame(100, 4, one, FRAME_EDGE_COUNT), second = frame(101, 3, other, FRAME_EDGE_COUNT);
    assert_true(edge_counters_take(counters, first.bytes, first.length, SECOND));
    assert_true(edge_counters_take(counters, second.bytes, second.length, SECOND));
    assert_true(edge_counters_take(counters, first.bytes, first.length, 2 * SECOND));
    assert_says(counters, 2 * SECOND, "fundament_edge_cache_hits_total 25\n");
    assert_says(counters, 2 * SECOND, "fundament_edge_cache_questions_total 5\n");
    assert_says(counters, 2 * SECOND, "fundament_edge_resends_total 2\n");
    assert_says(counters, 2 * SECOND, "fundament_edge_flushes_total 9\n");
    assert_says(counters, 2 * SECOND, "fundament_edge_open_calls 7\n");
    edge_counters_free(counters);
}

static void a_worker_that_is_gone_has_no_open_calls(void **state)
{
    EdgeCounters *counters = edge_counters_new();
    Frame worker = frame(100, 4, NULL, 0);
    assert_true(edge_counters_take(counters, worker.bytes, worker.length, SECOND));
    assert_says(counters, 6 * SECOND, "fundament_edge_open_calls 4\n");
    assert_says(counters, 7 * SECOND, "fundament_edge_open_calls 0\n");
    edge_counters_free(counters);
}

static void refusals_are_counted_by_status_and_code(void **state)
{
    EdgeCounters *counters = edge_counters_new();
    Frame worker = frame(100, 0, NULL, 0);
    add_refusal(&worker, 401, "ERROR_CODE_ACCESS_TOKEN_MISSING", 3);
    add_refusal(&worker, 400, "", 2);
    assert_true(edge_counters_take(counters, worker.bytes, worker.length, 0));
    assert_true(edge_counters_take(counters, worker.bytes, worker.length, 0));
    assert_says(counters, 0,
                "fundament_edge_refusals_total{status=\"401\",code=\"ERROR_CODE_ACCESS_TOKEN_MISSING\"} 6\n");
    assert_says(counters, 0, "fundament_edge_refusals_total{status=\"400\",code=\"\"} 4\n");
    edge_counters_free(counters);
}

/* decisions.md 1: version N speaks N-1. */
static void an_older_and_a_newer_edge_are_understood(void **state)
{
    const guint64 many[FRAME_EDGE_COUNT + 2] = {7, 1, 1, 1, 1, 1, 1, 1};
    EdgeCounters *counters = edge_counters_new();
    Frame older = frame(1, 0, many, 1), newer = frame(2, 0, many, FRAME_EDGE_COUNT + 2);
    assert_true(edge_counters_take(counters, older.bytes, older.length, 0));
    assert_true(edge_counters_take(counters, newer.bytes, newer.length, 0));
    assert_says(counters, 0, "fundament_edge_cache_hits_total 14\n");
    assert_says(counters, 0, "fundament_edge_cache_questions_total 1\n");
    edge_counters_free(counters);
}

static void what_is_malformed_counts_nothing(void **state)
{
    const guint64 counts[FRAME_EDGE_COUNT] = {1, 1, 1, 1, 1, 1};
    EdgeCounters *counters = edge_counters_new();
    Frame whole = frame(1, 2, counts, FRAME_EDGE_COUNT);
    gsize without = whole.length;
    add_refusal(&whole, 401, "CODE", 1);
    for (gsize i = 0; i < whole.length; i++)
        if (i != without)
            assert_false(edge_counters_take(counters, whole.bytes, i, 0));
    Frame label = frame(1, 2, counts, FRAME_EDGE_COUNT);
    add_refusal(&label, 401, "A\"} 1", 1);
    assert_false(edge_counters_take(counters, label.bytes, label.length, 0));
    assert_says(counters, 0, "fundament_edge_cache_hits_total 0\n");
    edge_counters_free(counters);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(workers_add_up),
        cmocka_unit_test(a_worker_that_is_gone_has_no_open_calls),
        cmocka_unit_test(refusals_are_counted_by_status_and_code),
        cmocka_unit_test(an_older_and_a_newer_edge_are_understood),
        cmocka_unit_test(what_is_malformed_counts_nothing),
    };
    return cmocka_run_group_tests_name("fsc edge counters", tests, NULL, NULL);
}
