/* A worker of the edge, as nginx would be one: frames over a blocking socket, 20 s at most. */
#pragma once

#include "core/node/frames.h"
#include "tests/unit/node/support.h"

typedef struct {
    int fd;
    guint8 in[FRAME_HEADER_SIZE + FRAME_PAYLOAD_MAX];
    struct frame_header header;
    const guint8 *payload;
} Worker;

Worker *worker_connect(const char *path);
void worker_free(Worker *worker);

void send_all(const Worker *worker, const void *data, size_t length);
/* A frame as bytes; its length. */
size_t frame_make(guint8 *out, guint8 version, guint8 type, guint64 id, const void *payload, size_t length);
void worker_send(const Worker *worker, guint8 type, guint64 id, const void *payload, size_t length);
/* The next frame is then in `header` and `payload`. FALSE when the server has closed. */
gboolean worker_receive(Worker *worker);
/* The next frame must be this one. */
void worker_expect(Worker *worker, guint8 type, guint64 id, guint16 status);
void worker_hello(Worker *worker);

/* The field at `*position` of the payload, which moves on. */
char *field_text(const Worker *worker, size_t *position);
guint64 field_number(const Worker *worker, size_t *position);
