/* Agreements: contracts in memory, for the questions that are asked often: may this token still be used,
 * which grant gives access to that service. The store stays the truth; every change of it is followed by
 * agreements_reload() of that contract.
 *
 * Contracts with publications are all in memory while their end has not come: they are what a Directory
 * lists. Of the others those that were used last are, at most AGREEMENTS_KEPT; the rest is read when it is
 * asked for.
 *
 * The state is worked out at each question from signatures and time, so that a contract begins and ends at
 * the right second by itself. Thread safe.
 */
#pragma once

#include "components/fsc/store.h"

typedef struct agreements Agreements;

#define AGREEMENTS_KEPT 4096 /* some 8 KiB each */

/* Reads the publications. NULL with the store's error. */
Agreements *agreements_new(Store *store, gint64 now_s, GError **error);
void agreements_free(Agreements *agreements);

/* Reads one contract from the store again; it appears, changes, or goes. */
gboolean agreements_reload(Agreements *agreements, const char *content_hash, gint64 now_s, GError **error);

/* One contract with its grant; reference counted, immutable. */
typedef struct agreement Agreement;

Agreement *agreement_ref(Agreement *agreement);
void agreement_unref(Agreement *agreement);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Agreement, agreement_unref)
const StoredContract *agreement_contract(const Agreement *agreement);
ContractState agreement_state(const Agreement *agreement, gint64 now_s);
/* The second from which on agreement_state() may say otherwise; G_MAXINT64 when never. */
gint64 agreement_changes_at(const Agreement *agreement, gint64 now_s);

/* The contract that holds this grant, in whatever state; `grant` is borrowed from it. NULL when there is
 * none, or the store does not answer: then nothing flows (and the log says why). */
Agreement *agreements_find(Agreements *agreements, const char *grant_hash, const Grant **grant);
/* The same, but only when no store needs to be asked: NULL otherwise, whether there is one or not. */
Agreement *agreements_known(Agreements *agreements, const char *grant_hash, const Grant **grant);
/* The same for giving out tokens: tells no contract (NULL without an error) from a store that does not
 * answer, and asks the store each time when several processes share it. */
Agreement *agreements_load(Agreements *agreements, const char *grant_hash, const Grant **grant,
                           GError **error);

typedef struct {
    const char *service_name; /* compared without regard to case: it may come from a Host header, which nginx
                                 lowers */
    const char *service_peer_id;
    const char *outway_peer_id;
    const char *public_key_thumbprint; /* of our Outway */
    const Certificate *certificate;    /* of our Outway, for grants that name a domain; may be NULL */
    const char *const *only;           /* grant hashes, NULL-terminated: no others; NULL: any */
} ConnectionWanted;

/* The valid connection grant for it; of several the one with the name spelt exactly so, then the one whose
 * contract was created last. NULL when there is none. */
Agreement *agreements_find_connection(Agreements *agreements, const ConnectionWanted *wanted, gint64 now_s,
                                      const Grant **grant);

/* TRUE when this grant is for that Outway. */
gboolean agreements_grant_is_for(const Grant *grant, const ConnectionWanted *wanted);

/* All that are valid now and hold publications, or the newest 1000 with connections (read from the store: for
 * pages, not for requests), by id. Array of Agreement* with a free function. */
GPtrArray *agreements_valid(Agreements *agreements, gboolean publication, gint64 now_s);

/* How many contracts, whose end has not come, are in each state: for metrics and pages. Counted in the store;
 * when that took long (seconds for a million) the last count is given again for a hundred times as long. */
void agreements_count(Agreements *agreements, gint64 now_s, guint counts[CONTRACT_STATE_COUNT]);
