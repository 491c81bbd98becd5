/* The persons in the store: found by number or by name and birth date. */
#pragma once

#include <glib.h>
#include <jansson.h>

#include "components/brp/query.h"
#include "core/store/store.h"

/* The records that answer the question, in the order asked (each once) or by surname and given names; at most
 * BRP_MAX_FOUND + 1 for a search. New reference to an array. */
json_t *brp_store_find(Store *store, const BrpQuery *query, GError **error);

/* A name as it is compared: lower case, in one form of Unicode, without spaces around it. And without
 * diacritics. Callers free. Pure. */
char *brp_fold(const char *name);
char *brp_fold_plain(const char *name);
