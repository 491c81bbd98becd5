#include "tests/unit/node/worker.h"

#include <errno.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static int socket_to(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    g_strlcpy(address.sun_path, path, sizeof address.sun_path);
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    assert_int_equal(connect(fd, (const struct sockaddr *)&address, sizeof address), 0);
    struct timeval timeout = {.tv_sec = 20};
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof timeout);
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &timeout, sizeof timeout);
    return fd;
}

void send_all(const Worker *worker, const void *data, size_t length)
{
    for (const guint8 *at = data; length > 0;) {
        ssize_t n = send(worker->fd, at, length, MSG_NOSIGNAL);
        assert_true(n > 0);
        at += n;
        length -= (size_t)n;
    }
}

size_t frame_make(guint8 *out, guint8 version, guint8 type, guint64 id, const void *payload, size_t length)
{
    struct frame_header header = {(uint32_t)length, version, type, 0, id};
    frame_header_write(out, &header);
    if (length > 0)
        memcpy(out + FRAME_HEADER_SIZE, payload, length);
    return FRAME_HEADER_SIZE + length;
}

void worker_send(const Worker *worker, guint8 type, guint64 id, const void *payload, size_t length)
{
    g_autofree guint8 *frame = g_malloc(FRAME_HEADER_SIZE + length);
    send_all(worker, frame, frame_make(frame, FRAME_VERSION, type, id, payload, length));
}

/* FALSE when the server has closed. */
static gboolean read_exactly(const Worker *worker, guint8 *out, size_t length)
{
    while (length > 0) {
        ssize_t n = recv(worker->fd, out, length, 0);
        if (n == 0 || (n < 0 && errno == ECONNRESET))
            return FALSE;
        assert_true(n > 0);
        out += n;
        length -= (size_t)n;
    }
    return TRUE;
}

gboolean worker_receive(Worker *worker)
{
    if (!read_exactly(worker, worker->in, FRAME_HEADER_SIZE))
        return FALSE;
    assert_int_equal(frame_header_read(worker->in, &worker->header), 0);
    worker->payload = worker->in + FRAME_HEADER_SIZE;
    return read_exactly(worker, worker->in + FRAME_HEADER_SIZE, worker->header.length);
}

void worker_expect(Worker *worker, guint8 type, guint64 id, guint16 status)
{
    assert_true(worker_receive(worker));
    assert_int_equal(worker->header.type, type);
    assert_int_equal(worker->header.id, id);
    assert_int_equal(worker->header.status, status);
    assert_int_equal(worker->header.version, FRAME_VERSION);
}

char *field_text(const Worker *worker, size_t *position)
{
    const uint8_t *data = NULL;
    size_t length = 0;
    assert_int_equal(frame_field_get(worker->payload, worker->header.length, position, &data, &length), 0);
    return g_strndup((const char *)data, length);
}

guint64 field_number(const Worker *worker, size_t *position)
{
    uint64_t value = 0;
    assert_int_equal(frame_field_get_u64(worker->payload, worker->header.length, position, &value), 0);
    return value;
}

void worker_hello(Worker *worker)
{
    guint8 fields[12];
    size_t length = frame_field_put_u64(fields, sizeof fields, 0, 4711);
    worker_send(worker, FRAME_HELLO, 1, fields, length);
    worker_expect(worker, FRAME_HELLO, 1, FRAME_STATUS_OK);
}

void worker_free(Worker *worker)
{
    close(worker->fd);
    g_free(worker);
}

Worker *worker_connect(const char *path)
{
    Worker *worker = g_new0(Worker, 1);
    worker->fd = socket_to(path);
    return worker;
}
