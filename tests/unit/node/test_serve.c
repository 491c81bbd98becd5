/* The program itself, as systemd and an administrator see it: FUNDAMENT_PROGRAM is its path. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/format/json.h"
#include "core/net/client.h"
#include "core/node/admin.h"
#include "core/crypto/pki.h"
#include "tests/unit/node/worker.h"

#define PATIENCE_MS 20000

typedef struct {
    char *folder;
    char *config;
    char *log; /* what serve writes on stderr */
    pid_t pid; /* 0: not running */
} Serve;

/* --- processes --- */

static const char *program(void)
{
    const char *path = g_getenv("FUNDAMENT_PROGRAM");
    if (path == NULL)
        skip();
    return path;
}

/* Runs it to its end. The exit status; what it wrote in `out` and `err`. Caller frees. */
static int run(const Serve *serve, char **out, char **err, ...) G_GNUC_NULL_TERMINATED;

static int run(const Serve *serve, char **out, char **err, ...)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GPtrArray) words = g_ptr_array_new();
    int status = 0;
    va_list arguments;
    va_start(arguments, err);
    g_ptr_array_add(words, (gpointer)program());
    for (char *word; (word = va_arg(arguments, char *)) != NULL;)
        g_ptr_array_add(words, word);
    va_end(arguments);
    g_ptr_array_add(words, NULL);
    g_spawn_sync(serve->folder, (char **)words->pdata, NULL, G_SPAWN_DEFAULT, NULL, NULL, out, err, &status,
                 &error);
    no_error(error);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static char *log_of(const Serve *serve)
{
    char *text = NULL;
    g_file_get_contents(serve->log, &text, NULL, NULL);
    return text == NULL ? g_strdup("") : text;
}

static gboolean log_holds(const Serve *serve, const char *words)
{
    g_autofree char *text = log_of(serve);
    return strstr(text, words) != NULL;
}

static void wait_for_log(const Serve *serve, const char *words)
{
    for (int i = 0; i < PATIENCE_MS && !log_holds(serve, words); i++)
        g_usleep(1000);
    if (!log_holds(serve, words)) {
        g_autofree char *text = log_of(serve);
        fail_msg("\"%s\" never came: %s", words, text);
    }
}

