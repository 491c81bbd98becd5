/* Opening a journal after a crash, and after damage: what was never acknowledged goes, what was acknowledged
 * stays or its loss is said. */
#include "tests/unit/store/journal_fixture.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "core/store/crc32c.h"
#include "tests/support/folder.h"

/* A journal of one segment with `single` records committed one by one, then `batched` in one batch. */
typedef struct {
    char *folder;
    char *path;
    GBytes *file;     /* as it was written */
    guint64 *offsets; /* of record 1, 2, ... at 0, 1, ...; then of the end */
    guint64 count;
    gsize longest;
} Written;

static guint32 word_at(GBytes *file, guint64 offset)
{
    guint32 word = 0;
    memcpy(&word, (const guint8 *)g_bytes_get_data(file, NULL) + offset, sizeof word);
    return GUINT32_FROM_LE(word);
}

static Written write_journal(guint64 single, guint64 batched, gsize longest)
{
    Written written = {.folder = test_folder_new(), .count = single + batched, .longest = longest};
    Journal *journal = journal_new(written.folder);
    for (guint64 n = 1; n <= single - (batched > 0); n++) {
        append_record(journal, n, longest);
    }
    if (batched > 0) {
        append_batch(journal, single, single + batched, longest); /* commits its first alone */
    }
    journal_close(journal);
    written.path = segment_path(written.folder, 1);
    written.file = file_read(written.path);
    written.offsets = g_new0(guint64, written.count + 1);
    guint64 offset = SEGMENT_HEADER_SIZE;
    for (guint64 i = 0; i <= written.count; i++) {
        written.offsets[i] = offset;
        offset += record_size(word_at(written.file, offset) - RECORD_COVERED_SIZE);
    }
    return written;
}

static void written_clear(Written *written)
{
    g_free(written->folder);
    g_free(written->path);
    g_bytes_unref(written->file);
    g_free(written->offsets);
}

/* Opens; exactly the first `kept` records are there. Then it goes on as if nothing had happened, past the
 * place where more records were, and everything is there after one more reopening: nothing that was cut comes
 * back. */
static void opens_with(Written *written, guint64 kept)
{
    Journal *journal = journal_new(written->folder);
    assert_int_equal(check_all(journal, written->longest), kept);
    for (guint64 n = kept + 1; n <= written->count + 3; n++) {
        append_record(journal, n, written->longest);
        if (n == kept + 1) {
            journal_close(journal);
            journal = journal_new(written->folder);
            assert_int_equal(check_all(journal, written->longest), kept + 1);
        }
    }
    journal_close(journal);
    journal = journal_new(written->folder);
    assert_int_equal(check_all(journal, written->longest), written->count + 3);
    journal_close(journal);
    file_write(written->path, written->file);
}

/* Refuses to open, names the file and the place, and leaves each byte as it is. */
static void refuses(Written *written, guint64 place)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GBytes) before = file_read(written->path);
    assert_null(journal_open_sized(written->folder, 7, SMALL_SEGMENT, &error));
    assert_non_null(error);
    assert_non_null(strstr(error->message, "000000000001.segment"));
    if (place != 0) {
        g_autofree char *where = g_strdup_printf(" byte %" G_GUINT64_FORMAT " ", place);
        assert_non_null(strstr(error->message, where));
    }
    expect_error(&error, FUNDAMENT_ERROR_IO);
    g_autoptr(GBytes) after = file_read(written->path);
    assert_true(g_bytes_equal(before, after));
    file_write(written->path, written->file);
}

static void flip(Written *written, guint64 offset)
{
    guint8 byte = ((const guint8 *)g_bytes_get_data(written->file, NULL))[offset];
    byte ^= 0x10;
    file_patch(written->path, offset, &byte, 1);
}

static void zero(Written *written, guint64 from, guint64 to)
{
    g_autofree guint8 *zeros = g_malloc0(to - from);
    file_patch(written->path, from, zeros, to - from);
}

/* ---- torn at the end ---- */

static void a_bad_last_record_is_cut_off(void **state)
{
    Written written = write_journal(6, 0, 150);
    for (guint64 offset = written.offsets[5]; offset < written.offsets[6]; offset++) {
        flip(&written, offset);
        opens_with(&written, 5);
    }
    written_clear(&written);
}

