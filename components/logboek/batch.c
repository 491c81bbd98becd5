#include "components/logboek/batch.h"

#include "core/base/error.h"

void batch_init(Batch *batch, gpointer owner)
{
    *batch = (Batch){.owner = owner, .waiting = 1};
    g_mutex_init(&batch->mutex);
    g_cond_init(&batch->settled);
}

void batch_settle(Batch *batch, const GError *error)
{
    g_mutex_lock(&batch->mutex);
    if (error != NULL && batch->error == NULL)
        batch->error = g_error_copy(error);
    if (--batch->waiting == 0)
        g_cond_signal(&batch->settled);
    g_mutex_unlock(&batch->mutex);
}

void batch_other_settled(gboolean logged, gpointer batch)
{
    g_autoptr(GError) error = NULL;
    if (!logged)
        error = g_error_new(FUNDAMENT_ERROR, FUNDAMENT_ERROR_UNAVAILABLE,
                            "the record could not be written to disk");
    batch_settle(batch, error);
}

gboolean batch_wait(Batch *batch, const char *prefix, GError **error)
{
    g_mutex_lock(&batch->mutex);
    batch->waiting--; /* the one that kept the batch open while it was appended */
    while (batch->waiting > 0)
        g_cond_wait(&batch->settled, &batch->mutex);
    g_mutex_unlock(&batch->mutex);
    g_mutex_clear(&batch->mutex);
    g_cond_clear(&batch->settled);
    if (batch->error == NULL)
        return TRUE;
    g_propagate_prefixed_error(error, batch->error, "%s", prefix);
    return FALSE;
}