static void start_without_waiting(Serve *serve)
{
    const char *path = program();
    unlink(serve->log);
    serve->pid = fork();
    if (serve->pid == 0) {
        int fd = open(serve->log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
        dup2(fd, STDERR_FILENO);
        execl(path, path, "serve", "--config", serve->config, NULL);
        _exit(127);
    }
}

static void start(Serve *serve)
{
    start_without_waiting(serve);
    wait_for_log(serve, "ready");
}

/* The exit status, or minus the signal. */
static int finish(Serve *serve)
{
    int status = 0;
    assert_int_equal(waitpid(serve->pid, &status, 0), serve->pid);
    serve->pid = 0;
    return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

static int stop(Serve *serve, int signal_number)
{
    kill(serve->pid, signal_number);
    return finish(serve);
}

static void configure(const Serve *serve, const char *more)
{
    g_autofree char *text =
        g_strdup_printf("[node]\ngroup = test\nanchors = pki/anchor.crt\ncrl = pki/crl.pem\n"
                        "components =\n%s",
                        more);
    assert_true(g_file_set_contents(serve->config, text, -1, NULL));
}

static int setup(void **state)
{
    Serve *serve = g_new0(Serve, 1);
    serve->folder = test_folder_new();
    serve->config = g_build_filename(serve->folder, "node.conf", NULL);
    serve->log = g_build_filename(serve->folder, "log", NULL);
    support_issue_days(serve->folder, "manager", SUPPORT_OIN, 90);
    support_issue_days(serve->folder, "token", SUPPORT_OIN, 90);
    configure(serve, "");
    *state = serve;
    return 0;
}

static int teardown(void **state)
{
    Serve *serve = *state;
    if (serve->pid > 0)
        stop(serve, SIGKILL);
    g_free(serve->folder);
    g_free(serve->config);
    g_free(serve->log);
    g_free(serve);
    return 0;
}

static char *socket_path(const Serve *serve, const char *name)
{
    return g_build_filename(serve->folder, "run", name, NULL);
}

/* The text at a path of the admin socket. */
static char *get(const Serve *serve, const char *path, guint expected_status, const char *expected_type)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *socket = socket_path(serve, "admin.sock");
    g_autofree char *url = g_strconcat("http://node", path, NULL);
    g_autoptr(HttpClient) client = http_client_new();
    HttpCall call = {.url = url, .unix_socket = socket};
    g_autoptr(HttpReply) reply = http_client_call(client, &call, &error);
    no_error(error);
    assert_int_equal(reply->status, expected_status);
    assert_string_equal(reply->content_type, expected_type);
    return g_strndup(g_bytes_get_data(reply->body, NULL), g_bytes_get_size(reply->body));
}

/* --- tests --- */

static void serves_health_and_metrics_and_stops_on_sigterm(void **state)
{
    Serve *serve = *state;
    start(serve);
    g_autofree char *health = get(serve, "/health", 200, "application/health+json");
    g_autoptr(json_t) object = json_parse_strict(health, -1, NULL, NULL);
    assert_string_equal(json_string_at(object, "status"), "pass");
    assert_string_equal(json_string_at(object, "version"), FUNDAMENT_VERSION);
    g_autofree char *metrics = get(serve, "/metrics", 200, "text/plain; version=0.0.4; charset=utf-8");
    assert_non_null(strstr(metrics, "\nfundament_frames_workers 0\n"));
    assert_non_null(strstr(metrics, "\nfundament_certificate_not_after_seconds{role=\"manager\"} "));
    assert_non_null(
        strstr(metrics, "\nfundament_http_requests_total{listener=\"admin\",method=\"GET\",route=\"/health\","
                        "status=\"200\"} 1\n"));
    assert_non_null(strstr(metrics, "route=\"/health\",le=\"+Inf\"} 1\n"));
    assert_int_equal(stop(serve, SIGTERM), 0);
    wait_for_log(serve, "stopping");
    g_autofree char *socket = socket_path(serve, "admin.sock");
    assert_false(g_file_test(socket, G_FILE_TEST_EXISTS));
}

static void stops_on_sigint_and_starts_again_after_a_kill(void **state)
{
    Serve *serve = *state;
    start(serve);
    assert_int_equal(stop(serve, SIGKILL), -SIGKILL);
    start(serve);
    g_free(get(serve, "/health", 200, "application/health+json"));
    assert_int_equal(stop(serve, SIGINT), 0);
}

static void only_its_own_user_may_open_folders_and_sockets(void **state)
{
    static const struct {
        const char *path;
        mode_t mode;
    } table[] = {{"run", 0700}, {"data", 0700}, {"run/admin.sock", 0600}, {"run/frames.sock", 0600}};
    Serve *serve = *state;
    start(serve);
    for (gsize i = 0; i < G_N_ELEMENTS(table); i++) {
        g_autofree char *path = g_build_filename(serve->folder, table[i].path, NULL);
        struct stat status;
        assert_int_equal(stat(path, &status), 0);
        assert_int_equal(status.st_mode & 0777, table[i].mode);
    }
    assert_int_equal(stop(serve, SIGTERM), 0);
}

static void a_second_one_in_the_same_folder_does_not_start(void **state)
{
    Serve *serve = *state;
    start(serve);
    Serve second = *serve;
    second.log = g_build_filename(serve->folder, "log2", NULL);
    start_without_waiting(&second);
    assert_int_equal(finish(&second), 1);
    assert_true(log_holds(&second, "another node serves from this folder"));
    g_free(second.log);
    g_free(get(serve, "/health", 200, "application/health+json"));
    assert_int_equal(stop(serve, SIGTERM), 0);
}

static void says_every_fault_of_its_configuration_and_does_not_start(void **state)
{
    Serve *serve = *state;
    g_autofree char *out = NULL;
    g_autofree char *err = NULL;
    configure(serve, "grup = x\n[nod]\n");
    assert_int_equal(run(serve, &out, &err, "serve", "--config", "node.conf", NULL), 1);
    assert_string_equal(err, "node.conf:6: unknown key \"grup\" in [node]; did you mean \"group\"?\n"
                             "node.conf:7: unknown section [nod]; did you mean [node]?\n");
}

static void does_not_start_without_its_own_keys(void **state)
{
    Serve *serve = *state;
    g_autofree char *key = g_build_filename(serve->folder, "keys", "manager.key", NULL);
    g_autofree char *certificate = g_build_filename(serve->folder, "keys", "manager.crt", NULL);
    unlink(key);
    start_without_waiting(serve);
    assert_int_equal(finish(serve), 1);
    assert_true(log_holds(serve, "level=error component=node msg=\"cannot start: "));
    unlink(certificate);
    start_without_waiting(serve);
    assert_int_equal(finish(serve), 1);
    assert_true(log_holds(serve, "there are no manager.key and manager.crt, which say whose node this is"));
}

static void does_not_start_with_certificates_of_two_organisations(void **state)
{
    Serve *serve = *state;
    support_issue_now(serve->folder, "contract", "00000001000000000009");
    start_without_waiting(serve);
    assert_int_equal(finish(serve), 1);
    assert_true(log_holds(
        serve, "contract.crt is for OIN 00000001000000000009, but this node's other certificates are for "
               "00000001000000000002"));
}

static void does_not_start_with_a_key_that_does_not_fit(void **state)
{
    Serve *serve = *state;
    g_autofree char *text = NULL;
    g_autofree char *from = g_build_filename(serve->folder, "keys", "token.crt", NULL);
    g_autofree char *to = g_build_filename(serve->folder, "keys", "manager.crt", NULL);
    assert_true(g_file_get_contents(from, &text, NULL, NULL));
    assert_true(g_file_set_contents(to, text, -1, NULL));
    start_without_waiting(serve);
    assert_int_equal(finish(serve), 1);
    assert_true(log_holds(serve, "does not belong to"));
}

static void reads_keys_and_anchors_again_on_sighup(void **state)
{
    Serve *serve = *state;
    start(serve);
    g_autofree char *before = get(serve, "/metrics", 200, "text/plain; version=0.0.4; charset=utf-8");
    support_issue_days(serve->folder, "token", SUPPORT_OIN, 9);
    kill(serve->pid, SIGHUP);
    wait_for_log(serve, "component=keys msg=\"read again\"");
    wait_for_log(serve, "component=anchors msg=\"read again\"");
    g_autofree char *after = get(serve, "/metrics", 200, "text/plain; version=0.0.4; charset=utf-8");
    const char *line_before = strstr(before, "fundament_certificate_not_after_seconds{role=\"token\"}");
    const char *line_after = strstr(after, "fundament_certificate_not_after_seconds{role=\"token\"}");
    assert_true(strncmp(line_before, line_after, strcspn(line_before, "\n")) != 0);
    assert_int_equal(stop(serve, SIGTERM), 0);
}

static void keeps_the_old_keys_when_the_new_ones_are_not_right(void **state)
{
    Serve *serve = *state;
    start(serve);
    support_issue_now(serve->folder, "manager", "00000001000000000009");
    support_issue_now(serve->folder, "token", "00000001000000000009");
    kill(serve->pid, SIGHUP);
    wait_for_log(serve,
                 "not read again, the old ones stay: the new ones are not for OIN 00000001000000000002");
    g_free(get(serve, "/health", 200, "application/health+json"));
    assert_int_equal(stop(serve, SIGTERM), 0);
}

static void revoke_token_certificate(const Serve *serve, char **serial)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *pki = g_build_filename(serve->folder, "pki", NULL);
    g_autofree char *path = g_build_filename(serve->folder, "keys", "token.crt", NULL);
    g_autoptr(Certificate) certificate = certificate_load(path, &error);
    no_error(error);
    pki_revoke(pki, certificate, clock_now_s(clock_system()), 3600, &error);
    no_error(error);
    *serial = g_strdup(certificate_serial(certificate));
}

