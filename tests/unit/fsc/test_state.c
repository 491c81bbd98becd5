#include "components/fsc/state.h"
#include "tests/unit/fsc/sample.h"

static const char *const signers[] = {CONSUMER, PROVIDER};

#define CERTIFICATE_ALWAYS .not_before = 0, .not_after = G_MAXINT64
#define PLACED(peer, kind, when)                                                                             \
    {                                                                                                        \
        .peer_id = (peer), .type = SIGNATURE_##kind, .signed_at = (when), CERTIFICATE_ALWAYS                 \
    }

static StateInput input_of(const PlacedSignature *signatures, gsize count)
{
    return (StateInput){.signers = signers,
                        .n_signers = 2,
                        .not_before = NOW - 100,
                        .not_after = NOW + 100,
                        .signatures = signatures,
                        .n_signatures = count};
}

static ContractState state_at(const PlacedSignature *signatures, gsize count, gint64 now_s)
{
    StateInput input = input_of(signatures, count);
    return contract_state(&input, now_s);
}

#define STATE(now, ...)                                                                                      \
    state_at((const PlacedSignature[]){__VA_ARGS__},                                                         \
             sizeof((const PlacedSignature[]){__VA_ARGS__}) / sizeof(PlacedSignature), now)

static void is_proposed_until_all_have_accepted(void **state)
{
    assert_int_equal(state_at(NULL, 0, NOW), CONTRACT_PROPOSED);
    assert_int_equal(STATE(NOW, PLACED(CONSUMER, ACCEPT, 1)), CONTRACT_PROPOSED);
    assert_int_equal(STATE(NOW, PLACED(CONSUMER, ACCEPT, 1), PLACED(CONSUMER, ACCEPT, 2)), CONTRACT_PROPOSED);
    assert_int_equal(STATE(NOW, PLACED(CONSUMER, ACCEPT, 1), PLACED(OTHER, ACCEPT, 2)), CONTRACT_PROPOSED);
    assert_int_equal(STATE(NOW, PLACED(CONSUMER, ACCEPT, 1), PLACED(PROVIDER, ACCEPT, 2)), CONTRACT_VALID);
    assert_int_equal(STATE(NOW, PLACED(PROVIDER, ACCEPT, 2), PLACED(CONSUMER, ACCEPT, 1)), CONTRACT_VALID);
}

/* FSC Core 2.0.0, 3.2.1: "A Contract becomes invalid when at least one Peer mentioned in the Contract revokes
 * the Contract." */
static void one_revoke_is_enough_and_final(void **state)
{
    assert_int_equal(
        STATE(NOW, PLACED(CONSUMER, ACCEPT, 1), PLACED(PROVIDER, ACCEPT, 2), PLACED(CONSUMER, REVOKE, 3)),
        CONTRACT_REVOKED);
    assert_int_equal(
        STATE(NOW, PLACED(CONSUMER, REVOKE, 3), PLACED(CONSUMER, ACCEPT, 9), PLACED(PROVIDER, ACCEPT, 9)),
        CONTRACT_REVOKED);
    assert_int_equal(STATE(NOW + 1000, PLACED(CONSUMER, REVOKE, 3)), CONTRACT_REVOKED);
}

/* 3.2.1: "... rejects the Contract." */
static void one_reject_is_enough_and_final(void **state)
{
    assert_int_equal(STATE(NOW, PLACED(CONSUMER, ACCEPT, 1), PLACED(PROVIDER, REJECT, 2)), CONTRACT_REJECTED);
    assert_int_equal(
        STATE(NOW, PLACED(CONSUMER, ACCEPT, 1), PLACED(PROVIDER, REJECT, 2), PLACED(PROVIDER, ACCEPT, 3)),
        CONTRACT_REJECTED);
}

