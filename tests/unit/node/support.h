/* What the tests of core/node share: a folder of their own, keys, a node, and its server. Included once a
 * program. */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <glib/gstdio.h>
#include <jansson.h>

#include "core/base/error.h"
#include "core/crypto/pki.h"
#include "core/node/node.h"

#define SUPPORT_NOW 1795286400 /* 2026-11-21T18:40:00Z */
#define SUPPORT_OIN "00000001000000000002"

G_GNUC_UNUSED static char *support_folder_new(void)
{
    GError *error = NULL;
    char *folder = g_dir_make_tmp("fundament-test-XXXXXX", &error);
    if (folder == NULL)
        fail_msg("%s", error->message);
    return folder;
}

static void support_remove(const char *path)
{
    g_autoptr(GDir) dir = g_file_test(path, G_FILE_TEST_IS_SYMLINK) ? NULL : g_dir_open(path, 0, NULL);
    for (const char *name; dir != NULL && (name = g_dir_read_name(dir)) != NULL;) {
        g_autofree char *child = g_build_filename(path, name, NULL);
        support_remove(child);
    }
    g_remove(path);
}

G_GNUC_UNUSED static void support_folder_free(char *folder)
{
    support_remove(folder);
    g_free(folder);
}

G_GNUC_UNUSED static void support_ok(gboolean ok, GError **error)
{
    if (!ok)
        fail_msg("%s", *error == NULL ? "failed without a reason" : (*error)->message);
    assert_null(*error);
}

/* `folder`/pki with an anchor, once; `folder`/keys/<name>.key and .crt for `oin`. */
G_GNUC_UNUSED static void support_issue(const char *folder, const char *name, const char *oin, gint64 now_s)
{
    GError *error = NULL;
    g_autofree char *pki = g_build_filename(folder, "pki", NULL);
    g_autofree char *keys = g_build_filename(folder, "keys", NULL);
    if (!g_file_test(pki, G_FILE_TEST_EXISTS)) {
        g_mkdir_with_parents(pki, 0700);
        support_ok(pki_create(pki, "Test", now_s - 3600, &error), &error);
    }
    g_mkdir_with_parents(keys, 0700);
    const char *domains[] = {"manager.test", NULL};
    PkiLeaf leaf = {.oin = oin,
                    .organization = "Register of tests",
                    .common_name = "manager.test",
                    .domains = domains,
                    .not_before = now_s - 3600,
                    .not_after = now_s + 86400};
    support_ok(pki_issue(pki, &leaf, keys, name, &error), &error);
}

/* A configuration as serve would read it. */
G_GNUC_UNUSED static Config *support_config(const char *folder, const char *more)
{
    g_autofree char *text = g_strdup_printf("[node]\ngroup = test\nanchors = pki/anchor.crt\n%s", more);
    return node_config_for_test(folder, text, NULL, 0);
}

G_GNUC_UNUSED static Store *support_store(const char *folder)
{
    GError *error = NULL;
    g_autofree char *url = g_strdup_printf("sqlite:%s/node.db", folder);
    Store *store = store_open(url, &error);
    if (store == NULL)
        fail_msg("%s", error->message);
    return store;
}

/* One number out of the store. */
G_GNUC_UNUSED static gint64 support_number(Store *store, const char *sql)
{
    GError *error = NULL;
    g_autoptr(Db) db = store_take(store, &error);
    g_autoptr(Rows) rows = db == NULL ? NULL : db_query_values(db, sql, NULL, 0, &error);
    if (rows == NULL || !rows_next(rows))
        fail_msg("%s: %s", sql, error == NULL ? "no row" : error->message);
    return rows_integer(rows, 0);
}
