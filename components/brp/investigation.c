#include "components/brp/investigation.h"

#include <string.h>

#include "components/brp/date.h"
#include "core/format/json.h"

#define ABSENT "089999"

static const char *open_code(const json_t *investigation)
{
    const char *code = json_string_at(investigation, "aanduidingGegevensInOnderzoek");
    gboolean open =
        code != NULL && strlen(code) == 6 && json_object_get(investigation, "datumEindeOnderzoek") == NULL;
    return open ? code : NULL;
}

gboolean brp_investigation_is_absent(const json_t *investigation)
{
    return g_strcmp0(open_code(investigation), ABSENT) == 0;
}

static gboolean has_word(const char *words, const char *word, gsize length)
{
    g_auto(GStrv) list = g_strsplit(words, " ", -1);
    for (char **one = list; *one != NULL; one++)
        if (strncmp(*one, word, length) == 0)
            return TRUE;
    return FALSE;
}

/* Of the whole category, of the whole group, or of this one element. */
static gboolean concerns(const char *code, const char *elements)
{
    const char *element = code + 2;
    if (strcmp(element, "0000") == 0)
        return TRUE;
    gsize length = strcmp(element + 2, "00") == 0 ? 2 : 4;
    return has_word(elements, element, length);
}

gboolean brp_investigation_mark(json_t *group, const json_t *investigation, const char *categories,
                                const BrpElements *table, gsize n, const char *since)
{
    const char *code = open_code(investigation);
    if (code == NULL || !has_word(categories, code, 2))
        return FALSE;
    json_t *marks = json_object_get(group, "inOnderzoek");
    g_autoptr(json_t) found = marks != NULL ? json_incref(marks) : json_object();
    gboolean any = FALSE;
    for (gsize i = 0; i < n; i++) {
        if (!concerns(code, table[i].elements))
            continue;
        json_object_set_new(found, table[i].member, json_true());
        any = TRUE;
    }
    if (!any)
        return FALSE;
    json_t *day = brp_date(json_string_at(investigation, "datumIngangOnderzoek"));
    if (day != NULL)
        json_object_set_new(found, since, day);
    if (marks == NULL)
        json_object_set(group, "inOnderzoek", found);
    return TRUE;
}
