/* The read extension of LDV and the register, for other organisations: FSC service "logboek-lezen". */
#include "components/logboek/activities.h"
#include "components/logboek/internal.h"
#include "components/logboek/query.h"
#include "core/base/error.h"
#include "core/format/json.h"
#include "core/net/problem.h"
#include "core/node/statement.h"

#define API_VERSION "1.0.0"
#define LIMIT_DEFAULT 100

/* Takes the reference; NULL answers the error. */
static void answer_or_error(Request *request, json_t *answer, const GError *error)
{
    respond_header(request, "API-Version", API_VERSION);
    if (answer != NULL)
        respond_json(request, 200, answer);
    else
        respond_error(request, error);
}

/* --- POST /logboek/v1/data-processing-operations --- */

static const JsonField OPERATIONS_BODY[] = {
    {"traceId", JSON_KIND_STRING, FALSE},
    {"dpl.core.processingActivityId", JSON_KIND_STRING, FALSE},
    {"dpl.core.dataSubjectId", JSON_KIND_STRING, FALSE},
    {"startTime", JSON_KIND_STRING, FALSE},
    {"endTime", JSON_KIND_STRING, FALSE},
    {"limit", JSON_KIND_INTEGER, FALSE},
    {"cursor", JSON_KIND_STRING, FALSE},
    {"nl.fundament.statement", JSON_KIND_OBJECT, FALSE},
};

/* What was asked, checked. */
typedef struct {
    const json_t *statement;
    char trace_id[TRACE_ID_SIZE];
    const char *subject;
    OperationQuery query;
} Asked;

static gboolean bad(GError **error, const char *message)
{
    g_set_error_literal(error, FUNDAMENT_ERROR, FUNDAMENT_ERROR_INVALID, message);
    return FALSE;
}

static gboolean read_time(const json_t *body, const char *name, gint64 *ms, GError **error)
{
    const char *text = json_string_at(body, name);
    if (text == NULL || clock_parse_rfc3339(text, ms, error))
        return TRUE;
    g_prefix_error(error, "%s: ", name);
    return FALSE;
}

/* Read extension: at least one of trace, activity and subject, else 400; times only narrow. A statement names
 * its subject, so it counts. */
static gboolean read_asked(const json_t *body, Asked *asked, GError **error)
{
    if (!json_check_object(body, "body", JSON_FIELDS(OPERATIONS_BODY), error))
        return FALSE;
    const char *trace_id = json_string_at(body, "traceId");
    asked->statement = json_object_get(body, "nl.fundament.statement");
    asked->subject = json_string_at(body, "dpl.core.dataSubjectId");
    asked->query.activity = json_string_at(body, "dpl.core.processingActivityId");
    asked->query.cursor = json_string_at(body, "cursor");
    if (trace_id == NULL && asked->query.activity == NULL && asked->subject == NULL &&
        asked->statement == NULL)
        return bad(error,
                   "give at least one of traceId, dpl.core.processingActivityId and dpl.core.dataSubjectId");
    if (trace_id != NULL && !trace_id_parse(trace_id, asked->trace_id))
        return bad(
            error,
            "traceId: must be 32 hexadecimal digits, with or without the dashes of a UUID, not all zero");
    asked->query.trace_id = trace_id == NULL ? NULL : asked->trace_id;
    gint64 limit = json_object_get(body, "limit") == NULL ? LIMIT_DEFAULT : json_integer_at(body, "limit");
    if (limit < 1 || limit > OPERATIONS_LIMIT_MAX)
        return bad(error, "limit: must be 1 to 1000");
    asked->query.limit = (guint)limit;
    if (!read_time(body, "startTime", &asked->query.from_ms, error) ||
        !read_time(body, "endTime", &asked->query.until_ms, error))
        return FALSE;
    if (asked->query.until_ms != 0 && asked->query.until_ms < asked->query.from_ms)
        return bad(error, "endTime: lies before startTime");
    return TRUE;
}

