/* How long sessions live, for core/node only. */
#pragma once

#define SESSION_COOKIE "__Host-session"
#define SESSION_IDLE_MS 900000      /* 15 minutes */
#define SESSION_LONGEST_MS 28800000 /* 8 hours */
