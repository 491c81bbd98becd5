/* What must be right at the other organisation: how it is reached, and who it proves to be. Pure. */
#include "components/fsc/doctor_private.h"

#include "components/fsc/contract.h"
#include "components/fsc/rules_contract.h"

static Finding check_address(const DoctorFacts *facts)
{
    if (facts->manager_address == NULL)
        return finding_wrong(DOCTOR_FAULT_ADDRESS_UNKNOWN, facts->peer_id, "%s", facts->address_error);
    return finding_ok("%s", facts->manager_address);
}

/* --- the same steps for a Manager and for an Inway --- */

typedef struct {
    DoctorFault name, refused, silent, no_tls, tls_refused, chain, expired, host, peer, revoked, no_list;
} EndpointFaults;

static const EndpointFaults manager_faults = {
    .name = DOCTOR_FAULT_NAME_UNKNOWN,
    .refused = DOCTOR_FAULT_TCP_REFUSED,
    .silent = DOCTOR_FAULT_TCP_SILENT,
    .no_tls = DOCTOR_FAULT_TLS_NONE,
    .tls_refused = DOCTOR_FAULT_TLS_REFUSED,
    .chain = DOCTOR_FAULT_CHAIN_OTHER,
    .expired = DOCTOR_FAULT_CHAIN_EXPIRED,
    .host = DOCTOR_FAULT_HOST_OTHER,
    .peer = DOCTOR_FAULT_PEER_OTHER,
    .revoked = DOCTOR_FAULT_PEER_REVOKED,
    .no_list = DOCTOR_FAULT_PEER_CRL,
};
static const EndpointFaults inway_faults = {
    .name = DOCTOR_FAULT_INWAY_NAME_UNKNOWN,
    .refused = DOCTOR_FAULT_INWAY_REFUSED,
    .silent = DOCTOR_FAULT_INWAY_SILENT,
    .no_tls = DOCTOR_FAULT_INWAY_NO_TLS,
    .tls_refused = DOCTOR_FAULT_INWAY_TLS_REFUSED,
    .chain = DOCTOR_FAULT_INWAY_CHAIN_OTHER,
    .expired = DOCTOR_FAULT_INWAY_CHAIN_EXPIRED,
    .host = DOCTOR_FAULT_INWAY_HOST_OTHER,
    .peer = DOCTOR_FAULT_INWAY_PEER_OTHER,
    .revoked = DOCTOR_FAULT_INWAY_IS_REVOKED,
    .no_list = DOCTOR_FAULT_INWAY_CRL,
};

static Finding endpoint_name(const EndpointFacts *endpoint, const EndpointFaults *faults)
{
    if (endpoint->ip == NULL)
        return finding_wrong(faults->name, endpoint->host, "%s: %s", endpoint->host, endpoint->name_error);
    return finding_ok("%s is %s, by %s", endpoint->host, endpoint->ip,
                      endpoint->from_hosts ? "[hosts]" : "DNS");
}

static char *where(const EndpointFacts *endpoint)
{
    return g_strdup_printf("%s:%u", endpoint->ip, endpoint->port);
}

static Finding endpoint_tcp(const EndpointFacts *endpoint, const EndpointFaults *faults)
{
    g_autofree char *at = where(endpoint);
    if (endpoint->connected)
        return finding_ok("%s is open", at);
    return finding_wrong(endpoint->timed_out ? faults->silent : faults->refused, at, "%s: %s", at,
                         endpoint->error);
}

/* What OpenSSL says when the other side speaks something else than TLS. */
static gboolean is_no_tls(const char *error)
{
    static const char *const words[] = {"wrong version number", "no answer",
                                        "was closed",           "packet length too long",
                                        "record layer failure", "unexpected eof"};
    for (gsize i = 0; i < G_N_ELEMENTS(words); i++)
        if (g_strstr_len(error, -1, words[i]) != NULL)
            return TRUE;
    return FALSE;
}

static Finding endpoint_tls(const EndpointFacts *endpoint, const EndpointFaults *faults)
{
    g_autofree char *at = where(endpoint);
    if (endpoint->handshake)
        return finding_ok("%s, %s", endpoint->version, endpoint->cipher);
    return finding_wrong(is_no_tls(endpoint->error) ? faults->no_tls : faults->tls_refused, at, "%s: %s", at,
                         endpoint->error);
}

