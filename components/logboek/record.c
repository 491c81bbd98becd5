#include "components/logboek/record.h"

#include "core/base/bytes.h"
#include "core/base/error.h"
#include "core/crypto/digest.h"
#include "core/format/jcs.h"
#include "core/format/json.h"

#define MAGIC "LDV1"
#define MAGIC_SIZE 4

/* What each field may be: sizes in bytes; a text is checked for UTF-8 when it is decoded. */
static const struct {
    const char *name;
    guint32 least, most;
    gboolean may_be_absent;
} FIELDS[FIELD_COUNT] = {
    [FIELD_TRACE_ID] = {"trace_id", 16, 16, FALSE},
    [FIELD_SPAN_ID] = {"span_id", 8, 8, FALSE},
    [FIELD_PARENT_SPAN_ID] = {"parent_span_id", 8, 8, TRUE},
    [FIELD_STATUS] = {"status", 1, 1, FALSE},
    [FIELD_NAME] = {"name", 1, RECORD_MAX, FALSE},
    [FIELD_START_TIME] = {"start_time", 8, 8, FALSE},
    [FIELD_END_TIME] = {"end_time", 8, 8, FALSE},
    [FIELD_PROCESSING_ACTIVITY_ID] = {"dpl.core.processing_activity_id", 1, RECORD_MAX, TRUE},
    [FIELD_DATA_SUBJECT_ID] = {"dpl.core.data_subject_id", 1, RECORD_MAX, TRUE},
    [FIELD_DATA_SUBJECT_ID_TYPE] = {"dpl.core.data_subject_id_type", 1, RECORD_MAX, TRUE},
    [FIELD_PROCESSOR] = {"dpl.core.foreign_operation.processor", 1, RECORD_MAX, TRUE},
    [FIELD_ATTRIBUTES] = {"attributes", 3, RECORD_MAX, TRUE},
    [FIELD_RESOURCE] = {"resource", 3, RECORD_MAX, TRUE},
};

const char *record_status_name(int status)
{
    static const char *const NAMES[] = {"Unset", "Ok", "Error"};
    return status >= 0 && status < (int)G_N_ELEMENTS(NAMES) ? NAMES[status] : NAMES[0];
}

static void put_hex(GByteArray *out, const char *hex, gsize length)
{
    guint8 bytes[16];
    if (hex == NULL || !hex_decode(hex, bytes, length))
        length = 0;
    wire_put_field(out, bytes, length);
}

static void put_time(GByteArray *out, gint64 ms)
{
    guint64 bytes = GUINT64_TO_BE((guint64)ms);
    wire_put_field(out, &bytes, sizeof bytes);
}

static gboolean put_json(GByteArray *out, const json_t *object, GError **error)
{
    if (object == NULL || json_object_size(object) == 0) {
        wire_put_field(out, NULL, 0);
        return TRUE;
    }
    g_autofree char *text = jcs_write(object, error);
    if (text == NULL)
        return FALSE;
    wire_put_text(out, text);
    return TRUE;
}

GBytes *record_encode(const LogboekRecord *record, GError **error)
{
    g_autoptr(GByteArray) out = g_byte_array_sized_new(512);
    guint8 status = (guint8)record->status;
    g_byte_array_append(out, (const guint8 *)MAGIC, MAGIC_SIZE);
    put_hex(out, record->trace_id, 16);
    put_hex(out, record->span_id, 8);
    put_hex(out, record->parent_span_id, 8);
    wire_put_field(out, &status, sizeof status);
    wire_put_text(out, record->name);
    put_time(out, record->start_ms);
    put_time(out, record->end_ms);
    wire_put_text(out, record->processing_activity_id);
    wire_put_text(out, record->data_subject_id);
    wire_put_text(out, record->data_subject_id_type);
    wire_put_text(out, record->processor);
    if (!put_json(out, record->attributes, error) || !put_json(out, record->resource, error))
        return NULL;
    if (out->len > RECORD_MAX) {
        g_set_error(error, FUNDAMENT_ERROR, FUNDAMENT_ERROR_INVALID,
                    "the record takes %u bytes, at most %d are accepted: shorten its attributes", out->len,
                    RECORD_MAX);
        return NULL;
    }
    return g_byte_array_free_to_bytes(g_steal_pointer(&out));
}

static gboolean refuse(GError **error, const char *name, const char *what)
{
    g_set_error(error, FUNDAMENT_ERROR, FUNDAMENT_ERROR_INVALID, "record, field %s: %s", name, what);
    return FALSE;
}

gboolean record_split(const guint8 *data, gsize length, RecordParts *parts, GError **error)
{
    if (length < MAGIC_SIZE || length > RECORD_MAX || memcmp(data, MAGIC, MAGIC_SIZE) != 0)
        return refuse(error, "header", "this is not a record of form LDV1");
    gsize position = MAGIC_SIZE;
    for (guint i = 0; i < FIELD_COUNT; i++) {
        WireField *field = &parts->fields[i];
        if (!wire_get_field(data, length, &position, field))
            return refuse(error, FIELDS[i].name, "cut short");
        if (field->length == 0 && FIELDS[i].may_be_absent)
            continue;
        if (field->length < FIELDS[i].least || field->length > FIELDS[i].most)
            return refuse(error, FIELDS[i].name, "wrong length");
    }
    if (position != length)
        return refuse(error, "end", "there is more after the last field");
    if (parts->fields[FIELD_STATUS].data[0] > 2)
        return refuse(error, "status", "not 0, 1 or 2");
    return TRUE;
}

