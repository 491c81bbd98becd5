/* A new node: what `fundament fsc init` was told, checked, and the node.conf that follows from it. Pure. */
#pragma once

#include <glib.h>

typedef struct {
    const char *oin, *organization, *group,
        *domain;                               /* domain: "waterstad.example": manager.DOMAIN, inway.DOMAIN */
    const char *address;                       /* of the edge */
    const char *directory, *directory_address; /* NULL: this node is the Directory */
    const char *const *services;               /* "NAME" or "NAME=UPSTREAM" */
    const char *const *clients;                /* "NAME=IP:PORT" */
    gboolean test, has_crl;
} Setup;

/* FALSE with FUNDAMENT_ERROR_USAGE: the first answer that cannot be right, and what it should look like. */
gboolean setup_check(const Setup *setup, GError **error);
/* The text of node.conf. Caller frees. */
char *setup_configuration(const Setup *setup);
