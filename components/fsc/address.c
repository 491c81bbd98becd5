#include "components/fsc/address.h"

#include <string.h>

#include "core/base/error.h"

void address_clear(Address *address)
{
    g_clear_pointer(&address->host, g_free);
}

static gboolean refuse(GError **error)
{
    g_set_error_literal(
        error, FUNDAMENT_ERROR, FUNDAMENT_ERROR_INVALID,
        "an address must be https://host:443 or https://host:8443, without path, user or query");
    return FALSE;
}

gboolean address_parse(const char *text, Address *address, GError **error)
{
    static const struct {
        const char *text;
        guint port;
    } ports[] = {{":443", 443}, {":8443", 8443}};
    if (text == NULL || !g_str_has_prefix(text, "https://"))
        return refuse(error);
    const char *host = text + strlen("https://");
    gsize length = strspn(host, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-.");
    if (length == 0 || length > 253 || strchr(".-", host[0]) != NULL)
        return refuse(error);
    for (gsize i = 0; i < G_N_ELEMENTS(ports); i++)
        if (g_str_equal(host + length, ports[i].text)) {
            address->host = g_ascii_strdown(host, (gssize)length);
            address->port = ports[i].port;
            return TRUE;
        }
    return refuse(error);
}
