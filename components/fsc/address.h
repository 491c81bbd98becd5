/* Addresses of Managers and Inways: https, a host, and port 443 or 8443 (FSC Core 2.0.0, 4.1.1). Pure. */
#pragma once

#include <glib.h>

typedef struct {
    char *host;
    guint port;
} Address;

void address_clear(Address *address);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Address, address_clear)

/* "https://host:443" or "https://host:8443", nothing before, between or behind; the host a name or an IPv4
 * address, at most 253 characters. FALSE with FUNDAMENT_ERROR_INVALID. The Fsc-Manager-Address must have its
 * port (4.4.4 and the OpenAPI document); so must `aud`. */
gboolean address_parse(const char *text, Address *address, GError **error);
