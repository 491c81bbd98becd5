#include "components/brp/name.h"

#include <string.h>

#include "components/brp/mapping.h"
#include "core/format/json.h"

/* The first letter of a word; 0 when it has none. */
static gunichar first_letter(const char *word)
{
    for (const char *c = word; *c != '\0'; c = g_utf8_next_char(c))
        if (g_unichar_isalpha(g_utf8_get_char(c)))
            return g_utf8_get_char(c);
    return 0;
}

char *brp_initials(const char *given_names)
{
    if (given_names == NULL)
        return NULL;
    g_auto(GStrv) words = g_strsplit_set(given_names, " \t", -1);
    g_autoptr(GString) out = g_string_new(NULL);
    gboolean needs_space = FALSE;
    for (char **word = words; *word != NULL; word++) {
        gunichar letter = first_letter(*word);
        if (letter == 0)
            continue;
        if (needs_space)
            g_string_append_c(out, ' ');
        g_string_append_unichar(out, letter);
        needs_space = g_utf8_strlen(*word, -1) == 1;
        if (!needs_space)
            g_string_append_c(out, '.');
    }
    return out->len > 0 ? g_string_free(g_steal_pointer(&out), FALSE) : NULL;
}

static void append_words(GString *out, const char *text)
{
    g_auto(GStrv) words = g_strsplit_set(text, " \t", -1);
    for (char **word = words; *word != NULL; word++) {
        if ((*word)[0] == '\0')
            continue;
        if (out->len > 0)
            g_string_append_c(out, ' ');
        g_string_append(out, *word);
    }
}

char *brp_join(const char *const *parts, gsize n)
{
    g_autoptr(GString) out = g_string_new(NULL);
    for (gsize i = 0; i < n; i++)
        if (parts[i] != NULL)
            append_words(out, parts[i]);
    return out->len > 0 ? g_string_free(g_steal_pointer(&out), FALSE) : NULL;
}

const BrpNobility *brp_nobility_of(const json_t *name)
{
    return brp_nobility(brp_code(name, "adellijkeTitelPredicaat"));
}

/* The form for the gender, else the word of the code itself. */
static const char *noble_word(const BrpNobility *nobility, BrpGender gender)
{
    const char *form = brp_nobility_form(nobility, gender);
    return form != NULL ? form : nobility->own;
}

char *brp_full_name(const json_t *name, BrpGender gender)
{
    const BrpNobility *nobility = brp_nobility_of(name);
    const char *word = nobility != NULL ? noble_word(nobility, gender) : NULL;
    gboolean before = nobility != NULL && nobility->is_predicate;
    const char *parts[] = {before ? word : NULL, json_string_at(name, "voornamen"), before ? NULL : word,
                           json_string_at(name, "voorvoegsel"), brp_known(name, "geslachtsnaam")};
    return brp_join(parts, G_N_ELEMENTS(parts));
}
