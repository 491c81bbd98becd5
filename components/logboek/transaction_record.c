#include "components/logboek/transaction_record.h"

#include "core/base/bytes.h"
#include "core/base/identifiers.h"
#include "core/crypto/digest.h"
#include "core/format/json.h"

#define VERSION 1
#define FLAG_INCOMING 1
#define TIME_OFFSET                                                                                          \
    4 /* of created_at, where the digest begins: version and flags do not make a record another one */
#define HEADER_SIZE 12 /* version, flags, 0, created_at */
#define TRACE_SIZE 16

static const struct {
    gboolean required;
} FIELDS[TRANSACTION_FIELD_COUNT] = {
    [TRANSACTION_GRANT_HASH] = {TRUE},
    [TRANSACTION_OUTWAY_PEER] = {TRUE},
    [TRANSACTION_SERVICE_PEER] = {TRUE},
    [TRANSACTION_SERVICE_NAME] = {TRUE},
};

gboolean transaction_key(const char *transaction_id, gboolean incoming, guint8 key[KEY_SIZE])
{
    if (!uuid7_valid(transaction_id))
        return FALSE;
    guint digits = 0;
    memset(key, 0, KEY_SIZE);
    for (const char *at = transaction_id; *at != '\0'; at++) {
        if (*at == '-')
            continue;
        guint8 digit = (guint8)g_ascii_xdigit_value(*at);
        key[digits / 2] = (guint8)(digits % 2 == 0 ? digit << 4 : key[digits / 2] | digit);
        digits++;
    }
    key[6] = (guint8)((key[6] & 0x0f) | (incoming ? 0x70 : 0x80));
    return TRUE;
}

gint64 transaction_minute(const guint8 key[KEY_SIZE])
{
    gint64 ms = 0;
    for (guint i = 0; i < 6; i++)
        ms = ms << 8 | key[i];
    return ms / 60000;
}

static void put_trace(GByteArray *out, const char *trace_id)
{
    guint8 bytes[TRACE_SIZE] = {0};
    if (trace_id_valid(trace_id))
        hex_decode(trace_id, bytes, sizeof bytes);
    g_byte_array_append(out, bytes, sizeof bytes);
}

GByteArray *transaction_encode(const LogboekTransaction *transaction, gboolean late)
{
    const char *texts[TRANSACTION_FIELD_COUNT] = {
        [TRANSACTION_GRANT_HASH] = transaction->grant_hash,
        [TRANSACTION_OUTWAY_PEER] = transaction->outway_peer_id,
        [TRANSACTION_OUTWAY_DELEGATOR] = transaction->outway_delegator,
        [TRANSACTION_SERVICE_PEER] = transaction->service_peer_id,
        [TRANSACTION_SERVICE_DELEGATOR] = transaction->service_delegator,
        [TRANSACTION_SERVICE_NAME] = transaction->service_name,
        [TRANSACTION_ADDITIONAL_DATA] = transaction->additional_data,
    };
    guint8 key[KEY_SIZE];
    if (!transaction_key(transaction->transaction_id, transaction->incoming, key))
        return NULL;
    g_autoptr(GByteArray) out = g_byte_array_sized_new(512);
    guint8 start[4] = {
        VERSION, (guint8)((transaction->incoming ? FLAG_INCOMING : 0) | (late ? TRANSACTION_LATE : 0)), 0, 0};
    g_byte_array_append(out, start, sizeof start);
    wire_put_u64(out, (guint64)transaction->created_at);
    g_byte_array_append(out, key, KEY_SIZE);
    put_trace(out, transaction->trace_id);
    for (guint i = 0; i < TRANSACTION_FIELD_COUNT; i++) {
        gboolean absent = texts[i] == NULL || texts[i][0] == '\0';
        if (absent ? FIELDS[i].required : !g_utf8_validate(texts[i], -1, NULL))
            return NULL;
        wire_put_text(out, texts[i]);
    }
    return out->len <= TRANSACTION_MAX ? g_steal_pointer(&out) : NULL;
}

void transaction_set_late(GByteArray *encoded)
{
    encoded->data[1] |= TRANSACTION_LATE;
}

gboolean transaction_split(const guint8 *data, gsize length, TransactionParts *parts)
{
    if (length < HEADER_SIZE + KEY_SIZE + TRACE_SIZE || length > TRANSACTION_MAX || data[0] != VERSION ||
        (data[1] & ~(FLAG_INCOMING | TRANSACTION_LATE)) != 0 || data[2] != 0 || data[3] != 0)
        return FALSE;
    parts->flags = data[1];
    parts->created_at = (gint64)wire_get_u64(data + TIME_OFFSET);
    memcpy(parts->key, data + HEADER_SIZE, KEY_SIZE);
    parts->trace_id = data + HEADER_SIZE + KEY_SIZE;
    if (parts->key[6] >> 4 != ((parts->flags & FLAG_INCOMING) != 0 ? 7 : 8) || parts->created_at < 0)
        return FALSE;
    gsize position = HEADER_SIZE + KEY_SIZE + TRACE_SIZE;
    for (guint i = 0; i < TRANSACTION_FIELD_COUNT; i++)
        if (!wire_get_field(data, length, &position, &parts->fields[i]) ||
            (FIELDS[i].required && parts->fields[i].length == 0))
            return FALSE;
    return position == length;
}

