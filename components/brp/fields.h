/* The parameter `fields` of BRP bevragen v2: what of a Persoon is delivered. Pure. */
#pragma once

#include <glib.h>
#include <jansson.h>

/* A new object with only what was asked, in the order of the catalogue, and what goes along with it by
 * itself: the kind of a residence or nationality, what of the asked fields is under investigation, that data
 * may not be given to others, that the record is no longer kept up, how it was verified, and who delivered
 * the categories that were asked.
 *
 * A group that the person has is there, though empty, when something of it was asked; so is a list.
 * `person` is a whole one (person.h) and stays as it is; `fields` is NULL-terminated, each of them
 * BRP_FIELD_KNOWN; `limited` for the answer to a search: no more than a PersoonBeperkt then. */
json_t *brp_fields_apply(const json_t *person, const char *const *fields, gboolean limited);
