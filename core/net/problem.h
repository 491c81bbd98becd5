/* Errors to the outside: RFC 9457 application/problem+json, the error object of FSC, and their mapping from
 * GError. A client's fault is never a 5xx. Details never hold a BSN, a name or a secret. */
#pragma once

#include "core/base/error.h"
#include "core/net/http.h"

/* {"type": "about:blank" or urn, "title", "status", "detail", "instance": trace id}. `detail` is a printf
 * format. */
void respond_problem(Request *request, guint status, const char *title, const char *detail, ...)
    G_GNUC_PRINTF(4, 5);

/* The HTTP status that stands for an error of FUNDAMENT_ERROR (500 for other domains). */
guint problem_status(const GError *error);

/* respond_problem by that table; for 5xx the message goes to the log and the detail is general, with the
 * trace id to quote. On LISTENER_PORTAL and LISTENER_OFFICE the same as a page in the person's language. */
void respond_error(Request *request, const GError *error);

/* FSC Core 2.0.0, 4.1.7 and 4.4.5: body {message, domain, code} and header Fsc-Error-Code. */
void respond_fsc_error(Request *request, guint status, const char *domain, const char *code,
                       const char *message);
