#include "core/net/phrases.h"

#include <string.h>

#include "core/base/asset.h"
#include "core/format/json.h"

#define FOLDER "locale/"
#define SUFFIX ".txt"
#define TIME_ZONE_DEFAULT "Europe/Amsterdam"

const Language languages[] = {
    {"nl", "Nederlands"},
    {"en", "English"},
};
const gsize languages_count = G_N_ELEMENTS(languages);

typedef struct {
    GHashTable *texts;      /* "component.key" -> text, without fallback */
    GHashTable *components; /* component -> json object, with fallback */
} Table;

static GHashTable *tables; /* language -> Table; constant after phrases_init() */

/* --- which language --- */

const char *language_find(const char *code)
{
    for (gsize i = 0; code != NULL && i < languages_count; i++)
        if (g_ascii_strcasecmp(languages[i].code, code) == 0)
            return languages[i].code;
    return NULL;
}

/* "en-GB;q=0.8": the language if we have it, and its weight in thousandths. */
static const char *read_range(char *range, guint *weight)
{
    char *parameters = strchr(range, ';');
    *weight = 1000;
    if (parameters != NULL) {
        *parameters++ = '\0';
        const char *q = strstr(parameters, "q=");
        if (q != NULL)
            *weight = (guint)(CLAMP(g_ascii_strtod(q + 2, NULL), 0.0, 1.0) * 1000);
    }
    g_strstrip(range);
    range[strcspn(range, "-")] = '\0';
    return language_find(range);
}

const char *language_negotiate(const char *accept_language)
{
    const char *best = languages[0].code;
    guint best_weight = 0;
    g_auto(GStrv) ranges = g_strsplit(accept_language == NULL ? "" : accept_language, ",", 20);
    for (guint i = 0; ranges[i] != NULL; i++) {
        guint weight;
        const char *code = read_range(ranges[i], &weight);
        if (code != NULL && weight > best_weight) {
            best = code;
            best_weight = weight;
        }
    }
    return best;
}

/* --- reading the tables --- */

static void table_free(gpointer data)
{
    Table *table = data;
    g_hash_table_unref(table->texts);
    g_hash_table_unref(table->components);
    g_free(table);
}

static Table *table_of(const char *language)
{
    Table *table = g_hash_table_lookup(tables, language);
    if (table == NULL) {
        table = g_new(Table, 1);
        table->texts = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
        table->components =
            g_hash_table_new_full(g_str_hash, g_str_equal, g_free, (GDestroyNotify)json_decref);
        g_hash_table_insert(tables, g_strdup(language), table);
    }
    return table;
}

static gboolean key_valid(const char *key)
{
    for (const char *c = key; *c != '\0'; c++)
        if (!g_ascii_isalnum(*c) && strchr("._-", *c) == NULL)
            return FALSE;
    return key[0] != '\0';
}

static void read_line(GHashTable *texts, const char *component, char *line, const char *file, guint number)
{
    g_strstrip(line);
    if (line[0] == '\0' || line[0] == '#')
        return;
    char *equals = strchr(line, '=');
    if (equals == NULL)
        g_error("%s:%u: no \"key = text\"", file, number);
    *equals = '\0';
    const char *key = g_strchomp(line);
    if (!key_valid(key))
        g_error("%s:%u: \"%s\" is no key: letters, digits, \".\", \"_\" and \"-\"", file, number, key);
    if (!g_hash_table_insert(texts, g_strconcat(component, ".", key, NULL), g_strdup(g_strchug(equals + 1))))
        g_error("%s:%u: \"%s\" is there already", file, number, key);
}

/* "locale/nl/layout.txt" */
static void read_table(const char *name, const char *bytes, gsize length, gpointer user_data)
{
    g_auto(GStrv) parts = g_strsplit(name, "/", 4);
    if (g_strv_length(parts) != 3 || !g_str_has_suffix(parts[2], SUFFIX))
        return;
    if (!g_utf8_validate(bytes, (gssize)length, NULL))
        g_error("%s: not UTF-8", name);
    g_autofree char *component = g_strndup(parts[2], strlen(parts[2]) - strlen(SUFFIX));
    GHashTable *texts = table_of(parts[1])->texts;
    g_auto(GStrv) lines = g_strsplit(bytes, "\n", -1);
    for (guint i = 0; lines[i] != NULL; i++)
        read_line(texts, component, lines[i], name, i + 1);
}

/* Puts "a.b" as member b of member a, so that a template can say {{t.a.b}}. Where "a" is a text itself (it
 * has a plural, "a.one") there is no such place, and only phrase() gives it. */
static void set_nested(json_t *object, const char *key, const char *text)
{
    const char *dot = strchr(key, '.');
    if (dot == NULL) {
        json_object_set_new(object, key, json_string(text));
        return;
    }
    g_autofree char *head = g_strndup(key, (gsize)(dot - key));
    json_t *inner = json_object_get(object, head);
    if (inner == NULL) {
        inner = json_object();
        json_object_set_new(object, head, inner);
    }
    if (json_is_object(inner))
        set_nested(inner, dot + 1, text);
}

/* Adds what a table has to the objects of its components, in the order of the keys ("days" before
 * "days.one"). */
