/* Postings against a plain table of the same; restarts, damage, a disk that does not take them. */
#include "tests/unit/store/fixture.h"

#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/crypto/digest.h"
#include "core/store/postings.h"
#include "tests/support/error.h"
#include "tests/support/folder.h"

#define KEYS 50

static const PostingsOptions SMALL = {.memory_max = 100, .fan = 3}, ROOMY = {.memory_max = 1000};

static PostingsKey key_of(guint number)
{
    guint8 digest[SHA256_SIZE];
    PostingsKey key;
    sha256(&number, sizeof number, digest);
    memcpy(key.bytes, digest, sizeof key.bytes);
    return key;
}

static Postings *opened(const char *folder, const PostingsOptions *options)
{
    g_autoptr(GError) error = NULL;
    Postings *postings = postings_open(folder, options, &error);
    no_error(error);
    return postings;
}

/* Which key the record with this sequence has: some keys have very many. */
static guint key_number(guint64 sequence)
{
    guint64 mixed = sequence * 2654435761U % 1000;
    return mixed < 500 ? 0 : (guint)(mixed % KEYS);
}

static void add(Postings *postings, guint64 first, guint64 last)
{
    g_autoptr(GError) error = NULL;
    for (guint64 sequence = first; sequence <= last; sequence++) {
        PostingsKey key = key_of(key_number(sequence));
        if (sequence % 7 == 0)
            postings_note(postings, sequence); /* a record without a key */
        else if (!postings_add(postings, &key, sequence, &error))
            no_error(error);
    }
}

/* All that is in [from, before), the highest first, by the definition. */
static GArray *expected(guint number, guint64 from, guint64 before, guint64 last)
{
    GArray *out = g_array_new(FALSE, FALSE, sizeof(guint64));
    for (guint64 sequence = MIN(before - 1, last); sequence >= MAX(from, 1); sequence--)
        if (sequence % 7 != 0 && key_number(sequence) == number)
            g_array_append_val(out, sequence);
    return out;
}

static void check(Postings *postings, guint number, guint64 from, guint64 before, guint64 last, gsize max)
{
    g_autoptr(GArray) wanted = expected(number, from, before == 0 ? last + 1 : before, last);
    g_autofree guint64 *got = g_new(guint64, max);
    g_autoptr(GError) error = NULL;
    PostingsKey key = key_of(number);
    gssize count = postings_find(postings, &key, before, from, got, max, &error);
    no_error(error);
    assert_int_equal(count, MIN(wanted->len, max));
    assert_memory_equal(got, wanted->data, (gsize)count * sizeof(guint64));
}

static void check_all(Postings *postings, guint64 last)
{
    for (guint number = 0; number <= KEYS; number++)
        check(postings, number, 0, 0, last, 100000);
}

static void what_was_added_is_found_the_highest_first(void **state)
{
    g_autoptr(Postings) postings = opened(*state, &SMALL);
    add(postings, 1, 5000);
    check_all(postings, 5000);
    check(postings, 0, 0, 0, 5000, 25);
    check(postings, 0, 0, 2500, 5000, 25);
    check(postings, 3, 1000, 4000, 5000, 100000);
    check(postings, 3, 4999, 0, 5000, 10);
    check(postings, KEYS, 0, 0, 5000, 10);
    check(postings, 0, 0, 1, 5000, 10);
}

static void after_a_restart_it_goes_on_from_what_is_on_disk(void **state)
{
    guint64 last = 0;
    for (guint round = 0; round < 6; round++) {
        g_autoptr(Postings) postings = opened(*state, &SMALL);
        guint64 through = postings_through(postings);
        assert_true(through <= last);
        add(postings, through + 1, last + 777);
        last += 777;
        check_all(postings, last);
    }
}

static void what_is_flushed_is_there_without_adding_it_again(void **state)
{
    g_autoptr(GError) error = NULL;
    Postings *postings = opened(*state, NULL);
    add(postings, 1, 3000);
    assert_true(postings_flush(postings, &error));
    postings_note(postings, 3500);
    assert_true(postings_flush(postings, &error));
    assert_true(postings_flush(postings, &error));
    postings_close(postings);
    postings = opened(*state, NULL);
    assert_int_equal(postings_through(postings), 3500);
    check_all(postings, 3000);
    postings_close(postings);
}

