/* What the files of this component share about the running one. */
#pragma once

#include "components/inzage/register_cache.h"
#include "components/inzage/testers.h"
#include "core/node/node.h"
#include "core/node/session.h"

#define TIME_ZONE "Europe/Amsterdam"
#define OUTWAY_TIMEOUT_MS 4000

typedef struct {
    Node *node;
    const char *outway;       /* "ip:port" of our own Outway */
    const char *register_oin; /* of the register of persons */
    const char *activity;     /* under which a person's own look is logged */
    gboolean test;
    GPtrArray *testers;       /* of Tester; NULL without a file */
    RegisterCache *registers; /* what organisations say they use data for */
    GTimeZone *zone;
} Inzage;
