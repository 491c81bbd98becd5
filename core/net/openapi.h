/* API documents: which a node has, where they are served, and what they say of each answer.
 *
 * A document is written by hand as openapi/NAME.yaml, and is embedded as JSON when the program is built
 * (tools/embed.py). API Design Rules 2.2.1:
 * - /core/publish-openapi: served as JSON at BASE/openapi.json, readable from any origin and without signing
 *   in. Where an API itself lives behind a certificate or a contract, the portal serves a copy to everybody.
 * - /core/version-header: every answer below BASE, refusals included, carries the document's version.
 *
 * Built before the server starts, then constant; thread safe.
 */
#pragma once

#include "core/net/http.h"

typedef struct {
    ListenerKind listener;
    const char *base;    /* "/logboek/v1": the paths of the document are below it */
    const char *name;    /* "logboek": openapi/logboek.yaml */
    const char *service; /* LISTENER_SERVICE only: as in Route */
} ApiDocument;

typedef struct open_api OpenApi;

OpenApi *openapi_new(void);
void openapi_free(OpenApi *api);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(OpenApi, openapi_free)

/* `document` is borrowed. FUNDAMENT_ERROR_INTERNAL when there is no such document in this program, or it has
 * no info.version. */
gboolean openapi_add(OpenApi *api, const ApiDocument *document, GError **error);

/* The routes that serve the documents added so far, for http_server_start() with `api` as their context.
 * Borrowed until the next openapi_add(). */
const Route *openapi_routes(const OpenApi *api, gsize *count);

/* info.version of the document that a path of this listener belongs to, or NULL. `api` may be NULL. */
const char *openapi_version(const OpenApi *api, ListenerKind listener, const char *path);
/* The same for a request, whether or not there is a route for it. */
const char *openapi_request_version(const Request *request);
