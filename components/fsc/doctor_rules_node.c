/* What must be right at this node itself. Pure. */
#include "components/fsc/doctor_private.h"

#include <string.h>

#define DAY_S 86400
/* decisions.md 29: keys give alarm at 60, 30 and 7 days. */
static const int alarm_days[] = {7, 30, 60};

static Finding check_config(const DoctorFacts *facts)
{
    guint count = facts->config_faults == NULL ? 0 : facts->config_faults->len;
    if (count == 0)
        return finding_ok("%s: no faults", facts->config_path);
    const char *first = g_ptr_array_index(facts->config_faults, 0);
    return finding_wrong(DOCTOR_FAULT_CONFIG_FAULTS, facts->config_path,
                         count > 1 ? "%s (and %u more)" : "%s", first, count - 1);
}

/* A clock that nothing keeps may still be right; that it is wrong shows at the Peers (decisions.md 11). */
static Finding check_clock(const DoctorFacts *facts)
{
    if (facts->clock_synchronised)
        return finding_ok("kept by NTP");
    return finding_mind(DOCTOR_FAULT_CLOCK_UNSYNCHRONISED, NULL, "the kernel says that nothing keeps it");
}

/* --- keys and certificates --- */

static Finding check_key(const RoleFacts *role)
{
    const char *path = role->key_path;
    if (!role->has_key)
        return finding_wrong(DOCTOR_FAULT_KEY_MISSING, path, "%s is not there", path);
    if (role->key_mode & 077)
        return finding_wrong(DOCTOR_FAULT_KEY_OPEN, path, "others can read %s (mode %04o)", path,
                             role->key_mode);
    if (role->key_denied)
        return finding_wrong(DOCTOR_FAULT_KEY_UNREADABLE, path, "%s cannot be read", path);
    if (role->key_error != NULL)
        return finding_wrong(DOCTOR_FAULT_KEY_DAMAGED, path, "%s", role->key_error);
    if (role->has_certificate && role->certificate_error == NULL && !role->fits)
        return finding_wrong(DOCTOR_FAULT_KEY_OTHER, path, "%s does not belong to %s", path,
                             role->certificate_path);
    return finding_ok("%s", "");
}

/* The findings of all roles as one: the first that is wrong, else the first note, else how many there are. */
static Finding over_roles(const DoctorFacts *facts, Finding (*check)(const DoctorFacts *, const RoleFacts *),
                          const char *what)
{
    g_auto(Finding) note = {0};
    g_autoptr(GString) names = g_string_new(NULL);
    for (int i = 0; i < ROLE_COUNT; i++) {
        const RoleFacts *role = &facts->roles[i];
        if (!role->wanted && !role->has_key && !role->has_certificate)
            continue;
        Finding finding = check(facts, role);
        if (finding.level == FINDING_WRONG)
            return finding;
        if (finding.level == FINDING_NOTE && note.text == NULL)
            note = finding;
        else
            finding_clear(&finding);
        g_string_append_printf(names, "%s%s", names->len > 0 ? " " : "", role_name((Role)i));
    }
    if (note.text == NULL)
        return finding_ok("%s%s", names->str, what);
    Finding first = note;
    note = (Finding){0};
    return first;
}

static Finding check_key_of(const DoctorFacts *facts, const RoleFacts *role)
{
    return check_key(role);
}

static Finding check_keys(const DoctorFacts *facts)
{
    return over_roles(facts, check_key_of, "");
}

/* An alarm counts when the certificate was given for at least twice as long: one of 30 days does not give
 * alarm from its first day on. */
static Finding check_expiry(const DoctorFacts *facts, const RoleFacts *role)
{
    gint64 left = role->not_after - facts->now_s, life = role->not_after - role->not_before;
    for (gsize i = 0; i < G_N_ELEMENTS(alarm_days); i++) {
        gint64 alarm = (gint64)alarm_days[i] * DAY_S;
        if (left > alarm || life < 2 * alarm)
            continue;
        g_autofree char *span = doctor_span(left);
        return finding_mind(DOCTOR_FAULT_CERTIFICATE_EXPIRED, role->certificate_path,
                            "%s expires in %s (alarm at %d days)", role->certificate_path, span,
                            alarm_days[i]);
    }
    return finding_ok("%s", "");
}

