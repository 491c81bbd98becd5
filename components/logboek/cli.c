/* fundament logboek ...: for the people who run a node. */
#include <stdio.h>

#include "components/logboek/activities.h"
#include "components/logboek/internal.h"
#include "core/base/error.h"
#include "core/format/json.h"
#include "core/net/problem.h"
#include "core/node/admin.h"
#include "core/node/audit.h"

/* --- in the running node --- */

static json_t *status_json(Logboek *logboek)
{
    guint64 last = journal_last(logboek->journal), indexed = indexer_position(logboek->indexer);
    return json_pack("{sIsIsbso}", "journalLast", (json_int_t)last, "indexed", (json_int_t)indexed,
                     "journalHealthy", journal_healthy(logboek->journal), "usagePeriod",
                     logboek_period(logboek));
}

void handle_status(Request *request, gpointer context)
{
    respond_json(request, 200, status_json(context));
}

static gboolean audit_reindex(Logboek *logboek, Request *request, GError **error)
{
    g_autoptr(Db) db = store_take(logboek->store, error);
    return db != NULL && audit_write(db, logboek->clock, "admin", "administrator", "logboek.reindex", "index",
                                     "begun", request_trace(request), error);
}

void handle_reindex(Request *request, gpointer context)
{
    Logboek *logboek = context;
    g_autoptr(GError) error = NULL;
    if (audit_reindex(logboek, request, &error) && indexer_restart(logboek->indexer, &error))
        respond_json(request, 202, status_json(logboek));
    else
        respond_error(request, error);
}

/* --- on the command line --- */

static int wrong_usage(const char *usage)
{
    g_autoptr(GError) error =
        g_error_new(FUNDAMENT_ERROR, FUNDAMENT_ERROR_USAGE, "usage: fundament logboek %s", usage);
    return admin_fail(error);
}

static int call_and_print(const char *method, const char *path)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(json_t) answer = admin_call(NULL, method, path, NULL, &error);
    if (answer == NULL)
        return admin_fail(error);
    printf("records on disk %" JSON_INTEGER_FORMAT ", indexed %" JSON_INTEGER_FORMAT
           ", journal %s, kept since %s\n",
           (json_int_t)json_integer_at(answer, "journalLast"), (json_int_t)json_integer_at(answer, "indexed"),
           json_boolean_at(answer, "journalHealthy") ? "healthy" : "CANNOT WRITE",
           json_string_at(json_object_get(answer, "usagePeriod"), "periodStart"));
    return 0;
}

static int run_status(int argc, char **argv)
{
    return argc == 1 ? call_and_print("GET", "/logboek/v1/status") : wrong_usage("status");
}

static int run_reindex(int argc, char **argv)
{
    return argc == 1 ? call_and_print("POST", "/logboek/v1/reindex") : wrong_usage("reindex");
}

/* Needs no running node: for whoever edits the register. */
static int run_check(int argc, char **argv)
{
    if (argc != 2)
        return wrong_usage("check-register FILE");
    g_autoptr(GError) error = NULL;
    g_autoptr(json_t) document = json_read_file(argv[1], NULL, &error);
    if (document == NULL)
        return admin_fail(error);
    g_autoptr(GPtrArray) faults = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(json_t) activities =
        activities_check(document, "https://example.com/logboek/v1/processing-activities/", faults);
    for (guint i = 0; i < faults->len; i++)
        fprintf(stderr, "fundament: %s: %s\n", argv[1], (const char *)faults->pdata[i]);
    if (activities == NULL)
        return 1;
    printf("%s: %zu processing activities, no faults\n", argv[1], json_array_size(activities));
    return 0;
}

const Command logboek_commands[LOGBOEK_COMMANDS] = {
    {"status", "", "how many records are on disk and indexed", run_status},
    {"reindex", "", "make the index of records anew from the journal", run_reindex},
    {"decisions", "[--trace ID] [--transaction ID] [--decision WORD] [--rule NAME] [--policy NAME] ...",
     "the Authorization Decision Log: what was decided by which rule", run_decisions},
    {"check-register", "FILE", "check a register of processing activities", run_check},
};
