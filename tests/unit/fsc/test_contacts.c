/* What is kept of other Managers, on both databases. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "components/fsc/contacts.h"
#include "tests/support/folder.h"
#include "tests/support/postgresql.h"

#define PEER "00000001000000000003"
#define OTHER "00000001000000000004"

typedef struct {
    Store *store;
    Db *db;
} Fixture;

static void no_error(const GError *error)
{
    if (error != NULL)
        fail_msg("%s", error->message);
}

static char *schema(guint number)
{
    char *text = NULL;
    const char *source = g_getenv("FUNDAMENT_SOURCE");
    g_autofree char *name = g_strdup_printf("%04u.sql", number);
    g_autofree char *path = g_build_filename(source != NULL ? source : ".", "schema", "fsc", name, NULL);
    assert_true(g_file_get_contents(path, &text, NULL, NULL));
    return text;
}

static int set_up(void **state, const char *url)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *first = schema(1);
    g_autofree char *second = schema(2);
    if (url == NULL) {
        *state = NULL;
        return 0;
    }
    Fixture *fixture = g_new0(Fixture, 1);
    fixture->store = store_open(url, &error);
    no_error(error);
    Migration migrations[] = {{.component = "fsc", .number = 1, .sql = first},
                              {.component = "fsc", .number = 2, .sql = second}};
    store_migrate(fixture->store, migrations, G_N_ELEMENTS(migrations), &error);
    no_error(error);
    fixture->db = store_take(fixture->store, &error);
    no_error(error);
    *state = fixture;
    return 0;
}

static int on_sqlite(void **state)
{
    g_autofree char *folder = test_folder_new();
    g_autofree char *url = g_strdup_printf("sqlite:%s/node.db", folder);
    return set_up(state, url);
}

static int on_postgresql(void **state)
{
    g_autofree char *url = test_postgresql_start();
    return set_up(state, url);
}

static int tear_down(void **state)
{
    Fixture *fixture = *state;
    if (fixture != NULL) {
        db_release(fixture->db);
        store_close(fixture->store);
        g_free(fixture);
    }
    return 0;
}

#define both(name)                                                                                           \
    {#name " on sqlite", name, on_sqlite, tear_down, NULL},                                                  \
    {                                                                                                        \
#name " on postgresql", name, on_postgresql, tear_down, NULL                                         \
    }

#define prepare()                                                                                            \
    Fixture *fixture = *state;                                                                               \
    if (fixture == NULL)                                                                                     \
        skip();                                                                                              \
    Db *db = fixture->db;                                                                                    \
    g_autoptr(GError) error = NULL

static void who_was_never_met_has_nothing(void **state)
{
    prepare();
    g_autoptr(Contact) contact = contacts_find(db, PEER, &error);
    no_error(error);
    assert_string_equal(contact->peer_id, PEER);
    assert_int_equal(contact->probed_ms, 0);
    assert_null(contact->fsc_version);
    assert_false(contact->offset_known);
    assert_string_equal(contact->their_cursor, "");
}

static void what_was_found_out_stays_when_a_probe_fails(void **state)
{
    prepare();
    const Contact found = {.peer_id = (char *)PEER,
                           .fsc_version = (char *)"2.0.0",
                           .extensions = (char *)"{\"A\":\"1\"}",
                           .offset_known = TRUE,
                           .clock_offset_ms = -1500};
    const Contact failed = {.peer_id = (char *)PEER, .probe_error = (char *)"closed"};
    assert_true(contacts_probed(db, &found, 1000, &error));
    assert_true(contacts_probed(db, &failed, 2000, &error));
    g_autoptr(Contact) contact = contacts_find(db, PEER, &error);
    assert_int_equal(contact->probed_ms, 2000);
    assert_string_equal(contact->probe_error, "closed");
    assert_string_equal(contact->fsc_version, "2.0.0");
    assert_int_equal(contact->clock_offset_ms, -1500);
    assert_true(contacts_probed(db, &found, 3000, &error));
    g_autoptr(Contact) again = contacts_find(db, PEER, &error);
    assert_null(again->probe_error);
}

static void a_version_that_was_heard_is_kept(void **state)
{
    prepare();
    assert_true(contacts_heard_version(db, PEER, "1.0.0", &error));
    g_autoptr(Contact) contact = contacts_find(db, PEER, &error);
    assert_string_equal(contact->fsc_version, "1.0.0");
    assert_int_equal(contact->probed_ms, 0);
}

static void deliveries_are_written_down_once_a_second(void **state)
{
    static const struct {
        gint64 now, kept;
    } steps[] = {{5000, 5000}, {5999, 5000}, {6001, 6001}};
    prepare();
    for (gsize i = 0; i < G_N_ELEMENTS(steps); i++) {
        assert_true(contacts_delivered(db, PEER, steps[i].now, &error));
        g_autoptr(Contact) contact = contacts_find(db, PEER, &error);
        assert_int_equal(contact->delivered_ms, steps[i].kept);
    }
}

/* An unfinished round keeps how far it came, and when the last whole one was. */
static void a_comparison_goes_on_where_it_stopped(void **state)
{
    prepare();
    Contact whole = {.peer_id = (char *)PEER, .reconciled_ms = 7000, .their_cursor = (char *)""};
    Contact half = {.peer_id = (char *)PEER,
                    .reconcile_error = (char *)"time is over",
                    .their_cursor = (char *)"17.4",
                    .our_cursor = 99};
    assert_true(contacts_reconciled(db, &whole, &error));
    assert_true(contacts_reconciled(db, &half, &error));
    g_autoptr(Contact) contact = contacts_find(db, PEER, &error);
    assert_int_equal(contact->reconciled_ms, 7000);
    assert_string_equal(contact->reconcile_error, "time is over");
    assert_string_equal(contact->their_cursor, "17.4");
    assert_int_equal(contact->our_cursor, 99);
}

static void partners_are_those_whom_contracts_name_each_once(void **state)
{
    prepare();
    static const char *const signers[][2] = {{PEER, OTHER}, {PEER, "00000001000000000001"}};
    for (gint64 i = 0; i < 2; i++) {
        g_autofree char *hash = g_strdup_printf("hash%d", (int)i);
        db_run(db, &error,
               "INSERT INTO fsc_contracts (hash, iv, content, not_before, not_after, created_at, received_ms)"
               " VALUES (?1, ?1, '', 0, 1, 0, 0)",
               value_text(hash));
        for (gsize j = 0; j < 2; j++)
            db_run(db, &error,
                   "INSERT INTO fsc_contract_peers (contract_id, peer_id)"
                   " SELECT id, ?2 FROM fsc_contracts WHERE hash = ?1",
                   value_text(hash), value_text(signers[i][j]));
    }
    no_error(error);
    g_autoptr(GPtrArray) all = contacts_partners(db, &error);
    no_error(error);
    assert_int_equal(all->len, 3);
    assert_string_equal(all->pdata[1], PEER);
    assert_string_equal(all->pdata[2], OTHER);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        both(who_was_never_met_has_nothing),         both(what_was_found_out_stays_when_a_probe_fails),
        both(a_version_that_was_heard_is_kept),      both(deliveries_are_written_down_once_a_second),
        both(a_comparison_goes_on_where_it_stopped), both(partners_are_those_whom_contracts_name_each_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
