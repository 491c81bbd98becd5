#include "components/logboek/span.h"

#include "components/logboek/activities.h"
#include "components/logboek/rules.h"
#include "core/base/bytes.h"
#include "core/base/error.h"
#include "core/base/identifiers.h"

#define NAMELESS "naamloze actie"

typedef enum {
    CORE_ACTIVITY,
    CORE_SUBJECT,
    CORE_SUBJECT_TYPE,
    CORE_PROCESSOR,
    CORE_FOREIGN_SPAN,
    CORE_FOREIGN_TRACE,
    CORE_COUNT
} CoreAttribute;

/* Attributes of the core, and what they were called before 1.0.0. When a record has several names for one
 * thing, the first here counts. */
static const struct {
    const char *name;
    CoreAttribute core;
} CORE_NAMES[] = {
    {"dpl.core.processing_activity_id", CORE_ACTIVITY},
    {"dpl.rva.activity.id", CORE_ACTIVITY},
    {"dpl.core.data_subject_id", CORE_SUBJECT},
    {"dpl.core.data_subject_id_type", CORE_SUBJECT_TYPE},
    {"dpl.core.foreign_operation.processor", CORE_PROCESSOR},
    {"dpl.core.foreign_operation.entity", CORE_PROCESSOR},
    {"dpl.core.foreign_operation.span_id", CORE_FOREIGN_SPAN},
    {"dpl.core.foreign_operation.operation_id", CORE_FOREIGN_SPAN},
    {"dpl.rva.foreign.operation_id", CORE_FOREIGN_SPAN},
    {"dpl.core.foreign_operation.trace_id", CORE_FOREIGN_TRACE},
    {"dpl.rva.foreign.trace_id", CORE_FOREIGN_TRACE},
};

/* Left out: a stack trace may hold data of persons, and LDV 1.0.0, 2.3.4 wants no
 * employee in a record. A name that ends with "." stands for all that begin with it. */
static const char *const DROPPED[] = {"exception.stacktrace", "enduser.", "user.", "dpl.core.user",
                                      "process.owner"};

static gboolean is_dropped(const char *name)
{
    for (gsize i = 0; i < G_N_ELEMENTS(DROPPED); i++)
        if (g_str_has_suffix(DROPPED[i], ".") ? g_str_has_prefix(name, DROPPED[i])
                                              : strcmp(name, DROPPED[i]) == 0)
            return TRUE;
    return FALSE;
}

static gboolean is_core(const char *name)
{
    for (gsize i = 0; i < G_N_ELEMENTS(CORE_NAMES); i++)
        if (strcmp(name, CORE_NAMES[i].name) == 0)
            return TRUE;
    return FALSE;
}

