/* What the tests of core/node share: keys, a store on each engine, and a node whose clock stands still. */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "core/node/node_private.h"
#include "tests/support/error.h"
#include "tests/support/folder.h"

#define SUPPORT_NOW 1795286400 /* 2026-11-21T18:40:00Z */
#define SUPPORT_OIN "00000001000000000002"
#define SUPPORT_BSN "999990019"

typedef struct {
    char *folder;
    Clock clock;
    Config *config;
    Store *store;
    Node *node;
} NodeFixture;

/* <folder>/keys/<name>.key and .crt for `oin`, under the anchor in <folder>/pki, which is made when it is not
 * there. */
void support_issue(const char *folder, const char *name, const char *oin);

/* The same for programs that read the real clock; valid for a day, or for `days`. Replaces what is there. */
void support_issue_now(const char *folder, const char *name, const char *oin);
void support_issue_days(const char *folder, const char *name, const char *oin, int days);

/* A node at SUPPORT_NOW in a folder of its own; its store on SQLite, or on PostgreSQL: NULL when that is not
 * there. `more` follows
 * "[node]" in its configuration. With `keys` it has manager and token keys for SUPPORT_OIN. */
NodeFixture *node_fixture_new(gboolean postgresql, gboolean keys, const char *more);
void node_fixture_free(NodeFixture *fixture);

void support_advance(NodeFixture *fixture, gint64 milliseconds);

/* One number out of the store. */
gint64 support_number(Store *store, const char *sql);

/* For cmocka: on each engine. */
int setup_sqlite(void **state);
int setup_postgresql(void **state);
int teardown_node(void **state);

#define on_both_engines(name)                                                                                \
    {#name " on sqlite", name, setup_sqlite, teardown_node, NULL},                                           \
    {                                                                                                        \
#name " on postgresql", name, setup_postgresql, teardown_node, NULL                                  \
    }

/* At the start of such a test. */
#define fixture_or_skip(fixture, state)                                                                      \
    NodeFixture *fixture = *(state);                                                                         \
    if (fixture == NULL)                                                                                     \
    skip()
