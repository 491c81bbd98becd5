/* The identifiers that the field uses, and their exact shapes. All functions are pure and accept NULL as "not
 * valid". */
#pragma once

#include <glib.h>

#include "core/base/clock.h"

#define UUID_TEXT_SIZE 37 /* 36 characters and a NUL */

/* A fresh UUIDv7, RFC 9562 5.7, lower case: 48 bits of Unix milliseconds, then a counter within the
 * millisecond so that the ids of one process are in order (method 1, 12 bits), then randomness. When the
 * clock steps back by ten seconds or less, ids keep the last millisecond. Thread safe. */
void uuid7_new(const Clock *clock, char out[UUID_TEXT_SIZE]);

/* Exactly 8-4-4-4-12 hexadecimal digits, either case, any version. */
gboolean uuid_valid(const char *text);

/* As uuid_valid, and version 7, and variant 10. Digikoppeling REST API 3.0.1: the Fsc-Transaction-Id. */
gboolean uuid7_valid(const char *text);

/* The time inside a valid UUIDv7, milliseconds since the epoch; -1 when it is not one. */
gint64 uuid7_time_ms(const char *text);

/* Organisatie-identificatienummer: 20 digits (Digikoppeling, OIN-stelsel). */
gboolean oin_valid(const char *text);

/* Burgerservicenummer: 9 digits, not all zero, passes the 11-test with weights 9 8 7 6 5 4 3 2 -1. */
gboolean bsn_valid(const char *text);

/* FSC Core 2.0.0, 4.1.2: ^[a-zA-Z0-9./_-]{1,100}$ */
gboolean fsc_group_id_valid(const char *text);

/* FSC Core 2.0.0, 4.2.1.1: ^[a-zA-Z0-9-._]{1,100}$ */
gboolean fsc_service_name_valid(const char *text);
