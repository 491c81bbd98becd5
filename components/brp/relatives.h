/* Parents, partners, children, and authority over minors. Pure; new references to arrays, which may be empty.
 */
#pragma once

#include <glib.h>
#include <jansson.h>

json_t *brp_parents(const json_t *record);

/* Those that there are; when there is none, the last one that there was. */
json_t *brp_partners(const json_t *record);

json_t *brp_children(const json_t *record);

/* Only the members that the API has. */
json_t *brp_authority(const json_t *record);
