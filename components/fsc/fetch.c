/* Asking the Manager of a service for an access token, as an Outway does (FSC Core 2.0.0, 4.6.1.2
 * and 4.6.1.3). */
#include "components/fsc/internal.h"

#include <netdb.h>
#include <string.h>
#include <sys/socket.h>

#include "components/fsc/address.h"
#include "components/fsc/external.h"
#include "components/fsc/gateway.h"
#include "core/base/error.h"
#include "core/format/json.h"
#include "core/net/inward.h"

#define TOKEN_TIMEOUT_MS 5000
/* Tokens travel in a header line; nginx reads those of 16 KiB (decisions.md 8). */
#define TOKEN_BYTES_MAX 15000

void fetched_token_free(FetchedToken *fetched)
{
    if (fetched == NULL)
        return;
    g_free(fetched->token);
    g_free(fetched->address);
    g_free(fetched->tls_name);
    g_free(fetched->thumbprint);
    g_clear_pointer(&fetched->template, g_bytes_unref);
    g_free(fetched);
}

G_DEFINE_AUTOPTR_CLEANUP_FUNC(FetchedToken, fetched_token_free)

static gboolean refuse(enum frame_status *status, enum frame_status value, GError **error,
                       const char *message)
{
    *status = value;
    g_set_error_literal(error, FUNDAMENT_ERROR, FUNDAMENT_ERROR_DENIED, message);
    return FALSE;
}

/* The first address of a name that is not in [hosts]. The token that names it was made by another
 * organisation.
 */
static char *look_up(Fsc *fsc, const char *host, guint port, GError **error)
{
    const char *const *allowed = config_list(node_config(fsc->node), "fsc", "peer_networks");
    struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM}, *found = NULL;
    char text[NI_MAXHOST];
    int result = getaddrinfo(host, NULL, &hints, &found);
    if (result == 0)
        result = getnameinfo(found->ai_addr, found->ai_addrlen, text, sizeof text, NULL, 0, NI_NUMERICHOST);
    gboolean v6 = result == 0 && found->ai_family == AF_INET6;
    gboolean inward = result == 0 && inward_address(found->ai_addr, found->ai_addrlen, allowed);
    if (found != NULL)
        freeaddrinfo(found);
    if (inward) {
        g_set_error(
            error, FUNDAMENT_ERROR, FUNDAMENT_ERROR_DENIED,
            "the Inway %s points inwards, at this machine or a private network; when that is right, put "
            "the name in [hosts] or the network in [fsc] peer_networks",
            host);
        return NULL;
    }
    if (result == 0)
        return g_strdup_printf(v6 ? "[%s]:%u" : "%s:%u", text, port);
    g_set_error(error, FUNDAMENT_ERROR, FUNDAMENT_ERROR_UNAVAILABLE,
                "the name %s of the Inway cannot be resolved: %s", host, gai_strerror(result));
    return NULL;
}

static char *resolve(Fsc *fsc, const Address *address, GError **error)
{
    const char *known = config_host(node_config(fsc->node), address->host);
    if (known != NULL)
        return g_strdup_printf(strchr(known, ':') != NULL ? "[%s]:%u" : "%s:%u", known, address->port);
    return look_up(fsc, address->host, address->port, error);
}

/* FSC Core 2.0.0, 4.6.1.2: "The Outway MUST validate that the Group ID specified in the claim gid of the
 * access token matches the Group ID of the Outway." The rest is what a token on this grant must say; who gave
 * it is known from the TLS connection. */
static const char *fault_in(Fsc *fsc, const Token *token, const Grant *grant, const char *thumbprint)
{
    if (!g_str_equal(token->group_id, node_group_id(fsc->node)))
        return "the access token is for another group (gid)";
    if (!g_str_equal(token->grant_hash, grant->hash) ||
        !g_str_equal(token->service_name, grant->service_name) ||
        !g_str_equal(token->service_peer_id, grant->service_peer_id) ||
        !g_str_equal(token->outway_peer_id, grant->outway_peer_id))
        return "the access token is for another grant (gth, svc, iss or sub)";
    /* FSC Logging 1.1.0, 3.1.1: both go from the token into our log record. */
    if (g_strcmp0(token->delegator, grant->delegator) != 0 ||
        g_strcmp0(token->service_delegator, grant->service_delegator) != 0)
        return "the access token names another delegator than the grant (act or pdi)";
    if (!g_str_equal(token->thumbprint, thumbprint))
        return "the access token is bound to another certificate (cnf)";
    if (token->expires_at <= fsc_now_s(fsc))
        return "the access token has expired already: is one of the two clocks wrong?";
    return NULL;
}

/* External Contract 1.0.0, 3.5: "The Outway MUST include External Contract Reference properties in the
 * Transaction Log records as additional_data": those of the grant, which both have signed. */
static GBytes *template_of(const Token *token, const Grant *grant)
{
    guint8 data[GATEWAY_TEMPLATE_MAX];
    gsize length;
    g_autofree char *additional = external_additional_data(grant->properties);
    GatewayTemplate fields = {
        token->grant_hash,        token->outway_peer_id, token->delegator, token->service_peer_id,
        token->service_delegator, token->service_name,   additional};
    return gateway_template_write(&fields, data, sizeof data, &length) ? g_bytes_new(data, length) : NULL;
}

