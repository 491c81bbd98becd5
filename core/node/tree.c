#include "core/node/tree.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

#include "core/base/error.h"

#define BUFFER_SIZE ((gsize)1024 * 1024)
#define DESCRIPTORS 16 /* for nftw() */

static gboolean fail(const char *what, const char *path, GError **error)
{
    g_set_error(error, FUNDAMENT_ERROR, FUNDAMENT_ERROR_IO, "cannot %s %s: %s", what, path,
                g_strerror(errno));
    return FALSE;
}

/* --- walking --- */

static gboolean walk(const char *folder, const char *prefix, GPtrArray *files, GError **error)
{
    g_autoptr(GDir) entries = g_dir_open(folder, 0, NULL);
    if (entries == NULL)
        return fail("read the folder", folder, error);
    for (const char *name = g_dir_read_name(entries); name != NULL; name = g_dir_read_name(entries)) {
        g_autofree char *path = g_build_filename(folder, name, NULL);
        g_autofree char *relative = g_strconcat(prefix, name, NULL);
        GStatBuf status;
        if (g_lstat(path, &status) != 0)
            return fail("read", path, error);
        g_autofree char *below = g_strconcat(relative, "/", NULL);
        if (S_ISDIR(status.st_mode) && !walk(path, below, files, error))
            return FALSE;
        if (S_ISREG(status.st_mode))
            g_ptr_array_add(files, g_steal_pointer(&relative));
    }
    return TRUE;
}

static gint compare(gconstpointer a, gconstpointer b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

GPtrArray *tree_files(const char *folder, GError **error)
{
    g_autoptr(GPtrArray) files = g_ptr_array_new_with_free_func(g_free);
    if (g_file_test(folder, G_FILE_TEST_IS_DIR) && !walk(folder, "", files, error))
        return NULL;
    g_ptr_array_sort(files, compare);
    return g_steal_pointer(&files);
}

gboolean tree_is_empty(const char *folder)
{
    g_autoptr(GDir) entries = g_dir_open(folder, 0, NULL);
    return entries == NULL || g_dir_read_name(entries) == NULL;
}

/* --- one file --- */

typedef gboolean (*Take)(const guint8 *bytes, gsize length, gpointer user_data);

static gboolean read_file(const char *path, Take take, gpointer user_data, GError **error)
{
    int fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0)
        return fail("open", path, error);
    g_autofree guint8 *buffer = g_malloc(BUFFER_SIZE);
    ssize_t got;
    gboolean good = TRUE;
    while (good && (got = read(fd, buffer, BUFFER_SIZE)) != 0)
        good = got > 0 ? take(buffer, (gsize)got, user_data) : errno == EINTR;
    if (!good)
        fail("copy", path, error);
    close(fd);
    return good;
}

typedef struct {
    GChecksum *checksum;
    guint64 size;
} Digest;

static gboolean take_digest(const guint8 *bytes, gsize length, gpointer user_data)
{
    Digest *digest = user_data;
    g_checksum_update(digest->checksum, bytes, (gssize)length);
    digest->size += length;
    return TRUE;
}

char *tree_digest(const char *path, guint64 *size, GError **error)
{
    g_autoptr(GChecksum) checksum = g_checksum_new(G_CHECKSUM_SHA256);
    Digest digest = {.checksum = checksum};
    if (!read_file(path, take_digest, &digest, error))
        return NULL;
    *size = digest.size;
    return g_strdup(g_checksum_get_string(checksum));
}

static gboolean take_write(const guint8 *bytes, gsize length, gpointer user_data)
{
    int fd = GPOINTER_TO_INT(user_data);
    while (length > 0) {
        ssize_t n = write(fd, bytes, length);
        if (n < 0 && errno != EINTR)
            return FALSE;
        bytes += n > 0 ? n : 0;
        length -= n > 0 ? (gsize)n : 0;
    }
    return TRUE;
}

static int create(const char *path, GError **error)
{
    g_autofree char *folder = g_path_get_dirname(path);
    int fd = tree_make_folder(folder, error)
                 ? open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600)
                 : -2;
    if (fd == -1)
        fail("make", path, error);
    return fd;
}

gboolean tree_copy_file(const char *from, const char *to, GError **error)
{
    int fd = create(to, error);
    if (fd < 0)
        return FALSE;
    gboolean good = read_file(from, take_write, GINT_TO_POINTER(fd), error) &&
                    (fsync(fd) == 0 || fail("write", to, error));
    close(fd);
    return good;
}

gboolean tree_write_file(const char *path, const char *text, GError **error)
{
    int fd = create(path, error);
    if (fd < 0)
        return FALSE;
    gboolean good = (take_write((const guint8 *)text, strlen(text), GINT_TO_POINTER(fd)) && fsync(fd) == 0) ||
                    fail("write", path, error);
    close(fd);
    return good;
}

/* --- folders --- */

gboolean tree_make_folder(const char *path, GError **error)
{
    return g_mkdir_with_parents(path, 0700) == 0 || fail("make the folder", path, error);
}

gboolean tree_sync(const char *folder, GError **error)
{
    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    gboolean good = (fd >= 0 && fsync(fd) == 0) || fail("write", folder, error);
    if (fd >= 0)
        close(fd);
    return good;
}

gboolean tree_rename(const char *from, const char *to, GError **error)
{
    g_autofree char *folder = g_path_get_dirname(to);
    return (rename(from, to) == 0 || fail("rename to", to, error)) && tree_sync(folder, error);
}

static int remove_one(const char *path, const struct stat *status, int kind, struct FTW *walk_state)
{
    return remove(path);
}

gboolean tree_remove(const char *path, GError **error)
{
    return nftw(path, remove_one, DESCRIPTORS, FTW_DEPTH | FTW_PHYS) == 0 || errno == ENOENT ||
           fail("remove", path, error);
}
