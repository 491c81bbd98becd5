/* A folder for one test. */
#pragma once

#include <glib.h>

/* Makes one under $TMPDIR and returns its path; it and all in it is removed when this program ends. Caller
 * frees. Child processes of the test must leave with _exit(). */
char *test_folder_new(void);
