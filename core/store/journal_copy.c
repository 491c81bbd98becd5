#include "core/store/journal_copy.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/base/error.h"
#include "core/store/journal_private.h"

#define COPY_SIZE ((gsize)1024 * 1024)
#define ATTEMPTS 3 /* to tell a segment that grows under the reader from a damaged one */
#define PAUSE_US 10000

/* One segment as it is read. */
typedef struct {
    char name[SEGMENT_NAME_SIZE];
    int fd;
    guint64 size;
    SegmentHeader header;
    guint64 end;  /* behind the last record that was found */
    guint64 next; /* the sequence after it */
} Source;

static gboolean fail_io(const char *what, const char *name, GError **error)
{
    g_set_error(error, FUNDAMENT_ERROR, FUNDAMENT_ERROR_IO, "journal: cannot %s %s: %s", what, name,
                g_strerror(errno));
    return FALSE;
}

static gboolean fail_damaged(const Source *source, const char *why, GError **error)
{
    g_set_error(error, FUNDAMENT_ERROR, FUNDAMENT_ERROR_IO,
                "journal: %s is damaged at byte %" G_GUINT64_FORMAT ": %s", source->name, source->end, why);
    return FALSE;
}

/* The lowest number of a segment in the folder, 0 when there is none. */
static guint64 lowest_number(const char *folder)
{
    guint64 lowest = 0;
    g_autoptr(GDir) entries = g_dir_open(folder, 0, NULL);
    for (const char *name = entries == NULL ? NULL : g_dir_read_name(entries); name != NULL;
         name = g_dir_read_name(entries)) {
        guint64 number = segment_name_parse(name);
        if (number > 0 && (lowest == 0 || number < lowest)) {
            lowest = number;
        }
    }
    return lowest;
}

typedef enum { SOURCE_OPEN, SOURCE_NONE, SOURCE_FAILED } SourceState;

/* SOURCE_NONE when there is no such segment, or it was not used yet. */
static SourceState source_open(Source *source, int folder_fd, guint64 number, GError **error)
{
    *source = (Source){.fd = -1, .end = SEGMENT_HEADER_SIZE};
    segment_name(number, source->name);
    source->fd = openat(folder_fd, source->name, O_RDONLY | O_CLOEXEC);
    if (source->fd < 0) {
        return errno == ENOENT ? SOURCE_NONE : (fail_io("open", source->name, error), SOURCE_FAILED);
    }
    struct stat status;
    guint8 bytes[SEGMENT_HEADER_SIZE] = {0};
    if (fstat(source->fd, &status) != 0 || segment_pread(source->fd, bytes, sizeof bytes, 0) < 0) {
        fail_io("read", source->name, error);
        close(source->fd);
        return SOURCE_FAILED;
    }
    source->size = (guint64)status.st_size;
    SegmentHeaderState state = segment_header_parse(bytes, &source->header);
    source->next = source->header.first_sequence;
    if (state == SEGMENT_HEADER_VALID && source->header.number == number) {
        return SOURCE_OPEN;
    }
    close(source->fd);
    if (state == SEGMENT_HEADER_EMPTY) {
        return SOURCE_NONE;
    }
    fail_damaged(source, "its header is not valid", error);
    return SOURCE_FAILED;
}

/* On from where it was, to the last record that is there now. */
static gboolean source_walk(Source *source, JournalExtent *extent, GError **error)
{
    SegmentReader reader;
    JournalRecord record = {0};
    segment_reader_init(&reader, source->fd, source->size, source->end);
    RecordState state = segment_reader_next(&reader, &record, error);
    while (state == RECORD_VALID && record.sequence == source->next) {
        source->end = reader.offset;
        source->next++;
        extent->last = record.sequence;
        extent->newest_time_us = MAX(extent->newest_time_us, record.time_us);
        state = segment_reader_next(&reader, &record, error);
    }
    segment_reader_clear(&reader);
    return state != RECORD_FAILED;
}

static void ignore(const JournalRecord *record, guint64 offset, gpointer user_data)
{
}

/* Whether what stands behind the last record is what a journal that is in use may have there: nothing, or
 * the beginning of a batch. */
static gboolean end_is_sound(const Source *source, GError **error)
{
    SegmentEnd end;
    return segment_find_end(source->fd, source->name, source->size, source->end, source->next, ignore, NULL,
                            &end, error);
}

/* To the end of the segment. One that another process writes to may grow while it is read, and then looks
 * damaged for a moment; where reading goes on behind the place, it was not. `after` is the first sequence of
 * the segment behind it, 0 when there is none yet. */
static gboolean source_read(Source *source, guint64 after, JournalExtent *extent, GError **error)
{
    g_autoptr(GError) fault = NULL;
    for (int attempt = 1; attempt <= ATTEMPTS; attempt++) {
        guint64 before = source->next;
        g_clear_error(&fault);
        if (!source_walk(source, extent, error)) {
            return FALSE;
        }
        if (after != 0 ? source->next == after
                       : (attempt > 1 && source->next > before) || end_is_sound(source, &fault)) {
            return TRUE;
        }
        g_usleep(PAUSE_US);
    }
    if (fault == NULL) {
        return fail_damaged(source, "records are missing", error);
    }
    g_propagate_error(error, g_steal_pointer(&fault));
    return FALSE;
}

typedef struct {
    JournalProgress progress;
    gpointer user_data;
    int target_fd; /* the folder; -1: nothing is copied */
    JournalExtent *extent;
} Copying;

