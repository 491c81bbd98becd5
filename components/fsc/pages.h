/* The pages of fsc for officers (LISTENER_OFFICE): what they share, and their handlers. Facts become plain
 * sentences in the officer's language here; templates only place them. */
#pragma once

#include "components/fsc/intentions.h"
#include "components/fsc/internal.h"
#include "components/fsc/store.h"
#include "core/node/office.h"

/* One page being made: names of organisations are looked up once. */
typedef struct {
    Fsc *fsc;
    Request *request;
    const char *language;
    GHashTable *names; /* Peer ID -> name */
} FscView;

FscView *fsc_view_new(Fsc *fsc, Request *request);
void fsc_view_free(FscView *view);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(FscView, fsc_view_free)

/* The phrase "fsc.<key>". */
const char *fsc_view_phrase(const FscView *view, const char *key);
/* The name of an organisation; its Peer ID when unknown. Borrowed from the view. */
const char *fsc_view_name(FscView *view, const char *peer_id);
char *fsc_view_date(const FscView *view, gint64 seconds);
char *fsc_view_time(const FscView *view, gint64 ms);
/* How long ago or ahead, in words: "3 minuten". Caller frees. */
char *fsc_view_span(const FscView *view, gint64 seconds);

/* The frame of a page with the phrases "fsc.<key>.title" and "fsc.<key>.lede". */
json_t *fsc_view_page(const FscView *view, const char *current, const char *key);
/* Answers it: template "fsc_<name>". Takes the context. */
void fsc_view_answer(const FscView *view, const char *name, json_t *page);
/* Answers a failure: those of the caller as a page with the reason and `back` to go to, others as 5xx. */
void fsc_view_fail(FscView *view, const GError *error, const char *back);

/* --- contracts --- */

/* What a grant allows, as a sentence. Caller frees. */
char *fsc_view_grant(FscView *view, const Grant *grant);
/* {"text", "kind"}: kind is the modifier of fn-badge. */
json_t *fsc_view_state(const FscView *view, ContractState state);
/* "/contracten/HASH". Caller frees. */
char *fsc_view_contract_path(const char *hash);

/* The contract with this hash, or the proposal of ours that waits for its second signer, which has id 0;
 * `intentions`, one a type of signature, gets what waits, to be given to fsc_page_intentions_clear() also
 * after an error. */
StoredContract *fsc_page_load(Fsc *fsc, const char *hash, Intention *intentions[SIGNATURE_TYPE_COUNT],
                              GError **error);
void fsc_page_intentions_clear(Intention *intentions[SIGNATURE_TYPE_COUNT]);
/* TRUE when a signer of ours can place this signature on the contract now. */
gboolean fsc_page_can(const FscView *view, const StoredContract *stored, SignatureType type);

/* --- handlers --- */

void fsc_page_home(Request *request, gpointer context);
void fsc_page_contracts(Request *request, gpointer context);
void fsc_page_contract(Request *request, gpointer context);
void fsc_page_decide(Request *request, gpointer context);      /* asks for confirmation */
void fsc_page_decide_post(Request *request, gpointer context); /* does it */
void fsc_page_withdraw(Request *request, gpointer context);
void fsc_page_propose(Request *request, gpointer context);
void fsc_page_propose_post(Request *request, gpointer context);
void fsc_page_services(Request *request, gpointer context);
void fsc_page_peers(Request *request, gpointer context);
void fsc_page_delivery(Request *request, gpointer context);
void fsc_page_retry(Request *request, gpointer context);
void fsc_page_transactions(Request *request, gpointer context);
void fsc_page_traffic(Request *request, gpointer context);
