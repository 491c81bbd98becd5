#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "core/base/error.h"
#include "core/net/http_private.h"

#define BACKLOG 511

static const char *const names[LISTENER_COUNT] = {"manager", "service", "portal", "log", "admin", "office"};

const char *listener_name(ListenerKind kind)
{
    return names[kind];
}

static gboolean address_of(const char *path, struct sockaddr_un *address, GError **error)
{
    *address = (struct sockaddr_un){.sun_family = AF_UNIX};
    if (g_strlcpy(address->sun_path, path, sizeof address->sun_path) >= sizeof address->sun_path) {
        g_set_error(error, FUNDAMENT_ERROR, FUNDAMENT_ERROR_INVALID,
                    "%s: longer than the %zu characters a socket may have; choose a shorter [node] run", path,
                    sizeof address->sun_path - 1);
        return FALSE;
    }
    return TRUE;
}

/* A socket that a dead process left behind goes; one that answers, or a file of another kind, stays. */
static gboolean remove_stale(const char *path, const struct sockaddr_un *address, GError **error)
{
    struct stat status;
    if (lstat(path, &status) != 0)
        return TRUE;
    if (!S_ISSOCK(status.st_mode)) {
        g_set_error(error, FUNDAMENT_ERROR, FUNDAMENT_ERROR_CONFLICT,
                    "%s: there is a file that is no socket; move it away", path);
        return FALSE;
    }
    int probe = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    gboolean alive =
        probe >= 0 && connect(probe, (const struct sockaddr *)address, (socklen_t)sizeof *address) == 0;
    if (probe >= 0)
        close(probe);
    if (alive) {
        g_set_error(error, FUNDAMENT_ERROR, FUNDAMENT_ERROR_CONFLICT,
                    "%s: another process answers there; stop it or choose another [node] run", path);
        return FALSE;
    }
    unlink(path);
    return TRUE;
}

int listener_open(const char *path, GError **error)
{
    struct sockaddr_un address;
    if (!address_of(path, &address, error) || !remove_stale(path, &address, error))
        return -1;
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    /* Nobody can connect between bind() and chmod(): only listen() opens the door. */
    if (fd < 0 || bind(fd, (const struct sockaddr *)&address, (socklen_t)sizeof address) != 0 ||
        chmod(path, S_IRUSR | S_IWUSR) != 0 || listen(fd, BACKLOG) != 0) {
        g_set_error(error, FUNDAMENT_ERROR, FUNDAMENT_ERROR_IO, "%s: %s", path, g_strerror(errno));
        if (fd >= 0)
            close(fd);
        return -1;
    }
    return fd;
}
