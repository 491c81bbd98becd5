#include "components/inzage/own_data.h"

#include <string.h>

#include "components/inzage/words.h"
#include "core/format/json.h"
#include "core/net/phrases.h"

#define FIELD_PREFIX "inzage.field."
#define VALUE_PREFIX "inzage.value."
#define VALUE_MAX_CHARACTERS 300
#define ORIGINAL_LANGUAGE "nl"
#define INVESTIGATION "inOnderzoek"

/* Members of a person, by section; what is in none stands in the last. */
static const struct {
    const char *title; /* of the phrase */
    const char *members[10];
} SECTIONS[] = {
    {"inzage.section.person",
     {"naam", "geslacht", "geboorte", "leeftijd", "overlijden", "burgerservicenummer", "aNummer"}},
    {"inzage.section.address",
     {"verblijfplaats", "adressering", "gemeenteVanInschrijving", "datumInschrijvingInGemeente",
      "datumEersteInschrijvingGBA", "immigratie", "geheimhoudingPersoonsgegevens"}},
    {"inzage.section.nationality", {"nationaliteiten", "verblijfstitel"}},
    {"inzage.section.partners", {"partners"}},
    {"inzage.section.parents", {"ouders"}},
    {"inzage.section.children", {"kinderen"}},
    {"inzage.section.authority", {"gezag", "indicatieGezagMinderjarige", "indicatieCurateleRegister"}},
    {"inzage.section.votes", {"europeesKiesrecht", "uitsluitingKiesrecht"}},
};

typedef struct {
    const char *language;
    json_t *items; /* of the section */
    json_t *rows;  /* of the item */
} Writer;

/* --- labels and values --- */

/* The phrase of the longest end of the path: "ouders.geboorte.datum", "geboorte.datum", "datum"; else the
 * last part as words. */
static char *label_of(const char *language, const char *path)
{
    for (const char *at = path; at != NULL; at = strchr(at, '.')) {
        at += *at == '.' ? 1 : 0;
        g_autofree char *key = g_strconcat(FIELD_PREFIX, at, NULL);
        const char *text = phrase_or_null(language, key);
        if (text != NULL)
            return g_strdup(text);
    }
    const char *dot = strrchr(path, '.');
    return identifier_words(dot == NULL ? path : dot + 1);
}

static json_t *value_in(const Writer *writer, const char *text, const char *text_language)
{
    g_autofree char *cut = text_cut(text, VALUE_MAX_CHARACTERS);
    gboolean same = text_language == NULL || strcmp(text_language, writer->language) == 0;
    return json_pack("{s:s, s:s*}", "text", cut, "lang", same ? NULL : text_language);
}

static char *month_year(const char *language, int year, int month)
{
    g_autofree char *key = g_strdup_printf("layout.month.%d", month);
    return g_strdup_printf("%s %d", phrase(language, key), year);
}

/* "1988-04-12". FALSE for another shape. */
static gboolean read_day(const char *text, int *year, int *month, int *day)
{
    if (strlen(text) != 10 || strspn(text, "0123456789-") != 10 || text[4] != '-' || text[7] != '-')
        return FALSE;
    *year = (int)g_ascii_strtoll(text, NULL, 10);
    *month = (int)g_ascii_strtoll(text + 5, NULL, 10);
    *day = (int)g_ascii_strtoll(text + 8, NULL, 10);
    return *month >= 1 && *day >= 1 && *day <= 31;
}

/* The date in the language of the page, as far as it is known; NULL when none of it is. */
static char *date_text(const char *language, const json_t *date)
{
    int year = (int)json_integer_at(date, "jaar"), month = (int)json_integer_at(date, "maand"), day = 0;
    const char *iso = json_string_at(date, "datum");
    if (iso != NULL && !read_day(iso, &year, &month, &day))
        return NULL;
    if (year < 1 || month < 0 || month > 12)
        return NULL;
    if (month == 0)
        return g_strdup_printf("%d", year);
    g_autofree char *rest = month_year(language, year, month);
    return day == 0 ? g_steal_pointer(&rest) : g_strdup_printf("%d %s", day, rest);
}

static json_t *date_value(const Writer *writer, const json_t *date)
{
    g_autofree char *text = date_text(writer->language, date);
    const char *words = json_string_at(date, "langFormaat");
    if (text != NULL)
        return value_in(writer, text, NULL);
    if (json_boolean_at(date, "onbekend"))
        return value_in(writer, phrase(writer->language, "inzage.unknown"), NULL);
    return value_in(writer, words != NULL ? words : "?", ORIGINAL_LANGUAGE);
}

