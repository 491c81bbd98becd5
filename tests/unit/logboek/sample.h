/* What the tests of the logboek share: a good record, of which each test spoils one thing. */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <jansson.h>
#include <string.h>

#include "components/logboek/logboek.h"
#include "core/base/error.h"
#include "core/format/json.h"

#define SAMPLE_BSN "111222333" /* passes the 11-test: 9+8+7+12+10+8+9+6-3 = 66 */
#define SAMPLE_NOT_BSN "111222334"
#define SAMPLE_SUBJECT "p1.AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
#define SAMPLE_ACTIVITY "https://manager.register.fsc.test:8443/logboek/v1/processing-activities/bevragen"
#define SAMPLE_START_MS G_GINT64_CONSTANT(1764000000123)

static inline LogboekRecord sample_record(void)
{
    return (LogboekRecord){.trace_id = "7bba9f33312b3dabc8f8e90c7c61f194",
                           .span_id = "2a3f5c8d1e6b4a09",
                           .parent_span_id = "00f067aa0ba902b7",
                           .status = 1,
                           .name = "Persoonsgegevens geraadpleegd \xe2\x80\x93 \xc3\xa9\xc3\xa9n",
                           .start_ms = SAMPLE_START_MS,
                           .end_ms = SAMPLE_START_MS + 333,
                           .processing_activity_id = SAMPLE_ACTIVITY,
                           .data_subject_id = SAMPLE_SUBJECT,
                           .data_subject_id_type = "BSN",
                           .processor = "https://inway.gemeente.fsc.test/vergunningen"};
}
