/* Groups of members that persons and their relatives have in common: names, and events with a date and a
 * place. Pure; new references; NULL when the source has no such group and nothing of it is under
 * investigation. */
#pragma once

#include <glib.h>
#include <jansson.h>

#include "components/brp/nobility.h"

/* What is investigated, and in which categories of the source. */
typedef struct {
    const json_t *investigation; /* may be NULL */
    const char *categories;      /* "01", "02 03" */
} BrpDoubt;

/* The name of a relative: without the full name and whose name is used. */
json_t *brp_relative_name(const json_t *source, BrpDoubt doubt);

/* The person's own name; `gender` is for the form of a title. */
json_t *brp_person_name(const json_t *source, BrpGender gender, BrpDoubt doubt);

/* datum, plaats and land of group "03" (birth), "08" (death), "06" (marriage) or "07" (its end) */
json_t *brp_event(const json_t *source, const char *group, BrpDoubt doubt);

/* Sets `value` (taken) under `name` unless it is NULL. */
void brp_set(json_t *target, const char *name, json_t *value);
