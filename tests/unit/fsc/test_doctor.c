/* The doctor's rules: one node and one connection at which all is well, and each fault as the one thing that
 * is changed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "components/fsc/doctor.h"

#define NOW 1800000000
#define DAY 86400
#define OWN "00000001000000000003"
#define OTHER "00000001000000000002"

static void set(char **where, const char *text)
{
    doctor_keep(where, g_strdup(text));
}

static void make_role(RoleFacts *role, const char *name)
{
    *role = (RoleFacts){.wanted = TRUE,
                        .key_path = g_strdup_printf("keys/%s.key", name),
                        .certificate_path = g_strdup_printf("keys/%s.crt", name),
                        .has_key = TRUE,
                        .has_certificate = TRUE,
                        .key_mode = 0600,
                        .fits = TRUE,
                        .oin = g_strdup(OWN),
                        .thumbprint = g_strdup("thumbprint"),
                        .public_key_thumbprint = g_strdup("key"),
                        .not_before = NOW - 200 * DAY,
                        .not_after = NOW + 200 * DAY,
                        .server = TRUE,
                        .client = TRUE,
                        .host_matches = TRUE};
}

static void make_endpoint(EndpointFacts *endpoint, const char *host)
{
    *endpoint = (EndpointFacts){.host = g_strdup(host),
                                .ip = g_strdup("192.0.2.1"),
                                .port = 8443,
                                .connected = TRUE,
                                .handshake = TRUE,
                                .version = g_strdup("TLSv1.3"),
                                .cipher = g_strdup("TLS_AES_256_GCM_SHA384"),
                                .has_certificate = TRUE,
                                .peer_id = g_strdup(OTHER),
                                .not_before = NOW - DAY,
                                .not_after = NOW + DAY,
                                .host_matches = TRUE};
}

static void make_agreement(DoctorFacts *facts)
{
    set(&facts->service, "persons");
    set(&facts->connection, "persons." OTHER);
    set(&facts->contract_hash, "$1$1$contract");
    set(&facts->contract_state, "VALID");
    facts->contract_not_before = NOW - DAY;
    facts->contract_not_after = NOW + DAY;
    facts->we_signed = TRUE;
    set(&facts->grant_hash, "$1$3$grant");
    set(&facts->grant_outway, OWN);
    set(&facts->grant_thumbprint, "key");
    facts->token_status = 200;
    set(&facts->token_group, "group");
    set(&facts->token_grant, "$1$3$grant");
    set(&facts->token_service, "persons");
    set(&facts->token_issuer, OTHER);
    set(&facts->token_subject, OWN);
    set(&facts->token_binding, "thumbprint");
    set(&facts->audience, "https://inway.other.test:443");
    facts->token_not_before = NOW;
    facts->token_expires_at = NOW + 300;
}

static void make_well(DoctorFacts *facts)
{
    memset(facts, 0, sizeof *facts);
    facts->now_s = NOW;
    set(&facts->config_path, "node.conf");
    facts->config_faults = g_ptr_array_new_with_free_func(g_free);
    facts->clock_synchronised = TRUE;
    set(&facts->keys_path, "keys");
    set(&facts->data_path, "data");
    for (int role = 0; role < ROLE_COUNT; role++)
        make_role(&facts->roles[role], role_name((Role)role));
    set(&facts->crl_path, "keys/crl.pem");
    facts->crl_next_update = NOW + DAY;
    facts->serve_listens = facts->store_ok = facts->journal_known = facts->journal_ok = TRUE;
    facts->edge_workers = 2;
    set(&facts->edge_address, "192.0.2.9:8443");
    set(&facts->oin, OWN);
    set(&facts->group, "group");
    set(&facts->peer_id, OTHER);
    set(&facts->manager_address, "https://manager.other.test:8443");
    make_endpoint(&facts->manager, "manager.other.test");
    make_endpoint(&facts->inway, "inway.other.test");
    facts->reply_status = 200;
    set(&facts->reply_peer_id, OTHER);
    set(&facts->reply_version, "2.0.0");
    facts->peer_date_s = facts->asked_s = NOW;
    make_agreement(facts);
    facts->inway_status = 401;
    set(&facts->inway_code, "ERROR_CODE_ACCESS_TOKEN_MISSING");
    set(&facts->call_path, "/");
    set(&facts->client, "app");
    set(&facts->client_address, "127.0.0.1:9001");
    facts->call_status = 200;
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(DoctorFacts, doctor_facts_clear)

/* The first thing that is to be mended, NONE when all is well; `*at` gets the step. */
static DoctorFault first_fault(const DoctorFacts *facts, DoctorStep *at)
{
    for (int step = 0; step < DOCTOR_STEP_COUNT; step++) {
        if (!doctor_step_applies((DoctorStep)step, facts))
            continue;
        g_auto(Finding) finding = doctor_check((DoctorStep)step, facts);
        assert_non_null(finding.text);
        assert_int_equal(finding.mend != NULL, finding.fault != DOCTOR_FAULT_NONE);
        *at = (DoctorStep)step;
        assert_true(finding.level != FINDING_WRONG || finding.fault != DOCTOR_FAULT_NONE);
        if (finding.fault != DOCTOR_FAULT_NONE)
            return finding.fault;
    }
    return DOCTOR_FAULT_NONE;
}