guint64 transaction_digest(const guint8 *data, gsize length)
{
    guint8 digest[SHA256_SIZE];
    sha256(data + TIME_OFFSET, length - TIME_OFFSET, digest);
    return wire_get_u64(digest);
}

gboolean transaction_field_is(const TransactionParts *parts, TransactionField field, const char *text)
{
    const WireField *value = &parts->fields[field];
    return value->length == strlen(text) && memcmp(value->data, text, value->length) == 0;
}

gboolean transaction_involves(const TransactionParts *parts, const char *peer_id)
{
    return peer_id != NULL && peer_id[0] != '\0' &&
           (transaction_field_is(parts, TRANSACTION_OUTWAY_PEER, peer_id) ||
            transaction_field_is(parts, TRANSACTION_SERVICE_PEER, peer_id) ||
            transaction_field_is(parts, TRANSACTION_OUTWAY_DELEGATOR, peer_id) ||
            transaction_field_is(parts, TRANSACTION_SERVICE_DELEGATOR, peer_id));
}

static json_t *text_json(const WireField *field)
{
    return json_stringn((const char *)field->data, field->length);
}

/* source and destination have the same shape, with other names. */
static json_t *party_json(const char *plain, const char *delegated, const char *peer_member,
                          const WireField *peer, const WireField *delegator)
{
    json_t *party = json_object();
    json_object_set_new(party, "type", json_string(delegator->length > 0 ? delegated : plain));
    json_object_set_new(party, peer_member, text_json(peer));
    if (delegator->length > 0)
        json_object_set_new(party, "delegator_peer_id", text_json(delegator));
    return party;
}

static void put_uuid(const guint8 key[KEY_SIZE], char out[UUID_TEXT_SIZE])
{
    guint8 bytes[KEY_SIZE];
    memcpy(bytes, key, KEY_SIZE);
    bytes[6] = (guint8)((bytes[6] & 0x0f) | 0x70);
    char *at = out;
    for (guint i = 0; i < KEY_SIZE; i++) {
        if (i == 4 || i == 6 || i == 8 || i == 10)
            *at++ = '-';
        g_snprintf(at, 3, "%02x", bytes[i]);
        at += 2;
    }
}

json_t *transaction_json(const TransactionParts *parts)
{
    char id[UUID_TEXT_SIZE];
    const WireField *fields = parts->fields;
    put_uuid(parts->key, id);
    g_autoptr(json_t) record = json_object();
    json_object_set_new(record, "transaction_id", json_string(id));
    json_object_set_new(
        record, "direction",
        json_string((parts->flags & FLAG_INCOMING) != 0 ? "DIRECTION_INCOMING" : "DIRECTION_OUTGOING"));
    json_object_set_new(record, "grant_hash", text_json(&fields[TRANSACTION_GRANT_HASH]));
    json_object_set_new(record, "source",
                        party_json("SOURCE_TYPE_SOURCE", "SOURCE_TYPE_DELEGATED_SOURCE", "outway_peer_id",
                                   &fields[TRANSACTION_OUTWAY_PEER], &fields[TRANSACTION_OUTWAY_DELEGATOR]));
    json_object_set_new(record, "destination",
                        party_json("DESTINATION_TYPE_DESTINATION", "DESTINATION_TYPE_DELEGATED_DESTINATION",
                                   "service_peer_id", &fields[TRANSACTION_SERVICE_PEER],
                                   &fields[TRANSACTION_SERVICE_DELEGATOR]));
    json_object_set_new(record, "service_name", text_json(&fields[TRANSACTION_SERVICE_NAME]));
    const WireField *additional = &fields[TRANSACTION_ADDITIONAL_DATA];
    if (additional->length > 0) {
        json_t *data =
            json_parse_strict((const char *)additional->data, (gssize)additional->length, NULL, NULL);
        if (!json_is_object(data)) {
            json_decref(data);
            return NULL;
        }
        json_object_set_new(record, "additional_data", data);
    }
    json_object_set_new(record, "created_at", json_integer(parts->created_at));
    return g_steal_pointer(&record);
}

void outcome_encode(const guint8 key[KEY_SIZE], gboolean sent, guint status, guint64 bytes,
                    guint8 out[OUTCOME_SIZE])
{
    guint64 size = GUINT64_TO_BE(bytes);
    out[0] = VERSION;
    out[1] = sent ? 1 : 0;
    out[2] = (guint8)(status >> 8);
    out[3] = (guint8)status;
    memcpy(out + 4, &size, sizeof size);
    memcpy(out + 12, key, KEY_SIZE);
}
