#include "components/fsc/cli_grant.h"

#include <string.h>

#include "components/fsc/rules_contract.h"
#include "core/base/error.h"
#include "core/format/json.h"

static const char *const type_words[GRANT_TYPE_COUNT] = {
    [GRANT_SERVICE_PUBLICATION] = "publication",
    [GRANT_SERVICE_CONNECTION] = "connection",
    [GRANT_DELEGATED_SERVICE_CONNECTION] = "delegated-connection",
    [GRANT_DELEGATED_SERVICE_PUBLICATION] = "delegated-publication",
};

const char *grant_type_word(GrantType type)
{
    return type_words[type];
}

static gboolean usage(GError **error, const char *text)
{
    g_set_error_literal(error, FUNDAMENT_ERROR, FUNDAMENT_ERROR_USAGE, text);
    return FALSE;
}

gboolean grant_type_read(const char *word, GrantType *type, GError **error)
{
    for (int i = 0; i < GRANT_TYPE_COUNT; i++)
        if (g_str_equal(word, type_words[i])) {
            *type = (GrantType)i;
            return TRUE;
        }
    if (grant_type_find(word, type))
        return TRUE;
    g_set_error(error, FUNDAMENT_ERROR, FUNDAMENT_ERROR_USAGE,
                "--type %s: choose connection, publication, delegated-connection or delegated-publication",
                word);
    return FALSE;
}

/* --- building --- */

/* Which options belong to which types: the first that is missing or out of place is the answer. */
static gboolean words_fit(const GrantWords *words, const GrantTypeRow *row, const GrantDefaults *defaults,
                          GError **error)
{
    const struct {
        gboolean wrong;
        const char *message;
    } rules[] = {
        {words->service == NULL, "--service NAME is missing"},
        {!row->publication && words->provider == NULL, "--provider PEER is missing: who offers the service"},
        {row->publication && words->directory == NULL && defaults->directory == NULL,
         "--directory PEER is missing, and node.conf has no [fsc] directory"},
        {row->delegated && words->delegator == NULL, "--delegator PEER is missing: on whose behalf"},
        {!row->delegated && words->delegator != NULL,
         "--delegator belongs to the types delegated-connection and delegated-publication"},
        {row->publication &&
             (words->outway_key != NULL || words->outway_domain != NULL || words->outway_peer != NULL),
         "a publication has no Outway"},
        {row->publication && words->service_delegator != NULL,
         "--service-delegator belongs to connections; a publication has --delegator"},
        {!row->publication && words->protocol != NULL, "--protocol belongs to publications"},
        {!row->publication && words->directory != NULL, "--directory belongs to publications"},
        {words->outway_key != NULL && words->outway_domain != NULL,
         "an Outway is known by its key or by its domain name, not by both"},
        {!row->publication && words->outway_key == NULL && words->outway_domain == NULL &&
             defaults->outway_key == NULL,
         "this node has no Outway key: say --outway-key, --outway-certificate or --outway-domain"},
        {!row->publication && words->outway_peer != NULL &&
             !g_str_equal(words->outway_peer, defaults->peer_id) && words->outway_key == NULL &&
             words->outway_domain == NULL,
         "for the Outway of another Peer say --outway-key, --outway-certificate or --outway-domain"},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(rules); i++)
        if (rules[i].wrong)
            return usage(error, rules[i].message);
    return TRUE;
}

static json_t *outway_of(const GrantWords *words, const GrantDefaults *defaults)
{
    const char *peer_id = words->outway_peer != NULL ? words->outway_peer : defaults->peer_id;
    const char *key = words->outway_key != NULL ? words->outway_key : defaults->outway_key;
    json_t *how = words->outway_domain != NULL
                      ? json_pack("{s:s, s:s}", "type", "OUTWAY_IDENTIFICATION_TYPE_DOMAIN_NAME",
                                  "domain_name", words->outway_domain)
                      : json_pack("{s:s, s:s}", "type", "OUTWAY_IDENTIFICATION_TYPE_PUBLIC_KEY_THUMBPRINT",
                                  "public_key_thumbprint", key);
    return json_pack("{s:s, s:o}", "peer_id", peer_id, "identification", how);
}

static json_t *service_of(const GrantWords *words)
{
    json_t *service = json_pack("{s:s, s:s, s:s}", "type",
                                words->service_delegator != NULL ? "SERVICE_TYPE_DELEGATED_SERVICE"
                                                                 : "SERVICE_TYPE_SERVICE",
                                "peer_id", words->provider, "name", words->service);
    if (words->service_delegator != NULL)
        json_object_set_new(service, "delegator", json_pack("{s:s}", "peer_id", words->service_delegator));
    return service;
}

static json_t *publication_of(const GrantWords *words, const GrantDefaults *defaults)
{
    const char *protocol = words->protocol != NULL ? words->protocol : FSC_PROTOCOL_HTTP_1;
    const char *provider = words->provider != NULL ? words->provider : defaults->peer_id;
    return json_pack("{s:{s:s}, s:{s:s, s:s, s:s}}", "directory", "peer_id",
                     words->directory != NULL ? words->directory : defaults->directory, "service", "peer_id",
                     provider, "name", words->service, "protocol", protocol);
}

