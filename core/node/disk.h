/* Room on the disk of the node's data (decisions.md 30).
 *
 * The journal has its next records' space already (docs/journal.md), so that a full disk stops it only when
 * its segment is full. The store has not: so the node keeps a reserve, a file of [node] disk_reserve bytes in
 * its data folder, and gives it up when the disk is full. What was acknowledged can then still be indexed,
 * and whoever administers the node can still act and clean up. It is made again when there is room. Before
 * that, when less than [node] disk_warn is free, GET /health warns.
 *
 * Used by the main loop; the figures may be read from any thread.
 */
#pragma once

#include <jansson.h>

#include "core/node/config.h"

typedef struct disk Disk;

Disk *disk_new(const Config *config);
void disk_free(Disk *disk);

/* Looks at the disk; makes the reserve, or gives it up. Every few seconds. */
void disk_tick(Disk *disk);

/* Adds a check to GET /health when there is something to say. */
void disk_health(Disk *disk, json_t *checks);

/* Appends lines of Prometheus text. */
void disk_metrics(Disk *disk, GString *out);
