/* What the kernel says of the machine's clock (decisions.md 11: an unsynchronised clock signs nothing). */
#pragma once

#include "core/node/config.h"

/* [node] clock_check. */
typedef enum {
    CLOCK_CHECK_AUTO, /* what the kernel says is a warning: in containers it often says so without reason */
    CLOCK_CHECK_ON,   /* its word stops signing */
    CLOCK_CHECK_OFF
} ClockCheck;

ClockCheck clock_check_of(const Config *config);
extern const char *const clock_check_names[]; /* by ClockCheck, NULL-terminated */

/* adjtimex(2): FALSE when no program keeps the clock (STA_UNSYNC). TRUE when the kernel may not be asked. */
gboolean clock_is_synchronised(void);
