#include "components/logboek/decision.h"

#include <string.h>

#include "core/base/error.h"
#include "core/base/identifiers.h"
#include "core/crypto/digest.h"
#include "core/format/jcs.h"
#include "core/format/json.h"

static const JsonField record_fields[] = {
    {"trace_id", JSON_KIND_STRING, TRUE},        {"span_id", JSON_KIND_STRING, TRUE},
    {"parent_span_id", JSON_KIND_STRING, FALSE}, {"event_name", JSON_KIND_STRING, TRUE},
    {"timestamp", JSON_KIND_INTEGER, TRUE},      {"status", JSON_KIND_STRING, TRUE},
    {"attributes", JSON_KIND_OBJECT, FALSE},     {"resource", JSON_KIND_OBJECT, FALSE},
    {"body", JSON_KIND_OBJECT, FALSE},
};

/* 3.3.4 */
static const char *const event_names[] = {"adl.access_evaluation", "adl.access_evaluations",
                                          "adl.search_subject",    "adl.search_action",
                                          "adl.search_resource",   NULL};
/* 3.3.6 */
static const char *const statuses[] = {"Unset", "Ok", "Error", NULL};

/* 3.3.7 and 3.3.8: what is either raw in the body or by reference in the attributes. `raw` are members by
 * which a raw AuthZEN request or response is known. */
static const struct {
    const char *name;
    const char *raw[3];
} core_fields[] = {
    {"adl.core.request", {"subject", "action", "evaluations"}},
    {"adl.core.response", {"decision", "results", "evaluations"}},
    {"adl.core.policies", {NULL}},
    {"adl.core.information", {NULL}},
    {"adl.core.configuration", {NULL}},
};

#define TRANSACTION_ID "adl.fsc.transaction_id"

static gboolean refuse(GError **error, const char *field, const char *why)
{
    g_set_error(error, FUNDAMENT_ERROR, FUNDAMENT_ERROR_INVALID, "%s: %s", field, why);
    return FALSE;
}

/* 3.3.1, 3.3.2: "MUST be encoded as 32 lowercase hexadecimal characters", 16 for spans. */
static gboolean check_ids(const json_t *record, GError **error)
{
    const char *parent = json_string_at(record, "parent_span_id");
    if (!trace_id_valid(json_string_at(record, "trace_id")))
        return refuse(error, "trace_id", "must be 32 lower-case hexadecimal digits, not all zero");
    if (!span_id_valid(json_string_at(record, "span_id")))
        return refuse(error, "span_id", "must be 16 lower-case hexadecimal digits, not all zero");
    if (parent != NULL && !span_id_valid(parent))
        return refuse(error, "parent_span_id", "must be 16 lower-case hexadecimal digits, not all zero");
    return TRUE;
}

static gboolean check_words(const json_t *record, GError **error)
{
    if (!g_strv_contains(event_names, json_string_at(record, "event_name")))
        return refuse(error, "event_name", "must be one of the five of ADL 1.0.0, 3.3.4");
    if (json_integer_at(record, "timestamp") < 0)
        return refuse(error, "timestamp", "must be milliseconds since 1970, not negative");
    if (!g_strv_contains(statuses, json_string_at(record, "status")))
        return refuse(error, "status", "must be Unset, Ok or Error");
    return TRUE;
}

/* 3.3.7: "Each adl.core.* entry in attributes MUST be a source reference ... Raw payloads MUST NOT be inlined
 * in attributes". A reference is compact (3.5), and no request or response itself. */
static gboolean check_reference(const json_t *value, const char *name, const char *const raw[3],
                                GError **error)
{
    g_autofree char *field = g_strconcat("attributes.", name, NULL);
    if (!json_is_object(value))
        return refuse(error, field, "must be an object");
    for (gsize i = 0; i < 3 && raw[i] != NULL; i++)
        if (json_object_get(value, raw[i]) != NULL)
            return refuse(error, field, "must be a reference; what is raw belongs in body");
    g_autofree char *text = jcs_write(value, NULL);
    return (text != NULL && strlen(text) <= DECISION_REFERENCE_MAX) ||
           refuse(error, field, "is longer than a reference may be (4096 bytes)");
}

static gboolean check_core(const json_t *attributes, const json_t *body, GError **error)
{
    for (gsize i = 0; i < G_N_ELEMENTS(core_fields); i++) {
        const char *name = core_fields[i].name;
        const json_t *reference = json_object_get(attributes, name), *raw = json_object_get(body, name);
        if (reference != NULL && raw != NULL) /* 3.3.7 */
            return refuse(error, name, "must not stand both in body and in attributes");
        if (reference != NULL && !check_reference(reference, name, core_fields[i].raw, error))
            return FALSE;
        if (raw != NULL && !json_is_object(raw))
            return refuse(error, name, "must be an object");
    }
    return TRUE;
}

