#include "components/fsc/policy_record.h"

#include <string.h>

#include "components/fsc/internal.h"
#include "components/logboek/logboek.h"
#include "core/format/jcs.h"
#include "core/format/json.h"

#define POLICY_SOURCE "fsc-signing-policy"
#define CONTRACT_SOURCE "fsc-contract"
#define POINT_SOURCE "decision-point"
#define CONTRACT_ATTRIBUTE "nl.fundament.fsc.contract"
#define EXTERNAL_ATTRIBUTE "nl.fundament.fsc.external_contract"
/* Of a request in the record: a publication may have properties of any size, a record may not. */
#define REQUEST_MAX (16 * 1024)

const char *policy_record_event(const Contract *contract)
{
    return contract->n_grants == 1 ? "adl.access_evaluation" : "adl.access_evaluations";
}

/* External Contract 1.0.0, 2.2.2: "Maintain audit trails of validation decisions for external contract
 * references": the references stand in the record, so that they can be looked for. */
static json_t *references_of(const Contract *contract)
{
    json_t *list = json_array();
    for (gsize i = 0; i < contract->n_grants; i++) {
        ExternalReference reference;
        if (external_reference_of(&contract->grants[i], &reference))
            json_array_append_new(list, json_string(reference.reference));
    }
    return list;
}

static void add_references(json_t *attributes, const Contract *contract)
{
    g_autoptr(json_t) references = references_of(contract);
    if (json_array_size(references) > 0)
        json_object_set(attributes, EXTERNAL_ATTRIBUTE, references);
}

json_t *policy_record_attributes(const PolicyVerdict *verdict, const Contract *contract,
                                 PolicyDecision decision, const char *asked)
{
    json_t *attributes =
        json_pack("{s:{s:s}, s:{s:s}, s:{s:s}, s:s, s:s}", "adl.core.policies", POLICY_SOURCE,
                  policy_digest(verdict->policy), "adl.core.information", CONTRACT_SOURCE, contract->hash,
                  "adl.core.configuration", "fundament", FUNDAMENT_VERSION, LOGBOEK_DECISION_VERDICT,
                  policy_decision_name(decision), CONTRACT_ATTRIBUTE, contract->hash);
    if (verdict->rule != NULL)
        json_object_set_new(attributes, LOGBOEK_DECISION_RULE, json_string(verdict->rule));
    if (asked != NULL) /* 3.5.3: a logged source of the same trace is named by its span */
        json_object_set_new(json_object_get(attributes, "adl.core.information"), POINT_SOURCE,
                            json_pack("{s:s}", "span_id", asked));
    add_references(attributes, contract);
    return attributes;
}

/* Larger than fits: the properties stay in the contract, which the record refers to. */
static json_t *question_for_record(const Contract *contract, const Grant *grant, gint64 now_ms,
                                   const TraceContext *span)
{
    json_t *question = authzen_question(contract, grant, now_ms, span);
    g_autofree char *text = jcs_write(question, NULL);
    gsize allowed = REQUEST_MAX / contract->n_grants;
    if (text == NULL || strlen(text) > allowed)
        json_object_del(json_object_get(json_object_get(question, "resource"), "properties"), "properties");
    return question;
}

static json_t *response_of(gboolean permit, PolicyDecision decision, const char *rule, const char *reason)
{
    json_t *context = json_pack("{s:s, s:s}", "verdict", policy_decision_name(decision), "reason", reason);
    if (rule != NULL)
        json_object_set_new(context, "rule", json_string(rule));
    return json_pack("{s:b, s:o}", "decision", (int)permit, "context", context);
}

