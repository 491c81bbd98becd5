/* A PostgreSQL for tests: a cluster of its own on a Unix socket, thrown away afterwards. */
#pragma once

#include <glib.h>

/* The URL of a fresh, empty database; NULL when PostgreSQL is not installed (skip then). The first call
 * starts the server, unless the environment variable FUNDAMENT_TEST_POSTGRESQL holds the URL of one that runs
 * already: then the database is made there. The server, or the databases made in the other one, go when this
 * program ends. Caller frees. */
char *test_postgresql_start(void);

/* Stops and starts the server that this program started, as a crash would: connections break. */
void test_postgresql_restart(void);

/* TRUE when this program started the server, and so may restart it. */
gboolean test_postgresql_is_own(void);