static void many_runs_become_few(void **state)
{
    g_autoptr(Postings) postings = opened(*state, &SMALL);
    PostingsFigures figures;
    add(postings, 1, 50000);
    for (guint tries = 0; tries < 1000; tries++) {
        postings_figures(postings, &figures);
        if (figures.runs <= 14)
            break;
        g_usleep(10000);
    }
    assert_true(figures.runs <= 14); /* two of each of seven sizes */
    assert_true(figures.merged > 0 && figures.merged < 50000 * 7);
    assert_int_equal(figures.entries + figures.in_memory, 50000 - 50000 / 7);
    check_all(postings, 50000);
    g_autoptr(GDir) entries = g_dir_open(*state, 0, NULL);
    guint files = 0;
    while (g_dir_read_name(entries) != NULL)
        files++;
    assert_true(files <= 16);
}

static void a_key_with_hundreds_of_thousands_is_read_a_page_at_a_time(void **state)
{
    g_autoptr(Postings) postings = opened(*state, NULL);
    PostingsKey key = key_of(1);
    guint64 page[25], before = 0, seen = 0;
    for (guint64 sequence = 1; sequence <= 300000; sequence++)
        assert_true(postings_add(postings, &key, sequence * 3, NULL));
    assert_true(postings_flush(postings, NULL));
    for (guint pages = 0; pages < 100; pages++) {
        assert_int_equal(postings_find(postings, &key, before, 0, page, 25, NULL), 25);
        for (guint i = 0; i < 25; i++)
            assert_int_equal(page[i], (300000 - seen++) * 3);
        before = page[24];
    }
}

static void one_sequence_may_have_several_keys_and_is_given_once(void **state)
{
    g_autoptr(Postings) postings = opened(*state, &SMALL);
    PostingsKey a = key_of(1), b = key_of(2);
    guint64 found[10];
    for (guint64 sequence = 1; sequence <= 1000; sequence++) {
        assert_true(postings_add(postings, &a, sequence, NULL));
        assert_true(postings_add(postings, &b, sequence, NULL));
        assert_true(postings_add(postings, &a, sequence, NULL));
    }
    assert_int_equal(postings_find(postings, &a, 0, 0, found, 10, NULL), 10);
    for (guint i = 0; i < 10; i++)
        assert_int_equal(found[i], 1000 - i);
    assert_int_equal(postings_find(postings, &b, 501, 499, found, 10, NULL), 2);
}

static void more_keys_for_one_sequence_than_there_is_room_for_are_refused(void **state)
{
    g_autoptr(Postings) postings = opened(*state, &SMALL);
    g_autoptr(GError) error = NULL;
    guint number = 0;
    PostingsKey key = key_of(number);
    while (number < 1000 && postings_add(postings, &key, 1, &error))
        key = key_of(++number);
    assert_true(number >= 64 && number < 1000);
    expect_error(&error, FUNDAMENT_ERROR_LIMIT);
}

static void what_has_had_its_time_is_forgotten(void **state)
{
    g_autoptr(Postings) postings = opened(*state, &SMALL);
    g_autoptr(GError) error = NULL;
    PostingsFigures before, after;
    add(postings, 1, 3000);
    assert_true(postings_flush(postings, &error));
    postings_figures(postings, &before);
    assert_true(postings_forget(postings, 2000, &error));
    postings_figures(postings, &after);
    assert_true(after.entries <= before.entries && after.runs >= 1);
    check(postings, 0, 2000, 0, 3000, 100000);
    g_clear_pointer(&postings, postings_close);
    postings = opened(*state, &SMALL);
    check(postings, 0, 2000, 0, 3000, 100000);
}

/* --- damage --- */

static char *only_run(const char *folder)
{
    g_autoptr(GDir) entries = g_dir_open(folder, 0, NULL);
    const char *name = g_dir_read_name(entries);
    assert_non_null(name);
    return g_build_filename(folder, name, NULL);
}

