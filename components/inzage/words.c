#include "components/inzage/words.h"

#include <string.h>

#include "core/net/phrases.h"

#define PREFIX "inzage.data."

const char *phrase_or_null(const char *language, const char *key)
{
    const char *text = phrase(language, key);
    return text == key || strcmp(text, key) == 0 ? NULL : text;
}

char *identifier_words(const char *identifier)
{
    g_autoptr(GString) words = g_string_new(NULL);
    gunichar before = ' ';
    for (const char *at = identifier; *at != '\0'; at = g_utf8_next_char(at)) {
        gunichar letter = g_utf8_get_char(at);
        gboolean separator = letter == '_' || letter == '-' || letter == '.';
        if (g_unichar_isupper(letter) && g_unichar_islower(before))
            g_string_append_c(words, ' ');
        if (separator)
            g_string_append_c(words, ' ');
        else
            g_string_append_unichar(words, g_unichar_islower(before) ? g_unichar_tolower(letter) : letter);
        before = letter;
    }
    return g_strstrip(g_string_free(g_steal_pointer(&words), FALSE));
}

char *category_words(const char *language, const char *category)
{
    if (strchr(category, ' ') != NULL)
        return g_strdup(category);
    g_autofree char *key = g_strconcat(PREFIX, category, NULL);
    while (strlen(key) > strlen(PREFIX)) {
        const char *text = phrase_or_null(language, key);
        if (text != NULL)
            return g_strdup(text);
        char *dot = strrchr(key, '.');
        *dot = '\0';
    }
    const char *dot = strrchr(category, '.');
    return identifier_words(dot == NULL || dot[1] == '\0' ? category : dot + 1);
}

char **categories_words(const char *language, const char *const *categories)
{
    g_autoptr(GPtrArray) words = g_ptr_array_new_with_free_func(g_free);
    for (; *categories != NULL; categories++) {
        g_autofree char *text = category_words(language, *categories);
        if (!g_ptr_array_find_with_equal_func(words, text, g_str_equal, NULL))
            g_ptr_array_add(words, g_steal_pointer(&text));
    }
    g_ptr_array_add(words, NULL);
    return (char **)g_ptr_array_steal(words, NULL);
}

char *text_cut(const char *text, gsize max)
{
    if (g_utf8_strlen(text, -1) <= (glong)max)
        return g_strdup(text);
    g_autofree char *start = g_utf8_substring(text, 0, (glong)max - 1);
    return g_strconcat(g_strchomp(start), "…", NULL);
}

char **text_wrap(const char *text, gsize width, guint lines)
{
    g_auto(GStrv) words = g_strsplit_set(text, " \t\n", -1);
    GPtrArray *out = g_ptr_array_new();
    g_autoptr(GString) line = g_string_new(NULL);
    for (char **word = words; *word != NULL; word++) {
        glong length = g_utf8_strlen(line->str, -1) + g_utf8_strlen(*word, -1) + 1;
        if (line->len > 0 && length > (glong)width && out->len + 1 < lines) {
            g_ptr_array_add(out, text_cut(line->str, width));
            g_string_truncate(line, 0);
        }
        g_string_append_printf(line, "%s%s", line->len > 0 ? " " : "", *word);
    }
    g_ptr_array_add(out, text_cut(line->str, width));
    g_ptr_array_add(out, NULL);
    return (char **)g_ptr_array_free(out, FALSE);
}
