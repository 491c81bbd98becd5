#include "core/node/frames_private.h"

#include <errno.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/base/error.h"
#include "core/node/unix_socket.h"

#define CONNECTIONS_MAX 256
#define MESSAGE_MAX 1000u /* bytes of a refusal */
#define EVENTS_AT_ONCE 64
#define OUT_OF_FILES_US 10000
#define LATE_ANSWER_MS 1 /* how long an answer waits for a flush before the event loop sends it */

struct frames_server {
    char *socket_path;
    char *group_id;
    char *peer_id;
    FrameHandler handlers[16];
    gpointer user_data;
    int listen_fd, epoll_fd, wake_fd;
    GThread *thread;
    GThread *loop; /* the same, set by itself before it accepts anybody */
    gint stopping; /* atomic */
    gint pending;  /* atomic: the thread will send soon by itself */

    GMutex lock;            /* what follows */
    GPtrArray *connections; /* Connection*, one reference each */
    guint64 generation;
    GPtrArray *revoked; /* GBytes*: payloads of REVOKED frames */
};

struct frame_call {
    gint references;
    gint answered; /* atomic */
    Connection *connection;
    guint64 id;
    guint8 type;
    gsize length;
    guint8 payload[];
};

/* --- calls --- */

static FrameCall *frame_call_new(Connection *connection, const struct frame_header *header,
                                 const guint8 *payload)
{
    FrameCall *call = g_malloc(sizeof *call + header->length);
    call->references = 1;
    call->answered = 0;
    call->connection = connection_ref(connection);
    call->id = header->id;
    call->type = header->type;
    call->length = header->length;
    if (header->length > 0)
        memcpy(call->payload, payload, header->length);
    return call;
}

static gboolean is_told(const FrameCall *call)
{
    return call->type == FRAME_OUTCOME || call->type == FRAME_TRAFFIC || call->type == FRAME_EDGE;
}

FrameCall *frame_call_ref(FrameCall *call)
{
    g_atomic_int_inc(&call->references);
    return call;
}

void frame_call_unref(FrameCall *call)
{
    if (!g_atomic_int_dec_and_test(&call->references))
        return;
    if (!g_atomic_int_get(&call->answered) && !is_told(call))
        frame_call_refuse(call, FRAME_STATUS_NOT_READY, "no answer was given");
    connection_unref(call->connection);
    g_free(call);
}

guint8 frame_call_type(const FrameCall *call)
{
    return call->type;
}

const guint8 *frame_call_payload(const FrameCall *call, gsize *length)
{
    *length = call->length;
    return call->payload;
}

void frame_call_answer(FrameCall *call, guint16 status, const guint8 *fields, gsize length)
{
    if (g_atomic_int_exchange(&call->answered, 1) != 0) {
        g_critical("frames: a call of type %u was answered twice", call->type);
        return;
    }
    if (is_told(call)) /* these have no answer */
        return;
    struct frame_header header = {(uint32_t)length, FRAME_VERSION, call->type, status, call->id};
    connection_put(call->connection, &header, fields);
}

void frame_call_refuse(FrameCall *call, guint16 status, const char *message)
{
    guint8 fields[4 + MESSAGE_MAX];
    size_t length = frame_field_put(fields, sizeof fields, 0, message, MIN(strlen(message), MESSAGE_MAX));
    frame_call_answer(call, status, fields, length);
}

/* --- what the server says by itself; under its lock --- */

static void say(Connection *connection, guint8 type, GBytes *payload)
{
    gsize length = 0;
    const guint8 *bytes = g_bytes_get_data(payload, &length);
    struct frame_header header = {(uint32_t)length, FRAME_VERSION, type, FRAME_STATUS_OK, 0};
    connection_put(connection, &header, bytes);
}

static void say_revoked(FramesServer *server, Connection *connection)
{
    for (guint i = 0; i < server->revoked->len; i++)
        say(connection, FRAME_REVOKED, server->revoked->pdata[i]);
}

static gboolean answer_hello(FramesServer *server, Connection *connection, const struct frame_header *header,
                             const guint8 *payload)
{
    size_t position = 0;
    uint64_t pid = 0;
    if (header->type != FRAME_HELLO || frame_field_get_u64(payload, header->length, &position, &pid) != 0) {
        g_warning("frames: a worker sent type %u before HELLO; closing", header->type);
        return FALSE;
    }
    guint8 fields[512];
    struct frame_header answer = {0, FRAME_VERSION, FRAME_HELLO, FRAME_STATUS_OK, header->id};
    g_mutex_lock(&server->lock);
    size_t length = frame_field_put(fields, sizeof fields, 0, server->group_id, strlen(server->group_id));
    length = frame_field_put(fields, sizeof fields, length, server->peer_id, strlen(server->peer_id));
    length = frame_field_put_u64(fields, sizeof fields, length, server->generation);
    answer.length = (uint32_t)length;
    connection->pid = pid;
    connection->version = header->version;
    connection->greeted = TRUE;
    connection_put(connection, &answer, fields);
    say_revoked(server, connection);
    g_mutex_unlock(&server->lock);
    return TRUE;
}

