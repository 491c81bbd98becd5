#include "core/node/clock_state.h"

#include <sys/timex.h>

const char *const clock_check_names[] = {"auto", "on", "off", NULL};

ClockCheck clock_check_of(const Config *config)
{
    const char *name = config_text(config, "node", "clock_check");
    for (int check = 0; clock_check_names[check] != NULL; check++)
        if (g_strcmp0(name, clock_check_names[check]) == 0)
            return (ClockCheck)check;
    return CLOCK_CHECK_AUTO;
}

gboolean clock_is_synchronised(void)
{
    struct timex state = {.modes = 0};
    int answer = adjtimex(&state);
    return answer < 0 || (answer != TIME_ERROR && (state.status & STA_UNSYNC) == 0);
}
