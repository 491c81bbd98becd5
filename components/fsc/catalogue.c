/* The parts of the catalogue that need nothing but what they are given. */
#include "components/fsc/catalogue.h"

#include <string.h>

#include "core/format/json.h"

char *catalogue_page_path(const char *peer_id, const char *name, const char *delegator)
{
    g_autofree char *peer = g_uri_escape_string(peer_id, NULL, FALSE);
    g_autofree char *service = g_uri_escape_string(name, NULL, FALSE);
    g_autofree char *behalf = delegator == NULL ? NULL : g_uri_escape_string(delegator, NULL, FALSE);
    return behalf == NULL ? g_strdup_printf("/catalogus/%s/%s", peer, service)
                          : g_strdup_printf("/catalogus/%s/%s/%s", peer, service, behalf);
}

const char *catalogue_text(const json_t *description, const char *key, const char *language, const char **in)
{
    g_autofree char *english_key = g_strconcat(key, "_en", NULL);
    const char *dutch = json_string_at(description, key), *english = json_string_at(description, english_key);
    gboolean want_english = g_strcmp0(language, "en") == 0;
    *in = (want_english && english != NULL) || dutch == NULL ? "en" : "nl";
    return g_str_equal(*in, "en") ? english : dutch;
}

/* --- search --- */

/* Without regard to case, and to marks on letters. */
static char *folded(const char *text)
{
    g_autofree char *plain = g_str_to_ascii(text, "C");
    g_autofree char *normal = strchr(plain, '?') == NULL ? g_steal_pointer(&plain) : g_strdup(text);
    return g_utf8_casefold(normal, -1);
}

static void add_text(GString *all, const char *text)
{
    if (text == NULL)
        return;
    g_string_append(all, text);
    g_string_append_c(all, '\n');
}

/* Everything of a service in which a word may be looked for. */
static char *haystack(const json_t *service)
{
    static const char *const own[] = {"name", "peer_name", "peer_id", "delegator_name"};
    static const char *const described[] = {"title", "title_en", "description", "description_en"};
    const json_t *description = json_object_get(service, "description");
    const json_t *keywords = json_object_get(description, "keywords");
    g_autoptr(GString) all = g_string_new(NULL);
    for (gsize i = 0; i < G_N_ELEMENTS(own); i++)
        add_text(all, json_string_at(service, own[i]));
    for (gsize i = 0; i < G_N_ELEMENTS(described); i++)
        add_text(all, json_string_at(description, described[i]));
    for (gsize i = 0; i < json_array_size(keywords); i++)
        add_text(all, json_string_value(json_array_get(keywords, i)));
    return folded(all->str);
}

/* Every word of the question, somewhere. */
static gboolean has_words(const json_t *service, char **words)
{
    g_autofree char *text = haystack(service);
    for (; *words != NULL; words++)
        if (strstr(text, *words) == NULL)
            return FALSE;
    return TRUE;
}

static gboolean is_wanted(const json_t *service, const CatalogueFilter *filter, char **words)
{
    if (filter->peer_id != NULL && g_strcmp0(json_string_at(service, "peer_id"), filter->peer_id) != 0 &&
        g_strcmp0(json_string_at(service, "delegator"), filter->peer_id) != 0)
        return FALSE;
    if (filter->protocol != NULL && g_strcmp0(json_string_at(service, "protocol"), filter->protocol) != 0)
        return FALSE;
    return has_words(service, words);
}

json_t *catalogue_search(const json_t *services, const CatalogueFilter *filter)
{
    g_autofree char *wanted = folded(filter->text != NULL ? filter->text : "");
    g_auto(GStrv) words = g_strsplit_set(wanted, " \t\n", -1);
    json_t *found = json_array();
    for (gsize i = 0; i < json_array_size(services); i++) {
        json_t *service = json_array_get(services, i);
        if (is_wanted(service, filter, words))
            json_array_append(found, service);
    }
    return found;
}
