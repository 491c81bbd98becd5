/* What waits for a second signer, and what waits for a first, on both databases. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "components/fsc/intentions.h"
#include "components/fsc/waiting.h"
#include "core/base/error.h"
#include "tests/support/folder.h"
#include "tests/support/postgresql.h"

#define OWN "00000001000000000002"
#define OTHER "00000001000000000003"
#define NOW_MS 1795286400000
#define NOW_S (NOW_MS / 1000)

typedef struct {
    Store *store;
    Db *db;
} Fixture;

static gboolean on_postgresql;

static void no_error(const GError *error)
{
    if (error != NULL)
        fail_msg("%s", error->message);
}

static void migrate(Store *store)
{
    static const char *const files[] = {"0001.sql", "0004.sql"};
    g_autoptr(GError) error = NULL;
    char *texts[G_N_ELEMENTS(files)] = {NULL};
    Migration migrations[G_N_ELEMENTS(files)];
    const char *source = g_getenv("FUNDAMENT_SOURCE");
    for (guint i = 0; i < G_N_ELEMENTS(files); i++) {
        g_autofree char *path =
            g_build_filename(source != NULL ? source : ".", "schema", "fsc", files[i], NULL);
        assert_true(g_file_get_contents(path, &texts[i], NULL, NULL));
        migrations[i] = (Migration){.component = "fsc", .number = i + 1, .sql = texts[i]};
    }
    store_migrate(store, migrations, G_N_ELEMENTS(files), &error);
    no_error(error);
    for (guint i = 0; i < G_N_ELEMENTS(files); i++)
        g_free(texts[i]);
}

static int set_up(void **state)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *folder = on_postgresql ? NULL : test_folder_new();
    g_autofree char *url =
        on_postgresql ? test_postgresql_start() : g_strdup_printf("sqlite:%s/node.db", folder);
    Fixture *fixture = g_new0(Fixture, 1);
    fixture->store = store_open(url, &error);
    no_error(error);
    migrate(fixture->store);
    fixture->db = store_take(fixture->store, &error);
    no_error(error);
    *state = fixture;
    return 0;
}

static int tear_down(void **state)
{
    Fixture *fixture = *state;
    db_release(fixture->db);
    store_close(fixture->store);
    g_free(fixture);
    return 0;
}

static Intention intention_of(const char *hash, SignatureType type, const char *actor)
{
    return (Intention){.contract_hash = (char *)hash,
                       .type = type,
                       .actor = (char *)actor,
                       .created_ms = NOW_MS,
                       .expires_ms = NOW_MS + 1000};
}

static void put(Db *db, const char *hash, SignatureType type, const char *actor)
{
    g_autoptr(GError) error = NULL;
    Intention intention = intention_of(hash, type, actor);
    assert_true(intentions_put(db, &intention, &error));
    no_error(error);
}

static void an_intention_is_found_until_it_expires(void **state)
{
    Fixture *fixture = *state;
    g_autoptr(GError) error = NULL;
    put(fixture->db, "h1", SIGNATURE_ACCEPT, "anna");
    g_autoptr(Intention) found = intentions_find(fixture->db, "h1", SIGNATURE_ACCEPT, NOW_MS + 999, &error);
    assert_string_equal(found->actor, "anna");
    assert_null(found->content);
    assert_null(intentions_find(fixture->db, "h1", SIGNATURE_ACCEPT, NOW_MS + 1000, &error));
    assert_null(intentions_find(fixture->db, "h1", SIGNATURE_REJECT, NOW_MS, &error));
    assert_null(intentions_find(fixture->db, "h2", SIGNATURE_ACCEPT, NOW_MS, &error));
    no_error(error);
}

static void there_is_one_of_a_kind_a_contract(void **state)
{
    Fixture *fixture = *state;
    g_autoptr(GError) error = NULL;
    put(fixture->db, "h1", SIGNATURE_ACCEPT, "anna");
    put(fixture->db, "h1", SIGNATURE_REVOKE, "anna");
    Intention again = intention_of("h1", SIGNATURE_ACCEPT, "bram");
    assert_false(intentions_put(fixture->db, &again, &error));
    assert_true(g_error_matches(error, FUNDAMENT_ERROR, FUNDAMENT_ERROR_CONFLICT));
}

static void of_two_that_confirm_one_takes_it(void **state)
{
    Fixture *fixture = *state;
    g_autoptr(GError) error = NULL;
    gboolean taken = FALSE;
    put(fixture->db, "h1", SIGNATURE_ACCEPT, "anna");
    g_autoptr(Intention) found = intentions_find(fixture->db, "h1", SIGNATURE_ACCEPT, NOW_MS, &error);
    assert_true(intentions_take(fixture->db, found, &taken, &error));
    assert_true(taken);
    assert_true(intentions_take(fixture->db, found, &taken, &error));
    assert_false(taken);
    no_error(error);
}

static void expired_ones_are_thrown_away_and_make_room(void **state)
{
    Fixture *fixture = *state;
    g_autoptr(GError) error = NULL;
    put(fixture->db, "h1", SIGNATURE_ACCEPT, "anna");
    put(fixture->db, "h2", SIGNATURE_ACCEPT, "anna");
    g_autoptr(GPtrArray) all = intentions_list(fixture->db, NOW_MS, &error);
    assert_int_equal(all->len, 2);
    assert_true(intentions_forget(fixture->db, NOW_MS + 1000, &error));
    g_autoptr(GPtrArray) none = intentions_list(fixture->db, NOW_MS, &error);
    assert_int_equal(none->len, 0);
    put(fixture->db, "h1", SIGNATURE_ACCEPT, "bram");
    no_error(error);
}

/* --- what waits for us --- */

