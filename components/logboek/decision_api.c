/* Looking into the Authorization Decision Log: GET /logboek/v1/decisions on the admin socket, and
 * `fundament logboek decisions`. */
#include <stdio.h>
#include <string.h>

#include "components/logboek/internal.h"
#include "core/base/error.h"
#include "core/format/json.h"
#include "core/net/problem.h"
#include "core/node/admin.h"
#include "core/node/audit.h"

#define LIMIT_DEFAULT 100

/* --- in the running node --- */

static const char *const parameters[] = {"traceId", "transactionId", "decision", "rule",   "policy",
                                         "from",    "until",         "limit",    "cursor", NULL};

static gboolean read_time(Request *request, const char *name, gint64 *unix_ms, GError **error)
{
    const char *text = request_query(request, name);
    if (text == NULL || *text == '\0' || clock_parse_rfc3339(text, unix_ms, error))
        return TRUE;
    g_prefix_error(error, "%s: ", name);
    return FALSE;
}

static const char *word_of(Request *request, const char *name)
{
    const char *text = request_query(request, name);
    return text != NULL && *text != '\0' ? text : NULL;
}

static gboolean read_query(Request *request, DecisionQuery *query, GError **error)
{
    guint64 limit = LIMIT_DEFAULT;
    const char *unknown = request_query_unknown(request, parameters), *text = word_of(request, "limit");
    if (unknown != NULL) {
        g_set_error(error, FUNDAMENT_ERROR, FUNDAMENT_ERROR_INVALID, "%s: no such parameter", unknown);
        return FALSE;
    }
    if (text != NULL && !g_ascii_string_to_unsigned(text, 10, 1, 1000, &limit, NULL)) {
        g_set_error(error, FUNDAMENT_ERROR, FUNDAMENT_ERROR_INVALID, "limit: expected 1 to 1000");
        return FALSE;
    }
    *query = (DecisionQuery){.trace_id = word_of(request, "traceId"),
                             .transaction_id = word_of(request, "transactionId"),
                             .decision = word_of(request, "decision"),
                             .rule = word_of(request, "rule"),
                             .policy = word_of(request, "policy"),
                             .limit = (guint)limit,
                             .cursor = word_of(request, "cursor")};
    return read_time(request, "from", &query->from_ms, error) &&
           read_time(request, "until", &query->until_ms, error);
}

/* Records of applications may be about persons: who looks is written down (decisions.md 20). */
static gboolean audit_look(Logboek *logboek, Request *request, GError **error)
{
    g_autoptr(Db) db = store_take(logboek->store, error);
    return db != NULL && audit_write(db, logboek->clock, "admin", "administrator", "logboek.decisions.read",
                                     "decisions", "begun", request_trace(request), error);
}

void handle_decisions(Request *request, gpointer context)
{
    Logboek *logboek = context;
    DecisionQuery query;
    g_autoptr(GError) error = NULL;
    g_autofree char *next = NULL;
    json_t *records = NULL;
    if (read_query(request, &query, &error) && audit_look(logboek, request, &error))
        records = logboek_decisions_query(logboek, &query, &next, &error);
    if (records == NULL)
        respond_error(request, error);
    else
        respond_json(request, 200,
                     json_pack("{s:s, s:o, s:{s:s}}", "organization_id", node_oin(logboek->node), "decisions",
                               records, "pagination", "next_cursor", next != NULL ? next : ""));
}

/* --- on the command line --- */

#define USAGE                                                                                                \
    "decisions [--trace ID] [--transaction ID] [--decision WORD] [--rule NAME] [--policy NAME] "             \
    "[--from TIME] [--until TIME] [--limit N] [--json]"

static const struct {
    const char *option, *parameter;
} options[] = {
    {"--trace", "traceId"},     {"--transaction", "transactionId"},
    {"--decision", "decision"}, {"--rule", "rule"},
    {"--policy", "policy"},     {"--from", "from"},
    {"--until", "until"},       {"--limit", "limit"},
};

/* The path with its query; NULL for wrong usage. */
static char *path_of(int argc, char **argv, gboolean *as_json)
{
    GString *path = g_string_new("/logboek/v1/decisions");
    char separator = '?';
    for (int i = 1; i < argc; i++) {
        const char *parameter = NULL;
        if (g_str_equal(argv[i], "--json")) {
            *as_json = TRUE;
            continue;
        }
        for (gsize j = 0; j < G_N_ELEMENTS(options) && i + 1 < argc; j++)
            if (g_str_equal(argv[i], options[j].option))
                parameter = options[j].parameter;
        if (parameter == NULL) {
            g_string_free(path, TRUE);
            return NULL;
        }
        g_autofree char *value = g_uri_escape_string(argv[++i], NULL, FALSE);
        g_string_append_printf(path, "%c%s=%s", separator, parameter, value);
        separator = '&';
    }
    return g_string_free(path, FALSE);
}

/* "2026-11-21T22:00:00.000Z  accept  permits  adl.access_evaluation  TRACE SPAN" */
static void print_record(const json_t *record)
{
    const char *rule = decision_rule(record), *transaction = decision_transaction_id(record);
    g_autofree char *time = clock_format_rfc3339(json_integer_at(record, "timestamp"));
    printf("%s  %-6s  %-20s  %s  %s %s%s%s\n", time, decision_word(record), rule != NULL ? rule : "-",
           json_string_at(record, "event_name"), json_string_at(record, "trace_id"),
           json_string_at(record, "span_id"), transaction != NULL ? "  transaction " : "",
           transaction != NULL ? transaction : "");
}

int run_decisions(int argc, char **argv)
{
    gboolean as_json = FALSE;
    g_autoptr(GError) error = NULL;
    g_autofree char *path = path_of(argc, argv, &as_json);
    if (path == NULL) {
        g_set_error_literal(&error, FUNDAMENT_ERROR, FUNDAMENT_ERROR_USAGE,
                            "usage: fundament logboek " USAGE);
        return admin_fail(error);
    }
    g_autoptr(json_t) answer = admin_call(NULL, "GET", path, NULL, &error);
    if (answer == NULL)
        return admin_fail(error);
    const json_t *records = json_object_get(answer, "decisions");
    if (as_json) {
        g_autofree char *text = json_write(answer);
        puts(text);
        return 0;
    }
    for (gsize i = 0; i < json_array_size(records); i++)
        print_record(json_array_get(records, i));
    if (*json_string_at(json_object_get(answer, "pagination"), "next_cursor") != '\0')
        printf("there are more; narrow the search, or use --limit and --until\n");
    return 0;
}
