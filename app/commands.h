/* The subcommands of `fundament`: one file each for those of the program itself. The exit status is theirs:
 * 0, 1 for an error, 2 for wrong usage. */
#pragma once

#include <glib.h>

int command_serve(int argc, char **argv);
int command_edge(int argc, char **argv);
int command_config(int argc, char **argv);
int command_pki(int argc, char **argv);
int command_audit(int argc, char **argv);
int command_outbox(int argc, char **argv);
int command_backup(int argc, char **argv);
int command_restore(int argc, char **argv);
int command_retention(int argc, char **argv);
int command_keys(int argc, char **argv);
int command_version(int argc, char **argv);

/* One line on stderr, and 2. */
int command_usage(const char *format, ...) G_GNUC_PRINTF(1, 2);

/* Takes options out of argv. FALSE after a message on stderr; `*status` is then the exit status. --help
 * prints and gives 0. */
gboolean command_options(int *argc, char ***argv, const GOptionEntry *entries, const char *arguments,
                         const char *summary, int *status);
