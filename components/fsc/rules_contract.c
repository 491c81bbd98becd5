#include "components/fsc/rules_contract.h"

#include <string.h>

#include "components/fsc/external.h"
#include "components/fsc/verdict.h"
#include "core/base/identifiers.h"
#include "core/format/jcs.h"

typedef gboolean (*ContractRule)(const Contract *contract, const ContractRules *rules, GError **error);

/* 4.2.1: "The Group ID of the Manager matches the Group ID defined in the field contract.group_id." */
static gboolean group_is_ours(const Contract *contract, const ContractRules *rules, GError **error)
{
    return g_str_equal(contract->group_id, rules->group_id) ||
           verdict_set(error, VERDICT_INCORRECT_GROUP_ID, "content.group_id");
}

/* 4.2.1: "A UUID MUST be provided in the field contract.iv." Any version: the example in the standard is not
 * a version 7. */
static gboolean iv_is_uuid(const Contract *contract, const ContractRules *rules, GError **error)
{
    return uuid_valid(contract->iv) || verdict_set(error, VERDICT_IV, "content.iv");
}

/* 4.2.1: "The date provided in contract.content.created_at can not be in the future." */
static gboolean created_in_the_past(const Contract *contract, const ContractRules *rules, GError **error)
{
    return rules->known || contract->created_at <= rules->now_s + CONTRACT_CLOCK_TOLERANCE_S ||
           verdict_set(error, VERDICT_CREATED_AT, "content.created_at");
}

/* 4.2.1: "not_after must be greater than the date provided in the field contract.validity.not_before." */
static gboolean period_is_forward(const Contract *contract, const ContractRules *rules, GError **error)
{
    return contract->not_after > contract->not_before ||
           verdict_set(error, VERDICT_PERIOD, "content.validity");
}

/* 4.2.1: "The date provided in contract.content.validity.not_after must be in the future." */
static gboolean ends_in_the_future(const Contract *contract, const ContractRules *rules, GError **error)
{
    return rules->known || contract->not_after > rules->now_s ||
           verdict_set(error, VERDICT_ENDED, "content.validity.not_after");
}

/* 4.2.1: "At least one Grant is set in the field contract.content.grants." And Digikoppeling: at most 10. */
static gboolean grants_are_counted(const Contract *contract, const ContractRules *rules, GError **error)
{
    if (contract->n_grants == 0)
        return verdict_set(error, VERDICT_NO_GRANTS, "content.grants");
    return contract->n_grants <= CONTRACT_GRANTS_MAX ||
           verdict_set(error, VERDICT_TOO_MANY_GRANTS, "content.grants");
}

/* 4.1.3: what a Peer ID is, the group decides; Digikoppeling REST API 3.0.1 decided for the OIN. */
static gboolean peer_ids_are_oins(const Grant *grant, const char *path, GError **error)
{
    const char *const peer_ids[] = {grant->directory_peer_id, grant->outway_peer_id, grant->service_peer_id,
                                    grant->delegator, grant->service_delegator};
    for (gsize i = 0; i < G_N_ELEMENTS(peer_ids); i++)
        if (peer_ids[i] != NULL && !oin_valid(peer_ids[i]))
            return verdict_set(error, VERDICT_PEER_ID, path);
    return TRUE;
}

static gboolean thumbprint_valid(const char *text)
{
    return strlen(text) == 64 && strspn(text, "0123456789abcdef") == 64;
}

/* RFC 1035 2.3.1 with the relaxations of RFC 1123 2.1: labels of letters, digits and hyphens, 253 characters
 * in all. */
static gboolean domain_valid(const char *text)
{
    gsize length = strlen(text);
    if (length == 0 || length > 253)
        return FALSE;
    g_auto(GStrv) labels = g_strsplit(text, ".", -1);
    for (char **label = labels; *label != NULL; label++) {
        gsize n = strlen(*label);
        if (n == 0 || n > 63 || (*label)[0] == '-' || (*label)[n - 1] == '-')
            return FALSE;
        for (gsize i = 0; i < n; i++)
            if (!g_ascii_isalnum((*label)[i]) && (*label)[i] != '-')
                return FALSE;
    }
    return TRUE;
}

/* 4.2.1.3: a public key thumbprint or a domain name is provided, by the type of identification. */
static gboolean outway_is_identified(const Grant *grant, const char *path, GError **error)
{
    if (grant->public_key_thumbprint != NULL && !thumbprint_valid(grant->public_key_thumbprint))
        return verdict_set(error, VERDICT_THUMBPRINT, path);
    return grant->domain_name == NULL || domain_valid(grant->domain_name) ||
           verdict_set(error, VERDICT_DOMAIN_NAME, path);
}