/* 3.3.8: the body holds these, and nothing else. */
static gboolean check_body(const json_t *body, GError **error)
{
    const char *name;
    json_t *value;
    json_object_foreach((json_t *)body, name, value)
    {
        gboolean known = FALSE;
        for (gsize i = 0; i < G_N_ELEMENTS(core_fields); i++)
            known |= g_str_equal(name, core_fields[i].name);
        if (!known)
            return refuse(error, "body", "holds a member that is none of adl.core.*");
    }
    return TRUE;
}

/* 3.3.7.2: "The response MUST be retrievable when status is Unset or Ok"; 3.3.6: a denial "MUST NOT be
 * reported as Error". */
static gboolean check_response(const json_t *record, const json_t *attributes, const json_t *body,
                               GError **error)
{
    gboolean failed = g_str_equal(json_string_at(record, "status"), "Error");
    const json_t *response = json_object_get(body, "adl.core.response");
    if (!failed && response == NULL && json_object_get(attributes, "adl.core.response") == NULL)
        return refuse(error, "adl.core.response", "must be there unless status is Error");
    if (failed && json_is_boolean(json_object_get(response, "decision")))
        return refuse(error, "status", "a decision was made, so it is not Error");
    return TRUE;
}

gboolean decision_check(const json_t *record, GError **error)
{
    const json_t *attributes = json_object_get(record, "attributes"), *body = json_object_get(record, "body");
    const json_t *transaction = json_object_get(attributes, TRANSACTION_ID);
    if (!json_check_object(record, "", JSON_FIELDS(record_fields), error) || !check_ids(record, error) ||
        !check_words(record, error))
        return FALSE;
    /* 3.3.7.6, and Digikoppeling REST API: the id of a transaction is a UUIDv7. */
    if (transaction != NULL && !uuid7_valid(json_string_value(transaction)))
        return refuse(error, "attributes." TRANSACTION_ID, "must be the UUIDv7 of an FSC transaction");
    return check_body(body, error) && check_core(attributes, body, error) &&
           check_response(record, attributes, body, error);
}

GBytes *decision_encode(const json_t *record, GError **error)
{
    char *text = jcs_write(record, error);
    if (text == NULL)
        return NULL;
    gsize length = strlen(text);
    if (length <= DECISION_MAX)
        return g_bytes_new_take(text, length);
    g_free(text);
    g_set_error(error, FUNDAMENT_ERROR, FUNDAMENT_ERROR_INVALID, "the record is longer than %d bytes",
                DECISION_MAX);
    return NULL;
}

json_t *decision_decode(const guint8 *data, gsize length, GError **error)
{
    g_autoptr(json_t) record = json_parse_strict((const char *)data, (gssize)length, NULL, error);
    if (record == NULL || !decision_check(record, error))
        return NULL;
    g_autoptr(GBytes) again = decision_encode(record, error);
    if (again == NULL)
        return NULL;
    if (g_bytes_get_size(again) == length && memcmp(g_bytes_get_data(again, NULL), data, length) == 0)
        return g_steal_pointer(&record);
    g_set_error(error, FUNDAMENT_ERROR, FUNDAMENT_ERROR_INVALID, "the record is not in canonical form");
    return NULL;
}

void decision_key(const json_t *record, guint8 key[KEY_SIZE])
{
    guint8 digest[SHA256_SIZE];
    g_autofree char *ids =
        g_strconcat(json_string_at(record, "trace_id"), json_string_at(record, "span_id"), NULL);
    sha256(ids, strlen(ids), digest);
    memcpy(key, digest, KEY_SIZE);
}

guint64 decision_digest(const guint8 *data, gsize length)
{
    guint8 digest[SHA256_SIZE];
    guint64 first;
    sha256(data, length, digest);
    memcpy(&first, digest, sizeof first);
    return GUINT64_FROM_BE(first);
}

static const char *attribute(const json_t *record, const char *name)
{
    return json_string_value(json_object_get(json_object_get(record, "attributes"), name));
}

const char *decision_word(const json_t *record)
{
    const char *verdict = attribute(record, LOGBOEK_DECISION_VERDICT);
    const json_t *response = json_object_get(json_object_get(record, "body"), "adl.core.response");
    const json_t *decision = json_object_get(response, "decision");
    if (verdict != NULL)
        return verdict;
    if (g_str_equal(json_string_at(record, "status"), "Error"))
        return "error";
    return json_is_true(decision) ? "true" : json_is_false(decision) ? "false" : "other";
}

const char *decision_rule(const json_t *record)
{
    return attribute(record, LOGBOEK_DECISION_RULE);
}

const char *decision_transaction_id(const json_t *record)
{
    return attribute(record, TRANSACTION_ID);
}
