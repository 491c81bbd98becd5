/* For the command line: calls to the running node over its admin socket, run/admin.sock, which only its own
 * user can open. */
#pragma once

#include <jansson.h>

#include "core/node/config.h"

/* `config_path` NULL: the environment variable FUNDAMENT_CONF, else ./node.conf, else
 * /etc/fundament/node.conf. The body may be NULL. The answer of a 2xx as JSON (null when empty); for others
 * the problem's detail as error, FUNDAMENT_ERROR_UNAVAILABLE "the node is not running (...)" when nobody
 * listens. */
json_t *admin_call(const char *config_path, const char *method, const char *path, const json_t *body,
                   GError **error);

/* Prints "fundament: message" on stderr and gives the exit status for the error: 2 for FUNDAMENT_ERROR_USAGE,
 * else 1. */
int admin_fail(const GError *error);
