#include "components/fsc/contract.h"

#include <string.h>

#include "components/fsc/verdict.h"
#include "core/format/json.h"

static const JsonField content_fields[] = {
    {"fsc_version", JSON_KIND_STRING, TRUE}, {"iv", JSON_KIND_STRING, TRUE},
    {"group_id", JSON_KIND_STRING, TRUE},    {"validity", JSON_KIND_OBJECT, TRUE},
    {"grants", JSON_KIND_ARRAY, TRUE},       {"hash_algorithm", JSON_KIND_STRING, TRUE},
    {"created_at", JSON_KIND_INTEGER, TRUE},
};
static const JsonField validity_fields[] = {
    {"not_before", JSON_KIND_INTEGER, TRUE},
    {"not_after", JSON_KIND_INTEGER, TRUE},
};
static const JsonField grant_fields[] = {{"data", JSON_KIND_OBJECT, TRUE}};
static const JsonField peer_fields[] = {{"peer_id", JSON_KIND_STRING, TRUE}};

static const JsonField publication_fields[] = {
    {"type", JSON_KIND_STRING, TRUE},
    {"directory", JSON_KIND_OBJECT, TRUE},
    {"service", JSON_KIND_OBJECT, TRUE},
    {"properties", JSON_KIND_OBJECT, FALSE},
};
static const JsonField delegated_publication_fields[] = {
    {"type", JSON_KIND_STRING, TRUE},        {"directory", JSON_KIND_OBJECT, TRUE},
    {"service", JSON_KIND_OBJECT, TRUE},     {"delegator", JSON_KIND_OBJECT, TRUE},
    {"properties", JSON_KIND_OBJECT, FALSE},
};
static const JsonField connection_fields[] = {
    {"type", JSON_KIND_STRING, TRUE},
    {"outway", JSON_KIND_OBJECT, TRUE},
    {"service", JSON_KIND_OBJECT, TRUE},
    {"properties", JSON_KIND_OBJECT, FALSE},
};
static const JsonField delegated_connection_fields[] = {
    {"type", JSON_KIND_STRING, TRUE},        {"outway", JSON_KIND_OBJECT, TRUE},
    {"service", JSON_KIND_OBJECT, TRUE},     {"delegator", JSON_KIND_OBJECT, TRUE},
    {"properties", JSON_KIND_OBJECT, FALSE},
};

static const JsonField published_service_fields[] = {
    {"peer_id", JSON_KIND_STRING, TRUE},
    {"name", JSON_KIND_STRING, TRUE},
    {"protocol", JSON_KIND_STRING, TRUE},
};
static const JsonField service_fields[] = {
    {"type", JSON_KIND_STRING, TRUE},
    {"peer_id", JSON_KIND_STRING, TRUE},
    {"name", JSON_KIND_STRING, TRUE},
};
static const JsonField delegated_service_fields[] = {
    {"type", JSON_KIND_STRING, TRUE},
    {"peer_id", JSON_KIND_STRING, TRUE},
    {"name", JSON_KIND_STRING, TRUE},
    {"delegator", JSON_KIND_OBJECT, TRUE},
};
static const JsonField outway_fields[] = {
    {"peer_id", JSON_KIND_STRING, TRUE},
    {"identification", JSON_KIND_OBJECT, TRUE},
};
static const JsonField thumbprint_fields[] = {
    {"type", JSON_KIND_STRING, TRUE},
    {"public_key_thumbprint", JSON_KIND_STRING, TRUE},
};
static const JsonField domain_fields[] = {
    {"type", JSON_KIND_STRING, TRUE},
    {"domain_name", JSON_KIND_STRING, TRUE},
};

/* An object with the member `type` that says which fields it has: the OpenAPI document's discriminator. */
typedef struct {
    const char *type;
    const JsonField *fields;
    gsize n_fields;
} Variant;

