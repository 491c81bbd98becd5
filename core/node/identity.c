/* The organisation's keys and certificates, one pair a role. */
#include "core/node/node_private.h"

#include <openssl/x509.h>
#include <string.h>
#include <sys/stat.h>

#include "core/base/error.h"

static const char *const role_names[ROLE_COUNT] = {"manager",  "inway", "outway",
                                                   "contract", "token", "portal"};

const char *role_name(Role role)
{
    return role_names[role];
}

char *identity_path(const Config *config, Role role, const char *suffix)
{
    return g_strdup_printf("%s/%s.%s", config_text(config, "node", "keys"), role_names[role], suffix);
}

void identity_free(Identity *identity)
{
    if (identity == NULL)
        return;
    for (int role = 0; role < ROLE_COUNT; role++) {
        g_clear_pointer(&identity->keys[role], key_unref);
        g_clear_pointer(&identity->certificates[role], certificate_unref);
    }
    g_free(identity);
}

static gboolean load_role(Identity *identity, const Config *config, Role role, GError **error)
{
    g_autofree char *key_path = identity_path(config, role, "key");
    g_autofree char *certificate_path = identity_path(config, role, "crt");
    if (!g_file_test(key_path, G_FILE_TEST_EXISTS) && !g_file_test(certificate_path, G_FILE_TEST_EXISTS))
        return TRUE;
    identity->certificates[role] = certificate_load(certificate_path, error);
    identity->keys[role] = identity->certificates[role] == NULL ? NULL : key_load(key_path, error);
    if (identity->keys[role] == NULL)
        return FALSE;
    if (certificate_peer_id(identity->certificates[role]) == NULL) {
        g_set_error(error, FUNDAMENT_ERROR, FUNDAMENT_ERROR_INVALID,
                    "%s holds no OIN of 20 digits in subject.serialNumber; have it issued with one",
                    certificate_path);
        return FALSE;
    }
    if (X509_check_private_key(certificate_x509(identity->certificates[role]),
                               key_pkey(identity->keys[role])) != 1) {
        g_set_error(error, FUNDAMENT_ERROR, FUNDAMENT_ERROR_INVALID, "%s does not belong to %s", key_path,
                    certificate_path);
        return FALSE;
    }
    return TRUE;
}

/* One node is one organisation. */
static gboolean same_oin(const Identity *identity, const Config *config, GError **error)
{
    const char *oin = NULL;
    for (Role role = 0; role < ROLE_COUNT; role++) {
        if (identity->certificates[role] == NULL)
            continue;
        const char *other = certificate_peer_id(identity->certificates[role]);
        if (oin != NULL && strcmp(oin, other) != 0) {
            g_autofree char *path = identity_path(config, role, "crt");
            g_set_error(error, FUNDAMENT_ERROR, FUNDAMENT_ERROR_INVALID,
                        "%s is for OIN %s, but this node's other certificates are for %s", path, other, oin);
            return FALSE;
        }
        oin = other;
    }
    return TRUE;
}

Identity *identity_load(const Config *config, GError **error)
{
    Identity *identity = g_new0(Identity, 1);
    gboolean ok = TRUE;
    for (Role role = 0; ok && role < ROLE_COUNT; role++)
        ok = load_role(identity, config, role, error);
    if (!ok || !same_oin(identity, config, error)) {
        identity_free(identity);
        return NULL;
    }
    return identity;
}

static Identity *current(const Node *node)
{
    return g_atomic_pointer_get((Identity **)&node->identity);
}

const Key *node_key(const Node *node, Role role)
{
    return current(node)->keys[role];
}

const Certificate *node_certificate(const Node *node, Role role)
{
    return current(node)->certificates[role];
}

TlsIdentity node_tls(const Node *node, Role role)
{
    return node->tls[role];
}

guint64 identity_stamp(const Config *config)
{
    static const char *const suffixes[] = {"key", "crt"};
    guint64 stamp = 1;
    for (Role role = 0; role < ROLE_COUNT; role++) {
        for (gsize i = 0; i < G_N_ELEMENTS(suffixes); i++) {
            struct stat status;
            g_autofree char *path = identity_path(config, role, suffixes[i]);
            stamp *= 31;
            if (stat(path, &status) == 0)
                stamp += (guint64)status.st_mtim.tv_sec * 1000000000 + (guint64)status.st_mtim.tv_nsec +
                         status.st_ino;
        }
    }
    return stamp;
}

static gboolean is_ours(const Node *node, const Identity *fresh, GError **error)
{
    const Certificate *manager = fresh->certificates[ROLE_MANAGER];
    if (manager != NULL && strcmp(certificate_peer_id(manager), node->oin) == 0)
        return TRUE;
    g_set_error(error, FUNDAMENT_ERROR, FUNDAMENT_ERROR_INVALID, "the new ones are not for OIN %s",
                node->oin);
    return FALSE;
}

/* Of files that are being replaced one by one, the pair that does not fit yet is no news; it is looked at
 * again when the next file has changed. */
static void refresh_locked(Node *node)
{
    g_autoptr(GError) error = NULL;
    guint64 stamp = identity_stamp(node->config);
    Identity *fresh = identity_load(node->config, &error);
    if (fresh == NULL || !is_ours(node, fresh, &error)) {
        g_warning("keys: not read again, the old ones stay: %s", error->message);
        identity_free(fresh);
        node->identity_stamp = stamp;
        return;
    }
    node->identity_stamp = stamp;
    /* Whoever borrowed an old key may keep using it: it is freed with the node. */
    g_ptr_array_add(node->retired, g_atomic_pointer_exchange(&node->identity, fresh));
    g_message("keys: read again");
    /* Tokens that our Outway holds are bound to its certificate: the edge takes the new one now, and asks
     * anew. */
    frames_server_forget(node->frames);
}

void node_refresh_identity(Node *node, gboolean always)
{
    g_mutex_lock(&node->identity_lock);
    if (always || node->identity_stamp != identity_stamp(node->config))
        refresh_locked(node);
    g_mutex_unlock(&node->identity_lock);
}
