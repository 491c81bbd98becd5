#include "core/node/place.h"

#include <string.h>

#define SQLITE "sqlite:"

char *place_store_url(const Config *config)
{
    const char *url = config_text(config, "node", "store");
    if (url != NULL && !g_str_has_prefix(url, SQLITE))
        return g_strdup(url);
    g_autofree char *folder = g_path_get_dirname(config_path(config));
    g_autofree char *path = url == NULL
                                ? g_build_filename(config_text(config, "node", "data"), "node.db", NULL)
                                : g_canonicalize_filename(url + strlen(SQLITE), folder);
    return g_strconcat(SQLITE, path, NULL);
}

char *place_restoring(const Config *config)
{
    return g_strconcat(config_text(config, "node", "data"), ".restoring", NULL);
}

char *place_journal(const char *data)
{
    return g_build_filename(data, "journal", NULL);
}
