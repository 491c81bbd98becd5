/* What the log is told of an answer before anybody gets it (Logboek Dataverwerkingen 1.0.0, 3.3.1.1). */
#pragma once

#include <glib.h>
#include <jansson.h>

#include "components/brp/query.h"
#include "core/net/http.h"
#include "core/node/node.h"

typedef struct {
    Node *node;
    const char *activity; /* URI of the processing activity under which data is given out */
    const BrpQuery *query;
    const json_t *records; /* those that are given; none for an answer without persons */
    gboolean refused;      /* the question was understood but is answered with a fault */
    gint64 start_ms;
} BrpDelivery;

/* One record a person. About one person: the action of the request itself. About none or several: the request
 * is an action without a person, with a child action for each. Durable when it returns TRUE; otherwise
 * nothing may be given. */
gboolean brp_delivery_log(const BrpDelivery *delivery, Request *request, GError **error);