static void revoke_goes_over_reject(void **state)
{
    assert_int_equal(STATE(NOW, PLACED(PROVIDER, REJECT, 2), PLACED(CONSUMER, REVOKE, 3)), CONTRACT_REVOKED);
    assert_int_equal(STATE(NOW, PLACED(CONSUMER, REVOKE, 1), PLACED(PROVIDER, REJECT, 3)), CONTRACT_REVOKED);
}

static void strangers_change_nothing(void **state)
{
    assert_int_equal(
        STATE(NOW, PLACED(CONSUMER, ACCEPT, 1), PLACED(PROVIDER, ACCEPT, 2), PLACED(OTHER, REVOKE, 3)),
        CONTRACT_VALID);
    assert_int_equal(
        STATE(NOW, PLACED(CONSUMER, ACCEPT, 1), PLACED(PROVIDER, ACCEPT, 2), PLACED(OTHER, REJECT, 3)),
        CONTRACT_VALID);
}

/* 3.2.1: "A Contract becomes invalid when the validity period of the Contract expires." */
static void is_valid_from_not_before_to_not_after(void **state)
{
    static const struct {
        gint64 now;
        ContractState all, one;
    } moments[] = {
        {NOW - 101, CONTRACT_ACCEPTED, CONTRACT_PROPOSED},
        {NOW - 100, CONTRACT_VALID, CONTRACT_PROPOSED},
        {NOW + 100, CONTRACT_VALID, CONTRACT_PROPOSED},
        {NOW + 101, CONTRACT_EXPIRED, CONTRACT_REJECTED},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(moments); i++) {
        assert_int_equal(STATE(moments[i].now, PLACED(CONSUMER, ACCEPT, 1), PLACED(PROVIDER, ACCEPT, 2)),
                         moments[i].all);
        assert_int_equal(STATE(moments[i].now, PLACED(CONSUMER, ACCEPT, 1)), moments[i].one);
    }
}

#define EXPIRING(peer, when, end)                                                                            \
    {                                                                                                        \
        .peer_id = (peer), .type = SIGNATURE_ACCEPT, .signed_at = (when), .not_before = 0,                   \
        .not_after = (end)                                                                                   \
    }

/* 4.2.7: "Without a valid certificate, Peers cannot verify the signature, rendering the Contract invalid." */
static void an_accept_lives_as_long_as_its_certificate(void **state)
{
    assert_int_equal(STATE(NOW, EXPIRING(CONSUMER, 1, NOW), PLACED(PROVIDER, ACCEPT, 2)), CONTRACT_VALID);
    assert_int_equal(STATE(NOW + 1, EXPIRING(CONSUMER, 1, NOW), PLACED(PROVIDER, ACCEPT, 2)),
                     CONTRACT_PROPOSED);
}

static void a_new_accept_under_a_new_certificate_renews(void **state)
{
    assert_int_equal(
        STATE(NOW + 1, EXPIRING(CONSUMER, 1, NOW), PLACED(CONSUMER, ACCEPT, 5), PLACED(PROVIDER, ACCEPT, 2)),
        CONTRACT_VALID);
    assert_int_equal(
        STATE(NOW + 1, PLACED(CONSUMER, ACCEPT, 5), EXPIRING(CONSUMER, 1, NOW), PLACED(PROVIDER, ACCEPT, 2)),
        CONTRACT_VALID);
}

static void an_expired_contract_stays_expired(void **state)
{
    assert_int_equal(STATE(NOW + 101, EXPIRING(CONSUMER, 1, NOW), PLACED(PROVIDER, ACCEPT, 2)),
                     CONTRACT_EXPIRED);
}

static void tells_when_time_alone_changes_it(void **state)
{
    const PlacedSignature signatures[] = {EXPIRING(CONSUMER, 1, NOW + 50), PLACED(PROVIDER, ACCEPT, 2)};
    StateInput input = input_of(signatures, 2);
    assert_int_equal(contract_state_changes_at(&input, NOW - 200), NOW - 100);
    assert_int_equal(contract_state_changes_at(&input, NOW - 100), NOW + 51);
    assert_int_equal(contract_state_changes_at(&input, NOW + 51), NOW + 101);
    assert_true(contract_state_changes_at(&input, NOW + 101) == G_MAXINT64);
}

