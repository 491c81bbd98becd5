/* Who is acting (decisions.md 19). Filled by toegang; until then by the demo's test means.
 *
 * A session lives in the store, so that it survives a restart and every process sees it; but the store alone
 * cannot read it: the row is found by SHA-256 of the cookie and its subject is sealed under a key derived
 * from the cookie (HKDF), which only the browser has. Idle time-out 15 minutes, at most 8 hours.
 */
#pragma once

#include "core/net/http.h"
#include "core/node/node.h"

typedef enum { SESSION_CITIZEN, SESSION_STAFF } SessionRole;

typedef struct {
    char *subject; /* BSN of the person whose data it is about. Wiped on free. */
    char *actor;   /* BSN of who signed in when acting for another; NULL otherwise */
    char *mandate; /* id of the mandate that allows it; NULL otherwise */
    SessionRole role;
    int level;           /* eIDAS: 1 low, 2 substantial, 3 high; 0 test means */
    gboolean test_means; /* signed in without proof: pages must say so */
    char *display_name;  /* to greet with */
} Session;

void session_free(Session *session);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Session, session_free)

/* Makes it and sets the cookie on the answer of `request`. */
gboolean session_start(Node *node, Request *request, const Session *session, GError **error);
/* The session of this request, or NULL. Borrowed from the request. */
const Session *session_of(Node *node, Request *request);
/* Ends it and deletes the cookie. */
gboolean session_end(Node *node, Request *request, GError **error);
