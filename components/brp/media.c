#include "components/brp/media.h"

#include <string.h>

/* RFC 9110 12.4.2: weight 0 means "not this". */
static gboolean is_weight_zero(const char *value)
{
    return strspn(value, "0.") == strlen(value);
}

/* Every parameter but these may be anything. */
static gboolean parameters_fit(char **pieces)
{
    for (; *pieces != NULL; pieces++) {
        g_auto(GStrv) pair = g_strsplit(*pieces, "=", 2);
        if (pair[0] == NULL || pair[1] == NULL)
            continue;
        const char *name = g_strstrip(pair[0]), *value = g_strstrip(pair[1]);
        if (g_ascii_strcasecmp(name, "charset") == 0 && g_ascii_strcasecmp(value, "utf-8") != 0 &&
            g_ascii_strcasecmp(value, "\"utf-8\"") != 0)
            return FALSE;
        if (g_ascii_strcasecmp(name, "q") == 0 && is_weight_zero(value))
            return FALSE;
    }
    return TRUE;
}

static gboolean fits(const char *text, const char *const *types)
{
    g_auto(GStrv) pieces = g_strsplit(text, ";", 16);
    if (pieces[0] == NULL)
        return FALSE;
    g_strstrip(pieces[0]);
    for (; *types != NULL; types++)
        if (g_ascii_strcasecmp(pieces[0], *types) == 0)
            return parameters_fit(pieces + 1);
    return FALSE;
}

static gboolean is_blank(const char *text)
{
    return text == NULL || strspn(text, " \t") == strlen(text);
}

gboolean brp_media_is_sent_well(const char *content_type)
{
    static const char *const TYPES[] = {"application/json", NULL};
    return is_blank(content_type) || fits(content_type, TYPES);
}

gboolean brp_media_is_accepted(const char *accept)
{
    static const char *const TYPES[] = {"application/json", "application/*", "*/*", NULL};
    if (is_blank(accept))
        return TRUE;
    g_auto(GStrv) ranges = g_strsplit(accept, ",", 64);
    for (char **range = ranges; *range != NULL; range++)
        if (fits(*range, TYPES))
            return TRUE;
    return FALSE;
}
