/* What this organisation signs: proposals of its own, decisions of its people, and what may be accepted
 * without them. */
#include "components/fsc/internal.h"

#include <string.h>

#include "components/fsc/intentions.h"
#include "components/fsc/rules_contract.h"
#include "components/fsc/verdict.h"
#include "core/base/error.h"
#include "core/base/identifiers.h"
#include "core/format/jcs.h"
#include "core/format/json.h"
#include "core/node/audit.h"
#include "core/node/outbox.h"

static char *sign(Fsc *fsc, const Contract *contract, SignatureType type, GError **error)
{
    const Key *key = node_key(fsc->node, ROLE_CONTRACT);
    const Certificate *certificate = node_certificate(fsc->node, ROLE_CONTRACT);
    if (!probe_clock_is_sound(fsc, error)) /* decisions.md 11 */
        return NULL;
    if (key == NULL || certificate == NULL) {
        g_set_error_literal(
            error, FUNDAMENT_ERROR, FUNDAMENT_ERROR_UNAVAILABLE,
            "this node has no contract key; put contract.key and contract.crt in its folder of keys");
        return NULL;
    }
    return signature_make(contract->hash, type, fsc_now_s(fsc), key, certificate, error);
}

static char *sign_and_store(Fsc *fsc, Db *db, const Contract *contract, gint64 contract_id,
                            SignatureType type, GError **error)
{
    g_autofree char *jws = sign(fsc, contract, type, error);
    const Certificate *certificate = node_certificate(fsc->node, ROLE_CONTRACT);
    if (jws == NULL || !fsc_store_put_certificate(db, certificate, PURPOSE_CONTRACT, error))
        return NULL;
    NewSignature signature = {.contract_id = contract_id,
                              .peer_id = node_oin(fsc->node),
                              .type = type,
                              .signed_at = fsc_now_s(fsc),
                              .thumbprint = certificate_thumbprint(certificate),
                              .jws = jws};
    return fsc_store_signature(db, &signature, fsc_now_ms(fsc), error) ? g_steal_pointer(&jws) : NULL;
}

gboolean signing_place(Fsc *fsc, Db *db, const Contract *contract, gint64 contract_id, SignatureType type,
                       GError **error)
{
    g_autofree char *jws = sign_and_store(fsc, db, contract, contract_id, type, error);
    return jws != NULL && distribute_signature(fsc, db, contract, type, jws, error);
}

/* --- who, and with how many --- */

static gboolean write_down(Fsc *fsc, Db *db, const SigningActor *actor, const char *action, const char *hash,
                           const char *outcome, GError **error)
{
    return audit_write(db, node_clock(fsc->node), actor->name, actor->role, action, hash, outcome,
                       actor->trace, error);
}

/* [fsc] four_eyes. What the policy accepts by itself, and the same accept under a new certificate, need no
 * person, so not two either. */
static gboolean needs_two(const Fsc *fsc)
{
    return config_boolean(node_config(fsc->node), "fsc", "four_eyes");
}

static gboolean intend(Fsc *fsc, Db *db, const char *content_hash, SignatureType type, const char *content,
                       const SigningActor *actor, GError **error)
{
    gint64 now_ms = fsc_now_ms(fsc);
    Intention intention = {
        .contract_hash = (char *)content_hash,
        .type = type,
        .content = (char *)content,
        .actor = (char *)actor->name,
        .created_ms = now_ms,
        .expires_ms = now_ms + config_integer(node_config(fsc->node), "fsc", "four_eyes_within") * 1000};
    return intentions_put(db, &intention, error);
}

/* --- proposals --- */

static json_t *new_content(Fsc *fsc, json_t *grants, gint64 not_before, gint64 not_after)
{
    char iv[UUID_TEXT_SIZE];
    uuid7_new(node_clock(fsc->node), iv);
    return json_pack("{s:s, s:s, s:s, s:{s:I, s:I}, s:o, s:s, s:I}", "fsc_version", FSC_VERSION, "iv", iv,
                     "group_id", node_group_id(fsc->node), "validity", "not_before", (json_int_t)not_before,
                     "not_after", (json_int_t)not_after, "grants", grants, "hash_algorithm",
                     FSC_HASH_ALGORITHM, "created_at", (json_int_t)fsc_now_s(fsc));
}

static gboolean proposal_is_allowed(const Fsc *fsc, const Contract *contract, GError **error)
{
    ContractRules rules = {.now_s = fsc_now_s(fsc),
                           .group_id = node_group_id(fsc->node),
                           .own_peer_id = node_oin(fsc->node),
                           .submitter = node_oin(fsc->node),
                           .offered_services = fsc->services};
    return rules_contract_check(contract, &rules, error);
}

