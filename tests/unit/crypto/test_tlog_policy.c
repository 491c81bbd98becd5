/* C2SP tlog-policy: every line, every way in which a file can be wrong, and every quorum. */
#include "tests/unit/crypto/fixture.h"

#include <string.h>

#include "core/crypto/tlog_policy.h"

#define WITNESSES 4
#define ORIGIN "example.org/log"

static NoteSigner *logger, *stranger, *witnesses[WITNESSES];
static const char *log_key, *witness_key[WITNESSES];

static int set_up(void **state)
{
    guint8 seed[NOTE_SEED_SIZE] = {1};
    logger = note_signer_new(ORIGIN, NOTE_ED25519, seed, NULL);
    log_key = note_verifier_text(note_signer_verifier(logger));
    seed[0] = 2;
    stranger = note_signer_new(ORIGIN, NOTE_ED25519, seed, NULL);
    for (guint i = 0; i < WITNESSES; i++) {
        g_autofree char *name = g_strdup_printf("w%u.example.org", i);
        seed[0] = (guint8)(10 + i);
        witnesses[i] = note_signer_new(name, NOTE_COSIGNATURE, seed, NULL);
        witness_key[i] = note_verifier_text(note_signer_verifier(witnesses[i]));
    }
    return 0;
}

static int tear_down(void **state)
{
    note_signer_free(logger);
    note_signer_free(stranger);
    for (guint i = 0; i < WITNESSES; i++)
        note_signer_free(witnesses[i]);
    return 0;
}

/* A policy of one log and all witnesses (a b c d), and these lines. */
static TlogPolicy *policy_of(const char *lines, GError **error)
{
    g_autofree char *text = g_strdup_printf(
        "# who is believed\nlog %s https://example.org/\n\n\twitness a %s\nwitness b %s https://b/\n"
        "witness  c   %s  \nwitness d %s\n%s",
        log_key, witness_key[0], witness_key[1], witness_key[2], witness_key[3], lines);
    return tlog_policy_parse(text, -1, error);
}

/* A checkpoint signed by the log, and by the witnesses whose bits are set. */
static Note *note_of(const NoteSigner *by, const char *origin, guint bits)
{
    Checkpoint checkpoint = {(char *)origin, 7, {{1}}};
    g_autofree char *text = checkpoint_format(&checkpoint);
    g_autoptr(GString) note = g_string_new(text);
    g_autofree char *own = note_sign(by, text, 0);
    g_autoptr(GError) error = NULL;
    g_string_append_printf(note, "\n%s", own);
    for (guint i = 0; i < WITNESSES; i++)
        if ((bits >> i & 1) != 0) {
            g_autofree char *line = note_sign(witnesses[i], text, 100 + i);
            g_string_append(note, line);
        }
    Note *parsed = note_parse(note->str, -1, &error);
    assert_ok(parsed != NULL, error);
    return parsed;
}

static void a_policy_lists_its_logs_and_witnesses(void **state)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(TlogPolicy) policy = policy_of("quorum none", &error);
    assert_ok(policy != NULL, error);
    const char *url = NULL;
    assert_int_equal(tlog_policy_logs(policy), 1);
    assert_string_equal(note_verifier_text(tlog_policy_log(policy, 0, &url)), log_key);
    assert_string_equal(url, "https://example.org/");
    assert_int_equal(tlog_policy_witnesses(policy), WITNESSES);
    assert_string_equal(tlog_policy_witness(policy, 1).name, "b");
    assert_string_equal(tlog_policy_witness(policy, 1).url, "https://b/");
    assert_null(tlog_policy_witness(policy, 2).url);
}

/* For every set of witnesses that can have cosigned: whether the quorum is met. */
static void a_quorum_is_met_by_the_witnesses_it_names_and_by_no_fewer(void **state)
{
#define HAS(bits, i) (((bits) >> (i)&1) != 0)
    static const char *const policies[] = {
        "quorum none",
        "quorum a",
        "group g any a b\nquorum g",
        "group g all a b c\nquorum g",
        "group g 2 a b c\nquorum g",
        "group x 2 a b c\ngroup both all x d\nquorum both",
        "group x any a b\ngroup y any c d\ngroup z 1 x y\nquorum z\n",
    };
    for (gsize p = 0; p < G_N_ELEMENTS(policies); p++) {
        g_autoptr(GError) error = NULL;
        g_autoptr(TlogPolicy) policy = policy_of(policies[p], &error);
        assert_ok(policy != NULL, error);
        for (guint bits = 0; bits < 1 << WITNESSES; bits++) {
            guint abc = (guint)__builtin_popcount(bits & 7);
            const gboolean expected[] = {TRUE,     HAS(bits, 0), HAS(bits, 0) || HAS(bits, 1),
                                         abc == 3, abc >= 2,     abc >= 2 && HAS(bits, 3),
                                         bits != 0};
            g_auto(Checkpoint) checkpoint = {0};
            TlogWitness seen[WITNESSES];
            g_autoptr(Note) note = note_of(logger, ORIGIN, bits);
            g_autoptr(GError) refusal = NULL;
            assert_int_equal(tlog_policy_check(policy, note, &checkpoint, seen, &refusal), expected[p]);
            if (!expected[p])
                assert_refused(refusal, FUNDAMENT_ERROR, FUNDAMENT_ERROR_DENIED, "too few witnesses");
            for (guint i = 0; i < WITNESSES; i++) {
                assert_int_equal(seen[i].cosigned, HAS(bits, i));
                assert_int_equal(seen[i].time_s, HAS(bits, i) ? 100 + i : 0);
            }
        }
    }
}

