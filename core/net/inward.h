/* Which network addresses point inwards: at this machine, at its own link, or at the private network around
 * it.
 *
 * Others name addresses that we then connect to (Fsc-Manager-Address, the audience of a token); without this
 * rule they could have us knock at doors that only we can reach. Pure. Tables: RFC 6890 and the registries
 * that it founded.
 */
#pragma once

#include <glib.h>
#include <sys/socket.h>

/* TRUE for loopback, link-local, private, shared, multicast, reserved and unspecified addresses, IPv4 in IPv6
 * included, and for families other than these two; FALSE when one of `allowed` ("10.0.0.0/8",
 * NULL-terminated, may be NULL) holds it. Loopback and link-local addresses are inward whatever `allowed`
 * says. */
gboolean inward_address(const struct sockaddr *address, socklen_t length, const char *const *allowed);

/* FALSE with FUNDAMENT_ERROR_INVALID, naming the first that is no network. */
gboolean inward_check_networks(const char *const *networks, GError **error);