static gboolean write_all(int fd, const guint8 *bytes, gsize length)
{
    while (length > 0) {
        ssize_t n = write(fd, bytes, length);
        if (n < 0 && errno != EINTR) {
            return FALSE;
        }
        bytes += n > 0 ? n : 0;
        length -= n > 0 ? (gsize)n : 0;
    }
    return TRUE;
}

static gboolean copy_bytes(const Source *source, int fd, Copying *copying)
{
    g_autofree guint8 *buffer = g_malloc(COPY_SIZE);
    for (guint64 at = 0; at < source->end;) {
        gssize got = segment_pread(source->fd, buffer, (gsize)MIN(COPY_SIZE, source->end - at), at);
        if (got <= 0 || !write_all(fd, buffer, (gsize)got)) {
            return FALSE;
        }
        at += (guint64)got;
        copying->extent->bytes += (guint64)got;
        if (copying->progress != NULL) {
            copying->progress(copying->extent->bytes, copying->user_data);
        }
    }
    return fsync(fd) == 0;
}

static gboolean source_copy(const Source *source, Copying *copying, GError **error)
{
    if (copying->target_fd < 0) {
        return source->end == source->size || fail_damaged(source, "something follows the records", error);
    }
    int fd = openat(copying->target_fd, source->name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0) {
        return fail_io("make a copy of", source->name, error);
    }
    gboolean good = copy_bytes(source, fd, copying);
    if (!good) {
        fail_io("copy", source->name, error);
    }
    close(fd);
    return good;
}

/* The segments from `number` on, in a row. */
static gboolean read_chain(int folder_fd, guint64 number, Copying *copying, GError **error)
{
    JournalExtent *extent = copying->extent;
    Source source, next;
    SourceState state = source_open(&source, folder_fd, number, error);
    if (state == SOURCE_OPEN) {
        extent->first = source.header.first_sequence;
    }
    while (state == SOURCE_OPEN) {
        state = source_open(&next, folder_fd, ++number, error);
        guint64 after = state == SOURCE_OPEN ? next.header.first_sequence : 0;
        extent->shard = source.header.shard;
        extent->generation = source.header.generation;
        gboolean good = state != SOURCE_FAILED && source_read(&source, after, extent, error);
        /* While the last one was read, one more may have been begun. */
        if (good && state == SOURCE_NONE) {
            state = source_open(&next, folder_fd, number, error);
            good = state != SOURCE_FAILED &&
                   (state == SOURCE_NONE || source_read(&source, next.header.first_sequence, extent, error));
        }
        good = good && source_copy(&source, copying, error);
        close(source.fd);
        if (!good) {
            if (state == SOURCE_OPEN) {
                close(next.fd);
            }
            return FALSE;
        }
        source = next;
    }
    return state != SOURCE_FAILED;
}

static gboolean read_folder(const char *folder, Copying *copying, GError **error)
{
    *copying->extent = (JournalExtent){.first = 1};
    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) {
        return fail_io("open the folder", folder, error);
    }
    guint64 lowest = lowest_number(folder);
    gboolean good = lowest == 0 || read_chain(fd, lowest, copying, error);
    close(fd);
    return good;
}

gboolean journal_copy(const char *from, const char *to, JournalProgress progress, gpointer user_data,
                      JournalExtent *extent, GError **error)
{
    if (g_mkdir(to, 0700) != 0) {
        return fail_io("make the folder", to, error);
    }
    int fd = open(to, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) {
        return fail_io("open the folder", to, error);
    }
    Copying copying = {.progress = progress, .user_data = user_data, .target_fd = fd, .extent = extent};
    gboolean good = read_folder(from, &copying, error);
    if (good && fsync(fd) != 0) {
        good = fail_io("write", to, error);
    }
    close(fd);
    return good;
}

gboolean journal_copy_check(const char *folder, JournalExtent *extent, GError **error)
{
    Copying copying = {.target_fd = -1, .extent = extent};
    return read_folder(folder, &copying, error);
}

static gboolean begin_generation(int folder_fd, const SegmentHeader *header, GError **error)
{
    char name[SEGMENT_NAME_SIZE];
    guint8 bytes[SEGMENT_HEADER_SIZE];
    segment_name(header->number, name);
    segment_header_write(header, bytes);
    if (!segment_make(folder_fd, header->number, SEGMENT_SIZE_FIRST, error)) {
        return FALSE;
    }
    int fd = openat(folder_fd, name, O_WRONLY | O_CLOEXEC);
    gboolean good = fd >= 0 && write_all(fd, bytes, sizeof bytes) && fsync(fd) == 0;
    if (!good) {
        fail_io("write", name, error);
    }
    if (fd >= 0) {
        close(fd);
    }
    return good;
}

gboolean journal_copy_seal(const char *folder, guint32 shard, GError **error)
{
    JournalExtent extent;
    if (!journal_copy_check(folder, &extent, error)) {
        return FALSE;
    }
    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) {
        return fail_io("open the folder", folder, error);
    }
    guint64 number = MAX(lowest_number(folder), 1);
    char name[SEGMENT_NAME_SIZE];
    for (segment_name(number, name); faccessat(fd, name, F_OK, 0) == 0; segment_name(number, name)) {
        number++;
    }
    SegmentHeader header = {.shard = shard,
                            .number = number,
                            .first_sequence = MAX(extent.last + 1, extent.first),
                            .generation = extent.generation + 1};
    gboolean good = begin_generation(fd, &header, error);
    close(fd);
    return good;
}