/* --- the event loop --- */

static void handle_call(FramesServer *server, Connection *connection, const struct frame_header *header,
                        const guint8 *payload)
{
    FrameCall *call = frame_call_new(connection, header, payload);
    FrameHandler handler =
        header->type < G_N_ELEMENTS(server->handlers) ? server->handlers[header->type] : NULL;
    if (handler != NULL)
        handler(call, server->user_data);
    else
        frame_call_refuse(call, FRAME_STATUS_BAD_FRAME, "this node does not answer frames of that type");
    frame_call_unref(call);
}

/* FALSE when the connection is of no use any more. */
static gboolean handle_input(FramesServer *server, Connection *connection)
{
    struct frame_header header;
    const guint8 *payload = NULL;
    if (!connection_read(connection))
        return FALSE;
    FrameNext next;
    while ((next = connection_next(connection, &header, &payload)) == FRAME_NEXT_ONE) {
        if (connection->greeted)
            handle_call(server, connection, &header, payload);
        else if (!answer_hello(server, connection, &header, payload))
            return FALSE;
    }
    return next != FRAME_NEXT_BROKEN;
}

static void drop(FramesServer *server, Connection *connection)
{
    connection_close(connection);
    g_mutex_lock(&server->lock);
    g_ptr_array_remove_fast(server->connections, connection);
    g_mutex_unlock(&server->lock);
}

static void accept_worker(FramesServer *server)
{
    int fd = accept4(server->listen_fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (fd < 0) {
        if (errno == EMFILE || errno == ENFILE) /* it stays readable: do not spin */
            g_usleep(OUT_OF_FILES_US);
        return;
    }
    if (frames_server_workers(server) >= CONNECTIONS_MAX) {
        g_warning("frames: more than %d workers; one was refused", CONNECTIONS_MAX);
        close(fd);
        return;
    }
    Connection *connection = connection_new(server, server->epoll_fd, fd);
    g_mutex_lock(&server->lock);
    g_ptr_array_add(server->connections, connection);
    g_mutex_unlock(&server->lock);
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = connection};
    if (epoll_ctl(server->epoll_fd, EPOLL_CTL_ADD, fd, &event) != 0)
        drop(server, connection);
}

static void drain_wake(FramesServer *server)
{
    guint64 count;
    while (read(server->wake_fd, &count, sizeof count) < 0 && errno == EINTR)
        ;
}

static void handle_event(FramesServer *server, const struct epoll_event *event)
{
    if (event->data.ptr == &server->listen_fd) {
        accept_worker(server);
    } else if (event->data.ptr == &server->wake_fd) {
        drain_wake(server);
    } else {
        Connection *connection = event->data.ptr;
        if (event->events & EPOLLOUT)
            connection_send(connection);
        if ((event->events & (EPOLLIN | EPOLLHUP | EPOLLERR)) && !handle_input(server, connection))
            drop(server, connection);
    }
}

static gpointer run(gpointer data)
{
    FramesServer *server = data;
    server->loop = g_thread_self();
    struct epoll_event events[EVENTS_AT_ONCE];
    while (!g_atomic_int_get(&server->stopping)) {
        int timeout = g_atomic_int_get(&server->pending) ? LATE_ANSWER_MS : -1;
        int n = epoll_wait(server->epoll_fd, events, EVENTS_AT_ONCE, timeout);
        for (int i = 0; i < n; i++)
            handle_event(server, &events[i]);
        /* Answers given by the handlers just now go out at once; those of other threads wait for their flush,
         * or for the time-out. */
        gboolean own = n > 0 && !(n == 1 && events[0].data.ptr == &server->wake_fd);
        if ((n == 0 || own) && g_atomic_int_exchange(&server->pending, 0))
            frames_server_flush(server);
    }
    return NULL;
}

static void wake(FramesServer *server)
{
    guint64 one = 1;
    while (write(server->wake_fd, &one, sizeof one) < 0 && errno == EINTR)
        ;
}

void frames_server_pending(FramesServer *server)
{
    if (g_atomic_int_exchange(&server->pending, 1) == 0 && g_thread_self() != server->loop)
        wake(server);
}

/* --- from any thread --- */

void frames_server_flush(FramesServer *server)
{
    if (server == NULL)
        return;
    g_mutex_lock(&server->lock);
    for (guint i = 0; i < server->connections->len; i++)
        connection_send(server->connections->pdata[i]);
    g_mutex_unlock(&server->lock);
}

