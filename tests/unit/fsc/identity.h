/* Organisations for the tests of fsc: a test PKI in a temporary folder, with leaves for a few Peers. */
#pragma once

#include <glib/gstdio.h>

#include "core/crypto/pki.h"
#include "tests/unit/fsc/sample.h"

typedef struct {
    char *folder;
    TrustAnchors *anchors;
} TestPki;

typedef struct {
    Key *key;
    Certificate *certificate;
} TestIdentity;

static inline TestPki *test_pki_new(void)
{
    g_autoptr(GError) error = NULL;
    TestPki *pki = g_new0(TestPki, 1);
    pki->folder = g_dir_make_tmp("fsc-XXXXXX", &error);
    assert_non_null(pki->folder);
    if (!pki_create(pki->folder, "fsc", NOW - 86400, &error))
        fail_msg("%s", error->message);
    g_autofree char *path = g_build_filename(pki->folder, "anchor.crt", NULL);
    pki->anchors = trust_anchors_load(path, NULL, 0, &error);
    if (pki->anchors == NULL)
        fail_msg("%s", error->message);
    return pki;
}

static inline void test_pki_free(TestPki *pki)
{
    g_autoptr(GDir) dir = g_dir_open(pki->folder, 0, NULL);
    const char *name;
    while ((name = g_dir_read_name(dir)) != NULL) {
        g_autofree char *path = g_build_filename(pki->folder, name, NULL);
        g_unlink(path);
    }
    g_rmdir(pki->folder);
    trust_anchors_unref(pki->anchors);
    g_free(pki->folder);
    g_free(pki);
}

/* A leaf valid from an hour before NOW to `not_after`; `domain` may be NULL. Each call makes a new key. */
static inline TestIdentity test_identity(const TestPki *pki, const char *peer_id, const char *domain,
                                         gint64 not_after)
{
    static guint count;
    g_autoptr(GError) error = NULL;
    const char *const domains[] = {domain, NULL};
    g_autofree char *name = g_strdup_printf("leaf%u", count++);
    PkiLeaf leaf = {.oin = peer_id,
                    .organization = "Test",
                    .common_name = "test",
                    .domains = domains,
                    .not_before = NOW - 3600,
                    .not_after = not_after};
    if (!pki_issue(pki->folder, &leaf, pki->folder, name, &error))
        fail_msg("%s", error->message);
    g_autofree char *base = g_build_filename(pki->folder, name, NULL);
    g_autofree char *key_path = g_strconcat(base, ".key", NULL);
    g_autofree char *certificate_path = g_strconcat(base, ".crt", NULL);
    TestIdentity identity = {key_load(key_path, &error), certificate_load(certificate_path, &error)};
    if (identity.key == NULL || identity.certificate == NULL)
        fail_msg("%s", error->message);
    return identity;
}

static inline void test_identity_clear(TestIdentity *identity)
{
    key_unref(identity->key);
    certificate_unref(identity->certificate);
}
