/* The record of one action, LDV 1.0.0 3.2.2, and its canonical form: the one row of bytes that stands for it
 * in the journal, in comparisons, and later as the leaf of the Merkle tree. Pure; docs/logboek.md describes
 * the form to the byte.
 *
 *   "LDV1", then thirteen fields, each a u32 length (big endian) and that many bytes, always all and always
 * in this order: 1 trace_id 16 bytes     4 status 1 byte 0..2      7 end_time u64 ms              10
 * data_subject_id_type 2 span_id 8 bytes       5 name                    8 processing_activity_id       11
 * dpl.core.foreign_operation.processor 3 parent_span_id 8 or 0 6 start_time u64 ms       9 data_subject_id 12
 * other attributes  13 resource attributes Texts are UTF-8 without NUL; 12 and 13 are JSON in canonical form
 * (RFC 8785); what is absent has length 0, and so has {}.
 */
#pragma once

#include "components/logboek/logboek.h"
#include "components/logboek/wire.h"

/* Longer records are refused: 64 KiB is far more than what an accountable description of one action needs. */
#define RECORD_MAX (64 * 1024)

/* The same action of the same person has the same key; the same content has the same digest. */
typedef struct {
    guint8 bytes[16];
} RecordKey;

typedef enum {
    FIELD_TRACE_ID,
    FIELD_SPAN_ID,
    FIELD_PARENT_SPAN_ID,
    FIELD_STATUS,
    FIELD_NAME,
    FIELD_START_TIME,
    FIELD_END_TIME,
    FIELD_PROCESSING_ACTIVITY_ID,
    FIELD_DATA_SUBJECT_ID,
    FIELD_DATA_SUBJECT_ID_TYPE,
    FIELD_PROCESSOR,
    FIELD_ATTRIBUTES,
    FIELD_RESOURCE,
    FIELD_COUNT
} RecordFieldName;

/* The fields of a canonical form where they stand, without copies. */
typedef struct {
    WireField fields[FIELD_COUNT];
} RecordParts;

/* The canonical form. The record must have passed record_check() (rules.h); NULL with FUNDAMENT_ERROR_INVALID
 * for attributes that JSON cannot hold, or when it would be longer than RECORD_MAX. */
GBytes *record_encode(const LogboekRecord *record, GError **error);

/* Finds the fields and checks their sizes. FALSE with FUNDAMENT_ERROR_INVALID. Does not look inside texts and
 * JSON. */
gboolean record_split(const guint8 *data, gsize length, RecordParts *parts, GError **error);

/* A record that owns what its fields point to. */
typedef struct {
    LogboekRecord fields;
    GStringChunk *texts;
    json_t *attributes;
    json_t *resource;
} Record;

void record_free(Record *record);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Record, record_free)

/* An empty one, for filling; texts go through record_keep(). */
Record *record_new(void);
/* A copy that lives as long as the record; NULL and "" give NULL. */
const char *record_keep(Record *record, const char *text);

/* Accepts exactly what record_encode() gives: decoding and encoding again gives the same bytes.
 * FUNDAMENT_ERROR_INVALID otherwise. */
Record *record_decode(const guint8 *data, gsize length, GError **error);

RecordKey record_key(const char *trace_id, const char *span_id, const char *data_subject_id);
RecordKey record_parts_key(const RecordParts *parts);
/* The first 8 bytes of SHA-256 over the canonical form. It tells a repeated record from a different one;
 * nobody is convinced of anything by it, the proofs have the whole digest. */
guint64 record_digest(const guint8 *data, gsize length);

/* "Unset", "Ok" or "Error". */
const char *record_status_name(int status);
