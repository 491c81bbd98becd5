#include "core/crypto/file.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/base/bytes.h"
#include "core/base/error.h"

static gboolean io_error(GError **error, const char *what, const char *path)
{
    int saved = errno;
    g_set_error(error, FUNDAMENT_ERROR, saved == ENOENT ? FUNDAMENT_ERROR_NOT_FOUND : FUNDAMENT_ERROR_IO,
                "%s: cannot %s: %s", path, what, g_strerror(saved));
    return FALSE;
}

static gboolean check_status(int fd, const char *path, gsize max_bytes, gboolean private_file, gsize *size,
                             GError **error)
{
    struct stat status;
    if (fstat(fd, &status) != 0)
        return io_error(error, "look at", path);
    if (!S_ISREG(status.st_mode)) {
        g_set_error(error, FUNDAMENT_ERROR, FUNDAMENT_ERROR_IO, "%s: not a regular file", path);
        return FALSE;
    }
    if (private_file && (status.st_mode & 077) != 0) {
        g_set_error(error, FUNDAMENT_ERROR, FUNDAMENT_ERROR_DENIED,
                    "%s: mode %04o lets others at a secret; run: chmod 600 '%s'", path,
                    (guint)(status.st_mode & 07777), path);
        return FALSE;
    }
    if (status.st_size > (off_t)max_bytes) {
        g_set_error(error, FUNDAMENT_ERROR, FUNDAMENT_ERROR_LIMIT,
                    "%s: larger than %" G_GSIZE_FORMAT " bytes", path, max_bytes);
        return FALSE;
    }
    *size = (gsize)status.st_size;
    return TRUE;
}

/* Reads up to `size` bytes; -1 with errno set. */
static gssize read_up_to(int fd, char *data, gsize size)
{
    gsize done = 0;
    while (done < size) {
        gssize n = read(fd, data + done, size - done);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return -1;
        if (n == 0)
            break;
        done += (gsize)n;
    }
    return (gssize)done;
}

FileText *file_text_read(const char *path, gsize max_bytes, gboolean private_file, GError **error)
{
    int fd =
        open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK); /* O_NONBLOCK: a named pipe must not hang the start */
    if (fd < 0) {
        io_error(error, "open", path);
        return NULL;
    }
    gsize size;
    if (!check_status(fd, path, max_bytes, private_file, &size, error)) {
        close(fd);
        return NULL;
    }
    g_autoptr(FileText) text = g_new0(FileText, 1);
    text->data = g_malloc0(size + 1);
    gssize length = read_up_to(fd, text->data, size);
    if (length < 0)
        io_error(error, "read", path);
    close(fd);
    if (length < 0)
        return NULL;
    text->length = (gsize)length;
    return g_steal_pointer(&text);
}

void file_text_free(FileText *text)
{
    if (text == NULL)
        return;
    if (text->data != NULL)
        secret_wipe(text->data, text->length);
    g_free(text->data);
    g_free(text);
}

static gboolean write_all(int fd, const char *data, gsize length)
{
    while (length > 0) {
        gssize n = write(fd, data, length);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return FALSE;
        data += n;
        length -= (gsize)n;
    }
    return fsync(fd) == 0;
}

/* The file is a name in its folder: without this the name may be gone after a power cut. */
static gboolean sync_folder(const char *path)
{
    g_autofree char *folder = g_path_get_dirname(path);
    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return FALSE;
    int failed = fsync(fd);
    close(fd);
    return failed == 0;
}

/* The bytes, durable, in a new file beside `path`. NULL with the error set. */
static char *write_temporary(const char *path, const void *data, gsize length, int mode, GError **error)
{
    g_autofree char *temporary = g_strconcat(path, ".XXXXXX", NULL);
    int fd = g_mkstemp_full(temporary, O_WRONLY | O_CLOEXEC, mode);
    if (fd < 0) {
        io_error(error, "create", path);
        return NULL;
    }
    gboolean written = write_all(fd, data, length);
    int saved = errno;
    close(fd);
    if (!written) {
        g_unlink(temporary);
        errno = saved;
        io_error(error, "write", path);
        return NULL;
    }
    return g_steal_pointer(&temporary);
}

gboolean file_replace(const char *path, const void *data, gsize length, int mode, GError **error)
{
    g_autofree char *temporary = write_temporary(path, data, length, mode, error);
    if (temporary == NULL)
        return FALSE;
    if (g_rename(temporary, path) == 0)
        return sync_folder(path) || io_error(error, "make durable", path);
    io_error(error, "replace", path);
    g_unlink(temporary);
    return FALSE;
}

gboolean file_create(const char *path, const void *data, gsize length, int mode, GError **error)
{
    g_autofree char *temporary = write_temporary(path, data, length, mode, error);
    if (temporary == NULL)
        return FALSE;
    /* link(2) and not rename(2): it fails when the name is taken, and the content is whole from the first
     * moment. */
    gboolean linked = link(temporary, path) == 0;
    int saved = errno;
    g_unlink(temporary);
    if (linked)
        return sync_folder(path) || io_error(error, "make durable", path);
    if (saved == EEXIST) {
        g_set_error(error, FUNDAMENT_ERROR, FUNDAMENT_ERROR_CONFLICT, "%s: exists already", path);
        return FALSE;
    }
    errno = saved;
    return io_error(error, "create", path);
}
