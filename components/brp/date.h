/* Dates of the register of persons: eight digits of which the last ones may be zero because they are not
 * known (LO GBA), and their four shapes in Haal Centraal BRP bevragen v2. Pure. */
#pragma once

#include <glib.h>
#include <jansson.h>

/* {"type": "Datum" | "JaarMaandDatum" | "JaarDatum" | "DatumOnbekend", ...} with langFormaat in Dutch. NULL
 * when `digits` is not eight digits that make sense. New reference. */
json_t *brp_date(const char *digits);

/* Age in whole years on `today` ("YYYYMMDD"), or -1 when it cannot be known: no year, or a month that is
 * unknown or is this very month while the day is unknown. */
int brp_age(const char *birth_digits, const char *today);

/* TRUE when something that ends on this date has ended on `today` ("YYYYMMDD"): on the day itself it has. As
 * far as the date is not known it has not, so a period that may still run is not cut short. */
gboolean brp_date_is_over(const char *digits, const char *today);
