/* Four eyes ([fsc] four_eyes): what one signer means to sign waits here until another signer confirms it
 * (table fsc_intentions). Functions that take a Db work inside the caller's transaction. */
#pragma once

#include "components/fsc/signature.h"
#include "core/store/store.h"

typedef struct {
    char *contract_hash;
    SignatureType type;
    char *content; /* of a proposal that is not a contract yet, which goes with SIGNATURE_ACCEPT; NULL else */
    char *actor;
    gint64 created_ms, expires_ms;
} Intention;

void intention_free(Intention *intention);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Intention, intention_free)

/* FUNDAMENT_ERROR_CONFLICT when there is one for this contract and type already. */
gboolean intentions_put(Db *db, const Intention *intention, GError **error);
/* The one that has not expired; NULL without an error when there is none. */
Intention *intentions_find(Db *db, const char *contract_hash, SignatureType type, gint64 now_ms,
                           GError **error);
/* TRUE when it was there: of two that take it at the same time one does. */
gboolean intentions_take(Db *db, const Intention *intention, gboolean *taken, GError **error);
/* All that have not expired, oldest first, at most 200. Array of Intention* with a free function. */
GPtrArray *intentions_list(Db *db, gint64 now_ms, GError **error);
/* Throws away those that have expired. */
gboolean intentions_forget(Db *db, gint64 now_ms, GError **error);
