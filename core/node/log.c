#include "core/node/log.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "core/base/identifiers.h"
#include "core/base/trace.h"

static gint threshold = LOG_INFO; /* atomic */
static _Thread_local char current_trace[TRACE_ID_SIZE];

void log_set_threshold(LogThreshold value)
{
    g_atomic_int_set(&threshold, (gint)value);
}

void log_set_trace(const char *trace_id)
{
    g_strlcpy(current_trace, trace_id != NULL ? trace_id : "", sizeof current_trace);
}

static const char *level_name(GLogLevelFlags level)
{
    if (level & G_LOG_LEVEL_ERROR)
        return "fatal";
    if (level & G_LOG_LEVEL_CRITICAL)
        return "error";
    if (level & G_LOG_LEVEL_WARNING)
        return "warning";
    return level & G_LOG_LEVEL_DEBUG ? "debug" : "info";
}

static LogThreshold level_rank(GLogLevelFlags level)
{
    if (level & (G_LOG_LEVEL_ERROR | G_LOG_LEVEL_CRITICAL | G_LOG_LEVEL_WARNING))
        return LOG_WARNING;
    return level & G_LOG_LEVEL_DEBUG ? LOG_DEBUG : LOG_INFO;
}

/* The length of a word in front of ": ", or 0. */
static gsize component_length(const char *message)
{
    gsize n = 0;
    while (n < 20 && (g_ascii_islower(message[n]) || message[n] == '-'))
        n++;
    return n > 0 && message[n] == ':' && message[n + 1] == ' ' ? n : 0;
}

/* Nine digits on their own that pass the 11-test. */
static gboolean is_bsn(const char *text, gsize digits)
{
    if (digits != 9)
        return FALSE;
    char number[10];
    memcpy(number, text, 9);
    number[9] = '\0';
    return bsn_valid(number);
}

static void append_quoted(GString *line, const char *text)
{
    g_string_append_c(line, '"');
    for (const char *c = text; *c != '\0'; c++) {
        gsize digits = strspn(c, "0123456789");
        if (digits > 0) {
            if (is_bsn(c, digits))
                g_string_append(line, "[number removed]");
            else
                g_string_append_len(line, c, (gssize)digits);
            c += digits - 1;
        } else if (*c == '"' || *c == '\\') {
            g_string_append_c(line, '\\');
            g_string_append_c(line, *c);
        } else if (*c == '\n') {
            g_string_append(line, "\\n");
        } else {
            g_string_append_c(line, g_ascii_iscntrl(*c) ? ' ' : *c);
        }
    }
    g_string_append_c(line, '"');
}

char *log_line(GLogLevelFlags level, const char *message, const char *trace_id)
{
    GString *line = g_string_sized_new(160);
    gsize component = component_length(message);
    g_string_append_printf(line, "level=%s component=%.*s msg=", level_name(level),
                           component > 0 ? (int)component : 4, component > 0 ? message : "node");
    append_quoted(line, component > 0 ? message + component + 2 : message);
    if (trace_id != NULL && *trace_id != '\0')
        g_string_append_printf(line, " trace=%s", trace_id);
    g_string_append_c(line, '\n');
    return g_string_free(line, FALSE);
}

static GLogWriterOutput write_line(GLogLevelFlags level, const GLogField *fields, gsize n_fields,
                                   gpointer user_data)
{
    const char *message = "";
    if ((gint)level_rank(level) < g_atomic_int_get(&threshold))
        return G_LOG_WRITER_HANDLED;
    for (gsize i = 0; i < n_fields; i++) {
        if (strcmp(fields[i].key, "MESSAGE") == 0)
            message = fields[i].value;
    }
    g_autofree char *line = log_line(level, message, current_trace);
    const char *rest = line;
    for (gsize left = strlen(line); left > 0;) { /* one write a line, so that lines of threads do not mix */
        ssize_t n = write(STDERR_FILENO, rest, left);
        if (n < 0 && errno != EINTR)
            break;
        rest += MAX(n, 0);
        left -= (gsize)MAX(n, 0);
    }
    return G_LOG_WRITER_HANDLED;
}

void log_start(void)
{
    g_log_set_writer_func(write_line, NULL, NULL);
}
