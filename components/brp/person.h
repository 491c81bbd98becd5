/* From a record as the source keeps it (the shape of the personen-mock) to a Persoon of Haal Centraal BRP
 * bevragen v2. Pure.
 *
 * Not delivered yet: the forms of address (adressering.aanhef, aanschrijfwijze, gebruikInLopendeTekst) and
 * "in onderzoek" for single elements of a group; docs/brp.md lists them. */
#pragma once

#include <glib.h>
#include <jansson.h>

/* Everything that there is to deliver; `today` is "YYYYMMDD", for the age. New reference. */
json_t *brp_person(const json_t *record, const char *today);

/* The names of persons as they are written: "Theodoor-Christiaan graaf van der Ven" and "T.C.". Callers free;
 * NULL when there is nothing. */
char *brp_full_name(const json_t *name);
char *brp_initials(const char *given_names);