static void every_byte_that_changes_is_noticed_or_does_not_matter(void **state)
{
    g_autofree char *path = NULL, *whole = NULL;
    gsize length;
    {
        g_autoptr(Postings) postings = opened(*state, &ROOMY);
        add(postings, 1, 400);
        assert_true(postings_flush(postings, NULL));
    }
    path = only_run(*state);
    assert_true(g_file_get_contents(path, &whole, &length, NULL));
    for (gsize at = 0; at < length; at++) {
        whole[at] ^= 0x41;
        int fd = open(path, O_WRONLY | O_CLOEXEC);
        assert_int_equal(pwrite(fd, &whole[at], 1, (off_t)at), 1);
        g_autoptr(Postings) postings = postings_open(*state, &ROOMY, NULL);
        for (guint number = 0; postings != NULL && number <= KEYS; number++) {
            g_autoptr(GArray) wanted = expected(number, 0, 401, 400);
            guint64 got[500];
            PostingsKey key = key_of(number);
            gssize count = postings_find(postings, &key, 0, 0, got, G_N_ELEMENTS(got), NULL);
            assert_true(count == -1 || count == (gssize)wanted->len);
            if (count > 0)
                assert_memory_equal(got, wanted->data, (gsize)count * sizeof(guint64));
        }
        whole[at] ^= 0x41;
        assert_int_equal(pwrite(fd, &whole[at], 1, (off_t)at), 1);
        close(fd);
    }
}

static void a_file_that_is_cut_off_is_not_opened(void **state)
{
    g_autofree char *path = NULL, *whole = NULL;
    gsize length;
    {
        g_autoptr(Postings) postings = opened(*state, NULL);
        add(postings, 1, 400);
        assert_true(postings_flush(postings, NULL));
    }
    path = only_run(*state);
    assert_true(g_file_get_contents(path, &whole, &length, NULL));
    for (gsize cut = 0; cut < length; cut += 1 + length / 50) {
        g_autoptr(GError) error = NULL;
        assert_int_equal(truncate(path, (off_t)(length - 1 - cut)), 0);
        assert_null(postings_open(*state, NULL, &error));
        expect_error(&error, FUNDAMENT_ERROR_IO);
    }
}

static const PostingsOptions UNMERGED = {.memory_max = 100, .fan = 60};

