/* What the files of the signing policy share: the parsed rules. */
#pragma once

#include "components/fsc/external.h"
#include "components/fsc/policy.h"

/* What a grant's external contract reference turned out to be. */
typedef enum {
    EXTERNAL_NONE,       /* the grant has none */
    EXTERNAL_LISTED,     /* an [external_contract.NAME] says the same */
    EXTERNAL_MISMATCHED, /* one has that reference, but for another delegator, delegatee, service or time */
    EXTERNAL_UNLISTED,   /* no one has that reference */
    EXTERNAL_COUNT
} ExternalFinding;

const char *external_finding_name(ExternalFinding finding); /* "listed" */

/* [external_contract.NAME]: a contract outside FSC that this organisation has seen. */
typedef struct {
    char *name;
    char *reference, *delegator_id, *delegator_name;
    char **delegatee; /* Peer IDs */
    char **service;   /* globs */
    gint64 until;     /* seconds; G_MAXINT64: without an end */
} ExternalContract;

/* Lists that are NULL, and numbers that are -1, are not asked about. */
typedef struct {
    char *name;
    PolicyDecision decide, on_denied;
    char **grant; /* words of policy_grant_words */
    char **service;
    char **consumer, **service_peer, **delegator, **service_delegator, **directory;
    char **protocol, **identification;
    char **external_contract; /* names of findings */
    gint64 max_validity, max_ahead, max_grants;
    char **require;    /* properties that must be there: NAME or NAME=GLOB */
    char **properties; /* those that may be there, beside those required */
} PolicyRule;

struct policy {
    gint references; /* atomic */
    char *text;
    char *digest;
    char *version;
    PolicyDecision fallback; /* when no rule matches: [policy] default */
    GPtrArray *rules;        /* PolicyRule* */
    GPtrArray *externals;    /* ExternalContract* */
};

/* The words of `grant`, in the order of GrantType, NULL-terminated. */
extern const char *const policy_grant_words[GRANT_TYPE_COUNT + 1];
extern const char *const policy_protocol_words[3];
extern const char *const policy_identification_words[3];

void policy_rule_free(PolicyRule *rule);

/* `?` is one character, `*` any number of them; everything else is itself. */
gboolean policy_glob(const char *pattern, const char *text);

/* The finding for one grant, with the reason in `why` (caller frees). */
ExternalFinding policy_external(const Policy *policy, const Contract *contract, const Grant *grant,
                                char **why);
