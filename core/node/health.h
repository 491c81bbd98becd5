/* What components say in GET /health (draft-inadarei-api-health-check-06). */
#pragma once

#include <jansson.h>

typedef enum {
    HEALTH_PASS,
    HEALTH_WARN, /* it works, but somebody must look at it */
    HEALTH_FAIL  /* it does not: GET /health is then a 503 */
} HealthStatus;

/* `output` for a person; NULL when there is nothing to say. */
void health_add(json_t *checks, const char *name, HealthStatus status, const char *output);
