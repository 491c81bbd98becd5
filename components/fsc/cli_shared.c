/* What the commands of fsc share: calls to the node, questions, times. */
#include "components/fsc/cli.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "core/base/clock.h"
#include "core/base/error.h"
#include "core/format/json.h"
#include "core/node/admin.h"

json_t *cli_call(const Arguments *arguments, const char *method, const char *path, json_t *body, int *status)
{
    g_autoptr(GError) error = NULL;
    json_t *answer = admin_call(arguments_value(arguments, "--config"), method, path, body, &error);
    json_decref(body);
    *status = answer == NULL ? admin_fail(error) : 0;
    return answer;
}

int cli_print_json(const json_t *value)
{
    g_autofree char *text = json_write(value);
    printf("%s\n", text);
    return 0;
}

int cli_fail(const GError *error)
{
    return admin_fail(error);
}

gboolean cli_confirm(const char *about, const char *question, int *status)
{
    char line[16] = "";
    g_autoptr(GError) error = NULL;
    *status = 0;
    if (!isatty(STDIN_FILENO)) {
        g_set_error_literal(&error, FUNDAMENT_ERROR, FUNDAMENT_ERROR_USAGE,
                            "there is no terminal to ask for confirmation; give --yes");
        *status = cli_fail(error);
        return FALSE;
    }
    printf("%s\n%s [y/N] ", about, question);
    fflush(stdout);
    if (fgets(line, sizeof line, stdin) != NULL && (line[0] == 'y' || line[0] == 'Y' || line[0] == 'j'))
        return TRUE;
    printf("nothing was done\n");
    *status = 1;
    return FALSE;
}

char *cli_time(gint64 unix_s)
{
    g_autofree char *text = clock_format_rfc3339(unix_s * 1000);
    char *shorter = g_strndup(text, strlen("2026-01-01T00:00"));
    shorter[strlen("2026-01-01")] = ' ';
    return shorter;
}
