/* Trust anchors and the list of revoked certificates: read again when their files change. */
#include "core/node/node_private.h"

#include <openssl/asn1.h>
#include <openssl/pem.h>
#include <sys/stat.h>

#include "core/base/error.h"

/* Changes when either file does. */
static guint64 stamp_of(const Config *config, const char *section)
{
    const char *paths[] = {config_text(config, section, "anchors"), config_text(config, section, "crl")};
    guint64 stamp = 0;
    for (gsize i = 0; i < G_N_ELEMENTS(paths); i++) {
        struct stat status;
        if (paths[i] != NULL && stat(paths[i], &status) == 0)
            stamp = stamp * 31 + (guint64)status.st_mtim.tv_sec * 1000000000 +
                    (guint64)status.st_mtim.tv_nsec + status.st_ino;
    }
    return stamp;
}

/* From [node] or [office]; both lists have the same grace. */
static gboolean load(Node *node, const char *section, TrustAnchors **into, guint64 *into_stamp,
                     GError **error)
{
    guint64 stamp = stamp_of(node->config, section);
    TrustAnchors *anchors = trust_anchors_load(config_text(node->config, section, "anchors"),
                                               config_text(node->config, section, "crl"),
                                               config_integer(node->config, "node", "crl_grace"), error);
    if (anchors == NULL)
        return FALSE;
    g_mutex_lock(&node->anchors_lock);
    g_clear_pointer(into, trust_anchors_unref);
    *into = anchors;
    *into_stamp = stamp;
    g_mutex_unlock(&node->anchors_lock);
    return TRUE;
}

gboolean node_load_anchors(Node *node, GError **error)
{
    return load(node, "node", &node->anchors, &node->anchors_stamp, error);
}

gboolean node_load_officer_anchors(Node *node, GError **error)
{
    return config_text(node->config, "office", "anchors") == NULL ||
           load(node, "office", &node->officer_anchors, &node->officer_anchors_stamp, error);
}

static TrustAnchors *current(Node *node, TrustAnchors *const *which)
{
    g_mutex_lock(&node->anchors_lock);
    TrustAnchors *anchors = *which == NULL ? NULL : trust_anchors_ref(*which);
    g_mutex_unlock(&node->anchors_lock);
    return anchors;
}

TrustAnchors *node_anchors(Node *node)
{
    return current(node, &node->anchors);
}

TrustAnchors *node_officer_anchors(Node *node)
{
    return current(node, &node->officer_anchors);
}

/* As nginx prints $ssl_client_serial, with the same function. */
static void collect_serials(X509_CRL *crl, GPtrArray *serials)
{
    STACK_OF(X509_REVOKED) *revoked = X509_CRL_get_REVOKED(crl);
    for (int i = 0; i < sk_X509_REVOKED_num(revoked); i++) {
        BIO *out = BIO_new(BIO_s_mem());
        char *text = NULL;
        i2a_ASN1_INTEGER(out, X509_REVOKED_get0_serialNumber(sk_X509_REVOKED_value(revoked, i)));
        long length = BIO_get_mem_data(out, &text);
        g_ptr_array_add(serials, g_strndup(text, (gsize)MAX(length, 0)));
        BIO_free(out);
    }
}

GPtrArray *node_revoked_serials(const char *crl_path)
{
    GPtrArray *serials = g_ptr_array_new_with_free_func(g_free);
    BIO *in = crl_path == NULL ? NULL : BIO_new_file(crl_path, "r");
    for (X509_CRL *crl; in != NULL && (crl = PEM_read_bio_X509_CRL(in, NULL, NULL, NULL)) != NULL;) {
        collect_serials(crl, serials);
        X509_CRL_free(crl);
    }
    BIO_free(in);
    g_ptr_array_add(serials, NULL);
    return serials;
}

void node_tell_revoked(Node *node)
{
    g_autoptr(GPtrArray) serials = node_revoked_serials(config_text(node->config, "node", "crl"));
    frames_server_set_revoked(node->frames, (const char *const *)serials->pdata);
    frames_server_forget(node->frames);
}

static gboolean changed(Node *node, const char *section, const guint64 *stamp)
{
    g_mutex_lock(&node->anchors_lock);
    gboolean other = *stamp != stamp_of(node->config, section);
    g_mutex_unlock(&node->anchors_lock);
    return other;
}

static void refresh_officer_anchors(Node *node, gboolean always)
{
    g_autoptr(GError) error = NULL;
    if (config_text(node->config, "office", "anchors") == NULL ||
        (!always && !changed(node, "office", &node->officer_anchors_stamp)))
        return;
    if (node_load_officer_anchors(node, &error))
        g_message("anchors of the office: read again");
    else
        g_warning("anchors of the office: not read again, the old ones stay: %s", error->message);
}

void node_refresh_anchors(Node *node, gboolean always)
{
    g_autoptr(GError) error = NULL;
    refresh_officer_anchors(node, always);
    if (!always && !changed(node, "node", &node->anchors_stamp))
        return;
    if (!node_load_anchors(node, &error)) {
        g_warning("anchors: not read again, the old ones stay: %s", error->message);
        return;
    }
    node_tell_revoked(node);
    g_message("anchors: read again");
}