static gboolean store_proposal(Fsc *fsc, Db *db, const Contract *contract, const SigningActor *actor,
                               GError **error)
{
    gint64 id;
    if (!write_down(fsc, db, actor, "fsc.contract.propose", contract->hash, "done", error) ||
        !fsc_store_contract(db, contract, fsc_now_ms(fsc), &id, error))
        return FALSE;
    g_autofree char *jws = sign_and_store(fsc, db, contract, id, SIGNATURE_ACCEPT, error);
    return jws != NULL && distribute_contract(fsc, db, contract, jws, error);
}

/* With four eyes the content waits as it is, so that what is confirmed is what was meant, to the byte. */
static gboolean intend_proposal(Fsc *fsc, Db *db, const Contract *contract, const SigningActor *actor,
                                GError **error)
{
    g_autofree char *content = jcs_write(contract->content, error);
    return content != NULL && intend(fsc, db, contract->hash, SIGNATURE_ACCEPT, content, actor, error) &&
           write_down(fsc, db, actor, "fsc.contract.propose", contract->hash, "intended", error);
}

Contract *signing_propose(Fsc *fsc, json_t *grant_data, gint64 not_before, gint64 not_after,
                          const SigningActor *actor, SigningOutcome *outcome, GError **error)
{
    return signing_propose_grants(fsc, json_pack("[{s:o}]", "data", grant_data), not_before, not_after, actor,
                                  outcome, error);
}

Contract *signing_propose_grants(Fsc *fsc, json_t *grants, gint64 not_before, gint64 not_after,
                                 const SigningActor *actor, SigningOutcome *outcome, GError **error)
{
    g_autoptr(json_t) content = new_content(fsc, grants, not_before, not_after);
    g_autoptr(Contract) contract = contract_parse(content, error);
    if (contract == NULL || !proposal_is_allowed(fsc, contract, error))
        return NULL;
    *outcome = needs_two(fsc) ? SIGNING_INTENDED : SIGNING_PLACED;
    g_autoptr(Db) db = store_take(node_store(fsc->node), error);
    if (db == NULL || !db_begin(db, error) ||
        !(*outcome == SIGNING_INTENDED ? intend_proposal(fsc, db, contract, actor, error)
                                       : store_proposal(fsc, db, contract, actor, error)) ||
        !db_commit(db, error))
        return NULL;
    g_clear_pointer(&db, db_release);
    if (*outcome == SIGNING_PLACED)
        fsc_contract_changed(fsc, contract->hash);
    return g_steal_pointer(&contract);
}

/* --- decisions --- */

/* What a person may still do in each state. After an end nothing can be decided; a revoke is for what is or
 * may become valid. */
static gboolean decision_makes_sense(ContractState state, SignatureType type)
{
    static const gboolean allowed[CONTRACT_STATE_COUNT][SIGNATURE_TYPE_COUNT] = {
        [CONTRACT_PROPOSED] =
            {[SIGNATURE_ACCEPT] = TRUE, [SIGNATURE_REJECT] = TRUE, [SIGNATURE_REVOKE] = TRUE},
        [CONTRACT_ACCEPTED] = {[SIGNATURE_ACCEPT] = TRUE, [SIGNATURE_REVOKE] = TRUE},
        [CONTRACT_VALID] = {[SIGNATURE_ACCEPT] = TRUE, [SIGNATURE_REVOKE] = TRUE},
    };
    return allowed[state][type];
}

static gboolean decision_is_possible(const Fsc *fsc, const StoredContract *stored, SignatureType type,
                                     GError **error)
{
    ContractState state = stored_contract_state(stored, fsc_now_s(fsc));
    if (decision_makes_sense(state, type))
        return TRUE;
    g_set_error(error, FUNDAMENT_ERROR, FUNDAMENT_ERROR_RULE,
                "the contract is %s: it cannot be %s%s any more", contract_state_name(state),
                signature_type_name(type), type == SIGNATURE_REVOKE ? "d" : "ed");
    return FALSE;
}

gboolean signing_allows(ContractState state, SignatureType type)
{
    return decision_makes_sense(state, type);
}

static gboolean place_decision(Fsc *fsc, Db *db, const char *content_hash, SignatureType type, GError **error)
{
    g_autoptr(StoredContract) stored = fsc_store_load(db, content_hash, error);
    return stored != NULL && decision_is_possible(fsc, stored, type, error) &&
           signing_place(fsc, db, stored->contract, stored->id, type, error);
}

/* A proposal that waited for its second signer. The rules are asked again: time has passed. */
static gboolean place_proposal(Fsc *fsc, Db *db, const char *content, const SigningActor *actor,
                               GError **error)
{
    g_autoptr(Contract) contract = contract_parse_text(content, error);
    return contract != NULL && proposal_is_allowed(fsc, contract, error) &&
           store_proposal(fsc, db, contract, actor, error);
}