/* Only an accept of the whole contract lets a grant go forward; what a rule says of each stands beside it. */
json_t *policy_record_body(const PolicyVerdict *verdict, const Contract *contract, PolicyDecision decision,
                           const char *reason, gint64 now_ms, const TraceContext *span)
{
    gboolean permit = decision == POLICY_ACCEPT;
    if (contract->n_grants == 1)
        return json_pack("{s:o, s:o}", "adl.core.request",
                         question_for_record(contract, &contract->grants[0], now_ms, span),
                         "adl.core.response", response_of(permit, decision, verdict->rule, reason));
    json_t *questions = json_array(), *answers = json_array();
    for (gsize i = 0; i < contract->n_grants; i++) {
        const PolicyGrantVerdict *one = verdict->grants->pdata[i];
        json_array_append_new(questions, question_for_record(contract, &contract->grants[i], now_ms, span));
        json_array_append_new(answers, response_of(permit, one->decision, one->rule, reason));
    }
    return json_pack("{s:{s:o}, s:{s:o}}", "adl.core.request", "evaluations", questions, "adl.core.response",
                     "evaluations", answers);
}

/* --- log --- */

gboolean policy_record_append(Fsc *fsc, const Decided *decided, const TraceContext *span, GError **error)
{
    gint64 now_ms = fsc_now_ms(fsc);
    g_autoptr(json_t) attributes =
        policy_record_attributes(decided->verdict, decided->contract, decided->decision, decided->asked);
    g_autoptr(json_t) body = policy_record_body(decided->verdict, decided->contract, decided->decision,
                                                decided->reason, now_ms, span);
    LogboekDecision record = {.trace = span,
                              .event_name = policy_record_event(decided->contract),
                              .timestamp_ms = now_ms,
                              .attributes = attributes,
                              .body = body};
    return logboek_decision_append(logboek_of(fsc->node), &record, error);
}

gboolean policy_record_asked(Fsc *fsc, const PolicyVerdict *verdict, const Contract *contract,
                             const json_t *question, const AuthzenAnswer *answer, const TraceContext *span,
                             GError **error)
{
    g_autoptr(json_t) attributes =
        json_pack("{s:{s:s}, s:{s:s}, s:{s:s, s:s}, s:s, s:s}", "adl.core.policies", POLICY_SOURCE,
                  policy_digest(verdict->policy), "adl.core.information", CONTRACT_SOURCE, contract->hash,
                  "adl.core.configuration", "fundament", FUNDAMENT_VERSION, POINT_SOURCE,
                  config_text(node_config(fsc->node), "fsc", "decision_point"), LOGBOEK_DECISION_RULE,
                  verdict->rule != NULL ? verdict->rule : "", CONTRACT_ATTRIBUTE, contract->hash);
    add_references(attributes, contract);
    g_autofree char *text = jcs_write(question, NULL);
    g_autoptr(json_t) body = json_object();
    if (text != NULL && strlen(text) <= REQUEST_MAX)
        json_object_set(body, "adl.core.request", (json_t *)question);
    else
        json_object_set_new(attributes, "adl.core.request",
                            json_pack("{s:s}", CONTRACT_SOURCE, contract->hash));
    if (answer != NULL) {
        json_t *response = json_pack("{s:b}", "decision", (int)answer->decision);
        g_autofree char *context = answer->context != NULL ? jcs_write(answer->context, NULL) : NULL;
        if (context != NULL && strlen(context) <= REQUEST_MAX)
            json_object_set(response, "context", answer->context);
        json_object_set_new(body, "adl.core.response", response);
    }
    LogboekDecision record = {.trace = span,
                              .event_name = "adl.access_evaluation",
                              .timestamp_ms = fsc_now_ms(fsc),
                              .status = answer != NULL ? 0 : 2,
                              .attributes = attributes,
                              .body = body};
    return logboek_decision_append(logboek_of(fsc->node), &record, error);
}

/* --- the row --- */

void judgement_free(Judgement *judgement)
{
    if (judgement == NULL)
        return;
    g_free(judgement->verdict);
    g_free(judgement->decision);
    g_free(judgement->rule);
    g_free(judgement->reason);
    g_free(judgement->policy);
    g_free(judgement);
}

