/* Frames between the edge (nginx workers) and `fundament serve`, over one Unix stream socket a worker
 * (run/frames.sock).
 *
 * Plain C without GLib: this header is all that edge/ shares with the rest. Integers are little endian.
 * Requests are pipelined and answered in any order; the id, chosen by who asks, joins answer and request. A
 * frame is
 *
 *   u32 length of the payload, u8 version, u8 type, u16 status, u64 id, payload
 *
 * and a payload is a list of fields, each u32 length and bytes; numbers in fields are u64. A side that meets
 * a higher version closes the connection after naming it in its log; version N speaks N-1 as well
 * (decisions.md 1). The node answers in the version in which HELLO came, so that it may be a version ahead of
 * its edge: it is upgraded first, and the edge after it. What a version adds stands behind what was there.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#ifndef FRAME_VERSION /* a test builds a node that is one ahead */
#define FRAME_VERSION 1
#endif
#define FRAME_HEADER_SIZE 16
#define FRAME_PAYLOAD_MAX (256 * 1024)

enum frame_type {
    /* edge -> serve: [u64 pid]. Answer: [group id, own peer id, u64 generation]. First frame on a connection.
     */
    FRAME_HELLO = 1,
    /* edge -> serve: [u64 direction 1 incoming 2 outgoing, transaction id in lower case, template,
     * traceparent or "", u64 made: microseconds since the epoch when the edge made this record, different for
     * each record of one worker]. Answered with FRAME_STATUS_OK only after the record is on disk. A resend
     * has the same `made` (whose seconds are the record's created_at): it is the same record, and fine. The
     * same id and direction with another `made` is a replay: LOG_ID_INVALID (decisions.md 10), also when all
     * else is equal, because each request needs a record of its own. */
    FRAME_LOG = 2,
    /* edge -> serve: [access token without "Bearer ", x5t#S256 of the client certificate].
     * Answer OK: [u64 valid until (unix s), service name, upstream ("unix:PATH" or "ip:port"), peer id of the
     * Outway, grant hash, template]; otherwise [message]. `template` is opaque to the edge: it goes back in
     * FRAME_LOG. */
    FRAME_VERIFY = 3,
    /* edge -> serve: [client name, u64 selector kind 1 grant hash 2 host, selector].
     * Answer OK: [access token, u64 use until (unix s), address "ip:port", TLS name, template, grant hash,
     * peer id of the service, u64 expires (unix s), service name]; otherwise [message]. serve renews tokens
     * ahead of time itself; the edge asks again at `use until`, and goes on with what it has until `expires`
     * while it waits for the new answer. `expires` may be left out: `use until`; the service name (for
     * TRAFFIC) as well: "". The address may be "unix:PATH" in tests. */
    FRAME_ROUTE = 4,
    /* serve -> edge, id 0, no answer: [u64 generation]. Forget every verdict and every route now. */
    FRAME_FLUSH = 5,
    /* edge -> serve, no answer, within a tenth of a second after the answer was sent to the client, in
     * batches: [u64 direction, transaction id, u64 sent upstream 0/1, u64 HTTP status, u64 bytes of body]. */
    FRAME_OUTCOME = 6,
    /* serve -> edge, id 0, no answer, after HELLO and when the CRL changes: [u64 more follow 0/1, serial,
     * serial, ...] serials in upper-case hex as $ssl_client_serial has them. A list replaces the one before.
     */
    FRAME_REVOKED = 7,
    /* edge -> serve, no answer, once a second for each (direction, peer, service) that had requests: [u64
     * direction, peer id, service name, counts, latency]. `counts` are u64 in the order of
     * FRAME_TRAFFIC_TABLE, `latency` u32 for each of FRAME_LATENCY_BUCKETS; both only of that second. Peer
     * and service are "" for requests that were refused before they were known. A node that does not know
     * this frame refuses it, which the edge does not mind. */
    FRAME_TRAFFIC = 8,
    /* edge -> serve, no answer, once a second while something changes: [u64 pid, u64 calls under way,
     * counters, then for each refusal that was given: u64 HTTP status, Fsc-Error-Code, u64 count].
     * `counters` are u64 in the order of FRAME_EDGE_TABLE; all counts are of what came since the frame
     * before. */
    FRAME_EDGE = 9
};

/* What TRAFFIC counts. A request is in one of the first six; the bytes are of all of them, headers
 * included. */
