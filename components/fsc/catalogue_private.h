/* What the files of the catalogue share. */
#pragma once

#include "components/fsc/catalogue.h"
#include "components/fsc/internal.h"

/* From node.conf, and what was collected last. */
typedef struct catalogue_settings {
    char *address;  /* of the portal, or of the Manager when there is none; no slash at the end */
    json_t *about;  /* description of the catalogue itself */
    json_t *own;    /* service name -> description: [service.NAME] */
    json_t *others; /* Peer ID -> service name -> description: [catalogue] descriptions */
    gboolean is_directory;
    GMutex lock;
    json_t *services; /* collected; under the lock */
    gint64 collected_us;
} CatalogueSettings;

CatalogueSettings *catalogue_settings_new(Fsc *fsc, GError **error);
void catalogue_settings_free(CatalogueSettings *settings);

/* The services as catalogue.h has them, at most 2 s old. A new reference; nobody changes it. NULL when the
 * store does not answer. */
json_t *catalogue_collect(Fsc *fsc, GError **error);

/* Fills in a catalogue around `services`; what it borrows lives as long as the node. */
void catalogue_of(const Fsc *fsc, const json_t *services, Catalogue *catalogue);

/* --- catalogue_peers.c: what others say of their services --- */

/* Job: the Directory asks every organisation that has published here, each once in ten minutes. */
gboolean catalogue_ask(Node *node, gpointer context, GError **error);
/* GET /fsc/v1/services on the listener of the Manager: what we say of ours. */
void catalogue_describe(Request *request, gpointer context);
/* Peer ID -> service name -> description, of all that have answered. NULL with an error of the store. */
json_t *catalogue_answers(Fsc *fsc, GError **error);

/* --- handlers of routes: catalogue_pages.c, catalogue_api.c --- */

void catalogue_list(Request *request, gpointer context);       /* GET /catalogus, by Accept */
void catalogue_json_ld(Request *request, gpointer context);    /* GET /catalogus.jsonld */
void catalogue_turtle(Request *request, gpointer context);     /* GET /catalogus.ttl */
void catalogue_negotiated(Request *request, gpointer context); /* GET /catalogus/v1/catalog, by Accept */
void catalogue_service(Request *request, gpointer context);    /* GET /catalogus/{peer}/{service} */
void catalogue_api_services(Request *request, gpointer context);
void catalogue_admin(Request *request, gpointer context);
