/* What the tests of the portal's rules share: records as a logbook would send them. */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "components/inzage/use.h"
#include "core/format/json.h"
#include "tests/support/error.h"

#define MUNICIPALITY "00000001000000000003"
#define REGISTER "00000001000000000002"
#define PORTAL "00000001000000000001"
#define TRACE "0af7651916cd43dd8448eb211c80319c"
#define ACTIVITY "https://municipality.example/processing-activities/permit"

/* "00000000000000aa": the span of a letter. */
char *span_of(char letter);

/* One record. `parent` 0: none. Takes nothing; new reference. */
json_t *record_json(const char *trace_id, char span, char parent, const char *start_time);

/* Sets an attribute: "dpl.core.processingActivityId" nested, others flat. */
void record_activity(json_t *record, const char *activity);
void record_attribute(json_t *record, const char *name, json_t *value);

/* Adds it to the source and drops the reference. */
void source_add(Source *source, json_t *record);