static Finding endpoint_chain(const EndpointFacts *endpoint, const EndpointFaults *faults, gint64 now_s)
{
    if (!endpoint->has_certificate)
        return finding_wrong(faults->chain, endpoint->host, "the certificate of %s cannot be read",
                             endpoint->host);
    gint64 late = now_s - endpoint->not_after;
    g_autofree char *span = doctor_span(late);
    if (late >= 0)
        return finding_wrong(faults->expired, endpoint->host, "the certificate of %s expired %s ago",
                             endpoint->host, span);
    if (endpoint->chain_error != NULL)
        return finding_wrong(faults->chain, endpoint->host, "%s: %s", endpoint->host, endpoint->chain_error);
    return finding_ok("under the group's anchor, valid for %s", span);
}

/* FSC Core 2.0.0, 4.1.6: RFC 6125. */
static Finding endpoint_host(const EndpointFacts *endpoint, const EndpointFaults *faults)
{
    if (!endpoint->host_matches)
        return finding_wrong(faults->host, endpoint->host, "the certificate does not hold the name %s",
                             endpoint->host);
    return finding_ok("%s", endpoint->host);
}

static Finding endpoint_peer(const EndpointFacts *endpoint, const EndpointFaults *faults,
                             const char *expected)
{
    g_autofree char *at = where(endpoint);
    if (g_strcmp0(endpoint->peer_id, expected) != 0)
        return finding_wrong(faults->peer, at, "the certificate is of Peer %s, not of %s",
                             endpoint->peer_id != NULL ? endpoint->peer_id : "(none)", expected);
    return finding_ok("%s", endpoint->peer_id);
}

static Finding endpoint_revoked(const EndpointFacts *endpoint, const EndpointFaults *faults)
{
    if (endpoint->revoked_error == NULL)
        return finding_ok("not revoked");
    gboolean no_list = g_strstr_len(endpoint->revoked_error, -1, "unable to get certificate CRL") != NULL;
    return finding_wrong(no_list ? faults->no_list : faults->revoked, endpoint->host, "%s: %s",
                         endpoint->host, endpoint->revoked_error);
}

/* --- rows for both --- */

#define ENDPOINT_CHECKS(prefix, endpoint, faults)                                                            \
    static Finding prefix##_name(const DoctorFacts *facts)                                                   \
    {                                                                                                        \
        return endpoint_name(&facts->endpoint, &faults);                                                     \
    }                                                                                                        \
    static Finding prefix##_tcp(const DoctorFacts *facts)                                                    \
    {                                                                                                        \
        return endpoint_tcp(&facts->endpoint, &faults);                                                      \
    }                                                                                                        \
    static Finding prefix##_tls(const DoctorFacts *facts)                                                    \
    {                                                                                                        \
        return endpoint_tls(&facts->endpoint, &faults);                                                      \
    }                                                                                                        \
    static Finding prefix##_chain(const DoctorFacts *facts)                                                  \
    {                                                                                                        \
        return endpoint_chain(&facts->endpoint, &faults, facts->now_s);                                      \
    }                                                                                                        \
    static Finding prefix##_host(const DoctorFacts *facts)                                                   \
    {                                                                                                        \
        return endpoint_host(&facts->endpoint, &faults);                                                     \
    }                                                                                                        \
    static Finding prefix##_peer_id(const DoctorFacts *facts)                                                \
    {                                                                                                        \
        return endpoint_peer(&facts->endpoint, &faults, facts->peer_id);                                     \
    }                                                                                                        \
    static Finding prefix##_revoked(const DoctorFacts *facts)                                                \
    {                                                                                                        \
        return endpoint_revoked(&facts->endpoint, &faults);                                                  \
    }

ENDPOINT_CHECKS(manager, manager, manager_faults)
ENDPOINT_CHECKS(inway, inway, inway_faults)

/* --- what the Manager says --- */

static Finding check_manager(const DoctorFacts *facts)
{
    g_autofree char *at = where(&facts->manager);
    if (facts->reply_error != NULL)
        return finding_wrong(DOCTOR_FAULT_MANAGER_SILENT, at, "%s", facts->reply_error);
    if (facts->reply_status >= 400 && facts->reply_status < 500)
        return finding_wrong(DOCTOR_FAULT_MANAGER_REFUSES, at, "GET /peer: %u %s", facts->reply_status,
                             facts->reply_reason != NULL ? facts->reply_reason : "");
    if (facts->reply_status != 200 || facts->reply_peer_id == NULL)
        return finding_wrong(DOCTOR_FAULT_MANAGER_OTHER, at, "GET /peer: %u, and no peer_id in the answer",
                             facts->reply_status);
    if (g_strcmp0(facts->reply_peer_id, facts->peer_id) != 0)
        return finding_wrong(DOCTOR_FAULT_MANAGER_OTHER, at, "GET /peer: it says that it is Peer %s",
                             facts->reply_peer_id);
    return finding_ok("answers%s%s", facts->peer_name != NULL ? ": " : "",
                      facts->peer_name != NULL ? facts->peer_name : "");
}

