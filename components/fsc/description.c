#include "components/fsc/description.h"

#include <string.h>

#include "core/base/error.h"
#include "core/format/json.h"

#define WORD_MAX 100
#define EMAIL_MAX 254 /* RFC 5321 4.5.3.1.3 */

const DescriptionField description_fields[] = {
    {"title", DESCRIPTION_TEXT, 200},          {"title_en", DESCRIPTION_TEXT, 200},
    {"description", DESCRIPTION_TEXT, 4000},   {"description_en", DESCRIPTION_TEXT, 4000},
    {"contact_name", DESCRIPTION_TEXT, 200},   {"contact_email", DESCRIPTION_EMAIL, EMAIL_MAX},
    {"contact_url", DESCRIPTION_IRI, 2000},    {"licence", DESCRIPTION_IRI, 2000},
    {"access_rights", DESCRIPTION_RIGHTS, 20}, {"openapi", DESCRIPTION_IRI, 2000},
    {"documentation", DESCRIPTION_IRI, 2000},  {"endpoint", DESCRIPTION_IRI, 2000},
    {"theme", DESCRIPTION_THEMES, 5},          {"keywords", DESCRIPTION_KEYWORDS, 20},
};
const gsize description_fields_count = G_N_ELEMENTS(description_fields);

/* http://publications.europa.eu/resource/authority/data-theme/ */
static const DescriptionCode themes[] = {
    {"AGRI", "AGRI", "landbouw, visserij, bosbouw en voeding", "agriculture, fisheries, forestry and food"},
    {"ECON", "ECON", "economie en financiën", "economy and finance"},
    {"EDUC", "EDUC", "onderwijs, cultuur en sport", "education, culture and sport"},
    {"ENER", "ENER", "energie", "energy"},
    {"ENVI", "ENVI", "milieu", "environment"},
    {"GOVE", "GOVE", "overheid en publieke sector", "government and public sector"},
    {"HEAL", "HEAL", "gezondheid", "health"},
    {"INTR", "INTR", "internationale vraagstukken", "international issues"},
    {"JUST", "JUST", "justitie, rechtsstelsel en openbare veiligheid",
     "justice, legal system and public safety"},
    {"REGI", "REGI", "regio's en steden", "regions and cities"},
    {"SOCI", "SOCI", "bevolking en samenleving", "population and society"},
    {"TECH", "TECH", "wetenschap en technologie", "science and technology"},
    {"TRAN", "TRAN", "vervoer", "transport"},
};

/* http://publications.europa.eu/resource/authority/access-right/ */
static const DescriptionCode rights[] = {
    {"public", "PUBLIC", "openbaar", "public"},
    {"restricted", "RESTRICTED", "beperkt toegankelijk", "restricted"},
    {"non-public", "NON_PUBLIC", "niet-openbaar", "non-public"},
};

static const DescriptionCode *find_code(const DescriptionCode *table, gsize count, const char *word)
{
    for (gsize i = 0; i < count; i++)
        if (g_strcmp0(table[i].word, word) == 0)
            return &table[i];
    return NULL;
}

const DescriptionCode *description_theme(const char *word)
{
    return find_code(themes, G_N_ELEMENTS(themes), word);
}

const DescriptionCode *description_rights(const char *word)
{
    return find_code(rights, G_N_ELEMENTS(rights), word);
}

/* --- values --- */

gboolean description_iri_valid(const char *text)
{
    const char *rest = g_str_has_prefix(text, "https://")  ? text + strlen("https://")
                       : g_str_has_prefix(text, "http://") ? text + strlen("http://")
                                                           : "";
    if (!g_ascii_isalnum(*rest) && *rest != '[')
        return FALSE;
    for (const char *c = text; *c != '\0'; c++)
        if (!g_ascii_isgraph(*c) || strchr("<>\"{}|\\^`", *c) != NULL ||
            (*c == '%' && !(g_ascii_isxdigit(c[1]) && g_ascii_isxdigit(c[2]))))
            return FALSE;
    return TRUE;
}

gboolean description_email_valid(const char *text)
{
    const char *at = strchr(text, '@');
    if (at == NULL || at == text || at[1] == '\0' || strlen(text) > EMAIL_MAX)
        return FALSE;
    for (const char *c = text; *c != '\0'; c++)
        if (c != at && !g_ascii_isalnum(*c) && strchr(c < at ? ".!#$&'*+-/=?^_{|}~" : ".-", *c) == NULL)
            return FALSE;
    /* What RFC 6068 wants encoded in a mailto: IRI is not worth having. */
    return strpbrk(text, "^{|}?&#") == NULL;
}

