#include "core/store/journal_segment.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "core/base/error.h"
#include "core/store/crc32c.h"
#include "core/store/little_endian.h"

#define VERSION 1
#define BUFFER_SIZE ((gsize)64 * 1024)

static const guint8 magic[8] = {'F', 'N', 'D', 'J', 'R', 'N', 'L', '1'};

/* Where the fields of a segment's header are. */
enum {
    AT_MAGIC = 0,
    AT_VERSION = 8,
    AT_SHARD = 12,
    AT_NUMBER = 16,
    AT_FIRST_SEQUENCE = 24,
    AT_GENERATION = 32,
    AT_HEADER_CRC = 60
};
/* And those of a record. */
enum { AT_LENGTH = 0, AT_CRC = 4, AT_KIND = 8, AT_FLAGS = 10, AT_SEQUENCE = 12, AT_TIME = 20 };

static gboolean all_zero(const guint8 *bytes, gsize length)
{
    return length == 0 || (bytes[0] == 0 && memcmp(bytes, bytes + 1, length - 1) == 0);
}

void segment_header_write(const SegmentHeader *header, guint8 out[SEGMENT_HEADER_SIZE])
{
    memset(out, 0, SEGMENT_HEADER_SIZE);
    memcpy(out + AT_MAGIC, magic, sizeof magic);
    put32(out + AT_VERSION, VERSION);
    put32(out + AT_SHARD, header->shard);
    put64(out + AT_NUMBER, header->number);
    put64(out + AT_FIRST_SEQUENCE, header->first_sequence);
    put32(out + AT_GENERATION, header->generation);
    put32(out + AT_HEADER_CRC, crc32c(out, AT_HEADER_CRC));
}

SegmentHeaderState segment_header_parse(const guint8 bytes[SEGMENT_HEADER_SIZE], SegmentHeader *header)
{
    if (all_zero(bytes, SEGMENT_HEADER_SIZE)) {
        return SEGMENT_HEADER_EMPTY;
    }
    if (memcmp(bytes + AT_MAGIC, magic, sizeof magic) != 0 || get32(bytes + AT_VERSION) != VERSION ||
        get32(bytes + AT_HEADER_CRC) != crc32c(bytes, AT_HEADER_CRC)) {
        return SEGMENT_HEADER_BAD;
    }
    header->shard = get32(bytes + AT_SHARD);
    header->number = get64(bytes + AT_NUMBER);
    header->first_sequence = get64(bytes + AT_FIRST_SEQUENCE);
    header->generation = get32(bytes + AT_GENERATION);
    return header->number > 0 && header->first_sequence > 0 ? SEGMENT_HEADER_VALID : SEGMENT_HEADER_BAD;
}

void segment_name(guint64 number, char out[SEGMENT_NAME_SIZE])
{
    g_snprintf(out, SEGMENT_NAME_SIZE, "%012" G_GUINT64_FORMAT ".segment", number);
}

guint64 segment_name_parse(const char *name)
{
    char *end = NULL;
    guint64 number = g_ascii_isdigit(name[0]) ? g_ascii_strtoull(name, &end, 10) : 0;
    char expected[SEGMENT_NAME_SIZE];
    segment_name(number, expected);
    return number > 0 && strcmp(name, expected) == 0 ? number : 0;
}

gsize record_size(gsize data_length)
{
    return (RECORD_HEADER_SIZE + data_length + 7) & ~(gsize)7;
}

void record_seal(guint8 *bytes, gsize data_length, guint16 kind, guint16 flags, guint64 sequence,
                 gint64 time_us)
{
    put32(bytes + AT_LENGTH, (guint32)(RECORD_COVERED_SIZE + data_length));
    put16(bytes + AT_KIND, kind);
    put16(bytes + AT_FLAGS, flags);
    put64(bytes + AT_SEQUENCE, sequence);
    put64(bytes + AT_TIME, (guint64)time_us);
    put32(bytes + AT_CRC, crc32c(bytes + AT_KIND, RECORD_COVERED_SIZE + data_length));
    gsize used = RECORD_HEADER_SIZE + data_length;
    memset(bytes + used, 0, record_size(data_length) - used);
}

gint64 record_time(const guint8 bytes[RECORD_HEADER_SIZE])
{
    return get32(bytes + AT_LENGTH) != 0 ? (gint64)get64(bytes + AT_TIME) : 0;
}