static void add_texts(Table *into, const Table *from)
{
    g_autoptr(GList) keys = g_list_sort(g_hash_table_get_keys(from->texts), (GCompareFunc)strcmp);
    for (const GList *at = keys; at != NULL; at = at->next) {
        const char *key = at->data;
        const char *dot = strchr(key, '.');
        g_autofree char *component = g_strndup(key, (gsize)(dot - key));
        json_t *object = g_hash_table_lookup(into->components, component);
        if (object == NULL) {
            object = json_object();
            g_hash_table_insert(into->components, g_strdup(component), object);
        }
        set_nested(object, dot + 1, g_hash_table_lookup(from->texts, key));
    }
}

void phrases_init(void)
{
    static gsize initialised = 0;
    if (!g_once_init_enter(&initialised))
        return;
    tables = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, table_free);
    asset_each(FOLDER, read_table, NULL);
    const Table *dutch = table_of(languages[0].code);
    for (gsize i = 0; i < languages_count; i++) {
        Table *table = table_of(languages[i].code);
        add_texts(table, dutch);
        if (table != dutch)
            add_texts(table, table);
    }
    g_once_init_leave(&initialised, 1);
}

/* --- asking --- */

/* NULL when neither the language nor Dutch has it. */
static const char *find(const char *language, const char *key)
{
    phrases_init();
    const Table *table = g_hash_table_lookup(tables, language);
    const char *text = table == NULL ? NULL : g_hash_table_lookup(table->texts, key);
    if (text == NULL)
        text =
            g_hash_table_lookup(((const Table *)g_hash_table_lookup(tables, languages[0].code))->texts, key);
    return text;
}

const char *phrase(const char *language, const char *key)
{
    const char *text = find(language, key);
    return text == NULL ? key : text;
}

static const char *value_of(const GPtrArray *pairs, const char *name, gsize length)
{
    for (guint i = 0; i + 1 < pairs->len; i += 2)
        if (strlen(pairs->pdata[i]) == length && strncmp(pairs->pdata[i], name, length) == 0)
            return pairs->pdata[i + 1];
    return NULL;
}

/* A placeholder that nobody gave a value stays as it is, to be seen. */
static char *fill(const char *text, const GPtrArray *pairs)
{
    GString *out = g_string_new(NULL);
    for (const char *at = text; *at != '\0'; at++) {
        const char *close = *at == '{' ? strchr(at, '}') : NULL;
        const char *value = close == NULL ? NULL : value_of(pairs, at + 1, (gsize)(close - at - 1));
        if (value == NULL) {
            g_string_append_c(out, *at);
            continue;
        }
        g_string_append(out, value);
        at = close;
    }
    return g_string_free(out, FALSE);
}

char *phrase_format(const char *language, const char *key, ...)
{
    g_autoptr(GPtrArray) pairs = g_ptr_array_new();
    va_list arguments;
    va_start(arguments, key);
    for (char *name; (name = va_arg(arguments, char *)) != NULL;) {
        g_ptr_array_add(pairs, name);
        g_ptr_array_add(pairs, va_arg(arguments, char *));
    }
    va_end(arguments);
    const char *text = NULL;
    if (g_strcmp0(value_of(pairs, "n", 1), "1") == 0) {
        g_autofree char *singular = g_strconcat(key, ".one", NULL);
        text = find(language, singular);
    }
    return fill(text == NULL ? phrase(language, key) : text, pairs);
}

json_t *phrases_of(const char *language, const char *component)
{
    phrases_init();
    const Table *table =
        g_hash_table_lookup(tables, language_find(language) == NULL ? languages[0].code : language);
    json_t *object = g_hash_table_lookup(table->components, component);
    return object == NULL ? json_object() : json_copy(object);
}

static GDateTime *local_time(gint64 unix_ms, const char *time_zone)
{
    g_autoptr(GTimeZone) zone = g_time_zone_new_identifier(time_zone == NULL ? TIME_ZONE_DEFAULT : time_zone);
    if (zone == NULL)
        zone = g_time_zone_new_utc();
    g_autoptr(GDateTime) utc = g_date_time_new_from_unix_utc(unix_ms / 1000);
    return utc == NULL ? NULL : g_date_time_to_timezone(utc, zone);
}

static char *format_date(const char *language, GDateTime *when)
{
    g_autofree char *day = g_strdup_printf("%d", g_date_time_get_day_of_month(when));
    g_autofree char *month = g_strdup_printf("%d", g_date_time_get_month(when));
    g_autofree char *month_key = g_strconcat("layout.month.", month, NULL);
    g_autofree char *year = g_strdup_printf("%d", g_date_time_get_year(when));
    return phrase_format(language, "layout.date", "day", day, "month", phrase(language, month_key), "year",
                         year, NULL);
}

char *phrase_time(const char *language, gint64 unix_ms, const char *time_zone)
{
    g_autoptr(GDateTime) when = local_time(unix_ms, time_zone);
    if (when == NULL)
        return g_strdup("?");
    g_autofree char *date = format_date(language, when);
    g_autofree char *clock = g_date_time_format(when, "%H:%M");
    return phrase_format(language, "layout.time", "date", date, "clock", clock, NULL);
}

char *phrase_date(const char *language, gint64 unix_ms, const char *time_zone)
{
    g_autoptr(GDateTime) when = local_time(unix_ms, time_zone);
    return when == NULL ? g_strdup("?") : format_date(language, when);
}
