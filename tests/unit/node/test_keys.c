/* The table of keys: until when, what state, which alarm (decisions.md 29; docs/keys.md). */
#include "core/node/keys.h"

#include "core/format/json.h"
#include "tests/unit/node/support.h"

#define DAY 86400

static void alarms_are_due_at_60_30_and_7_days(void **state)
{
    static const struct {
        gint64 left_s;
        int days;
    } cases[] = {
        {61 * DAY, -1}, {60 * DAY + 1, -1}, {60 * DAY, 60}, {31 * DAY, 60}, {30 * DAY, 30},
        {8 * DAY, 30},  {7 * DAY, 7},       {1, 7},         {0, 0},         {-DAY, 0},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++)
        assert_int_equal(key_alarm_days(SUPPORT_NOW + cases[i].left_s, SUPPORT_NOW), cases[i].days);
}

static void a_certificate_has_a_state(void **state)
{
    assert_int_equal(key_state(SUPPORT_NOW - 1, SUPPORT_NOW + 61 * DAY, SUPPORT_NOW), KEY_VALID);
    assert_int_equal(key_state(SUPPORT_NOW - 1, SUPPORT_NOW + 60 * DAY, SUPPORT_NOW), KEY_RENEW);
    assert_int_equal(key_state(SUPPORT_NOW - 1, SUPPORT_NOW - 1, SUPPORT_NOW), KEY_EXPIRED);
    assert_int_equal(key_state(SUPPORT_NOW + 1, SUPPORT_NOW + 61 * DAY, SUPPORT_NOW), KEY_EXPIRED);
}

static const json_t *named(const json_t *list, const char *name)
{
    for (gsize i = 0; i < json_array_size(list); i++)
        if (g_str_equal(json_string_at(json_array_get(list, i), "name"), name))
            return json_array_get(list, i);
    fail_msg("no key %s", name);
    return NULL;
}

static void lists_every_key_with_its_state(void **state)
{
    NodeFixture *fixture = node_fixture_new(FALSE, TRUE, "");
    g_autoptr(json_t) list = keys_list(fixture->config, SUPPORT_NOW);
    const json_t *manager = named(list, "manager");
    assert_string_equal(json_string_at(manager, "thumbprint"),
                        certificate_thumbprint(node_certificate(fixture->node, ROLE_MANAGER)));
    assert_int_equal(json_integer_at(manager, "not_after"),
                     certificate_not_after(node_certificate(fixture->node, ROLE_MANAGER)));
    assert_string_equal(json_string_at(named(list, "inway"), "state"), "absent");
    assert_string_equal(json_string_at(named(list, "pseudonym.1"), "state"), "valid");
    assert_non_null(json_string_at(named(list, "anchor"), "thumbprint"));
    node_fixture_free(fixture);
}

static void names_a_key_that_does_not_belong_to_its_certificate(void **state)
{
    NodeFixture *fixture = node_fixture_new(FALSE, TRUE, "");
    g_autofree char *token = g_build_filename(fixture->folder, "keys", "token.key", NULL);
    g_autofree char *manager = g_build_filename(fixture->folder, "keys", "manager.key", NULL);
    g_autoptr(GError) error = NULL;
    g_autoptr(Key) other = key_load(manager, &error);
    assert_true(key_save(other, token, &error));
    g_autoptr(json_t) list = keys_list(fixture->config, SUPPORT_NOW);
    const json_t *entry = named(list, "token");
    assert_string_equal(json_string_at(entry, "state"), "broken");
    assert_non_null(strstr(json_string_at(entry, "fault"), "does not belong"));
    node_fixture_free(fixture);
}

static void keys_that_change_are_read_again_and_half_a_change_is_not(void **state)
{
    NodeFixture *fixture = node_fixture_new(FALSE, TRUE, "");
    const Certificate *before = node_certificate(fixture->node, ROLE_TOKEN);
    node_refresh_identity(fixture->node, FALSE);
    assert_ptr_equal(node_certificate(fixture->node, ROLE_TOKEN), before);
    g_autofree char *path = g_build_filename(fixture->folder, "keys", "token.crt", NULL);
    g_autofree char *old = NULL;
    g_autofree char *fresh = NULL;
    g_file_get_contents(path, &old, NULL, NULL);
    support_issue(fixture->folder, "token", SUPPORT_OIN);
    g_file_get_contents(path, &fresh, NULL, NULL);
    g_file_set_contents(path, old, -1, NULL); /* the key is there, its certificate not yet */
    node_refresh_identity(fixture->node, FALSE);
    assert_ptr_equal(node_certificate(fixture->node, ROLE_TOKEN), before);
    g_file_set_contents(path, fresh, -1, NULL);
    node_refresh_identity(fixture->node, FALSE);
    assert_ptr_not_equal(node_certificate(fixture->node, ROLE_TOKEN), before);
    node_fixture_free(fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(alarms_are_due_at_60_30_and_7_days),
        cmocka_unit_test(a_certificate_has_a_state),
        cmocka_unit_test(lists_every_key_with_its_state),
        cmocka_unit_test(names_a_key_that_does_not_belong_to_its_certificate),
        cmocka_unit_test(keys_that_change_are_read_again_and_half_a_change_is_not),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
