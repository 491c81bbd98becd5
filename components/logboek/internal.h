/* What the files of this component share about the running logboek; not for others. */
#pragma once

#include "components/logboek/decisions.h"
#include "components/logboek/index.h"
#include "components/logboek/logboek.h"
#include "components/logboek/records.h"
#include "components/logboek/transactions.h"

struct logboek {
    Node *node;
    Store *store;
    const Clock *clock;
    Journal *journal;
    Records *records;
    Transactions *transactions;
    Decisions *decisions;
    Indexer *indexer;
    char *address; /* "https://host/logboek/v1": what the ids of this logbook and its register begin with */
    char *register_base; /* address "/processing-activities/" */
    gint64 begins_ms;
    gint rejected; /* spans, since the start; atomic */
    void (*batch_done)(gpointer user_data);
    gpointer batch_done_data;
};

/* start.c: opens the journal and reads what memory needs. NULL with an error. */
Logboek *logboek_open(Node *node, GError **error);
void logboek_close(gpointer logboek);

/* Gives the index a second to come up to what is on disk now, so that an answer holds what was acknowledged
 * before the question. */
void logboek_let_index_catch_up(Logboek *logboek);

/* {"periodStart": ...}: since when records are kept. */
json_t *logboek_period(const Logboek *logboek);

/* ingest.c */
void handle_traces(Request *request, gpointer context);

/* read.c */
void handle_operations(Request *request, gpointer context);
void handle_activities(Request *request, gpointer context);
void handle_activity(Request *request, gpointer context);
void handle_usage_period(Request *request, gpointer context);

/* decision_api.c */
void handle_decisions(Request *request, gpointer context);
int run_decisions(int argc, char **argv);

/* decision_ingest.c */
void handle_logs(Request *request, gpointer context);

/* cli.c */
void handle_reindex(Request *request, gpointer context);
void handle_status(Request *request, gpointer context);
#define LOGBOEK_COMMANDS 4
extern const Command logboek_commands[LOGBOEK_COMMANDS];
