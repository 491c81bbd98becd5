/* What the sections and keys of the file mean: checked against the tables of their owners, with fallbacks
 * filled in. */
#include "core/node/config_private.h"

#include <string.h>

#include "core/node/suggest.h"

#define HOSTS "hosts"

struct config {
    char *path;
    ConfigText *text;
    GHashTable *families; /* "client" -> GPtrArray of borrowed names, NULL-terminated */
    GPtrArray *resolve;
};

typedef struct {
    guint line;
    char *text;
} Fault;

struct config_faults {
    GPtrArray *faults;
};

/* The tables, and the work on one file. */
typedef struct {
    const ConfigKey *const *tables;
    const gsize *counts;
    gsize n_tables;
    const char *folder;
    ConfigText *text;
    ConfigFaults *faults;
} Check;

static const char *const no_words[] = {NULL};

/* --- faults --- */

static void fault_free(gpointer pointer)
{
    Fault *fault = pointer;
    g_free(fault->text);
    g_free(fault);
}

ConfigFaults *config_faults_new(void)
{
    ConfigFaults *faults = g_new0(ConfigFaults, 1);
    faults->faults = g_ptr_array_new_with_free_func(fault_free);
    return faults;
}

void config_fault(ConfigFaults *faults, guint line, const char *format, ...)
{
    Fault *fault = g_new0(Fault, 1);
    va_list arguments;
    va_start(arguments, format);
    fault->line = line;
    fault->text = g_strdup_vprintf(format, arguments);
    va_end(arguments);
    g_ptr_array_add(faults->faults, fault);
}

gboolean config_faults_any(const ConfigFaults *faults)
{
    return faults->faults->len > 0;
}

static gint compare_faults(gconstpointer a, gconstpointer b)
{
    const Fault *const *left = a;
    const Fault *const *right = b;
    guint x = (*left)->line - 1; /* 0, no line, becomes the highest */
    guint y = (*right)->line - 1;
    return x < y ? -1 : x > y ? 1 : 0;
}

void config_faults_report(ConfigFaults *faults, const char *path, GPtrArray *out)
{
    g_ptr_array_sort(faults->faults, compare_faults);
    for (guint i = 0; i < faults->faults->len; i++) {
        const Fault *fault = faults->faults->pdata[i];
        g_ptr_array_add(out, fault->line > 0 ? g_strdup_printf("%s:%u: %s", path, fault->line, fault->text)
                                             : g_strdup_printf("%s: %s", path, fault->text));
    }
    g_ptr_array_unref(faults->faults);
    g_free(faults);
}

/* --- sections against the tables --- */

/* "client.*" fits "client.NAME". */
static gboolean section_fits(const char *pattern, const char *name)
{
    gsize length = strlen(pattern);
    if (length < 2 || strcmp(pattern + length - 2, ".*") != 0)
        return strcmp(pattern, name) == 0;
    return strncmp(pattern, name, length - 1) == 0 && name[length - 1] != '\0';
}

static gboolean is_family(const char *pattern)
{
    return g_str_has_suffix(pattern, ".*");
}

typedef void (*KeyFunction)(const ConfigKey *key, gpointer user_data);

static void each_key(const Check *check, KeyFunction function, gpointer user_data)
{
    for (gsize i = 0; i < check->n_tables; i++) {
        for (gsize j = 0; j < check->counts[i]; j++)
            function(&check->tables[i][j], user_data);
    }
}

typedef struct {
    const char *section;
    const char *key; /* the one looked for */
    const ConfigKey *found;
    GPtrArray *names; /* of the keys of this section, when not NULL */
    gboolean known;   /* the section is */
} Search;

static void search_key(const ConfigKey *key, gpointer user_data)
{
    Search *search = user_data;
    if (!section_fits(key->section, search->section))
        return;
    search->known = TRUE;
    if (search->names != NULL)
        g_ptr_array_add(search->names, (gpointer)key->key);
    if (search->key != NULL && strcmp(key->key, search->key) == 0)
        search->found = key;
}

static void collect_section(const ConfigKey *key, gpointer user_data)
{
    GPtrArray *names = user_data;
    if (!is_family(key->section))
        g_ptr_array_add(names, g_strdup(key->section));
    else
        g_ptr_array_add(names, g_strndup(key->section, strlen(key->section) - 2));
}

static void report_unknown_section(const Check *check, const ConfigSection *section)
{
    g_autoptr(GPtrArray) names = g_ptr_array_new_with_free_func(g_free);
    each_key(check, collect_section, names);
    g_ptr_array_add(names, g_strdup(HOSTS));
    g_ptr_array_add(names, NULL);
    const char *dot = strchr(section->name, '.');
    g_autofree char *family =
        dot == NULL ? g_strdup(section->name) : g_strndup(section->name, (gsize)(dot - section->name));
    g_autofree char *member = g_strdup_printf("%s.NAME", family);
    Search search = {.section = member};
    each_key(check, search_key, &search);
    const char *near = suggest(family, (const char *const *)names->pdata);
    if (search.known)
        config_fault(check->faults, section->line, "section [%s] needs a name: [%s]", section->name, member);
    else if (near != NULL && strcmp(near, family) == 0)
        config_fault(check->faults, section->line, "unknown section [%s]; did you mean [%s]?", section->name,
                     near);
    else if (near != NULL)
        config_fault(check->faults, section->line, "unknown section [%s]; did you mean [%s%s]?",
                     section->name, near, dot == NULL ? "" : dot);
    else
        config_fault(check->faults, section->line, "unknown section [%s]", section->name);
}

