/* What the commands of fsc share. */
#pragma once

#include <jansson.h>

#include "components/fsc/arguments.h"

/* Every command of fsc, by name ("contract propose"): for dispatch, --help and the tests of both. */
extern const CommandSpec cli_commands[];
extern const gsize cli_commands_count;

/* One call to the running node. Takes the body, which may be NULL. NULL when it failed: the line on stderr is
 * then written, and `*status` is the exit status. */
json_t *cli_call(const Arguments *arguments, const char *method, const char *path, json_t *body, int *status);

/* Prints JSON and gives 0. */
int cli_print_json(const json_t *value);

/* One line on stderr; the exit status of the error. */
int cli_fail(const GError *error);

/* Shows what it is about and asks on the terminal. FALSE when the answer is no, or when there is nobody to
 * ask;
 * `*status` is then the exit status. */
gboolean cli_confirm(const char *about, const char *question, int *status);

/* "2026-11-21 20:15" in UTC. Caller frees. */
char *cli_time(gint64 unix_s);
