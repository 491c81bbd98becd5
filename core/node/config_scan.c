/* From text to sections and entries, without knowing what they mean. */
#include "core/node/config_private.h"

#include <string.h>

static void entry_free(gpointer pointer)
{
    ConfigEntry *entry = pointer;
    g_free(entry->key);
    g_free(entry->text);
    g_strfreev(entry->list);
    g_free(entry);
}

static void section_free(gpointer pointer)
{
    ConfigSection *section = pointer;
    g_free(section->name);
    g_hash_table_unref(section->by_key);
    g_ptr_array_unref(section->entries);
    g_free(section);
}

static ConfigText *text_new(void)
{
    ConfigText *text = g_new0(ConfigText, 1);
    text->sections = g_ptr_array_new_with_free_func(section_free);
    text->by_name = g_hash_table_new(g_str_hash, g_str_equal);
    return text;
}

void config_text_free(ConfigText *text)
{
    g_hash_table_unref(text->by_name);
    g_ptr_array_unref(text->sections);
    g_free(text);
}

ConfigSection *config_text_section(ConfigText *text, const char *name, guint line)
{
    ConfigSection *section = g_hash_table_lookup(text->by_name, name);
    if (section != NULL)
        return section;
    section = g_new0(ConfigSection, 1);
    section->name = g_strdup(name);
    section->line = line;
    section->entries = g_ptr_array_new_with_free_func(entry_free);
    section->by_key = g_hash_table_new(g_str_hash, g_str_equal);
    g_ptr_array_add(text->sections, section);
    g_hash_table_insert(text->by_name, section->name, section);
    return section;
}

ConfigEntry *config_section_add(ConfigSection *section, const char *key, const char *value, guint line)
{
    ConfigEntry *entry = g_new0(ConfigEntry, 1);
    entry->key = g_strdup(key);
    entry->text = g_strdup(value);
    entry->line = line;
    g_ptr_array_add(section->entries, entry);
    g_hash_table_insert(section->by_key, entry->key, entry);
    return entry;
}

static gboolean name_valid(const char *name)
{
    if (*name == '\0')
        return FALSE;
    for (const char *c = name; *c != '\0'; c++) {
        if (!g_ascii_isalnum(*c) && strchr("._-", *c) == NULL)
            return FALSE;
    }
    return TRUE;
}

/* A comment begins at a "#" that begins the line or has white space before it, so that values may hold one.
 */
static void cut_comment(char *line)
{
    for (char *c = line; *c != '\0'; c++) {
        if (*c == '#' && (c == line || g_ascii_isspace(c[-1]))) {
            *c = '\0';
            return;
        }
    }
}

/* `line` is "[name]". NULL after a fault. */
static ConfigSection *scan_section(ConfigText *text, char *line, guint number, ConfigFaults *faults)
{
    gsize length = strlen(line);
    if (line[length - 1] != ']') {
        config_fault(faults, number, "a section is written as [name] on a line of its own");
        return NULL;
    }
    line[length - 1] = '\0';
    char *name = g_strstrip(line + 1);
    if (!name_valid(name)) {
        config_fault(faults, number,
                     "the name of a section holds letters, digits, \".\", \"_\" and \"-\" only");
        return NULL;
    }
    ConfigSection *section = g_hash_table_lookup(text->by_name, name);
    if (section != NULL) {
        config_fault(faults, number, "section [%s] is there already, at line %u; put its keys together", name,
                     section->line);
        return section;
    }
    return config_text_section(text, name, number);
}

/* `line` is "key = value". */
static void scan_entry(ConfigSection *section, char *line, guint number, ConfigFaults *faults)
{
    char *equals = strchr(line, '=');
    if (equals == NULL) {
        config_fault(faults, number, "expected [section], key = value or a comment that begins with \"#\"");
        return;
    }
    *equals = '\0';
    const char *key = g_strstrip(line);
    const char *value = g_strstrip(equals + 1);
    if (!name_valid(key)) {
        config_fault(faults, number, "the name of a key holds letters, digits, \".\", \"_\" and \"-\" only");
        return;
    }
    const ConfigEntry *before = g_hash_table_lookup(section->by_key, key);
    if (before != NULL) {
        config_fault(faults, number, "key \"%s\" is there already, at line %u; keep one of the two", key,
                     before->line);
        return;
    }
    config_section_add(section, key, value, number);
}

static gboolean text_acceptable(const char *text, gsize length, ConfigFaults *faults)
{
    const char *end = NULL;
    if (length > CONFIG_MAX_BYTES) {
        config_fault(faults, 0, "the file is larger than %d bytes", CONFIG_MAX_BYTES);
        return FALSE;
    }
    if (g_utf8_validate_len(text, length, &end))
        return TRUE;
    guint line = 1;
    for (const char *c = text; c < end; c++)
        line += *c == '\n' ? 1 : 0;
    config_fault(faults, line, "the text is not UTF-8, or holds a NUL");
    return FALSE;
}

ConfigText *config_scan(const char *text, gsize length, ConfigFaults *faults)
{
    ConfigText *result = text_new();
    if (!text_acceptable(text, length, faults))
        return result;
    g_autofree char *copy = g_strndup(text, length);
    ConfigSection *section = NULL;
    gboolean skipping = FALSE; /* below a section that was refused: one fault is enough */
    guint number = 0;
    for (char *rest = copy, *line; rest != NULL;) {
        line = rest;
        rest = strchr(line, '\n');
        if (rest != NULL)
            *rest++ = '\0';
        number++;
        cut_comment(line);
        line = g_strstrip(line);
        if (*line == '\0')
            continue;
        if (*line == '[') {
            section = scan_section(result, line, number, faults);
            skipping = section == NULL;
        } else if (section != NULL) {
            scan_entry(section, line, number, faults);
        } else if (!skipping) {
            config_fault(faults, number, "a key must stand below a [section]");
            skipping = TRUE;
        }
    }
    return result;
}
