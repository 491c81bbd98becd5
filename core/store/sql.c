/* Parameters in SQL text: both engines get the same statements, so their one difference is bridged here. */
#include "core/store/store_private.h"

#include <string.h>

#include "core/base/error.h"

#define PARAMETER_MAX 999

/* The end of the quoted text or comment that starts at `p`, or `p` itself when none starts there. A doubled
 * quote ends one quoted text and starts the next, which comes to the same. */
static const char *skip_quoted(const char *p)
{
    const char *end = p;
    if (*p == '\'' || *p == '"') {
        end = strchr(p + 1, *p);
    } else if (p[0] == '-' && p[1] == '-') {
        end = strchr(p, '\n');
    } else if (p[0] == '/' && p[1] == '*') {
        end = strstr(p + 2, "*/");
        end = end != NULL ? end + 1 : NULL;
    } else {
        return p;
    }
    return end != NULL ? end + 1 : p + strlen(p);
}

gboolean sql_parameters(const char *sql, GString *dollars, guint *highest, GError **error)
{
    *highest = 0;
    for (const char *p = sql; *p != '\0';) {
        const char *next = skip_quoted(p);
        if (next == p && *p == '?') {
            char *end = NULL;
            guint64 number = g_ascii_isdigit(p[1]) ? g_ascii_strtoull(p + 1, &end, 10) : 0;
            if (number == 0 || number > PARAMETER_MAX) {
                g_set_error(error, FUNDAMENT_ERROR, FUNDAMENT_ERROR_INTERNAL,
                            "parameters are written ?1 to ?%d, not as at byte %" G_GSIZE_FORMAT " of: %s",
                            PARAMETER_MAX, (gsize)(p - sql), sql);
                return FALSE;
            }
            *highest = MAX(*highest, (guint)number);
            if (dollars != NULL) {
                g_string_append_printf(dollars, "$%u", (guint)number);
            }
            p = end;
            continue;
        }
        if (next == p) {
            next = p + 1;
        }
        if (dollars != NULL) {
            g_string_append_len(dollars, p, next - p);
        }
        p = next;
    }
    return TRUE;
}

gboolean sql_values_match(const char *sql, guint highest, gsize n_values, GError **error)
{
    if (highest == n_values) {
        return TRUE;
    }
    g_set_error(error, FUNDAMENT_ERROR, FUNDAMENT_ERROR_INTERNAL,
                "the statement has %u parameters but got %" G_GSIZE_FORMAT " values: %s", highest, n_values,
                sql);
    return FALSE;
}
