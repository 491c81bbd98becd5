#include "core/store/crc32c.h"

#include <string.h>

#if defined(__x86_64__)
#include <nmmintrin.h>
#endif

#define POLYNOMIAL 0x82f63b78u /* 0x1edc6f41 with its bits reversed */

/* tables[k][b]: the CRC of byte b followed by k zero bytes, so that eight bytes go at once. */
static guint32 tables[8][256];

static void tables_fill(void)
{
    for (guint32 byte = 0; byte < 256; byte++) {
        guint32 crc = byte;
        for (int bit = 0; bit < 8; bit++) {
            crc = (crc >> 1) ^ ((crc & 1) != 0 ? POLYNOMIAL : 0);
        }
        tables[0][byte] = crc;
    }
    for (int k = 1; k < 8; k++) {
        for (int byte = 0; byte < 256; byte++) {
            guint32 shorter = tables[k - 1][byte];
            tables[k][byte] = (shorter >> 8) ^ tables[0][shorter & 0xff];
        }
    }
}

guint32 crc32c_by_table(const void *data, gsize length)
{
    static gsize filled = 0;
    if (g_once_init_enter(&filled)) {
        tables_fill();
        g_once_init_leave(&filled, 1);
    }
    const guint8 *p = data;
    guint32 crc = 0xffffffffu;
    for (; length >= 8; length -= 8, p += 8) {
        guint64 word = 0;
        memcpy(&word, p, 8);
        word = GUINT64_FROM_LE(word) ^ crc;
        crc = 0;
        for (int k = 0; k < 8; k++) {
            crc ^= tables[7 - k][(word >> (8 * k)) & 0xff];
        }
    }
    for (; length > 0; length--, p++) {
        crc = (crc >> 8) ^ tables[0][(crc ^ *p) & 0xff];
    }
    return ~crc;
}

#if defined(__x86_64__)
__attribute__((target("sse4.2"))) static guint32 crc32c_by_instruction(const void *data, gsize length)
{
    const guint8 *p = data;
    guint64 crc = 0xffffffffu;
    for (; length >= 8; length -= 8, p += 8) {
        guint64 word = 0;
        memcpy(&word, p, 8);
        crc = _mm_crc32_u64(crc, word);
    }
    for (; length > 0; length--, p++) {
        crc = _mm_crc32_u8((guint32)crc, *p);
    }
    return ~(guint32)crc;
}
#endif

guint32 crc32c(const void *data, gsize length)
{
#if defined(__x86_64__)
    if (__builtin_cpu_supports("sse4.2")) {
        return crc32c_by_instruction(data, length);
    }
#endif
    return crc32c_by_table(data, length);
}