#define FRAME_TRAFFIC_TABLE(X)                                                                               \
    X(REFUSED, refused)         /* by this edge, before it went on */                                        \
    X(UNDELIVERED, undelivered) /* it went on, and no answer came */                                         \
    X(STATUS_2XX, status_2xx)                                                                                \
    X(STATUS_3XX, status_3xx)                                                                                \
    X(STATUS_4XX, status_4xx)                                                                                \
    X(STATUS_5XX, status_5xx) /* and what is no status at all */                                             \
    X(BYTES_IN, bytes_in)                                                                                    \
    X(BYTES_OUT, bytes_out)

enum frame_traffic {
#define X(name, lower) FRAME_TRAFFIC_##name,
    FRAME_TRAFFIC_TABLE(X)
#undef X
        FRAME_TRAFFIC_COUNT
};

/* Latencies from when the headers of a request are here to the last byte of its answer: four buckets an
 * octave from 64 us to 268 s; the first holds all that is faster, the last all that is slower. */
#define FRAME_LATENCY_BUCKETS 90
#define FRAME_LATENCY_OCTAVE 6 /* of the first bucket but one: 2^6 us */

static inline unsigned frame_latency_bucket(uint64_t us)
{
    if (us < 1U << FRAME_LATENCY_OCTAVE)
        return 0;
    unsigned octave = 63U - (unsigned)__builtin_clzll(us);
    unsigned bucket = 1 + (octave - FRAME_LATENCY_OCTAVE) * 4 + (unsigned)((us >> (octave - 2)) & 3);
    return bucket < FRAME_LATENCY_BUCKETS ? bucket : FRAME_LATENCY_BUCKETS - 1;
}

/* The shortest latency of a bucket, in microseconds. */
static inline uint64_t frame_latency_floor(unsigned bucket)
{
    return bucket == 0 ? 0
                       : (uint64_t)(4 + (bucket - 1) % 4) << (FRAME_LATENCY_OCTAVE - 2 + (bucket - 1) / 4);
}

/* What EDGE counts: name, metric, what it is. */
#define FRAME_EDGE_TABLE(X)                                                                                  \
    X(CACHE_HITS, "cache_hits", "Verdicts and routes that were known")                                       \
    X(CACHE_QUESTIONS, "cache_questions", "Verdicts and routes that were asked for")                         \
    X(RESENDS, "resends", "Frames that were sent again because no answer came")                              \
    X(SILENT, "silent", "Calls that were given up without an answer")                                        \
    X(FLUSHES, "flushes", "Times that all verdicts and routes were forgotten")                               \
    X(CONNECTIONS, "connections", "Connections made to the node")

enum frame_edge {
#define X(name, metric, help) FRAME_EDGE_##name,
    FRAME_EDGE_TABLE(X)
#undef X
        FRAME_EDGE_COUNT
};

/* What a status means to the client of the edge: name, number, HTTP status, Fsc-Error-Code ("" for
 * problem+json without it), and the message used when the answer holds none. One table for serve, edge, tests
 * and documentation. */
#define FRAME_STATUS_TABLE(X)                                                                                \
    X(OK, 0, 200, "", "")                                                                                    \
    X(ACCESS_TOKEN_MISSING, 1, 401, "ERROR_CODE_ACCESS_TOKEN_MISSING",                                       \
      "the header Fsc-Authorization holds no token")                                                         \
    X(ACCESS_TOKEN_INVALID, 2, 401, "ERROR_CODE_ACCESS_TOKEN_INVALID", "the access token is not valid")      \
    X(ACCESS_TOKEN_EXPIRED, 3, 401, "ERROR_CODE_ACCESS_TOKEN_EXPIRED", "the access token has expired")       \
    X(WRONG_GROUP_ID, 4, 403, "ERROR_CODE_WRONG_GROUP_ID_IN_TOKEN", "the access token is for another group") \
    X(SERVICE_NOT_FOUND, 5, 404, "ERROR_CODE_SERVICE_NOT_FOUND", "this Inway does not offer that service")   \
    X(SERVICE_UNREACHABLE, 6, 502, "ERROR_CODE_SERVICE_UNREACHABLE", "the service cannot be reached")        \
    X(METHOD_UNSUPPORTED, 7, 405, "ERROR_CODE_METHOD_UNSUPPORTED", "the method CONNECT is not supported")    \
    X(LOG_WRITE_ERROR, 8, 500, "TRANSACTION_LOG_WRITE_ERROR",                                                \
      "the transaction log record could not be written")                                                     \
    X(LOG_ID_INVALID, 9, 400, "INVALID_LOG_RECORD_ID",                                                       \
      "the Fsc-Transaction-Id must be a UUIDv7 that was not used before")                                    \
    X(LOG_ID_MISSING, 10, 400, "MISSING_LOG_RECORD_ID", "the header Fsc-Transaction-Id is missing")          \
    X(GRANT_UNKNOWN, 20, 400, "", "no valid contract holds that grant")                                      \
    X(GRANT_NOT_NAMED, 21, 400, "", "say which service: the header Fsc-Grant-Hash or a known Host")          \
    X(CLIENT_DENIED, 22, 403, "", "this client may not use that grant")                                      \
    X(PEER_UNREACHABLE, 23, 502, "", "the other organisation cannot be reached")                             \
    X(TOKEN_REFUSED, 24, 502, "", "the other organisation refused an access token")                          \
    X(PROTOCOL_UNSUPPORTED, 25, 502, "", "the service offers HTTP/2 only, which this Outway does not speak") \
    X(NOT_READY, 26, 503, "", "the node is starting or stopping; try again")                                 \
    X(BAD_FRAME, 30, 500, "", "the edge and the node do not understand each other")

