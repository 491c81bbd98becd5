#include "talk.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#include <glib/gstdio.h>

Talk *talk_start(const HttpServerOptions *options, const Route *routes, gsize n_routes, gpointer context)
{
    g_autoptr(GError) error = NULL;
    Talk *talk = g_new0(Talk, 1);
    HttpServerOptions own = options == NULL ? (HttpServerOptions){0} : *options;
    talk->folder = g_dir_make_tmp("fundament-net-XXXXXX", NULL);
    own.run_dir = talk->folder;
    talk->server = http_server_start(&own, &routes, &n_routes, &context, 1, &error);
    if (talk->server == NULL)
        fail_msg("%s", error->message);
    return talk;
}

void talk_remove_folder(const char *folder)
{
    g_autoptr(GDir) dir = g_dir_open(folder, 0, NULL);
    for (const char *name; dir != NULL && (name = g_dir_read_name(dir)) != NULL;) {
        g_autofree char *path = g_build_filename(folder, name, NULL);
        g_unlink(path);
    }
    g_rmdir(folder);
}

void talk_stop(Talk *talk)
{
    http_server_stop(talk->server, 10000);
    talk_remove_folder(talk->folder);
    g_free(talk->folder);
    g_free(talk);
}

char *talk_socket(const Talk *talk, ListenerKind listener)
{
    g_autofree char *name = g_strconcat(listener_name(listener), ".sock", NULL);
    return g_build_filename(talk->folder, name, NULL);
}

int talk_connect(const Talk *talk, ListenerKind listener)
{
    g_autofree char *path = talk_socket(talk, listener);
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    g_strlcpy(address.sun_path, path, sizeof address.sun_path);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct timeval patience = {.tv_sec = 10};
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    if (connect(fd, (struct sockaddr *)&address, (socklen_t)sizeof address) != 0)
        fail_msg("%s: %s", path, g_strerror(errno));
    return fd;
}

void talk_send(int fd, const char *bytes, gssize length)
{
    gsize left = length < 0 ? strlen(bytes) : (gsize)length;
    while (left > 0) {
        ssize_t sent = send(fd, bytes, left, MSG_NOSIGNAL);
        if (sent <= 0)
            return; /* the server may refuse to read on; its answer tells */
        bytes += sent;
        left -= (gsize)sent;
    }
}

char *talk_read_all(int fd)
{
    GString *out = g_string_new(NULL);
    char buffer[4096];
    for (ssize_t n; (n = recv(fd, buffer, sizeof buffer, 0)) > 0;)
        g_string_append_len(out, buffer, n);
    close(fd);
    return g_string_free(out, FALSE);
}

/* The end of the head in what was read, or NULL. */
static const char *end_of_head(const char *text)
{
    const char *blank = strstr(text, "\r\n\r\n");
    return blank == NULL ? NULL : blank + 4;
}

char *talk_read_answer(int fd, gboolean without_body)
{
    GString *out = g_string_new(NULL);
    gsize wanted = G_MAXSIZE;
    while (out->len < wanted) {
        char c;
        if (recv(fd, &c, 1, 0) != 1)
            break;
        g_string_append_c(out, c);
        const char *body = wanted == G_MAXSIZE ? end_of_head(out->str) : NULL;
        if (body == NULL)
            continue;
        g_autofree char *length = talk_header(out->str, "Content-Length");
        wanted = (gsize)(body - out->str);
        if (!without_body && length != NULL)
            wanted += (gsize)g_ascii_strtoull(length, NULL, 10);
    }
    return g_string_free(out, FALSE);
}

char *talk_ask(const Talk *talk, ListenerKind listener, const char *method, const char *target,
               const char *headers, const char *body)
{
    int fd = talk_connect(talk, listener);
    g_autoptr(GString) request = g_string_new(NULL);
    g_string_append_printf(request, "%s %s HTTP/1.1\r\nHost: node\r\nConnection: close\r\n%s", method, target,
                           headers);
    if (body != NULL)
        g_string_append_printf(request, "Content-Length: %zu\r\n", strlen(body));
    g_string_append_printf(request, "\r\n%s", body == NULL ? "" : body);
    talk_send(fd, request->str, (gssize)request->len);
    return talk_read_all(fd);
}

guint talk_status(const char *answer)
{
    if (!g_str_has_prefix(answer, "HTTP/1.1 "))
        return 0;
    return (guint)g_ascii_strtoull(answer + strlen("HTTP/1.1 "), NULL, 10);
}

char *talk_header(const char *answer, const char *name)
{
    const char *body = end_of_head(answer);
    g_autofree char *head = body == NULL ? g_strdup(answer) : g_strndup(answer, (gsize)(body - answer));
    g_auto(GStrv) lines = g_strsplit(head, "\r\n", -1);
    gsize length = strlen(name);
    for (guint i = 1; lines[0] != NULL && lines[i] != NULL; i++)
        if (g_ascii_strncasecmp(lines[i], name, length) == 0 && lines[i][length] == ':')
            return g_strdup(g_strstrip(lines[i] + length + 1));
    return NULL;
}

const char *talk_body(const char *answer)
{
    const char *body = end_of_head(answer);
    return body == NULL ? "" : body;
}