/* In the order of GrantType. */
static const Variant grant_variants[] = {
    {"GRANT_TYPE_SERVICE_PUBLICATION", JSON_FIELDS(publication_fields)},
    {"GRANT_TYPE_SERVICE_CONNECTION", JSON_FIELDS(connection_fields)},
    {"GRANT_TYPE_DELEGATED_SERVICE_CONNECTION", JSON_FIELDS(delegated_connection_fields)},
    {"GRANT_TYPE_DELEGATED_SERVICE_PUBLICATION", JSON_FIELDS(delegated_publication_fields)},
};
static const Variant service_variants[] = {
    {"SERVICE_TYPE_SERVICE", JSON_FIELDS(service_fields)},
    {"SERVICE_TYPE_DELEGATED_SERVICE", JSON_FIELDS(delegated_service_fields)},
};
static const Variant identification_variants[] = {
    {"OUTWAY_IDENTIFICATION_TYPE_PUBLIC_KEY_THUMBPRINT", JSON_FIELDS(thumbprint_fields)},
    {"OUTWAY_IDENTIFICATION_TYPE_DOMAIN_NAME", JSON_FIELDS(domain_fields)},
};

static const GrantTypeRow grant_types[] = {
    {"GRANT_TYPE_SERVICE_PUBLICATION", HASH_TYPE_SERVICE_PUBLICATION_GRANT, TRUE, FALSE},
    {"GRANT_TYPE_SERVICE_CONNECTION", HASH_TYPE_SERVICE_CONNECTION_GRANT, FALSE, FALSE},
    {"GRANT_TYPE_DELEGATED_SERVICE_CONNECTION", HASH_TYPE_DELEGATED_SERVICE_CONNECTION_GRANT, FALSE, TRUE},
    {"GRANT_TYPE_DELEGATED_SERVICE_PUBLICATION", HASH_TYPE_DELEGATED_SERVICE_PUBLICATION_GRANT, TRUE, TRUE},
};
G_STATIC_ASSERT(G_N_ELEMENTS(grant_variants) == GRANT_TYPE_COUNT);
G_STATIC_ASSERT(G_N_ELEMENTS(grant_types) == GRANT_TYPE_COUNT);

const GrantTypeRow *grant_type_row(GrantType type)
{
    return &grant_types[type];
}

gboolean grant_type_find(const char *name, GrantType *type)
{
    for (gsize i = 0; i < G_N_ELEMENTS(grant_types); i++)
        if (g_str_equal(name, grant_types[i].name)) {
            *type = (GrantType)i;
            return TRUE;
        }
    return FALSE;
}

/* json_check_object() with its error as a verdict. */
static gboolean check(const json_t *value, const char *path, const JsonField *fields, gsize n_fields,
                      GError **error)
{
    g_autoptr(GError) why = NULL;
    if (json_check_object(value, path, fields, n_fields, &why))
        return TRUE;
    g_set_error_literal(error, FSC_VERDICT, VERDICT_SCHEMA, why->message);
    return FALSE;
}

/* The index of the variant that `type` names, after checking the object against it; -1 with SCHEMA. */
static int check_variant(const json_t *value, const char *path, const Variant *variants, gsize n_variants,
                         GError **error)
{
    const json_t *type = json_object_get(value, "type");
    if (!json_is_string(type)) {
        g_set_error(error, FSC_VERDICT, VERDICT_SCHEMA, "%s: missing member \"type\", a string", path);
        return -1;
    }
    for (gsize i = 0; i < n_variants; i++)
        if (g_str_equal(json_string_value(type), variants[i].type))
            return check(value, path, variants[i].fields, variants[i].n_fields, error) ? (int)i : -1;
    g_set_error(error, FSC_VERDICT, VERDICT_SCHEMA, "%s.type: unknown type; the first known one is %s", path,
                variants[0].type);
    return -1;
}

static gboolean parse_peer(const json_t *value, const char *path, const char *member, const char **peer_id,
                           GError **error)
{
    g_autofree char *where = g_strdup_printf("%s.%s", path, member);
    const json_t *peer = json_object_get(value, member);
    if (!check(peer, where, JSON_FIELDS(peer_fields), error))
        return FALSE;
    *peer_id = json_string_at(peer, "peer_id");
    return TRUE;
}

