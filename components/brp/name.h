/* Names of persons as they are written. Pure; callers free; NULL when there is nothing to write. */
#pragma once

#include <glib.h>
#include <jansson.h>

#include "components/brp/nobility.h"

/* "Theo Philip" to "T.P."; a compound ("Anne-Fleur") counts as one name; a name of one letter has no full
 * stop: "J P". */
char *brp_initials(const char *given_names);

/* Predicate, given names, title, prefix, surname; `name` is the member `naam` of the source. */
char *brp_full_name(const json_t *name, BrpGender gender);

/* The parts that are there with one space between them. NULL-terminated list of `n`; parts may be NULL. */
char *brp_join(const char *const *parts, gsize n);

/* The predicate or title of a `naam`: NULL when there is none or it is not in the table. */
const BrpNobility *brp_nobility_of(const json_t *name);
