/* Officers of node.conf and what they may; the audit log on both databases. */
#include "core/node/audit.h"
#include "core/node/office.h"
#include "core/node/officer.h"
#include "tests/unit/node/support.h"

#define KEY_A "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define KEY_B "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
#define BASE "[node]\ngroup = test\n"
#define ANCHORS "[office]\naddress = https://beheer.test\nanchors = /dev/null\n"

/* --- officers --- */

typedef struct {
    Config *config;
    Officers *officers;
    GPtrArray *faults;
} Read;

static Read officers_read(const char *text)
{
    Read read = {.faults = g_ptr_array_new_with_free_func(g_free)};
    read.config = node_config_for_test("/tmp", text, NULL, 0);
    read.officers = officers_new(read.config, read.faults);
    return read;
}

static void read_clear(Read *read)
{
    officers_free(read->officers);
    config_free(read->config);
    g_ptr_array_unref(read->faults);
}

static void assert_fault(const char *text, const char *words)
{
    Read read = officers_read(text);
    assert_int_equal(read.faults->len, 1);
    if (strstr(read.faults->pdata[0], words) == NULL)
        fail_msg("\"%s\" does not say \"%s\"", (const char *)read.faults->pdata[0], words);
    read_clear(&read);
}

static void an_officer_is_found_by_key_and_by_nothing_else(void **state)
{
    Read read = officers_read(BASE ANCHORS
                              "[officer.anna]\nthumbprint = " KEY_A
                              "\nroles = reader\nname = Anna de Vries\n[officer.bram]\nthumbprint = " KEY_B
                              "\nroles = signer operator\n");
    assert_int_equal(read.faults->len, 0);
    const Officer *anna = officers_find(read.officers, KEY_A), *bram = officers_find(read.officers, KEY_B);
    assert_string_equal(anna->id, "anna");
    assert_string_equal(anna->name, "Anna de Vries");
    assert_string_equal(bram->name, "bram");
    assert_null(officers_find(read.officers, ""));
    assert_null(officers_find(read.officers, "anna"));
    assert_null(officers_find(read.officers, KEY_A "a"));
    read_clear(&read);
}

/* Roles: reader for all; operator and signer apart. */
static void roles_allow_what_they_say_and_no_more(void **state)
{
    static const struct {
        const char *roles;
        gboolean reader, operator_, signer;
    } table[] = {
        {"reader", TRUE, FALSE, FALSE},       {"operator", TRUE, TRUE, FALSE},
        {"signer", TRUE, FALSE, TRUE},        {"operator signer", TRUE, TRUE, TRUE},
        {"reader signer", TRUE, FALSE, TRUE},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(table); i++) {
        g_autofree char *text =
            g_strdup_printf(BASE ANCHORS "[officer.x]\nthumbprint = " KEY_A "\nroles = %s\n", table[i].roles);
        Read read = officers_read(text);
        const Officer *officer = officers_find(read.officers, KEY_A);
        assert_int_equal(officer_may(officer, OFFICER_READER), table[i].reader);
        assert_int_equal(officer_may(officer, OFFICER_OPERATOR), table[i].operator_);
        assert_int_equal(officer_may(officer, OFFICER_SIGNER), table[i].signer);
        read_clear(&read);
    }
    const Officer nobody = {.roles = 0};
    assert_false(officer_may(&nobody, OFFICER_READER));
}

static void thumbprints_of_other_tools_are_understood(void **state)
{
    Read read = officers_read(BASE ANCHORS
                              "[officer.x]\nthumbprint = "
                              "AA:AA:AA:AA:AA:AA:AA:AA:AA:AA:AA:AA:AA:AA:AA:AA:AA:AA:AA:AA:AA:AA:AA:AA:AA:AA:"
                              "AA:AA:AA:AA:AA:AA\nroles = reader\n");
    assert_int_equal(read.faults->len, 0);
    assert_non_null(officers_find(read.officers, KEY_A));
    read_clear(&read);
}

static void what_cannot_be_is_a_fault_that_names_the_section(void **state)
{
    assert_fault(BASE ANCHORS "[officer.x]\nthumbprint = aa\nroles = reader\n",
                 "[officer.x] thumbprint: expected 64");
    assert_fault(BASE ANCHORS "[officer.x]\nthumbprint = " KEY_A "0\nroles = reader\n", "expected 64");
    assert_fault(BASE ANCHORS "[officer.x]\nthumbprint = g" KEY_A "\nroles = reader\n", "expected 64");
    assert_fault(BASE ANCHORS "[officer.x]\nthumbprint = " KEY_A
                              "\nroles = reader\n[officer.y]\nthumbprint = " KEY_A "\nroles = signer\n",
                 "[officer.y] thumbprint: officer x has this key already");
    assert_fault(BASE "[officer.x]\nthumbprint = " KEY_A "\nroles = reader\n", "set [office] anchors");
    assert_fault(BASE "[office]\naddress = https://beheer.test\n", "[office] anchors is missing");
}

/* --- days --- */

static void a_day_begins_at_midnight_in_amsterdam(void **state)
{
    gint64 at;
    assert_true(office_day("2026-11-21", &at));
    assert_int_equal(at, 1795215600); /* 2026-11-20T23:00:00Z: winter */
    assert_true(office_day("2026-07-01", &at));
    assert_int_equal(at, 1782856800); /* 2026-06-30T22:00:00Z: summer */
    static const char *const wrong[] = {"",           "2026-11-2",  "2026-13-01", "2026-02-30",
                                        "2026-00-10", "21-11-2026", "2026/11/21", "2026-11-21x",
                                        "2026-1a-21", "-026-11-21", "2026-11--1", "+026-11-21"};
    for (gsize i = 0; i < G_N_ELEMENTS(wrong); i++)
        if (office_day(wrong[i], &at))
            fail_msg("\"%s\" passed for a day", wrong[i]);
}

