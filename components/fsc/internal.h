/* What the files of fsc share: the running component, and what they ask of each other. Not for other folders.
 */
#pragma once

#include "components/fsc/agreements.h"
#include "components/fsc/fsc.h"
#include "components/fsc/signature.h"

typedef struct recent Recent;
typedef struct tokens Tokens;
typedef struct traffic Traffic;
typedef struct edge_counters EdgeCounters;
typedef struct listing Listing;

struct fsc {
    Node *node;
    const char *const *services; /* names of the sections [service.NAME], NULL-terminated */
    const char *inway_address;   /* NULL: no Inway */
    const char *directory;       /* Peer ID; NULL: none */
    const char *directory_address;
    struct policies *policies;
    GMutex own_lock;
    GMutex fetching_lock;
    GHashTable *fetching;          /* Peer ID -> how often its JWKS is being asked for now */
    GPtrArray *token_certificates; /* our own of ROLE_TOKEN, also former ones that are still valid; see
                                      fsc_token_certificates() */
    Agreements *agreements;
    Recent *recent; /* of the thread of the frames server */
    Tokens *tokens;
    Listing *listing;
    struct catalogue_settings *catalogue; /* catalogue_private.h */
    Traffic *traffic;
    EdgeCounters *edge;
    GThreadPool *deciders; /* answer VERIFY and ROUTE */
    char *
        renewed_under; /* of upkeep_renew(): the certificate under which all accepts were renewed, and when */
    gint64 renewed_ms;
    GThread *follower; /* PostgreSQL only: follows what other processes of this node store */
    gint stopping;
};

static inline gint64 fsc_now_s(const Fsc *fsc)
{
    return clock_now_s(node_clock(fsc->node));
}

static inline gint64 fsc_now_ms(const Fsc *fsc)
{
    return clock_now_ms(node_clock(fsc->node));
}

/* "unix:/absolute/path" or "ip:port" of the service behind our Inway: [service.NAME] upstream. Caller frees.
 */
char *fsc_service_upstream(const Fsc *fsc, const char *service_name);

/* Our own certificates of ROLE_TOKEN, the current one and former ones that are still valid. A new reference.
 */
GPtrArray *fsc_token_certificates(Fsc *fsc);
/* Keeps the current certificates of ROLE_TOKEN and ROLE_CONTRACT, so that what they sign can be verified
 * after they are replaced. */
gboolean fsc_keep_own_certificates(Fsc *fsc, GError **error);

/* After a contract changed and the change is committed: memory follows, the edge forgets what it knew, the
 * outbox is woken. */
void fsc_contract_changed(Fsc *fsc, const char *content_hash);

/* --- peers.c --- */

typedef struct {
    const char *peer_id;
    const char *address; /* of its Manager; NULL: the one that is known */
    Role role;           /* whose certificate we show */
    const char *method;  /* NULL is GET */
    const char *path;    /* "/v1/..." */
    const char *content_type;
    const void *body;
    gsize body_length;
    guint timeout_ms;
    gsize body_max; /* of the answer; 0 is the client's own limit */
} PeerCall;

/* Calls another Manager; its certificate must carry the Peer ID. Adds Fsc-Manager-Address to POST and PUT. */
HttpReply *peers_call(Fsc *fsc, const PeerCall *call, GError **error);

/* The address of its Manager: known, configured, or asked of the Directory. Caller frees.
 * FUNDAMENT_ERROR_UNAVAILABLE when nobody knows. */
char *peers_address(Fsc *fsc, const char *peer_id, GError **error);

/* The certificate under a signature of this Peer, from the store or from the JWKS at `address`. Verdicts
 * CERTIFICATE_*. */
Certificate *peers_certificate(Fsc *fsc, const char *peer_id, const char *address, const char *thumbprint,
                               GError **error);

/* Keeps name and, when the address is not the one that is known, has it verified through the outbox. In the
 * caller's transaction. */
gboolean peers_seen(Fsc *fsc, Db *db, const Certificate *certificate, const char *address, GError **error);

/* Outbox kind "fsc.address". */
gboolean peers_verify_address(Node *node, gpointer context, const char *destination, GBytes *body,
                              GError **error);

/* --- distribute.c: outbox kinds "fsc.contract", "fsc.signature", "fsc.announce" --- */

gboolean distribute_contract(Fsc *fsc, Db *db, const Contract *contract, const char *jws, GError **error);
gboolean distribute_signature(Fsc *fsc, Db *db, const Contract *contract, SignatureType type, const char *jws,
                              GError **error);
/* One signature of ours for one Peer. */
typedef struct {
    const char *peer_id;
    const Contract *contract; /* stored */
    SignatureType type;
    const char *jws;
    gboolean as_contract; /* POST /contracts, for who may not have it; only with an accept */
} Offer;

