/* What is under investigation: the source says by a code of six digits (LO BRP 83.10: category, group,
 * element; zeros for all of it) which of its elements are in doubt, the API which of its members are that.
 * Pure. */
#pragma once

#include <glib.h>
#include <jansson.h>

typedef struct {
    const char *member;   /* of the API */
    const char *elements; /* "0210 0220": groups and elements that it is made from */
} BrpElements;

/* Adds to the member `inOnderzoek` of `group` those of `table` that the investigation concerns, and its first
 * day as `since`. Every member is marked, also one that has no value: it may have been left out for the very
 * reason that is investigated. `investigation` is that of the source; `categories` are those to which it may
 * belong ("01", "02 03"). TRUE when something was marked. An investigation that has ended does nothing. */
gboolean brp_investigation_mark(json_t *group, const json_t *investigation, const char *categories,
                                const BrpElements *table, gsize n, const char *since);

/* Code 089999: it was found that the person does not live at the address. What is in doubt then has the
 * element "9999" in its table. */
gboolean brp_investigation_is_absent(const json_t *investigation);
