/* The `fields` parameter of BRP bevragen v2: which paths exist, and what of a Persoon is delivered for those
 * that were asked. Pure. */
#pragma once

#include <glib.h>
#include <jansson.h>

/* TRUE when the path may be asked. Below a date or a code of a table every member may be named; the whole is
 * delivered then. */
gboolean brp_field_exists(const char *path, gboolean limited);

/* A new object with only what was asked, and what always goes along: the kind of a place or nationality, that
 * data may not be given to others, that the record is no longer kept up, and what is under investigation.
 * `fields` is NULL-terminated. */
json_t *brp_fields_apply(const json_t *person, const char *const *fields);

/* The PersoonBeperkt of a Persoon: what a search may deliver at most. */
json_t *brp_fields_limited(const json_t *person);
