/* The serve side of frames.h: one thread, epoll, any number of workers, answers in any order. */
#pragma once

#include <glib.h>

#include "core/node/frames.h"

typedef struct frames_server FramesServer;

/* One request of a worker. Reference counted: whoever answers later keeps a reference. */
typedef struct frame_call FrameCall;

FrameCall *frame_call_ref(FrameCall *call);
void frame_call_unref(FrameCall *call);
const guint8 *frame_call_payload(const FrameCall *call, gsize *length);
guint8 frame_call_type(const FrameCall *call);

/* Queues the answer; from any thread; at most once a call (a call that is let go of without one is refused
 * with NOT_READY; OUTCOME, TRAFFIC and EDGE have none). It is sent at the next frames_server_flush() or when
 * the event loop comes round, whichever is first. When the worker has gone meanwhile, the answer is dropped.
 * `fields` is a payload made with frame_field_put(). */
void frame_call_answer(FrameCall *call, guint16 status, const guint8 *fields, gsize length);
/* With one text field, the message. */
void frame_call_refuse(FrameCall *call, guint16 status, const char *message);

/* Called on the thread of the frames server: must not block. */
typedef void (*FrameHandler)(FrameCall *call, gpointer user_data);

/* `handlers[type]` for the types that the edge sends but HELLO; NULL ones are answered with
 * BAD_FRAME. HELLO is answered by the server itself. */
typedef struct {
    const char *socket_path;
    const char *group_id;
    const char *peer_id;
    FrameHandler handlers[16];
    gpointer user_data;
} FramesServerOptions;

/* The functions below that take a server do nothing when it is NULL. */
FramesServer *frames_server_start(const FramesServerOptions *options, GError **error);
void frames_server_stop(FramesServer *server);

/* Sends what is queued now, with one write a worker: called after a batch of log records was committed. Any
 * thread. */
void frames_server_flush(FramesServer *server);

/* Tells every worker to forget its verdicts and routes, and returns the new generation. Any thread. */
guint64 frames_server_forget(FramesServer *server);

/* Replaces the revoked serials of every worker, now and for those who connect later. NULL-terminated. */
void frames_server_set_revoked(FramesServer *server, const char *const *serials);

guint frames_server_workers(FramesServer *server); /* connected now */
