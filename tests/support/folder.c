#include "tests/support/folder.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static GPtrArray *folders;

static int remove_one(const char *path, const struct stat *status, int type, struct FTW *ftw)
{
    return remove(path);
}

static void remove_all(void)
{
    for (guint i = 0; i < folders->len; i++) {
        nftw(folders->pdata[i], remove_one, 16, FTW_DEPTH | FTW_PHYS);
    }
    g_ptr_array_unref(folders);
}

char *test_folder_new(void)
{
    char *path = g_dir_make_tmp("fundament-test-XXXXXX", NULL);
    g_assert_nonnull(path);
    if (folders == NULL) {
        folders = g_ptr_array_new_with_free_func(g_free);
        atexit(remove_all);
    }
    g_ptr_array_add(folders, g_strdup(path));
    return path;
}
