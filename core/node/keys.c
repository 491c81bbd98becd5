#include "core/node/keys.h"

#include <openssl/x509.h>
#include <string.h>

#include "core/node/node_private.h"

#define DAY_S (24 * 60 * 60)

static const int alarms[] = {7, 30, 60}; /* days */

static const char *const state_names[] = {"valid", "renew", "expired", "absent", "broken"};

/* Pairs of key and certificate: the roles, and the server of the office, which only the edge uses. */
static const struct {
    const char *name, *use;
} pairs[] = {
    {"manager", "TLS of the Manager, as server and as client"},
    {"inway", "TLS of the Inway, as server"},
    {"outway", "TLS of the Outway, as client; contracts name its public key"},
    {"contract", "signs contracts"},
    {"token", "signs access tokens and statements"},
    {"portal", "TLS of the pages for citizens"},
    {"office", "TLS of the pages for officers"},
};

const char *key_state_name(KeyState state)
{
    return state_names[state];
}

int key_alarm_days(gint64 not_after, gint64 now_s)
{
    if (not_after <= now_s)
        return 0;
    for (gsize i = 0; i < G_N_ELEMENTS(alarms); i++)
        if (not_after - now_s <= (gint64)alarms[i] * DAY_S)
            return alarms[i];
    return -1;
}

KeyState key_state(gint64 not_before, gint64 not_after, gint64 now_s)
{
    if (now_s < not_before || now_s > not_after)
        return KEY_EXPIRED;
    return key_alarm_days(not_after, now_s) >= 0 ? KEY_RENEW : KEY_VALID;
}

/* --- the list --- */

static json_t *entry_new(const char *name, const char *use, const char *file, KeyState state,
                         const char *fault)
{
    return json_pack("{s:s, s:s, s:s, s:s, s:s?, s:n, s:n, s:n, s:n, s:n}", "name", name, "use", use, "file",
                     file, "state", key_state_name(state), "fault", fault, "thumbprint",
                     "public_key_thumbprint", "not_before", "not_after", "days_left");
}

static void add_certificate(json_t *entry, const Certificate *certificate, gint64 now_s)
{
    gint64 not_after = certificate_not_after(certificate);
    json_object_set_new(entry, "thumbprint", json_string(certificate_thumbprint(certificate)));
    json_object_set_new(entry, "public_key_thumbprint",
                        json_string(certificate_public_key_thumbprint(certificate)));
    json_object_set_new(entry, "not_before", json_integer(certificate_not_before(certificate)));
    json_object_set_new(entry, "not_after", json_integer(not_after));
    json_object_set_new(entry, "days_left", json_integer((not_after - now_s) / DAY_S));
}

static char *path_of(const Config *config, const char *name, const char *suffix)
{
    return g_strdup_printf("%s/%s.%s", config_text(config, "node", "keys"), name, suffix);
}

static gboolean belong_together(const Certificate *certificate, const char *key_path, GError **error)
{
    g_autoptr(Key) key = key_load(key_path, error);
    if (key == NULL)
        return FALSE;
    if (X509_check_private_key(certificate_x509(certificate), key_pkey(key)) == 1)
        return TRUE;
    g_set_error(error, G_FILE_ERROR, G_FILE_ERROR_INVAL, "%s does not belong to its certificate", key_path);
    return FALSE;
}

static json_t *pair_json(const Config *config, gsize i, gint64 now_s)
{
    g_autoptr(GError) fault = NULL;
    g_autofree char *key_path = path_of(config, pairs[i].name, "key");
    g_autofree char *path = path_of(config, pairs[i].name, "crt");
    if (!g_file_test(key_path, G_FILE_TEST_EXISTS) && !g_file_test(path, G_FILE_TEST_EXISTS))
        return entry_new(pairs[i].name, pairs[i].use, path, KEY_ABSENT, NULL);
    g_autoptr(Certificate) certificate = certificate_load(path, &fault);
    if (certificate == NULL || !belong_together(certificate, key_path, &fault))
        return entry_new(pairs[i].name, pairs[i].use, path, KEY_BROKEN, fault->message);
    KeyState state =
        key_state(certificate_not_before(certificate), certificate_not_after(certificate), now_s);
    json_t *entry = entry_new(pairs[i].name, pairs[i].use, path, state, NULL);
    add_certificate(entry, certificate, now_s);
    return entry;
}

static json_t *anchor_json(const Config *config, gint64 now_s)
{
    g_autoptr(GError) fault = NULL;
    const char *path = config_text(config, "node", "anchors"), *use = "the group's authority (its first one)";
    g_autoptr(Certificate) certificate = certificate_load(path, &fault);
    if (certificate == NULL)
        return entry_new("anchor", use, path, KEY_BROKEN, fault->message);
    KeyState state =
        key_state(certificate_not_before(certificate), certificate_not_after(certificate), now_s);
    json_t *entry = entry_new("anchor", use, path, state, NULL);
    add_certificate(entry, certificate, now_s);
    return entry;
}

static int compare_names(gconstpointer a, gconstpointer b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* pseudonym.1.key, pseudonym.2.key, ... and csrf.key: made by the node itself, and without an end. */
static void add_secrets(const Config *config, json_t *list)
{
    const char *folder = config_text(config, "node", "keys");
    g_autoptr(GDir) dir = g_dir_open(folder, 0, NULL);
    g_autoptr(GPtrArray) names = g_ptr_array_new_with_free_func(g_free);
    for (const char *name; dir != NULL && (name = g_dir_read_name(dir)) != NULL;)
        if (g_str_equal(name, "csrf.key") ||
            (g_str_has_prefix(name, "pseudonym.") && g_str_has_suffix(name, ".key")))
            g_ptr_array_add(names, g_strndup(name, strlen(name) - strlen(".key")));
    g_ptr_array_sort(names, compare_names);
    for (guint i = 0; i < names->len; i++) {
        const char *name = names->pdata[i];
        g_autofree char *path = path_of(config, name, "key");
        json_array_append_new(list,
                              entry_new(name,
                                        g_str_equal(name, "csrf") ? "seals the forms of pages"
                                                                  : "makes pseudonyms of citizen numbers",
                                        path, KEY_VALID, NULL));
    }
}

json_t *keys_list(const Config *config, gint64 now_s)
{
    json_t *list = json_array();
    for (gsize i = 0; i < G_N_ELEMENTS(pairs); i++)
        json_array_append_new(list, pair_json(config, i, now_s));
    json_array_append_new(list, anchor_json(config, now_s));
    add_secrets(config, list);
    return list;
}

/* --- alarms --- */

static void say(Role role, int days, gint64 not_after)
{
    g_autofree char *end = clock_format_rfc3339(not_after * 1000);
    if (days == 0)
        g_critical("keys: the certificate of %s has expired on %s; put a new one in the folder of keys",
                   role_name(role), end);
    else
        g_warning("keys: the certificate of %s expires on %s, within %d days; renew it (docs/keys.md)",
                  role_name(role), end, days);
}

gboolean keys_alarm(Node *node, gpointer context, GError **error)
{
    gint64 now_s = clock_now_s(node_clock(node));
    for (Role role = 0; role < ROLE_COUNT; role++) {
        const Certificate *certificate = node_certificate(node, role);
        int days = certificate == NULL ? -1 : key_alarm_days(certificate_not_after(certificate), now_s);
        if (days >= 0 && (node->alarmed[role] == 0 || days + 1 < node->alarmed[role]))
            say(role, days, certificate_not_after(certificate));
        node->alarmed[role] = days + 1;
    }
    return TRUE;
}
