/* Removing what has had its time, and copies: what is left is a journal, whatever moment the process dies. */
#include "tests/unit/store/journal_fixture.h"

#include <fcntl.h>
#include <glib/gstdio.h>
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/store/journal_copy.h"
#include "tests/support/folder.h"

#define LONGEST 3000

static gboolean keep_from(const JournalRecord *record, gpointer user_data)
{
    return record->sequence >= *(const guint64 *)user_data;
}

static gboolean keep_none(const JournalRecord *record, gpointer user_data)
{
    return FALSE;
}

static void fill(Journal *journal, guint64 first, guint64 last)
{
    for (guint64 n = first; n <= last; n += 20)
        append_batch(journal, n, MIN(n + 19, last), LONGEST);
}

static JournalRemoval remove_below(Journal *journal, guint64 first_kept, guint64 through, gboolean dry)
{
    JournalRemoval removal;
    g_autoptr(GError) error = NULL;
    journal_remove_expired(journal, through, keep_from, &first_kept, dry, &removal, &error);
    no_error(error);
    return removal;
}

typedef struct {
    guint64 first, last, count;
} Seen;

static gboolean see(const JournalRecord *record, gpointer user_data)
{
    Seen *seen = user_data;
    g_autoptr(GBytes) expected = record_bytes(record->sequence, LONGEST);
    g_autoptr(GBytes) found = g_bytes_new(record->data, record->length);
    assert_true(g_bytes_equal(expected, found));
    assert_true(seen->count == 0 || record->sequence == seen->last + 1);
    seen->first = seen->count == 0 ? record->sequence : seen->first;
    seen->last = record->sequence;
    seen->count++;
    return TRUE;
}

static Seen read_all(Journal *journal)
{
    Seen seen = {0};
    g_autoptr(GError) error = NULL;
    journal_read(journal, 1, see, &seen, &error);
    no_error(error);
    return seen;
}

static void removes_segments_whose_records_are_all_past_their_time(void **state)
{
    g_autofree char *folder = test_folder_new();
    Journal *journal = journal_new(folder);
    fill(journal, 1, 400);
    JournalRemoval would = remove_below(journal, 200, G_MAXUINT64, TRUE);
    assert_int_equal(journal_first(journal), 1); /* a dry run takes nothing */
    JournalRemoval removal = remove_below(journal, 200, G_MAXUINT64, FALSE);
    assert_memory_equal(&would, &removal, sizeof would);
    assert_true(removal.segments >= 2 && removal.first > 100 && removal.first <= 200);
    assert_int_equal(removal.records, removal.first - 1);
    assert_int_equal(journal_first(journal), removal.first);
    assert_true(removal.newest_time_us > 0 && removal.newest_time_us <= journal_oldest_time_us(journal));
    Seen seen = read_all(journal);
    assert_int_equal(seen.first, removal.first); /* reading across what is gone is no error */
    assert_int_equal(seen.last, 400);
    append_record(journal, 401, LONGEST);
    journal_close(journal);
    journal = journal_new(folder);
    seen = read_all(journal);
    assert_int_equal(seen.first, removal.first);
    assert_int_equal(seen.last, 401);
    journal_close(journal);
}

static void a_record_that_must_be_kept_keeps_its_segment_and_all_after_it(void **state)
{
    g_autofree char *folder = test_folder_new();
    g_autoptr(Journal) journal = journal_new(folder);
    fill(journal, 1, 200);
    assert_int_equal(remove_below(journal, 1, G_MAXUINT64, FALSE).segments, 0);
    assert_int_equal(remove_below(journal, 5, G_MAXUINT64, FALSE).segments, 0);
    assert_int_equal(journal_first(journal), 1);
}

static void what_is_not_indexed_yet_is_kept(void **state)
{
    g_autofree char *folder = test_folder_new();
    g_autoptr(Journal) journal = journal_new(folder);
    fill(journal, 1, 400);
    JournalRemoval removal = remove_below(journal, G_MAXUINT64, 150, FALSE);
    assert_true(removal.segments > 0 && removal.first <= 151);
}

static void the_active_segment_is_never_removed(void **state)
{
    g_autofree char *folder = test_folder_new();
    g_autoptr(Journal) journal = journal_new(folder);
    g_autoptr(GError) error = NULL;
    JournalRemoval removal;
    assert_true(journal_remove_expired(journal, G_MAXUINT64, keep_none, NULL, FALSE, &removal, &error));
    assert_int_equal(removal.segments, 0); /* nor is there anything in an empty one */
    fill(journal, 1, 400);
    assert_true(journal_remove_expired(journal, G_MAXUINT64, keep_none, NULL, FALSE, &removal, &error));
    Seen seen = read_all(journal);
    assert_true(seen.count > 0 && seen.first == removal.first && seen.last == 400);
}

typedef struct {
    Journal *journal;
    guint64 seen;
} Passing;

