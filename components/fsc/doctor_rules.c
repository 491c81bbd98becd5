/* The doctor's table, and how a finding is made. */
#include "components/fsc/doctor_private.h"

#include <string.h>

static const char *const part_titles[DOCTOR_PART_COUNT] = {
    [DOCTOR_PART_NODE] = "this node",    [DOCTOR_PART_PEER] = "Manager of the Peer",
    [DOCTOR_PART_CONTRACT] = "contract", [DOCTOR_PART_INWAY] = "Inway of the Peer",
    [DOCTOR_PART_SERVICE] = "service",   [DOCTOR_PART_DELIVERY] = "messages to the Peer",
};

static const DoctorStepRow steps[DOCTOR_STEP_COUNT] = {
#define X(name, title, part) {#name, title, DOCTOR_PART_##part},
    DOCTOR_STEP_TABLE(X)
#undef X
};

static const DoctorFaultRow faults[DOCTOR_FAULT_COUNT] = {{"", DOCTOR_STEP_COUNT, ""},
#define X(name, step, mend) {#name, DOCTOR_##step, mend},
                                                          DOCTOR_FAULT_TABLE(X)
#undef X
};

const DoctorStepRow *doctor_step_row(DoctorStep step)
{
    return &steps[step];
}

const char *doctor_part_title(DoctorPart part)
{
    return part_titles[part];
}

const DoctorFaultRow *doctor_fault_row(DoctorFault fault)
{
    return &faults[fault];
}

/* --- findings --- */

void finding_clear(Finding *finding)
{
    g_clear_pointer(&finding->text, g_free);
    g_clear_pointer(&finding->mend, g_free);
}

static Finding finding_new(FindingLevel level, DoctorFault fault, const char *subject, const char *format,
                           va_list arguments) G_GNUC_PRINTF(4, 0);

static Finding finding_new(FindingLevel level, DoctorFault fault, const char *subject, const char *format,
                           va_list arguments)
{
    Finding finding = {.level = level, .fault = fault, .text = g_strdup_vprintf(format, arguments)};
    if (fault != DOCTOR_FAULT_NONE) {
        g_auto(GStrv) parts = g_strsplit(faults[fault].mend, "{}", -1);
        finding.mend = g_strjoinv(subject != NULL ? subject : "it", parts);
    }
    return finding;
}

Finding finding_ok(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    Finding finding = finding_new(FINDING_OK, DOCTOR_FAULT_NONE, NULL, format, arguments);
    va_end(arguments);
    return finding;
}

Finding finding_note(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    Finding finding = finding_new(FINDING_NOTE, DOCTOR_FAULT_NONE, NULL, format, arguments);
    va_end(arguments);
    return finding;
}

Finding finding_wrong(DoctorFault fault, const char *subject, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    Finding finding = finding_new(FINDING_WRONG, fault, subject, format, arguments);
    va_end(arguments);
    return finding;
}

Finding finding_mind(DoctorFault fault, const char *subject, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    Finding finding = finding_new(FINDING_NOTE, fault, subject, format, arguments);
    va_end(arguments);
    return finding;
}

char *doctor_span(gint64 seconds)
{
    static const struct {
        gint64 seconds;
        const char *unit;
    } units[] = {{86400, "day"}, {3600, "hour"}, {60, "minute"}, {1, "second"}};
    gint64 length = ABS(seconds);
    gsize i = 0;
    while (i + 1 < G_N_ELEMENTS(units) && length < 2 * units[i].seconds)
        i++;
    gint64 count = length / units[i].seconds;
    return g_strdup_printf("%" G_GINT64_FORMAT " %s%s", count, units[i].unit, count == 1 ? "" : "s");
}

/* --- the table --- */

gboolean doctor_step_applies(DoctorStep step, const DoctorFacts *facts)
{
    switch (steps[step].part) {
    case DOCTOR_PART_NODE:
        return TRUE;
    case DOCTOR_PART_CONTRACT:
    case DOCTOR_PART_INWAY:
        return facts->service != NULL;
    case DOCTOR_PART_SERVICE:
        return facts->service != NULL && facts->call_path != NULL;
    default:
        return facts->peer_id != NULL;
    }
}

Finding doctor_check(DoctorStep step, const DoctorFacts *facts)
{
    DoctorCheck check = doctor_check_of_node(step);
    if (check == NULL)
        check = doctor_check_of_peer(step);
    if (check == NULL)
        check = doctor_check_of_contract(step);
    return check(facts);
}

static void endpoint_clear(EndpointFacts *endpoint)
{
    g_free(endpoint->host);
    g_free(endpoint->ip);
    g_free(endpoint->name_error);
    g_free(endpoint->error);
    g_free(endpoint->version);
    g_free(endpoint->cipher);
    g_free(endpoint->peer_id);
    g_free(endpoint->chain_error);
    g_free(endpoint->revoked_error);
}

static void role_clear(RoleFacts *role)
{
    g_free(role->key_path);
    g_free(role->certificate_path);
    g_free(role->key_error);
    g_free(role->certificate_error);
    g_free(role->oin);
    g_free(role->thumbprint);
    g_free(role->public_key_thumbprint);
    g_free(role->host);
    g_free(role->chain_error);
    g_free(role->revoked_error);
}

void doctor_facts_clear(DoctorFacts *facts)
{
    char *const texts[] = {
        facts->config_path,   facts->keys_path,      facts->data_path,        facts->crl_path,
        facts->crl_error,     facts->serve_error,    facts->edge_address,     facts->oin,
        facts->group,         facts->peer_id,        facts->peer_name,        facts->manager_address,
        facts->address_error, facts->reply_error,    facts->reply_reason,     facts->reply_peer_id,
        facts->reply_version, facts->group_error,    facts->service,          facts->connection,
        facts->contract_hash, facts->contract_state, facts->not_signed,       facts->decided_by,
        facts->grant_hash,    facts->grant_outway,   facts->grant_thumbprint, facts->grant_domain,
        facts->token_error,   facts->claims_error,   facts->token_group,      facts->token_grant,
        facts->token_service, facts->token_issuer,   facts->token_subject,    facts->token_binding,
        facts->audience,      facts->inway_error,    facts->inway_code,       facts->call_path,
        facts->client,        facts->client_address, facts->call_error,       facts->call_code,
        facts->call_domain,   facts->call_reason,    facts->delivery_error,
    };
    for (gsize i = 0; i < G_N_ELEMENTS(texts); i++)
        g_free(texts[i]);
    for (int role = 0; role < ROLE_COUNT; role++)
        role_clear(&facts->roles[role]);
    endpoint_clear(&facts->manager);
    endpoint_clear(&facts->inway);
    g_clear_pointer(&facts->config_faults, g_ptr_array_unref);
    memset(facts, 0, sizeof *facts);
}
