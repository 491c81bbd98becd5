/* What the tests of brp share: JSON as text, and persons to try things on. */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "core/format/json.h"

#define TODAY "20261121"

/* Ends the test when it is not JSON. New reference. */
json_t *parsed(const char *text);

/* Ends the test unless the value is this, members in any order; `expected` NULL: there is none. */
void assert_json(const json_t *value, const char *expected);

/* The whole Persoon of a record, on TODAY. New reference. */
json_t *person_of(const char *record);

/* One member of it. */
void assert_part(const char *record, const char *member, const char *expected);

/* The Persoon after the filter; `fields` separated by commas. */
void assert_asked(const char *record, const char *fields, const char *expected);
void assert_found(const char *record, const char *fields, const char *expected);

/* The official test persons; NULL, after saying so, when they are not there. New reference. */
json_t *official_persons(void);
char *official_path(void);