static Finding check_certificate(const DoctorFacts *facts, const RoleFacts *role)
{
    const char *path = role->certificate_path;
    if (!role->has_certificate)
        return finding_wrong(DOCTOR_FAULT_CERTIFICATE_MISSING, path, "%s is not there", path);
    if (role->certificate_error != NULL)
        return finding_wrong(DOCTOR_FAULT_CERTIFICATE_DAMAGED, path, "%s", role->certificate_error);
    if (role->oin == NULL || g_strcmp0(role->oin, facts->oin) != 0)
        return finding_wrong(DOCTOR_FAULT_CERTIFICATE_OIN, path, "%s holds %s, this node is %s", path,
                             role->oin != NULL ? role->oin : "no OIN",
                             facts->oin != NULL ? facts->oin : "unknown");
    if (facts->now_s >= role->not_after) {
        g_autofree char *span = doctor_span(facts->now_s - role->not_after);
        return finding_wrong(DOCTOR_FAULT_CERTIFICATE_EXPIRED, path, "%s expired %s ago", path, span);
    }
    if (facts->now_s < role->not_before) {
        g_autofree char *span = doctor_span(role->not_before - facts->now_s);
        return finding_wrong(DOCTOR_FAULT_CERTIFICATE_FUTURE, path, "%s is valid only in %s", path, span);
    }
    if (role->chain_error != NULL)
        return finding_wrong(DOCTOR_FAULT_CERTIFICATE_CHAIN, path, "%s: %s", path, role->chain_error);
    if (!role->server || !role->client)
        return finding_wrong(DOCTOR_FAULT_CERTIFICATE_USE, path, "%s may not be used for %s authentication",
                             path, role->server ? "client" : "server");
    if (role->host != NULL && !role->host_matches)
        return finding_wrong(DOCTOR_FAULT_CERTIFICATE_NAME, path, "%s does not hold the name %s", path,
                             role->host);
    return check_expiry(facts, role);
}

static Finding check_certificates(const DoctorFacts *facts)
{
    return over_roles(facts, check_certificate, "");
}

/* A certificate of ours on the list is found here, because only a list can say so; a stale one says nothing.
 */
static Finding check_crl(const DoctorFacts *facts)
{
    if (facts->crl_path == NULL)
        return finding_note("[node] crl is not set: revocation is not checked");
    if (facts->crl_error != NULL)
        return finding_wrong(DOCTOR_FAULT_CRL_UNREADABLE, facts->crl_path, "%s", facts->crl_error);
    gint64 late = facts->now_s - facts->crl_next_update;
    g_autofree char *span = doctor_span(late);
    if (late > facts->crl_grace_s)
        return finding_wrong(DOCTOR_FAULT_CRL_STALE, facts->crl_path,
                             "%s is %s past its date: everybody is refused", facts->crl_path, span);
    for (int i = 0; i < ROLE_COUNT; i++)
        if (facts->roles[i].revoked_error != NULL)
            return finding_wrong(DOCTOR_FAULT_CERTIFICATE_REVOKED, facts->roles[i].certificate_path, "%s: %s",
                                 facts->roles[i].certificate_path, facts->roles[i].revoked_error);
    if (late > 0)
        return finding_mind(DOCTOR_FAULT_CRL_STALE, facts->crl_path,
                            "%s is %s past its date, within [node] crl_grace", facts->crl_path, span);
    return finding_ok("the next one comes in %s", span);
}

/* --- processes --- */

static Finding check_serve(const DoctorFacts *facts)
{
    if (facts->serve_error == NULL)
        return finding_ok("answers");
    return finding_wrong(facts->serve_listens ? DOCTOR_FAULT_SERVE_BROKEN : DOCTOR_FAULT_SERVE_DOWN, NULL,
                         "%s", facts->serve_error);
}

static Finding check_store(const DoctorFacts *facts)
{
    return facts->store_ok ? finding_ok("answers")
                           : finding_wrong(DOCTOR_FAULT_STORE_DOWN, NULL, "the store does not answer");
}

static Finding check_journal(const DoctorFacts *facts)
{
    if (!facts->journal_known)
        return finding_note("this node keeps no log of its own");
    return facts->journal_ok
               ? finding_ok("can be written")
               : finding_wrong(DOCTOR_FAULT_JOURNAL_DOWN, facts->data_path,
                               "the journal in %s cannot be written: no data flows", facts->data_path);
}

static Finding check_edge(const DoctorFacts *facts)
{
    if (facts->edge_workers > 0)
        return finding_ok("%u worker%s, frame version %u", facts->edge_workers,
                          facts->edge_workers == 1 ? "" : "s", facts->frame_version);
    if (!facts->edge_listens)
        return finding_wrong(DOCTOR_FAULT_EDGE_DOWN, NULL, "nobody listens at %s", facts->edge_address);
    return finding_wrong(
        DOCTOR_FAULT_EDGE_APART, NULL,
        "an edge listens at %s, but none of its workers is connected to serve (frame version %u)",
        facts->edge_address, facts->frame_version);
}

DoctorCheck doctor_check_of_node(DoctorStep step)
{
    static const DoctorCheck checks[DOCTOR_STEP_COUNT] = {
        [DOCTOR_CONFIG] = check_config, [DOCTOR_CLOCK] = check_clock,
        [DOCTOR_KEYS] = check_keys,     [DOCTOR_CERTIFICATES] = check_certificates,
        [DOCTOR_CRL] = check_crl,       [DOCTOR_SERVE] = check_serve,
        [DOCTOR_STORE] = check_store,   [DOCTOR_JOURNAL] = check_journal,
        [DOCTOR_EDGE] = check_edge,
    };
    return checks[step];
}