/* decisions.md 5: a new CRL reaches the workers by frames, within seconds and without a reload. */
static void a_new_list_of_revoked_certificates_reaches_workers_by_itself(void **state)
{
    Serve *serve = *state;
    g_autofree char *serial = NULL;
    g_autofree char *socket = socket_path(serve, "frames.sock");
    start(serve);
    Worker *worker = worker_connect(socket);
    worker_hello(worker);
    worker_expect(worker, FRAME_REVOKED, 0, FRAME_STATUS_OK);
    assert_int_equal(worker->header.length, 12); /* no serial follows */
    revoke_token_certificate(serve, &serial);
    worker_expect(worker, FRAME_REVOKED, 0, FRAME_STATUS_OK);
    size_t position = 0;
    assert_int_equal(field_number(worker, &position), 0);
    g_autofree char *revoked = field_text(worker, &position);
    assert_string_equal(revoked + strspn(revoked, "0"), serial);
    worker_expect(worker, FRAME_FLUSH, 0, FRAME_STATUS_OK);
    worker_send(worker, FRAME_VERIFY, 3, "x", 1); /* no component is on */
    worker_expect(worker, FRAME_VERIFY, 3, FRAME_STATUS_BAD_FRAME);
    assert_int_equal(stop(serve, SIGTERM), 0);
    assert_false(worker_receive(worker));
    worker_free(worker);
}

