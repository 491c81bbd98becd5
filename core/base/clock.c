#include "core/base/clock.h"

#include <string.h>
#include <time.h>

#include "core/base/error.h"

#define MS_PER_SECOND G_GINT64_CONSTANT(1000)
#define LAST_SECOND G_GINT64_CONSTANT(253402300799) /* 9999-12-31T23:59:59Z */

static gint64 system_now_us(const Clock *clock)
{
    return g_get_real_time();
}

static gint64 fixed_now_us(const Clock *clock)
{
    return clock->fixed_us;
}

const Clock *clock_system(void)
{
    static const Clock clock = {.now_us = system_now_us};
    return &clock;
}

Clock clock_fixed(gint64 unix_seconds)
{
    return (Clock){.now_us = fixed_now_us, .fixed_us = unix_seconds * G_USEC_PER_SEC};
}

/* C division rounds to zero; a moment before 1970 must round down like any other. */
static gint64 floor_divide(gint64 value, gint64 divisor)
{
    return value / divisor - (value % divisor < 0);
}

gint64 clock_now_us(const Clock *clock)
{
    return clock->now_us(clock);
}

gint64 clock_now_ms(const Clock *clock)
{
    return floor_divide(clock_now_us(clock), 1000);
}

gint64 clock_now_s(const Clock *clock)
{
    return floor_divide(clock_now_us(clock), G_USEC_PER_SEC);
}

char *clock_format_rfc3339(gint64 unix_ms)
{
    time_t seconds = (time_t)floor_divide(unix_ms, MS_PER_SECOND);
    struct tm tm;
    gmtime_r(&seconds, &tm);
    return g_strdup_printf("%04d-%02d-%02dT%02d:%02d:%02d.%03dZ", tm.tm_year + 1900, tm.tm_mon + 1,
                           tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec,
                           (int)(unix_ms - (gint64)seconds * MS_PER_SECOND));
}

/* Reads exactly `digits` digits and moves on; FALSE when there are fewer or the number is outside low..high.
 */
static gboolean read_number(const char **at, int digits, int low, int high, int *out)
{
    int value = 0;
    for (int i = 0; i < digits; i++) {
        if (!g_ascii_isdigit((*at)[i]))
            return FALSE;
        value = value * 10 + ((*at)[i] - '0');
    }
    *at += digits;
    *out = value;
    return value >= low && value <= high;
}

static gboolean read_character(const char **at, const char *allowed)
{
    if (**at == '\0' || strchr(allowed, **at) == NULL)
        return FALSE;
    (*at)++;
    return TRUE;
}

static int days_in_month(int year, int month)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    gboolean leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    return month == 2 && leap ? 29 : days[month - 1];
}

/* The part up to the seconds. Second 60 is refused: Unix time has no place for it. */
static gboolean read_date_and_time(const char **at, struct tm *tm)
{
    int year, month, day;
    if (!read_number(at, 4, 1970, 9999, &year) || !read_character(at, "-") ||
        !read_number(at, 2, 1, 12, &month) || !read_character(at, "-") ||
        !read_number(at, 2, 1, days_in_month(year, month), &day) || !read_character(at, "Tt"))
        return FALSE;
    tm->tm_year = year - 1900;
    tm->tm_mon = month - 1;
    tm->tm_mday = day;
    return read_number(at, 2, 0, 23, &tm->tm_hour) && read_character(at, ":") &&
           read_number(at, 2, 0, 59, &tm->tm_min) && read_character(at, ":") &&
           read_number(at, 2, 0, 59, &tm->tm_sec);
}

/* An optional fraction of one to nine digits; what is finer than a millisecond is cut off. */
static gboolean read_fraction(const char **at, int *ms)
{
    *ms = 0;
    if (!read_character(at, "."))
        return TRUE;
    int digits = 0;
    for (int weight = 100; g_ascii_isdigit(**at); (*at)++, digits++, weight /= 10)
        *ms += (**at - '0') * weight;
    return digits >= 1 && digits <= 9;
}

static gboolean read_zone(const char **at, int *offset_s)
{
    int hours, minutes;
    *offset_s = 0;
    if (read_character(at, "Zz"))
        return TRUE;
    int sign = **at == '-' ? -1 : 1;
    if (!read_character(at, "+-") || !read_number(at, 2, 0, 23, &hours) || !read_character(at, ":") ||
        !read_number(at, 2, 0, 59, &minutes))
        return FALSE;
    *offset_s = sign * (hours * 3600 + minutes * 60);
    return TRUE;
}

gboolean clock_parse_rfc3339(const char *text, gint64 *unix_ms, GError **error)
{
    const char *at = text != NULL ? text : "";
    struct tm tm = {0};
    int ms, offset_s;
    if (read_date_and_time(&at, &tm) && read_fraction(&at, &ms) && read_zone(&at, &offset_s) && *at == '\0') {
        gint64 seconds = (gint64)timegm(&tm) - offset_s;
        if (seconds >= 0 && seconds <= LAST_SECOND) {
            *unix_ms = seconds * MS_PER_SECOND + ms;
            return TRUE;
        }
    }
    g_set_error_literal(error, FUNDAMENT_ERROR, FUNDAMENT_ERROR_INVALID,
                        "not a time as RFC 3339 writes it between 1970 and 9999, with a zone "
                        "(for example 2026-11-21T18:31:21.042Z)");
    return FALSE;
}
