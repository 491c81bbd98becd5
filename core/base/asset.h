/* Files that are part of the program itself: templates, stylesheet, phrases, migrations and API documents.
 * They are embedded when the program is built (tools/embed.py; the list of patterns stands in
 * core/base/meson.build), under their path from the root of the source: "templates/page.mustache". Link with
 * the dependency `assets`.
 *
 * Everything here is constant and may be used by several threads. */
#pragma once

#include <glib.h>

/* The bytes of an asset, borrowed for ever and followed by a NUL that does not count; NULL when there is none
 * of that name. `length` may be NULL. */
const char *asset_find(const char *name, gsize *length);

typedef void (*AssetCallback)(const char *name, const char *bytes, gsize length, gpointer user_data);

/* Calls back for each asset whose name begins with `prefix` ("schema/fsc/"), sorted by name, byte by byte. */
void asset_each(const char *prefix, AssetCallback callback, gpointer user_data);
