/* `fundament fsc init`: a node.conf and a folder of keys from a few answers. Nothing that is there is written
 * over. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "components/fsc/cli_commands.h"
#include "components/fsc/cli_setup.h"
#include "core/base/clock.h"
#include "core/base/error.h"
#include "core/crypto/pki.h"
#include "core/crypto/request.h"
#include "core/format/json.h"

#define DAY_S 86400
#define TEST_DAYS 30

static const Role roles[] = {ROLE_MANAGER, ROLE_INWAY, ROLE_OUTWAY, ROLE_CONTRACT, ROLE_TOKEN};

typedef struct {
    const Setup *setup;
    const char *folder;
    const char *pki; /* a test anchor's folder, or NULL */
} Plan;

/* --- questions --- */

typedef struct {
    const char *option, *question;
    const char **value;
    gboolean needed;
} Question;

/* What was not said is asked, when there is somebody to ask. */
static void ask(const Question *question, GPtrArray *answers)
{
    char line[512];
    if (*question->value != NULL || !question->needed || !isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO))
        return;
    printf("%s: ", question->question);
    fflush(stdout);
    if (fgets(line, sizeof line, stdin) == NULL || *g_strstrip(line) == '\0')
        return;
    char *answer = g_strdup(line);
    g_ptr_array_add(answers, answer);
    *question->value = answer;
}

static void ask_all(Setup *setup, GPtrArray *answers)
{
    const Question questions[] = {
        {"--oin", "OIN of the organisation (20 digits)", &setup->oin, TRUE},
        {"--organization", "Name of the organisation", &setup->organization, TRUE},
        {"--group", "Id of the FSC group", &setup->group, TRUE},
        {"--domain", "Domain under which others find this node (fsc.waterstad.example)", &setup->domain,
         TRUE},
        {"--address", "IP address at which the edge listens", &setup->address, TRUE},
        {"--directory", "Peer ID of the Directory (empty: this node is it)", &setup->directory, TRUE},
        {"--directory-address", "Address of its Manager (https://host:8443)", &setup->directory_address,
         FALSE},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(questions); i++) {
        Question question = questions[i];
        if (question.value == &setup->directory_address)
            question.needed = setup->directory != NULL;
        ask(&question, answers);
    }
}

/* --- files --- */

static char *path_in(const Plan *plan, const char *name)
{
    return g_build_filename(plan->folder, name, NULL);
}

static gboolean io_error(GError **error, const char *path)
{
    g_set_error(error, FUNDAMENT_ERROR, errno == EEXIST ? FUNDAMENT_ERROR_CONFLICT : FUNDAMENT_ERROR_IO,
                "%s: %s%s", path, g_strerror(errno), errno == EEXIST ? "; nothing is written over" : "");
    return FALSE;
}

/* Exclusive: of what is there nothing changes. */
static gboolean write_new(const char *path, const char *text, int mode, GError **error)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
    gsize length = strlen(text);
    if (fd < 0)
        return io_error(error, path);
    gboolean ok = write(fd, text, length) == (ssize_t)length && fsync(fd) == 0;
    if (!ok)
        io_error(error, path);
    close(fd);
    return ok;
}

static gboolean is_free(const Plan *plan, const char *name, GError **error)
{
    g_autofree char *path = path_in(plan, name);
    if (!g_file_test(path, G_FILE_TEST_EXISTS))
        return TRUE;
    errno = EEXIST;
    return io_error(error, path);
}

static gboolean all_is_free(const Plan *plan, GError **error)
{
    if (!is_free(plan, "node.conf", error))
        return FALSE;
    for (gsize i = 0; i < G_N_ELEMENTS(roles); i++) {
        g_autofree char *key = g_strdup_printf("keys/%s.key", role_name(roles[i]));
        g_autofree char *certificate = g_strdup_printf("keys/%s.crt", role_name(roles[i]));
        if (!is_free(plan, key, error) || !is_free(plan, certificate, error))
            return FALSE;
    }
    return TRUE;
}

static gboolean make_folders(const Plan *plan, GError **error)
{
    static const char *const names[] = {"keys", "data", "run"};
    for (gsize i = 0; i < G_N_ELEMENTS(names); i++) {
        g_autofree char *path = path_in(plan, names[i]);
        if (g_mkdir_with_parents(path, 0700) != 0)
            return io_error(error, path);
    }
    return TRUE;
}

/* --- keys --- */

static gboolean request_role(const Plan *plan, Role role, GError **error)
{
    g_autofree char *domain = g_strdup_printf("%s.%s", role_name(role), plan->setup->domain);
    const char *const domains[] = {domain, NULL};
    g_autofree char *key_path = g_strdup_printf("%s/keys/%s.key", plan->folder, role_name(role));
    g_autofree char *request_path = g_strdup_printf("%s/keys/%s.csr", plan->folder, role_name(role));
    g_autoptr(Key) key = key_generate_p256();
    CertificateRequest wanted = {plan->setup->oin, plan->setup->organization, domain, domains};
    g_autofree char *text = certificate_request_make(&wanted, key, error);
    return text != NULL && key_save(key, key_path, error) && write_new(request_path, text, 0644, error);
}

