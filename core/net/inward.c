#include "core/net/inward.h"

#include <gio/gio.h>

#include "core/base/error.h"

/* Whatever the configuration says, nobody else's Manager is here. */
static const char *const always[] = {
    "127.0.0.0/8", "0.0.0.0/8", "169.254.0.0/16", "224.0.0.0/4", "240.0.0.0/4",
    "::1/128",     "::/128",    "fe80::/10",      "ff00::/8",    NULL,
};
/* Unless the group's network is such a one. */
static const char *const usually[] = {
    "10.0.0.0/8",     "172.16.0.0/12",  "192.168.0.0/16", "100.64.0.0/10",
    "192.0.0.0/24",   "192.0.2.0/24",   "198.18.0.0/15",  "198.51.100.0/24",
    "203.0.113.0/24", "fc00::/7",       "fec0::/10",      "2001:db8::/32",
    "64:ff9b::/96",   "64:ff9b:1::/48", "2002::/16",      NULL,
};

static gboolean holds(const char *const *networks, GInetAddress *address)
{
    for (; networks != NULL && *networks != NULL; networks++) {
        g_autoptr(GInetAddressMask) mask = g_inet_address_mask_new_from_string(*networks, NULL);
        if (mask != NULL && g_inet_address_mask_matches(mask, address))
            return TRUE;
    }
    return FALSE;
}

gboolean inward_address(const struct sockaddr *address, socklen_t length, const char *const *allowed)
{
    /* GLib makes IPv4 of ::ffff:a.b.c.d by itself. */
    g_autoptr(GSocketAddress) native = g_socket_address_new_from_native((gpointer)address, length);
    if (!G_IS_INET_SOCKET_ADDRESS(native))
        return TRUE;
    GInetAddress *host = g_inet_socket_address_get_address(G_INET_SOCKET_ADDRESS(native));
    return holds(always, host) || (holds(usually, host) && !holds(allowed, host));
}

gboolean inward_check_networks(const char *const *networks, GError **error)
{
    for (; *networks != NULL; networks++) {
        g_autoptr(GInetAddressMask) mask = g_inet_address_mask_new_from_string(*networks, NULL);
        if (mask == NULL) {
            g_set_error(error, FUNDAMENT_ERROR, FUNDAMENT_ERROR_INVALID,
                        "%s is no network; write them as 10.20.0.0/16 or fd00:1234::/32", *networks);
            return FALSE;
        }
    }
    return TRUE;
}