/* --- one change each --- */

#define ROLE(facts) ((facts)->roles[ROLE_MANAGER])
#define BREAK(name, change)                                                                                  \
    static void break_##name(DoctorFacts *f)                                                                 \
    {                                                                                                        \
        change;                                                                                              \
    }

BREAK(CONFIG_FAULTS, g_ptr_array_add(f->config_faults, g_strdup("node.conf:3: unknown key")))
BREAK(CLOCK_UNSYNCHRONISED, f->clock_synchronised = FALSE)
BREAK(KEY_MISSING, ROLE(f).has_key = FALSE)
BREAK(KEY_OPEN, ROLE(f).key_mode = 0640)
BREAK(KEY_UNREADABLE, ROLE(f).key_denied = TRUE)
BREAK(KEY_DAMAGED, set(&ROLE(f).key_error, "no key"))
BREAK(KEY_OTHER, ROLE(f).fits = FALSE)
BREAK(CERTIFICATE_MISSING, ROLE(f).has_certificate = FALSE)
BREAK(CERTIFICATE_DAMAGED, set(&ROLE(f).certificate_error, "no certificate"))
BREAK(CERTIFICATE_EXPIRED, ROLE(f).not_after = NOW)
BREAK(CERTIFICATE_FUTURE, ROLE(f).not_before = NOW + 1)
BREAK(CERTIFICATE_CHAIN, set(&ROLE(f).chain_error, "self-signed"))
BREAK(CERTIFICATE_REVOKED, set(&ROLE(f).revoked_error, "revoked"))
BREAK(CERTIFICATE_USE, ROLE(f).client = FALSE)
BREAK(CERTIFICATE_NAME, {
    set(&ROLE(f).host, "manager.own.test");
    ROLE(f).host_matches = FALSE;
})
BREAK(CERTIFICATE_OIN, set(&ROLE(f).oin, OTHER))
BREAK(CRL_UNREADABLE, set(&f->crl_error, "no list"))
BREAK(CRL_STALE, f->crl_next_update = NOW - 1)
BREAK(SERVE_DOWN, {
    set(&f->serve_error, "not running");
    f->serve_listens = FALSE;
})
BREAK(SERVE_BROKEN, set(&f->serve_error, "503"))
BREAK(STORE_DOWN, f->store_ok = FALSE)
BREAK(JOURNAL_DOWN, f->journal_ok = FALSE)
BREAK(EDGE_DOWN, f->edge_workers = 0)
BREAK(EDGE_APART, {
    f->edge_workers = 0;
    f->edge_listens = TRUE;
})
BREAK(ADDRESS_UNKNOWN, {
    g_clear_pointer(&f->manager_address, g_free);
    set(&f->address_error, "unknown");
})

