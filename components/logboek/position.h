/* How far SQL has come with one shard of the journal, and since when that shard is kept. */
#pragma once

#include "core/store/store.h"

typedef struct {
    guint64 sequence;     /* indexed up to here */
    gint64 begins_ms;     /* since when the logbook is kept */
    gint64 sealed_minute; /* transaction ids up to this minute are in SQL (transactions.h) */
} Position;

/* `*found` FALSE when the shard has no row: its index is to be made from the start. */
gboolean position_read(Store *store, guint32 shard, Position *position, gboolean *found, GError **error);
gboolean position_write(Store *store, guint32 shard, const Position *position, GError **error);
