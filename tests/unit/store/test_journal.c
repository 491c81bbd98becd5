/* The journal when nothing goes wrong. */
#include "tests/unit/store/journal_fixture.h"

#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/store/crc32c.h"
#include "tests/support/folder.h"

static gboolean count_record(const JournalRecord *record, gpointer user_data)
{
    (*(guint64 *)user_data)++;
    return TRUE;
}

static void a_new_journal_is_empty(void **state)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *folder = test_folder_new();
    g_autofree char *inside = g_build_filename(folder, "made", "when missing", NULL);
    for (int round = 0; round < 2; round++) {
        g_autoptr(Journal) journal = journal_new(inside);
        guint64 count = 0;
        assert_int_equal(journal_last(journal), 0);
        assert_int_equal(journal_oldest_time_us(journal), 0);
        assert_true(journal_healthy(journal));
        assert_true(journal_read(journal, 0, count_record, &count, &error));
        assert_true(journal_read_since(journal, 0, count_record, &count, &error));
        assert_int_equal(count, 0);
    }
}

/* core/store/journal.h and docs/journal.md: each byte of a segment with two records. */
static void the_layout_is_that_of_the_manual(void **state)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *folder = test_folder_new();
    Journal *journal = journal_new(folder);
    gint64 before = g_get_real_time();
    assert_true(journal_append_wait(journal, 0x0102, "abcde", 5, NULL, &error));
    assert_true(journal_append_wait(journal, 3, "", 0, NULL, &error));
    gint64 after = g_get_real_time();
    assert_in_range(journal_oldest_time_us(journal), before, after);
    journal_close(journal);

    g_autofree char *path = segment_path(folder, 1);
    g_autoptr(GBytes) file = file_read(path);
    gsize size = 0;
    const guint8 *bytes = g_bytes_get_data(file, &size);
    assert_int_equal(size, SMALL_SEGMENT);
    guint8 header[64] = "FNDJRNL1\1\0\0\0\7\0\0\0\1\0\0\0\0\0\0\0\1";
    guint32 crc = GUINT32_TO_LE(crc32c(header, 60));
    memcpy(header + 60, &crc, 4);
    assert_memory_equal(bytes, header, 64);

    const guint8 *record = bytes + 64;
    assert_memory_equal(record, "\x19\0\0\0", 4); /* 20 + 5 */
    crc = GUINT32_TO_LE(crc32c(record + 8, 25));
    assert_memory_equal(record + 4, &crc, 4);
    assert_memory_equal(record + 8, "\2\1\1\0\1\0\0\0\0\0\0\0", 12); /* kind, first of its batch, sequence */
    gint64 time = 0;
    memcpy(&time, record + 20, 8);
    assert_in_range(GINT64_FROM_LE(time), before, after);
    assert_memory_equal(record + 28, "abcde\0\0\0\0\0\0\0", 12); /* padded to 40 */

    record = bytes + 64 + 40;
    assert_memory_equal(record, "\x14\0\0\0", 4);
    assert_memory_equal(record + 8, "\3\0\1\0\2\0\0\0\0\0\0\0", 12);
    assert_memory_equal(record + 28, "\0\0\0\0", 4);
    for (gsize i = 64 + 40 + 32; i < size; i++) {
        assert_int_equal(bytes[i], 0);
    }
}

static void records_come_back_as_they_went_in(void **state)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *folder = test_folder_new();
    Journal *journal = journal_open(folder, 7, &error);
    no_error(error);
    for (guint64 n = 1; n <= 12; n++) {
        append_record(journal, n, JOURNAL_RECORD_MAX);
    }
    assert_int_equal(check_all(journal, JOURNAL_RECORD_MAX), 12);
    journal_close(journal);
    journal = journal_open(folder, 7, &error);
    no_error(error);
    assert_int_equal(check_all(journal, JOURNAL_RECORD_MAX), 12);
    journal_close(journal);
}

