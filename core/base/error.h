/* One error domain for the whole node.
 *
 * A GError in this domain says who has to act: the code is what a caller may branch on, the message is for a
 * person and says what was wrong, where, and what to do about it. Messages never hold a BSN, a name of a
 * person or a secret.
 *
 * core/net maps codes to HTTP statuses (see the table in core/net/problem.h); the command line maps every
 * code to exit status 1, except FUNDAMENT_ERROR_USAGE, which is 2.
 */
#pragma once

#include <glib.h>

#define FUNDAMENT_ERROR (fundament_error_quark())

typedef enum {
    FUNDAMENT_ERROR_INVALID,     /* the input is wrong: syntax, schema, size, range (400) */
    FUNDAMENT_ERROR_RULE,        /* the input is well-formed but a rule of a standard refuses it (422) */
    FUNDAMENT_ERROR_DENIED,      /* who asks may not (403) */
    FUNDAMENT_ERROR_NOT_FOUND,   /* what was asked for does not exist (404) */
    FUNDAMENT_ERROR_CONFLICT,    /* it exists already with other content (409) */
    FUNDAMENT_ERROR_LIMIT,       /* too much, too often (429) */
    FUNDAMENT_ERROR_UNAVAILABLE, /* another party or a resource is not there now; trying again may help (503)
                                  */
    FUNDAMENT_ERROR_IO,          /* disk, socket, database: our side (500) */
    FUNDAMENT_ERROR_USAGE,       /* wrong words on the command line (exit 2) */
    FUNDAMENT_ERROR_INTERNAL     /* a mistake in this program (500) */
} FundamentError;

GQuark fundament_error_quark(void);
