#include "components/logboek/rules.h"

#include <string.h>

#include "core/base/error.h"
#include "core/base/identifiers.h"
#include "core/base/trace.h"
#include "core/crypto/pseudonym.h"

#define NAME_MAX_BYTES 1024
#define SUBJECT_MAX_BYTES 256
#define URI_MAX_BYTES 2048
#define MEMBERS_MAX 128
#define LEVELS_MAX 8
#define NUMBER_MAX 9007199254740991.0                  /* 2^53 - 1 */
#define TIME_MAX_MS G_GINT64_CONSTANT(253402300799999) /* the last millisecond of the year 9999 */

static const struct {
    const char *section, *text;
} VERDICTS[] = {
#define X(name, section, text) {section, text},
    RECORD_VERDICT_TABLE(X)
#undef X
};

const char *record_verdict_section(RecordVerdict verdict)
{
    return VERDICTS[verdict].section;
}

const char *record_verdict_text(RecordVerdict verdict)
{
    return VERDICTS[verdict].text;
}

void record_verdict_error(RecordVerdict verdict, const char *attribute, GError **error)
{
    const char *text = VERDICTS[verdict].text, *section = VERDICTS[verdict].section;
    if (attribute != NULL)
        g_set_error(error, FUNDAMENT_ERROR, FUNDAMENT_ERROR_INVALID, "attribute %s: %s (LDV 1.0.0, %s)",
                    attribute, text, section);
    else if (verdict == RECORD_BSN)
        g_set_error(error, FUNDAMENT_ERROR, FUNDAMENT_ERROR_INVALID,
                    "a name in the record %s (LDV 1.0.0, %s)", text, section);
    else
        g_set_error(error, FUNDAMENT_ERROR, FUNDAMENT_ERROR_INVALID, "%s (LDV 1.0.0, %s)", text, section);
}

/* One row of letters and digits. A row of hexadecimal digits alone, longer than nine, is an identifier. */
static gboolean token_holds_bsn(const char *token, gsize length)
{
    gsize hex = 0;
    while (hex < length && g_ascii_isxdigit(token[hex]))
        hex++;
    if (hex == length && length > 9)
        return FALSE;
    for (gsize i = 0; i < length;) {
        gsize digits = 0;
        while (i + digits < length && g_ascii_isdigit(token[i + digits]))
            digits++;
        if (digits == 9) {
            char number[10];
            memcpy(number, token + i, 9);
            number[9] = '\0';
            if (bsn_valid(number))
                return TRUE;
        }
        i += digits > 0 ? digits : 1;
    }
    return FALSE;
}

gboolean text_holds_bsn(const char *text)
{
    if (text == NULL)
        return FALSE;
    for (const char *at = text; *at != '\0';) {
        gsize length = 0;
        while (g_ascii_isalnum(at[length]))
            length++;
        if (length >= 9 && token_holds_bsn(at, length))
            return TRUE;
        at += length > 0 ? length : 1;
    }
    return FALSE;
}

static gboolean integer_is_bsn(json_int_t value)
{
    char number[32];
    if (value < 100000000 || value > 999999999)
        return FALSE;
    g_snprintf(number, sizeof number, "%" JSON_INTEGER_FORMAT, value);
    return bsn_valid(number);
}

/* Depth is bounded by the parsers that make values. */
gboolean json_holds_bsn(const json_t *value)
{
    const char *name;
    json_t *member;
    size_t index;
    switch (json_typeof(value)) {
    case JSON_STRING:
        return text_holds_bsn(json_string_value(value));
    case JSON_INTEGER:
        return integer_is_bsn(json_integer_value(value));
    case JSON_REAL:
        return json_real_value(value) >= 1e8 && json_real_value(value) < 1e9 &&
               integer_is_bsn((json_int_t)json_real_value(value));
    case JSON_ARRAY:
        json_array_foreach(value, index, member)
        {
            if (json_holds_bsn(member))
                return TRUE;
        }
        return FALSE;
    case JSON_OBJECT:
        json_object_foreach((json_t *)value, name, member)
        {
            if (text_holds_bsn(name) || json_holds_bsn(member))
                return TRUE;
        }
        return FALSE;
    default:
        return FALSE;
    }
}