static void a_last_record_that_ends_early_is_cut_off(void **state)
{
    Written written = write_journal(6, 0, 150);
    for (guint64 offset = written.offsets[5]; offset < written.offsets[6] - 8; offset += 8) {
        zero(&written, offset, written.offsets[6]);
        opens_with(&written, 5);
    }
    written_clear(&written);
}

static void garbage_behind_the_end_is_cut_off(void **state)
{
    Written written = write_journal(6, 0, 150);
    const guint64 lengths[] = {1, 7, 8, 100, SMALL_SEGMENT - written.offsets[6]};
    g_autoptr(GRand) random = g_rand_new_with_seed(1);
    for (gsize i = 0; i < G_N_ELEMENTS(lengths); i++) {
        g_autofree guint8 *garbage = g_malloc(lengths[i]);
        for (guint64 j = 0; j < lengths[i]; j++) {
            garbage[j] = (guint8)g_rand_int(random) | 1;
        }
        file_patch(written.path, written.offsets[6], garbage, lengths[i]);
        opens_with(&written, 6);
    }
    written_clear(&written);
}

/* The power goes while a batch of many records is written: any of its sectors may be missing. */
static void a_batch_that_misses_sectors_is_cut_at_the_first(void **state)
{
    Written written = write_journal(3, 20, 400);
    for (guint64 lost = 3; lost < written.count; lost++) {
        guint64 sector =
            (written.offsets[lost] + 511) & ~(guint64)511; /* the first that begins in this record or later */
        guint64 first_lost = lost;
        while (first_lost < written.count && written.offsets[first_lost + 1] <= sector) {
            first_lost++;
        }
        if (first_lost >= written.count) {
            break;
        }
        zero(&written, sector, MIN(sector + 512, written.offsets[written.count]));
        opens_with(&written, first_lost);
    }
    written_clear(&written);
}

/* ---- damage ---- */

static void a_bad_record_before_others_is_damage(void **state)
{
    Written written = write_journal(6, 0, 150);
    for (int n = 0; n < 5; n++) {
        for (guint64 offset = written.offsets[n]; offset < written.offsets[n + 1]; offset++) {
            flip(&written, offset);
            refuses(&written, written.offsets[n]);
        }
    }
    written_clear(&written);
}

static void a_hole_before_others_is_damage(void **state)
{
    Written written = write_journal(6, 0, 150);
    for (int n = 0; n < 5; n++) {
        zero(&written, written.offsets[n], written.offsets[n + 1]);
        refuses(&written, written.offsets[n]);
    }
    zero(&written, written.offsets[1], written.offsets[5]);
    refuses(&written, written.offsets[1]);
    written_clear(&written);
}

/* Nothing is missing, so it was not torn: something changed what was on disk. */
static void a_changed_byte_within_the_last_batch_is_damage(void **state)
{
    Written written = write_journal(2, 5, 300);
    for (guint64 n = 2; n < 6; n++) {
        if (written.offsets[n + 1] - written.offsets[n] >
            64) { /* so that no part of a sector is zeros by itself */
            flip(&written, written.offsets[n] + RECORD_HEADER_SIZE);
            refuses(&written, written.offsets[n]);
        }
    }
    written_clear(&written);
}

static void a_sound_record_that_does_not_belong_is_damage(void **state)
{
    Written written = write_journal(6, 0, 0);
    const guint8 *bytes = g_bytes_get_data(written.file, NULL);
    file_patch(written.path, written.offsets[3], bytes + written.offsets[5],
               record_size(0)); /* 6 where 4 was */
    refuses(&written, written.offsets[3]);
    file_patch(written.path, written.offsets[5], bytes + written.offsets[2],
               record_size(0)); /* 3 at the end, once more */
    refuses(&written, 0);
    written_clear(&written);
}

static void a_bad_header_is_damage(void **state)
{
    Written written = write_journal(3, 0, 150);
    for (guint64 offset = 0; offset < SEGMENT_HEADER_SIZE; offset++) {
        flip(&written, offset);
        refuses(&written, 0);
    }
    zero(&written, 0, SEGMENT_HEADER_SIZE);
    refuses(&written, 0);
    g_autoptr(GBytes) stub = g_bytes_new_from_bytes(written.file, 0, 80);
    file_write(written.path, stub);
    refuses(&written, 0);
    written_clear(&written);
}

