/* Unix stream sockets that only their own user can open. */
#pragma once

#include <glib.h>

/* Makes `path` (mode 0600) and listens. A stale socket is replaced; one that a process listens on is
 * FUNDAMENT_ERROR_CONFLICT. Not blocking, closed on exec. -1 with an error. */
int unix_socket_listen(const char *path, GError **error);

/* -1 with FUNDAMENT_ERROR_UNAVAILABLE when nobody listens. Blocking. */
int unix_socket_connect(const char *path, GError **error);