static void contract(Db *db, int id, const char *signer, gint64 not_after)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *hash = g_strdup_printf("h%d", id), *iv = g_strdup_printf("iv%d", id);
    db_run(db, &error,
           "INSERT INTO fsc_contracts (hash, iv, content, not_before, not_after, created_at, received_ms)"
           " VALUES (?1, ?2, '{}', 0, ?3, ?4, 0)",
           value_text(hash), value_text(iv), value_integer(not_after), value_integer(id));
    no_error(error);
    db_run(db, &error,
           "INSERT INTO fsc_contract_peers (contract_id, peer_id) SELECT id, ?2 FROM fsc_contracts WHERE "
           "hash = ?1",
           value_text(hash), value_text(signer));
    no_error(error);
}

static void sign(Db *db, int id, const char *peer_id, const char *type)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *hash = g_strdup_printf("h%d", id);
    db_run(db, &error,
           "INSERT INTO fsc_certificates (thumbprint, peer_id, x5c, not_before, not_after, purpose)"
           " VALUES ('t', ?1, '[]', 0, 0, 'peer') ON CONFLICT (thumbprint) DO NOTHING",
           value_text(peer_id));
    no_error(error);
    db_run(db, &error,
           "INSERT INTO fsc_signatures (contract_id, peer_id, type, signed_at, thumbprint, jws, digest, "
           "received_ms)"
           " SELECT id, ?2, ?3, 0, 't', 'j', 'd', 0 FROM fsc_contracts WHERE hash = ?1",
           value_text(hash), value_text(peer_id), value_text(type));
    no_error(error);
}

static void only_what_still_needs_our_signature_waits(void **state)
{
    Fixture *fixture = *state;
    g_autoptr(GError) error = NULL;
    for (int id = 1; id <= 6; id++)
        contract(fixture->db, id, id == 2 ? OTHER : OWN, id == 3 ? NOW_S - 1 : NOW_S);
    sign(fixture->db, 1, OTHER, "accept"); /* waits for us */
    sign(fixture->db, 4, OWN, "accept");
    sign(fixture->db, 5, OTHER, "reject"); /* 2 is of others, 3 has ended, 6 nobody has signed */
    g_autoptr(GPtrArray) hashes = waiting_for(fixture->db, OWN, NOW_S, 10, &error);
    no_error(error);
    assert_int_equal(hashes->len, 2);
    assert_string_equal(hashes->pdata[0], "h6");
    assert_string_equal(hashes->pdata[1], "h1");
    g_autoptr(GPtrArray) one = waiting_for(fixture->db, OWN, NOW_S, 1, &error);
    assert_int_equal(one->len, 1);
}

static void postgresql_is_not_installed(void **state)
{
    skip();
}

#define with_store(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

static int run(const char *name)
{
    const struct CMUnitTest tests[] = {
        with_store(an_intention_is_found_until_it_expires),
        with_store(there_is_one_of_a_kind_a_contract),
        with_store(of_two_that_confirm_one_takes_it),
        with_store(expired_ones_are_thrown_away_and_make_room),
        with_store(only_what_still_needs_our_signature_waits),
    };
    return _cmocka_run_group_tests(name, tests, G_N_ELEMENTS(tests), NULL, NULL);
}

int main(void)
{
    int failed = run("intentions sqlite");
    g_autofree char *url = test_postgresql_start();
    on_postgresql = TRUE;
    const struct CMUnitTest skipped[] = {cmocka_unit_test(postgresql_is_not_installed)};
    return failed + (url != NULL ? run("intentions postgresql")
                                 : cmocka_run_group_tests_name("intentions postgresql", skipped, NULL, NULL));
}
