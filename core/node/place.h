/* Where a node keeps its store and journal, for what works on them without a running node. */
#pragma once

#include "core/node/config.h"

/* The URL of the store: [node] store with an absolute path, or its default. Caller frees. */
char *place_store_url(const Config *config);

/* "<data>.restoring": a restore works here, and gives it its name at the very end (core/node/restore.h).
 * Caller frees. */
char *place_restoring(const Config *config);

/* The folder of the journal. Caller frees. */
char *place_journal(const char *data);