static gboolean decide_now(Fsc *fsc, Db *db, const char *content_hash, SignatureType type,
                           const SigningActor *actor, GError **error)
{
    g_autofree char *action = g_strconcat("fsc.contract.", signature_type_name(type), NULL);
    return write_down(fsc, db, actor, action, content_hash, "done", error) &&
           place_decision(fsc, db, content_hash, type, error);
}

/* The first of two. */
static gboolean decide_later(Fsc *fsc, Db *db, const char *content_hash, SignatureType type,
                             const SigningActor *actor, GError **error)
{
    g_autofree char *action = g_strconcat("fsc.contract.", signature_type_name(type), NULL);
    g_autoptr(StoredContract) stored = fsc_store_load(db, content_hash, error);
    return stored != NULL && decision_is_possible(fsc, stored, type, error) &&
           intend(fsc, db, content_hash, type, NULL, actor, error) &&
           write_down(fsc, db, actor, action, content_hash, "intended", error);
}

/* The second of two. */
static gboolean confirm(Fsc *fsc, Db *db, const Intention *intention, const SigningActor *actor,
                        GError **error)
{
    gboolean taken = FALSE;
    if (strcmp(intention->actor, actor->name) == 0) {
        g_set_error(error, FUNDAMENT_ERROR, FUNDAMENT_ERROR_RULE,
                    "four eyes: %s has asked for this already; another signer has to confirm it",
                    actor->name);
        return FALSE;
    }
    if (!intentions_take(db, intention, &taken, error))
        return FALSE;
    if (!taken) {
        g_set_error_literal(error, FUNDAMENT_ERROR, FUNDAMENT_ERROR_CONFLICT,
                            "somebody else confirmed this at the same time");
        return FALSE;
    }
    return intention->content != NULL
               ? place_proposal(fsc, db, intention->content, actor, error)
               : decide_now(fsc, db, intention->contract_hash, intention->type, actor, error);
}

static gboolean decide_with_two(Fsc *fsc, Db *db, const char *content_hash, SignatureType type,
                                const SigningActor *actor, SigningOutcome *outcome, GError **error)
{
    GError *fault = NULL;
    if (!intentions_forget(db, fsc_now_ms(fsc), error))
        return FALSE;
    g_autoptr(Intention) intention = intentions_find(db, content_hash, type, fsc_now_ms(fsc), &fault);
    if (fault != NULL) {
        g_propagate_error(error, fault);
        return FALSE;
    }
    *outcome = intention != NULL ? SIGNING_PLACED : SIGNING_INTENDED;
    return intention != NULL ? confirm(fsc, db, intention, actor, error)
                             : decide_later(fsc, db, content_hash, type, actor, error);
}

gboolean signing_decide(Fsc *fsc, const char *content_hash, SignatureType type, const SigningActor *actor,
                        SigningOutcome *outcome, GError **error)
{
    *outcome = SIGNING_PLACED;
    g_autoptr(Db) db = store_take(node_store(fsc->node), error);
    if (db == NULL || !db_begin(db, error) ||
        !(needs_two(fsc) ? decide_with_two(fsc, db, content_hash, type, actor, outcome, error)
                         : decide_now(fsc, db, content_hash, type, actor, error)) ||
        !db_commit(db, error))
        return FALSE;
    g_clear_pointer(&db, db_release);
    if (*outcome == SIGNING_PLACED)
        fsc_contract_changed(fsc, content_hash);
    return TRUE;
}

/* Nothing was signed, so that one signer is enough. */
static gboolean withdraw(Fsc *fsc, Db *db, const char *content_hash, SignatureType type,
                         const SigningActor *actor, GError **error)
{
    GError *fault = NULL;
    gboolean taken = FALSE;
    g_autoptr(Intention) intention = intentions_find(db, content_hash, type, fsc_now_ms(fsc), &fault);
    if (fault != NULL) {
        g_propagate_error(error, fault);
        return FALSE;
    }
    if (intention == NULL) {
        g_set_error_literal(error, FUNDAMENT_ERROR, FUNDAMENT_ERROR_NOT_FOUND,
                            "nothing waits for a second signer there any more");
        return FALSE;
    }
    g_autofree char *action = g_strconcat("fsc.contract.", signature_type_name(type), ".withdraw", NULL);
    return intentions_take(db, intention, &taken, error) &&
           write_down(fsc, db, actor, action, content_hash, "done", error);
}

gboolean signing_withdraw(Fsc *fsc, const char *content_hash, SignatureType type, const SigningActor *actor,
                          GError **error)
{
    g_autoptr(Db) db = store_take(node_store(fsc->node), error);
    return db != NULL && db_begin(db, error) && withdraw(fsc, db, content_hash, type, actor, error) &&
           db_commit(db, error);
}
