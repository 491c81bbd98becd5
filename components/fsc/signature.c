#include "components/fsc/signature.h"

#include "components/fsc/rules_contract.h"
#include "components/fsc/verdict.h"
#include "core/base/bytes.h"
#include "core/format/json.h"

#include <string.h>

static const char *const type_names[SIGNATURE_TYPE_COUNT] = {"accept", "reject", "revoke"};

static const JsonField payload_fields[] = {
    {"contract_content_hash", JSON_KIND_STRING, TRUE},
    {"type", JSON_KIND_STRING, TRUE},
    {"signed_at", JSON_KIND_INTEGER, TRUE},
};

const char *signature_type_name(SignatureType type)
{
    return type_names[type];
}

gboolean signature_type_find(const char *name, SignatureType *type)
{
    for (gsize i = 0; i < G_N_ELEMENTS(type_names); i++)
        if (g_strcmp0(name, type_names[i]) == 0) {
            *type = (SignatureType)i;
            return TRUE;
        }
    return FALSE;
}

void signature_free(Signature *signature)
{
    if (signature == NULL)
        return;
    jws_free(signature->jws);
    g_free(signature);
}

/* 4.2.4: "The Validation MUST be done every time a Peer receives a signature." */
static gboolean check_payload(Signature *signature, const char *content_hash, SignatureType expected,
                              gint64 now_s, GError **error)
{
    const json_t *payload = signature->jws->payload;
    g_autoptr(GError) why = NULL;
    if (!json_check_object(payload, "signature payload", JSON_FIELDS(payload_fields), &why))
        return verdict_because(error, VERDICT_SIGNATURE_SYNTAX, why);
    if (!g_str_equal(json_string_at(payload, "contract_content_hash"), content_hash))
        return verdict_set(error, VERDICT_SIGNATURE_HASH, NULL);
    if (!signature_type_find(json_string_at(payload, "type"), &signature->type) ||
        signature->type != expected)
        return verdict_set(error, VERDICT_SIGNATURE_TYPE, NULL);
    signature->signed_at = json_integer_at(payload, "signed_at");
    if (signature->signed_at < 0 || signature->signed_at > now_s + CONTRACT_CLOCK_TOLERANCE_S)
        return verdict_set(error, VERDICT_SIGNATURE_TIME, NULL);
    return TRUE;
}

Signature *signature_parse(const char *compact, const char *content_hash, SignatureType expected,
                           gint64 now_s, GError **error)
{
    g_autoptr(GError) why = NULL;
    g_autoptr(Signature) signature = g_new0(Signature, 1);
    signature->jws = jws_parse(compact, &why);
    if (signature->jws == NULL) {
        /* 4.2.3: one of six algorithms; the others have a code of their own. */
        gboolean algorithm = g_error_matches(why, JWS_ERROR, JWS_ERROR_ALGORITHM);
        verdict_because(error, algorithm ? VERDICT_SIGNATURE_ALGORITHM : VERDICT_SIGNATURE_SYNTAX, why);
        return NULL;
    }
    if (!check_payload(signature, content_hash, expected, now_s, error))
        return NULL;
    return g_steal_pointer(&signature);
}

gboolean signature_verify(const Signature *signature, const Certificate *certificate,
                          const TrustAnchors *anchors, const char *submitter, gint64 now_s, GError **error)
{
    g_autoptr(GError) why = NULL;
    if (!trust_anchors_verify(anchors, certificate, now_s, &why))
        return verdict_because(error, VERDICT_CERTIFICATE_UNTRUSTED, why);
    if (g_strcmp0(certificate_peer_id(certificate), submitter) != 0)
        return verdict_set(error, VERDICT_SIGNATURE_PEER, NULL);
    if (!jws_verify(signature->jws, certificate, &why))
        return verdict_because(error, VERDICT_SIGNATURE_WRONG, why);
    return TRUE;
}

char *signature_make(const char *content_hash, SignatureType type, gint64 now_s, const Key *key,
                     const Certificate *certificate, GError **error)
{
    g_autoptr(json_t) payload = json_pack("{s:s, s:s, s:I}", "contract_content_hash", content_hash, "type",
                                          signature_type_name(type), "signed_at", (json_int_t)now_s);
    return jws_sign(payload, key, certificate, NULL, error);
}