static void another_version_is_refused(void **state)
{
    Written written = write_journal(3, 0, 150);
    guint8 header[SEGMENT_HEADER_SIZE];
    memcpy(header, g_bytes_get_data(written.file, NULL), sizeof header);
    header[8] = 2;
    guint32 crc = GUINT32_TO_LE(crc32c(header, 60));
    memcpy(header + 60, &crc, sizeof crc);
    file_patch(written.path, 0, header, sizeof header);
    refuses(&written, 0);
    written_clear(&written);
}

/* Whatever happens to the file, it is refused unchanged, or what is there is the beginning of what was
 * written. */
static void any_damage_is_refused_or_leaves_a_beginning(void **state)
{
    g_autoptr(GRand) random = g_rand_new_with_seed(20261121);
    Written written = write_journal(4, 12, 300);
    guint opened = 0;
    for (int round = 0; round < 400; round++) {
        gint changes = g_rand_int_range(random, 1, 4);
        for (int i = 0; i < changes; i++) {
            guint64 at = (guint64)g_rand_int_range(random, 0, (gint32)written.offsets[written.count]);
            if (g_rand_boolean(random)) {
                flip(&written, at);
            } else {
                zero(&written, at, at + (guint64)g_rand_int_range(random, 1, 700));
            }
        }
        g_autoptr(GError) error = NULL;
        g_autoptr(GBytes) before = file_read(written.path);
        Journal *journal = journal_open_sized(written.folder, 7, SMALL_SEGMENT, &error);
        if (journal != NULL) {
            opened++;
            guint64 kept = check_all(journal, written.longest);
            journal_close(journal);
            opens_with(&written, kept);
        } else {
            g_autoptr(GBytes) after = file_read(written.path);
            assert_true(g_bytes_equal(before, after));
            expect_error(&error, FUNDAMENT_ERROR_IO);
        }
        file_write(written.path, written.file);
    }
    assert_in_range(opened, 10, 390); /* both ways happened */
    written_clear(&written);
}

/* ---- several segments ---- */

/* Segments 1 to 3 or more, with their files' contents to put back. */
static char *write_segments(guint64 *count)
{
    char *folder = test_folder_new();
    g_autoptr(Journal) journal = journal_new(folder);
    for (*count = 0; journal->segments->len < 3; (*count)++) {
        append_record(journal, *count + 1, 2000);
    }
    return folder;
}

static void open_refused(const char *folder, const char *name)
{
    g_autoptr(GError) error = NULL;
    assert_null(journal_open_sized(folder, 7, SMALL_SEGMENT, &error));
    assert_non_null(strstr(error->message, name));
    expect_error(&error, FUNDAMENT_ERROR_IO);
}

static void a_missing_segment_is_damage(void **state)
{
    guint64 count = 0;
    g_autofree char *folder = write_segments(&count);
    g_autofree char *second = segment_path(folder, 2);
    g_autofree char *elsewhere = g_build_filename(folder, "kept", NULL);
    assert_int_equal(rename(second, elsewhere), 0);
    open_refused(folder, "000000000003.segment");
    assert_int_equal(rename(elsewhere, second), 0);
    g_autoptr(Journal) journal = journal_new(folder);
    assert_int_equal(check_all(journal, 2000), count);
}

static void exchanged_segments_are_damage(void **state)
{
    guint64 count = 0;
    g_autofree char *folder = write_segments(&count);
    g_autofree char *first = segment_path(folder, 1);
    g_autofree char *second = segment_path(folder, 2);
    g_autofree char *elsewhere = g_build_filename(folder, "kept", NULL);
    assert_int_equal(rename(first, elsewhere) + rename(second, first) + rename(elsewhere, second), 0);
    open_refused(folder, "000000000001.segment");
}

static void the_oldest_segments_may_be_gone(void **state)
{
    guint64 count = 0;
    g_autofree char *folder = write_segments(&count);
    g_autofree char *first = segment_path(folder, 1);
    assert_int_equal(unlink(first), 0);
    g_autoptr(Journal) journal = journal_new(folder);
    assert_int_equal(journal_last(journal), count);
    append_record(journal, count + 1, 2000);
}

static gboolean count_record(const JournalRecord *record, gpointer user_data)
{
    (*(guint64 *)user_data)++;
    return TRUE;
}

