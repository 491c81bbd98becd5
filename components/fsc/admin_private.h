/* What the handlers of the admin API share. */
#pragma once

#include "components/fsc/internal.h"
#include "core/format/json.h"

/* Who is at the other end of the admin socket: only our own user can open it. Caller frees. */
char *admin_actor(void);
/* Problems only, never FSC's own error object. */
void admin_failure(Request *request, const GError *error);
/* The body as strict JSON with these fields; NULL when it has answered. */
json_t *admin_body(Request *request, const JsonField *fields, gsize n_fields);
/* FALSE when it has answered 400: a query parameter that is not in the list. */
gboolean admin_query_is_known(Request *request, const char *const *known);
/* A number from 1 to `most` in the query; what was there stays when it is absent. FALSE when it has answered
 * 400. */
gboolean admin_query_number(Request *request, const char *name, guint most, guint *out);