/* In the midst of the first segment everything that can go goes. */
static gboolean remove_meanwhile(const JournalRecord *record, gpointer user_data)
{
    Passing *passing = user_data;
    if (record->sequence == 10)
        remove_below(passing->journal, G_MAXUINT64, G_MAXUINT64, FALSE);
    passing->seen = record->sequence;
    return TRUE;
}

static void a_reader_finishes_its_segment_and_passes_over_the_rest(void **state)
{
    g_autofree char *folder = test_folder_new();
    g_autoptr(Journal) journal = journal_new(folder);
    g_autoptr(GError) error = NULL;
    fill(journal, 1, 400);
    Passing passing = {.journal = journal};
    assert_true(journal_read(journal, 1, remove_meanwhile, &passing, &error));
    assert_int_equal(passing.seen, 400);
}

/* Appends and removes for ever, and tells what was acknowledged and what may be gone. */
static void append_and_remove(const char *folder, int fd)
{
    Journal *journal = journal_new(folder);
    for (;;) {
        guint64 last = journal_last(journal);
        fill(journal, last + 1, last + 60);
        guint64 told[2] = {journal_last(journal),
                           journal_last(journal) > 100 ? journal_last(journal) - 100 : 0};
        if (write(fd, told, sizeof told) != sizeof told)
            _exit(1);
        remove_below(journal, told[1], G_MAXUINT64, FALSE);
    }
}

static void killed_at_any_moment_of_removing_the_rest_is_whole(void **state)
{
    g_autofree char *folder = test_folder_new();
    g_autoptr(GRand) random = g_rand_new_with_seed(29);
    guint64 told[2] = {0, 0};
    for (int round = 0; round < 10; round++) {
        int ends[2];
        assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
        pid_t child = fork();
        if (child == 0) {
            close(ends[0]);
            append_and_remove(folder, ends[1]);
        }
        close(ends[1]);
        for (gint32 i = g_rand_int_range(random, 1, 5); i > 0; i--)
            assert_int_equal(read(ends[0], told, sizeof told), sizeof told);
        g_usleep((gulong)g_rand_int_range(random, 0, 4000)); /* any moment will do */
        kill(child, SIGKILL);
        assert_int_equal(waitpid(child, NULL, 0), child);
        while (read(ends[0], told, sizeof told) == sizeof told)
            ;
        close(ends[0]);
        g_autoptr(Journal) journal = journal_new(folder);
        Seen seen = read_all(journal);
        assert_true(seen.last >= told[0]);
        assert_true(told[1] == 0 || seen.first <= told[1]);
    }
}

/* ---- copies ---- */

static JournalExtent copy(const char *from, const char *to)
{
    JournalExtent extent, checked;
    g_autoptr(GError) error = NULL;
    journal_copy(from, to, NULL, NULL, &extent, &error);
    no_error(error);
    journal_copy_check(to, &checked, &error);
    no_error(error);
    assert_int_equal(checked.first, extent.first);
    assert_int_equal(checked.last, extent.last);
    assert_int_equal(checked.newest_time_us, extent.newest_time_us);
    return extent;
}

static void a_copy_begins_a_new_generation(void **state)
{
    g_autofree char *folder = test_folder_new();
    g_autofree char *target = g_build_filename(folder, "copy", NULL);
    g_autofree char *again = g_build_filename(folder, "again", NULL);
    g_autofree char *source = g_build_filename(folder, "source", NULL);
    g_autoptr(GError) error = NULL;
    Journal *journal = journal_new(source);
    fill(journal, 1, 150);
    JournalExtent extent = copy(source, target);
    assert_true(extent.first == 1 && extent.last == 150 && extent.shard == 7 && extent.generation == 0);
    append_record(journal, 151, LONGEST); /* after the copy: lost in the disaster */
    assert_int_equal(journal_generation(journal), 0);
    journal_close(journal);
    journal_copy_seal(target, 7, &error);
    no_error(error);
    journal = journal_new(target);
    assert_int_equal(journal_last(journal), 150);
    append_record(journal, 151, LONGEST); /* the number again, and another record */
    fill(journal, 152, 300);
    assert_int_equal(journal_generation(journal), 1);
    journal_close(journal);
    journal = journal_new(target);
    assert_int_equal(journal_generation(journal), 1);
    Seen seen = read_all(journal);
    assert_true(seen.first == 1 && seen.last == 300);
    extent = copy(target, again);
    assert_true(extent.last == 300 && extent.generation == 1);
    journal_close(journal);
}

static void an_empty_journal_is_copied_and_sealed_as_well(void **state)
{
    g_autofree char *folder = test_folder_new();
    g_autofree char *target = g_build_filename(folder, "copy", NULL);
    g_autofree char *source = g_build_filename(folder, "source", NULL);
    g_autoptr(GError) error = NULL;
    journal_close(journal_new(source));
    assert_int_equal(copy(source, target).last, 0);
    journal_copy_seal(target, 7, &error);
    no_error(error);
    g_autoptr(Journal) journal = journal_new(target);
    append_record(journal, 1, LONGEST);
    assert_int_equal(journal_generation(journal), 1);
}

