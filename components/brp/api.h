/* The HTTP side of the register: BRP bevragen v2 behind our own Inway. `context` is a BrpApi. */
#pragma once

#include "core/net/http.h"
#include "core/node/node.h"

/* Bytes of a question that are read at all, and that are answered; the largest good one has some 27 KiB. */
#define BRP_BODY_READ (1024 * 1024)
#define BRP_BODY_MAX (64 * 1024)

typedef struct {
    Node *node;
    char *activity;  /* URI of the processing activity under which data is given out */
    GTimeZone *zone; /* that of the register's days */
} BrpApi;

/* POST /haalcentraal/api/brp/personen */
void brp_api_persons(Request *request, gpointer context);

/* The same path by another method: 405 in the API's own format. */
void brp_api_other_method(Request *request, gpointer context);
