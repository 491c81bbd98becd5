#include "components/fsc/external.h"

#include "core/base/error.h"
#include "core/format/json.h"

static const JsonField reference_fields[] = {
    {"reference", JSON_KIND_STRING, TRUE},
    {"delegator_id", JSON_KIND_STRING, TRUE},
    {"delegator_name", JSON_KIND_STRING, TRUE},
};

/* 2.2.1 and 2.3.1: which grant holds which property. The delegated grants hold neither: there FSC itself
 * knows the delegator. */
static const struct {
    const char *property;
    GrantType type;
} places[] = {
    {EXTERNAL_CONNECTION, GRANT_SERVICE_CONNECTION},
    {EXTERNAL_PUBLICATION, GRANT_SERVICE_PUBLICATION},
};

gboolean external_property(const char *name)
{
    for (gsize i = 0; i < G_N_ELEMENTS(places); i++)
        if (g_str_equal(name, places[i].property))
            return TRUE;
    return FALSE;
}

/* 3.1: "All properties are required". An empty string names nothing, so it is none. */
static gboolean reference_is_sound(const json_t *value, const char *property, GError **error)
{
    if (!json_check_object(value, property, JSON_FIELDS(reference_fields), error))
        return FALSE;
    for (gsize i = 0; i < G_N_ELEMENTS(reference_fields); i++)
        if (*json_string_at(value, reference_fields[i].name) == '\0') {
            g_set_error(error, FUNDAMENT_ERROR, FUNDAMENT_ERROR_INVALID, "%s.%s: must not be empty", property,
                        reference_fields[i].name);
            return FALSE;
        }
    return TRUE;
}

gboolean external_reference_check(const Grant *grant, GError **error)
{
    for (gsize i = 0; i < G_N_ELEMENTS(places); i++) {
        const json_t *value = json_object_get(grant->properties, places[i].property);
        if (value == NULL)
            continue;
        if (grant->type != places[i].type) {
            g_set_error(error, FUNDAMENT_ERROR, FUNDAMENT_ERROR_INVALID, "%s: belongs in a %s only",
                        places[i].property, grant_type_row(places[i].type)->name);
            return FALSE;
        }
        if (!reference_is_sound(value, places[i].property, error))
            return FALSE;
    }
    return TRUE;
}

gboolean external_reference_of(const Grant *grant, ExternalReference *reference)
{
    if (grant->properties == NULL || !external_reference_check(grant, NULL))
        return FALSE;
    for (gsize i = 0; i < G_N_ELEMENTS(places); i++) {
        const json_t *value = json_object_get(grant->properties, places[i].property);
        if (value == NULL)
            continue;
        *reference = (ExternalReference){.property = places[i].property,
                                         .reference = json_string_at(value, "reference"),
                                         .delegator_id = json_string_at(value, "delegator_id"),
                                         .delegator_name = json_string_at(value, "delegator_name")};
        return TRUE;
    }
    return FALSE;
}

gboolean external_contract_has(const Contract *contract)
{
    ExternalReference reference;
    for (gsize i = 0; i < contract->n_grants; i++)
        if (external_reference_of(&contract->grants[i], &reference))
            return TRUE;
    return FALSE;
}

char *external_additional_data(const json_t *properties)
{
    g_autoptr(json_t) data = json_object();
    for (gsize i = 0; i < G_N_ELEMENTS(places); i++) {
        json_t *value = json_object_get(properties, places[i].property);
        if (value != NULL)
            json_object_set(data, places[i].property, value);
    }
    return json_object_size(data) > 0 ? json_write(data) : NULL;
}
