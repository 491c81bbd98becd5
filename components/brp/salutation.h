/* The forms of address: how a letter begins (aanhef), what stands on the envelope (aanschrijfwijze) and how
 * somebody is named within a sentence (gebruikInLopendeTekst). They follow from the person's own name and
 * gender, whose name they wish to use (aanduidingNaamgebruik: E own, P of the partner, V that one first, N
 * that one last), and titles of both. Pure. */
#pragma once

#include <glib.h>
#include <jansson.h>

/* Adds aanhef, aanschrijfwijze and gebruikInLopendeTekst to the member `adressering` of a Persoon, as far as
 * they can be made: without a surname there are none, except where none is needed. */
void brp_salutation_add(json_t *addressing, const json_t *record);

/* The partner whose name counts: of those that there are now the one of the oldest relation, else the last
 * one that there was. Borrowed from the record; NULL when there never was one. */
const json_t *brp_salutation_partner(const json_t *record);

/* TRUE when the relation has not ended. */
gboolean brp_partner_is_current(const json_t *partner);