static void a_record_has_at_most_a_mebibyte(void **state)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *folder = test_folder_new();
    g_autoptr(Journal) journal = journal_open_sized(folder, 0, 4 * 1024 * 1024, &error);
    g_autofree guint8 *bytes = g_malloc0(JOURNAL_RECORD_MAX + 1);
    guint64 sequence = 0;
    assert_true(journal_append_wait(journal, 1, bytes, JOURNAL_RECORD_MAX, &sequence, &error));
    assert_false(journal_append_wait(journal, 1, bytes, JOURNAL_RECORD_MAX + 1, &sequence, &error));
    expect_error(&error, FUNDAMENT_ERROR_INVALID);
    assert_true(journal_append_wait(journal, 1, bytes, 1, &sequence, &error));
    assert_int_equal(sequence, 2);
}

static void sequences_go_on_after_reopening_and_over_segments(void **state)
{
    g_autofree char *folder = test_folder_new();
    guint64 n = 0;
    for (int round = 0; round < 20; round++) {
        g_autoptr(Journal) journal = journal_new(folder);
        assert_int_equal(journal_last(journal), n);
        for (int i = 0; i < 23; i++) {
            append_record(journal, ++n, 3000);
        }
        assert_int_equal(check_all(journal, 3000), n);
    }
    g_autofree char *third = segment_path(folder, 3);
    assert_true(g_file_test(third, G_FILE_TEST_EXISTS));
}

typedef struct {
    guint64 first;
    guint64 count;
    guint64 wanted;
} Seen;

static gboolean see(const JournalRecord *record, gpointer user_data)
{
    Seen *seen = user_data;
    seen->first = seen->count == 0 ? record->sequence : seen->first;
    assert_int_equal(record->sequence, seen->first + seen->count);
    return ++seen->count < seen->wanted;
}

static void reading_starts_at_any_sequence_and_stops_when_told(void **state)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *folder = test_folder_new();
    g_autoptr(Journal) journal = journal_new(folder);
    guint64 last = 150;
    for (guint64 n = 1; n <= last; n++) {
        append_record(journal, n, 3000);
    }
    for (guint64 from = 0; from <= last + 1; from++) {
        Seen all = {.wanted = G_MAXUINT64};
        assert_true(journal_read(journal, from, see, &all, &error));
        assert_int_equal(all.count, last + 1 - MAX(from, 1));
        assert_int_equal(all.first, all.count > 0 ? MAX(from, 1) : 0);
        Seen two = {.wanted = 2};
        assert_true(journal_read(journal, from, see, &two, &error));
        assert_int_equal(two.count, MIN(2, all.count));
    }
}

static gboolean keep_time(const JournalRecord *record, gpointer user_data)
{
    g_array_append_val((GArray *)user_data, record->time_us);
    return TRUE;
}

static void reading_starts_at_any_time(void **state)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *folder = test_folder_new();
    g_autoptr(Journal) journal = journal_new(folder);
    for (guint64 n = 1; n <= 120; n++) {
        append_record(journal, n, 3000);
    }
    g_autoptr(GArray) times = g_array_new(FALSE, FALSE, sizeof(gint64));
    assert_true(journal_read(journal, 1, keep_time, times, &error));
    assert_true(journal_oldest_time_us(journal) == g_array_index(times, gint64, 0));
    for (guint i = 0; i < times->len; i++) {
        gint64 time = g_array_index(times, gint64, i);
        guint expected = 0;
        while (g_array_index(times, gint64, expected) < time) {
            expected++;
        }
        Seen seen = {.wanted = G_MAXUINT64};
        assert_true(journal_read_since(journal, time, see, &seen, &error));
        assert_int_equal(seen.first, expected + 1);
        assert_int_equal(seen.count, times->len - expected);
    }
    Seen none = {.wanted = G_MAXUINT64};
    assert_true(journal_read_since(journal, g_get_real_time() + G_USEC_PER_SEC, see, &none, &error));
    assert_int_equal(none.count, 0);
    Seen all = {.wanted = G_MAXUINT64};
    assert_true(journal_read_since(journal, 0, see, &all, &error));
    assert_int_equal(all.count, times->len);
}

