/* The template: the part of a transaction log record that is the same for every request with one token.
 * Opaque to the edge. */
#pragma once

#include "components/fsc/token.h"

typedef struct {
    const char *grant_hash, *outway_peer_id;
    const char *outway_delegator; /* NULL: none */
    const char *service_peer_id;
    const char *service_delegator; /* NULL: none */
    const char *service_name;
    const char *additional_data; /* compact JSON object, or NULL */
} GatewayTemplate;

/* Enough for properties of CONNECTION_PROPERTIES_MAX. */
#define GATEWAY_TEMPLATE_MAX 8192

/* FALSE when it does not fit in `size` bytes. */
gboolean gateway_template_write(const GatewayTemplate *fields, guint8 *out, gsize size, gsize *length);
/* Borrows from `data`. FALSE for anything that gateway_template_write() did not make. */
gboolean gateway_template_read(const guint8 *data, gsize length, GatewayTemplate *fields);