static FetchedToken *read_token(Fsc *fsc, const Grant *grant, const char *text, enum frame_status *status,
                                GError **error)
{
    Token token;
    g_auto(Address) address = {0};
    g_autoptr(GError) why = NULL;
    const char *thumbprint = certificate_thumbprint(node_certificate(fsc->node, ROLE_OUTWAY));
    g_autoptr(Jws) jws = strlen(text) <= TOKEN_BYTES_MAX ? jws_parse(text, &why) : NULL;
    if (jws == NULL || !token_read(jws->payload, &token, &why)) {
        refuse(status, FRAME_STATUS_TOKEN_REFUSED, error,
               why != NULL ? why->message : "the access token is too long for a header");
        return NULL;
    }
    const char *fault = fault_in(fsc, &token, grant, thumbprint);
    if (fault == NULL && !address_parse(token.audience, &address, NULL))
        fault = "the access token names an Inway that is not at https, port 443 or 8443 (aud)";
    if (fault != NULL) {
        refuse(status, FRAME_STATUS_TOKEN_REFUSED, error, fault);
        return NULL;
    }
    g_autoptr(FetchedToken) fetched = g_new0(FetchedToken, 1);
    *status = FRAME_STATUS_PEER_UNREACHABLE;
    fetched->address = resolve(fsc, &address, error);
    if (fetched->address == NULL)
        return NULL;
    fetched->token = g_strdup(text);
    fetched->tls_name = g_strdup(address.host);
    fetched->thumbprint = g_strdup(thumbprint);
    fetched->expires_at = token.expires_at;
    fetched->template = template_of(&token, grant);
    if (fetched->template == NULL) {
        refuse(status, FRAME_STATUS_TOKEN_REFUSED, error,
               "the claims of the access token are too long for a log record");
        return NULL;
    }
    *status = FRAME_STATUS_OK;
    return g_steal_pointer(&fetched);
}

static HttpReply *ask(Fsc *fsc, const Grant *grant, GError **error)
{
    g_autofree char *scope = g_uri_escape_string(grant->hash, NULL, FALSE);
    g_autofree char *body =
        g_strdup_printf("grant_type=client_credentials&scope=%s&client_id=%s", scope, node_oin(fsc->node));
    PeerCall call = {.peer_id = grant->service_peer_id,
                     .role = ROLE_OUTWAY,
                     .method = "POST",
                     .path = "/v1/token",
                     .content_type = "application/x-www-form-urlencoded",
                     .body = body,
                     .body_length = strlen(body),
                     .timeout_ms = TOKEN_TIMEOUT_MS};
    return peers_call(fsc, &call, error);
}

static FetchedToken *read_reply(Fsc *fsc, const Grant *grant, const HttpReply *reply,
                                enum frame_status *status, GError **error)
{
    g_autoptr(json_t) body = http_reply_json(reply, NULL);
    const char *token = json_string_at(body, "access_token"), *type = json_string_at(body, "token_type");
    if (reply->status == 200 && token != NULL && type != NULL && g_ascii_strcasecmp(type, "bearer") == 0)
        return read_token(fsc, grant, token, status, error);
    const char *code = json_string_at(body, "error"),
               *description = json_string_at(body, "error_description");
    g_autofree char *message =
        g_strdup_printf("Peer %s gave no access token (%u%s%s%s%s)", grant->service_peer_id, reply->status,
                        code != NULL ? ", " : "", code != NULL ? code : "", description != NULL ? ": " : "",
                        description != NULL ? description : "");
    refuse(status, reply->status >= 500 ? FRAME_STATUS_PEER_UNREACHABLE : FRAME_STATUS_TOKEN_REFUSED, error,
           message);
    return NULL;
}

FetchedToken *fetch_token(Fsc *fsc, const Grant *grant, enum frame_status *status, GError **error)
{
    /* The client shows what stands in the files now; the token will be bound to that. */
    node_refresh_identity(fsc->node, FALSE);
    if (node_certificate(fsc->node, ROLE_OUTWAY) == NULL) {
        refuse(status, FRAME_STATUS_TOKEN_REFUSED, error,
               "this node has no Outway key; put outway.key and outway.crt in its folder of keys");
        return NULL;
    }
    g_autofree char *protocol = listing_protocol(fsc, grant->service_peer_id, grant->service_name);
    if (g_strcmp0(protocol, FSC_PROTOCOL_HTTP_2) == 0) {
        refuse(status, FRAME_STATUS_PROTOCOL_UNSUPPORTED, error,
               "the service offers HTTP/2 only, which this Outway does not speak");
        return NULL;
    }
    g_autoptr(GError) why = NULL;
    g_autoptr(HttpReply) reply = ask(fsc, grant, &why);
    if (reply != NULL)
        return read_reply(fsc, grant, reply, status, error);
    refuse(status, FRAME_STATUS_PEER_UNREACHABLE, error, why->message);
    return NULL;
}
