/* Tells systemd how the service is (sd_notify(3)), when it listens: NOTIFY_SOCKET. */
#pragma once

void notify_systemd(const char *state); /* "READY=1", "STOPPING=1" */

/* That the main loop turns, when systemd asked for it (WatchdogSec=); at least twice in that time. */
void notify_watchdog(void);
