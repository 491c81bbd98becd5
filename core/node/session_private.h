/* How long sessions live, for core/node only. */
#pragma once

#define SESSION_COOKIE "__Host-session"
#define SESSION_IDLE_MS (15 * 60 * 1000)
#define SESSION_LONGEST_MS (8 * 60 * 60 * 1000)
