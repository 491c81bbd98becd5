/* Inside core/crypto only: files that hold keys. Private ones are refused when others can read them, written
 * files are there whole or not at all, and what was read is wiped from memory. */
#pragma once

#include <glib.h>

typedef struct {
    char *data; /* followed by a NUL that is not counted */
    gsize length;
} FileText;

/* A regular file of at most `max_bytes`. With `private_file`, one that group or others can reach (mode & 077)
 * is refused. NULL with FUNDAMENT_ERROR_NOT_FOUND, _IO, _LIMIT or, for the mode, _DENIED. */
FileText *file_text_read(const char *path, gsize max_bytes, gboolean private_file, GError **error);
void file_text_free(FileText *text); /* wipes */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(FileText, file_text_free)

/* Replaces what is there, by way of a temporary file beside it; durable when it returns. FUNDAMENT_ERROR_IO.
 */
gboolean file_replace(const char *path, const void *data, gsize length, int mode, GError **error);

/* As file_replace, but an existing file is left alone: FALSE with FUNDAMENT_ERROR_CONFLICT. Of two that try
 * at the same time exactly one succeeds. */
gboolean file_create(const char *path, const void *data, gsize length, int mode, GError **error);
