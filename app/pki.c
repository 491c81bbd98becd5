/* fundament pki: a test PKI (core/crypto/pki.h). */
#include <stdio.h>
#include <string.h>

#include "app/commands.h"
#include "core/base/clock.h"
#include "core/base/error.h"
#include "core/base/identifiers.h"
#include "core/crypto/pki.h"
#include "core/node/admin.h"

#define DAY_S 86400

typedef struct {
    char *folder, *name, *out, *oin, *organization, *common_name;
    char **domains;
    int days;
} PkiOptions;

static void options_clear(PkiOptions *options)
{
    g_free(options->folder);
    g_free(options->name);
    g_free(options->out);
    g_free(options->oin);
    g_free(options->organization);
    g_free(options->common_name);
    g_strfreev(options->domains);
}

static gboolean require(const char *value, const char *option, GError **error)
{
    if (value != NULL)
        return TRUE;
    g_set_error(error, FUNDAMENT_ERROR, FUNDAMENT_ERROR_USAGE, "--%s is missing; see fundament pki --help",
                option);
    return FALSE;
}

static gboolean create(const PkiOptions *options, GError **error)
{
    const char *name = options->name != NULL ? options->name : "Fundament TEST";
    return pki_create(options->folder, name, clock_now_s(clock_system()), error);
}

static gboolean issue(const PkiOptions *options, GError **error)
{
    static const char *const none[] = {NULL};
    if (!require(options->name, "name", error) || !require(options->oin, "oin", error) ||
        !require(options->organization, "organization", error))
        return FALSE;
    if (!oin_valid(options->oin)) {
        g_set_error(error, FUNDAMENT_ERROR, FUNDAMENT_ERROR_USAGE, "--oin \"%s\": an OIN has 20 digits",
                    options->oin);
        return FALSE;
    }
    gint64 now = clock_now_s(clock_system());
    const char *const *domains = options->domains != NULL ? (const char *const *)options->domains : none;
    PkiLeaf leaf = {
        .oin = options->oin,
        .organization = options->organization,
        .common_name = options->common_name != NULL ? options->common_name
                       : domains[0] != NULL         ? domains[0]
                                                    : options->name,
        .domains = domains,
        .not_before = now - 60,
        .not_after = now + (gint64)options->days * DAY_S,
    };
    return pki_issue(options->folder, &leaf, options->out != NULL ? options->out : options->folder,
                     options->name, error);
}

static gboolean revoke_leaf(const PkiOptions *options, const char *path, GError **error)
{
    if (path == NULL) {
        g_set_error_literal(error, FUNDAMENT_ERROR, FUNDAMENT_ERROR_USAGE,
                            "usage: fundament pki revoke --folder FOLDER CERTIFICATE");
        return FALSE;
    }
    g_autoptr(Certificate) certificate = certificate_load(path, error);
    return certificate != NULL && pki_revoke(options->folder, certificate, clock_now_s(clock_system()),
                                             (gint64)options->days * DAY_S, error);
}

static gboolean run(const PkiOptions *options, const char *action, const char *argument, GError **error)
{
    if (!require(options->folder, "folder", error))
        return FALSE;
    if (strcmp(action, "create") == 0)
        return create(options, error);
    if (strcmp(action, "issue") == 0)
        return issue(options, error);
    if (strcmp(action, "revoke") == 0)
        return revoke_leaf(options, argument, error);
    g_set_error(error, FUNDAMENT_ERROR, FUNDAMENT_ERROR_USAGE,
                "unknown action \"%s\"; choose create, issue or revoke", action);
    return FALSE;
}

int command_pki(int argc, char **argv)
{
    PkiOptions options = {.days = 30};
    const GOptionEntry entries[] = {
        {"folder", 'f', 0, G_OPTION_ARG_FILENAME, &options.folder,
         "Where anchor.key, anchor.crt and crl.pem are", "FOLDER"},
        {"name", 'n', 0, G_OPTION_ARG_STRING, &options.name,
         "create: of the anchor; issue: NAME.key and NAME.crt", "NAME"},
        {"out", 'o', 0, G_OPTION_ARG_FILENAME, &options.out, "issue: where the two files go (default FOLDER)",
         "FOLDER"},
        {"oin", 0, 0, G_OPTION_ARG_STRING, &options.oin, "issue: whose certificate it is", "OIN"},
        {"organization", 0, 0, G_OPTION_ARG_STRING, &options.organization, "issue: its name", "NAME"},
        {"common-name", 0, 0, G_OPTION_ARG_STRING, &options.common_name, "issue: default the first domain",
         "NAME"},
        {"domain", 'd', 0, G_OPTION_ARG_STRING_ARRAY, &options.domains, "issue: a host name; may be repeated",
         "DOMAIN"},
        {"days", 0, 0, G_OPTION_ARG_INT, &options.days, "issue, revoke: how long it is valid (default 30)",
         "DAYS"},
        G_OPTION_ENTRY_NULL,
    };
    int status = 0;
    if (!command_options(&argc, &argv, entries, "create | issue | revoke CERTIFICATE",
                         "A trust anchor, certificates and a revocation list for tests and demonstrations. "
                         "Never for production.",
                         &status)) {
        options_clear(&options);
        return status;
    }
    g_autoptr(GError) error = NULL;
    if (argc < 2)
        status = command_usage("usage: fundament pki create | issue | revoke; see fundament pki --help");
    else if (!run(&options, argv[1], argc > 2 ? argv[2] : NULL, &error))
        status = admin_fail(error);
    options_clear(&options);
    return status;
}