/* --- the audit log --- */

static void write_row(NodeFixture *fixture, const char *actor, const char *action, const char *object)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(Db) db = store_take(fixture->store, &error);
    no_error(error);
    assert_true(audit_write(db, &fixture->clock, actor, "reader", action, object, "done", NULL, &error));
    no_error(error);
    g_clear_pointer(&db, db_release);
    support_advance(fixture, 1000);
}

static GPtrArray *read_rows(NodeFixture *fixture, AuditQuery query)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(Db) db = store_take(fixture->store, &error);
    query.limit = query.limit == 0 ? 100 : query.limit;
    GPtrArray *rows = audit_read(db, &query, &error);
    no_error(error);
    return rows;
}

/* "actor action" of each row, newest first. */
static void assert_rows(NodeFixture *fixture, AuditQuery query, const char *expected)
{
    g_autoptr(GPtrArray) rows = read_rows(fixture, query);
    g_autoptr(GString) text = g_string_new(NULL);
    for (guint i = 0; i < rows->len; i++) {
        const AuditEntry *entry = rows->pdata[i];
        g_string_append_printf(text, "%s%s %s", i > 0 ? ", " : "", entry->actor, entry->action);
    }
    assert_string_equal(text->str, expected);
}

static void the_log_is_searched_by_actor_action_object_and_time(void **state)
{
    fixture_or_skip(fixture, state);
    gint64 begin = clock_now_ms(&fixture->clock);
    write_row(fixture, "anna", "fsc.contract.look", "h1");
    write_row(fixture, "bram", "fsc.contract.accept", "h1");
    write_row(fixture, "anna", "fsc.contracts.look", "");
    assert_rows(fixture, (AuditQuery){0},
                "anna fsc.contracts.look, bram fsc.contract.accept, anna fsc.contract.look");
    assert_rows(fixture, (AuditQuery){.actor = "anna"}, "anna fsc.contracts.look, anna fsc.contract.look");
    assert_rows(fixture, (AuditQuery){.actor = "ann"}, "");
    assert_rows(fixture, (AuditQuery){.action = "fsc.contract."},
                "bram fsc.contract.accept, anna fsc.contract.look");
    assert_rows(fixture, (AuditQuery){.action = "fsc%"}, "");
    assert_rows(fixture, (AuditQuery){.object = "h1", .actor = "anna"}, "anna fsc.contract.look");
    assert_rows(fixture, (AuditQuery){.from_ms = begin + 1000},
                "anna fsc.contracts.look, bram fsc.contract.accept");
    assert_rows(fixture, (AuditQuery){.to_ms = begin + 1000}, "anna fsc.contract.look");
    assert_rows(
        fixture,
        (AuditQuery){.from_ms = begin + 1000, .to_ms = begin + 2000, .action = "fsc", .actor = "bram"},
        "bram fsc.contract.accept");
}

static void the_log_is_turned_page_by_page_without_a_row_twice(void **state)
{
    fixture_or_skip(fixture, state);
    for (int i = 0; i < 7; i++)
        write_row(fixture, "anna", "x", "");
    gint64 before = 0;
    guint seen = 0;
    for (guint page = 0; page < 3; page++) {
        g_autoptr(GPtrArray) rows = read_rows(fixture, (AuditQuery){.limit = 3, .before = before});
        for (guint i = 0; i < rows->len; i++) {
            const AuditEntry *entry = rows->pdata[i];
            assert_true(before == 0 || entry->id < before);
            before = entry->id;
        }
        seen += rows->len;
    }
    assert_int_equal(seen, 7);
}

static void the_file_keeps_quotes_and_disarms_formulas(void **state)
{
    AuditEntry entry = {.id = 7,
                        .time_ms = 1795286400123,
                        .actor = (char *)"an\"na",
                        .role = (char *)"reader",
                        .action = (char *)"x",
                        .object = (char *)"=1+1\r\n",
                        .outcome = (char *)"done"};
    g_autoptr(GPtrArray) entries = g_ptr_array_new();
    g_ptr_array_add(entries, &entry);
    g_autofree char *text = audit_csv(entries);
    assert_string_equal(
        text, "id,time,actor,role,action,object,outcome,trace_id\r\n"
              "7,2026-11-21T18:40:00.123Z,\"an\"\"na\",\"reader\",\"x\",\"'=1+1\r\n\",\"done\",\"\"\r\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_officer_is_found_by_key_and_by_nothing_else),
        cmocka_unit_test(roles_allow_what_they_say_and_no_more),
        cmocka_unit_test(thumbprints_of_other_tools_are_understood),
        cmocka_unit_test(what_cannot_be_is_a_fault_that_names_the_section),
        cmocka_unit_test(a_day_begins_at_midnight_in_amsterdam),
        on_both_engines(the_log_is_searched_by_actor_action_object_and_time),
        on_both_engines(the_log_is_turned_page_by_page_without_a_row_twice),
        cmocka_unit_test(the_file_keeps_quotes_and_disarms_formulas),
    };
    return cmocka_run_group_tests_name("officers and the audit log", tests, NULL, NULL);
}
