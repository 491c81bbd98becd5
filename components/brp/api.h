/* The HTTP side of the register. */
#pragma once

#include "core/net/http.h"
#include "core/node/node.h"

typedef struct {
    Node *node;
    const char *activity; /* URI of the processing activity "giving data out", for the log */
} BrpApi;

/* POST /haalcentraal/api/brp/personen; `context` is a BrpApi. */
void brp_api_persons(Request *request, gpointer context);
