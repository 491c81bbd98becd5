/* The kinds of values. */
#include "core/node/config_private.h"

#include <arpa/inet.h>
#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/base/identifiers.h"
#include "core/node/suggest.h"

static const struct {
    const char *unit;
    gint64 factor;
} units[] = {
    {"", 1},      {"s", 1},      {"m", 60},        {"h", 3600},
    {"d", 86400}, {"KiB", 1024}, {"MiB", 1048576}, {"GiB", 1073741824},
};

static gboolean parse_integer(const char *text, gint64 *out)
{
    guint64 number = 0;
    const char *c = text;
    if (!g_ascii_isdigit(*c))
        return FALSE;
    for (; g_ascii_isdigit(*c); c++) {
        number = number * 10 + (guint64)(*c - '0');
        if (number > G_MAXINT64 / 16)
            return FALSE;
    }
    for (gsize i = 0; i < G_N_ELEMENTS(units); i++) {
        if (strcmp(c, units[i].unit) == 0 && number <= (guint64)(G_MAXINT64 / units[i].factor)) {
            *out = (gint64)number * units[i].factor;
            return TRUE;
        }
    }
    return FALSE;
}

gboolean config_ip_valid(const char *text)
{
    guint8 bytes[sizeof(struct in6_addr)];
    return inet_pton(AF_INET, text, bytes) == 1 || inet_pton(AF_INET6, text, bytes) == 1;
}

/* "127.0.0.1:443" or "[::1]:443". */
static gboolean address_valid(const char *text)
{
    const char *colon = strrchr(text, ':');
    guint64 port;
    if (colon == NULL || !g_ascii_string_to_unsigned(colon + 1, 10, 1, 65535, &port, NULL))
        return FALSE;
    guint8 bytes[sizeof(struct in6_addr)];
    gsize length = (gsize)(colon - text);
    gboolean brackets = length > 2 && text[0] == '[' && colon[-1] == ']';
    g_autofree char *host = brackets ? g_strndup(text + 1, length - 2) : g_strndup(text, length);
    return inet_pton(brackets ? AF_INET6 : AF_INET, host, bytes) == 1;
}

static gboolean url_valid(const char *text)
{
    g_autoptr(GUri) uri = g_uri_parse(text, G_URI_FLAGS_NONE, NULL);
    if (uri == NULL || g_uri_get_host(uri) == NULL || *g_uri_get_host(uri) == '\0')
        return FALSE;
    const char *scheme = g_uri_get_scheme(uri);
    return (strcmp(scheme, "https") == 0 || strcmp(scheme, "http") == 0) && g_uri_get_userinfo(uri) == NULL &&
           g_uri_get_fragment(uri) == NULL;
}

/* What is wrong with an absolute path of a file to read, or NULL. */
static const char *file_fault(const char *path)
{
    struct stat status;
    if (stat(path, &status) != 0)
        return g_strerror(errno);
    if (S_ISDIR(status.st_mode))
        return "it is a folder";
    return access(path, R_OK) == 0 ? NULL : g_strerror(errno);
}

char **config_words(const char *text)
{
    g_autoptr(GStrvBuilder) words = g_strv_builder_new();
    g_auto(GStrv) parts = g_strsplit_set(text, " \t\r", -1);
    for (gsize i = 0; parts[i] != NULL; i++) {
        if (*parts[i] != '\0')
            g_strv_builder_add(words, parts[i]);
    }
    return g_strv_builder_end(words);
}

static void check_choice(const ConfigEntry *entry, const char *word, const ConfigKey *key,
                         ConfigFaults *faults)
{
    if (g_strv_contains(key->choices, word))
        return;
    g_autofree char *all = g_strjoinv(", ", (char **)key->choices);
    const char *near = suggest(word, key->choices);
    if (near != NULL)
        config_fault(faults, entry->line, "%s: \"%s\" is none of: %s; did you mean \"%s\"?", entry->key, word,
                     all, near);
    else
        config_fault(faults, entry->line, "%s: \"%s\" is none of: %s", entry->key, word, all);
}

static void check_choices(const ConfigEntry *entry, const ConfigKey *key, ConfigFaults *faults)
{
    if (key->choices == NULL)
        return;
    if (entry->list == NULL)
        check_choice(entry, entry->text, key, faults);
    for (gsize i = 0; entry->list != NULL && entry->list[i] != NULL; i++)
        check_choice(entry, entry->list[i], key, faults);
}

static void make_absolute(ConfigEntry *entry, const char *folder)
{
    char *path = g_canonicalize_filename(entry->text, folder);
    g_free(entry->text);
    entry->text = path;
}

/* What a value of this kind should have been, when it is not; NULL when it is. */
static const char *shape_fault(ConfigEntry *entry, ConfigKind kind)
{
    switch (kind) {
    case CONFIG_INTEGER:
        return parse_integer(entry->text, &entry->integer)
                   ? NULL
                   : "expected a number, with s, m, h or d for a time or KiB, MiB or GiB for a size";
    case CONFIG_BOOLEAN:
        entry->integer = strcmp(entry->text, "yes") == 0;
        return entry->integer || strcmp(entry->text, "no") == 0 ? NULL : "expected yes or no";
    case CONFIG_OIN:
        return oin_valid(entry->text) ? NULL : "expected an OIN, 20 digits";
    case CONFIG_URL:
        return url_valid(entry->text) ? NULL
                                      : "expected an address that begins with https:// or http:// and a host";
    case CONFIG_ADDRESS:
        return address_valid(entry->text) ? NULL : "expected an address as 127.0.0.1:443 or [::1]:443";
    default:
        return NULL;
    }
}

void config_value_check(ConfigEntry *entry, const ConfigKey *key, const char *section, const char *folder,
                        ConfigFaults *faults)
{
    if (*entry->text == '\0' && key->kind != CONFIG_LIST) {
        config_fault(faults, entry->line, "%s has no value; leave the line out for the default", entry->key);
        return;
    }
    const char *fault = shape_fault(entry, key->kind);
    if (fault != NULL) {
        config_fault(faults, entry->line, "%s: \"%s\": %s", entry->key, entry->text, fault);
        return;
    }
    if (key->kind == CONFIG_LIST)
        entry->list = config_words(entry->text);
    check_choices(entry, key, faults);
    if (key->kind != CONFIG_PATH && key->kind != CONFIG_FILE)
        return;
    make_absolute(entry, folder);
    fault = key->kind == CONFIG_FILE ? file_fault(entry->text) : NULL;
    if (fault != NULL)
        config_fault(faults, entry->line, "[%s] %s: cannot read %s: %s", section, entry->key, entry->text,
                     fault);
}