enum frame_status {
#define X(name, number, http, code, message) FRAME_STATUS_##name = number,
    FRAME_STATUS_TABLE(X)
#undef X
};

struct frame_header {
    uint32_t length;
    uint8_t version;
    uint8_t type;
    uint16_t status;
    uint64_t id;
};

static inline void frame_put_u32(uint8_t *out, uint32_t value)
{
    out[0] = (uint8_t)value;
    out[1] = (uint8_t)(value >> 8);
    out[2] = (uint8_t)(value >> 16);
    out[3] = (uint8_t)(value >> 24);
}

static inline uint32_t frame_get_u32(const uint8_t *in)
{
    return (uint32_t)in[0] | (uint32_t)in[1] << 8 | (uint32_t)in[2] << 16 | (uint32_t)in[3] << 24;
}

static inline void frame_put_u64(uint8_t *out, uint64_t value)
{
    frame_put_u32(out, (uint32_t)value);
    frame_put_u32(out + 4, (uint32_t)(value >> 32));
}

static inline uint64_t frame_get_u64(const uint8_t *in)
{
    return (uint64_t)frame_get_u32(in) | (uint64_t)frame_get_u32(in + 4) << 32;
}

static inline void frame_header_write(uint8_t out[FRAME_HEADER_SIZE], const struct frame_header *header)
{
    frame_put_u32(out, header->length);
    out[4] = header->version;
    out[5] = header->type;
    out[6] = (uint8_t)header->status;
    out[7] = (uint8_t)(header->status >> 8);
    frame_put_u64(out + 8, header->id);
}

/* 0, or -1 when the version is higher than ours or the payload would be too long. */
static inline int frame_header_read(const uint8_t in[FRAME_HEADER_SIZE], struct frame_header *header)
{
    header->length = frame_get_u32(in);
    header->version = in[4];
    header->type = in[5];
    header->status = (uint16_t)(in[6] | in[7] << 8);
    header->id = frame_get_u64(in + 8);
    return header->version > FRAME_VERSION || header->length > FRAME_PAYLOAD_MAX ? -1 : 0;
}

/* Appends a field at `position` of a buffer of `size` bytes; the new position, or 0 when it does not fit. */
static inline size_t frame_field_put(uint8_t *buffer, size_t size, size_t position, const void *data,
                                     size_t length)
{
    if (length > FRAME_PAYLOAD_MAX || position > size || size - position < 4 + length)
        return 0;
    frame_put_u32(buffer + position, (uint32_t)length);
    if (length > 0)
        memcpy(buffer + position + 4, data, length);
    return position + 4 + length;
}

static inline size_t frame_field_put_u64(uint8_t *buffer, size_t size, size_t position, uint64_t value)
{
    uint8_t bytes[8];
    frame_put_u64(bytes, value);
    return frame_field_put(buffer, size, position, bytes, sizeof bytes);
}

/* Reads the field at `*position` and moves on; 0, or -1 at the end or when it is cut short. */
static inline int frame_field_get(const uint8_t *payload, size_t length, size_t *position,
                                  const uint8_t **data, size_t *data_length)
{
    if (*position > length || length - *position < 4)
        return -1;
    size_t field = frame_get_u32(payload + *position);
    if (field > length - *position - 4)
        return -1;
    *data = payload + *position + 4;
    *data_length = field;
    *position += 4 + field;
    return 0;
}

static inline int frame_field_get_u64(const uint8_t *payload, size_t length, size_t *position,
                                      uint64_t *value)
{
    const uint8_t *data;
    size_t data_length;
    if (frame_field_get(payload, length, position, &data, &data_length) != 0 || data_length != 8)
        return -1;
    *value = frame_get_u64(data);
    return 0;
}