/* Whatever the signatures and the time, exactly one row of the table decides, and it is the one the
 * standard's picture shows. */
static void every_set_of_signatures_has_a_state(void **state)
{
    for (int mask = 0; mask < 64; mask++) {
        PlacedSignature placed[6];
        gsize count = 0;
        for (int bit = 0; bit < 6; bit++)
            if (mask & 1 << bit)
                placed[count++] = (PlacedSignature){.peer_id = signers[bit % 2],
                                                    .type = (SignatureType)(bit / 2),
                                                    .signed_at = bit,
                                                    CERTIFICATE_ALWAYS};
        for (gint64 now = NOW - 101; now <= NOW + 101; now += 101) {
            ContractState expected = mask & 0x30   ? CONTRACT_REVOKED
                                     : mask & 0x0c ? CONTRACT_REJECTED
                                     : (mask & 3) != 3
                                         ? now > NOW + 100 ? CONTRACT_REJECTED : CONTRACT_PROPOSED
                                     : now < NOW - 100 ? CONTRACT_ACCEPTED
                                     : now > NOW + 100 ? CONTRACT_EXPIRED
                                                       : CONTRACT_VALID;
            assert_int_equal(state_at(placed, count, now), expected);
        }
    }
}

static void prints_its_table(void **state)
{
    g_autofree char *table = contract_state_table();
    assert_non_null(strstr(table, "yes      -         -                -                    revoked\n"));
    assert_non_null(strstr(table, "no       no        yes              within               valid\n"));
}

/* Nodes get signatures in different orders, and must come to the same state. */
static void two_accepts_of_one_second_count_alike_in_any_order(void **state)
{
    const PlacedSignature provider = PLACED(PROVIDER, ACCEPT, 2);
    const PlacedSignature ended = {
        .peer_id = CONSUMER, .type = SIGNATURE_ACCEPT, .signed_at = 5, .not_after = NOW - 1};
    const PlacedSignature lasting = {
        .peer_id = CONSUMER, .type = SIGNATURE_ACCEPT, .signed_at = 5, .not_after = NOW + 1};
    const PlacedSignature later = {
        .peer_id = CONSUMER, .type = SIGNATURE_ACCEPT, .signed_at = 6, .not_after = NOW - 1};
    assert_int_equal(STATE(NOW, provider, ended, lasting), CONTRACT_VALID);
    assert_int_equal(STATE(NOW, provider, lasting, ended), CONTRACT_VALID);
    assert_int_equal(STATE(NOW, provider, lasting, later), CONTRACT_PROPOSED);
    assert_int_equal(STATE(NOW, provider, later, lasting), CONTRACT_PROPOSED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(two_accepts_of_one_second_count_alike_in_any_order),
        cmocka_unit_test(is_proposed_until_all_have_accepted),
        cmocka_unit_test(one_revoke_is_enough_and_final),
        cmocka_unit_test(one_reject_is_enough_and_final),
        cmocka_unit_test(revoke_goes_over_reject),
        cmocka_unit_test(strangers_change_nothing),
        cmocka_unit_test(is_valid_from_not_before_to_not_after),
        cmocka_unit_test(an_accept_lives_as_long_as_its_certificate),
        cmocka_unit_test(a_new_accept_under_a_new_certificate_renews),
        cmocka_unit_test(an_expired_contract_stays_expired),
        cmocka_unit_test(tells_when_time_alone_changes_it),
        cmocka_unit_test(every_set_of_signatures_has_a_state),
        cmocka_unit_test(prints_its_table),
    };
    return cmocka_run_group_tests_name("fsc state", tests, NULL, NULL);
}
