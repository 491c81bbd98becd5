/* What of the journal, and of the indexes over it, is past its time (core/node/retention.h). */
#pragma once

#include "core/node/retention.h"

/* As a component's `expire`. Segments go only when they are indexed, so that no index refers to what never
 * was; the rows of what is gone go after it, also those that an earlier run that was cut short left behind.
 */
gboolean logboek_expire(gpointer context, const RetentionRun *run, GError **error);