static gboolean properties_fit(const Grant *grant, const char *path, GError **error)
{
    if (grant->properties == NULL || grant_type_row(grant->type)->publication)
        return TRUE;
    g_autofree char *canonical = jcs_write(grant->properties, NULL);
    return (canonical != NULL && strlen(canonical) <= CONNECTION_PROPERTIES_MAX) ||
           verdict_set(error, VERDICT_PROPERTIES, path);
}

/* External Contract 1.0.0, 3.1. Not of a contract that is here already: it may be older than this rule. */
static gboolean external_reference_is_sound(const Grant *grant, const ContractRules *rules, const char *path,
                                            GError **error)
{
    g_autoptr(GError) why = NULL;
    if (rules->known || external_reference_check(grant, &why))
        return TRUE;
    g_autofree char *where = g_strdup_printf("%s.properties.%s", path, why->message);
    return verdict_set(error, VERDICT_EXTERNAL_CONTRACT, where);
}

static gboolean grants_are_sound(const Contract *contract, const ContractRules *rules, GError **error)
{
    for (gsize i = 0; i < contract->n_grants; i++) {
        const Grant *grant = &contract->grants[i];
        g_autofree char *path = g_strdup_printf("content.grants[%" G_GSIZE_FORMAT "].data", i);
        if (!peer_ids_are_oins(grant, path, error))
            return FALSE;
        /* 4.2.1.1: "A Service name which matches the regular expression ^[a-zA-Z0-9-._]{1,100}$". */
        if (!fsc_service_name_valid(grant->service_name))
            return verdict_set(error, VERDICT_SERVICE_NAME, path);
        if (!outway_is_identified(grant, path, error) || !properties_fit(grant, path, error) ||
            !external_reference_is_sound(grant, rules, path, error))
            return FALSE;
    }
    return TRUE;
}

/* 4.2.1: "A ServicePublicationGrant or DelegatedServicePublicationGrant cannot be mixed with other Grants."
 * Both kinds of publication together are one use case (docs/fsc-readings.md, 14). */
static gboolean publications_stand_alone(const Contract *contract, const ContractRules *rules, GError **error)
{
    return contract_count(contract, TRUE) == 0 || contract_count(contract, FALSE) == 0 ||
           verdict_set(error, VERDICT_GRANT_COMBINATION, "content.grants");
}

/* 4.2.1.1 to 4.2.1.4 name the Peer of each role by the certificate of its Manager; a contract becomes valid
 * only with the signature of each (state.h), so here it is enough that who submits has one of the roles
 * (docs/fsc-readings.md, 15). */
static gboolean submitter_takes_part(const Contract *contract, const ContractRules *rules, GError **error)
{
    return contract_has_signer(contract, rules->submitter) ||
           verdict_set(error, VERDICT_SUBMITTER_NOT_IN_CONTRACT, NULL);
}

static gboolean we_take_part(const Contract *contract, const ContractRules *rules, GError **error)
{
    return contract_has_signer(contract, rules->own_peer_id) ||
           verdict_set(error, VERDICT_RECEIVER_NOT_IN_CONTRACT, NULL);
}

/* 4.2.1.3: "The Service provided in the field grant.data.service.name is offered by the Peer provided in the
 * field grant.data.service.peer_id". Only that Peer can know. */
static gboolean service_is_offered(const Contract *contract, const ContractRules *rules, GError **error)
{
    for (gsize i = 0; i < contract->n_grants && !rules->known; i++) {
        const Grant *grant = &contract->grants[i];
        g_autofree char *path = g_strdup_printf("content.grants[%" G_GSIZE_FORMAT "].data.service.name", i);
        if (!grant_type_row(grant->type)->publication &&
            g_str_equal(grant->service_peer_id, rules->own_peer_id) &&
            !g_strv_contains(rules->offered_services, grant->service_name))
            return verdict_set(error, VERDICT_SERVICE_NOT_OFFERED, path);
    }
    return TRUE;
}

static const ContractRule contract_rules[] = {
    group_is_ours,        iv_is_uuid,         created_in_the_past, period_is_forward,
    ends_in_the_future,   grants_are_counted, grants_are_sound,    publications_stand_alone,
    submitter_takes_part, we_take_part,       service_is_offered,
};

gboolean rules_contract_check(const Contract *contract, const ContractRules *rules, GError **error)
{
    for (gsize i = 0; i < G_N_ELEMENTS(contract_rules); i++)
        if (!contract_rules[i](contract, rules, error))
            return FALSE;
    return TRUE;
}