/* Decisions 18: a contract alone opens nothing; a statement opens the records of its own subject. */
static char **subjects_opened(Logboek *logboek, const Asked *asked, GError **error)
{
    if (asked->statement == NULL) {
        g_set_error_literal(
            error, FUNDAMENT_ERROR, FUNDAMENT_ERROR_DENIED,
            "records are shown to the person they are about: send a statement of the sign-in provider in "
            "nl.fundament.statement");
        return NULL;
    }
    const char *const *issuers = config_list(node_config(logboek->node), "logboek", "statement_issuers");
    g_autoptr(Statement) statement = statement_verify(logboek->node, asked->statement, issuers, error);
    if (statement == NULL)
        return NULL;
    g_auto(GStrv) subjects = pseudonyms_of_bsn(node_pseudonymizer(logboek->node), statement->subject);
    if (asked->subject != NULL && !g_strv_contains((const char *const *)subjects, asked->subject)) {
        g_set_error_literal(error, FUNDAMENT_ERROR, FUNDAMENT_ERROR_DENIED,
                            "dpl.core.dataSubjectId is not the subject of the statement");
        return NULL;
    }
    return g_steal_pointer(&subjects);
}

static json_t *metadata_of(const Logboek *logboek)
{
    return json_pack("{ss ss so}", "logbookId", logboek->address, "organizationName",
                     node_name(logboek->node), "usagePeriod", logboek_period(logboek));
}

static json_t *answer(Logboek *logboek, const json_t *body, GError **error)
{
    Asked asked = {0};
    if (!read_asked(body, &asked, error))
        return NULL;
    g_auto(GStrv) subjects = subjects_opened(logboek, &asked, error);
    if (subjects == NULL)
        return NULL;
    asked.query.subjects = (const char *const *)subjects;
    g_autofree char *next = NULL;
    logboek_let_index_catch_up(logboek);
    json_t *operations = operations_query(logboek->store, &asked.query, &next, error);
    if (operations == NULL)
        return NULL;
    json_t *result =
        json_pack("{so so}", "metadata", metadata_of(logboek), "dataProcessingOperations", operations);
    if (next != NULL)
        json_object_set_new(result, "pagination", json_pack("{ss}", "nextCursor", next));
    return result;
}

void handle_operations(Request *request, gpointer context)
{
    Logboek *logboek = context;
    g_autoptr(GError) error = NULL;
    g_autoptr(json_t) body = request_json(request, &error);
    json_t *result = body == NULL ? NULL : answer(logboek, body, &error);
    answer_or_error(request, result, error);
}

/* --- the register, and how far back the log goes --- */

static gboolean no_other_parameters(Request *request, const char *const *known)
{
    const char *unknown = request_query_unknown(request, known);
    if (unknown == NULL)
        return TRUE;
    respond_problem(request, 400, "Bad Request", "unknown query parameter; known here: %s",
                    known[0] == NULL ? "none" : known[0]);
    return FALSE;
}

void handle_activities(Request *request, gpointer context)
{
    static const char *const KNOWN[] = {NULL};
    Logboek *logboek = context;
    g_autoptr(GError) error = NULL;
    if (!no_other_parameters(request, KNOWN))
        return;
    json_t *activities = activities_list(logboek->store, &error);
    answer_or_error(request, activities, error);
}

void handle_activity(Request *request, gpointer context)
{
    static const char *const KNOWN[] = {"at", NULL};
    Logboek *logboek = context;
    g_autoptr(GError) error = NULL;
    if (!no_other_parameters(request, KNOWN))
        return;
    const char *at = request_query(request, "at");
    gint64 at_ms = clock_now_ms(logboek->clock);
    json_t *activity = NULL;
    if (at == NULL || clock_parse_rfc3339(at, &at_ms, &error))
        activity = activities_at(logboek->store, request_segment(request, "id"), at_ms, &error);
    answer_or_error(request, activity, error);
}

void handle_usage_period(Request *request, gpointer context)
{
    static const char *const KNOWN[] = {NULL};
    Logboek *logboek = context;
    if (no_other_parameters(request, KNOWN))
        answer_or_error(request, logboek_period(logboek), NULL);
}