/* decisions.md 11: 60 s is what contracts bear. */
static Finding check_offset(const DoctorFacts *facts)
{
    if (facts->peer_date_s == 0)
        return finding_note("its answer has no Date");
    gint64 offset = facts->peer_date_s - facts->asked_s;
    g_autofree char *span = doctor_span(offset);
    if (ABS(offset) > CONTRACT_CLOCK_TOLERANCE_S)
        return finding_wrong(DOCTOR_FAULT_CLOCKS_DIFFER, facts->peer_id, "its clock is %s %s ours%s", span,
                             offset > 0 ? "ahead of" : "behind",
                             facts->clock_synchronised ? "" : ", which nothing keeps");
    return finding_ok("%s apart", span);
}

static Finding check_version(const DoctorFacts *facts)
{
    if (g_strcmp0(facts->reply_version, FSC_VERSION) != 0)
        return finding_wrong(DOCTOR_FAULT_VERSION_OTHER, NULL, "it speaks FSC %s, this node %s",
                             facts->reply_version != NULL ? facts->reply_version : "of no version",
                             FSC_VERSION);
    return finding_ok("%s", facts->reply_version);
}

/* The standard has no question for the group: a Peer of another group is known by what it refused. */
static Finding check_group(const DoctorFacts *facts)
{
    if (facts->group_error != NULL)
        return finding_wrong(DOCTOR_FAULT_GROUP_OTHER, facts->group, "%s", facts->group_error);
    return finding_ok("%s", facts->group);
}

/* --- its Inway --- */

/* A request without a token must be refused for just that: so the Inway took our certificate, and nothing was
 * logged or sent on. */
static Finding check_inway(const DoctorFacts *facts)
{
    g_autofree char *at = where(&facts->inway);
    if (facts->inway_error != NULL)
        return finding_wrong(DOCTOR_FAULT_INWAY_OTHER, at, "%s", facts->inway_error);
    if (g_strcmp0(facts->inway_code, "ERROR_CODE_ACCESS_TOKEN_MISSING") == 0)
        return finding_ok("takes our certificate, and wants a token");
    if (facts->inway_status == 400)
        return finding_wrong(DOCTOR_FAULT_INWAY_REFUSES, at, "it answers 400 to our certificate%s%s",
                             facts->inway_code != NULL ? ": " : "",
                             facts->inway_code != NULL ? facts->inway_code : "");
    return finding_wrong(DOCTOR_FAULT_INWAY_OTHER, at,
                         "it answers %u to a request without a token, not 401 %s", facts->inway_status,
                         "ERROR_CODE_ACCESS_TOKEN_MISSING");
}

DoctorCheck doctor_check_of_peer(DoctorStep step)
{
    static const DoctorCheck checks[DOCTOR_STEP_COUNT] = {
        [DOCTOR_ADDRESS] = check_address,
        [DOCTOR_NAME] = manager_name,
        [DOCTOR_TCP] = manager_tcp,
        [DOCTOR_TLS] = manager_tls,
        [DOCTOR_CHAIN] = manager_chain,
        [DOCTOR_HOST] = manager_host,
        [DOCTOR_PEER_ID] = manager_peer_id,
        [DOCTOR_REVOKED] = manager_revoked,
        [DOCTOR_MANAGER] = check_manager,
        [DOCTOR_OFFSET] = check_offset,
        [DOCTOR_VERSION] = check_version,
        [DOCTOR_GROUP] = check_group,
        [DOCTOR_INWAY_NAME] = inway_name,
        [DOCTOR_INWAY_TCP] = inway_tcp,
        [DOCTOR_INWAY_TLS] = inway_tls,
        [DOCTOR_INWAY_CHAIN] = inway_chain,
        [DOCTOR_INWAY_HOST] = inway_host,
        [DOCTOR_INWAY_PEER_ID] = inway_peer_id,
        [DOCTOR_INWAY_REVOKED] = inway_revoked,
        [DOCTOR_INWAY] = check_inway,
    };
    return checks[step];
}
