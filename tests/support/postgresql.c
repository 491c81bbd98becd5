#include "tests/support/postgresql.h"

#include <glob.h>
#include <grp.h>
#include <libpq-fe.h>
#include <pwd.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/support/folder.h"

#define START_SECONDS 60

static struct {
    char *url;     /* of the server, with its database "postgres" or the one that was given */
    char *folder;  /* of a server of our own */
    char *program; /* "…/bin/postgres" */
    GPid pid;
    GPtrArray *databases; /* made in a server that is not our own */
    guint count;
} server;

/* PostgreSQL refuses to run as root; the user "postgres" comes with its package. Called between fork and
 * exec. And when the test crashes, the server goes with it (after setuid, which forgets this). */
static void become_postgres(gpointer user)
{
    const struct passwd *postgres = user;
    if (postgres != NULL &&
        (setgid(postgres->pw_gid) != 0 || setgroups(0, NULL) != 0 || setuid(postgres->pw_uid) != 0)) {
        _exit(126);
    }
    prctl(PR_SET_PDEATHSIG, SIGQUIT);
}

static const struct passwd *server_user(void)
{
    return geteuid() == 0 ? getpwnam("postgres") : NULL;
}

/* The newest installed version's program; NULL when there is none. Caller frees. */
static char *find_program(const char *name)
{
    g_autofree char *pattern = g_strdup_printf("/usr/lib/postgresql/*/bin/%s", name);
    glob_t found;
    char *path = NULL;
    if (glob(pattern, 0, NULL, &found) == 0) {
        path = g_strdup(found.gl_pathv[found.gl_pathc - 1]);
        globfree(&found);
    }
    return path != NULL ? path : g_find_program_in_path(name);
}

static void server_run(void)
{
    const char *arguments[] = {server.program,
                               "-D",
                               server.folder,
                               "-k",
                               server.folder,
                               "-h",
                               "",
                               "-F", /* no fsync: this data is worth nothing */
                               "-c",
                               "full_page_writes=off",
                               "-c",
                               "max_connections=60",
                               "-c",
                               "shared_buffers=16MB",
                               NULL};
    GError *error = NULL;
    GSpawnFlags flags = G_SPAWN_DO_NOT_REAP_CHILD | G_SPAWN_STDOUT_TO_DEV_NULL | G_SPAWN_STDERR_TO_DEV_NULL;
    if (!g_spawn_async(server.folder, (char **)arguments, NULL, flags, become_postgres,
                       (gpointer)server_user(), &server.pid, &error)) {
        g_error("cannot run %s: %s", server.program, error->message);
    }
    gint64 deadline = g_get_monotonic_time() + START_SECONDS * G_USEC_PER_SEC;
    while (PQping(server.url) != PQPING_OK) {
        g_assert_cmpint(waitpid(server.pid, NULL, WNOHANG), ==, 0);
        g_assert_cmpint(g_get_monotonic_time(), <, deadline);
        g_usleep(10000);
    }
}

/* SIGQUIT: at once, without a checkpoint, as a crash. */
static void server_stop(void)
{
    kill(server.pid, SIGQUIT);
    waitpid(server.pid, NULL, 0);
}

/* FALSE when PostgreSQL is not there. */
static gboolean server_make(void)
{
    g_autofree char *initdb = find_program("initdb");
    server.program = find_program("postgres");
    if (initdb == NULL || server.program == NULL || (geteuid() == 0 && server_user() == NULL)) {
        return FALSE;
    }
    server.folder = test_folder_new();
    if (server_user() != NULL) {
        g_assert_cmpint(chown(server.folder, server_user()->pw_uid, server_user()->pw_gid), ==, 0);
    }
    const char *arguments[] = {initdb,  "-D", server.folder, "-U",         "postgres",  "-A",
                               "trust", "-E", "UTF8",        "--locale=C", "--no-sync", NULL};
    GError *error = NULL;
    int status = 0;
    g_autofree char *output = NULL;
    if (!g_spawn_sync(server.folder, (char **)arguments, NULL, G_SPAWN_STDOUT_TO_DEV_NULL, become_postgres,
                      (gpointer)server_user(), NULL, &output, &status, &error) ||
        !g_spawn_check_wait_status(status, &error)) {
        g_error("initdb: %s: %s", error->message, output != NULL ? output : "");
    }
    server.url = g_strdup_printf("postgresql:///postgres?host=%s&user=postgres", server.folder);
    server_run();
    atexit(server_stop);
    return TRUE;
}

static void run(const char *command, const char *database)
{
    PGconn *connection = PQconnectdb(server.url);
    g_autofree char *sql = g_strdup_printf("%s %s", command, database);
    PGresult *result = PQexec(connection, sql);
    if (PQresultStatus(result) != PGRES_COMMAND_OK) {
        g_error("%s: %s", sql, PQerrorMessage(connection));
    }
    PQclear(result);
    PQfinish(connection);
}

static void drop_databases(void)
{
    for (guint i = 0; i < server.databases->len; i++) {
        g_autofree char *forced = g_strdup_printf("%s WITH (FORCE)", (char *)server.databases->pdata[i]);
        run("DROP DATABASE IF EXISTS", forced);
    }
    g_ptr_array_unref(server.databases);
}

char *test_postgresql_start(void)
{
    const char *given = g_getenv("FUNDAMENT_TEST_POSTGRESQL");
    if (server.url == NULL && given != NULL && *given != '\0') {
        server.url = g_strdup(given);
        server.databases = g_ptr_array_new_with_free_func(g_free);
        atexit(drop_databases);
    }
    if (server.url == NULL && !server_make()) {
        return NULL;
    }
    g_autofree char *name = g_strdup_printf("test_%d_%u", (int)getpid(), server.count++);
    run("CREATE DATABASE", name);
    char *url =
        g_strdup_printf("%s%cdbname=%s", server.url, strchr(server.url, '?') != NULL ? '&' : '?', name);
    if (server.databases != NULL) {
        g_ptr_array_add(server.databases, g_steal_pointer(&name));
    }
    return url;
}

gboolean test_postgresql_is_own(void)
{
    return server.folder != NULL;
}

void test_postgresql_restart(void)
{
    server_stop();
    server_run();
}
