/* The record of an FSC transaction (FSC Logging 1.1.0, 3.1) and of its outcome, as they stand in the journal.
 * Pure. Numbers big endian.
 *
 *   transaction: u8 version 1, u8 flags (1 incoming, 2 late), u16 0, then what makes it this record, over
 * which the digest goes: i64 created_at (s), transaction id 16 bytes (its version digit is 7 for incoming, 8
 * for outgoing), trace id 16 bytes (zeros: none), and seven fields (u32 length, bytes): grant_hash,
 * outway_peer_id, delegator of the source, service_peer_id, delegator of the destination, service_name,
 * additional_data outcome:     u8 version 1, u8 sent 0/1, u16 HTTP status, u64 bytes of the body, transaction
 * id as above
 *
 * created_at is when the edge made the record, and stays the same when the edge sends it again: a request
 * that comes later under the same id is another one, a replay, even if all else is the same.
 */
#pragma once

#include "components/logboek/keys.h"
#include "components/logboek/logboek.h"
#include "components/logboek/wire.h"

#define TRANSACTION_LATE 2
#define TRANSACTION_MAX (64 * 1024)
#define TRACE_BYTES 16

typedef enum {
    TRANSACTION_GRANT_HASH,
    TRANSACTION_OUTWAY_PEER,
    TRANSACTION_OUTWAY_DELEGATOR,
    TRANSACTION_SERVICE_PEER,
    TRANSACTION_SERVICE_DELEGATOR,
    TRANSACTION_SERVICE_NAME,
    TRANSACTION_ADDITIONAL_DATA,
    TRANSACTION_FIELD_COUNT
} TransactionField;

/* Where its parts stand, without copies. */
typedef struct {
    guint8 key[KEY_SIZE];   /* id and direction */
    const guint8 *trace_id; /* TRACE_BYTES; all zero: none */
    guint8 flags;
    gint64 created_at;
    WireField fields[TRANSACTION_FIELD_COUNT];
} TransactionParts;

/* FALSE when the id is no UUIDv7. */
gboolean transaction_key(const char *transaction_id, gboolean incoming, guint8 key[KEY_SIZE]);
/* The minute since the epoch inside the id. */
gint64 transaction_minute(const guint8 key[KEY_SIZE]);

/* NULL when the id is no UUIDv7, a required text is missing, or it would be longer than TRANSACTION_MAX.
 * Caller frees. */
GByteArray *transaction_encode(const LogboekTransaction *transaction, gboolean late);
void transaction_set_late(GByteArray *encoded);

/* FALSE for anything that transaction_encode() does not give. */
gboolean transaction_split(const guint8 *data, gsize length, TransactionParts *parts);
/* Of one that can be split: the first 8 bytes of SHA-256 over all but version and flags. Tells records under
 * one key apart. */
guint64 transaction_digest(const guint8 *data, gsize length);

/* TRUE when the peer takes part: as outway, as service, or as one of the delegators (FSC
 * Logging 1.1.0, 3.2.1.1). */
gboolean transaction_involves(const TransactionParts *parts, const char *peer_id);
gboolean transaction_field_is(const TransactionParts *parts, TransactionField field, const char *text);

/* logRecord of the OpenAPI document. NULL for additional data that is no JSON object. */
json_t *transaction_json(const TransactionParts *parts);

#define OUTCOME_SIZE 28
void outcome_encode(const guint8 key[KEY_SIZE], gboolean sent, guint status, guint64 bytes,
                    guint8 out[OUTCOME_SIZE]);