Record *record_new(void)
{
    Record *record = g_new0(Record, 1);
    record->texts = g_string_chunk_new(256);
    return record;
}

void record_free(Record *record)
{
    if (record == NULL)
        return;
    g_string_chunk_free(record->texts);
    json_decref(record->attributes);
    json_decref(record->resource);
    g_free(record);
}

const char *record_keep(Record *record, const char *text)
{
    return text == NULL || text[0] == '\0' ? NULL : g_string_chunk_insert(record->texts, text);
}

/* g_utf8_validate_len() refuses a NUL as well. */
static gboolean take_text(Record *record, const WireField *field, const char *name, const char **text,
                          GError **error)
{
    if (field->length == 0)
        return TRUE;
    if (!g_utf8_validate_len((const char *)field->data, field->length, NULL))
        return refuse(error, name, "not UTF-8 text");
    *text = g_string_chunk_insert_len(record->texts, (const char *)field->data, (gssize)field->length);
    return TRUE;
}

static gboolean take_json(const WireField *field, const char *name, json_t **object, GError **error)
{
    if (field->length == 0)
        return TRUE;
    g_autoptr(json_t) value =
        json_parse_strict((const char *)field->data, (gssize)field->length, NULL, error);
    if (value == NULL)
        return FALSE;
    if (!json_is_object(value))
        return refuse(error, name, "not an object");
    g_autofree char *canonical = jcs_write(value, error);
    if (canonical == NULL)
        return FALSE;
    if (strlen(canonical) != field->length || memcmp(canonical, field->data, field->length) != 0)
        return refuse(error, name, "not in canonical form");
    *object = g_steal_pointer(&value);
    return TRUE;
}

static gboolean take_time(const WireField *field, const char *name, gint64 *ms, GError **error)
{
    guint64 value = wire_get_u64(field->data);
    if (value > G_MAXINT64)
        return refuse(error, name, "beyond all times");
    *ms = (gint64)value;
    return TRUE;
}

static void take_hex(const WireField *field, char *out, gsize size)
{
    static const char DIGITS[] = "0123456789abcdef";
    gsize length = MIN(field->length, (size - 1) / 2);
    for (gsize i = 0; i < length; i++) {
        out[2 * i] = DIGITS[field->data[i] >> 4];
        out[2 * i + 1] = DIGITS[field->data[i] & 15];
    }
    out[2 * length] = '\0';
}

Record *record_decode(const guint8 *data, gsize length, GError **error)
{
    RecordParts parts;
    if (!record_split(data, length, &parts, error))
        return NULL;
    const WireField *fields = parts.fields;
    g_autoptr(Record) record = record_new();
    LogboekRecord *into = &record->fields;
    take_hex(&fields[FIELD_TRACE_ID], into->trace_id, sizeof into->trace_id);
    take_hex(&fields[FIELD_SPAN_ID], into->span_id, sizeof into->span_id);
    take_hex(&fields[FIELD_PARENT_SPAN_ID], into->parent_span_id, sizeof into->parent_span_id);
    into->status = fields[FIELD_STATUS].data[0];
    const struct {
        RecordFieldName name;
        const char **text;
    } texts[] = {
        {FIELD_NAME, &into->name},
        {FIELD_PROCESSING_ACTIVITY_ID, &into->processing_activity_id},
        {FIELD_DATA_SUBJECT_ID, &into->data_subject_id},
        {FIELD_DATA_SUBJECT_ID_TYPE, &into->data_subject_id_type},
        {FIELD_PROCESSOR, &into->processor},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(texts); i++)
        if (!take_text(record, &fields[texts[i].name], FIELDS[texts[i].name].name, texts[i].text, error))
            return NULL;
    if (!take_time(&fields[FIELD_START_TIME], "start_time", &into->start_ms, error) ||
        !take_time(&fields[FIELD_END_TIME], "end_time", &into->end_ms, error) ||
        !take_json(&fields[FIELD_ATTRIBUTES], "attributes", &record->attributes, error) ||
        !take_json(&fields[FIELD_RESOURCE], "resource", &record->resource, error))
        return NULL;
    into->attributes = record->attributes;
    into->resource = record->resource;
    return g_steal_pointer(&record);
}

static RecordKey key_of(const guint8 trace_id[16], const guint8 span_id[8], const void *subject,
                        gsize subject_length)
{
    g_autoptr(GByteArray) input = g_byte_array_sized_new(128);
    g_byte_array_append(input, trace_id, 16);
    g_byte_array_append(input, span_id, 8);
    if (subject_length > 0)
        g_byte_array_append(input, subject, (guint)subject_length);
    guint8 digest[SHA256_SIZE];
    sha256(input->data, input->len, digest);
    RecordKey key;
    memcpy(key.bytes, digest, sizeof key.bytes);
    return key;
}

RecordKey record_key(const char *trace_id, const char *span_id, const char *data_subject_id)
{
    guint8 trace[16] = {0}, span[8] = {0};
    hex_decode(trace_id, trace, sizeof trace);
    hex_decode(span_id, span, sizeof span);
    return key_of(trace, span, data_subject_id, data_subject_id == NULL ? 0 : strlen(data_subject_id));
}

RecordKey record_parts_key(const RecordParts *parts)
{
    const WireField *subject = &parts->fields[FIELD_DATA_SUBJECT_ID];
    return key_of(parts->fields[FIELD_TRACE_ID].data, parts->fields[FIELD_SPAN_ID].data, subject->data,
                  subject->length);
}

guint64 record_digest(const guint8 *data, gsize length)
{
    guint8 digest[SHA256_SIZE];
    sha256(data, length, digest);
    return wire_get_u64(digest);
}
