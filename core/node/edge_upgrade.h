/* Another nginx in the place of the one that runs, without closing a listener (nginx's own way: USR2, then
 * QUIT). */
#pragma once

#include <glib.h>

/* `pid_file` is that of the running edge, which has to have been started with --daemon: an nginx in the
 * foreground does not listen to USR2. Starts the new one with the configuration and the program that are
 * there now, waits until it has workers, and has the old one end when its requests are done. When the new one
 * does not start the old one goes on: FUNDAMENT_ERROR_UNAVAILABLE. */
gboolean edge_upgrade(const char *pid_file, GError **error);
