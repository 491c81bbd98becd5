/* Migrations: embedded as schema/<component>/NNNN.sql. */
#include "core/node/node_private.h"

#include <string.h>

#include "core/base/asset.h"

static void migration_clear(gpointer pointer)
{
    Migration *migration = pointer;
    g_free((char *)migration->component);
}

/* `name` is "schema/<component>/NNNN.sql"; the table of assets is sorted, so the numbers come in order. */
static void collect(const char *name, const char *bytes, gsize length, gpointer user_data)
{
    GArray *migrations = user_data;
    g_auto(GStrv) parts = g_strsplit(name, "/", 3);
    guint64 number = 0;
    if (g_strv_length(parts) != 3 || !g_str_has_suffix(parts[2], ".sql"))
        return;
    parts[2][strlen(parts[2]) - strlen(".sql")] = '\0';
    if (!g_ascii_string_to_unsigned(parts[2], 10, 1, 9999, &number, NULL))
        return;
    Migration migration = {.component = g_strdup(parts[1]), .number = (guint)number, .sql = bytes};
    g_array_append_val(migrations, migration);
}

static void collect_component(GArray *migrations, const char *component)
{
    g_autofree char *prefix = g_strdup_printf("schema/%s/", component);
    asset_each(prefix, collect, migrations);
}

gboolean node_migrate(Store *store, const Component *const *components, gsize n_components, GError **error)
{
    g_autoptr(GArray) migrations = g_array_new(FALSE, FALSE, sizeof(Migration));
    g_array_set_clear_func(migrations, migration_clear);
    if (components == NULL)
        asset_each("schema/", collect, migrations);
    else
        collect_component(migrations, "node");
    for (gsize i = 0; components != NULL && i < n_components; i++)
        collect_component(migrations, components[i]->name);
    return store_migrate(store, (const Migration *)migrations->data, migrations->len, error);
}
