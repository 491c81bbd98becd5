/* A logboek in a node of its own, on either database, that can be stopped and started again. */
#pragma once

#include "tests/unit/logboek/sample.h"

#include "components/logboek/internal.h"
#include "core/base/identifiers.h"
#include "tests/support/error.h"

typedef struct {
    char *folder;
    char *url;   /* of the store */
    char *more;  /* lines of [logboek] */
    Clock clock; /* begins at the real time, since the journal has the real time */
    Config *config;
    Store *store;
    Node *node;
    Logboek *logboek;
} Fixture;

/* NULL when PostgreSQL is not there. `more` may be NULL. `keys`: with a manager and a token key for
 * SUPPORT_OIN (tests/unit/node/support.h), and the clock at SUPPORT_NOW. */
Fixture *fixture_new(gboolean postgresql, gboolean keys, const char *more);
void fixture_stop(Fixture *fixture);
void fixture_start(Fixture *fixture);
void fixture_restart(Fixture *fixture);
/* Forgets all that is in SQL, as if the database was lost. Stopped only. */
void fixture_lose_database(Fixture *fixture);
void fixture_free(Fixture *fixture);

void fixture_advance(Fixture *fixture, gint64 seconds);
/* Until the index has all of the journal. */
void fixture_catch_up(Fixture *fixture);
gint64 fixture_number(Fixture *fixture, const char *sql);

/* A good record that ended just now, with span `number` in a trace of `trace_number`. */
LogboekRecord fixture_record(const Fixture *fixture, guint trace_number, guint number);
/* A good transaction of this moment; `id` is filled. */
LogboekTransaction fixture_transaction(const Fixture *fixture, char id[UUID_TEXT_SIZE]);
/* Appends and waits. */
TransactionVerdict fixture_log(Fixture *fixture, const LogboekTransaction *transaction);

/* For cmocka: on each engine. */
int fixture_sqlite(void **state);
int fixture_postgresql(void **state);
int fixture_teardown(void **state);

#define on_both(name)                                                                                        \
    {#name " on sqlite", name, fixture_sqlite, fixture_teardown, NULL},                                      \
    {                                                                                                        \
#name " on postgresql", name, fixture_postgresql, fixture_teardown, NULL                             \
    }

/* At the start of such a test. */
#define take_fixture(state)                                                                                  \
    Fixture *fixture = *(state);                                                                             \
    if (fixture == NULL)                                                                                     \
    skip()