guint64 frames_server_forget(FramesServer *server)
{
    guint8 fields[12];
    if (server == NULL)
        return 0;
    g_mutex_lock(&server->lock);
    guint64 generation = ++server->generation;
    g_autoptr(GBytes) payload =
        g_bytes_new(fields, frame_field_put_u64(fields, sizeof fields, 0, generation));
    for (guint i = 0; i < server->connections->len; i++) {
        Connection *connection = server->connections->pdata[i];
        if (connection->greeted)
            say(connection, FRAME_FLUSH, payload);
    }
    g_mutex_unlock(&server->lock);
    frames_server_flush(server);
    return generation;
}

/* One payload of REVOKED with as many of the serials as fit; `*serials` moves on. */
static GBytes *revoked_payload(const char *const **serials)
{
    GByteArray *payload = g_byte_array_new();
    g_byte_array_set_size(payload, FRAME_PAYLOAD_MAX);
    size_t length = frame_field_put_u64(payload->data, payload->len, 0, 0);
    while (**serials != NULL) {
        size_t next = frame_field_put(payload->data, payload->len, length, **serials, strlen(**serials));
        if (next == 0)
            break;
        length = next;
        (*serials)++;
    }
    frame_field_put_u64(payload->data, payload->len, 0, **serials != NULL ? 1 : 0);
    g_byte_array_set_size(payload, (guint)length);
    return g_byte_array_free_to_bytes(payload);
}

void frames_server_set_revoked(FramesServer *server, const char *const *serials)
{
    if (server == NULL)
        return;
    g_autoptr(GPtrArray) payloads = g_ptr_array_new_with_free_func((GDestroyNotify)g_bytes_unref);
    do
        g_ptr_array_add(payloads, revoked_payload(&serials));
    while (*serials != NULL);
    g_mutex_lock(&server->lock);
    g_ptr_array_unref(server->revoked);
    server->revoked = g_ptr_array_ref(payloads);
    for (guint i = 0; i < server->connections->len; i++) {
        Connection *connection = server->connections->pdata[i];
        if (connection->greeted)
            say_revoked(server, connection);
    }
    g_mutex_unlock(&server->lock);
    frames_server_flush(server);
}

guint frames_server_workers(FramesServer *server)
{
    if (server == NULL)
        return 0;
    g_mutex_lock(&server->lock);
    guint workers = server->connections->len;
    g_mutex_unlock(&server->lock);
    return workers;
}

/* --- start and stop --- */

static void server_free(FramesServer *server)
{
    int fds[] = {server->listen_fd, server->epoll_fd, server->wake_fd};
    for (gsize i = 0; i < G_N_ELEMENTS(fds); i++) {
        if (fds[i] >= 0)
            close(fds[i]);
    }
    for (guint i = 0; i < server->connections->len; i++)
        connection_close(server->connections->pdata[i]);
    g_ptr_array_unref(server->connections);
    g_ptr_array_unref(server->revoked);
    g_mutex_clear(&server->lock);
    g_free(server->socket_path);
    g_free(server->group_id);
    g_free(server->peer_id);
    g_free(server);
}

static gboolean watch(FramesServer *server, int *fd)
{
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = fd};
    return *fd >= 0 && epoll_ctl(server->epoll_fd, EPOLL_CTL_ADD, *fd, &event) == 0;
}

static FramesServer *server_new(const FramesServerOptions *options)
{
    FramesServer *server = g_new0(FramesServer, 1);
    g_mutex_init(&server->lock);
    server->connections = g_ptr_array_new_with_free_func((GDestroyNotify)connection_unref);
    server->revoked = g_ptr_array_new_with_free_func((GDestroyNotify)g_bytes_unref);
    server->socket_path = g_strdup(options->socket_path);
    server->group_id = g_strdup(options->group_id);
    server->peer_id = g_strdup(options->peer_id);
    memcpy(server->handlers, options->handlers, sizeof server->handlers);
    server->user_data = options->user_data;
    server->generation = 1;
    server->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    server->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    server->listen_fd = -1;
    return server;
}

FramesServer *frames_server_start(const FramesServerOptions *options, GError **error)
{
    FramesServer *server = server_new(options);
    const char *none[] = {NULL};
    frames_server_set_revoked(server, none);
    server->listen_fd = unix_socket_listen(options->socket_path, error);
    if (server->listen_fd < 0) {
        server_free(server);
        return NULL;
    }
    if (!watch(server, &server->listen_fd) || !watch(server, &server->wake_fd)) {
        g_set_error(error, FUNDAMENT_ERROR, FUNDAMENT_ERROR_IO, "frames: cannot watch sockets: %s",
                    g_strerror(errno));
        server_free(server);
        return NULL;
    }
    server->thread = g_thread_new("frames", run, server);
    return server;
}

void frames_server_stop(FramesServer *server)
{
    if (server == NULL)
        return;
    g_atomic_int_set(&server->stopping, 1);
    wake(server);
    g_thread_join(server->thread);
    unlink(server->socket_path);
    frames_server_flush(server);
    server_free(server);
}
