/* Which grant a client of our Outway means, and whether it may use it (decisions.md 7 and 8).
 *
 * Order of the checks: the client is one of [client.NAME]; the selector is a grant hash or SERVICE.PEERID; a
 * valid contract gives our Outway that grant; the client's list holds it. Then tokens.c answers.
 */
#include "components/fsc/internal.h"

#include <string.h>

#include "core/base/identifiers.h"

#define SELECTOR_HASH 1
#define SELECTOR_HOST 2
#define PEER_ID_LENGTH 20

typedef struct {
    Fsc *fsc;
    const char *const *allowed; /* [client.NAME] grants: grant hashes, SERVICE.PEERID, SERVICE.* */
    ConnectionWanted wanted;
    gint64 now_s;
} Choice;

/* "SERVICE.PEERID", with or without a port behind it: the service's own name may hold dots. */
static gboolean parse_host(const char *host, char **service_name, char **peer_id)
{
    g_autofree char *name = g_strndup(host, strcspn(host, ":"));
    char *dot = strrchr(name, '.');
    if (dot == NULL || strlen(dot + 1) != PEER_ID_LENGTH || !oin_valid(dot + 1))
        return FALSE;
    *dot = '\0';
    if (!fsc_service_name_valid(name))
        return FALSE;
    *service_name = g_strdup(name);
    *peer_id = g_strdup(dot + 1);
    return TRUE;
}

static gboolean allows_name(const Choice *choice, const char *service_name, const char *peer_id)
{
    g_autofree char *one = g_strdup_printf("%s.%s", service_name, peer_id);
    g_autofree char *any = g_strdup_printf("%s.*", service_name);
    for (const char *const *entry = choice->allowed; *entry != NULL; entry++)
        if (g_ascii_strcasecmp(*entry, one) == 0 || g_ascii_strcasecmp(*entry, any) == 0)
            return TRUE;
    return FALSE;
}

static void refuse_unknown(FrameCall *call)
{
    frame_call_refuse(call, FRAME_STATUS_GRANT_UNKNOWN,
                      "no valid contract gives this Outway that grant; see: fundament fsc contract list");
}

static void refuse_denied(FrameCall *call, const char *client)
{
    g_autofree char *message =
        g_strdup_printf("the client %s may not use that grant; add it to [client.%s] grants", client, client);
    frame_call_refuse(call, FRAME_STATUS_CLIENT_DENIED, message);
}

static void route_by_hash(Choice *choice, FrameCall *call, const char *client, const char *hash)
{
    const Grant *grant = NULL;
    g_autoptr(Agreement) agreement =
        fsc_hash_parse(hash, NULL) ? agreements_find(choice->fsc->agreements, hash, &grant) : NULL;
    if (agreement == NULL || agreement_state(agreement, choice->now_s) != CONTRACT_VALID ||
        !agreements_grant_is_for(grant, &choice->wanted))
        refuse_unknown(call);
    else if (g_strv_contains(choice->allowed, hash) ||
             allows_name(choice, grant->service_name, grant->service_peer_id))
        tokens_answer(choice->fsc->tokens, call, grant);
    else
        refuse_denied(call, client);
}

static void route_by_host(Choice *choice, FrameCall *call, const char *client, const char *host)
{
    g_autofree char *service_name = NULL;
    g_autofree char *peer_id = NULL;
    const Grant *grant = NULL;
    if (!parse_host(host, &service_name, &peer_id)) {
        frame_call_refuse(call, FRAME_STATUS_GRANT_NOT_NAMED,
                          "say which service: the header Fsc-Grant-Hash, or Host: SERVICE.PEERID");
        return;
    }
    choice->wanted.service_name = service_name;
    choice->wanted.service_peer_id = peer_id;
    choice->wanted.only = allows_name(choice, service_name, peer_id) ? NULL : choice->allowed;
    g_autoptr(Agreement) agreement =
        agreements_find_connection(choice->fsc->agreements, &choice->wanted, choice->now_s, &grant);
    if (agreement != NULL) {
        tokens_answer(choice->fsc->tokens, call, grant);
        return;
    }
    choice->wanted.only = NULL;
    g_autoptr(Agreement) denied =
        agreements_find_connection(choice->fsc->agreements, &choice->wanted, choice->now_s, &grant);
    if (denied != NULL)
        refuse_denied(call, client);
    else
        refuse_unknown(call);
}

void outway_route(Fsc *fsc, FrameCall *call, const char *client, guint64 kind, const char *selector)
{
    const Config *config = node_config(fsc->node);
    node_refresh_identity(fsc->node, FALSE); /* who asks has just taken the certificate from its file */
    const Certificate *certificate = node_certificate(fsc->node, ROLE_OUTWAY);
    g_autofree char *section = g_strconcat("client.", client, NULL);
    Choice choice = {.fsc = fsc,
                     .allowed = config_list(config, section, "grants"),
                     .wanted = {.outway_peer_id = node_oin(fsc->node),
                                .public_key_thumbprint = certificate != NULL
                                                             ? certificate_public_key_thumbprint(certificate)
                                                             : NULL,
                                .certificate = certificate},
                     .now_s = fsc_now_s(fsc)};
    if (!g_strv_contains(config_family(config, "client"), client))
        refuse_denied(call, client);
    else if (kind == SELECTOR_HASH)
        route_by_hash(&choice, call, client, selector);
    else if (kind == SELECTOR_HOST)
        route_by_host(&choice, call, client, selector);
    else
        frame_call_refuse(call, FRAME_STATUS_BAD_FRAME, "unknown kind of selector");
}
