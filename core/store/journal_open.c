/* What a folder holds: locked against others, its segments in a row, and what was never acknowledged cut off.
 */
#include "core/store/journal_private.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/base/error.h"

static gboolean io_error(const char *what, const char *name, GError **error)
{
    g_set_error(error, FUNDAMENT_ERROR, FUNDAMENT_ERROR_IO, "journal: cannot %s %s: %s", what, name,
                g_strerror(errno));
    return FALSE;
}

/* A file is only on disk when the folder that names it is. */
static void sync_folder(const char *path)
{
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd >= 0) {
        fsync(fd);
        close(fd);
    }
}

static gboolean folder_lock(Journal *journal, GError **error)
{
    gboolean is_new = !g_file_test(journal->folder, G_FILE_TEST_IS_DIR);
    if (g_mkdir_with_parents(journal->folder, 0700) != 0) {
        return io_error("make the folder", journal->folder, error);
    }
    if (is_new) {
        g_autofree char *parent = g_path_get_dirname(journal->folder);
        sync_folder(parent);
    }
    journal->folder_fd = open(journal->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (journal->folder_fd < 0) {
        return io_error("open the folder", journal->folder, error);
    }
    journal->lock_fd = openat(journal->folder_fd, "lock", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (journal->lock_fd < 0) {
        return io_error("make the lock in", journal->folder, error);
    }
    if (flock(journal->lock_fd, LOCK_EX | LOCK_NB) != 0) {
        g_set_error(error, FUNDAMENT_ERROR, FUNDAMENT_ERROR_CONFLICT,
                    "journal: another process uses %s; stop it first, or give this one a shard of its own",
                    journal->folder);
        return FALSE;
    }
    return TRUE;
}

static gint compare_numbers(gconstpointer a, gconstpointer b)
{
    guint64 x = *(const guint64 *)a;
    guint64 y = *(const guint64 *)b;
    return (x > y) - (x < y);
}

/* The numbers of the segments, in order; what was being made when the process ended is removed. */
static GArray *folder_list(Journal *journal, GError **error)
{
    GError *problem = NULL;
    g_autoptr(GDir) folder = g_dir_open(journal->folder, 0, &problem);
    if (folder == NULL) {
        g_set_error(error, FUNDAMENT_ERROR, FUNDAMENT_ERROR_IO, "journal: %s", problem->message);
        g_error_free(problem);
        return NULL;
    }
    GArray *numbers = g_array_new(FALSE, FALSE, sizeof(guint64));
    for (const char *name = g_dir_read_name(folder); name != NULL; name = g_dir_read_name(folder)) {
        guint64 number = segment_name_parse(name);
        if (number > 0) {
            g_array_append_val(numbers, number);
        } else if (g_str_has_suffix(name, SEGMENT_MAKING)) {
            unlinkat(journal->folder_fd, name, 0);
        }
    }
    g_array_sort(numbers, compare_numbers);
    return numbers;
}

static gboolean damaged(const char *name, const char *what, GError **error)
{
    g_set_error(error, FUNDAMENT_ERROR, FUNDAMENT_ERROR_IO,
                "journal: %s is damaged: %s; nothing was changed: check the disk and restore a backup", name,
                what);
    return FALSE;
}

/* The header and the time of the first record. Only the last segment is checked whole when a journal is
 * opened; the others when they are read. */
static gboolean segment_inspect(Journal *journal, guint64 number, int fd, gboolean *unused, GError **error)
{
    char name[SEGMENT_NAME_SIZE];
    segment_name(number, name);
    guint8 bytes[SEGMENT_HEADER_SIZE + RECORD_HEADER_SIZE] = {0};
    struct stat status;
    if (fstat(fd, &status) != 0 || segment_pread(fd, bytes, sizeof bytes, 0) < 0) {
        return io_error("read", name, error);
    }
    SegmentHeader header;
    SegmentHeaderState state = segment_header_parse(bytes, &header);
    *unused = state == SEGMENT_HEADER_EMPTY;
    if (status.st_size < (off_t)sizeof bytes) {
        return damaged(name, "it is too short", error);
    }
    if (*unused) {
        return TRUE;
    }
    if (state == SEGMENT_HEADER_BAD || header.number != number) {
        return damaged(name, "its header is not valid", error);
    }
    if (header.shard != journal->shard) {
        g_set_error(error, FUNDAMENT_ERROR, FUNDAMENT_ERROR_CONFLICT,
                    "journal: %s belongs to shard %u, not %u; give each shard a folder of its own", name,
                    header.shard, journal->shard);
        return FALSE;
    }
    const GPtrArray *segments = journal->segments;
    const Segment *before = segments->len > 0 ? segments->pdata[segments->len - 1] : NULL;
    if (before != NULL && header.first_sequence <= before->first_sequence) {
        return damaged(name, "its first sequence is not after that of the segment before", error);
    }
    if (before != NULL && header.generation < before->generation) {
        return damaged(name, "it is of before a restore, and the segment before it of after", error);
    }
    Segment *segment = segment_new(number, (guint64)status.st_size, header.first_sequence, header.generation);
    segment->first_time_us = record_time(bytes + SEGMENT_HEADER_SIZE);
    g_ptr_array_add(journal->segments, segment);
    return TRUE;
}

/* Fills journal->segments; `unused` gets the number of a last file without a header, or stays 0. */
static gboolean chain_load(Journal *journal, const GArray *numbers, guint64 *unused, GError **error)
{
    for (guint i = 0; i < numbers->len; i++) {
        guint64 number = g_array_index(numbers, guint64, i);
        char name[SEGMENT_NAME_SIZE];
        segment_name(number, name);
        if (i > 0 && number != g_array_index(numbers, guint64, i - 1) + 1) {
            return damaged(name, "the segment before it is missing", error);
        }
        int fd = openat(journal->folder_fd, name, O_RDONLY | O_CLOEXEC);
        if (fd < 0) {
            return io_error("open", name, error);
        }
        gboolean empty = FALSE;
        gboolean good = segment_inspect(journal, number, fd, &empty, error);
        close(fd);
        if (!good) {
            return FALSE;
        }
        if (empty && (i + 1 < numbers->len || (i == 0 && number != 1))) {
            return damaged(name, "its header is missing", error);
        }
        *unused = empty ? number : 0;
    }
    return TRUE;
}

static void found(const JournalRecord *record, guint64 offset, gpointer user_data)
{
    Journal *journal = user_data;
    segment_mark(journal->active, record->sequence, offset);
    if (offset == SEGMENT_HEADER_SIZE) {
        journal->active->first_time_us = record->time_us;
    }
}

/* The last segment with a header becomes the active one. */
static gboolean active_load(Journal *journal, GError **error)
{
    if (journal->segments->len == 0) {
        return TRUE;
    }
    journal->active = journal->segments->pdata[journal->segments->len - 1];
    journal->active->first_time_us = 0;
    char name[SEGMENT_NAME_SIZE];
    segment_name(journal->active->number, name);
    journal->fd = openat(journal->folder_fd, name, O_RDWR | O_CLOEXEC);
    if (journal->fd < 0) {
        return io_error("open", name, error);
    }
    SegmentEnd end;
    if (!segment_find_end(journal->fd, name, journal->active->size, SEGMENT_HEADER_SIZE,
                          journal->active->first_sequence, found, journal, &end, error)) {
        return FALSE;
    }
    journal->last = end.next_sequence - 1;
    journal->end = end.end;
    journal->dirty_end = end.dirty_end;
    return TRUE;
}

/* A file without header is made ready for use: what a batch that was cut short left in it goes. */
static gboolean unused_load(Journal *journal, guint64 number, GError **error)
{
    if (number == 0) {
        return TRUE;
    }
    char name[SEGMENT_NAME_SIZE];
    segment_name(number, name);
    int fd = openat(journal->folder_fd, name, O_RDWR | O_CLOEXEC);
    struct stat status;
    if (fd < 0 || fstat(fd, &status) != 0) {
        return io_error("open", name, error);
    }
    SegmentEnd end;
    gboolean good = segment_find_unused(fd, name, (guint64)status.st_size, journal->last + 1, &end, error) &&
                    (end.dirty_end == 0 || segment_clear(fd, 0, end.dirty_end, error));
    close(fd);
    journal->next = NEXT_READY;
    return good;
}

gboolean journal_load(Journal *journal, GError **error)
{
    if (!folder_lock(journal, error)) {
        return FALSE;
    }
    g_autoptr(GArray) numbers = folder_list(journal, error);
    guint64 unused = 0;
    if (numbers == NULL || !chain_load(journal, numbers, &unused, error) || !active_load(journal, error) ||
        !unused_load(journal, unused, error)) {
        return FALSE;
    }
    if (journal->dirty_end > journal->end &&
        !segment_clear(journal->fd, journal->end, journal->dirty_end, error)) {
        return FALSE;
    }
    journal->dirty_end = journal->end;
    if (numbers->len == 0) {
        journal->next = NEXT_READY;
        return segment_make(journal->folder_fd, 1, MIN(journal->segment_size, SEGMENT_SIZE_FIRST), error);
    }
    return TRUE;
}
