/* Who acts on the office listener, and what they may (decisions.md 19 and 21).
 *
 * Until `toegang` fills this in by other means, an officer is known by the key of a client certificate of the
 * organisation's internal authority ([office] anchors); [officer.NAME] in node.conf says whose key it is and
 * what they may. The key, not the certificate, so that a renewed certificate of the same key goes on working.
 *
 * Roles: every officer may look (reader); an operator also does what keeps the node going, such as sending a
 * message again; a signer also binds the organisation: proposes, accepts, rejects and revokes contracts.
 * Operator and signer are apart: who has to be both has both roles.
 */
#pragma once

#include "core/node/node.h"

typedef enum { OFFICER_READER, OFFICER_OPERATOR, OFFICER_SIGNER, OFFICER_ROLE_COUNT } OfficerRole;

const char *officer_role_name(OfficerRole role); /* "reader" */

typedef struct {
    char *id;         /* NAME of the section: in the audit log */
    char *name;       /* to show: [officer.NAME] name, else the id */
    char *thumbprint; /* of the public key, 64 hexadecimal digits in lower case */
    guint roles;      /* bit of each role */
} Officer;

/* Pure. Every role includes reader. */
gboolean officer_may(const Officer *officer, OfficerRole role);
typedef struct officers Officers;

/* The officers of node.conf; faults (strings) for what cannot be: a malformed thumbprint, one key for two
 * officers, officers or an address without anchors. Never NULL. */
Officers *officers_new(const Config *config, GPtrArray *faults);
void officers_free(Officers *officers);
/* By the thumbprint of a public key (certificate_public_key_thumbprint()); NULL when nobody has it. Borrowed.
 */
const Officer *officers_find(const Officers *officers, const char *thumbprint);

/* The officer of this request, whom the node found before the handler was called; NULL on other listeners.
 * Borrowed. */
const Officer *officer_of(const Request *request);

/* The officer when they have this role; NULL when a page with status 403 was answered that says which role is
 * missing and who can mend that. */
const Officer *officer_require(Request *request, OfficerRole role);

/* As officer_require(), and the act or the look-up is written to the audit log before anything else is done:
 * `action` e.g. "fsc.contracts.look", `object` an id or what was asked for, never a BSN. A refusal is written
 * down as well. NULL when it was answered: a page with 403, or with 503 when it cannot be written down. */
const Officer *officer_enter(Node *node, Request *request, OfficerRole role, const char *action,
                             const char *object);
