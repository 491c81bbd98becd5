/* A whole register in a node of its own, over real sockets; the test stands where the edge is. */
#pragma once

#include "tests/unit/brp/sample.h"

#include "core/net/client.h"
#include "core/net/http.h"
#include "core/node/node.h"

#define REGISTER_PATH "/haalcentraal/api/brp/personen"
#define REGISTER_CALLER "00000001000000000004"
#define REGISTER_TRANSACTION "0190d4a0-0000-7000-8000-000000000001"
#define REGISTER_ACTIVITY "https://register.test/activities/giving-out"

typedef struct {
    char *folder;
    Clock clock;
    Config *config;
    Store *store;
    Node *node;
    HttpServer *server;
    HttpClient *client;
    guint64 seen; /* sequence in the journal of the last record that the test looked at */
} Register;

/* `persons`: the text of the file; NULL: none. `more`: lines of [brp]; NULL: the activity above. NULL when
 * PostgreSQL is asked and not there. */
Register *register_new(gboolean postgresql, const char *persons, const char *more);
void register_free(Register *reg);

/* With the headers of the edge; "Content-Type: application/json" when `headers` is NULL. A body of NULL is
 * none. */
HttpReply *register_call(Register *reg, const char *method, const char *path, const char *const *headers,
                         const char *body);
/* A question that must be answered with this status; the answer. New reference. */
json_t *register_ask(Register *reg, const char *body, guint status);
char *register_text(const HttpReply *reply);

/* The records of the log that were made since the last call, with the names of LDV 1.0.0 3.2.2.
 * New reference to an array. */
json_t *register_records(Register *reg);
/* FALSE when a word stands anywhere in the journal. */
gboolean register_journal_lacks(Register *reg, const char *word);

void register_run_sql(Register *reg, const char *sql);

/* No write to any file succeeds, as on a full disk. */
void register_fill_disk(void);
void register_free_disk(Register *reg);
