#include "core/node/statement.h"

#include <string.h>

#include "core/base/bytes.h"
#include "core/base/error.h"
#include "core/base/identifiers.h"
#include "core/crypto/jws.h"
#include "core/format/json.h"

#define LIFETIME_S 60
#define TOLERANCE_S 10
#define TYPE                                                                                                 \
    "fundament-statement+jwt" /* RFC 8725 3.11: other tokens under the same key must not pass for statements \
                               */
#define CHAIN_MAX 10

static const JsonField outer_fields[] = {
    {"jws", JSON_KIND_STRING, TRUE},
    {"x5c", JSON_KIND_ARRAY, TRUE},
};

static const JsonField claims[] = {
    {"iss", JSON_KIND_STRING, TRUE},  {"aud", JSON_KIND_STRING, TRUE},  {"sub", JSON_KIND_STRING, TRUE},
    {"act", JSON_KIND_OBJECT, FALSE}, {"iat", JSON_KIND_INTEGER, TRUE}, {"exp", JSON_KIND_INTEGER, TRUE},
    {"jti", JSON_KIND_STRING, TRUE},
};

static const JsonField actor_fields[] = {{"sub", JSON_KIND_STRING, TRUE}};

static gboolean denied(GError **error, const char *why)
{
    g_set_error(error, FUNDAMENT_ERROR, FUNDAMENT_ERROR_DENIED,
                "the statement of the sign-in provider is refused: %s", why);
    return FALSE;
}

static gboolean invalid(GError **error, const char *why)
{
    g_set_error(error, FUNDAMENT_ERROR, FUNDAMENT_ERROR_INVALID,
                "the statement of the sign-in provider is malformed: %s", why);
    return FALSE;
}

/* --- making --- */

static json_t *claims_of(Node *node, const Session *session, const char *audience_oin)
{
    char jti[UUID_TEXT_SIZE];
    gint64 now = clock_now_s(node_clock(node));
    uuid7_new(node_clock(node), jti);
    json_t *payload =
        json_pack("{s:s, s:s, s:s, s:I, s:I, s:s}", "iss", node_oin(node), "aud", audience_oin, "sub",
                  session->subject, "iat", (json_int_t)now, "exp", (json_int_t)now + LIFETIME_S, "jti", jti);
    if (session->actor != NULL)
        json_object_set_new(payload, "act", json_pack("{s:s}", "sub", session->actor));
    return payload;
}

json_t *statement_new(Node *node, const Session *session, const char *audience_oin, GError **error)
{
    const Key *key = node_key(node, ROLE_TOKEN);
    const Certificate *certificate = node_certificate(node, ROLE_TOKEN);
    if (key == NULL || certificate == NULL) {
        g_set_error_literal(error, FUNDAMENT_ERROR, FUNDAMENT_ERROR_NOT_FOUND,
                            "this node has no token.key and token.crt to sign statements with");
        return NULL;
    }
    g_autoptr(json_t) payload = claims_of(node, session, audience_oin);
    g_autofree char *jws = jws_sign(payload, key, certificate, TYPE, error);
    if (jws == NULL)
        return NULL;
    json_t *chain = json_array();
    g_autoptr(GPtrArray) x5c = certificate_x5c(certificate);
    for (guint i = 0; i < x5c->len; i++)
        json_array_append_new(chain, json_string(x5c->pdata[i]));
    return json_pack("{s:s, s:o}", "jws", jws, "x5c", chain);
}

/* --- checking --- */

static Certificate *signer_of(const json_t *statement, GError **error)
{
    const json_t *x5c = json_object_get(statement, "x5c");
    const char *chain[CHAIN_MAX];
    gsize count = json_array_size(x5c);
    if (count < 1 || count > CHAIN_MAX) {
        invalid(error, "x5c holds 1 to 10 certificates");
        return NULL;
    }
    for (gsize i = 0; i < count; i++) {
        chain[i] = json_string_value(json_array_get(x5c, i));
        if (chain[i] == NULL) {
            invalid(error, "x5c holds strings");
            return NULL;
        }
    }
    return certificate_from_x5c(chain, count, error);
}

static gboolean check_shape(const Jws *jws, GError **error)
{
    if (!json_check_object(jws->payload, "statement", JSON_FIELDS(claims), error))
        return FALSE;
    const json_t *act = json_object_get(jws->payload, "act");
    if (act != NULL && !json_check_object(act, "statement.act", JSON_FIELDS(actor_fields), error))
        return FALSE;
    if (!bsn_valid(json_string_at(jws->payload, "sub")) ||
        (act != NULL && !bsn_valid(json_string_at(act, "sub"))))
        return invalid(error, "sub is no BSN");
    if (!uuid7_valid(json_string_at(jws->payload, "jti")))
        return invalid(error, "jti is no UUIDv7");
    return TRUE;
}