static void tells_systemd_when_it_is_ready_and_when_it_stops(void **state)
{
    Serve *serve = *state;
    g_autofree char *path = g_build_filename(serve->folder, "notify", NULL);
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    struct timeval timeout = {.tv_sec = PATIENCE_MS / 1000};
    char message[64] = "";
    g_strlcpy(address.sun_path, path, sizeof address.sun_path);
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(fd, (const struct sockaddr *)&address, sizeof address), 0);
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof timeout);
    g_setenv("NOTIFY_SOCKET", path, TRUE);
    start_without_waiting(serve);
    assert_int_equal(recv(fd, message, sizeof message, 0), strlen("READY=1"));
    assert_memory_equal(message, "READY=1", strlen("READY=1"));
    kill(serve->pid, SIGTERM);
    assert_int_equal(recv(fd, message, sizeof message, 0), strlen("STOPPING=1"));
    assert_memory_equal(message, "STOPPING=1", strlen("STOPPING=1"));
    g_unsetenv("NOTIFY_SOCKET");
    assert_int_equal(finish(serve), 0);
    close(fd);
}

static void the_command_line_calls_the_running_node(void **state)
{
    Serve *serve = *state;
    g_autoptr(GError) error = NULL;
    g_autofree char *out = NULL;
    g_autofree char *err = NULL;
    assert_null(admin_call(serve->config, "GET", "/health", NULL, &error));
    assert_non_null(strstr(error->message, "the node is not running ("));
    expect_error(&error, FUNDAMENT_ERROR_UNAVAILABLE);
    start(serve);
    g_autoptr(json_t) health = admin_call(serve->config, "GET", "/health", NULL, &error);
    no_error(error);
    assert_string_equal(json_string_at(health, "status"), "pass");
    assert_null(admin_call(serve->config, "POST", "/node/v1/outbox/7/retry", NULL, &error));
    assert_string_equal(error->message, "the outbox holds no message 7");
    expect_error(&error, FUNDAMENT_ERROR_NOT_FOUND);
    assert_null(admin_call(serve->config, "POST", "/node/v1/outbox/x/retry", NULL, &error));
    expect_error(&error, FUNDAMENT_ERROR_INVALID);
    assert_null(admin_call(serve->config, "GET", "/nowhere", NULL, &error));
    expect_error(&error, FUNDAMENT_ERROR_NOT_FOUND);
    assert_int_equal(run(serve, &out, &err, "outbox", "list", NULL), 0);
    assert_string_equal(out, "the outbox is empty\n");
    assert_int_equal(stop(serve, SIGTERM), 0);
}

static void every_retry_is_in_the_audit_log(void **state)
{
    Serve *serve = *state;
    g_autoptr(GError) error = NULL;
    start(serve);
    assert_null(admin_call(serve->config, "POST", "/node/v1/outbox/7/retry", NULL, &error));
    assert_int_equal(stop(serve, SIGTERM), 0);
    g_autofree char *url = g_strdup_printf("sqlite:%s/data/node.db", serve->folder);
    g_autoptr(Store) store = store_open(url, NULL);
    assert_int_equal(
        support_number(store,
                       "SELECT COUNT(*) FROM node_audit WHERE action = 'node.outbox.retry' AND object = '7'"
                       " AND outcome = 'begun' AND length(trace_id) = 32"),
        1);
}

static void wrong_usage_is_exit_status_2_and_one_line(void **state)
{
    static const struct {
        const char *first, *second, *message;
    } table[] = {
        {NULL, NULL, "fundament: say what to do; see fundament --help\n"},
        {"sevre", NULL, "fundament: unknown command \"sevre\"; did you mean \"serve\"?\n"},
        {"completely", NULL, "fundament: unknown command \"completely\"; see fundament --help\n"},
        {"serve", "node.conf", "fundament: serve takes no \"node.conf\"; the file goes behind --config\n"},
        {"serve", "--confg", "fundament: Unknown option --confg; see fundament serve --help\n"},
        {"config", "chek", "fundament: usage: fundament config check [FILE] | keys\n"},
        {"outbox", NULL, "fundament: usage: fundament outbox list | retry ID\n"},
        {"pki", NULL,
         "fundament: usage: fundament pki create | issue | officer | revoke; see fundament pki --help\n"},
        {"pki", "create", "fundament: --folder is missing; see fundament pki --help\n"},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(table); i++) {
        g_autofree char *out = NULL;
        g_autofree char *err = NULL;
        assert_int_equal(run(*state, &out, &err, table[i].first, table[i].second, NULL), 2);
        assert_string_equal(err, table[i].message);
        assert_string_equal(out, "");
    }
}