#define BREAK_ENDPOINT(end, name_, refused, silent, no_tls, tls, chain, expired, host_, peer, revoked,       \
                       no_list)                                                                              \
    BREAK(name_, {                                                                                           \
        g_clear_pointer(&f->end.ip, g_free);                                                                 \
        set(&f->end.name_error, "no such name");                                                             \
    })                                                                                                       \
    BREAK(refused, {                                                                                         \
        f->end.connected = FALSE;                                                                            \
        set(&f->end.error, "Connection refused");                                                            \
    })                                                                                                       \
    BREAK(silent, {                                                                                          \
        f->end.connected = FALSE;                                                                            \
        f->end.timed_out = TRUE;                                                                             \
        set(&f->end.error, "timed out");                                                                     \
    })                                                                                                       \
    BREAK(no_tls, {                                                                                          \
        f->end.handshake = FALSE;                                                                            \
        set(&f->end.error, "wrong version number");                                                          \
    })                                                                                                       \
    BREAK(tls, {                                                                                             \
        f->end.handshake = FALSE;                                                                            \
        set(&f->end.error, "tlsv1 unrecognized name");                                                       \
    })                                                                                                       \
    BREAK(chain, set(&f->end.chain_error, "self-signed"))                                                    \
    BREAK(expired, f->end.not_after = NOW)                                                                   \
    BREAK(host_, f->end.host_matches = FALSE)                                                                \
    BREAK(peer, set(&f->end.peer_id, OWN))                                                                   \
    BREAK(revoked, set(&f->end.revoked_error, "certificate revoked"))                                        \
    BREAK(no_list, set(&f->end.revoked_error, "certificate refused: unable to get certificate CRL"))

/* clang-format off */
BREAK_ENDPOINT(manager, NAME_UNKNOWN, TCP_REFUSED, TCP_SILENT, TLS_NONE, TLS_REFUSED, CHAIN_OTHER, CHAIN_EXPIRED,
               HOST_OTHER, PEER_OTHER, PEER_REVOKED, PEER_CRL)
BREAK_ENDPOINT(inway, INWAY_NAME_UNKNOWN, INWAY_REFUSED, INWAY_SILENT, INWAY_NO_TLS, INWAY_TLS_REFUSED,
               INWAY_CHAIN_OTHER, INWAY_CHAIN_EXPIRED, INWAY_HOST_OTHER, INWAY_PEER_OTHER, INWAY_IS_REVOKED, INWAY_CRL)
/* clang-format on */

BREAK(MANAGER_SILENT, set(&f->reply_error, "closed"))
BREAK(MANAGER_REFUSES, f->reply_status = 400)
BREAK(MANAGER_OTHER, set(&f->reply_peer_id, OWN))
BREAK(CLOCKS_DIFFER, f->peer_date_s = NOW + 61)
BREAK(VERSION_OTHER, set(&f->reply_version, "1.0.0"))
BREAK(GROUP_OTHER, set(&f->group_error, "another group"))
BREAK(CONTRACT_NONE, g_clear_pointer(&f->contract_hash, g_free))
BREAK(CONTRACT_OURS, {
    set(&f->contract_state, "PROPOSED");
    f->we_signed = FALSE;
})
BREAK(CONTRACT_THEIRS, set(&f->contract_state, "PROPOSED"))
BREAK(CONTRACT_EARLY, set(&f->contract_state, "ACCEPTED"))
BREAK(CONTRACT_ENDED, set(&f->contract_state, "EXPIRED"))
BREAK(CONTRACT_REVOKED, set(&f->contract_state, "REVOKED"))
BREAK(CONTRACT_REJECTED, {
    set(&f->contract_state, "REJECTED");
    set(&f->decided_by, OTHER);
})
BREAK(OUTWAY_MISSING, g_clear_pointer(&f->roles[ROLE_OUTWAY].public_key_thumbprint, g_free))
BREAK(GRANT_OTHER_PEER, set(&f->grant_outway, OTHER))
BREAK(GRANT_OTHER_KEY, set(&f->grant_thumbprint, "another key"))
BREAK(GRANT_OTHER_DOMAIN, {
    g_clear_pointer(&f->grant_thumbprint, g_free);
    set(&f->grant_domain, "x.test");
})
BREAK(TOKEN_REFUSED, {
    f->token_status = 400;
    set(&f->token_error, "invalid_grant");
})
BREAK(TOKEN_UNREACHABLE, {
    f->token_status = 0;
    set(&f->token_error, "closed");
})
BREAK(TOKEN_WRONG, set(&f->token_group, "another"))
BREAK(TOKEN_CLOCK, f->token_not_before = NOW + 11)
BREAK(INWAY_REFUSES, {
    f->inway_status = 400;
    set(&f->inway_code, "ERROR_CODE_X");
})
BREAK(INWAY_OTHER, {
    f->inway_status = 200;
    g_clear_pointer(&f->inway_code, g_free);
})
BREAK(CLIENT_NONE, g_clear_pointer(&f->client_address, g_free))
BREAK(OUTWAY_DOWN, set(&f->call_error, "Connection refused"))
BREAK(OUTWAY_REFUSES, {
    f->call_status = 401;
    set(&f->call_code, "ERROR_CODE_ACCESS_TOKEN_EXPIRED");
})
BREAK(SERVICE_DOWN, {
    f->call_status = 502;
    set(&f->call_code, "ERROR_CODE_SERVICE_UNREACHABLE");
})
BREAK(SERVICE_FAULT, f->call_status = 500)
BREAK(DELIVERY_DEAD, f->dead = 1)
BREAK(DELIVERY_STUCK, {
    f->waiting = 1;
    f->tries = 9;
})

