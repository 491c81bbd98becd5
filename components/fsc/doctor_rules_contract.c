/* What must be right between two organisations: contract, grant, token, a request, deliveries. Pure. */
#include "components/fsc/doctor_private.h"

#include "components/fsc/token.h"

/* --- contract --- */

static Finding contract_proposed(const DoctorFacts *facts)
{
    if (!facts->we_signed)
        return finding_wrong(DOCTOR_FAULT_CONTRACT_OURS, facts->contract_hash, "it waits for our own accept");
    return finding_wrong(DOCTOR_FAULT_CONTRACT_THEIRS, facts->contract_hash,
                         "it waits for the accept of %s%s%s",
                         facts->not_signed != NULL ? facts->not_signed : "the others",
                         facts->delivery_error != NULL ? "; our message to them failed: " : "",
                         facts->delivery_error != NULL ? facts->delivery_error : "");
}

static Finding contract_accepted(const DoctorFacts *facts)
{
    g_autofree char *span = doctor_span(facts->contract_not_before - facts->now_s);
    return finding_wrong(DOCTOR_FAULT_CONTRACT_EARLY, facts->connection, "it begins in %s", span);
}

static Finding contract_valid(const DoctorFacts *facts)
{
    g_autofree char *span = doctor_span(facts->contract_not_after - facts->now_s);
    return finding_ok("valid for %s more", span);
}

static Finding contract_rejected(const DoctorFacts *facts)
{
    if (facts->decided_by == NULL)
        return finding_wrong(DOCTOR_FAULT_CONTRACT_ENDED, facts->connection,
                             "it ended without the accept of all");
    return finding_wrong(DOCTOR_FAULT_CONTRACT_REJECTED, facts->connection, "%s rejected it",
                         facts->decided_by);
}

static Finding contract_revoked(const DoctorFacts *facts)
{
    return finding_wrong(DOCTOR_FAULT_CONTRACT_REVOKED, facts->connection, "%s revoked it",
                         facts->decided_by != NULL ? facts->decided_by : "a Peer");
}

static Finding contract_expired(const DoctorFacts *facts)
{
    g_autofree char *span = doctor_span(facts->now_s - facts->contract_not_after);
    return finding_wrong(DOCTOR_FAULT_CONTRACT_ENDED, facts->connection, "it ended %s ago", span);
}

static Finding check_contract(const DoctorFacts *facts)
{
    static const struct {
        const char *state;
        DoctorCheck check;
    } states[] = {
        {"PROPOSED", contract_proposed}, {"ACCEPTED", contract_accepted}, {"VALID", contract_valid},
        {"REJECTED", contract_rejected}, {"REVOKED", contract_revoked},   {"EXPIRED", contract_expired},
    };
    for (gsize i = 0; facts->contract_hash != NULL && i < G_N_ELEMENTS(states); i++)
        if (g_strcmp0(states[i].state, facts->contract_state) == 0)
            return states[i].check(facts);
    return finding_wrong(DOCTOR_FAULT_CONTRACT_NONE, facts->connection,
                         "no contract here connects our Outway to %s", facts->connection);
}

static Finding check_grant(const DoctorFacts *facts)
{
    const RoleFacts *outway = &facts->roles[ROLE_OUTWAY];
    if (g_strcmp0(facts->grant_outway, facts->oin) != 0)
        return finding_wrong(DOCTOR_FAULT_GRANT_OTHER_PEER, facts->connection,
                             "it is for the Outway of Peer %s", facts->grant_outway);
    if (outway->public_key_thumbprint == NULL)
        return finding_wrong(DOCTOR_FAULT_OUTWAY_MISSING, facts->keys_path, "this node has no outway.crt");
    if (facts->grant_thumbprint != NULL &&
        g_strcmp0(facts->grant_thumbprint, outway->public_key_thumbprint) != 0)
        return finding_wrong(DOCTOR_FAULT_GRANT_OTHER_KEY, facts->connection,
                             "it is for another key than that of outway.crt (%.12s..., not %.12s...)",
                             facts->grant_thumbprint, outway->public_key_thumbprint);
    if (facts->grant_thumbprint == NULL && !facts->domain_matches)
        return finding_wrong(DOCTOR_FAULT_GRANT_OTHER_DOMAIN, facts->connection,
                             "it is for the domain %s, which outway.crt does not hold", facts->grant_domain);
    return finding_ok("%s%s",
                      facts->grant_thumbprint != NULL ? "for the key of outway.crt" : "for the domain ",
                      facts->grant_thumbprint != NULL ? "" : facts->grant_domain);
}

/* --- token --- */

static Finding check_token(const DoctorFacts *facts)
{
    if (facts->token_error == NULL)
        return finding_ok("given");
    gboolean refused = facts->token_status >= 400 && facts->token_status < 500;
    return finding_wrong(refused ? DOCTOR_FAULT_TOKEN_REFUSED : DOCTOR_FAULT_TOKEN_UNREACHABLE,
                         facts->peer_id, "%s", facts->token_error);
}

