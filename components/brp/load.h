/* Loading the persons from a file in the shape of the personen-mock. */
#pragma once

#include "core/store/store.h"

typedef struct {
    guint persons; /* in the store now */
    guint omitted; /* records of the file that nobody may be given, see below */
    gboolean read; /* FALSE: the store held this file already */
} BrpLoad;

/* Replaces all persons by those of the file in one transaction: either the old set or the new one is there.
 * Nothing is done when the store holds this very file (by digest). Several processes may do it at once.
 *
 * Left out are records that were put aside (made by mistake or erased), and those whose number fails the
 * 11-test: the use of their data could not be logged under their number, so it must not be possible.
 *
 * FUNDAMENT_ERROR_INVALID, with the place in the file, for a record without a number of nine digits, or with
 * that of an earlier one; FUNDAMENT_ERROR_IO when it cannot be read. No message holds a number or a name. */
gboolean brp_load(Store *store, const char *path, BrpLoad *load, GError **error);
