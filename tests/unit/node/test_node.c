/* Components: which are on, in which order they start and stop, and what of node.conf they may ask. */
#include <stdio.h>
#include <unistd.h>

#include "core/node/audit.h"
#include "tests/unit/node/support.h"

static GString *story;

static gpointer start_well(Node *node, GError **error)
{
    g_string_append(story, "start ");
    return node;
}

static gpointer start_badly(Node *node, GError **error)
{
    g_set_error_literal(error, FUNDAMENT_ERROR, FUNDAMENT_ERROR_INVALID, "no such thing");
    return NULL;
}

static void stop_first(gpointer context)
{
    g_string_append(story, "stop-first ");
}

static void stop_second(gpointer context)
{
    g_string_append(story, "stop-second ");
}

static const char *const needs_first[] = {"first", NULL};

static const ConfigKey second_keys[] = {
    {"second", "must", CONFIG_TEXT, TRUE, NULL, "must be there"},
    {"second", "may", CONFIG_TEXT, FALSE, "maybe", "may be there"},
};

static const Component first = {.name = "first", .start = start_well, .stop = stop_first};
static const Component second = {.name = "second",
                                 .needs = needs_first,
                                 .config = second_keys,
                                 .n_config = 2,
                                 .start = start_well,
                                 .stop = stop_second};
static const Component bad = {.name = "bad", .start = start_badly};
static const Component bare = {.name = "bare"};
static const Component *const table[] = {&first, &second};

/* --- configuration --- */

/* What node_load_config() says on stderr about this file; "" when it is accepted. */
static char *faults_of(const char *text)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *folder = test_folder_new();
    g_autofree char *path = g_build_filename(folder, "node.conf", NULL);
    g_autofree char *anchors = g_build_filename(folder, "anchor.crt", NULL);
    g_autofree char *err = g_build_filename(folder, "err", NULL);
    g_file_set_contents(path, text, -1, &error);
    g_file_set_contents(anchors, "", -1, &error);
    no_error(error);
    fflush(stderr);
    int saved = dup(STDERR_FILENO);
    assert_non_null(freopen(err, "w", stderr));
    g_autoptr(Config) config = node_load_config(path, table, G_N_ELEMENTS(table));
    fflush(stderr);
    dup2(saved, STDERR_FILENO);
    close(saved);
    char *faults = NULL;
    g_file_get_contents(err, &faults, NULL, &error);
    no_error(error);
    assert_true((config == NULL) == (*faults != '\0'));
    return faults;
}

static void faults_of_whole(const char *text, const char *expected)
{
    g_autofree char *faults = faults_of(text);
    if (!g_str_has_suffix(faults, expected) || (*expected == '\0' && *faults != '\0'))
        fail_msg("expected \"%s\": %s", expected, faults);
}

static void faults_end_with(const char *more, const char *expected)
{
    g_autofree char *text = g_strconcat("[node]\ngroup = g\nanchors = anchor.crt\n", more, NULL);
    faults_of_whole(text, expected);
}

static char *group_text(const char *group)
{
    return g_strdup_printf("[node]\ngroup = %s\nanchors = anchor.crt\ncomponents =\n", group);
}

static void all_components_are_on_by_default(void **state)
{
    faults_end_with("", "node.conf: [second] lacks the key \"must\": must be there\n");
    faults_end_with("[second]\nmust = x\n", "");
}

static void a_component_that_is_off_needs_nothing_but_its_keys_are_known(void **state)
{
    faults_end_with("components = first\n", "");
    faults_end_with("components = first\n[second]\nmay = x\n", "");
    faults_end_with("components = first\n[second]\nmya = x\n",
                    "node.conf:6: unknown key \"mya\" in [second]; did you mean \"may\"?\n");
    faults_end_with("components =\n", "");
}

static void a_component_brings_what_it_needs_to_mind(void **state)
{
    faults_end_with("components = second\n[second]\nmust = x\n",
                    "node.conf:4: component second needs first; add it to components\n");
    faults_end_with("components = first second\n[second]\nmust = x\n", "");
}

/* FSC Core 2.0.0, 4.1.2 */
static void a_group_id_has_1_to_100_of_a_few_characters(void **state)
{
    g_autofree char *longest = g_strnfill(100, 'g');
    g_autofree char *fine = group_text(longest);
    faults_of_whole(fine, "");
    g_autofree char *longer = g_strnfill(101, 'g');
    g_autofree char *too_long = group_text(longer);
    faults_of_whole(too_long, ": expected 1 to 100 of a-z A-Z 0-9 . / _ -\n");
    g_autofree char *odd = group_text("a+b");
    faults_of_whole(odd, "node.conf:2: group: \"a+b\": expected 1 to 100 of a-z A-Z 0-9 . / _ -\n");
}

static void an_unknown_component_is_a_fault(void **state)
{
    faults_end_with(
        "components = frist\n",
        "node.conf:4: components: \"frist\" is none of: first, second; did you mean \"first\"?\n");
}

/* --- starting and stopping --- */

static int setup(void **state)
{
    story = g_string_new(NULL);
    *state = node_fixture_new(FALSE, TRUE, "");
    return 0;
}

static int teardown(void **state)
{
    if (*state != NULL)
        node_fixture_free(*state);
    g_string_free(story, TRUE);
    return 0;
}