static void a_log_that_is_not_in_the_policy_is_not_believed(void **state)
{
    g_autoptr(TlogPolicy) policy = policy_of("quorum a", NULL);
    g_auto(Checkpoint) checkpoint = {0};
    g_autoptr(GError) error = NULL;
    g_autoptr(Note) forged = note_of(stranger, ORIGIN, 15);
    assert_false(tlog_policy_check(policy, forged, &checkpoint, NULL, &error));
    assert_refused(error, FUNDAMENT_ERROR, FUNDAMENT_ERROR_DENIED, "not signed by a log");
    g_autoptr(Note) renamed = note_of(logger, "example.org/other", 15);
    assert_false(tlog_policy_check(policy, renamed, &checkpoint, NULL, &error));
    assert_refused(error, FUNDAMENT_ERROR, FUNDAMENT_ERROR_DENIED, "not signed by a log");
}

static void what_is_wrong_with_a_policy_is_told_with_its_line(void **state)
{
    g_autofree char *log_again = g_strdup_printf("log %s\nquorum none", log_key);
    g_autofree char *witness_again = g_strdup_printf("witness e %s\nquorum none", witness_key[2]);
    g_autofree char *no_witness_key = g_strdup_printf("witness e %s\nquorum none", log_key);
    g_autofree char *name_again = g_strdup_printf("witness a %s\nquorum none", witness_key[2]);
    const char *cases[][2] = {
        {"", "line 8: there is no quorum"},
        {"quorum", "line 8: expected: quorum"},
        {"quorum a b", "expected: quorum"},
        {"quorum x", "\"x\" is not defined"},
        {"quorum a\nquorum b", "line 9: a policy has one quorum"},
        {"group g any\nquorum g", "expected: group"},
        {"group g 0 a b\nquorum g", "a number from 1 to 2"},
        {"group g 3 a b\nquorum g", "a number from 1 to 2"},
        {"group g 01 a b\nquorum g", "a number from 1 to 2"},
        {"group g some a b\nquorum g", "a number from 1 to 2"},
        {"group g any a x\nquorum g", "\"x\" is not defined"},
        {"group g any a a\nquorum g", "in a group already"},
        {"group g any a b\ngroup h any b c\nquorum g", "in a group already"},
        {"group a any b c\nquorum a", "\"a\" is taken"},
        {"group none any b c\nquorum a", "\"none\" is taken"},
        {"group g any h\ngroup h any a\nquorum g", "\"h\" is not defined"},
        {"log\nquorum a", "expected: log"},
        {"log x\nquorum a", "NAME+ID+KEY"},
        {"witness e\nquorum a", "expected: witness"},
        {"policy x\nquorum a", "begins with"},
        {log_again, "this log is there already"},
        {witness_again, "there already, as \"c\""},
        {no_witness_key, "kind 04"},
        {name_again, "\"a\" is taken"},
        {"quorum a\r\n", "control characters"},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GError) error = NULL;
        g_autoptr(TlogPolicy) policy = policy_of(cases[i][0], &error);
        assert_null(policy);
        assert_refused(error, FUNDAMENT_ERROR, FUNDAMENT_ERROR_INVALID, cases[i][1]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_policy_lists_its_logs_and_witnesses),
        cmocka_unit_test(a_quorum_is_met_by_the_witnesses_it_names_and_by_no_fewer),
        cmocka_unit_test(a_log_that_is_not_in_the_policy_is_not_believed),
        cmocka_unit_test(what_is_wrong_with_a_policy_is_told_with_its_line),
    };
    return cmocka_run_group_tests_name("tlog policy", tests, set_up, tear_down);
}
