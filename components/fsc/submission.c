/* A contract or a signature that another Manager brings: the whole order of checks (docs/fsc-readings.md,
 * 13), then storage.
 *
 *   shape of the body, contract_parse() (version, hash algorithm, schema), rules_contract_check(), hash in
 * the path, signature_parse(), the certificate, signature_verify(); then in one transaction the contract when
 * it is new, the certificate, the signature, who was seen, and our own accept when we give it unasked.
 */
#include "components/fsc/internal.h"

#include "components/fsc/rules_contract.h"
#include "components/fsc/verdict.h"
#include "core/base/error.h"
#include "core/format/json.h"

static const JsonField body_fields[] = {
    {"content", JSON_KIND_OBJECT, TRUE},
    {"signature", JSON_KIND_STRING, TRUE},
};

static gboolean body_is_sound(const json_t *body, GError **error)
{
    g_autoptr(GError) why = NULL;
    if (json_check_object(body, "", JSON_FIELDS(body_fields), &why))
        return TRUE;
    g_set_error_literal(error, FSC_VERDICT, VERDICT_SCHEMA, why->message);
    return FALSE;
}

static gboolean contract_is_known(Fsc *fsc, const Contract *contract, gboolean *known, GError **error)
{
    g_autoptr(GError) why = NULL;
    g_autoptr(Db) db = store_take(node_store(fsc->node), error);
    if (db == NULL)
        return FALSE;
    g_autoptr(StoredContract) stored = fsc_store_load(db, contract->hash, &why);
    *known = stored != NULL;
    if (stored != NULL || g_error_matches(why, FUNDAMENT_ERROR, FUNDAMENT_ERROR_NOT_FOUND))
        return TRUE;
    g_propagate_error(error, g_steal_pointer(&why));
    return FALSE;
}

static gboolean check_contract(Fsc *fsc, const Submission *submission, const Contract *contract,
                               GError **error)
{
    ContractRules rules = {.now_s = fsc_now_s(fsc),
                           .group_id = node_group_id(fsc->node),
                           .own_peer_id = node_oin(fsc->node),
                           .submitter = certificate_peer_id(submission->certificate),
                           .offered_services = fsc->services};
    if (!contract_is_known(fsc, contract, &rules.known, error) ||
        !rules_contract_check(contract, &rules, error))
        return FALSE;
    if (submission->url_hash != NULL && !g_str_equal(submission->url_hash, contract->hash))
        return verdict_set(error, VERDICT_URL_HASH, NULL);
    return TRUE;
}

typedef struct {
    const Submission *submission;
    const Contract *contract;
    const Signature *signature;
    const Certificate *certificate; /* under the signature */
    const char *jws;
} Verified;

static gboolean accept_when_welcome(Fsc *fsc, Db *db, const Verified *verified, gint64 contract_id,
                                    GError **error)
{
    g_autoptr(StoredContract) stored = fsc_store_load(db, verified->contract->hash, error);
    if (stored == NULL)
        return FALSE;
    return !signing_is_welcome(fsc, stored) ||
           signing_place(fsc, db, verified->contract, contract_id, SIGNATURE_ACCEPT, error);
}

static gboolean store_all(Fsc *fsc, Db *db, const Verified *verified, GError **error)
{
    gint64 id, now_ms = fsc_now_ms(fsc);
    const Submission *submission = verified->submission;
    if (!fsc_store_contract(db, verified->contract, now_ms, &id, error) ||
        !fsc_store_put_certificate(db, verified->certificate, PURPOSE_PEER, error))
        return FALSE;
    NewSignature signature = {.contract_id = id,
                              .peer_id = certificate_peer_id(verified->certificate),
                              .type = submission->type,
                              .signed_at = verified->signature->signed_at,
                              .thumbprint = certificate_thumbprint(verified->certificate),
                              .jws = verified->jws};
    return fsc_store_signature(db, &signature, now_ms, error) &&
           peers_seen(fsc, db, submission->certificate, submission->manager_address, error) &&
           accept_when_welcome(fsc, db, verified, id, error);
}

static gboolean store_verified(Fsc *fsc, const Verified *verified, GError **error)
{
    g_autoptr(Db) db = store_take(node_store(fsc->node), error);
    if (db == NULL || !db_begin(db, error) || !store_all(fsc, db, verified, error) || !db_commit(db, error))
        return FALSE;
    g_clear_pointer(&db, db_release);
    fsc_contract_changed(fsc, verified->contract->hash);
    return TRUE;
}

gboolean submission_receive(Fsc *fsc, const Submission *submission, const json_t *body, GError **error)
{
    if (!body_is_sound(body, error))
        return FALSE;
    const char *jws = json_string_at(body, "signature");
    const char *submitter = certificate_peer_id(submission->certificate);
    g_autoptr(Contract) contract = contract_parse(json_object_get(body, "content"), error);
    if (contract == NULL || !check_contract(fsc, submission, contract, error))
        return FALSE;
    g_autoptr(Signature) signature =
        signature_parse(jws, contract->hash, submission->type, fsc_now_s(fsc), error);
    if (signature == NULL)
        return FALSE;
    g_autoptr(Certificate) certificate =
        peers_certificate(fsc, submitter, submission->manager_address, signature->jws->thumbprint, error);
    g_autoptr(TrustAnchors) anchors = node_anchors(fsc->node);
    if (certificate == NULL ||
        !signature_verify(signature, certificate, anchors, submitter, fsc_now_s(fsc), error))
        return FALSE;
    Verified verified = {submission, contract, signature, certificate, jws};
    return store_verified(fsc, &verified, error);
}
