#include "tests/unit/store/journal_fixture.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

Journal *journal_new(const char *folder)
{
    g_autoptr(GError) error = NULL;
    Journal *journal = journal_open_sized(folder, 7, SMALL_SEGMENT, &error);
    no_error(error);
    return journal;
}

GBytes *record_bytes(guint64 n, gsize longest)
{
    gsize length = (gsize)(n * 7919 % (longest + 1));
    guint8 *bytes = g_malloc(length + 1);
    for (gsize i = 0; i < length; i++) {
        bytes[i] = (guint8)(n * 31 + i * 7 + 1);
    }
    return g_bytes_new_take(bytes, length);
}

static guint16 record_kind(guint64 n)
{
    return (guint16)(n * 257);
}

void append_record(Journal *journal, guint64 n, gsize longest)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GBytes) bytes = record_bytes(n, longest);
    guint64 sequence = 0;
    journal_append_wait(journal, record_kind(n), g_bytes_get_data(bytes, NULL), g_bytes_get_size(bytes),
                        &sequence, &error);
    no_error(error);
    assert_int_equal(sequence, n);
}

/* Holds the committer in a callback while a batch gathers. */
static void hold(guint64 sequence, const GError *error, gpointer user_data)
{
    GMutex *gate = user_data;
    g_mutex_lock(gate);
    g_mutex_unlock(gate);
}

void append_held(Journal *journal, guint64 n, gsize longest, GMutex *gate)
{
    g_mutex_init(gate);
    g_mutex_lock(gate);
    g_autoptr(GBytes) bytes = record_bytes(n, longest);
    journal_append(journal, record_kind(n), g_bytes_get_data(bytes, NULL), g_bytes_get_size(bytes), hold,
                   gate);
    assert_int_equal(journal_wait(journal, n - 1, G_MAXUINT / 2), n); /* committed, and now held */
}

void append_batch(Journal *journal, guint64 first, guint64 last, gsize longest)
{
    GMutex gate;
    append_held(journal, first, longest, &gate);
    for (guint64 n = first + 1; n <= last; n++) {
        g_autoptr(GBytes) bytes = record_bytes(n, longest);
        journal_append(journal, record_kind(n), g_bytes_get_data(bytes, NULL), g_bytes_get_size(bytes), NULL,
                       NULL);
    }
    g_mutex_unlock(&gate);
    assert_int_equal(journal_wait(journal, last - 1, G_MAXUINT / 2),
                     last); /* so the callback has let go of the gate */
    g_mutex_clear(&gate);
}

typedef struct {
    guint64 count;
    gsize longest;
} Checking;

static gboolean check_one(const JournalRecord *record, gpointer user_data)
{
    Checking *checking = user_data;
    checking->count++;
    g_autoptr(GBytes) expected = record_bytes(checking->count, checking->longest);
    assert_int_equal(record->sequence, checking->count);
    assert_int_equal(record->kind, record_kind(checking->count));
    assert_int_equal(record->length, g_bytes_get_size(expected));
    assert_memory_equal(record->data, g_bytes_get_data(expected, NULL), record->length);
    return TRUE;
}

guint64 check_all(Journal *journal, gsize longest)
{
    g_autoptr(GError) error = NULL;
    Checking checking = {.longest = longest};
    journal_read(journal, 1, check_one, &checking, &error);
    no_error(error);
    assert_int_equal(checking.count, journal_last(journal));
    return checking.count;
}

char *segment_path(const char *folder, guint64 number)
{
    char name[SEGMENT_NAME_SIZE];
    segment_name(number, name);
    return g_build_filename(folder, name, NULL);
}

GBytes *file_read(const char *path)
{
    char *data = NULL;
    gsize length = 0;
    assert_true(g_file_get_contents(path, &data, &length, NULL));
    return g_bytes_new_take(data, length);
}

void file_write(const char *path, GBytes *bytes)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, g_bytes_get_data(bytes, NULL), g_bytes_get_size(bytes)),
                     g_bytes_get_size(bytes));
    close(fd);
}

void file_patch(const char *path, guint64 offset, const void *bytes, gsize length)
{
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    assert_true(fd >= 0);
    assert_int_equal(pwrite(fd, bytes, length, (off_t)offset), length);
    close(fd);
}