static gint compare_paths(gconstpointer a, gconstpointer b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* The paths of what is in a folder, in order. */
static GPtrArray *files_of(const char *folder)
{
    GPtrArray *paths = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(GDir) entries = g_dir_open(folder, 0, NULL);
    for (const char *name; (name = g_dir_read_name(entries)) != NULL;)
        g_ptr_array_add(paths, g_build_filename(folder, name, NULL));
    g_ptr_array_sort(paths, compare_paths);
    return paths;
}

static void fill_unmerged(const char *folder)
{
    g_autoptr(Postings) postings = opened(folder, &UNMERGED);
    add(postings, 1, 700);
    assert_true(postings_flush(postings, NULL));
}

static void a_missing_run_in_the_middle_is_told(void **state)
{
    g_autoptr(GError) error = NULL;
    fill_unmerged(*state);
    g_autoptr(GPtrArray) paths = files_of(*state);
    assert_true(paths->len > 3);
    g_unlink(g_ptr_array_index(paths, 1));
    assert_null(postings_open(*state, &UNMERGED, &error));
    expect_error(&error, FUNDAMENT_ERROR_IO);
}

static void copy_file(const char *from, const char *folder)
{
    char *content;
    gsize length;
    g_autofree char *name = g_path_get_basename(from);
    g_autofree char *to = g_build_filename(folder, name, NULL);
    assert_true(g_file_get_contents(from, &content, &length, NULL));
    assert_true(g_file_set_contents(to, content, (gssize)length, NULL));
    g_free(content);
}

static void a_merge_that_was_not_cleaned_up_counts_and_its_inputs_go(void **state)
{
    static const PostingsOptions merging = {.memory_max = 100, .fan = 3};
    g_autofree char *other = test_folder_new();
    g_autofree char *half = g_build_filename(*state, "0000000000000001-0000000000000fff.run.making", NULL);
    fill_unmerged(*state);
    g_autoptr(GPtrArray) paths = files_of(*state);
    for (guint i = 0; i < 3; i++)
        copy_file(g_ptr_array_index(paths, i), other);
    {
        PostingsFigures figures = {.runs = 3};
        g_autoptr(Postings) postings = opened(other, &merging);
        for (guint tries = 0; tries < 1000 && figures.runs > 1; tries++) {
            g_usleep(10000);
            postings_figures(postings, &figures);
        }
        assert_int_equal(figures.runs, 1);
    }
    g_autoptr(GPtrArray) merged = files_of(other);
    copy_file(g_ptr_array_index(merged, 0), *state);
    assert_true(g_file_set_contents(half, "half", -1, NULL));
    g_autoptr(Postings) postings = opened(*state, &UNMERGED);
    assert_false(g_file_test(half, G_FILE_TEST_EXISTS));
    for (guint i = 0; i < 3; i++)
        assert_false(g_file_test(g_ptr_array_index(paths, i), G_FILE_TEST_EXISTS));
    check_all(postings, 700);
}

static void a_foreign_file_is_not_touched(void **state)
{
    g_autofree char *path = g_build_filename(*state, "notes.txt", NULL);
    g_autoptr(GError) error = NULL;
    assert_true(g_file_set_contents(path, "x", -1, NULL));
    assert_null(postings_open(*state, NULL, &error));
    expect_error(&error, FUNDAMENT_ERROR_IO);
    assert_true(g_file_test(path, G_FILE_TEST_EXISTS));
}

static void when_the_folder_is_gone_nothing_is_lost_and_it_goes_on_later(void **state)
{
    g_autofree char *folder = g_build_filename(*state, "runs", NULL);
    g_autofree char *away = g_build_filename(*state, "away", NULL);
    g_autoptr(Postings) postings = opened(folder, &SMALL);
    g_autoptr(GError) error = NULL;
    add(postings, 1, 90);
    assert_int_equal(g_rename(folder, away), 0);
    assert_false(postings_flush(postings, &error));
    expect_error(&error, FUNDAMENT_ERROR_IO);
    check_all(postings, 90);
    assert_int_equal(g_rename(away, folder), 0);
    assert_true(postings_flush(postings, &error));
    no_error(error);
    add(postings, 91, 2000);
    check_all(postings, 2000);
}

/* --- side by side --- */

typedef struct {
    Postings *postings;
    gint done;
    gint faults;
} Reader;

static gpointer read_on(gpointer data)
{
    Reader *reader = data;
    PostingsKey key = key_of(0);
    guint64 last = 0;
    while (!g_atomic_int_get(&reader->done)) {
        guint64 found[50];
        gssize count = postings_find(reader->postings, &key, 0, 0, found, G_N_ELEMENTS(found), NULL);
        /* What was seen once does not go away, and the order holds. */
        if (count < 0 || (count > 0 && found[0] < last))
            g_atomic_int_inc(&reader->faults);
        for (gssize i = 1; i < count; i++)
            if (found[i] >= found[i - 1])
                g_atomic_int_inc(&reader->faults);
        if (count > 0)
            last = found[0];
    }
    return NULL;
}

static void others_may_read_while_it_grows_and_merges(void **state)
{
    g_autoptr(Postings) postings = opened(*state, &SMALL);
    Reader reader = {.postings = postings};
    GThread *threads[3];
    for (guint i = 0; i < G_N_ELEMENTS(threads); i++)
        threads[i] = g_thread_new("reader", read_on, &reader);
    add(postings, 1, 20000);
    g_atomic_int_set(&reader.done, 1);
    for (guint i = 0; i < G_N_ELEMENTS(threads); i++)
        g_thread_join(threads[i]);
    assert_int_equal(reader.faults, 0);
    check_all(postings, 20000);
}

static int set_up(void **state)
{
    *state = test_folder_new();
    return 0;
}

static int tear_down(void **state)
{
    g_free(*state);
    return 0;
}

#define in_folder(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        in_folder(what_was_added_is_found_the_highest_first),
        in_folder(after_a_restart_it_goes_on_from_what_is_on_disk),
        in_folder(what_is_flushed_is_there_without_adding_it_again),
        in_folder(many_runs_become_few),
        in_folder(a_key_with_hundreds_of_thousands_is_read_a_page_at_a_time),
        in_folder(one_sequence_may_have_several_keys_and_is_given_once),
        in_folder(more_keys_for_one_sequence_than_there_is_room_for_are_refused),
        in_folder(what_has_had_its_time_is_forgotten),
        in_folder(every_byte_that_changes_is_noticed_or_does_not_matter),
        in_folder(a_file_that_is_cut_off_is_not_opened),
        in_folder(a_missing_run_in_the_middle_is_told),
        in_folder(a_merge_that_was_not_cleaned_up_counts_and_its_inputs_go),
        in_folder(a_foreign_file_is_not_touched),
        in_folder(when_the_folder_is_gone_nothing_is_lost_and_it_goes_on_later),
        in_folder(others_may_read_while_it_grows_and_merges),
    };
    return cmocka_run_group_tests_name("postings", tests, NULL, NULL);
}
