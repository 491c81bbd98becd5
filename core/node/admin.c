#include "core/node/admin.h"

#include <string.h>
#include <unistd.h>

#include "core/base/error.h"
#include "core/format/json.h"
#include "core/net/client.h"
#include "core/node/unix_socket.h"

#define TIMEOUT_MS 60000

/* run/admin.sock of the node that the file describes. Only that one key is looked at: serve has checked the
 * others. */
static char *socket_of(const char *given)
{
    g_autofree char *path = config_choose_path(given);
    g_autofree char *absolute = g_canonicalize_filename(path, NULL);
    g_autofree char *folder = g_path_get_dirname(absolute);
    g_auto(GStrv) words = config_peek(path, "node", "run");
    g_autofree char *run =
        g_canonicalize_filename(words != NULL && words[0] != NULL ? words[0] : "run", folder);
    return g_build_filename(run, "admin.sock", NULL);
}

static gboolean listens(const char *path, GError **error)
{
    int fd = unix_socket_connect(path, NULL);
    if (fd >= 0) {
        close(fd);
        return TRUE;
    }
    g_set_error(error, FUNDAMENT_ERROR, FUNDAMENT_ERROR_UNAVAILABLE,
                "the node is not running (nobody listens at %s); start it with: fundament serve", path);
    return FALSE;
}

static FundamentError code_of_status(guint status)
{
    static const struct {
        guint status;
        FundamentError code;
    } table[] = {
        {400, FUNDAMENT_ERROR_INVALID},     {403, FUNDAMENT_ERROR_DENIED}, {404, FUNDAMENT_ERROR_NOT_FOUND},
        {409, FUNDAMENT_ERROR_CONFLICT},    {422, FUNDAMENT_ERROR_RULE},   {429, FUNDAMENT_ERROR_LIMIT},
        {503, FUNDAMENT_ERROR_UNAVAILABLE},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(table); i++) {
        if (table[i].status == status)
            return table[i].code;
    }
    return status >= 500 ? FUNDAMENT_ERROR_IO : FUNDAMENT_ERROR_INVALID;
}

static void problem_to_error(const HttpReply *reply, GError **error)
{
    g_autoptr(json_t) problem = http_reply_json(reply, NULL);
    const json_t *detail = json_object_get(problem, "detail");
    if (detail == NULL)
        detail = json_object_get(problem, "title");
    g_set_error(error, FUNDAMENT_ERROR, (gint)code_of_status(reply->status), "%s",
                json_is_string(detail) ? json_string_value(detail) : "the node answered without a reason");
    if (!json_is_string(detail))
        g_prefix_error(error, "status %u: ", reply->status);
}

static json_t *reply_value(const HttpReply *reply, GError **error)
{
    if (reply->status < 200 || reply->status > 299) {
        problem_to_error(reply, error);
        return NULL;
    }
    if (g_bytes_get_size(reply->body) == 0)
        return json_null();
    if (reply->content_type == NULL || strstr(reply->content_type, "json") != NULL)
        return http_reply_json(reply, error);
    return json_stringn(g_bytes_get_data(reply->body, NULL), g_bytes_get_size(reply->body));
}

json_t *admin_call(const char *given, const char *method, const char *path, const json_t *body,
                   GError **error)
{
    const char *headers[] = {"Content-Type: application/json", NULL};
    g_autofree char *socket_path = socket_of(given);
    g_autofree char *url = g_strconcat("http://localhost", path, NULL);
    g_autofree char *text = body == NULL ? NULL : json_write(body);
    if (!listens(socket_path, error))
        return NULL;
    HttpCall call = {
        .method = method,
        .url = url,
        .headers = text == NULL ? NULL : headers,
        .body = text,
        .body_length = text == NULL ? 0 : strlen(text),
        .unix_socket = socket_path,
        .timeout_ms = TIMEOUT_MS,
    };
    g_autoptr(HttpClient) client = http_client_new();
    g_autoptr(HttpReply) reply = http_client_call(client, &call, error);
    return reply == NULL ? NULL : reply_value(reply, error);
}

int admin_fail(const GError *error)
{
    g_printerr("fundament: %s\n", error->message);
    return g_error_matches(error, FUNDAMENT_ERROR, FUNDAMENT_ERROR_USAGE) ? 2 : 1;
}
