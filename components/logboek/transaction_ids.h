/* Ids of transactions in SQL: those of past minutes, sorted, some thousands in a row of the table; and late
 * ones, a row each. */
#pragma once

#include "components/logboek/keys.h"
#include "core/store/store.h"

#define IDS_PER_ROW 4096

/* Stores the ids of one minute (array of KeyEntry, sorted), in place of what was there, and that this minute
 * is sealed. */
gboolean transaction_ids_seal(Store *store, guint32 shard, gint64 minute, const GArray *sorted,
                              GError **error);

/* Up to this minute there are no ids that SQL does not know: a start need not look for them in the journal.
 */
gboolean transaction_ids_note_sealed(Store *store, guint32 shard, gint64 minute, GError **error);

/* Ids of sealed minutes and late ones. `entry->sequence` is 0 when it is not known. FALSE when SQL cannot be
 * asked. */
gboolean transaction_ids_find(Store *store, guint32 shard, const guint8 key[KEY_SIZE], KeyEntry *entry,
                              GError **error);

/* A late one, by the indexer. */
gboolean transaction_ids_put_late(Db *db, guint32 shard, const KeyEntry *entry, GError **error);

/* Late ones of this minute and later: ids that came before their time. Array of KeyEntry; NULL with an error.
 */
GArray *transaction_ids_late_from(Store *store, guint32 shard, gint64 minute, GError **error);
