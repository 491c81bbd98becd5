#include "tests/unit/node/support.h"

#include <glib/gstdio.h>

#include "core/crypto/pki.h"
#include "tests/support/postgresql.h"

#define DAY_S 86400

static void issue(const char *folder, const char *name, const char *oin, gint64 from, gint64 until)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *pki = g_build_filename(folder, "pki", NULL);
    g_autofree char *keys = g_build_filename(folder, "keys", NULL);
    if (!g_file_test(pki, G_FILE_TEST_EXISTS)) {
        g_mkdir(pki, 0700);
        pki_create(pki, "Test", from, &error);
        no_error(error);
    }
    g_mkdir(keys, 0700);
    const char *domains[] = {"manager.test", NULL};
    PkiLeaf leaf = {.oin = oin,
                    .organization = "Register of tests",
                    .common_name = "manager.test",
                    .domains = domains,
                    .not_before = from,
                    .not_after = until};
    pki_issue(pki, &leaf, keys, name, &error);
    no_error(error);
}

void support_issue(const char *folder, const char *name, const char *oin)
{
    issue(folder, name, oin, SUPPORT_NOW - 3600, SUPPORT_NOW + DAY_S);
}

void support_issue_now(const char *folder, const char *name, const char *oin)
{
    support_issue_days(folder, name, oin, 1);
}

void support_issue_days(const char *folder, const char *name, const char *oin, int days)
{
    gint64 now = clock_now_s(clock_system());
    issue(folder, name, oin, now - 3600, now + days * (gint64)DAY_S);
}

static char *store_url(const char *folder, gboolean postgresql)
{
    return postgresql ? test_postgresql_start() : g_strdup_printf("sqlite:%s/node.db", folder);
}

NodeFixture *node_fixture_new(gboolean postgresql, gboolean keys, const char *more)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *folder = test_folder_new();
    g_autofree char *url = store_url(folder, postgresql);
    if (url == NULL)
        return NULL;
    NodeFixture *fixture = g_new0(NodeFixture, 1);
    fixture->folder = g_steal_pointer(&folder);
    fixture->clock = clock_fixed(SUPPORT_NOW);
    if (keys) {
        support_issue(fixture->folder, "manager", SUPPORT_OIN);
        support_issue(fixture->folder, "token", SUPPORT_OIN);
    }
    g_autofree char *text = g_strdup_printf("[node]\ngroup = test\nanchors = pki/anchor.crt\n%s", more);
    fixture->config = node_config_for_test(fixture->folder, text, NULL, 0);
    fixture->store = store_open(url, &error);
    no_error(error);
    fixture->node = node_new_for_test(fixture->config, fixture->store, &fixture->clock, &error);
    no_error(error);
    return fixture;
}

void node_fixture_free(NodeFixture *fixture)
{
    node_free(fixture->node);
    store_close(fixture->store);
    config_free(fixture->config);
    g_free(fixture->folder);
    g_free(fixture);
}

void support_advance(NodeFixture *fixture, gint64 milliseconds)
{
    fixture->clock.fixed_us += milliseconds * 1000;
}

gint64 support_number(Store *store, const char *sql)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(Db) db = store_take(store, &error);
    no_error(error);
    g_autoptr(Rows) rows = db_query_values(db, sql, NULL, 0, &error);
    no_error(error);
    assert_true(rows_next(rows));
    return rows_integer(rows, 0);
}

int setup_sqlite(void **state)
{
    *state = node_fixture_new(FALSE, FALSE, "");
    return 0;
}

int setup_postgresql(void **state)
{
    *state = node_fixture_new(TRUE, FALSE, "");
    return 0;
}

int teardown_node(void **state)
{
    if (*state != NULL)
        node_fixture_free(*state);
    return 0;
}
