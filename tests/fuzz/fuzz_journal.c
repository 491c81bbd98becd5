/* A segment file with any bytes: opening and reading must end, without touching what is not theirs. The first
 * byte chooses what is tried; when it is odd the checksums are made to fit first, since no fuzzer guesses
 * those. */
#include <fcntl.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "core/store/crc32c.h"
#include "core/store/journal_segment.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define SIZE_MAX_TRIED (128 * 1024)

static void put_crc(guint8 *at, guint32 crc)
{
    crc = GUINT32_TO_LE(crc);
    memcpy(at, &crc, sizeof crc);
}

/* Header and records, as far as the lengths lead. */
static void mend_checksums(guint8 *bytes, gsize size)
{
    if (size >= SEGMENT_HEADER_SIZE) {
        put_crc(bytes + 60, crc32c(bytes, 60));
    }
    for (gsize at = SEGMENT_HEADER_SIZE; at + RECORD_HEADER_SIZE <= size;) {
        guint32 length = 0;
        memcpy(&length, bytes + at, sizeof length);
        length = GUINT32_FROM_LE(length);
        if (length < RECORD_COVERED_SIZE || length > size - at - 8) {
            break;
        }
        put_crc(bytes + at + 4, crc32c(bytes + at + 8, length));
        at += record_size(length - RECORD_COVERED_SIZE);
    }
}

static void found(const JournalRecord *record, guint64 offset, gpointer user_data)
{
    guint64 *sum = user_data;
    for (gsize i = 0; i < record->length; i++) {
        *sum += record->data[i];
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 1 || size > SIZE_MAX_TRIED) {
        return 0;
    }
    guint8 choice = data[0];
    gsize length = size - 1;
    g_autofree guint8 *bytes = g_memdup2(data + 1, length);
    if ((choice & 1) != 0) {
        mend_checksums(bytes, length);
    }
    int fd = memfd_create("segment", MFD_CLOEXEC);
    if (fd < 0 || write(fd, bytes, length) != (ssize_t)length) {
        __builtin_trap();
    }
    SegmentHeader header = {.first_sequence = 1};
    if (length >= SEGMENT_HEADER_SIZE && segment_header_parse(bytes, &header) != SEGMENT_HEADER_VALID) {
        header.first_sequence = 1;
    }
    SegmentEnd end = {0};
    guint64 sum = 0;
    gboolean sound = (choice & 2) != 0
                         ? segment_find_unused(fd, "fuzz", length, header.first_sequence, &end, NULL)
                         : segment_find_end(fd, "fuzz", length, SEGMENT_HEADER_SIZE, header.first_sequence,
                                            found, &sum, &end, NULL);
    if (sound && (end.end > MAX(length, SEGMENT_HEADER_SIZE) ||
                  end.dirty_end > MAX(length, SEGMENT_HEADER_SIZE + 8))) {
        __builtin_trap();
    }
    close(fd);
    return 0;
}