static gboolean parse_publication(Grant *grant, const char *path, GError **error)
{
    g_autofree char *where = g_strdup_printf("%s.service", path);
    const json_t *service = json_object_get(grant->data, "service");
    if (!parse_peer(grant->data, path, "directory", &grant->directory_peer_id, error) ||
        !check(service, where, JSON_FIELDS(published_service_fields), error))
        return FALSE;
    grant->service_peer_id = json_string_at(service, "peer_id");
    grant->service_name = json_string_at(service, "name");
    grant->protocol = json_string_at(service, "protocol");
    if (!g_str_equal(grant->protocol, FSC_PROTOCOL_HTTP_1) &&
        !g_str_equal(grant->protocol, FSC_PROTOCOL_HTTP_2)) {
        g_set_error(error, FSC_VERDICT, VERDICT_SCHEMA, "%s.protocol: must be %s or %s", where,
                    FSC_PROTOCOL_HTTP_1, FSC_PROTOCOL_HTTP_2);
        return FALSE;
    }
    return TRUE;
}

static gboolean parse_outway(Grant *grant, const char *path, GError **error)
{
    g_autofree char *where = g_strdup_printf("%s.outway", path);
    const json_t *outway = json_object_get(grant->data, "outway");
    if (!check(outway, where, JSON_FIELDS(outway_fields), error))
        return FALSE;
    grant->outway_peer_id = json_string_at(outway, "peer_id");
    const json_t *identification = json_object_get(outway, "identification");
    g_autofree char *below = g_strdup_printf("%s.identification", where);
    if (check_variant(identification, below, identification_variants, G_N_ELEMENTS(identification_variants),
                      error) < 0)
        return FALSE;
    grant->public_key_thumbprint = json_string_at(identification, "public_key_thumbprint");
    grant->domain_name = json_string_at(identification, "domain_name");
    return TRUE;
}

static gboolean parse_connection(Grant *grant, const char *path, GError **error)
{
    if (!parse_outway(grant, path, error))
        return FALSE;
    g_autofree char *where = g_strdup_printf("%s.service", path);
    const json_t *service = json_object_get(grant->data, "service");
    if (check_variant(service, where, service_variants, G_N_ELEMENTS(service_variants), error) < 0)
        return FALSE;
    grant->service_peer_id = json_string_at(service, "peer_id");
    grant->service_name = json_string_at(service, "name");
    return json_object_get(service, "delegator") == NULL ||
           parse_peer(service, where, "delegator", &grant->service_delegator, error);
}

static gboolean parse_grant(const json_t *value, gsize position, Grant *grant, GError **error)
{
    g_autofree char *outer = g_strdup_printf("content.grants[%" G_GSIZE_FORMAT "]", position);
    g_autofree char *path = g_strconcat(outer, ".data", NULL);
    if (!check(value, outer, JSON_FIELDS(grant_fields), error))
        return FALSE;
    grant->data = json_object_get(value, "data");
    int type = check_variant(grant->data, path, grant_variants, G_N_ELEMENTS(grant_variants), error);
    if (type < 0)
        return FALSE;
    grant->type = (GrantType)type;
    grant->properties = json_object_get(grant->data, "properties");
    const GrantTypeRow *row = grant_type_row(grant->type);
    if (!(row->publication ? parse_publication : parse_connection)(grant, path, error))
        return FALSE;
    return !row->delegated || parse_peer(grant->data, path, "delegator", &grant->delegator, error);
}

static void add_signer(GPtrArray *signers, const char *peer_id)
{
    if (peer_id != NULL && !g_ptr_array_find_with_equal_func(signers, peer_id, g_str_equal, NULL))
        g_ptr_array_add(signers, (gpointer)peer_id);
}

/* FSC Core 2.0.0, 4.2.1.1 to 4.2.1.4, "Signature requirements": every Peer that a grant names in a role. */
static void add_signers(GPtrArray *signers, const Grant *grant)
{
    add_signer(signers, grant->outway_peer_id);
    add_signer(signers, grant->directory_peer_id);
    add_signer(signers, grant->service_peer_id);
    add_signer(signers, grant->delegator);
    add_signer(signers, grant->service_delegator);
}

static gboolean parse_grants(Contract *contract, GError **error)
{
    const json_t *grants = json_object_get(contract->content, "grants");
    contract->n_grants = json_array_size(grants);
    contract->grants = g_new0(Grant, contract->n_grants);
    for (gsize i = 0; i < contract->n_grants; i++) {
        Grant *grant = &contract->grants[i];
        if (!parse_grant(json_array_get(grants, i), i, grant, error))
            return FALSE;
        add_signers(contract->signers, grant);
    }
    return TRUE;
}

