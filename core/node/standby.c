#include "core/node/standby.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include "core/base/error.h"
#include "core/node/notify.h"

static int open_lock(const char *path, GError **error)
{
    int descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (descriptor < 0)
        g_set_error(error, FUNDAMENT_ERROR, FUNDAMENT_ERROR_IO, "cannot open %s: %s", path,
                    g_strerror(errno));
    return descriptor;
}

static gboolean wait_for(int descriptor, GError **error)
{
    g_message("node: another process serves; standing by");
    notify_systemd("READY=1\nSTATUS=standing by");
    while (flock(descriptor, LOCK_EX) != 0) {
        if (errno == EINTR)
            continue;
        g_set_error(error, FUNDAMENT_ERROR, FUNDAMENT_ERROR_IO, "cannot wait for serve.lock: %s",
                    g_strerror(errno));
        return FALSE;
    }
    g_message("node: the other process has gone; taking over");
    return TRUE;
}

int standby_take(const Config *config, GError **error)
{
    const char *folder = config_text(config, "node", "data");
    g_autofree char *path = g_build_filename(folder, "serve.lock", NULL);
    if (g_mkdir_with_parents(folder, 0700) != 0) {
        g_set_error(error, FUNDAMENT_ERROR, FUNDAMENT_ERROR_IO, "cannot make the folder %s: %s", folder,
                    g_strerror(errno));
        return -1;
    }
    int descriptor = open_lock(path, error);
    if (descriptor < 0 || flock(descriptor, LOCK_EX | LOCK_NB) == 0)
        return descriptor;
    if (!config_boolean(config, "node", "standby"))
        g_set_error(
            error, FUNDAMENT_ERROR, FUNDAMENT_ERROR_CONFLICT,
            "%s: another node serves from this folder; end it, or set [node] standby = yes to have this "
            "one take over when it ends",
            folder);
    else if (wait_for(descriptor, error))
        return descriptor;
    close(descriptor);
    return -1;
}
