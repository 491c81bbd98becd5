/* Where somebody lives: the member `verblijfplaats` in its four kinds, the address lines in `adressering`,
 * and what else the source keeps with it (`immigratie`). Pure. */
#pragma once

#include <glib.h>
#include <jansson.h>

/* NULL when the source has no street, no description of a place and no country: then nobody knows. New
 * reference. */
json_t *brp_residence(const json_t *record);

/* Adds adresregel1, 2 and 3 and land to `addressing`, as on an envelope (NEN 5825), and what of them is under
 * investigation. */
void brp_residence_add_lines(json_t *addressing, const json_t *record);

/* NULL when there is nothing about it. New reference. */
json_t *brp_immigration(const json_t *record);

/* TRUE for a residence (as brp_residence() gives it) in the country: an address or a described place. */
gboolean brp_residence_is_domestic(const json_t *residence);
