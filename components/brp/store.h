/* The persons in the store: loaded from a file in the shape of the personen-mock, found by number or by name
 * and birth date. */
#pragma once

#include <jansson.h>

#include "components/brp/query.h"
#include "core/store/store.h"

/* Reads the file when it is not the one that is in the store already (by digest), and replaces all persons in
 * one transaction: either the old set or the new one is there. `*count` is the number of persons now.
 * FUNDAMENT_ERROR_INVALID for a person without a number, or twice. */
gboolean brp_store_load(Store *store, const char *path, guint *count, GError **error);

/* The records that answer the question, in the order asked or by surname and given names; at most
 * BRP_MAX_FOUND + 1 for a search. New reference to an array. */
json_t *brp_store_find(Store *store, const BrpQuery *query, GError **error);