static gboolean issue_role(const Plan *plan, Role role, GError **error)
{
    g_autofree char *domain = g_strdup_printf("%s.%s", role_name(role), plan->setup->domain);
    g_autofree char *keys = path_in(plan, "keys");
    const char *const domains[] = {domain, NULL};
    gint64 now_s = clock_now_s(clock_system());
    PkiLeaf leaf = {.oin = plan->setup->oin,
                    .organization = plan->setup->organization,
                    .common_name = domain,
                    .domains = domains,
                    .not_before = now_s - 60,
                    .not_after = now_s + (gint64)TEST_DAYS * DAY_S};
    return pki_issue(plan->pki, &leaf, keys, role_name(role), error);
}

static gboolean copy_anchor(const Plan *plan, const char *name, GError **error)
{
    g_autofree char *from = g_build_filename(plan->pki, name, NULL);
    g_autofree char *to = g_build_filename(plan->folder, "keys", name, NULL);
    g_autofree char *text = NULL;
    g_autoptr(GError) why = NULL;
    if (!g_file_get_contents(from, &text, NULL, &why)) {
        g_set_error_literal(error, FUNDAMENT_ERROR, FUNDAMENT_ERROR_IO, why->message);
        return FALSE;
    }
    return g_file_test(to, G_FILE_TEST_EXISTS) || write_new(to, text, 0644, error);
}

static gboolean make_keys(const Plan *plan, GError **error)
{
    for (gsize i = 0; i < G_N_ELEMENTS(roles); i++)
        if (!(plan->pki != NULL ? issue_role : request_role)(plan, roles[i], error))
            return FALSE;
    return plan->pki == NULL ||
           (copy_anchor(plan, "anchor.crt", error) && copy_anchor(plan, "crl.pem", error));
}

static gboolean carry_out(const Plan *plan, GError **error)
{
    g_autofree char *conf = path_in(plan, "node.conf");
    g_autofree char *text = setup_configuration(plan->setup);
    return all_is_free(plan, error) && make_folders(plan, error) && make_keys(plan, error) &&
           write_new(conf, text, 0640, error);
}

/* --- the end --- */

static void print_next(const Plan *plan)
{
    guint step = 1;
    printf("made %s/node.conf and %s/keys\n\nnext:\n", plan->folder, plan->folder);
    if (plan->pki == NULL) {
        printf("%u. have the five requests keys/*.csr signed by the group's certificate\n"
               "   authority, and put each certificate beside it as .crt, issuers behind it\n",
               step++);
        printf("%u. put the group's trust anchors in keys/anchor.crt, and its revocation\n"
               "   lists in keys/crl.pem (then set [node] crl)\n",
               step++);
    }
    printf("%u. fundament config check %s/node.conf\n", step++, plan->folder);
    printf("%u. start the node and its edge: fundament serve, fundament edge\n", step++);
    printf("%u. fundament fsc doctor\n", step);
}

static Setup setup_of(const Arguments *arguments)
{
    return (Setup){.oin = arguments_value(arguments, "--oin"),
                   .organization = arguments_value(arguments, "--organization"),
                   .group = arguments_value(arguments, "--group"),
                   .domain = arguments_value(arguments, "--domain"),
                   .address = arguments_value(arguments, "--address"),
                   .directory = arguments_value(arguments, "--directory"),
                   .directory_address = arguments_value(arguments, "--directory-address"),
                   .services = arguments_values(arguments, "--service"),
                   .clients = arguments_values(arguments, "--client"),
                   .test = arguments_flag(arguments, "--test"),
                   .has_crl = arguments_value(arguments, "--pki") != NULL};
}

int cli_init(const Arguments *arguments)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GPtrArray) answers = g_ptr_array_new_with_free_func(g_free);
    Setup setup = setup_of(arguments);
    const char *folder = arguments_word(arguments, 0);
    Plan plan = {&setup, folder != NULL ? folder : ".", arguments_value(arguments, "--pki")};
    if (!is_free(&plan, "node.conf", &error))
        return cli_fail(error);
    ask_all(&setup, answers);
    if (!setup_check(&setup, &error) || !carry_out(&plan, &error))
        return cli_fail(error);
    if (arguments_flag(arguments, "--json")) {
        g_autofree char *conf = path_in(&plan, "node.conf");
        g_autoptr(json_t) answer = json_pack("{s:s}", "node_conf", conf);
        return cli_print_json(answer);
    }
    print_next(&plan);
    return 0;
}