static void components_stop_in_reverse_order(void **state)
{
    g_autoptr(GError) error = NULL;
    NodeFixture *fixture = *state;
    assert_true(node_start_component(fixture->node, &first, &error));
    assert_true(node_start_component(fixture->node, &second, &error));
    assert_true(node_start_component(fixture->node, &bare, &error));
    assert_ptr_equal(node_component(fixture->node, "first"), fixture->node);
    assert_non_null(node_component(fixture->node, "bare"));
    assert_null(node_component(fixture->node, "third"));
    node_fixture_free(fixture);
    *state = NULL;
    assert_string_equal(story->str, "start start stop-second stop-first ");
}

static void a_component_that_cannot_start_says_why_and_the_others_stop(void **state)
{
    g_autoptr(GError) error = NULL;
    NodeFixture *fixture = *state;
    assert_true(node_start_component(fixture->node, &first, &error));
    assert_false(node_start_component(fixture->node, &bad, &error));
    assert_string_equal(error->message, "component bad: no such thing");
    assert_null(node_component(fixture->node, "bad"));
    node_fixture_free(fixture);
    *state = NULL;
    assert_string_equal(story->str, "start stop-first ");
}

static void knows_whose_it_is(void **state)
{
    const NodeFixture *fixture = *state;
    const Node *node = fixture->node;
    assert_string_equal(node_oin(node), SUPPORT_OIN);
    assert_string_equal(node_name(node), "Register of tests");
    assert_string_equal(node_group_id(node), "test");
    assert_non_null(node_key(node, ROLE_MANAGER));
    assert_non_null(node_certificate(node, ROLE_TOKEN));
    assert_null(node_key(node, ROLE_INWAY));
    assert_null(node_frames(node));
    TlsIdentity tls = node_tls(node, ROLE_OUTWAY);
    assert_true(g_str_has_suffix(tls.certificate_path, "/keys/outway.crt"));
    assert_true(g_str_has_suffix(tls.key_path, "/keys/outway.key"));
    assert_null(tls.crl_path);
    assert_string_equal(role_name(ROLE_CONTRACT), "contract");
    g_autoptr(TrustAnchors) anchors = node_anchors(fixture->node);
    assert_non_null(anchors);
}

/* Keys that are read again do not pull the old ones from under those who use them. */
static void borrowed_keys_outlive_a_reload(void **state)
{
    NodeFixture *fixture = *state;
    const Certificate *before = node_certificate(fixture->node, ROLE_TOKEN);
    g_autofree char *thumbprint = g_strdup(certificate_thumbprint(before));
    support_issue(fixture->folder, "token", SUPPORT_OIN);
    node_refresh_identity(fixture->node, TRUE);
    assert_ptr_not_equal(node_certificate(fixture->node, ROLE_TOKEN), before);
    assert_string_equal(certificate_thumbprint(before), thumbprint);
}

static void changed_anchors_are_noticed_and_broken_ones_refused(void **state)
{
    NodeFixture *fixture = *state;
    g_autofree char *path = g_build_filename(fixture->folder, "pki", "anchor.crt", NULL);
    g_autofree char *text = NULL;
    g_autoptr(TrustAnchors) before = node_anchors(fixture->node);
    node_refresh_anchors(fixture->node, FALSE);
    g_autoptr(TrustAnchors) same = node_anchors(fixture->node);
    assert_ptr_equal(before, same);
    assert_true(g_file_get_contents(path, &text, NULL, NULL));
    assert_true(g_file_set_contents(path, "rubbish", -1, NULL));
    node_refresh_anchors(fixture->node, FALSE);
    g_autoptr(TrustAnchors) kept = node_anchors(fixture->node);
    assert_ptr_equal(before, kept);
    assert_true(g_file_set_contents(path, text, -1, NULL)); /* a new file, so a new inode */
    node_refresh_anchors(fixture->node, FALSE);
    g_autoptr(TrustAnchors) after = node_anchors(fixture->node);
    assert_ptr_not_equal(before, after);
}

static void the_audit_log_holds_who_did_what(void **state)
{
    g_autoptr(GError) error = NULL;
    NodeFixture *fixture = *state;
    TraceContext trace;
    trace_new(&trace);
    Db *db = store_take(fixture->store, &error);
    assert_true(audit_write(db, &fixture->clock, "uid:0", "administrator", "fsc.contract.revoke", "$1$x",
                            "begun", &trace, &error));
    assert_true(audit_write(db, &fixture->clock, "uid:0", "administrator", "fsc.contract.revoke", "$1$x",
                            "done", NULL, &error));
    db_release(db);
    assert_int_equal(support_number(fixture->store, "SELECT COUNT(*) FROM node_audit WHERE trace_id IS NULL"),
                     1);
    assert_int_equal(support_number(fixture->store, "SELECT MIN(time_ms) FROM node_audit"),
                     (gint64)SUPPORT_NOW * 1000);
}

#define test(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_components_are_on_by_default),
        cmocka_unit_test(a_component_that_is_off_needs_nothing_but_its_keys_are_known),
        cmocka_unit_test(a_component_brings_what_it_needs_to_mind),
        cmocka_unit_test(an_unknown_component_is_a_fault),
        cmocka_unit_test(a_group_id_has_1_to_100_of_a_few_characters),
        test(components_stop_in_reverse_order),
        test(a_component_that_cannot_start_says_why_and_the_others_stop),
        test(knows_whose_it_is),
        test(borrowed_keys_outlive_a_reload),
        test(changed_anchors_are_noticed_and_broken_ones_refused),
        test(the_audit_log_holds_who_did_what),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
