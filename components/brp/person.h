/* From a record as the source keeps it (the shape of the personen-mock) to a Persoon of Haal Centraal BRP
 * bevragen v2, whole: what of it is delivered is chosen afterwards (fields.h). Pure. */
#pragma once

#include <glib.h>
#include <jansson.h>

/* Everything that there is to deliver; `today` is "YYYYMMDD". Groups that the source has are there, empty
 * when nothing of them is known; lists are always there. New reference. */
json_t *brp_person(const json_t *record, const char *today);

/* TRUE when the record says that the person has died. */
gboolean brp_person_is_dead(const json_t *record);

/* TRUE for a record that was put aside: made by mistake ("F") or erased ("W"). It is never found. */
gboolean brp_person_is_withdrawn(const json_t *record);
