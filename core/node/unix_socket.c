#include "core/node/unix_socket.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "core/base/error.h"

#define BACKLOG 64

static gboolean address_of(const char *path, struct sockaddr_un *address, GError **error)
{
    memset(address, 0, sizeof *address);
    address->sun_family = AF_UNIX;
    if (g_strlcpy(address->sun_path, path, sizeof address->sun_path) < sizeof address->sun_path)
        return TRUE;
    g_set_error(error, FUNDAMENT_ERROR, FUNDAMENT_ERROR_INVALID,
                "the path of the socket %s is longer than %zu bytes; choose a shorter [node] run", path,
                sizeof address->sun_path - 1);
    return FALSE;
}

int unix_socket_connect(const char *path, GError **error)
{
    struct sockaddr_un address;
    if (!address_of(path, &address, error))
        return -1;
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd >= 0 && connect(fd, (const struct sockaddr *)&address, sizeof address) == 0)
        return fd;
    g_set_error(error, FUNDAMENT_ERROR, FUNDAMENT_ERROR_UNAVAILABLE, "cannot connect to %s: %s", path,
                g_strerror(errno));
    if (fd >= 0)
        close(fd);
    return -1;
}

/* Removes what a process that has ended left behind. */
static gboolean clear_path(const char *path, GError **error)
{
    struct stat status;
    if (lstat(path, &status) != 0)
        return TRUE;
    int fd = unix_socket_connect(path, NULL);
    if (fd >= 0) {
        close(fd);
        g_set_error(
            error, FUNDAMENT_ERROR, FUNDAMENT_ERROR_CONFLICT,
            "%s is in use: another node serves from this folder; stop it or choose another [node] run", path);
        return FALSE;
    }
    if (S_ISSOCK(status.st_mode) && unlink(path) == 0)
        return TRUE;
    g_set_error(error, FUNDAMENT_ERROR, FUNDAMENT_ERROR_IO, "%s is in the way and is not a socket; remove it",
                path);
    return FALSE;
}

int unix_socket_listen(const char *path, GError **error)
{
    struct sockaddr_un address;
    if (!address_of(path, &address, error) || !clear_path(path, error))
        return -1;
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    /* unix(7): the file that bind() makes takes its mode from the socket, so it is never open to others, not
     * even for a moment. */
    if (fd >= 0 && fchmod(fd, 0600) == 0 &&
        bind(fd, (const struct sockaddr *)&address, sizeof address) == 0 && listen(fd, BACKLOG) == 0)
        return fd;
    g_set_error(error, FUNDAMENT_ERROR, FUNDAMENT_ERROR_IO, "cannot listen on %s: %s", path,
                g_strerror(errno));
    if (fd >= 0)
        close(fd);
    return -1;
}