static void a_copy_after_a_removal_begins_where_the_journal_begins(void **state)
{
    g_autofree char *folder = test_folder_new();
    g_autofree char *target = g_build_filename(folder, "copy", NULL);
    g_autofree char *source = g_build_filename(folder, "source", NULL);
    g_autoptr(GError) error = NULL;
    g_autoptr(Journal) journal = journal_new(source);
    fill(journal, 1, 400);
    JournalRemoval removal = remove_below(journal, 200, G_MAXUINT64, FALSE);
    JournalExtent extent = copy(source, target);
    assert_true(extent.first == removal.first && extent.last == 400);
    journal_copy_seal(target, 7, &error);
    no_error(error);
    g_autoptr(Journal) restored = journal_new(target);
    assert_int_equal(journal_first(restored), removal.first);
    append_record(restored, 401, LONGEST);
}

/* Another process appends as fast as it can. */
static void append_and_tell(const char *folder, int fd)
{
    Journal *journal = journal_new(folder);
    for (;;) {
        guint64 last = journal_last(journal);
        fill(journal, last + 1, last + 20);
        last = journal_last(journal);
        if (write(fd, &last, sizeof last) != sizeof last)
            _exit(1);
    }
}

static void a_copy_under_load_holds_all_that_was_acknowledged_before_it(void **state)
{
    g_autofree char *folder = test_folder_new();
    g_autofree char *source = g_build_filename(folder, "source", NULL);
    int ends[2];
    guint64 told = 0;
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    pid_t child = fork();
    if (child == 0) {
        close(ends[0]);
        append_and_tell(source, ends[1]);
    }
    close(ends[1]);
    for (int round = 0; round < 6; round++) {
        for (int i = 0; i < 10; i++)
            assert_int_equal(read(ends[0], &told, sizeof told), sizeof told);
        g_autofree char *name = g_strdup_printf("copy-%d", round);
        g_autofree char *target = g_build_filename(folder, name, NULL);
        assert_true(copy(source, target).last >= told);
    }
    close(ends[0]);
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
}

static void a_damaged_journal_is_not_copied(void **state)
{
    g_autofree char *folder = test_folder_new();
    g_autofree char *target = g_build_filename(folder, "copy", NULL);
    g_autofree char *source = g_build_filename(folder, "source", NULL);
    JournalExtent extent;
    g_autoptr(GError) error = NULL;
    Journal *journal = journal_new(source);
    fill(journal, 1, 300);
    journal_close(journal);
    g_autofree char *path = segment_path(source, 2);
    file_patch(path, 5000, "damage", 6);
    assert_false(journal_copy(source, target, NULL, NULL, &extent, &error));
    assert_non_null(strstr(error->message, "000000000002.segment is damaged"));
    expect_error(&error, FUNDAMENT_ERROR_IO);
}

static void a_copy_that_was_cut_short_is_found_out(void **state)
{
    g_autofree char *folder = test_folder_new();
    g_autofree char *target = g_build_filename(folder, "copy", NULL);
    g_autofree char *source = g_build_filename(folder, "source", NULL);
    JournalExtent extent;
    g_autoptr(GError) error = NULL;
    Journal *journal = journal_new(source);
    fill(journal, 1, 300);
    journal_close(journal);
    copy(source, target);
    g_autofree char *path = segment_path(target, 2);
    assert_int_equal(truncate(path, 20000), 0);
    assert_false(journal_copy_check(target, &extent, &error));
    expect_error(&error, FUNDAMENT_ERROR_IO);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(removes_segments_whose_records_are_all_past_their_time),
        cmocka_unit_test(a_record_that_must_be_kept_keeps_its_segment_and_all_after_it),
        cmocka_unit_test(what_is_not_indexed_yet_is_kept),
        cmocka_unit_test(the_active_segment_is_never_removed),
        cmocka_unit_test(a_reader_finishes_its_segment_and_passes_over_the_rest),
        cmocka_unit_test(killed_at_any_moment_of_removing_the_rest_is_whole),
        cmocka_unit_test(a_copy_begins_a_new_generation),
        cmocka_unit_test(an_empty_journal_is_copied_and_sealed_as_well),
        cmocka_unit_test(a_copy_after_a_removal_begins_where_the_journal_begins),
        cmocka_unit_test(a_copy_under_load_holds_all_that_was_acknowledged_before_it),
        cmocka_unit_test(a_damaged_journal_is_not_copied),
        cmocka_unit_test(a_copy_that_was_cut_short_is_found_out),
    };
    return cmocka_run_group_tests_name("journal_remove", tests, NULL, NULL);
}