static gboolean is_date(const json_t *value)
{
    return json_string_at(value, "langFormaat") != NULL ||
           (json_object_size(value) <= 2 && json_string_at(value, "datum") != NULL);
}

/* {"code", "omschrijving", "soort"?} */
static gboolean is_code(const json_t *value)
{
    const char *name;
    json_t *member;
    json_object_foreach((json_t *)value, name, member)
    {
        if (!json_is_string(member) ||
            (strcmp(name, "code") != 0 && strcmp(name, "omschrijving") != 0 && strcmp(name, "soort") != 0))
            return FALSE;
    }
    return json_object_size(value) > 0 &&
           (json_object_get(value, "code") != NULL || json_object_get(value, "omschrijving") != NULL);
}

static json_t *code_value(const Writer *writer, const json_t *value)
{
    const char *words = json_string_at(value, "omschrijving");
    return value_in(writer, words != NULL ? words : json_string_at(value, "code"), ORIGINAL_LANGUAGE);
}

/* Words of the API itself, such as "TweehoofdigOuderlijkGezag". */
static json_t *type_value(const Writer *writer, const char *type)
{
    g_autofree char *key = g_strconcat(VALUE_PREFIX, type, NULL);
    const char *text = phrase_or_null(writer->language, key);
    g_autofree char *words = identifier_words(type);
    return text != NULL ? value_in(writer, text, NULL) : value_in(writer, words, ORIGINAL_LANGUAGE);
}

static json_t *plain_value(const Writer *writer, const json_t *value)
{
    g_autofree char *text = NULL;
    switch (json_typeof(value)) {
    case JSON_STRING:
        return value_in(writer, json_string_value(value), NULL);
    case JSON_TRUE:
    case JSON_FALSE:
        return value_in(writer, phrase(writer->language, json_is_true(value) ? "inzage.yes" : "inzage.no"),
                        NULL);
    default:
        text = json_write(value);
        return value_in(writer, text, NULL);
    }
}

/* --- walking --- */

static void write_row(Writer *writer, const char *path, json_t *value, gboolean investigated)
{
    g_autofree char *label = label_of(writer->language, path);
    json_array_append_new(writer->rows, json_pack("{s:s, s:o, s:b}", "label", label, "value", value,
                                                  "investigated", (int)investigated));
}

static void begin_item(Writer *writer, const char *heading)
{
    json_t *item = json_object();
    writer->rows = json_array();
    if (heading != NULL)
        json_object_set_new(item, "heading", json_string(heading));
    json_object_set_new(item, "rows", writer->rows);
    json_array_append_new(writer->items, item);
}

static void write_value(Writer *writer, const char *path, const json_t *value, gboolean investigated);

/* What kind of thing an object is, is worth saying only where that is news. */
static gboolean type_is_told(const char *type)
{
    static const char *const USUAL[] = {"Adres", "Nationaliteit", "Persoon", NULL};
    return !g_strv_contains(USUAL, type);
}

static void write_named(Writer *writer, const char *path, const char *name, const json_t *value,
                        gboolean investigated)
{
    g_autofree char *below = path[0] == '\0' ? g_strdup(name) : g_strconcat(path, ".", name, NULL);
    if (strcmp(name, "type") != 0 || !json_is_string(value))
        write_value(writer, below, value, investigated);
    else if (type_is_told(json_string_value(value)))
        write_row(writer, below, type_value(writer, json_string_value(value)), investigated);
}

/* In the register's order, but a name before all else: it tells who the rest is about. */
static void write_object(Writer *writer, const char *path, const json_t *object, gboolean investigated)
{
    static const char *const FIRST = "naam";
    const json_t *marks = json_object_get(object, INVESTIGATION),
                 *since = json_object_get(marks, "datumIngangOnderzoek");
    const char *name;
    json_t *value;
    if (json_is_object(json_object_get(object, FIRST)))
        write_named(writer, path, FIRST, json_object_get(object, FIRST),
                    investigated || json_is_true(json_object_get(marks, FIRST)));
    json_object_foreach((json_t *)object, name, value)
    {
        gboolean written =
            strcmp(name, INVESTIGATION) == 0 || (strcmp(name, FIRST) == 0 && json_is_object(value));
        if (!written)
            write_named(writer, path, name, value,
                        investigated || json_is_true(json_object_get(marks, name)));
    }
    if (is_date(since))
        write_row(writer, "datumIngangOnderzoek", date_value(writer, since), TRUE);
}