static void damage_in_an_older_segment_is_found_by_reading(void **state)
{
    guint64 count = 0;
    g_autofree char *folder = write_segments(&count);
    g_autofree char *first = segment_path(folder, 1);
    file_patch(first, 20000, "damaged!", 8);
    g_autoptr(GError) error = NULL;
    g_autoptr(Journal) journal = journal_new(folder);
    guint64 read = 0;
    assert_false(journal_read(journal, 1, count_record, &read, &error));
    assert_non_null(strstr(error->message, "000000000001.segment"));
    expect_error(&error, FUNDAMENT_ERROR_IO);
    assert_in_range(read, 5, count - 1);
    guint64 first_of_second = ((const Segment *)journal->segments->pdata[1])->first_sequence;
    assert_true(journal_read(journal, first_of_second, count_record, &read,
                             &error)); /* the rest is as good as before */
}

static void a_sound_record_in_the_wrong_place_is_found_by_reading(void **state)
{
    guint64 count = 0;
    g_autofree char *folder = write_segments(&count);
    g_autofree char *first = segment_path(folder, 1);
    g_autoptr(GBytes) file = file_read(first);
    gsize length = word_at(file, SEGMENT_HEADER_SIZE) - RECORD_COVERED_SIZE;
    g_autofree guint8 *record = g_malloc0(record_size(length));
    record_seal(record, length, 1, RECORD_FLAG_FIRST, 5, 1);
    file_patch(first, SEGMENT_HEADER_SIZE, record, record_size(length)); /* the fifth where the first was */
    g_autoptr(GError) error = NULL;
    g_autoptr(Journal) journal = journal_new(folder);
    guint64 read = 0;
    assert_false(journal_read(journal, 1, count_record, &read, &error));
    expect_error(&error, FUNDAMENT_ERROR_IO);
    assert_int_equal(read, 0);
}

static void what_follows_a_segment_must_continue_it(void **state)
{
    guint64 count = 0;
    g_autofree char *folder = write_segments(&count);
    g_autofree char *first = segment_path(folder, 1);
    GBytes *file = file_read(first);
    guint64 offset = SEGMENT_HEADER_SIZE;
    guint64 last = offset;
    while (offset + RECORD_HEADER_SIZE <= SMALL_SEGMENT && word_at(file, offset) != 0) {
        last = offset;
        offset += record_size(word_at(file, offset) - RECORD_COVERED_SIZE);
    }
    g_bytes_unref(file);
    file_patch(first, last, "\0\0\0\0", 4); /* the last record of the first segment is gone */
    g_autoptr(GError) error = NULL;
    g_autoptr(Journal) journal = journal_new(folder);
    guint64 read = 0;
    assert_false(journal_read(journal, 1, count_record, &read, &error));
    expect_error(&error, FUNDAMENT_ERROR_IO);
}

/* The first batch of a new segment was cut short before its header was on disk. */
static void a_segment_without_header_is_used_anew(void **state)
{
    guint64 count = 0;
    g_autofree char *folder = write_segments(&count);
    g_autofree char *third = segment_path(folder, 3);
    g_autofree guint8 *zeros = g_malloc0(SEGMENT_HEADER_SIZE);
    file_patch(third, 0, zeros, SEGMENT_HEADER_SIZE);
    Journal *journal = journal_new(folder);
    guint64 kept = check_all(journal, 2000);
    assert_int_equal(kept, count - 1); /* the third held one record */
    for (guint64 n = kept + 1; n < kept + 60; n++) {
        append_record(journal, n, 2000);
    }
    journal_close(journal);
    journal = journal_new(folder);
    assert_int_equal(check_all(journal, 2000), kept + 59);
    journal_close(journal);
}

/* Puts record `n` into a file as a batch would; returns where the next one goes. */
static guint64 put_record(const char *path, guint64 offset, guint64 n, guint16 flags)
{
    g_autoptr(GBytes) data = record_bytes(n, 2000);
    gsize length = g_bytes_get_size(data);
    g_autofree guint8 *record = g_malloc0(record_size(length));
    memcpy(record + RECORD_HEADER_SIZE, g_bytes_get_data(data, NULL), length);
    record_seal(record, length, 1, flags, n, 1);
    file_patch(path, offset, record, record_size(length));
    return offset + record_size(length);
}

static void what_stood_in_a_segment_without_header_does_not_come_back(void **state)
{
    guint64 count = 0;
    g_autofree char *folder = write_segments(&count);
    g_autofree char *third = segment_path(folder, 3);
    g_autofree guint8 *zeros = g_malloc0(SEGMENT_HEADER_SIZE);
    file_patch(third, 0, zeros, SEGMENT_HEADER_SIZE);
    guint64 offset = put_record(third, SEGMENT_HEADER_SIZE, count, RECORD_FLAG_FIRST);
    offset = put_record(third, offset, count + 1, 0); /* of the same batch, which was never acknowledged */
    put_record(third, offset, count + 2, 0);
    Journal *journal = journal_new(folder);
    assert_int_equal(check_all(journal, 2000), count - 1);
    append_record(journal, count, 2000); /* as long as the one that stood there */
    journal_close(journal);
    journal = journal_new(folder);
    assert_int_equal(check_all(journal, 2000), count);
    journal_close(journal);
}

