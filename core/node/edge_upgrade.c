#include "core/node/edge_upgrade.h"

#include <errno.h>
#include <signal.h>
#include <sys/types.h>

#include "core/base/error.h"

#define WAIT_MS 30000
#define STEP_MS 20

static pid_t read_pid(const char *path)
{
    g_autofree char *text = NULL;
    gint64 pid = g_file_get_contents(path, &text, NULL, NULL) ? g_ascii_strtoll(text, NULL, 10) : 0;
    return pid > 1 && kill((pid_t)pid, 0) == 0 ? (pid_t)pid : 0;
}

/* A master without workers serves nobody yet. */
static gboolean has_workers(pid_t pid)
{
    g_autofree char *path = g_strdup_printf("/proc/%d/task/%d/children", (int)pid, (int)pid);
    g_autofree char *children = NULL;
    return g_file_get_contents(path, &children, NULL, NULL) && *children != '\0';
}

static gboolean fail(GError **error, const char *what)
{
    g_set_error(error, FUNDAMENT_ERROR, FUNDAMENT_ERROR_UNAVAILABLE, "the edge was not replaced: %s", what);
    return FALSE;
}

/* nginx gives the old one's file another name, and gives it back when the new one fails. */
static pid_t wait_for_new(const char *pid_file, pid_t old)
{
    for (int waited = 0; waited < WAIT_MS; waited += STEP_MS) {
        pid_t found = read_pid(pid_file);
        if (found != 0 && found != old && has_workers(found))
            return found;
        g_usleep(STEP_MS * 1000);
    }
    return 0;
}

gboolean edge_upgrade(const char *pid_file, GError **error)
{
    pid_t old = read_pid(pid_file);
    if (old == 0)
        return fail(error, "none is running here");
    if (kill(old, SIGUSR2) != 0)
        return fail(error, g_strerror(errno));
    if (wait_for_new(pid_file, old) == 0)
        return fail(error, "the new one did not start within 30 s, and the old one goes on; its log says why "
                           "(only an edge that was started with --daemon can be replaced)");
    if (kill(old, SIGQUIT) != 0 && errno != ESRCH)
        return fail(error, g_strerror(errno));
    return TRUE;
}
