/* The register of processing activities: what a record means, for which purpose, under which law.
 * LDV 1.0.0, 3.4.1: each relevant change is a new version with its time, so that the id in a record, with the
 * time of the record, names one version. */
#pragma once

#include <jansson.h>

#include "core/store/store.h"

/* The URI for an id as it stands in the file or in a record: an URI stays as it is; a short id (letters,
 * digits, ".", "_", "-") gets `base` before it. Without base, or for anything else, the id itself. NULL and
 * "" give NULL. Caller frees. */
char *activity_id_complete(const char *base, const char *id);

/* Checks {"activities": [...]} (docs/logboek.md has the members). The activities with completed ids, as a new
 * array; NULL when there are faults, which are then all in `faults`: "activities[2].legalBasis[0].url: must
 * be an http or https URL". */
json_t *activities_check(const json_t *document, const char *base, GPtrArray *faults);

/* Stores what is new or changed as a version that is valid from `now_ms`; what is the same again adds
 * nothing. What is no longer in the list stays in the register. All or nothing. `activities` as
 * activities_check() gives them. */
gboolean activities_store(Store *store, const json_t *activities, gint64 now_ms, guint *versions,
                          GError **error);

/* {"processingActivities": [...]}: the newest version of each, by id. */
json_t *activities_list(Store *store, GError **error);

/* The version of an activity at a time, by its id or the last part of it: with "version", "validFrom", and
 * "validUntil" when a newer one followed. FUNDAMENT_ERROR_NOT_FOUND when there is no such activity, or it was
 * not there yet. */
json_t *activities_at(Store *store, const char *id, gint64 at_ms, GError **error);
