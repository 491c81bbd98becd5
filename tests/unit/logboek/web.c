#include "tests/unit/logboek/web.h"

#define READER "00000001000000000004"

Web *web_new(Fixture *fixture)
{
    g_autoptr(GError) error = NULL;
    Web *web = g_new0(Web, 1);
    web->fixture = fixture;
    HttpServerOptions options = {.run_dir = fixture->folder, .threads = 4};
    const Route *tables[] = {logboek_component.routes};
    gsize counts[] = {logboek_component.n_routes};
    gpointer contexts[] = {fixture->logboek};
    web->server = http_server_start(&options, tables, counts, contexts, 1, &error);
    no_error(error);
    web->client = http_client_new();
    return web;
}

void web_free(Web *web)
{
    http_client_free(web->client);
    http_server_stop(web->server, 5000);
    g_free(web);
}

HttpReply *web_call(Web *web, ListenerKind listener, const char *method, const char *path,
                    const char *const *headers, const void *body, gsize length)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *name = g_strconcat(listener_name(listener), ".sock", NULL);
    g_autofree char *socket = g_build_filename(web->fixture->folder, name, NULL);
    g_autofree char *url = g_strconcat("http://localhost", path, NULL);
    g_autoptr(GPtrArray) all = g_ptr_array_new();
    for (; headers != NULL && *headers != NULL; headers++)
        g_ptr_array_add(all, (gpointer)*headers);
    if (listener == LISTENER_SERVICE) {
        g_ptr_array_add(all, (gpointer) "Fundament-Peer-Id: " READER);
        g_ptr_array_add(all, (gpointer) "Fundament-Service: logboek-lezen");
        g_ptr_array_add(all, (gpointer) "Fundament-Grant-Hash: $1$3$AAAA");
    }
    g_ptr_array_add(all, NULL);
    HttpCall call = {.method = method,
                     .url = url,
                     .headers = (const char *const *)all->pdata,
                     .body = body,
                     .body_length = length,
                     .unix_socket = socket,
                     .timeout_ms = 30000};
    HttpReply *reply = http_client_call(web->client, &call, &error);
    no_error(error);
    return reply;
}

HttpReply *web_post_json(Web *web, ListenerKind listener, const char *path, const json_t *body)
{
    static const char *const HEADERS[] = {"Content-Type: application/json", NULL};
    g_autofree char *text = json_dumps(body, JSON_COMPACT);
    return web_call(web, listener, "POST", path, HEADERS, text, strlen(text));
}

HttpReply *web_get(Web *web, ListenerKind listener, const char *path)
{
    return web_call(web, listener, "GET", path, NULL, NULL, 0);
}

json_t *web_json(const HttpReply *reply)
{
    g_autoptr(GError) error = NULL;
    gsize length;
    const char *text = g_bytes_get_data(reply->body, &length);
    json_t *value = json_parse_strict(text, (gssize)length, NULL, &error);
    no_error(error);
    return value;
}