/* White space between words may hold line ends; nothing else that steers. */
static gboolean text_valid(const char *text, gsize max)
{
    if (*text == '\0' || strlen(text) > max || !json_text_valid(text, -1))
        return FALSE;
    for (const char *c = text; *c != '\0'; c = g_utf8_next_char(c)) {
        gunichar letter = g_utf8_get_char(c);
        if (letter != '\n' && (g_unichar_iscntrl(letter) || g_unichar_type(letter) == G_UNICODE_FORMAT))
            return FALSE;
    }
    return TRUE;
}

/* What must be, or NULL when the text is right. */
static const char *text_fault(const DescriptionField *field, const char *text)
{
    switch (field->kind) {
    case DESCRIPTION_IRI:
        return strlen(text) <= field->max && description_iri_valid(text) ? NULL
                                                                         : "must be an http or https address";
    case DESCRIPTION_EMAIL:
        return description_email_valid(text) ? NULL : "must be an e-mail address";
    case DESCRIPTION_RIGHTS:
        return description_rights(text) != NULL ? NULL : "must be public, restricted or non-public";
    default:
        return text_valid(text, field->max) ? NULL
                                            : "must be text, without control characters, and not that long";
    }
}

static const char *list_fault(const DescriptionField *field, const json_t *list)
{
    if (!json_is_array(list) || json_array_size(list) > field->max)
        return field->kind == DESCRIPTION_THEMES ? "must be at most 5 themes" : "must be at most 20 words";
    for (gsize i = 0; i < json_array_size(list); i++) {
        const char *word = json_string_value(json_array_get(list, i));
        if (word == NULL || !text_valid(word, WORD_MAX))
            return "must be a list of words";
        if (field->kind == DESCRIPTION_THEMES && description_theme(word) == NULL)
            return "must be codes of the European list of themes: AGRI ECON EDUC ENER ENVI GOVE HEAL INTR "
                   "JUST "
                   "REGI SOCI TECH TRAN";
    }
    return NULL;
}

static gboolean is_list(const DescriptionField *field)
{
    return field->kind == DESCRIPTION_THEMES || field->kind == DESCRIPTION_KEYWORDS;
}

static const char *value_fault(const DescriptionField *field, const json_t *value)
{
    if (is_list(field))
        return list_fault(field, value);
    return json_is_string(value) ? text_fault(field, json_string_value(value)) : "must be text";
}

/* --- descriptions --- */

static json_t *take(const json_t *object, const char *path, GError **error)
{
    json_t *taken = json_object();
    for (gsize i = 0; i < description_fields_count; i++) {
        const DescriptionField *field = &description_fields[i];
        json_t *value = json_object_get(object, field->key);
        const char *fault = value == NULL ? NULL : value_fault(field, value);
        if (value != NULL && fault == NULL)
            json_object_set(taken, field->key, value);
        if (fault != NULL && error != NULL) {
            g_set_error(error, FUNDAMENT_ERROR, FUNDAMENT_ERROR_INVALID, "%s%s: %s", path, field->key, fault);
            json_decref(taken);
            return NULL;
        }
    }
    return taken;
}

json_t *description_clean(const json_t *object)
{
    return take(object, "", NULL);
}

json_t *description_check(const json_t *object, const char *path, GError **error)
{
    g_autoptr(GError) fault = NULL;
    json_t *taken = take(object, path, &fault);
    if (taken == NULL)
        g_propagate_error(error, g_steal_pointer(&fault));
    return taken;
}

json_t *description_from_config(const Config *config, const char *section, GError **error)
{
    g_autoptr(json_t) object = json_object();
    g_autofree char *path = g_strdup_printf("node.conf: [%s] ", section);
    for (gsize i = 0; i < description_fields_count; i++) {
        const DescriptionField *field = &description_fields[i];
        if (strcmp(field->key, "endpoint") == 0)
            continue; /* that is [fsc] inway_address */
        if (!is_list(field)) {
            const char *text = config_text(config, section, field->key);
            if (text != NULL)
                json_object_set_new(object, field->key, json_string(text));
            continue;
        }
        const char *const *words = config_list(config, section, field->key);
        json_t *list = json_array();
        for (; *words != NULL; words++)
            json_array_append_new(list, json_string(*words));
        if (json_array_size(list) > 0)
            json_object_set(object, field->key, list);
        json_decref(list);
    }
    return description_check(object, path, error);
}
