/* One test body runs on each database engine: a Case a body, a cmocka test a Case and engine. */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "core/store/store.h"
#include "tests/support/error.h"

typedef struct {
    char *url; /* of an empty database of its own */
    Store *store;
    Db *db; /* taken already */
} Fixture;

enum { ON_SQLITE = 1, ON_POSTGRESQL = 2, ON_BOTH = 3 };

typedef struct {
    const char *name;
    void (*body)(Fixture *fixture);
    int engines;
} Case;

#define CASE(body, engines)                                                                                  \
    {                                                                                                        \
#body, body, engines                                                                                 \
    }

/* Runs all; what main() returns. */
int cases_run(const char *name, const Case *cases, gsize n_cases);

/* The statement must fail with this error. */
void refused(Db *db, const char *sql, const Value *values, gsize n_values, FundamentError code);

/* Stands for a citizen service number: refused() sees to it that no error repeats it. */
#define SECRET "123456782"

/* Ends the test as skipped. */
void fixture_skip(Fixture *fixture, const char *why);

/* A statement without values that must work. */
void run_sql(Db *db, const char *sql);

/* CREATE TABLE things (n BIGINT PRIMARY KEY, t TEXT UNIQUE) */
void things_make(Db *db);

/* The integer in the first row and column. */
gint64 query_integer(Db *db, const char *sql);
