/* What a component is: a row in the table of app/components.c. A new one is a folder, a row there, its
 * migrations, its API document and its phrases. */
#pragma once

#include <glib.h>

#include "core/net/openapi.h"
#include "core/node/config.h"
#include "core/node/frames_server.h"
#include "core/node/retention.h"

typedef struct node Node;

/* A job of the node: run by one process at a time (a lease that is renewed while it runs), first soon after
 * the start, then every `interval_s`, give or take a tenth, after it ended. A few run side by side. */
typedef struct {
    const char *name; /* "fsc.renew" */
    guint interval_s;
    gboolean (*run)(Node *node, gpointer context, GError **error);
    const char *section, *key; /* of node.conf, when the interval stands there instead; NULL: it does not */
} Job;

/* What a message in the outbox of this kind does. TRUE: delivered. FALSE: tried again later, with the reason
 * in `error`; FUNDAMENT_ERROR_INVALID or _RULE or _DENIED or _NOT_FOUND put it aside as dead at once
 * (visible, never dropped). */
typedef struct {
    const char *kind; /* "fsc.signature" */
    gboolean (*deliver)(Node *node, gpointer context, const char *destination, GBytes *body, GError **error);
} OutboxKind;

/* A subcommand: `fundament <component> <name> ...`. `argv[0]` is its name. The exit status: 0, 1 for an error
 * (one line on stderr), 2 for wrong usage. Commands that act on a running node talk to its admin socket
 * (core/node/admin.h). */
typedef struct {
    const char *name;
    const char *arguments; /* "SERVICE.PEER [--not-after DATE]", for --help */
    const char *help;      /* one line */
    int (*run)(int argc, char **argv);
} Command;

/* A page of the office listener. */
typedef struct {
    const char *href; /* "/contracten" */
    const char *text; /* its name as a phrase: "fsc.nav.contracts" */
} OfficeLink;

typedef struct {
    const char *name;         /* the folder, the section in node.conf, the prefix of its paths */
    const char *const *needs; /* names of components that must be on as well, NULL-terminated, or NULL */
    const ConfigKey *config;  /* the keys of its sections */
    gsize n_config;
    const Route *routes;
    gsize n_routes;
    const ApiDocument *documents; /* of its APIs: openapi/<name>.yaml */
    gsize n_documents;
    const Job *jobs;
    gsize n_jobs;
    const OutboxKind *outbox;
    gsize n_outbox;
    FrameHandler frames[16]; /* by enum frame_type; NULL: not mine */
    const Command *commands;
    gsize n_commands;
    const OfficeLink *office; /* its pages for officers, in the navigation of all of them */
    gsize n_office;
    /* Called in the order of the table, after the store is migrated (schema/<name>/ is found by the name).
     * The result is the context for handlers, jobs and outbox, and what node_component() gives; NULL with an
     * error stops the node. */
    gpointer (*start)(Node *node, GError **error);
    void (*stop)(gpointer context); /* in reverse order, after the server has stopped */
    /* Appends lines of Prometheus text. May be NULL. */
    void (*metrics)(gpointer context, GString *out);
    /* Adds checks to GET /health with health_add() (core/node/health.h). May be NULL. */
    void (*health)(gpointer context, json_t *checks);
    /* Removes what is past its time, or counts it, by retention_found() (core/node/retention.h). May be NULL.
     */
    gboolean (*expire)(gpointer context, const RetentionRun *run, GError **error);
} Component;

/* The table of app/, for commands of components that read node.conf as a whole. Set once, before a command
 * runs; constant after that. */
void component_table_set(const Component *const *components, gsize count);
const Component *const *component_table(gsize *count);