/* ---- many at once ---- */

#define APPENDERS 4
#define APPENDS 2000

typedef struct {
    Journal *journal;
    guint id;
    guint64 last_sequence;
    guint done;
    guint batches_when_done;
} Appender;

static gint batches;

static void appender_done(guint64 sequence, const GError *error, gpointer user_data)
{
    Appender *appender = user_data;
    g_assert_no_error(error);
    g_assert_cmpuint(sequence, >, appender->last_sequence); /* one caller's records keep their order */
    appender->last_sequence = sequence;
    appender->done++;
    appender->batches_when_done = (guint)g_atomic_int_get(&batches);
}

static void batch_done(gpointer user_data)
{
    g_atomic_int_inc(&batches);
}

static gpointer appender_run(gpointer data)
{
    Appender *appender = data;
    for (guint i = 0; i < APPENDS; i++) {
        guint32 record[50] = {appender->id, i};
        record[49] = i ^ 0xffffffffu;
        journal_append(appender->journal, 5, record, sizeof record, appender_done, appender);
    }
    return NULL;
}

typedef struct {
    guint next[APPENDERS];
    guint64 count;
} Order;

static gboolean check_order(const JournalRecord *record, gpointer user_data)
{
    Order *order = user_data;
    guint32 fields[50];
    assert_int_equal(record->length, sizeof fields);
    memcpy(fields, record->data, sizeof fields);
    assert_in_range(fields[0], 0, APPENDERS - 1);
    assert_int_equal(fields[1], order->next[fields[0]]++);
    assert_int_equal(fields[49], fields[1] ^ 0xffffffffu);
    assert_int_equal(record->sequence, ++order->count);
    return TRUE;
}

static void appending_and_reading_at_once_is_safe(void **state)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *folder = test_folder_new();
    Journal *journal = journal_open_sized(folder, 1, 256 * 1024, &error);
    no_error(error);
    g_atomic_int_set(&batches, 0);
    journal_set_batch_done(journal, batch_done, NULL);
    Appender appenders[APPENDERS] = {0};
    GThread *threads[APPENDERS];
    for (guint i = 0; i < APPENDERS; i++) {
        appenders[i] = (Appender){.journal = journal, .id = i};
        threads[i] = g_thread_new("append", appender_run, &appenders[i]);
    }
    guint64 last = 0;
    while (last < APPENDERS * APPENDS) {
        Order order = {0};
        guint64 before = journal_last(journal);
        assert_true(journal_read(journal, 1, check_order, &order, &error));
        last = journal_last(journal);
        assert_in_range(order.count, before, last); /* all that was committed, and nothing else */
    }
    for (guint i = 0; i < APPENDERS; i++) {
        g_thread_join(threads[i]);
    }
    journal_close(journal);
    for (guint i = 0; i < APPENDERS; i++) {
        assert_int_equal(appenders[i].done, APPENDS);
        assert_true(appenders[i].batches_when_done <
                    (guint)batches); /* batch_done comes behind the last of its batch */
    }
}

static void one_batch_is_one_sync(void **state)
{
    g_autofree char *folder = test_folder_new();
    g_autoptr(Journal) journal = journal_new(folder);
    g_atomic_int_set(&batches, 0);
    journal_set_batch_done(journal, batch_done, NULL);
    append_batch(journal, 1, 200, 100); /* the first one alone, then all that waited */
    append_record(journal, 201, 100);
    append_record(journal, 202, 100); /* so the batch of 201 is over */
    assert_in_range(g_atomic_int_get(&batches), 3, 4);
    assert_int_equal(check_all(journal, 100), 202);
}

typedef struct {
    Journal *journal;
    gint left;
} Chain;

static void append_more(guint64 sequence, const GError *error, gpointer user_data)
{
    Chain *chain = user_data;
    g_assert_no_error(error);
    if (g_atomic_int_add(&chain->left, -1) > 1) {
        journal_append(chain->journal, 1, "x", 1, append_more, chain);
    }
}