static void help_and_version_go_to_standard_output(void **state)
{
    static const char *const words[] = {"--help", "help", "--version", "version", "config", "serve"};
    for (gsize i = 0; i < G_N_ELEMENTS(words); i++) {
        g_autofree char *out = NULL;
        g_autofree char *err = NULL;
        assert_int_equal(run(*state, &out, &err, words[i], i >= 4 ? "--help" : NULL, NULL), 0);
        assert_string_equal(err, "");
        assert_true(strlen(out) > 10);
    }
}

static void lists_every_key_with_its_meaning(void **state)
{
    g_autofree char *out = NULL;
    g_autofree char *err = NULL;
    assert_int_equal(run(*state, &out, &err, "config", "keys", NULL), 0);
    gsize count = 0;
    const ConfigKey *keys = node_config_keys(&count);
    for (gsize i = 0; i < count; i++) {
        g_autofree char *name = g_strdup_printf("[%s] %s", keys[i].section, keys[i].key);
        g_autofree char *line = g_strdup_printf("%-26s %s (", name, keys[i].help);
        assert_non_null(strstr(out, line));
    }
}

static void checks_a_configuration(void **state)
{
    Serve *serve = *state;
    g_autofree char *out = NULL;
    g_autofree char *err = NULL;
    assert_int_equal(run(serve, &out, &err, "config", "check", "node.conf", NULL), 0);
    assert_string_equal(out, "node.conf: no faults\n");
    g_free(g_steal_pointer(&err));
    g_free(g_steal_pointer(&out));
    configure(serve, "mode = tset\n");
    assert_int_equal(run(serve, &out, &err, "config", "check", NULL), 1);
    assert_string_equal(err,
                        "node.conf:6: mode: \"tset\" is none of: production, test; did you mean \"test\"?\n");
}

static void makes_issues_and_revokes_test_certificates(void **state)
{
    Serve *serve = *state;
    assert_int_equal(run(serve, NULL, NULL, "pki", "create", "--folder", "mine", NULL), 0);
    assert_int_equal(run(serve, NULL, NULL, "pki", "create", "--folder", "mine", NULL), 1);
    assert_int_equal(run(serve, NULL, NULL, "pki", "issue", "--folder", "mine", "--name", "a", "--oin", "1",
                         "--organization", "A", NULL),
                     2);
    assert_int_equal(run(serve, NULL, NULL, "pki", "issue", "--folder", "mine", "--name", "a", "--oin",
                         SUPPORT_OIN, "--organization", "A", "--domain", "a.test", "--domain", "b.test",
                         NULL),
                     0);
    assert_int_equal(run(serve, NULL, NULL, "pki", "revoke", "--folder", "mine", "mine/a.crt", NULL), 0);
    g_autofree char *crl = g_build_filename(serve->folder, "mine", "crl.pem", NULL);
    g_autofree char *certificate_path = g_build_filename(serve->folder, "mine", "a.crt", NULL);
    g_autoptr(GError) error = NULL;
    g_autoptr(Certificate) certificate = certificate_load(certificate_path, &error);
    no_error(error);
    assert_true(certificate_matches_domain(certificate, "b.test"));
    g_autoptr(GPtrArray) serials = node_revoked_serials(crl);
    assert_int_equal(serials->len, 2);
    const char *serial = serials->pdata[0]; /* nginx writes whole bytes: a leading zero may stand before it */
    assert_string_equal(serial + strspn(serial, "0"), certificate_serial(certificate));
    assert_int_equal(strlen(serial) % 2, 0);
}

#define test(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        test(serves_health_and_metrics_and_stops_on_sigterm),
        test(stops_on_sigint_and_starts_again_after_a_kill),
        test(only_its_own_user_may_open_folders_and_sockets),
        test(a_second_one_in_the_same_folder_does_not_start),
        test(says_every_fault_of_its_configuration_and_does_not_start),
        test(does_not_start_without_its_own_keys),
        test(does_not_start_with_certificates_of_two_organisations),
        test(does_not_start_with_a_key_that_does_not_fit),
        test(reads_keys_and_anchors_again_on_sighup),
        test(keeps_the_old_keys_when_the_new_ones_are_not_right),
        test(a_new_list_of_revoked_certificates_reaches_workers_by_itself),
        test(tells_systemd_when_it_is_ready_and_when_it_stops),
        test(the_command_line_calls_the_running_node),
        test(every_retry_is_in_the_audit_log),
        test(wrong_usage_is_exit_status_2_and_one_line),
        test(help_and_version_go_to_standard_output),
        test(lists_every_key_with_its_meaning),
        test(checks_a_configuration),
        test(makes_issues_and_revokes_test_certificates),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
