#include "core/node/frames_private.h"

#include <errno.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#define BUFFER_FIRST 65536

Connection *connection_new(FramesServer *server, int epoll_fd, int fd)
{
    Connection *connection = g_new0(Connection, 1);
    connection->references = 1;
    connection->server = server;
    connection->epoll_fd = epoll_fd;
    connection->fd = fd;
    connection->open = TRUE;
    g_mutex_init(&connection->lock);
    connection->in_size = BUFFER_FIRST;
    connection->in = g_malloc(connection->in_size);
    return connection;
}

Connection *connection_ref(Connection *connection)
{
    g_atomic_int_inc(&connection->references);
    return connection;
}

void connection_unref(Connection *connection)
{
    if (!g_atomic_int_dec_and_test(&connection->references))
        return;
    g_mutex_clear(&connection->lock);
    g_free(connection->in);
    g_free(connection->out);
    g_free(connection);
}

/* --- input --- */

/* Moves what is left to the front, and makes room for the whole of a frame that has begun. */
static void input_make_room(Connection *connection)
{
    gsize left = connection->in_end - connection->in_start;
    gsize wanted = BUFFER_FIRST;
    if (left >= FRAME_HEADER_SIZE) {
        gsize frame = FRAME_HEADER_SIZE + (gsize)frame_get_u32(connection->in + connection->in_start);
        wanted = MAX(wanted, MIN(frame, FRAME_HEADER_SIZE + FRAME_PAYLOAD_MAX));
    }
    if (connection->in_start > 0 && left > 0)
        memmove(connection->in, connection->in + connection->in_start, left);
    connection->in_start = 0;
    connection->in_end = left;
    if (wanted > connection->in_size) {
        connection->in = g_realloc(connection->in, wanted);
        connection->in_size = wanted;
    }
}

gboolean connection_read(Connection *connection)
{
    input_make_room(connection);
    ssize_t n;
    do
        n = recv(connection->fd, connection->in + connection->in_end,
                 connection->in_size - connection->in_end, MSG_DONTWAIT);
    while (n < 0 && errno == EINTR);
    if (n < 0)
        return errno == EAGAIN || errno == EWOULDBLOCK;
    connection->in_end += (gsize)n;
    return n > 0;
}

FrameNext connection_next(Connection *connection, struct frame_header *header, const guint8 **payload)
{
    const guint8 *at = connection->in + connection->in_start;
    gsize left = connection->in_end - connection->in_start;
    if (left < FRAME_HEADER_SIZE)
        return FRAME_NEXT_NONE;
    if (frame_header_read(at, header) != 0 || header->version == 0) {
        if (header->version > FRAME_VERSION || header->version == 0)
            g_warning("frames: worker %" G_GUINT64_FORMAT " speaks version %u, this node %u; closing",
                      connection->pid, header->version, FRAME_VERSION);
        else
            g_warning("frames: worker %" G_GUINT64_FORMAT
                      " sent a frame of %u bytes, over the limit of %u; closing",
                      connection->pid, header->length, FRAME_PAYLOAD_MAX);
        return FRAME_NEXT_BROKEN;
    }
    if (left - FRAME_HEADER_SIZE < header->length)
        return FRAME_NEXT_NONE;
    *payload = at + FRAME_HEADER_SIZE;
    connection->in_start += FRAME_HEADER_SIZE + header->length;
    return FRAME_NEXT_ONE;
}

/* --- output --- */

/* Locked. The thread of the server sees the hang-up and closes. */
static void hang_up(Connection *connection)
{
    connection->open = FALSE;
    shutdown(connection->fd, SHUT_RDWR);
}

/* Locked. Room for `length` more bytes at the end, or FALSE when that would be too much. */
static gboolean output_make_room(Connection *connection, gsize length)
{
    gsize left = connection->out_end - connection->out_start;
    if (left + length > FRAMES_OUTPUT_MAX)
        return FALSE;
    if (connection->out_size - connection->out_end >= length)
        return TRUE;
    if (connection->out_start > 0 && left > 0)
        memmove(connection->out, connection->out + connection->out_start, left);
    connection->out_start = 0;
    connection->out_end = left;
    gsize size = MAX(connection->out_size, BUFFER_FIRST);
    while (size - left < length)
        size *= 2;
    if (size != connection->out_size) {
        connection->out = g_realloc(connection->out, size);
        connection->out_size = size;
    }
    return TRUE;
}

gboolean connection_put(Connection *connection, const struct frame_header *header, const guint8 *payload)
{
    g_mutex_lock(&connection->lock);
    gboolean put = connection->open;
    if (put && !output_make_room(connection, FRAME_HEADER_SIZE + header->length)) {
        g_warning("frames: worker %" G_GUINT64_FORMAT " does not read its answers; closing", connection->pid);
        hang_up(connection);
        put = FALSE;
    }
    if (put) {
        guint8 *out = connection->out + connection->out_end;
        struct frame_header spoken = *header;
        spoken.version = connection->version;
        frame_header_write(out, &spoken);
        if (header->length > 0)
            memcpy(out + FRAME_HEADER_SIZE, payload, header->length);
        connection->out_end += FRAME_HEADER_SIZE + header->length;
        frames_server_pending(connection->server);
    }
    g_mutex_unlock(&connection->lock);
    return put;
}

/* Locked. */
static void wait_for_room(Connection *connection, gboolean waiting)
{
    if (waiting == connection->waiting)
        return;
    struct epoll_event event = {.events = EPOLLIN | (waiting ? EPOLLOUT : 0u), .data.ptr = connection};
    epoll_ctl(connection->epoll_fd, EPOLL_CTL_MOD, connection->fd, &event);
    connection->waiting = waiting;
}

void connection_send(Connection *connection)
{
    g_mutex_lock(&connection->lock);
    while (connection->open && connection->out_start < connection->out_end) {
        ssize_t n = send(connection->fd, connection->out + connection->out_start,
                         connection->out_end - connection->out_start, MSG_DONTWAIT | MSG_NOSIGNAL);
        if (n >= 0) {
            connection->out_start += (gsize)n;
        } else if (errno == EAGAIN || errno == EWOULDBLOCK) {
            wait_for_room(connection, TRUE);
            break;
        } else if (errno != EINTR) {
            hang_up(connection);
        }
    }
    if (connection->out_start == connection->out_end) {
        connection->out_start = connection->out_end = 0;
        if (connection->open)
            wait_for_room(connection, FALSE);
    }
    g_mutex_unlock(&connection->lock);
}

void connection_close(Connection *connection)
{
    g_mutex_lock(&connection->lock);
    connection->open = FALSE;
    if (connection->fd >= 0)
        close(connection->fd);
    connection->fd = -1;
    g_mutex_unlock(&connection->lock);
}