RecordState record_parse(const guint8 *bytes, gsize available, JournalRecord *record, guint16 *flags,
                         gsize *needed)
{
    *needed = 0;
    if (available < RECORD_HEADER_SIZE) {
        return RECORD_END;
    }
    guint32 length = get32(bytes + AT_LENGTH);
    if (length == 0) {
        return RECORD_END;
    }
    if (length < RECORD_COVERED_SIZE || length > RECORD_COVERED_SIZE + JOURNAL_RECORD_MAX) {
        return RECORD_BAD;
    }
    gsize data_length = length - RECORD_COVERED_SIZE;
    *needed = record_size(data_length);
    if (*needed > available || get32(bytes + AT_CRC) != crc32c(bytes + AT_KIND, length)) {
        return RECORD_BAD;
    }
    gsize used = RECORD_HEADER_SIZE + data_length;
    *flags = get16(bytes + AT_FLAGS);
    record->kind = get16(bytes + AT_KIND);
    record->sequence = get64(bytes + AT_SEQUENCE);
    record->time_us = (gint64)get64(bytes + AT_TIME);
    record->data = bytes + RECORD_HEADER_SIZE;
    record->length = data_length;
    gboolean valid = (*flags & ~RECORD_FLAG_FIRST) == 0 && all_zero(bytes + used, *needed - used);
    return valid ? RECORD_VALID : RECORD_BAD;
}

gssize segment_pread(int fd, void *out, gsize length, guint64 offset)
{
    gsize got = 0;
    while (got < length) {
        ssize_t n = pread(fd, (guint8 *)out + got, length - got, (off_t)(offset + got));
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n < 0) {
            return -1;
        }
        if (n == 0) {
            break;
        }
        got += (gsize)n;
    }
    return (gssize)got;
}

void segment_reader_init(SegmentReader *reader, int fd, guint64 size, guint64 offset)
{
    *reader = (SegmentReader){.fd = fd, .size = size, .offset = offset, .capacity = BUFFER_SIZE};
    reader->buffer = g_malloc(reader->capacity);
}

void segment_reader_clear(SegmentReader *reader)
{
    g_free(reader->buffer);
    reader->buffer = NULL;
}

/* Has at least `wanted` bytes from reader->offset on in the buffer, or all up to the end of the file. */
static gboolean reader_fill(SegmentReader *reader, gsize wanted, GError **error)
{
    guint64 buffered_to = reader->buffered_from + reader->buffered;
    gboolean inside = reader->offset >= reader->buffered_from && reader->offset <= buffered_to;
    if (inside && (reader->offset + wanted <= buffered_to || buffered_to >= reader->size)) {
        return TRUE;
    }
    if (wanted > reader->capacity) {
        g_free(reader->buffer);
        reader->capacity = wanted;
        reader->buffer = g_malloc(wanted);
    }
    gsize length = (gsize)MIN((guint64)reader->capacity, reader->size - reader->offset);
    gssize got = segment_pread(reader->fd, reader->buffer, length, reader->offset);
    if (got != (gssize)length) {
        g_set_error(error, FUNDAMENT_ERROR, FUNDAMENT_ERROR_IO,
                    "journal: cannot read a segment at byte %" G_GUINT64_FORMAT ": %s", reader->offset,
                    got < 0 ? g_strerror(errno) : "it became shorter");
        reader->buffered = 0;
        return FALSE;
    }
    reader->buffered_from = reader->offset;
    reader->buffered = length;
    return TRUE;
}

RecordState segment_reader_next(SegmentReader *reader, JournalRecord *record, GError **error)
{
    gsize needed = RECORD_HEADER_SIZE;
    reader->needed = 0;
    for (int attempt = 0;; attempt++) {
        if (reader->offset >= reader->size) {
            return RECORD_END;
        }
        if (!reader_fill(reader, needed, error)) {
            return RECORD_FAILED;
        }
        const guint8 *bytes = reader->buffer + (reader->offset - reader->buffered_from);
        gsize available = (gsize)(reader->buffered_from + reader->buffered - reader->offset);
        RecordState state = record_parse(bytes, available, record, &reader->flags, &needed);
        reader->needed = needed;
        gboolean truncated = state == RECORD_BAD && needed > available;
        if (truncated && attempt == 0 && reader->offset + needed <= reader->size) {
            continue; /* more of it is in the file than in the buffer */
        }
        if (state == RECORD_VALID) {
            reader->offset += needed;
        }
        return state;
    }
}