static void a_segment_without_header_but_with_batches_is_damage(void **state)
{
    guint64 count = 0;
    g_autofree char *folder = write_segments(&count);
    g_autofree char *third = segment_path(folder, 3);
    g_autofree guint8 *zeros = g_malloc0(SEGMENT_HEADER_SIZE);
    file_patch(third, 0, zeros, SEGMENT_HEADER_SIZE);
    guint64 offset = put_record(third, SEGMENT_HEADER_SIZE, count, RECORD_FLAG_FIRST);
    put_record(third, offset, count + 1,
               RECORD_FLAG_FIRST); /* written after the first was synced, header and all */
    open_refused(folder, "000000000003.segment");
}

static void a_header_without_records_is_a_start(void **state)
{
    guint64 count = 0;
    g_autofree char *folder = write_segments(&count);
    g_autofree char *third = segment_path(folder, 3);
    g_autofree guint8 *zeros = g_malloc0(SMALL_SEGMENT - SEGMENT_HEADER_SIZE);
    file_patch(third, SEGMENT_HEADER_SIZE, zeros, SMALL_SEGMENT - SEGMENT_HEADER_SIZE);
    Journal *journal = journal_new(folder);
    assert_int_equal(check_all(journal, 2000), count - 1);
    append_record(journal, count, 2000);
    assert_int_equal(check_all(journal, 2000), count);
    journal_close(journal);
    journal = journal_new(folder);
    assert_int_equal(check_all(journal, 2000), count);
    journal_close(journal);
}

static void a_segment_that_was_being_made_is_removed(void **state)
{
    g_autofree char *folder = test_folder_new();
    g_autofree char *making = g_build_filename(folder, "000000000001.segment" SEGMENT_MAKING, NULL);
    g_autofree char *letter = g_build_filename(folder, "letter.txt", NULL);
    assert_true(g_file_set_contents(making, "half", 4, NULL));
    assert_true(g_file_set_contents(letter, "mine", 4, NULL));
    g_autoptr(Journal) journal = journal_new(folder);
    append_record(journal, 1, 100);
    assert_false(g_file_test(making, G_FILE_TEST_EXISTS));
    assert_true(g_file_test(letter, G_FILE_TEST_EXISTS));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_bad_last_record_is_cut_off),
        cmocka_unit_test(a_last_record_that_ends_early_is_cut_off),
        cmocka_unit_test(garbage_behind_the_end_is_cut_off),
        cmocka_unit_test(a_batch_that_misses_sectors_is_cut_at_the_first),
        cmocka_unit_test(a_bad_record_before_others_is_damage),
        cmocka_unit_test(a_hole_before_others_is_damage),
        cmocka_unit_test(a_changed_byte_within_the_last_batch_is_damage),
        cmocka_unit_test(a_sound_record_that_does_not_belong_is_damage),
        cmocka_unit_test(a_bad_header_is_damage),
        cmocka_unit_test(another_version_is_refused),
        cmocka_unit_test(any_damage_is_refused_or_leaves_a_beginning),
        cmocka_unit_test(a_missing_segment_is_damage),
        cmocka_unit_test(exchanged_segments_are_damage),
        cmocka_unit_test(the_oldest_segments_may_be_gone),
        cmocka_unit_test(damage_in_an_older_segment_is_found_by_reading),
        cmocka_unit_test(a_sound_record_in_the_wrong_place_is_found_by_reading),
        cmocka_unit_test(what_follows_a_segment_must_continue_it),
        cmocka_unit_test(a_segment_without_header_is_used_anew),
        cmocka_unit_test(what_stood_in_a_segment_without_header_does_not_come_back),
        cmocka_unit_test(a_segment_without_header_but_with_batches_is_damage),
        cmocka_unit_test(a_header_without_records_is_a_start),
        cmocka_unit_test(a_segment_that_was_being_made_is_removed),
    };
    return cmocka_run_group_tests_name("journal_recovery", tests, NULL, NULL);
}