static void write_value(Writer *writer, const char *path, const json_t *value, gboolean investigated)
{
    if (json_is_object(value) && is_date(value))
        write_row(writer, path, date_value(writer, value), investigated);
    else if (json_is_object(value) && is_code(value))
        write_row(writer, path, code_value(writer, value), investigated);
    else if (json_is_object(value))
        write_object(writer, path, value, investigated);
    else if (json_is_array(value))
        for (gsize i = 0; i < json_array_size(value); i++)
            write_value(writer, path, json_array_get(value, i), investigated);
    else if (!json_is_null(value))
        write_row(writer, path, plain_value(writer, value), investigated);
}

/* --- sections --- */

/* Each of several parents, children, ... is an item with a heading of its own. */
static void write_list(Writer *writer, const char *member, const json_t *list, gboolean investigated)
{
    g_autofree char *key = g_strconcat("inzage.item.", member, NULL);
    for (gsize i = 0; i < json_array_size(list); i++) {
        g_autofree char *n = g_strdup_printf("%zu", i + 1);
        g_autofree char *heading = json_array_size(list) > 1 && phrase_or_null(writer->language, key) != NULL
                                       ? phrase_format(writer->language, key, "number", n, NULL)
                                       : NULL;
        begin_item(writer, heading);
        write_value(writer, member, json_array_get(list, i), investigated);
    }
}

static void write_member(Writer *writer, const json_t *person, const char *member)
{
    const json_t *value = json_object_get(person, member);
    gboolean marked = json_is_true(json_object_get(json_object_get(person, INVESTIGATION), member));
    if (json_is_array(value)) {
        write_list(writer, member, value, marked);
        writer->rows = NULL;
    } else if (value != NULL) {
        if (writer->rows == NULL)
            begin_item(writer, NULL);
        write_value(writer, member, value, marked);
    }
}

static void drop_empty(json_t *items)
{
    for (gsize i = json_array_size(items); i > 0; i--)
        if (json_array_size(json_object_get(json_array_get(items, i - 1), "rows")) == 0)
            json_array_remove(items, i - 1);
}

static void add_section(json_t *sections, const char *title, json_t *items)
{
    drop_empty(items);
    if (json_array_size(items) > 0)
        json_array_append_new(sections, json_pack("{s:s, s:O}", "title", title, "items", items));
}

static gboolean in_a_section(const char *member)
{
    for (gsize i = 0; i < G_N_ELEMENTS(SECTIONS); i++)
        for (gsize j = 0; j < G_N_ELEMENTS(SECTIONS[i].members) && SECTIONS[i].members[j] != NULL; j++)
            if (strcmp(SECTIONS[i].members[j], member) == 0)
                return TRUE;
    return strcmp(member, INVESTIGATION) == 0;
}

json_t *own_data_sections(const json_t *person, const char *language)
{
    json_t *sections = json_array();
    for (gsize i = 0; i < G_N_ELEMENTS(SECTIONS); i++) {
        g_autoptr(json_t) items = json_array();
        Writer writer = {language, items, NULL};
        for (gsize j = 0; j < G_N_ELEMENTS(SECTIONS[i].members) && SECTIONS[i].members[j] != NULL; j++)
            write_member(&writer, person, SECTIONS[i].members[j]);
        add_section(sections, phrase(language, SECTIONS[i].title), items);
    }
    g_autoptr(json_t) items = json_array();
    Writer writer = {language, items, NULL};
    const char *name;
    json_t *value;
    json_object_foreach((json_t *)person, name, value) if (!in_a_section(name))
        write_member(&writer, person, name);
    add_section(sections, phrase(language, "inzage.section.other"), items);
    return sections;
}

gboolean own_data_investigated(const json_t *sections)
{
    gsize i, j, k;
    json_t *section, *item, *row;
    json_array_foreach(sections, i, section) json_array_foreach(json_object_get(section, "items"), j, item)
        json_array_foreach(json_object_get(item, "rows"), k,
                           row) if (json_boolean_at(row, "investigated")) return TRUE;
    return FALSE;
}
