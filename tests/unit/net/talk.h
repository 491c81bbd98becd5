/* For the tests of this floor: a running server in a folder of its own, and a client that sends exactly the
 * bytes it is told to. */
#pragma once

#include <glib.h>

#include "core/net/http.h"

typedef struct {
    char *folder;
    HttpServer *server;
} Talk;

/* Starts a server with these routes; `options` may be NULL, its run_dir is set here. */
Talk *talk_start(const HttpServerOptions *options, const Route *routes, gsize n_routes, gpointer context);
void talk_stop(Talk *talk);

char *talk_socket(const Talk *talk, ListenerKind listener);
/* An open connection; ends the test when there is none. */
int talk_connect(const Talk *talk, ListenerKind listener);
void talk_send(int fd, const char *bytes, gssize length);
/* Up to the end of the connection, or 10 s. */
char *talk_read_all(int fd);
/* One answer by its Content-Length, leaving the connection open. `without_body`: that of a HEAD. */
char *talk_read_answer(int fd, gboolean without_body);

/* Sends one request and gives the whole answer. "Host" and "Connection: close" are added; `headers` is "" or
 * lines ending in CRLF; `body` may be NULL. */
char *talk_ask(const Talk *talk, ListenerKind listener, const char *method, const char *target,
               const char *headers, const char *body);
guint talk_status(const char *answer);
/* The value of a header of an answer, or NULL. Caller frees. */
char *talk_header(const char *answer, const char *name);
const char *talk_body(const char *answer);
/* Removes a folder and the files in it. */
void talk_remove_folder(const char *folder);
