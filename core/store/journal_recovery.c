/* Finding the end of a segment after a crash, telling a write that was cut short from damage, and making new
 * segments.
 *
 * A batch is written at once and acknowledged after its fdatasync. When the power goes in between, any of its
 * sectors may be missing, and since the file was full of zeros before, a missing sector is a sector of zeros.
 * So:
 *   - nothing valid after the bad place: the end of the last batch is torn;
 *   - valid records of the same batch after it, and zeros in the bad place: the middle of the last batch is
 * torn;
 *   - a record after it that starts a batch: all before that was on disk once, so this is damage;
 *   - anything else before valid records: damage.
 */
#include "core/store/journal_segment.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "core/base/error.h"

#define SECTOR_SIZE 512
#define WINDOW_SIZE ((gsize)64 * 1024)
#define FILL_SIZE ((guint64)256 * 1024)
#define RECORD_SIZE_MIN 32 /* of an empty record */

/* What stands behind the last good record. */
typedef struct {
    guint64 dirty_end;   /* behind the last byte that is not zero */
    guint64 valid_at;    /* a valid record with a later sequence; 0 when there is none */
    guint64 first_at;    /* the same, that starts a batch */
    guint64 sequence;    /* what is expected next */
    guint64 records_max; /* so many records fit in what remains */
} Rest;

static gboolean damaged(const char *name, guint64 offset, guint64 valid_at, GError **error)
{
    g_set_error(error, FUNDAMENT_ERROR, FUNDAMENT_ERROR_IO,
                "journal: %s is damaged at byte %" G_GUINT64_FORMAT
                " (valid records follow at byte %" G_GUINT64_FORMAT
                "); nothing was changed: check the disk, keep a copy and restore this file from a backup",
                name, offset, valid_at);
    return FALSE;
}

/* Is there a valid record at `offset` that belongs to this journal's future? */
static gboolean rest_try(int fd, guint64 size, guint64 offset, Rest *rest, GError **error)
{
    SegmentReader reader;
    segment_reader_init(&reader, fd, size, offset);
    JournalRecord record;
    RecordState state = segment_reader_next(&reader, &record, error);
    if (state == RECORD_VALID && record.sequence - rest->sequence <= rest->records_max) {
        rest->valid_at = rest->valid_at == 0 ? offset : rest->valid_at;
        if ((reader.flags & RECORD_FLAG_FIRST) != 0 && rest->first_at == 0) {
            rest->first_at = offset;
        }
    }
    segment_reader_clear(&reader);
    return state != RECORD_FAILED;
}

/* A cheap look before the CRC: could these 28 bytes start a record of the future? */
static gboolean plausible(const guint8 *bytes, const Rest *rest)
{
    guint32 length = 0;
    guint64 sequence = 0;
    memcpy(&length, bytes, sizeof length);
    memcpy(&sequence, bytes + 12, sizeof sequence);
    length = GUINT32_FROM_LE(length);
    sequence = GUINT64_FROM_LE(sequence);
    return length >= RECORD_COVERED_SIZE && length <= RECORD_COVERED_SIZE + JOURNAL_RECORD_MAX &&
           sequence - rest->sequence <= rest->records_max;
}

/* Looks through everything from `from` (a multiple of 8) on. Records inside the data of others are found too,
 * which can only make it more careful. */
static gboolean rest_scan(int fd, guint64 size, guint64 from, guint64 sequence, Rest *rest, GError **error)
{
    *rest = (Rest){.dirty_end = from, .sequence = sequence, .records_max = size / RECORD_SIZE_MIN};
    g_autofree guint8 *window = g_malloc(WINDOW_SIZE + RECORD_HEADER_SIZE);
    for (guint64 at = from; at < size; at += WINDOW_SIZE) {
        gssize got = segment_pread(fd, window, (gsize)MIN(size - at, WINDOW_SIZE + RECORD_HEADER_SIZE), at);
        if (got < 0) {
            g_set_error(error, FUNDAMENT_ERROR, FUNDAMENT_ERROR_IO, "journal: cannot read a segment: %s",
                        g_strerror(errno));
            return FALSE;
        }
        for (gssize word = 0; word < MIN(got, (gssize)WINDOW_SIZE); word += 8) {
            gsize length = (gsize)MIN(8, got - word);
            if (memcmp(window + word, "\0\0\0\0\0\0\0", length) == 0) {
                continue;
            }
            rest->dirty_end = at + (guint64)word + length;
            gboolean candidate = rest->first_at == 0 && word + RECORD_HEADER_SIZE <= got;
            if (candidate && plausible(window + word, rest) &&
                !rest_try(fd, size, at + (guint64)word, rest, error)) {
                return FALSE;
            }
        }
    }
    return TRUE;
}

/* TRUE when some sector, as far as it lies in this part of the file, holds only zeros. */
static gboolean has_zero_sector(int fd, guint64 from, guint64 to)
{
    guint8 sector[SECTOR_SIZE];
    static const guint8 zeros[SECTOR_SIZE];
    while (from < to) {
        gsize length = (gsize)MIN(SECTOR_SIZE - from % SECTOR_SIZE, to - from);
        if (segment_pread(fd, sector, length, from) != (gssize)length || memcmp(sector, zeros, length) == 0) {
            return TRUE;
        }
        from += length;
    }
    return FALSE;
}

