/* One call that waits until all of its records are on disk, or one of them failed. Lives on the stack of its
 * caller. */
#pragma once

#include <glib.h>

typedef struct {
    gpointer owner; /* whose records these are */
    GMutex mutex;
    GCond settled;
    guint waiting; /* records that are on their way, and one while the caller still adds; under the mutex */
    GError *error; /* of the first that failed */
} Batch;

void batch_init(Batch *batch, gpointer owner);

/* One record less to wait for. From any thread; the batch may be gone when this returns. */
void batch_settle(Batch *batch, const GError *error);

/* A KeyWaiter (keys.h), with the batch: another call's record, that is the same as ours, came to its end. */
void batch_other_settled(gboolean logged, gpointer batch);

/* Waits, and clears the batch. FALSE with the error, `prefix` before it. */
gboolean batch_wait(Batch *batch, const char *prefix, GError **error);
