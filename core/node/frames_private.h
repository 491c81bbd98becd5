/* What the files of the frames server share: one connection to a worker and its two buffers. */
#pragma once

#include "core/node/frames_server.h"

#define FRAMES_OUTPUT_MAX 4194304 /* 4 MiB: a worker that reads so slowly is dropped */

typedef struct connection Connection;

struct connection {
    gint references;
    FramesServer *server; /* borrowed; gone once `open` is FALSE */
    int epoll_fd;
    gboolean
        greeted; /* HELLO came: read and written on the thread of the server, under the lock of the server */
    guint64 pid;
    guint8 version; /* what the worker speaks, and is answered in; set with `greeted` */

    /* Input: the thread of the server only. */
    guint8 *in;
    gsize in_size, in_start, in_end;

    GMutex lock; /* what follows */
    int fd;
    gboolean open;
    gboolean waiting; /* for EPOLLOUT */
    guint8 *out;
    gsize out_size, out_start, out_end;
};

Connection *connection_new(FramesServer *server, int epoll_fd, int fd);
Connection *connection_ref(Connection *connection);
void connection_unref(Connection *connection);

/* Reads what there is, once. FALSE when the other side has gone. */
gboolean connection_read(Connection *connection);

typedef enum { FRAME_NEXT_NONE, FRAME_NEXT_ONE, FRAME_NEXT_BROKEN } FrameNext;

/* The next whole frame in the input; `payload` is valid until the next connection_read(). BROKEN: a version
 * or length that cannot be, said in the log. */
FrameNext connection_next(Connection *connection, struct frame_header *header, const guint8 **payload);

/* Appends a frame to the output. FALSE when the connection is closed, or is now because its output is full.
 * Any thread. */
gboolean connection_put(Connection *connection, const struct frame_header *header, const guint8 *payload);
/* Sends what the socket takes; the rest waits for EPOLLOUT. Any thread. */
void connection_send(Connection *connection);
/* Closes. The thread of the server only. */
void connection_close(Connection *connection);

/* Wakes the thread of the server when output is waiting; called with the connection's lock held. */
void frames_server_pending(FramesServer *server);
