/* The states of a contract as a walk: from every situation, every thing that can happen, and which state
 * follows. The table of components/fsc/state.c is asked, nothing of it is repeated here; the walk is printed.
 * FSC Core 2.0.0, 3.2.1 and its picture of states. */
#include "tests/unit/fsc/sample.h"

#include "components/fsc/state.h"

#define BEGIN 1000
#define END 2000

/* Whether all have accepted. */
typedef enum {
    ACCEPTS_MISSING,
    ACCEPTS_ENDED, /* all are there, the certificate under one has ended */
    ACCEPTS_COMPLETE,
    ACCEPTS_COUNT
} Accepts;

/* What is the case at one moment. */
typedef struct {
    Accepts accepts;
    gboolean rejected, revoked;
    gint64 now;
} Situation;

static ContractState state_of(const Situation *situation)
{
    static const char *const signers[] = {CONSUMER, PROVIDER};
    PlacedSignature placed[4];
    gsize count = 0;
    placed[count++] = (PlacedSignature){
        .peer_id = CONSUMER, .type = SIGNATURE_ACCEPT, .signed_at = 1, .not_after = G_MAXINT64};
    if (situation->accepts != ACCEPTS_MISSING)
        placed[count++] =
            (PlacedSignature){.peer_id = PROVIDER,
                              .type = SIGNATURE_ACCEPT,
                              .signed_at = 1,
                              .not_after = situation->accepts == ACCEPTS_ENDED ? 1 : G_MAXINT64};
    if (situation->rejected)
        placed[count++] = (PlacedSignature){.peer_id = PROVIDER, .type = SIGNATURE_REJECT, .signed_at = 2};
    if (situation->revoked)
        placed[count++] = (PlacedSignature){.peer_id = CONSUMER, .type = SIGNATURE_REVOKE, .signed_at = 3};
    StateInput input = {.signers = signers,
                        .n_signers = 2,
                        .not_before = BEGIN,
                        .not_after = END,
                        .signatures = placed,
                        .n_signatures = count};
    return contract_state(&input, situation->now);
}

static void all_accept(Situation *situation)
{
    situation->accepts = ACCEPTS_COMPLETE;
}

static void a_certificate_ends(Situation *situation)
{
    if (situation->accepts == ACCEPTS_COMPLETE)
        situation->accepts = ACCEPTS_ENDED;
}

static void one_rejects(Situation *situation)
{
    situation->rejected = TRUE;
}

static void one_revokes(Situation *situation)
{
    situation->revoked = TRUE;
}

static void time_passes(Situation *situation)
{
    situation->now = situation->now < BEGIN ? BEGIN : END + 1;
}

static const struct {
    const char *name;
    void (*happens)(Situation *situation);
} events[] = {
    {"the last accept comes", all_accept},     {"a certificate under an accept ends", a_certificate_ends},
    {"a reject comes", one_rejects},           {"a revoke comes", one_revokes},
    {"time passes begin or end", time_passes},
};

/* Every situation, with every event: "from -> to: event", each once, in the order in which they are found. */
static GPtrArray *walk(void)
{
    GPtrArray *found = g_ptr_array_new_with_free_func(g_free);
    static const gint64 moments[] = {BEGIN - 1, BEGIN, END, END + 1};
    for (int mask = 0; mask < 4 * ACCEPTS_COUNT; mask++)
        for (gsize m = 0; m < G_N_ELEMENTS(moments); m++)
            for (gsize e = 0; e < G_N_ELEMENTS(events); e++) {
                const Situation before = {(Accepts)(mask / 4), (mask & 1) != 0, (mask & 2) != 0, moments[m]};
                Situation after = before;
                events[e].happens(&after);
                const char *from = contract_state_name(state_of(&before));
                const char *to = contract_state_name(state_of(&after));
                g_autofree char *line = g_strdup_printf("%s -> %s: %s", from, to, events[e].name);
                if (strcmp(from, to) != 0 &&
                    !g_ptr_array_find_with_equal_func(found, line, g_str_equal, NULL))
                    g_ptr_array_add(found, g_steal_pointer(&line));
            }
    return found;
}

static gboolean leads(const GPtrArray *found, const char *from, const char *to)
{
    g_autofree char *prefix = g_strdup_printf("%s -> %s:", from, to);
    for (guint i = 0; i < found->len; i++)
        if (g_str_has_prefix(g_ptr_array_index(found, i), prefix))
            return TRUE;
    return FALSE;
}

/* All that can follow, and nothing else. Beyond the standard's picture: `accepted` is valid before its time;
 * a certificate that ends takes its accept along until it is renewed (4.2.7), but not from a past that is
 * over; and what is signed after the end is kept. */
static void every_transition_is_one_of_the_list(void **state)
{
    static const char *const wanted[] = {
        "proposed -> accepted: the last accept comes",
        "proposed -> valid: the last accept comes",
        "proposed -> rejected: a reject comes",
        "proposed -> rejected: time passes begin or end",
        "proposed -> expired: time passes begin or end",
        "proposed -> revoked: a revoke comes",
        "accepted -> valid: time passes begin or end",
        "accepted -> proposed: a certificate under an accept ends",
        "accepted -> rejected: a reject comes",
        "accepted -> revoked: a revoke comes",
        "valid -> expired: time passes begin or end",
        "valid -> proposed: a certificate under an accept ends",
        "valid -> rejected: a reject comes",
        "valid -> revoked: a revoke comes",
        "rejected -> revoked: a revoke comes",
        "rejected -> expired: the last accept comes",
        "expired -> rejected: a reject comes",
        "expired -> revoked: a revoke comes",
    };
    g_autoptr(GPtrArray) found = walk();
    for (guint i = 0; i < found->len; i++) {
        const char *line = g_ptr_array_index(found, i);
        gboolean expected = FALSE;
        print_message("# %s\n", line);
        for (gsize j = 0; j < G_N_ELEMENTS(wanted); j++)
            expected = expected || strcmp(wanted[j], line) == 0;
        if (!expected)
            fail_msg("not in the list: %s", line);
    }
    assert_int_equal(found->len, G_N_ELEMENTS(wanted));
}

static void nothing_leads_out_of_revoked(void **state)
{
    g_autoptr(GPtrArray) found = walk();
    for (int to = 0; to < CONTRACT_STATE_COUNT; to++)
        assert_false(leads(found, "revoked", contract_state_name((ContractState)to)));
}

/* 3.2.1: from each state in which a contract counts, a revoke, a reject and the end lead out. */
static void what_counts_can_be_ended_in_every_way(void **state)
{
    g_autoptr(GPtrArray) found = walk();
    assert_true(leads(found, "valid", "revoked"));
    assert_true(leads(found, "valid", "rejected"));
    assert_true(leads(found, "valid", "expired"));
}

static void every_state_is_reached(void **state)
{
    g_autoptr(GPtrArray) found = walk();
    for (int to = 0; to < CONTRACT_STATE_COUNT; to++) {
        gboolean reached = to == CONTRACT_PROPOSED; /* where each contract begins */
        for (int from = 0; from < CONTRACT_STATE_COUNT; from++)
            reached = reached || leads(found, contract_state_name((ContractState)from),
                                       contract_state_name((ContractState)to));
        assert_true(reached);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_transition_is_one_of_the_list),
        cmocka_unit_test(nothing_leads_out_of_revoked),
        cmocka_unit_test(what_counts_can_be_ended_in_every_way),
        cmocka_unit_test(every_state_is_reached),
    };
    return cmocka_run_group_tests_name("fsc transitions", tests, NULL, NULL);
}