json_t *grant_build(const GrantWords *words, const GrantDefaults *defaults, GError **error)
{
    GrantType type;
    if (!grant_type_read(words->type != NULL ? words->type : type_words[GRANT_SERVICE_CONNECTION], &type,
                         error))
        return NULL;
    const GrantTypeRow *row = grant_type_row(type);
    if (!words_fit(words, row, defaults, error))
        return NULL;
    json_t *data = row->publication ? publication_of(words, defaults)
                                    : json_pack("{s:o, s:o}", "outway", outway_of(words, defaults), "service",
                                                service_of(words));
    json_object_set_new(data, "type", json_string(row->name));
    if (row->delegated)
        json_object_set_new(data, "delegator", json_pack("{s:s}", "peer_id", words->delegator));
    if (words->properties != NULL && json_object_size(words->properties) > 0)
        json_object_set(data, "properties", (json_t *)words->properties);
    return data;
}

/* --- files and properties --- */

json_t *grants_of_file(const json_t *file, GError **error)
{
    g_autoptr(json_t) grants = json_array();
    const json_t *list = json_is_object(file) ? json_object_get(file, "grants") : file;
    gboolean single = json_is_object(file) && list == NULL;
    gsize count = single ? 1 : json_array_size(list);
    if (count == 0 || count > CONTRACT_GRANTS_MAX) {
        g_set_error(error, FUNDAMENT_ERROR, FUNDAMENT_ERROR_INVALID,
                    "a contract holds 1 to %d grants, as [{\"type\": \"GRANT_TYPE_...\", ...}, ...]",
                    CONTRACT_GRANTS_MAX);
        return NULL;
    }
    for (gsize i = 0; i < count; i++) {
        const json_t *one = single ? file : json_array_get(list, i), *data = json_object_get(one, "data");
        if (!json_is_object(one)) {
            g_set_error(error, FUNDAMENT_ERROR, FUNDAMENT_ERROR_INVALID, "grants[%zu] is no object", i);
            return NULL;
        }
        json_array_append_new(grants, json_pack("{s:O}", "data", data != NULL ? data : one));
    }
    return g_steal_pointer(&grants);
}

gboolean property_add(json_t *properties, const char *text, GError **error)
{
    const char *equals = strchr(text, '=');
    if (equals == NULL || equals == text) {
        g_set_error(error, FUNDAMENT_ERROR, FUNDAMENT_ERROR_USAGE, "--property %s: write NAME=VALUE", text);
        return FALSE;
    }
    g_autofree char *name = g_strndup(text, (gsize)(equals - text));
    json_t *value = json_parse_strict(equals + 1, -1, NULL, NULL);
    json_object_set_new(properties, name, value != NULL ? value : json_string(equals + 1));
    return TRUE;
}

/* --- words --- */

static char *who(const json_t *object, const json_t *names)
{
    const char *id = json_string_at(object, "peer_id"), *name = id == NULL ? NULL : json_string_at(names, id);
    return name != NULL && !g_str_equal(name, id) ? g_strdup_printf("%s (%s)", name, id) : g_strdup(id);
}

static char *how_known(const json_t *outway)
{
    const json_t *how = json_object_get(outway, "identification");
    const char *key = json_string_at(how, "public_key_thumbprint"),
               *domain = json_string_at(how, "domain_name");
    return domain != NULL ? g_strdup_printf("with the domain name %s", domain)
                          : g_strdup_printf("with the key %.16s...", key != NULL ? key : "?");
}

char *grant_in_words(const json_t *data, const json_t *names)
{
    const json_t *service = json_object_get(data, "service"), *outway = json_object_get(data, "outway"),
                 *delegator = json_object_get(data, "delegator"),
                 *offered = json_object_get(service, "delegator"),
                 *properties = json_object_get(data, "properties");
    g_autofree char *provider = who(service, names);
    g_autofree char *on_behalf = delegator != NULL ? who(delegator, names) : NULL;
    GString *out = g_string_new(NULL);
    if (outway != NULL) {
        g_autofree char *user = who(outway, names);
        g_autofree char *known = how_known(outway);
        g_autofree char *for_whom = offered != NULL ? who(offered, names) : NULL;
        g_string_append_printf(out, "the Outway of %s, %s, may use %s of %s", user, known,
                               json_string_at(service, "name"), provider);
        if (for_whom != NULL)
            g_string_append_printf(out, ", which offers it on behalf of %s", for_whom);
    } else {
        g_autofree char *directory = who(json_object_get(data, "directory"), names);
        g_string_append_printf(out, "%s of %s (%s) stands in the Directory of %s",
                               json_string_at(service, "name"), provider, json_string_at(service, "protocol"),
                               directory);
    }
    if (on_behalf != NULL)
        g_string_append_printf(out, ", on behalf of %s", on_behalf);
    if (json_object_size(properties) > 0) {
        g_autofree char *text = json_write(properties);
        g_string_append_printf(out, ", with properties %s", text);
    }
    return g_string_free(out, FALSE);
}
