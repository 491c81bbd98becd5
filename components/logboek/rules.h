/* What LDV 1.0.0 and this logbook accept as a record. Pure. Each refusal is a row of one table, so that
 * tests, answers and docs/logboek.md tell the same story. */
#pragma once

#include "components/logboek/logboek.h"

#define RECORD_VERDICT_TABLE(X)                                                                              \
    X(ACCEPTED, "", "")                                                                                      \
    X(TRACE_ID, "3.2.2.1", "trace_id must be 16 bytes, not all zero")                                        \
    X(SPAN_ID, "3.2.2.2", "span_id must be 8 bytes, not all zero")                                           \
    X(PARENT_SPAN_ID, "3.2.2.7", "parent_span_id must be 8 bytes, not all zero, and not the span_id itself") \
    X(STATUS, "3.2.2.3", "status must be Unset, Ok or Error")                                                \
    X(NAME, "3.2.2.4", "name must be text of at most 1024 bytes")                                            \
    X(START_TIME, "3.2.2.5", "start_time must be a time after 1970")                                         \
    X(END_TIME, "3.2.2.6", "end_time must be a time after 1970")                                             \
    X(ACTIVITY_MISSING, "3.3.1.1", "a record about a person must have dpl.core.processing_activity_id")      \
    X(ACTIVITY_NOT_URI, "3.2.2.9", "dpl.core.processing_activity_id must be a URI")                          \
    X(SUBJECT_TYPE_MISSING, "3.3.1.1",                                                                       \
      "dpl.core.data_subject_id must come with dpl.core.data_subject_id_type")                               \
    X(SUBJECT_NOT_PSEUDONYM, "3.2.2.9",                                                                      \
      "dpl.core.data_subject_id of type BSN must be a BSN that passes the 11-test, or a pseudonym of this "  \
      "logbook")                                                                                             \
    X(SUBJECT_LIKE_BSN, "3.2.2.9",                                                                           \
      "dpl.core.data_subject_id holds what may be a BSN while its type says otherwise")                      \
    X(SUBJECT_TEXT, "3.2.2.9", "dpl.core.data_subject_id and its type must be UTF-8 of at most 256 bytes")   \
    X(PROCESSOR_NOT_URL, "3.2.2.9", "dpl.core.foreign_operation.processor must be an http or https URL")     \
    X(ATTRIBUTES, "3.2.2.9", "attributes must be a flat object with at most 128 members")                    \
    X(RESOURCE, "3.2.2.8", "resource must be an object with at most 128 attributes")                         \
    X(VALUE, "3.2.2.9", "holds a number beyond 2^53-1, a NUL, or more than 8 levels: send it as text")       \
    X(EXTENSION, "3.2.2.9", "attributes in the namespace dpl are only those of an established extension")    \
    X(BSN, "3.3.1.1", "holds what may be a BSN; only dpl.core.data_subject_id may")

typedef enum {
#define X(name, section, text) RECORD_##name,
    RECORD_VERDICT_TABLE(X)
#undef X
} RecordVerdict;

/* The section of LDV 1.0.0 and the reason, in words. Never NULL. */
const char *record_verdict_section(RecordVerdict verdict);
const char *record_verdict_text(RecordVerdict verdict);

/* The rules, in the order of the table; the first that is broken. When it is about one attribute,
 * `*attribute` is its name (borrowed from the record) or NULL when the name itself must not be repeated.
 * Attributes of the core are fields of the record, so another dpl.* in `attributes` is RECORD_EXTENSION,
 * unless `foreign` (a record that an application of another maker sent: what it says is kept, since a lost
 * record is worse). */
RecordVerdict record_check(const LogboekRecord *record, gboolean foreign, const char **attribute);

/* The verdict as FUNDAMENT_ERROR_INVALID: "attribute NAME: text (LDV 1.0.0, section)". */
void record_verdict_error(RecordVerdict verdict, const char *attribute, GError **error);

/* TRUE when the text holds nine digits that pass the 11-test and stand by themselves: not inside a longer row
 * of digits, and not inside a hexadecimal id. An RSIN passes the same test and cannot be told from a BSN. */
gboolean text_holds_bsn(const char *text);

/* The same for all texts, names and nine-digit numbers inside a value. */
gboolean json_holds_bsn(const json_t *value);

/* What JSON can carry there and back: numbers within 2^53-1, no NUL in texts, at most 8 levels. */
gboolean json_storable(const json_t *value);

/* RFC 3986: a scheme, a colon, something after it, no white space or control characters, at most 2048 bytes.
 */
gboolean uri_valid(const char *text);