/* RFC 7493, 2.2. A real from 2^53 to 10^21 is printed as an integer by RFC 8785, so it must not be there
 * either. */
static gboolean number_storable(const json_t *value)
{
    double number = json_number_value(value);
    return (number >= -NUMBER_MAX && number <= NUMBER_MAX) ||
           (json_is_real(value) && (number >= 1e21 || number <= -1e21));
}

static gboolean storable_to(const json_t *value, guint levels)
{
    const char *name;
    json_t *member;
    size_t index;
    if (levels == 0)
        return FALSE;
    switch (json_typeof(value)) {
    case JSON_STRING:
        return strlen(json_string_value(value)) == json_string_length(value);
    case JSON_INTEGER:
    case JSON_REAL:
        return number_storable(value);
    case JSON_ARRAY:
        json_array_foreach(value, index, member)
        {
            if (!storable_to(member, levels - 1))
                return FALSE;
        }
        return TRUE;
    case JSON_OBJECT:
        json_object_foreach((json_t *)value, name, member)
        {
            if (!storable_to(member, levels - 1))
                return FALSE;
        }
        return TRUE;
    default:
        return TRUE;
    }
}

gboolean json_storable(const json_t *value)
{
    return storable_to(value, LEVELS_MAX);
}

gboolean uri_valid(const char *text)
{
    if (text == NULL || !g_ascii_isalpha(text[0]))
        return FALSE;
    gsize length = strlen(text), scheme = 1;
    while (g_ascii_isalnum(text[scheme]) || (text[scheme] != '\0' && strchr("+-.", text[scheme]) != NULL))
        scheme++;
    if (text[scheme] != ':' || text[scheme + 1] == '\0' || length > URI_MAX_BYTES)
        return FALSE;
    for (gsize i = 0; i < length; i++)
        if ((guint8)text[i] <= ' ' || (guint8)text[i] >= 0x7f)
            return FALSE;
    return strpbrk(text, "\"<>\\^`{|}") == NULL;
}

static gboolean is_url(const char *text)
{
    return uri_valid(text) && ((g_str_has_prefix(text, "https://") && text[8] != '\0' && text[8] != '/') ||
                               (g_str_has_prefix(text, "http://") && text[7] != '\0' && text[7] != '/'));
}

static gboolean is_time(gint64 ms)
{
    return ms > 0 && ms <= TIME_MAX_MS;
}

/* LDV 1.0.0, 3.2.2.1 to 3.2.2.7. */
static RecordVerdict check_core(const LogboekRecord *record)
{
    if (!trace_id_valid(record->trace_id))
        return RECORD_TRACE_ID;
    if (!span_id_valid(record->span_id))
        return RECORD_SPAN_ID;
    if (record->parent_span_id[0] != '\0' &&
        (!span_id_valid(record->parent_span_id) || strcmp(record->parent_span_id, record->span_id) == 0))
        return RECORD_PARENT_SPAN_ID;
    if (record->status < 0 || record->status > 2)
        return RECORD_STATUS;
    if (record->name == NULL || record->name[0] == '\0' || strlen(record->name) > NAME_MAX_BYTES ||
        !g_utf8_validate(record->name, -1, NULL))
        return RECORD_NAME;
    if (!is_time(record->start_ms))
        return RECORD_START_TIME;
    return is_time(record->end_ms) ? RECORD_ACCEPTED : RECORD_END_TIME;
}

static gboolean is_short_text(const char *text)
{
    return text == NULL || (strlen(text) <= SUBJECT_MAX_BYTES && g_utf8_validate(text, -1, NULL));
}