/* A whole number is taken as text: the standard's own example has an activity 14. */
static const char *core_text(Record *record, const json_t *value)
{
    char digits[32];
    if (json_is_string(value))
        return record_keep(record, json_string_value(value));
    g_snprintf(digits, sizeof digits, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
    return record_keep(record, digits);
}

static gboolean read_core(Record *record, const json_t *attributes, const char *core[CORE_COUNT],
                          GError **error)
{
    for (gsize i = 0; i < G_N_ELEMENTS(CORE_NAMES); i++) {
        const json_t *value = json_object_get(attributes, CORE_NAMES[i].name);
        if (value == NULL || core[CORE_NAMES[i].core] != NULL)
            continue;
        if (!json_is_string(value) && !json_is_integer(value)) {
            g_set_error(error, FUNDAMENT_ERROR, FUNDAMENT_ERROR_INVALID,
                        "attribute %s: must be text (LDV 1.0.0, 3.2.2.9)", CORE_NAMES[i].name);
            return FALSE;
        }
        core[CORE_NAMES[i].core] = core_text(record, value);
    }
    return TRUE;
}

/* What JSON cannot carry exactly is kept as text. */
static json_t *storable_copy(json_t *value)
{
    if (json_storable(value))
        return json_incref(value);
    if (json_is_integer(value)) {
        char digits[32];
        g_snprintf(digits, sizeof digits, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
        return json_string(digits);
    }
    if (json_is_real(value)) {
        char digits[G_ASCII_DTOSTR_BUF_SIZE];
        return json_string(g_ascii_dtostr(digits, sizeof digits, json_real_value(value)));
    }
    return json_incref(value); /* record_check() refuses it, with its name */
}

/* The attributes that are not of the core, without the dropped ones, whose names go to `dropped`. */
static json_t *other_attributes(const json_t *attributes, json_t *dropped)
{
    json_t *others = json_object();
    const char *name;
    json_t *value;
    json_object_foreach((json_t *)attributes, name, value)
    {
        if (is_dropped(name))
            json_array_append_new(dropped, json_string(name));
        else if (!is_core(name))
            json_object_set_new(others, name, storable_copy(value));
    }
    return others;
}

static void set_ids(LogboekRecord *into, const OtlpSpan *span)
{
    static const char DIGITS[] = "0123456789abcdef";
    const struct {
        const guint8 *bytes;
        gsize length;
        char *out;
    } ids[] = {
        {span->trace_id, sizeof span->trace_id, into->trace_id},
        {span->span_id, sizeof span->span_id, into->span_id},
        {span->parent_span_id, span->has_parent ? sizeof span->parent_span_id : 0, into->parent_span_id},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(ids); i++) {
        for (gsize j = 0; j < ids[i].length; j++) {
            ids[i].out[2 * j] = DIGITS[ids[i].bytes[j] >> 4];
            ids[i].out[2 * j + 1] = DIGITS[ids[i].bytes[j] & 15];
        }
        ids[i].out[2 * ids[i].length] = '\0';
    }
    if (!span->ids_valid)
        into->trace_id[0] = '\0';
}

/* Decisions 18: whoever receives a BSN maps it at once; the number goes no further than this function. */
static void set_subject(Record *record, const char *subject, const char *type,
                        const Pseudonymizer *pseudonymizer)
{
    LogboekRecord *into = &record->fields;
    gboolean is_bsn_type = type != NULL && g_ascii_strcasecmp(type, "BSN") == 0;
    into->data_subject_id_type = is_bsn_type ? "BSN" : type;
    into->data_subject_id = subject;
    if (!is_bsn_type || subject == NULL)
        return;
    /* A number that was kept as a number has lost its leading zero. */
    g_autofree char *padded = strlen(subject) == 8 ? g_strconcat("0", subject, NULL) : g_strdup(subject);
    if (bsn_valid(padded)) {
        g_autofree char *pseudonym = pseudonym_of_bsn(pseudonymizer, padded);
        into->data_subject_id = record_keep(record, pseudonym);
    }
    secret_wipe(padded, strlen(padded));
}

/* LDV 0.8 and before named the caller's action in attributes of its own; 1.0.0, 3.2.2.7 has parent_span_id
 * for it. */
static void set_foreign(Record *record, const char *const core[CORE_COUNT])
{
    LogboekRecord *into = &record->fields;
    const char *span_id = core[CORE_FOREIGN_SPAN], *trace_id = core[CORE_FOREIGN_TRACE];
    if (into->parent_span_id[0] == '\0' && span_id_valid(span_id))
        g_strlcpy(into->parent_span_id, span_id, sizeof into->parent_span_id);
    if (trace_id_valid(trace_id) && strcmp(trace_id, into->trace_id) != 0)
        json_object_set_new(record->attributes, ATTRIBUTE_FOREIGN_TRACE, json_string(trace_id));
}

Record *record_from_span(const OtlpSpan *span, const Pseudonymizer *pseudonymizer, const char *register_base,
                         GError **error)
{
    g_autoptr(Record) record = record_new();
    LogboekRecord *into = &record->fields;
    const char *core[CORE_COUNT] = {NULL};
    if (!read_core(record, span->attributes, core, error))
        return NULL;
    json_t *dropped = json_array();
    set_ids(into, span);
    into->status = span->status;
    /* LDV 1.0.0, 3.3.2.1: an empty name is filled in, never a failure. */
    into->name = span->name == NULL || span->name[0] == '\0' ? NAMELESS : record_keep(record, span->name);
    into->start_ms = (gint64)(span->start_ns / 1000000);
    into->end_ms = (gint64)(span->end_ns / 1000000);
    record->attributes = other_attributes(span->attributes, dropped);
    record->resource = other_attributes(span->resource, dropped);
    g_autofree char *activity = activity_id_complete(register_base, core[CORE_ACTIVITY]);
    into->processing_activity_id = record_keep(record, activity);
    into->processor = core[CORE_PROCESSOR];
    set_subject(record, core[CORE_SUBJECT], core[CORE_SUBJECT_TYPE], pseudonymizer);
    set_foreign(record, core);
    if (json_array_size(dropped) > 0)
        json_object_set(record->attributes, ATTRIBUTE_DROPPED, dropped);
    json_decref(dropped);
    into->attributes = record->attributes;
    into->resource = record->resource;
    const char *attribute;
    RecordVerdict verdict = record_check(into, TRUE, &attribute);
    if (verdict == RECORD_ACCEPTED)
        return g_steal_pointer(&record);
    record_verdict_error(verdict, attribute, error);
    return NULL;
}
