/* The pages for officers: what they share, whichever component they belong to. */
#pragma once

#include <jansson.h>

#include "core/node/officer.h"

/* A context for respond_page(): the title, who is here, and the navigation of all components
 * (Component.office) with `current` (a path, or NULL) marked. Title and lede (may be NULL) are taken. */
json_t *office_frame(Node *node, Request *request, const char *current, char *title, char *lede);

/* The breadcrumb of a page below another one. */
void office_breadcrumb(json_t *page, const char *href, const char *text);

/* The fields of a form that this officer may have sent: the role, and the token against forged requests. NULL
 * when it was answered. Nothing is written to the audit log: the act itself does that. */
json_t *office_form(Node *node, Request *request, OfficerRole role, const char *action);

/* Rows `page` (from 1) of `size` out of `total`: where to begin, and links to the others as "pages"
 * {"previous", "next", "text"} in the context of the page. `link` is the address up to the number of the
 * page.
 */
guint office_pages(json_t *page, Request *request, guint total, guint size, const char *link);

/* ?pagina= as a number from 1; 1 for anything else. */
guint office_page_number(const Request *request);

/* "name=value" joined by & for the query parameters in the NULL-terminated list that are there and not empty,
 * percent-encoded, ended by & when there is any. Caller frees. */
char *office_query(const Request *request, const char *const *names);

/* In which pages for officers tell the time. */
#define OFFICE_TIME_ZONE "Europe/Amsterdam"

/* "2026-11-21" as the first second of that day there. FALSE for anything else. */
gboolean office_day(const char *text, gint64 *seconds);

/* The value of a query parameter without white space around it; NULL when absent, empty, or longer than `max`
 * bytes. Caller frees. */
char *office_filter(const Request *request, const char *name, gsize max);
