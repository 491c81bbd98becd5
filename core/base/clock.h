/* Time is handed in, never read: rules and tests see only a Clock. All times are UTC.
 * A Clock is immutable and may be shared between threads. */
#pragma once

#include <glib.h>

typedef struct clock Clock;

struct clock {
    gint64 (*now_us)(const Clock *clock); /* microseconds since the epoch */
    gint64 fixed_us;                      /* for clock_fixed() */
};

/* The wall clock of the machine. */
const Clock *clock_system(void);

/* A clock that stands still, for tests: `clock.fixed_us` may be moved by its owner. */
Clock clock_fixed(gint64 unix_seconds);

/* Microseconds, milliseconds and seconds since the epoch. */
gint64 clock_now_us(const Clock *clock);
gint64 clock_now_ms(const Clock *clock);
gint64 clock_now_s(const Clock *clock);

/* RFC 3339 in UTC with milliseconds, "2026-11-21T18:31:21.042Z". Caller frees. */
char *clock_format_rfc3339(gint64 unix_ms);

/* Parses RFC 3339 (a zone is required; fractions up to nanoseconds are cut to milliseconds) to milliseconds
 * since the epoch. FALSE with FUNDAMENT_ERROR_INVALID on anything else, years outside 1970..9999 and second
 * 60 included. */
gboolean clock_parse_rfc3339(const char *text, gint64 *unix_ms, GError **error);