/* What stands at the end of the good records, where the next one is not. */
typedef struct {
    RecordState state;
    gsize size; /* what it claims to take; 0 when that is not plausible */
} BadPlace;

static gboolean may_be_torn(int fd, guint64 offset, const BadPlace *place)
{
    if (place->state == RECORD_END) {
        return TRUE; /* the sector with its length is missing */
    }
    return place->state == RECORD_BAD && place->size > 0 && has_zero_sector(fd, offset, offset + place->size);
}

/* Reads record after record; stops at the first that is not the expected one. */
static gboolean walk(int fd, guint64 size, guint64 offset, guint64 sequence, SegmentFound found,
                     gpointer user_data, SegmentEnd *end, BadPlace *place, GError **error)
{
    SegmentReader reader;
    JournalRecord record = {0};
    segment_reader_init(&reader, fd, size, offset);
    for (;;) {
        guint64 at = reader.offset;
        *end = (SegmentEnd){.end = at, .next_sequence = sequence, .dirty_end = at};
        place->state = segment_reader_next(&reader, &record, error);
        place->size = reader.needed;
        if (place->state != RECORD_VALID || record.sequence != sequence) {
            break;
        }
        found(&record, at, user_data);
        sequence++;
    }
    segment_reader_clear(&reader);
    return place->state != RECORD_FAILED;
}

gboolean segment_find_end(int fd, const char *name, guint64 size, guint64 offset, guint64 sequence,
                          SegmentFound found, gpointer user_data, SegmentEnd *end, GError **error)
{
    BadPlace place;
    Rest rest;
    if (!walk(fd, size, offset, sequence, found, user_data, end, &place, error) ||
        !rest_scan(fd, size, end->end, end->next_sequence, &rest, error)) {
        return FALSE;
    }
    if (place.state == RECORD_VALID) { /* sound, but not the one that belongs here */
        return damaged(name, end->end, end->end, error);
    }
    if (rest.first_at != 0) {
        return damaged(name, end->end, rest.first_at, error);
    }
    if (rest.valid_at != 0 && !may_be_torn(fd, end->end, &place)) {
        return damaged(name, end->end, rest.valid_at, error);
    }
    end->dirty_end = rest.dirty_end;
    return TRUE;
}

gboolean segment_find_unused(int fd, const char *name, guint64 size, guint64 sequence, SegmentEnd *end,
                             GError **error)
{
    Rest rest;
    if (!rest_scan(fd, size, SEGMENT_HEADER_SIZE + 8, sequence, &rest, error)) {
        return FALSE;
    }
    if (rest.first_at != 0) {
        return damaged(name, 0, rest.first_at, error);
    }
    *end = (SegmentEnd){.next_sequence = sequence, .dirty_end = rest.dirty_end};
    return TRUE;
}

/* All of it, at its place; errno otherwise. */
static gboolean write_zeros(int fd, guint64 from, guint64 to)
{
    g_autofree guint8 *zeros = g_malloc0((gsize)MIN(to - from, FILL_SIZE) + 1);
    while (from < to) {
        ssize_t n = pwrite(fd, zeros, (gsize)MIN(to - from, FILL_SIZE), (off_t)from);
        if (n < 0 && errno != EINTR) {
            return FALSE;
        }
        from += n > 0 ? (guint64)n : 0;
    }
    return TRUE;
}

gboolean segment_clear(int fd, guint64 from, guint64 to, GError **error)
{
    if (write_zeros(fd, from, to) && fdatasync(fd) == 0) {
        return TRUE;
    }
    g_set_error(error, FUNDAMENT_ERROR, FUNDAMENT_ERROR_IO, "journal: cannot write: %s; check the disk",
                g_strerror(errno));
    return FALSE;
}

/* Really writes the zeros: space that is only reserved would cost the file system a commit of its own at the
 * first write to each part of it. Synced bit by bit, since a sync of all at once would hold up the commits to
 * the active segment. */
static gboolean fill(int fd, guint64 size)
{
    int result =
        posix_fallocate(fd, 0, (off_t)size); /* in one piece, and a full disk is noticed before any work */
    if (result != 0) {
        errno = result;
        return FALSE;
    }
    gboolean filled = TRUE;
    for (guint64 at = 0; at < size && filled; at += FILL_SIZE) {
        filled = write_zeros(fd, at, MIN(at + FILL_SIZE, size)) && fdatasync(fd) == 0;
    }
    return filled;
}

gboolean segment_make(int folder_fd, guint64 number, guint64 size, GError **error)
{
    char name[SEGMENT_NAME_SIZE];
    char making[SEGMENT_NAME_SIZE + 16];
    segment_name(number, name);
    g_snprintf(making, sizeof making, "%s" SEGMENT_MAKING, name);
    int fd = openat(folder_fd, making, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    gboolean made = fd >= 0 && fill(fd, size) && renameat(folder_fd, making, folder_fd, name) == 0 &&
                    fsync(folder_fd) == 0;
    int problem = errno;
    if (!made) {
        unlinkat(folder_fd, making, 0);
        g_set_error(error, FUNDAMENT_ERROR, FUNDAMENT_ERROR_IO,
                    "journal: cannot make %s of %" G_GUINT64_FORMAT
                    " bytes: %s; check the disk and the room on it",
                    name, size, g_strerror(problem));
    }
    if (fd >= 0) {
        close(fd);
    }
    return made;
}
