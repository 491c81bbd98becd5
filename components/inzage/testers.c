#include "components/inzage/testers.h"

#include <string.h>

#include "core/base/error.h"
#include "core/base/identifiers.h"
#include "core/format/json.h"

#define ADULT_YEARS 18

static void tester_free(gpointer data)
{
    Tester *tester = data;
    g_free(tester->bsn);
    g_free(tester->name);
    g_free(tester->birth);
    g_free(tester->town);
    g_free(tester);
}

static char *full_name(const json_t *name)
{
    const char *parts[] = {json_string_at(name, "voornamen"), json_string_at(name, "voorvoegsel"),
                           json_string_at(name, "geslachtsnaam")};
    g_autoptr(GString) out = g_string_new(NULL);
    for (gsize i = 0; i < G_N_ELEMENTS(parts); i++) {
        g_autofree char *part = g_strstrip(g_strdup(parts[i] != NULL ? parts[i] : ""));
        g_string_append_printf(out, "%s%s", out->len > 0 && part[0] != '\0' ? " " : "", part);
    }
    return out->len > 0 ? g_string_free(g_steal_pointer(&out), FALSE) : NULL;
}

static gboolean is_date(const char *text)
{
    return text != NULL && strlen(text) == 8 && strspn(text, "0123456789") == 8;
}

static gint64 number_of(const char *digits)
{
    return g_ascii_strtoll(digits, NULL, 10);
}

static Tester *tester_of(const json_t *person, const char *today)
{
    const char *bsn = json_string_at(person, "burgerservicenummer");
    const char *birth = json_string_at(json_object_get(person, "geboorte"), "datum");
    char *name = full_name(json_object_get(person, "naam"));
    if (!bsn_valid(bsn) || name == NULL) {
        g_free(name);
        return NULL;
    }
    Tester *tester = g_new0(Tester, 1);
    tester->bsn = g_strdup(bsn);
    tester->name = name;
    tester->birth = is_date(birth) ? g_strdup(birth) : NULL;
    tester->town = g_strdup(json_string_at(json_object_get(person, "verblijfplaats"), "woonplaats"));
    tester->adult =
        tester->birth == NULL || number_of(tester->birth) + ADULT_YEARS * 10000 <= number_of(today);
    tester->alive = json_object_get(person, "overlijden") == NULL;
    return tester;
}

static gint in_order(gconstpointer a, gconstpointer b)
{
    const Tester *left = *(const Tester *const *)a, *right = *(const Tester *const *)b;
    gboolean left_first = left->alive && left->adult, right_first = right->alive && right->adult;
    if (left_first != right_first)
        return left_first ? -1 : 1;
    const char *left_last = strrchr(left->name, ' '), *right_last = strrchr(right->name, ' ');
    int by_surname = g_utf8_collate(left_last != NULL ? left_last + 1 : left->name,
                                    right_last != NULL ? right_last + 1 : right->name);
    int by_name = by_surname != 0 ? by_surname : g_utf8_collate(left->name, right->name);
    return by_name != 0 ? by_name : strcmp(left->bsn, right->bsn);
}

GPtrArray *testers_load(const char *path, const char *today, GError **error)
{
    const JsonLimits limits = {.bytes = 64 * 1024 * 1024, .depth = 32, .values = 10 * 1000 * 1000};
    g_autoptr(json_t) persons = json_read_file(path, &limits, error);
    if (persons == NULL)
        return NULL;
    if (!json_is_array(persons)) {
        g_set_error(error, FUNDAMENT_ERROR, FUNDAMENT_ERROR_INVALID, "%s: must be a list of persons", path);
        return NULL;
    }
    GPtrArray *testers = g_ptr_array_new_with_free_func(tester_free);
    for (gsize i = 0; i < json_array_size(persons); i++) {
        Tester *tester = tester_of(json_array_get(persons, i), today);
        if (tester != NULL)
            g_ptr_array_add(testers, tester);
    }
    g_ptr_array_sort(testers, in_order);
    return testers;
}

GPtrArray *testers_search(const GPtrArray *testers, const char *words)
{
    GPtrArray *found = g_ptr_array_new();
    for (guint i = 0; testers != NULL && i < testers->len; i++) {
        const Tester *tester = testers->pdata[i];
        if (words == NULL || words[0] == '\0' || g_str_match_string(words, tester->name, TRUE))
            g_ptr_array_add(found, (gpointer)tester);
    }
    return found;
}

const Tester *testers_find(const GPtrArray *testers, const char *bsn)
{
    for (guint i = 0; testers != NULL && bsn != NULL && i < testers->len; i++) {
        const Tester *tester = testers->pdata[i];
        if (strcmp(tester->bsn, bsn) == 0)
            return tester;
    }
    return NULL;
}