/* FSC Core 2.0.0, 4.3.1 and 4.6.1.2: what the claims of a token on this grant must say. */
static Finding claims_of_grant(const DoctorFacts *facts)
{
    const struct {
        const char *claim, *found, *wanted;
    } claims[] = {
        {"gid", facts->token_group, facts->group},
        {"gth", facts->token_grant, facts->grant_hash},
        {"svc", facts->token_service, facts->service},
        {"iss", facts->token_issuer, facts->peer_id},
        {"sub", facts->token_subject, facts->oin},
        {"cnf", facts->token_binding, facts->roles[ROLE_OUTWAY].thumbprint},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(claims); i++)
        if (g_strcmp0(claims[i].found, claims[i].wanted) != 0)
            return finding_wrong(DOCTOR_FAULT_TOKEN_WRONG, facts->peer_id, "the claim %s is %s, not %s",
                                 claims[i].claim, claims[i].found, claims[i].wanted);
    return finding_ok("%s", "");
}

static Finding check_claims(const DoctorFacts *facts)
{
    if (facts->claims_error != NULL)
        return finding_wrong(DOCTOR_FAULT_TOKEN_WRONG, facts->peer_id, "%s", facts->claims_error);
    Finding claims = claims_of_grant(facts);
    if (claims.level == FINDING_WRONG)
        return claims;
    finding_clear(&claims);
    gint64 left = facts->token_expires_at - facts->now_s, early = facts->token_not_before - facts->now_s;
    g_autofree char *until = doctor_span(left);
    g_autofree char *wait = doctor_span(early);
    if (early > TOKEN_CLOCK_TOLERANCE_S)
        return finding_wrong(DOCTOR_FAULT_TOKEN_CLOCK, facts->peer_id, "the token is valid only in %s (nbf)",
                             wait);
    if (left <= TOKEN_CLOCK_TOLERANCE_S)
        return finding_wrong(DOCTOR_FAULT_TOKEN_CLOCK, facts->peer_id, "the token is valid for %s only (exp)",
                             left > 0 ? until : "no time");
    return finding_ok("for %s, valid for %s", facts->audience, until);
}

/* --- a request --- */

static Finding call_refused(const DoctorFacts *facts)
{
    if (g_strcmp0(facts->call_code, "ERROR_CODE_SERVICE_UNREACHABLE") == 0)
        return finding_wrong(DOCTOR_FAULT_SERVICE_DOWN, facts->service, "the Inway cannot reach the service");
    gboolean ours = g_strcmp0(facts->call_domain, "ERROR_DOMAIN_INWAY") != 0;
    return finding_wrong(DOCTOR_FAULT_OUTWAY_REFUSES, ours ? "this node" : facts->peer_id, "%u%s%s: %s",
                         facts->call_status, facts->call_code != NULL ? " " : "",
                         facts->call_code != NULL ? facts->call_code : "",
                         facts->call_reason != NULL ? facts->call_reason : "no reason given");
}

static Finding check_service(const DoctorFacts *facts)
{
    if (facts->client_address == NULL)
        return finding_wrong(DOCTOR_FAULT_CLIENT_NONE, facts->connection,
                             "no [client.NAME] of node.conf may use %s", facts->connection);
    if (facts->call_error != NULL)
        return finding_wrong(DOCTOR_FAULT_OUTWAY_DOWN, facts->client_address, "%s", facts->call_error);
    if (facts->call_code != NULL)
        return call_refused(facts);
    if (facts->call_status >= 500)
        return finding_wrong(DOCTOR_FAULT_SERVICE_FAULT, facts->service, "it answers %u", facts->call_status);
    return finding_ok("answers %u to client %s; logged on both sides", facts->call_status, facts->client);
}

/* --- delivery --- */

#define TRIES_BEFORE_ALARM 5

static Finding check_delivery(const DoctorFacts *facts)
{
    const char *why = facts->delivery_error != NULL ? facts->delivery_error : "no error yet";
    g_autofree char *id = g_strdup_printf("%" G_GINT64_FORMAT, facts->dead_id);
    g_autofree char *tries = g_strdup_printf("%u", facts->tries);
    if (facts->dead > 0)
        return finding_wrong(DOCTOR_FAULT_DELIVERY_DEAD, id, "%u message%s put aside: %s", facts->dead,
                             facts->dead == 1 ? " was" : "s were", why);
    if (facts->waiting > 0 && facts->tries >= TRIES_BEFORE_ALARM)
        return finding_wrong(DOCTOR_FAULT_DELIVERY_STUCK, tries, "%u message%s: %s", facts->waiting,
                             facts->waiting == 1 ? " waits" : "s wait", why);
    if (facts->waiting > 0)
        return finding_note("%u message%s: %s", facts->waiting, facts->waiting == 1 ? " waits" : "s wait",
                            why);
    return finding_ok("nothing waits");
}

DoctorCheck doctor_check_of_contract(DoctorStep step)
{
    static const DoctorCheck checks[DOCTOR_STEP_COUNT] = {
        [DOCTOR_CONTRACT] = check_contract, [DOCTOR_GRANT] = check_grant,
        [DOCTOR_TOKEN] = check_token,       [DOCTOR_CLAIMS] = check_claims,
        [DOCTOR_SERVICE] = check_service,   [DOCTOR_DELIVERY] = check_delivery,
    };
    return checks[step];
}
