#include "core/base/asset.h"

#include <string.h>

#include "core/base/asset_table.h"

/* Index of the first asset whose name is not below `name`. */
static gsize lower_bound(const char *name)
{
    gsize low = 0;
    gsize high = asset_count;
    while (low < high) {
        gsize middle = low + (high - low) / 2;
        if (strcmp(asset_table[middle].name, name) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

const char *asset_find(const char *name, gsize *length)
{
    gsize at = lower_bound(name);
    if (at == asset_count || strcmp(asset_table[at].name, name) != 0)
        return NULL;
    if (length != NULL)
        *length = asset_table[at].length;
    return asset_table[at].bytes;
}

void asset_each(const char *prefix, AssetCallback callback, gpointer user_data)
{
    for (gsize i = lower_bound(prefix); i < asset_count && g_str_has_prefix(asset_table[i].name, prefix); i++)
        callback(asset_table[i].name, asset_table[i].bytes, asset_table[i].length, user_data);
}
