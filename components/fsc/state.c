#include "components/fsc/state.h"

typedef enum { WHEN_BEFORE = 1, WHEN_WITHIN = 2, WHEN_AFTER = 4, WHEN_ANY = 7 } When;
typedef enum { NO = 1, YES = 2, ANY = 3 } Tri;

/* The first row that fits decides: revoke over reject over accept (decisions.md 9). */
static const struct {
    Tri revoked, rejected, complete;
    When when;
    ContractState state;
} state_rows[] = {
    {YES, ANY, ANY, WHEN_ANY, CONTRACT_REVOKED},   {NO, YES, ANY, WHEN_ANY, CONTRACT_REJECTED},
    {NO, NO, YES, WHEN_BEFORE, CONTRACT_ACCEPTED}, {NO, NO, YES, WHEN_WITHIN, CONTRACT_VALID},
    {NO, NO, YES, WHEN_AFTER, CONTRACT_EXPIRED},   {NO, NO, NO, WHEN_BEFORE | WHEN_WITHIN, CONTRACT_PROPOSED},
    {NO, NO, NO, WHEN_AFTER, CONTRACT_REJECTED},
};

static const char *const state_names[CONTRACT_STATE_COUNT] = {"proposed", "accepted", "valid",
                                                              "rejected", "revoked",  "expired"};

const char *contract_state_name(ContractState state)
{
    return state_names[state];
}

static gboolean is_signer(const StateInput *input, const char *peer_id)
{
    for (gsize i = 0; i < input->n_signers; i++)
        if (g_str_equal(input->signers[i], peer_id))
            return TRUE;
    return FALSE;
}

static gboolean has_from_signer(const StateInput *input, SignatureType type)
{
    for (gsize i = 0; i < input->n_signatures; i++)
        if (input->signatures[i].type == type && is_signer(input, input->signatures[i].peer_id))
            return TRUE;
    return FALSE;
}

/* Two of one second: the one whose certificate lasts longer, so that the order in which they came makes no
 * difference between nodes. */
static gboolean is_newer(const PlacedSignature *one, const PlacedSignature *other)
{
    return one->signed_at != other->signed_at ? one->signed_at > other->signed_at
                                              : one->not_after > other->not_after;
}

static const PlacedSignature *newest_accept(const StateInput *input, const char *peer_id)
{
    const PlacedSignature *newest = NULL;
    for (gsize i = 0; i < input->n_signatures; i++) {
        const PlacedSignature *signature = &input->signatures[i];
        if (signature->type == SIGNATURE_ACCEPT && g_str_equal(signature->peer_id, peer_id) &&
            (newest == NULL || is_newer(signature, newest)))
            newest = signature;
    }
    return newest;
}

/* After the end it no longer matters whether certificates are still valid: an expired contract stays expired.
 */
static gboolean accepted_by_all(const StateInput *input, gint64 now_s, When when)
{
    for (gsize i = 0; i < input->n_signers; i++) {
        const PlacedSignature *accept = newest_accept(input, input->signers[i]);
        if (accept == NULL)
            return FALSE;
        if (when != WHEN_AFTER && (now_s < accept->not_before || now_s > accept->not_after))
            return FALSE;
    }
    return TRUE;
}

ContractState contract_state(const StateInput *input, gint64 now_s)
{
    When when = now_s < input->not_before ? WHEN_BEFORE : now_s > input->not_after ? WHEN_AFTER : WHEN_WITHIN;
    Tri revoked = has_from_signer(input, SIGNATURE_REVOKE) ? YES : NO;
    Tri rejected = has_from_signer(input, SIGNATURE_REJECT) ? YES : NO;
    Tri complete = accepted_by_all(input, now_s, when) ? YES : NO;
    for (gsize i = 0; i < G_N_ELEMENTS(state_rows); i++)
        if ((state_rows[i].revoked & revoked) && (state_rows[i].rejected & rejected) &&
            (state_rows[i].complete & complete) && (state_rows[i].when & when))
            return state_rows[i].state;
    g_assert_not_reached();
}

static void consider(gint64 *soonest, gint64 moment, gint64 now_s)
{
    if (moment > now_s && moment < *soonest)
        *soonest = moment;
}

gint64 contract_state_changes_at(const StateInput *input, gint64 now_s)
{
    gint64 soonest = G_MAXINT64;
    consider(&soonest, input->not_before, now_s);
    if (input->not_after < G_MAXINT64)
        consider(&soonest, input->not_after + 1, now_s);
    for (gsize i = 0; i < input->n_signatures; i++) {
        if (input->signatures[i].type != SIGNATURE_ACCEPT)
            continue;
        consider(&soonest, input->signatures[i].not_before, now_s);
        if (input->signatures[i].not_after < G_MAXINT64)
            consider(&soonest, input->signatures[i].not_after + 1, now_s);
    }
    return soonest;
}

char *contract_state_table(void)
{
    static const char *const tri[] = {"", "no", "yes", "-"};
    GString *out = g_string_new("revoked  rejected  accepted by all  time                 state\n");
    for (gsize i = 0; i < G_N_ELEMENTS(state_rows); i++) {
        When when = state_rows[i].when;
        const char *time = when == WHEN_ANY      ? "-"
                           : when == WHEN_BEFORE ? "before not_before"
                           : when == WHEN_WITHIN ? "within"
                           : when == WHEN_AFTER  ? "after not_after"
                                                 : "until not_after";
        g_string_append_printf(out, "%-8s %-9s %-16s %-20s %s\n", tri[state_rows[i].revoked],
                               tri[state_rows[i].rejected], tri[state_rows[i].complete], time,
                               state_names[state_rows[i].state]);
    }
    return g_string_free(out, FALSE);
}
