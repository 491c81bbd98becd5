#include "core/base/identifiers.h"

#include <string.h>

#include "core/base/bytes.h"

#define UUID_LENGTH (UUID_TEXT_SIZE - 1)
#define COUNTER_MAX 0xfff

/* RFC 9562 6.2: a clock that was set back a little keeps the last millisecond, so that ids stay in order;
 * after a larger jump the clock is believed again. */
#define ROLLBACK_MS 10000

/* The next (millisecond, counter) pair of this process. The counter starts at a random value with its top bit
 * clear, which leaves room for at least 2048 ids a millisecond; when that runs out, the millisecond is taken
 * one further. */
static void uuid7_next(gint64 now_ms, guint16 random, gint64 *ms, guint16 *counter)
{
    static GMutex mutex;
    static gint64 last_ms = G_MININT64;
    static guint16 last_counter;

    g_mutex_lock(&mutex);
    if (now_ms > last_ms || last_ms - now_ms > ROLLBACK_MS) {
        last_ms = now_ms;
        last_counter = random & (COUNTER_MAX >> 1);
    } else if (last_counter < COUNTER_MAX) {
        last_counter++;
    } else {
        last_ms++;
        last_counter = random & (COUNTER_MAX >> 1);
    }
    *ms = last_ms;
    *counter = last_counter;
    g_mutex_unlock(&mutex);
}

void uuid7_new(const Clock *clock, char out[UUID_TEXT_SIZE])
{
    guint8 bytes[16];
    gint64 ms;
    guint16 counter;
    random_fill(bytes + 6, sizeof bytes - 6);
    uuid7_next(clock_now_ms(clock), (guint16)(bytes[6] << 8 | bytes[7]), &ms, &counter);

    for (int i = 0; i < 6; i++)
        bytes[i] = (guint8)(ms >> (40 - 8 * i));
    bytes[6] = (guint8)(0x70 | counter >> 8);
    bytes[7] = (guint8)counter;
    bytes[8] = (bytes[8] & 0x3f) | 0x80;

    g_autofree char *hex = hex_encode(bytes, sizeof bytes);
    g_snprintf(out, UUID_TEXT_SIZE, "%.8s-%.4s-%.4s-%.4s-%.12s", hex, hex + 8, hex + 12, hex + 16, hex + 20);
}

gboolean uuid_valid(const char *text)
{
    if (text == NULL || strnlen(text, UUID_TEXT_SIZE) != UUID_LENGTH)
        return FALSE;
    for (int i = 0; i < UUID_LENGTH; i++) {
        gboolean dash = i == 8 || i == 13 || i == 18 || i == 23;
        if (dash ? text[i] != '-' : !g_ascii_isxdigit(text[i]))
            return FALSE;
    }
    return TRUE;
}

gboolean uuid7_valid(const char *text)
{
    return uuid_valid(text) && text[14] == '7' && strchr("89abAB", text[19]) != NULL;
}

gint64 uuid7_time_ms(const char *text)
{
    if (!uuid7_valid(text))
        return -1;
    gint64 ms = 0;
    for (int i = 0; i < 13; i++)
        if (text[i] != '-')
            ms = ms << 4 | g_ascii_xdigit_value(text[i]);
    return ms;
}

static gboolean digits_valid(const char *text, gsize length)
{
    if (text == NULL || strnlen(text, length + 1) != length)
        return FALSE;
    for (gsize i = 0; i < length; i++)
        if (!g_ascii_isdigit(text[i]))
            return FALSE;
    return TRUE;
}

gboolean oin_valid(const char *text)
{
    return digits_valid(text, 20);
}

gboolean bsn_valid(const char *text)
{
    static const int weights[] = {9, 8, 7, 6, 5, 4, 3, 2, -1};
    if (!digits_valid(text, G_N_ELEMENTS(weights)))
        return FALSE;
    int sum = 0;
    gboolean all_zero = TRUE;
    for (gsize i = 0; i < G_N_ELEMENTS(weights); i++) {
        sum += weights[i] * (text[i] - '0');
        all_zero = all_zero && text[i] == '0';
    }
    return !all_zero && sum % 11 == 0;
}

/* 1 to 100 ASCII letters, digits and characters of `also`. */
static gboolean name_valid(const char *text, const char *also)
{
    gsize length = text == NULL ? 0 : strnlen(text, 101);
    if (length < 1 || length > 100)
        return FALSE;
    for (gsize i = 0; i < length; i++)
        if (!g_ascii_isalnum(text[i]) && strchr(also, text[i]) == NULL)
            return FALSE;
    return TRUE;
}

gboolean fsc_group_id_valid(const char *text)
{
    return name_valid(text, "./_-");
}

gboolean fsc_service_name_valid(const char *text)
{
    return name_valid(text, "-._");
}