static const struct {
    DoctorFault fault;
    void (*apply)(DoctorFacts *facts);
} breaks[] = {
#define X(name, step, mend) {DOCTOR_FAULT_##name, break_##name},
    DOCTOR_FAULT_TABLE(X)
#undef X
};

/* --- tests --- */

static void finds_nothing_when_all_is_well(void **state)
{
    DoctorStep at;
    g_auto(DoctorFacts) facts = {0};
    make_well(&facts);
    assert_int_equal(first_fault(&facts, &at), DOCTOR_FAULT_NONE);
    for (int step = 0; step < DOCTOR_STEP_COUNT; step++) {
        g_auto(Finding) finding = doctor_check((DoctorStep)step, &facts);
        assert_int_equal(finding.level, FINDING_OK);
    }
}

/* The table of faults is whole: each can be found, at its own step, before anything after it is looked at. */
static void names_each_fault_as_the_first_at_its_step(void **state)
{
    for (gsize i = 0; i < G_N_ELEMENTS(breaks); i++) {
        DoctorStep at;
        g_auto(DoctorFacts) facts = {0};
        const DoctorFaultRow *row = doctor_fault_row(breaks[i].fault);
        make_well(&facts);
        breaks[i].apply(&facts);
        DoctorFault found = first_fault(&facts, &at);
        assert_string_equal(doctor_fault_row(found)->name, row->name);
        assert_string_equal(doctor_step_row(at)->name, doctor_step_row(row->step)->name);
    }
}

static void says_how_to_mend_each_fault_in_one_sentence(void **state)
{
    for (gsize i = 0; i < G_N_ELEMENTS(breaks); i++) {
        g_auto(DoctorFacts) facts = {0};
        make_well(&facts);
        breaks[i].apply(&facts);
        g_auto(Finding) finding = doctor_check(doctor_fault_row(breaks[i].fault)->step, &facts);
        assert_non_null(finding.mend);
        assert_null(strstr(finding.mend, "{}"));
        assert_null(strchr(finding.mend, '\n'));
        assert_null(strstr(finding.text, "(null)"));
        assert_null(strstr(finding.mend, "(null)"));
        assert_true(strlen(finding.mend) < 200);
    }
}

/* Of two faults the one that comes first in the table is the answer. */
static void names_the_first_of_two_faults(void **state)
{
    DoctorStep at;
    g_auto(DoctorFacts) facts = {0};
    make_well(&facts);
    break_DELIVERY_DEAD(&facts);
    break_TOKEN_REFUSED(&facts);
    break_TCP_REFUSED(&facts);
    assert_int_equal(first_fault(&facts, &at), DOCTOR_FAULT_TCP_REFUSED);
}

static void asks_of_a_peer_without_a_service_nothing_of_contracts(void **state)
{
    DoctorStep at;
    g_auto(DoctorFacts) facts = {0};
    make_well(&facts);
    g_clear_pointer(&facts.service, g_free);
    break_CONTRACT_NONE(&facts);
    assert_int_equal(first_fault(&facts, &at), DOCTOR_FAULT_NONE);
    assert_false(doctor_step_applies(DOCTOR_CONTRACT, &facts));
    assert_false(doctor_step_applies(DOCTOR_SERVICE, &facts));
    assert_true(doctor_step_applies(DOCTOR_DELIVERY, &facts));
}

static FindingLevel level_at(DoctorStep step, const DoctorFacts *facts, DoctorFault *fault)
{
    g_auto(Finding) finding = doctor_check(step, facts);
    *fault = finding.fault;
    return finding.level;
}

/* It may be right all the same. */
static void a_clock_that_nothing_keeps_is_worth_a_note(void **state)
{
    DoctorFault fault;
    g_auto(DoctorFacts) facts = {0};
    make_well(&facts);
    facts.clock_synchronised = FALSE;
    assert_int_equal(level_at(DOCTOR_CLOCK, &facts, &fault), FINDING_NOTE);
    assert_int_equal(fault, DOCTOR_FAULT_CLOCK_UNSYNCHRONISED);
}

