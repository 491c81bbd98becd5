/* A contract or a signature that another Manager brings: the whole order of checks (docs/fsc-readings.md,
 * 13), then storage.
 *
 *   shape of the body, contract_parse() (version, hash algorithm, schema), rules_contract_check(), hash in
 * the path, signature_parse(), the certificate, signature_verify(); then in one transaction the contract when
 * it is new, the certificate, the signature, who was seen, and our own accept when we give it unasked.
 */
#include "components/fsc/internal.h"

#include "components/fsc/policy.h"
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

static gboolean check_rules(Fsc *fsc, const Contract *contract, const char *submitter, GError **error)
{
    ContractRules rules = {.now_s = fsc_now_s(fsc),
                           .group_id = node_group_id(fsc->node),
                           .own_peer_id = node_oin(fsc->node),
                           .submitter = submitter,
                           .offered_services = fsc->services};
    return contract_is_known(fsc, contract, &rules.known, error) &&
           rules_contract_check(contract, &rules, error);
}

static gboolean check_contract(Fsc *fsc, const Submission *submission, const Contract *contract,
                               GError **error)
{
    if (!check_rules(fsc, contract, certificate_peer_id(submission->certificate), error))
        return FALSE;
    if (submission->url_hash != NULL && !g_str_equal(submission->url_hash, contract->hash))
        return verdict_set(error, VERDICT_URL_HASH, NULL);
    return TRUE;
}

/* One signature on a contract that may be there. */
typedef struct {
    const Contract *contract;
    const char *peer_id; /* who must have signed */
    SignatureType type;
    const char *jws;
    const char *address;       /* of that Peer's Manager; NULL: the known one */
    const Certificate *seen;   /* of the Manager that brought it; NULL when we fetched it ourselves */
    const TraceContext *trace; /* of the request that brought it, or NULL */
} Placement;

/* Our own accept or reject, when the policy gives it unasked. */
static gboolean apply_policy(Fsc *fsc, Db *db, const Placement *placement, GError **error)
{
    g_autoptr(StoredContract) stored = fsc_store_load(db, placement->contract->hash, error);
    return stored != NULL && policy_apply(fsc, db, stored, placement->trace, error);
}

static gboolean store_all(Fsc *fsc, Db *db, const Placement *placement, const Signature *signature,
                          const Certificate *certificate, GError **error)
{
    gint64 id, now_ms = fsc_now_ms(fsc);
    if (!fsc_store_contract(db, placement->contract, now_ms, &id, error) ||
        !fsc_store_put_certificate(db, certificate, PURPOSE_PEER, error))
        return FALSE;
    NewSignature row = {.contract_id = id,
                        .peer_id = placement->peer_id,
                        .type = placement->type,
                        .signed_at = signature->signed_at,
                        .thumbprint = certificate_thumbprint(certificate),
                        .jws = placement->jws};
    return fsc_store_signature(db, &row, now_ms, error) &&
           (placement->seen == NULL || peers_seen(fsc, db, placement->seen, placement->address, error)) &&
           apply_policy(fsc, db, placement, error);
}

/* Verifies, and stores in one transaction. */
static gboolean place(Fsc *fsc, const Placement *placement, GError **error)
{
    gint64 now_s = fsc_now_s(fsc);
    g_autoptr(Signature) signature =
        signature_parse(placement->jws, placement->contract->hash, placement->type, now_s, error);
    if (signature == NULL)
        return FALSE;
    g_autoptr(Certificate) certificate =
        peers_certificate(fsc, placement->peer_id, placement->address, signature->jws->thumbprint, error);
    g_autoptr(TrustAnchors) anchors = node_anchors(fsc->node);
    if (certificate == NULL ||
        !signature_verify(signature, certificate, anchors, placement->peer_id, now_s, error))
        return FALSE;
    g_autoptr(Db) db = store_take(node_store(fsc->node), error);
    if (db == NULL || !db_begin(db, error) || !store_all(fsc, db, placement, signature, certificate, error) ||
        !db_commit(db, error))
        return FALSE;
    g_clear_pointer(&db, db_release);
    fsc_contract_changed(fsc, placement->contract->hash);
    return TRUE;
}

gboolean submission_receive(Fsc *fsc, const Submission *submission, const json_t *body, GError **error)
{
    if (!body_is_sound(body, error))
        return FALSE;
    g_autoptr(Contract) contract = contract_parse(json_object_get(body, "content"), error);
    if (contract == NULL || !check_contract(fsc, submission, contract, error))
        return FALSE;
    Placement placement = {.contract = contract,
                           .peer_id = certificate_peer_id(submission->certificate),
                           .type = submission->type,
                           .jws = json_string_at(body, "signature"),
                           .address = submission->manager_address,
                           .seen = submission->certificate,
                           .trace = submission->trace};
    return place(fsc, &placement, error);
}

gboolean submission_may_be_merged(Fsc *fsc, const Contract *contract, const char *found_at, GError **error)
{
    return check_rules(fsc, contract, found_at, error);
}

gboolean submission_merge(Fsc *fsc, const Contract *contract, const char *peer_id, SignatureType type,
                          const char *jws, GError **error)
{
    Placement placement = {.contract = contract, .peer_id = peer_id, .type = type, .jws = jws};
    return place(fsc, &placement, error);
}