static void a_callback_may_append(void **state)
{
    g_autofree char *folder = test_folder_new();
    g_autoptr(Journal) journal = journal_new(folder);
    Chain chain = {journal, 20};
    journal_append(journal, 1, "x", 1, append_more, &chain);
    guint64 last = 0;
    while (last < 20) {
        last = journal_wait(journal, last, 10000);
    }
    assert_int_equal(last, 20);
}

static void append_unhurried(Journal *journal, guint64 n)
{
    g_autoptr(GBytes) bytes = record_bytes(n, 100);
    journal_append_later(journal, (guint16)(n * 257), g_bytes_get_data(bytes, NULL), g_bytes_get_size(bytes));
}

static void what_nobody_waits_for_goes_with_the_next_commit(void **state)
{
    g_autofree char *folder = test_folder_new();
    g_autoptr(Journal) journal = journal_new(folder);
    append_record(journal, 1, 100);
    guint64 before = journal_commits(journal);
    gint64 began_us = g_get_monotonic_time();
    append_unhurried(journal, 2);
    append_unhurried(journal, 3);
    append_record(journal, 4, 100);
    gboolean at_once = g_get_monotonic_time() - began_us < 50 * G_TIME_SPAN_MILLISECOND;
    assert_in_range(journal_commits(journal) - before, 1, at_once ? 1 : 2);
    assert_int_equal(check_all(journal, 100), 4);
}

static void what_nobody_waits_for_is_committed_all_the_same(void **state)
{
    g_autofree char *folder = test_folder_new();
    g_autoptr(Journal) journal = journal_new(folder);
    gint64 began_us = g_get_monotonic_time();
    append_unhurried(journal, 1);
    assert_int_equal(journal_wait(journal, 0, 30000), 1);
    assert_true(g_get_monotonic_time() - began_us >= 45 * G_TIME_SPAN_MILLISECOND);
    append_unhurried(journal, 2);
    journal_close(g_steal_pointer(&journal));
    journal = journal_new(folder);
    assert_int_equal(check_all(journal, 100), 2);
}

static void closing_commits_what_waits(void **state)
{
    g_autofree char *folder = test_folder_new();
    for (guint64 round = 0; round < 5; round++) {
        Journal *journal = journal_new(folder);
        for (guint64 n = round * 300 + 1; n <= round * 300 + 300; n++) {
            g_autoptr(GBytes) bytes = record_bytes(n, 500);
            journal_append(journal, (guint16)(n * 257), g_bytes_get_data(bytes, NULL),
                           g_bytes_get_size(bytes), NULL, NULL);
        }
        journal_close(journal);
        journal = journal_new(folder);
        assert_int_equal(check_all(journal, 500), round * 300 + 300);
        journal_close(journal);
    }
}

typedef struct {
    GMutex gate;
    guint good;
    guint refused;
    gboolean good_after_refused;
} Flood;

static void flood_done(guint64 sequence, const GError *error, gpointer user_data)
{
    Flood *flood = user_data;
    g_mutex_lock(&flood->gate);
    if (error != NULL) {
        g_assert_error(error, FUNDAMENT_ERROR, FUNDAMENT_ERROR_UNAVAILABLE);
        g_assert_cmpuint(sequence, ==, 0);
        flood->refused++;
    } else {
        flood->good++;
        flood->good_after_refused = flood->refused > 0;
    }
    g_mutex_unlock(&flood->gate);
}