/* decisions.md 29. */
static void alarms_at_sixty_thirty_and_seven_days(void **state)
{
    static const struct {
        int days;
        FindingLevel level;
    } cases[] = {
        {61, FINDING_OK}, {60, FINDING_NOTE}, {30, FINDING_NOTE}, {7, FINDING_NOTE}, {0, FINDING_WRONG}};
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        DoctorFault fault;
        g_auto(DoctorFacts) facts = {0};
        make_well(&facts);
        facts.roles[ROLE_TOKEN].not_after = NOW + (gint64)cases[i].days * DAY;
        assert_int_equal(level_at(DOCTOR_CERTIFICATES, &facts, &fault), cases[i].level);
    }
}

static void gives_no_alarm_for_a_certificate_that_was_never_longer(void **state)
{
    DoctorFault fault;
    g_auto(DoctorFacts) facts = {0};
    make_well(&facts);
    facts.roles[ROLE_TOKEN].not_before = NOW - DAY;
    facts.roles[ROLE_TOKEN].not_after = NOW + 29 * DAY;
    assert_int_equal(level_at(DOCTOR_CERTIFICATES, &facts, &fault), FINDING_OK);
    facts.roles[ROLE_TOKEN].not_before = NOW - 23 * DAY;
    facts.roles[ROLE_TOKEN].not_after = NOW + 7 * DAY;
    assert_int_equal(level_at(DOCTOR_CERTIFICATES, &facts, &fault), FINDING_NOTE);
}

static void bears_a_stale_list_within_the_grace_but_not_beyond(void **state)
{
    DoctorFault fault;
    g_auto(DoctorFacts) facts = {0};
    make_well(&facts);
    facts.crl_grace_s = 3600;
    facts.crl_next_update = NOW - 3600;
    assert_int_equal(level_at(DOCTOR_CRL, &facts, &fault), FINDING_NOTE);
    facts.crl_next_update = NOW - 3601;
    assert_int_equal(level_at(DOCTOR_CRL, &facts, &fault), FINDING_WRONG);
    assert_int_equal(fault, DOCTOR_FAULT_CRL_STALE);
}

static void bears_a_minute_between_clocks_but_not_more(void **state)
{
    static const struct {
        gint64 offset;
        FindingLevel level;
    } cases[] = {{60, FINDING_OK}, {-60, FINDING_OK}, {61, FINDING_WRONG}, {-61, FINDING_WRONG}};
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        DoctorFault fault;
        g_auto(DoctorFacts) facts = {0};
        make_well(&facts);
        facts.peer_date_s = NOW + cases[i].offset;
        assert_int_equal(level_at(DOCTOR_OFFSET, &facts, &fault), cases[i].level);
    }
}

static void looks_at_every_claim_of_a_token(void **state)
{
    for (int claim = 0; claim < 6; claim++) {
        DoctorFault fault;
        g_auto(DoctorFacts) facts = {0};
        make_well(&facts);
        char **const claims[] = {&facts.token_group,  &facts.token_grant,   &facts.token_service,
                                 &facts.token_issuer, &facts.token_subject, &facts.token_binding};
        set(claims[claim], "another");
        assert_int_equal(level_at(DOCTOR_CLAIMS, &facts, &fault), FINDING_WRONG);
        assert_int_equal(fault, DOCTOR_FAULT_TOKEN_WRONG);
        g_clear_pointer(claims[claim], g_free);
        assert_int_equal(level_at(DOCTOR_CLAIMS, &facts, &fault), FINDING_WRONG);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finds_nothing_when_all_is_well),
        cmocka_unit_test(names_each_fault_as_the_first_at_its_step),
        cmocka_unit_test(says_how_to_mend_each_fault_in_one_sentence),
        cmocka_unit_test(names_the_first_of_two_faults),
        cmocka_unit_test(asks_of_a_peer_without_a_service_nothing_of_contracts),
        cmocka_unit_test(a_clock_that_nothing_keeps_is_worth_a_note),
        cmocka_unit_test(alarms_at_sixty_thirty_and_seven_days),
        cmocka_unit_test(gives_no_alarm_for_a_certificate_that_was_never_longer),
        cmocka_unit_test(bears_a_stale_list_within_the_grace_but_not_beyond),
        cmocka_unit_test(bears_a_minute_between_clocks_but_not_more),
        cmocka_unit_test(looks_at_every_claim_of_a_token),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