/* While it waits a second one is not stored. In the caller's transaction. */
gboolean distribute_to(Fsc *fsc, Db *db, const Offer *offer, GError **error);
gboolean distribute_announcement(Fsc *fsc, Db *db, const char *peer_id, GError **error);
gboolean deliver_contract(Node *node, gpointer context, const char *destination, GBytes *body,
                          GError **error);
gboolean deliver_signature(Node *node, gpointer context, const char *destination, GBytes *body,
                           GError **error);
gboolean deliver_announcement(Node *node, gpointer context, const char *destination, GBytes *body,
                              GError **error);
gboolean distribute_job(Node *node, gpointer context, GError **error);
/* At the start: to the Directory, and when our address is another one than at the last start also to every
 * Peer that is known. */
gboolean distribute_address(Fsc *fsc, GError **error);

/* --- signing.c: what we sign ourselves --- */

/* Signs with ROLE_CONTRACT, stores, and leaves it for the others in the outbox. In the caller's transaction,
 * with the contract stored. */
gboolean signing_place(Fsc *fsc, Db *db, const Contract *contract, gint64 contract_id, SignatureType type,
                       GError **error);
/* Who acts, for the audit log; with four eyes another name is another person. */
typedef struct {
    const char *name; /* "uid:0", or the id of an officer */
    const char *role; /* "administrator", or that of the officer */
    const TraceContext *trace;
} SigningActor;
typedef enum {
    SIGNING_PLACED,  /* signed, stored, and on its way to the others */
    SIGNING_INTENDED /* [fsc] four_eyes: waits for another signer, who confirms by asking for the same */
} SigningOutcome;
/* A contract of our own making, with one grant; its data is taken. Stored with our accept and sent to the
 * others; when it is only intended, signing_decide() with SIGNATURE_ACCEPT confirms it. */
Contract *signing_propose(Fsc *fsc, json_t *grant_data, gint64 not_before, gint64 not_after,
                          const SigningActor *actor, SigningOutcome *outcome, GError **error);
/* The same with several grants: an array of {"data": {...}}, which is taken. */
Contract *signing_propose_grants(Fsc *fsc, json_t *grants, gint64 not_before, gint64 not_after,
                                 const SigningActor *actor, SigningOutcome *outcome, GError **error);
/* A person of this organisation accepts, rejects or revokes. FUNDAMENT_ERROR_RULE when the state does not
 * allow it, or when the same person asks twice with four eyes. */
gboolean signing_decide(Fsc *fsc, const char *content_hash, SignatureType type, const SigningActor *actor,
                        SigningOutcome *outcome, GError **error);
/* What waits for a second signer is dropped. FUNDAMENT_ERROR_NOT_FOUND when nothing waits. */
gboolean signing_withdraw(Fsc *fsc, const char *content_hash, SignatureType type, const SigningActor *actor,
                          GError **error);
/* What a person may still do in this state. Pure. */
gboolean signing_allows(ContractState state, SignatureType type);

/* --- submission.c: what others bring --- */

typedef struct {
    const Certificate *certificate; /* of the Manager that submits */
    const char *manager_address;    /* header Fsc-Manager-Address; not verified yet */
    const char *url_hash;           /* of the path; NULL for POST /contracts */
    SignatureType type;
    const TraceContext *trace; /* of the request; NULL: none */
} Submission;

/* The whole order of checks, then storage. FALSE with a verdict or another error. */
gboolean submission_receive(Fsc *fsc, const Submission *submission, const json_t *body, GError **error);

/* A contract in the list of this Peer: the rules, as if that Peer had brought it. */
gboolean submission_may_be_merged(Fsc *fsc, const Contract *contract, const char *found_at, GError **error);

/* A signature by `peer_id`, who is a signer, that was found elsewhere: verified and stored as if that Peer
 * had brought it, with the contract when that is new. Also our own, which a store from a backup may have
 * lost. */
gboolean submission_merge(Fsc *fsc, const Contract *contract, const char *peer_id, SignatureType type,
                          const char *jws, GError **error);

/* --- upkeep.c, reconcile.c, probe.c: jobs --- */

gboolean upkeep_renew(Node *node, gpointer context, GError **error);
/* Compares contracts and signatures with those of each Peer, both ways: reconcile.c. */
gboolean upkeep_reconcile(Node *node, gpointer context, GError **error);
/* Whom we deal with: everybody in a contract, and the Directory; not ourselves. Array of strings with a free
 * function. */
GPtrArray *probe_partners(Fsc *fsc, GError **error);
/* Asks each Peer with whom there is a contract, and the Directory, who it is and what time it has. */
gboolean probe_job(Node *node, gpointer context, GError **error);
/* This Peer spoke another version of FSC in a contract: `content` of any shape. */
void probe_heard_contract(Fsc *fsc, const char *peer_id, const json_t *content);
/* decisions.md 11: FALSE when our clock must not date a signature, by the word of the kernel or of the other
 * Peers ([node] clock_check). FUNDAMENT_ERROR_UNAVAILABLE says which. */