gboolean judgement_read(Db *db, gint64 contract_id, Judgement **judgement, GError **error)
{
    *judgement = NULL;
    g_autoptr(Rows) rows =
        db_query(db, error,
                 "SELECT verdict, decision, rule, reason, policy, judged_ms, trace_id, span_id "
                 "FROM fsc_judgements WHERE contract_id = ?1",
                 value_integer(contract_id));
    if (rows == NULL)
        return FALSE;
    if (!rows_next(rows))
        return TRUE;
    Judgement *one = g_new0(Judgement, 1);
    one->verdict = g_strdup(rows_text(rows, 0));
    one->decision = g_strdup(rows_text(rows, 1));
    one->rule = g_strdup(rows_text(rows, 2));
    one->reason = g_strdup(rows_text(rows, 3));
    one->policy = g_strdup(rows_text(rows, 4));
    one->judged_ms = rows_integer(rows, 5);
    g_strlcpy(one->span.trace_id, rows_text(rows, 6), sizeof one->span.trace_id);
    g_strlcpy(one->span.span_id, rows_text(rows, 7), sizeof one->span.span_id);
    one->span.flags = 1;
    *judgement = one;
    return TRUE;
}

gboolean judgement_write(Db *db, gint64 contract_id, const Decided *decided, const TraceContext *span,
                         gint64 now_ms, GError **error)
{
    gboolean waits = decided->decision == POLICY_WAIT || decided->decision == POLICY_ASK;
    return db_run(db, error,
                  "INSERT INTO fsc_judgements (contract_id, verdict, decision, rule, reason, policy, "
                  "judged_ms, trace_id, span_id, waits) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10) ON "
                  "CONFLICT (contract_id) DO UPDATE SET verdict = ?2, decision = ?3, rule = ?4, reason = ?5, "
                  "policy = ?6, judged_ms = ?7, trace_id = ?8, span_id = ?9, waits = ?10",
                  value_integer(contract_id), value_text(policy_decision_name(decided->verdict->decision)),
                  value_text(policy_decision_name(decided->decision)), value_text(decided->verdict->rule),
                  value_text(decided->reason), value_text(policy_digest(decided->verdict->policy)),
                  value_integer(now_ms), value_text(span->trace_id), value_text(span->span_id),
                  value_integer(waits));
}

/* --- what to look at again --- */

static gboolean add_hashes(Rows *rows, GPtrArray *hashes)
{
    while (rows != NULL && rows_next(rows))
        g_ptr_array_add(hashes, g_strdup(rows_text(rows, 0)));
    return rows != NULL;
}

gboolean judgements_waiting(Db *db, gint64 now_s, GPtrArray *hashes, GError **error)
{
    g_autoptr(Rows) rows = db_query(db, error,
                                    "SELECT c.hash FROM fsc_judgements j JOIN fsc_contracts c ON c.id = "
                                    "j.contract_id WHERE j.waits = 1 AND c.not_after >= ?1 ORDER BY c.id",
                                    value_integer(now_s));
    return add_hashes(rows, hashes);
}

gboolean judgements_missing(Db *db, const char *own_peer_id, gint64 now_s, GPtrArray *hashes, GError **error)
{
    g_autoptr(Rows) rows = db_query(
        db, error,
        "SELECT c.hash FROM fsc_contracts c WHERE c.not_after >= ?1 AND NOT EXISTS (SELECT 1 FROM "
        "fsc_judgements j WHERE j.contract_id = c.id) AND NOT EXISTS (SELECT 1 FROM fsc_signatures s "
        "WHERE s.contract_id = c.id AND s.peer_id = ?2) ORDER BY c.id",
        value_integer(now_s), value_text(own_peer_id));
    return add_hashes(rows, hashes);
}

gboolean judgement_close(Db *db, gint64 contract_id, GError **error)
{
    return db_run(db, error, "UPDATE fsc_judgements SET waits = 0 WHERE contract_id = ?1",
                  value_integer(contract_id));
}
