/* What commands print, from the answers of the admin API. Pure: JSON in, text out; lines of at most 79
 * columns, but for hashes, which stay whole so that they can be copied. Callers free. */
#pragma once

#include <glib.h>
#include <jansson.h>

/* The first 12 characters of a hash behind its "$1$1$": enough to name a contract on the command line. */
char *render_short_hash(const char *hash);

/* One contract a line or two: state, period, short hash, what it is about. */
char *render_contracts(const json_t *contracts);
/* With a header line; RFC 4180. One line a grant. */
char *render_contracts_csv(const json_t *contracts);
/* Everything about one. `now_s` for how long it still is. */
char *render_contract(const json_t *contract, gint64 now_s);

char *render_peers(const json_t *peers);
char *render_services(const json_t *services);
char *render_logs(const json_t *records);

/* What changed in the signatures between two answers of GET /contracts/{hash}, a line each; "" when nothing.
 * `before` may be NULL. */
char *render_progress(const json_t *before, const json_t *after);
