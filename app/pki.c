/* fundament pki: a test PKI (core/crypto/pki.h). */
#include <stdio.h>
#include <string.h>

#include "app/commands.h"
#include "core/base/bytes.h"
#include "core/base/clock.h"
#include "core/base/error.h"
#include "core/base/identifiers.h"
#include "core/crypto/pki.h"
#include "core/node/admin.h"

#define DAY_S 86400
#define PASSWORD_BYTES 12

typedef struct {
    char *folder, *name, *out, *oin, *organization, *common_name, *password_file;
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
    g_free(options->password_file);
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

/* The password of the file for the browser: from a file, else a random one that is printed, because a
 * password on a command line is seen by others. Caller frees. */
static char *password_of(const PkiOptions *options, GError **error)
{
    guint8 random[PASSWORD_BYTES];
    char *text = NULL;
    if (options->password_file == NULL) {
        random_fill(random, sizeof random);
        return base64url_encode(random, sizeof random);
    }
    if (!g_file_get_contents(options->password_file, &text, NULL, error))
        return NULL;
    g_strchomp(text);
    if (*text != '\0' && g_utf8_validate(text, -1, NULL))
        return text;
    g_free(text);
    g_set_error(error, FUNDAMENT_ERROR, FUNDAMENT_ERROR_INVALID, "%s: holds no password",
                options->password_file);
    return NULL;
}

/* NAME stands in a section of node.conf and in the names of files. */
static gboolean officer_name_valid(const char *name)
{
    for (const char *c = name; *c != '\0'; c++)
        if (!g_ascii_isalnum(*c) && strchr("-_.", *c) == NULL)
            return FALSE;
    return *name != '\0' && *name != '.' && strlen(name) <= 64;
}

static gboolean print_officer(const PkiOptions *options, const char *out, const char *password,
                              GError **error)
{
    g_autofree char *file = g_strconcat(options->name, ".crt", NULL);
    g_autofree char *path = g_build_filename(out, file, NULL);
    g_autoptr(Certificate) certificate = certificate_load(path, error);
    if (certificate == NULL)
        return FALSE;
    printf("# for the browser: %s/%s.p12", out, options->name);
    if (options->password_file == NULL)
        printf(", password %s", password);
    printf(
        "\n# for node.conf; leave out the roles that this officer does not have\n[officer.%s]\nthumbprint = "
        "%s\nroles = reader operator signer\n",
        options->name, certificate_public_key_thumbprint(certificate));
    if (options->common_name != NULL)
        printf("name = %s\n", options->common_name);
    return TRUE;
}

/* A certificate of the internal authority for somebody who works here. */
static gboolean officer(const PkiOptions *options, GError **error)
{
    if (!require(options->name, "name", error))
        return FALSE;
    if (!officer_name_valid(options->name)) {
        g_set_error(
            error, FUNDAMENT_ERROR, FUNDAMENT_ERROR_USAGE,
            "--name \"%s\": expected 1 to 64 of a-z A-Z 0-9 - _ . (the full name goes in --common-name)",
            options->name);
        return FALSE;
    }
    static const char *const none[] = {NULL};
    gint64 now = clock_now_s(clock_system());
    const char *out = options->out != NULL ? options->out : options->folder;
    PkiLeaf leaf = {
        .organization = options->organization,
        .common_name = options->common_name != NULL ? options->common_name : options->name,
        .domains = none,
        .not_before = now - 60,
        .not_after = now + (gint64)options->days * DAY_S,
    };
    g_autofree char *password = password_of(options, error);
    return password != NULL && pki_issue(options->folder, &leaf, out, options->name, error) &&
           pki_export(options->folder, out, options->name, password, error) &&
           print_officer(options, out, password, error);
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
    if (strcmp(action, "officer") == 0)
        return officer(options, error);
    if (strcmp(action, "revoke") == 0)
        return revoke_leaf(options, argument, error);
    g_set_error(error, FUNDAMENT_ERROR, FUNDAMENT_ERROR_USAGE,
                "unknown action \"%s\"; choose create, issue, officer or revoke", action);
    return FALSE;
}

int command_pki(int argc, char **argv)
{
    PkiOptions options = {.days = 30};
    const GOptionEntry entries[] = {
        {"folder", 'f', 0, G_OPTION_ARG_FILENAME, &options.folder,
         "Where anchor.key, anchor.crt and crl.pem are", "FOLDER"},
        {"name", 'n', 0, G_OPTION_ARG_STRING, &options.name,
         "create: of the anchor; issue, officer: NAME.key and NAME.crt", "NAME"},
        {"out", 'o', 0, G_OPTION_ARG_FILENAME, &options.out, "issue: where the two files go (default FOLDER)",
         "FOLDER"},
        {"oin", 0, 0, G_OPTION_ARG_STRING, &options.oin, "issue: whose certificate it is", "OIN"},
        {"organization", 0, 0, G_OPTION_ARG_STRING, &options.organization, "issue: its name", "NAME"},
        {"common-name", 0, 0, G_OPTION_ARG_STRING, &options.common_name, "issue: default the first domain",
         "NAME"},
        {"domain", 'd', 0, G_OPTION_ARG_STRING_ARRAY, &options.domains, "issue: a host name; may be repeated",
         "DOMAIN"},
        {"password-file", 0, 0, G_OPTION_ARG_FILENAME, &options.password_file,
         "officer: holds the password of NAME.p12; default a random one, which is printed", "FILE"},
        {"days", 0, 0, G_OPTION_ARG_INT, &options.days,
         "issue, officer, revoke: how long it is valid (default 30)", "DAYS"},
        G_OPTION_ENTRY_NULL,
    };
    int status = 0;
    if (!command_options(&argc, &argv, entries, "create | issue | officer | revoke CERTIFICATE",
                         "A trust anchor, certificates and a revocation list for tests and demonstrations. "
                         "Never for production.",
                         &status)) {
        options_clear(&options);
        return status;
    }
    g_autoptr(GError) error = NULL;
    if (argc < 2)
        status =
            command_usage("usage: fundament pki create | issue | officer | revoke; see fundament pki --help");
    else if (!run(&options, argv[1], argc > 2 ? argv[2] : NULL, &error))
        status = admin_fail(error);
    options_clear(&options);
    return status;
}
