/* Log lines: one line an event on stderr, "level=info component=fsc msg=\"...\" trace=...".
 *
 * Everybody writes with g_message() (info), g_warning(), g_critical() and g_debug(); "fsc: text" at the front
 * of a message names the component. What looks like a BSN is blotted out: it should never have been written,
 * and here it stops. */
#pragma once

#include <glib.h>

typedef enum { LOG_DEBUG, LOG_INFO, LOG_WARNING } LogThreshold;

/* Takes over GLib's log writer. Called once, before threads are made. */
void log_start(void);
void log_set_threshold(LogThreshold threshold);

/* The trace that this thread works for; NULL for none. Copied. */
void log_set_trace(const char *trace_id);

/* The line for a message, with its line feed. Caller frees. Pure but for `trace`. */
char *log_line(GLogLevelFlags level, const char *message, const char *trace_id);