gboolean probe_clock_is_sound(Fsc *fsc, GError **error);
/* The check "fsc:clock" of GET /health. */
void probe_health(gpointer context, json_t *checks);

/* --- directory.c --- */

json_t *
directory_services(Fsc *fsc, const char *peer_id,
                   const char *service_name); /* all, oldest first; filters OR-ed, either may be NULL */
Listing *listing_new(void);
void listing_free(Listing *listing);
/* "PROTOCOL_..." of a service as the Directory lists it, or NULL when it does not say. Caller frees. */
char *listing_protocol(Fsc *fsc, const char *peer_id, const char *service_name);

/* --- handlers of routes: manager.c, token_api.c, directory.c, logs.c, admin_api.c --- */

void manager_announce(Request *request, gpointer context);
void manager_submit(Request *request, gpointer context);
void manager_accept(Request *request, gpointer context);
void manager_reject(Request *request, gpointer context);
void manager_revoke(Request *request, gpointer context);
void manager_contracts(Request *request, gpointer context);
void manager_token(Request *request, gpointer context);
/* TRUE when no store has to be asked for it. */
gboolean manager_token_is_quick(Request *request, gpointer context);
void manager_jwks(Request *request, gpointer context);
void manager_peer(Request *request, gpointer context);
void directory_list_peers(Request *request, gpointer context);
void directory_list_services(Request *request, gpointer context);
void logs_list(Request *request, gpointer context);
void fsc_admin_announce(Request *request, gpointer context);
void fsc_admin_publish(Request *request, gpointer context);
void fsc_admin_connect(Request *request, gpointer context);
void fsc_admin_contracts(Request *request, gpointer context);
void fsc_admin_contract(Request *request, gpointer context);
void fsc_admin_decide(Request *request, gpointer context);
void fsc_admin_services(Request *request, gpointer context);
void fsc_admin_peers(Request *request, gpointer context);

void fsc_admin_node(Request *request, gpointer context);
void fsc_admin_propose(Request *request, gpointer context);
void fsc_admin_logs(Request *request, gpointer context);
void fsc_admin_peer(Request *request, gpointer context);
void fsc_admin_token_test(Request *request, gpointer context);

/* --- commands --- */

/* All of them: cli_table.c finds the row. */
int fsc_cli_run(int argc, char **argv);

/* Answers an error of this component: a verdict by its table, others by respond_error(). */
void respond_verdict(Request *request, const GError *error);

/* limit, cursor and sort_order of a listing. FALSE when it has answered 400 itself. */
typedef struct {
    guint limit;
    gboolean ascending;
    const char *cursor;
} Page;

gboolean listing_page_read(Request *request, guint default_limit, Page *page);

/* A list of values separated by commas as a NULL-terminated array; NULL when the parameter is absent or
 * empty. Caller frees. */
char **query_list(Request *request, const char *name);

/* --- frames --- */

void gateway_log(FrameCall *call, gpointer user_data);
void gateway_decide(FrameCall *call, gpointer user_data); /* VERIFY and ROUTE */
void gateway_outcome(FrameCall *call, gpointer user_data);
void gateway_traffic(FrameCall *call, gpointer user_data);
void gateway_edge(FrameCall *call, gpointer user_data);
GThreadPool *gateway_deciders_new(Fsc *fsc);

/* Which grant the client of our Outway wants, and whether it may: outway.c. Answers the call, at once or when
 * a token has come. */
void outway_route(Fsc *fsc, FrameCall *call, const char *client, guint64 kind, const char *selector);

/* --- tokens.c: the tokens that our Outway holds, one a grant --- */

Tokens *tokens_new(Fsc *fsc);
void tokens_free(Tokens *tokens);
/* Answers a ROUTE with the token of this grant: the one that is there, or the one that comes. */
void tokens_answer(Tokens *tokens, FrameCall *call, const Grant *grant);
/* The contract changed: tokens on its grants are asked for again. */
void tokens_forget(Tokens *tokens, const Contract *contract);
/* Renews what is due at this moment; the keeper thread does this once a second. For tests. */
void tokens_renew_due(Tokens *tokens);

/* --- fetch.c: asking another Manager for a token --- */

typedef struct {
    char *token, *address, *tls_name; /* address "ip:port" of the Inway */
    char *thumbprint;                 /* of the certificate that it is bound to */
    GBytes *template;                 /* gateway.h */
    gint64 expires_at;
} FetchedToken;

void fetched_token_free(FetchedToken *fetched);
/* Blocks. NULL with the status for the edge, and a message in `error`. */
FetchedToken *fetch_token(Fsc *fsc, const Grant *grant, enum frame_status *status, GError **error);
