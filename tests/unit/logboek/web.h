/* The endpoints of the logboek over real sockets; the test stands where the edge is. */
#pragma once

#include "tests/unit/logboek/fixture.h"

#include "core/net/client.h"

typedef struct {
    Fixture *fixture;
    HttpServer *server;
    HttpClient *client;
} Web;

Web *web_new(Fixture *fixture);
void web_free(Web *web);

/* `headers` is NULL-terminated or NULL. On LISTENER_SERVICE the headers of the edge are added for
 * organisation ...04 and "logboek-lezen". */
HttpReply *web_call(Web *web, ListenerKind listener, const char *method, const char *path,
                    const char *const *headers, const void *body, gsize length);
HttpReply *web_post_json(Web *web, ListenerKind listener, const char *path, const json_t *body);
HttpReply *web_get(Web *web, ListenerKind listener, const char *path);
/* The body as JSON; ends the test when it is not. */
json_t *web_json(const HttpReply *reply);