static void report_unknown_key(const Check *check, const ConfigEntry *entry, const Search *search)
{
    g_ptr_array_add(search->names, NULL);
    const char *near = suggest(entry->key, (const char *const *)search->names->pdata);
    if (near != NULL)
        config_fault(check->faults, entry->line, "unknown key \"%s\" in [%s]; did you mean \"%s\"?",
                     entry->key, search->section, near);
    else
        config_fault(check->faults, entry->line, "unknown key \"%s\" in [%s]", entry->key, search->section);
}

static void check_section(const Check *check, const ConfigSection *section)
{
    Search known = {.section = section->name};
    each_key(check, search_key, &known);
    if (!known.known) {
        report_unknown_section(check, section);
        return;
    }
    for (guint i = 0; i < section->entries->len; i++) {
        ConfigEntry *entry = section->entries->pdata[i];
        g_autoptr(GPtrArray) names = g_ptr_array_new();
        Search search = {.section = section->name, .key = entry->key, .names = names};
        each_key(check, search_key, &search);
        if (search.found == NULL)
            report_unknown_key(check, entry, &search);
        else
            config_value_check(entry, search.found, section->name, check->folder, check->faults);
    }
}

static void check_hosts(const Check *check, const ConfigSection *hosts)
{
    for (guint i = 0; i < hosts->entries->len; i++) {
        const ConfigEntry *entry = hosts->entries->pdata[i];
        if (!config_ip_valid(entry->text))
            config_fault(check->faults, entry->line, "%s: \"%s\": expected an IP address", entry->key,
                         entry->text);
    }
}

/* --- required keys and fallbacks --- */

static void complete_section(const Check *check, const ConfigKey *key, ConfigSection *section)
{
    if (g_hash_table_contains(section->by_key, key->key))
        return;
    if (key->required)
        config_fault(check->faults, section->line, "[%s] lacks the key \"%s\": %s", section->name, key->key,
                     key->help);
    if (key->fallback == NULL)
        return;
    ConfigEntry *entry = config_section_add(section, key->key, key->fallback, 0);
    config_value_check(entry, key, section->name, check->folder, check->faults);
}

static void complete_key(const ConfigKey *key, gpointer user_data)
{
    const Check *check = user_data;
    if (!is_family(key->section)) {
        ConfigSection *section = g_hash_table_lookup(check->text->by_name, key->section);
        if (section != NULL || key->required || key->fallback != NULL)
            complete_section(check, key, config_text_section(check->text, key->section, 0));
        return;
    }
    for (guint i = 0; i < check->text->sections->len; i++) {
        ConfigSection *section = check->text->sections->pdata[i];
        if (section_fits(key->section, section->name))
            complete_section(check, key, section);
    }
}

/* --- loading --- */

static GHashTable *families_of(const ConfigText *text)
{
    GHashTable *families =
        g_hash_table_new_full(g_str_hash, g_str_equal, g_free, (GDestroyNotify)g_ptr_array_unref);
    for (guint i = 0; i < text->sections->len; i++) {
        const ConfigSection *section = text->sections->pdata[i];
        const char *dot = strchr(section->name, '.');
        if (dot == NULL)
            continue;
        g_autofree char *family = g_strndup(section->name, (gsize)(dot - section->name));
        GPtrArray *names = g_hash_table_lookup(families, family);
        if (names == NULL) {
            names = g_ptr_array_new();
            g_ptr_array_add(names, NULL);
            g_hash_table_insert(families, g_steal_pointer(&family), names);
        }
        g_ptr_array_insert(names, (gint)names->len - 1, (gpointer)(dot + 1));
    }
    return families;
}

static GPtrArray *resolve_of(const ConfigText *text)
{
    GPtrArray *resolve = g_ptr_array_new_with_free_func(g_free);
    const ConfigSection *hosts = g_hash_table_lookup(text->by_name, HOSTS);
    for (guint i = 0; hosts != NULL && i < hosts->entries->len; i++) {
        const ConfigEntry *entry = hosts->entries->pdata[i];
        g_ptr_array_add(resolve, g_strdup_printf("%s:443:%s", entry->key, entry->text));
        g_ptr_array_add(resolve, g_strdup_printf("%s:8443:%s", entry->key, entry->text));
    }
    g_ptr_array_add(resolve, NULL);
    return resolve;
}