static gboolean check_signature(Node *node, const Jws *jws, const Certificate *signer, GError **error)
{
    g_autoptr(TrustAnchors) anchors = node_anchors(node);
    const json_t *type = json_object_get(jws->header, "typ");
    if (!json_is_string(type) || strcmp(json_string_value(type), TYPE) != 0)
        return denied(error, "its typ is not " TYPE);
    if (!jws_verify(jws, signer, NULL))
        return denied(error, "the signature is not right");
    if (anchors == NULL)
        return denied(error, "this node has no trust anchors");
    return trust_anchors_verify(anchors, signer, clock_now_s(node_clock(node)), error);
}

static gboolean check_claims(Node *node, const json_t *payload, const Certificate *signer,
                             const char *const *issuers, GError **error)
{
    const char *issuer = json_string_at(payload, "iss");
    const char *peer = certificate_peer_id(signer);
    gint64 now = clock_now_s(node_clock(node));
    gint64 issued = json_integer_at(payload, "iat");
    gint64 expires = json_integer_at(payload, "exp");
    if (peer == NULL || strcmp(peer, issuer) != 0)
        return denied(error, "the signer is not its issuer");
    if (!g_strv_contains(issuers, issuer))
        return denied(error, "this node does not accept statements of its issuer");
    if (strcmp(json_string_at(payload, "aud"), node_oin(node)) != 0)
        return denied(error, "it is meant for another organisation");
    if (expires < issued || expires - issued > LIFETIME_S)
        return denied(error, "it is valid for more than 60 s");
    if (issued > now + TOLERANCE_S)
        return denied(error, "it is from the future; compare the clocks");
    if (expires < now - TOLERANCE_S)
        return denied(error, "it has expired");
    return TRUE;
}

/* Each statement is good once; what was used is kept until it would be refused for its time anyway. */
static gboolean use_up(Node *node, const json_t *payload, GError **error)
{
    g_autoptr(GError) failure = NULL;
    g_autoptr(Db) db = store_take(node_store(node), error);
    if (db == NULL)
        return FALSE;
    g_autofree char *jti = g_ascii_strdown(json_string_at(payload, "jti"), -1);
    if (db_run(db, &failure, "INSERT INTO node_statements (issuer, jti, expires_s) VALUES (?1, ?2, ?3)",
               value_text(json_string_at(payload, "iss")), value_text(jti),
               value_integer(json_integer_at(payload, "exp"))))
        return TRUE;
    if (g_error_matches(failure, FUNDAMENT_ERROR, FUNDAMENT_ERROR_CONFLICT))
        return denied(error, "it was used before");
    g_propagate_error(error, g_steal_pointer(&failure));
    return FALSE;
}

static Statement *statement_from(const json_t *payload)
{
    Statement *result = g_new0(Statement, 1);
    const json_t *act = json_object_get(payload, "act");
    result->issuer = g_strdup(json_string_at(payload, "iss"));
    result->subject = g_strdup(json_string_at(payload, "sub"));
    result->actor = act == NULL ? NULL : g_strdup(json_string_at(act, "sub"));
    return result;
}

Statement *statement_verify(Node *node, const json_t *statement, const char *const *issuers, GError **error)
{
    g_autoptr(GError) fault = NULL;
    if (!json_check_object(statement, "statement", JSON_FIELDS(outer_fields), error))
        return NULL;
    g_autoptr(Jws) jws = jws_parse(json_string_at(statement, "jws"), &fault);
    if (jws == NULL) {
        invalid(error, fault->message);
        return NULL;
    }
    g_autoptr(Certificate) signer = signer_of(statement, error);
    if (signer == NULL || !check_shape(jws, error) || !check_signature(node, jws, signer, error) ||
        !check_claims(node, jws->payload, signer, issuers, error) || !use_up(node, jws->payload, error))
        return NULL;
    return statement_from(jws->payload);
}

void statement_free(Statement *statement)
{
    if (statement == NULL)
        return;
    g_free(statement->issuer);
    if (statement->subject != NULL)
        secret_wipe(statement->subject, strlen(statement->subject));
    if (statement->actor != NULL)
        secret_wipe(statement->actor, strlen(statement->actor));
    g_free(statement->subject);
    g_free(statement->actor);
    g_free(statement);
}