static gboolean compute_hashes(Contract *contract, GError **error)
{
    contract->hash = fsc_content_hash(contract->content, error);
    if (contract->hash == NULL)
        return FALSE;
    for (gsize i = 0; i < contract->n_grants; i++) {
        Grant *grant = &contract->grants[i];
        grant->hash =
            fsc_grant_hash(contract->hash, grant_type_row(grant->type)->hash_type, grant->data, error);
        if (grant->hash == NULL)
            return FALSE;
    }
    return TRUE;
}

/* FSC Core 2.0.0, 4.4.5.3: a version or hash algorithm that we do not know has its own code, and with it all
 * other fields may differ. */
static gboolean check_version(const json_t *content, GError **error)
{
    if (!json_is_object(content)) {
        g_set_error_literal(error, FSC_VERDICT, VERDICT_SCHEMA, "content: must be an object");
        return FALSE;
    }
    const json_t *version = json_object_get(content, "fsc_version");
    if (json_is_string(version) && !g_str_equal(json_string_value(version), FSC_VERSION))
        return verdict_set(error, VERDICT_UNKNOWN_FSC_VERSION, "content.fsc_version");
    const json_t *algorithm = json_object_get(content, "hash_algorithm");
    if (json_is_string(version) && json_is_string(algorithm) &&
        !g_str_equal(json_string_value(algorithm), FSC_HASH_ALGORITHM))
        return verdict_set(error, VERDICT_UNKNOWN_HASH_ALGORITHM, "content.hash_algorithm");
    return TRUE;
}

static gboolean parse_content(Contract *contract, GError **error)
{
    const json_t *content = contract->content;
    const json_t *validity = json_object_get(content, "validity");
    if (!check_version(content, error) || !check(content, "content", JSON_FIELDS(content_fields), error) ||
        !check(validity, "content.validity", JSON_FIELDS(validity_fields), error))
        return FALSE;
    contract->iv = json_string_at(content, "iv");
    contract->group_id = json_string_at(content, "group_id");
    contract->created_at = json_integer_at(content, "created_at");
    contract->not_before = json_integer_at(validity, "not_before");
    contract->not_after = json_integer_at(validity, "not_after");
    /* The OpenAPI document gives all three a minimum of 0. */
    if (contract->created_at < 0 || contract->not_before < 0 || contract->not_after < 0) {
        g_set_error_literal(error, FSC_VERDICT, VERDICT_SCHEMA, "content: a time stamp is negative");
        return FALSE;
    }
    return parse_grants(contract, error);
}

Contract *contract_parse(json_t *content, GError **error)
{
    g_autoptr(Contract) contract = g_new0(Contract, 1);
    contract->content = json_incref(content);
    contract->signers = g_ptr_array_new();
    g_autoptr(GError) why = NULL;
    if (!parse_content(contract, error))
        return NULL;
    if (!compute_hashes(contract, &why)) {
        g_set_error_literal(error, FSC_VERDICT, VERDICT_SCHEMA, why->message);
        return NULL;
    }
    return g_steal_pointer(&contract);
}

Contract *contract_parse_text(const char *text, GError **error)
{
    g_autoptr(json_t) content = json_parse_strict(text, -1, NULL, error);
    return content == NULL ? NULL : contract_parse(content, error);
}

void contract_free(Contract *contract)
{
    if (contract == NULL)
        return;
    for (gsize i = 0; i < contract->n_grants; i++)
        g_free(contract->grants[i].hash);
    g_free(contract->grants);
    g_ptr_array_unref(contract->signers);
    g_free(contract->hash);
    json_decref(contract->content);
    g_free(contract);
}

gboolean contract_has_signer(const Contract *contract, const char *peer_id)
{
    return g_ptr_array_find_with_equal_func(contract->signers, peer_id, g_str_equal, NULL);
}

const Grant *contract_find_grant(const Contract *contract, const char *grant_hash)
{
    for (gsize i = 0; i < contract->n_grants; i++)
        if (g_str_equal(contract->grants[i].hash, grant_hash))
            return &contract->grants[i];
    return NULL;
}

gsize contract_count(const Contract *contract, gboolean publication)
{
    gsize count = 0;
    for (gsize i = 0; i < contract->n_grants; i++)
        count += grant_type_row(contract->grants[i].type)->publication == publication;
    return count;
}
