/* The catalogue: the services of a group for people and for other catalogues, as pages, as JSON, and as
 * DCAT-AP-NL 3.0.1. Rendering is pure: from the structs here to text, without I/O or clock. */
#pragma once

#include <glib.h>
#include <jansson.h>

typedef struct {
    const char *address;    /* "https://portal.example.nl", no slash at the end: what addresses begin with */
    const char *group;      /* the FSC group */
    const char *oin;        /* of the organisation that publishes the catalogue */
    const char *publisher;  /* its name */
    const json_t *about;    /* a description (description.h) of the catalogue itself, [catalogue] */
    const json_t *services; /* array, in the order of the Directory; see catalogue_service_members */
} Catalogue;

/* A service of the catalogue is an object with:
 *   name, peer_id, peer_name, manager_address ("" when unknown), protocol ("PROTOCOL_..."),
 *   delegator, delegator_name (both or neither), external {reference, delegator_id, delegator_name} (or not),
 *   since (Unix seconds: since when its publication stands), page (its path here, "/catalogus/..."),
 *   described (boolean), description (description.h) */

/* The path of the page of a service: "/catalogus/PEER/SERVICE[/DELEGATOR]". Caller frees. */
char *catalogue_page_path(const char *peer_id, const char *name, const char *delegator);

/* JSON-LD of the whole catalogue, or of one service in it (its index, or -1). New reference. */
json_t *catalogue_dcat(const Catalogue *catalogue, gint only);

typedef struct {
    const char *text;     /* in name, title, description, keywords or organisation, any case; NULL: any */
    const char *peer_id;  /* who offers it, or on whose behalf; NULL: any */
    const char *protocol; /* "PROTOCOL_..."; NULL: any */
} CatalogueFilter;

/* Those of `services` that the filter wants, in their order. New array. */
json_t *catalogue_search(const json_t *services, const CatalogueFilter *filter);

/* A language's text of a description: title or description, else the other language's, else NULL. `*in` is
 * the language that it is in. */
const char *catalogue_text(const json_t *description, const char *key, const char *language, const char **in);
