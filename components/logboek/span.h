/* From an OTLP span to a record of LDV 1.0.0: names of 0.7 and 0.8 become those of 1.0.0, nanoseconds become
 * milliseconds, a BSN becomes a pseudonym, and what may tell of an employee or leak data is left out. Pure.
 * docs/logboek.md has the table. */
#pragma once

#include "components/logboek/record.h"
#include "core/format/otlp.h"

/* Under this name a record tells which attributes were left out. */
#define ATTRIBUTE_DROPPED "nl.fundament.dropped_attributes"
/* The trace of the caller where an application of before 1.0.0 started one of its own. */
#define ATTRIBUTE_FOREIGN_TRACE "nl.fundament.foreign_trace_id"

/* `register_base` (may be NULL) is put before a short processing_activity_id. The span's own attributes are
 * not changed. NULL with FUNDAMENT_ERROR_INVALID and a reason that holds no value of the span. The record has
 * passed record_check(). */
Record *record_from_span(const OtlpSpan *span, const Pseudonymizer *pseudonymizer, const char *register_base,
                         GError **error);