/* LDV 1.0.0, 3.3.1.1: the subject is named with its type, and with the activity. Beyond the standard's
 * recommendation, a person that is known by its BSN stands here only by a keyed pseudonym. */
static RecordVerdict check_subject(const LogboekRecord *record)
{
    const char *subject = record->data_subject_id, *type = record->data_subject_id_type;
    if (!is_short_text(type) || !is_short_text(subject))
        return RECORD_SUBJECT_TEXT;
    if (subject == NULL)
        return RECORD_ACCEPTED;
    if (record->processing_activity_id == NULL)
        return RECORD_ACTIVITY_MISSING;
    if (type == NULL || type[0] == '\0')
        return RECORD_SUBJECT_TYPE_MISSING;
    if (g_ascii_strcasecmp(type, "BSN") == 0)
        return pseudonym_valid(subject) ? RECORD_ACCEPTED : RECORD_SUBJECT_NOT_PSEUDONYM;
    return text_holds_bsn(subject) ? RECORD_SUBJECT_LIKE_BSN : RECORD_ACCEPTED;
}

static RecordVerdict check_links(const LogboekRecord *record)
{
    if (record->processing_activity_id != NULL && !uri_valid(record->processing_activity_id))
        return RECORD_ACTIVITY_NOT_URI;
    if (record->processor != NULL && !is_url(record->processor))
        return RECORD_PROCESSOR_NOT_URL;
    return RECORD_ACCEPTED;
}

static RecordVerdict check_members(const json_t *object, gboolean extensions, const char **attribute)
{
    const char *name;
    json_t *value;
    json_object_foreach((json_t *)object, name, value)
    {
        if (text_holds_bsn(name))
            return RECORD_BSN;
        *attribute = name;
        if (!extensions && g_str_has_prefix(name, "dpl."))
            return RECORD_EXTENSION;
        if (!json_storable(value))
            return RECORD_VALUE;
        if (json_holds_bsn(value))
            return RECORD_BSN;
    }
    *attribute = NULL;
    return RECORD_ACCEPTED;
}

static gboolean is_small_object(const json_t *value)
{
    return value == NULL || (json_is_object(value) && json_object_size(value) <= MEMBERS_MAX);
}

/* The texts of the core outside the subject itself. */
static RecordVerdict check_bsn(const LogboekRecord *record, const char **attribute)
{
    const struct {
        const char *name, *value;
    } texts[] = {
        {"name", record->name},
        {"dpl.core.processing_activity_id", record->processing_activity_id},
        {"dpl.core.data_subject_id_type", record->data_subject_id_type},
        {"dpl.core.foreign_operation.processor", record->processor},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(texts); i++)
        if (text_holds_bsn(texts[i].value)) {
            *attribute = texts[i].name;
            return RECORD_BSN;
        }
    return RECORD_ACCEPTED;
}

RecordVerdict record_check(const LogboekRecord *record, gboolean foreign, const char **attribute)
{
    *attribute = NULL;
    RecordVerdict verdict = check_core(record);
    if (verdict == RECORD_ACCEPTED)
        verdict = check_subject(record);
    if (verdict == RECORD_ACCEPTED)
        verdict = check_links(record);
    if (verdict == RECORD_ACCEPTED && !is_small_object(record->attributes))
        verdict = RECORD_ATTRIBUTES;
    if (verdict == RECORD_ACCEPTED && !is_small_object(record->resource))
        verdict = RECORD_RESOURCE;
    if (verdict == RECORD_ACCEPTED)
        verdict = check_bsn(record, attribute);
    if (verdict == RECORD_ACCEPTED && record->attributes != NULL)
        verdict = check_members(record->attributes, foreign, attribute);
    if (verdict == RECORD_ACCEPTED && record->resource != NULL)
        verdict = check_members(record->resource, TRUE, attribute);
    return verdict;
}
