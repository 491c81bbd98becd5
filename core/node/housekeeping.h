/* The jobs of the node itself: what has run out is thrown away. */
#pragma once

#include "core/node/component.h"

/* retention_api.c */
gboolean retention_job(Node *node, gpointer context, GError **error);

extern const Job housekeeping_jobs[];
extern const gsize housekeeping_jobs_count;
