/* Who serves: of several `fundament serve` on one data folder one at a time, the others stand by.
 *
 * The lock is a flock on DATA/serve.lock, which the kernel lets go of the moment that its holder ends,
 * however it ends. Whoever gets it opens the store and the journal, and takes over the sockets; the edge
 * holds requests meanwhile and sends what was not confirmed again (decisions.md 2 and 30). */
#pragma once

#include "core/node/config.h"

/* Takes the lock. When another process has it: with [node] standby = yes waits for it, saying so once
 * (SIGTERM ends the process then as any other); otherwise fails with FUNDAMENT_ERROR_CONFLICT. The
 * descriptor, to be kept open as long as the process serves; -1 with an error. */
int standby_take(const Config *config, GError **error);