static void a_queue_of_64_mebibytes_is_full(void **state)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *folder = test_folder_new();
    Journal *journal = journal_open(folder, 1, &error);
    no_error(error);
    g_autofree guint8 *bytes = g_malloc0(JOURNAL_RECORD_MAX);
    Flood flood = {0};
    g_mutex_init(&flood.gate);
    g_mutex_lock(&flood.gate); /* holds the committer in its first callback */
    for (int i = 0; i < 80; i++) {
        journal_append(journal, 1, bytes, JOURNAL_RECORD_MAX, flood_done, &flood);
    }
    g_mutex_unlock(&flood.gate);
    for (guint64 last = 0; last < 63;) { /* what was taken before it was full */
        last = journal_wait(journal, last, 60000);
    }
    journal_append_wait(journal, 1, bytes, 1, NULL, NULL); /* behind the others, so now the queue is empty */
    for (int i = 0; i < 40; i++) {
        journal_append_wait(journal, 1, bytes, JOURNAL_RECORD_MAX, NULL, &error); /* and has room again */
        no_error(error);
    }
    journal_close(journal);
    assert_int_equal(flood.good + flood.refused, 80); /* each one is told */
    assert_in_range(flood.good, 63, 70);
    assert_false(flood.good_after_refused);
    g_mutex_clear(&flood.gate);
}

static gpointer append_later(gpointer journal)
{
    append_record(journal, 1, 10);
    return NULL;
}

static void waiting_ends_with_a_commit_or_in_time(void **state)
{
    g_autofree char *folder = test_folder_new();
    g_autoptr(Journal) journal = journal_new(folder);
    assert_int_equal(journal_wait(journal, 0, 1), 0);
    GThread *thread = g_thread_new("later", append_later, journal);
    assert_int_equal(journal_wait(journal, 0, 60000), 1);
    assert_int_equal(journal_wait(journal, 0, 60000), 1); /* at once */
    g_thread_join(thread);
}

/* ---- who may open it ---- */

static void a_second_process_is_refused(void **state)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *folder = test_folder_new();
    Journal *journal = journal_new(folder);
    pid_t child = fork();
    if (child == 0) {
        gboolean opened = journal_open_sized(folder, 7, SMALL_SEGMENT, &error) != NULL;
        _exit(!opened && g_error_matches(error, FUNDAMENT_ERROR, FUNDAMENT_ERROR_CONFLICT) ? 0 : 1);
    }
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    assert_null(journal_open(folder, 7, &error)); /* the same process neither */
    expect_error(&error, FUNDAMENT_ERROR_CONFLICT);
    append_record(journal, 1, 10);
    journal_close(journal);
    journal = journal_new(folder);
    assert_int_equal(check_all(journal, 10), 1);
    journal_close(journal);
}

static void another_shard_is_refused(void **state)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *folder = test_folder_new();
    Journal *journal = journal_new(folder);
    append_record(journal, 1, 10);
    journal_close(journal);
    assert_null(journal_open(folder, 8, &error));
    expect_error(&error, FUNDAMENT_ERROR_CONFLICT);
}

static void a_folder_that_cannot_be_is_an_error(void **state)
{
    g_autoptr(GError) error = NULL;
    assert_null(journal_open("/dev/null/journal", 7, &error));
    expect_error(&error, FUNDAMENT_ERROR_IO);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_new_journal_is_empty),
        cmocka_unit_test(the_layout_is_that_of_the_manual),
        cmocka_unit_test(records_come_back_as_they_went_in),
        cmocka_unit_test(a_record_has_at_most_a_mebibyte),
        cmocka_unit_test(sequences_go_on_after_reopening_and_over_segments),
        cmocka_unit_test(reading_starts_at_any_sequence_and_stops_when_told),
        cmocka_unit_test(reading_starts_at_any_time),
        cmocka_unit_test(appending_and_reading_at_once_is_safe),
        cmocka_unit_test(one_batch_is_one_sync),
        cmocka_unit_test(a_callback_may_append),
        cmocka_unit_test(what_nobody_waits_for_goes_with_the_next_commit),
        cmocka_unit_test(what_nobody_waits_for_is_committed_all_the_same),
        cmocka_unit_test(closing_commits_what_waits),
        cmocka_unit_test(a_queue_of_64_mebibytes_is_full),
        cmocka_unit_test(waiting_ends_with_a_commit_or_in_time),
        cmocka_unit_test(a_second_process_is_refused),
        cmocka_unit_test(another_shard_is_refused),
        cmocka_unit_test(a_folder_that_cannot_be_is_an_error),
    };
    return cmocka_run_group_tests_name("journal", tests, NULL, NULL);
}