static void check_all(Check *check)
{
    guint n_sections = check->text->sections->len; /* completing adds some */
    for (guint i = 0; i < n_sections; i++) {
        const ConfigSection *section = check->text->sections->pdata[i];
        if (strcmp(section->name, HOSTS) == 0)
            check_hosts(check, section);
        else
            check_section(check, section);
    }
    each_key(check, complete_key, check);
}

static Config *config_new(const char *path, ConfigText *text)
{
    Config *config = g_new0(Config, 1);
    config->path = g_strdup(path);
    config->text = text;
    config->families = families_of(text);
    config->resolve = resolve_of(text);
    return config;
}

Config *config_parse_checked(const char *path, const char *text, gsize length, const ConfigKey *const *tables,
                             const gsize *counts, gsize n_tables, ConfigCheck check_more, gpointer user_data,
                             GPtrArray *faults)
{
    g_autofree char *absolute = g_canonicalize_filename(path, NULL);
    g_autofree char *folder = g_path_get_dirname(absolute);
    Check check = {.tables = tables,
                   .counts = counts,
                   .n_tables = n_tables,
                   .folder = folder,
                   .faults = config_faults_new()};
    check.text = config_scan(text, length, check.faults);
    if (check.text->sections->len > 0 || !config_faults_any(check.faults))
        check_all(&check); /* else there is nothing that a further fault could be about */
    g_autoptr(Config) config = config_new(path, check.text);
    if (check_more != NULL)
        check_more(config, check.faults, user_data);
    gboolean faulty = config_faults_any(check.faults);
    config_faults_report(check.faults, path, faults);
    return faulty ? NULL : g_steal_pointer(&config);
}

Config *config_parse(const char *path, const char *text, gsize length, const ConfigKey *const *tables,
                     const gsize *counts, gsize n_tables, GPtrArray *faults)
{
    return config_parse_checked(path, text, length, tables, counts, n_tables, NULL, NULL, faults);
}

Config *config_load(const char *path, const ConfigKey *const *tables, const gsize *counts, gsize n_tables,
                    GPtrArray *faults)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *text = NULL;
    gsize length = 0;
    if (!g_file_get_contents(path, &text, &length, &error)) {
        g_ptr_array_add(faults, g_strdup(error->message));
        return NULL;
    }
    return config_parse(path, text, length, tables, counts, n_tables, faults);
}

char **config_peek(const char *path, const char *section, const char *key)
{
    g_autofree char *text = NULL;
    gsize length = 0;
    if (!g_file_get_contents(path, &text, &length, NULL))
        return NULL;
    ConfigFaults *faults = config_faults_new();
    ConfigText *scanned = config_scan(text, length, faults);
    const ConfigSection *found = g_hash_table_lookup(scanned->by_name, section);
    const ConfigEntry *entry = found == NULL ? NULL : g_hash_table_lookup(found->by_key, key);
    char **words = entry == NULL ? NULL : config_words(entry->text);
    config_text_free(scanned);
    g_autoptr(GPtrArray) ignored = g_ptr_array_new_with_free_func(g_free);
    config_faults_report(faults, path, ignored);
    return words;
}

void config_free(Config *config)
{
    if (config == NULL)
        return;
    g_free(config->path);
    g_hash_table_unref(config->families);
    g_ptr_array_unref(config->resolve);
    config_text_free(config->text);
    g_free(config);
}

/* --- reading --- */

static const ConfigEntry *find(const Config *config, const char *section, const char *key)
{
    const ConfigSection *found = g_hash_table_lookup(config->text->by_name, section);
    return found == NULL ? NULL : g_hash_table_lookup(found->by_key, key);
}

const char *config_text(const Config *config, const char *section, const char *key)
{
    const ConfigEntry *entry = find(config, section, key);
    return entry == NULL ? NULL : entry->text;
}

gint64 config_integer(const Config *config, const char *section, const char *key)
{
    const ConfigEntry *entry = find(config, section, key);
    return entry == NULL ? 0 : entry->integer;
}

gboolean config_boolean(const Config *config, const char *section, const char *key)
{
    return config_integer(config, section, key) != 0;
}

const char *const *config_list(const Config *config, const char *section, const char *key)
{
    const ConfigEntry *entry = find(config, section, key);
    return entry == NULL || entry->list == NULL ? no_words : (const char *const *)entry->list;
}

const char *const *config_family(const Config *config, const char *family)
{
    const GPtrArray *names = g_hash_table_lookup(config->families, family);
    return names == NULL ? no_words : (const char *const *)names->pdata;
}

const char *const *config_resolve(const Config *config)
{
    return (const char *const *)config->resolve->pdata;
}

const char *config_host(const Config *config, const char *name)
{
    return config_text(config, HOSTS, name);
}

const char *config_path(const Config *config)
{
    return config->path;
}

guint config_line(const Config *config, const char *section, const char *key)
{
    const ConfigEntry *entry = find(config, section, key);
    return entry == NULL ? 0 : entry->line;
}

gboolean config_has_section(const Config *config, const char *section)
{
    const ConfigSection *found = g_hash_table_lookup(config->text->by_name, section);
    return found != NULL && found->line > 0;
}
