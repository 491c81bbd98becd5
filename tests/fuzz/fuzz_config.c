/* node.conf from anybody: no fault is silent, and what is accepted can be read. */
#include <stdint.h>
#include <stdlib.h>

#include "core/node/config.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *const words[] = {"one", "two", NULL};

static const ConfigKey keys[] = {
    {"node", "oin", CONFIG_OIN, FALSE, NULL, ""},
    {"node", "name", CONFIG_TEXT, FALSE, NULL, ""},
    {"node", "words", CONFIG_LIST, FALSE, "one", "", words},
    {"node", "data", CONFIG_PATH, FALSE, "data", ""},
    {"node", "wait", CONFIG_INTEGER, FALSE, "1s", ""},
    {"node", "on", CONFIG_BOOLEAN, FALSE, "no", ""},
    {"client.*", "listen", CONFIG_ADDRESS, TRUE, NULL, ""},
    {"client.*", "url", CONFIG_URL, FALSE, NULL, ""},
    {"client.*", "grants", CONFIG_LIST, FALSE, NULL, ""},
};

static void require(gboolean ok)
{
    if (!ok)
        abort();
}

static void read_all(const Config *config)
{
    const char *const *clients = config_family(config, "client");
    for (; *clients != NULL; clients++) {
        g_autofree char *section = g_strconcat("client.", *clients, NULL);
        require(config_has_section(config, section));
        require(config_text(config, section, "listen") != NULL);
        require(config_list(config, section, "grants") != NULL);
    }
    require(g_path_is_absolute(config_text(config, "node", "data")));
    require(config_integer(config, "node", "wait") >= 0);
    const char *const *resolve = config_resolve(config);
    while (*resolve != NULL)
        require(*(*resolve++) != '\0');
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const ConfigKey *tables[] = {keys};
    const gsize counts[] = {G_N_ELEMENTS(keys)};
    g_autoptr(GPtrArray) faults = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(Config) config =
        config_parse("/x/node.conf", (const char *)data, size, tables, counts, 1, faults);
    require((config == NULL) == (faults->len > 0));
    if (config != NULL)
        read_all(config);
    for (guint i = 0; i < faults->len; i++)
        require(g_str_has_prefix(faults->pdata[i], "/x/node.conf"));
    return 0;
}
